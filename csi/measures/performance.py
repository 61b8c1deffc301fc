"""Construct scores on the 0-100 scale of the items' theoretical bounds: relative weights, performance, spread.

Letters: `p` items, `q` constructs, `...` any leading axes.
"""

from __future__ import annotations

import numpy as np

from csi.measures.blocks import membership
from csi.moments.stack import Array, Ints


def relative_weights(weights: Array, sd: Array, span: Array, block: Ints, constructs: int) -> Array:
    """Weights of the 0-100 items, summing to 1 in each construct: w_k = w~_k / s_k, a_k = w_k span_k / sum w span.

    Parameters:
        weights: (..., p) standardised outer weights. sd: (..., p) item standard deviations. span: (p,) theoretical
            maximum - minimum. block: (p,). constructs: q.

    Returns:
        (..., p); NaN where bounds are unknown.

    Source:
        Fornell et al. (1996), Journal of Marketing 60(4), appendix.

    Example:
        >>> span = np.array([9.0, 9.0])
        >>> relative_weights(np.array([0.6, 0.6]), np.array([1.0, 2.0]), span, np.array([0, 0]), 1).round(6).tolist()
        [0.666667, 0.333333]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = weights / sd * span
        total = np.stack([raw[..., block == j].sum(axis=-1) for j in range(constructs)], axis=-1)
        return np.asarray(raw / total[..., block], dtype=np.float64)


def hundred(mean: Array, minimum: Array, maximum: Array) -> Array:
    """Means on the 0-100 scale of their theoretical bounds: 100 (x - l) / (u - l).

    Example:
        >>> hundred(np.array([1.0, 5.5, 10.0]), np.ones(3), np.full(3, 10.0)).tolist()
        [0.0, 50.0, 100.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(100.0 * (mean - minimum) / (maximum - minimum), dtype=np.float64)


def performance(relative: Array, points: Array, block: Ints, constructs: int) -> Array:
    """(..., q) the construct means on 0-100: sum of relative weight x item mean; NaN for a construct without items.

    Example:
        >>> performance(np.array([0.25, 0.75]), np.array([40.0, 80.0]), np.array([0, 0]), 1).tolist()
        [70.0]
    """
    sums = [(relative * points)[..., block == j].sum(axis=-1) for j in range(constructs)]
    empty = membership(block, constructs).sum(axis=0) == 0
    return np.where(empty, np.nan, np.stack(sums, axis=-1))


def spread(weights: Array, sd: Array, span: Array, block: Ints, constructs: int) -> Array:
    """(..., q) standard deviations of the 0-100 construct scores, 100 / sum w_k span_k, for weights that give the
    standardised score variance 1.

    Example:
        >>> one = np.array([1.0])
        >>> spread(one, np.array([1.8]), np.array([9.0]), np.array([0]), 1).round(6).tolist()
        [20.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = weights / sd * span
        total = np.stack([raw[..., block == j].sum(axis=-1) for j in range(constructs)], axis=-1)
        return np.asarray(100.0 / total, dtype=np.float64)
