"""Cross-validation of a composite model: what it and two benchmarks predict of rows they have not seen.

Letters: `n` rows of a cell, `p` items, `q` constructs, `t` items and `e` constructs that are predicted, `m` training
sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from csi.estimate.estimate import Estimate, Solution
from csi.inference.replicates import Flags
from csi.inference.resample import rows_behind
from csi.measures.folds import Folds, fold_of_rows, held_out, of_cell, training
from csi.measures.linear_prediction import (
    Benchmark,
    Rule,
    Technique,
    endogenous,
    linear_rule,
    mean_rule,
    model_rule,
    score_rule,
    targets,
)
from csi.measures.score_rows import item_weights
from csi.moments.pearson import cell_slices
from csi.moments.stack import Array, Ints, Moments, Sample

PREDICTORS = ("pls", "lm", "ia")
"""The model, the linear model of items, the indicator average."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Sums over repetitions, (n, t) each: of predictions, of squared, absolute, relative (to the answer) and cubed
    errors; over rows and repetitions too, (e,) each: of the constructs' squared and absolute errors and squared scores.
    """

    predicted: Array
    squared: Array
    absolute: Array
    relative: Array
    cubed: Array


@dataclass(frozen=True, slots=True)
class Validated:
    """Predictions of one cell's rows, each made without them.

    Attributes:
        items: t names. constructs: e names. block: (t,) number of each item's construct in `constructs`.
        answers: (n, t). weight: (n,). unit: (n,). place: (n,) of each row in the data as read.
        count: (n, t) repetitions in which the answer and every prediction of it are there.
        errors: predictor -> mean over those repetitions; 0 where there is none.
        scores: (3, e) weighted means of the constructs' squared errors, of their squared scores, of absolute errors.
        lost: cause -> training sets without a usable solution. trained: training sets. absent: answers that were
            missing from rows used to predict, and taken at their training mean. without_lm: whether the linear model
            had too few rows, or collinear items, in some training set.
    """

    items: tuple[str, ...]
    constructs: tuple[str, ...]
    block: Ints
    answers: Array
    weight: Array
    unit: Ints
    place: Ints
    count: Ints
    errors: Mapping[str, Errors]
    scores: Array
    lost: Mapping[str, int]
    trained: int
    absent: int
    without_lm: bool


def validated(
    est: Estimate, folds: Folds, repetitions: int, technique: Technique, benchmark: Benchmark, seed: int
) -> list[Validated]:
    """One entry per cell: the model is refitted to every training set of the cell, as one stack."""
    sample = rows_behind(est)
    return [
        _cell(est, sample, number, rows, fold_of_rows(sample, rows, folds, repetitions, seed), technique, benchmark)
        for number, rows in enumerate(cell_slices(sample))
    ]


def _cell(
    est: Estimate, sample: Sample, number: int, rows: slice, fold: Ints, technique: Technique, benchmark: Benchmark
) -> Validated:
    """One cell: refit, predict, gather the errors."""
    moments = training(sample, number, rows, fold)
    fit = est.settings.solve(est.model, moments, of_cell(est, number))
    moments = moments.of_items(fit.solution.items)
    wanted, inner = targets(est.solution), endogenous(est.solution)
    solution = replace(fit.solution, r2=np.where(np.isfinite(est.solution.r2[:1]), fit.solution.r2, np.nan))
    cause = fit.convergence.cause
    failed = np.zeros(len(moments.n), dtype=np.int64) if cause is None else cause
    lm = linear_rule(moments, est.solution, benchmark)
    rules = {"pls": model_rule(moments, solution, technique), "lm": lm, "ia": mean_rule(moments, est.solution)}
    rules["pls"].level[failed > 0] = np.nan
    X = sample.rows[rows][:, [sample.names.index(i) for i in solution.items]]
    count, errors = _errors(X, wanted, moments.mean, rules, fold)
    scores = _score_errors(X, moments, solution, failed == 0, technique, fold, sample.weight[rows])
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    return Validated(
        items=tuple(solution.items[i] for i in wanted),
        constructs=tuple(solution.constructs[j] for j in inner),
        block=np.searchsorted(inner, solution.block[wanted]).astype(np.int64),
        answers=X[:, wanted],
        weight=sample.weight[rows],
        unit=sample.unit[rows],
        place=np.asarray(place[rows], dtype=np.int64),
        count=count,
        errors=errors,
        scores=scores[:, inner],
        lost={name: int((failed == code).sum()) for code, name in enumerate(est.settings.causes) if code},
        trained=len(moments.n),
        absent=int(np.isnan(X).sum()),
        without_lm=not np.isfinite(lm.level).all(),
    )


def _errors(
    X: Array, wanted: Ints, mean: Array, rules: Mapping[str, Rule], fold: Ints
) -> tuple[Ints, dict[str, Errors]]:
    """How often every answer was predicted by the model and the average, and each predictor's mean errors.

    The linear model may have no rule where the others do; its errors are then NaN.
    """
    answers = X[:, wanted]
    n, t = answers.shape
    count = np.zeros((n, t), dtype=np.int64)
    sums = {name: np.zeros((5, n, t)) for name in rules}
    for s, rows in held_out(fold):
        x = np.where(np.isnan(X[rows]), mean[s], X[rows])
        predicted = {name: rule.level[s] + x @ rule.slope[s] for name, rule in rules.items()}
        seen = np.isfinite(answers[rows]) & np.isfinite(predicted["pls"])
        count[rows] += seen
        for name, y in predicted.items():
            sums[name][:, rows] += np.where(seen, _powers(answers[rows], y), 0.0)
    times = np.maximum(count, 1)
    return count, {name: Errors(*(total / times)) for name, total in sums.items()}


def _powers(answers: Array, predicted: Array) -> Array:
    """(5, n, t) prediction, squared, absolute, relative and cubed error."""
    e = answers - predicted
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(answers != 0, np.abs(e / answers), np.nan)
    return np.stack([predicted, e**2, np.abs(e), relative, e**3])


def _score_errors(
    X: Array, moments: Moments, solution: Solution, usable: Flags, technique: Technique, fold: Ints, weight: Array
) -> Array:
    """(3, q) weighted means of the constructs' squared errors, squared scores and absolute errors.

    A construct's score in a row held out is made with the weights, means and spreads of the rows kept, and so is its
    prediction from the scores of its antecedents.
    """
    W, toward = item_weights(solution), score_rule(solution, technique).swapaxes(1, 2)
    sums, total = np.zeros((3, W.shape[2])), 0.0
    for s, rows in held_out(fold):
        if not usable[s]:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.nan_to_num((X[rows] - moments.mean[s]) / moments.sd[s])
        score = z @ W[s]
        e = score - score @ toward[s]
        sums += np.stack([weight[rows] @ part for part in (e**2, score**2, np.abs(e))])
        total += float(weight[rows].sum())
    return np.asarray(sums / total if total else np.full_like(sums, np.nan), dtype=np.float64)
