"""Rotation of factors: gradient projection for a stack of starts, varimax and promax in closed steps.

Conventions: loadings (pattern) L = A T'^-1 and factor correlations phi = T'T with columns of T of length 1; for
orthogonal rotations L = A T. Letters: `s` problems (matrices or starts), `p` items, `m` factors.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.measures.factors.criteria import Criterion
from csi.moments.stack import Array

Flags = npt.NDArray[np.bool_]

SETTLED = 1e-6
"""A rotation ends where its projected slope is shorter than this (R's GPArotation: 1e-5)."""

SLIGHT = 1e-3
"""How far the first start stands from the identity."""

CUSTOMARY = 1e-5
"""Varimax ends where its criterion grows by less than this share, as in R."""

STEPS = 2_000
"""Steps after which a rotation counts as not converged."""


def projected(
    A: Array, T: Array, criterion: Criterion, oblique: bool, settled: float = SETTLED
) -> tuple[Array, Array, Flags]:
    """Gradient projection: the rotation that makes a criterion least, from every start.

    T moves against the slope, projected on the surface of rotations (columns of length 1, or orthogonal), by a step
    halved until the criterion falls by half of what the slope promises.

    Parameters:
        A: (s, p, m) unrotated loadings. T: (s, m, m) starts, with columns of length 1 (orthogonal where not oblique).
        criterion: value and slope. oblique: whether factors may correlate. settled: the slope at which it ends.

    Returns:
        T (s, m, m), the criterion (s,), converged (s,).

    Source: Jennrich (2001), Psychometrika 66, 289-306; (2002), 67, 7-20; Bernaards & Jennrich (2005), Educational and
        Psychological Measurement 65, 676-696.

    Example:
        >>> from csi.measures.factors.criteria import oblimin
        >>> A = np.array([[[0.6, 0.6], [0.6, -0.6]]])
        >>> T, value, _ = projected(A, np.array([[[1.0, 0.1], [0.0, 0.99498744]]]), oblimin, oblique=True)
        >>> value.round(6).tolist(), np.abs(T).round(3).tolist()
        ([0.0], [[[0.707, 0.707], [0.707, 0.707]]])
    """
    T, size = T.copy(), np.ones(T.shape[0])
    value, slope = _at(A, T, criterion, oblique)
    moving = np.arange(T.shape[0])
    for _ in range(STEPS):
        surface = _surface(T[moving], slope[moving], oblique)
        length = np.sqrt((surface * surface).sum(axis=(1, 2)))
        open_ = length >= settled
        moving, surface, length = moving[open_], surface[open_], length[open_]
        if moving.size == 0:
            break
        _search(A, T, (value, slope, size), criterion, (moving, surface, length), oblique)
    last = _surface(T, slope, oblique)
    return T, value, np.sqrt((last * last).sum(axis=(1, 2))) < max(100 * settled, 1e-6)


def _search(
    A: Array,
    T: Array,
    state: tuple[Array, Array, Array],
    criterion: Criterion,
    way: tuple[npt.NDArray[np.int64], Array, Array],
    oblique: bool,
) -> None:
    """Moves T, value, slope and step size of the problems still moving, each by its own step."""
    value, slope, size = state
    which, surface, length = way
    size[which] *= 2
    left = np.arange(which.size)
    for _ in range(30):
        one = which[left]
        tried = _onto(T[one] - size[one, None, None] * surface[left], oblique)
        new, turned = _at(A[one], tried, criterion, oblique)
        good = new <= value[one] - 0.5 * size[one] * length[left] ** 2
        done = one[good]
        T[done], value[done], slope[done] = tried[good], new[good], turned[good]
        left = left[~good]
        if left.size == 0:
            return
        size[which[left]] /= 2


def _at(A: Array, T: Array, criterion: Criterion, oblique: bool) -> tuple[Array, Array]:
    """Value (s,) and slope by T (s, m, m)."""
    if not oblique:
        value, slope = criterion(np.matmul(A, T))
        return value, np.matmul(A.swapaxes(1, 2), slope)
    inverse = np.linalg.inv(T)
    L = np.matmul(A, inverse.swapaxes(1, 2))
    value, slope = criterion(L)
    return value, -np.matmul(np.matmul(L.swapaxes(1, 2), slope), inverse).swapaxes(1, 2)


def _surface(T: Array, slope: Array, oblique: bool) -> Array:
    """The part of the slope along the surface of rotations."""
    if oblique:
        return np.asarray(slope - T * (T * slope).sum(axis=1, keepdims=True))
    inner = np.matmul(T.swapaxes(1, 2), slope)
    return np.asarray(slope - np.matmul(T, (inner + inner.swapaxes(1, 2)) / 2))


def _onto(T: Array, oblique: bool) -> Array:
    """The nearest point of the surface."""
    if oblique:
        return np.asarray(T / np.sqrt((T * T).sum(axis=1, keepdims=True)))
    U, _, V = np.linalg.svd(T)
    return np.asarray(np.matmul(U, V))


def rotated(A: Array, T: Array, oblique: bool) -> tuple[Array, Array]:
    """Loadings (s, p, m) and factor correlations (s, m, m) under T.

    Example:
        >>> [a.tolist() for a in rotated(np.ones((1, 1, 2)), np.eye(2)[None], oblique=True)]
        [[[[1.0, 1.0]]], [[[1.0, 0.0], [0.0, 1.0]]]]
    """
    if not oblique:
        return np.matmul(A, T), np.broadcast_to(np.eye(T.shape[1]), T.shape).copy()
    return np.matmul(A, np.linalg.inv(T).swapaxes(1, 2)), np.matmul(T.swapaxes(1, 2), T)


def varimax(A: Array, kaiser: bool = True, tolerance: float = CUSTOMARY, steps: int = 1_000) -> Array:
    """The orthogonal rotation under which the variances of squared loadings are greatest.

    Each round turns to the nearest orthogonal matrix of A'(L^3 - L diag(mean l^2)); it ends when the sum of that
    matrix's singular values grows by less than a share `tolerance`.

    Parameters:
        A: (s, p, m). kaiser: whether each item counts the same (rows scaled to length 1 while turning).
        tolerance: the custom, that of R's varimax, ends some .001 of a loading before the maximum.

    Returns:
        T (s, m, m): loadings are A T.

    Source: Kaiser (1958), Psychometrika 23, 187-200; the stop as R's stats::varimax documents it.

    Example:
        >>> T = varimax(np.array([[[0.6, 0.6], [0.6, -0.6]]]))
        >>> np.abs(T).round(1).tolist()
        [[[0.7, 0.7], [0.7, 0.7]]]
    """
    m = A.shape[2]
    X = A / _lengths(A) if kaiser else A
    start = np.broadcast_to(np.eye(m), (A.shape[0], m, m))
    T = _varied(X, start, tolerance, steps)
    still = np.flatnonzero(np.abs(T - start).max(axis=(1, 2)) < 1e-7) if m > 1 else np.arange(0)
    if still.size:
        begin = np.repeat(random_starts(m, 1, 1), still.size, axis=0)
        T[still] = projected(X[still], begin, _less_varied, oblique=False)[0]
    return T


def _less_varied(L: Array) -> tuple[Array, Array]:
    """Less the criterion of varimax, for gradient projection."""
    away = L * L - (L * L).mean(axis=1, keepdims=True)
    return -(away * away).sum(axis=(1, 2)) / 4, -L * away


def _varied(X: Array, start: Array, tolerance: float, steps: int) -> Array:
    """(s, m, m) varimax from given starts."""
    T = start.copy()
    moving, last = np.arange(X.shape[0]), np.zeros(X.shape[0])
    for _ in range(steps):
        L = np.matmul(X[moving], T[moving])
        aim = np.matmul(X[moving].swapaxes(1, 2), L**3 - L * (L * L).mean(axis=1, keepdims=True))
        U, sizes, V = np.linalg.svd(aim)
        T[moving] = np.matmul(U, V)
        total = sizes.sum(axis=1)
        grown = total >= last[moving] * (1 + tolerance)
        last[moving] = total
        moving = moving[grown & (total > 0)]
        if moving.size == 0:
            break
    return T


def _lengths(A: Array) -> Array:
    """(s, p, 1) square roots of the communalities."""
    return np.asarray(np.maximum(np.sqrt((A * A).sum(axis=2, keepdims=True)), 1e-12))


def promax(A: Array, power: int = 4, tolerance: float = CUSTOMARY) -> tuple[Array, Array]:
    """Varimax loadings turned, factor by factor, towards their own powers, so that small ones shrink.

    Items count the same in both steps (rows scaled to length 1 while turning).

    Parameters:
        A: (s, p, m). power: 4 is the custom. tolerance: of the varimax.

    Returns:
        loadings (s, p, m), phi (s, m, m).

    Source: Hendrickson & White (1964), British Journal of Statistical Psychology 17, 65-70.

    Example:
        >>> L, phi = promax(np.array([[[0.8, 0.0], [0.7, 0.0], [0.0, 0.8], [0.0, 0.7]]]))
        >>> bool(abs(phi[0, 0, 1]) < 1e-12)
        True
    """
    length = _lengths(A)
    X = np.matmul(A / length, varimax(A, tolerance=tolerance))
    aim = X * np.abs(X) ** (power - 1)
    turn = np.linalg.solve(np.matmul(X.swapaxes(1, 2), X), np.matmul(X.swapaxes(1, 2), aim))
    spread = np.diagonal(np.linalg.inv(np.matmul(turn.swapaxes(1, 2), turn)), axis1=1, axis2=2)
    turn = turn * np.sqrt(spread)[:, None, :]
    inverse = np.linalg.inv(turn)
    return np.matmul(X * length, turn), np.matmul(inverse, inverse.swapaxes(1, 2))


def random_starts(m: int, count: int, seed: int) -> Array:
    """Orthogonal matrices, uniform over all of them; the first is the identity, very slightly turned.

    The identity itself is a trap where loadings are symmetric between factors: slopes lead from it to a saddle.

    Parameters:
        m: factors. count: how many. seed: of the draw.

    Returns:
        (count, m, m).

    Source: Stewart (1980), SIAM Journal on Numerical Analysis 17, 403-409.

    Example:
        >>> T = random_starts(3, 2, seed=1)
        >>> bool(np.abs(T[0] - np.eye(3)).max() < 0.01), np.allclose(T[1].T @ T[1], np.eye(3))
        (True, True)
    """
    drawn = np.random.default_rng(seed).standard_normal((count, m, m))
    drawn[0] = np.eye(m) + SLIGHT * (np.arange(m)[:, None] - np.arange(m) + 0.5)
    Q, upper = np.linalg.qr(drawn)
    return np.asarray(Q * np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :])
