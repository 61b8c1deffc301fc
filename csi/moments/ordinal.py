"""Moments of ordinal and mixed answers: thresholds, latent correlations and their asymptotic covariance.

The moment vector has lavaan's order: thresholds of the first item, of the second, ... (minus the mean for a continuous
item), variances of the continuous items, then covariances by column of the lower triangle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Note, Problems, problem
from csi.moments.bracket import BOUND
from csi.moments.crosstabs import tables
from csi.moments.influence import gamma_of, influence, spread_of
from csi.moments.ordinal_doubts import (
    MANY,
    apart,
    bound_note,
    constant,
    empty_note,
    filled_note,
    many_note,
    outside,
    unanswered,
    unused,
)
from csi.moments.stack import Array, Ints
from csi.moments.two_step import Answers, Flags, TwoStep, answers_of, two_step


@dataclass(frozen=True, slots=True)
class OrdinalMoments:
    """What ordinal (and continuous) answers say together, on the scale of the latent responses.

    Attributes:
        names: item names (p). ordered: (p,) flags. categories: values of each ordinal item, () for a continuous one.
        n: rows behind the moments (any answer, under "pairwise"). pair_n: (p, p) rows that answer both.
        thresholds: (T,) of all ordinal items; threshold_item: (T,) index of the item, threshold_number: (T,) from 1.
        mean, variance: (p,) of the continuous items (divisor n), 0 and 1 for ordinal ones.
        cov: (p, p) covariances of latent responses and continuous items (correlations where all are ordinal).
        vector: (M,) in lavaan's order, vector_names: (M,) "q1|t1", "q2~1" (minus the mean), "q2~~q2", "q1~~q2".
        gamma: (M, M) n times the asymptotic covariance of the vector, or None when not asked for.
        missing: how absent answers were treated. notes: what is doubtful.

    Example:
        >>> rows = np.array([[1, 1], [1, 2], [2, 2], [2, 1], [1, 1], [2, 2]], dtype=float)
        >>> moments = ordinal_moments(rows, np.ones(6), ["a", "b"], [True, True])
        >>> moments.cov[0, 1].round(6), moments.vector_names
        (np.float64(0.5), ('a|t1', 'b|t1', 'a~~b'))
    """

    names: tuple[str, ...]
    ordered: tuple[bool, ...]
    categories: tuple[tuple[float, ...], ...]
    n: int
    pair_n: Array
    thresholds: Array
    threshold_item: Ints
    threshold_number: Ints
    mean: Array
    variance: Array
    cov: Array
    vector: Array
    vector_names: tuple[str, ...]
    gamma: Array | None
    missing: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class OrdinalStack:
    """Ordinal moments under many weightings, of their asymptotic covariance the diagonal at most.

    Attributes:
        thresholds: (B, T). mean, variance: (B, p). cov: (B, p, p). vector: (B, M) as in `OrdinalMoments`.
        usable: (B,) False where an item lost a category, varies no more, or shares no row with another.
        spread: (B, M) diagonal of each replicate's gamma (NaN where not usable), or None when not asked for.
    """

    thresholds: Array
    mean: Array
    variance: Array
    cov: Array
    vector: Array
    usable: Flags
    spread: Array | None = None


def ordinal_moments(
    rows: Array,
    weights: Array,
    names: Sequence[str],
    ordered: Sequence[bool],
    missing: str = "listwise",
    gamma: bool = True,
    categories: Sequence[Sequence[float]] | None = None,
    counts: bool = False,
) -> OrdinalMoments:
    """Thresholds, polychoric, polyserial and Pearson correlations, and their asymptotic covariance.

    Thresholds are normal quantiles of cumulative proportions, correlations maximise the likelihood of their pair with
    thresholds (means, variances) held, as lavaan's two-step estimator does; Gamma as in `influence`.

    Parameters:
        rows: (n, p) answers, NaN where absent. weights: (n,), any scale. names: (p,). ordered: (p,) flags.
        missing: "listwise" (rows with any absence leave) or "pairwise" (each item and pair has its own rows).
        gamma: whether the asymptotic covariance is wanted.
        categories: values every ordinal item must have (a group that lacks one is a problem); those in use if None.
        counts: the weights count repeated rows (a resample) instead of weighting sampled ones.

    Raises:
        Problems: answers outside the categories, items that do not vary, categories nobody used, pairs no row
            answers, wrong missing.

    Source: Olsson (1979), Psychometrika 44, 443-460; Muthen (1984), Psychometrika 49, 115-132.

    Example:
        >>> rows = np.array([[1, 1.5], [1, 2.0], [2, 2.5], [2, 1.0], [1, 1.0], [2, 2.0]])
        >>> ordinal_moments(rows, np.ones(6), ["a", "b"], [True, False]).vector_names
        ('a|t1', 'b~1', 'b~~b', 'a~~b')
    """
    rows, weights = kept_rows(np.asarray(rows, dtype=np.float64), np.asarray(weights, dtype=np.float64), missing)
    answers = answers_of(rows, ordered, categories)
    w = weights * (rows.shape[0] / weights.sum()) if weights.sum() > 0 else weights
    found = two_step(answers, w[None])
    _check(answers, found, names, rows)
    covariance = None
    if gamma:
        covariance = gamma_of(answers, influence(answers, w, found), w if counts else w * w, float(w.sum()))
    item, number = _threshold_places(answers)
    present = (~np.isnan(rows)).astype(np.float64)
    return OrdinalMoments(
        names=tuple(names),
        ordered=tuple(bool(flag) for flag in answers.ordered),
        categories=answers.categories,
        n=rows.shape[0],
        pair_n=present.T @ present,
        thresholds=found.cuts[0][item, number - 1],
        threshold_item=item,
        threshold_number=number,
        mean=found.mean[0],
        variance=found.variance[0],
        cov=found.cov[0],
        vector=_vectors(answers, found)[0],
        vector_names=vector_names(names, answers),
        gamma=covariance,
        missing=missing,
        notes=tuple(_notes(answers, found, names)),
    )


def polychoric_stack(
    rows: Array,
    W: Array,
    ordered: Sequence[bool],
    missing: str = "listwise",
    categories: Sequence[Sequence[float]] | None = None,
    start: Array | None = None,
    spread: bool = False,
    squares: Array | None = None,
) -> OrdinalStack:
    """Ordinal moments of many resamples: all tables by one sparse product, all correlations by one Newton.

    Parameters:
        rows: (n, p) answers. W: (B, n) weights. ordered: (p,). missing: as in `ordinal_moments`.
        categories: as in `ordinal_moments`. start: (p, p) correlations of the sample, to start from.
        spread: whether the diagonal of gamma is wanted. squares: (B, n) what stands for squared weights in it; the
            weights themselves by default (they count rows), multiplicity times design weight squared with both.

    Example:
        >>> rows = np.array([[1, 1], [1, 2], [2, 2], [2, 1], [1, 1], [2, 2]], dtype=float)
        >>> polychoric_stack(rows, np.ones((2, 6)), [True, True]).cov[:, 0, 1].round(6).tolist()
        [0.5, 0.5]
    """
    rows, W = np.asarray(rows, dtype=np.float64), np.asarray(W, dtype=np.float64)
    kept, turned = kept_rows(rows, W.T, missing)
    answers, W = answers_of(kept, ordered, categories), np.ascontiguousarray(turned.T)
    found = two_step(answers, W, start)
    item, number = _threshold_places(answers)
    used = (found.margins > 0).sum(axis=2) == [max(len(c), 1) for c in answers.categories]
    varied = np.where(answers.ordered, used, found.variance > 0).all(axis=1)
    sound = np.asarray(varied & ~np.isnan(found.cor).any(axis=(1, 2)))
    vectors = _vectors(answers, found)
    diagonal = None
    if spread:
        squared = W if squares is None else np.ascontiguousarray(kept_rows(rows, squares.T, missing)[1].T)
        diagonal = _spreads(answers, W, squared, found, sound, vectors.shape[1])
    return OrdinalStack(
        found.cuts[:, item, number - 1], found.mean, found.variance, found.cov, vectors, sound, diagonal
    )


def _spreads(answers: Answers, W: Array, squares: Array, found: TwoStep, sound: Flags, size: int) -> Array:
    """(B, M) diagonals of gamma."""
    result = np.full((W.shape[0], size), np.nan)
    crossed = found.tables if squares is W else tables(answers.codes, squares, answers.k, answers.pairs)
    for b in np.flatnonzero(sound).tolist():
        on = influence(answers, W[b], found, b)
        result[b] = spread_of(answers, on, squares[b], crossed[b], float(W[b].sum()))
    return result


def kept_rows(rows: Array, weights: Array, missing: str) -> tuple[Array, Array]:
    """The rows (and their weights) that take part.

    Parameters:
        rows: (n, p) answers, NaN where absent. weights: (n,) or (n, B). missing: as in `ordinal_moments`.

    Raises:
        Problems: another treatment of absent answers, or no row left.

    Example:
        >>> [a.tolist() for a in kept_rows(np.array([[1.0, np.nan], [2.0, 1.0]]), np.ones(2), "listwise")]
        [[[2.0, 1.0]], [1.0]]
    """
    if missing not in {"listwise", "pairwise"}:
        en, zh = f'"{missing}" does not go with ordinal items.', f"“{missing}”不适用于有序题项。"
        do, do_zh = 'Use missing="listwise" or "pairwise".', "请使用 missing=“listwise”或“pairwise”。"
        raise Problems([problem("E-ORDINAL-MISSING", "missing", en, zh, do, do_zh)])
    absent = np.isnan(rows)
    keep = ~(absent.any(axis=1) if missing == "listwise" else absent.all(axis=1))
    if not keep.any():
        en, zh = "no row has answers to all items.", "没有任何一行回答了全部题项。"
        do, do_zh = 'Use missing="pairwise" or fewer items.', "请使用 missing=“pairwise”或减少题项。"
        raise Problems([problem("E-ORDINAL-ROWS", "data", en, zh, do, do_zh)])
    return (rows, weights) if keep.all() else (rows[keep], weights[keep])


def _threshold_places(answers: Answers) -> tuple[Ints, Ints]:
    """(T,) item and number (from 1) of every threshold."""
    sizes = [max(len(values) - 1, 0) for values in answers.categories]
    item = np.repeat(np.arange(len(sizes)), sizes)
    return item, np.concatenate([np.arange(1, size + 1) for size in sizes]).astype(np.int64)


def vector_names(names: Sequence[str], answers: Answers) -> tuple[str, ...]:
    """Names of the moment vector, as lavaan writes them.

    Example:
        >>> vector_names(["a", "b"], answers_of(np.array([[1.0, 0.5], [2.0, 0.7]]), [True, False]))
        ('a|t1', 'b~1', 'b~~b', 'a~~b')
    """
    first: list[str] = []
    for name, values in zip(names, answers.categories, strict=True):
        first += [f"{name}|t{a}" for a in range(1, len(values))] or [f"{name}~1"]
    variances = [f"{name}~~{name}" for name, flag in zip(names, answers.ordered, strict=True) if not flag]
    pairs = [f"{one}~~{other}" for number, one in enumerate(names) for other in names[number + 1 :]]
    return (*first, *variances, *pairs)


def _vectors(answers: Answers, found: TwoStep) -> Array:
    """(B, M) moment vectors."""
    first = [
        found.cuts[:, item, : len(values) - 1] if answers.ordered[item] else -found.mean[:, [item]]
        for item, values in enumerate(answers.categories)
    ]
    i, j = np.triu_indices(answers.ordered.size, 1)
    return np.concatenate([*first, found.variance[:, ~answers.ordered], found.cov[:, i, j]], axis=1)


def _check(answers: Answers, found: TwoStep, names: Sequence[str], rows: Array) -> None:
    """Raises what makes the moments undefined.

    Raises:
        Problems: answers outside the categories, items that do not vary, categories nobody used, pairs no row answers.
    """
    strange = (answers.codes < 0) & ~np.isnan(rows) & answers.ordered
    problems = [
        outside(names[item], rows[strange[:, item], item]) for item in np.flatnonzero(strange.any(axis=0)).tolist()
    ]
    for item, (name, values) in enumerate(zip(names, answers.categories, strict=True)):
        used = found.margins[0, item] > 0
        empty = [f"{value:g}" for value, there in zip(values, used, strict=False) if not there]
        if np.isnan(rows[:, item]).all():
            problems.append(unanswered(name))
        elif used.sum() < 2 if answers.ordered[item] else not found.variance[0, item] > 0:
            problems.append(constant(name))
        elif empty:
            problems.append(unused(name, ", ".join(empty)))
    if not problems:
        unknown = np.argwhere(np.triu(np.isnan(found.cor[0])))
        problems = [apart(names[i], names[j]) for i, j in unknown]
    if problems:
        raise Problems(problems)


def _notes(answers: Answers, found: TwoStep, names: Sequence[str]) -> list[Note]:
    """What is doubtful about tables and correlations."""
    i, j = answers.pairs
    size = np.array([len(values) for values in answers.categories])
    notes = []
    empty = (found.tables[0] > 0).sum(axis=(1, 2)) < size[i] * size[j]
    if empty.any():
        notes.append(empty_note(int(empty.sum()), i.size))
    filled = found.filled[0]
    if filled.any():
        notes.append(filled_note([f"{names[a]}-{names[b]}" for a, b in zip(i[filled], j[filled], strict=True)]))
    edge = np.argwhere(np.triu(np.abs(found.cor[0]) > BOUND - 1e-6, 1))
    if edge.size:
        notes.append(bound_note([f"{names[a]}-{names[b]}" for a, b in edge]))
    many = [name for name, values in zip(names, answers.categories, strict=True) if len(values) > MANY]
    if many:
        notes.append(many_note(many))
    return notes
