"""Ordinal items whose answers repeat each other: one column twice, or one column and its reverse."""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array, Ints, Moments
from csi.sem.prepare import Prepared


def repeated(rows: Array) -> list[tuple[int, int]]:
    """Pairs of items of which all rows that answer both give the same category, or the same in reverse.

    Parameters:
        rows: (n, p) answers, NaN where absent.

    Returns:
        places of both; none of items that do not vary.

    Example:
        >>> repeated(np.array([[1, 2, 5, 1], [2, 3, 4, 2], [3, 4, 3, 2], [1, np.nan, 5, 3.0]]))
        [(0, 1), (0, 2), (1, 2)]
    """
    codes, size = _ranks(rows)
    found = []
    for i, j in zip(*np.triu_indices(rows.shape[1], 1), strict=True):
        if size[i] != size[j] or size[i] < 2:
            continue
        both = (codes[:, i] >= 0) & (codes[:, j] >= 0)
        a, b = codes[both, i], codes[both, j]
        if a.size and ((a == b).all() or (a + b == size[i] - 1).all()):
            found.append((int(i), int(j)))
    return found


def _ranks(rows: Array) -> tuple[Ints, list[int]]:
    """(n, p) categories from 0, -1 where absent; and how many each item has."""
    codes = np.full(rows.shape, -1, dtype=np.int64)
    size = []
    for j, column in enumerate(rows.T):
        there = ~np.isnan(column)
        values, codes[there, j] = np.unique(column[there], return_inverse=True)
        size.append(len(values))
    return codes, size


def repeated_names(prepared: Prepared, group: Moments, s: int) -> list[tuple[str, str]]:
    """Pairs of ordinal items that repeat each other in the cell of slice `s`; none without rows."""
    names = [name for name, _ in prepared.layout.table.rules.ordered]
    if group.rows is None or not names:
        return []
    at = [group.names.index(name) for name in names]
    return [(names[i], names[j]) for i, j in repeated(group.rows.of(s)[0][:, at])]
