"""One set of cells on the ladder of invariance: the decision, and the search for what differs.

    p = min(1, 2 min(p_metric, p_scalar)),   each step a (scaled) chi-square difference of all cells together

Letters: `g` cells of a set, `p` items of a construct.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csi.errors import Problems, Reason, Text, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.measures.climb import Ladder, Rung
from csi.measures.fit_families import comparative
from csi.measures.ladder import Key, Step, exempt
from csi.measures.partial import Release, enough, suspects
from csi.models.model import Construct, Model, Term
from csi.moments.stack import Sample
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted
from csi.tracking.gate_sets import Cells, rows_of

STEPS: tuple[Step, Step] = ("metric", "scalar")
CELL = "comparable cell"
"""What the groups of a set are called; no item has this name."""


@dataclass(frozen=True, slots=True, eq=False)
class Climbed:
    """A set on the ladder, nothing released.

    Attributes:
        ladder: what all steps share. metric, scalar: the steps. p_value: of the set (Bonferroni over both steps).
        delta_cfi: change of CFI at each step, a convention without a nominal error rate.
    """

    ladder: Ladder
    metric: Rung
    scalar: Rung
    p_value: float
    delta_cfi: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What a search for the parameters that differ ended with.

    Attributes:
        est: the last fit, the parameters of `free` differing. releases: what was set free, in order.
        stands: whether the rest is not rejected. suspected: items that differ most where it is, the released first.
    """

    est: Estimate
    free: frozenset[Key]
    releases: tuple[Release, ...]
    stands: bool
    suspected: tuple[str, ...]


def climb(sample: Sample, one: Cells, ordered: tuple[str, ...] = ()) -> Climbed | Reason:
    """The metric and the scalar step of a set's cells together, or why they could not be tested.

    Ordinal items (`ordered`) climb with equal thresholds in front of the metric step, whose test is part of it.
    """
    model = Model((Construct(one.construct, "=~", tuple(Term(i) for i in one.items)),), ())
    try:
        return _climbed(model, rows_of(sample, one), tuple(i for i in one.items if i in ordered))
    except Problems as found:
        what = found.problems[0]
        return reason("R-GATE-FIT", what.what.en, what.what.zh)


def _climbed(model: Model, rows: Sample, ordered: tuple[str, ...]) -> Climbed | Reason:
    if ordered:
        settings = SEM(groups=CELL, ordered=ordered, parameterization="theta", std_lv=True)
        rows = replace(rows, missing="pairwise" if np.isnan(rows.rows).any() else "listwise")
        settings = replace(settings, missing=rows.missing)
    else:
        settings = SEM(groups=CELL, estimator="MLR", missing=rows.missing)
    first = fit_sample(model, rows, settings)
    if not first.convergence.converged.all():
        return next(iter(first.convergence.reasons.values()), UNSETTLED)
    ladder = Ladder(model, settings, first, partial=True, alpha=0.05, limit=len(model.items))
    nothing: frozenset[Key] = frozenset()
    none: frozenset[Step] = frozenset()
    base = Rung("configural", "baseline", ladder.fit(none, nothing), none, nothing)
    first_step: frozenset[Step] = frozenset({"metric", "thresholds"} if ordered else {"metric"})
    metric = ladder.rung("metric", base, first_step, nothing)
    if metric.est is None:
        return UNSETTLED
    scalar = ladder.rung("scalar", metric, metric.held | {"scalar"}, nothing)
    if scalar.est is None:
        return UNSETTLED
    tests = [r.difference[2] for r in (metric, scalar) if np.isfinite(r.difference[2])]
    p_value = min(1.0, 2.0 * min(tests)) if tests else np.nan
    cfi = [float(comparative(fitted(r.est))[0]) for r in (base, metric, scalar) if r.est is not None]
    return Climbed(ladder, metric, scalar, p_value, (cfi[1] - cfi[0], cfi[2] - cfi[1]))


UNSETTLED = reason("R-GATE-UNSETTLED", "the factor model has no solution here.", "因子模型在此无解。")


