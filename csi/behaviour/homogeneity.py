"""Are the shares of moves between stages the same in every pair of waves?

Letters: `T` pairs of waves, `m` goals that occur, `u` units. Of one origin, with n_t moves and shares p_tj,

    X2 = sum_t sum_j n_t (p_tj - p_j)^2 / p_j,   G2 = 2 sum_t sum_j n_tj log(p_tj / p_j),   df = (T - 1)(m - 1),

p_j being the shares of all pairs together; over all origins the statistics and df add up. With weights, clusters or
strata the distribution of X2 is that of sum lambda_k chi2_1, lambda the eigenvalues of the design's covariance of the
differences in that of simple random sampling: F = X2 / sum lambda with df (sum lambda)^2 / sum lambda^2 and so many
times the design's degrees of freedom (Rao & Scott's second order). Where expected counts are small (one below 1, or
more than a fifth below 5) the p-value of simple samples is of 1,999 tables with the same margins, in others it is
withheld.

Source:
    Anderson & Goodman (1957), Annals of Mathematical Statistics 28, 89-110; Rao & Scott (1984), Annals of Statistics
    12, 46-60; Cochran (1954), Biometrics 10, 417-451 (small expected counts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.linalg import block_diag
from scipy.special import chdtrc, fdtrc

from csi.behaviour.transitions import Moves
from csi.errors import Reason, reason
from csi.moments.stack import Array, Ints

How = Literal["", "chi-square", "same margins", "design"]
"""Where a p-value is from."""

TABLES: Final = 1999
"""Random tables with the same margins where expected counts are small."""

ONE_PAIR: Final = reason(
    "R-ONE-PAIR",
    "fewer than two pairs of waves with enough moves from this stage: nothing to compare.",
    "该阶段有足够转移的相邻两期不足两对，无从比较。",
)
ONE_GOAL: Final = reason("R-ONE-GOAL", "all moves from this stage end in one stage.", "该阶段的转移全部到达同一阶段。")
EXPECTED: Final = reason(
    "R-EXPECTED",
    "expected counts are too small for a test with weights, clusters or strata.",
    "期望频数过小，无法在加权、整群或分层设计下检验。",
)


@dataclass(frozen=True, slots=True)
class Homogeneity:
    """One test.

    Attributes:
        n: moves. pairs: pairs of waves compared. x2, g2: Pearson's and the likelihood-ratio statistic (of counts
            scaled to the weights). df. p_value: of x2. p_g2: of g2 by chi-square; None where another distribution
            is needed. how: where p_value is from. least: the smallest expected count. reason: why there is no test.
    """

    n: int
    pairs: int
    x2: float | None = None
    g2: float | None = None
    df: int | None = None
    p_value: float | None = None
    p_g2: float | None = None
    how: How = ""
    least: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """The moves from one stage: which, the pairs of waves and goals that occur, (T,) sizes and (T, m) shares."""

    moves: Moves
    pairs: tuple[int, ...]
    goals: tuple[int, ...]
    size: Array
    share: Array

    @property
    def pooled(self) -> Array:
        """(m,) shares of all pairs together."""
        return np.asarray(self.size @ self.share / self.size.sum())

    @property
    def df(self) -> int:
        """(T - 1)(m - 1)."""
        return max(len(self.pairs) - 1, 0) * max(len(self.goals) - 1, 0)

    @property
    def expected(self) -> Array:
        """(T, m) counts under homogeneity."""
        return self.size[:, None] * self.pooled

    @property
    def sparse(self) -> bool:
        """Whether chi-square would be a poor guide."""
        few = self.expected
        return bool(few.min() < 1 or (few < 5).mean() > 0.2)

    def statistics(self, share: Array) -> tuple[Array, Array]:
        """X2 and G2 of (..., T, m) shares whose pooled shares are these."""
        size, pooled = self.size[:, None], self.pooled
        x2 = (size * (share - pooled) ** 2 / pooled).sum(axis=(-2, -1))
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(share > 0, size * share * np.log(share / pooled), 0.0)
        return x2, 2 * part.sum(axis=(-2, -1))


def block_of(moves: Moves, origin: int, small: int) -> Block:
    """Moves from one stage in the pairs of waves that have `small` or more of them."""
    here = moves.of(moves.origin == origin)
    sizes = np.bincount(here.pair, minlength=1)
    pairs = tuple(int(t) for t in np.flatnonzero(sizes >= max(small, 1)))
    here = here.of(np.isin(here.pair, pairs))
    goals = tuple(int(g) for g in np.unique(here.goal))
    weighed = np.zeros((len(pairs), len(goals)))
    if pairs:
        at = np.searchsorted(pairs, here.pair), np.searchsorted(goals, here.goal)
        np.add.at(weighed, at, here.weight)
    total = weighed.sum(axis=1, keepdims=True)
    return Block(here, pairs, goals, sizes[list(pairs)].astype(np.float64), weighed / np.where(total > 0, total, 1.0))


def homogeneity(moves: Moves, origins: Sequence[int], small: int, seed: int) -> tuple[list[Homogeneity], Homogeneity]:
    """The test of every origin, and of all of them together.

    Example:
        >>> first, second = np.repeat([0, 1, 0, 1], [30, 10, 20, 20]), np.repeat([0, 1], 40)
        >>> own = np.arange(80) % 40
        >>> moves = Moves(second, first * 0, first, np.ones(80), own, np.zeros(40, dtype=np.int64))
        >>> one = homogeneity(moves, [0], 0, seed=1)[1]
        >>> round(one.x2, 4), one.df, round(one.p_value, 4), round(one.g2, 4)
        (5.3333, 1, 0.0209, 5.4115)
    """
    blocks = [block_of(moves, i, small) for i in origins]
    usable = [b for b in blocks if b.df > 0]
    plain = moves.plain
    own = [judged([b], seed, plain=plain) if b.df > 0 else _untested(b) for b in blocks]
    return own, judged(usable, seed, plain=plain) if usable else _untested(blocks[0] if blocks else None)


def _untested(block: Block | None) -> Homogeneity:
    """Why an origin has no test."""
    if block is None:
        return Homogeneity(0, 0, reason=ONE_PAIR)
    why = ONE_PAIR if len(block.pairs) < 2 else ONE_GOAL
    return Homogeneity(int(block.size.sum()), len(block.pairs), reason=why)


def judged(blocks: Sequence[Block], seed: int, *, plain: bool) -> Homogeneity:
    """The test of some origins together."""
    values = [b.statistics(b.share) for b in blocks]
    x2, g2 = (float(sum(v[k] for v in values)) for k in (0, 1))
    df = sum(b.df for b in blocks)
    sparse = any(b.sparse for b in blocks)
    p: float | None = float(chdtrc(df, x2))
    p_g2: float | None = float(chdtrc(df, g2)) if plain and not sparse else None
    how: How = "chi-square"
    if plain and sparse:
        p, how = by_margins(blocks, x2, seed), "same margins"
    elif not plain:
        p, how = (None, "") if sparse else (by_design(blocks, x2), "design")
    n, most = sum(int(b.size.sum()) for b in blocks), max(len(b.pairs) for b in blocks)
    least = min(float(b.expected.min()) for b in blocks)
    return Homogeneity(n, most, x2, g2, df, p, p_g2, how, least, EXPECTED if p is None else None)


def by_margins(blocks: Sequence[Block], x2: float, seed: int) -> float:
    """Share of random tables with the same margins whose statistic is not smaller, the table itself among them."""
    drawn = np.zeros(TABLES)
    for k, b in enumerate(blocks):
        size = b.size.astype(np.int64)
        goals = np.rint(b.size @ b.share).astype(np.int64)
        tables = random_tables(size, goals, np.random.default_rng([seed, k]))
        drawn += b.statistics(tables / b.size[:, None])[0]
    return float((1 + (drawn >= x2 - 1e-9).sum()) / (1 + TABLES))


def random_tables(rows: Ints, columns: Ints, rng: np.random.Generator) -> Ints:
    """(TABLES, r, c) random tables with these margins: each row is drawn without replacement of what is left.

    Example:
        >>> made = random_tables(np.array([2, 3]), np.array([4, 1]), np.random.default_rng(1))
        >>> np.unique(made.sum(axis=1), axis=0).tolist(), np.unique(made.sum(axis=2), axis=0).tolist()
        ([[4, 1]], [[2, 3]])
    """
    tables = np.empty((TABLES, len(rows), len(columns)), dtype=np.int64)
    for table in tables:
        left = columns.copy()
        for row, size in enumerate(rows[:-1]):
            table[row] = rng.multivariate_hypergeometric(left, size, method="marginals")
            left = left - table[row]
        table[-1] = left
    return tables


def by_design(blocks: Sequence[Block], x2: float) -> float | None:
    """The p-value of X2 under the design (second-order Rao-Scott, F); None without degrees of freedom."""
    units = int(max(b.moves.unit.max() for b in blocks)) + 1
    sums = np.concatenate([_scores(b, units) for b in blocks], axis=1)
    there = np.zeros(units, dtype=bool)
    for b in blocks:
        there[b.moves.unit] = True
    actual, nu = _covariance(sums[there], blocks[0].moves.stratum[:units][there])
    simple, differ = (block_diag(*(f(b) for b in blocks)) for f in (_simple, _differences))
    lam = np.linalg.solve(differ @ simple @ differ.T, differ @ actual @ differ.T)
    first, second = float(np.trace(lam)), float((lam * lam.T).sum())
    if nu <= 0 or first <= 0:
        return None
    df = first**2 / second
    return float(fdtrc(df, df * nu, x2 / first))


def _scores(block: Block, units: int) -> Array:
    """(u, T (m - 1)) what every unit adds to the shares, the last goal left out."""
    m, at = block.moves, np.searchsorted(block.pairs, block.moves.pair)
    total = np.bincount(at, weights=m.weight, minlength=len(block.pairs))
    flag = m.goal[:, None] == np.array(block.goals)
    z = m.weight[:, None] * (flag - block.share[at]) / total[at][:, None]
    out = np.zeros((units, len(block.pairs), len(block.goals) - 1))
    np.add.at(out, (m.unit, at), z[:, :-1])
    return out.reshape(units, -1)


def _covariance(sums: Array, stratum: Ints) -> tuple[Array, int]:
    """Covariance of the total of units within strata, and its degrees of freedom."""
    total, df = np.zeros((sums.shape[1], sums.shape[1])), 0
    for h in np.unique(stratum):
        own = sums[stratum == h]
        away = own - own.mean(axis=0) if len(own) > 1 else own
        total += away.T @ away * (len(own) / (len(own) - 1) if len(own) > 1 else 1.0)
        df += len(own) - 1
    return total, df


def _simple(block: Block) -> Array:
    """Covariance of the shares in simple random samples that are alike."""
    p = block.pooled[:-1]
    return np.asarray(block_diag(*((np.diag(p) - np.outer(p, p)) / n for n in block.size)))


def _differences(block: Block) -> Array:
    """Every pair of waves less the last."""
    k, m = len(block.pairs), len(block.goals) - 1
    one = np.hstack([np.eye(k - 1), -np.ones((k - 1, 1))])
    return np.asarray(np.kron(one, np.eye(m)), dtype=np.float64)
