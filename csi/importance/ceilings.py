"""Ceilings over a scatter of points: how much of the upper left corner is empty, and what level needs what.

Letters: `n` rows, `m` distinct values of the condition, `B` permutations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.moments.stack import Array

Ceiling = Literal["ce_fdh", "cr_fdh"]
"""The step function over the free disposal hull, and the regression line through its corners."""

Scope = tuple[float, float, float, float]
"""Least and largest value of the condition, then of the outcome."""

ROUNDING = 1e-9
"""Two effect sizes that differ less are one: a permutation that gives the same hull counts as equal."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One ceiling of one condition.

    Attributes:
        ceiling: "ce_fdh" or "cr_fdh". scope: as in `Scope`. peers: (k, 2) corners of the hull, x rising.
        intercept, slope: of the line; NaN for the step function, or where there is one corner alone.
        zone: empty area above the ceiling. effect: zone / area of the scope. accuracy: share of rows on or below it.
        condition_inefficiency, outcome_inefficiency: shares of the range of x and y where the ceiling does not bind.
    """

    ceiling: Ceiling
    scope: Scope
    peers: Array
    intercept: float
    slope: float
    zone: float
    effect: float
    accuracy: float
    condition_inefficiency: float
    outcome_inefficiency: float


def scope_of(x: Array, y: Array) -> Scope:
    """The observed ranges.

    Example:
        >>> scope_of(np.array([2.0, 1.0]), np.array([5.0, 7.0]))
        (1.0, 2.0, 5.0, 7.0)
    """
    return float(x.min()), float(x.max()), float(y.min()), float(y.max())


def peers(x: Array, y: Array) -> Array:
    """(k, 2) upper left corners of the free disposal hull: each has more y than every row with as much x or less.

    Source:
        Dul (2016), Organizational Research Methods 19(1), 10-52.

    Example:
        >>> peers(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 0.0, 4.0, 2.0])).tolist()
        [[1.0, 1.0], [2.0, 4.0]]
    """
    order = np.lexsort((-y, x))
    x, y = x[order], y[order]
    before = np.concatenate([[-np.inf], np.maximum.accumulate(y)[:-1]])
    new = y > before
    return np.column_stack([x[new], y[new]])


def ceiling_of(x: Array, y: Array, kind: Ceiling, scope: Scope | None = None) -> Fitted:
    """Fit a ceiling and measure what lies above it.

    ce_fdh: y <= max{y_i : x_i <= x}; cr_fdh: least squares line through the corners. effect = zone / scope.

    Parameters:
        x, y: (n,) finite. kind: which ceiling. scope: theoretical ranges; the observed ones when None.

    Source:
        Dul (2016), eq. 1-5.

    Example:
        >>> x, y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])
        >>> ceiling_of(x, y, "ce_fdh").effect, ceiling_of(x, y, "cr_fdh").effect
        (0.75, 0.5)
    """
    scope = scope or scope_of(x, y)
    corners = peers(x, y)
    area = (scope[1] - scope[0]) * (scope[3] - scope[2])
    if kind == "ce_fdh":
        return _steps(corners, scope, area)
    return _line(x, y, corners, scope, area)


def _steps(corners: Array, scope: Scope, area: float) -> Fitted:
    low, high, floor, top = scope
    edges = np.concatenate([[low], corners[:, 0], [high]])
    heights = np.concatenate([[floor], corners[:, 1]])
    zone = float(((top - heights) * np.diff(edges)).sum())
    full = corners[-1, 0] if corners[-1, 1] >= top else high
    start = corners[0, 1] if corners[0, 0] <= low else floor
    unbound = (high - full) / (high - low), (start - floor) / (top - floor)
    return Fitted("ce_fdh", scope, corners, np.nan, np.nan, zone, zone / area, 1.0, *map(float, unbound))


def _line(x: Array, y: Array, corners: Array, scope: Scope, area: float) -> Fitted:
    low, high, floor, top = scope
    if len(corners) < 2:
        return Fitted("cr_fdh", scope, corners, np.nan, np.nan, 0.0, 0.0, 1.0, 1.0, 1.0)
    at = corners.mean(axis=0)
    d = corners - at
    slope = float((d[:, 0] * d[:, 1]).sum() / (d[:, 0] ** 2).sum())
    intercept = float(at[1] - slope * at[0])
    zone = float(above_line(np.array([slope]), np.array([intercept]), scope)[0])
    below = y <= intercept + slope * x + ROUNDING * (top - floor)
    full, start = (top - intercept) / slope, intercept + slope * low
    unbound = np.clip([(high - full) / (high - low), (start - floor) / (top - floor)], 0.0, 1.0)
    return Fitted(
        "cr_fdh", scope, corners, intercept, slope, zone, zone / area, float(below.mean()), *map(float, unbound)
    )


def above_line(slope: Array, intercept: Array, scope: Scope) -> Array:
    """Area of the scope above each line: integral of top - clip(a + b x, floor, top) over [low, high]; b > 0."""
    low, high, floor, top = scope
    with np.errstate(divide="ignore", invalid="ignore"):
        x_floor = np.clip((floor - intercept) / slope, low, high)
        x_top = np.clip((top - intercept) / slope, low, high)
    flat = (x_floor - low) * (top - floor)
    left, right = (np.clip(top - intercept - slope * edge, 0.0, top - floor) for edge in (x_floor, x_top))
    return np.asarray(flat + (x_top - x_floor) * (left + right) / 2, dtype=np.float64)


def required(fitted: Fitted, levels: Array) -> Array:
    """What each level of the outcome needs of the condition, in its units.

    -inf where nothing is needed (the ceiling reaches the level at the least x), +inf where no x of the scope is enough.

    Parameters:
        levels: (l,) of the outcome.

    Example:
        >>> made = ceiling_of(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), "ce_fdh")
        >>> required(made, np.array([0.0, 0.5, 2.0, 3.0])).tolist()
        [-inf, 1.0, 2.0, inf]
    """
    low, high = fitted.scope[:2]
    slack = ROUNDING * (fitted.scope[3] - fitted.scope[2])
    if fitted.ceiling == "ce_fdh":
        reached = fitted.peers[None, :, 1] >= levels[:, None] - slack
        first = np.argmax(reached, axis=1)
        needed = np.where(reached.any(axis=1), fitted.peers[first, 0], np.inf)
    elif np.isfinite(fitted.slope):
        needed = (levels - fitted.intercept) / fitted.slope
    else:
        return np.full(levels.shape, -np.inf)
    needed = np.where(needed > high + ROUNDING * (high - low), np.inf, needed)
    nothing = (needed <= low) | (levels <= fitted.scope[2])
    return np.where(nothing & (levels <= fitted.scope[3] + slack), -np.inf, needed)


def permutation_p(effect: float, drawn: Array) -> float:
    """(k + 1) / (B + 1), k the shuffles whose effect is at least as large.

    Source:
        Dul, van der Laan & Kuik (2020), Organizational Research Methods 23(2), 385-395; Phipson & Smyth (2010).

    Example:
        >>> permutation_p(0.5, np.array([0.1, 0.5, 0.2]))
        0.5
    """
    return float((1 + (drawn >= effect - ROUNDING).sum()) / (drawn.size + 1))
