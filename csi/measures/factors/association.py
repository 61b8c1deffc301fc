"""Correlations of answers with absences: Pearson by pairs, and which kind the answers call for.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.errors import Text
from csi.moments.stack import Array, Ints

Kind = Literal["pearson", "polychoric"]

FEW = 4
"""Items with so many categories or fewer are always ordinal."""

MANY = 7
"""Items with more categories are taken as measurements."""

SKEW = 1.0
"""Between the two, items more skewed than this are ordinal."""

VALUES = 25
"""Items with more different answers than this have no categories to speak of."""

EMPTY = 0.5
"""Where more than this share of the cells of all tables is empty, polychoric correlations rest on too little."""

RHEMTULLA = "Rhemtulla, Brosseau-Liard & Savalei (2012), Psychological Methods 17, 354-373"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which correlations, and why.

    Attributes:
        kind: "pearson" or "polychoric". why: the rule with the numbers it rests on. source: of the rule.
    """

    kind: Kind
    why: Text
    source: str


def used(rows: Array) -> Ints:
    """(p,) how many different answers each item has.

    Example:
        >>> used(np.array([[1.0, 1.0], [2.0, np.nan]])).tolist()
        [2, 1]
    """
    return np.array([np.unique(c[~np.isnan(c)]).size for c in rows.T], dtype=np.int64)


def skewness(rows: Array, weight: Array) -> Array:
    """(p,) weighted skewness m3 / m2^1.5; 0 where an item does not vary.

    Example:
        >>> skewness(np.array([[1.0], [1.0], [4.0]]), np.ones(3)).round(4).tolist()
        [0.7071]
    """
    w = np.where(np.isnan(rows), 0.0, weight[:, None])
    w = w / np.maximum(w.sum(axis=0), 1e-300)
    x = np.nan_to_num(rows)
    x = x - (w * x).sum(axis=0)
    squares = w * x * x
    second, third = squares.sum(axis=0), (squares * x).sum(axis=0)
    varied = second > 1e-12
    return np.where(varied, third / np.where(varied, second, 1.0) ** 1.5, 0.0)


def chosen(categories: Ints, skew: Array, empty: float) -> Choice:
    """Polychoric for few or skewed categories, Pearson for many, or where tables are mostly empty.

    Polychoric where an item has four categories or fewer, or where all have seven or fewer and one is skewed by more
    than 1; Pearson otherwise (five to seven near symmetry, or more), where over half of the cells are empty, and where
    an item has more than 25 different answers.

    Parameters:
        categories: (p,) in use. skew: (p,). empty: share of empty cells over the tables of all pairs.

    Source: Rhemtulla, Brosseau-Liard & Savalei (2012); Muthen & Kaplan (1985), British Journal of Mathematical and
        Statistical Psychology 38, 171-189, for skewness; the share of empty cells is this package's rule.

    Example:
        >>> chosen(np.array([5, 5]), np.array([0.1, -1.2]), 0.0).kind
        'polychoric'
    """
    least, most, steep = int(categories.min()), int(categories.max()), float(np.abs(skew).max())
    if most > VALUES:
        en = f"Pearson: an item has {most} different answers, more than {VALUES}, which are no categories."
        zh = f"皮尔逊相关：有题项的不同取值达 {most} 个（多于 {VALUES} 个），不是类别。"
        return Choice("pearson", Text(en, zh), RHEMTULLA)
    ordinal = least <= FEW or (most <= MANY and steep > SKEW)
    if ordinal and empty > EMPTY:
        en = f"Pearson: {100 * empty:.0f}% of the cells of the two-way tables are empty, more than {100 * EMPTY:.0f}%."
        zh = f"皮尔逊相关：两两列联表中 {100 * empty:.0f}% 的单元格为空，超过 {100 * EMPTY:.0f}%。"
        return Choice("pearson", Text(en, zh), RHEMTULLA)
    if least <= FEW:
        en = f"polychoric: an item has {least} categories in use, {FEW} or fewer."
        zh = f"多分格相关：有题项只使用了 {least} 个类别（不超过 {FEW} 个）。"
    elif ordinal:
        en = f"polychoric: up to {most} categories and a skewness of {steep:.2f}, beyond {SKEW:g}."
        zh = f"多分格相关：最多 {most} 个类别，最大偏度 {steep:.2f}，超过 {SKEW:g}。"
    elif most > MANY:
        en = f"Pearson: an item has {most} categories in use, more than {MANY}, and none has {FEW} or fewer."
        zh = f"皮尔逊相关：有题项使用了 {most} 个类别（多于 {MANY} 个），且没有题项不超过 {FEW} 个。"
    else:
        en = f"Pearson: {least} to {most} categories and no skewness beyond {SKEW:g} (largest {steep:.2f})."
        zh = f"皮尔逊相关：{least} 至 {most} 个类别，偏度均不超过 {SKEW:g}（最大 {steep:.2f}）。"
    return Choice("polychoric" if ordinal else "pearson", Text(en, zh), RHEMTULLA)


def pairwise(rows: Array, weight: Array) -> Array:
    """Weighted Pearson correlations, each of the rows that answer both items.

    Parameters:
        rows: (n, p), NaN where absent. weight: (n,).

    Returns:
        (p, p), diagonal 1; NaN where an item does not vary among the rows of a pair.

    Example:
        >>> rows = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [4.0, np.nan]])
        >>> pairwise(rows, np.ones(4)).round(6).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    there = (~np.isnan(rows)).astype(np.float64)
    share = (weight[:, None] * there).sum(axis=0)
    centre = np.nansum(weight[:, None] * rows, axis=0) / np.where(share > 0, share, 1.0)
    x = np.where(there > 0, rows - centre, 0.0)
    weighed = weight[:, None] * x
    total = there.T @ (weight[:, None] * there)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (weighed.T @ there) / total
        square = ((weighed * x).T @ there) / total - mean * mean
        r = ((weighed.T @ x) / total - mean * mean.T) / np.sqrt(square * square.T)
    flat = ~((square > 1e-12) & (square.T > 1e-12))
    r = np.where(flat, np.nan, np.clip(r, -1.0, 1.0))
    np.fill_diagonal(r, 1.0)
    return np.asarray((r + r.T) / 2)
