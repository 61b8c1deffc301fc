"""The asymptotic covariance of moments given other variables, from what every row adds to each of them.

With casewise scores s of both steps and A = [[A11, 0], [A21, A22]] the sums of their products (within the regression of
an item, within a pair, and of a pair with the regressions of its items), u = A^-1 s and Gamma = n sum_i w_i^2 u_i u_i'.

Letters: `n` rows, `p` items, `x` given variables, `M` moments, `d` parameters of one item's regression.

Source: Muthén (1984), Psychometrika 49:115-132, eq. 22-24; Muthén & Satorra (1995), Psychometrika 60:489-503.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from csi.moments.conditional_steps import (
    ConditionalStep,
    Given,
    all_limits,
    pair_scores,
    present,
    residual,
)
from csi.moments.polyserial import pearson_scores, scores_within
from csi.moments.probit import Regression, normal_scores, probit_scores
from csi.moments.stack import Array, Ints
from csi.moments.two_step import Answers


@dataclass(frozen=True, slots=True)
class Regressed:
    """What rows add to the regression of one item.

    Attributes:
        first: (n, .) on thresholds or minus the intercept, and slopes (n, x), of standardised given variables.
        variance: (n,) on the residual variance, 0 for an ordinal item.
    """

    first: Array
    slopes: Array
    variance: Array

    @property
    def all(self) -> Array:
        """(n, d) on every parameter."""
        return np.column_stack([self.first, self.slopes, self.variance])


def on_regressions(answers: Answers, given: Given, w: Array, found: ConditionalStep) -> list[Regressed]:
    """The influence of every row on every item's regression; 0 where it has no answer.

    Parameters:
        w: (n,) weights summing to n.
    """
    out = []
    for j, one in enumerate(found.items):
        here = present(answers, j)
        if answers.ordered[j]:
            scores = probit_scores(answers.codes[here, j], given.Z[here], one)
        else:
            scores = normal_scores(answers.rows[here, j], given.Z[here], one)
        u = np.zeros((len(w), scores.shape[1]))
        u[here] = _solved(scores, w[here], float(w.sum()))
        t, x = one.cuts.size, one.slopes.size
        out.append(Regressed(u[:, :t], u[:, t : t + x], u[:, t + x] if not answers.ordered[j] else np.zeros(len(w))))
    return out


def _solved(scores: Array, w: Array, n: float) -> Array:
    """(n, d) A^-1 s, A being the mean product of scores; the pseudo-inverse where two of them say the same."""
    A = (scores * w[:, None]).T @ scores / n
    scale = 1 / np.sqrt(np.where(np.diagonal(A) > 0, np.diagonal(A), 1.0))
    return np.asarray(scores * scale) @ np.linalg.pinv(A * scale[:, None] * scale, rcond=1e-12, hermitian=True) * scale


def on_pairs(
    answers: Answers, given: Given, w: Array, found: ConditionalStep, first: list[Regressed]
) -> dict[tuple[int, int], Array]:
    """The influence (n,) of every row on the residual covariance of each pair (i, j), i < j."""
    out: dict[tuple[int, int], Array] = {}
    ordered = answers.ordered
    o, c = np.flatnonzero(ordered), np.flatnonzero(~ordered)
    for i, j in combinations(o.tolist(), 2):
        out[i, j] = _polychoric(answers, given, w, found, first, (i, j))
    for item in c.tolist():
        columns = _polyserial(answers, given, w, found, first, item)
        out |= {(min(item, q), max(item, q)): column for q, column in zip(o.tolist(), columns.T, strict=True)}
    for pair in combinations(c.tolist(), 2):
        out[pair] = _pearson(answers, given, w, found, first, pair)
    return out


def _polychoric(
    answers: Answers, given: Given, w: Array, found: ConditionalStep, first: list[Regressed], pair: tuple[int, int]
) -> Array:
    """(n,) influence on the residual correlation of two ordinal items."""
    i, j = pair
    known = pair_scores(answers, given, w, found, i, j)
    cells, score, by_one, by_other = known.cells, known.by_rho, known.by_one, known.by_other
    n, weighted = float(w.sum()), known.w * score
    total = np.zeros(len(w))
    here = cells.of >= 0
    total[here] = score[cells.of[here]]
    for item, codes, edges in ((i, cells.one, by_one), (j, cells.other, by_other)):
        slopes = _products(weighted * edges, codes, cells.z, found.items[item])
        total -= np.column_stack([first[item].first, first[item].slopes]) @ (slopes / n)
    return np.asarray(total * (n / (weighted @ score)))


def _products(edges: Array, codes: Ints, Z: Array, one: Regression) -> Array:
    """(d,) sums of a pair's scores times its derivatives by thresholds and slopes of one item.

    Parameters:
        edges: (2, m) weighted, by the limits below and above. codes: (m,). Z: (m, x).
    """
    size = one.cuts.size
    above = np.bincount(codes, edges[1], size + 1)[:size]
    below = np.bincount(codes, edges[0], size + 1)[1:]
    return np.concatenate([above + below, -edges.sum(axis=0) @ Z])


def _polyserial(
    answers: Answers, given: Given, w: Array, found: ConditionalStep, first: list[Regressed], item: int
) -> Array:
    """(n, q) influence on the residual covariances of one continuous item with every ordinal one."""
    o = np.flatnonzero(answers.ordered)
    one, n = found.items[item], float(w.sum())
    v, rho = one.variance, found.cor[item, o]
    z = residual(answers, given, one, item)
    here = (answers.codes[:, o] >= 0) & ~np.isnan(z)[:, None]
    score, low, high, by_z = scores_within(z, answers.codes[:, o] >= 0, all_limits(answers, given, found, o), rho)
    weighted = score * w[:, None] / n
    z = np.nan_to_num(z)
    through_cut = (weighted * by_z).sum(axis=0) / np.sqrt(v)
    through_slopes = -(weighted * by_z).T @ given.Z / np.sqrt(v)
    through_variance = (weighted * -(here + z[:, None] * by_z)).sum(axis=0) / (2 * v)
    total = score - np.outer(first[item].first[:, 0], through_cut) - first[item].slopes @ through_slopes.T
    total -= np.outer(first[item].variance, through_variance)
    for q, other in enumerate(o.tolist()):
        some = here[:, q]
        edges = np.stack([low[some, q], high[some, q]]) * weighted[some, q]
        slopes = _products(edges, answers.codes[some, other], given.Z[some], found.items[other])
        total[:, q] -= np.column_stack([first[other].first, first[other].slopes]) @ slopes
    total /= (weighted * score).sum(axis=0)
    return np.asarray(np.sqrt(v) * total + rho / (2 * np.sqrt(v)) * first[item].variance[:, None])


def _pearson(
    answers: Answers, given: Given, w: Array, found: ConditionalStep, first: list[Regressed], pair: tuple[int, int]
) -> Array:
    """(n,) influence on the residual covariance of two continuous items."""
    n, rho = float(w.sum()), float(found.cor[pair])
    x, y = (residual(answers, given, found.items[j], j)[:, None] for j in pair)
    score, *by = (s[:, 0] for s in pearson_scores(x, y, np.array([rho])))
    here = ~np.isnan(x + y)[:, 0]
    weighted, total, sides = score * w / n, score.copy(), np.zeros_like(score)
    for item, z, slope in zip(pair, (x, y), by, strict=True):
        v, own = found.items[item].variance, first[item]
        total -= own.first[:, 0] * (weighted @ slope) / np.sqrt(v)
        total -= own.slopes @ (-(weighted * slope) @ given.Z / np.sqrt(v))
        total -= own.variance * (weighted @ -(here + np.nan_to_num(z[:, 0]) * slope)) / (2 * v)
        sides += own.variance / (2 * v)
    sd = np.sqrt(np.prod([found.items[j].variance for j in pair]))
    return np.asarray(sd * (total / (weighted @ score) + rho * sides))


def influences(answers: Answers, given: Given, w: Array, found: ConditionalStep) -> Array:
    """(n, M) influence of every row on the moment vector, in the units of the given variables.

    Parameters:
        answers, given: of the same n rows. w: (n,) weights summing to n. found: the two steps under them.

    Example:
        >>> from csi.moments.conditional_steps import conditional_steps
        >>> from csi.moments.two_step import answers_of
        >>> answers = answers_of(np.array([[1.0], [2.0], [1.0], [2.0]]), [True])
        >>> x, one = Given.of(np.array([[0.0], [0.0], [1.0], [1.0]]), np.ones(4)), np.ones(4)
        >>> influences(answers, x, one, conditional_steps(answers, x, one)).round(3).tolist()[0]
        [2.507, 2.507]
    """
    first = on_regressions(answers, given, w, found)
    pairs = on_pairs(answers, given, w, found, first)
    slopes = [one.slopes / given.scale for one in first]
    cuts = [one.first + (s @ given.centre)[:, None] for one, s in zip(first, slopes, strict=True)]
    own = [one.variance for one, flag in zip(first, answers.ordered, strict=True) if not flag]
    across = [s[:, [x]] for x in range(given.scale.size) for s in slopes]
    return np.column_stack([*cuts, *across, *own, *(pairs[pair] for pair in combinations(range(len(first)), 2))])
