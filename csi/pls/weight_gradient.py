"""How outer weights of PLS move with the item correlations: the implicit function theorem on the fixed point.

At the fixed point `w = T(w, R)`, so `dw = (I - T_w)^-1 T_R dR`. A quantity f of the weights that does not hang on the
scale of any block (such as an index) has `df = f_w' dw = sum_kl M_kl dR_kl` with

    y = (I - T_w)^-T f_w,   g_j = B_j (I - c_j w_j') y_j / lambda_j,   c_j = R_jj w_j,   v_j = lambda_j w_j

(v the weights after one round, before normalisation; B_j the identity in mode A, R_jj^-1 in mode B, diag(s^2) for items
in their own units) and, with G the g of each block in its own column, E the inner weights, L = R W, H = G' L,

    M = sym(G E W' + W K W' + W diag(t) W'),   t_j = -1/2 sum_i E_ij H_ij - 1/2 sum_k (K_jk C_jk + K_kj C_kj),

K the same gradient on the correlations C of the scores (what the inner scheme does with H), less g_j v_j' in the blocks
of mode B. One linear system of p unknowns per slice; nothing is differenced.

Letters: `p` items, `q` constructs, `b` slices, `m` quantities.

Source: Krantz & Parks (2013), The Implicit Function Theorem; Hampel et al. (1986), Robust Statistics, 2.1, for what an
influence function is. The gradient is derived here; tests hold it to numerical differentiation and to the jackknife.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.linear import inverse, solve
from csi.moments.stack import Array
from csi.pls.algorithm import Design
from csi.pls.inner import Arrows, Scheme, inner_weights

BATCH = 128
"""Slices worked on together. Results do not depend on it."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient of m quantities: by correlations, `d = sum_kl M_kl dR_kl` with M symmetric (b, m, p, p); by the
    logarithm of the items' standard deviations (b, m, p), which only weights of items in their own units hang on.
    """

    cor: Array
    log_sd: Array


@dataclass(frozen=True, slots=True)
class _Point:
    """The fixed point of b slices: R, weights in columns W (b, p, q), L = R W, C, inner weights E, v before the
    normalisation and its length (b, p), inverses of the blocks of mode B, squared units or None.
    """

    R: Array
    W: Array
    L: Array
    C: Array
    E: Array
    v: Array
    scale: Array
    regressed: dict[int, Array]
    units: Array | None


def pls_gradient(
    R: Array, weights: Array, design: Design, scheme: Scheme, slope: Array, sd: Array | None = None
) -> Gradient:
    """The gradient of quantities that hang on PLS weights, through the fixed point.

    Parameters:
        R: (b, p, p) item correlations in the order of `design.block`. weights: (b, p) converged outer weights giving
            scores of variance 1. slope: (b, m, p) derivative of each quantity by the weights; within every block
            orthogonal to them (the quantity does not hang on their scale).
        sd: (b, p) item standard deviations where mode A sees items in their own units, else None.

    Returns:
        Gradient; NaN in slices without weights.

    Example:
        >>> block, arrows = np.array([0, 0, 1]), np.array([[False, False], [True, False]])
        >>> plain = Design(block, arrows, np.zeros(2, dtype=bool), np.zeros(2, dtype=bool))
        >>> R = np.array([[[1.0, 0.0, 0.6], [0.0, 1.0, 0.8], [0.6, 0.8, 1.0]]])
        >>> slope = np.array([[[0.8, -0.6, 0.0]]])  # weights are (.6, .8): covariances with the one other item
        >>> pls_gradient(R, np.array([[0.6, 0.8, 1.0]]), plain, "factorial", slope).cor[0, 0, 2].round(6).tolist()
        [0.4, -0.3, 0.0]
    """
    found = [
        _gradient(_point(R[i], weights[i], design, scheme, None if sd is None else sd[i]), design, scheme, slope[i])
        for i in (slice(start, start + BATCH) for start in range(0, len(R), BATCH))
    ]
    return Gradient(np.concatenate([g.cor for g in found]), np.concatenate([g.log_sd for g in found]))


def component_gradient(R: Array, weights: Array, design: Design, slope: Array) -> Gradient:
    """The same for the first principal component of each block: `dw = (lambda I - R_jj)^+ dR_jj w`.

    Parameters:
        R, weights, slope: as in `pls_gradient`.

    Source: Magnus (1985), Econometric Theory 1, 179-191.

    Example:
        >>> one = Design(np.array([0, 0]), np.zeros((1, 1), dtype=bool), np.array([False]), np.array([False]))
        >>> R, w = np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.full((1, 2), 3**-0.5)
        >>> component_gradient(R, w, one, np.array([[[1.0, -1.0]]])).cor[0, 0].round(6).tolist()
        [[0.57735, 0.0], [0.0, -0.57735]]
    """
    M = np.zeros((*slope.shape, slope.shape[-1]))
    for start, stop in design.spans:
        block = R[:, start:stop, start:stop]
        if stop - start == 1 or not np.isfinite(block).any():
            continue
        usable = np.isfinite(block.sum(axis=(1, 2)))
        values, vectors = np.linalg.eigh(np.where(usable[:, None, None], block, np.eye(stop - start)))
        apart = values[:, -1:] - values[:, :-1]
        side = vectors[:, :, :-1]
        y = np.einsum("bik,bk,blk,bml->bmi", side, 1.0 / apart, side, slope[:, :, start:stop])
        part = y[:, :, :, None] * weights[:, None, None, start:stop]
        M[:, :, start:stop, start:stop] = np.where(
            usable[:, None, None, None], 0.5 * (part + part.swapaxes(2, 3)), np.nan
        )
    return Gradient(M, np.zeros_like(slope))


def _point(R: Array, w: Array, design: Design, scheme: Scheme, sd: Array | None) -> _Point:
    """Everything at the fixed point of some slices."""
    W = w[:, :, None] * design.member
    L = R @ W
    C = W.transpose(0, 2, 1) @ L
    E = inner_weights(C, design.arrows, scheme)
    regressed = {j: inverse(R[:, a:z, a:z]) for j, (a, z) in enumerate(design.spans) if design.mode_b[j] and z - a > 1}
    units = None if sd is None else np.where(design.mode_b[design.block], 1.0, sd**2)
    proxies = np.einsum("bpk,bpk->bp", L, E[:, design.block])
    v = _applied(proxies[:, None], design, regressed, units)[:, 0]
    own = L[:, np.arange(w.shape[1]), design.block]
    scale = np.add.reduceat(v * own, design.starts, axis=1)[:, design.block]
    return _Point(R, W, L, C, E, v, scale, regressed, units)


def _applied(x: Array, design: Design, regressed: dict[int, Array], units: Array | None) -> Array:
    """(b, m, p) B x: blocks of mode B by the inverse of their correlations, others by their units."""
    found = x.copy() if units is None else x * units[:, None]
    for j, inverse_ in regressed.items():
        start, stop = design.spans[j]
        found[:, :, start:stop] = x[:, :, start:stop] @ inverse_
    return found


def _gradient(at: _Point, design: Design, scheme: Scheme, slope: Array) -> Gradient:
    """Solve for y, then gather M."""
    p = slope.shape[-1]
    every = np.broadcast_to(np.eye(p), (len(at.R), p, p))
    system = every - _pulled(at, design, scheme, every)  # row i: e_i' (I - T_w), so y' system = slope'
    usable = np.isfinite(system.sum(axis=(1, 2)) + slope.sum(axis=(1, 2)))
    y = np.full(slope.shape, np.nan)
    y[usable] = np.linalg.solve(system[usable].swapaxes(1, 2), slope[usable].swapaxes(1, 2)).swapaxes(1, 2)
    turned, g = _turned(at, design, y)
    G = g[..., None] * design.member
    H = G.swapaxes(2, 3) @ at.L[:, None]
    K = _through_inner(H, at.C, at.E, design.arrows, scheme)
    both = K + K.swapaxes(2, 3)
    t = -0.5 * ((at.E[:, None] * H).sum(axis=2) + (both * at.C[:, None]).sum(axis=3))
    W, transposed = at.W[:, None], at.W[:, None].swapaxes(2, 3)
    inner = K + t[..., None] * np.eye(t.shape[-1])
    M = (G @ at.E[:, None] + W @ inner) @ transposed
    for j in at.regressed:
        start, stop = design.spans[j]
        M[:, :, start:stop, start:stop] -= g[:, :, start:stop, None] * at.v[:, None, None, start:stop]
    log_sd = np.zeros_like(slope) if at.units is None else _by_units(at, design, turned)
    return Gradient(0.5 * (M + M.swapaxes(2, 3)), log_sd)


def _turned(at: _Point, design: Design, y: Array) -> tuple[Array, Array]:
    """(b, m, p) the adjoint on v, and on the covariances before B: projected, scaled, and through B."""
    own = at.L[:, np.arange(y.shape[-1]), design.block][:, None]
    w = at.W.sum(axis=2)[:, None]
    along = np.add.reduceat(y * w, design.starts, axis=2)[:, :, design.block]
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = (y - own * along) / at.scale[:, None]
    return turned, _applied(turned, design, at.regressed, at.units)


def _by_units(at: _Point, design: Design, turned: Array) -> Array:
    """(b, m, p) by log sd: v = s^2 x, so dv = 2 v dlog s in blocks of mode A."""
    return np.where(design.mode_b[design.block], 0.0, 2.0 * at.v[:, None] * turned)


def _pulled(at: _Point, design: Design, scheme: Scheme, y: Array) -> Array:
    """(b, m, p) y' T_w, for rows y (b, m, p)."""
    _, g = _turned(at, design, y)
    G = g[..., None] * design.member
    K = _through_inner(G.swapaxes(2, 3) @ at.L[:, None], at.C, at.E, design.arrows, scheme)
    through = at.R[:, None] @ (G @ at.E[:, None]) + at.L[:, None] @ (K + K.swapaxes(2, 3))
    pulled = np.take_along_axis(through, design.block[None, None, :, None], axis=3)[..., 0]
    own = at.L[:, np.arange(y.shape[-1]), design.block][:, None]
    w = at.W.sum(axis=2)[:, None]  # a step first normalises its input: what lies along w has no effect
    along = np.add.reduceat(pulled * w, design.starts, axis=2)[:, :, design.block]
    return np.asarray(pulled - own * along)


def _through_inner(H: Array, C: Array, E: Array, arrows: Arrows, scheme: Scheme) -> Array:
    """(b, m, q, q) gradient on the score correlations of `sum_jk H_jk e_jk`.

    centroid: none; factorial: H where joined; path: H where j predicts k, and of the regression of j on its predictors
    P, with coefficients beta, h = C_PP^-1 H_jP on C_Pj and -h beta' on C_PP.
    """
    if scheme == "centroid":
        return np.zeros_like(H)
    if scheme == "factorial":
        return H * (arrows | arrows.T)
    K: Array = H * arrows.T
    for j in np.flatnonzero(arrows.any(axis=1)):
        P = np.flatnonzero(arrows[j])
        h = solve(C[:, P[:, None], P], H[:, :, j, P].swapaxes(1, 2).copy()).swapaxes(1, 2)
        K[:, :, j, P] += h
        K[:, :, P[:, None], P] -= h[..., None] * E[:, None, None, j, P]
    return K
