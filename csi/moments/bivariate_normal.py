"""The bivariate normal distribution on whole grids of limits: lower corners, densities and rectangles for a stack.

A table of two ordinal items needs the same few limits over and over; one call gives every corner of every table.
Letters: `b` tables of a stack, `a` limits of the first variable, `c` limits of the second.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import ndtr

from csi.moments.stack import Array

FAR = 38.0
"""A limit this far out is infinite in double precision (its density is zero, its tail below 1e-300)."""

LEAST = -600.0
"""Exponents below this give nothing; computers are slow at numbers near the least they can hold."""

NODES = ((0.3, 6), (0.75, 12), (0.925, 20))
"""|rho| up to the first number is integrated with the second number of Gauss-Legendre nodes (Genz, 2004)."""

ELEMENTS = 200_000
"""Numbers in one block of work: it stays in the cache of a core."""


@cache
def legendre(nodes: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on (0, 1).

    Example:
        >>> [a.round(4).tolist() for a in legendre(2)]
        [[0.2113, 0.7887], [0.5, 0.5]]
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, w / 2


def corners(h: Array, k: Array, rho: Array) -> Array:
    """P(X <= h, Y <= k) of standard normal X, Y with correlation rho, for every pair of limits.

    Phi2(h, k, rho) = Phi(h) Phi(k) + 1 / (2 pi) int_0^asin(rho) exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt,
    and near |rho| = 1 the integral from the degenerate case with its leading terms in closed form. Accurate to
    about 1e-15 in absolute terms.

    Parameters:
        h: (b, a) limits, finite (use `FAR` for infinity). k: (b, c). rho: (b,), |rho| < 1.

    Returns:
        (b, a, c).

    Source: Drezner and Wesolowsky (1990); Genz (2004), Statistics and Computing 14, 251-260.

    Example:
        >>> corners(np.zeros((1, 1)), np.zeros((1, 1)), np.array([0.5])).round(12).ravel().tolist()
        [0.333333333333]
    """
    result = np.empty((rho.size, h.shape[1], k.shape[1]))
    size, low = np.abs(rho), -1.0
    for high, nodes in (*NODES, (np.inf, 0)):
        band = np.flatnonzero((size > low) & (size <= high))
        step = max(1, ELEMENTS // (h.shape[1] * k.shape[1] * (nodes or 20)))
        for block in (band[i : i + step] for i in range(0, band.size, step)):
            arguments = h[block], k[block], rho[block]
            result[block] = _by_angle(*arguments, nodes) if nodes else _steep(*arguments)
        low = high
    return result


def _by_angle(h: Array, k: Array, rho: Array, nodes: int) -> Array:
    """Corners by the integral over the angle, for |rho| away from 1."""
    x, w = legendre(nodes)
    angle = np.arcsin(rho)
    sine = np.sin(angle[:, None] * x)
    inverse = 1 / (1 - sine * sine)
    squares = (h * h)[:, :, None] + (k * k)[:, None, :]
    products = h[:, :, None] * k[:, None, :]
    shape = products.shape
    exponent = inverse[:, :, None] * (-0.5 * squares).reshape(shape[0], 1, -1)
    exponent += (sine * inverse)[:, :, None] * products.reshape(shape[0], 1, -1)
    np.exp(exponent, out=exponent)
    integral = np.matmul(w, exponent).reshape(shape) * (angle / (2 * np.pi))[:, None, None]
    return np.asarray(ndtr(h)[:, :, None] * ndtr(k)[:, None, :] + integral)


def _steep(h: Array, k: Array, rho: Array) -> Array:
    """Corners for |rho| near 1: what the degenerate distribution gives, less an integral over sqrt(1 - rho^2)."""
    sign = np.where(rho < 0, -1.0, 1.0)[:, None, None]
    x, y = -h[:, :, None], -k[:, None, :] * sign
    rest = ((1 - rho) * (1 + rho))[:, None, None]
    total = _leading(x, y, rest)
    product, gap = x * y, (x - y) ** 2
    c, d = (4 - product) / 8, (12 - product) / 16
    for node, weight in zip(*legendre(20), strict=True):
        square = rest * node * node
        root = np.sqrt(1 - square)
        exponent = -(gap / square + product) / 2
        near = exponent > -100
        factor = np.exp(np.where(near, -product * square / (2 * (1 + root) ** 2), 0.0)) / root
        series = 1 + c * square * (1 + d * square)
        total += np.where(near, np.sqrt(rest) * weight * np.exp(np.where(near, exponent, 0.0)) * (factor - series), 0.0)
    total /= -2 * np.pi
    same = total + ndtr(-np.maximum(x, y))
    opposite = np.maximum(ndtr(y) - ndtr(x), 0.0) - total
    return np.asarray(np.clip(np.where(sign > 0, same, opposite), 0.0, 1.0))


def _leading(x: Array, y: Array, rest: Array) -> Array:
    """The part of the integral near |rho| = 1 that has a closed form; rest = 1 - rho^2."""
    product, gap = x * y, (x - y) ** 2
    c, d = (4 - product) / 8, (12 - product) / 16
    exponent = -(gap / rest + product) / 2
    near = exponent > -100
    series = 1 - c * (gap - rest) * (1 - d * gap / 5) / 3 + c * d * rest * rest / 5
    first = np.where(near, np.sqrt(rest) * np.exp(np.where(near, exponent, 0.0)) * series, 0.0)
    tail = np.sqrt(2 * np.pi) * ndtr(-np.sqrt(gap / rest)) * np.sqrt(gap) * (1 - c * gap * (1 - d * gap / 5) / 3)
    bounded = product > -100
    return np.asarray(first - np.where(bounded, np.exp(np.where(bounded, -product / 2, 0.0)) * tail, 0.0))


def density(h: Array, k: Array, rho: Array) -> Array:
    """The density at every pair of points, which is also the derivative of `corners` by rho.

    phi2 = exp(-(h^2 + k^2 - 2 rho h k) / (2 (1 - rho^2))) / (2 pi sqrt(1 - rho^2))

    Parameters:
        h: (b, a). k: (b, c). rho: (b,).

    Returns:
        (b, a, c).

    Example:
        >>> float(density(np.zeros((1, 1)), np.zeros((1, 1)), np.array([0.0]))[0, 0, 0] * 2 * np.pi)
        1.0
    """
    r = rho[:, None, None]
    rest = (1 - r) * (1 + r)
    form = (h * h)[:, :, None] + (k * k)[:, None, :] - 2 * r * h[:, :, None] * k[:, None, :]
    return np.asarray(np.exp(-form / (2 * rest)) / (2 * np.pi * np.sqrt(rest)))


def density_slope(h: Array, k: Array, rho: Array, phi: Array) -> Array:
    """The derivative of `density` by rho, given its value phi (b, a, c).

    dphi2/drho = phi2 [rho / (1 - rho^2) + (h k (1 + rho^2) - rho (h^2 + k^2)) / (1 - rho^2)^2]

    Example:
        >>> one = np.ones((1, 1))
        >>> density_slope(0 * one, 0 * one, np.array([0.0]), one).tolist()
        [[[0.0]]]
    """
    r = rho[:, None, None]
    rest = (1 - r) * (1 + r)
    form = (1 + r * r) * h[:, :, None] * k[:, None, :] - r * ((h * h)[:, :, None] + (k * k)[:, None, :])
    return np.asarray(phi * (r / rest + form / (rest * rest)))


def rectangles(h: Array, k: Array, rho: Array) -> Array:
    """Probabilities of all cells of a table with limits h and k.

    Parameters:
        h: (b, a) increasing interior limits. k: (b, c). rho: (b,).

    Returns:
        (b, a + 1, c + 1); every table sums to 1.

    Example:
        >>> rectangles(np.zeros((1, 1)), np.zeros((1, 1)), np.array([0.0])).ravel().tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    grid = np.zeros((rho.size, h.shape[1] + 2, k.shape[1] + 2))
    grid[:, 1:-1, 1:-1] = corners(h, k, rho)
    grid[:, 1:-1, -1] = ndtr(h)
    grid[:, -1, 1:-1] = ndtr(k)
    grid[:, -1, -1] = 1.0
    return np.diff(np.diff(grid, axis=1), axis=2)


