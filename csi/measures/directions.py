"""Directions a fitted model is free in at its solution: along its constraints, and along the bounds it stopped at.

Letters: `b` slices, `k` free parameters, `r` directions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.measures.symptoms import units_of
from csi.moments.stack import Array
from csi.sem.fitted import Fitted

Flags = npt.NDArray[np.bool_]

TOUCHED = 1e-6
"""A parameter this near to a bound (as a share of its unit: standard deviations of its variables) is at the bound."""


def at_bound(fit: Fitted, s: int) -> Flags:
    """(k,) parameters of slice `s` at one of their bounds."""
    theta, low, high = fit.theta[s], fit.linear.lower, fit.linear.upper
    if not fit.linear.bounded:
        return np.zeros(len(theta), dtype=bool)
    near = TOUCHED * np.maximum(units_of(fit, s), np.abs(theta))
    return np.asarray((theta - low <= near) | (high - theta <= near))


def free_directions(fit: Fitted) -> Array:
    """(b, k, r) directions of every slice in which it could move, (1, k, r) where all slices have the same.

    At a bound the slope is not 0: it pushes against the bound. A change nearby leaves the parameter where it is, so its
    direction is not free. Columns of 0 stand where a slice has fewer directions than others.

    Source:
        Aitchison & Silvey (1958), Annals of Mathematical Statistics 29(3):813-828 (binding constraints as equalities).
    """
    if not (fit.linear.bounded or fit.tangents):
        return fit.linear.N[None]
    found = [_along(fit.along(s), at_bound(fit, s)) for s in range(len(fit.theta))]
    most = max(N.shape[1] for N in found)
    return np.stack([np.concatenate([N, np.zeros((len(N), most - N.shape[1]))], axis=1) for N in found])


def _along(N: Array, held: Flags) -> Array:
    """Directions within N (k, r) that leave the parameters `held` alone, filled up with columns of 0."""
    if not held.any():
        return N
    _, size, Vt = np.linalg.svd(N[held])
    rank = int((size > 1e-10 * size.max(initial=1e-300)).sum())
    return np.concatenate([N @ Vt[rank:].T, np.zeros((len(N), rank))], axis=1)


def inner_information(N: Array, info: Array) -> Array:
    """(b, r, r) information along directions (b, k, r); 1 for columns of 0.

    Parameters:
        N: (b, k, r), (1, k, r) or (k, r). info: (b, k, k).

    Example:
        >>> inner_information(np.array([[[1.0, 0.0], [0.0, 0.0]]]), 4 * np.eye(2)[None]).tolist()
        [[[4.0, 0.0], [0.0, 1.0]]]
    """
    empty = (N == 0).all(axis=-2)
    return np.asarray(N.swapaxes(-1, -2) @ info @ N + empty[..., None] * np.eye(N.shape[-1]))
