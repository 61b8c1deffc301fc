"""What fairness is read from: how often people of equal standing in two or more groups give each answer.

Letters: `n` rows, `i` items, `s` matching scores from 0, `g` groups, `C` categories at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.measures.response.marginal import Bools
from csi.measures.response.specified import coded
from csi.moments.stack import Array, Ints


@dataclass(frozen=True, slots=True)
class Tables:
    """Answers of one scale by matching score and group.

    Attributes:
        counts: (i, s, g, C); categories of an item are its first ones, all used. value: (i, C) what each category is
            on the item's scale, 0 beyond its own. codes: (i) the distinct answers. n: (i, g) rows that enter.
    """

    counts: Array
    value: Array
    codes: tuple[Array, ...]
    n: Ints


def matching_scores(rows: Array, anchors: Bools) -> Ints:
    """(n, i) score on which an item's answers are matched: the sum over the anchors and the item itself.

    Each answer counts from the item's lowest; where some are absent, the share of the highest possible sum that the
    others reach stands for them, rounded to a whole score. -1 where half of them are absent, or the item is.

    Parameters:
        rows: (n, i) answers, NaN where absent. anchors: (i,) which items make the score.

    Source:
        Holland & Thayer (1988), in Test validity, 129-145: the studied item is part of the score.

    Example:
        >>> matching_scores(np.array([[0.0, 1.0, 2.0], [2.0, np.nan, 1.0]]), np.array([True, True, False])).tolist()
        [[0, 0, 1], [2, -1, 2]]
    """
    low, known = np.nanmin(rows, axis=0), np.isfinite(rows)
    given = np.where(known, rows - low, 0)
    top = np.where(known, (np.nanmax(rows, axis=0) - low)[None, :], 0)
    whole = np.nanmax(rows, axis=0) - low
    found = np.full(rows.shape, -1, np.int64)
    for i in range(rows.shape[1]):
        mine = anchors.copy()
        mine[i] = True
        most, some = top[:, mine].sum(axis=1), known[:, mine].sum(axis=1)
        fits = known[:, i] & (2 * some >= mine.sum()) & (most > 0)
        share = given[:, mine].sum(axis=1) / np.maximum(most, 1e-12)
        found[fits, i] = np.rint(share[fits] * whole[mine].sum()).astype(np.int64)
    return found


def tables(rows: Array, group: Ints, groups: int, anchors: Bools) -> Tables:
    """Counts of every item by score and group.

    Parameters:
        rows: (n, i) answers on whole steps, NaN where absent. group: (n,) from 0. anchors: (i,) items of the score.

    Example:
        >>> told = tables(np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]), np.array([0, 1, 1]), 2, np.ones(2, bool))
        >>> told.counts.shape, told.n.tolist()
        ((2, 3, 2, 2), [[1, 2], [1, 2]])
    """
    score = matching_scores(rows, anchors)
    told = coded(np.where(score >= 0, rows, np.nan))
    C, S, items = int(told.categories.max(initial=1)), int(score.max(initial=0)) + 1, rows.shape[1]
    counts = np.zeros((items, S, groups, C))
    value = np.zeros((items, C))
    for i in range(items):
        fits = score[:, i] >= 0
        place = (score[fits, i] * groups + group[fits]) * C + told.category[fits, i]
        counts[i] = np.bincount(place, minlength=S * groups * C).reshape(S, groups, C)
        value[i, : told.codes[i].size] = told.codes[i]
    return Tables(counts, value, told.codes, counts.sum(axis=(1, 3)).astype(np.int64))
