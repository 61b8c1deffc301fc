"""Asymptotic covariance of means and covariances without normality: fourth moments of the rows.

Letters: `p` items, `M` = [p +] p(p+1)/2 moments: means first where wanted, then the lower triangle column by column.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.moments.stack import Array, Ints


def deviations(rows: Array, weights: Array, *, means: bool) -> tuple[Array, Array]:
    """Each row's contribution to the moments, (n, M), and the moments themselves (M,), divisor n.

    Parameters:
        rows: (n, p) complete answers. weights: (n,) of any positive scale.
    """
    w = weights / weights.sum()
    centre = w @ rows
    z = rows - centre
    j, i = np.triu_indices(rows.shape[1])
    products = z[:, i] * z[:, j]
    moments = w @ products
    if not means:
        return products - moments, moments
    return np.concatenate([z, products - moments], axis=1), np.concatenate([centre, moments])


def gamma(rows: Array, weights: Array, *, means: bool, given: Sequence[int] = (), units: Ints | None = None) -> Array:
    """(M, M) covariance of sqrt(n) times the sample moments, divisor n; sampling weights (mean 1) count squared.

    Where some variables x are given, what their own sampling adds is left out: a row brings zz' - E(zz'|x), with
    E(zz'|x) made of its values predicted from x. The moments of x alone then have covariance 0.

    Parameters:
        given: columns of the given variables. units: (n,) cluster of each row; what rows of one bring is summed before
            it is squared, times C / (C - 1) for C clusters (NaN for a single one).

    Source:
        Browne (1984), British J. of Mathematical and Statistical Psychology 37, eq. 2.6; clusters: Muthén & Satorra
        (1995), Sociological Methodology 25; given variables: Satorra
        (1992), Sociological Methodology 22. Agrees: lavaan 0.6-14 (`lavInspect(fit, "gamma")`).

    Example:
        >>> gamma(np.array([[1.0], [2.0], [6.0]]), np.ones(3), means=False).round(3)
        array([[10.889]])
        >>> rows = np.array([[1.0, 1.0], [0.0, 2.0], [2.0, 3.0]])
        >>> gamma(rows, np.ones(3), means=False, given=[1]).diagonal().round(3).tolist()
        [0.292, 0.167, 0.0]
    """
    z, _ = deviations(rows, weights, means=means)
    if len(given):
        z = z - deviations(_predicted(rows, weights, given), weights, means=means)[0]
    # 200 normal samples (n = 600, df 24, weights 1, 2 or 5): mean MLM chi2 24.3 +- 0.4, 4.5 % rejected at .05; with the
    # unweighted Gamma, which is lavaan 0.6-14's, 33.4 +- 0.6 and 33 %.
    w = weights / weights.mean()
    scaled: Array = z * w[:, None]
    if units is not None:
        scaled = _summed(scaled, units)
    return np.asarray(scaled.T @ scaled / len(rows))


def _summed(rows: Array, units: Ints) -> Array:
    """(C, M) sums of the rows of each unit, times sqrt(C / (C - 1)); the rows themselves where each is its own."""
    each, at = np.unique(units, return_inverse=True)
    if each.size == units.size:
        return rows
    out = np.zeros((each.size, rows.shape[1]))
    np.add.at(out, at, rows)
    out *= np.sqrt(each.size / (each.size - 1)) if each.size > 1 else np.nan
    return out


def _predicted(rows: Array, weights: Array, given: Sequence[int]) -> Array:
    """(n, p) every variable's linear prediction from the given ones, which predict themselves."""
    root = np.sqrt(weights)[:, None]
    X = np.concatenate([np.ones((len(rows), 1)), rows[:, list(given)]], axis=1)
    out = np.asarray(X @ np.linalg.lstsq(root * X, root * rows, rcond=None)[0])
    out[:, list(given)] = rows[:, list(given)]
    return out


def gamma_unbiased(rows: Array, *, means: bool) -> Array:
    """(M, M) unbiased estimate of (n - 1) times the covariance of the sample covariances, for rows of equal weight.

    With central moments m of divisor n:

        n (n - 1) / ((n - 2)(n - 3)) (m_ijkl - m_ij m_kl)
        - n / ((n - 2)(n - 3)) (m_ik m_jl + m_il m_jk - 2 / (n - 1) m_ij m_kl)

    With means: n times their covariance, m_ij n / (n - 1), and third moments m_ijk n^2 / ((n - 1)(n - 2)). It need not
    be positive semidefinite.

    Parameters:
        rows: (n, p) complete answers, n > 3.

    Source:
        Browne (1984), British J. of Mathematical and Statistical Psychology 37, eq. 3.8; Du & Bentler (2022),
        Structural Equation Modeling 29(6). Agrees: lavaan 0.6-14 (`gamma.unbiased = TRUE`).

    Example:
        >>> gamma_unbiased(np.array([[1.0], [2.0], [6.0], [3.0]]), means=False).round(3)
        array([[40.833]])
    """
    n, p = rows.shape
    centred = rows - rows.mean(axis=0)
    S = centred.T @ centred / n
    j, i = np.triu_indices(p)
    s = S[i, j]
    biased = gamma(rows, np.ones(n), means=means)
    own = biased[-s.size :, -s.size :]
    crossed = S[np.ix_(i, i)] * S[np.ix_(j, j)] + S[np.ix_(i, j)] * S[np.ix_(j, i)]
    below = (n - 2) * (n - 3)
    out = n * (n - 1) / below * own - n / below * (crossed - 2 / (n - 1) * np.outer(s, s))
    if not means:
        return np.asarray(out)
    whole = biased * (n**2 / ((n - 1) * (n - 2)))
    whole[:p, :p] = S * (n / (n - 1))
    whole[p:, p:] = out
    return np.asarray(whole)
