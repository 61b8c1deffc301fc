"""Two-step polyserial correlations (an ordinal with a continuous item) and the scores of Pearson pairs.

Letters: `n` rows, `q` ordinal items beside one continuous item, `a` thresholds (padded with `FAR`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from csi.moments.bivariate_normal import FAR
from csi.moments.bracket import maximum
from csi.moments.polychoric import TINY
from csi.moments.stack import Array, Ints

Flags = npt.NDArray[np.bool_]


def polyserial(z: Array, codes: Ints, cuts: Array, w: Array, start: Array | None = None) -> Array:
    """The correlation of each ordinal item's latent response with a continuous item, thresholds and moments given.

    max over rho of sum_i w_i log P(X = x_i | z_i),
    P(X = a | z) = Phi((tau_a - rho z) / s) - Phi((tau_(a-1) - rho z) / s), s = sqrt(1 - rho^2)

    Parameters:
        z: (n,) standardised answers, NaN where absent. codes: (n, q) category numbers from 0, -1 where absent.
        cuts: (q, a) thresholds. w: (n,) weights. start: (q,) first guess.

    Returns:
        (q,) between -BOUND and BOUND; NaN where no row answers both.

    Source: Olsson, Drasgow and Dorans (1982), Psychometrika 47.

    Example:
        >>> z = np.array([-1.0, -0.5, 0.5, 1.0, -1.2, 1.2])
        >>> codes = np.array([[0], [1], [1], [1], [0], [0]])
        >>> polyserial(z, codes, np.array([[0.0]]), np.ones(6)).round(3).tolist()
        [0.436]
    """
    return polyserial_within(z, codes >= 0, _limits(codes, cuts), w, start)


def polyserial_within(
    z: Array, present: Flags, limits: tuple[Array, Array], w: Array, start: Array | None = None
) -> Array:
    """`polyserial` where every row has limits of its own, such as thresholds less what other variables predict.

    Parameters:
        z, w, start: as in `polyserial`. present: (n, q) answers that are there. limits: (n, q) below and above them.

    Example:
        >>> z = np.array([-1.0, -0.5, 0.5, 1.0, -1.2, 1.2])
        >>> low, high = np.array([[-38.0, 0, 0, 0, -38, -38]]).T, np.array([[0.0, 38, 38, 38, 0, 0]]).T
        >>> polyserial_within(z, np.ones((6, 1), dtype=bool), (low, high), np.ones(6)).round(3).tolist()
        [0.436]
    """
    w = np.where(present & ~np.isnan(z)[:, None], w[:, None], 0.0)
    z, (below, above) = np.nan_to_num(z)[:, None], limits
    guess = np.zeros(below.shape[1]) if start is None else np.clip(start, -0.95, 0.95)
    rho = maximum(lambda r, q: _score_and_slope(z, below[:, q], above[:, q], r, w[:, q]), guess)
    return np.where(w.sum(axis=0) > 0, rho, np.nan)


def _limits(codes: Ints, cuts: Array) -> tuple[Array, Array]:
    """(n, q) the thresholds below and above each answer."""
    q = cuts.shape[0]
    full = np.concatenate([np.full((q, 1), -FAR), cuts, np.full((q, 1), FAR)], axis=1)
    place = np.maximum(codes, 0)
    item = np.arange(q)
    return full[item, place], full[item, place + 1]


def _score_and_slope(z: Array, below: Array, above: Array, rho: Array, w: Array) -> tuple[Array, Array]:
    """(q,) first and second derivative of the log likelihood by rho."""
    rest = (1 - rho) * (1 + rho)
    first: list[Array] = []
    second: list[Array] = []
    limits = []
    for t in (below, above):
        u, v = (t - rho * z) / np.sqrt(rest), (t * rho - z) / rest**1.5
        phi = np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi)
        limits.append(u)
        first.append(phi * v)
        second.append(phi * (t / rest**1.5 + 3 * rho * v / rest - u * v * v))
    chance = between(limits[0], limits[1])
    ratio = (first[1] - first[0]) / chance
    curve = (second[1] - second[0]) / chance - ratio * ratio
    return (w * ratio).sum(axis=0), (w * curve).sum(axis=0)


def between(low: Array, high: Array) -> Array:
    """Phi(high) - Phi(low) from the tail where it is exact, at least `TINY`.

    Example:
        >>> float(between(np.array(9.0), np.array(9.5)) > 0)
        1.0
    """
    flip = low > 0
    chance = ndtr(np.where(flip, -low, high)) - ndtr(np.where(flip, -high, low))
    return np.asarray(np.maximum(chance, TINY**4))


def polyserial_scores(z: Array, codes: Ints, cuts: Array, rho: Array) -> tuple[Array, Array, Array, Array]:
    """Casewise scores of the joint likelihood of the ordinal items, each with the continuous item.

    log f = log phi(z) - log sigma + log P(X | z); rows absent in either item score zero.

    Parameters:
        z: (n,). codes: (n, q). cuts: (q, a). rho: (q,).

    Returns:
        by rho (n, q); by the thresholds below and above the answer (n, q) twice; by z (n, q): what mean and variance
        of the continuous item get through z = (y - mu) / sigma.

    Source: Olsson, Drasgow and Dorans (1982), Psychometrika 47; Muthen (1984), Psychometrika 49.

    Example:
        >>> one = np.array([[1]]), np.array([[0.0]]), np.array([0.0])
        >>> [round(float(s[0, 0]), 4) for s in polyserial_scores(np.array([1.0]), *one)]
        [0.7979, -0.7979, 0.0, -1.0]
    """
    return scores_within(z, codes >= 0, _limits(codes, cuts), rho)


def scores_within(
    z: Array, present: Flags, limits: tuple[Array, Array], rho: Array
) -> tuple[Array, Array, Array, Array]:
    """`polyserial_scores` where every row has limits of its own.

    Parameters:
        present: (n, q) answers that are there. limits: (n, q) below and above them.

    Example:
        >>> one = np.ones((1, 1), dtype=bool), (np.array([[0.0]]), np.array([[38.0]])), np.array([0.0])
        >>> [round(float(s[0, 0]), 4) for s in scores_within(np.array([1.0]), *one)]
        [0.7979, -0.7979, 0.0, -1.0]
    """
    present = present & ~np.isnan(z)[:, None]
    z, (below, above) = np.nan_to_num(z)[:, None], limits
    root = np.sqrt((1 - rho) * (1 + rho))
    low, high = (below - rho * z) / root, (above - rho * z) / root
    chance = between(low, high)
    left, right = (np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi) / chance for u in (low, high))
    by_rho = (right * (above * rho - z) - left * (below * rho - z)) / root**3
    by_z = -z - rho / root * (right - left)
    by_rho, low, high, by_z = (np.where(present, s, 0.0) for s in (by_rho, -left / root, right / root, by_z))
    return by_rho, low, high, by_z


def pearson(products: Array, squares: Array) -> Array:
    """The correlation of two standardised items that maximises the normal likelihood, moments given.

    The root of -rho^3 + a rho^2 + (1 - b) rho + a with a = mean x y, b = mean x^2 + mean y^2; rho = a where b = 2, as
    with complete rows.

    Parameters:
        products: (t,) a. squares: (t,) b.

    Returns:
        (t,).

    Example:
        >>> pearson(np.array([0.3]), np.array([2.0])).round(12).tolist()
        [0.3]
    """
    known = np.isfinite(products)
    a, b = np.where(known, products, 0.0), np.where(known, squares, 2.0)

    def slopes(r: Array, t: Ints) -> tuple[Array, Array]:
        return -(r**3) + a[t] * r * r + (1 - b[t]) * r + a[t], -3 * r * r + 2 * a[t] * r + 1 - b[t]

    return np.where(known, maximum(slopes, np.clip(a, -0.95, 0.95)), np.nan)


def pearson_scores(x: Array, y: Array, rho: Array) -> tuple[Array, Array, Array]:
    """Casewise scores of the bivariate normal likelihood of pairs of continuous items.

    Parameters:
        x, y: (n, t) standardised answers of both items, NaN where absent. rho: (t,).

    Returns:
        (n, t) by rho, by x and by y; zero where either is absent.

    Example:
        >>> [s.round(3).tolist() for s in pearson_scores(np.ones((1, 1)), np.ones((1, 1)), np.array([0.5]))]
        [[[1.111]], [[-0.667]], [[-0.667]]]
    """
    present = ~np.isnan(x) & ~np.isnan(y)
    rest = (1 - rho) * (1 + rho)
    by_rho = rho / rest + (x * y * (1 + rho * rho) - rho * (x * x + y * y)) / rest**2
    by_x, by_y = -(x - rho * y) / rest, -(y - rho * x) / rest
    by_rho, by_x, by_y = (np.where(present, s, 0.0) for s in (by_rho, by_x, by_y))
    return by_rho, by_x, by_y
