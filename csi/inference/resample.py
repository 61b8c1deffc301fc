"""One resampling plan per panel, keyed by respondent or cluster, shared by all cells.

The plan depends on the units, their strata, the seed and the kind alone: regrouping or selecting cells of the same
sample leaves every unit's multiplicity as it is, so cells, pooled groups and a base wave move together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, NamedTuple, Protocol

import numpy as np

from csi.errors import Problem, Problems, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.moments.design import GRID
from csi.moments.stack import Array, Ints, Reraking, Sample

BLOCK = 250
"""Replicates drawn together from one child seed; fixed, because it is part of what a seed means."""

UNNAMED = 2**63
"""Strata without names are told apart by their numbers, from here on."""

SMALLEST = 5
"""Strata with fewer units cannot be resampled twice: the resample's own variance says too little."""

Kind = Literal["multinomial", "bayesian"]


class Resampling(Protocol):
    """How often each unit counts in each of `n` replicates."""

    @property
    def n(self) -> int:
        """How many replicates."""

    @property
    def seed(self) -> int:
        """The seed; 0 where nothing is random."""

    @property
    def kind(self) -> str:
        """Its name."""

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block."""

    def seen(self, sample: Sample) -> Sample:
        """The sample with the units that are weighted."""


class Stratum(NamedTuple):
    """A stratum among units in the order of their strata: its code, where it starts, its size."""

    code: int
    start: int
    size: int

    @property
    def units(self) -> slice:
        """Its places."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True, slots=True)
class Plan:
    """How units are weighted in each of `n` replicates.

    Attributes:
        stratum: (units,) stratum of each unit. n, seed, kind. stream: (strata,) which child seed draws each stratum, so
            that it is drawn alike whatever other strata there are; None for one. fraction: (strata,) share of each
            population that was drawn, by which deviations from 1 shrink: sqrt(1 - fraction); None for none. drawn: the
            strata that are drawn, where the units of others are not looked at and count 1; None for all.
    """

    stratum: Ints
    n: int
    seed: int
    kind: Kind = "multinomial"
    stream: Ints | None = None
    fraction: Array | None = None
    drawn: Ints | None = None

    def blocks(self, first: int = 0, last: int | None = None, together: int = 1) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block (of those from `first` until `last`).

        Parameters:
            together: so many blocks are given as one.
        """
        order = np.argsort(self.stratum, kind="stable")
        codes, starts, sizes = np.unique(self.stratum[order], return_index=True, return_counts=True)
        here = np.ones(codes.size, dtype=bool) if self.drawn is None else np.isin(codes, self.drawn)
        strata = [Stratum(*found) for found in zip(*(x[here].tolist() for x in (codes, starts, sizes)), strict=True)]
        numbers = range(-(-self.n // BLOCK))[first:last]
        for window in [numbers[i : i + together] for i in range(0, len(numbers), together)]:
            start = window[0] * BLOCK
            filled = np.empty((min(len(window) * BLOCK, self.n - start), order.size))
            for k, number in enumerate(window):
                self._fill(filled[k * BLOCK : (k + 1) * BLOCK], number, strata, order)
            yield start, shrunken(filled, self.stratum, self.fraction)

    def _fill(self, block: Array, number: int, strata: Sequence[Stratum], order: Ints) -> None:
        """The multiplicities of one block; drawn whole, so that the first replicates do not depend on their number."""
        if self.kind == "bayesian":
            block[:] = 1.0
            for h in strata:
                block[:, order[h.units]] = _bayesian(self._rng(h.code, number), h.size)[: len(block)]
            return
        counts, scale = np.ones((BLOCK, order.size), dtype=np.uint16), np.ones(order.size)
        for h in strata:
            if h.size > 1:
                counts[:, h.units] = _counts(self._rng(h.code, number), h.size)
                scale[order[h.units]] = h.size / (h.size - 1)
        np.multiply(counts[: len(block)].take(np.argsort(order), axis=1), scale, out=block)
        to_grid(block)

    def _rng(self, stratum: int, *of: int) -> np.random.Generator:
        """The draws of a stratum in a block or a replicate."""
        own = [] if stratum == 0 else [UNNAMED + stratum]
        own = own if self.stream is None else [int(self.stream[stratum])]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, *of, *own])))

    def within(self, replicate: int, multiplicity: Array, inner: int) -> Array:
        """(inner, units) multiplicities of resamples of one replicate, from a child seed of its own.

        Of a stratum's n_h - 1 drawn units n_h - 2 are drawn again and rescaled by n_h / (n_h - 2), so that the
        resamples of a mean have the variance s*^2 / (n_h - 1) that the replicate itself speaks of; "bayesian" gives
        Dirichlet weights around the replicate's own with the same variance.

        Parameters:
            replicate: its number. multiplicity: (units,) its own. inner: how many resamples.
        """
        drawn = np.empty((inner, self.stratum.size))
        for h in np.unique(self.stratum):
            here = np.flatnonzero(self.stratum == h)
            again = _bayesian_again if self.kind == "bayesian" else _multinomial_again
            drawn[:, here] = again(self._rng(int(h), replicate, 1), multiplicity[here], inner)
        return drawn

    def seen(self, sample: Sample) -> Sample:
        """The sample with the units that the plan weights: its own."""
        return sample


@dataclass(frozen=True, slots=True)
class Given:
    """Weights of rows that are given, not drawn; they take the place of the design weights.

    Attributes:
        multiplicity: (B, rows of the data) by their place in the data as read. kind: its name.
    """

    multiplicity: Array
    kind: str
    seed: int = 0

    @property
    def n(self) -> int:
        """How many replicates."""
        return len(self.multiplicity)

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block."""
        for start in range(0, self.n, BLOCK):
            yield start, self.multiplicity[start : start + BLOCK]

    def seen(self, sample: Sample) -> Sample:
        """The sample with every row a unit of its own, of weight 1."""
        return by_place(sample, self.multiplicity.shape[1])


