"""Scores of constructs for every row of the data."""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.moments.stack import Array, Ints, Sample
from csi.sem.fitted import Fitted, fitted
from csi.sem.moment_vector import plans_of
from csi.sem.scores import Scores, categories_of, posterior_modes, scores_of, scoring_of

METHODS: dict[str, Scores] = {
    "regression": "regression",
    "bartlett": "bartlett",
    "Bartlett": "bartlett",
    "EBM": "regression",
    "ML": "bartlett",
}
"""Names of the methods, ours first, then lavaan's."""


def factor_scores(est: Estimate, method: Scores | str = "regression") -> pl.DataFrame:
    """Factor scores of every row that was fitted, in the order of the data.

    Rows with absent answers are scored from the answers they have (by the model's moments of these). Ordinal items are
    scored by the mode of the posterior (`method` is then "regression"); residual covariances among them do not enter.

    Parameters:
        est: a fit by `csi.SEM` to rows. method: "regression" (best predictor, shrunken) or "bartlett" (unbiased);
            lavaan's names for them, "EBM" and "ML", are known.

    Returns:
        frame: row (position in the data, from 0), the cell's key columns, group, and one column per construct.

    Raises:
        Problems: the estimate is not of `csi.SEM`, has no rows, or asks Bartlett scores of ordinal items; an unknown
            method.

    Source:
        Bartlett (1937); Thurstone (1935); Skrondal & Rabe-Hesketh (2004), Generalized latent variable modeling, 7.
        Agrees with lavaan 0.6-14, lavPredict.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 5, 3], "b": [2, 4, 8, 9, 5, 5], "c": [1, 5, 6, 9, 3, 4]}
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c"), pl.DataFrame(answers), csi.SEM())
        >>> factor_scores(est)["f"].round(2).to_list()[:3]
        [-3.81, -0.97, 2.26]
    """
    check_estimate(est)
    wrong = one_of("method", method, METHODS)
    if wrong:
        raise Problems(wrong)
    fit, way = fitted(est), METHODS[method]
    sample = _sample(est, fit, way)
    items = np.array([sample.names.index(n) for n in fit.layout.table.observed], dtype=np.int64)
    ordered = fit.layout.table.rules.ordered
    q = fit.layout.blocks[0].q
    out = np.full((len(sample.rows), q), np.nan)
    group = np.zeros(len(sample.rows), dtype=np.int64) if sample.group is None else sample.group
    usable = est.convergence.converged
    for s in range(len(fit.theta)):
        for g in range(len(fit.groups)):
            some = np.flatnonzero((sample.cell == s) & (group == g))
            if not usable[s] or not some.size:
                continue
            rows = sample.rows[np.ix_(some, items)]
            if ordered:
                plan = plans_of(fit.layout)[g]
                given = rows[:, list(fit.layout.table.given)] if plan.given.size else np.empty((len(rows), 0))
                there = ~np.isnan(given).any(axis=1)
                codes = _coded(sample, items[plan.kept], rows[:, plan.kept])
                out[some[there]] = posterior_modes(categories_of(fit, g, s), codes[there], given[there])
            else:
                out[some] = scores_of(scoring_of(fit, g, s), rows, way)
    return _frame(est, fit, sample, group, out)


def _coded(sample: Sample, items: Ints, rows: Array) -> Ints:
    """(n, p) categories from 0, counted over all rows of the sample; -1 where absent."""
    codes = np.full(rows.shape, -1, dtype=np.int64)
    for j, at in enumerate(items.tolist()):
        column = sample.rows[:, at]
        values = np.unique(column[~np.isnan(column)])
        here = ~np.isnan(rows[:, j])
        codes[here, j] = np.searchsorted(values, rows[here, j])
    return codes


def _frame(est: Estimate, fit: Fitted, sample: Sample, group: Ints, scores: Array) -> pl.DataFrame:
    """Scores with their keys, in the order of the data."""
    place = np.arange(len(scores)) if sample.place is None else sample.place
    columns: dict[str, pl.Series] = {"row": pl.Series(place, dtype=pl.Int64)}
    keys = [c for c in est.moments.cells.columns if c != "n"]
    columns |= {k: est.moments.cells[k].gather(sample.cell) for k in keys}
    groups = fit.layout.table.rules.groups
    labels = [groups[i] if groups else None for i in group.tolist()]
    columns["group"] = pl.Series(labels, dtype=pl.String)
    hidden = {rest for c in fit.layout.table.rules.composites for rest in c.rests}
    for j, name in enumerate(fit.layout.table.latent):
        if name in hidden:
            continue
        values = pl.Series(np.ascontiguousarray(scores[:, j]), dtype=pl.Float64)
        columns[name] = values.set(values.is_nan(), None)
    return pl.DataFrame(columns).sort("row")


def _sample(est: Estimate, fit: Fitted, method: Scores) -> Sample:
    """The rows, when they are there and can be scored."""
    found: list[Problem] = []
    ordered = fit.layout.table.rules.ordered
    plan = plans_of(fit.layout)[0]
    if est.sample is None:
        found.append(
            problem(
                "E-SCORES",
                "estimate",
                "it was fitted to moments, so there are no rows to score.",
                "该估计由矩拟合得到，没有可评分的数据行。",
                "Fit the model to the answers themselves.",
                "请用原始回答拟合模型。",
            )
        )
    if ordered and (method == "bartlett" or plan.own.size):
        found.append(
            problem(
                "E-SCORES",
                "factor_scores",
                "ordinal items are scored by posterior modes, which Bartlett scores and continuous items do not have.",
                "有序题项以后验众数评分，不适用于 Bartlett 得分，也不适用于与连续题项混合的模型。",
                'Use method="regression" with ordinal items only, or declare the items continuous.',
                '请在全部题项有序时使用 method="regression"，或将题项视为连续变量。',
            )
        )
    if found or est.sample is None:
        raise Problems(found)
    return est.sample
