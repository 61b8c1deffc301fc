"""Iterative proportional fitting of weights to margins, bounded where asked; and again in every replicate.

Letters: `n` rows, `j` joint cells of all margins, `k` categories of a margin, `B` replicates. A category is one of a
group (a brand and wave), so that all groups are raked at once. With the weight W_c of a joint cell, a step over a
margin multiplies the cells of category a by target_a / sum_{c in a} W_c; margins take turns until all agree.

Source:
    Deming & Stephan (1940), Annals of Mathematical Statistics 11:427-444; Deville, Sarndal & Sautory (1993), JASA
    88:1013-1020 (generalised raking); DeBell & Krosnick (2009), ANES Technical Report nes012427 (bounds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from csi.moments.stack import Array, Ints

TOLERANCE = 1e-6
"""Largest deviation of a margin, as a share of its group's total, at which raking has settled."""

ITERATIONS = 500
"""Turns over all margins before raking gives up."""

AGAIN = 50
"""Turns in a replicate, which starts at the margins but for its own chance."""

SETTLED = 1e-9
"""Deviation at which a replicate has settled."""


@dataclass(frozen=True, slots=True)
class Margin:
    """One margin: the category of each row, and what the weights of a category should add up to.

    Attributes:
        code: (n,) category of each row. target: (k,) sums of weights. group: (k,) the group of each category.
    """

    code: Ints
    target: Array
    group: Ints


@dataclass(frozen=True, slots=True)
class Fitted:
    """Raked weights and how raking ended.

    Attributes:
        weight: (n,). iterations: turns over all margins. deviation: (groups,) largest deviation of a margin as a share
            of the group's total. trimmed: (n,) True where a weight stands at a bound.
    """

    weight: Array
    iterations: int
    deviation: Array
    trimmed: np.ndarray


def joint_cells(codes: Sequence[Ints]) -> tuple[Ints, list[Ints]]:
    """(n,) joint cell of each row over several codes, and for each code its value in every cell (j,).

    Example:
        >>> cell, values = joint_cells([np.array([0, 1, 0]), np.array([1, 1, 1])])
        >>> cell.tolist(), [v.tolist() for v in values]
        ([0, 1, 0], [[0, 1], [1, 1]])
    """
    kinds, cell = np.unique(np.stack(codes), axis=1, return_inverse=True)
    return np.asarray(cell, dtype=np.int64).reshape(-1), [np.asarray(row, dtype=np.int64) for row in kinds]


def factors(total: Array, of: Sequence[Ints], target: Sequence[Array], most: int, settled: float) -> tuple[Array, int]:
    """(j, B) factors of joint cells under which every margin is met, and the turns that took.

    A category without any weight cannot be met and is passed over.

    Parameters:
        total: (j, B) weights of the cells. of: category of each cell (j,) for each margin. target: (k,) likewise.
        most: turns. settled: deviation, as a share of the whole, at which to stop.

    Example:
        >>> start = np.array([[10.0], [30.0], [40.0], [20.0]])
        >>> of = [np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])]
        >>> found, _ = factors(start, of, [np.array([50.0, 50.0]), np.array([60.0, 40.0])], 100, 1e-12)
        >>> (found * start).ravel().round(3).tolist()
        [20.0, 30.0, 40.0, 10.0]
    """
    found = np.ones_like(total)
    kinds = zip(of, target, strict=True)
    sums = [sparse.csr_array((np.ones(o.size), (o, np.arange(o.size))), (t.size, o.size)) for o, t in kinds]
    whole = max(float(target[0].sum()), np.finfo(np.float64).tiny)
    for turn in range(1, most + 1):
        worst = 0.0
        for add, o, t in zip(sums, of, target, strict=True):
            have = add @ (found * total)
            there = have > 0
            step = np.where(there, np.divide(t[:, None], have, where=there, out=np.ones_like(have)), 1.0)
            worst = max(worst, float(np.abs(np.where(there, have - t[:, None], 0.0)).max(initial=0.0)) / whole)
            found *= step[o]
        if worst <= settled or len(of) == 1:
            return found, turn
    return found, most


def fit_margins(
    base: Array,
    margins: Sequence[Margin],
    group: Ints,
    *,
    bounds: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
) -> Fitted:
    """Weights that meet all margins and differ from `base` by factors of categories alone, within bounds if asked.

    Bounds are multiples of the mean weight of a group. What lies outside is set to the bound, what was cut off goes to
    the others as the margins are raked again, until nothing lies outside or the turns are used up; bounds hold in any
    case and a group keeps its sum; the deviation from the margins that is left is told.

    Parameters:
        base: (n,) positive. group: (n,) the group of each row.

    Example:
        >>> sex, age = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1])
        >>> both = np.zeros(2, dtype=np.int64)
        >>> margins = [Margin(sex, np.array([2.5, 2.5]), both), Margin(age, np.array([3.0, 2.0]), both)]
        >>> fit_margins(np.ones(5), margins, np.zeros(5, dtype=np.int64)).weight.round(3).tolist()
        [1.706, 0.794, 1.294, 0.603, 0.603]
    """
    weight = base.astype(np.float64)
    cell, of = joint_cells([m.code for m in margins])
    target = [m.target for m in margins]
    trimmed, turns, settled, away = np.zeros(weight.size, dtype=bool), 0, tolerance / 100, 0.0
    size = np.bincount(group).astype(np.float64)
    while turns < iterations:
        total: Array = np.bincount(cell, weight, minlength=of[0].size).astype(np.float64)[:, None]
        step, more = factors(total, of, target, iterations - turns, settled)
        turns += more
        weight *= step[:, 0][cell]
        if bounds is None:
            break
        mean = (np.bincount(group, weight, minlength=size.size) / size)[group]
        low, high = bounds[0] * mean, bounds[1] * mean
        held = np.clip(weight, low, high)
        trimmed = (weight <= low * (1 + NEAR)) | (weight >= high * (1 - NEAR))
        away = float(np.abs(held - weight).max(initial=0.0) / weight.mean())
        weight = held
        if away <= tolerance:
            break
    if bounds is not None and away > tolerance:
        weight = within(weight, group, np.bincount(margins[0].group, margins[0].target) / size, bounds)
    return Fitted(weight, turns, deviations(weight, margins), trimmed)


