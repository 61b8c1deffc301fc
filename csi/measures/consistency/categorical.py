"""Reliability of the sum of ordinal answers themselves, from a factor of the responses behind them.

    omega = sum_jl C_jl(l_j l_l) / sum_jl C_jl(r_jl),
    C_jl(r) = sum_ab s_ja s_lb (Phi2(t_ja, t_lb; r) - Phi(t_ja) Phi(t_lb))

t are thresholds, s the steps between the values of neighbouring categories, l the loadings, r the correlations of the
responses; on the diagonal of the denominator stand the variances of the items. Its slopes are exact: dPhi2/dr is the
bivariate density, and minimum residual loadings move with the correlations by their own Hessian.

Letters: `k` items, `a` thresholds of an item, `t` pairs (j, i) with j <= i.

Source:
    Green & Yang (2009), Psychometrika 74(1), 155-167, eq. 21; Yang & Green (2015), Methodology 11(1), 23-34.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from csi.moments.bivariate_normal import FAR, corners, density
from csi.moments.stack import Array, Ints

NEAR = 1 - 1e-9
"""Correlations are kept this side of 1."""


@dataclass(frozen=True, slots=True)
class Categorical:
    """Green and Yang's reliability with its slopes.

    Attributes:
        value: of the sum. by_cuts: (k, a) by thresholds. by_common: (k, k) by each product l_j l_l, the lower triangle
            0. by_cor: (k, k) by each correlation of the denominator, above the diagonal.
    """

    value: float
    by_cuts: Array
    by_common: Array
    by_cor: Array


def categorical_omega(cuts: Array, steps: Array, common: Array, cor: Array) -> Categorical:
    """Reliability of the sum of ordinal items.

    Parameters:
        cuts: (k, a) thresholds, spare ones at `FAR`. steps: (k, a) differences of the values beside each, 0 for spares.
        common: (k, k) covariances of the responses that the factors make (l l' of one factor). cor: (k, k) correlations
            of the responses, as observed or as implied.

    Example:
        >>> common = np.outer([0.8, 0.7, 0.6], [0.8, 0.7, 0.6])
        >>> cor = common + np.diag(1 - np.diag(common))
        >>> round(categorical_omega(np.zeros((3, 1)), np.ones((3, 1)), common, cor).value, 4)
        0.5962
    """
    k = len(cuts)
    j, i = np.triu_indices(k)
    double = np.where(j == i, 1.0, 2.0)
    h, m = cuts[j], cuts[i]
    step = steps[j][:, :, None] * steps[i][:, None, :]
    plain = ndtr(h)[:, :, None] * ndtr(m)[:, None, :]
    shared, whole = np.clip(common[j, i], -NEAR, NEAR), np.clip(np.where(j == i, 0.0, cor[j, i]), -NEAR, NEAR)
    top = double * (step * (corners(h, m, shared) - plain)).sum(axis=(1, 2))
    least = ndtr(np.minimum(h[:, :, None], m[:, None, :]))
    joint = np.where((j == i)[:, None, None], least, corners(h, m, whole))
    bottom = double * (step * (joint - plain)).sum(axis=(1, 2))
    total = bottom.sum()
    value = top.sum() / total
    by_common, by_cor = np.zeros((k, k)), np.zeros((k, k))
    by_common[j, i] = double * (step * density(h, m, shared)).sum(axis=(1, 2)) / total
    slope = double * (step * density(h, m, whole)).sum(axis=(1, 2))
    by_cor[j, i] = np.where(j == i, 0.0, -value / total * slope)
    on_top = _by_cuts(cuts, steps, _square(shared, j, i, k))
    on_bottom = _by_cuts(cuts, steps, _square(np.where(j == i, np.nan, whole), j, i, k))
    return Categorical(float(value), (on_top - value * on_bottom) / total, by_common, by_cor)


def _square(values: Array, j: Ints, i: Ints, k: int) -> Array:
    """(k, k) symmetric from its upper triangle."""
    full = np.empty((k, k))
    full[j, i] = full[i, j] = values
    return full


def _by_cuts(cuts: Array, steps: Array, cor: Array) -> Array:
    """(k, a) slopes of sum_jl C_jl by thresholds; a diagonal of NaN stands for the items' own variances.

    d/dt_ja sum = 2 s_ja phi(t_ja) sum_l sum_b s_lb (Phi((t_lb - r t_ja) / sqrt(1 - r^2)) - Phi(t_lb)); of a variance
    the first Phi is the indicator t_jb > t_ja, and 1/2 at b = a.
    """
    k, size = cuts.shape
    own = np.isnan(np.diag(cor))
    r = np.nan_to_num(cor)[:, :, None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        given = ndtr((cuts[None, :, None, :] - r * cuts[:, None, :, None]) / np.sqrt((1 - r) * (1 + r)))
    above = 0.5 * (np.sign(cuts[:, None, :] - cuts[:, :, None]) + 1)
    given[np.arange(k)[own], np.arange(k)[own]] = above[own]
    inner = ((given - ndtr(cuts)[None, :, None, :]) * steps[None, :, None, :]).sum(axis=(1, 3))
    slope = np.exp(-0.5 * cuts**2) / np.sqrt(2 * np.pi) * (np.abs(cuts) < FAR)
    return np.asarray(2 * steps * slope * inner).reshape(k, size)
