"""Whether items load where they were meant to, and whether two solutions hold the same factors.

Letters: `p` items, `m` factors, `q` constructs.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from csi.moments.stack import Array, Ints


def congruence(A: Array, B: Array) -> Array:
    """Tucker's congruence of every factor of one solution with every factor of another.

    sum_i a_ij b_ik / sqrt(sum_i a_ij^2 sum_i b_ik^2)

    Parameters:
        A: (p, m) loadings. B: (p, k) of the same items.

    Returns:
        (m, k).

    Source: Tucker (1951), Personnel Research Section Report 984.

    Example:
        >>> congruence(np.array([[0.8], [0.7], [0.1]]), np.array([[0.4], [0.35], [0.05]])).round(6).tolist()
        [[1.0]]
    """
    size = np.sqrt(np.outer((A * A).sum(axis=0), (B * B).sum(axis=0)))
    return np.asarray((A.T @ B) / np.where(size > 0, size, np.nan))


def aligned(found: Array, expected: Array) -> tuple[Ints, Array]:
    """Which factor of a solution stands for each of another, and with which sign, so that congruences are greatest.

    Parameters:
        found: (p, m). expected: (p, m).

    Returns:
        order (m,) and sign (m,): found[:, order] * sign stands as `expected` does.

    Example:
        >>> order, sign = aligned(np.array([[0.0, -0.8], [0.7, 0.1]]), np.array([[0.8, 0.0], [0.0, 0.7]]))
        >>> order.tolist(), sign.tolist()
        ([1, 0], [-1.0, 1.0])
    """
    inner = np.nan_to_num(congruence(found, expected))
    mine, theirs = linear_sum_assignment(-np.abs(inner))
    order = np.empty(mine.size, dtype=np.int64)
    order[theirs] = mine
    sign = np.where(inner[order, np.arange(order.size)] < 0, -1.0, 1.0)
    return order, sign


def adjusted_rand(one: Ints, other: Ints) -> float:
    """Agreement of two groupings of the same items: 1 the same, 0 as by chance.

    (sum_ab C(n_ab, 2) - E) / ((sum_a C(n_a, 2) + sum_b C(n_b, 2)) / 2 - E), E by fixed group sizes

    Parameters:
        one, other: (p,) groups.

    Returns:
        at most 1; NaN where both put all items into one group or each into its own.

    Source: Hubert & Arabie (1985), Journal of Classification 2, 193-218.

    Example:
        >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
        1.0
    """
    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1.0)
    both, rows, columns = (float((t * (t - 1) / 2).sum()) for t in (table, table.sum(axis=1), table.sum(axis=0)))
    chance = rows * columns / (one.size * (one.size - 1) / 2)
    most = (rows + columns) / 2
    return (both - chance) / (most - chance) if most > chance else np.nan


def matched(L: Array, intended: Ints, q: int) -> Ints:
    """The factor that stands for each construct: together they hold most of the constructs' squared loadings.

    Parameters:
        L: (p, m). intended: (p,) construct of each item, -1 for none. q: constructs.

    Returns:
        (q,) factor of each construct, -1 for constructs that are left where factors are fewer.

    Example:
        >>> matched(np.array([[0.1, 0.8], [0.0, 0.7], [0.6, 0.2]]), np.array([0, 0, 1]), 2).tolist()
        [1, 0]
    """
    share = np.stack([(L[intended == c] ** 2).sum(axis=0) for c in range(q)])
    rows, columns = linear_sum_assignment(-share)
    found = np.full(q, -1, dtype=np.int64)
    found[rows] = columns
    return found


def similarity(L: Array, members: Array) -> Array:
    """Congruence of every factor with a construct's simple structure: equal loadings of its items, none of others.

    sum_(i in c) |l_ij| / sqrt(k_c sum_i l_ij^2)

    Parameters:
        L: (p, m). members: (p, q) 1 where an item belongs to a construct, else 0.

    Returns:
        (m, q) from 0 to 1.

    Example:
        >>> similarity(np.array([[0.7], [-0.7], [0.0]]), np.array([[1.0], [1.0], [0.0]])).round(6).tolist()
        [[1.0]]
    """
    return congruence(np.abs(L), members)
