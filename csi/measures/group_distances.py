"""How far apart groups are as a whole: distances between the correlations that their fits imply.

    d = mean over pairs of groups of d(Sigma_g, Sigma_h)
    d_G = 1/2 sum (log10 of the eigenvalues of Sigma_g^-1 Sigma_h)^2,   d_L = 1/2 sum (Sigma_g - Sigma_h)^2

Letters: `c` groups, `B` permutations, `p` items, `q` constructs.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np

from csi.estimate.estimate import Estimate
from csi.measures.composite_implied import SINGULAR, TEN, fitted_cor, structural_cor
from csi.moments.stack import Array

KINDS: Final = (("items", "d_g"), ("items", "d_l"), ("constructs", "d_g"), ("constructs", "d_l"))
"""What is compared, and by which distance, in the order of `group_distances`."""


def group_distances(fit: Estimate, c: int) -> Array:
    """(B, 4) mean distances between c groups, in the order of `KINDS`; NaN where a matrix is not positive definite.

    Parameters:
        fit: B * c slices, replicate-major.

    Source:
        Klesel, Schuberth, Henseler & Niehaves (2019), Internet Research 29(3):464-477.
    """
    of_items = fitted_cor(fit.moments, fit.solution, saturated=False)[1]
    solution = fit.solution
    of_constructs = structural_cor(solution.construct_cor, solution.paths, solution.r2)
    found = [way(cor, c) for cor in (of_items, of_constructs) for way in (geodesic, euclidean)]
    return np.stack(found, axis=1)


def euclidean(cor: Array, c: int) -> Array:
    """(B,) mean squared Euclidean distance over pairs of groups.

    Parameters:
        cor: (B * c, p, p), replicate-major.

    Example:
        >>> one, other = np.eye(2), np.array([[1.0, 0.5], [0.5, 1.0]])
        >>> euclidean(np.stack([one, other, other]), 3).round(4).tolist()
        [0.1667]
    """
    groups = cor.reshape(-1, c, *cor.shape[1:])
    pairs = list(combinations(range(c), 2))
    total = np.zeros(len(groups))
    for g, h in pairs:
        total += 0.5 * ((groups[:, g] - groups[:, h]) ** 2).sum(axis=(1, 2))
    return total / len(pairs)


def geodesic(cor: Array, c: int) -> Array:
    """(B,) mean geodesic distance over pairs of groups.

    Parameters:
        cor: (B * c, p, p), replicate-major.

    Example:
        >>> geodesic(np.stack([np.eye(2), np.diag([10.0, 1.0])]), 2).round(6).tolist()
        [0.5]
    """
    groups = cor.reshape(-1, c, *cor.shape[1:])
    halves = _inverse_roots(groups[:, :-1].reshape(-1, *cor.shape[1:])).reshape(-1, c - 1, *cor.shape[1:])
    pairs = list(combinations(range(c), 2))
    total = np.zeros(len(groups))
    for g, h in pairs:
        half = halves[:, g]
        total += _squared_logs(half @ groups[:, h] @ half.swapaxes(1, 2))
    return total / len(pairs)


def _inverse_roots(cor: Array) -> Array:
    """L^-1 of every matrix L L'; NaN where it is not positive definite."""
    out = np.full(cor.shape, np.nan)
    sound = np.flatnonzero(np.isfinite(cor).all(axis=(1, 2)))
    roots = _roots(cor[sound])
    if roots is None:
        sound = sound[np.linalg.eigvalsh(cor[sound])[:, 0] > SINGULAR]
        roots = np.asarray(np.linalg.cholesky(cor[sound]), dtype=np.float64)
    out[sound] = np.linalg.inv(roots)
    return out


def _roots(cor: Array) -> Array | None:
    """Cholesky factors; None unless every pivot of all is far from 0."""
    try:
        roots = np.asarray(np.linalg.cholesky(cor), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    clear = np.diagonal(roots, axis1=1, axis2=2) > np.sqrt(SINGULAR) * 10
    return roots if clear.all() else None


def _squared_logs(whitened: Array) -> Array:
    """(B,) half the sum of squared logarithms of the eigenvalues."""
    out = np.full(len(whitened), np.nan)
    sound = np.isfinite(whitened).all(axis=(1, 2))
    values = np.linalg.eigvalsh(whitened[sound])
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(np.where(values > SINGULAR, values, np.nan)) / TEN
    out[sound] = 0.5 * (logs**2).sum(axis=1)
    return out
