"""Correlation matrices that are not positive definite, and named ways to a near one that is.

Letters: `p` items.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from csi.moments.stack import Array

Repair = Literal["shrink", "nearest", "bend"]

FLOOR = 1e-4
"""The least eigenvalue a repaired matrix has."""


def repaired(R: Array, how: Repair, floor: float = FLOOR) -> Array:
    """A correlation matrix near R with no eigenvalue below `floor`; R itself where it has none.

    Parameters:
        R: (p, p). how: "shrink" (towards no correlation, by the least share that does), "nearest" (the least sum of
            squared changes), "bend" (eigenvalues raised to the floor, then a diagonal of 1).

    Source: Devlin, Gnanadesikan & Kettenring (1975), Biometrika 62, 531-545 (shrink); Higham (2002), IMA Journal of
        Numerical Analysis 22, 329-343 (nearest); Knol & ten Berge (1989), Psychometrika 54, 53-61 (bend).

    Example:
        >>> R = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
        >>> [bool(np.linalg.eigvalsh(repaired(R, how))[0] > 9e-5) for how in ("shrink", "nearest", "bend")]
        [True, True, True]
    """
    least = float(np.linalg.eigvalsh(R)[0])
    if least >= floor:
        return R
    if how == "shrink":
        share = (floor - least) / (1 - least)
        return np.asarray((1 - share) * R + share * np.eye(len(R)))
    return _nearest(R, floor) if how == "nearest" else _bent(R, floor)


def _raised(R: Array, floor: float) -> Array:
    """R with its eigenvalues raised to the floor."""
    values, vectors = np.linalg.eigh(R)
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)


def _bent(R: Array, floor: float) -> Array:
    raised = _raised(R, floor)
    d = np.sqrt(np.diagonal(raised))
    bent = raised / np.outer(d, d)
    least = float(np.linalg.eigvalsh(bent)[0])
    return bent if least >= floor * (1 - 1e-6) else repaired(bent, "shrink", floor)


def _nearest(R: Array, floor: float, rounds: int = 2_000) -> Array:
    """Alternating projections with Dykstra's correction; the last sliver is shrunk away."""
    Y, correction = R.copy(), np.zeros_like(R)
    for _ in range(rounds):
        X = _raised(Y - correction, floor)
        correction = X - (Y - correction)
        before, Y = Y, X.copy()
        np.fill_diagonal(Y, 1.0)
        if np.abs(Y - before).max() < 1e-10:
            break
    return Y if float(np.linalg.eigvalsh(Y)[0]) >= floor else repaired(Y, "shrink", floor)