def search(climbed: Climbed, level: float, alpha: float) -> Searched:
    """Releases one parameter at a time over all cells until neither step is rejected.

    A step is rejected at `level` / 2. What is released has the largest score test of its step; after the first release
    its p (Bonferroni over the tests of the step) must be below `alpha`. Every construct keeps two items with equal
    loadings and intercepts.

    Source:
        Byrne, Shavelson & Muthén (1989), Psychological Bulletin 105(3); Yoon & Millsap (2007), Structural Equation
        Modeling 14(3) (one release at a time).
    """
    done: tuple[Release, ...] = ()
    below = climbed.metric.below or climbed.metric
    rung = climbed.metric
    for step, whole in zip(STEPS, (climbed.metric, climbed.scalar), strict=True):
        free = frozenset(r.key for r in done)
        rung = climbed.ladder.rung(step, below, whole.held, free) if free else whole
        while rung.est is not None and rung.difference[2] < level / 2:
            best, named = next_suspect(climbed.ladder, rung, alpha, first=not done)
            if best is None:
                return _ended(climbed, rung, done, named)
            done = (*done, best)
            rung = climbed.ladder.rung(step, below, whole.held, rung.free | {best.key})
        if rung.est is None:
            return _ended(climbed, climbed.scalar, done, ())
        below = rung
    return _ended(climbed, rung, done, (), stands=True)


def next_suspect(ladder: Ladder, rung: Rung, alpha: float, *, first: bool) -> tuple[Release | None, tuple[str, ...]]:
    """What to release next (None where nothing may or need be), and the item that differs most.

    Parameters:
        first: nothing is released yet, so that what differs most is, whatever its own p: the step is rejected.
    """
    tied = rung.step == "metric" and not ladder.settings.std_lv  # a loading fixed at 1 cannot be tested
    twin = ladder.fit(rung.held, rung.free, std_lv=True) if tied else rung.est
    if twin is None or not twin.convergence.converged.all():
        return None, ()
    now = exempt(rung.free)
    found = suspects(twin, rung.step, ladder.model, ladder.settings.ordered, now)
    named = tuple(item_of(x.key) for x in found[:1])
    kept = (x for x in found if enough(ladder.model, now | {x.key}))
    allowed = (x for x in kept if first or x.p_value * len(found) < alpha)
    return next(allowed, None), named


def item_of(key: Key) -> str:
    """The item of a loading, intercept or threshold."""
    return key[2] if key[1] == "=~" else key[0]


def _ended(
    climbed: Climbed, rung: Rung, done: tuple[Release, ...], named: tuple[str, ...], *, stands: bool = False
) -> Searched:
    """The end of a search: the scalar step with what was released free, as far as it has a solution."""
    free = frozenset(r.key for r in done)
    est = rung.est if stands else climbed.ladder.fit(climbed.scalar.held, free)
    if est is None or not est.convergence.converged.all():
        est = climbed.scalar.est or climbed.ladder.first
    items = dict.fromkeys([*(item_of(r.key) for r in done), *named])
    return Searched(est, free, done, stands, tuple(items))


def worst(climbed: Climbed) -> Searched:
    """The scalar step with the intercept free that differs most, although the step is not rejected.

    It tells how large an effect the step may hide.
    """
    est = climbed.scalar.est
    found = (
        ()
        if est is None
        else suspects(est, "scalar", climbed.ladder.model, climbed.ladder.settings.ordered, frozenset())
    )
    if not found:
        return Searched(climbed.scalar.est or climbed.ladder.first, frozenset(), (), stands=True, suspected=())
    free = frozenset({found[0].key})
    est = climbed.ladder.fit(climbed.scalar.held, free)
    return Searched(est, free, found[:1], stands=True, suspected=(item_of(found[0].key),))


STEP_NAMES = {"metric": Text("loadings", "载荷"), "scalar": Text("intercepts", "截距")}
"""What a step holds equal, in a word."""
