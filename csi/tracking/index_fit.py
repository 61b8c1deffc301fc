"""Outer weights for an index: which rows estimate them, fitted again with the same settings and resampling plan.

Letters: `c` cells, `g` weight groups, `p` items, `q` constructs, `B` replicates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from csi.errors import Problems, Reason, problem
from csi.estimate.estimate import Estimate
from csi.inference.replicates import replicates_of
from csi.inference.resample import Kind, plan_of
from csi.moments.pearson import moments_of
from csi.moments.sample import regroup
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.index_weights import Given, Groups, Rule, given_weights, groups_of, relative_weights, weight_reasons


@dataclass(frozen=True, slots=True)
class Weights:
    """Relative weights of the 0-100 items by group: values (g, p), replicates (B, g, p) or None, and what is wrong.

    `reasons` maps (group, construct) to why the construct has no index there.
    """

    values: Array
    replicates: Array | None
    groups: Groups
    reasons: dict[tuple[int, int], Reason]


def key_columns(est: Estimate) -> list[str]:
    """The columns that name an estimate's cells."""
    return [k for k in est.moments.cells.columns if k != "n"]


def rows_of(est: Estimate, code: str) -> Sample:
    """The rows behind an estimate, which pooling cells needs."""
    if est.sample is None:
        en, zh = (
            "pooling cells needs the rows, and this estimate has moments alone.",
            "合并单元需要原始行，而该估计仅含矩。",
        )
        do, do_zh = 'Fit from a panel, or use weights="own".', "请用面板数据拟合，或改用 weights=“own”。"
        raise Problems([problem(code, "index", en, zh, do, do_zh)])
    return est.sample


def item_places(est: Estimate) -> Ints:
    """(p,) column of each item of the solution in the moments."""
    return np.array([est.moments.names.index(i) for i in est.solution.items], dtype=np.int64)


def item_bounds(est: Estimate) -> tuple[Array, Array]:
    """Theoretical minima and maxima in the solution's item order."""
    places = item_places(est)
    return est.moments.minimum[places], est.moments.maximum[places]


def refit(est: Estimate, sample: Sample) -> Estimate:
    """The same model, settings and resampling plan on other cells of the same rows.

    The plan depends on the units and strata alone, so replicate b counts the same respondents in both.
    """
    fresh = replace(est.settings.solve(est.model, moments_of(sample)), sample=sample, level=est.level)
    drawn = est.replicates
    if drawn is None:
        return fresh
    return replace(
        fresh, replicates=replicates_of(fresh, sample, plan_of(sample, drawn.n, drawn.seed, cast("Kind", drawn.kind)))
    )


def subset(sample: Sample, taking_part: Ints) -> Sample:
    """The rows of some cells, with the units and strata (hence the resampling plan) of the whole sample."""
    new = np.full(sample.cells.height, -1, dtype=np.int64)
    new[taking_part] = np.arange(taking_part.size)
    keep = new[sample.cell] >= 0
    return replace(
        sample,
        rows=sample.rows[keep],
        weight=sample.weight[keep],
        cell=new[sample.cell[keep]],
        unit=sample.unit[keep],
        cells=sample.cells[taking_part.tolist()],
    )


def estimate_weights(est: Estimate, cells: Estimate, rule: Rule, base: str | None, given: Given | None) -> Weights:
    """Relative weights of every group, from the cells the rule names."""
    groups = groups_of(rule, est.moments.cells, cells.moments.cells, base)
    if rule == "given" and given is not None:
        values = given_weights(given, est.solution)[None, :]
        return Weights(values, None, groups, weight_reasons(values, est.solution, None))
    fitted = cells if rule == "own" else refit(est, _pool(rows_of(est, "E-ROWS"), groups))
    sol, low_high = fitted.solution, item_bounds(fitted)
    span, places = low_high[1] - low_high[0], item_places(fitted)
    values = relative_weights(
        cast("Array", sol.weights), fitted.moments.sd[:, places], span, sol.block, len(sol.constructs)
    )
    reasons = weight_reasons(values, sol, fitted.convergence)
    rep = fitted.replicates
    if rep is None:
        return Weights(values, None, groups, reasons)
    outer = cast("Array", rep.solution.weights).reshape(rep.n, values.shape[0], -1)
    drawn = relative_weights(outer, rep.sd[:, :, places], span, sol.block, len(sol.constructs))
    drawn[~rep.usable] = np.nan
    return Weights(values, drawn, groups, reasons)


def _pool(sample: Sample, groups: Groups) -> Sample:
    """The rows that estimate weights, with one cell per group."""
    part = subset(sample, np.flatnonzero(groups.of_estimate >= 0))
    return regroup(part, groups.cells.columns)