@dataclass(frozen=True, slots=True)
class Drawn:
    """How often each unit counts, as drawn elsewhere: resamples of resamples.

    Attributes:
        multiplicity: (B, units).
    """

    multiplicity: Array
    kind: str = "drawn"
    seed: int = 0

    @property
    def n(self) -> int:
        """How many replicates."""
        return len(self.multiplicity)

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block."""
        for start in range(0, self.n, BLOCK):
            yield start, self.multiplicity[start : start + BLOCK]

    def seen(self, sample: Sample) -> Sample:
        """The sample with the units that are drawn: its own."""
        return sample


@dataclass(frozen=True, slots=True)
class OneOut:
    """Every unit left out once; the others of its stratum count n_h / (n_h - 1) times.

    A unit alone in its stratum is never left out.

    Attributes:
        stratum: (units,) stratum of each unit.

    Example:
        >>> next(OneOut(np.array([0, 0, 1, 1, 1])).blocks())[1][0].tolist()
        [0.0, 2.0, 1.0, 1.0, 1.0]
    """

    stratum: Ints
    kind: str = "jackknife"
    seed: int = 0

    @property
    def n(self) -> int:
        """How many replicates."""
        return self.stratum.size

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block."""
        size = np.bincount(self.stratum)[self.stratum].astype(np.float64)
        more = on_grid(np.divide(size, size - 1, out=np.ones_like(size), where=size > 1))
        for start in range(0, self.n, BLOCK):
            out = np.arange(start, min(start + BLOCK, self.n))
            weights = np.where(self.stratum[out, None] == self.stratum, more, 1.0)
            weights[np.arange(out.size), out] = np.where(size[out] > 1, 0.0, 1.0)
            yield start, weights

    def seen(self, sample: Sample) -> Sample:
        """The sample with the units that are left out: its own."""
        return sample


