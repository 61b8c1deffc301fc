"""Outer weights for an index: which rows estimate them, fitted again with the same settings and resampling plan.

Letters: `c` cells, `g` weight groups, `p` items, `q` constructs, `B` replicates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import polars as pl

from csi.errors import Problems, Reason, problem
from csi.estimate.estimate import Estimate, Factors, Solution
from csi.estimate.unrolled import on_items
from csi.inference.replicates import replicates_of
from csi.inference.resample import Kind, resampling_of
from csi.measures.blocks import membership
from csi.measures.performance import relative_weights
from csi.moments.pearson import moments_of
from csi.moments.sample import regroup
from csi.moments.stack import Array, Ints, Moments, Sample
from csi.tracking.index_weights import (
    Given,
    Groups,
    Rule,
    given_weights,
    groups_of,
    weight_reasons,
)
from csi.tracking.rolling import window_needs_rows, windowed


@dataclass(frozen=True, slots=True)
class Weights:
    """Relative weights of the 0-100 items by group: values (g, p), replicates (B, g, p) or None, and what is wrong.

    `reasons` maps (group, construct) to why the construct has no index there; `factors` as in `Replicates`; `source` is
    the fit that gave the weights, None where they are given.
    """

    values: Array
    replicates: Array | None
    groups: Groups
    reasons: dict[tuple[int, int], Reason]
    factors: Factors | None = None
    source: Estimate | None = None


def key_columns(est: Estimate) -> list[str]:
    """The columns that name an estimate's cells."""
    return [k for k in est.moments.cells.columns if k != "n"]


def pooled(est: Estimate, groups: Groups) -> Estimate:
    """The model fitted to the answers of each group together, from the rows, or from the moments where there are none.

    Raises:
        Problems: E-ROWS, moments with absent answers cannot be pooled without the rows.
    """
    if est.sample is not None:
        part = subset(est.sample, np.flatnonzero(groups.of_estimate >= 0))
        return refit(est, regroup(part, [k for k in groups.cells.columns if k != "n"]))
    if est.moments.missing != "listwise":
        en = f"pooling cells needs the rows when absent answers are treated {est.moments.missing}."
        zh = f"缺失值按 {est.moments.missing} 处理时，合并单元需要原始行。"
        do, do_zh = 'Fit from a panel, or use weights="own".', "请用面板数据拟合，或改用 weights=“own”。"
        raise Problems([problem("E-ROWS", "index", en, zh, do, do_zh)])
    return on_items(replace(est.settings.solve(est.model, pooled_moments(est.moments, groups)), level=est.level))


def pooled_moments(moments: Moments, groups: Groups) -> Moments:
    """Moments of the cells of each group together.

    `mean = sum_c W_c mean_c / W`, `cov = n / (n - 1) sum_c W_c ((n_c - 1) / n_c cov_c + d_c d_c') / W` with
    `d_c = mean_c - mean` and W the sums of weights.

    Source:
        Chan, Golub & LeVeque (1983), The American Statistician 37(3), pairwise combination.
    """
    member = membership(groups.of_estimate, int(groups.of_estimate.max()) + 1).T
    n, total = member @ moments.n, member @ moments.sum_w
    share = member * moments.sum_w / total[:, None]
    mean = share @ moments.mean
    within = np.einsum("gc,c,cij->gij", share, (moments.n - 1.0) / moments.n, moments.cov)
    between = moments.mean[None] - mean[:, None]
    cov = (within + np.einsum("gc,gci,gcj->gij", share, between, between)) * (n / (n - 1.0))[:, None, None]
    named = {k: groups.cells[k] for k in groups.cells.columns if k != "n"}
    cells = pl.DataFrame({**named, "n": n.astype(np.int64)})
    squares = member @ moments.sum_w2
    return replace(moments, n=n, sum_w=total, sum_w2=squares, mean=mean, cov=cov, cells=cells)


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
        return on_items(fresh)
    if drawn.again is not None:
        return on_items(replace(fresh, replicates=drawn.again(fresh, sample)))
    plan = resampling_of(sample, drawn.n, drawn.seed, cast("Kind", drawn.kind))
    return on_items(replace(fresh, replicates=replicates_of(fresh, sample, plan)))


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
        group=None if sample.group is None else sample.group[keep],
        place=None if sample.place is None else sample.place[keep],
    )


