"""The leaves of a tree, wave by wave: seen, carried forward, imputed or missing; always a weighted sum of cells.

Letters: `c` cells of the index, `l` leaves, `t` waves, `x` columns: cells, then one per leaf and wave for what no
sample tells (the drift of a carried value, the residual of an imputed one).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from csi.moments.stack import Array, Ints
from csi.tracking.contrasts import contrasts
from csi.tracking.index import Index
from csi.tracking.tree_pools import Pools, Source

Missing = Literal["renormalise", "carry", "impute", "refuse"]

SEEN, CARRIED, IMPUTED, MISSING, ABSENT = "seen", "carried", "imputed", "missing", "not yet"


@dataclass(frozen=True, slots=True)
class Leaves:
    """Values of the leaves as rows over the columns.

    Attributes:
        rows: wave -> (l, x) sparse coefficients; an empty row without a value. present: (t, l) whether there is one.
        treatment: (t, l) how the value came about. age: (t, l) waves since a carried value was seen.
        n: (t, l) answers behind a value that was seen. extra: (x) variance of each column beyond the cells'; 0 for
            cells. extra_df: (x) degrees of freedom of those variances, inf for cells.
        drift: mean squared true change in one wave, of which carried values take one per wave of age. apart: mean
            squared true change apart from that of the siblings, of which imputed values take as much.
        pools: the brands that leaves are made of.
    """

    rows: tuple[sparse.csr_matrix, ...]
    present: npt.NDArray[np.bool_]
    treatment: npt.NDArray[np.object_]
    age: Ints
    n: Ints
    extra: Array
    extra_df: Array
    drift: float
    apart: float
    pools: Pools = field(default_factory=Pools)

    def sources(self, leaf: int, later: int, earlier: int) -> tuple[Source, Source]:
        """Where a leaf's values of two waves are from; of a carried one the wave in which it was seen."""
        return (later - int(self.age[later, leaf]), leaf), (earlier - int(self.age[earlier, leaf]), leaf)

    def changed(self, later: int, earlier: int) -> list[int]:
        """The leaves with a value in both waves that are made of other brands."""
        both = np.flatnonzero(self.present[later] & self.present[earlier]).tolist()
        return [k for k in both if self.pools.changed(*self.sources(k, later, earlier))]

    def alike(self, later: int, earlier: int) -> tuple[npt.NDArray[np.bool_], sparse.csr_matrix, sparse.csr_matrix]:
        """(l,) leaves that both waves have in common, and (l, x) their rows in both: of a leaf of other brands those
        of both waves, where they may be told; where it is carried or imputed, nothing.
        """
        both = self.present[later] & self.present[earlier]
        now, then = self.rows[later], self.rows[earlier]
        moved = self.changed(later, earlier)
        if not moved:
            return both, now, then
        both, now, then = both.copy(), now.tolil(), then.tolil()
        for k in moved:
            seen = not self.age[later, k] and not self.age[earlier, k]
            made = self.pools.rows(*self.sources(k, later, earlier), now.shape[1]) if seen else None
            both[k] = made is not None
            if made is not None:
                now[k], then[k] = made
        return both, sparse.csr_matrix(now), sparse.csr_matrix(then)


@dataclass(frozen=True, slots=True)
class Few:
    """Answers that are absent from a tree.

    Attributes:
        cells: (wave, leaf's node) -> cells of too few answers, each with how many. small: how many are enough.
    """

    cells: Mapping[tuple[int, int], tuple[tuple[int, int], ...]]
    small: int

    def of(self, wave: int, node: int) -> int:
        """Answers of a leaf that are in no parent."""
        return sum(n for _, n in self.cells.get((wave, node), ()))


