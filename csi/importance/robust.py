"""A second opinion on what leads to a target: regressions on construct scores that trust other things than PLS does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.engines.statsmodels import RobustRegression, robust_regression
from csi.errors import Note, Problems, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.unrolled import on_items, unrolled
from csi.importance.drivers import check_target
from csi.measures.performance import hundred, relative_weights, spread
from csi.measures.tidy import cells_of, tidy
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class RobustDrivers:
    """Direct effects on a target, in points per point, three times.

    Attributes:
        table: the cell's key columns, predictor, model (the estimate's own direct effect), ols and huber (regressions
            of the target's 0-100 scores) with NAME_conf_low, NAME_conf_high, agrees (the signs are the same and the
            model's value lies within Huber's interval).
        target, level, notes.
    """

    table: pl.DataFrame
    target: str
    level: float
    notes: tuple[Note, ...] = ()


def scores(est: Estimate) -> Array:
    """(n, q) construct scores on 0-100 by the weights of the respondent's cell; NaN where bounds or answers lack.

    Raises:
        Problems: the estimate has no rows or no outer weights.
    """
    sample, solution = est.sample, unrolled(est.solution)
    if sample is None or solution.weights is None:
        found = problem(
            "E-ROWS",
            "robust drivers",
            "construct scores need the answers and outer weights; this estimate has not both.",
            "计算构念得分需要原始回答与外部权重，该估计二者不全。",
            "Fit a PLS model from a panel or a frame.",
            "请用面板或数据框拟合 PLS 模型。",
        )
        raise Problems([found])
    at = [sample.names.index(i) for i in solution.items]
    own = [est.moments.names.index(i) for i in solution.items]
    low, high = sample.minimum[at], sample.maximum[at]
    q = len(solution.constructs)
    relative = relative_weights(solution.weights, est.moments.sd[:, own], high - low, solution.block, q)
    weighted = relative[sample.cell] * hundred(sample.rows[:, at], low, high)
    sums = np.stack([weighted[:, solution.block == k].sum(axis=1) for k in range(q)], axis=1)
    return np.where(np.isin(np.arange(q), solution.block), sums, np.nan)


def robust_drivers(est: Estimate, target: str = "satisfaction") -> RobustDrivers:
    """The direct effects on `target` again, by least squares with HC3 errors and by Huber's M-estimator.

    Least squares repeats the model's slopes and gives them errors that unequal variances do not disturb; Huber's slopes
    give outlying respondents less weight. Scores take the weights of their cell as known.

    Parameters:
        est: a PLS estimate fitted from rows. target: an endogenous construct.

    Returns:
        A `RobustDrivers`.

    Raises:
        Problems: no such target, nothing leads to it, or the estimate has no rows.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> robust_drivers(est, "b").table.select("predictor", pl.col("ols").round(2)).row(0)
        ('a', 0.87)
    """
    check_target(est, target)
    est = on_items(est)
    names, products = est.solution.constructs, {c.name for c in est.model.constructs if c.product_of}
    y, x = (
        names.index(target),
        [names.index(p) for p in est.model.predictors(target) if p in names and p not in products],
    )
    values = scores(est)
    fits = [_cell(est, values, cell, y, x) for cell in range(len(est.moments.n))]
    numbers = {"model": _own(est, y, x)}
    for number, name in enumerate(("ols", "huber")):
        numbers[name] = np.stack([getattr(f, name) if f else np.full(len(x), np.nan) for f in fits])
        for side, bound in enumerate(("low", "high")):
            rows = [f.interval(est.level)[2 * number + side] if f else np.full(len(x), np.nan) for f in fits]
            numbers[f"{name}_conf_{bound}"] = np.stack(rows)
    labels = pl.DataFrame({"predictor": [names[k] for k in x]}, schema={"predictor": pl.String})
    same = np.sign(numbers["model"]) == np.sign(numbers["huber"])
    within = (numbers["huber_conf_low"] <= numbers["model"]) & (numbers["model"] <= numbers["huber_conf_high"])
    known = np.isfinite(numbers["huber"]) & np.isfinite(numbers["model"])
    agrees = [bool(a) if k else None for a, k in zip((same & within).ravel(), known.ravel(), strict=True)]
    table = tidy(cells_of(est), labels, numbers).with_columns(pl.Series("agrees", agrees, dtype=pl.Boolean))
    notes = dict.fromkeys(n for f in fits if f for n in f.notes)
    return RobustDrivers(table, target, est.level, (*notes, *_unfitted(fits)))


def _cell(est: Estimate, values: Array, cell: int, y: int, x: list[int]) -> RobustRegression | None:
    """The regressions of one cell; None where complete rows are too few."""
    if est.sample is None:
        return None
    rows = (est.sample.cell == cell) & np.isfinite(values[:, [y, *x]]).all(axis=1)
    if rows.sum() < len(x) + 3:
        return None
    return robust_regression(values[rows, y], values[rows][:, x], est.sample.weight[rows])


def _own(est: Estimate, y: int, x: list[int]) -> Array:
    """(b, k) the model's direct effects in points per point: path x sd(target) / sd(predictor)."""
    solution, moments = est.solution, est.moments
    if solution.weights is None:
        return np.full((len(moments.n), len(x)), np.nan)
    at = [moments.names.index(i) for i in solution.items]
    span = moments.maximum[at] - moments.minimum[at]
    sd = spread(solution.weights, moments.sd[:, at], span, solution.block, len(solution.constructs))
    return np.asarray(solution.paths[:, y, x] * sd[:, [y]] / sd[:, x], dtype=np.float64)


def _unfitted(fits: list[RobustRegression | None]) -> tuple[Note, ...]:
    missing = sum(f is None for f in fits)
    if not missing:
        return ()
    en = f"{missing} of {len(fits)} cells have too few complete rows for the regressions."
    return (note("too_few_rows", en, f"{len(fits)} 个单元中有 {missing} 个完整样本过少，未做回归。"),)
