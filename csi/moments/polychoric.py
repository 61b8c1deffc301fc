"""Two-step polychoric correlations of many tables at once: thresholds from margins, then one Newton for all pairs.

Letters: `t` tables (pairs of ordinal items, times slices), `a` thresholds of the row item, `c` of the column item.
Items with fewer categories are padded: their spare thresholds lie at `FAR`, their spare cells have probability zero.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from csi.moments.bivariate_normal import (
    ELEMENTS,
    FAR,
    bordered,
    density,
    density_slope,
    edges,
    rectangles,
)
from csi.moments.bracket import maximum
from csi.moments.stack import Array

TINY = 2.0**-52
"""The least probability a cell is given before a division: what differences of corners resolve."""


def cut_points(counts: Array) -> Array:
    """Thresholds: normal quantiles of the cumulative proportions.

    tau_a = Phi^-1(sum_(c <= a) n_c / n)

    Parameters:
        counts: (..., k) weighted counts of the categories.

    Returns:
        (..., k - 1), from -FAR to FAR; FAR after the last category in use.

    Source: Olsson (1979), Psychometrika 44, 443-460 (two-step estimator).

    Example:
        >>> cut_points(np.array([25.0, 50.0, 25.0])).round(4).tolist()
        [-0.6745, 0.6745]
    """
    total = np.cumsum(counts, axis=-1)
    used = np.cumsum(counts[..., ::-1] > 0, axis=-1)[..., ::-1][..., 1:] > 0
    with np.errstate(invalid="ignore"):
        share = total[..., :-1] / total[..., -1:]
    return np.where(used, np.clip(ndtri(share), -FAR, FAR), FAR)


def correlations(counts: Array, h: Array, k: Array, start: Array | None = None) -> Array:
    """The correlation that maximises each table's likelihood, thresholds given.

    max over rho of sum_ab n_ab log pi_ab(rho): Newton on the score sum n_ab pi'_ab / pi_ab with its exact derivative,
    held between brackets that the sign of the score narrows.

    Parameters:
        counts: (t, a + 1, c + 1). h: (t, a) thresholds of the rows. k: (t, c) of the columns. start: (t,) first guess.

    Returns:
        (t,) between -BOUND and BOUND; NaN for an empty table.

    Source: Olsson (1979), Psychometrika 44, 443-460.

    Example:
        >>> table, zero = np.array([[[2.0, 1.0], [1.0, 2.0]]]), np.zeros((1, 1))
        >>> correlations(table, zero, zero).round(6).tolist()  # sin(pi / 2 * (4 - 2) / 6)
        [0.5]
    """
    size = max(1, ELEMENTS // (4 * counts.shape[1] * counts.shape[2]))
    guess = _first_guess(counts, h, k) if start is None else np.clip(start, -0.95, 0.95)
    rho = np.empty(counts.shape[0])
    for i in range(0, rho.size, size):
        block = slice(i, i + size)
        rho[block] = _maximum(counts[block], h[block], k[block], guess[block])
    return np.where(counts.sum(axis=(1, 2)) > 0, rho, np.nan)


def _first_guess(counts: Array, h: Array, k: Array) -> Array:
    """(t,) Pearson correlations of the categories' normal scores."""
    x, y = _normal_scores(h), _normal_scores(k)
    product = np.einsum("tab,ta,tb->t", counts, x, y, optimize=True)
    squares = (counts.sum(axis=2) * x * x).sum(axis=1) * (counts.sum(axis=1) * y * y).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        guess = product / np.sqrt(squares)
    return np.asarray(np.clip(np.nan_to_num(guess), -0.9, 0.9))


def _normal_scores(h: Array) -> Array:
    """(t, a + 1) the mean of the latent response within each category; 0 for an empty one."""
    slope = np.pad(np.exp(-0.5 * h * h) / np.sqrt(2 * np.pi), ((0, 0), (1, 1)))
    below = np.pad(ndtr(h), ((0, 0), (1, 1)))
    below[:, -1] = 1.0
    share = np.diff(below, axis=1)
    return np.asarray(-np.diff(slope, axis=1) / np.maximum(share, TINY)) * (share > TINY)


def _maximum(counts: Array, h: Array, k: Array, guess: Array) -> Array:
    """(t,) correlations of one block of tables."""
    return maximum(lambda rho, which: _score_and_slope(counts[which], h[which], k[which], rho), guess)


def _score_and_slope(counts: Array, h: Array, k: Array, rho: Array) -> tuple[Array, Array]:
    """(t,) first and second derivative of the log likelihood by rho."""
    phi = density(h, k, rho)
    chance = np.maximum(rectangles(h, k, rho), TINY)
    ratio = bordered(phi) / chance
    curve = bordered(density_slope(h, k, rho, phi)) / chance
    return (counts * ratio).sum(axis=(1, 2)), (counts * (curve - ratio * ratio)).sum(axis=(1, 2))


def threshold_products(counts: Array, h: Array, k: Array, rho: Array) -> tuple[Array, Array, Array, Array]:
    """Scores by rho and their products with themselves and with the scores of the thresholds, summed over answers.

    s_ab = pi'_ab / pi_ab; sum n_ab s_ab^2; sum n_ab s_ab (dlog pi_ab / dtau) for the thresholds of rows and columns.

    Parameters:
        counts: (t, a + 1, c + 1). h: (t, a). k: (t, c). rho: (t,).

    Returns:
        scores (t, a + 1, c + 1), squares (t,), products with row thresholds (t, a) and column thresholds (t, c).

    Source: Muthen (1984), Psychometrika 49, 115-132; Joreskog (1994), Psychometrika 59, 381-389.

    Example:
        >>> zero = np.zeros((1, 1))
        >>> scores, square, _, _ = threshold_products(np.ones((1, 2, 2)), zero, zero, np.array([0.0]))
        >>> scores.round(4).tolist(), square.round(4).tolist()
        ([[[0.6366, -0.6366], [-0.6366, 0.6366]]], [1.6211])
    """
    chance = np.maximum(rectangles(h, k, rho), TINY)
    score = bordered(density(h, k, rho)) / chance
    weighted = counts * score
    share = weighted / chance
    rows = ((share[:, :-1] - share[:, 1:]) * edges(h, k, rho)).sum(axis=2)
    across = share.swapaxes(1, 2)
    columns = ((across[:, :-1] - across[:, 1:]) * edges(k, h, rho)).sum(axis=2)
    return score, (weighted * score).sum(axis=(1, 2)), rows, columns
