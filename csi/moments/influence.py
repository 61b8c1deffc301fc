"""The asymptotic covariance of two-step moments from what every respondent adds to each of them.

A row's influence on a threshold depends on its category, on a polychoric correlation on its cell: tables of influence
are worked out once and looked up, and the covariance is one product of the (n, M) matrix with itself.

With casewise scores s of both steps, A = [[A11, 0], [A21, A22]] the sums of their products (all parameters of a first
step block or of a pair, no products across) and u = A^-1 s, Gamma = n sum_i w_i^2 u_i u_i' (weights of mean 1).
Letters as in `two_step`; `M` moments: thresholds or minus means by item, variances, covariances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from csi.moments.bivariate_normal import FAR
from csi.moments.crosstabs import cells, margins
from csi.moments.polychoric import threshold_products
from csi.moments.polyserial import pearson_scores, polyserial_scores
from csi.moments.stack import Array, Ints
from csi.moments.two_step import Answers, TwoStep, standardised

BLOCK = 1024
"""Rows looked up at once."""

SAME = 1e-10
"""Relative determinant of two scores' products below which they say the same."""


@dataclass(frozen=True, slots=True)
class Influence:
    """What rows add to the moments of one weighting.

    Attributes:
        cuts: (p, k + 1, k - 1) by category (the last one: absent) on each threshold of the item.
        mean, variance: (n, p) of continuous items. cells: (t, (k + 1)^2) on polychoric correlations.
        serial: (n,) on the covariance of each pair (i, j), i < j, that has a continuous item.
    """

    cuts: Array
    mean: Array
    variance: Array
    cells: Array
    serial: dict[tuple[int, int], Array]


def influence(answers: Answers, w: Array, found: TwoStep, b: int = 0) -> Influence:
    """The influence of every row or cell on every moment of slice b.

    Parameters:
        answers: n rows. w: (n,) weights summing to n. found: the two steps under them. b: its slice.

    Source: Muthen (1984), Psychometrika 49, 115-132; Joreskog (1994), Psychometrika 59, 381-389.

    Example:
        >>> from csi.moments.two_step import answers_of, two_step
        >>> answers = answers_of(np.array([[1.0], [2.0]]), [True])
        >>> one = np.ones(2)
        >>> influence(answers, one, two_step(answers, one[None])).cuts[0].round(4).tolist()
        [[1.2533], [-1.2533], [0.0]]
    """
    z = standardised(answers, found.mean[b], found.variance[b])
    cuts = _on_cuts(found.margins[b], found.cuts[b], w.sum())
    mean, variance = _on_moments(z, found.variance[b], w)
    crossed = _on_cells(answers, found, cuts, b, w.sum())
    serial = _on_serial(answers, z, w, found, (cuts, mean, variance), b)
    return Influence(cuts, mean, variance, crossed, serial)


