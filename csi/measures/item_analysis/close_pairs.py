"""Pairs of items that say the same: polychoric correlations of those that are close already.

Letters: `n` rows, `t` pairs, `c` the largest number of categories.
"""

from __future__ import annotations

import numpy as np

from csi.moments.polychoric import correlations, cut_points
from csi.moments.stack import Array, Ints

CATEGORIES = 11
"""Most categories of an item in a polychoric correlation."""

TABLES = 200
"""Most pairs whose polychoric correlation is computed: those with the largest Pearson correlations."""


def codes_of(rows: Array) -> tuple[Ints, Ints]:
    """Category numbers (n, p), -1 where absent, among the answers given; and how many there are of each item (p,).

    Example:
        >>> codes, many = codes_of(np.array([[1.0], [5.0], [np.nan]]))
        >>> codes.ravel().tolist(), many.tolist()
        ([0, 1, -1], [2])
    """
    codes, many = np.full(rows.shape, -1, dtype=np.int64), np.zeros(rows.shape[1], dtype=np.int64)
    for j, answers in enumerate(rows.T):
        here = ~np.isnan(answers)
        given, place = np.unique(answers[here], return_inverse=True)
        codes[here, j], many[j] = place, given.size
    return codes, many


def polychorics(codes: Ints, many: Ints, weight: Array, pairs: Ints) -> Array:
    """(t,) polychoric correlations of pairs of items, thresholds from the rows that answer both.

    Parameters:
        codes, many: from `codes_of`. weight: (n,). pairs: (t, 2) places of items of at most 11 categories.

    Source:
        Olsson (1979), Psychometrika 44, 443-460 (two-step estimator).

    Example:
        >>> codes = np.array([[0, 0], [0, 0], [0, 1], [1, 0], [1, 1], [1, 1]])
        >>> polychorics(codes, np.array([2, 2]), np.ones(6), np.array([[0, 1]])).round(6).tolist()
        [0.5]
    """
    if not len(pairs):
        return np.zeros(0)
    c = int(many[pairs].max())
    tables = np.zeros((len(pairs), c, c))
    for t, (i, j) in enumerate(pairs.tolist()):
        both = (codes[:, i] >= 0) & (codes[:, j] >= 0)
        place = codes[both, i] * c + codes[both, j]
        tables[t] = np.bincount(place, weight[both], minlength=c * c).reshape(c, c)
    return correlations(tables, cut_points(tables.sum(axis=2)), cut_points(tables.sum(axis=1)))
