"""Small cells beside each other: the area-level model of Fay and Herriot, its variance by REML.

Letters: `k` cells, `a` trial values of the variance between cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from csi.moments.stack import Array

TRIALS = 240
"""Trial values of the variance between which the score may change its sign."""


@dataclass(frozen=True, slots=True)
class FayHerriot:
    """A fitted model of cells around a common mean.

    Attributes:
        between: variance of the cells' true levels, A. mean, mean_error: of the levels, and its standard error.
        share: (k,) what a cell keeps of its distance from the mean, `A / (A + D)`.
        shrunken: (k,) predicted levels. mse: (k,) their mean squared errors.
    """

    between: float
    mean: float
    mean_error: float
    share: Array
    shrunken: Array
    mse: Array


def fay_herriot(values: Array, variances: Array) -> FayHerriot:
    """Empirical best linear unbiased prediction of the levels behind some values, with its mean squared error.

    `y_i = m + v_i + e_i`, var(v_i) = A, var(e_i) = D_i known; A by REML, m by weighted least squares with
    `w_i = 1 / (A + D_i)`. Predicted is `m + g_i (y_i - m)`, `g_i = A / (A + D_i)`. With W the sum of w,
    `MSE_i = g_i D_i + (1 - g_i)^2 / W + 2 D_i^2 w_i^3 * 2 / sum_j w_j^2`: what sampling leaves, what the mean adds and,
    twice, what the estimation of A adds. Averaged over cells this is 3 to 9 % too small with four to eight cells that
    differ as much as they err, and too large where they hardly differ (tests/slow/shrunken_study.csv).

    Parameters:
        values: (k,) at least three. variances: (k,) of sampling, above zero.

    Source:
        Fay & Herriot (1979), JASA 74(366), 269-277; Prasad & Rao (1990), JASA 85(409), 163-171; Datta & Lahiri (2000),
        Statistica Sinica 10, 613-627, for the error under REML.

    Example:
        >>> fay_herriot(np.array([60.0, 70.0, 80.0]), np.full(3, 25.0)).shrunken.tolist()
        [62.5, 70.0, 77.5]
    """
    between = reml(values, variances)
    weight = 1.0 / (between + variances)
    total = weight.sum()
    mean = float(weight @ values / total)
    share = between * weight
    lost = (1.0 - share) ** 2 / total
    estimation = variances**2 * weight**3 * 2.0 / (weight**2).sum()
    mse = share * variances + lost + 2.0 * estimation
    return FayHerriot(between, mean, float(total**-0.5), share, mean + share * (values - mean), mse)


def reml(values: Array, variances: Array) -> float:
    """The variance between cells that is most likely given their contrasts; zero where none is called for.

    All zeros of the score at which it falls are tried, and zero itself; the most likely one is taken.

    Parameters:
        values, variances: (k,) as in `fay_herriot`.

    Source:
        Patterson & Thompson (1971), Biometrika 58(3), 545-554.

    Example:
        >>> round(reml(np.array([60.0, 70.0, 80.0]), np.full(3, 25.0)), 6)
        75.0
    """
    low, top = float(variances.min()), float(np.ptp(values) ** 2 + variances.max())
    trials = np.concatenate([[0.0], np.geomspace(1e-6 * min(low, top), 4.0 * top, TRIALS)])
    slope = score(trials, values, variances)
    falls = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    found = np.array([0.0, *(_zero(float(trials[i]), float(trials[i + 1]), values, variances) for i in falls)])
    return float(found[np.argmax(likelihood(found, values, variances))])


def score(between: Array, values: Array, variances: Array) -> Array:
    """(a,) slope of the restricted likelihood, `(sum w^2 r^2 - sum w + sum w^2 / sum w) / 2`, r the residuals."""
    weight = 1.0 / (between[:, None] + variances)
    total = weight.sum(axis=1)
    residual = values - (weight @ values / total)[:, None]
    trace = total - (weight**2).sum(axis=1) / total
    return np.asarray(0.5 * (((weight * residual) ** 2).sum(axis=1) - trace))


def likelihood(between: Array, values: Array, variances: Array) -> Array:
    """(a,) log of the restricted likelihood, but for a constant."""
    weight = 1.0 / (between[:, None] + variances)
    total = weight.sum(axis=1)
    residual = values - (weight @ values / total)[:, None]
    squares = (weight * residual**2).sum(axis=1)
    return np.asarray(0.5 * (np.log(weight).sum(axis=1) - np.log(total) - squares))


def _zero(low: float, high: float, values: Array, variances: Array) -> float:
    """Where the score is zero between two trials."""

    def at(between: float) -> float:
        return float(score(np.array([between]), values, variances)[0])

    return float(optimize.brentq(at, low, high, xtol=1e-14 * high, rtol=1e-14))
