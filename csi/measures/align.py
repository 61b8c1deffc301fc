"""The arithmetic of alignment: factor means and variances of many groups under which few parameters differ much.

    lambda_pg = lambda0_pg / sqrt(psi_g),   nu_pg = nu0_pg - lambda_pg alpha_g
    F = sum_p sum_{g<h} w_gh [f(lambda_pg - lambda_ph) + f(nu_pg - nu_ph)],   f(x) = sqrt(sqrt(x^2 + epsilon))

Letters: `g` groups, `p` items; lambda0, nu0 are of the configural model (factors with mean 0 and variance 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from csi.moments.stack import Array

Bools = npt.NDArray[np.bool_]
STARTS = 12
"""Searches from random places besides the one from the medians."""

SOFTER = (1.0, 0.1)
"""Larger epsilons searched through first, under which the loss has fewer valleys."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A minimum.

    Attributes:
        value: F. log_sd: (g,) logarithms of the factors' standard deviations, summing to 0. alpha: (g,) factor means.
        loading, intercept: (g, p) aligned. jacobian: (4 blocks) d(log_sd, alpha, loading, intercept) by the configural
            parameters, rows g, g, g p, g p; columns loadings (g p), then intercepts (g p).
    """

    value: float
    log_sd: Array
    alpha: Array
    loading: Array
    intercept: Array
    jacobian: Array


def loss(x: Array, epsilon: float) -> tuple[Array, Array, Array]:
    """f, its first and its second derivative.

    Source: Asparouhov & Muthén (2014), Structural Equation Modeling 21(4):495-508.

    Example:
        >>> [float(v) for v in loss(np.array(0.0), 0.0001)]
        [0.1, 0.0, 500.0]
    """
    base = x * x + epsilon
    root = np.sqrt(np.sqrt(base))
    first = 0.5 * x * root / base
    second = 0.5 * root / base - 0.75 * x * x * root / base**2
    return root, first, second


def align(loading: Array, intercept: Array, n: Array, epsilon: float, fixed: int | None, seed: int = 1) -> Aligned:
    """The minimum of F over factor means and variances (product of variances 1; `fixed` has mean 0).

    Parameters:
        loading, intercept: (g, p) of the configural model. n: (g,) rows. fixed: the group whose mean is 0, None: free.
    """
    g = n.size
    weight = np.sqrt(np.outer(n, n))
    np.fill_diagonal(weight, 0.0)
    basis = _basis(g, fixed)
    best: optimize.OptimizeResult | None = None
    for start in _starts(loading, intercept, fixed, seed):
        z = basis.T @ start
        for eps in (*SOFTER, epsilon):
            found = optimize.minimize(
                lambda z, eps=eps: _reduced(basis, z, loading, intercept, weight, eps),
                z, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-9},
            )  # fmt: skip
            z = found.x
        if best is None or found.fun < best.fun - 1e-9 * abs(best.fun):
            best = found
    at = basis @ (np.zeros(basis.shape[1]) if best is None else best.x)
    at = _polished(basis, at, loading, intercept, weight, epsilon)
    s, a = at[:g], at[g:]
    lam = loading * np.exp(-s)[:, None]
    nu = intercept - lam * a[:, None]
    value = _value(at, loading, intercept, weight, epsilon)[0]
    return Aligned(value, s, a, lam, nu, _jacobian(basis, at, loading, intercept, weight, epsilon))


def _basis(g: int, fixed: int | None) -> Array:
    """(2g, r) directions in which log standard deviations sum to 0 and the fixed mean stays 0."""
    ones = np.ones((g, 1)) / np.sqrt(g)
    left = np.linalg.svd(ones, full_matrices=True)[0][:, 1:]
    means = np.eye(g) if fixed is None else np.delete(np.eye(g), fixed, axis=1)
    out = np.zeros((2 * g, left.shape[1] + means.shape[1]))
    out[:g, : left.shape[1]] = left
    out[g:, left.shape[1] :] = means
    return out


def _starts(loading: Array, intercept: Array, fixed: int | None, seed: int) -> list[Array]:
    """Medians over items of what each says of the factor's spread and mean, then places around them."""
    s = np.log(np.maximum(np.median(loading / np.median(loading, axis=0), axis=1), 0.05))
    s -= s.mean()
    lam = np.median(loading * np.exp(-s)[:, None], axis=0)
    a = np.median((intercept - np.median(intercept, axis=0)) / lam, axis=1)
    a = a - (0.0 if fixed is None else a[fixed])
    first = np.concatenate([s, a])
    rng = np.random.default_rng(seed)
    size = np.concatenate([np.full(s.size, 0.2), np.full(s.size, 0.3)])
    return [first, *(first + size * rng.standard_normal(first.size) for _ in range(STARTS))]


