"""The shape of a response surface: what its coefficients say along two lines, its stationary point, its main axis.

    y = b0 + b1 E + b2 P + b3 E^2 + b4 E P + b5 P^2,   E and P centred at one point

Letters: `n` rows, `...` any leading axes (replicates).

Source:
    Edwards & Parry (1993), Academy of Management Journal 36, 1577-1613; Edwards (2002), in Drasgow & Schmitt (eds.).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from csi.moments.stack import Array

TERMS: Final = ("b0", "b1", "b2", "b3", "b4", "b5")

LINES: Final = np.array(
    [
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 1],
        [0, 1, -1, 0, 0, 0],
        [0, 0, 0, 1, -1, 1],
        [0, 0, 0, 1, 0, -1],
    ],
    dtype=np.float64,
)
"""a1 = b1 + b2, a2 = b3 + b4 + b5 (where P = E); a3 = b1 - b2, a4 = b3 - b4 + b5 (where P = -E); a5 = b3 - b5."""

SQUARES: Final = np.eye(6)[3:]
CLAIMS: Final = {
    "additive": SQUARES,
    "difference": np.concatenate([np.array([[0.0, 1, 1, 0, 0, 0]]), SQUARES]),
    "squared_difference": np.array([[0.0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, -1], [0, 0, 0, 2, 1, 0]]),
    "perceived": np.concatenate([np.eye(6)[1:2], SQUARES]),
}
"""Claims that hold when these combinations of b0 to b5 are 0: no curvature; a plain difference; its square; perception
alone."""


def terms(E: Array, P: Array) -> Array:
    """(n, 6) columns 1, E, P, E^2, E P, P^2.

    Example:
        >>> terms(np.array([2.0]), np.array([3.0])).tolist()
        [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """
    return np.column_stack([np.ones(len(E)), E, P, E**2, E * P, P**2])


def claimed(E: Array, P: Array) -> dict[str, Array]:
    """Claim -> (n, k) columns of the regression that takes it as true."""
    one, d = np.ones(len(E)), P - E
    return {
        "additive": np.column_stack([one, E, P]),
        "difference": np.column_stack([one, d]),
        "squared_difference": np.column_stack([one, d**2]),
        "perceived": np.column_stack([one, P]),
    }


def curvature(b: Array) -> Array:
    """(...) D = 4 b3 b5 - b4^2: above 0 a bowl or a dome, below 0 a saddle.

    Parameters:
        b: (..., 6) or more.
    """
    return np.asarray(4 * b[..., 3] * b[..., 5] - b[..., 4] ** 2)


def stationary(b: Array) -> Array:
    """(..., 4) the stationary point E0, P0, and intercept p10 and slope p11 of the first principal axis.

        E0 = (b2 b4 - 2 b1 b5) / D        P0 = (b1 b4 - 2 b2 b3) / D
        p11 = (b5 - b3 + sqrt((b3 - b5)^2 + b4^2)) / b4        p10 = P0 - p11 E0

    Parameters:
        b: (..., 6) or more.

    Source:
        Edwards & Parry (1993), eq. 9-16. Agrees with R RSA's definitions on the motive data (tests/reference/motcon).

    Example:
        >>> stationary(np.array([0.0, 0.2, 0.1, -0.3, 0.2, -0.2])).round(3).tolist()
        [0.5, 0.5, -0.309, 1.618]
    """
    b1, b2, b3, b4, b5 = np.moveaxis(b[..., 1:6], -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        D = curvature(b)
        E0, P0 = (b2 * b4 - 2 * b1 * b5) / D, (b1 * b4 - 2 * b2 * b3) / D
        p11 = (b5 - b3 + np.sqrt((b3 - b5) ** 2 + b4**2)) / b4
        found = np.stack([E0, P0, P0 - p11 * E0, p11], axis=-1)
    return np.where(np.isfinite(found), found, np.nan)


def slopes_at(b: Array, E: Array, P: Array) -> tuple[Array, Array]:
    """(...) slopes of y in E and in P at a point; at the means of E and P they are the average slopes.

    Parameters:
        b: (..., 6) or more. E, P: (...).
    """
    return b[..., 1] + 2 * b[..., 3] * E + b[..., 4] * P, b[..., 2] + b[..., 4] * E + 2 * b[..., 5] * P


def hull(x: Array, y: Array) -> Array:
    """(v, 2) corners of the smallest convex polygon around points, anticlockwise (Andrew's chains).

    Example:
        >>> hull(np.array([0.0, 2, 2, 0, 1]), np.array([0.0, 0, 2, 2, 1])).tolist()
        [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
    """
    points = np.unique(np.column_stack([x, y]), axis=0)
    if len(points) < 3:
        return points
    chains = []
    for ordered in (points, points[::-1]):
        chain: list[Array] = []
        for point in ordered:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return np.array(chains)


def within(corners: Array, x: float, y: float) -> bool:
    """Whether a point lies in a convex polygon (its edge included).

    Example:
        >>> square = np.array([[0.0, 0], [2, 0], [2, 2], [0, 2]])
        >>> within(square, 1.0, 1.0), within(square, 3.0, 1.0)
        (True, False)
    """
    if len(corners) < 3 or not np.isfinite(x + y):
        return False
    at = np.array([x, y])
    return all(_turn(a, b, at) >= -1e-12 for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True))


def _turn(a: Array, b: Array, c: Array) -> float:
    """Above 0 where a, b, c turn left."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
