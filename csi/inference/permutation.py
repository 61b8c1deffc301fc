"""Permutation tests between the cells of an estimate: rows change places, every refit is a slice of one stack.

Letters: `c` groups (cells), `n` rows, `m` exchangeable things, `B` permutations, `p` items.

Who changes places with whom: a unit (respondent, cluster) all of whose rows lie in one group moves as a whole, with the
other such units of its declared stratum; a unit with rows in several groups keeps them, and its rows change places
among themselves. A row keeps its weight wherever it goes. Under the hypothesis that the groups are exchangeable in this
sense the p-values are exact: p = (k + 1) / (B + 1), k permutations at least as extreme as the data.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import polars as pl
from scipy.special import gammaln
from threadpoolctl import threadpool_limits

from csi.errors import Problems, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.inference.replicates import Flags
from csi.inference.resample import rows_behind
from csi.moments.pearson import cell_moments, interleaved
from csi.moments.sample import regroup
from csi.moments.stack import Array, Ints, Moments, RowPass, Sample

BLOCK = 250
"""Permutations drawn together from one child seed; fixed, because it is part of what a seed means."""

PURPOSE = 1
"""Part of every child seed, so that permutations and resamples of one seed do not share their random numbers."""

ENTRIES = 2**22
"""At most so many memberships (permutations x rows) are at hand at once in a thread."""

WORKERS = min(4, os.cpu_count() or 1)
"""Threads that refit blocks; results do not depend on it."""

TIE = 1e-9
"""Statistics closer than this (relative to their size) count as equal: rounding must not decide a tie."""

Statistic = Callable[[Estimate, int], Mapping[str, Array]]
"""(Estimate with B * c slices, replicate-major; c) -> name -> (B, ...)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What may change places: m things in classes, each thing one or more rows.

    Attributes:
        thing: (n,) thing each row belongs to. label: (m,) group of each thing. kin: (m,) class, ascending; things of
            one class change places. n, seed.
    """

    thing: Ints
    label: Ints
    kin: Ints
    n: int
    seed: int

    @property
    def arrangements(self) -> float:
        """How many different memberships there are; infinite beyond what a float holds."""
        pairs, counts = np.unique(np.stack([self.kin, self.label]), axis=1, return_counts=True)
        sizes = np.bincount(pairs[0] - pairs[0].min(), weights=counts)
        with np.errstate(over="ignore"):
            return float(np.round(np.exp(gammaln(sizes + 1).sum() - gammaln(counts + 1).sum())))

    def drawn(self) -> Iterator[Array]:
        """(B_part, m) random keys of the things, in parts of one size that depends on n alone."""
        part = max(1, min(BLOCK, ENTRIES // self.thing.size))
        for number, start in enumerate(range(0, self.n, BLOCK)):
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, number, PURPOSE])))
            for done in range(0, min(BLOCK, self.n - start), part):
                yield rng.random((part, self.label.size))[: min(BLOCK, self.n - start) - done]

    def under(self, keys: Array) -> Ints:
        """(B_part, n) group of every row when the things of each class stand in the order of their keys."""
        order = np.argsort(self.kin + keys, axis=1)
        return self.label[order][:, self.thing]


@dataclass(frozen=True, slots=True)
class Permuted:
    """Statistics of the data and of every permutation.

    Attributes:
        observed: name -> (...) of the data. draws: name -> (B, ...); NaN where a group had no usable solution.
        usable: (B,) all groups had one. pooled: the fit to all rows as one group. n, seed.
        arrangements: how many different exchanges there are.
    """

    observed: Mapping[str, Array]
    draws: Mapping[str, Array]
    usable: Flags
    pooled: Estimate
    n: int
    seed: int
    arrangements: float

    def p_value(self, name: str, size: Callable[[Array], Array] = np.abs) -> Array:
        """(...) p of a statistic, whose `size` is larger the less it agrees with equal groups."""
        return exceedance(size(self.observed[name]), size(self.draws[name]), self.usable)


def permutation(
    est: Estimate,
    statistic: Callable[[Estimate], Statistic],
    n: int = 1000,
    seed: int = 1,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Permuted:
    """Refit all cells of an estimate with their rows exchanged, and take a statistic of each.

    Groups are solved as `est` solved them, their scores pointing where those of the pooled data point; so are the
    groups as observed, because data and permutations must be treated alike.

    Parameters:
        est: an estimate of c >= 2 cells, fitted from rows. statistic: takes the pooled fit, gives a `Statistic`.
        n: permutations. seed: recorded; the same seed gives the same bits whatever the threads.
        progress: called with (done, n) now and then.

    Returns:
        A `Permuted`.

    Raises:
        Problems: E-ROWS without rows; E-EXCHANGE where nothing can change places.

    Source:
        Chin & Dibbern (2010), Handbook of Partial Least Squares, ch. 7; Phipson & Smyth (2010), Statistical
        Applications in Genetics and Molecular Biology 9(1):39 (never zero).

    Example:
        >>> import csi
        >>> rows = {"g": list("aaaabbbb"), "x1": [1, 2, 4, 6, 2, 5, 7, 9], "y1": [2, 1, 3, 5, 9, 6, 8, 4]}
        >>> model = csi.Model.parse("x =~ x1; y =~ y1; y ~ x")
        >>> est = csi.fit(model, pl.DataFrame(rows), csi.PLS(), by="g")
        >>> found = permutation(est, lambda pooled: lambda fit, c: {"path": fit.values[:, -1].reshape(-1, c)}, n=99)
        >>> found.observed["path"].round(3).tolist(), found.draws["path"].shape
        ([0.902, -0.768], (99, 2))
    """
    sample = rows_behind(est)
    plan = exchange_of(sample, n, seed)
    pooled = fit_sample(est.model, regroup(sample, []), est.settings)
    measure = statistic(pooled)
    observed = _taken(est, sample, pooled, measure, sample.cell[None])
    parts: list[_Taken] = []
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS if est.settings.threads else 1) as pool:
        upcoming = plan.drawn()
        while drawn := list(islice(upcoming, WORKERS)):
            parts += pool.map(lambda keys: _taken(est, sample, pooled, measure, plan.under(keys)), drawn)
            if progress is not None:
                progress(sum(p.usable.size for p in parts), n)
    draws = {name: np.concatenate([p.values[name] for p in parts]) for name in observed.values}
    usable = np.concatenate([p.usable for p in parts])
    return Permuted({k: v[0] for k, v in observed.values.items()}, draws, usable, pooled, n, seed, plan.arrangements)


def exchange_of(sample: Sample, n: int, seed: int) -> Exchange:
    """Who changes places with whom in a sample.

    Raises:
        Problems: E-EXCHANGE, every stratum lies in one group.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"g": list("aab"), "q": [1, 2, 3]})
        >>> plan = exchange_of(sample_of(frame, ["q"], ["g"]), n=2, seed=1)
        >>> plan.under(next(plan.drawn())).sum(axis=1).tolist()
        [1, 1]
    """
    units = sample.stratum.size
    low, high = np.full(units, sample.cells.height), np.full(units, -1)
    np.minimum.at(low, sample.unit, sample.cell)
    np.maximum.at(high, sample.unit, sample.cell)
    torn = (low < high)[sample.unit]
    layer = np.zeros(units, dtype=np.int64) if sample.layer is None else sample.layer
    kin = np.where(torn, int(layer.max()) + 1 + sample.unit, layer[sample.unit])
    name = np.where(torn, units + np.arange(torn.size), sample.unit)
    _, first, thing = np.unique(np.stack([kin, name]), axis=1, return_index=True, return_inverse=True)
    label, classes = sample.cell[first], kin[first]
    codes = np.unique(np.stack([classes, label]), axis=1)[0]
    if np.unique(codes).size == codes.size:
        en = "nothing can change places: every stratum lies in one group."
        zh = "没有可交换的对象：每个层都只属于一个组。"
        do, do_zh = "Fit without stratum=, or compare other groups.", "请去掉 stratum=，或比较其他分组。"
        raise Problems([problem("E-EXCHANGE", "groups", en, zh, do, do_zh)])
    return Exchange(thing.reshape(-1).astype(np.int64), label, classes, n, seed)


def shared_units(sample: Sample) -> int:
    """How many units have rows in more than one cell."""
    pairs = np.unique(np.stack([sample.unit, sample.cell]), axis=1)[0]
    return int((np.bincount(pairs) > 1).sum())


def exceedance(observed: Array, draws: Array, usable: Flags) -> Array:
    """(k + 1) / (B + 1): B usable permutations, k of them at least as large as observed.

    Permutations without a solution are left out, which keeps p exact: given that the data have a solution, they are one
    of the exchanges that have.

    Parameters:
        observed: (...). draws: (B, ...). usable: (B,).

    Example:
        >>> exceedance(np.array(2.0), np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool)).item()
        0.75
    """
    kept = draws[usable]
    with np.errstate(invalid="ignore"):
        k = (kept >= observed - TIE * np.abs(observed) - 1e-12).sum(axis=0)
    return np.where(np.isfinite(observed), (k + 1.0) / (len(kept) + 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class _Taken:
    """Statistics of one block: name -> (B_block, ...), and which permutations are usable (B_block,)."""

    values: dict[str, Array]
    usable: Flags


def _taken(est: Estimate, sample: Sample, pooled: Estimate, measure: Statistic, cell: Ints) -> _Taken:
    """The statistics under given memberships (B_block, n)."""
    c = sample.cells.height
    fit = est.settings.solve(est.model, exchanged_moments(sample, cell), like=pooled)
    solved = fit.convergence.converged
    usable: Flags = np.all(solved.reshape(-1, c), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {name: np.asarray(v, dtype=np.float64) for name, v in measure(fit, c).items()}
    for v in values.values():
        v[~usable] = np.nan
    return _Taken(values, usable)


def exchanged_moments(sample: Sample, cell: Ints) -> Moments:
    """Moments of every group under given memberships, B * c slices, replicate-major.

    A group's moments are weighted sums over all rows with weight 0 outside the group, so all permutations of a group
    are one matrix product.

    Parameters:
        sample: n rows in c cells. cell: (B, n) group of each row.
    """
    groups = range(sample.cells.height)
    weights = [(cell == g) * sample.weight for g in groups]
    parts = [_group(sample, W, (cell == g).sum(axis=1)) for g, W in zip(groups, weights, strict=True)]
    first = parts[0]
    return replace(
        first,
        n=interleaved([m.n for m in parts]),
        sum_w=interleaved([m.sum_w for m in parts]),
        sum_w2=interleaved([m.sum_w2 for m in parts]),
        mean=interleaved([m.mean for m in parts]),
        cov=interleaved([m.cov for m in parts]),
        cells=sample.cells,
        rows=RowPass((sample.rows,) * len(groups), tuple(weights), (sample.unit,) * len(groups)),
    )


def _group(sample: Sample, W: Array, size: Ints) -> Moments:
    """Moments of one group of `size` (B,) rows, given the weights (B, n) of all rows."""
    everybody, sum_w, sum_w2, mean, cov = cell_moments(sample.rows, W, sample.missing)
    n = size.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        cov *= ((everybody - 1) / everybody * n / (n - 1))[:, None, None]
    return Moments(
        names=sample.names,
        n=n,
        sum_w=sum_w,
        sum_w2=sum_w2,
        mean=mean,
        cov=cov,
        cells=pl.DataFrame({"n": [int(n[0])]}),
        minimum=sample.minimum,
        maximum=sample.maximum,
        missing=sample.missing,
    )
