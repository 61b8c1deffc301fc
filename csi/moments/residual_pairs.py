"""Polychoric correlations given other variables: each row has thresholds of its own, less what those predict.

The rectangle of a row with limits (h, k) has probability P(t) at correlation rho = sin t, and

    P(t) = P(0) + 1 / (2 pi) int_0^t sum +- exp(-(h^2 + k^2 - 2 h k sin u) / (2 cos^2 u)) du,

so that Newton's method runs over the angle t, its derivatives are exact, and a short step costs a short integral.

Letters: `m` distinct rows of one pair (same given values, same answers).

Source: Muthén (1984), Psychometrika 49:115-132; Drezner and Wesolowsky (1990); Genz (2004), Statistics and Computing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from csi.moments.bivariate_normal import LEAST, NODES, corners, legendre
from csi.moments.bracket import BOUND, STEPS
from csi.moments.polychoric import TINY
from csi.moments.polyserial import between
from csi.moments.stack import Array

NEAR = 0.05
"""A step of the angle so short is integrated from where it began, with `FEW` nodes."""

FEW = 5
CLOSE = 1e-6
"""The search ends after a Newton step smaller than this: its error is about the square."""

STEEP = NODES[-1][0]
"""A larger absolute correlation is integrated from the degenerate distribution."""


@dataclass(slots=True)
class Rectangles:
    """The rectangles of one pair's rows.

    Attributes:
        h, k: (2, m) limits below and above of both items. w: (m,) weights.
        square, product: (4, m) -(h^2 + k^2) / 2 and h k at the corners (above, above), (below, above), ....
        angle, chance: where probabilities (m,) were known last.
    """

    h: Array
    k: Array
    w: Array
    square: Array
    product: Array
    apart: Array
    angle: float
    chance: Array

    @classmethod
    def of(cls, h: Array, k: Array, w: Array) -> Rectangles:
        """Rectangles with their probabilities at independence."""
        one, other = np.stack([h[1], h[0], h[1], h[0]]), np.stack([k[1], k[1], k[0], k[0]])
        apart = between(h[0], h[1]) * between(k[0], k[1])
        return cls(h, k, w, -0.5 * (one * one + other * other), one * other, apart, 0.0, apart)

    def probabilities(self, angle: float) -> Array:
        """(m,) probabilities at a correlation of sin(angle)."""
        if angle == self.angle:
            return self.chance
        rho = abs(np.sin(angle))
        if rho > STEEP:
            grid = corners(self.h.T, self.k.T, np.full(self.w.size, np.sin(angle)))
            chance = np.diff(np.diff(grid, axis=1), axis=2)[:, 0, 0]
        elif abs(angle - self.angle) < NEAR:
            chance = self.chance + self._integral(self.angle, angle, FEW)
        else:
            nodes = next(number for high, number in NODES if rho <= high)
            chance = self.apart + self._integral(0.0, angle, nodes)
        self.angle, self.chance = angle, chance
        return chance

    def _integral(self, start: float, end: float, nodes: int) -> Array:
        """(m,) what the probabilities gain between two angles."""
        x, weights = legendre(nodes)
        total = np.zeros(self.w.size)
        for node, weight in zip((start + (end - start) * x).tolist(), weights.tolist(), strict=True):
            total += weight * _signed(self._heights(node))
        return np.asarray(total * ((end - start) / (2 * np.pi)))

    def _heights(self, angle: float) -> Array:
        """(4, m) the integrand at every corner."""
        sine = float(np.sin(angle))
        inverse = 1 / (1 - sine * sine)
        heights = self.product * (sine * inverse)
        heights += inverse * self.square
        return np.exp(np.maximum(heights, LEAST, out=heights), out=heights)

    def slopes(self, angle: float) -> tuple[float, float]:
        """First and second derivative of the log likelihood by the angle."""
        chance = np.maximum(self.probabilities(angle), TINY)
        heights = self._heights(angle)
        sine, cosine = float(np.sin(angle)), float(np.cos(angle))
        first = _signed(heights) / (2 * np.pi * chance)
        heights *= self.product * ((1 + sine * sine) / cosine**3) + self.square * (2 * sine / cosine**3)
        second = _signed(heights) / (2 * np.pi * chance)
        return float(self.w @ first), float(self.w @ (second - first * first))

    def maximum(self, start: float) -> float:
        """The correlation that maximises the likelihood, between -BOUND and BOUND."""
        edge = float(np.arcsin(BOUND))
        low, high, now = -edge, edge, float(np.arcsin(start))
        for _ in range(STEPS):
            slope, curve = self.slopes(now)
            low, high = (now, high) if slope > 0 else (low, now)
            new = now - slope / curve if curve < 0 else np.inf
            new = new if low <= new <= high else 0.5 * (low + high)
            if slope == 0 or abs(new - now) < CLOSE:
                return float(np.sin(new if slope else now))
            now = new
        return float(np.sin(now))

    def scores(self, rho: float) -> tuple[Array, Array, Array]:
        """Scores (m,) by the correlation, and (2, m) by the limits below and above of either item.

        Example:
            >>> one = Rectangles.of(np.array([[-38.0], [0.0]]), np.array([[-38.0], [0.0]]), np.ones(1))
            >>> by_rho, by_h, _ = one.scores(0.0)
            >>> by_rho.round(4).tolist(), by_h[1].round(4).tolist()
            ([0.6366], [0.7979])
        """
        angle = float(np.arcsin(rho))
        chance = np.maximum(self.probabilities(angle), TINY)
        root = float(np.cos(angle))
        by_rho = _signed(self._heights(angle)) / (2 * np.pi * root * chance)
        return by_rho, _edges(self.h, self.k, rho, root) / chance, _edges(self.k, self.h, rho, root) / chance


def _signed(corner: Array) -> Array:
    """(m,) sums over the corners of rectangles with their signs."""
    return np.asarray(corner[0] - corner[1] - corner[2] + corner[3])


def _edges(h: Array, k: Array, rho: float, root: float) -> Array:
    """(2, m) derivative of a rectangle's probability by its limits below and above in the first item."""
    inside = ndtr((k[1] - rho * h) / root) - ndtr((k[0] - rho * h) / root)
    slope = np.exp(np.maximum(-0.5 * h * h, LEAST)) / np.sqrt(2 * np.pi) * inside
    slope[0] *= -1
    return np.asarray(slope)
