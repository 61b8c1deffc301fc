"""Logistic regressions under many weightings of the same rows at once.

Letters: `n` rows, `k` coefficients, `B` weightings.

Source:
    McCullagh & Nelder (1989), Generalized Linear Models, 4.4; Papke & Wooldridge (1996), Journal of Applied
    Econometrics 11, 619-632 (outcomes between 0 and 1).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import expit

from csi.moments.stack import Array

STEPS: Final = 40
TOLERANCE: Final = 1e-9
FAR: Final = 30.0
"""A linear predictor beyond this says that the outcome is separated and coefficients run away."""


def logits(X: Array, y: Array, weight: Array) -> Array:
    """(B, k) coefficients by Newton's method; NaN where they do not settle (an outcome that is separated).

    Parameters:
        X: (n, k) with a column of ones. y: (n,) from 0 to 1. weight: (B, n).

    Example:
        >>> X = np.column_stack([np.ones(8), np.arange(8.0)])
        >>> y = np.array([0.0, 0, 1, 0, 1, 0, 1, 1])
        >>> logits(X, y, np.ones((1, 8))).round(4).tolist()
        [[-2.0793, 0.5941]]
    """
    n, k = X.shape
    squares = (X[:, :, None] * X[:, None, :]).reshape(n, k * k)
    b = np.zeros((len(weight), k))
    settled = np.zeros(len(weight), dtype=bool)
    for _ in range(STEPS):
        mu = expit(b @ X.T)
        score = (weight * (y - mu)) @ X
        curve = ((weight * mu * (1 - mu)) @ squares).reshape(-1, k, k)
        step = _solved(curve, score)
        b = np.where(settled[:, None] | ~np.isfinite(step), b, b + np.where(np.isfinite(step), step, 0.0))
        settled |= np.abs(step).max(axis=1) < TOLERANCE
        if settled.all():
            break
    run = np.abs(b @ X.T).max(axis=1) > FAR
    return np.where((settled & ~run)[:, None], b, np.nan)


def _solved(curve: Array, score: Array) -> Array:
    """Newton's steps; NaN where the curvature is singular."""
    usable = np.isfinite(curve).all(axis=(1, 2)) & (np.linalg.cond(curve) < 1e12)
    safe = np.where(usable[:, None, None], curve, np.eye(curve.shape[-1]))
    return np.where(usable[:, None], np.linalg.solve(safe, score[:, :, None])[:, :, 0], np.nan)
