"""How well regressions foresee those whom they have not seen: leave-one-out R2, and differences of it.

Letters: `n` rows, `k` columns (the first is 1), `u` units.

    R2_loo = 1 - sum_i w_i (y_i - x_i'b_(i))^2 / sum_i w_i (y_i - m_(i))^2,   b_(i), m_(i) without the unit of row i

The difference of two regressions of one outcome, nested or not, is a ratio of sums over rows, so its error follows from
what each row adds (the infinitesimal jackknife); slopes add nothing to first order, as each is at its own minimum.

Source:
    Allen (1974), Technometrics 16, 125-127 (PRESS); Vuong (1989), Econometrica 57 (non-nested models).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from csi.expectation.regression import judged
from csi.inference.linearised import between
from csi.moments.stack import Array, Ints

EVEN: Final = 1e-12
"""Squared errors closer than this share of the outcome's are the same; so are columns with such eigenvalues."""


def unseen(X: Array, y: Array, weight: Array, unit: Ints) -> Array:
    """(n,) errors of each row by the regression of the other units.

    Parameters:
        X: (n, k). y, weight: (n,). unit: (n,) rows of one unit leave together.

    Returns:
        NaN where the others cannot tell the columns apart.

    Example:
        >>> X = np.column_stack([np.ones(4), [0.0, 1, 2, 3]])
        >>> unseen(X, np.array([0.0, 1, 2, 5]), np.ones(4), np.arange(4)).round(6).tolist()
        [1.333333, -0.285714, -1.142857, 2.0]
    """
    codes, own = np.unique(unit, return_inverse=True)
    k = X.shape[1]
    cross, right = np.zeros((codes.size, k, k)), np.zeros((codes.size, k))
    np.add.at(cross, own, X[:, :, None] * (weight[:, None] * X)[:, None, :])
    np.add.at(right, own, X * (weight * y)[:, None])
    A, b = cross.sum(axis=0) - cross, right.sum(axis=0) - right
    size = np.sqrt(np.einsum("uii->ui", A))
    size = np.where(size > 0, size, 1.0)
    scaled = A / (size[:, :, None] * size[:, None, :])
    values = np.linalg.eigvalsh(scaled)
    able = values[:, 0] > EVEN * values[:, -1]
    slopes = np.full((codes.size, k), np.nan)
    slopes[able] = np.linalg.solve(scaled[able], (b / size)[able][:, :, None])[:, :, 0] / size[able]
    return np.asarray(y - np.einsum("ik,ik->i", X, slopes[own]))


def regressed(X: Array, y: Array, weight: Array) -> Array:
    """(k,) slopes of a weighted regression; NaN where its columns cannot be told apart.

    Example:
        >>> regressed(np.ones((2, 2)), np.array([0.0, 1.0]), np.ones(2)).tolist()
        [nan, nan]
    """
    root = np.sqrt(weight)
    slopes, _, rank, _ = np.linalg.lstsq(X * root[:, None], y * root, rcond=None)
    return np.asarray(slopes) if rank == X.shape[1] else np.full(X.shape[1], np.nan)


def explained(X: Array, y: Array, weight: Array) -> float:
    """R2 of a weighted regression; NaN where its columns cannot be told apart.

    Example:
        >>> round(explained(np.column_stack([np.ones(3), [0.0, 1, 2]]), np.array([0.0, 2, 1]), np.ones(3)), 9)
        0.25
    """
    slopes = regressed(X, y, weight)
    centre = weight @ y / weight.sum()
    whole = float(weight @ (y - centre) ** 2)
    return 1 - float(weight @ (y - X @ slopes) ** 2) / whole if whole > 0 else float("nan")


def foreseen(errors: Array, alone: Array, weight: Array) -> float:
    """R2_loo.

    Parameters:
        errors: (n,) of the regression. alone: (n,) of the mean of the others. weight: (n,).

    Example:
        >>> foreseen(np.array([1.0, 1.0]), np.array([2.0, 2.0]), np.ones(2))
        0.75
    """
    return float(1 - weight @ errors**2 / (weight @ alone**2))


def difference(
    first: Array, second: Array, alone: Array, weight: Array, unit: Ints, stratum: Ints, level: float
) -> dict[str, float]:
    """R2_loo of the second regression less that of the first, with its error by the design.

    Parameters:
        first, second, alone: (n,) errors of unseen rows. weight, unit: (n,). stratum: (units,). level: of the interval.

    Returns:
        estimate, std_error, statistic, df, p_value, conf_low, conf_high; NaN errors where both foresee alike.

    Example:
        >>> e = np.array([[2.0, -1, 2, -1], [1.0, -1, 1, -2], [3.0, -3, 3, -3]])
        >>> found = difference(*e, np.ones(4), np.arange(4), np.zeros(4, dtype=np.int64), 0.95)
        >>> round(found["estimate"], 4), round(found["std_error"], 4)
        (0.0833, 0.1596)
    """
    gain, whole = first**2 - second**2, alone**2
    total = weight @ whole
    value = float(weight @ gain / total)
    z = weight * (gain - value * whole) / total
    variance, df = between(z[:, None], np.ones((len(z), 1), dtype=bool), unit, stratum)
    even = np.abs(gain).max() <= EVEN * whole.max()
    error = np.where((df > 0) & (not even), np.sqrt(variance), np.nan)
    told = judged(np.array([value]), error, df.astype(np.float64), level)
    return {name: float(v[0]) for name, v in told.items()}
