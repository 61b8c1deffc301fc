"""Moment vectors with their weights, from rows: continuous (WLS, DWLS, robust ULS) and ordinal items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from csi.errors import Note, Problem, Problems, capped, did_you_mean, problem
from csi.models.model import Model
from csi.moments.fourth import gamma
from csi.moments.ordinal import OrdinalMoments, ordinal_moments, polychoric_stack
from csi.moments.stack import Array, Moments
from csi.sem.implied import template
from csi.sem.least_squares import LeastSquares
from csi.sem.moment_vector import MomentVector, modelled
from csi.sem.prepare import Prepared
from csi.sem.problem import group_sizes

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


SINGULAR = 1e-10
"""Least eigenvalue of a correlation matrix of moments below which one of them is a function of the others."""


def needs_rows(what: str, zh: str) -> Problems:
    """What is raised when moments alone cannot carry a request."""
    en = f"{what} needs the rows; moments alone do not carry what it takes."
    return Problems(
        [
            problem(
                "E-ROWS",
                "data",
                en,
                f"{zh}需要原始数据行，仅有矩不足以计算。",
                'Fit it from a panel or a frame, or use estimator="ML".',
                '请用面板或数据框拟合，或改用 estimator="ML"。',
            )
        ]
    )


def thresholds_of(settings: SEM, model: Model, moments: Moments) -> tuple[tuple[str, int], ...]:
    """Ordinal items of a model with their number of thresholds.

    Raises:
        Problems: names that are not items of the model, no rows.
    """
    items = model.observed
    unknown = [name for name in settings.ordered if name not in items]
    if unknown:
        raise Problems([_not_an_item(name, items) for name in unknown])
    if moments.rows is None:
        raise needs_rows("an ordinal model", "有序模型")
    chosen = [name for name in items if name in settings.ordered]
    at = [moments.names.index(name) for name in chosen if name in moments.names]
    if len(at) < len(chosen):
        return ()
    values = np.concatenate([rows[:, at] for rows in moments.rows.rows])
    return tuple((name, len(_categories(values[:, j])) - 1) for j, name in enumerate(chosen))


def _not_an_item(name: str, items: Sequence[str]) -> Problem:
    hint = did_you_mean(name, items)
    en, zh = f'ordered= names "{name}", which is no item of the model.', f"ordered= 中的“{name}”不是模型的题项。"
    return problem("E-ROLE", "ordered", en, zh, hint.en, hint.zh)


def _categories(column: Array) -> Array:
    """Distinct answers."""
    return np.unique(column[~np.isnan(column)])


def normal_gammas(prepared: Prepared, *, means: bool) -> list[list[Array]]:
    """Per group and slice the (M, M) asymptotic covariance of the sample moments, from rows.

    Raises:
        Problems: there are no rows.
    """
    out = []
    for group in prepared.groups:
        if group.rows is None:
            raise needs_rows(f"{prepared.method.test} or {prepared.method.se}", "稳健估计")
        slices = (group.rows.of(s) for s in range(len(group.n)))
        given = prepared.layout.table.given
        out.append([gamma(rows, weights, means=means, given=given) for rows, weights, _ in slices])
    return out


def continuous_problem(prepared: Prepared) -> LeastSquares:
    """WLS, DWLS or ULS on means and covariances of continuous items; ULS counts every covariance once, as lavaan does.

    Raises:
        Problems: fewer rows than the weight matrix of WLS has columns.
    """
    means = prepared.layout.means
    vectors: list[MomentVector] = []
    method = prepared.method
    gammas = normal_gammas(prepared, means=means) if method.fitting != "ULS" or method.robust else None
    for g, group in enumerate(prepared.groups):
        p = group.cov.shape[1]
        j, i = np.triu_indices(p)
        covs = group.cov[:, i, j]
        s = np.concatenate([group.mean, covs], axis=1) if means else covs
        if gammas is None:
            vectors.append(MomentVector(s, None, np.ones_like(s)))
            continue
        G, inside = np.stack(gammas[g]), modelled(prepared.layout)
        if method.fitting == "ULS":
            weight = np.ones_like(s)
        elif method.fitting == "WLS":
            _enough(group, len(inside))
            weight = np.zeros_like(G)
            weight[:, inside[:, None], inside] = _inverses(G[:, inside[:, None], inside])
        else:
            weight = np.zeros_like(s)
            weight[:, inside] = 1 / np.diagonal(G, axis1=1, axis2=2)[:, inside]
        vectors.append(MomentVector(s, G, weight))
    return _least_squares(prepared, vectors)


def _enough(group: Moments, size: int) -> None:
    """WLS inverts a matrix of fourth moments: it needs more rows than moments."""
    few = group.n <= size
    if few.any():
        n = int(group.n[few].min())
        raise Problems(
            [
                problem(
                    "E-ADF",
                    "data",
                    f"n = {n} is too few for WLS (ADF): its weight matrix of fourth moments has {size} rows.",
                    f"样本量 n = {n} 对 WLS（渐近自由分布）过小：其权重矩阵有 {size} 行。",
                    'Use estimator="MLR", "MLM" or "DWLS".',
                    '请用 estimator="MLR"、"MLM" 或 "DWLS"。',
                )
            ]
        )


def _inverses(G: Array) -> Array:
    """(b, M, M) the weight matrices of WLS, NaN where moments are functions of each other.

    Raises:
        Problems: they are in every slice.
    """
    sd = np.sqrt(np.diagonal(G, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.nan_to_num(G / sd[:, :, None] / sd[:, None, :])
    usable = np.linalg.eigvalsh(alike)[:, 0] > SINGULAR
    if usable.any():
        out = np.full_like(G, np.nan)
        out[usable] = np.linalg.inv(G[usable])
        return out
    raise Problems(
        [
            problem(
                "E-ADF",
                "data",
                "the fourth moments of these variables have no inverse, which would be the weight matrix of WLS (ADF): "
                "the mean and the variance of a variable with two values, for one, are the same piece of information.",
                "这些变量的四阶矩矩阵不可逆，而 WLS（渐近自由分布）以其逆为权重："
                "例如只取两个值的变量，其均值与方差是同一信息。",
                'Use estimator="DWLS" or "MLR", or meanstructure=False.',
                '请用 estimator="DWLS" 或 "MLR"，或 meanstructure=False。',
            )
        ]
    )


def _least_squares(prepared: Prepared, vectors: Sequence[MomentVector]) -> LeastSquares:
    """The problem over all groups."""
    rows = group_sizes(prepared.groups)
    pairs = zip(prepared.layout.blocks, prepared.groups, strict=True)
    return LeastSquares(
        layout=prepared.layout,
        vectors=tuple(vectors),
        flats=tuple(template(block, m.cov, m.mean) for block, m in pairs),
        share=(rows - 1) / (rows - 1).sum(axis=1)[:, None],
        informing=rows / rows.sum(axis=1)[:, None],
        total=(rows - 1).sum(axis=1),
        counts=rows - 1,
        linear=prepared.linear,
    )


def ordinal_problem(settings: SEM, prepared: Prepared) -> tuple[LeastSquares, tuple[tuple[OrdinalMoments, ...], ...]]:
    """WLS, DWLS or ULS on thresholds and latent correlations; and the ordinal moments of each group and slice."""
    table = prepared.layout.table
    counts = dict(table.rules.ordered)
    flags = [name in counts for name in table.observed]
    found, vectors = [], []
    for slices in _ordinal_slices(settings, prepared, flags):
        G = np.stack([_gamma(m) for m in slices])
        fitting = prepared.method.fitting
        if fitting == "WLS":
            weight = np.asarray(np.linalg.inv(G))
        elif fitting == "ULS":
            weight = np.ones(G.shape[:2])
        else:
            weight = own_weights(np.diagonal(G, axis1=1, axis2=2))
        vectors.append(MomentVector(np.stack([m.vector for m in slices]), G, weight))
        found.append(tuple(slices))
    return _least_squares(prepared, vectors), tuple(found)


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
    vectors = []
    for group in prepared.groups:
        if group.rows is None:
            raise needs_rows("an ordinal model", "有序模型")
        parts = [
            polychoric_stack(rows, W, flags, settings.missing, categories, spread=prepared.method.fitting != "ULS")
            for rows, W in zip(group.rows.rows, group.rows.weights, strict=True)
        ]
        s = np.stack([p.vector for p in parts], axis=1).reshape(len(group.n), -1)
        spread = [np.ones_like(p.vector) if p.spread is None else p.spread for p in parts]
        weight = own_weights(np.stack(spread, axis=1).reshape(s.shape))
        vectors.append(MomentVector(s, None, weight))
    return _least_squares(prepared, vectors)


def _ordinal_slices(settings: SEM, prepared: Prepared, flags: Sequence[bool]) -> list[list[OrdinalMoments]]:
    """Thresholds and correlations of each group and slice; the problems of all groups at once.

    Raises:
        Problems: no rows, or what makes the moments undefined, with the group.
    """
    table = prepared.layout.table
    categories = _all_categories(prepared, flags)
    found: list[list[OrdinalMoments]] = []
    problems: list[Problem] = []
    for g, group in enumerate(prepared.groups):
        if group.rows is None:
            raise needs_rows("an ordinal model", "有序模型")
        place = f"group {table.rules.groups[g]}, " if table.rules.groups else ""
        slices = []
        for s in range(len(group.n)):
            rows, weights, _ = group.rows.of(s)
            try:
                slices.append(
                    ordinal_moments(rows, weights, table.observed, flags, settings.missing, categories=categories)
                )
            except Problems as error:
                problems += [replace(p, where=place + p.where) for p in error.problems]
        found.append(slices)
    if problems:
        raise Problems(capped(problems))
    return found


def _gamma(moments: OrdinalMoments) -> Array:
    """The asymptotic covariance, which was asked for."""
    return np.empty((0, 0)) if moments.gamma is None else moments.gamma


def _all_categories(prepared: Prepared, flags: Sequence[bool]) -> list[tuple[float, ...]]:
    """The answers of each ordinal item over all groups and cells, () for continuous items."""
    rows = np.concatenate([r for g in prepared.groups if g.rows is not None for r in g.rows.rows])
    return [tuple(_categories(rows[:, j]).tolist()) if flag else () for j, flag in enumerate(flags)]


def notes_of_ordinal(found: Sequence[Sequence[OrdinalMoments]]) -> tuple[Note, ...]:
    """Everything doubtful about ordinal moments, each once."""
    return tuple(dict.fromkeys(told for group in found for one in group for told in one.notes))
