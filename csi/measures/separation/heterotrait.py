"""HTMT2, and which item drives a heterotrait-monotrait ratio.

Letters: `p` items, `q` constructs, `...` any leading axes.
"""

from __future__ import annotations

import numpy as np

from csi.estimate.estimate import Solution
from csi.measures.blocks import block_sum, correlations, diagonal
from csi.measures.indicators import indicator_cov, members
from csi.measures.validity import htmt
from csi.moments.stack import Array, Moments


def htmt2(cor: Array, member: Array) -> Array:
    """HTMT with geometric means: exp of the mean log |r| between two blocks / the root of the product of those within.

    It does not ask for equal loadings. The mean within a single item is 1.

    Parameters:
        cor: (..., p, p) item correlations. member: (p, q).

    Returns:
        (..., q, q), symmetric, 1 on the diagonal; 0 where items of two constructs are not correlated at all.

    Source:
        Roemer, Schuberth & Henseler (2021), Industrial Management & Data Systems 121(12), eq. 5. Agrees with semTools
        0.5-6 (htmt2 = TRUE) within 1e-6.

    Example:
        >>> cor = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.1], [0.4, 0.1, 1.0]])
        >>> htmt2(cor, np.array([[1.0, 0], [1, 0], [0, 1]]))[0, 1].round(6).item()
        0.282843
    """
    k = member.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(np.abs(cor))
        sums = block_sum(np.where(np.isneginf(logs), -1e300, logs), member)
        within = np.where(k > 1, diagonal(sums) / (k * (k - 1)), 0.0)
        between = sums / (k[:, None] * k)
        found = np.exp(between - (within[..., :, None] + within[..., None, :]) / 2)
    at = np.arange(len(k))
    found[..., at, at] = 1.0
    return np.where(np.isfinite(found), found, np.nan)


def both(moments: Moments, solution: Solution) -> Array:
    """HTMT and HTMT2 as a measure on a stack: (b, 2, q, q)."""
    cor, member = correlations(indicator_cov(moments, solution)), members(solution)
    return np.stack([htmt(cor, member), htmt2(cor, member)], axis=1)


def without_items(cor: Array, member: Array) -> Array:
    """(..., p, q, q) HTMT without each item in turn; NaN for the construct of an only item.

    Parameters:
        cor: (..., p, p). member: (p, q).

    Example:
        >>> cor = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.1], [0.4, 0.1, 1.0]])
        >>> without_items(cor, np.array([[1.0, 0], [1, 0], [0, 1]]))[:, 0, 1].round(3).tolist()
        [0.1, 0.4, nan]
    """
    found = []
    for i in range(len(member)):
        kept = np.arange(len(member)) != i
        with np.errstate(divide="ignore", invalid="ignore"):
            one = htmt(cor[..., kept, :][..., kept], member[kept])
        gone = member[kept].sum(axis=0) == 0
        one[..., gone, :] = np.nan
        one[..., :, gone] = np.nan
        found.append(one)
    return np.stack(found, axis=-3)
