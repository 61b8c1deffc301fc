"""From bootstrap draws to standard errors, quantiles, and the shares of the draws that quantiles invert.

Letters: `B` replicates along axis 0; every other axis is a quantity. NaN draws (unusable replicates) are left out and
counted by the caller. What the kinds of intervals make of these is in `intervals.py`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from csi.moments.stack import Array

SNAP = 1e-9
"""Positions among sorted draws closer than this are one."""


def percentiles(drawn: Array, level: float) -> tuple[Array, Array]:
    """(k,) percentile bounds of (B, k) draws; NaN where none is finite.

    Example:
        >>> [round(float(b[0]), 9) for b in percentiles(np.arange(101.0)[:, None], 0.90)]
        [5.0, 95.0]
    """
    ordered, tail = np.sort(drawn, axis=0), np.full(drawn.shape[1], (1 - level) / 2)
    return quantile(ordered, tail), quantile(ordered, 1 - tail)


def standard_error(draws: Array) -> Array:
    """Standard deviation over the usable draws (divisor: their number - 1)."""
    usable = np.isfinite(draws)
    count = usable.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(usable, draws, 0.0).sum(axis=0) / count
        square = np.where(usable, (draws - mean) ** 2, 0.0).sum(axis=0)
        return np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)


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


def bias(point: Array, draws: Array) -> Array:
    """z0, the normal quantile of the share of draws below the estimate; ties counted half, kept finite."""
    usable = np.isfinite(draws).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = ((draws < point).sum(axis=0) + 0.5 * (draws == point).sum(axis=0)) / usable
        z0: Array = ndtri(np.clip(share, 0.5 / usable, 1 - 0.5 / usable))
    return z0


def quantile(ordered: Array, share: Array) -> Array:
    """Type 7 quantile of sorted draws (NaN last) at one share per quantity.

    Example:
        >>> quantile(np.arange(101.0)[:, None], np.array([0.05])).tolist()
        [5.0]
    """
    usable = np.isfinite(ordered).sum(axis=0)
    position = np.clip(np.nan_to_num(share), 0, 1) * np.maximum(usable - 1, 0)
    whole = np.rint(position)
    position = np.where(np.abs(position - whole) < SNAP / 2, whole, position)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(usable - 1, 0))
    at_low = np.take_along_axis(ordered, low[None], axis=0)[0]
    at_high = np.take_along_axis(ordered, high[None], axis=0)[0]
    with np.errstate(invalid="ignore"):
        value: Array = at_low + (position - low) * (at_high - at_low)
    return np.where((usable > 1) & np.isfinite(share), value, np.nan)


def shares_at(ordered: Array, x: Array) -> tuple[Array, Array]:
    """The smallest and the largest share whose `quantile` is x; they differ where several draws equal x.

    0 where all draws lie above x, 1 where all lie below. Both are moved outwards by `SNAP` of the way between two
    draws, so that a share computed from a level never lies beyond them by rounding alone.

    Parameters:
        ordered: (B, ...) sorted draws, NaN last. x: (...).

    Example:
        >>> [round(float(s[0]), 6) for s in shares_at(np.array([[0.0], [1.0], [2.0]]), np.array([0.5]))]
        [0.25, 0.25]
    """
    usable = np.isfinite(ordered).sum(axis=0)
    return (
        _between(ordered, x, (ordered < x).sum(axis=0), usable, -SNAP),
        _between(ordered, x, (ordered <= x).sum(axis=0), usable, SNAP),
    )


def _between(ordered: Array, x: Array, before: Array, usable: Array, moved: float) -> Array:
    """The share at x between the draw number `before` and the next one."""
    left = np.take_along_axis(ordered, np.maximum(before - 1, 0)[None], axis=0)[0]
    right = np.take_along_axis(ordered, np.minimum(before, ordered.shape[0] - 1)[None], axis=0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (before - 1 + (x - left) / (right - left) + moved) / (usable - 1)
    inside: Array = np.where(before == 0, 0.0, np.where(before >= usable, 1.0, share))
    return inside
