"""The integer programme behind a plan: solved by HiGHS, and by listing every plan where there are few.

    value_x = gain_x;   where a point of the target has a worth: value_x = worth gain_x - cost_x

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
    """Levels to buy, (x,) each: lever, points, reached (what is left at the end of the scale), cost, gain.

    With `worth` (of one point of the target, in the unit of the costs) plans are judged by their net.
    """

    lever: tuple[str, ...]
    points: Array
    reached: Array
    cost: Array
    gain: Array
    worth: float | None = None

    def value(self, gain: Array) -> Array:
        """What levels are judged by, given their gains (..., x): the net where a point has a worth, else the gain.

        Example:
            >>> one = Programme(("a",), np.ones(1), np.ones(1), np.array([15.0]), np.array([1.6]), worth=40.0)
            >>> one.value(one.gain).tolist()
            [49.0]
        """
        return gain if self.worth is None else self.worth * gain - self.cost

    def buys(self, budget: float) -> bool:
        """Whether the budget is enough for any level at all."""
        return bool((self.cost <= budget * (1 + TINY)).any())

    def spread(self, names: Sequence[str]) -> Array:
        """(L, x) points that a draw of the responses (L) turns into gains."""
        out = np.zeros((len(names), len(self.lever)))
        for x, name in enumerate(self.lever):
            out[list(names).index(name), x] = self.reached[x]
        return out

    def picked(self, plan: Sequence[int]) -> dict[str, float]:
        """Lever -> points of a plan."""
        return {self.lever[x]: float(self.points[x]) for x in plan}

    def named(self, plan: Sequence[int]) -> str:
        """A plan by the names of its levers: `a +5, b +10`; `-` where nothing is bought."""
        return ", ".join(f"{lever} {points:+g}" for lever, points in self.picked(plan).items()) or "-"


def best(found: Programme, budget: float, gain: Array | None = None) -> tuple[int, ...]:
    """The levels with the largest gain (or net) within the budget, by mixed-integer programming.

    Example:
        >>> gain, cost = np.array([2.0, 3.0, 1.5]), np.array([20.0, 60.0, 10.0])
        >>> one = Programme(("a", "a", "b"), np.array([5.0, 10.0, 5.0]), np.ones(3), cost, gain)
        >>> best(one, 30.0), best(one, 70.0), best(one, 5.0)
        ((0, 2), (1, 2), ())
        >>> best(Programme(one.lever, one.points, one.reached, cost, gain, worth=30.0), 70.0)
        (0, 2)
    """
    own = found.value(found.gain if gain is None else gain)
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

    def best_of(self, values: Array) -> list[tuple[int, ...]]:
        """The best plan of every draw of values (B, x)."""
        usable = values[np.isfinite(values).all(axis=1)]
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
