"""Tests of a difference between groups, from permutations, bootstrap replicates or standard errors.

Letters: `c` groups, `B` replicates, `K` parameters.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from csi.moments.stack import Array


def spread(values: Array, share: Array) -> Array:
    """Weighted squared deviations over groups: sum_g s_g (x_g - sum_h s_h x_h)^2.

    Parameters:
        values: (..., c, K). share: (..., c) weights of the groups with sum 1.

    Returns:
        (..., K).

    Example:
        >>> spread(np.array([[1.0], [3.0]]), np.array([0.5, 0.5])).tolist()
        [1.0]
    """
    s = share[..., None]
    deviation = values - (s * values).sum(axis=-2, keepdims=True)
    return np.asarray((s * deviation**2).sum(axis=-2), dtype=np.float64)


def reach(values: Array) -> Array:
    """Largest less smallest over groups: (..., c, K) -> (..., K).

    Example:
        >>> reach(np.array([[1.0], [3.0], [2.0]])).tolist()
        [2.0]
    """
    return np.asarray(values.max(axis=-2) - values.min(axis=-2), dtype=np.float64)


def henseler(first: Array, second: Array, draws_first: Array, draws_second: Array) -> Array:
    """Probability that the first group's parameter is not larger: Henseler's multigroup analysis, one-sided.

    p = 1 - sum_ij [2 mean_1 - x_1j - 2 mean_2 + x_2i > 0] / (B_1 B_2), every pair of replicates of two independent
    groups. Replicates without a solution are left out. As no number of pairs makes more of B replicates than B, p stays
    at least 1 / (B + 1) from 0 and from 1, B the smaller number of replicates.

    Parameters:
        first, second: (K,) estimates, NaN passes through. draws_first, draws_second: (B, K).

    Returns:
        (K,) p; a value near 1 speaks for the second being larger.

    Source:
        Henseler, Ringle & Sinkovics (2009), Advances in International Marketing 20:277-319, eq. 2. Agrees: seminr 2.3.4
        (tests/measures/test_groups.py, within Monte Carlo error).

    Example:
        >>> x = np.linspace(0, 1, 100)[:, None]
        >>> henseler(np.array([0.5]), np.array([0.5]), x, x).round(2).tolist()
        [0.5]
        >>> henseler(np.array([9.5]), np.array([0.5]), x + 9, x).round(4).tolist()
        [0.0099]
    """
    out = np.full(first.shape, np.nan)
    for k in np.flatnonzero(np.isfinite(first) & np.isfinite(second)).tolist():
        a = draws_first[np.isfinite(draws_first[:, k]), k]
        b = draws_second[np.isfinite(draws_second[:, k]), k]
        if a.size < 2 or b.size < 2:
            continue
        # the replicates mirrored at their means; pairs in which the first is larger, ties counted half
        one, two = 2 * a.mean() - a, np.sort(2 * b.mean() - b)
        below = np.searchsorted(two, one, "left") + np.searchsorted(two, one, "right")
        least = 1 / (min(a.size, b.size) + 1)
        out[k] = np.clip(1 - below.sum() / (2 * a.size * b.size), least, 1 - least)
    return out


def two_sided(p: Array) -> Array:
    """2 min(p, 1 - p) of a one-sided p.

    Example:
        >>> two_sided(np.array([0.02, 0.99])).round(2).tolist()
        [0.04, 0.02]
    """
    return np.asarray(2 * np.minimum(p, 1 - p), dtype=np.float64)


def parametric(difference: Array, se: tuple[Array, Array], n: tuple[float, float]) -> Array:
    """Two-sided p of the pooled t test, which takes the errors' variances (times n) as equal.

    t = d / (sqrt(((n_1 - 1)^2 SE_1^2 + (n_2 - 1)^2 SE_2^2) / (n_1 + n_2 - 2)) sqrt(1 / n_1 + 1 / n_2)),
    df = n_1 + n_2 - 2.

    Parameters:
        difference, se: (K,). n: rows of the two groups.

    Source:
        Keil et al. (2000), MIS Quarterly 24(2):299-325; Chin (2000).

    Example:
        >>> parametric(np.array([0.3]), (np.array([0.1]), np.array([0.1])), (100, 100)).round(4).tolist()
        [0.0342]
    """
    (a, b), df = n, n[0] + n[1] - 2
    pooled = np.sqrt(((a - 1) ** 2 * se[0] ** 2 + (b - 1) ** 2 * se[1] ** 2) / df)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _two_tails(difference / (pooled * np.sqrt(1 / a + 1 / b)), np.full(difference.shape, float(df)))


def welch(difference: Array, se: tuple[Array, Array], n: tuple[float, float]) -> Array:
    """Two-sided p of the Welch-Satterthwaite t test, which lets the groups' errors differ.

    t = d / sqrt(SE_1^2 + SE_2^2), df = (SE_1^2 + SE_2^2)^2 / (SE_1^4 / (n_1 - 1) + SE_2^4 / (n_2 - 1)).

    Parameters:
        difference, se: (K,). n: rows of the two groups.

    Source:
        Welch (1947), Biometrika 34:28-35; Nitzl (2010) and Sarstedt, Henseler & Ringle (2011), Advances in
        International Marketing 22:195-218, for PLS.

    Example:
        >>> welch(np.array([0.3]), (np.array([0.1]), np.array([0.1])), (100, 100)).round(4).tolist()
        [0.0351]
    """
    (a, b), (u, v) = n, (se[0] ** 2, se[1] ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (u + v) ** 2 / (u**2 / (a - 1) + v**2 / (b - 1))
        return _two_tails(difference / np.sqrt(u + v), df)


def _two_tails(t: Array, df: Array) -> Array:
    return np.asarray(2 * stdtr(df, -np.abs(t)), dtype=np.float64)
