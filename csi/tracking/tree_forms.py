"""A tree across breaks of its series: the index in points of every wave's own form, and where it cannot be compared.

Letters: `t` waves, `r` rows, `x` columns (see `tree_leaves`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from csi.errors import Note, Reason, note
from csi.moments.stack import Array
from csi.tracking.breaks import Break, between, break_notes, bridged, check_breaks, methods, wall
from csi.tracking.index import Index
from csi.tracking.tree_leaves import Leaves
from csi.tracking.tree_parents import Rows, evaluated


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms that a series was measured in.

    Attributes:
        each: the index in points of each form, the first one as it is: earlier waves moved by the links, as far as
            they reach. at: (t) which of them a wave was measured in. walls: places of waves that are not compared with
            the wave before. breaks, order: all breaks and all waves. construct: its column.
    """

    each: tuple[Index, ...]
    at: tuple[int, ...]
    walls: frozenset[int]
    breaks: tuple[Break, ...]
    order: tuple[str, ...]
    construct: int

    @property
    def latest(self) -> Index:
        """In points of the last form."""
        return self.each[-1]

    def values(self, t: int) -> Array:
        """(c,) all cells in points of a wave's form, 0 where there is none."""
        return np.nan_to_num(self.each[self.at[t]].values[:, self.construct])

    def wall(self, earlier: str, later: str) -> Reason | None:
        """Why two waves are not compared."""
        return wall(self.breaks, self.order, earlier, later, self.latest.constructs[self.construct])

    def link(self, earlier: str, later: str) -> str | None:
        """The links that a comparison of two waves goes through."""
        return methods(self.breaks, self.order, earlier, later, self.latest.constructs[self.construct])

    def evaluated(self, rows: sparse.csr_matrix, waves: Sequence[int], leaves: Leaves) -> Rows:
        """Values, errors and degrees of freedom of rows (r, x), each in points of the form of its wave (r)."""
        which = np.array([self.at[t] for t in waves], dtype=np.int64)
        value, error, df = np.empty((3, which.size))
        for k in np.unique(which):
            mine = np.flatnonzero(which == k)
            found = evaluated(self.each[k], self.construct, sparse.csr_matrix(rows[mine]), leaves)
            value[mine], error[mine], df[mine] = found.value, found.std_error, found.df
        return Rows(value, error, df)

    def notes(self, *, rebased: bool) -> tuple[Note, ...]:
        """What is said of breaks, links and a chain that meets them."""
        told = list(break_notes(self.breaks, [self.latest.constructs[self.construct]]))
        if rebased and self.walls:
            en = "The rebased index ends at a break without a link: nothing connects the waves on both sides."
            told.append(note("N-TREE-CHAIN", en, "定基指数止于未衔接的断点：两侧各期之间没有联系。"))
        elif rebased and len(self.each) > 1:
            en = "The rebased index is in points of the latest form throughout; its errors contain those of the links."
            told.append(note("N-TREE-CHAIN", en, "定基指数全部以最新形式的分数计，其标准误已含衔接误差。"))
        return tuple(told)


def forms_of(
    index: Index, construct: int, waves: Sequence[str], order: Sequence[str], breaks: Sequence[Break]
) -> Forms:
    """The index in the form of every wave.

    Parameters:
        waves: those of the tree, oldest first. order: all of them.

    Raises:
        Problems: E-BREAK.
    """
    if breaks:
        check_breaks(breaks, order)
    crossed = [between(breaks, order, order[0], w) if breaks else [] for w in waves]
    kinds = {len(one): one for one in crossed}  # later waves cross what earlier ones do, and more
    each = tuple(bridged(index, construct, kind, order) if kind else index for kind in kinds.values())
    name = index.constructs[construct]
    walls = {t for t in range(1, len(waves)) if breaks and wall(breaks, order, waves[t - 1], waves[t], name)}
    at = tuple(list(kinds).index(len(one)) for one in crossed)
    return Forms(each, at, frozenset(walls), tuple(breaks), tuple(order), construct)
