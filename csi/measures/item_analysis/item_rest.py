"""How an item goes with the others of its construct, and what alpha would be without it, from covariances alone.

Letters: `k` items of one construct; leading axes (...) are a stack.
"""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array


def alpha_of(cov: Array) -> Array:
    """(...,) Cronbach's alpha of the sum of k items; NaN for fewer than two items or a sum without variance.

    alpha = k / (k - 1) (1 - sum_i c_ii / sum_ij c_ij)

    Source:
        Cronbach (1951), Psychometrika 16(3), 297-334.

    Example:
        >>> alpha_of(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4)
        np.float64(0.6667)
    """
    k = cov.shape[-1]
    if k < 2:
        return np.full(cov.shape[:-2], np.nan)[()]
    total = cov.sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.trace(cov, axis1=-2, axis2=-1) / np.where(total > 0, total, np.nan)
    return np.asarray(k / (k - 1) * (1 - own))[()]


def item_rest(cov: Array) -> Array:
    """(..., k) correlation of each item with the sum of the others.

    r_i = (t_i - c_ii) / sqrt(c_ii (T - 2 t_i + c_ii)), t_i = sum_j c_ij, T = sum_ij c_ij

    Source:
        Henrysson (1963), Psychometrika 28(2), 211-218 (the correction for the item's own part of the total).

    Example:
        >>> item_rest(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()
        [0.5, 0.5]
    """
    t, own = cov.sum(axis=-1), np.diagonal(cov, axis1=-2, axis2=-1)
    rest = t.sum(axis=-1, keepdims=True) - 2 * t + own
    return _over(t - own, own * rest)


def standardised_total(cor: Array) -> Array:
    """(..., k) correlation of each item with the sum of all items standardised: sum_j r_ij / sqrt(sum_ij r_ij).

    Example:
        >>> standardised_total(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()
        [0.866, 0.866]
    """
    t = cor.sum(axis=-1)
    return _over(t, np.broadcast_to(t.sum(axis=-1, keepdims=True), t.shape))


def smc(cor: Array) -> Array:
    """(..., k) squared multiple correlation of each item with the others, 1 - 1 / (R^-1)_ii; NaN for a singular R.

    Example:
        >>> smc(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()
        [0.25, 0.25]
    """
    flat = cor.reshape(-1, *cor.shape[-2:])
    found = np.full(flat.shape[:2], np.nan)
    whole = np.flatnonzero(np.isfinite(flat).all(axis=(1, 2)))
    fine = whole[np.linalg.eigvalsh(flat[whole])[:, 0] > SINGULAR] if flat.shape[1] else whole
    found[fine] = 1 - 1 / np.diagonal(np.linalg.inv(flat[fine]), axis1=1, axis2=2)
    return found.reshape(cor.shape[:-1])


SINGULAR = 1e-10
"""Smallest eigenvalue of a correlation matrix that is inverted."""


def corrected_total(cor: Array) -> Array:
    """(..., k) item-total correlation with each item's own variance replaced by what it shares with the others.

    sum_j r*_ij / sqrt(sum_ij r*_ij), r*_ii = smc_i, else r_ij

    Example:
        >>> corrected_total(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()
        [0.6124, 0.6124]
    """
    shared = cor.copy()
    diagonal = np.arange(cor.shape[-1])
    shared[..., diagonal, diagonal] = smc(cor)
    return standardised_total(shared)


def without_each(k: int) -> np.ndarray:
    """(k, k - 1) the places of the others, for each item.

    Example:
        >>> without_each(3).tolist()
        [[1, 2], [0, 2], [0, 1]]
    """
    return np.array([[j for j in range(k) if j != i] for i in range(k)], dtype=np.int64).reshape(k, max(k - 1, 0))


def left_out(matrix: Array) -> Array:
    """(k, k - 1, k - 1) the matrix without each item in turn.

    Example:
        >>> left_out(np.array([[1.0, 2.0], [2.0, 3.0]])).tolist()
        [[[3.0]], [[1.0]]]
    """
    others = without_each(len(matrix))
    return np.asarray(matrix[others[:, :, None], others[:, None, :]])


def alpha_if_dropped(cov: Array) -> Array:
    """(k,) alpha of the others without each item; NaN where fewer than two would be left.

    Example:
        >>> alpha_if_dropped(np.full((3, 3), 0.5) + np.diag([0.5] * 3)).round(4).tolist()
        [0.6667, 0.6667, 0.6667]
    """
    return np.asarray(alpha_of(left_out(cov)))


def alpha_if_reversed(cov: Array) -> Array:
    """(k,) alpha with each item turned over in turn: its covariances change their sign.

    Example:
        >>> alpha_if_reversed(np.array([[1.0, -0.5], [-0.5, 1.0]])).round(4).tolist()
        [0.6667, 0.6667]
    """
    k = len(cov)
    sign = 1 - 2 * np.eye(k)
    return np.asarray(alpha_of(cov * sign[:, :, None] * sign[:, None, :]))


def item_total(rows: Array, weight: Array) -> Array:
    """(k,) correlation of each item with the mean of the answers a respondent gave to all k items, over its answerers.

    Parameters:
        rows: (n, k), NaN where absent. weight: (n,).

    Example:
        >>> item_total(np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0]]), np.ones(3)).round(4).tolist()
        [0.866, 0.866]
    """
    here = ~np.isnan(rows)
    count = here.sum(axis=1)
    total = np.nansum(rows, axis=1) / np.maximum(count, 1)
    w = here * weight[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        w /= w.sum(axis=0)
        x = np.where(here, rows - np.nansum(w * rows, axis=0), 0.0)
        y = total[:, None] - (w * total[:, None]).sum(axis=0)
        return _over((w * x * y).sum(axis=0), (w * x * x).sum(axis=0) * (w * y * y).sum(axis=0))


def _over(top: Array, square: Array) -> Array:
    """Top / sqrt(square); NaN where the square is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(top / np.sqrt(np.where(square > 1e-24, square, np.nan)))
