"""Weighted means and covariances from the rows that answer both items of a pair.

Letters: `n` rows, `p` items, `B` weightings.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from csi.moments.pearson import upper_of
from csi.moments.stack import Array

Absences = Literal["pairwise", "listwise"]
"""What becomes of absent answers: each pair of items has the rows that answer both, or rows need all of them."""


def covariances(rows: Array, W: Array, missing: Absences = "pairwise") -> Array:
    """Weighted covariances of one scale under many weightings, from pairs or from the rows that answer all its items.

    Parameters:
        rows: (n, p) answers, NaN where absent. W: (B, n) weights.

    Returns:
        (B, p, p); NaN where fewer than two rows answer both.

    Example:
        >>> covariances(np.array([[1.0, 1], [2, 3], [3, np.nan]]), np.ones((1, 3))).tolist()
        [[[1.0, 1.0], [1.0, 2.0]]]
    """
    if missing == "listwise":
        rows = np.where(np.isnan(rows).any(axis=1, keepdims=True), np.nan, rows)
    return pairwise_moments(rows, W)[1]


def pairwise_moments(rows: Array, W: Array) -> tuple[Array, Array]:
    """Means of the answers there are, covariances from the rows that answer both.

    cov_ij = (sum w x_i x_j - sum w x_i sum w x_j / sum w) / sum w  n_ij / (n_ij - 1), all sums over the n_ij rows with
    both answers, so each pair has its own means (as R's `cov(use = "pairwise")`).

    Parameters:
        rows: (n, p) answers, NaN where absent. W: (B, n) weights.

    Returns:
        mean (B, p), cov (B, p, p); NaN where fewer than two rows answer both.

    Example:
        >>> rows = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 6.0]])
        >>> mean, cov = pairwise_moments(rows, np.ones((1, 3)))
        >>> mean.tolist(), cov.tolist()
        ([[2.0, 4.0]], [[[1.0, 4.0], [4.0, 8.0]]])
    """
    here = (~np.isnan(rows)).astype(np.float64)
    centre = np.round(np.nansum(rows, axis=0) / np.maximum(here.sum(axis=0), 1))
    z = np.nan_to_num(rows - centre)
    if len(W) == 1:
        return _once(z, here, W[0], centre)
    i, j = upper_of(rows.shape[1])
    count = (here[:, i] * here[:, j]).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if here.all():
            both, sums = W.sum(axis=1, keepdims=True), W @ z
            one, other = sums[:, i], sums[:, j]
        else:
            both = W @ (here[:, i] * here[:, j])
            one, other = W @ (z[:, i] * here[:, j]), W @ (z[:, j] * here[:, i])
        upper = (W @ (z[:, i] * z[:, j]) - one * other / both) / both * (count / (count - 1))
        mean = (one / both)[:, i == j] + centre
    cov = np.empty((len(W), rows.shape[1], rows.shape[1]))
    cov[:, i, j] = cov[:, j, i] = np.where(count > 1, upper, np.nan)
    return mean, cov


def _once(z: Array, here: Array, w: Array, centre: Array) -> tuple[Array, Array]:
    """The moments under one weighting."""
    weighted, count = here * w[:, None], here.T @ here
    with np.errstate(divide="ignore", invalid="ignore"):
        both = weighted.T @ here
        one = (z * w[:, None]).T @ here
        cross = (z * w[:, None]).T @ z
        cov = (cross - one * one.T / both) / both * (count / (count - 1))
        mean = np.diag(one) / np.diag(both) + centre
    cov = np.where(count > 1, 0.5 * (cov + cov.T), np.nan)
    return mean[None], cov[None]


def counts(rows: Array) -> Array:
    """(p, p) rows that answer both items of each pair.

    Example:
        >>> counts(np.array([[1.0, 2.0], [2.0, np.nan]])).tolist()
        [[2.0, 1.0], [1.0, 1.0]]
    """
    here = (~np.isnan(rows)).astype(np.float64)
    return np.asarray(here.T @ here)
