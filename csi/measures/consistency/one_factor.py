"""One factor behind every scale of a stack, by minimum residuals or maximum likelihood, and what follows from it.

Letters: `k` items, `b` slices, `...` any leading axes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from csi.measures.blocks import diagonal
from csi.models.model import Model
from csi.moments.linear import solve
from csi.moments.stack import Array, Moments
from csi.moments.two_step import Flags
from csi.sem.estimator import SEM
from csi.sem.fitted import Fitted
from csi.sem.implied import matrices

ROUNDS, SETTLED = 200, 1e-12
"""Newton steps at most, and the largest change of a loading in one that counts as settled."""
IMPROPER = 1e-8
"""Error variance, as a share of the item's variance, below which a solution is not proper (a Heywood case)."""


def minres(cor: Array, start: Array | None = None) -> Array:
    """Loadings of one factor that leave the least squared residuals off the diagonal.

    min over l of sum_(i < j) (r_ij - l_i l_j)^2, by damped Newton steps on all slices at once.

    Parameters:
        cor: (b, k, k) correlations (or covariances), three items or more. start: (k,) or (b, k) to start from.

    Returns:
        (b, k), of the sign that makes their sum positive; NaN where the search does not settle.

    Source:
        Harman & Jones (1966), Psychometrika 31(3), 351-368.

    Example:
        >>> true = np.array([0.8, 0.7, 0.6])
        >>> cor = np.outer(true, true) + np.diag(1 - true**2)
        >>> minres(cor[None]).round(6).tolist()
        [[0.8, 0.7, 0.6]]
    """
    b, k = cor.shape[:2]
    sound = np.isfinite(cor).all(axis=(1, 2))
    found = np.full((b, k), np.nan)
    if k < 3 or not sound.any():
        return found
    off = cor[sound] * (1 - np.eye(k))
    loadings = _first(off) if start is None else np.array(np.broadcast_to(start, (b, k))[sound])
    done = np.zeros(len(off), dtype=bool)
    for _ in range(ROUNDS):
        at = np.flatnonzero(~done)
        step = _step(off[at], loadings[at])
        loadings[at] += step
        done[at] = np.abs(step).max(axis=1) < SETTLED * np.maximum(np.abs(loadings[at]).max(axis=1), 1e-3)
        if done.all():
            break
    loadings[~done] = np.nan
    loadings *= np.where(loadings.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    found[sound] = loadings
    return found


def _first(off: Array) -> Array:
    """(b, k) where to start: the first principal component of the correlations with communalities filled in."""
    filled = off.copy()
    at = np.arange(off.shape[1])
    filled[:, at, at] = np.abs(off).max(axis=2)
    values, vectors = np.linalg.eigh(filled)
    return np.asarray(vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1], 1e-6))[:, None])


def _residual_square(off: Array, loadings: Array) -> Array:
    """(b,) half the sum of squared residuals off the diagonal."""
    away = off - loadings[:, :, None] * loadings[:, None, :]
    at = np.arange(off.shape[1])
    away[:, at, at] = 0.0
    return np.asarray(0.5 * (away**2).sum(axis=(1, 2)))


def _step(off: Array, loadings: Array) -> Array:
    """(b, k) a Newton step that lowers the residuals: the Hessian is lifted where it is not definite, steps halved."""
    gradient, hessian = slopes(off, loadings)
    least = np.linalg.eigvalsh(hessian)[:, 0]
    k = off.shape[1]
    lift = np.where(least > 1e-6, 0.0, 1e-3 - least)
    step = -solve(hessian + lift[:, None, None] * np.eye(k), gradient[:, :, None])[:, :, 0]
    now = _residual_square(off, loadings)
    for _ in range(20):
        worse = _residual_square(off, loadings + step) > now + 1e-15
        if not worse.any():
            break
        step[worse] *= 0.5
    return step


def slopes(off: Array, loadings: Array) -> tuple[Array, Array]:
    """Gradient (b, k) and Hessian (b, k, k) of a quarter of the squared residuals off the diagonal.

    Parameters:
        off: (b, k, k) correlations with 0 on the diagonal. loadings: (b, k).

    Example:
        >>> gradient, hessian = slopes(np.array([[[0.0, 0.5], [0.5, 0.0]]]), np.array([[1.0, 0.5]]))
        >>> gradient.tolist(), hessian.tolist()
        ([[0.0, 0.0]], [[[0.25, 0.5], [0.5, 1.0]]])
    """
    squares = (loadings**2).sum(axis=1, keepdims=True) - loadings**2
    gradient = squares * loadings - np.einsum("bij,bj->bi", off, loadings)
    hessian = 2 * loadings[:, :, None] * loadings[:, None, :] - off
    at = np.arange(off.shape[1])
    hessian[:, at, at] = squares
    return gradient, hessian


def by_loadings(cor: Array, loadings: Array) -> Array:
    """(k, k, k) how minimum residual loadings move with the correlations: [i, j, l] is dl_l / dr_ij, one slice.

    Parameters:
        cor: (k, k). loadings: (k,), the solution.
    """
    k = len(loadings)
    _, hessian = slopes(cor[None] * (1 - np.eye(k)), loadings[None])
    turned = np.linalg.pinv(hessian[0])
    one = loadings[None, :, None] * turned[:, None, :]
    moved = one + one.swapaxes(0, 1)
    moved[np.arange(k), np.arange(k)] = 0.0
    return np.asarray(moved)


