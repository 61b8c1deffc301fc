"""Little's test of answers missing completely at random: do the means differ between missing patterns?

    d2 = sum_j n_j (m_j - mu_o)' S_oo^-1 (m_j - mu_o),   df = sum_j p_j - p,   S = n / (n - 1) Sigma

mu and Sigma by maximum likelihood (EM); m_j the means of pattern j over its p_j answered items.

Letters: `J` patterns, `n` rows, `p` items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from csi.moments.expectation import em_moments
from csi.moments.patterns import pattern_rows
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Little:
    """The test: statistic, degrees of freedom, p; rows, items and patterns behind it. NaN where there is none."""

    statistic: float
    df: int
    p_value: float
    n: int
    items: int
    patterns: int


def little(rows: Array) -> Little:
    """Little's test on rows with absent answers; rows without any answer take no part.

    The covariance is the ML one times n / (n - 1), as published (eq. 4): programs that leave the factor out print a
    statistic n / (n - 1) times this one (35.106 rather than 34.877 for airquality, with 153 rows).

    Large samples of normal answers are assumed; patterns of few rows lean on normality. A small p says that who leaves
    an item out differs in the answers given; a large one does not prove the contrary. Answers may be missing at random
    (depending on those given) or not at random either way.

    Parameters:
        rows: (n, p), NaN where absent.

    Source:
        Little (1988), Journal of the American Statistical Association 83:1198-1202, eq. 4 and 5.
    Agrees: an implementation in R on lavaan's saturated moments, and R's airquality (tests/moments).

    Example:
        >>> rng = np.random.default_rng(1)
        >>> x = rng.standard_normal((300, 3)) + rng.standard_normal((300, 1))
        >>> x[rng.random((300, 3)) < 0.1] = np.nan
        >>> found = little(x)
        >>> found.df, found.patterns, found.p_value > 0.01
        (9, 7, True)
    """
    x = rows[np.isfinite(rows).any(axis=1)]
    x = x[:, np.isfinite(x).any(axis=0)]
    n, p = x.shape
    nothing = Little(np.nan, 0, np.nan, n, p, 0)
    if n < 2 or p < 2:
        return nothing
    patterns = pattern_rows(x)
    means = patterns.under(np.ones((1, n)))
    count = len(patterns.observed)
    if count < 2:
        return Little(np.nan, 0, np.nan, n, p, count)
    mu, sigma = (found[0] for found in em_moments(x, np.ones((1, n))))
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
        return Little(np.nan, 0, np.nan, n, p, count)
    cov, statistic = sigma * n / (n - 1), 0.0
    for j, seen in enumerate(patterns.observed):
        o = np.flatnonzero(seen)
        apart = means.mean[0, j, o] - mu[o]
        statistic += float(means.n[0, j] * apart @ np.linalg.solve(cov[np.ix_(o, o)], apart))
    df = int(patterns.observed.sum()) - p
    return Little(statistic, df, float(chdtrc(df, statistic)) if df > 0 else np.nan, n, p, count)
