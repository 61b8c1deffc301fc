"""Hadamard matrices: rows of +1 and -1 that are orthogonal, by the constructions of Sylvester and Paley."""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array


def hadamard(least: int) -> Array:
    """(R, R) the smallest Hadamard matrix there is a construction of here with at least so many rows; first column 1.

    R is a power of two, or (p + 1) 2^k for a prime p = 3 mod 4: 4, 8, 12, 16, 20, 24, 32, ...

    Source: Sylvester (1867); Paley (1933), J. Mathematics and Physics 12:311-320.

    Example:
        >>> H = hadamard(10)
        >>> H.shape, bool((H @ H.T == 12 * np.eye(12)).all()), H[:, 0].tolist() == [1.0] * 12
        ((12, 12), True, True)
    """
    size = 1 if least <= 1 else 2 if least == 2 else 4 * ((least + 3) // 4)
    while True:
        found = _of(size)
        if found is not None:
            return found * found[:, :1]
        size += 4


def _of(size: int) -> Array | None:
    """A Hadamard matrix of this order, if a construction here gives one."""
    if size == 1:
        return np.ones((1, 1))
    if size % 4 == 0 and _prime(size - 1):
        return _paley(size - 1)
    half = _of(size // 2) if size % 2 == 0 else None
    return None if half is None else np.block([[half, half], [half, -half]])


def _paley(p: int) -> Array:
    """Order p + 1 from the quadratic residues of a prime p = 3 mod 4."""
    residues = {(k * k) % p for k in range(1, p)}
    sign = np.array([0.0, *(1.0 if k in residues else -1.0 for k in range(1, p))])
    Q = sign[(np.arange(p)[:, None] - np.arange(p)) % p]
    skew = np.zeros((p + 1, p + 1))
    skew[0, 1:], skew[1:, 0], skew[1:, 1:] = 1.0, -1.0, Q
    made: Array = skew + np.eye(p + 1)
    return made


def _prime(k: int) -> bool:
    return k > 1 and all(k % d for d in range(2, int(k**0.5) + 1))