@dataclass(frozen=True, slots=True)
class Raked:
    """A plan whose replicates are raked again to the margins of the full weights.

    Attributes:
        plan: draws units. raking: of the whole data.
    """

    plan: Resampling
    raking: Reraking

    @property
    def n(self) -> int:
        """How many replicates."""
        return self.plan.n

    @property
    def seed(self) -> int:
        """The seed of the draws."""
        return self.plan.seed

    @property
    def kind(self) -> str:
        """The kind of the draws."""
        return self.plan.kind

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, rows of the data) weights of each block."""
        for start, drawn in self.plan.blocks():
            yield start, on_grid(self.raking.again(drawn))

    def seen(self, sample: Sample) -> Sample:
        """The sample with every row a unit of its own, of weight 1."""
        return by_place(sample, self.raking.cell.size)


def by_place(sample: Sample, rows: int) -> Sample:
    """A sample whose every row is a unit of its own by its place in the data, of weight 1.

    Parameters:
        rows: of the data.
    """
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    return replace(sample, unit=place, stratum=np.zeros(rows, dtype=np.int64), weight=np.ones(place.size))


def resampling_of(sample: Sample, n: int, seed: int, kind: Kind = "multinomial") -> Resampling:
    """The plan of a sample; of raked weights, one that draws the units of the whole data and rakes again.

    What it draws is of the rows of `plan.seen(sample)`.

    Example:
        >>> import polars as pl
        >>> import csi
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"sex": ["f", "f", "m", "m"], "q": [1, 2, 4, 6]})
        >>> sample = sample_of(csi.rake(frame, {"sex": {"f": 0.75, "m": 0.25}}), ["q"])
        >>> _, drawn = next(resampling_of(sample, 10, 1).blocks())
        >>> bool(np.allclose(drawn[:, :2].sum(axis=1)[drawn[:, :2].any(axis=1)], 3.0, atol=1e-5))
        True
    """
    if sample.raking is None:
        return plan_of(sample, n, seed, kind)
    return raked_plan(sample.raking, n, seed, kind)


def raked_plan(raking: Reraking, n: int, seed: int, kind: Kind = "multinomial") -> Raked:
    """The plan that draws the units of the whole data and rakes again."""
    return Raked(Plan(raking.stratum, n, seed, kind, raking.stream, raking.fraction), raking)


def drawn_weights(
    sample: Sample, n: int, seed: int, rows: Ints | slice = slice(None), kind: Kind = "multinomial"
) -> Iterator[Array]:
    """(B_block, rows) weights of rows in every replicate: design weight times multiplicity, raked again where raked.

    Example:
        >>> import polars as pl
        >>> import csi
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"sex": ["f", "f", "m", "m"], "q": [1, 2, 4, 6]})
        >>> sample = sample_of(csi.rake(frame, {"sex": {"f": 0.75, "m": 0.25}}), ["q"])
        >>> drawn = next(drawn_weights(sample, 10, 1))
        >>> bool(np.allclose(drawn[:, :2].sum(axis=1)[drawn[:, :2].any(axis=1)], 3.0, atol=1e-5))
        True
    """
    plan = resampling_of(sample, n, seed, kind)
    seen = plan.seen(sample)
    unit, weight = seen.unit[rows], seen.weight[rows]
    for _, multiplicity in plan.blocks():
        yield weight * multiplicity[:, unit]


def one_out(sample: Sample) -> tuple[Resampling, Ints, Array]:
    """The jackknife of a sample, raked again where its weights are; (units,) strata, and what each replicate counts."""
    source: Sample | Reraking = sample if sample.raking is None else sample.raking
    stratum, size = source.stratum, np.bincount(source.stratum)[source.stratum].astype(np.float64)
    factor = (size - 1) / size * (1.0 if source.fraction is None else 1 - source.fraction[stratum])
    left = OneOut(stratum)
    return (left if sample.raking is None else Raked(left, sample.raking)), stratum, factor


def check_inner(sample: Sample) -> None:
    """Raise where resamples cannot be resampled: of raked weights and of finite populations.

    Raises:
        Problems: E-BOOT.
    """
    if sample.raking is None and sample.fraction is None:
        return
    en = "resampling the resamples is for weights that are not raked, and for unlimited populations."
    zh = "二次重抽样不适用于经边际调整的权重与有限总体。"
    do, do_zh = 'Use interval="t" or "percentile".', '请使用 interval="t" 或 "percentile"。'
    raise Problems([problem("E-BOOT", "interval", en, zh, do, do_zh)])


def shrunken(drawn: Array, stratum: Ints, fraction: Array | None) -> Array:
    """Multiplicities whose deviations from 1 shrink by sqrt(1 - fraction): those of a finite population.

    Parameters:
        drawn: (B, units). stratum: (units,). fraction: (strata,), None for unlimited populations.

    Source: Rao & Wu (1988), JASA 83:231-241, 4.1.

    Example:
        >>> shrunken(np.array([[2.0, 0.0]]), np.array([0, 0]), np.array([0.75])).tolist()
        [[1.5, 0.5]]
    """
    if fraction is None:
        return drawn
    return on_grid(1 + np.sqrt(np.clip(1 - fraction, 0, 1))[stratum] * (drawn - 1))


def rows_behind(est: Estimate) -> Sample:
    """The rows an estimate was fitted from.

    Raises:
        Problems: it was fitted from moments alone.
    """
    check_estimate(est)
    if est.sample is not None:
        return est.sample
    if "pooling" in est.extra:
        raise Problems([pooled_problem("estimate")])
    en = "this needs the rows behind the estimate; it has none (fitted from moments)."
    zh = "此分析需要估计背后的原始数据行，而该估计没有（由矩拟合）。"
    do, do_zh = "Fit it from a panel or a frame.", "请用面板或数据框拟合。"
    raise Problems([problem("E-ROWS", "estimate", en, zh, do, do_zh)])


def pooled_problem(place: str) -> Problem:
    """That a pooled estimate has no rows of its own, and where they are."""
    en, zh = (
        "it is pooled over completed copies and has no rows of its own.",
        "该估计由多份插补数据合并而成，没有自己的数据行。",
    )
    do = 'Call it on the fit of each copy: est.extra["pooling"].copies, in their order.'
    do_zh = '请对每份数据的拟合分别调用：依次见 est.extra["pooling"].copies。'
    return problem("E-ROWS", place, en, zh, do, do_zh)


def plan_of(sample: Sample, n: int, seed: int, kind: Kind = "multinomial") -> Plan:
    """The plan of a sample.

    "multinomial" draws n_h - 1 of a stratum's n_h units with replacement and rescales by n_h / (n_h - 1); "bayesian"
    gives them n_h Dirichlet weights with concentration (n_h - 2) / n_h each. Either way a weight has mean 1 and
    variance 1, so that the replicates of a mean have the design's variance s^2 / n_h, for two units as for thousands.

    Source: Rao & Wu (1988), JASA 83:231-241; Rubin (1981) and Rust & Rao (1996) for general weights.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> plan = plan_of(sample_of(pl.DataFrame({"q": [1, 2, 3]}), ["q"]), n=10, seed=1)
        >>> [round(float(m.sum(axis=1).max()), 5) for _, m in plan.blocks()]
        [3.0]
    """
    return Plan(sample.stratum, n, seed, kind, sample.stream, sample.fraction)


def _multinomial(rng: np.random.Generator, size: int) -> Array:
    """(BLOCK, n_h) rescaled counts of n_h - 1 draws from a stratum's units."""
    if size == 1:
        return np.ones((BLOCK, 1))
    return on_grid(np.asarray(_counts(rng, size) * (size / (size - 1)), dtype=np.float64))


