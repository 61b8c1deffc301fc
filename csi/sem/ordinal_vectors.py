"""Moment vectors of ordinal (and mixed) items with their weights, from rows: joint, or given exogenous variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from csi.errors import Note, Problem, Problems, capped, did_you_mean, problem
from csi.models.model import Model
from csi.moments.conditional import ConditionalMoments, ConditionalStack, conditional_moments, conditional_stack
from csi.moments.ordinal import OrdinalMoments, OrdinalStack, ordinal_moments, polychoric_stack
from csi.moments.pearson import cell_moments
from csi.moments.stack import Array, Ints, Moments
from csi.sem.full_information import with_given
from csi.sem.least_squares import Flags, LeastSquares
from csi.sem.moment_vector import MomentVector
from csi.sem.prepare import Prepared, claim_of
from csi.sem.table import given_variables
from csi.sem.vectors import full_weights, least_squares, needs_rows

if TYPE_CHECKING:
    from csi.sem.estimator import SEM

Answered = OrdinalMoments | ConditionalMoments
"""Moments of ordinal items, joint or given other variables."""


def thresholds_of(settings: SEM, model: Model, moments: Moments) -> tuple[tuple[str, int], ...]:
    """Ordinal items of a model with their number of thresholds; exogenous predictors are none where they are given.

    Raises:
        Problems: names that are not items of the model, no item but predictors, no rows.
    """
    items = model.observed
    unknown = [name for name in settings.ordered if name not in items]
    if unknown:
        raise Problems([_not_an_item(name, items) for name in unknown])
    if moments.rows is None:
        raise needs_rows("an ordinal model", "有序模型")
    given = given_variables(claim_of(model)) if settings.conditional else ()
    chosen = [name for name in items if name in settings.ordered and name not in given]
    if not chosen:
        raise Problems([_only_given(settings.ordered)])
    at = [moments.names.index(name) for name in chosen if name in moments.names]
    if len(at) < len(chosen):
        return ()
    values = np.concatenate([rows[:, at] for rows in moments.rows.rows])
    return tuple((name, len(_categories(values[:, j])) - 1) for j, name in enumerate(chosen))


def _not_an_item(name: str, items: Sequence[str]) -> Problem:
    hint = did_you_mean(name, items)
    en, zh = f'ordered= names "{name}", which is no item of the model.', f"ordered= 中的“{name}”不是模型的题项。"
    return problem("E-ROLE", "ordered", en, zh, hint.en, hint.zh)


def _only_given(names: Sequence[str]) -> Problem:
    """Nothing ordinal is explained."""
    listed = ", ".join(names)
    en = f"ordered= names only exogenous predictors ({listed}), which are taken as given."
    zh = f"ordered= 只列出了外生预测变量（{listed}），它们被视为给定。"
    do, do_zh = "Leave ordered= out, or use conditional_x=False.", "请去掉 ordered=，或使用 conditional_x=False。"
    return problem("E-ROLE", "ordered", en, zh, do, do_zh)


def _categories(column: Array) -> Array:
    """Distinct answers."""
    return np.unique(column[~np.isnan(column)])


def conditioned(prepared: Prepared, *, bare: bool = False) -> tuple[Prepared, tuple[Note, ...]]:
    """The same without rows that lack a given variable, whose moments are those of the rows that stay; and notes.

    Covariances of given variables have n - 1 for a divisor, of weighted rows n, as lavaan has it; replicates n - 1.
    """
    table = prepared.layout.table
    if not (table.rules.conditional and table.exogenous):
        return prepared, ()
    kept, notes = with_given(prepared)
    at = np.array(table.given, dtype=np.int64)
    groups = tuple(_with_moments_of(group, at) for group in kept.groups) if notes else prepared.groups
    if not bare:
        groups = tuple(_of_weighted(group, at) for group in groups)
    return replace(kept, groups=groups), notes


def _of_weighted(group: Moments, at: Ints) -> Moments:
    """A group whose items `at` have covariances with the divisor n where its rows have different weights."""
    unequal = np.abs(group.sum_w2 * group.n - group.sum_w**2) > 1e-9 * group.sum_w**2
    if not unequal.any():
        return group
    cov = group.cov.copy()
    cov[:, at[:, None], at] *= np.where(unequal, (group.n - 1) / group.n, 1.0)[:, None, None]
    return replace(group, cov=cov)


def _with_moments_of(group: Moments, at: Ints) -> Moments:
    """A group whose items `at` have the moments of the rows at hand."""
    if group.rows is None:
        return group
    cov, mean = group.cov.copy(), group.mean.copy()
    sums = np.array([group.rows.of(s)[1] @ np.ones((len(group.rows.of(s)[1]), 1)) for s in range(len(group.n))])
    for s in range(len(group.n)):
        rows, w, _ = group.rows.of(s)
        _, _, _, m, C = cell_moments(rows[:, at], w[None])
        mean[s, at], cov[s, at[:, None], at] = m[0], C[0]
    squares = np.array([float((group.rows.of(s)[1] ** 2).sum()) for s in range(len(group.n))])
    return replace(group, cov=cov, mean=mean, sum_w=sums[:, 0], sum_w2=squares)


def ordinal_problem(settings: SEM, prepared: Prepared) -> tuple[LeastSquares, tuple[tuple[Answered, ...], ...]]:
    """WLS, DWLS or ULS on thresholds and latent correlations; and the ordinal moments of each group and slice."""
    table = prepared.layout.table
    counts = dict(table.rules.ordered)
    flags = [name in counts for name in table.observed]
    found, vectors, absent = [], [], np.zeros(len(prepared.groups[0].n), dtype=bool)
    for group, (slices, lost) in zip(prepared.groups, _ordinal_slices(settings, prepared, flags), strict=True):
        G = np.stack([_gamma(m) for m in slices])
        fitting = prepared.method.fitting
        if fitting == "WLS":
            weight = full_weights(prepared, group, G)
        elif fitting == "ULS":
            weight = np.ones(G.shape[:2])
        else:
            weight = own_weights(np.diagonal(G, axis1=1, axis2=2))
        vectors.append(MomentVector(np.stack([m.vector for m in slices]), G, weight))
        found.append(tuple(slices))
        absent |= lost
    return replace(least_squares(prepared, vectors), absent=absent if absent.any() else None), tuple(found)


def own_weights(variances: Array) -> Array:
    """1 / variance of each moment; 1 for a moment that does not vary (the variance of an evenly split 0/1 predictor),
    which a parameter of its own fits exactly.
    """
    flat = variances <= 1e-12 * np.max(variances, axis=-1, keepdims=True)
    return np.asarray(1 / np.where(flat, 1.0, variances))


def ordinal_replicates(settings: SEM, prepared: Prepared) -> LeastSquares:
    """`ordinal_problem` of replicates, all resamples of a cell at once; DWLS weighs by each replicate's own variances.

    Slices whose moments do not exist (a category nobody drew) get those of another replicate; `hopeless` names them.
    """
    table = prepared.layout.table
    counts = dict(table.rules.ordered)
    flags = [name in counts for name in table.observed]
    categories = _all_categories(prepared, flags)
    vectors, absent = [], np.zeros(len(prepared.groups[0].n), dtype=bool)
    for group in prepared.groups:
        if group.rows is None:
            raise needs_rows("an ordinal model", "有序模型")
        parts = [
            _replicated(prepared, rows, W, flags, settings.missing, categories)
            for rows, W in zip(group.rows.rows, group.rows.weights, strict=True)
        ]
        s = np.stack([p.vector for p in parts], axis=1).reshape(len(group.n), -1)
        spread = np.stack([np.ones_like(p.vector) if p.spread is None else p.spread for p in parts], axis=1)
        lost = ~np.stack([p.usable for p in parts], axis=1).reshape(-1)
        s, variances = _stood_in(s, lost), _stood_in(spread.reshape(s.shape), lost)
        vectors.append(MomentVector(s, None, own_weights(variances)))
        absent |= lost
    return replace(least_squares(prepared, vectors), absent=absent if absent.any() else None)


def _stood_in(values: Array, lost: Flags) -> Array:
    """(b, M) values with those of the first other slice where they do not exist; 1 where none has any."""
    if not lost.any():
        return values
    there = np.flatnonzero(~lost)
    return np.where(lost[:, None], values[there[0]] if there.size else 1.0, values)


def _replicated(
    prepared: Prepared,
    rows: Array,
    W: Array,
    flags: Sequence[bool],
    missing: str,
    categories: Sequence[Sequence[float]],
) -> OrdinalStack | ConditionalStack:
    """Moments of the resamples of one cell."""
    spread = prepared.method.fitting != "ULS"
    given = _given(prepared)
    if not given.size:
        return polychoric_stack(rows, W, flags, missing, categories, spread=spread)
    kept = np.setdiff1d(np.arange(rows.shape[1]), given)
    order, some = np.concatenate([kept, given]), [flags[i] for i in kept.tolist()]
    return conditional_stack(rows[:, order], W, some, missing, [categories[i] for i in kept.tolist()], spread=spread)


def _given(prepared: Prepared) -> Ints:
    """Places of the exogenous variables that an ordinal model is conditional on."""
    table = prepared.layout.table
    return np.array(table.given if table.rules.conditional else (), dtype=np.int64)


def _moments(
    prepared: Prepared,
    rows: Array,
    weights: Array,
    flags: Sequence[bool],
    missing: str,
    categories: list[tuple[float, ...]],
) -> Answered:
    """Moments of one group and slice."""
    names, given = prepared.layout.table.observed, _given(prepared)
    if not given.size:
        return ordinal_moments(rows, weights, names, flags, missing, categories=categories)
    kept = [i for i in range(len(names)) if i not in given]
    return conditional_moments(
        rows[:, [*kept, *given]],
        weights,
        [names[i] for i in kept],
        [flags[i] for i in kept],
        [names[i] for i in given],
        missing,
        categories=[categories[i] for i in kept],
    )


def _ordinal_slices(settings: SEM, prepared: Prepared, flags: Sequence[bool]) -> list[tuple[list[Answered], Flags]]:
    """Moments of each group and slice, and (b,) slices whose moments do not exist, another standing in for them.

    Raises:
        Problems: no rows, or what makes the moments undefined, with the group; of all groups at once.
    """
    table = prepared.layout.table
    categories = _all_categories(prepared, flags)
    found: list[list[Answered | None]] = []
    problems: list[Problem] = []
    for g, group in enumerate(prepared.groups):
        if group.rows is None:
            raise needs_rows("an ordinal model", "有序模型")
        place = f"group {table.rules.groups[g]}, " if table.rules.groups else ""
        slices: list[Answered | None] = []
        for s in range(len(group.n)):
            rows, weights, _ = group.rows.of(s)
            try:
                slices.append(_moments(prepared, rows, weights, flags, settings.missing, categories))
            except Problems as error:
                slices.append(None)
                problems += [replace(p, where=place + p.where) for p in error.problems]
        found.append(slices)
    told = [p for p in problems if p.code != "E-ORDINAL-SEPARATED"]
    if told or any(all(one is None for one in slices) for slices in found):
        raise Problems(capped(problems))
    return [_with_stand_ins(slices) for slices in found]


def _with_stand_ins(slices: Sequence[Answered | None]) -> tuple[list[Answered], Flags]:
    """The moments of the first slice that has any in the place of each that has none, and which those are."""
    there = [one for one in slices if one is not None]
    return [there[0] if one is None else one for one in slices], np.array([one is None for one in slices])


def _gamma(moments: Answered) -> Array:
    """The asymptotic covariance, which was asked for."""
    return np.empty((0, 0)) if moments.gamma is None else moments.gamma


def _all_categories(prepared: Prepared, flags: Sequence[bool]) -> list[tuple[float, ...]]:
    """The answers of each ordinal item over all groups and cells, () for continuous items."""
    rows = np.concatenate([r for g in prepared.groups if g.rows is not None for r in g.rows.rows])
    return [tuple(_categories(rows[:, j]).tolist()) if flag else () for j, flag in enumerate(flags)]


def notes_of_ordinal(found: Sequence[Sequence[Answered]]) -> tuple[Note, ...]:
    """Everything doubtful about ordinal moments, each once."""
    return tuple(dict.fromkeys(told for group in found for one in group for told in one.notes))