def leaves_of(
    index: Index,
    construct: int,
    cells: Mapping[tuple[int, int], tuple[Ints, Array]],
    waves: int,
    siblings: Sequence[int],
    missing: Missing,
    there: npt.NDArray[np.bool_],
    walls: Collection[int] = (),
) -> Leaves:
    """Rows of every leaf and wave.

    Parameters:
        index, construct: whose cells, and the column. cells: (wave, leaf) -> the cells it is made of and their shares,
            where it has a value. waves: how many. siblings: (l) parent of each leaf. missing: what becomes of leaves
            without a value that are `there` (t, l). walls: places of waves before which nothing is carried or imputed.

    Returns:
        Leaves. Carried: the last value seen; age x drift is added to its variance. Imputed: the last value moved as its
        siblings moved on average; apart x the sum of 1 + 1 / siblings over these waves is added to the sampling
        variance of all that predicts. Neither value depends on later waves.
    """
    values, n = index.values[:, construct], index.n_of(construct).astype(np.float64)
    c, many = values.size, len(siblings)
    seen = np.full((waves, many), np.nan)
    count = np.zeros((waves, many), dtype=np.int64)
    for (t, leaf), (at, share) in cells.items():
        seen[t, leaf] = values[at] @ share
        count[t, leaf] = int(n[at].sum())
    treatment = np.where(np.isfinite(seen), SEEN, np.where(there, MISSING, ABSENT)).astype(object)
    columns = c + waves * many
    extra, age = np.zeros(columns), np.zeros((waves, many), dtype=np.int64)
    extra_df = np.full(columns, np.inf)
    rows: dict[tuple[int, int], tuple[Ints, Array]] = dict(cells)
    drift = apart = 0.0
    filled = missing in {"carry", "impute"} and (treatment == MISSING).any()
    steps = steps_of(cells, seen, siblings, c, walls) if filled else None
    if steps is not None:
        square = partial(true_square, index, construct)
        (drift, df), how = square(steps.rows, steps.leaf.size), CARRIED
        if missing == "impute":
            (apart, df), how = square(steps.centre @ steps.rows, steps.df), IMPUTED
        for t, leaf in zip(*np.nonzero(treatment == MISSING), strict=True):
            start = max((w for w in walls if w <= t), default=0)
            before = start + np.flatnonzero(np.isfinite(seen[start:t, leaf]))
            moves = steps.before(leaf, before[-1], t) if before.size and missing == "impute" else []
            if not before.size or None in moves or (missing == "impute" and steps.df < 1):
                continue
            age[t, leaf], own = t - before[-1], c + t * many + leaf
            at, share = cells[int(before[-1]), int(leaf)]
            moved = [m for m in moves if m is not None]
            at = np.concatenate([at, *(cell for cell, _, _ in moved), np.array([own])])
            rows[int(t), int(leaf)] = (at, np.concatenate([share, *(v for _, v, _ in moved), np.ones(1)]))
            extra[own] = apart * sum(1 + 1 / k for _, _, k in moved) if moved else age[t, leaf] * drift
            extra_df[own], treatment[t, leaf] = df, how
    present = (treatment != MISSING) & (treatment != ABSENT)
    return Leaves(_sparse(rows, waves, many, columns), present, treatment, age, count, extra, extra_df, drift, apart)


@dataclass(frozen=True, slots=True)
class Steps:
    """Changes of leaves between neighbouring waves.

    Attributes:
        wave, leaf: (s) the later wave and the leaf. rows: (s, c) each as a weighted sum of cells. group: (s) the
            siblings of a wave it belongs to. siblings: (l) parent of each leaf.
    """

    wave: Ints
    leaf: Ints
    rows: sparse.csr_matrix
    group: Ints
    siblings: Sequence[int]

    @property
    def together(self) -> sparse.csr_matrix:
        """(g, s) means over the siblings of a wave."""
        size = np.bincount(self.group)
        shape = (size.size, self.group.size)
        return sparse.csr_matrix((1.0 / size[self.group], (self.group, np.arange(self.group.size))), shape=shape)

    @property
    def centre(self) -> sparse.csr_matrix:
        """(s, s) a change less the mean change of its siblings and itself."""
        belongs = sparse.csr_matrix((np.ones(self.group.size), (np.arange(self.group.size), self.group)))
        return sparse.csr_matrix(sparse.identity(self.group.size) - belongs @ self.together)

    @property
    def df(self) -> int:
        """Changes less the means taken from them."""
        return int(self.group.size - np.unique(self.group).size)

    def before(self, leaf: int, last: int, now: int) -> list[tuple[Ints, Array, int] | None]:
        """Wave by wave after `last` up to `now`: the siblings' mean change, its cells, shares and how many siblings
        made it; None where no sibling was seen in both waves.
        """
        over = np.asarray(self.siblings)
        found: list[tuple[Ints, Array, int] | None] = []
        for t in range(int(last) + 1, int(now) + 1):
            mine = np.flatnonzero((self.wave == t) & (over[self.leaf] == over[leaf]))
            mean = sparse.csr_matrix(self.rows[mine].sum(axis=0) / max(mine.size, 1))
            found.append((mean.indices.astype(np.int64), mean.data, int(mine.size)) if mine.size else None)
        return found


