"""Effective sizes, design degrees of freedom, and spreads of replicates behind an index.

Letters: `n` rows, `c` cells, `m` contrasts, `B` replicates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from csi.moments.stack import Array, Ints, Moments, Sample

Sparse = Any
"""A scipy.sparse matrix."""

TOGETHER = 1024
"""Contrasts whose units are counted together. Results do not depend on it."""


def kish_n(moments: Moments) -> Array:
    """(c,) effective sample size under unequal weights: `(sum d)^2 / sum d^2 = n / (1 + cv(d)^2)`.

    Source:
        Kish (1965), Survey Sampling, section 11.7.
    """
    effective: Array = moments.sum_w**2 / moments.sum_w2
    return effective


def degrees(sample: Sample, cells: Ints) -> int:
    """Design degrees of freedom of a statistic over some cells: their resampling units minus the units' strata.

    Parameters:
        cells: the cells behind the statistic.

    Returns:
        Number of distinct units with a row in any of the cells, minus the number of their strata.
    """
    units = np.unique(sample.unit[np.isin(sample.cell, cells)])
    return int(units.size - np.unique(sample.stratum[units]).size)


def cell_degrees(sample: Sample) -> Array:
    """(c,) design degrees of freedom of every cell.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> cell_degrees(sample_of(pl.DataFrame({"q": [1, 2, 4], "b": ["x", "y", "y"]}), ["q"], by=["b"])).tolist()
        [0.0, 1.0]
    """
    cells = sample.cells.height
    units, strata = (_pairs(sample, size, of) for size, of in _who(sample))
    return np.asarray(np.bincount(units, minlength=cells) - np.bincount(strata, minlength=cells), dtype=np.float64)


def contrast_degrees(sample: Sample, shares: Sparse) -> Array:
    """(m,) design degrees of freedom of contrasts: of the units with a row in any cell of a contrast, together.

    Parameters:
        shares: (m, c) sparse coefficients.
    """
    chosen = abs(sparse.csr_matrix(shares)).sign()
    found = np.zeros(chosen.shape[0])
    enter = np.zeros(sample.cells.height, dtype=bool)
    enter[chosen.indices] = True
    rows = slice(None) if enter.all() else np.flatnonzero(enter[sample.cell])
    for sign, (size, every) in zip((1.0, -1.0), _who(sample), strict=True):
        of, cell = every[rows], sample.cell[rows]
        codes, of = np.unique(of, return_inverse=True) if of.size < size else (np.arange(size), of)
        shape = (codes.size, sample.cells.height)
        seen = sparse.csc_matrix((np.ones(of.size, dtype=np.int8), (of, cell)), shape=shape)
        seen.sum_duplicates()
        seen.data[:] = 1
        if np.diff(sparse.csr_matrix(seen).indptr).max(initial=0) < 2:  # nobody in two cells: they add up
            found += sign * (chosen @ np.diff(seen.indptr))
            continue
        for start in range(0, chosen.shape[0], TOGETHER):
            counted = sparse.csc_matrix(seen.astype(np.float64) @ chosen[start : start + TOGETHER].T)
            found[start : start + TOGETHER] += sign * np.diff(counted.indptr)
    return found


def _who(sample: Sample) -> tuple[tuple[int, Ints], tuple[int, Ints]]:
    """How many units and strata there are, and those of every row."""
    of = sample.stratum[sample.unit]
    return (sample.stratum.size, sample.unit), (int(sample.stratum.max()) + 1, of)


def _pairs(sample: Sample, size: int, of: Ints) -> Ints:
    """The cell of each distinct pair of a cell and what is in it."""
    pairs = sample.cell * size + of
    return (pairs if (np.diff(pairs) > 0).all() else np.unique(pairs)) // size


def design_covariance(influence: Array, stratum: Ints) -> Array:
    """Covariance of statistics from the influence of every unit on them, with replacement within strata.

    `V_cd = sum_h n_h / (n_h - 1) (sum_u z_uc z_ud - sum_u z_uc sum_u z_ud / n_h)`; a unit of the stratum without a row
    in a cell counts as zero, because cells are domains of the sample.

    Parameters:
        influence: (u, c) dense or sparse. stratum: (u,) of each unit.

    Returns:
        (c, c).

    Source:
        Wolter (2007), 6.2; Lohr (2010), Sampling: Design and Analysis, 9.1.
    """
    codes, layer = np.unique(stratum, return_inverse=True)
    size = np.bincount(layer).astype(np.float64)
    factor = np.where(size > 1, size / np.maximum(size - 1.0, 1.0), 1.0)
    share = np.where(size > 1, factor / size, 0.0)
    within = sparse.csr_matrix(influence)
    sums = sparse.csr_matrix((np.ones(layer.size), (layer, np.arange(layer.size))), shape=(codes.size, layer.size))
    totals = sums @ within
    square = within.T @ sparse.diags(factor[layer]) @ within - totals.T @ sparse.diags(share) @ totals
    return np.asarray(square.todense(), dtype=np.float64)


def replicate_sd(replicates: Array) -> Array:
    """Standard deviation over the leading axis, of the finite replicates; NaN with fewer than two.

    Example:
        >>> replicate_sd(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()
        [1.4142135623730951, nan]
    """
    usable = np.isfinite(replicates)
    count = usable.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(usable, replicates, 0.0).sum(axis=0) / count
        square = np.where(usable, (replicates - mean) ** 2, 0.0).sum(axis=0) / (count - 1)
    sd: Array = np.where(count > 1, np.sqrt(np.abs(square)), np.nan)
    return sd
