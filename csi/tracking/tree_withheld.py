"""What a tree must not show: numbers of too few answers, and what would give them away.

A parent, the shares of its children and all children but one tell the last one. So where a child is not shown, a
second one is not shown either (the smallest), until what is left over is of two leaves and enough answers; where a
parent has no more children to spare it is not shown itself, and what is above it follows. Comparisons at other weights
are further equations between the same children; those that would let a hidden number be solved for are left out.

Letters: `m` nodes, `l` leaves, `t` waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from csi.moments.stack import Array, Ints
from csi.tracking.tree_leaves import CARRIED, IMPUTED, SEEN, Leaves
from csi.tracking.tree_parents import Shares
from csi.tracking.tree_structure import Structure

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Withheld:
    """What is not shown.

    Attributes:
        nodes: (t, m) whether a node's numbers are not shown; small: (t, m) because it has too few answers itself,
            otherwise because it would give away another.
    """

    nodes: Bools
    small: Bools


def withheld(tree: Structure, leaves: Leaves, shares: Sequence[Shares], small: int) -> Withheld:
    """Primary and secondary suppression, wave by wave.

    Parameters:
        small: answers below which nothing is shown; 0 shows everything.

    Source:
        Hundepool et al. (2012), Statistical Disclosure Control, 4.2-4.4: hierarchical tables.
    """
    waves, many = leaves.present.shape[0], len(tree.names)
    nodes, few = np.zeros((waves, many), dtype=np.bool_), np.zeros((waves, many), dtype=np.bool_)
    base = answers_behind(leaves)
    at = np.array(tree.leaves)
    if small <= 0:
        return Withheld(nodes, few)
    for t in range(waves):
        few[t, at] = leaves.present[t] & (leaves.treatment[t] != IMPUTED) & (base[t] < small)
        again = _told_elsewhere(tree, leaves, nodes, few, t)
        wave = _Wave(tree, shares[t].coverage > 0, base[t], leaves.treatment[t], small, few[t, :] | again)
        wave.cover()
        nodes[t] = wave.hidden
        behind = shares[t].of_leaves > 0
        few[t] = nodes[t] & ((behind @ base[t] < small) | few[t])
    return Withheld(nodes, few)


def answers_behind(leaves: Leaves) -> Ints:
    """(t, l) answers behind each leaf's value: of a carried one those of its wave, of an imputed one none."""
    waves, many = leaves.present.shape
    source = np.arange(waves)[:, None] - np.where(leaves.treatment == CARRIED, leaves.age, 0)
    found = leaves.n[source, np.arange(many)]
    return np.where(leaves.treatment == IMPUTED, 0, found)


def _told_elsewhere(tree: Structure, leaves: Leaves, nodes: Bools, few: Bools, t: int) -> Bools:
    """(m) leaves that repeat a hidden value: carried from one, or imputed from siblings one of which is hidden."""
    found = np.zeros(len(tree.names), dtype=np.bool_)
    over = np.array(tree.parent)
    for k, node in enumerate(tree.leaves):
        if leaves.treatment[t, k] == CARRIED:
            found[node] = nodes[t - leaves.age[t, k], node]
        elif leaves.treatment[t, k] == IMPUTED:
            beside = over == over[node]
            earlier = nodes[t - leaves.age[t, k] : t, beside]
            found[node] = bool(earlier.any() or few[t, beside].any())
    return found


