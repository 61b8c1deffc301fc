"""Convergent validity of formative constructs: `redundancy(est)`.

Letters: `b` cells, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.given import check_estimate
from csi.measures.blocks import correlations, item_cov
from csi.measures.score_rows import item_weights
from csi.measures.shown import part, told
from csi.measures.tidy import cells_of, said_once, tidy, unsolved
from csi.models.model import Construct, Model, Path, Term
from csi.moments.stack import Array
from csi.pls.estimator import PLS

ENOUGH = 0.70
"""The formative construct should explain half of its alternative measure (Hair et al. 2022: .708)."""

NO_ALTERNATIVE = reason(
    "no_alternative", "the model with its alternative measure has no usable solution.", "替代测量的模型没有可用的解。"
)


@dataclass(frozen=True, slots=True, repr=False)
class Redundancy(Shown):
    """What `redundancy` found.

    Attributes:
        table: key columns, construct, against ("mode A" of the same items, or the names of other items), path (the
            correlation of the two measures), r2, verdict ("pass" from .70), reason. notes, reasons.
    """

    table: pl.DataFrame
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]


@text.register
def _(value: Redundancy, lang: str = "en") -> str:
    """Paths and verdicts, why they are absent, notes."""
    title = Text("Redundancy analysis of formative constructs", "形成型构念的冗余分析")
    lines = part(title, value.table, lang, ".table") or [title.say(lang)]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def redundancy(
    est: Estimate,
    by: Mapping[str, str | tuple[str, ...]] | None = None,
    data: object = None,
    *,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    na: tuple[float, ...] = (),
) -> Redundancy:
    """Whether a formative construct (mode B) goes with another measure of the same thing.

    Without `by`: the construct's score in mode B with the score of the same items in mode A, the model estimated anew
    with that one mode changed (as cSEM does; a lenient check, since the items are the same). With `by`: the path from
    the construct to a construct of other items, such as one global question, in a model of these two (Chin 1998).
    The score of a higher-order construct is that of its components' scores; with `by` they stay in the model.

    Parameters:
        est: a PLS fit with mode B constructs. by: construct -> item or items of the alternative measure.
        data: a panel or frame that has these items, for `by`; where, weight, na as in `csi.fit`.

    Returns:
        A `Redundancy`.

    Raises:
        Problems: not a PLS fit, no mode B construct, an unknown construct, `by` without data.

    Source:
        Chin (1998), in Modern Methods for Business Research; Cheah et al. (2018), International Journal of Contemporary
        Hospitality Management 30(11). Agrees with cSEM 0.6.1 within 1e-6 (tests/measures/test_redundancy.py).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a, b = rng.standard_normal((2, 300))
        >>> y = a + 0.5 * b + rng.standard_normal(300)
        >>> frame = pl.DataFrame({"a": a, "b": b, "y": y, "overall": a + 0.5 * b})
        >>> est = csi.fit("F <~ a + b; Y =~ y; Y ~ F", frame, csi.PLS())
        >>> redundancy(est, {"F": "overall"}, frame).table["path"].round(4).item()
        1.0
    """
    check_estimate(est)
    found = _problems(est, by, data)
    if found:
        raise Problems(found)
    rows = []
    if by is None:
        wanted = [c for c, mode in zip(est.solution.constructs, est.solution.modes, strict=True) if mode == "B"]
        rows = [(name, "mode A", _same_items(est, name)) for name in wanted]
        cells, failed = cells_of(est), unsolved(est)
    else:
        for name, items in by.items():
            names = (items,) if isinstance(items, str) else tuple(items)
            other = _two(est, name, names)
            again = fit(other, data, _settings(est, other), where=where, weight=weight, na=na)
            here, there = (again.solution.constructs.index(n) for n in (name, f"{name}_alternative"))
            rows.append((name, ", ".join(names), again.solution.paths[:, there, here]))
        cells, failed = pl.DataFrame({"n": [int(est.moments.n[0])]}), [None]
    path = np.stack([values for *_, values in rows], axis=1)
    labels = pl.DataFrame({"construct": [r[0] for r in rows], "against": [r[1] for r in rows]})
    usable = np.isfinite(path)
    verdicts = [("pass" if v >= ENOUGH else "fail") if np.isfinite(v) else None for row in path for v in row]
    codes = [None if u else (failed[s] or NO_ALTERNATIVE).code for s, row in enumerate(usable) for u in row]
    table = tidy(cells, labels, {"path": path, "r2": path**2}, {"verdict": verdicts, "reason": codes})
    reasons = {c: r for c, r in said_once([*failed, NO_ALTERNATIVE]).items() if c in codes}
    return Redundancy(table, est.notes, reasons)


def _same_items(est: Estimate, name: str) -> Array:
    """(b,) correlation of a construct's score in mode B with its score in mode A, others as they are."""
    settings = cast("PLS", est.settings)
    consistent = settings.consistent and bool(est.solution.higher)
    other = replace(settings, modes={**settings.modes, name: "A"}, consistent=consistent)
    products = any(c.product_of for c in est.model.constructs)
    again = other.solve(est.model, est.moments if products else est.moments.without_rows(), est)
    R = correlations(item_cov(est.moments, est.solution.items))
    at = est.solution.constructs.index(name)
    one, two = (item_weights(s)[:, :, at] for s in (est.solution, again.solution))
    values = np.einsum("bi,bij,bj->b", one, R, two)
    linear = (one != 0).any(axis=1) & (two != 0).any(axis=1)
    return np.where(linear & [r is None for r in unsolved(est)], values, np.nan)


