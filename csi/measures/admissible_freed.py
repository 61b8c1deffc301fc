"""What a model leaves out where an item has a negative variance: candidates are freed, one fit each, and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from csi.errors import Problems, Text
from csi.estimate.estimate import Estimate
from csi.measures.admissible_changes import INDEX, Change, Changes
from csi.measures.admissible_patterns import first_look
from csi.measures.findings import Finding, number
from csi.measures.symptoms import blocks_of
from csi.models.model import Construct, Covariance, Model, Term
from csi.sem.estimator import SEM
from csi.sem.fitted import Fitted, fitted

MOST = 12
"""So many candidates are tried, those with the largest modification indices first."""

SOME = 6.63
"""A drop of chi2 that counts beside a variance that sampling error does not explain (df 1, 1 %)."""

LEVEL = 3.84
"""A drop of chi2 that the largest exceeds by less than this is another way to tell the same (chi-square, df 1, 5 %)."""

Judge = Callable[[Estimate], list[Finding]]


@dataclass(frozen=True, slots=True)
class Freed:
    """A parameter that was freed: its name, and the drop of chi2."""

    name: str
    drop: float


def freed(est: Estimate, cell: int, g: int, finding: Finding, changes: Changes, judge: Judge) -> Finding:
    """A finding of a negative residual variance with what the model most likely leaves out, where that mends it.

    Tried are the residual covariances within the block and its items' loadings elsewhere; for a variance that sampling
    error explains only where a modification index speaks for one. Kept is what leaves no error and lowers chi2 most, by
    more than chance; beside it what lowers chi2 nearly as much, and the two items that fall shortest of what the item
    at fault implies.
    """
    fit = fitted(est)
    name = finding.parameters[0].split(" ")[0]
    block = next((items for items in blocks_of(fit.layout).values() if name in items), ())
    known = changes()
    names = _candidates(fit, block, known)
    indexed = max((known[c].mi for c in names if c in known), default=0.0)
    if not names or not isinstance(est.settings, SEM) or (finding.severity != "error" and indexed < INDEX):
        return finding
    tried = [t for c in names[:MOST] if (t := _freed(est, est.settings, cell, c, judge)) is not None]
    tried.sort(key=lambda t: -t.drop)
    if not tried or tried[0].drop < (SOME if finding.severity == "error" else INDEX):
        return finding
    short = first_look(fit, name, cell, g)
    level = [t for t in tried if t.drop > tried[0].drop - LEVEL or (t.name == short and t.drop > SOME)]
    return _told(finding, level[:3])


def _candidates(fit: Fitted, block: tuple[str, ...], known: Mapping[str, Change]) -> list[str]:
    """Residual covariances within a block of three or more, and loadings of its items on other latent variables."""
    if len(block) < 3:
        return []
    stated = {f"{r.lhs} {r.op} {r.rhs}" for r in fit.layout.table.rows}
    inside = [f"{a} ~~ {b}" for i, a in enumerate(block) for b in block[i + 1 :]]
    others = [f for f, items in blocks_of(fit.layout).items() if items != block and len(items) > 1]
    across = [f"{f} =~ {i}" for f in others for i in block]
    free = [c for c in (*inside, *across) if c not in stated]
    order = sorted(free, key=lambda c: -known[c].mi if c in known else 0.0)
    return [*(c for c in order if "~~" in c), *(c for c in order if "=~" in c)]


def _freed(est: Estimate, settings: SEM, cell: int, name: str, judge: Judge) -> Freed | None:
    """One candidate; None where it cannot be fitted or the solution is still improper."""
    try:
        after = settings.solve(widened(est.model, name), est.moments.of_slice(cell))
    except Problems:
        return None
    if not after.convergence.converged[0] or any(f.severity == "error" for f in judge(after)):
        return None
    return Freed(name, float(fitted(est).test.statistic[cell] - fitted(after).test.statistic[0]))


def widened(model: Model, name: str) -> Model:
    """A model with a residual covariance or a loading more.

    Example:
        >>> model = Model.parse("f =~ a + b + c; g =~ d + e")
        >>> print(widened(widened(model, "a ~~ b"), "g =~ c"))
        f =~ a + b + c
        g =~ d + e + c
        a ~~ b
    """
    lhs, op, rhs = name.split(" ")
    if op == "~~":
        return replace(model, covariances=(*model.covariances, Covariance(lhs, Term(rhs))))
    return replace(model, constructs=tuple(_with(c, rhs) if c.name == lhs else c for c in model.constructs))


def _with(construct: Construct, item: str) -> Construct:
    """A construct with an item more."""
    return replace(construct, indicators=(*construct.indicators, Term(item)))


def _told(finding: Finding, best: list[Freed]) -> Finding:
    """The finding with what mends it."""
    named, named_zh = " or ".join(t.name for t in best), " 或 ".join(t.name for t in best)
    drop, drop_zh = (sep.join(number(t.drop) for t in best) for sep in (" or ", " 或 "))
    en = f"{finding.cause.en} With {named} free chi2 is lower by {drop} and nothing is negative beyond sampling error."
    zh = f"{finding.cause.zh}放开 {named_zh} 后，卡方下降 {drop_zh}，且不再有超出抽样误差的负方差。"
    do = f"Free {named} where the wording of the items explains it, or drop one of them; bounds do not mend it."
    do_zh = f"若题项措辞可以解释，请放开 {named_zh}；否则去掉其中一个题项。加界不能解决。"
    return replace(finding, cause=Text(en, zh), remedy=Text(do, do_zh))
