"""Least squares on a vector of moments (WLS, DWLS, ULS with ordinal items): Gauss-Newton over a stack.

    F = sum_g share_g (s - sigma)' W (s - sigma)

Source:
    Browne (1984), British J. of Mathematical and Statistical Psychology 37; Muthén, du Toit & Spisic (1997).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints
from csi.sem.constraints import Linear
from csi.sem.implied import Implied, Values
from csi.sem.layout import Layout
from csi.sem.moment_vector import MomentVector, implied_group, own_jacobian, plans_of, vector

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """Everything a least squares fit needs; attributes as in `csi.sem.problem.Problem`.

    Attributes:
        absent: (b,) slices whose moments do not exist, another slice's standing in; None where all do.
    """

    layout: Layout
    vectors: tuple[MomentVector, ...]
    flats: tuple[Array, ...]
    share: Array
    total: Array
    counts: Array
    informing: Array
    linear: Linear
    absent: Flags | None = None

    def take(self, at: Ints | slice) -> LeastSquares:
        """Some slices."""
        vectors = tuple(
            MomentVector(v.s[at], None if v.gamma is None else v.gamma[at], v.weight[at]) for v in self.vectors
        )
        flats = tuple(f[at] for f in self.flats)
        return replace(
            self,
            vectors=vectors,
            flats=flats,
            share=self.share[at],
            total=self.total[at],
            counts=self.counts[at],
            informing=self.informing[at],
            absent=None if self.absent is None else self.absent[at],
        )

    def per(self, unit: Array) -> LeastSquares:
        """The same with F divided by `unit` (b,): where it is smallest stays, how small it is has no unit."""
        vectors = tuple(
            replace(v, weight=v.weight / unit.reshape(-1, *[1] * (v.weight.ndim - 1))) for v in self.vectors
        )
        return replace(self, vectors=vectors)

    def theta(self, phi: Values) -> Values:
        """(b, k) parameters."""
        return self.linear.theta(phi)

    def implied(self, theta: Values) -> tuple[Implied, ...]:
        """Implied moments of every group."""
        return tuple(implied_group(self.layout, g, flat, theta) for g, flat in enumerate(self.flats))

    def chi2(self, phi: Array) -> Array:
        """(b,) sum over groups of multiplier times F."""
        theta = self.theta(phi)
        parts = []
        for at, plan, sample in zip(self.implied(theta), plans_of(self.layout), self.vectors, strict=True):
            e = sample.s - vector(plan, at, theta)
            parts.append(np.einsum("bm,bm->b", e, weighted(sample.weight, e[:, :, None])[:, :, 0]))
        return np.asarray((self.counts * np.stack(parts, axis=1)).sum(axis=1))

    def evaluate(self, phi: Array, *, exact: bool = False) -> tuple[Array, Array, Array]:
        """F (b,), its gradient (b, r) and Gauss-Newton Hessian (b, r, r); `exact` changes nothing here."""
        del exact
        theta = self.theta(phi)
        b, k = theta.shape
        value, slope, H = np.zeros(b), np.zeros((b, k)), np.zeros((b, k, k))
        with np.errstate(all="ignore"):
            for g, (at, plan, sample) in enumerate(
                zip(self.implied(theta), plans_of(self.layout), self.vectors, strict=True)
            ):
                e = sample.s - vector(plan, at, theta)
                D, mine = own_jacobian(self.layout, g, plan, at, theta)
                WD = weighted(sample.weight, D)
                w = self.share[:, g]
                value += w * np.einsum("bm,bm->b", e, weighted(sample.weight, e[:, :, None])[:, :, 0])
                slope[:, mine] -= 2 * w[:, None] * (WD.swapaxes(1, 2) @ e[:, :, None])[:, :, 0]
                H[:, mine[:, None], mine] += 2 * w[:, None, None] * (D.swapaxes(1, 2) @ WD)
        value = np.where(np.isfinite(value), value, np.inf)
        if self.linear.plain:
            return value, slope, H
        N = self.linear.N
        return value, slope @ N, N.T @ H @ N


def weighted(weight: Array, D: Array) -> Array:
    """W D for a full (b, M, M) or diagonal (b, M) weight."""
    return weight @ D if weight.ndim == 3 else weight[:, :, None] * D
