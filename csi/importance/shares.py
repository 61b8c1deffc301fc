"""How much of what is explained each of several correlated predictors accounts for (Johnson's relative weights).

Letters: `k` predictors, `B` replicates, `...` any leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array

SINGULAR = 1e-8
"""An eigenvalue of the predictors' correlations below this makes their weights meaningless."""


@dataclass(frozen=True, slots=True)
class Regression:
    """One outcome on k predictors, from moments; every array has the same leading axes.

    Attributes:
        slopes, betas: (..., k) unstandardised, standardised. weights: (..., k) relative weights, which sum to r2.
        r2: (...). vif: (..., k). eigenvalues: (..., k) of the predictors' correlations, ascending.
    """

    slopes: Array
    betas: Array
    weights: Array
    r2: Array
    vif: Array
    eigenvalues: Array


def regression(cov: Array) -> Regression:
    """Slopes, standardised slopes and relative weights of the first variable on the others.

    Parameters:
        cov: (..., k + 1, k + 1), the outcome first.

    Returns:
        A `Regression`; NaN where predictors are collinear or something does not vary.

    Example:
        >>> found = regression(np.array([[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
        >>> found.slopes.round(9).tolist(), found.weights.round(9).tolist(), found.r2.round(9).tolist()
        ([1.0, 0.0], [0.25, 0.0], 0.25)
    """
    sd = np.sqrt(np.maximum(np.diagonal(cov, axis1=-2, axis2=-1), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        cor = cov / (sd[..., :, None] * sd[..., None, :])
    known = np.isfinite(cor).all(axis=(-2, -1))
    k = cov.shape[-1] - 1
    safe = np.where(known[..., None, None], cor, np.eye(k + 1))
    R, r = safe[..., 1:, 1:], safe[..., 1:, 0]
    values, vectors = np.linalg.eigh(R)
    usable = known & (values[..., 0] > SINGULAR)
    kept = np.where(usable[..., None], values, 1.0)
    inverse = (vectors / kept[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    betas = (inverse @ r[..., None])[..., 0]
    weights = _johnson(kept, vectors, r)
    blank = np.where(usable, 1.0, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = betas * sd[..., :1] / sd[..., 1:]
    return Regression(
        slopes=slopes * blank[..., None],
        betas=betas * blank[..., None],
        weights=weights * blank[..., None],
        r2=(betas * r).sum(axis=-1) * blank,
        vif=np.diagonal(inverse, axis1=-2, axis2=-1) * blank[..., None],
        eigenvalues=values,
    )


def johnson(R: Array, r: Array) -> Array:
    """Relative weights: (L o L)(b o b) with L = R^(1/2) and b = L^-1 r; they sum to R2.

    Parameters:
        R: (..., k, k) correlations of the predictors. r: (..., k) with the outcome.

    Returns:
        (..., k), none below 0.

    Source:
        Johnson (2000), Multivariate Behavioral Research 35(1), 1-19.

    Example:
        >>> johnson(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([0.6, 0.3])).round(6).tolist()
        [0.315, 0.045]
    """
    values, vectors = np.linalg.eigh(R)
    return _johnson(values, vectors, r)


def _johnson(values: Array, vectors: Array, r: Array) -> Array:
    """The weights from the eigenvalues and eigenvectors of R."""
    turned = np.swapaxes(vectors, -1, -2)
    root = (vectors * np.sqrt(values)[..., None, :]) @ turned
    inverse = (vectors / np.sqrt(values)[..., None, :]) @ turned
    b = (inverse @ r[..., None])[..., 0]
    return np.asarray(((root**2) @ (b**2)[..., None])[..., 0])


def covariances(Z: Array, weight: Array) -> Array:
    """(B, m, m) weighted covariances (divisor: sum of weights) of columns under B weightings of rows.

    Parameters:
        Z: (n, m) without NaN. weight: (B, n).

    Example:
        >>> covariances(np.array([[0.0], [2.0]]), np.array([[1.0, 1.0], [2.0, 0.0]])).ravel().tolist()
        [1.0, 0.0]
    """
    n, m = Z.shape
    centred = Z - Z.mean(axis=0)
    i, j = np.triu_indices(m)
    sums = weight @ np.concatenate([np.ones((n, 1)), centred, centred[:, i] * centred[:, j]], axis=1)
    mean, square = sums[:, 1 : m + 1] / sums[:, :1], sums[:, m + 1 :] / sums[:, :1]
    out = np.empty((len(weight), m, m))
    out[:, i, j] = square - mean[:, i] * mean[:, j]
    out[:, j, i] = out[:, i, j]
    return out
