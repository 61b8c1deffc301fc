"""Common factors of a stack of correlation matrices: minimum residuals, maximum likelihood, principal axes.

Letters: `b` matrices, `p` items, `m` factors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array

Method = Literal["minres", "ml", "pa"]
Flags = npt.NDArray[np.bool_]

LEAST = 0.005
"""The least uniqueness: a solution that reaches it is a Heywood case."""

STEPS = 200
"""Newton steps after which a matrix counts as not converged."""

SETTLED = 1e-8
"""A search ends where no free slope is larger than this."""

CUSTOMARY = 1e-3
"""Principal axes stop where the sum of the communalities moves by less than this."""

ROUNDS = 50
"""Principal axes stop after this many rounds."""

Curve = tuple[Array, Array, Array, Array]
"""Value (b,), slope (b, p), exact curvature (b, p, p) and a curvature that is never negative (b, p, p)."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """Unrotated factors of a stack.

    Attributes:
        loadings: (b, p, m), factors by the variance they account for, each with a positive sum.
        uniqueness: (b, p). objective: (b,) what the method made least. converged: (b,).
        heywood: (b, p) uniqueness at its bound, `LEAST`. iterations: rounds of the slowest matrix.
    """

    loadings: Array
    uniqueness: Array
    objective: Array
    converged: Flags
    heywood: Flags
    iterations: int


def extract(R: Array, m: int, method: Method = "minres") -> Extracted:
    """Common factors of every matrix of a stack.

    Parameters:
        R: (b, p, p) correlations. m: how many factors, from 1 to p - 1. method: "minres", "ml" or "pa".

    Returns:
        An `Extracted`; not converged and NaN where a matrix has absent entries, or under "ml" is not positive definite.

    Example:
        >>> R = np.array([[[1.0, 0.72, 0.63], [0.72, 1.0, 0.56], [0.63, 0.56, 1.0]]])
        >>> extract(R, 1).loadings[0, :, 0].round(6).tolist()
        [0.9, 0.8, 0.7]
    """
    known: Flags = np.asarray(np.isfinite(R).all(axis=(1, 2)))
    if method == "ml":
        known[known] = np.linalg.eigvalsh(R[known])[:, 0] > 1e-10
    b, p, _ = R.shape
    result = Extracted(
        np.full((b, p, m), np.nan),
        np.full((b, p), np.nan),
        np.full(b, np.nan),
        np.zeros(b, dtype=bool),
        np.zeros((b, p), dtype=bool),
        0,
    )
    if not known.any():
        return result
    found = {"minres": minres, "ml": maximum_likelihood, "pa": principal_axis}[method](R[known], m)
    if known.all():
        return found
    for name in ("loadings", "uniqueness", "objective", "converged", "heywood"):
        getattr(result, name)[known] = getattr(found, name)
    return Extracted(
        result.loadings, result.uniqueness, result.objective, result.converged, result.heywood, found.iterations
    )


def squared_multiple(R: Array) -> Array:
    """Squared multiple correlation of every item with all others, a first guess of its communality.

    smc_i = 1 - 1 / (R^-1)_ii; the largest squared correlation of the item where R is singular.

    Parameters:
        R: (b, p, p).

    Returns:
        (b, p) from 0 to 1.

    Source: Guttman (1956), Psychometrika 21, 273-285.

    Example:
        >>> squared_multiple(np.array([[[1.0, 0.5], [0.5, 1.0]]])).round(6).tolist()
        [[0.25, 0.25]]
    """
    sound = np.linalg.eigvalsh(R)[:, 0] > 1e-8
    p = R.shape[1]
    largest = np.max(np.abs(np.where(np.eye(p, dtype=bool), 0.0, R)), axis=2) ** 2
    inverse = np.linalg.inv(np.where(sound[:, None, None], R, np.eye(p)))
    exact = 1 - 1 / np.diagonal(inverse, axis1=1, axis2=2)
    return np.asarray(np.clip(np.where(sound[:, None], exact, largest), 0.0, 1.0))


def minres(R: Array, m: int) -> Extracted:
    """Factors that leave the least squares of residual correlations.

    min over psi of sum_(j > m) gamma_j^2 / 2, gamma the eigenvalues of R - Psi; at the minimum the residuals of the
    diagonal vanish, so it is also the minimum over the residuals beside it (unweighted least squares).

    Parameters:
        R: (b, p, p); singular or indefinite ones are allowed. m: how many factors.

    Source: Harman & Jones (1966), Psychometrika 31, 351-368; Harman & Fukuda (1966), 31, 563-571; Joreskog (1977) for
        the curvature.

    Example:
        >>> R = np.full((1, 4, 4), 0.25) + 0.75 * np.eye(4)
        >>> minres(R, 1).uniqueness.round(6).tolist()
        [[0.75, 0.75, 0.75, 0.75]]
    """
    p = R.shape[1]

    def curve(psi: Array, which: npt.NDArray[np.int64]) -> Curve:
        reduced = R[which] - psi[:, None, :] * np.eye(p)
        values, vectors = np.linalg.eigh(reduced)
        rest, top = values[:, : p - m], values[:, p - m :]
        W, V = vectors[:, :, : p - m], vectors[:, :, p - m :]
        value = 0.5 * (rest * rest).sum(axis=1)
        slope = -np.einsum("bij,bj->bi", W * W, rest)
        share = np.matmul(W, W.swapaxes(1, 2))
        safe = share * share
        gap = rest[:, :, None] - top[:, None, :]
        ratio = rest[:, :, None] / np.where(np.abs(gap) > 1e-12, gap, -1e-12)
        return value, slope, safe + 2 * _mixed(W, V, ratio), safe

    start = np.clip(1 - squared_multiple(R), LEAST, 1.0)
    psi, converged, rounds = _least(curve, start, LEAST, 1.0)
    values, vectors = np.linalg.eigh(R - psi[:, None, :] * np.eye(p))
    loadings = vectors[:, :, p - m :] * np.sqrt(np.maximum(values[:, None, p - m :], 0.0))
    return _extracted(loadings, psi, 0.5 * (values[:, : p - m] ** 2).sum(axis=1), converged, rounds)


def maximum_likelihood(R: Array, m: int) -> Extracted:
    """Factors under which the correlations are most likely, answers being normal.

    min over log psi of sum_(j > m) (lambda_j - log lambda_j - 1), lambda the eigenvalues of Psi^-1/2 R Psi^-1/2, which
    is log|Sigma| - log|R| + tr(R Sigma^-1) - p.

    Parameters:
        R: (b, p, p), positive definite. m: how many factors.

    Source: Joreskog (1967), Psychometrika 32, 443-482; Clarke (1970), British Journal of Mathematical and Statistical
        Psychology 23, 43-52, for the exact curvature.

    Example:
        >>> R = np.full((1, 4, 4), 0.25) + 0.75 * np.eye(4)
        >>> maximum_likelihood(R, 1).uniqueness.round(6).tolist()
        [[0.75, 0.75, 0.75, 0.75]]
    """
    p = R.shape[1]

    def curve(theta: Array, which: npt.NDArray[np.int64]) -> Curve:
        values, vectors = _scaled(R[which], theta)
        rest, top = values[:, : p - m], values[:, p - m :]
        W, V = vectors[:, :, : p - m], vectors[:, :, p - m :]
        value = (rest - np.log(rest) - 1).sum(axis=1)
        slope = np.einsum("bij,bj->bi", W * W, 1 - rest)
        share = np.matmul(W, W.swapaxes(1, 2))
        exact = share * np.matmul(W * rest[:, None, :], W.swapaxes(1, 2))
        gap = rest[:, :, None] - top[:, None, :]
        ratio = (rest[:, :, None] - 1) * (rest[:, :, None] + top[:, None, :]) / np.where(gap < -1e-12, gap, -1e-12)
        return value, slope, exact + _mixed(W, V, ratio), share * share

    start = np.log(np.clip((1 - squared_multiple(R)) * (1 - 0.5 * m / p), LEAST, 1.0))
    theta, converged, rounds = _least(curve, start, np.log(LEAST), 0.0)
    values, vectors = _scaled(R, theta)
    top = np.sqrt(np.maximum(values[:, None, p - m :] - 1, 0.0))
    loadings = vectors[:, :, p - m :] * top * np.exp(0.5 * theta)[:, :, None]
    rest = values[:, : p - m]
    return _extracted(loadings, np.exp(theta), (rest - np.log(rest) - 1).sum(axis=1), converged, rounds)


def _scaled(R: Array, theta: Array) -> tuple[Array, Array]:
    """Eigenvalues (b, p), least first, and vectors of Psi^-1/2 R Psi^-1/2 with psi = exp(theta)."""
    scale = np.exp(-0.5 * theta)
    values, vectors = np.linalg.eigh(R * scale[:, :, None] * scale[:, None, :])
    return np.maximum(values, 1e-300), vectors


def _mixed(W: Array, V: Array, ratio: Array) -> Array:
    """sum_jl ratio_jl w_ij w_kj v_il v_kl: (b, p, p) from W (b, p, j), V (b, p, l) and ratio (b, j, l)."""
    total = np.zeros((W.shape[0], W.shape[1], W.shape[1]))
    for number in range(V.shape[2]):
        v = V[:, :, number]
        total += np.matmul(W * ratio[:, None, :, number], W.swapaxes(1, 2)) * (v[:, :, None] * v[:, None, :])
    return total


def principal_axis(R: Array, m: int, tolerance: float = CUSTOMARY, rounds: int = ROUNDS) -> Extracted:
    """Iterated principal axes: the first m of R with the communalities of the last round in its diagonal.

    Carried on, they reach the solution of `minres`; the custom is to stop early.

    Parameters:
        R: (b, p, p). m: how many factors. tolerance: of the sum of the communalities. rounds: the most.

    Source: Thurstone (1947), Multiple-factor analysis; the stop is that of R's psych (Revelle), documented there.

    Example:
        >>> R = np.full((1, 4, 4), 0.25) + 0.75 * np.eye(4)
        >>> principal_axis(R, 1, tolerance=1e-12, rounds=500).uniqueness.round(6).tolist()
        [[0.75, 0.75, 0.75, 0.75]]
    """
    p = R.shape[1]
    communality = squared_multiple(R)
    loadings = np.zeros((R.shape[0], p, m))
    moving, used = np.arange(R.shape[0]), 0
    while moving.size and used < rounds:
        used += 1
        reduced = R[moving] - (1 - communality[moving])[:, None, :] * np.eye(p)
        values, vectors = np.linalg.eigh(reduced)
        loadings[moving] = vectors[:, :, p - m :] * np.sqrt(np.maximum(values[:, None, p - m :], 0.0))
        new = (loadings[moving] ** 2).sum(axis=2)
        change = np.abs(new.sum(axis=1) - communality[moving].sum(axis=1))
        communality[moving] = new
        moving = moving[change >= tolerance]
    converged = np.ones(R.shape[0], dtype=bool)
    converged[moving] = False
    residual = (R - np.matmul(loadings, loadings.swapaxes(1, 2))) * (1 - np.eye(p))
    return _extracted(loadings, 1 - communality, 0.5 * (residual**2).sum(axis=(1, 2)), converged, used)


def _extracted(loadings: Array, psi: Array, objective: Array, converged: Flags, rounds: int) -> Extracted:
    """Largest factor first, each pointing where most of its loadings point."""
    turned = loadings[:, :, ::-1]
    sign = np.where(turned.sum(axis=1) < 0, -1.0, 1.0)
    return Extracted(turned * sign[:, None, :], psi, objective, converged, psi <= LEAST * (1 + 1e-6), rounds)


def _least(
    curve: Callable[[Array, npt.NDArray[np.int64]], Curve], start: Array, low: float, high: float
) -> tuple[Array, Flags, int]:
    """Where many functions of p bounded variables are least: damped Newton with the bounds held.

    Parameters:
        curve: (x of those still moving, their numbers) to a `Curve`. start: (b, p). low, high: bounds.

    Returns:
        x (b, p), converged (b,), rounds.
    """
    x = start.copy()
    moving = np.arange(x.shape[0])
    damping = np.zeros(moving.size)
    now = curve(x, moving)
    rounds = 0
    while rounds < STEPS:
        rounds += 1
        here = x[moving]
        fixed = ((here <= low) & (now[1] > 0)) | ((here >= high) & (now[1] < 0))
        open_ = np.abs(np.where(fixed, 0.0, now[1])).max(axis=1) > SETTLED
        moving, damping, fixed, here = moving[open_], damping[open_], fixed[open_], here[open_]
        now = (now[0][open_], now[1][open_], now[2][open_], now[3][open_])
        if moving.size == 0:
            break
        step = _step(now, fixed, damping)
        tried = np.clip(here + step, low, high)
        new = curve(tried, moving)
        better = new[0] <= now[0] + 1e-14 * np.abs(now[0])
        x[moving] = np.where(better[:, None], tried, here)
        damping = np.where(better, np.where(damping > 1e-6, damping / 10, 0.0), np.maximum(10 * damping, 1e-3))
        now = _chosen(better, new, now)
        stuck = damping > 1e12
        moving, damping = moving[~stuck], damping[~stuck]
        now = (now[0][~stuck], now[1][~stuck], now[2][~stuck], now[3][~stuck])
    last = curve(x, np.arange(x.shape[0]))[1]
    held = ((x <= low) & (last > 0)) | ((x >= high) & (last < 0))
    return x, np.asarray(np.abs(np.where(held, 0.0, last)).max(axis=1) < 1e3 * SETTLED), rounds


def _chosen(better: Flags, new: Curve, old: Curve) -> Curve:
    wide, square = better[:, None], better[:, None, None]
    return (
        np.where(better, new[0], old[0]),
        np.where(wide, new[1], old[1]),
        np.where(square, new[2], old[2]),
        np.where(square, new[3], old[3]),
    )


def _step(now: Curve, fixed: Flags, damping: Array) -> Array:
    """(b, p) Newton's step by the exact curvature where it leads down, else by the one that is never negative."""
    _, slope, exact, safe = now
    p = slope.shape[1]
    down = -np.where(fixed, 0.0, slope)
    both = fixed[:, :, None] | fixed[:, None, :]
    solved = []
    for H, ridge in ((exact, 0.0), (safe, 1e-8)):
        size = np.diagonal(safe, axis1=1, axis2=2).mean(axis=1)
        lift = (damping + ridge) * size
        held = np.where(both, 0.0, H) + (np.where(fixed, 1.0, 0.0) + lift[:, None])[:, None, :] * np.eye(p)
        solved.append(_solved(held, down))
    leads = ((solved[0] * down).sum(axis=1, keepdims=True) > 0) & np.isfinite(solved[0]).all(axis=1, keepdims=True)
    return np.where(leads, solved[0], solved[1])


def _solved(H: Array, g: Array) -> Array:
    """(b, p) H^-1 g; g itself where H is singular."""
    try:
        return np.asarray(np.linalg.solve(H, g[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        sound = np.flatnonzero(np.abs(np.linalg.det(H)) > 0)
        result = g.copy()
        result[sound] = np.linalg.solve(H[sound], g[sound][:, :, None])[:, :, 0]
        return result