def estimate_weights(
    est: Estimate, cells: Estimate, rule: Rule, base: str | None, given: Given | None, window: int = 4
) -> Weights:
    """Relative weights of every group, from the cells the rule names."""
    groups = groups_of(rule, est.moments.cells, cells.moments.cells, base)
    if rule == "given" and given is not None:
        values = given_weights(given, est.solution)[None, :]
        return Weights(values, None, groups, weight_reasons(values, est.solution, None))
    if est.solution.weights is None:
        return _of_factors(est, groups)
    fitted = cells if rule == "own" else _windowed(est, groups, window) if rule == "rolling" else pooled(est, groups)
    sol, low_high = fitted.solution, item_bounds(fitted)
    span, places = low_high[1] - low_high[0], item_places(fitted)
    values = relative_weights(
        cast("Array", sol.weights), fitted.moments.sd[:, places], span, sol.block, len(sol.constructs)
    )
    reasons = weight_reasons(values, sol, fitted.convergence)
    rep = fitted.replicates
    if rep is None:
        return Weights(values, None, groups, reasons, source=fitted)
    outer = cast("Array", rep.solution.weights).reshape(rep.n, values.shape[0], -1)
    drawn = relative_weights(outer, rep.sd[:, :, places], span, sol.block, len(sol.constructs))
    drawn[~rep.usable] = np.nan
    return Weights(values, drawn, groups, reasons, rep.factors, fitted)


def _windowed(est: Estimate, groups: Groups, window: int) -> Estimate:
    """The model fitted to every wave together with those before it.

    Raises:
        Problems: E-ROWS.
    """
    if est.sample is None:
        raise Problems([window_needs_rows()])
    return refit(est, windowed(est.sample, groups.cells["wave"].to_list(), window))


def _of_factors(est: Estimate, groups: Groups) -> Weights:
    """Weights of a covariance model's factor scores, from the loadings of the cells each group is made of."""
    values = factor_weights(est.solution, est.moments.sd[:, item_places(est)], est, groups)
    reasons, rep = weight_reasons(values, est.solution, None), est.replicates
    cells = len(est.moments.n)
    if rep is None or len(rep.solution.loadings) != rep.n * cells:
        return Weights(values, None, groups, reasons)
    many = replace(rep.solution, loadings=rep.solution.loadings.reshape(rep.n, cells, -1))
    drawn = factor_weights(many, rep.sd[:, :, item_places(est)], est, groups)
    taking = groups.of_estimate >= 0
    drawn[~rep.usable[:, taking].all(axis=1)] = np.nan
    return Weights(values, drawn, groups, reasons, rep.factors)


def factor_weights(sol: Solution, sd: Array, est: Estimate, groups: Groups) -> Array:
    """Relative weights of 0-100 items by loading / error variance, the cells of a group weighed by their answers.

    Parameters:
        sol: with loadings (..., c, p), standardised. sd: (..., c, p) of the items. est: the fit. groups: of its cells.

    Returns:
        (..., g, p) summing to 1 per construct; NaN where a loading is not between 0 and 1 or no cell converged.

    Source:
        Bartlett (1937), British Journal of Psychology 28: the weights of a factor's score from its own items.
    """
    low, high = item_bounds(est)
    q = len(sol.constructs)
    member = membership(sol.block, q)
    turn = np.where((sol.loadings @ member) < 0, -1.0, 1.0)[..., sol.block]
    loadings = sol.loadings * turn
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(np.abs(loadings) < 1, loadings / (1 - loadings**2), np.nan) / sd * (high - low)
    each = np.where(np.bincount(sol.block, minlength=q)[sol.block] == 1, 1.0, each)
    good = est.convergence.converged & (groups.of_estimate >= 0)
    share = membership(groups.of_estimate[good], len(groups.cells) or 1).T * est.moments.n[good]
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = (share / share.sum(axis=1, keepdims=True)) @ each[..., good, :]
        found: Array = raw / (raw @ member)[..., sol.block]
    return found
