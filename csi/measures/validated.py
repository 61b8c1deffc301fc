"""Cross-validation of a composite model: what it and two benchmarks predict of rows they have not seen.

Letters: `n` rows of a cell, `p` items, `q` constructs, `t` items and `e` constructs that are predicted, `m` training
sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from csi.estimate.estimate import Estimate, Solution
from csi.inference.replicates import Flags
from csi.inference.resample import rows_behind
from csi.measures.folds import Folds, divided, fold_of_rows, held_out, of_cell, training
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
from csi.measures.product_columns import ProductColumns, product_columns, with_products
from csi.measures.score_rows import item_weights
from csi.moments.pearson import cell_slices
from csi.moments.stack import Array, Ints, Moments, Sample

PREDICTORS = ("pls", "lm", "ia")
"""The model, the linear model of items, the indicator average."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Means over repetitions, (n, t) each: prediction, squared, absolute, relative (to the answer) and cubed error."""

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
        lost: cause -> training sets without a usable solution. trained: training sets, 0 in a cell that the folds do
            not divide. absent: answers that were
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
    """One entry per cell: the model is refitted to every training set of the cell, as one stack.

    A cell that the folds do not divide has no training set, and nothing is predicted.
    """
    sample = rows_behind(est)
    usable = divided(sample, folds)
    return [
        _cell(est, sample, number, rows, fold_of_rows(sample, rows, folds, repetitions, seed), technique, benchmark)
        if usable[number]
        else _untrained(est, sample, rows)
        for number, rows in enumerate(cell_slices(sample))
    ]


def _untrained(est: Estimate, sample: Sample, rows: slice) -> Validated:
    """A cell without a training set."""
    wanted, inner = targets(est.solution), endogenous(est.solution)
    answers = sample.rows[rows][:, [sample.names.index(est.solution.items[i]) for i in wanted]]
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    nothing = Errors(*np.zeros((5, *answers.shape)))
    return Validated(
        items=tuple(est.solution.items[i] for i in wanted),
        constructs=tuple(est.solution.constructs[j] for j in inner),
        block=np.searchsorted(inner, est.solution.block[wanted]).astype(np.int64),
        answers=answers,
        weight=sample.weight[rows],
        unit=sample.unit[rows],
        place=np.asarray(place[rows], dtype=np.int64),
        count=np.zeros(answers.shape, dtype=np.int64),
        errors=dict.fromkeys(PREDICTORS, nothing),
        scores=np.full((3, inner.size), np.nan),
        lost={},
        trained=0,
        absent=0,
        without_lm=False,
    )


def _cell(
    est: Estimate, sample: Sample, number: int, rows: slice, fold: Ints, technique: Technique, benchmark: Benchmark
) -> Validated:
    """One cell: refit, predict, gather the errors."""
    moments = training(sample, number, rows, fold, with_rows=any(c.product_of for c in est.model.constructs))
    fit = est.settings.solve(est.model, moments, of_cell(est, number))
    moments = moments.of_items(fit.solution.items)
    wanted, inner = targets(est.solution), endogenous(est.solution)
    solution = replace(
        fit.solution, r2=est.solution.r2
    )  # what is predicted is the model's, also where no refit is usable
    cause = fit.convergence.cause
    failed = np.zeros(len(moments.n), dtype=np.int64) if cause is None else cause
    lm = linear_rule(moments, est.solution, benchmark)
    rules = {"pls": model_rule(moments, solution, technique), "lm": lm, "ia": mean_rule(moments, est.solution)}
    rules["pls"].level[failed > 0] = np.nan
    X = sample.rows[rows][:, [sample.names.index(i) for i in solution.items]]
    scoring = _score_rule(moments, solution, failed == 0, technique)
    weights = np.empty((0, len(X))) if moments.rows is None else moments.rows.weights[0]
    products = product_columns(est.model, solution, technique, (moments.mean, moments.sd), (X, weights))
    if products is not None:
        rules, scoring = _widened(rules, scoring, products, solution, moments.sd[:, wanted], technique)
    count, errors, scores = _errors(X, wanted, moments.mean, rules, scoring, fold, sample.weight[rows], products)
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    named = [(code, name) for code, name in enumerate(est.settings.causes) if code]
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
        lost={_cause(name, moments, failed == code): int((failed == code).sum()) for code, name in named},
        trained=len(moments.n),
        absent=int(np.isnan(X).sum()),
        without_lm=not np.isfinite(lm.level).all(),
    )


