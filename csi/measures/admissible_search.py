"""Findings about a search that did not settle; flat directions, and the close or weak relations behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.errors import Reason, Text
from csi.measures.admissible_patterns import held_equal, thin
from csi.measures.findings import Finding, cor, listed, number
from csi.measures.symptoms import blocks_of, pairs_of
from csi.measures.validity import GATE
from csi.moments.stack import Array
from csi.sem.fitted import Fitted
from csi.sem.identification import generic_rank
from csi.sem.layout import Layout

SLOPING = 1e-4
"""An eigenvalue of that information below this, where the search did not settle: that is why."""

BEYOND = 1.5
"""A latent correlation beyond this is no evidence of anything: the search was lost."""

WEAK = 0.3
"""A latent correlation below this hardly helps a factor of two items."""


def of_search(fit: Fitted, reason: Reason | None, cell: int, place: str) -> list[Finding]:
    """A search that did not settle."""
    if reason is None:
        return []
    spread = _spread(fit, cell)
    if reason.code == "R-CONSTRAINT":
        cause = Text("", "")
        do = Text("Mend that constraint, or leave it out.", "请修正或去掉该约束。")
    elif not generic_rank(fit.layout, fit.linear).identified:
        cause = Text("The model is not identified.", "模型不可识别。")
        do = Text("Mend that first.", "请先解决识别问题。")
    elif spread > 1e3:
        cause = Text(
            f"The items' standard deviations differ by a factor of {number(spread)}.",
            f"题项标准差相差 {number(spread)} 倍。",
        )
        do = Text("Bring the items to similar units.", "请将题项换算到相近的单位。")
    elif stated := _stated(fit):
        names, names_zh = listed(stated), listed(stated, "zh")
        cause = Text(f"The model fixes a negative variance ({names}).", f"模型将方差固定为负值（{names_zh}）。")
        do = Text("Let it be estimated, or fix it at a value of at least 0.", "请改为自由估计，或固定为不小于 0 的值。")
    else:
        cause, do = _no_minimum(fit, cell)
    return [Finding("E-CONVERGE", "error", cell, place, (), _sentence(reason.text), cause, do)]


def _stated(fit: Fitted) -> list[str]:
    """Variances that the model fixes below 0."""
    rows = zip(fit.layout.table.rows, fit.layout.table.index, strict=True)
    own = (r for r, at in rows if at < 0 and r.op == "~~" and r.lhs == r.rhs and (r.fixed or 0.0) < 0)
    return list(dict.fromkeys(f"{r.lhs} ~~ {r.fixed:g}*{r.rhs}" for r in own))


def _no_minimum(fit: Fitted, cell: int) -> tuple[Text, Text]:
    """Where the search ended: on a flat place with the names of its parameters, or nowhere; and what to do."""
    do = Text('Try bounds="standard", or look at weak items.', '请尝试 bounds="standard"，或检查较弱的题项。')
    names, value = flattest(fit, cell)
    if value > SLOPING or not names:
        return Text("The likelihood has no minimum near.", "似然函数附近没有极小点。"), do
    known = relation_of(fit, cell)
    en, zh = f"The likelihood is nearly flat along {listed(names)}.", f"似然函数沿 {listed(names, 'zh')} 几乎是平坦的。"
    if known is None:
        return Text(en, zh), do
    return Text(f"{en} {known.cause.en}", zh + known.cause.zh), known.remedy if known.remedy.en else do


def _sentence(text: Text) -> Text:
    """A reason with a capital letter."""
    return Text(text.en[:1].upper() + text.en[1:], text.zh)


def _spread(fit: Fitted, cell: int) -> float:
    """The largest standard deviation of an item by the smallest."""
    own = np.concatenate([np.diagonal(g.cov[cell]) for g in fit.groups])
    return float(np.sqrt(own.max() / own.min())) if (own > 0).all() else np.inf


def flattest(fit: Fitted, cell: int) -> tuple[tuple[str, ...], float]:
    """Parameters of the flattest direction of the information, and its eigenvalue (information on a unit diagonal)."""
    information, N = fit.information_along(cell), fit.along(cell)
    own = np.diagonal(information)
    if not information.size or not np.isfinite(information).all() or not (own > 0).all():
        return (), 1.0 if not information.size else 0.0
    sd = np.sqrt(own)
    values, vectors = np.linalg.eigh(information / np.outer(sd, sd))
    moved = np.abs(N @ (vectors[:, 0] / sd))
    scale = np.abs(N) @ (1 / sd)
    weight = moved / np.where(scale > 0, scale, 1.0)
    return named(fit.layout, weight), float(values[0])


def named(layout: Layout, weight: Array) -> tuple[str, ...]:
    """Parameters with a fifth of the largest weight, largest first."""
    order = np.argsort(-weight)
    return tuple(layout.table.names[int(i)] for i in order if weight[i] > 0.2 * weight.max())


@dataclass(frozen=True, slots=True)
class Relation:
    """What two latent variables are to each other that leaves parameters open, and what to do about it."""

    cause: Text
    remedy: Text


def relation_of(fit: Fitted, cell: int) -> Relation | None:
    """Two latent variables that are nearly one; else the weakest relation, which two items need to be told apart."""
    pairs = [p for g in range(len(fit.groups)) for p in pairs_of(fit, cell, g)]
    close = [p for p in pairs if GATE <= abs(p.value) <= BEYOND or p.htmt >= GATE]
    if close:
        p = max(close, key=lambda p: max(abs(p.value), np.nan_to_num(p.htmt)))
        ratio = f", HTMT {cor(p.htmt)}" if np.isfinite(p.htmt) else ""
        ratio_zh = f"，HTMT {cor(p.htmt)}" if np.isfinite(p.htmt) else ""
        en = f"{p.one} and {p.other} are nearly one and the same (correlation {cor(p.value)}{ratio})."
        zh = f"{p.one} 与 {p.other} 几乎是同一事物（相关 {cor(p.value)}{ratio_zh}）。"
        do = Text(
            f"Merge {p.one} and {p.other}, drop one, or use PLS (csi.PLS).",
            f"请合并 {p.one} 与 {p.other}、去掉其一，或改用 PLS（csi.PLS）。",
        )
        return Relation(Text(en, zh), do)
    known = [p for p in pairs if np.isfinite(p.value)]
    if not known:
        return _thin(fit, cell)
    p = min(known, key=lambda p: abs(p.value))
    en = f"The weakest relation is {p.one} with {p.other} (|r| = {number(abs(p.value))})."
    zh = f"最弱的关系是 {p.one} 与 {p.other}（|r| = {number(abs(p.value))}）。"
    few = [f for f, items in blocks_of(fit.layout).items() if f in {p.one, p.other} and len(items) < 3]
    if abs(p.value) < WEAK and few:
        en += f" {few[0]} has only two items and leans on it." if len(few) == 1 else f" {listed(few)} lean on it."
        zh += f"题项过少的 {listed(few, 'zh')} 须靠它识别。"
        do = Text(
            "Hold the two loadings of a factor equal, add an item, or take the factor out.",
            "请令该因子的两个载荷相等、增加题项，或去掉该因子。",
        )
        return Relation(Text(en, zh), do)
    return Relation(Text(en, zh), Text("", ""))


def _thin(fit: Fitted, cell: int) -> Relation | None:
    """A factor of two items, where no latent correlation is to be had."""
    few = [f for f, items in blocks_of(fit.layout).items() if len(items) == 2]
    do = held_equal(fit, few[0]) if few else None
    return None if do is None else Relation(thin(fit, few[0], cell, 0), do)
