"""What one factor leaves of the correlations of a construct's items (linear Q3).

Letters: `b` matrices, `k` items.
"""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array


def residual_correlations(cor: Array, loading: Array) -> Array:
    """(b, k, k) correlations of what is left of items when the score of their one factor is taken out (linear Q3).

    E = (I - l b') R (I - b l'), b = V^-1 l / (1 + l' V^-1 l), V = diag(1 - l^2), scaled to correlations; NaN where
    some |l_i| is not below 1

    Parameters:
        cor: (b, k, k). loading: (b, k).

    Source:
        Yen (1984), Applied Psychological Measurement 8(2), 125-145.

    Example:
        >>> R = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
        >>> residual_correlations(R[None], np.full((1, 4), 0.5**0.5))[0, 0].round(4).tolist()
        [1.0, -0.25, -0.25, -0.25]
    """
    k = cor.shape[1]
    proper = np.abs(loading).max(axis=1) < 1
    own = np.where(np.expand_dims(proper, 1), 1 - loading**2, np.nan)
    weight = loading / own
    weight = weight / (1 + (loading * weight).sum(axis=1, keepdims=True))
    left = np.eye(k) - loading[:, :, None] * weight[:, None, :]
    residual = left @ cor @ left.transpose(0, 2, 1)
    sd = np.sqrt(np.diagonal(residual, axis1=1, axis2=2))
    return np.asarray(residual / (sd[:, :, None] * sd[:, None, :]))


def about_their_mean(q3: Array) -> Array:
    """(b, k, k) Q3 less the mean of its k (k - 1) / 2 pairs, which is negative when nothing is dependent.

    Source:
        Christensen, Makransky & Horton (2017), Applied Psychological Measurement 41(3), 178-194.

    Example:
        >>> q3 = np.array([[[1.0, 0.1, -0.2], [0.1, 1.0, -0.2], [-0.2, -0.2, 1.0]]])
        >>> about_their_mean(q3)[0, 0].round(4).tolist()
        [1.1, 0.2, -0.1]
    """
    i, j = np.triu_indices(q3.shape[1], 1)
    return np.asarray(q3 - q3[:, i, j].mean(axis=1)[:, None, None])
