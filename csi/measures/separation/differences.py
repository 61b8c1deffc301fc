"""Differences of means: Welch's t and F, Cohen's d, Hedges' g and its interval.

Letters: `g` groups.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, nctdtr

from csi.moments.stack import Array


def welch(s1: float, s2: float, n1: int, n2: int) -> tuple[float, float]:
    """Standard error of a difference of means and its degrees of freedom (Satterthwaite).

    Source:
        Welch (1947), Biometrika 34, 28-35.

    Example:
        >>> error, df = welch(2.0, 1.0, 10, 20)
        >>> round(error, 4), round(df, 2)
        (0.6708, 11.31)
    """
    a, b = s1**2 / n1, s2**2 / n2
    if a + b == 0:
        return 0.0, float(n1 + n2 - 2)
    return float(np.sqrt(a + b)), (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))


def cohen(difference: float, s1: float, s2: float, n1: int, n2: int) -> float:
    """Cohen's d: the difference by the pooled standard deviation; NaN where nothing varies.

    Example:
        >>> cohen(1.0, 2.0, 2.0, 10, 20)
        0.5
    """
    pooled = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))
    return float(difference / pooled) if pooled > 0 else float("nan")


def small_sample(df: float) -> float:
    """Hedges' factor J: what makes d unbiased.

    Source:
        Hedges (1981), J. of Educational Statistics 6, 107-128.

    Example:
        >>> round(small_sample(8), 4)
        0.9027
    """
    return float(np.exp(gammaln(df / 2) - gammaln((df - 1) / 2) - np.log(df / 2) / 2)) if df > 1 else float("nan")


def hedges_interval(d: float, n1: int, n2: int, level: float) -> tuple[float, float]:
    """Interval of Hedges' g: the noncentralities for which t is the upper or the lower point, as effects, times J.

    Source:
        Steiger & Fouladi (1997), in What if there were no significance tests?, 221-257.

    Example:
        >>> tuple(round(v, 3) for v in hedges_interval(0.5, 30, 30, 0.95))
        (-0.016, 0.999)
    """
    df, root = float(n1 + n2 - 2), np.sqrt(n1 * n2 / (n1 + n2))
    t, tail = d * root, (1 - level) / 2
    if not np.isfinite(t):
        return float("nan"), float("nan")
    around = 10 + abs(t)
    ends = [brentq(_short_of, t - around, t + around, args=(df, t, p)) for p in (1 - tail, tail)]
    low, high = (float(small_sample(df) * e / root) for e in ends)
    return low, high


def _short_of(noncentral: float, df: float, t: float, p: float) -> float:
    """P(t' <= t) less p; where the noncentrality is too far for the series, what it goes to."""
    found = float(nctdtr(df, noncentral, t))
    return (found if np.isfinite(found) else float(noncentral < t)) - p


def welch_anova(mean: Array, sd: Array, n: Array) -> tuple[float, float, float]:
    """F of equal means with unequal variances, and its degrees of freedom.

    Parameters:
        mean, sd, n: (g,).

    Source:
        Welch (1951), Biometrika 38, 330-336.

    Example:
        >>> F, between, within = welch_anova(np.array([1.0, 2.0]), np.array([2.0, 1.0]), np.array([10.0, 20.0]))
        >>> round(F, 4), between, round(within, 2)
        (2.2222, 1.0, 11.31)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        w = n / sd**2
        total, k = w.sum(), len(n)
        centre = (w @ mean) / total
        loss = (((1 - w / total) ** 2) / (n - 1)).sum()
        above = (w @ (mean - centre) ** 2) / (k - 1)
        F = above / (1 + 2 * (k - 2) / (k**2 - 1) * loss)
        return float(F), float(k - 1), float((k**2 - 1) / (3 * loss))


def anova(mean: Array, sd: Array, n: Array, weight: Array) -> float:
    """Eta squared: the share of variance between groups.

    Parameters:
        mean, sd, n: (g,). weight: (g,) sums of weights.

    Example:
        >>> round(anova(np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([50.0, 50.0]), np.array([50.0, 50.0])), 3)
        0.203
    """
    share = weight / weight.sum()
    between = share @ (mean - share @ mean) ** 2
    within = share @ (sd**2 * (n - 1) / n)
    return float(between / (between + within)) if between + within > 0 else float("nan")