def maximum_likelihood(cov: Array, n: float) -> tuple[Array, Array, Flags]:
    """Loadings and error variances of one factor of variance 1 by normal theory, the scale of the items kept.

    Parameters:
        cov: (b, k, k), three items or more. n: rows behind each.

    Returns:
        (b, k), (b, k) and (b,) whether the solution is proper: converged, no error variance at or below 0.

    Source:
        Joereskog (1969), Psychometrika 34(2), 183-202; solved by `csi.SEM`.

    Example:
        >>> true = np.array([0.8, 0.7, 0.6])
        >>> loadings, errors, proper = maximum_likelihood((np.outer(true, true) + np.diag(1 - true**2))[None], 500)
        >>> loadings.round(4).tolist(), errors.round(4).tolist(), proper.tolist()
        ([[0.8, 0.7, 0.6]], [[0.36, 0.51, 0.64]], [True])
    """
    b, k = cov.shape[:2]
    loadings, errors = np.full((b, k), np.nan), np.full((b, k), np.nan)
    proper = np.zeros(b, dtype=bool)
    sound: Flags = np.asarray(np.isfinite(cov).all(axis=(1, 2)))
    sound[sound] = np.linalg.eigvalsh(cov[sound])[:, 0] > IMPROPER * diagonal(cov[sound]).max(axis=1)
    if k < 3 or not sound.any():
        return loadings, errors, proper
    names = [f"x{i}" for i in range(k)]
    some = cov[sound]
    count, cells = np.full(len(some), float(n)), pl.DataFrame({"slice": np.arange(len(some)), "n": int(n)})
    stack = replace(
        Moments.of(names, some[0], n),
        n=count,
        sum_w=count,
        sum_w2=count,
        mean=np.zeros((len(some), k)),
        cov=some,
        cells=cells,
    )
    est = SEM(std_lv=True, likelihood="wishart").solve(Model.parse(f"f =~ {' + '.join(names)}"), stack)
    fit = est.extra["sem"]
    if not isinstance(fit, Fitted):  # pragma: no cover - SEM puts nothing else there
        raise TypeError
    at = matrices(fit.layout.blocks[0], fit.flats[0], fit.theta)
    loadings[sound], errors[sound] = at.Lambda[:, :, 0], diagonal(at.Theta)
    loadings *= np.where(loadings.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    with np.errstate(invalid="ignore"):
        proper[sound] = est.convergence.converged & (errors[sound] > IMPROPER * diagonal(some)).all(axis=1)
    return loadings, errors, proper


def omega(loadings: Array, errors: Array) -> Array:
    """McDonald's omega with the implied variance of the sum: (sum l)^2 / ((sum l)^2 + sum psi).

    Parameters:
        loadings, errors: (..., k).

    Source:
        McDonald (1999), Test theory: a unified treatment, eq. 6.20b.

    Example:
        >>> omega(np.array([0.8, 0.8]), np.array([0.36, 0.36])).round(6)
        np.float64(0.780488)
    """
    common = loadings.sum(axis=-1) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(common / (common + errors.sum(axis=-1)))


def omega_standardised(loadings: Array, sd: Array) -> Array:
    """McDonald's omega of the sum of items from loadings of the standardised ones; NaN where some |l_i| exceeds 1.

    (sum_i s_i l_i)^2 / ((sum_i s_i l_i)^2 + sum_i s_i^2 (1 - l_i^2))

    Parameters:
        loadings: (..., k) of standardised items. sd: (..., k) standard deviations.

    Example:
        >>> omega_standardised(np.array([0.7, 0.7, 0.7]), np.ones(3)).round(4)
        np.float64(0.7424)
    """
    with np.errstate(invalid="ignore"):
        proper = (np.abs(loadings) <= 1).all(axis=-1)
    found = omega(sd * loadings, sd**2 * (1 - loadings**2))
    return np.asarray(np.where(proper, found, np.nan))[()]


def omega_observed(loadings: Array, cov: Array) -> Array:
    """McDonald's omega with the observed variance of the sum: (sum l)^2 / 1'V1.

    Parameters:
        loadings: (..., k). cov: (..., k, k) on their scale.

    Example:
        >>> omega_observed(np.array([0.8, 0.8]), np.array([[1.0, 0.64], [0.64, 1.0]])).round(6)
        np.float64(0.780488)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(loadings.sum(axis=-1) ** 2 / cov.sum(axis=(-2, -1)))


def maximal(loadings: Array, errors: Array) -> Array:
    """Reliability of the best weighted sum of one factor's items (H): t / (1 + t), t = sum l^2 / psi.

    Parameters:
        loadings, errors: (..., k), errors positive.

    Source:
        Hancock & Mueller (2001), Rethinking construct reliability within latent variable systems; Li (1997),
        Psychometrika 62(2), 245-249.

    Example:
        >>> maximal(np.array([0.8, 0.8]), np.array([0.36, 0.36])).round(6)
        np.float64(0.780488)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (loadings**2 / errors).sum(axis=-1)
        return np.asarray(t / (1 + t))
