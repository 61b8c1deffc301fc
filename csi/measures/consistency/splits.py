"""Every way to split a scale in two: the best split (Guttman's lambda4), the worst and the mean.

Letters: `k` items, `m` splits, `...` any leading axes.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from csi.moments.stack import Array

EVERY = 16
"""Items up to which every split is looked at; longer scales have `SAMPLED` of them, drawn."""
SAMPLED = 10_000
"""Splits drawn of a longer scale."""


def splits(k: int, seed: int = 1, most: int = SAMPLED) -> Array:
    """Halves of k items as signs: k // 2 of them against the others, every one up to 16 items, else `most` drawn.

    Parameters:
        k: items, two or more. seed: of the draws. most: how many are drawn.

    Returns:
        (m, k) of 1 and -1; of an even k each pair of halves once.

    Example:
        >>> splits(4).tolist()
        [[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]]
    """
    if k > EVERY:
        rng = np.random.default_rng(seed)
        order = np.argsort(rng.random((most, k)), axis=1)
        return np.where(order < k // 2, 1.0, -1.0)
    halves = np.array(list(combinations(range(k), k // 2)), dtype=np.int64)
    if k % 2 == 0:
        halves = halves[halves[:, 0] == 0]
    signs = np.full((len(halves), k), -1.0)
    np.put_along_axis(signs, halves, 1.0, axis=1)
    return signs


def split_reliability(cov: Array, signs: Array) -> Array:
    """Guttman's split-half reliability of every split: 4 cov(A, B) / var(A + B).

    With halves of equal variance it is Spearman and Brown's 2 r / (1 + r).

    Parameters:
        cov: (..., k, k). signs: (m, k) of 1 and -1.

    Returns:
        (..., m).

    Source:
        Guttman (1945), Psychometrika 10(4), 255-282, eq. 49.

    Example:
        >>> split_reliability(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -1.0]])).round(4).tolist()
        [0.6667]
    """
    k = cov.shape[-1]
    i, j = np.triu_indices(k, 1)
    apart = 2 * (signs[:, i] * signs[:, j]) @ np.moveaxis(cov[..., i, j], -1, 0).reshape(i.size, -1)
    apart = np.moveaxis(apart.reshape(len(signs), *cov.shape[:-2]), 0, -1)
    total, own = cov.sum(axis=(-2, -1)), np.trace(cov, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (own[..., None] + apart) / total[..., None])


def spearman_brown(cov: Array, signs: Array) -> Array:
    """(..., m) the correlation of both halves stepped up to the whole: 2 r / (1 + r).

    Parameters:
        cov: (..., k, k). signs: (m, k) of 1 and -1.

    Source:
        Spearman (1910) and Brown (1910), British Journal of Psychology 3.

    Example:
        >>> spearman_brown(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -1.0]])).round(4).tolist()
        [0.6667]
    """
    one, other = (signs > 0).astype(np.float64), (signs < 0).astype(np.float64)
    parts = [
        np.einsum("mi,...ij,mj->...m", a, cov, b, optimize=True) for a, b in ((one, one), (other, other), (one, other))
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        r = parts[2] / np.sqrt(parts[0] * parts[1])
        return np.asarray(2 * r / (1 + r))
