"""How well items fit: S-X2 over rest scores, and weighted and unweighted mean squares of residuals.

Letters: `i` items, `Q` points, `C` categories, `S` sum scores from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from csi.measures.response.curves import log_curves
from csi.measures.response.marginal import Marginal
from csi.moments.stack import Array, Ints

LEAST = 1.0
"""Expected answers of a cell, below which it is merged with its neighbour."""


@dataclass(frozen=True, slots=True)
class ItemFit:
    """S-X2 of each item: chi2, df, p, rmsea (i,); df 0 where too few cells are left. n: rows with every answer.

    reasons: (i) code of why there is none.
    """

    chi2: Array
    df: Ints
    p: Array
    rmsea: Array
    n: int
    reasons: tuple[str | None, ...]


def score_likelihood(P: Array, categories: Ints) -> Array:
    """(S, Q) probability of each sum score, by adding item after item.

    Parameters:
        P: (i, Q, C) probabilities. categories: (i,).

    Source:
        Lord & Wingersky (1984), Applied Psychological Measurement 8, 453-461; Thissen et al. (1995), same journal 19.

    Example:
        >>> score_likelihood(np.full((2, 1, 2), 0.5), np.array([2, 2])).ravel().tolist()
        [0.25, 0.5, 0.25]
    """
    found = np.ones((1, P.shape[1]))
    for mine, C in zip(P, categories, strict=True):
        longer = np.zeros((len(found) + C - 1, P.shape[1]))
        for c in range(C):
            longer[c : c + len(found)] += found * mine[:, c]
        found = longer
    return found


def sum_score_fit(found: Marginal, parameters: Ints, weighted: bool) -> ItemFit:
    """S-X2: categories observed and expected at each sum score of the rows that answered every item.

    Cells expected below one answer are merged: neighbouring scores of items with two categories, neighbouring
    categories of others. Items of negative slope are turned over. df = cells - rows of cells - the item's parameters.

    Parameters:
        parameters: (i,) free parameters of each item. weighted: rows have unequal weights; no test then.

    Source:
        Orlando & Thissen (2000), Applied Psychological Measurement 24, 50-64; Kang & Chen (2008), Journal of
        Educational Measurement 45, 391-406.
    """
    told = found.patterns
    whole = (told.answer >= 0).all(axis=1)
    answer, count = told.answer[whole], told.weight[whole]
    n, items = float(count.sum()), told.categories.size
    nothing = np.full(items, np.nan)
    if n < 1 or weighted:
        why = "R-IRT-WEIGHTS" if weighted else "R-IRT-ROWS"
        return ItemFit(nothing, np.zeros(items, np.int64), nothing, nothing, round(n), (why,) * items)
    P, answer = _turned(np.exp(log_curves(found.shape.family, found.own, found.grid.theta)), answer, found)
    g = np.exp(found.grid.log_weight)
    total = score_likelihood(P, told.categories) @ g
    score = answer.sum(axis=1)
    at_score = np.bincount(score, count, total.size)
    value, df = np.zeros(items), np.zeros(items, np.int64)
    for i in range(items):
        C = int(told.categories[i])
        others = np.arange(items) != i
        rest = score_likelihood(P[others], told.categories[others])
        expected, observed = np.zeros((total.size, C)), np.zeros((total.size, C))
        for c in range(C):
            expected[c : c + len(rest), c] = rest @ (g * P[i, :, c])
        expected *= (at_score / np.maximum(total, 1e-300))[:, None]
        np.add.at(observed, (score, answer[:, i]), count)
        value[i], cells, rows = _compare(observed[1:-1], expected[1:-1])
        df[i] = max(cells - rows - int(parameters[i]), 0)
    value = np.where(df > 0, value, np.nan)
    excess = np.maximum(value - df, 0) / np.maximum(df * max(n - 1, 1), 1)
    reasons = tuple(None if left else "R-IRT-DF" for left in df)
    return ItemFit(value, df, chdtrc(np.maximum(df, 1), value), np.sqrt(excess), round(n), reasons)


def _turned(P: Array, answer: Ints, found: Marginal) -> tuple[Array, Ints]:
    """Probabilities and answers with items of negative slope turned over, so that sum scores go with theta."""
    P, answer = P.copy(), answer.copy()
    for i in np.flatnonzero(found.own[:, 0] < 0):
        C = int(found.patterns.categories[i])
        P[i, :, :C] = P[i, :, C - 1 :: -1]
        answer[:, i] = C - 1 - answer[:, i]
    return P, answer


def _compare(observed: Array, expected: Array) -> tuple[float, int, int]:
    """Chi-square, cells and rows of cells after merging; a row with one cell tells nothing."""
    if observed.shape[1] == 2:
        row = _merged(expected.min(axis=1)[None, :])[0]
        seen, due = (np.array([np.bincount(row, v) for v in m.T]).T for m in (observed, expected))
        due = np.maximum(due, 1e-12)
        good = due.min(axis=1) >= LEAST
        value = ((seen - due) ** 2 / due)[good].sum()
        return float(value), int(2 * good.sum()), int(good.sum())
    cell = _merged(expected) + observed.shape[1] * np.arange(len(observed))[:, None]
    seen, due = (np.bincount(cell.ravel(), m.ravel(), observed.size) for m in (observed, expected))
    good = due >= LEAST
    rows = good.reshape(observed.shape).any(axis=1)
    value = ((seen - due)[good] ** 2 / due[good]).sum()
    return float(value), int(good.sum()), int(rows.sum())


def _merged(size: Array) -> Ints:
    """Cell of each place along the last axis, so that every cell holds LEAST; what is left over joins the last cell."""
    cell, now = np.zeros(size.shape, np.int64), np.zeros(size.shape[:-1], np.int64)
    held = np.zeros(size.shape[:-1])
    for c in range(size.shape[-1]):
        held = held + size[..., c]
        cell[..., c] = now
        full = held >= LEAST
        now, held = now + full, np.where(full, 0, held)
    return np.asarray(np.minimum(cell, np.maximum(now - 1, 0)[..., None]))


def mean_squares(found: Marginal) -> tuple[Array, Array]:
    """Infit and outfit (i,): squared residuals averaged over the posterior of theta; 1 where the model holds.

    outfit = mean of (x - E)^2 / V, infit = sum of (x - E)^2 / sum of V. Theta is averaged over each person's posterior
    (marginal estimation has no point per person), so that they lie nearer to 1 than those of joint estimation.

    Source:
        Wright & Masters (1982), Rating scale analysis, chapter 5; Adams & Wu (2007), in Multivariate and mixture
        distribution Rasch models, 57-75.
    """
    P = np.exp(log_curves(found.shape.family, found.own, found.grid.theta))
    steps = np.arange(P.shape[2])
    mean = P @ steps
    spread = P @ steps**2 - mean**2
    square = (steps - mean[:, :, None]) ** 2 * found.counts
    n = found.counts.sum(axis=2)
    out = (square.sum(axis=2) / np.maximum(spread, 1e-12)).sum(axis=1) / n.sum(axis=1)
    return square.sum(axis=(1, 2)) / (n * spread).sum(axis=1), out
