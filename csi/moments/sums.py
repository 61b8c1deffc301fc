"""The additive form of moments: whole-number sums per cell, the only thing that crosses threads, processes or machines.

Weights are whole multiples of one unit (2^-20 of a power of two near their mean), answers of another (1, or 2^-10 where
a column holds fractions), counted from a whole number in the middle of the scale. So every sum is a whole number, sums
of parts add up to the sum of all without rounding, and any partition of the rows gives the same bits. A sum is kept as
two numbers of 64 bits, `high * 2^32 + low`, so that none of them runs over before 2^83 units.

Letters: `p` items, `c` cells, `L` sums of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.moments.design import GRID
from csi.moments.pearson import upper_of
from csi.moments.stack import Array, Ints, Missing, Moments

Whole = npt.NDArray[Any]
"""Whole numbers: of 64 bits where they are small enough, of Python where not."""

HEAD: Final = 5
"""Sums before those of answers: rows that count, all rows, squares of weights in three parts."""
HALF: Final = 32
"""Bits of the lower part of a sum."""
SAFE: Final = 2**62
"""Sums below it are worked out in 64 bits."""


@dataclass(frozen=True, slots=True)
class CellSums:
    """Sums of every cell.

    Attributes:
        names: p items. origin: (p,) where answers are counted from. unit: (p,) parts of 1 that answers are counted in.
        scale: the weights' power of two; their unit is scale / 2^20. keys: names of the key columns.
        cells: per cell the values of its keys. limbs: (c, L, 2) low and high parts; see `complete_sums`, `pair_sums`.
        missing: "listwise" (rows with every answer count) or "pairwise" (rows with any; sums of all pairs).
        absent, outside: (p,) answers that are not there, that lie outside their scale. rounded: (p,) the largest
            rounding of an answer to its unit.
    """

    names: tuple[str, ...]
    origin: Ints
    unit: Ints
    scale: float
    keys: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    limbs: Ints
    missing: Missing
    absent: Ints
    outside: Ints
    rounded: Array

    def added(self, others: Sequence[CellSums]) -> CellSums:
        """With the sums of other rows; cells in the order of their keys, so that the order of the parts is not seen.

        Example:
            >>> one = CellSums(("q",), np.array([3]), np.array([1]), 1.0, ("b",), (("x",),),
            ...     np.ones((1, 9, 2), dtype=np.int64), "listwise", np.array([1]), np.array([0]), np.zeros(1))
            >>> one.added([one]).limbs[0, 0].tolist()
            [2, 2]
        """
        parts = [self, *others]
        known = sorted({cell for part in parts for cell in part.cells})
        place = {cell: k for k, cell in enumerate(known)}
        limbs = np.zeros((len(known), *self.limbs.shape[1:]), dtype=np.int64)
        for part in parts:
            if part.cells:
                np.add.at(limbs, [place[cell] for cell in part.cells], part.limbs)
        return replace(
            self,
            cells=tuple(known),
            limbs=carried(limbs),
            absent=np.sum([part.absent for part in parts], axis=0),
            outside=np.sum([part.outside for part in parts], axis=0),
            rounded=np.max([part.rounded for part in parts], axis=0),
        )

    @property
    def rows(self) -> Ints:
        """(c,) all rows of each cell."""
        return np.asarray(whole(self.limbs[:, 1]), dtype=np.int64)

    @property
    def counted(self) -> Ints:
        """(c,) the rows of each cell that count."""
        return np.asarray(whole(self.limbs[:, 0]), dtype=np.int64)


def width(p: int, missing: Missing) -> int:
    """How many sums a cell of p items has.

    Example:
        >>> width(2, "listwise"), width(2, "pairwise")
        (13, 28)
    """
    return HEAD + p + ((p + 1) * (p + 2) // 2 if missing == "listwise" else 1 + 5 * p * p)


def carried(limbs: Ints) -> Ints:
    """The same sums with 0 <= low < 2^32.

    Example:
        >>> carried(np.array([[2**32 + 1, 0]])).tolist()
        [[1, 1]]
    """
    low, high = limbs[..., 0], limbs[..., 1]
    return np.stack([low & (2**HALF - 1), high + (low >> HALF)], axis=-1)


def split(values: Whole) -> Ints:
    """Whole numbers below 2^63 as two parts each."""
    numbers = np.asarray(values, dtype=np.int64)
    return np.stack([numbers & (2**HALF - 1), numbers >> HALF], axis=-1)


def whole(limbs: Ints) -> Whole:
    """The sums as whole numbers, of 64 bits where all of them fit.

    Example:
        >>> whole(np.array([[5, 1]])).tolist(), whole(np.array([[0, 2**40]])).tolist()
        ([4294967301], [4722366482869645213696])
    """
    low, high = (part[..., 0] if k == 0 else part[..., 1] for k, part in enumerate([carried(limbs)] * 2))
    if not high.size or int(np.abs(high).max()) < 2 ** (HALF - 2):
        return np.asarray(high * 2**HALF + low, dtype=np.int64)
    return np.asarray(high.astype(object) * 2**HALF + low.astype(object), dtype=object)


def moments_of_sums(sums: CellSums, bounds: tuple[Array, Array]) -> Moments:
    """Moments of the cells that have rows which count, in their order.

    They are those that `csi.moments.pearson.moments_of` makes of the rows themselves: sums are moved, exactly, to the
    whole numbers nearest to the cell's means, and divided as there.

    Parameters:
        bounds: (p,) theoretical minima and maxima.
    """
    kept = np.flatnonzero(sums.counted > 0)
    values, n = whole(sums.limbs[kept]), sums.counted[kept].astype(np.float64)
    centre = _centre(sums, values)
    if sums.missing == "listwise":
        sum_w, mean, cov = _complete(sums, values, centre)
    else:
        sum_w, mean, cov = _pairwise(sums, values, centre)
    with np.errstate(divide="ignore", invalid="ignore"):
        cov = cov * (n / (n - 1))[:, None, None]
    labels = {key: [sums.cells[c][k] for c in kept.tolist()] for k, key in enumerate(sums.keys)}
    return Moments(
        names=sums.names,
        n=n,
        sum_w=sum_w,
        sum_w2=_squares(values),
        mean=mean + centre,
        cov=cov,
        cells=pl.DataFrame({**labels, "n": sums.counted[kept]}, schema_overrides=dict.fromkeys(sums.keys, pl.String)),
        minimum=bounds[0],
        maximum=bounds[1],
        missing=sums.missing,
    )


def _squares(values: Whole) -> Array:
    """(c,) sums of squared weights from w = high 2^20 + low."""
    high, cross, low = (values[:, 2 + k].astype(object) for k in range(3))
    return np.asarray(high * 2**40 + cross * 2**21 + low, dtype=np.float64) / GRID**2


def _centre(sums: CellSums, values: Whole) -> Array:
    """(c, p) whole numbers near the means of the answers, as `csi.moments.pearson` takes them."""
    p = len(sums.names)
    total, n = values[:, HEAD : HEAD + p], values[:, :1]
    if sums.missing != "listwise":
        counts = values[:, HEAD + p + 1 : HEAD + p + 1 + p * p].reshape(-1, p, p)
        n = np.diagonal(counts, axis1=1, axis2=2)
    answered = n.astype(np.float64)
    about = (total + n * (sums.origin * sums.unit)).astype(np.float64) / sums.unit
    return np.asarray(np.round(about / np.maximum(answered, 1.0)))


def _shift(sums: CellSums, centre: Array, values: Whole) -> tuple[Whole, Whole]:
    """The sums, and (c, p) how far the centres lie from the origin in units, in numbers wide enough for both."""
    shift = ((centre - sums.origin) * sums.unit).astype(np.int64)
    most = max((abs(int(v)) for v in (values.min(initial=0), values.max(initial=0))), default=0)
    far = int(np.abs(shift).max(initial=0)) + 1
    if values.dtype != object and most * 4 * far * far < SAFE:
        return values, shift
    return values.astype(object), shift.astype(object)


def _complete(sums: CellSums, values: Whole, centre: Array) -> tuple[Array, Array, Array]:
    """Sum of weights (c,), means about the centres (c, p), covariances (c, p, p) with divisor sum_w."""
    p = len(sums.names)
    values, d = _shift(sums, centre, values)
    i, j = upper_of(p + 1)
    full = np.empty((len(values), p + 1, p + 1), dtype=values.dtype)
    full[:, i, j] = full[:, j, i] = values[:, HEAD + p :]
    w, s, cross = full[:, p, p], full[:, p, :p], full[:, :p, :p]
    moved = s - d * w[:, None]
    about = cross - d[:, :, None] * s[:, None, :] - s[:, :, None] * d[:, None, :]
    about = about + d[:, :, None] * d[:, None, :] * w[:, None, None]
    sum_w = w.astype(np.float64) / GRID
    mean = moved.astype(np.float64) / GRID / sums.unit / sum_w[:, None]
    product = about.astype(np.float64) / GRID / (sums.unit[:, None] * sums.unit[None, :])
    return sum_w, mean, product / sum_w[:, None, None] - mean[:, :, None] * mean[:, None, :]


def _pairwise(sums: CellSums, values: Whole, centre: Array) -> tuple[Array, Array, Array]:
    """The same of all pairs: means of the answers there are; correlations of those who answered both.

    As `csi.moments.pearson` has it: r_ij from the rows that answer both, with each item's own variance.
    """
    p = len(sums.names)
    values, d = _shift(sums, centre, values)
    start = HEAD + p
    sum_w = values[:, start].astype(np.float64) / GRID
    blocks = values[:, start + 1 + p * p :].reshape(-1, 4, p, p)
    both, z, zz, ss = (blocks[:, k] for k in range(4))
    di, dj = d[:, :, None], d[:, None, :]
    zi = z - di * both
    square = ss - 2 * di * z + di * di * both
    product = zz - dj * z - di * z.transpose(0, 2, 1) + di * dj * both
    unit = sums.unit.astype(np.float64)
    b = both.astype(np.float64) / GRID
    si = zi.astype(np.float64) / GRID / unit[:, None]
    q = square.astype(np.float64) / GRID / (unit**2)[:, None]
    x = product.astype(np.float64) / GRID / (unit[:, None] * unit[None, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.diagonal(si, axis1=1, axis2=2) / np.diagonal(b, axis1=1, axis2=2)
        sj, qj = si.transpose(0, 2, 1), q.transpose(0, 2, 1)
        r = (x - si * sj / b) / np.sqrt((q - si**2 / b) * (qj - sj**2 / b))
        variance = np.diagonal(x / b, axis1=1, axis2=2) - mean**2
        sd = np.sqrt(variance)
        cov = r * sd[:, :, None] * sd[:, None, :]
    at = np.arange(p)
    cov[:, at, at] = variance
    return sum_w, mean, cov
