"""Normal-theory discrepancies (ML, GLS, ULS) of a stack: value, gradient and expected Hessian in one pass.

    ML   F = log|Sigma| + tr(Sigma^-1 T) - log|S| - p,  T = S + d d',  d = m - mu
    GLS  F = tr[(W (S - Sigma))^2] / 2 + d' W d,  W = S^-1           ULS  the same with W = I

With G = K' W K the expected Hessian has the entries 2 s s' (G_uu' G_vv' + G_uv' G_vu') + 2 c c' G_uu', and the gradient
2 s (K' Q K)_uv - 2 c (K' W d)_u with Q = W - W T W (ML), -W (S - Sigma) W (GLS, ULS). No p x p matrix per parameter.

Source:
    Browne (1974), South African Statistical Journal 8; Bollen (1989), app. 4A, 4B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.moments.stack import Array
from csi.sem.compiled import determined, inverted
from csi.sem.implied import Implied, Values
from csi.sem.layout import Block, Pairs
from csi.sem.optimise import level

Fitting = Literal["ML", "GLS", "ULS"]

UNLIKE = 1e6
"""Diagonal elements of a matrix that differ by more than this are brought to one scale before it is inverted."""


@dataclass(frozen=True, slots=True)
class Target:
    """What one group's moments are, ready for fitting.

    Attributes:
        cov: (b, p, p) with the divisor of the likelihood. mean: (b, p). constant: (b,) log|S| + p.
        weight: (b, p, p) S^-1 (GLS), identity (ULS), None (ML).
    """

    cov: Array
    mean: Array
    constant: Array
    weight: Array | None


@dataclass(frozen=True, slots=True)
class Terms:
    """Value (b,), gradient (b, e) and expected Hessian (b, e, e) of one group's F, by its entries."""

    value: Array
    gradient: Array
    hessian: Array


def target_of(cov: Array, mean: Array, fitting: Fitting) -> Target:
    """Sample moments ready for fitting; log|S| is -inf where S is singular."""
    known = determined(cov)
    if known is None:
        sign, logdet = np.linalg.slogdet(cov)
        logdet = np.where(sign > 0, logdet, -np.inf)
    else:
        logdet = known[0]
    p = cov.shape[1]
    weight: Array | None = None
    if fitting == "GLS":
        weight = np.asarray(np.linalg.inv(cov))
    elif fitting == "ULS":
        weight = np.asarray(np.broadcast_to(np.eye(p), cov.shape))
    return Target(cov, mean, logdet + p, weight)


def discrepancy(target: Target, at: Implied, *, means: bool) -> tuple[Array, Values, Values]:
    """F (b,), the weight W (b, p, p) and Q (b, p, p) of the gradient; F is inf where Sigma is not positive definite."""
    T = target.cov
    d = target.mean - at.mu
    if target.weight is not None:
        W, R = target.weight, target.cov - at.Sigma
        WR = W @ R
        value = 0.5 * np.einsum("bij,bji->b", WR, WR)
        if means:
            value = value + np.einsum("bi,bij,bj->b", d, W, d)
        return value, W, -WR @ W
    if means:
        T = T + d[:, :, None] * d[:, None, :]
    logdet = log_determinant(at.Sigma)
    W = inverse(np.where(np.isfinite(logdet)[:, None, None], at.Sigma, np.eye(T.shape[1])))
    WT = W @ T
    value = logdet + np.einsum("bii->b", WT) - target.constant
    return np.where(np.isnan(value), np.inf, value), W, W - WT @ W


def inverse(stack: Array) -> Array:
    """Inverses of a stack of symmetric matrices; NaN where one is singular.

    Matrices whose rows differ widely in their units are brought to one scale first, by powers of 2 (exactly).

    Example:
        >>> W = inverse(np.array([[[1e-24, 3e-13], [3e-13, 1.0]]]))[0]
        >>> (W * [[1e-24, 1e-12], [1e-12, 1.0]]).round(6).tolist()
        [[1.098901, -0.32967], [-0.32967, 1.098901]]
    """
    own = np.abs(np.diagonal(stack, axis1=1, axis2=2))
    wide = own.max(axis=1, initial=0.0) > UNLIKE * own.min(axis=1, initial=np.inf)
    if not wide.any():
        return _inverse(stack)
    scale = np.where(wide[:, None], level(stack), 1.0)
    both = scale[:, :, None] * scale[:, None, :]
    return np.asarray(both * _inverse(both * stack))


