"""The two steps given other variables: each item regressed on them, then the residual correlation of each pair.

Letters: `p` items, `n` rows, `x` given variables, `t` pairs of ordinal items; `k` the largest number of categories.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from csi.moments.polyserial import Flags, pearson, polyserial_within
from csi.moments.probit import Regression, edge_densities, least_squares, limits, probit
from csi.moments.residual_pairs import Rectangles
from csi.moments.stack import Array, Ints
from csi.moments.two_step import Answers

CROWDED = 8
"""Rows are gathered into distinct ones where the table of given values and answers has at most so many cells a row."""

KEPT = 2_000_000
"""Distinct rows of all pairs are kept for another look where rows times pairs are no more than this."""


@dataclass(frozen=True, slots=True)
class Given:
    """Variables that are conditioned on, standardised.

    Attributes:
        Z: (n, x). centre, scale: (x,) what was taken off, and divided by. pattern: (n,) number of each row's values;
        distinct: (d, x) those values, standardised. known: distinct rows of pairs that were looked for already.
    """

    Z: Array
    centre: Array
    scale: Array
    pattern: Ints
    distinct: Array
    known: dict[tuple[int, int], Cells] = field(default_factory=dict)

    @classmethod
    def of(cls, X: Array, w: Array) -> Given:
        """From (n, x) values and (n,) weights; a variable that does not vary keeps its unit."""
        centre = w @ X / w.sum()
        spread = np.sqrt(w @ (X - centre) ** 2 / w.sum())
        scale = np.where(spread > 0, spread, 1.0)
        values, pattern = np.unique(X, axis=0, return_inverse=True)
        return cls((X - centre) / scale, centre, scale, pattern.reshape(-1), (values - centre) / scale)


@dataclass(frozen=True, slots=True)
class ConditionalStep:
    """What both steps found.

    Attributes:
        items: the regression of each item. cor: (p, p) residual correlations. scores: of pairs of ordinal items, where
            they were asked for and kept.
    """

    items: tuple[Regression, ...]
    cor: Array
    scores: dict[tuple[int, int], PairScores] = field(default_factory=dict)

    @property
    def cov(self) -> Array:
        """(p, p) residual covariances of latent responses and continuous items."""
        sd = np.sqrt([one.variance for one in self.items])
        return np.asarray(self.cor * sd[:, None] * sd)


def conditional_steps(
    answers: Answers, given: Given, w: Array, start: ConditionalStep | None = None, *, scored: bool = False
) -> ConditionalStep:
    """Thresholds, slopes and residual correlations.

    Parameters:
        answers: n rows of p items. given: of the same rows. w: (n,) weights. start: of other weights, to begin from.
        scored: whether scores of pairs are kept, for `influences`.

    Source: Muthén (1984), Psychometrika 49:115-132, stages one and two.

    Example:
        >>> from csi.moments.two_step import answers_of
        >>> answers = answers_of(np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 1.0]] * 2), [True, True])
        >>> x = Given.of(np.repeat([[0.0], [1.0]], 4, axis=0), np.ones(8))
        >>> (conditional_steps(answers, x, np.ones(8)).cor.round(6) + 0.0).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    items = tuple(_regressed(answers, given, w, j, start) for j in range(answers.ordered.size))
    found = ConditionalStep(items, np.eye(len(items)))
    if not all(one.settled for one in items):
        return found
    guess = _guess(answers, given, w, items) if start is None else start.cor
    _ordinal_pairs(answers, given, w, found, guess, scored=scored)
    _serial_pairs(answers, given, w, found, guess)
    return found


def present(answers: Answers, j: int) -> Flags:
    """(n,) rows that answer item `j`."""
    return np.asarray(answers.codes[:, j] >= 0 if answers.ordered[j] else ~np.isnan(answers.rows[:, j]), dtype=bool)


