"""The integer programme behind a plan: solved by HiGHS, and by listing every plan where there are few.

Letters: `x` levels of all levers, `B` draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy

from csi.moments.stack import Array

MOST: Final = 5000
"""Plans up to which all of them are listed."""

TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Programme:
    """Levels to buy, (x,) each: lever, points, reached (what is left at the end of the scale), cost, gain."""

    lever: tuple[str, ...]
    points: Array
    reached: Array
    cost: Array
    gain: Array

    def spread(self, names: Sequence[str]) -> Array:
        """(L, x) points that a draw of the responses (L) turns into gains."""
        out = np.zeros((len(names), len(self.lever)))
        for x, name in enumerate(self.lever):
            out[list(names).index(name), x] = self.reached[x]
        return out

    def named(self, plan: Sequence[int]) -> str:
        """A plan in words: `a +5, b +10`; `-` where nothing is bought."""
        return ", ".join(f"{self.lever[x]} {self.points[x]:+g}" for x in plan) or "-"


def best(found: Programme, budget: float, gain: Array | None = None) -> tuple[int, ...]:
    """The levels with the largest gain within the budget, by mixed-integer programming.

    Example:
        >>> gain, cost = np.array([2.0, 3.0, 1.5]), np.array([20.0, 60.0, 10.0])
        >>> one = Programme(("a", "a", "b"), np.array([5.0, 10.0, 5.0]), np.ones(3), cost, gain)
        >>> best(one, 30.0), best(one, 70.0), best(one, 5.0)
        ((0, 2), (1, 2), ())
    """
    own = found.gain if gain is None else gain
    if not np.isfinite(own).all():
        return ()
    names = list(dict.fromkeys(found.lever))
    each = np.array([[1.0 if lever == name else 0.0 for lever in found.lever] for name in names])
    solver = scipy.optimize
    limits = [solver.LinearConstraint(found.cost[None, :], ub=budget), solver.LinearConstraint(each, ub=1.0)]
    ones = np.ones(len(own))
    solved = solver.milp(-own + TINY * found.cost, constraints=limits, integrality=ones, bounds=solver.Bounds(0.0, 1.0))
    return () if solved.x is None else tuple(int(x) for x in np.flatnonzero(solved.x > 0.5))


@dataclass(frozen=True, slots=True)
class Listed:
    """Every plan within a budget: which levels (plans, x) each has, the cheapest first."""

    member: Array

    def best_of(self, gains: Array) -> list[tuple[int, ...]]:
        """The best plan of every draw of gains (B, x)."""
        usable = gains[np.isfinite(gains).all(axis=1)]
        at = np.argmax(usable @ self.member.T, axis=1)
        return [tuple(int(x) for x in np.flatnonzero(self.member[k])) for k in at]


def every_plan(found: Programme, budget: float) -> Listed | None:
    """All plans that the budget allows; None where they are too many to be listed."""
    groups: dict[str, list[int]] = {}
    for x, name in enumerate(found.lever):
        groups.setdefault(name, []).append(x)
    if np.prod([len(levels) + 1.0 for levels in groups.values()]) > MOST:
        return None
    plans: list[tuple[int, ...]] = [()]
    for levels in groups.values():
        plans = [(*p, *more) for p in plans for more in ((), *((x,) for x in levels))]
    plans = [p for p in plans if found.cost[list(p)].sum() <= budget * (1 + TINY)]
    plans.sort(key=lambda p: (float(found.cost[list(p)].sum()), p))
    member = np.zeros((len(plans), len(found.lever)))
    for k, p in enumerate(plans):
        member[k, list(p)] = 1.0
    return Listed(member)
