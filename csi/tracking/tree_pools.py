"""Leaves that are made of several brands, such as all others: which of them two waves have in common.

Letters: `l` leaves, `t` waves, `x` columns (see `tree_leaves`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from csi.survey.disclosure import shared

Members = Mapping[str, tuple[int, int]]
"""Brand -> its cell and its answers."""

Source = tuple[int, int]
"""(wave, leaf) that a value is from."""


@dataclass(frozen=True, slots=True)
class Pools:
    """What leaves are made of.

    Attributes:
        members: (wave, leaf) -> the brands in it. small: answers below which nothing is told.
    """

    members: Mapping[Source, Members] = field(default_factory=dict)
    small: int = 0

    def changed(self, later: Source, earlier: Source) -> bool:
        """Whether a leaf is made of other brands."""
        return set(self.members.get(later, ())) != set(self.members.get(earlier, ()))

    def common(self, later: Source, earlier: Source) -> list[str]:
        """The brands of both waves, as far as they may be told without the others."""
        now, then = self.members[later], self.members[earlier]
        names = list(dict.fromkeys((*now, *then)))
        n, m = (np.array([wave.get(name, (0, 0))[1] for name in names]) for wave in (now, then))
        return [name for name, kept in zip(names, shared(n, m, self.small), strict=True) if kept]

    def rows(self, later: Source, earlier: Source, columns: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix] | None:
        """(1, x) both waves over the brands of both, weighed by the answers of the later one; None without any."""
        names = self.common(later, earlier)
        if not names:
            return None
        n = np.array([self.members[later][name][1] for name in names], dtype=np.float64)
        row = np.zeros(n.size, dtype=np.int64)
        cells = ([self.members[wave][name][0] for name in names] for wave in (later, earlier))
        now, then = (sparse.csr_matrix((n / n.sum(), (row, np.array(at))), shape=(1, columns)) for at in cells)
        return now, then
