"""Moments of ordinal and mixed answers given other variables: what is left when every item is regressed on them.

The moment vector has lavaan's order (conditional.x = TRUE): thresholds of the first item, of the second, ... (minus the
intercept for a continuous item), slopes on the first given variable, on the second, ..., residual variances of the
continuous items, then residual covariances by column of the lower triangle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Note
from csi.moments.conditional_checks import check_answers, check_found, complete, dependent, notes_of
from csi.moments.conditional_influence import influences
from csi.moments.conditional_steps import ConditionalStep, Given, conditional_steps
from csi.moments.ordinal import kept_rows, vector_names
from csi.moments.polyserial import Flags
from csi.moments.stack import Array
from csi.moments.two_step import Answers, answers_of


@dataclass(frozen=True, slots=True)
class ConditionalMoments:
    """What ordinal (and continuous) answers say together, given other variables.

    Attributes:
        names: item names (p). given: names of the given variables (x). categories: as in `OrdinalMoments`.
        n: rows behind the moments. slopes: (p, x) of latent responses and continuous items.
        cov: (p, p) residual covariances (residual variance 1 for latent responses).
        vector: (M,) in lavaan's order, vector_names: (M,) "q1|t1", "q2~1" (minus the intercept), "q1~age", "q2~~q2",
            "q1~~q2". gamma: (M, M) n times the asymptotic covariance of the vector, or None when not asked for.
        missing: how absent answers were treated. notes: what is doubtful.

    Example:
        >>> rows = np.array([[1, 1, 0], [1, 2, 0], [2, 2, 0], [2, 1, 0], [1, 1, 1], [1, 2, 1], [2, 2, 1], [2, 1, 1.0]])
        >>> found = conditional_moments(rows, np.ones(8), ["a", "b"], [True, True], ["x"])
        >>> (found.vector.round(6) + 0.0).tolist(), found.vector_names
        ([0.0, 0.0, 0.0, 0.0, 0.0], ('a|t1', 'b|t1', 'a~x', 'b~x', 'a~~b'))
    """

    names: tuple[str, ...]
    given: tuple[str, ...]
    categories: tuple[tuple[float, ...], ...]
    n: int
    slopes: Array
    cov: Array
    vector: Array
    vector_names: tuple[str, ...]
    gamma: Array | None
    missing: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionalStack:
    """Moments given other variables under many weightings.

    Attributes:
        vector: (B, M) as in `ConditionalMoments`. usable: (B,) False where a regression or correlation does not exist.
        spread: (B, M) diagonal of each replicate's gamma (NaN where not usable), or None when not asked for.
    """

    vector: Array
    usable: Flags
    spread: Array | None = None


def conditional_moments(
    rows: Array,
    weights: Array,
    names: Sequence[str],
    ordered: Sequence[bool],
    given: Sequence[str],
    missing: str = "listwise",
    gamma: bool = True,
    categories: Sequence[Sequence[float]] | None = None,
    counts: bool = False,
) -> ConditionalMoments:
    """Thresholds, slopes and residual correlations of items given other variables, and their asymptotic covariance.

    Ordinal items: y* = b'x + e with e standard normal, y = a where tau_(a-1) < y* <= tau_a (ordered probit). Continuous
    items: least squares. Residual correlations maximise the likelihood of their pair with the regressions held.

    Parameters:
        rows: (n, p + x) answers, NaN where absent, items before given variables; a row without a given one leaves.
        weights, missing, gamma, categories, counts: as in `ordinal_moments`. names: (p,). ordered: (p,) flags.
        given: (x,) names.

    Raises:
        Problems: as `ordinal_moments`; given variables that are collinear or tell answers apart without error.

    Source: Muthén (1984), Psychometrika 49:115-132; Muthén & Satorra (1995), Psychometrika 60:489-503.
        Agrees with lavaan 0.6-14 (conditional.x = TRUE), vector and Gamma (tests/sem).

    Example:
        >>> rows = np.array([[1, 0], [2, 0], [1, 1], [2, 1.0]])
        >>> conditional_moments(rows, np.ones(4), ["a"], [True], ["x"]).gamma.round(4).tolist()
        [[3.1416, 3.1416], [3.1416, 6.2832]]
    """
    answers, X, w = _ready(rows, weights, len(names), ordered, missing, categories)
    w = w * (len(w) / w.sum()) if w.sum() > 0 else w
    check_answers(answers, X, w, names, given, np.asarray(rows, dtype=np.float64)[:, : len(names)])
    condition = Given.of(X, w)
    found = conditional_steps(answers, condition, w, scored=gamma)
    check_found(found, names)
    covariance = None
    if gamma:
        u = influences(answers, condition, w, found)
        covariance = (u * (w if counts else w * w)[:, None]).T @ u / w.sum()
    return ConditionalMoments(
        names=tuple(names),
        given=tuple(given),
        categories=answers.categories,
        n=len(w),
        slopes=_slopes(found, condition),
        cov=found.cov,
        vector=_vector(answers, found, condition),
        vector_names=conditional_names(names, answers, given),
        gamma=covariance,
        missing=missing,
        notes=tuple(notes_of(answers, found, names)),
    )


def conditional_stack(
    rows: Array,
    W: Array,
    ordered: Sequence[bool],
    missing: str = "listwise",
    categories: Sequence[Sequence[float]] | None = None,
    spread: bool = False,
) -> ConditionalStack:
    """Moments of many resamples, each begun from the moments of all rows.

    Parameters:
        rows: (n, p + x) items before given variables. W: (B, n) weights, which count rows. ordered: (p,) flags.
        missing, categories: as in `conditional_moments`. spread: whether the diagonal of gamma is wanted.

    Example:
        >>> rows = np.array([[1, 0], [2, 0], [1, 1], [2, 1.0]])
        >>> conditional_stack(rows, np.ones((2, 4)), [True], spread=True).spread.round(4).tolist()
        [[3.1416, 6.2832], [3.1416, 6.2832]]
    """
    p = len(ordered)
    answers, X, turned = _ready(rows, np.asarray(W, dtype=np.float64).T, p, ordered, missing, categories)
    whole = Given.of(X, np.ones(len(X)))
    begin = conditional_steps(answers, whole, np.ones(len(X)))
    size = _vector(answers, begin, whole).size
    usable = np.zeros(W.shape[0], dtype=bool)
    vector, diagonal = np.full((W.shape[0], size), np.nan), np.full((W.shape[0], size), np.nan)
    for b, w in enumerate(np.ascontiguousarray(turned.T)):
        if not complete(answers, w) or dependent(X, w):
            continue
        w = w * (len(w) / w.sum())  # noqa: PLW2901 - counts that sum to the rows
        found = conditional_steps(answers, whole, w, begin if _sound(begin) else None, scored=spread)
        usable[b] = _sound(found)
        if usable[b]:
            vector[b] = _vector(answers, found, whole)
            if spread:
                diagonal[b] = w @ influences(answers, whole, w, found) ** 2 / w.sum()
    return ConditionalStack(vector, usable, diagonal if spread else None)


def conditional_names(names: Sequence[str], answers: Answers, given: Sequence[str]) -> tuple[str, ...]:
    """Names of the moment vector, as lavaan writes them.

    Example:
        >>> answers = answers_of(np.array([[1.0, 0.5], [2.0, 0.7]]), [True, False])
        >>> conditional_names(["a", "b"], answers, ["x"])
        ('a|t1', 'b~1', 'a~x', 'b~x', 'b~~b', 'a~~b')
    """
    joint = vector_names(names, answers)
    first = sum(max(len(values) - 1, 1) for values in answers.categories)
    return (*joint[:first], *(f"{name}~{x}" for x in given for name in names), *joint[first:])


def _ready(
    rows: Array,
    weights: Array,
    p: int,
    ordered: Sequence[bool],
    missing: str,
    categories: Sequence[Sequence[float]] | None,
) -> tuple[Answers, Array, Array]:
    """Answers (n rows), given variables (n, x) and weights (n, ...) of the rows that take part."""
    rows, weights = np.asarray(rows, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    there = ~np.isnan(rows[:, p:]).any(axis=1)
    X = rows[there, p:]
    kept, numbered = kept_rows(rows[there, :p], np.arange(int(there.sum()), dtype=np.float64), missing)
    at = numbered.astype(np.int64)
    return answers_of(kept, ordered, categories), X[at], weights[there][at]


def _slopes(found: ConditionalStep, given: Given) -> Array:
    """(p, x) slopes in the units of the given variables."""
    return np.stack([one.slopes for one in found.items]) / given.scale


def _vector(answers: Answers, found: ConditionalStep, given: Given) -> Array:
    """(M,) the moment vector; NaN where a regression has no maximum."""
    slopes = _slopes(found, given)
    cuts = [one.cuts + slope @ given.centre for one, slope in zip(found.items, slopes, strict=True)]
    own = [one.variance for one, flag in zip(found.items, answers.ordered, strict=True) if not flag]
    i, j = np.triu_indices(len(found.items), 1)
    return np.concatenate([*cuts, slopes.T.ravel(), own, found.cov[i, j]])


def _sound(found: ConditionalStep) -> bool:
    """Whether every regression has a maximum and every pair a correlation."""
    return all(one.settled for one in found.items) and bool(np.isfinite(found.cor).all())
