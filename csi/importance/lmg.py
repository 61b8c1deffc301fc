"""How much of what is explained each predictor adds, averaged over all orders in which predictors may come in.

    LMG_j = sum over S without j of |S|! (k - |S| - 1)! / k! (R2 of S and j - R2 of S)

Letters: `k` predictors, `...` any leading axes.

Source:
    Lindeman, Merenda & Gold (1980), Introduction to bivariate and multivariate analysis, 119 ff.; Shapley (1953), in
    Contributions to the theory of games II, 307-317; Groemping (2007), The American Statistician 61(2), 139-147.
"""

from __future__ import annotations

from math import factorial
from typing import Final

import numpy as np

from csi.errors import Problem, problem
from csi.moments.stack import Array

MOST: Final = 12
"""Predictors up to which all 2^k subsets are taken."""

AT_ONCE: Final = 4_000_000
"""Numbers that are held together, in slices times subsets."""


def lmg(R: Array, r: Array) -> Array:
    """Average gain in R2 over all orders of the predictors (Shapley values of R2); they sum to R2.

    Parameters:
        R: (..., k, k) correlations of the predictors, positive definite, k at most 12. r: (..., k) with the outcome.

    Returns:
        (..., k), none below 0.

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
    step = max(1, AT_ONCE // 2 ** (k + 2))
    parts = [_averaged(explained(flat_R[i : i + step], flat_r[i : i + step]), k) for i in range(0, len(flat_R), step)]
    return (np.concatenate(parts) if parts else np.empty((0, k))).reshape(*lead, k)


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


def _averaged(r2: Array, k: int) -> Array:
    """(b, k) gains of each predictor over subsets without it, by the share of orders in which these come before it."""
    subsets = np.arange(2**k)
    size = np.array([int(s).bit_count() for s in subsets])
    share = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) if s < k else 0.0 for s in range(k + 1)])
    out = np.empty((len(r2), k))
    for j in range(k):
        without = subsets[(subsets >> j) & 1 == 0]
        out[:, j] = (r2[:, without | (1 << j)] - r2[:, without]) @ share[size[without]]
    return np.maximum(out, 0.0)


def too_many(k: int) -> list[Problem]:
    """A problem where predictors are too many for all their subsets.

    Example:
        >>> too_many(13)[0].code, too_many(12)
        ('E-SETTING', [])
    """
    if k <= MOST:
        return []
    en, zh = f"LMG of {k} predictors needs {2**k} regressions.", f"{k} 个预测变量的 LMG 需要 {2**k} 次回归。"
    do = f'At most {MOST} are taken; use method="johnson" (relative weights).'
    return [problem("E-SETTING", "method", en, zh, do, f'最多取 {MOST} 个；请用 method="johnson"（相对权重）。')]