def informed(H: Array) -> Array:
    """Inverse of the information of saturated moments; 0 for those that no row informs (of pairs never together).

    Where moments that are informed cannot be told apart, the generalised inverse of Moore and Penrose.

    Example:
        >>> informed(np.array([[4.0, 0.0], [0.0, 0.0]])).tolist()
        [[0.25, 0.0], [0.0, 0.0]]
    """
    known = np.diagonal(H) != 0
    inside = np.ix_(known, known)
    out = np.zeros_like(H)
    try:
        out[inside] = np.linalg.inv(H[inside])
    except np.linalg.LinAlgError:
        out[inside] = np.linalg.pinv(H[inside], hermitian=True)
    return out


def _inverse(stack: Array) -> Array:
    """Inverses as they come; NaN where a matrix is singular."""
    definite = inverted(stack)
    if definite is not None:
        return definite
    try:
        return np.asarray(np.linalg.inv(stack), dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(stack) == 1:
            return np.full_like(stack, np.nan)
        return np.concatenate([_inverse(part) for part in np.array_split(stack, min(len(stack), 4))])


def log_determinant(Sigma: Array) -> Array:
    """(b,) log|Sigma|, inf where it is not positive definite."""
    try:
        factor = np.linalg.cholesky(Sigma)
    except np.linalg.LinAlgError:
        if len(Sigma) == 1:
            return np.array([np.inf])
        return np.concatenate([log_determinant(one) for one in np.array_split(Sigma, min(len(Sigma), 4))])
    return np.asarray(2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1))


def terms(
    block: Block,
    pairs: Pairs,
    target: Target,
    at: Implied,
    *,
    means: bool,
    exact: bool = False,
    curved: bool = True,
) -> Terms:
    """Value, gradient and Hessian (expected, or exact) of one group.

    `curved` False leaves out second derivatives of the moments (the unrestricted model's observed information).
    """
    value, W, Q = discrepancy(target, at, means=means)
    d = target.mean - at.mu if means else None
    flat = (len(at.K), at.K.shape[2] ** 2)
    Kt = at.K.swapaxes(1, 2)
    WK = W @ at.K
    X = (Kt @ (Q @ at.K)).reshape(flat)
    G = (Kt @ WK).reshape(flat)
    h = None if d is None else (WK.swapaxes(1, 2) @ d[:, :, None])[:, :, 0]
    slope = _slope(block, at, X, h)
    if not exact:
        return Terms(value, slope, _expected(block, pairs, at, G, h))
    N = coupling(block, at).swapaxes(1, 2).reshape(flat) if curved else np.zeros(flat)
    H = _exact(block, pairs, at, G, X, N if target.weight is not None else N - G, h)
    if h is not None:
        H += mean_curvature(block, pairs, at, h) if curved else 0.0
        H += crossed(block, pairs, at, G, h) if target.weight is None else 0.0
    return Terms(value, slope, H)


def _expected(block: Block, pairs: Pairs, at: Implied, G: Array, h: Array | None) -> Array:
    """2 tr(dSigma W dSigma' W) / 2 + 2 dmu' W dmu' for every pair of entries."""
    uu, vv, uv, vu = (G.take(index, axis=1) for index in (pairs.uu, pairs.vv, pairs.uv, pairs.vu))
    uu2 = uu * vv
    uv *= vu
    uu2 += uv
    return _mirrored(block, pairs, at, uu2, uu, h)