def _regressed(answers: Answers, given: Given, w: Array, j: int, start: ConditionalStep | None) -> Regression:
    """One item on the given variables."""
    here = present(answers, j) & (w > 0)
    if not answers.ordered[j]:
        return least_squares(answers.rows[here, j], given.Z[here], w[here])
    begin = None if start is None else start.items[j]
    k, d = len(answers.categories[j]), len(given.distinct)
    codes = answers.codes[here, j]
    if d * k > codes.size:
        return probit(codes, given.Z[here], w[here], k, begin)
    counts = np.asarray(np.bincount(given.pattern[here] * k + codes, w[here], d * k), dtype=np.float64)
    place = np.flatnonzero(counts)
    return probit(place % k, given.distinct[place // k], counts[place], k, begin)


def item_limits(answers: Answers, given: Given, one: Regression, j: int) -> tuple[Array, Array]:
    """(n,) limits below and above the answers to ordinal item `j`; of an absent answer those of the first category."""
    return limits(np.maximum(answers.codes[:, j], 0), one.cuts, given.Z @ one.slopes)


def residual(answers: Answers, given: Given, one: Regression, j: int) -> Array:
    """(n,) standardised residuals of continuous item `j`, NaN where absent."""
    return np.asarray((answers.rows[:, j] + one.cuts[0] - given.Z @ one.slopes) / np.sqrt(one.variance))


def _guess(answers: Answers, given: Given, w: Array, items: tuple[Regression, ...]) -> Array:
    """(p, p) first guesses: covariances of expected residuals over their variances."""
    E = np.zeros((len(w), len(items)))
    for j, one in enumerate(items):
        here = present(answers, j)
        if answers.ordered[j]:
            below, above = edge_densities(*item_limits(answers, given, one, j))
            E[:, j] = np.where(here, below - above, 0.0)
        else:
            E[:, j] = np.where(here, residual(answers, given, one, j), 0.0)
    there = np.stack([present(answers, j) for j in range(len(items))], axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        C = ((E * w[:, None]).T @ E) / ((there * w[:, None]).T @ there)
        own = np.diagonal(C)
        return np.asarray(np.clip(np.nan_to_num(C / (own[:, None] * own)), -0.9, 0.9))


@dataclass(frozen=True, slots=True)
class Cells:
    """The distinct rows of one pair of ordinal items: same given values, same answers.

    Attributes:
        of: (n,) which one each row is, -1 where an answer is absent. z: (m, x) given values. one, other: (m,) answers.
    """

    of: Ints
    z: Array
    one: Ints
    other: Ints

    def weights(self, w: Array) -> Array:
        """(m,) summed weights of the rows."""
        here = self.of >= 0
        return np.asarray(np.bincount(self.of[here], w[here], self.one.size), dtype=np.float64)


def cells_of(answers: Answers, given: Given, i: int, j: int) -> Cells:
    """Distinct rows of items `i` and `j`; every row by itself where given values hardly repeat.

    Example:
        >>> from csi.moments.two_step import answers_of
        >>> answers = answers_of(np.array([[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]]), [True, True])
        >>> cells_of(answers, Given.of(np.array([[0.0], [0.0], [0.0]]), np.ones(3)), 0, 1).of.tolist()
        [0, 1, 0]
    """
    found = given.known.get((i, j))
    if found is None:
        found = _cells_of(answers, given, i, j)
        if _few(answers):
            given.known[i, j] = found
    return found


def _few(answers: Answers) -> bool:
    """Whether what is known of all pairs may be kept."""
    return bool(answers.codes.shape[0] * answers.pairs[0].size <= KEPT)


def _cells_of(answers: Answers, given: Given, i: int, j: int) -> Cells:
    """Distinct rows of items `i` and `j`."""
    a, b = answers.codes[:, i], answers.codes[:, j]
    here = np.flatnonzero((a >= 0) & (b >= 0))
    k = answers.k
    size, of = len(given.distinct) * k * k, np.full(a.size, -1, dtype=np.int64)
    if size > CROWDED * a.size:
        of[here] = np.arange(here.size)
        return Cells(of, given.Z[here], a[here], b[here])
    place = (given.pattern[here] * k + a[here]) * k + b[here]
    known = np.flatnonzero(np.bincount(place, minlength=size))
    number = np.zeros(size, dtype=np.int64)
    number[known] = np.arange(known.size)
    of[here] = number[place]
    return Cells(of, given.distinct[known // (k * k)], known // k % k, known % k)


def rectangles_of(cells: Cells, one: Regression, other: Regression, w: Array) -> Rectangles:
    """The rectangles of a pair's distinct rows."""
    h = np.stack(limits(cells.one, one.cuts, cells.z @ one.slopes))
    k = np.stack(limits(cells.other, other.cuts, cells.z @ other.slopes))
    return Rectangles.of(h, k, cells.weights(w))


@dataclass(frozen=True, slots=True)
class PairScores:
    """Scores of a pair of ordinal items at its maximum: by the correlation (m,), by limits below and above (2, m)."""

    cells: Cells
    w: Array
    by_rho: Array
    by_one: Array
    by_other: Array


def pair_scores(answers: Answers, given: Given, w: Array, found: ConditionalStep, i: int, j: int) -> PairScores:
    """The scores of a pair, as kept or afresh."""
    if (i, j) in found.scores:
        return found.scores[i, j]
    cells = cells_of(answers, given, i, j)
    shapes = rectangles_of(cells, found.items[i], found.items[j], w)
    return PairScores(cells, shapes.w, *shapes.scores(float(found.cor[i, j])))


def ordinal_pairs(answers: Answers) -> Iterator[tuple[int, int]]:
    """The pairs of ordinal items."""
    yield from zip(*(at.tolist() for at in answers.pairs), strict=True)


def _ordinal_pairs(
    answers: Answers, given: Given, w: Array, found: ConditionalStep, guess: Array, *, scored: bool
) -> None:
    """Writes the residual polychoric correlations, and their scores where they are wanted and not too many."""
    scored = scored and _few(answers)
    for i, j in ordinal_pairs(answers):
        cells = cells_of(answers, given, i, j)
        shapes = rectangles_of(cells, found.items[i], found.items[j], w)
        rho = shapes.maximum(float(np.clip(guess[i, j], -0.95, 0.95))) if shapes.w.sum() > 0 else np.nan
        found.cor[i, j] = found.cor[j, i] = rho
        if scored and np.isfinite(rho):
            found.scores[i, j] = PairScores(cells, shapes.w, *shapes.scores(rho))


def _serial_pairs(answers: Answers, given: Given, w: Array, found: ConditionalStep, guess: Array) -> None:
    """Writes the residual polyserial and Pearson correlations."""
    o, c = np.flatnonzero(answers.ordered), np.flatnonzero(~answers.ordered)
    if not c.size:
        return
    sides = all_limits(answers, given, found, o)
    z = np.stack([residual(answers, given, found.items[j], j) for j in c.tolist()], axis=1)
    for number, item in enumerate(c.tolist()):
        rho = polyserial_within(z[:, number], answers.codes[:, o] >= 0, sides, w, guess[item, o])
        found.cor[item, o] = found.cor[o, item] = rho
    i, j = np.triu_indices(c.size, 1)
    both = (~np.isnan(z)).T.astype(np.float64)
    x = np.nan_to_num(z).T
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = ((x * x * w) @ both.T) / (weight := (both * w) @ both.T)
        rho = pearson((((x * w) @ x.T) / weight)[i, j], (squares + squares.T)[i, j])
    found.cor[c[i], c[j]] = found.cor[c[j], c[i]] = rho


def all_limits(answers: Answers, given: Given, found: ConditionalStep, o: Ints) -> tuple[Array, Array]:
    """(n, q) limits below and above the answers to ordinal items `o`."""
    if not o.size:
        return np.empty((len(answers.codes), 0)), np.empty((len(answers.codes), 0))
    sides = [item_limits(answers, given, found.items[j], j) for j in o.tolist()]
    return np.stack([s[0] for s in sides], axis=1), np.stack([s[1] for s in sides], axis=1)
