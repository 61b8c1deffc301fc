"""Many one-dimensional maxima at once: Newton on the slope of a likelihood, held between brackets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from csi.moments.stack import Array, Ints

BOUND = 0.9999
"""Correlations are sought between minus and plus this; where a likelihood rises up to it there is no maximum inside."""

SETTLED = 1e-9
"""The search ends after a Newton step (its error is the square) or an interval between brackets smaller than this."""

STEPS = 100
"""Enough for bisection to reach `SETTLED` from anywhere."""


def maximum(derivatives: Callable[[Array, Ints], tuple[Array, Array]], start: Array) -> Array:
    """Where each of many functions on (-BOUND, BOUND) stops rising.

    A step is Newton's while it stays between the brackets, else their midpoint; the sign of the slope moves a bracket
    to the current point. Functions that have settled are not evaluated again.

    Parameters:
        derivatives: (x of those still moving (m,), their numbers (m,)) to first and second derivatives (m,).
        start: (t,) within the bounds.

    Returns:
        (t,); near plus or minus `BOUND` where a function is monotone.

    Example:
        >>> maximum(lambda x, which: (0.5 - x, -np.ones_like(x)), np.zeros(1)).tolist()
        [0.5]
    """
    x, low, high = start.copy(), np.full(start.size, -BOUND), np.full(start.size, BOUND)
    moving = np.arange(start.size)
    for _ in range(STEPS):
        now = x[moving]
        slope, curve = derivatives(now, moving)
        rises = slope > 0
        low[moving], high[moving] = np.where(rises, now, low[moving]), np.where(rises, high[moving], now)
        concave = curve < 0
        newton = now - slope / np.where(concave, curve, 1.0)
        inside = concave & (newton >= low[moving]) & (newton <= high[moving])
        new = np.where(inside, newton, (low[moving] + high[moving]) / 2)
        x[moving] = np.where(slope == 0, now, new)
        moving = moving[(np.abs(new - now) > SETTLED) & (slope != 0)]
        if moving.size == 0:
            break
    return x