def _exact(block: Block, pairs: Pairs, at: Implied, G: Array, X: Array, N: Array, h: Array | None) -> Array:
    """The exact Hessian but for means.

    With N = R' - G (ML) or R' (fixed weights), R of `coupling`:

    2 s s' (G_uu G_vv + G_uv G_vu + X_vv N_uu + X_uu N_vv + X_vu N_uv + X_uv N_vu).
    """
    uu, vv, uv, vu = pairs.uu, pairs.vv, pairs.uv, pairs.vu
    first = G.take(uu, axis=1)
    sum_ = first * G.take(vv, axis=1)
    for left, i, right, j in ((G, uv, G, vu), (X, vv, N, uu), (X, uu, N, vv), (X, vu, N, uv), (X, uv, N, vu)):
        part = left.take(i, axis=1)
        part *= right.take(j, axis=1)
        sum_ += part
    return _mirrored(block, pairs, at, sum_, first, h)


def _mirrored(block: Block, pairs: Pairs, at: Implied, upper: Array, uu: Array, h: Array | None) -> Array:
    """(b, e, e) from the upper triangle of its pairs, scaled, with what means add."""
    upper *= pairs.ss
    if h is not None:
        k = at.reach[:, block.entries.c]
        upper += 2 * k[:, pairs.row] * k[:, pairs.column] * uu
    return np.asarray(upper.take(pairs.square, axis=1))


def mean_curvature(block: Block, pairs: Pairs, at: Implied, h: Array) -> Array:
    """-2 d' W d2mu for every pair of entries."""
    e = block.entries
    R = coupling(block, at).reshape(len(h), -1)
    c = at.reach[:, e.c]
    vu, uu = R[:, pairs.all_vu], R[:, pairs.all_uu]
    moved = e.s * (h[:, None, e.u] * vu.transpose(0, 2, 1) + h[:, None, e.v] * uu.transpose(0, 2, 1))
    level = reach_slopes(block, at)[:, e.c][:, :, e.u] * c[:, None, :] * h[:, e.u, None]
    return np.asarray(-2 * (c[:, :, None] * moved + level))


def curvature(block: Block, pairs: Pairs, at: Implied, X: Array, h: Array) -> Array:
    """tr(Q d2Sigma) - 2 d' W d2mu: what the second derivatives of the moments add to a Hessian.

    dK_w/dtheta_l = s_l (K_u R_vw + K_v R_uw), with R made of A and Phi.

    Parameters:
        X: (b, c c) K' Q K. h: (b, c) K' W d.
    """
    flat = X.shape
    N = coupling(block, at).swapaxes(1, 2).reshape(flat)
    return _exact(block, pairs, at, np.zeros(flat), X, N, None) + mean_curvature(block, pairs, at, h)


def crossed(block: Block, pairs: Pairs, at: Implied, G: Array, h: Array) -> Array:
    """2 dmu' W dSigma' W d and its transpose."""
    e = block.entries
    c = at.reach[:, e.c][:, :, None]
    half = 2 * c * e.s * (G[:, pairs.all_uu] * h[:, None, e.v] + G[:, pairs.all_uv] * h[:, None, e.u])
    return np.asarray(half + half.swapaxes(1, 2))


def coupling(block: Block, at: Implied) -> Array:
    """(b, c, c) R: how the columns of K move with the parameters."""
    b, p, c = at.K.shape
    m = len(block.latent)
    R = np.zeros((b, c, c), dtype=at.K.dtype)
    R[:, p : p + m, p + m :] = at.A.swapaxes(1, 2)
    R[:, p + m :, p : p + m] = at.A
    R[:, p + m :, p + m :] = at.Phi
    return R


def reach_slopes(block: Block, at: Implied) -> Array:
    """(b, m + 2, c) derivatives of [A alpha, 1, 0] by a unit mean step along column u of K."""
    b, p, c = at.K.shape
    m = len(block.latent)
    out = np.zeros((b, m + 2, c), dtype=at.K.dtype)
    out[:, :m, p : p + m] = at.A
    return out


def _slope(block: Block, at: Implied, X: Array, h: Array | None) -> Array:
    """(b, e) gradient from X = K' Q K (flat) and h = K' W d."""
    e = block.entries
    c = at.K.shape[2]
    slope: Array = 2 * e.s * X[:, e.u * c + e.v]
    return slope if h is None else slope - 2 * at.reach[:, e.c] * h[:, e.u]
