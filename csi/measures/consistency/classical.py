"""Coefficients of a sum score that need no factor: alpha with its intervals, Guttman's lambdas, ten Berge's mu.

All take a stack: covariances give the reliability of the sum of the answers, correlations that of the sum of the
standardised answers.

Letters: `k` items, `...` any leading axes.
"""

from __future__ import annotations

import numpy as np
from scipy.special import fdtri, ndtri

from csi.measures.blocks import diagonal
from csi.measures.reliability import alpha
from csi.moments.linear import inverse
from csi.moments.stack import Array
from csi.moments.two_step import Flags


def alpha_error(cov: Array, n: Array | float) -> Array:
    """Standard error of alpha for normal answers whose covariances are any.

    se^2 = 2 k^2 / ((k - 1)^2 s^3 n) (s (tr V^2 + (tr V)^2) - 2 tr V 1'V^2 1),  s = 1'V1

    Parameters:
        cov: (..., k, k). n: rows behind it.

    Source:
        van Zyl, Neudecker & Nel (2000), Psychometrika 65(3), 271-280; Duhachek & Iacobucci (2004), Journal of Applied
        Psychology 89(5), 792-808.

    Example:
        >>> alpha_error(np.array([[1.0, 0.5], [0.5, 1.0]]), 100.0).round(6)
        np.float64(0.066667)
    """
    k = cov.shape[-1]
    total, trace = cov.sum(axis=(-2, -1)), diagonal(cov).sum(axis=-1)
    squared = (cov**2).sum(axis=(-2, -1))
    ends = (cov.sum(axis=-1) ** 2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = total * (squared + trace**2) - 2 * trace * ends
        return np.asarray(np.sqrt(2.0 * k**2 / ((k - 1) ** 2 * total**3) * inner / n))


def normal_interval(value: Array, error: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Estimate and standard error: value -+ z se.

    Example:
        >>> [bound.round(3) for bound in normal_interval(np.array(0.8), np.array(0.05))]
        [np.float64(0.702), np.float64(0.898)]
    """
    z = float(ndtri((1 + level) / 2))
    return value - z * error, value + z * error


def feldt_interval(value: Array, n: Array | float, k: int, level: float = 0.95) -> tuple[Array, Array]:
    """Feldt's interval of alpha: 1 - (1 - alpha) F quantiles with n - 1 and (n - 1)(k - 1) degrees of freedom.

    Exact where items are essentially tau-equivalent and answers normal.

    Parameters:
        value: (...) alpha. n: rows. k: items.

    Source:
        Feldt (1965), Psychometrika 30(3), 357-370; Feldt, Woodruff & Salih (1987), Applied Psychological
        Measurement 11(1), 93-103.

    Example:
        >>> [round(float(bound), 4) for bound in feldt_interval(np.array(0.8), 41, 5)]
        [0.6837, 0.8826]
    """
    df = np.asarray(n, dtype=np.float64) - 1, (np.asarray(n, dtype=np.float64) - 1) * (k - 1)
    low = 1 - (1 - value) * fdtri(*df, (1 + level) / 2)
    return np.asarray(low), np.asarray(1 - (1 - value) * fdtri(*df, (1 - level) / 2))


def lambdas(cov: Array) -> dict[str, Array]:
    """Guttman's lower bounds that have a formula: lambda1, 2, 3 (alpha), 5 and 6; lambda4 is the best split.

    With C = V off its diagonal and s = 1'V1: lambda1 = 1'C1 / s; lambda2 = lambda1 + sqrt(k / (k - 1) tr C^2) / s;
    lambda3 = k / (k - 1) lambda1; lambda5 = lambda1 + 2 sqrt(max_j (C^2)_jj) / s;
    lambda6 = 1 - sum_j 1 / (V^-1)_jj / s.

    Parameters:
        cov: (..., k, k).

    Returns:
        name -> (...); lambda6 NaN where V has no inverse.

    Source:
        Guttman (1945), Psychometrika 10(4), 255-282.

    Example:
        >>> {name: round(float(v), 4) for name, v in lambdas(np.array([[1.0, 0.5], [0.5, 1.0]])).items()}
        {'lambda1': 0.3333, 'lambda2': 0.6667, 'lambda3': 0.6667, 'lambda5': 0.6667, 'lambda6': 0.5}
    """
    k = cov.shape[-1]
    own, total = diagonal(cov), cov.sum(axis=(-2, -1))
    off = cov * (1 - np.eye(k))
    squares = (off**2).sum(axis=-1)
    rest = unique_variances(cov).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = 1 - own.sum(axis=-1) / total
        return {
            "lambda1": first,
            "lambda2": first + np.sqrt(k / max(k - 1, 1) * squares.sum(axis=-1)) / total,
            "lambda3": alpha(cov, np.ones((k, 1)))[..., 0],
            "lambda5": first + 2 * np.sqrt(squares.max(axis=-1)) / total,
            "lambda6": 1 - rest / total,
        }


def unique_variances(cov: Array) -> Array:
    """(..., k) variance of every item that the others do not predict, 1 / (V^-1)_jj; NaN where V has no inverse."""
    stack = cov.reshape(-1, *cov.shape[-2:])
    found = np.full(stack.shape[:2], np.nan)
    sound: Flags = np.asarray(np.isfinite(stack).all(axis=(1, 2)))
    sound[sound] = np.linalg.cond(stack[sound]) < SINGULAR
    if sound.any():
        found[sound] = 1 / diagonal(inverse(stack[sound]))
    return found.reshape(cov.shape[:-1])


SINGULAR = 1e12
"""Condition number from which covariances have no inverse to speak of."""


def tenberge(cov: Array, terms: int = 4) -> Array:
    """Ten Berge and Zegers' series of lower bounds mu_0 <= mu_1 <= ...; mu_0 is alpha, mu_1 is lambda2.

    mu_r = (p_0 + sqrt(p_1 + sqrt(p_2 + ... + sqrt(h_r p_r)))) / s,  p_h = sum_(i != j) V_ij^(2^h),
    with the last one times k / (k - 1).

    Parameters:
        cov: (..., k, k). terms: how many.

    Returns:
        (..., terms).

    Source:
        ten Berge & Zegers (1978), Psychometrika 43(4), 575-579.

    Example:
        >>> tenberge(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()
        [0.6667, 0.6667, 0.6667, 0.6667]
    """
    k = cov.shape[-1]
    total = cov.sum(axis=(-2, -1))
    off = cov * (1 - np.eye(k))
    powers = [off.sum(axis=(-2, -1)), *((off ** (2.0**h)).sum(axis=(-2, -1)) for h in range(1, terms))]
    found = []
    for last in range(terms):
        value = powers[last] * k / max(k - 1, 1)
        for h in range(last - 1, -1, -1):
            value = powers[h] + np.sqrt(value)
        found.append(value)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.stack(found, axis=-1) / total[..., None])
