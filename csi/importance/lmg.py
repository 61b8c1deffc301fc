"""How much of what is explained each predictor adds, averaged over all orders in which predictors may come in.

    LMG_j = sum over S without j of |S|! (k - |S| - 1)! / k! (R2 of S and j - R2 of S)

Letters: `k` predictors, `...` any leading axes.

Source:
    Lindeman, Merenda & Gold (1980), Introduction to bivariate and multivariate analysis, 119 ff.; Shapley (1953), in
    Contributions to the theory of games II, 307-317; Groemping (2007), The American Statistician 61(2), 139-147.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import Final

import numpy as np

from csi.moments.stack import Array, Ints

MOST: Final = 15
"""Predictors up to which all 2^k subsets are taken; of more, orders are sampled."""

AT_ONCE: Final = 500_000
"""Numbers that are held together, in slices times subsets."""

ORDERS: Final = 1000
"""Orders that are sampled of one slice; of many slices fewer, at least 100."""

WORK: Final = 200_000
"""Orders times slices."""


def lmg(R: Array, r: Array) -> Array:
    """Average gain in R2 over all orders of the predictors (Shapley values of R2); they sum to R2.

    Parameters:
        R: (..., k, k) correlations of the predictors, positive definite. r: (..., k) with the outcome.

    Returns:
        (..., k), none below 0. Of more than 15 predictors the mean over sampled orders (`sampled`).

    Source:
        Lindeman, Merenda & Gold (1980).

    Example:
        >>> lmg(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([0.6, 0.3])).round(6).tolist()
        [0.315, 0.045]
    """
    k = R.shape[-1]
    lead = np.broadcast_shapes(R.shape[:-2], r.shape[:-1])
    flat_R = np.broadcast_to(R, (*lead, k, k)).reshape(-1, k, k)
    flat_r = np.broadcast_to(r, (*lead, k)).reshape(-1, k)
    if k > MOST:
        return sampled(flat_R, flat_r)[0].reshape(*lead, k)
    step = max(1, AT_ONCE // 2 ** (k + 2))
    parts = [
        explained(flat_R[i : i + step], flat_r[i : i + step]) @ shares_of_orders(k) for i in range(0, len(flat_R), step)
    ]
    return np.maximum(np.concatenate(parts) if parts else np.empty((0, k)), 0.0).reshape(*lead, k)


def sampled(R: Array, r: Array, orders: int | None = None, seed: int = 1) -> tuple[Array, Array]:
    """LMG over sampled orders and their reverses, and the standard error of that sampling.

    With predictors in an order and L L' their correlations, the gains of R2 are the squares of L^-1 r.

    Parameters:
        R: (b, k, k). r: (b, k). orders: how many (by default as `ORDERS` and `WORK` say); the same for every slice.

    Returns:
        (b, k) and (b, k); the gains of every slice sum to its R2.

    Source:
        Castro, Gomez & Tejada (2009), Computers & Operations Research 36(5), 1726-1730.

    Example:
        >>> value, error = sampled(np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.array([[0.6, 0.3]]), orders=10)
        >>> value.round(6).tolist(), error.round(6).tolist()
        ([[0.315, 0.045]], [[0.0, 0.0]])
    """
    b, k = r.shape
    many = max(100, min(ORDERS, WORK // max(b, 1))) if orders is None else orders
    rng = np.random.default_rng(seed)
    total, squares = np.zeros((b, k)), np.zeros((b, k))
    pairs = max(many // 2, 1)
    for _ in range(pairs):
        order = rng.permutation(k)
        gain = (_along(R, r, order) + _along(R, r, order[::-1])) / 2
        total, squares = total + gain, squares + gain**2
    mean = total / pairs
    spread = np.maximum(squares / pairs - mean**2, 0.0) * pairs / max(pairs - 1, 1)
    return mean, np.sqrt(spread / pairs)


def _along(R: Array, r: Array, order: Ints) -> Array:
    """(b, k) gains of R2 with predictors coming in along one order."""
    L = np.linalg.cholesky(R[:, order][:, :, order])
    gains = np.linalg.solve(L, r[:, order, None])[..., 0] ** 2
    out = np.empty_like(gains)
    out[:, order] = gains
    return out


def explained(R: Array, r: Array) -> Array:
    """(b, 2^k) R2 of every subset; bit j of its place says whether predictor j is in.

    Predictor by predictor all that remain are swept by it, or left as they are, so each subset costs one sweep.

    Parameters:
        R: (b, k, k). r: (b, k).

    Example:
        >>> explained(np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.array([[0.6, 0.3]])).round(6).tolist()
        [[0.0, 0.36, 0.09, 0.36]]
    """
    b, k = r.shape
    left = np.ones((b, 1, k + 1, k + 1))
    left[:, 0, :k, :k], left[:, 0, :k, k], left[:, 0, k, :k] = R, r, r
    for _ in range(k):
        rest, with_it = left[:, :, 1:, 1:], left[:, :, 0, 1:]
        swept = rest - with_it[..., :, None] * with_it[..., None, :] / left[:, :, 0, 0, None, None]
        left = np.concatenate([rest, swept], axis=1)
    return np.asarray(1 - left[:, :, 0, 0])


@lru_cache(maxsize=16)
def shares_of_orders(k: int) -> Array:
    """(2^k, k) what the R2 of each subset counts in each predictor's average gain.

    Example:
        >>> shares_of_orders(2).tolist()
        [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]
    """
    subsets = np.arange(2**k)
    size = np.bitwise_count(subsets).astype(np.int64)
    share = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)] + [0.0])
    inside = (subsets[:, None] >> np.arange(k)) & 1 == 1
    return np.where(inside, share[np.maximum(size - 1, 0)][:, None], -share[size][:, None])
