"""Respondents moved along the 0-100 scale and stopped at its ends: how much of a rise of the levers is left.

What follows from the levers is not stopped respondent by respondent again: paths are averages over all respondents,
those at the end of a scale included. Only its mean stops at 0 and 100.

Letters: `n` respondents of a cell, `K` constructs told (levers first), `L` levers, `b` cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.estimate.estimate import Estimate
from csi.importance.points import bounds_of, places_of, relative_of, score_rows
from csi.measures.performance import hundred, performance
from csi.moments.stack import Array

TOP = 100.0
CLOSE = 1e-9
ENOUGH = 2
"""Complete rows from which respondents are moved one by one."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What is left of rises.

    Attributes:
        now: (b, K) means on 0-100. rise: (b, L) mean rises that are left of what was asked. at_end: (b, L) share of
            respondents at 0 or 100 after that, NaN without rows.
    """

    now: Array
    rise: Array
    at_end: Array

    @property
    def rows(self) -> bool:
        """Whether every cell had respondents to move."""
        return bool(np.isfinite(self.at_end).all())

    def left(self, place: Sequence[int], linear: Array) -> Array:
        """Mean changes of constructs (b, m), at places of those told, that are left where means stop at 0 and 100."""
        now = self.now[:, list(place)]
        return np.asarray(np.clip(now + linear, 0.0, TOP) - now, dtype=np.float64)


def shifted(est: Estimate, told: Sequence[int], points: Array, items: Sequence[int] = ()) -> Shift:
    """Means, rises that are left, and who is at the end of the scale then.

    Parameters:
        told: positions of the constructs told, the levers first. points: (L,) asked of the levers. items: as `Asked`.
    """
    at, (low, high), L = places_of(est), bounds_of(est), len(points)
    relative = relative_of(est.solution, est.moments.sd[:, at], high - low)
    mean = hundred(est.moments.mean[:, at], low, high)
    now = performance(relative, mean, est.solution.block, len(est.solution.constructs))[:, list(told)]
    single = [(lever, item) for lever, item in enumerate(items) if item >= 0]
    for lever, item in single:
        now[:, lever] = mean[:, item]
    rise, end = stopped(now[:, :L], points), np.full((len(now), L), np.nan)
    scores, sample = score_rows(est, relative), est.sample
    if scores is None or sample is None:
        return Shift(now, rise, end)
    score = scores[:, list(told)[:L]]
    for lever, item in single:
        place = sample.names.index(est.solution.items[item])
        score[:, lever] = hundred(sample.rows[:, place], sample.minimum[place], sample.maximum[place])
    for cell in range(len(now)):
        rows = (sample.cell == cell) & np.isfinite(score).all(axis=1)
        if rows.sum() >= ENOUGH:
            weight, change = sample.weight[rows] / sample.weight[rows].sum(), stopped(score[rows], points)
            after = score[rows] + change
            rise[cell] = weight @ change
            end[cell] = weight @ ((after >= TOP - CLOSE) | (after <= CLOSE))
    return Shift(now, rise, end)


def stopped(score: Array, change: Array) -> Array:
    """Changes that stop at 0 and 100.

    Example:
        >>> stopped(np.array([50.0, 98.0]), np.array([5.0, 5.0])).tolist()
        [5.0, 2.0]
    """
    return np.asarray(np.clip(score + change, 0.0, TOP) - score, dtype=np.float64)
