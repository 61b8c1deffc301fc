"""Which item belongs to which construct, as arrays: what every measure on blocks of items needs.

Letters: `p` items, `q` constructs, `...` any leading axes of a stack.
"""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array, Ints, Moments


def membership(block: Ints, constructs: int) -> Array:
    """(p, q) with 1 where the item belongs to the construct; a block of -1 belongs to none.

    Example:
        >>> membership(np.array([0, 0, 1]), 2).tolist()
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    return np.asarray(block[:, None] == np.arange(constructs), dtype=np.float64)


def block_sum(matrix: Array, member: Array) -> Array:
    """Sum of `matrix` (..., p, p) within and between blocks: (..., q, q)."""
    return np.asarray(member.T @ matrix @ member, dtype=np.float64)


def diagonal(matrix: Array) -> Array:
    """The diagonal of the last two axes."""
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def item_cov(moments: Moments, items: tuple[str, ...]) -> Array:
    """(b, p, p) covariances of `items`, in their order."""
    if moments.names == items:
        return moments.cov
    at = [moments.names.index(name) for name in items]
    return moments.cov[:, at][:, :, at]


def correlations(cov: Array) -> Array:
    """Correlations of (..., p, p) covariances; NaN beside an item without variance.

    Example:
        >>> correlations(np.array([[4.0, 2.0], [2.0, 4.0]])).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    variance = diagonal(cov)
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray(cov / (sd[..., :, None] * sd[..., None, :]), dtype=np.float64)
