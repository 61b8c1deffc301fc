"""What rows move: an index with and without them, the weights of its items held, and the standard error of the move.

    effect = I(without) - I(with),   I(S) = sum_k a_k sum_{i in S} w_i x_ik / sum_{i in S} w_i

x on 0-100, the sums over the rows that answer item k. Both share rows, so the error is that of the paired difference:
each row adds w_i sum_k a_k [1_{i in without} (x_ik - m_k) / W_k - 1_{i in with} (x_ik - m'_k) / W'_k].

Letters: `n` rows of a cell, `k` items of the construct, `s` sets of rows.

Source: Binder (1983), Int. Statistical Review 51:279-292 (linearised); Lohr (2010), Sampling, 9.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.inference.linearised import between, critical
from csi.moments.expectation import em_moments
from csi.moments.stack import Array, Ints

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of one cell.

    Attributes:
        x: (n, p) answers of all items, NaN where absent. weight: (n,). unit, stratum: (n,), (units,) of the design.
        columns: (k,) the construct's items. a: (k,) their relative weights. low, high: (k,) bounds. em: whether the
            means are those of EM.
    """

    x: Array
    weight: Array
    unit: Ints
    stratum: Ints
    columns: Ints
    a: Array
    low: Array
    high: Array
    em: bool = False

    @property
    def points(self) -> Array:
        """(n, k) answers on 0-100."""
        found: Array = 100 * (self.x[:, self.columns] - self.low) / (self.high - self.low)
        return found


@dataclass(frozen=True, slots=True)
class Move:
    """What one set of rows moves: the index with it and without it, the standard error and degrees of freedom."""

    with_rows: float
    without: float
    std_error: float
    df: float

    @property
    def effect(self) -> float:
        """Points that leaving the rows out adds."""
        return self.without - self.with_rows

    def interval(self, level: float) -> tuple[float, float]:
        """Limits by t."""
        reach = float(critical(level, np.array([self.df]))[0]) * self.std_error
        return self.effect - reach, self.effect + reach


def moves(cell: Answered, pairs: Sequence[tuple[Bools, Bools]]) -> list[Move]:
    """What each pair of sets (with, without) moves.

    Example:
        >>> x = np.array([[1.0], [3.0], [5.0], [5.0]])
        >>> one, zero = np.ones(1), np.zeros(4, dtype=np.int64)
        >>> cell = Answered(x, np.ones(4), np.arange(4), zero, np.array([0]), one, one, 5 * one)
        >>> everyone = np.ones(4, dtype=bool)
        >>> found = moves(cell, [(everyone, np.array([False, True, True, True]))])[0]
        >>> found.with_rows, round(found.without, 3), round(found.effect, 3), round(found.std_error, 3)
        (62.5, 83.333, 20.833, 21.2)
    """
    sets = np.array([one for pair in pairs for one in pair], dtype=np.bool_).reshape(-1, len(cell.x))
    means = _means(cell, sets)
    values = means @ cell.a
    x, seen = cell.points, np.isfinite(cell.x[:, cell.columns])
    found = []
    for j in range(len(pairs)):
        error, df = (np.nan, np.nan)
        if not cell.em:
            error, df = _error(cell, x, seen, sets[2 * j : 2 * j + 2], means[2 * j : 2 * j + 2])
        found.append(Move(float(values[2 * j]), float(values[2 * j + 1]), error, df))
    return found


def _means(cell: Answered, sets: Bools) -> Array:
    """(s, k) mean of each item over the rows of each set, on 0-100."""
    W = sets * cell.weight
    if cell.em:
        mean, _ = em_moments(cell.x, W)
        scaled: Array = 100 * (mean[:, cell.columns] - cell.low) / (cell.high - cell.low)
        return scaled
    seen = np.isfinite(cell.x[:, cell.columns])
    total = W @ seen
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((W @ np.where(seen, cell.points, 0.0)) / np.where(total > 0, total, np.nan))


def _error(cell: Answered, x: Array, seen: Bools, sets: Bools, means: Array) -> tuple[float, float]:
    """Standard error and degrees of freedom of the difference of the second from the first of two sets."""
    z = np.zeros(len(x))
    for sign, rows, mean in ((-1.0, sets[0], means[0]), (1.0, sets[1], means[1])):
        w = (rows * cell.weight)[:, None] * seen
        total = w.sum(axis=0)
        if not (total > 0).all():
            return np.nan, np.nan
        z += sign * ((w * np.where(seen, x - mean, 0.0) / total) @ cell.a)
    either = (sets[0] | sets[1]) & seen.any(axis=1)
    variance, df = between(np.where(either, z, 0.0)[:, None], either[:, None], cell.unit, cell.stratum)
    return (float(np.sqrt(variance[0])), float(df[0])) if df[0] > 0 else (np.nan, float(df[0]))


def together(cell: Answered, rows: Bools) -> Array:
    """(n,) each row's own score: the mean of its answered items by their weights; NaN outside `rows`."""
    x, seen = cell.points, np.isfinite(cell.x[:, cell.columns])
    weight = (seen * cell.a).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(seen, x, 0.0) @ cell.a / np.where(weight > 0, weight, np.nan)
    return np.where(rows, own, np.nan)
