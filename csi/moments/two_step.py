"""The two steps for a whole set of items: margins and moments of each item, then the correlation of each pair.

Letters: `p` items, `n` rows, `B` weightings, `t` pairs of items in the order (0, 1), (0, 2), ..., (1, 2), ...; `k` the
largest number of categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.moments.crosstabs import codes_of, margins, refilled, tables
from csi.moments.polychoric import correlations, cut_points
from csi.moments.polyserial import pearson, polyserial
from csi.moments.stack import Array, Ints

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answers:
    """Rows ready for the two steps.

    Attributes:
        rows: (n, p) answers of the continuous items, NaN where absent and for ordinal items.
        codes: (n, p) category numbers of the ordinal items, -1 where absent and for continuous items.
        ordered: (p,) flags. categories: increasing values of each item; () for a continuous one.
    """

    rows: Array
    codes: Ints
    ordered: Flags
    categories: tuple[tuple[float, ...], ...]

    @property
    def k(self) -> int:
        """The largest number of categories; 2 at least."""
        return max(2, *(len(values) for values in self.categories)) if self.categories else 2

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """First and second items of the pairs of ordinal items."""
        i, j = np.triu_indices(self.ordered.size, 1)
        both = self.ordered[i] & self.ordered[j]
        return i[both], j[both]


@dataclass(frozen=True, slots=True)
class TwoStep:
    """What both steps found under every weighting.

    Attributes:
        total: (B, p) weight of the rows behind each item. margins: (B, p, k). cuts: (B, p, k - 1) thresholds.
        mean, variance: (B, p) of continuous items; 0 and 1 for ordinal ones. cor: (B, p, p).
        tables: (B, t, k, k) of the ordinal pairs as counted. filled: (B, t) pairs whose empty 2 x 2 cell got 0.5.
    """

    total: Array
    margins: Array
    cuts: Array
    mean: Array
    variance: Array
    cor: Array
    tables: Array
    filled: Flags

    @property
    def cov(self) -> Array:
        """(B, p, p) covariances of latent responses and continuous items."""
        sd = np.sqrt(self.variance)
        return self.cor * sd[:, :, None] * sd[:, None, :]


def answers_of(rows: Array, ordered: Sequence[bool], categories: Sequence[Sequence[float]] | None = None) -> Answers:
    """Rows split into category numbers and continuous answers.

    Parameters:
        rows: (n, p) answers, NaN where absent. ordered: (p,) flags.
        categories: values of every item (ignored for continuous ones); those in use when not given.

    Example:
        >>> answers_of(np.array([[1.0, 0.5], [2.0, 0.7]]), [True, False]).codes.tolist()
        [[0, -1], [1, -1]]
    """
    flags = np.asarray(ordered, dtype=bool)
    if categories is None:
        categories = [np.unique(column[~np.isnan(column)]).tolist() for column in rows.T]
    values = tuple(tuple(c) if flag else () for c, flag in zip(categories, flags, strict=True))
    return Answers(np.where(flags, np.nan, rows), codes_of(rows, values), flags, values)


def two_step(answers: Answers, W: Array, start: Array | None = None) -> TwoStep:
    """Thresholds, means, variances and latent correlations under every weighting.

    Parameters:
        answers: n rows of p items. W: (B, n) weights. start: (p, p) correlations to start from.

    Example:
        >>> answers = answers_of(np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 1.0]]), [True, True])
        >>> two_step(answers, np.ones((1, 4))).cor[0].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    counts = margins(answers.codes, W, answers.k)
    total, mean, variance = _continuous(answers, W)
    total = np.where(answers.ordered, counts.sum(axis=2), total)
    cuts = cut_points(counts)
    crossed = tables(answers.codes, W, answers.k, answers.pairs)
    cor = np.broadcast_to(np.eye(answers.ordered.size), (W.shape[0], *2 * (answers.ordered.size,))).copy()
    filled = _ordinal_pairs(answers, cuts, crossed, cor, start)
    _serial_pairs(answers, W, cuts, (mean, variance), cor)
    return TwoStep(total, counts, cuts, mean, variance, cor, crossed, filled)


def _continuous(answers: Answers, W: Array) -> tuple[Array, Array, Array]:
    """(B, p) weight, mean and variance (divisor: the weight) of continuous items; 0, 0 and 1 for ordinal ones."""
    present = ~np.isnan(answers.rows)
    centre = np.nansum(answers.rows, axis=0) / np.maximum(present.sum(axis=0), 1)
    x = np.where(present, answers.rows - centre, 0.0)
    total = W @ present
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (W @ x) / total
        variance = (W @ (x * x)) / total - mean * mean
    o = answers.ordered
    return total, np.where(o, 0.0, mean + centre), np.where(o, 1.0, np.maximum(variance, 0.0))


def standardised(answers: Answers, mean: Array, variance: Array) -> Array:
    """(n, p) continuous answers less their mean, in standard deviations; NaN for ordinal items and constants.

    Parameters:
        mean, variance: (p,).

    Example:
        >>> answers = answers_of(np.array([[1.0], [3.0]]), [False])
        >>> standardised(answers, np.array([2.0]), np.array([1.0])).tolist()
        [[-1.0], [1.0]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, (answers.rows - mean) / np.sqrt(variance), np.nan)


def _ordinal_pairs(answers: Answers, cuts: Array, crossed: Array, cor: Array, start: Array | None) -> Flags:
    """Writes the polychoric correlations into cor (B, p, p); returns which pairs (B, t) got 0.5 in an empty cell."""
    (i, j), b = answers.pairs, cor.shape[0]
    size = np.array([len(values) for values in answers.categories])
    counts = crossed.reshape(-1, answers.k, answers.k)
    small = np.tile((size[i] == 2) & (size[j] == 2), b)
    filled = np.zeros(counts.shape[0], dtype=bool)
    if small.any():
        counts = counts.copy()
        counts[small], filled[small] = refilled(counts[small])
    guess = None if start is None else np.tile(start[i, j], b)
    h, k = (cuts[:, item].reshape(counts.shape[0], answers.k - 1) for item in (i, j))
    rho = correlations(counts, h, k, guess).reshape(b, i.size)
    cor[:, i, j], cor[:, j, i] = rho, rho
    return filled.reshape(b, i.size)


def _serial_pairs(answers: Answers, W: Array, cuts: Array, moments: tuple[Array, Array], cor: Array) -> None:
    """Writes polyserial and Pearson correlations into cor (B, p, p)."""
    o, c = np.flatnonzero(answers.ordered), np.flatnonzero(~answers.ordered)
    for b, (w, mean, variance) in enumerate(zip(W, *moments, strict=True) if c.size else ()):
        z = standardised(answers, mean, variance)
        for item in c:
            rho = polyserial(z[:, item], answers.codes[:, o], cuts[b, o], w)
            cor[b, item, o], cor[b, o, item] = rho, rho
        i, j = np.triu_indices(c.size, 1)
        both = (~np.isnan(z)[:, c]).T.astype(np.float64)
        x = np.nan_to_num(z[:, c]).T
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = ((x * x * w) @ both.T) / (weight := (both * w) @ both.T)
            rho = pearson((((x * w) @ x.T) / weight)[i, j], (squares + squares.T)[i, j])
        cor[b, c[i], c[j]], cor[b, c[j], c[i]] = rho, rho
