"""Every kind of interval as one curve of confidence limits, and p-values that invert it exactly.

A kind of interval is its curve L(u): the parameter lies below L(u) with confidence u. An interval of level c is
[L((1 - c) / 2), L((1 + c) / 2)], a one-sided one [L(1 - c), inf) or (-inf, L(c)]. With u0 where L(u0) = 0, the
p-value of "zero or less" is u0, of "zero or more" 1 - u0, and two-sided 2 min(u0, 1 - u0). So p < 1 - c exactly where
the interval excludes zero.

Letters: `B` replicates along axis 0, `F` their interpolated (type 7) distribution, `Q` its inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from csi.inference.draws import SNAP, acceleration, bias, quantile, shares_at, standard_error
from csi.moments.stack import Array

__all__ = [
    "Alternative", "Curve", "Evidence", "Interval", "acceleration", "bca", "curve_of", "limits", "p_of", "p_value",
    "percentile", "standard_error",
]  # fmt: skip

Interval = Literal["percentile", "basic", "normal", "t", "bc", "bca", "studentised", "double"]
"""What can be made of bootstrap draws; jackknife and replicate weights have "t"."""

EDGE = 1e-9
"""A share that is not 0 stays this far from it, so that rounding does not put a limit on the outermost draw."""

Alternative = Literal["two-sided", "greater", "less"]
"""What the p-value speaks for: not zero, above zero, below zero."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the curves are made of; `draws` may be absent for "normal" and "t".

    Attributes:
        value, std_error: (...). draws: (B, ...). accelerations: (...) for "bca". errors: (B, ...) standard error of
            each replicate for "studentised". ranks: (B, ...) share of a replicate's own resamples below the value, for
            "double". df: (...) degrees of freedom for "t".
    """

    value: Array
    std_error: Array
    draws: Array
    accelerations: Array | None = None
    errors: Array | None = None
    ranks: Array | None = None
    df: Array | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """L, the shares u at which it is zero (smallest, largest), and the smallest share that it can speak of."""

    at: Callable[[Array], Array]
    zero: tuple[Array, Array]
    least: Array


def curve_of(kind: str, found: Evidence) -> Curve:
    """The confidence limits of a kind of interval.

    percentile: L(u) = Q(u)
    basic: L(u) = 2 value - Q(1 - u)
    normal: L(u) = value + z_u SE (without correction for bias: the statistic is value / SE)
    t: L(u) = value + t_{u, df} SE
    bc, bca: L(u) = Q(Phi(z0 + (z0 + z_u) / (1 - a (z0 + z_u)))), a = 0 for bc
    studentised: L(u) = value - SE Q_t(1 - u), Q_t of t* = (value* - value) / SE*
    double: L(u) = Q(Q_r(u)), Q_r of the ranks: the percentile limit whose coverage, estimated by resampling the
        resamples, is u; both take the (B + 1) u-th draw, as few draws are usual here, the others type 7

    Source: Efron & Tibshirani (1993), 12-14; Efron (1987); Davison & Hinkley (1997), 5.2-5.6; Beran (1987), Biometrika
    74:457-468 (double).
    """
    return _CURVES[kind](found)


def limits(curve: Curve, level: float, alternative: Alternative = "two-sided") -> tuple[Array, Array]:
    """Lower and upper limit; infinite on the open side, and where the draws are too few to speak of such a share."""
    open_low, open_high = np.full(curve.least.shape, -np.inf), np.full(curve.least.shape, np.inf)
    if alternative == "greater":
        return _limit(curve, 1 - level), open_high
    if alternative == "less":
        return open_low, _limit(curve, 1 - (1 - level))
    tail = (1 - level) / 2
    return _limit(curve, tail), _limit(curve, 1 - tail)


def p_of(curve: Curve, alternative: Alternative = "two-sided") -> Array:
    """p-value of zero: 1 - the level of the widest interval that leaves zero out.

    From B draws no one-sided p-value is below 1 / (B + 1), no two-sided one below 2 / (B + 1).
    """
    greater = np.clip(curve.zero[1], curve.least, 1.0)
    less = np.clip(1 - curve.zero[0], curve.least, 1.0)
    if alternative != "two-sided":
        return greater if alternative == "greater" else less
    both: Array = np.minimum(2 * np.minimum(greater, less), 1.0)
    return both


def _limit(curve: Curve, share: float) -> Array:
    """L at a share; infinite where the draws do not reach it."""
    found = curve.at(np.full(curve.least.shape, share))
    beyond = np.where(share <= curve.least, -np.inf, np.where(1 - share <= curve.least, np.inf, found))
    limit: Array = np.where(np.isnan(found), np.nan, beyond)
    return limit


def _least(draws: Array) -> Array:
    """(...) 1 / (B + 1) of the usable draws, NaN without two."""
    usable = np.isfinite(draws).sum(axis=0)
    least: Array = np.where(usable > 1, (1.0 + SNAP) / (usable + 1.0), np.nan)
    return least


def _percentile(found: Evidence) -> Curve:
    """The draws' own distribution."""
    ordered = np.sort(found.draws, axis=0)
    return Curve(lambda u: quantile(ordered, u), shares_at(ordered, np.zeros_like(found.value)), _least(found.draws))


