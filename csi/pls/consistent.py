"""Consistent PLS: correlations, loadings and paths of common factors, from the scores that stand for them.

A score is a noisy stand-in of its factor; rho_A is how much of the score's variance the factor has. Dividing by it
gives the factors' correlations, and the weights stretched by it are the loadings. Composites and single items are
their scores: nothing is corrected there.

Letters: `p` items, `q` constructs, `b` slices of a stack, `...` any leading axes.

Source: Dijkstra & Henseler (2015), Consistent partial least squares path modeling, MIS Quarterly 39(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.moments.linear import is_definite
from csi.moments.stack import Array
from csi.pls import compiled
from csi.pls.algorithm import Design, Solved
from csi.pls.inner import regressions

Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-9
"""A correlation or reliability beyond 1 by less than this is 1."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """rho (b, q), loadings (b, p), C (b, q, q), paths (b, q, q), r2 (b, q) after correction for unreliability.

    Attributes:
        above, beyond, definite, finite, heywood: (b,) True where a rho_A is above 1, where a correlation is beyond 1
            (rounding aside), where C is positive definite, where C has numbers throughout, where a factor's loading is
            beyond 1, so that the error variance of its item is negative.
    """

    rho: Array
    loadings: Array
    C: Array
    paths: Array
    r2: Array
    above: Flags
    beyond: Flags
    definite: Flags
    finite: Flags
    heywood: Flags


def rho_a(weights: Array, cor: Array, member: Array) -> Array:
    """Dijkstra-Henseler's rho_A: (w'w)^2 (w'(R - diag R)w) / (w'(ww' - diag ww')w).

    Parameters:
        weights: (..., p) outer weights on standardised items, scores of variance 1. cor: (..., p, p). member: (p, q).

    Returns:
        (..., q); NaN for blocks of fewer than two items. May exceed 1, or be negative, in small samples.

    Source:
        Dijkstra & Henseler (2015), MIS Quarterly 39(2), eq. 3.

    Example:
        >>> w = np.array([1.0, 1.0]) / np.sqrt(3.0)
        >>> rho_a(w, np.array([[1.0, 0.5], [0.5, 1.0]]), np.ones((2, 1))).round(6).tolist()
        [0.666667]
    """
    squared, fourth = weights**2 @ member, weights**4 @ member
    shared = np.full(squared.shape, np.nan)
    for k in np.flatnonzero(member.sum(axis=0) > 1):
        at = np.flatnonzero(member[:, k])
        w, R = weights[..., at], cor[..., at[:, None], at]
        shared[..., k] = (np.einsum("...ij,...j->...i", R - R * np.eye(at.size), w) * w).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(squared**2 * shared / (squared**2 - fourth), dtype=np.float64)


def corrected(solved: Solved, R: Array, design: Design) -> Corrected:
    """Factors' correlations C_jk / sqrt(rho_j rho_k), loadings w sqrt(rho) / w'w, and the paths that follow.

    Parameters:
        R: (b, p, p) item correlations in the order of `design.block`.

    Returns:
        NaN where a rho_A is not positive; nothing is cut at 1.
    """
    fast = compiled.corrected(solved, R, design)
    if fast is not None:
        return Corrected(*fast)
    member = design.member
    rho = np.where(design.factor, rho_a(solved.weights, R, member), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.where(rho > 0, rho, np.nan))
        C = solved.C / (root[:, :, None] * root[:, None, :])
        stretched = solved.weights * (root / (solved.weights**2 @ member))[:, design.block]
    at = np.arange(C.shape[1])
    C[:, at, at] = solved.C[:, at, at]
    own = solved.cross[:, np.arange(design.block.size), design.block]
    paths = regressions(C, design.arrows, definite=False)
    r2 = np.where(design.arrows.any(axis=1), np.einsum("bjk,bjk->bj", paths, C), np.nan)
    loadings = np.where(design.factor[design.block], stretched, own)
    with np.errstate(invalid="ignore"):
        above, beyond = (rho > 1 + ROUNDING).any(axis=1), (np.abs(C) > 1 + ROUNDING).any(axis=(1, 2))
        heywood = ((np.abs(loadings) > 1 + ROUNDING) & design.factor[design.block]).any(axis=1)
    flags = np.asarray(above), np.asarray(beyond), is_definite(C), np.isfinite(C).all(axis=(1, 2)), np.asarray(heywood)
    return Corrected(rho, loadings, C, paths, r2, *flags)


def improper(found: Corrected) -> dict[str, Flags]:
    """What a solution of factors should not have, (b,) each; such solutions are kept and counted."""
    return {
        "negative variance": found.heywood,
        "rho_a above 1": found.above,
        "construct correlation above 1": found.finite & found.beyond,
        "construct correlations not positive definite": found.finite & ~found.definite,
    }
