"""The rounds of blindfolding: which answers are omitted, and how far they are from what the model says of them.

Letters: `n` rows of a cell, `p` items, `q` constructs, `D` omission distance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import polars as pl

from csi.estimate.estimate import Estimate, Solution
from csi.inference.replicates import Flags
from csi.measures.folds import of_cell
from csi.measures.linear_prediction import Technique, score_rule
from csi.measures.score_rows import item_weights
from csi.models.model import Model
from csi.moments.patterns import pattern_rows
from csi.moments.pearson import cell_moments, cell_slices, moments_of
from csi.moments.stack import Array, Ints, Missing, Moments, Sample
from csi.pls.incomplete_products import expected_rows
from csi.pls.stages import levels_of, stage_model


@dataclass(frozen=True, slots=True)
class Rounds:
    """What is asked for: the omission distance, whose scores predict, whether rows are taken in the data's order."""

    distance: int
    technique: Technique
    as_read: bool


def ground_of(est: Estimate, sample: Sample) -> tuple[Estimate, Sample]:
    """A plain model and the rows it is fitted to: components of higher-order constructs enter with their scores.

    A model without higher-order constructs stays as it is.
    """
    if not est.solution.higher:
        return est, sample
    levels = levels_of(est.model)
    model = stage_model(est.model, levels, levels.highest, {})
    names = tuple(i for c in model.constructs for i in c.items)
    rows = np.stack([_column(est, sample, name) for name in names], axis=1)
    unknown = np.full(len(names), np.nan)
    ground = replace(sample, names=names, rows=rows, minimum=unknown, maximum=unknown)
    settings: Any = est.settings
    if hasattr(settings, "modes"):
        settings = replace(settings, modes={k: mode for k, mode in settings.modes.items() if k in model.names})
    return cast("Estimate", settings.solve(model, moments_of(ground))), ground


def _column(est: Estimate, sample: Sample, name: str) -> Array:
    """(n,) answers to an item, or the scores of a component."""
    if name in sample.names:
        return sample.rows[:, sample.names.index(name)]
    at = [sample.names.index(i) for i in est.solution.items]
    own = [est.moments.names.index(i) for i in est.solution.items]
    weights = item_weights(est.solution)[:, :, est.solution.constructs.index(name)]
    found = np.empty(len(sample.rows))
    for number, rows in enumerate(cell_slices(sample)):
        mean, cov = est.moments.mean[number, own], est.moments.cov[number][np.ix_(own, own)]
        Z = _standardised(_filled(sample.rows[rows][:, at], mean, cov, sample.missing), mean, cov)
        found[rows] = Z @ weights[number]
    return found


