"""Indices of replicates, and what intervals ask for beyond them: units left out, and resamples of the resamples.

A cell's index hangs on the answers of other cells through its weights, so units are left out of, and drawn again from,
the panel as a whole.

Letters: `c` cells, `p` items, `q` constructs, `B` replicates, `u` units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from csi.errors import Problem, Problems, problem
from csi.estimate.estimate import Estimate, Replicates, Solution
from csi.estimate.unrolled import on_items
from csi.inference.draws import acceleration, standard_error
from csi.inference.jackknife import MOST
from csi.inference.means import means_under
from csi.inference.nested import INNER, rank, widened
from csi.inference.replicates import replicates_of
from csi.inference.resample import Drawn, Kind, Resampling, check_inner, one_out, plan_of, rows_behind
from csi.inference.uncertainty import replicates_behind
from csi.measures.blocks import membership
from csi.measures.performance import hundred
from csi.moments.stack import Array, Ints
from csi.tracking.index_fit import Weights, estimate_weights, item_bounds, item_places, key_columns, pooled
from csi.tracking.index_weights import Given, Rule, coarser

TOGETHER = 20
"""Replicates whose own resamples are drawn and refitted together. Results do not depend on it."""


@dataclass(frozen=True, slots=True)
class Request:
    """An index asked for: its key columns, whose weights, their base wave or window, weights that are given."""

    keys: tuple[str, ...]
    rule: Rule
    base: str | None
    given: Given | None
    window: int = 4

    def cells(self, est: Estimate) -> Estimate:
        """The fit of the index's cells."""
        keys = list(self.keys)
        return est if keys == key_columns(est) else pooled(est, coarser(est.moments.cells, keys))

    def weights(self, est: Estimate, cells: Estimate) -> Weights:
        """The relative weights of the index."""
        return estimate_weights(est, cells, self.rule, self.base, self.given, self.window)


@dataclass(frozen=True, slots=True)
class Second:
    """What BCa, studentised and double intervals need beside the draws: (c, q), (B, c, q), (B, c, q) or None."""

    accelerations: Array | None = None
    errors: Array | None = None
    ranks: Array | None = None


def scores(mean: Array, relative: Array, bounds: tuple[Array, Array], sol: Solution) -> Array:
    """Indices from item means and relative weights.

    Parameters:
        mean: (..., p) item means. relative: (..., p) weights summing to 1 per construct. bounds: minima, maxima (p,).

    Returns:
        (..., q); NaN for constructs without items.
    """
    member = membership(sol.block, len(sol.constructs))
    weighted = relative * hundred(mean, *bounds)
    known = np.where(np.isnan(weighted), 0.0, weighted) @ member
    hole = np.isnan(weighted) @ member + (member.sum(axis=0) == 0)
    result: Array = np.where(hole > 0, np.nan, known)
    return result


def drawn_indices(cells: Estimate, rep: Replicates, weights: Weights, values: Array) -> Array:
    """(B, c, q) indices of the replicates, NaN without an index, a usable replicate or a second unit to resample."""
    relative = weights.values[None] if weights.replicates is None else weights.replicates
    drawn = np.empty((rep.n, *values.shape))
    places, bounds = item_places(cells), item_bounds(cells)
    for c, g in enumerate(weights.groups.of_index):
        drawn[:, c] = scores(rep.mean[:, c, places], relative[:, g], bounds, cells.solution)
    drawn[:, np.isnan(values)] = np.nan
    drawn[:, rep.units < 2] = np.nan
    return drawn


def second_of(est: Estimate, request: Request, values: Array, interval: str) -> Second:
    """What a kind of interval needs beside the draws.

    Parameters:
        est: the fit behind the index as it came, with random replicates. values: (c, q).

    Source: Efron (1987), eq. 6.6, units of strata about the stratum's mean; Beran (1987); see `csi.inference.nested`.
    """
    if interval == "bca":
        return Second(accelerations=_accelerations(est, request, values))
    if interval in ("studentised", "double"):
        errors, ranks = _resampled(est, request, values)
        return Second(errors=errors, ranks=ranks)
    return Second()


def _again(est: Estimate, request: Request, values: Array, plan: Resampling) -> Array:
    """(n, c, q) the index under another plan."""
    rep, sample = replicates_behind(est), rows_behind(est)
    if request.rule == "own" or (sample.missing == "em" and bool(np.isfinite(rep.sd).any())):
        fitted = replace(est, replicates=replicates_of(est, sample, plan, improper=rep.improper))
    else:  # answers are averaged; only the groups that give the weights are fitted again
        fitted = means_under(est, plan)
    fitted = on_items(fitted)
    cells = request.cells(fitted)
    return drawn_indices(cells, replicates_behind(cells), request.weights(fitted, cells), values)


def _accelerations(est: Estimate, request: Request, values: Array) -> Array:
    """(c, q) jackknife acceleration."""
    sample = rows_behind(est)
    units, cells = sample.stratum.size, sample.cells.height
    if units * cells > MOST:
        raise Problems([_too_many(units, cells)])
    plan, stratum, _ = one_out(sample)
    left = _again(est, request, values, plan)
    return acceleration(left - _stratum_means(left, stratum))


def _stratum_means(left: Array, stratum: Ints) -> Array:
    """(u, c, q) the mean of each unit's stratum."""
    found = np.empty_like(left)
    for h in np.unique(stratum):
        found[stratum == h] = np.nanmean(left[stratum == h], axis=0)
    return found


def _resampled(est: Estimate, request: Request, values: Array) -> tuple[Array, Array]:
    """Standard error of each replicate, and the share of its own resamples below the value: (B, c, q) each."""
    errors, ranks = [], []
    for inner in _inner(est):
        own = _again(est, request, values, Drawn(inner.reshape(-1, inner.shape[2])))
        own = np.moveaxis(own.reshape(len(inner), INNER, *values.shape), 1, 0)
        error = standard_error(own)
        errors.append(error * widened(own))
        ranks.append(rank(own, values, error))
    return np.concatenate(errors), np.concatenate(ranks)


def _inner(est: Estimate) -> Iterator[Array]:
    """(k, INNER, u) the resamples of a few replicates at a time."""
    rep, sample = replicates_behind(est), rows_behind(est)
    check_inner(sample)
    plan = plan_of(sample, rep.n, rep.seed, cast("Kind", rep.kind))
    for start, drawn in plan.blocks():
        for first in range(0, len(drawn), TOGETHER):
            few = drawn[first : first + TOGETHER]
            yield np.stack([plan.within(start + first + i, weights, INNER) for i, weights in enumerate(few)])


def _too_many(units: int, cells: int) -> Problem:
    en = f"the acceleration needs every unit left out: {units} units in {cells} cells are {units * cells:,} refits."
    zh = f"加速系数需逐一剔除抽样单元：{units} 个单元、{cells} 个格，共 {units * cells:,} 次拟合。"
    return problem("E-BOOT", "interval", en, zh, 'Use interval="bc".', '请使用 interval="bc"。')
