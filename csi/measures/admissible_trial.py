"""Whether items are what brings other findings about: the model is mended, fitted again, and what is gone is theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from csi.errors import Problems, Text
from csi.estimate.estimate import Estimate
from csi.measures.admissible_items import Culprit
from csi.measures.findings import Finding, listed
from csi.models.model import Construct, Model, Term
from csi.sem.estimator import SEM

CONSEQUENCES = frozenset(
    {"HEYWOOD", "NPD", "NPD-RESIDUAL", "COLL", "CONVERGE", "EMPIRICAL", "RIDGE", "PATH", "BOUND"},
)
"""Errors and warnings that items can bring about, without their first letter."""

Judge = Callable[[Estimate], list[Finding]]
"""Findings of the first cell of an estimate."""


def settled(est: Estimate, cell: int, found: list[Finding], culprits: Sequence[Culprit], judge: Judge) -> list[Finding]:
    """Findings of a cell with those about items, which take the blame for what is gone without them.

    Parameters:
        found: without those about items. judge: finds in the mended model.
    """
    suspect = [f for f in found if f.severity != "fine" and _stem(f.code) in CONSEQUENCES]
    if not culprits or not suspect:
        return [*(c.finding for c in culprits), *found]
    after = mended(est, cell, culprits)
    rest = None if after is None else judge(after)
    blame = {id(f): _of(f, culprits) or _near(f, culprits) for f in suspect if _theirs(f, culprits, rest)}
    told = [_promoted(c.finding, [f for f in suspect if c in blame.get(id(f), ())]) for c in culprits]
    names = {id(c): f for c, f in zip(culprits, told, strict=True)}
    tried = after is not None
    return [
        *told,
        *(
            _blamed(f, blame[id(f)], [names[id(c)] for c in blame[id(f)]], tried=tried) if id(f) in blame else f
            for f in found
        ),
    ]


def _stem(code: str) -> str:
    """A code without its first letter."""
    return code.split("-", 1)[1]


def _theirs(f: Finding, culprits: Sequence[Culprit], rest: list[Finding] | None) -> bool:
    """Whether a finding is gone in the mended model; where that cannot be fitted, whether it names what they spoil."""
    if rest is None:
        return any(_grave(c) for c in _of(f, culprits))
    if not (_of(f, culprits) or _near(f, culprits)):
        return False
    return not any(_same(f, o) for o in rest if o.severity != "fine" and _stem(o.code) == _stem(f.code))


def _same(one: Finding, other: Finding) -> bool:
    """Whether two findings of one kind are of the same: of a pair both, else any parameter, or none named."""
    a, b = set(one.parameters), set(other.parameters)
    return a == b if _stem(one.code) == "COLL" and not any(" " in p for p in a) else bool(a & b) or not a


def _of(f: Finding, culprits: Sequence[Culprit]) -> tuple[Culprit, ...]:
    """The culprits whose latent variables or items a finding names; the grave ones where it names nothing.

    A path is not determined for its predictors' sake: an outcome with one weak item is no reason.
    """
    words = set(_words(f.parameters))
    if not words:
        return _near(f, culprits)
    here = [c for c in culprits if c.finding.place.startswith(f.place)]
    if _stem(f.code) in {"COLL", "PATH"} and any(" ~ " in p for p in f.parameters):
        causes = {p.split(" ~ ")[1] for p in f.parameters if " ~ " in p}
        return tuple(c for c in here if (words if _grave(c) else causes) & {*c.factors, *c.items})
    return tuple(c for c in here if words & {*c.factors, *c.items})


def _near(f: Finding, culprits: Sequence[Culprit]) -> tuple[Culprit, ...]:
    """The grave culprits of the finding's group."""
    return tuple(c for c in culprits if _grave(c) and c.finding.place.startswith(f.place))


def _grave(culprit: Culprit) -> bool:
    """Whether more is wrong than one item that the others do without."""
    return culprit.whole or bool(culprit.to) or "TWIN" in culprit.finding.code


def _words(parameters: Sequence[str]) -> list[str]:
    """The variables that parameters name."""
    return [w for p in parameters for w in p.split() if w not in {"~", "~~", "=~", "~1", "~*~", "|"}]