def _basic(found: Evidence) -> Curve:
    """The distribution of value* - value, turned around."""
    ordered = np.sort(found.draws, axis=0)
    low, high = shares_at(ordered, 2 * found.value)
    return Curve(lambda u: 2 * found.value - quantile(ordered, 1 - u), (1 - high, 1 - low), _least(found.draws))


def _normal(found: Evidence) -> Curve:
    """The standard error alone."""
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = ndtr(-found.value / found.std_error)
    return Curve(lambda u: found.value + ndtri(u) * found.std_error, (zero, zero), _known(found.std_error))


def _t(found: Evidence) -> Curve:
    """The standard error with degrees of freedom."""
    df = np.full_like(found.value, np.nan) if found.df is None else found.df
    df = np.where(df >= 1, df, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = stdtr(df, -found.value / found.std_error)
    return Curve(lambda u: found.value + stdtrit(df, u) * found.std_error, (zero, zero), _known(found.std_error * df))


def _known(std_error: Array) -> Array:
    """0, the floor of p-values from standard errors; NaN where there is none."""
    return np.where(np.isfinite(std_error), 0.0, np.nan)


def _accelerated(found: Evidence) -> Curve:
    """Bias-corrected, with the acceleration where there is one."""
    ordered, z0 = np.sort(found.draws, axis=0), bias(found.value, found.draws)
    a = np.zeros_like(found.value) if found.accelerations is None else found.accelerations

    def at(u: Array) -> Array:
        shifted = z0 + ndtri(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(a * shifted < 1, z0 + shifted / (1 - a * shifted), np.sign(a) * np.inf)
        return quantile(ordered, np.clip(ndtr(z), EDGE, 1 - EDGE))

    def back(share: Array) -> Array:
        away = ndtri(share) - z0
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(1 + a * away > 0, away / (1 + a * away) - z0, -np.sign(a) * np.inf)
        return np.where(share <= EDGE, 0.0, np.where(share >= 1 - EDGE, 1.0, ndtr(z)))

    low, high = shares_at(ordered, np.zeros_like(found.value))
    return Curve(at, (back(low), back(high)), _least(found.draws))


def _studentised(found: Evidence) -> Curve:
    """The distribution of t*, each replicate in its own standard error."""
    errors = np.full_like(found.draws, np.nan) if found.errors is None else found.errors
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (found.draws - found.value) / errors
        statistic = found.value / found.std_error
    ordered = np.sort(np.where(np.isfinite(t), t, np.nan), axis=0)
    low, high = _shares(ordered, statistic)
    at = partial(_turned, found, ordered)
    return Curve(at, (1 - high, 1 - low), _least(ordered))


def _turned(found: Evidence, ordered: Array, u: Array) -> Array:
    """The studentised limit from sorted t*."""
    limit: Array = found.value - found.std_error * quantile(ordered, _rank(1 - u, ordered))
    return limit


def _double(found: Evidence) -> Curve:
    """Percentiles at the shares that resampling the resamples found to cover."""
    ranks = np.full_like(found.draws, np.nan) if found.ranks is None else found.ranks
    kept = np.where(np.isfinite(ranks), found.draws, np.nan)
    ordered, ranked = np.sort(kept, axis=0), np.sort(np.where(np.isfinite(kept), ranks, np.nan), axis=0)
    low, high = _shares(ordered, np.zeros_like(found.value))
    usable = np.isfinite(ordered).sum(axis=0)
    zero = (
        np.where((ordered < 0).sum(axis=0) == usable, 1.0, _shares(ranked, low)[0]),
        np.where((ordered > 0).sum(axis=0) == usable, 0.0, _shares(ranked, high)[1]),
    )
    at = partial(_calibrated, ordered, ranked)
    return Curve(at, zero, _least(kept))


def _calibrated(ordered: Array, ranked: Array, u: Array) -> Array:
    """The double limit from sorted draws and sorted ranks."""
    return quantile(ordered, _rank(quantile(ranked, _rank(u, ranked)), ordered))


def _rank(share: Array, ordered: Array) -> Array:
    """The share that `quantile` takes for the (B + 1) share-th draw, the convention of Davison and Hinkley."""
    usable = np.isfinite(ordered).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rank: Array = np.clip((share * (usable + 1) - 1) / (usable - 1), 0.0, 1.0)
    return rank


def _shares(ordered: Array, x: Array) -> tuple[Array, Array]:
    """Below the first share the `_rank`-ed draws lie below x, above the second one above; 0 and 1 where none does."""
    usable = np.isfinite(ordered).sum(axis=0)
    low, high = shares_at(ordered, x)
    first, second = ((rank * (usable - 1) + 1) / (usable + 1) for rank in (low, high))
    return np.where(low <= 0, 0.0, first), np.where(high >= 1, 1.0, second)


_CURVES: dict[str, Callable[[Evidence], Curve]] = {
    "percentile": _percentile,
    "basic": _basic,
    "normal": _normal,
    "t": _t,
    "bc": _accelerated,
    "bca": _accelerated,
    "studentised": _studentised,
    "double": _double,
}


def percentile(draws: Array, level: float) -> tuple[Array, Array]:
    """Quantiles (1 - level) / 2 and (1 + level) / 2 of the draws (type 7).

    Source: Efron & Tibshirani (1993), 13.3.

    Example:
        >>> low, high = percentile(np.arange(101.0)[:, None], 0.90)
        >>> round(float(low[0]), 6), round(float(high[0]), 6)
        (5.0, 95.0)
    """
    return limits(_percentile(_drawn(draws)), level)


def bca(point: Array, draws: Array, level: float, accelerations: Array) -> tuple[Array, Array]:
    """Bias-corrected and accelerated interval.

    alpha_1 = Phi(z0 + (z0 + z_a) / (1 - a (z0 + z_a))), z0 = Phi^-1(share of draws below the estimate)

    Source: Efron (1987), JASA 82:171-185.
    """
    return limits(_accelerated(_drawn(draws, point, accelerations)), level)


def p_value(point: Array, draws: Array, accelerations: Array | None = None) -> Array:
    """Two-sided p of zero from the percentile interval, or from the BCa interval with accelerations."""
    found = _drawn(draws, point, accelerations)
    return p_of((_percentile if accelerations is None else _accelerated)(found))


def _drawn(draws: Array, point: Array | None = None, accelerations: Array | None = None) -> Evidence:
    """Draws as evidence."""
    value = np.zeros(draws.shape[1:]) if point is None else point
    return Evidence(value, standard_error(draws), draws, accelerations)
