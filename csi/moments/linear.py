"""Small symmetric systems solved for a whole stack at once, by elimination over the stack's leading axis.

LAPACK is called once per matrix and spends its time on the call; for the few predictors of a construct it is many
times faster to run the elimination itself on vectors as long as the stack, or to have it compiled (`compiled.py`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.moments import compiled
from csi.moments.stack import Array

PIVOT = 1e-10
"""A relative pivot below this marks the system as singular; its solution is NaN."""


def solve(A: Array, Y: Array, *, definite: bool = True) -> Array:
    """X with A X = Y for every slice; NaN where A is (numerically) singular.

    Parameters:
        A: (b, k, k) symmetric, positive definite unless `definite` is False. Y: (b, k, m).
        definite: whether a negative pivot counts as singular.

    Returns:
        (b, k, m).

    Example:
        >>> solve(np.array([[[2.0, 0.0], [0.0, 4.0]]]), np.array([[[2.0], [2.0]]]))[0, :, 0].tolist()
        [1.0, 0.5]
    """
    fast = compiled.solved(A, Y, definite=definite)
    if fast is not None:
        return fast
    k = A.shape[1]
    a, x = A.transpose(1, 2, 0).copy(), Y.transpose(1, 2, 0).copy()
    scale = np.abs(a[np.arange(k), np.arange(k)])
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(k):
            size = a[i, i] if definite else np.abs(a[i, i])
            pivot = np.where(size > PIVOT * scale[i], a[i, i], np.nan)
            for j in range(i + 1, k):
                factor = a[j, i] / pivot
                a[j, i + 1 :] -= factor * a[i, i + 1 :]
                x[j] -= factor * x[i]
            a[i, i] = pivot
        for i in range(k - 1, -1, -1):
            for j in range(i + 1, k):
                x[i] -= a[i, j] * x[j]
            x[i] /= a[i, i]
    return x.transpose(2, 0, 1)


def inverse(A: Array) -> Array:
    """The inverse of every slice of A (b, k, k); NaN where singular."""
    return solve(A, np.broadcast_to(np.eye(A.shape[1]), A.shape))


def is_definite(A: Array) -> npt.NDArray[np.bool_]:
    """Whether every slice of A (b, k, k) is positive definite, by the pivots of its elimination; False where NaN.

    Example:
        >>> is_definite(np.array([[[1.0, 0.5], [0.5, 1.0]], [[1.0, 1.5], [1.5, 1.0]]])).tolist()
        [True, False]
    """
    fast = compiled.are_definite(A)
    if fast is not None:
        return fast
    a = A.transpose(1, 2, 0).copy()
    good = np.ones(A.shape[0], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(A.shape[1]):
            good &= a[i, i] > 0
            for j in range(i + 1, A.shape[1]):
                a[j, i + 1 :] -= a[j, i] / a[i, i] * a[i, i + 1 :]
    return good
