"""From arrays to tidy frames, and from replicates to intervals; shared by the measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from csi.estimate.estimate import Estimate, Solution
from csi.moments.stack import Array, Moments

Measure = Callable[[Moments, Solution], Array]
"""A measure on a stack: moments and solution with m slices in, (m, ...) out."""


def tidy(
    cells: pl.DataFrame,
    labels: pl.DataFrame,
    numbers: Mapping[str, Array],
    texts: Mapping[str, Sequence[str | None]] | None = None,
) -> pl.DataFrame:
    """One row per cell and label: the cell's key columns, the labels, the numbers (null where not finite), the texts.

    Parameters:
        cells: b rows with key columns and `n`. labels: m rows naming what each number is.
        numbers: name -> (b, m). texts: name -> b * m strings or None, cell by cell.

    Example:
        >>> cells = pl.DataFrame({"brand": ["A"], "n": [250]})
        >>> print(tidy(cells, pl.DataFrame({"construct": ["trust"]}), {"ave": np.array([[np.nan]])}).rows())
        [('A', 'trust', None)]
    """
    b, m = cells.height, labels.height
    keys = cells.select(pl.exclude("n"))
    parts = []
    if keys.width:
        rows = np.repeat(np.arange(b), m)
        parts.append(keys[rows])
    parts.append(pl.concat([labels] * b) if m else labels)
    parts.append(pl.DataFrame({name: _finite(array) for name, array in numbers.items()}))
    if texts:
        parts.append(pl.DataFrame({name: pl.Series(list(t), dtype=pl.String) for name, t in texts.items()}))
    return pl.concat([p for p in parts if p.width], how="horizontal")


def _finite(array: Array) -> pl.Series:
    flat = np.ascontiguousarray(array, dtype=np.float64).reshape(-1)
    return pl.Series(flat, dtype=pl.Float64).set(pl.Series(~np.isfinite(flat)), None)


def cells_of(est: Estimate) -> pl.DataFrame:
    """The cells of an estimate, one row per slice even when it has no key columns."""
    cells = est.moments.cells
    if cells.height == len(est.moments.n):
        return cells
    return pl.DataFrame({"n": est.moments.n})


def replicated(est: Estimate, measure: Measure) -> Array | None:
    """`measure` on every replicate of an estimate: (B, b, ...), NaN where one is unusable; None without replicates."""
    if est.replicates is None:
        return None
    values = np.array(est.replicates.over(measure), dtype=np.float64)
    values[~est.replicates.usable] = np.nan
    return values


def interval(values: Array | None, level: float) -> tuple[Array, Array] | None:
    """Percentile interval of (B, ...) replicates, NaN left out.

    Source:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 13.

    Example:
        >>> [x.round(6).tolist() for x in interval(np.arange(101.0)[:, None], 0.90)]
        [[5.0], [95.0]]
    """
    if values is None:
        return None
    tail = (1 - level) / 2
    low, high = quantiles(values, (tail, 1 - tail))
    return low, high


def quantiles(values: Array, at: Sequence[float]) -> Array:
    """Quantiles over the leading axis, (len(at), ...); NaN left out; NaN where fewer than two values are finite."""
    finite = np.isfinite(values)
    if finite.all():
        return np.asarray(np.quantile(values, at, axis=0), dtype=np.float64)
    enough = finite.sum(axis=0) >= 2
    filled = np.where(finite, values, np.nan)
    filled = np.where(enough, filled, 0.0)
    out = np.asarray(np.nanquantile(filled, at, axis=0), dtype=np.float64)
    return np.where(enough, out, np.nan)
