"""The greatest lower bound to reliability: minimum trace factor analysis, solved with its dual as a certificate.

    glb = 1 - max tr D / 1'V1,   D diagonal, D >= 0, V - D positive semidefinite

The dual is a least <V, X> over positive semidefinite X with diagonal 1 or more. With X = U U' and one row of U after
the other put at its best, the dual falls to its minimum (rank above sqrt(2 k) leaves no other); at the minimum the rows
say what D is, d_j = V_jj - |sum_(l != j) V_jl u_l| / |u_j|. Any D shrunk until V - D is positive semidefinite gives a
value of 1 - tr D / 1'V1 not below the bound, any X one not above it: their distance is the certificate.

Letters: `k` items, `b` slices, `r` columns of U.

Source:
    Jackson & Agunwamba (1977), Psychometrika 42(4), 567-578; Bentler & Woodward (1980), Psychometrika 45(2), 249-267;
    ten Berge, Snijders & Zegers (1981), Psychometrika 46(2), 201-213; the search: Burer & Monteiro (2003), Mathematical
    Programming 95, 329-357.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.measures.blocks import diagonal
from csi.moments.stack import Array

SWEEPS, TOLERANCE = 20_000, 1e-12
"""At most so many rounds; settled when the dual falls by less than this share of 1'V1 in three times five of them."""
EACH = 5
"""Rounds between looks at the dual."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """The greatest lower bound of b slices.

    Attributes:
        value: (b,) from feasible error variances. floor: (b,) the dual's: the bound lies between both.
        errors: (b, k) those error variances. rows: (b, k, r) the dual's U, to start others from.
    """

    value: Array
    floor: Array
    errors: Array
    rows: Array


def greatest_lower_bound(cov: Array, start: Array | None = None, sweeps: int = SWEEPS) -> LowerBound:
    """The greatest lower bound to the reliability of a sum.

    Parameters:
        cov: (b, k, k) positive semidefinite. start: (k, r) or (b, k, r) the rows of a like matrix. sweeps: at most.

    Returns:
        A `LowerBound`; `value` is a bound whatever the number of rounds, `value - floor` how far it may be off.

    Example:
        >>> loadings = np.array([0.8, 0.7, 0.6])
        >>> one_factor = np.outer(loadings, loadings) + np.diag(1 - loadings**2)
        >>> greatest_lower_bound(one_factor[None]).value.round(6).tolist()  # 2.1^2 / 1'V1
        [0.744932]
    """
    scale = diagonal(cov).max(axis=1)
    scale = np.where(scale > 0, scale, 1.0)
    V = cov / scale[:, None, None]
    own, total = diagonal(V), V.sum(axis=(1, 2))
    off = V * (1 - np.eye(V.shape[1]))
    U = _first(V, start)
    value = np.full(len(V), np.inf)
    still = 0
    for _ in range(0, sweeps, EACH):
        for _ in range(EACH):
            _sweep(off, own, U)
        fresh = ((V @ U) * U).sum(axis=(1, 2))
        still = still + 1 if (value - fresh <= TOLERANCE * total).all() else 0
        value = fresh
        if still == 3:
            break
    errors = _feasible(V, _errors(off, own, U))
    with np.errstate(divide="ignore", invalid="ignore"):
        found, least = 1 - errors.sum(axis=1) / total, 1 - value / total
    return LowerBound(found, least, errors * scale[:, None], U)


def _first(V: Array, start: Array | None) -> Array:
    """(b, k, r) rows of length 1 to start from."""
    b, k = V.shape[:2]
    if start is not None:
        return np.array(np.broadcast_to(start, (b, *start.shape[-2:])))
    r = int(np.ceil(np.sqrt(2 * k))) + 1
    drawn = np.random.default_rng(k).standard_normal((k, r))
    return np.array(np.broadcast_to(drawn / np.linalg.norm(drawn, axis=1)[:, None], (b, k, r)))


def _sweep(off: Array, own: Array, U: Array) -> None:
    """Put every row at its best, the others held: -g / |g|, or -g / V_jj where that is longer (error variance 0)."""
    for j in range(U.shape[1]):
        g = np.matmul(off[:, j, None, :], U)[:, 0]
        length = np.sqrt((g * g).sum(axis=1))
        by = np.minimum(length, own[:, j])[:, None]
        np.divide(-g, by, out=U[:, j], where=by > 0)


def _errors(off: Array, own: Array, U: Array) -> Array:
    """(b, k) error variances that the dual's rows speak of."""
    return np.asarray(np.maximum(own - np.linalg.norm(off @ U, axis=2) / np.linalg.norm(U, axis=2), 0.0))


def _feasible(V: Array, errors: Array) -> Array:
    """(b, k) the error variances, all taken down by what makes V less them positive semidefinite."""
    away = V.copy()
    at = np.arange(V.shape[1])
    away[:, at, at] -= errors
    short = np.maximum(-np.linalg.eigvalsh(away)[:, 0], 0.0)
    return np.asarray(np.maximum(errors - short[:, None], 0.0))