def _counts(rng: np.random.Generator, size: int) -> Ints:
    """(BLOCK, n_h) how often each unit of a stratum is among n_h - 1 draws."""
    picks = rng.integers(0, size, size=(BLOCK, size - 1))
    picks += size * np.arange(BLOCK)[:, None]
    return np.bincount(picks.ravel(), minlength=BLOCK * size).reshape(BLOCK, size)


def _bayesian(rng: np.random.Generator, size: int) -> Array:
    """(BLOCK, n_h) Dirichlet weights with mean 1 and variance 1."""
    if size < 3:  # concentration 0: all weight on one unit, as the multinomial draws it
        return _multinomial(rng, size)
    drawn = rng.standard_gamma((size - 2) / size, (BLOCK, size))
    return on_grid(np.asarray(drawn / drawn.mean(axis=1, keepdims=True), dtype=np.float64))


def _multinomial_again(rng: np.random.Generator, weights: Array, inner: int) -> Array:
    """(inner, n_h) rescaled counts of n_h - 2 draws from the n_h - 1 units that a replicate drew in a stratum."""
    size = weights.size
    if size < SMALLEST:
        return np.tile(weights, (inner, 1))
    drawn = np.repeat(np.arange(size), np.rint(weights * ((size - 1) / size)).astype(np.int64))
    picks = drawn[rng.integers(0, drawn.size, size=(inner, size - 2))] + size * np.arange(inner)[:, None]
    counts = np.bincount(picks.ravel(), minlength=inner * size).reshape(inner, size)
    return on_grid(counts.astype(np.float64) * (size / (size - 2)))


def _bayesian_again(rng: np.random.Generator, weights: Array, inner: int) -> Array:
    """(inner, n_h) Dirichlet weights around those of a replicate."""
    size = weights.size
    if size < SMALLEST:
        return np.tile(weights, (inner, 1))
    shape: Array = weights * ((size - 3) / size)
    drawn: Array = np.asarray(rng.standard_gamma(shape, (inner, size)), dtype=np.float64)
    return on_grid(drawn / drawn.mean(axis=1, keepdims=True))


def on_grid(weights: Array) -> Array:
    """Weights as multiples of 1 / GRID, so that sums over integer answers are exact in any order."""
    made = weights.copy()
    to_grid(made)
    return made


def to_grid(weights: Array) -> None:
    """The same in place."""
    weights *= GRID
    np.round(weights, out=weights)
    weights /= GRID


def windows(plan: Resampling, together: int) -> Iterator[Array]:
    """(B_window, units) multiplicities of so many blocks of a plan at a time."""
    if isinstance(plan, Plan):
        yield from (drawn for _, drawn in plan.blocks(together=together))
        return
    upcoming = (drawn for _, drawn in plan.blocks())
    while taken := [*islice(upcoming, together)]:
        yield np.concatenate(taken)


def narrowed(plan: Resampling, sample: Sample) -> Resampling:
    """The plan for the strata that a sample's rows are of: others need not be drawn."""
    if not isinstance(plan, Plan):
        return plan
    return replace(plan, drawn=np.unique(plan.stratum[np.unique(sample.unit)]))