def _promoted(finding: Finding, brought: Sequence[Finding]) -> Finding:
    """An error where it brings errors about, a warning where it makes a solution improper."""
    if any(f.severity == "error" for f in brought):
        return replace(finding, code=f"E-{_stem(finding.code)}", severity="error")
    if any(_stem(f.code) != "COLL" for f in brought):
        return replace(finding, code=f"W-{_stem(finding.code)}", severity="warning")
    return finding


def _blamed(f: Finding, culprits: Sequence[Culprit], told: Sequence[Finding], *, tried: bool) -> Finding:
    """A finding whose cause are items."""
    names = list(dict.fromkeys(i for c in culprits for i in c.items))
    codes = list(dict.fromkeys(t.code for t in told))
    away, away_zh = _deed(culprits)
    en, zh = f"Most likely brought about by {listed(names)}", f"很可能由 {listed(names, 'zh')} 引起"
    en, zh = (f"{en}: {away} this is gone.", f"{zh}：{away_zh} 后即消失。") if tried else (f"{en}.", f"{zh}。")
    do = f"Mend that first (see {listed(codes)})."
    return replace(f, cause=Text(en, zh), remedy=Text(do, f"请先处理该问题（见 {listed(codes, 'zh')}）。"))


def _deed(culprits: Sequence[Culprit]) -> tuple[str, str]:
    """What was done to the model."""
    dropped = [i for c in culprits if not c.to for i in c.items]
    en = [f"without {listed(dropped)}"] if dropped else []
    zh = [f"去掉 {listed(dropped, 'zh')}"] if dropped else []
    for c in culprits:
        if c.to:
            en.append(f"with {listed(c.items)} on {c.to}")
            zh.append(f"将 {listed(c.items, 'zh')} 移到 {c.to}")
    return " and ".join(en), "、".join(zh)


def mended(est: Estimate, cell: int, culprits: Sequence[Culprit]) -> Estimate | None:
    """The cell fitted without the items, or with them where they belong; None where that fails."""
    drop = {i for c in culprits if not c.to for i in c.items}
    model = changed(est.model, drop, {i: c.to for c in culprits for i in c.items if c.to and i not in drop})
    if model is None or not isinstance(est.settings, SEM):
        return None
    settings = replace(est.settings, ordered=tuple(i for i in est.settings.ordered if i not in drop))
    try:
        after = settings.solve(model, est.moments.of_slice(cell))
    except Problems:
        return None
    return after if after.convergence.converged[0] and np.isfinite(after.values[0]).all() else None


def changed(model: Model, drop: set[str], move: dict[str, str]) -> Model | None:
    """A model without some items and with others elsewhere; None where a construct loses all, or labels hang on them.

    Example:
        >>> model = Model.parse("f =~ a + b + c; g =~ d + e; g ~ f")
        >>> str(changed(model, {"a"}, {"c": "g"})).splitlines()
        ['f =~ b', 'g =~ d + e + c', 'g ~ f']
        >>> changed(model, {"d", "e"}, {}) is None
        True
    """
    terms = [t for c in model.constructs for t in c.indicators if t.name in drop or t.name in move]
    labelled = any(m.label for t in terms for m in t.modifiers)
    constructs = tuple(_construct(c, drop, move) for c in model.constructs)
    empty = any(not new.indicators and old.indicators for new, old in zip(constructs, model.constructs, strict=True))
    if empty or (labelled and (model.constraints or model.defined)):
        return None
    return replace(
        model,
        constructs=constructs,
        covariances=tuple(c for c in model.covariances if c.lhs not in drop and c.rhs.name not in drop),
        intercepts=tuple(i for i in model.intercepts if i.lhs not in drop),
        thresholds=tuple(t for t in model.thresholds if t.item not in drop),
        scalings=tuple(s for s in model.scalings if s.item not in drop),
    )


def _construct(construct: Construct, drop: set[str], move: dict[str, str]) -> Construct:
    """A construct without what is dropped or goes elsewhere, and with what comes to it."""
    kept = [t for t in construct.indicators if t.name not in drop and t.name not in move]
    came = [Term(i) for i, to in move.items() if to == construct.name]
    return replace(construct, indicators=(*kept, *came))