def _two(est: Estimate, name: str, items: tuple[str, ...]) -> Model:
    """The construct, what it is made of and its alternative, one arrow between the first and the last."""
    model, needed = est.model, [name]
    for whole in needed:
        needed += [t.name for t in model[whole].indicators if t.name in model.names and t.name not in needed]
    other = Construct(f"{name}_alternative", "=~", tuple(Term(i) for i in items))
    return Model((*(model[n] for n in needed), other), (Path(other.name, Term(name)),))


def _settings(est: Estimate, model: Model) -> PLS:
    """The estimate's settings, for the constructs of another model."""
    settings = cast("PLS", est.settings)
    return replace(settings, modes={n: mode for n, mode in settings.modes.items() if n in model.names})


def _problems(est: Estimate, by: Mapping[str, str | tuple[str, ...]] | None, data: object) -> list[Problem]:
    """What keeps the analysis from being done."""
    if not isinstance(est.settings, PLS):
        en, zh = "a redundancy analysis is of a fit by csi.PLS.", "冗余分析只适用于 csi.PLS 的拟合。"
        return [problem("E-REDUNDANCY", "estimate", en, zh, "Fit with csi.PLS().", "请用 csi.PLS() 拟合。")]
    formative = [c for c, mode in zip(est.solution.constructs, est.solution.modes, strict=True) if mode == "B"]
    if by is None and not formative:
        en, zh = "the model has no construct of mode B.", "模型中没有模式 B 的构念。"
        do, do_zh = "Write c <~ x1 + x2 for a formative construct.", "形成型构念请写作 c <~ x1 + x2。"
        return [problem("E-REDUNDANCY", "model", en, zh, do, do_zh)]
    found = []
    if by is not None and data is None:
        en, zh = "the alternative items are not in the estimate; data is needed.", "估计结果不含替代题项，需要数据。"
        found.append(problem("E-REDUNDANCY", "data", en, zh, "Give the panel or frame.", "请给出面板或数据框。"))
    for name, items in (by or {}).items():
        if name not in formative:
            en, zh = f'"{name}" is no construct of mode B.', f"“{name}”不是模式 B 的构念。"
            do, do_zh = f"Mode B: {', '.join(formative)}.", f"模式 B 的构念：{'、'.join(formative)}。"
            if not formative:
                do = "The model has none: write c <~ x1 + x2 for a formative construct."
                do_zh = "模型中没有此类构念；形成型构念请写作 c <~ x1 + x2。"
            found.append(problem("E-REDUNDANCY", "by", en, zh, do, do_zh))
            continue
        shared = [i for i in ((items,) if isinstance(items, str) else items) if i in items_of(est.model, name)]
        if shared:
            listed, listed_zh = ", ".join(shared), "、".join(shared)
            en = f'the alternative measure of "{name}" shares items with it: {listed}.'
            zh = f"“{name}”的替代测量与其自身共用题项：{listed_zh}。"
            do, do_zh = "Name items of another measure of the same thing.", "请给出测量同一概念的其他题项。"
            found.append(problem("E-REDUNDANCY", "by", en, zh, do, do_zh))
    return found


def items_of(model: Model, name: str) -> set[str]:
    """The items of a construct, those of its components included.

    Example:
        >>> sorted(items_of(Model.parse("a =~ x + y; b =~ z; h <~ a + b"), "h"))
        ['x', 'y', 'z']
    """
    own = model[name].items
    below = [items_of(model, i) for i in own if i in model.names]
    return {i for i in own if i not in model.names}.union(*below)
