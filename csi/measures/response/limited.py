"""Fit of a whole scale by limited information: M2 of means and products of pairs.

Letters: `i` items, `Q` points, `u` variables (items, or categories above the lowest), `t` moments, `k` parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.special import chdtrc

from csi.measures.response.curves import log_curves, scores_of
from csi.measures.response.marginal import Bools, Marginal, grid
from csi.moments.stack import Array, Ints

MOST = 700
"""Moments beyond which M2 is not computed."""


@dataclass(frozen=True, slots=True)
class Limited:
    """M2 (of categories) or M2* (of item scores): chi2, df, p, rmsea; else kind "" and a reason's code."""

    kind: str
    chi2: float
    df: int
    p: float
    rmsea: float
    n: int
    reason: str | None = None


def limited_information(found: Marginal, *, weighted: bool) -> Limited:
    """M2* of item scores where it has degrees of freedom, else M2 of categories; of the rows with every answer.

    Source:
        Maydeu-Olivares & Joe (2006), Psychometrika 71, 713-732; Cai & Hansen (2013), British Journal of Mathematical
        and Statistical Psychology 66, 245-276; rmsea: Maydeu-Olivares & Joe (2014), Multivariate Behavioral Research
        49, 305-328.
    """
    whole = np.asarray((found.patterns.answer >= 0).all(axis=1))
    n = round(float(found.patterns.weight[whole].sum()))
    why = "R-IRT-WEIGHTS"
    for kind, score in () if weighted else (("M2*", True), ("M2", False)):
        item, value = _variables(found.patterns.categories, score=score)
        pairs = _pairs(item)
        size = item.size + len(pairs)
        few = [("R-IRT-DF", size <= found.free.size), ("R-IRT-MOMENTS", size > MOST), ("R-IRT-ROWS", n <= size)]
        why = next((code for code, bad in few if bad), "")
        if not why:
            return _test(kind, found, whole, (item, value), pairs, n)
    return Limited("", np.nan, 0, np.nan, np.nan, n, why)


def _variables(categories: Ints, *, score: bool) -> tuple[Ints, Array]:
    """Item (u,) of each variable and what it makes of each category (u, C)."""
    C = int(categories.max())
    if score:
        return np.arange(categories.size), np.tile(np.arange(C, dtype=np.float64), (categories.size, 1))
    item = np.repeat(np.arange(categories.size), categories - 1)
    level = np.concatenate([np.arange(1, c) for c in categories])
    return item, (level[:, None] == np.arange(C)).astype(np.float64)


def _pairs(item: Ints) -> Ints:
    a, b = np.triu_indices(item.size, 1)
    apart = item[a] != item[b]
    return np.stack([a[apart], b[apart]], axis=1)


def _test(kind: str, found: Marginal, whole: Bools, said: tuple[Ints, Array], pairs: Ints, n: int) -> Limited:
    item, value = said
    told, shape = found.patterns, found.shape
    share = told.weight[whole] / told.weight[whole].sum()
    given = np.stack([v[told.answer[whole, i]] for i, v in zip(item, value, strict=True)], axis=1)
    g, own = np.exp(found.grid.log_weight), found.own
    P = np.exp(log_curves(shape.family, own, found.grid.theta))
    mean = np.einsum("uqc,uc->uq", P[item], value)
    slopes = np.einsum("uqc,uqcd,uc->uqd", P[item], scores_of(shape.family, own, found.grid.theta)[item], value,
                       optimize=True) @ shape.design[item]  # fmt: skip
    first, second = pairs.T
    seen = np.concatenate([share @ given, share @ (given[:, first] * given[:, second])])
    due = np.concatenate([mean @ g, (mean[first] * mean[second]) @ g])
    by = np.einsum("uqk,q->uk", slopes, g)
    cross = np.einsum("tqk,tq->tk", slopes[first], mean[second] * g) + np.einsum(
        "tqk,tq->tk", slopes[second], mean[first] * g
    )
    free = null_space(np.concatenate([by, cross]).T)
    if not free.shape[1]:
        return Limited("", np.nan, 0, np.nan, np.nan, n, "R-IRT-DF")
    spread = _second_moments(found, item, value, pairs) - np.outer(due, due)
    left = free.T @ (seen - due)
    m2 = float(n * left @ np.linalg.solve(free.T @ spread @ free, left))
    df = free.shape[1]
    return Limited(kind, m2, df, float(chdtrc(df, m2)), float(np.sqrt(max(m2 - df, 0) / (n * df))), n)


def _second_moments(found: Marginal, item: Ints, value: Array, pairs: Ints) -> Array:
    """(t, t) E[t_a t_b] of the model: variables of different items are independent given theta."""
    at = grid(31)
    P = np.exp(log_curves(found.shape.family, found.own, at.theta))
    mean = np.maximum(np.einsum("uqc,uc->uq", P[item], value), 1e-150)
    both = np.einsum("uqc,uc,vc->quv", P[item], value, value, optimize=True)
    same = item[:, None] == item
    holds = np.zeros((item.size + len(pairs), item.size))
    holds[np.arange(item.size), np.arange(item.size)] = 1
    rows = item.size + np.arange(len(pairs))
    holds[rows, pairs[:, 0]] = holds[rows, pairs[:, 1]] = 1
    total = np.zeros((len(holds), len(holds)))
    for q, weight in enumerate(np.exp(at.log_weight)):
        m = mean[:, q]
        alone = np.concatenate([m, m[pairs[:, 0]] * m[pairs[:, 1]]])
        ratio = np.where(same, np.maximum(both[q], 1e-300) / np.outer(m, m), 1.0)
        total += weight * np.exp(holds @ np.log(ratio) @ holds.T + np.add.outer(np.log(alone), np.log(alone)))
    return total