def bordered(inner: Array) -> Array:
    """Cell differences of a function of the corners that vanishes at infinity: (b, a, c) to (b, a + 1, c + 1).

    Example:
        >>> bordered(np.ones((1, 1, 1))).ravel().tolist()
        [1.0, -1.0, -1.0, 1.0]
    """
    grid = np.pad(inner, ((0, 0), (1, 1), (1, 1)))
    return np.diff(np.diff(grid, axis=1), axis=2)


def edges(h: Array, k: Array, rho: Array) -> Array:
    """The derivative of cell probabilities by the limits of the first variable.

    phi(h) [Phi((k_c - rho h) / sqrt(1 - rho^2)) - Phi((k_(c-1) - rho h) / sqrt(1 - rho^2))]: what the cell below the
    limit gains and the cell above it loses.

    Parameters:
        h: (b, a). k: (b, c). rho: (b,).

    Returns:
        (b, a, c + 1).

    Example:
        >>> (edges(np.zeros((1, 1)), np.zeros((1, 1)), np.array([0.0])) * np.sqrt(2 * np.pi)).round(9).tolist()
        [[[0.5, 0.5]]]
    """
    r = rho[:, None, None]
    given = ndtr((k[:, None, :] - r * h[:, :, None]) / np.sqrt((1 - r) * (1 + r)))
    grid = np.pad(given, ((0, 0), (0, 0), (1, 1)))
    grid[:, :, -1] = 1.0
    slope = np.exp(-0.5 * h * h) / np.sqrt(2 * np.pi)
    return np.asarray(slope[:, :, None] * np.diff(grid, axis=2))
