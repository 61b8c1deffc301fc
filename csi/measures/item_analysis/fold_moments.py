"""Sums that folds add up to: covariances of the rows held out, and of all others, without a second pass.

Letters: `n` rows, `p` items, `c` cells, `m` folds times repetitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from csi.moments.stack import Array, Ints


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some rows: count (m, p, p) with both answers; both, one, cross (m, p, p) sums of w, w x_i and w x_i x_j over
    those; top, mass (m, c, p) sums of w x and w per cell.
    """

    count: Array
    both: Array
    one: Array
    cross: Array
    top: Array
    mass: Array

    def less(self, other: Sums) -> Sums:
        """What is left without other rows."""
        names = ("count", "both", "one", "cross", "top", "mass")
        return Sums(*(getattr(self, name) - getattr(other, name) for name in names))

    def total(self, folds: int) -> Sums:
        """Of all rows: the first repetition's folds together."""
        names = ("count", "both", "one", "cross", "top", "mass")
        return Sums(*(getattr(self, name)[:folds].sum(axis=0, keepdims=True) for name in names))

    def cov(self) -> Array:
        """(m, p, p) covariances from the rows that answer both; NaN where fewer than two do."""
        with np.errstate(divide="ignore", invalid="ignore"):
            one = self.one * self.one.transpose(0, 2, 1)
            cov = (self.cross - one / self.both) / self.both * (self.count / (self.count - 1))
        return np.where(self.count > 1.5, cov, np.nan)

    def about_zero(self) -> Array:
        """(m, p, p) means of the products of answers that are centred already, over the rows that answer both."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.both > 0, self.cross / self.both, np.nan)

    def means(self) -> Array:
        """(m, c, p) means of items per cell; NaN where nobody answered."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.mass > 1e-9, self.top / self.mass, np.nan)


def fold_sums(rows: Array, weight: Array, fold: Ints, cell: Ints, cells: int) -> Sums:
    """Sums of every fold, repetition by repetition.

    Parameters:
        rows: (n, p) answers, NaN where absent, centred near 0 if exact covariances matter. weight: (n,). fold: (R, n)
            from 0. cell: (n,) cell of each row, -1 for none. cells: how many there are.

    Example:
        >>> rows = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [4.0, 5.0]])
        >>> sums = fold_sums(rows, np.ones(4), np.array([[0, 0, 1, 1]]), np.zeros(4, dtype=int), 1)
        >>> np.allclose(sums.total(2).cov()[0], np.cov(rows.T)), sums.less(sums.total(2)).count.tolist()[0][0]
        (True, [-2.0, -2.0])
    """
    here = (~np.isnan(rows)).astype(np.float64)
    z, K = np.nan_to_num(rows), int(fold.max()) + 1
    weighted, heavy = here * weight[:, None], z * weight[:, None]
    inside = (cell[:, None] == np.arange(cells)).astype(np.float64)
    parts = []
    for numbers in fold:
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(K + 1))
        for start, end in pairwise(ends.tolist()):
            at = order[start:end]
            h, v, hw, vw, c = here[at], z[at], weighted[at], heavy[at], inside[at]
            parts.append((h.T @ h, hw.T @ h, vw.T @ h, vw.T @ v, c.T @ vw, c.T @ hw))
    return Sums(*(np.stack(part) for part in zip(*parts, strict=True)))