def _value(at: Array, loading: Array, intercept: Array, weight: Array, epsilon: float) -> tuple[float, Array]:
    """F and its gradient by (log_sd, alpha)."""
    g = loading.shape[0]
    s, a = at[:g], at[g:]
    lam = loading * np.exp(-s)[:, None]
    nu = intercept - lam * a[:, None]
    total, gradients = 0.0, []
    for x in (lam, nu):
        f, first, _ = loss(x[:, None, :] - x[None, :, :], epsilon)
        total += 0.5 * float(np.einsum("gh,ghp->", weight, f))
        gradients.append(np.einsum("gh,ghp->gp", weight, first))
    by_lam, by_nu = gradients
    by_s = (-by_lam * lam + by_nu * lam * a[:, None]).sum(axis=1)
    return total, np.concatenate([by_s, -(by_nu * lam).sum(axis=1)])


def _reduced(
    basis: Array, z: Array, loading: Array, intercept: Array, weight: Array, epsilon: float
) -> tuple[float, Array]:
    value, gradient = _value(basis @ z, loading, intercept, weight, epsilon)
    return value, basis.T @ gradient


def _curvature(at: Array, loading: Array, intercept: Array, weight: Array, epsilon: float) -> tuple[Array, Array]:
    """(2g, 2g) second derivatives of F by (log_sd, alpha), and (2g, 2gp) those by it and the configural parameters."""
    g, p = loading.shape
    s, a = at[:g], at[g:]
    shrink = np.exp(-s)
    lam = loading * shrink[:, None]
    nu = intercept - lam * a[:, None]
    (by_lam, in_lam), (by_nu, in_nu) = (_pairwise(x, weight, epsilon) for x in (lam, nu))
    la = lam * a[:, None]
    H, C = np.zeros((2 * g, 2 * g)), np.zeros((2 * g, 2, g, p))
    each = np.arange(g)
    H[:g, :g] = np.einsum("gp,hp,pgh->gh", lam, lam, in_lam) + np.einsum("gp,hp,pgh->gh", la, la, in_nu)
    H[each, each] += (by_lam * lam - by_nu * la).sum(axis=1)
    H[:g, g:] = -np.einsum("gp,hp,pgh->gh", la, lam, in_nu)
    H[each, g + each] += (by_nu * lam).sum(axis=1)
    H[g:, :g] = H[:g, g:].T
    H[g:, g:] = np.einsum("gp,hp,pgh->gh", lam, lam, in_nu)
    in_lam_, in_nu_ = np.moveaxis(in_lam, 0, -1), np.moveaxis(in_nu, 0, -1)  # (g, h, p)
    C[:g, 0] = -lam[:, None] * in_lam_ * shrink[None, :, None] - la[:, None] * in_nu_ * (a * shrink)[None, :, None]
    C[each, 0, each] += (-by_lam + by_nu * a[:, None]) * shrink[:, None]
    C[:g, 1] = la[:, None] * in_nu_
    C[g:, 0] = lam[:, None] * in_nu_ * (a * shrink)[None, :, None]
    C[g + each, 0, each] -= by_nu * shrink[:, None]
    C[g:, 1] = -lam[:, None] * in_nu_
    return H, C.reshape(2 * g, 2 * g * p)


