"""Weighted Pearson moments of many slices at once: products are formed once, every weighting is a matrix product.

For complete rows, with z = x - c (c fixed) and Z = [1, z, z z'], each row of W Z holds the sums of one slice, so B
resamples of n rows cost one (B x n) by (n x (1 + p + p(p+1)/2)) product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.moments.compiled import weighed
from csi.moments.expectation import em_moments
from csi.moments.stack import Array, Ints, Moments, RowPass, Sample


def moments_of(sample: Sample) -> Moments:
    """Moments of every cell under the design weights.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> moments_of(sample_of(pl.DataFrame({"q": [1, 2, 3]}), ["q"])).mean.tolist()
        [[2.0]]
    """
    W = sample.weight[None]
    stacks = [weighted_cell(sample, number, rows, W[:, rows]) for number, rows in enumerate(cell_slices(sample))]
    return side_by_side(stacks, sample.cells)


def moments_under(sample: Sample, multiplicity: Array) -> Moments:
    """Moments of every cell for every replicate.

    Parameters:
        sample: n rows in c cells.
        multiplicity: (B, units) how often (or how heavily) each unit counts.

    Returns:
        Moments with B * c slices, replicate-major; `cells` describes one replicate.
    """
    stacks = [cell_stack(sample, number, rows, multiplicity) for number, rows in enumerate(cell_slices(sample))]
    return side_by_side(stacks, sample.cells)


def cell_stack(sample: Sample, number: int, rows: slice, multiplicity: Array) -> Moments:
    """Moments of one cell for every replicate: B slices, `cells` holds that cell."""
    return weighted_cell(sample, number, rows, multiplicity[:, sample.unit[rows]] * sample.weight[rows])


def weighted_cell(sample: Sample, number: int, rows: slice, W: Array) -> Moments:
    """Moments of one cell under B weightings of its rows, with a part for each group of a multi-group sample.

    Parameters:
        number: the cell. rows: its n_c rows in the sample. W: (B, n_c) weights, design weights included.
    """
    whole = _weighted(sample, number, rows, W)
    if sample.group is None:
        return whole
    ends = np.searchsorted(sample.group[rows], np.arange(len(sample.groups) + 1))
    spans = [slice(int(start), int(end)) for start, end in pairwise(ends)]
    parts = [_weighted(sample, number, slice(rows.start + s.start, rows.start + s.stop), W[:, s]) for s in spans]
    return replace(whole, groups=sample.groups, parts=tuple(replace(part, notes=()) for part in parts))


def _weighted(sample: Sample, number: int, rows: slice, W: Array) -> Moments:
    """Moments of some rows of a cell, as one group."""
    answers = sample.rows[rows]
    n, sum_w, sum_w2, mean, cov = cell_moments(answers, W, sample.missing)
    return Moments(
        names=sample.names,
        n=n,
        sum_w=sum_w,
        sum_w2=sum_w2,
        mean=mean,
        cov=cov,
        cells=_cell(sample, number, len(answers)),
        minimum=sample.minimum,
        maximum=sample.maximum,
        missing=sample.missing,
        notes=sample.notes,
        rows=RowPass((answers,), (W,), (sample.unit[rows],)),
    )


def _cell(sample: Sample, number: int, n: int) -> pl.DataFrame:
    """The row of `cells` of one cell, with the number of rows at hand (a group's rows are fewer than the cell's)."""
    row = sample.cells if sample.cells.height == 1 else sample.cells[number : number + 1]
    return row if row.get_column("n").item() == n else row.with_columns(n=pl.lit(n, dtype=pl.Int64))


def side_by_side(stacks: Sequence[Moments], cells: pl.DataFrame) -> Moments:
    """The stacks of c cells as one, replicate-major; their rows and groups likewise.

    Parameters:
        stacks: c stacks of B slices. cells: c rows, their key columns and `n`.
    """
    first = stacks[0]
    if len(stacks) == 1:
        return first
    arrays: dict[str, Any] = {name: interleaved([getattr(m, name) for m in stacks]) for name in STACKED}
    parts = []
    for beside in zip(*(m.parts for m in stacks), strict=True):
        counts = pl.concat([part.cells["n"] for part in beside])
        parts.append(side_by_side(beside, cells.with_columns(n=counts)))
    return replace(first, cells=cells, rows=_passed(stacks), parts=tuple(parts), **arrays)


def _passed(stacks: Sequence[Moments]) -> RowPass | None:
    """The rows of all cells; None where one has let them go."""
    found = [m.rows for m in stacks if m.rows is not None]
    if len(found) < len(stacks):
        return None
    rows, weights, units = ([one for r in found for one in getattr(r, name)] for name in ("rows", "weights", "units"))
    return RowPass(tuple(rows), tuple(weights), tuple(units))


STACKED = ("n", "sum_w", "sum_w2", "mean", "cov")
"""The array fields of `Moments` with a leading slice axis."""


def interleaved(arrays: Sequence[Array]) -> Array:
    """C arrays of shape (B, ...) as one (B * c, ...), replicate-major."""
    joined = np.stack(arrays, axis=1)
    return joined.reshape(joined.shape[0] * joined.shape[1], *joined.shape[2:])


def cell_slices(sample: Sample) -> Iterator[slice]:
    """The contiguous rows of each cell."""
    ends = accumulate(sample.cells.get_column("n").to_list(), initial=0)
    return (slice(start, end) for start, end in pairwise(ends))


def cell_moments(rows: Array, W: Array, missing: str = "listwise") -> tuple[Array, Array, Array, Array, Array]:
    """Moments of one cell under B weightings.

    cov = (sum_i w_i z_i z_i' / sum_w - zbar zbar') n / (n - 1)

    Parameters:
        rows: (n, p) answers, NaN where absent. W: (B, n) weights. missing: as in `Sample`.

    Returns:
        n (B,), sum_w (B,), sum_w2 (B,), mean (B, p), cov (B, p, p).
    """
    known = weighed(rows, W)
    if known is not None:
        return known
    n = np.full(W.shape[0], float(rows.shape[0]))
    sum_w, sum_w2 = W.sum(axis=1), np.einsum("bn,bn->b", W, W)
    absent = np.isnan(rows)
    if absent.any():
        centre = _centre(rows, absent)
        mean, cov = em_moments(rows - centre, W) if missing == "em" else _masked(rows - centre, W, missing)
    else:
        centre = np.round(rows.sum(axis=0) / max(len(rows), 1))
        mean, cov = _complete(rows - centre, W, sum_w)
    with np.errstate(divide="ignore", invalid="ignore"):
        cov *= (n / (n - 1))[:, None, None]
    return n, sum_w, sum_w2, mean + centre, cov


def _centre(rows: Array, absent: npt.NDArray[np.bool_]) -> Array:
    """(p,) whole numbers near the means, so that sums over integer answers stay exact; 0 where nobody answered."""
    centre: Array = np.round(np.nansum(rows, axis=0) / np.maximum((~absent).sum(axis=0), 1))
    return centre


def _complete(z: Array, W: Array, sum_w: Array) -> tuple[Array, Array]:
    """Means and (divisor sum_w) covariances of complete rows."""
    p = z.shape[1]
    if len(W) == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (W @ z) / sum_w[:, None]
            whole = ((z * W[0][:, None]).T @ z) / sum_w[0]
        whole = 0.5 * (whole + whole.T)
        return mean, (whole - mean.T * mean)[None]
    upper = upper_of(p)
    sums = W @ np.concatenate([z, z[:, upper[0]] * z[:, upper[1]]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample may leave a tiny cell empty
        sums /= sum_w[:, None]
    mean, products = sums[:, :p], sums[:, p:]
    products -= mean[:, upper[0]] * mean[:, upper[1]]
    return mean, _symmetric(products, p)


def _masked(z: Array, W: Array, missing: str) -> tuple[Array, Array]:
    """Means of the answers there are; covariances pairwise, or with absent answers at the mean.

    Pairwise: r_ij from the rows that answer both, turned into a covariance with each item's own variance.
    Mean replacement: sum over the rows that answer both, divided by all rows.
    """
    p = z.shape[1]
    present = (~np.isnan(z)).astype(np.float64)
    z = np.nan_to_num(z)
    i, j = upper_of(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        both = W @ (present[:, i] * present[:, j])
        sum_i, sum_j = W @ (z[:, i] * present[:, j]), W @ (z[:, j] * present[:, i])
        product = W @ (z[:, i] * z[:, j])
        diagonal = i == j
        mean = sum_i[:, diagonal] / both[:, diagonal]
        if missing == "mean":
            cross = product - mean[:, i] * sum_j - mean[:, j] * sum_i + mean[:, i] * mean[:, j] * both
            return mean, _symmetric(cross / W.sum(axis=1)[:, None], p)
        square_i, square_j = W @ (z[:, i] ** 2 * present[:, j]), W @ (z[:, j] ** 2 * present[:, i])
        cross = product - sum_i * sum_j / both
        r = cross / np.sqrt((square_i - sum_i**2 / both) * (square_j - sum_j**2 / both))
        variance = product[:, diagonal] / both[:, diagonal] - mean**2
        sd = np.sqrt(variance)
        return mean, _symmetric(np.where(diagonal, variance[:, i], r * sd[:, i] * sd[:, j]), p)


@lru_cache(maxsize=32)
def upper_of(p: int) -> tuple[Ints, Ints]:
    """Rows and columns of the upper triangle of a p x p matrix.

    Example:
        >>> [at.tolist() for at in upper_of(2)]
        [[0, 0, 1], [0, 1, 1]]
    """
    i, j = np.triu_indices(p)
    return i, j


def _symmetric(upper: Array, p: int) -> Array:
    """(B, p, p) from its upper triangles (B, p(p+1)/2)."""
    i, j = upper_of(p)
    full = np.empty((upper.shape[0], p, p))
    full[:, i, j] = upper
    full[:, j, i] = upper
    return full
