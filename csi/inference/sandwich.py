"""Least squares with a covariance that follows the design and allows for leverage.

Letters: `n` rows, `k` columns, `u` units.

Source:
    MacKinnon & White (1985), J. of Econometrics 29, 305-325; Bell & McCaffrey (2002), Survey Methodology 28(2).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from csi.moments.stack import Array, Ints

ALONE: Final = 1e-9
"""1 - leverage below which a unit alone determines a coefficient."""


def robust_slopes(
    X: Array, y: Array, weight: Array, unit: Ints, stratum: Ints | None = None
) -> tuple[Array, Array, float]:
    """Weighted least squares with a robust covariance that allows for leverage.

    V = A sum_g z_g z_g' A,  A = (X'WX)^-1,  z_g = (I - S_g A)^-1 X_g'W_g e_g,  S_g = X_g'W_g X_g

    z_g is the score of a unit with its residuals multiplied by (I - H_gg)^-1: HC3 for units of one row,
    CR3 for larger ones. With several strata the z_g are centred within strata, with u_h / (u_h - 1).

    Parameters:
        X: (n, k) with a column of ones. y, weight: (n,). unit: (n,) rows with one unit are summed. stratum: (units,) of
            each unit; None takes one.

    Returns:
        slopes (k,), covariance (k, k), and degrees of freedom (n - k where every row is a unit in one stratum, else
        units less strata).

    Source:
        MacKinnon & White (1985), J. of Econometrics 29; Bell & McCaffrey (2002), Survey Methodology 28(2), 169-181.

    Example:
        >>> X = np.column_stack([np.ones(5), [1.0, 2, 3, 4, 6]])
        >>> b, V, df = robust_slopes(X, np.array([1.0, 2, 2, 4, 5]), np.ones(5), np.arange(5))
        >>> b.round(4).tolist(), float(np.sqrt(V[1, 1]).round(4)), df
        ([0.1622, 0.8243], 0.0885, 3.0)
    """
    n, k = X.shape
    A: Array = np.asarray(np.linalg.inv((X * weight[:, None]).T @ X), dtype=np.float64)
    b = A @ (X.T @ (weight * y))
    scores = X * (weight * (y - X @ b))[:, None]
    codes, own = np.unique(unit, return_inverse=True)
    layers, of = np.unique(np.zeros(codes.size) if stratum is None else stratum[codes], return_inverse=True)
    if codes.size == n:
        h = weight * np.einsum("ij,jk,ik->i", X, A, X)
        sums = scores[np.argsort(own)] / np.maximum(1 - h, ALONE)[np.argsort(own), None]
    else:
        sums = _leveraged(X, weight, A, scores, own)
    if layers.size > 1:
        sums = _centred(sums, of)
    df = n - k if codes.size == n and layers.size == 1 else codes.size - layers.size
    return b, A @ (sums.T @ sums) @ A, float(df)


def _leveraged(X: Array, weight: Array, A: Array, scores: Array, own: Ints) -> Array:
    """(units, k) sums of scores over units, corrected for the units' leverage; what one unit alone determines is 0."""
    k, units = X.shape[1], int(own.max()) + 1
    sums, S = np.zeros((units, k)), np.zeros((units, k, k))
    np.add.at(sums, own, scores)
    np.add.at(S, own, X[:, :, None] * (weight[:, None] * X)[:, None, :])
    # with A = C C', (I - S A)^-1 = C'^-1 (I - C'S C)^-1 C', and C'S C is symmetric with values in [0, 1]
    C = np.linalg.cholesky(A)
    values, vectors = np.linalg.eigh(C.T @ S @ C)
    keep = np.where(1 - values > ALONE, 1 / np.maximum(1 - values, ALONE), 0.0)
    turned = np.einsum("gji,gj->gi", vectors, sums @ C) * keep
    return np.linalg.solve(C.T, np.einsum("gij,gj->ig", vectors, turned)).T


def _centred(sums: Array, of: Ints) -> Array:
    """Scores of units less their stratum's mean, times the root of u / (u - 1); a single unit stays as it is."""
    u = np.bincount(of)
    centre = np.zeros((u.size, sums.shape[1]))
    np.add.at(centre, of, sums)
    away = sums - np.where(u > 1, 1 / u, 0.0)[of, None] * centre[of]
    return away * np.sqrt(np.where(u > 1, u / np.maximum(u - 1, 1), 1.0))[of, None]
