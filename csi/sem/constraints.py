"""Equality constraints as a reparametrisation: theta = origin + N phi.

Letters: `k` parameters theta, `r` working parameters phi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array
from csi.sem.implied import Values


@dataclass(frozen=True, slots=True)
class Linear:
    """theta = origin + N phi.

    Attributes:
        N: (k, r) with orthonormal columns, the identity where nothing is constrained. origin: (k,).
        lower, upper: (k,) bounds of theta (infinite where there are none). plain: N is the identity.
    """

    N: Array
    origin: Array
    lower: Array
    upper: Array
    plain: bool = False

    def theta(self, phi: Values) -> Values:
        """(b, k) parameters."""
        return phi if self.plain else self.origin + phi @ self.N.T

    def phi(self, theta: Array) -> Array:
        """(b, r) working parameters of the nearest theta that obeys the constraints."""
        return theta if self.plain else (theta - self.origin) @ self.N

    @property
    def bounded(self) -> bool:
        """Whether any bound is finite."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())


def unconstrained(k: int) -> Linear:
    """No constraint at all."""
    return Linear(np.eye(k), np.zeros(k), np.full(k, -np.inf), np.full(k, np.inf), plain=True)


def reduced(R: Array, rhs: Array) -> Linear:
    """The reparametrisation that obeys R theta = rhs.

    Parameters:
        R: (c, k). rhs: (c,).

    Example:
        >>> one = reduced(np.array([[1.0, -1.0]]), np.array([0.0]))
        >>> one.theta(one.phi(np.array([[1.0, 3.0]])))
        array([[2., 2.]])
    """
    U, s, Vt = np.linalg.svd(R)
    rank = int((s > 1e-10 * s.max(initial=1.0)).sum())
    origin = Vt[:rank].T @ ((U.T @ rhs)[:rank] / s[:rank])
    k = R.shape[1]
    return Linear(Vt[rank:].T.copy(), origin, np.full(k, -np.inf), np.full(k, np.inf))