def _standardised(X: Array, mean: Array, cov: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        Z: Array = (X - mean) / np.sqrt(np.diagonal(cov))
    return Z


def _filled(X: Array, mean: Array, cov: Array, missing: str) -> Array:
    """Rows without absences: by expectation under "em", else at the means."""
    if missing == "em" and np.isnan(X).any():
        return expected_rows(X, pattern_rows(X), mean, cov)
    return np.where(np.isnan(X), mean, X)


def sums_of(est: Estimate, sample: Sample, model: Model, how: Rounds, only: int | None = None) -> Array:
    """(b, q, 2) SSE and SSO of every endogenous construct (or of one); NaN where a round has no solution.

    Parameters:
        est, sample: of `ground_of`. model: that of `est`, or one without an arrow. only: number of a construct.
    """
    return np.stack(
        [_of_cell(est, sample, model, number, rows, how, only) for number, rows in enumerate(cell_slices(sample))]
    )


def _of_cell(
    est: Estimate, sample: Sample, model: Model, number: int, rows: slice, how: Rounds, only: int | None
) -> Array:
    """(q, 2) sums of one cell: all rounds of all blocks are one stack; NaN with fewer rows than rounds."""
    if rows.stop - rows.start < how.distance:
        return np.full((len(model.constructs), 2), np.nan)
    blocks = [[sample.names.index(i) for i in c.items] for c in model.constructs]
    wanted = [j for j, c in enumerate(model.constructs) if model.predictors(c.name) and only in (None, j)]
    at = [est.moments.names.index(i) for i in sample.names]
    X = _standardised(sample.rows[rows], est.moments.mean[number, at], est.moments.cov[number][np.ix_(at, at)])
    place = np.arange(len(X)) if sample.place is None or not how.as_read else sample.place[rows]
    number_of = _numbers(np.argsort(np.argsort(place, kind="stable")), X.shape, blocks)
    masks = [(j, _omitted(number_of, blocks[j], how.distance, g)) for j in wanted for g in range(how.distance)]
    weight = sample.weight[rows]
    moments = _moments(sample, np.stack([np.where(mask, np.nan, X) for _, mask in masks]), weight, sample.missing)
    like = of_cell(est, number) if model is est.model else None
    fit = est.settings.solve(model, moments, like)
    cause = fit.convergence.cause
    sums = np.zeros((len(model.constructs), 2))
    for s, (j, mask) in enumerate(masks):
        lost = cause is not None and bool(cause[s])
        sums[j] += np.nan if lost else _errors(X, mask, weight, moments, fit.solution, s, j, how.technique)
    return sums


def _numbers(position: Ints, shape: tuple[int, ...], blocks: list[list[int]]) -> Ints:
    """(n, p) the running number of every cell of its block: down the first item, then down the next.

    Example:
        >>> _numbers(np.array([0, 1, 2]), (3, 2), [[0, 1]]).T.tolist()
        [[0, 1, 2], [3, 4, 5]]
    """
    found = np.zeros(shape, dtype=np.int64)
    for block in blocks:
        found[:, block] = position[:, None] + np.arange(len(block)) * len(position)
    return found


def _omitted(number: Ints, block: list[int], distance: int, round_: int) -> Flags:
    """(n, p) True where a cell of the block is omitted in a round."""
    mask = np.zeros(number.shape, dtype=bool)
    mask[:, block] = number[:, block] % distance == round_
    return mask


def _moments(sample: Sample, rounds: Array, weight: Array, missing: Missing) -> Moments:
    """Moments of every round (m, n, p): omitted answers are absent; complete rows put them at the mean."""
    how: Missing = missing if missing in ("em", "pairwise") else "listwise"
    parts = []
    for X in rounds:
        if how == "listwise":
            there = np.isfinite(X) * weight[:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = np.nansum(there * X, axis=0) / there.sum(axis=0)
            parts.append(cell_moments(np.where(np.isfinite(X), X, mean), weight[None]))
        else:
            parts.append(cell_moments(X, weight[None], how))
    n, sum_w, sum_w2, mean, cov = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    cells = pl.DataFrame({"n": [len(weight)]})
    bounds = sample.minimum, sample.maximum
    return Moments(sample.names, n, sum_w, sum_w2, mean, cov, cells, *bounds, missing=how)


def _errors(
    X: Array, mask: Flags, weight: Array, moments: Moments, solution: Solution, s: int, j: int, technique: Technique
) -> Array:
    """(2,) SSE and SSO of the omitted answers of construct j in round s."""
    order = [moments.names.index(i) for i in solution.items]
    mean, cov = moments.mean[s, order], moments.cov[s][np.ix_(order, order)]
    left = np.where(mask, np.nan, X)[:, order]
    scores = _standardised(_filled(left, mean, cov, moments.missing), mean, cov) @ item_weights(solution)[s]
    own = np.flatnonzero(solution.block == j)
    fitted = (scores @ score_rule(solution, technique)[s, j])[:, None] * solution.loadings[s, own]
    sd = np.sqrt(np.diagonal(cov))[own]
    z, at = X[:, order][:, own], mask[:, order][:, own]
    counted = at & np.isfinite(z)
    away, base = (np.where(counted, z - m, 0.0) ** 2 for m in (mean[own] + fitted * sd, mean[own]))
    return np.array([(weight[:, None] * away).sum(), (weight[:, None] * base).sum()])
