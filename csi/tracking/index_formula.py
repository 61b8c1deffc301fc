"""Which formula an index is made by, and the weights that a formula brings with it.

Letters: `p` items, `q` constructs.
"""

from __future__ import annotations

import numpy as np

from csi.errors import Problem, Problems, problem
from csi.estimate.estimate import Estimate, Solution
from csi.moments.stack import Array
from csi.tracking.formulas import formula_id
from csi.tracking.index_fit import item_bounds
from csi.tracking.index_weights import Given

OUTER = ("F1", "F2", "F3", "F7")
"""Formulas with outer weights."""


def given_formula(est: Estimate, asked: str | None, weights: str | None, given: Given | None) -> str | None:
    """The id of the formula; None where F1 or F2 is to be told construct by construct.

    Raises:
        Problems: E-FORMULA, E-ENGINE: it does not exist, needs other input, or another kind of model; E-GIVEN.
    """
    without = est.solution.weights is None
    if asked is None:
        return "F6" if without and given is None else None
    formula = formula_id(asked)
    found: list[Problem] = []
    if formula == "F4":
        en, zh = "F4 (KCSI) is made of shares of answers, not of a model.", "F4（KCSI）由回答占比计算，不来自模型。"
        do = "Call csi.kcsi(panel, elements=[...], overall=..., repurchase=...)."
        do_zh = "请调用 csi.kcsi(panel, elements=[...], overall=..., repurchase=...)。"
        found.append(problem("E-FORMULA", "formula", en, zh, do, do_zh))
    if formula == "F5" and (given is not None or weights is not None):
        en, zh = "F5 has equal weights; none are given or estimated.", "F5 采用等权，不需给定或估计权重。"
        do, do_zh = "Leave weights= and given= out.", "请省略 weights= 与 given=。"
        found.append(problem("E-GIVEN", "formula", en, zh, do, do_zh))
    if formula == "F6" and not without and given is None:
        en = f"F6 needs the factors of a covariance model; {est.settings.name} has scores."
        zh = f"F6 需要协方差模型的因子；{est.settings.name} 给出的是合成得分。"
        found.append(problem("E-FORMULA", "formula", en, zh, "Fit with csi.SEM.", "请用 csi.SEM 拟合。"))
    if formula in OUTER and without and given is None:
        en, zh = f"{est.settings.name} gives no outer weights.", f"{est.settings.name} 不提供外部权重。"
        do, do_zh = 'Use PLS, or formula="F6" (factor scores).', '请改用 PLS，或 formula="F6"（因子得分）。'
        found.append(problem("E-ENGINE", "formula", en, zh, do, do_zh))
    if formula == "F1":
        found += _unlike(est)
    if found:
        raise Problems(found)
    return formula


def _unlike(est: Estimate) -> list[Problem]:
    """Constructs whose items are answered on different scales, which F1 does not know."""
    sol, (low, high) = est.solution, item_bounds(est)
    found = []
    for j, name in enumerate(sol.constructs):
        mine = sol.block == j
        if mine.any() and not _one_scale(low[mine], high[mine]):
            items = ", ".join(np.array(sol.items)[mine])
            en = f"{name}: F1 is for items on one scale, and {items} have different ones."
            zh = f"{name}：F1 要求题项量表相同，而 {items.replace(', ', '、')} 的量表不同。"
            found.append(problem("E-FORMULA", "formula", en, zh, 'Use formula="F2".', '请用 formula="F2"。'))
    return found


def _one_scale(low: Array, high: Array) -> bool:
    """Whether all bounds are known and the same."""
    return bool(np.isfinite(low).all() and np.ptp(low) == 0 and np.isfinite(high).all() and np.ptp(high) == 0)


def formulas_of(sol: Solution, low: Array, high: Array, formula: str | None) -> tuple[str, ...]:
    """(q) the id of each construct's formula: the one asked for, else F1 on one answer scale and F2 on several.

    Parameters:
        low, high: (p,) bounds of the items.
    """
    if formula is not None:
        return (formula,) * len(sol.constructs)
    blocks = [sol.block == j for j in range(len(sol.constructs))]
    return tuple("F1" if mine.any() and _one_scale(low[mine], high[mine]) else "F2" for mine in blocks)


def equal_weights(est: Estimate) -> Given:
    """F5 as weights of the 0-100 items: each item's share of the ranges; constructs without bounds get none."""
    sol, (low, high) = est.solution, item_bounds(est)
    span = high - low
    return {
        name: {sol.items[k]: float(span[k]) for k in np.flatnonzero(sol.block == j)}
        for j, name in enumerate(sol.constructs)
        if (sol.block == j).any() and (span[sol.block == j] > 0).all()
    }