def within(weight: Array, group: Ints, mean: Array, bounds: tuple[float, float]) -> Array:
    """Weights between multiples of the mean of their group whose groups have that mean: scaled and cut in turns.

    Parameters:
        weight: (n,). group: (n,). mean: (groups,). bounds: at most 1 and at least 1.

    Example:
        >>> group, mean = np.zeros(3, dtype=np.int64), np.array([1.0])
        >>> within(np.array([8.0, 1.0, 1.0]), group, mean, (0.5, 1.5)).round(9).tolist()
        [1.5, 0.75, 0.75]
    """
    size = np.bincount(group, minlength=mean.size)
    low, high = bounds[0] * mean[group], bounds[1] * mean[group]
    weight = weight * (mean * size / np.bincount(group, weight, minlength=mean.size))[group]
    for _ in range(ITERATIONS):
        weight = np.clip(weight, low, high)
        factor = mean * size / np.bincount(group, weight, minlength=mean.size)
        if np.abs(factor - 1).max() < EXACT:
            break
        weight = weight * factor[group]
    return np.clip(weight, low, high)


EXACT = 1e-12
"""So near to its sum, in proportion, a group is at it."""

NEAR = 1e-4
"""A weight this near to a bound, in proportion, stands at it."""


def deviations(weight: Array, margins: Sequence[Margin]) -> Array:
    """(groups,) the largest deviation of a margin's category from its target, as a share of the group's total."""
    count = max(int(m.group.max(initial=0)) for m in margins) + 1
    worst = np.zeros(count)
    for m in margins:
        have = np.bincount(m.code, weight, minlength=m.target.size)
        whole = np.bincount(m.group, m.target, minlength=count)
        np.maximum.at(worst, m.group, np.abs(have - m.target) / whole[m.group])
    return worst


def kish(weight: Array, group: Ints) -> tuple[Array, Array, Array]:
    """(groups,) rows, Kish's design effect of weighting 1 + cv^2 = n sum w^2 / (sum w)^2, and effective n.

    Source: Kish (1992), J. Official Statistics 8:183-200.

    Example:
        >>> [x.round(3).tolist() for x in kish(np.array([1.0, 1.0, 2.0]), np.zeros(3, dtype=np.int64))]
        [[3.0], [1.125], [2.667]]
    """
    n, one = np.bincount(group).astype(np.float64), np.bincount(group, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = n * np.bincount(group, weight**2) / one**2
        return n, effect, n / effect


@dataclass(frozen=True, slots=True)
class Raking:
    """What raking again in every replicate takes: the rows of a whole panel, whether an analysis uses them or not.

    Weights of a replicate are raked to the sums that the full weights have, from full weight times multiplicity: raking
    from the base weights ends at the same point, because both differ by factors of categories alone. Trimmed weights
    start from their bound and are not trimmed again.

    Attributes:
        weight: (n,) full weights. unit: (n,) resampling unit of each row. stratum: (units,) of each unit.
        cell: (n,) joint cell of each row. of: category of each cell (j,) for each margin.
        stream, fraction: (strata,) as in `Sample`.
    """

    weight: Array
    unit: Ints
    stratum: Ints
    cell: Ints
    of: tuple[Ints, ...]
    stream: Ints | None = None
    fraction: Array | None = None

    def again(self, multiplicity: Array) -> Array:
        """(B, n) weights of replicates: full weight times multiplicity, raked.

        Parameters:
            multiplicity: (B, units) how often each unit counts.
        """
        W = (multiplicity[:, self.unit] * self.weight).T
        adds = sparse.csr_array((np.ones(self.cell.size), (self.cell, np.arange(self.cell.size))))
        if not self.of:
            return np.ascontiguousarray(W.T)
        target = [np.bincount(o, adds @ self.weight).astype(np.float64) for o in self.of]
        found, _ = factors(adds @ W, self.of, target, AGAIN, SETTLED)
        return np.ascontiguousarray((W * found[self.cell]).T)

    def residual(self, z: Array, weight: Array, place: Ints) -> Array:
        """(n', m) what margins leave of columns: residuals of a weighted regression on their categories.

        With w_i e_i in the place of w_i z_i the linearised variance is that of raked weights.

        Parameters:
            z: (n', m) values of some rows. weight: (n',) their weights. place: (n',) which rows they are.

        Source: Deville & Sarndal (1992), JASA 87:376-382.
        """
        cell, e = self.cell[place], np.array(z, dtype=np.float64)
        for _ in range(AGAIN):
            moved = 0.0
            for o in self.of:
                code = o[cell]
                size = np.bincount(code, weight)
                with np.errstate(divide="ignore", invalid="ignore"):
                    mean = np.stack([np.bincount(code, weight * c, minlength=size.size) / size for c in e.T], axis=1)
                step = np.nan_to_num(mean)[code]
                e -= step
                moved = max(moved, float(np.abs(step).max(initial=0.0)))
            if len(self.of) == 1 or moved <= SETTLED * (1 + float(np.abs(z).max(initial=0.0))):
                break
        return e
