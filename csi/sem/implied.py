"""Matrices from parameters, and the moments they imply. Everything has a leading slice axis and is analytic, so that
complex numbers may run through it (complex-step derivatives).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array
from csi.sem.layout import Block

Values = npt.NDArray[Any]
"""float64, or complex128 where derivatives are taken by complex steps."""


@dataclass(frozen=True, slots=True)
class Matrices:
    """The matrices of one group: Lambda (b, p, m), Theta (b, p, p), Psi and Beta (b, m, m), nu (b, p), alpha (b, m)."""

    Lambda: Values
    Theta: Values
    Psi: Values
    Beta: Values
    nu: Values
    alpha: Values


@dataclass(frozen=True, slots=True)
class Implied:
    """What the matrices of one group imply.

    Attributes:
        A: (b, m, m) (I - Beta)^-1. Phi: (b, m, m) covariances of the latents. K: (b, p, p + 2m).
        Sigma: (b, p, p). mu: (b, p). reach: (b, m + 2) [A alpha, 1, 0], the factors of dmu.
    """

    A: Values
    Phi: Values
    K: Values
    Sigma: Values
    mu: Values
    reach: Values


def template(block: Block, cov: Array, mean: Array) -> Array:
    """(b, size) flat matrices with every fixed value, and 0 for what is free.

    Parameters:
        cov: (b, p, p), mean: (b, p) sample moments (exogenous observed variables take theirs from here).
    """
    flat = np.zeros((len(cov), block.size))
    at, mirror, value = block.fixed
    flat[:, at] = flat[:, mirror] = value
    at, mirror, i, j = block.sampled
    if at.size:
        taken = np.where(j >= 0, cov[:, i, j], mean[:, i])
        flat[:, at] = flat[:, mirror] = taken
    return flat


def matrices(block: Block, flat: Values, theta: Values) -> Matrices:
    """The matrices at parameters theta (b, k), from the template `flat` (b, size)."""
    e = block.entries
    full = flat.astype(theta.dtype) if theta.dtype != flat.dtype else flat.copy()
    values = theta[:, e.parameter]
    full[:, e.position] = values
    full[:, e.mirror] = values
    return unpacked(block, full)


def unpacked(block: Block, full: Values) -> Matrices:
    """Views of the flat vector as matrices."""
    b, p, m = len(full), len(block.observed), len(block.latent)
    theta = p * m
    psi = theta + p * p
    beta = psi + m * m
    nu = beta + m * m
    return Matrices(
        full[:, :theta].reshape(b, p, m),
        full[:, theta:psi].reshape(b, p, p),
        full[:, psi:beta].reshape(b, m, m),
        full[:, beta:nu].reshape(b, m, m),
        full[:, nu : nu + p],
        full[:, nu + p :],
    )


def implied(block: Block, at: Matrices) -> Implied:
    """Implied moments and what their derivatives need.

    Source:
        Bollen (1989), Structural equations with latent variables, ch. 8; Browne (1984) for the moment derivatives.
    """
    p, m = len(block.observed), len(block.latent)
    b = len(at.Lambda)
    A = total_arrows(block, at.Beta)
    if block.depth:
        Phi = A @ at.Psi @ A.swapaxes(1, 2)
        LA = at.Lambda @ A
    else:
        Phi, LA = at.Psi, at.Lambda
    LPhi = at.Lambda @ Phi
    K = np.empty((b, p, p + 2 * m), dtype=LPhi.dtype)
    K[:, :, :p] = np.eye(p)
    K[:, :, p : p + m] = LA
    K[:, :, p + m :] = LPhi
    Sigma = LPhi @ at.Lambda.swapaxes(1, 2) + at.Theta
    if not block.means:
        return Implied(A, Phi, K, Sigma, np.zeros((b, p), K.dtype), np.zeros((b, m + 2), K.dtype))
    level = (A @ at.alpha[:, :, None])[:, :, 0]
    mu = at.nu + (at.Lambda @ level[:, :, None])[:, :, 0]
    reach = np.concatenate([level, np.ones((b, 1)), np.zeros((b, 1))], axis=1)
    return Implied(A, Phi, K, Sigma, mu, reach)


def total_arrows(block: Block, Beta: Values) -> Values:
    """(b, m, m) (I - Beta)^-1: a short power series where arrows run in no circle."""
    eye = np.eye(len(block.latent))
    if block.depth == 0:
        return np.broadcast_to(eye, Beta.shape)
    if block.depth < 0:
        return _inverse(eye - Beta)
    A = eye + Beta
    for _ in range(block.depth - 1):
        A = eye + Beta @ A
    return A


def _inverse(stack: Values) -> Values:
    """Inverses; NaN where a matrix is singular: such arrows imply no moments.

    Example:
        >>> _inverse(np.array([[[2.0]], [[0.0]]])).ravel().tolist()
        [0.5, nan]
    """
    try:
        return np.asarray(np.linalg.inv(stack))
    except np.linalg.LinAlgError:
        if len(stack) == 1:
            return np.full_like(stack, np.nan)
        return np.concatenate([_inverse(half) for half in np.array_split(stack, 2)])


def vech(symmetric: Values) -> Values:
    """(b, p(p+1)/2) lower triangle, column by column.

    Example:
        >>> vech(np.array([[[1.0, 2.0], [2.0, 3.0]]]))
        array([[1., 2., 3.]])
    """
    i, j = np.triu_indices(symmetric.shape[1])
    out: Values = symmetric[:, j, i]
    return out


def jacobian(block: Block, at: Implied, *, means: bool) -> Values:
    """(b, M, e) derivatives of [mu,] vech(Sigma) by the entries of a group.

    Example:
        Columns are summed into parameters by `Entries.parameter`; tests hold them to finite differences.
    """
    e = block.entries
    p = len(block.observed)
    i, j = np.triu_indices(p)
    U, V = at.K[:, :, e.u], at.K[:, :, e.v]
    cov: Values = e.s * (U[:, j] * V[:, i] + U[:, i] * V[:, j])
    if not means:
        return cov
    return np.concatenate([U * at.reach[:, None, e.c], cov], axis=1)
