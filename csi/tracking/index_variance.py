"""The index's uncertainty: linearised with the weights held fixed, and from replicates with the weights estimated.

Letters: `n` rows, `p` items, `c` cells, `q` constructs, `B` replicates.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from csi.moments.stack import Array, Ints, Moments, Sample


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


def item_influence(sample: Sample) -> tuple[Array, Ints, Ints]:
    """Influence of each unit on each cell's item means.

    `z_uk = sum_{i in u} d_i m_ik (x_ik - xbar_ck) / sum_i d_i m_ik`, m = 1 where answered.

    Returns:
        (r, p) influence of the r pairs of unit and cell that occur, their units (r,), their cells (r,).

    Source:
        Wolter (2007), Introduction to Variance Estimation, chapter 6 (Taylor series, ratio mean).
    """
    answered = np.isfinite(sample.rows)
    weight = sample.weight[:, None] * answered
    total = _by(sample.cell, weight, sample.cells.height)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _by(sample.cell, weight * np.nan_to_num(sample.rows), sample.cells.height) / total
        row = weight * (np.nan_to_num(sample.rows) - mean[sample.cell]) / total[sample.cell]
    units = sample.stratum.size
    pair, place = np.unique(sample.cell * units + sample.unit, return_inverse=True)
    return _by(place, row, pair.size), pair % units, pair // units


def _by(group: Ints, values: Array, groups: int) -> Array:
    """(groups, p) sums of the columns of `values` within groups."""
    return np.stack([np.bincount(group, column, groups) for column in values.T], axis=1)


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


def fixed_covariance(sample: Sample, gradient: Array, block: Ints, constructs: int) -> Array:
    """Design-based covariance of the cells' indices with the weights held fixed.

    `design_covariance` of `z_uc = sum_k g_ck z_uk`; cells share the units that answered in both.

    Parameters:
        sample: rows whose columns are the items of `block`. gradient: (c, p) change of the index per unit of an item's
            mean, `100 a_ck / (u_k - l_k)`. block: (p,) construct of each item. constructs: q.

    Returns:
        (q, c, c) covariances, NaN for cells with fewer than two units or without weights.
    """
    influence, unit, cell = item_influence(sample)
    shape = (sample.stratum.size, sample.cells.height)
    covariance = np.empty((constructs, shape[1], shape[1]))
    lonely = np.bincount(cell, minlength=shape[1]) < 2
    for j in range(constructs):
        mine = block == j
        z = (influence[:, mine] * gradient[cell][:, mine]).sum(axis=1)
        matrix = sparse.csr_matrix((np.nan_to_num(z), (unit, cell)), shape=shape)
        covariance[j] = design_covariance(matrix, sample.stratum)
        absent = lonely | ~np.isfinite(gradient[:, mine]).all(axis=1) | (not mine.any())
        covariance[j][absent | absent[:, None]] = np.nan
    return covariance


def fixed_covariance_of_moments(moments: Moments, gradient: Array, block: Ints, constructs: int) -> Array:
    """The same from moments alone: independent cells, simple random sampling with unequal weights (Kish).

    `V_cc = g' S g / n_effective`.

    Returns:
        (q, c, c), diagonal in the cells.
    """
    n = kish_n(moments)
    covariance = np.zeros((constructs, n.size, n.size))
    cells = np.arange(n.size)
    for j in range(constructs):
        mine = np.flatnonzero(block == j)
        g = gradient[:, mine]
        s = moments.cov[:, mine[:, None], mine]
        covariance[j, cells, cells] = np.einsum("ck,ckl,cl->c", g, s, g) / n if mine.size else np.nan
    return covariance


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
