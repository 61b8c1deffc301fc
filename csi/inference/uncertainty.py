"""What replicates say about a number: standard error, interval and p-value, whatever the kind of replicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from csi.errors import Note, Problems, note, problem
from csi.estimate.estimate import Estimate, Factors, Replicates
from csi.inference.draws import standard_error
from csi.inference.intervals import Alternative, Evidence, curve_of, limits, p_of
from csi.inference.replicates import Quantity
from csi.moments.stack import Array, Ints


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """value, std_error, conf_low, conf_high, p_value: (b, ...) each; draws: (B, b, ...)."""

    value: Array
    std_error: Array
    conf_low: Array
    conf_high: Array
    p_value: Array
    draws: Array


def uncertainty(boot: Estimate, quantity: Quantity, drawn: Array | None = None) -> Uncertainty:
    """Standard error, interval and p-value of any function of the moments and the solution.

    Parameters:
        boot: an estimate that went through `bootstrap` (its level and kind of interval are used).
        quantity: (Moments, Solution) -> (m, ...) for m slices.
        drawn: (B*b, ...) the quantity on the replicates where it follows from what they keep: saves a second pass.

    Raises:
        Problems: the estimate has no replicates.
    """
    replicates = replicates_behind(boot)
    value = quantity(boot.moments, boot.solution)
    if drawn is None:
        draws = replicates.over(quantity)
    else:
        draws = np.array(drawn, dtype=np.float64).reshape(*replicates.usable.shape, *drawn.shape[1:])
        draws[~replicates.usable] = np.nan
    accelerations = replicates.acceleration(quantity) if boot.interval == "bca" else None
    return judged(boot, value, draws, accelerations, lambda fit: quantity(fit.moments, fit.solution))


def judged(
    boot: Estimate, value: Array, draws: Array, accelerations: Array | None, measure: Callable[[Estimate], Array]
) -> Uncertainty:
    """The interval the estimate asks for, with the p-value that agrees with it.

    Parameters:
        value: (b, ...). draws: (B, b, ...). accelerations: (b, ...) for "bca". measure: how to compute the value of a
            fit, for the kinds that resample the resamples.
    """
    replicates = replicates_behind(boot)
    errors, ranks = None, None
    if boot.interval in NESTED and replicates.nested is not None:
        errors, ranks = replicates.nested(measure, value)
    std_error = spread(draws, value, replicates.factors)
    df = degrees(replicates).reshape(-1, *[1] * (value.ndim - 1)) + np.zeros_like(value)
    curve = curve_of(boot.interval, Evidence(value, std_error, draws, accelerations, errors, ranks, df))
    side = cast("Alternative", boot.alternative)
    low, high = limits(curve, boot.level, side)
    return Uncertainty(value, std_error, low, high, p_of(curve, side), draws)


def two_sided(est: Estimate) -> tuple[Note, ...]:
    """A note under results that stay two-sided after one-sided intervals were asked for."""
    if est.alternative == "two-sided":
        return ()
    en = f'Intervals and p-values here are two-sided, not alternative="{est.alternative}" as asked of the estimate.'
    zh = f"此处的区间与 p 值为双侧，未采用估计所设的 alternative=“{est.alternative}”。"
    return (note("N-TWO-SIDED", en, zh),)


NESTED = ("studentised", "double")
"""The kinds of intervals that resample the resamples."""


def replicates_behind(boot: Estimate) -> Replicates:
    """The replicates of an estimate.

    Raises:
        Problems: it has none.
    """
    if boot.replicates is not None:
        return boot.replicates
    en, zh = "there are no replicates to take intervals from.", "没有可用于计算区间的自助样本。"
    do, do_zh = "Call csi.bootstrap(est) first.", "请先调用 csi.bootstrap(est)。"
    raise Problems([problem("E-BOOT", "estimate", en, zh, do, do_zh)])


def spread(draws: Array, value: Array, factors: Factors | None) -> Array:
    """Standard error: that of random draws, or sqrt(sum_r factor_r (theta_r - centre_r)^2).

    Replicates without a solution are left out, and the factors of the others raised in proportion.

    Parameters:
        draws: (B, ...). value: (...), the estimate.
    """
    if factors is None:
        return standard_error(draws)
    away = deviations(draws, value, factors)
    total: Array = np.nansum(away**2, axis=0)
    return np.where(np.isfinite(draws).sum(axis=0) > 1, np.sqrt(total), np.nan)


def deviations(draws: Array, value: Array, factors: Factors) -> Array:
    """(B, ...) deviations of the replicates whose squares add up to the variance; NaN where there is no solution."""
    usable = np.isfinite(draws)
    factor = factors.factor.reshape(-1, *[1] * (draws.ndim - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        raised = factor * (factors.factor.sum() / (factor * usable).sum(axis=0))
        centre = value if factors.centre is None else _means(draws, factors.centre)
        away: Array = np.sqrt(raised) * (draws - centre)
    return away


def _means(draws: Array, code: Ints) -> Array:
    """(B, ...) the mean of the usable replicates with the same code."""
    usable = np.isfinite(draws)
    member = (code[:, None] == np.unique(code)).astype(np.float64)
    flat, there = np.where(usable, draws, 0.0).reshape(len(draws), -1), usable.reshape(len(draws), -1)
    mean = (member.T @ flat) / (member.T @ there)
    found: Array = (member @ mean).reshape(draws.shape)
    return found


def as_draws(draws: Array, value: Array, factors: Factors) -> Array:
    """(2B, ...) numbers around the value whose standard deviations and covariances are those of the replicates.

    value + k (theta_r - centre_r) and value - k (theta_r - centre_r), k^2 = factor_r (2B - 1) / 2: for what takes
    standard deviations of differences of replicates; their quantiles mean nothing.
    """
    away = deviations(draws, value, factors)
    count = 2 * np.isfinite(away).sum(axis=0) - 1
    wide = away * np.sqrt(np.maximum(count, 1) / 2)
    return np.concatenate([value + wide, value - wide])


def degrees(replicates: Replicates) -> Array:
    """(b,) degrees of freedom of t intervals: those stated, else resampling units less strata of each cell."""
    units = (replicates.units - replicates.strata).astype(np.float64)
    stated = None if replicates.factors is None else replicates.factors.df
    return units if stated is None else np.full_like(units, stated)
