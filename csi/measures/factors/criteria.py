"""What rotations make least: the value and the slope of each criterion for a stack of loading matrices.

Letters: `s` matrices, `p` items, `m` factors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from csi.moments.stack import Array

Criterion = Callable[[Array], tuple[Array, Array]]
"""Loadings (s, p, m) to values (s,) and slopes (s, p, m)."""

EPSILON = 0.01
"""What geomin adds to every squared loading."""


def oblimin(L: Array, gamma: float = 0.0) -> tuple[Array, Array]:
    """Direct oblimin: covariances of squared loadings between factors; quartimin at gamma 0.

    f = sum_(j != k) sum_i l_ij^2 (l_ik^2 - gamma mean_i l_ik^2) / 4

    Parameters:
        L: (s, p, m). gamma: 0 is the custom; more lets factors correlate more, and above 0 it may have no minimum.

    Source: Jennrich & Sampson (1966), Psychometrika 31, 313-323.

    Example:
        >>> [a.tolist() for a in oblimin(np.array([[[1.0, 1.0], [1.0, 0.0]]]))]
        [[0.5], [[[1.0, 1.0], [0.0, 0.0]]]]
    """
    squares = L * L
    others = squares.sum(axis=2, keepdims=True) - squares
    if gamma:
        others = others - gamma * others.mean(axis=1, keepdims=True)
    slope = L * others
    return (L * slope).sum(axis=(1, 2)) / 4, slope


def geomin(L: Array, epsilon: float = EPSILON) -> tuple[Array, Array]:
    """Geomin: geometric means of the squared loadings of each item.

    f = sum_i prod_j (l_ij^2 + epsilon)^(1 / m)

    Source: Yates (1987), Multivariate exploratory data analysis; Browne (2001), Multivariate Behavioral Research 36,
        111-150.

    Example:
        >>> geomin(np.zeros((1, 3, 2)))[0].round(6).tolist()
        [0.03]
    """
    raised = L * L + epsilon
    product = np.exp(np.log(raised).mean(axis=2, keepdims=True))
    return product.sum(axis=(1, 2)), (2 / L.shape[2]) * L / raised * product


def bifactor(L: Array) -> tuple[Array, Array]:
    """Bi-quartimin: quartimin of all factors but the first, which is the general one.

    Source: Jennrich & Bentler (2011), Psychometrika 76, 537-549.

    Example:
        >>> bifactor(np.array([[[9.0, 1.0, 1.0]]]))[0].tolist()
        [0.5]
    """
    return _beside_first(oblimin, L)


def bigeomin(L: Array) -> tuple[Array, Array]:
    """Bi-geomin: geomin of all factors but the first, which is the general one.

    Source: Jennrich & Bentler (2012), Psychometrika 77, 442-454.

    Example:
        >>> bigeomin(np.zeros((1, 3, 3)))[0].round(6).tolist()
        [0.03]
    """
    return _beside_first(geomin, L)


def _beside_first(criterion: Criterion, L: Array) -> tuple[Array, Array]:
    value, slope = criterion(L[:, :, 1:])
    return value, np.concatenate([np.zeros_like(L[:, :, :1]), slope], axis=2)


def target(L: Array, aim: Array) -> tuple[Array, Array]:
    """Squared distance to a target, over the loadings it names.

    f = sum_ij (l_ij - t_ij)^2 over known t

    Parameters:
        L: (s, p, m). aim: (p, m), NaN where any loading will do.

    Source: Browne (1972), British Journal of Mathematical and Statistical Psychology 25, 207-212.

    Example:
        >>> target(np.ones((1, 1, 2)), np.array([[0.0, np.nan]]))[0].tolist()
        [1.0]
    """
    away = np.where(np.isnan(aim), 0.0, L - np.nan_to_num(aim))
    return (away * away).sum(axis=(1, 2)), 2 * away
