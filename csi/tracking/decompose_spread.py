"""The linearised covariance of a decomposition, from few directions instead of every unit.

    Cov(numbers) = J' Cov(z) J

J the derivative of the numbers by shares, means and weights of both waves, z what every unit adds to these. A cell is
worked out once for both its changes, and weights that cells share once for all of them.

Letters: `u` units, `g` classes, `p` items, `k` = 2 g p entries of a cell, `m` numbers, `h` strata.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from csi.moments.stack import Array, Ints
from csi.tracking.index_influence import Strata
from csi.tracking.shapley import State

STEP = 1e-20
"""The imaginary step of a derivative: smaller than rounding, so the derivative is exact."""

KEPT = 64
"""Cells that are remembered. Results do not depend on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """What units add to some entries.

    Attributes:
        units: (u,) sorted. values: (u, k). weighted: (u, k) times the units' factors. codes: (h,) strata, sorted.
        sums: (h, k) over them. held: (h, k) the sums times the strata's shares.
    """

    units: Ints
    values: Array
    weighted: Array
    codes: Ints
    sums: Array
    held: Array

    @classmethod
    def of(cls, strata: Strata, units: Ints, values: Array) -> Added:
        """From the influence of every unit."""
        layer = strata.layer[units]
        codes, at = np.unique(layer, return_inverse=True)
        sums = np.zeros((codes.size, values.shape[1]))
        np.add.at(sums, at, values)
        held = strata.share[codes][:, None] * sums
        return cls(units, values, strata.factor[layer][:, None] * values, codes, sums, held)


def between(one: Added, other: Added) -> Array:
    """(k, l) design covariance of two sets of entries.

    Example:
        >>> strata = Strata.of(np.zeros(3, dtype=np.int64))
        >>> a = Added.of(strata, np.array([0, 1, 2]), np.array([[1.0], [0.0], [-1.0]]))
        >>> between(a, a).tolist()
        [[3.0]]
    """
    if one.units.size > other.units.size:
        return between(other, one).T
    mine, theirs = _met(one.units, other.units)
    layers, those = _met(one.codes, other.codes)
    found: Array = one.weighted[mine].T @ other.values[theirs] - one.held[layers].T @ other.sums[those]
    return found


def _met(few: Ints, many: Ints) -> tuple[Ints, Ints]:
    """Places of what sorted lists have in common."""
    if not few.size or not many.size:
        return few[:0], few[:0]
    at = np.minimum(np.searchsorted(many, few), many.size - 1)
    here = np.flatnonzero(many[at] == few)
    return here, at[here]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """The last cells that were worked out, and the weights of every group that was asked for."""

    cells: dict[int, Added] = field(default_factory=dict)
    groups: dict[int, Added] = field(default_factory=dict)
    pairs: dict[tuple[int, int], Array] = field(default_factory=dict)

    def cell(self, number: int, make: Callable[[], Added]) -> Added:
        """A cell, made where it is not remembered."""
        if number not in self.cells:
            while len(self.cells) >= KEPT:
                self.cells.pop(next(iter(self.cells)))
            self.cells[number] = make()
        return self.cells[number]

    def group(self, number: int, make: Callable[[], Added]) -> Added:
        """The weights of a group."""
        if number not in self.groups:
            while len(self.groups) >= KEPT:
                gone = next(iter(self.groups))
                self.groups.pop(gone)
                for pair in [p for p in self.pairs if gone in p]:
                    self.pairs.pop(pair)
            self.groups[number] = make()
        return self.groups[number]

    def among(self, i: int, j: int) -> Array:
        """Covariance of the weights of two groups."""
        if (i, j) not in self.pairs:
            self.pairs[i, j] = between(self.groups[i], self.groups[j])
        return self.pairs[i, j]


def derivative(old: State, new: State, numbers: Callable[[State, State], Array]) -> tuple[Array, Array]:
    """(p + 2 g p, m) derivatives by the weights, shares and means of the old state, and by those of the new one.

    Source:
        Squire & Trapp (1998), SIAM Review 40(1), 110-112 (the complex step).
    """
    size = old.weights.size + 2 * old.shares.size
    still = np.zeros((size, size))
    moved = STEP * np.eye(size)
    sides = []
    for by_old, by_new in ((moved, still), (still, moved)):
        found = numbers(_away(old, by_old), _away(new, by_new))
        sides.append(np.imag(found) / STEP)
    return sides[0], sides[1]


def _away(state: State, steps: Array) -> State:
    """The state with imaginary steps (d, p + 2 g p) along each direction."""
    p, inside = state.weights.size, state.shares.shape
    shares, means = (part.reshape(-1, *inside) for part in np.split(steps[:, p:], 2, axis=1))
    return State(state.weights + 1j * steps[:, :p], state.shares + 1j * shares, state.means + 1j * means)


def covariance(
    cells: tuple[Added, Added], groups: tuple[int, int] | None, memory: Memory, slopes: tuple[Array, Array], p: int
) -> Array:
    """(m, m) covariance of the numbers.

    Parameters:
        cells: what units add to shares and means (u, 2 g p) of the earlier and of the later cell. groups: the groups of
            weights of both, made already, or None without influence on weights. slopes: `derivative`. p: items.
    """
    parts: list[tuple[Array, Added, int | None]] = [
        (slope[p:], cell, None) for slope, cell in zip(slopes, cells, strict=True)
    ]
    if groups is not None:
        a, b = groups
        if a == b:
            parts.append((slopes[0][:p] + slopes[1][:p], memory.groups[a], a))
        else:
            parts += [(slopes[0][:p], memory.groups[a], a), (slopes[1][:p], memory.groups[b], b)]
    m = slopes[0].shape[1]
    found = np.zeros((m, m))
    for i, (slope, one, g) in enumerate(parts):
        for j, (steep, other, h) in enumerate(parts[i:], start=i):
            middle = between(one, other) if g is None or h is None else memory.among(g, h)
            added = slope.T @ middle @ steep
            found += added if i == j else added + added.T
    return found


def flat(z: State) -> Array:
    """(u, 2 g p) shares and means of influence values."""
    return np.concatenate([z.shares.reshape(len(z.shares), -1), z.means.reshape(len(z.means), -1)], axis=1)


def without_shares(slope: Array, p: int, entries: int) -> Array:
    """The derivative where shares are held: their rows are zero.

    Parameters:
        entries: g p of them.
    """
    kept = slope.copy()
    kept[p : p + entries] = 0.0
    return kept
