"""Dividing points into groups by weighted k-means, and how far two divisions agree.

Letters: `n` points, `d` dimensions, `k` groups.

Source:
    Lloyd (1982), IEEE Trans. Information Theory 28, 129-137; starts: Arthur & Vassilvitskii (2007), SODA 1027-1035;
    agreement: Hubert & Arabie (1985), Journal of Classification 2, 193-218.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from csi.moments.stack import Array, Ints

STARTS: Final = 10
"""Starts of which the tightest division is kept."""

ROUNDS: Final = 300
"""Most rounds of one start; it ends when no point changes its group."""


def nearest(points: Array, centres: Array) -> Ints:
    """(n,) the nearest centre of each point, the first among equals."""
    return np.asarray(((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1), dtype=np.int64)


def tightness(points: Array, weight: Array, centres: Array) -> float:
    """Weighted sum of squared distances to the nearest centre."""
    return float(weight @ ((points[:, None] - centres) ** 2).sum(axis=2).min(axis=1))


def k_means(points: Array, weight: Array, k: int, seed: int, starts: int = STARTS) -> Array:
    """(k, d) centres of the tightest of several divisions.

    Parameters:
        points: (n, d). weight: (n,), 0 or more. k: groups, at most the number of different points with weight.
        seed: of the starts.

    Example:
        >>> x = np.array([[0.0, 0], [0, 1], [9, 9], [9, 8]])
        >>> k_means(x, np.ones(4), 2, seed=1).tolist()
        [[0.0, 0.5], [9.0, 8.5]]
    """
    rng = np.random.default_rng([seed, k])
    there = weight > 0
    points, weight = points[there], weight[there]
    found = [_settled(points, weight, _start(points, weight, k, rng)) for _ in range(starts)]
    best = min(found, key=lambda c: tightness(points, weight, c))
    return best[np.lexsort(best.T[::-1])]


def _start(points: Array, weight: Array, k: int, rng: np.random.Generator) -> Array:
    """(k, d) points drawn far from each other."""
    chosen = [points[rng.choice(len(points), p=weight / weight.sum())]]
    while len(chosen) < k:
        far = weight * ((points[:, None] - np.array(chosen)) ** 2).sum(axis=2).min(axis=1)
        chosen.append(points[rng.choice(len(points), p=far / far.sum())])
    return np.array(chosen)


def _settled(points: Array, weight: Array, centres: Array) -> Array:
    """Centres once no point changes its group; one that loses all its points stays."""
    own = nearest(points, centres)
    for _ in range(ROUNDS):
        flags = own == np.arange(len(centres))[:, None]
        mass = flags @ weight
        moved = (flags @ (weight[:, None] * points)) / np.where(mass > 0, mass, 1.0)[:, None]
        centres = np.where(mass[:, None] > 0, moved, centres)
        after = nearest(points, centres)
        if (after == own).all():
            break
        own = after
    return centres


def agreement(one: Ints, other: Ints, weight: Array) -> float:
    """Adjusted Rand index of two divisions of points that stand for `weight` rows each: 1 the same, 0 chance.

    Example:
        >>> agreement(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), np.ones(4))
        1.0
    """
    table = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    np.add.at(table, (one, other), weight)

    def pairs(count: Array) -> float:
        return float((count * (count - 1) / 2).sum())

    a, b, whole = pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), pairs(np.array([table.sum()]))
    chance = a * b / whole
    return 1.0 if (a + b) / 2 == chance else (pairs(table) - chance) / ((a + b) / 2 - chance)