def _on_cuts(counts: Array, cuts: Array, n: float) -> Array:
    """(p, k + 1, k - 1): (1{x <= a} - P_a) / phi(tau_a) n / n_item; zero when absent and on spare thresholds."""
    p, k = counts.shape
    total = counts.sum(axis=1)[:, None]
    inside = np.abs(cuts) < FAR
    phi = np.where(inside, np.exp(-0.5 * cuts * cuts) / np.sqrt(2 * np.pi), 1.0)
    table = np.zeros((p, k + 1, k - 1))
    below = (np.arange(k)[:, None] <= np.arange(k - 1)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.cumsum(counts, axis=1)[:, :-1] / total
        scale = np.where(inside, n / (phi * total), 0.0)
        table[:, :k] = (below - np.nan_to_num(share)[:, None, :]) * np.nan_to_num(scale)[:, None, :]
    return table


def _on_moments(z: Array, variance: Array, w: Array) -> tuple[Array, Array]:
    """(n, p) influence on mean and variance: scores of the normal likelihood through their own products.

    Two scores that say the same (a 0/1 item) have no such products; there the influences are y - mean and
    (y - mean)^2 - variance themselves.
    """
    mean, var = np.zeros(z.shape), np.zeros(z.shape)
    for item in np.flatnonzero(~np.isnan(z).all(axis=0)):
        scores = np.nan_to_num(_moment_scores(z[:, item], variance[item]))
        products = (scores * w[:, None]).T @ scores / w.sum()
        apart = products[0, 0] * products[1, 1] - products[0, 1] ** 2
        if apart > SAME * products[0, 0] * max(products[1, 1], 1 / variance[item] ** 2):
            mean[:, item], var[:, item] = np.linalg.solve(products, scores.T)
            continue
        y = np.nan_to_num(z[:, item])
        mean[:, item] = y * np.sqrt(variance[item])
        var[:, item] = np.where(np.isnan(z[:, item]), 0.0, (y * y - 1) * variance[item])
    return mean, var


def _moment_scores(z: Array, variance: float) -> Array:
    """(n, 2) derivatives of log N(y; mu, sigma^2) by mu and sigma^2."""
    return np.stack([z / np.sqrt(variance), (z * z - 1) / (2 * variance)], axis=1)


def _on_cells(answers: Answers, found: TwoStep, cuts: Array, b: int, n: float) -> Array:
    """(t, (k + 1)^2) influence on polychoric correlations; the last row and column: absent in that item."""
    i, j = answers.pairs
    k = answers.k
    rho = found.cor[b, i, j]
    score, square, rows, columns = threshold_products(found.tables[b], found.cuts[b, i], found.cuts[b, j], rho)
    table = np.zeros((i.size, k + 1, k + 1))
    table[:, :k, :k] = score
    table -= np.matmul(cuts[i], rows[:, :, None] / n)
    table -= np.matmul(cuts[j], columns[:, :, None] / n).swapaxes(1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        table *= (n / square)[:, None, None]
    return table.reshape(i.size, (k + 1) ** 2)


def _on_serial(
    answers: Answers, z: Array, w: Array, found: TwoStep, first: tuple[Array, Array, Array], b: int
) -> dict[tuple[int, int], Array]:
    """(n,) influence on the covariance of every pair with a continuous item."""
    o, c = np.flatnonzero(answers.ordered), np.flatnonzero(~answers.ordered)
    result: dict[tuple[int, int], Array] = {}
    for item in c.tolist():
        columns = _polyserial_columns(answers, z[:, item], item, o, w, found, first, b)
        result |= {(min(item, q), max(item, q)): column for q, column in zip(o.tolist(), columns.T, strict=True)}
    for pair in combinations(c.tolist(), 2):
        result[pair] = _pearson_column(z, pair, w, found, first, b)
    return result


def _polyserial_columns(
    answers: Answers,
    z: Array,
    item: int,
    o: Ints,
    w: Array,
    found: TwoStep,
    first: tuple[Array, Array, Array],
    b: int,
) -> Array:
    """(n, q) influence on the covariances of one continuous item with every ordinal one."""
    (cuts, mean, variance), n, v = first, w.sum(), found.variance[b, item]
    rho, codes = found.cor[b, item, o], answers.codes[:, o]
    score, low, high, by_z = polyserial_scores(z, codes, found.cuts[b, o], rho)
    weighted = score * w[:, None] / n
    here = np.where((codes >= 0) & ~np.isnan(z)[:, None], 1.0, 0.0)
    through_mean = (weighted * -by_z).sum(axis=0) / np.sqrt(v)
    through_variance = (weighted * -(here + np.nan_to_num(z)[:, None] * by_z)).sum(axis=0) / (2 * v)
    total = score - np.outer(mean[:, item], through_mean) - np.outer(variance[:, item], through_variance)
    for q, number in enumerate(o):
        products = np.zeros(answers.k + 1)
        np.add.at(products, codes[:, q], weighted[:, q] * low[:, q])
        np.add.at(products, codes[:, q] + 1, weighted[:, q] * high[:, q])
        total[:, q] -= (cuts[number] @ products[1:-1])[codes[:, q]]
    total /= (weighted * score).sum(axis=0)
    return np.asarray(np.sqrt(v) * total + rho / (2 * np.sqrt(v)) * variance[:, [item]])


def _pearson_column(
    z: Array, pair: tuple[int, int], w: Array, found: TwoStep, first: tuple[Array, Array, Array], b: int
) -> Array:
    """(n,) influence on the covariance of two continuous items."""
    (_, mean, variance), n, rho = first, w.sum(), found.cor[b][pair]
    x, y = z[:, [pair[0]]], z[:, [pair[1]]]
    score, *by = (s[:, 0] for s in pearson_scores(x, y, np.array([rho])))
    here = ~np.isnan(x + y)[:, 0]
    weighted, total, sides = score * w / n, score.copy(), np.zeros_like(score)
    for item, slope in zip(pair, by, strict=True):
        v = found.variance[b, item]
        total -= mean[:, item] * (weighted @ -slope) / np.sqrt(v)
        total -= variance[:, item] * (weighted @ -(here + np.nan_to_num(z[:, item]) * slope)) / (2 * v)
        sides += variance[:, item] / (2 * v)
    sd = np.sqrt(np.prod(found.variance[b, list(pair)]))
    return np.asarray(sd * (total / (weighted @ score) + rho * sides))


def rows_of(answers: Answers, on: Influence) -> Iterator[tuple[slice, Array]]:
    """Blocks of the influence of every row on every moment, in the order of the moment vector.

    Returns:
        (rows, (M, rows of the block)) pairs.

    Example:
        >>> from csi.moments.two_step import answers_of, two_step
        >>> answers = answers_of(np.array([[1.0], [2.0]]), [True])
        >>> on = influence(answers, np.ones(2), two_step(answers, np.ones((1, 2))))
        >>> [block.round(4).tolist() for _, block in rows_of(answers, on)]
        [[[1.2533, -1.2533]]]
    """
    n, p = answers.codes.shape
    upper = list(combinations(range(p), 2))
    polychoric = np.array([q for q, pair in enumerate(upper) if pair not in on.serial], dtype=np.int64)
    sizes = [max(len(values) - 1, 1) for values in answers.categories]
    ends = np.cumsum([*sizes, int((~answers.ordered).sum()), len(upper)])
    for start in range(0, n, BLOCK):
        block = slice(start, min(start + BLOCK, n))
        codes = answers.codes[block]
        u = np.empty((ends[-1], codes.shape[0]))
        for item, (size, end) in enumerate(zip(sizes, ends[:p], strict=True)):
            u[end - size : end] = _first(answers, on, codes, block, item)
        u[ends[p - 1] : ends[p]] = on.variance[block][:, ~answers.ordered].T
        u[ends[p] + polychoric] = on.cells.ravel()[cells(codes, answers.k, answers.pairs)]
        for q, pair in enumerate(upper):
            if pair in on.serial:
                u[ends[p] + q] = on.serial[pair][block]
        yield block, u


def _first(answers: Answers, on: Influence, codes: Ints, block: slice, item: int) -> Array:
    """(., rows) influence on the thresholds of an ordinal item, or on minus the mean of a continuous one."""
    if not answers.ordered[item]:
        return -on.mean[block, item][None]
    table = on.cuts[item, :, : len(answers.categories[item]) - 1].T
    return np.asarray(table[:, codes[:, item]])


def gamma_of(answers: Answers, on: Influence, squares: Array, n: float) -> Array:
    """Gamma = sum_i w_i^2 u_i u_i' / n, the asymptotic covariance of the moment vector times n.

    Parameters:
        answers: n rows. on: their influence. squares: (n,) squared weights (or the weights themselves when they
            count repeated rows). n: the sum of the weights.

    Returns:
        (M, M).

    Example:
        >>> from csi.moments.two_step import answers_of, two_step
        >>> answers, one = answers_of(np.array([[1.0], [2.0]]), [True]), np.ones(2)
        >>> gamma_of(answers, influence(answers, one, two_step(answers, one[None])), one, 2).round(4).tolist()  # pi / 2
        [[1.5708]]
    """
    total: Array | float = 0.0
    for block, u in rows_of(answers, on):
        u *= np.sqrt(squares[block])  # noqa: PLW2901 - the block is ours and large
        total = total + u @ u.T
    return np.asarray(total) / n


def spread_of(answers: Answers, on: Influence, squares: Array, tables: Array, n: float) -> Array:
    """The diagonal of Gamma alone, polychoric correlations by their tables instead of by rows.

    Parameters:
        answers, on, squares, n: as in `gamma_of`. tables: (t, k, k) sums of `squares` in the tables of the pairs.

    Returns:
        (M,).

    Example:
        >>> from csi.moments.two_step import answers_of, two_step
        >>> answers, one = answers_of(np.array([[1.0], [2.0]]), [True]), np.ones(2)
        >>> found = two_step(answers, one[None])
        >>> spread_of(answers, influence(answers, one, found), one, found.tables[0], 2).round(4).tolist()  # pi / 2
        [1.5708]
    """
    counts = margins(answers.codes, squares[None], answers.k)[0]
    first = [_first_spread(answers, on, squares, counts, item) for item in range(answers.ordered.size)]
    variances = squares @ on.variance[:, ~answers.ordered] ** 2
    pairs = {pair: squares @ column**2 for pair, column in on.serial.items()}
    i, j = answers.pairs
    influences = on.cells.reshape(i.size, answers.k + 1, answers.k + 1) ** 2
    total = (influences[:, :-1, :-1] * tables).sum(axis=(1, 2))
    total += (influences[:, :-1, -1] * (counts[i] - tables.sum(axis=2))).sum(axis=1)
    total += (influences[:, -1, :-1] * (counts[j] - tables.sum(axis=1))).sum(axis=1)
    pairs |= dict(zip(zip(i.tolist(), j.tolist(), strict=True), total, strict=True))
    last = [pairs[pair] for pair in combinations(range(answers.ordered.size), 2)]
    return np.concatenate([*first, variances, last]) / n


def _first_spread(answers: Answers, on: Influence, squares: Array, counts: Array, item: int) -> Array:
    """(.,) sums of squared influence on the thresholds of an item, or on its mean."""
    if not answers.ordered[item]:
        return np.atleast_1d(squares @ on.mean[:, item] ** 2)
    return np.asarray(counts[item] @ on.cuts[item, :-1, : len(answers.categories[item]) - 1] ** 2)
