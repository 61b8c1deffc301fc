"""One factor behind a stack of correlation matrices at once, by least squares of the off-diagonal (minres).

Letters: `b` matrices, `k` items.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array

STEPS = 60
"""Most steps of the search."""

SETTLED = 1e-10
"""Largest slope of a settled search."""

Flags = npt.NDArray[np.bool_]


def one_factor(cor: Array) -> tuple[Array, Flags]:
    """Loadings that minimise sum over i < j of (r_ij - l_i l_j)^2: Newton's steps, damped where they would climb.

    Parameters:
        cor: (b, k, k) correlations; matrices with an absent entry or fewer than three items have no solution.

    Returns:
        loadings (b, k), of positive sum; whether each search settled (b,).

    Source:
        Harman & Jones (1966), Psychometrika 31(3), 351-368.

    Example:
        >>> l = np.array([0.8, 0.6, 0.5, 0.7])
        >>> R = np.outer(l, l) + np.diag(1 - l**2)
        >>> found, settled = one_factor(R[None])
        >>> found.round(6).tolist(), settled.tolist()
        ([[0.8, 0.6, 0.5, 0.7]], [True])
    """
    b, k = cor.shape[:2]
    loading, settled = np.full((b, k), np.nan), np.zeros(b, dtype=np.bool_)
    use = np.isfinite(cor).all(axis=(1, 2)) & (k > 2)
    if use.any():
        loading[use], settled[use] = _search(cor[use])
    return loading, settled


def _search(cor: Array) -> tuple[Array, Flags]:
    """Damped Newton from the first principal axis of the correlations with their largest ones in the diagonal."""
    off = cor * (1 - np.eye(cor.shape[1]))
    loading = _start(off)
    damping = np.zeros(len(cor))
    value = _misfit(off, loading)
    for _ in range(STEPS):
        slope, curve = _slopes(off, loading)
        open_ = np.abs(slope).max(axis=1) > SETTLED
        if not open_.any():
            break
        curve = curve + (damping[:, None, None] + _lift(curve)[:, None, None]) * np.eye(cor.shape[1])
        step = np.linalg.solve(curve, slope[..., None])[..., 0]
        tried = loading - step
        found = _misfit(off, tried)
        better = found <= value * (1 + 1e-14)
        loading = np.where((better & open_)[:, None], tried, loading)
        value = np.where(better, found, value)
        damping = np.where(better, damping * 0.1, np.maximum(damping * 10, 1e-2))
        damping = np.where(damping < 1e-8, 0.0, damping)
    slope, _ = _slopes(off, loading)
    settled = np.abs(slope).max(axis=1) <= 100 * SETTLED
    sign = np.where(loading.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    return loading * sign, np.asarray(settled)


def _start(off: Array) -> Array:
    k = off.shape[1]
    values, vectors = np.linalg.eigh(off + np.abs(off).max(axis=2)[:, :, None] * np.eye(k))
    return np.asarray(vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1:], 1e-6)))


def _misfit(off: Array, loading: Array) -> Array:
    e = off - loading[:, :, None] * loading[:, None, :]
    return np.asarray((e * e).sum(axis=(1, 2)) - (loading**4).sum(axis=1))


def _slopes(off: Array, loading: Array) -> tuple[Array, Array]:
    """First and second derivatives of half the misfit, halved."""
    square = loading**2
    total = square.sum(axis=1, keepdims=True)
    slope = loading * (total - square) - (off @ loading[..., None])[..., 0]
    curve = 2 * loading[:, :, None] * loading[:, None, :] - off
    at = np.arange(off.shape[1])
    curve[:, at, at] = total - square
    return slope, curve


def _lift(curve: Array) -> Array:
    """What makes each curvature matrix positive definite."""
    least = np.linalg.eigvalsh(curve)[:, 0]
    return np.where(least > 1e-8, 0.0, 1e-3 - np.minimum(least, 0.0))


def omega_of(loading: Array, sd: Array) -> Array:
    """(...,) omega of the sum of items under one factor, over the variance that the factor implies.

    (sum_i s_i l_i)^2 / ((sum_i s_i l_i)^2 + sum_i s_i^2 (1 - l_i^2)); NaN where some |l_i| exceeds 1

    Parameters:
        loading: (..., k) of standardised items. sd: (..., k) standard deviations.

    Source:
        McDonald (1999), Test theory: a unified treatment, 6.

    Example:
        >>> omega_of(np.array([0.7, 0.7, 0.7]), np.ones(3)).round(4)
        np.float64(0.7424)
    """
    common = (sd * loading).sum(axis=-1) ** 2
    unique = (sd**2 * (1 - loading**2)).sum(axis=-1)
    proper = (np.abs(loading) <= 1).all(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(proper, common / (common + unique), np.nan))[()]


def residual_correlations(cor: Array, loading: Array) -> Array:
    """(b, k, k) correlations of what is left of items when the score of their one factor is taken out (linear Q3).

    E = (I - l b') R (I - b l'), b = V^-1 l / (1 + l' V^-1 l), V = diag(1 - l^2), scaled to correlations; NaN where
    some |l_i| is not below 1

    Parameters:
        cor: (b, k, k). loading: (b, k).

    Source:
        Yen (1984), Applied Psychological Measurement 8(2), 125-145.

    Example:
        >>> R = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
        >>> residual_correlations(R[None], np.full((1, 4), 0.5**0.5))[0, 0].round(4).tolist()
        [1.0, -0.25, -0.25, -0.25]
    """
    k = cor.shape[1]
    proper = np.abs(loading).max(axis=1) < 1
    own = np.where(np.expand_dims(proper, 1), 1 - loading**2, np.nan)
    weight = loading / own
    weight = weight / (1 + (loading * weight).sum(axis=1, keepdims=True))
    left = np.eye(k) - loading[:, :, None] * weight[:, None, :]
    residual = left @ cor @ left.transpose(0, 2, 1)
    sd = np.sqrt(np.diagonal(residual, axis1=1, axis2=2))
    return np.asarray(residual / (sd[:, :, None] * sd[:, None, :]))


def about_their_mean(q3: Array) -> Array:
    """(b, k, k) Q3 less the mean of its k (k - 1) / 2 pairs, which is negative when nothing is dependent.

    Source:
        Christensen, Makransky & Horton (2017), Applied Psychological Measurement 41(3), 178-194.

    Example:
        >>> q3 = np.array([[[1.0, 0.1, -0.2], [0.1, 1.0, -0.2], [-0.2, -0.2, 1.0]]])
        >>> about_their_mean(q3)[0, 0].round(4).tolist()
        [1.1, 0.2, -0.1]
    """
    i, j = np.triu_indices(q3.shape[1], 1)
    return np.asarray(q3 - q3[:, i, j].mean(axis=1)[:, None, None])
