"""From bootstrap draws to standard errors, intervals and p-values that agree with them.

Letters: `B` replicates along axis 0; every other axis is a quantity. NaN draws (unusable replicates) are left out and
counted by the caller.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from csi.moments.stack import Array

Interval = Literal["percentile", "bc", "bca"]
"""Percentile, bias-corrected, bias-corrected and accelerated."""


def standard_error(draws: Array) -> Array:
    """Standard deviation over the usable draws (divisor: their number - 1)."""
    usable = np.isfinite(draws)
    count = usable.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(usable, draws, 0.0).sum(axis=0) / count
        square = np.where(usable, (draws - mean) ** 2, 0.0).sum(axis=0)
        return np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)


def percentile(draws: Array, level: float) -> tuple[Array, Array]:
    """Quantiles (1 - level) / 2 and (1 + level) / 2 of the draws (type 7).

    Source: Efron & Tibshirani (1993), 13.3.

    Example:
        >>> low, high = percentile(np.arange(101.0)[:, None], 0.90)
        >>> round(float(low[0]), 6), round(float(high[0]), 6)
        (5.0, 95.0)
    """
    ordered = np.sort(draws, axis=0)
    tail = np.full(draws.shape[1:], (1 - level) / 2)
    return _quantile(ordered, tail), _quantile(ordered, 1 - tail)


def bca(point: Array, draws: Array, level: float, acceleration: Array) -> tuple[Array, Array]:
    """Bias-corrected and accelerated interval with the true (jackknife) acceleration.

    alpha_1 = Phi(z0 + (z0 + z_a) / (1 - a (z0 + z_a))), z0 = Phi^-1(share of draws below the estimate)

    Source: Efron (1987), JASA 82:171-185.
    """
    ordered = np.sort(draws, axis=0)
    z0 = _bias(point, draws)
    tails = []
    for z in (ndtri((1 - level) / 2), ndtri((1 + level) / 2)):
        shifted = z0 + z
        tails.append(_quantile(ordered, ndtr(z0 + shifted / (1 - acceleration * shifted))))
    return tails[0], tails[1]


def acceleration(leave_out: Array) -> Array:
    """Efron's a from leave-one-out values: sum d^3 / (6 (sum d^2)^(3/2)), d = mean - value.

    Parameters:
        leave_out: (units, ...) the quantity without each unit.

    Source: Efron (1987), eq. 6.6.
    """
    usable = np.isfinite(leave_out)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(usable, leave_out, 0.0).sum(axis=0) / usable.sum(axis=0)
        d = np.where(usable, mean - leave_out, 0.0)
        a = (d**3).sum(axis=0) / (6.0 * (d**2).sum(axis=0) ** 1.5)
    finite: Array = np.where(np.isfinite(a), a, 0.0)
    return finite


def p_value(point: Array, draws: Array, accelerations: Array | None = None) -> Array:
    """Two-sided p for the hypothesis zero: 1 - the level of the widest interval that leaves zero out.

    The interval is inverted exactly: with F the interpolated distribution of the draws, the percentile p is
    2 min(F(0), 1 - F(0)); with accelerations the BCa interval is inverted. So p < 1 - level where, and only where, the
    interval excludes zero. No p-value is below 2 / (B + 1): draws say nothing beyond their number.
    """
    usable = np.isfinite(draws).sum(axis=0)
    least = 1.0 / (usable + 1.0)
    share = _share_below_zero(np.sort(draws, axis=0), usable)
    if accelerations is not None:
        z0, zero = _bias(point, draws), ndtri(share)
        with np.errstate(invalid="ignore"):
            z = (zero - z0) / (1 + accelerations * (zero - z0)) - z0
        share = np.where(np.isfinite(zero), ndtr(z), share)
    share = np.clip(share, least, 1 - least)
    p: Array = np.where(usable > 1, np.minimum(2 * np.minimum(share, 1 - share), 1.0), np.nan)
    return p


def _share_below_zero(ordered: Array, usable: Array) -> Array:
    """F(0) of sorted draws (NaN last), the inverse of the interpolation that `_quantile` uses."""
    with np.errstate(divide="ignore", invalid="ignore"):
        below = (ordered <= 0).sum(axis=0)
        left = np.take_along_axis(ordered, np.maximum(below - 1, 0)[None], axis=0)[0]
        right = np.take_along_axis(ordered, np.minimum(below, ordered.shape[0] - 1)[None], axis=0)[0]
        share = (below - 1 + left / (left - right)) / (usable - 1)
    inside: Array = np.where(below == 0, 0.0, np.where(below >= usable, 1.0, share))
    return inside


def _bias(point: Array, draws: Array) -> Array:
    """z0, ties counted half, kept finite."""
    usable = np.isfinite(draws).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = ((draws < point).sum(axis=0) + 0.5 * (draws == point).sum(axis=0)) / usable
        z0: Array = ndtri(np.clip(share, 0.5 / usable, 1 - 0.5 / usable))
    return z0


def _quantile(ordered: Array, share: Array) -> Array:
    """Type 7 quantile of sorted draws (NaN last) at one share per quantity."""
    usable = np.isfinite(ordered).sum(axis=0)
    position = np.clip(np.nan_to_num(share), 0, 1) * np.maximum(usable - 1, 0)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(usable - 1, 0))
    at_low = np.take_along_axis(ordered, low[None], axis=0)[0]
    at_high = np.take_along_axis(ordered, high[None], axis=0)[0]
    value: Array = at_low + (position - low) * (at_high - at_low)
    return np.where((usable > 1) & np.isfinite(share), value, np.nan)