def _pairwise(x: Array, weight: Array, epsilon: float) -> tuple[Array, Array]:
    """(g, p) first and (p, g, g) second derivatives of the loss of all pairs by the values."""
    _, first, second = loss(x[:, None, :] - x[None, :, :], epsilon)
    w2 = np.moveaxis(weight[:, :, None] * second, -1, 0)
    out = -w2
    each = np.arange(x.shape[0])
    out[:, each, each] += w2.sum(axis=2)
    return np.einsum("gh,ghp->gp", weight, first), out


def _polished(basis: Array, at: Array, loading: Array, intercept: Array, weight: Array, epsilon: float) -> Array:
    """Newton steps to the bottom, while they go down."""
    for _ in range(20):
        value, gradient = _value(at, loading, intercept, weight, epsilon)
        slope = basis.T @ gradient
        if np.abs(slope).max() < 1e-10 * max(abs(value), 1.0):
            break
        H, _ = _curvature(at, loading, intercept, weight, epsilon)
        step = basis @ np.linalg.lstsq(basis.T @ H @ basis, slope, rcond=None)[0]
        if _value(at - step, loading, intercept, weight, epsilon)[0] > value + 1e-12 * abs(value):
            break
        at = at - step
    return at


def _jacobian(basis: Array, at: Array, loading: Array, intercept: Array, weight: Array, epsilon: float) -> Array:
    """Implicit derivatives of the minimum, and of what is made of it, by the configural parameters."""
    g, p = loading.shape
    H, C = _curvature(at, loading, intercept, weight, epsilon)
    moved = -basis @ np.linalg.lstsq(basis.T @ H @ basis, basis.T @ C, rcond=None)[0]
    s, a = at[:g], at[g:]
    shrink = np.repeat(np.exp(-s), p)
    lam = loading * np.exp(-s)[:, None]
    by_s, by_a = np.repeat(moved[:g], p, axis=0), np.repeat(moved[g:], p, axis=0)
    flat, means = lam.ravel(), np.repeat(a, p)
    d_lam = -flat[:, None] * by_s
    d_lam[:, : g * p] += np.diag(shrink)
    d_nu = -means[:, None] * d_lam - flat[:, None] * by_a
    d_nu[:, g * p :] += np.eye(g * p)
    return np.concatenate([moved, d_lam, d_nu])


def invariant_set(values: Array, covariance: Array, connect: float = 0.01, keep: float = 0.001) -> Bools:
    """(g,) the groups whose parameter does not differ from the average of the set.

    Two groups are connected where their difference has p > `connect`; the largest connected set is the start. Then
    groups leave whose parameter differs from the set's average at p < `keep`, and groups enter that do not, until
    nothing changes.

    Source:
        Asparouhov & Muthén (2014), Structural Equation Modeling 21(4):495-508.

    Example:
        >>> invariant_set(np.array([0.0, 0.1, -0.1, 2.0]), 0.01 * np.eye(4)).tolist()
        [True, True, True, False]
    """
    g = values.size
    variance = np.diagonal(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 1e-300))
    linked = 2.0 * special.ndtr(-np.abs(values[:, None] - values[None, :]) / spread) > connect
    np.fill_diagonal(linked, val=True)
    inside = _component(linked)
    for _ in range(4 * g):
        share = inside / inside.sum()
        contrasts = np.eye(g) - share[None, :]
        error = np.sqrt(np.maximum(np.einsum("ga,ab,gb->g", contrasts, covariance, contrasts), 1e-300))
        p = 2.0 * special.ndtr(-np.abs(contrasts @ values) / error)
        now = p >= keep
        if (now == inside).all() or not now.any():
            break
        inside = now
    return inside


def _component(linked: Bools) -> Bools:
    """The largest connected set of groups."""
    left, best = set(range(linked.shape[0])), np.zeros(linked.shape[0], dtype=np.bool_)
    while left:
        reached, edge = set(), {left.pop()}
        while edge:
            reached |= edge
            edge = {int(j) for i in edge for j in np.flatnonzero(linked[i])} - reached
        left -= reached
        if len(reached) > best.sum():
            best = np.isin(np.arange(linked.shape[0]), list(reached))
    return best