@dataclass(slots=True)
class _Wave:
    """One wave; `hidden` (m) grows until no parent gives away a child.

    Attributes:
        there: (m) nodes with a value. base: (l) answers. treatment: (l).
    """

    tree: Structure
    there: Bools
    base: Ints
    treatment: npt.NDArray[np.object_]
    small: int
    hidden: Bools
    place: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.place = {node: k for k, node in enumerate(self.tree.leaves)}

    def cover(self) -> None:
        """From the lowest parents to the top."""
        for parent in reversed(self.tree.parents):
            below = [i for i in self.tree.children(parent) if self.there[i]]
            if not any(self.hidden[i] for i in below):
                continue
            while not self._enough(below):
                spare = [i for i in below if not self.hidden[i] and self._own(i)]
                if not spare:
                    self.hidden[parent] = True
                    break
                self._hide(min(spare, key=self._size))

    def _enough(self, below: Sequence[int]) -> bool:
        """Whether what is left over of a parent is of two leaves and enough answers."""
        gone = [k for i in below if self.hidden[i] for k in self._leaves(i) if self.hidden[self.tree.leaves[k]]]
        real = [k for k in gone if self.treatment[k] != IMPUTED]
        return len(real) > 1 and self.base[real].sum() >= self.small

    def _hide(self, node: int) -> None:
        """A node, and of a parent the smallest branch below it too: else its children would add up to it."""
        self.hidden[node] = True
        below = [i for i in self.tree.children(node) if self.there[i]]
        if below and not any(self.hidden[i] for i in below):
            self._hide(min((i for i in below if self._own(i)), key=self._size))

    def _own(self, node: int) -> bool:
        """Whether hiding a node hides anything: a value carried from a wave that shows it is known."""
        return any(self.treatment[k] == SEEN for k in self._leaves(node))

    def _size(self, node: int) -> int:
        return int(self.base[self._leaves(node)].sum())

    def _leaves(self, node: int) -> list[int]:
        """Places of the leaves with a value below a node, itself included."""
        if node in self.place:
            return [self.place[node]]
        return [k for i in self.tree.children(node) if self.there[i] for k in self._leaves(i)]


@dataclass(slots=True)
class Known:
    """What everybody can work out from the numbers that are shown: a space of weighted sums of hidden cells.

    Attributes:
        columns: the hidden cells. basis: (k, d) orthonormal, the sums that are known. secret: (r, k) what is left of
            the sums that must not be known, beyond the basis.
    """

    columns: Ints
    basis: Array
    secret: Array

    @classmethod
    def of(
        cls, leaves: Leaves, rows: Sequence[sparse.csr_matrix], hidden: Withheld, tree: Structure, cells: int
    ) -> Known:
        """From the nodes that are shown.

        Parameters:
            rows: wave -> (m, x). cells: how many columns are cells.
        """
        at = np.array(tree.leaves)
        gone, seen = np.zeros(cells, dtype=np.bool_), np.zeros(cells, dtype=np.bool_)
        for t, made in enumerate(leaves.rows):
            for mine, which in (
                (hidden.nodes[t, at], gone),
                (~hidden.nodes[t, at] & (leaves.treatment[t] == SEEN), seen),
            ):
                cell = made[np.flatnonzero(mine)].indices
                which[cell[cell < cells]] = True
        columns = np.flatnonzero(gone & ~seen)
        parts = [
            (r[np.flatnonzero(~h)], r[np.flatnonzero(f)])
            for r, h, f in zip(rows, hidden.nodes, hidden.small, strict=True)
        ]
        shown, secret = (
            sparse.vstack(part).tocsr()[:, columns] if columns.size else sparse.csr_matrix((0, 0))
            for part in zip(*parts, strict=True)
        )
        made_ = cls(columns, np.zeros((columns.size, 0)), np.asarray(secret.todense(), dtype=np.float64))
        for row in np.asarray(shown[np.flatnonzero(np.diff(shown.indptr) > 0)].todense()):
            made_.add(row, always=True)
        return made_

    def add(self, row: Array, *, always: bool = False) -> bool:
        """Show one more sum (k,), unless something would be known that must not be; returns whether it is shown."""
        size = float(np.abs(row).max(initial=0.0))
        left = row - self.basis @ (self.basis.T @ row)
        left = left - self.basis @ (self.basis.T @ left)
        length = float(np.linalg.norm(left))
        if length <= SAME * max(size, 1.0):
            return True
        unit = left / length
        secret = self.secret - np.outer(self.secret @ unit, unit)
        if (
            not always
            and (np.abs(secret).max(axis=1, initial=0.0) < NEAR * np.abs(self.secret).max(axis=1, initial=0.0)).any()
        ):
            return False
        self.basis, self.secret = np.column_stack([self.basis, unit]), secret
        return True

    def part(self, row: sparse.csr_matrix) -> Array:
        """(k,) the hidden cells in a row over all columns."""
        return np.asarray(row[:, self.columns].todense(), dtype=np.float64).ravel()


SAME, NEAR = 1e-10, 1e-5
"""Below this share a sum says nothing new; below that share of what was left of a secret it is known."""