def steps_of(
    cells: Mapping[tuple[int, int], tuple[Ints, Array]],
    seen: Array,
    siblings: Sequence[int],
    columns: int,
    walls: Collection[int] = (),
) -> Steps:
    """The changes of leaves that were seen in two waves running.

    Parameters:
        cells: (wave, leaf) -> cells and shares. seen: (t, l) values, NaN where absent. columns: how many cells.
        walls: places of waves that are not compared with the wave before.
    """
    moved = np.isfinite(np.diff(seen, axis=0))
    moved[[w - 1 for w in walls]] = False
    before, leaf = np.nonzero(moved)
    pairs = list(zip(before.tolist(), leaf.tolist(), strict=True))
    parts = [*(cells[t + 1, k] for t, k in pairs), *((at, -share) for at, share in (cells[p] for p in pairs))]
    at, share = (np.concatenate([p[i] for p in parts]) if parts else np.empty(0) for i in (0, 1))
    row = np.tile(np.arange(len(pairs)), 2).repeat([cell.size for cell, _ in parts])
    rows = sparse.csr_matrix((share, (row, at.astype(np.int64))), shape=(len(pairs), columns))
    over = np.asarray(siblings, dtype=np.int64)[leaf]
    group = np.unique(np.stack([before, over]), axis=1, return_inverse=True)[1].reshape(-1)
    return Steps(before + 1, leaf, rows, group.astype(np.int64), siblings)


def true_square(index: Index, construct: int, rows: sparse.csr_matrix, df: int) -> tuple[float, float]:
    """Mean square of what differences would be without sampling errors, and its degrees of freedom.

    `s^2 = max(0, (sum_r d_r^2 - sum_r Var d_r) / df)`, d_r = L_r I: a change that is seen holds the sampling errors of
    both waves. With m = sum_r d_r^2 / df, `Var(s^2) = 2 m^2 / df`, so that s^2 has `df (s^2 / m)^2`.

    Parameters:
        rows: (r, c) the differences. df: how many of them are free.

    Returns:
        0 and inf where there are none, or they are no larger than their sampling errors. Unknown errors count as zero.

    Source:
        Moments, as for the variance between areas: Prasad & Rao (1990), JASA 85, 163-171; Satterthwaite (1946),
        Biometrics Bulletin 2(6), 110-114.
    """
    if df < 1:
        return 0.0, float("inf")
    found = contrasts(index, construct, rows)
    mean = float((found.estimate**2).sum()) / df
    square = mean - float(np.nan_to_num(found.std_error**2).sum()) / df
    return (square, df * (square / mean) ** 2) if square > 0 else (0.0, float("inf"))


def _sparse(
    rows: Mapping[tuple[int, int], tuple[Ints, Array]], waves: int, many: int, columns: int
) -> tuple[sparse.csr_matrix, ...]:
    """One (l, x) matrix per wave."""
    out = []
    for t in range(waves):
        mine = [(leaf, *rows[t, leaf]) for leaf in range(many) if (t, leaf) in rows]
        data = np.concatenate([share for _, _, share in mine]) if mine else np.empty(0)
        at = np.concatenate([cell for _, cell, _ in mine]) if mine else np.empty(0, dtype=np.int64)
        row = np.concatenate([np.full(cell.size, leaf) for leaf, cell, _ in mine]) if mine else at
        out.append(sparse.csr_matrix((data, (row, at)), shape=(many, columns)))
    return tuple(out)