def _cause(name: str, moments: Moments, lost: Flags) -> str:
    """A cause, with the items that do not vary in the training sets it is about."""
    flat = ~(np.diagonal(moments.cov, axis1=1, axis2=2) > 0) & lost[:, None]
    items = [moments.names[k] for k in np.flatnonzero(flat.any(axis=0)).tolist()]
    return f"{name} ({', '.join(items)})" if name == "constant item" and items else name


def _widened(
    rules: dict[str, Rule], scoring: Rule, products: ProductColumns, solution: Solution, sd: Array, technique: Technique
) -> tuple[dict[str, Rule], Rule]:
    """The rules with what they take from the products' columns; the benchmarks take nothing."""
    toward, wanted = score_rule(solution, technique).swapaxes(1, 2)[:, products.at], targets(solution)
    mine = toward[:, :, solution.block[wanted]] * (solution.loadings[:, wanted] * sd)[:, None]
    wide = {name: with_products(rule, mine if name == "pls" else np.zeros_like(mine)) for name, rule in rules.items()}
    return wide, with_products(scoring, np.concatenate([np.zeros_like(toward), -toward], axis=2))


def _together(rules: Mapping[str, Rule], scores: Rule) -> Rule:
    """Every rule side by side, the constructs' scores and their errors last: one product per training set."""
    every = [*rules.values(), scores]
    return Rule(np.concatenate([r.level for r in every], axis=1), np.concatenate([r.slope for r in every], axis=2))


def _score_rule(moments: Moments, solution: Solution, usable: Flags, technique: Technique) -> Rule:
    """Scores (q) and their prediction errors (q) from raw items.

    A construct's score in a row held out is made with the weights, means and spreads of the rows kept, and so is its
    prediction from the scores of its antecedents.
    """
    W = item_weights(solution)
    both = np.concatenate([W, W - W @ score_rule(solution, technique).swapaxes(1, 2)], axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = both / moments.sd[:, :, None]
    level = -np.einsum("mp,mpc->mc", moments.mean, slope)
    level[~usable] = np.nan
    return Rule(level, slope)


def _repeated(X: Array, mean: Array, rule: Rule, fold: Ints, products: ProductColumns | None = None) -> Iterator[Array]:
    """(n, c) what the rule of the training set that each row was held out of says of it, repetition by repetition.

    Absent answers are taken at their training mean.
    """
    K, holes = int(fold.max()) + 1, bool(np.isnan(X).any())
    found = np.empty((len(X), rule.level.shape[1]))
    for s, rows in held_out(fold):
        x = np.where(np.isnan(X[rows]), mean[s], X[rows]) if holes else X[rows]
        x = x if products is None else np.concatenate([x, products.of(s, x)], axis=1)
        found[rows] = rule.level[s] + x @ rule.slope[s]
        if s % K == K - 1:
            yield found


def _errors(
    X: Array,
    wanted: Ints,
    mean: Array,
    rules: Mapping[str, Rule],
    scores: Rule,
    fold: Ints,
    weight: Array,
    products: ProductColumns | None = None,
) -> tuple[Ints, dict[str, Errors], Array]:
    """How often every answer was predicted, each predictor's mean errors, and those of the constructs' scores (3, q).

    The linear model may have no rule where the others do; its errors are then NaN.
    """
    answers = X[:, wanted]
    n, t = answers.shape
    count, q = np.zeros((n, t), dtype=np.int64), scores.level.shape[1] // 2
    sums = {name: np.zeros((5, n, t)) for name in rules}
    own, total = np.zeros((3, q)), 0.0
    for found in _repeated(X, mean, _together(rules, scores), fold, products):
        parts = {name: found[:, k * t : (k + 1) * t] for k, name in enumerate(rules)}
        seen = np.isfinite(answers) & np.isfinite(parts["pls"])
        count += seen
        for name, y in parts.items():
            _add(sums[name], answers, y, seen)
        score, e = found[:, -2 * q : -q], found[:, -q:]
        w = np.where(np.isfinite(e).any(axis=1), weight, 0.0)
        own += np.stack([w @ np.where(w[:, None] > 0, part, 0.0) for part in (e**2, score**2, np.abs(e))])
        total += float(w.sum())
    times = np.maximum(count, 1)
    scored = own / total if total else np.full_like(own, np.nan)
    return count, {name: Errors(*(part / times)) for name, part in sums.items()}, scored


def _add(sums: Array, answers: Array, predicted: Array, seen: Flags) -> None:
    """Add prediction, squared, absolute, relative and cubed error where an answer was seen, in place."""
    e = np.where(seen, answers - predicted, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(seen, np.abs(e / np.where(answers != 0, answers, np.nan)), 0.0)
    sums[0] += np.where(seen, predicted, 0.0)
    sums[1] += e * e
    sums[2] += np.abs(e)
    sums[3] += relative
    sums[4] += e * e * e
