"""Counting ordinal answers: category numbers, margins and two-way tables of all pairs under many weightings.

Letters: `p` items, `n` rows, `B` weightings, `t` pairs of items, `k` the largest number of categories (items with
fewer are padded with empty categories).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from csi.moments.stack import Array, Ints

ENTRIES = 250_000
"""Numbers in one block of work: it stays in the cache of a core."""


def codes_of(rows: Array, categories: Sequence[Sequence[float]]) -> Ints:
    """Category numbers from 0 in the order of `categories`; -1 where absent or not among them.

    Parameters:
        rows: (n, p) answers, NaN where absent. categories: increasing values of each of the p items.

    Returns:
        (n, p).

    Example:
        >>> codes_of(np.array([[1.0], [np.nan], [5.0]]), [(1.0, 3.0, 5.0)]).ravel().tolist()
        [0, -1, 2]
    """
    codes = np.full(rows.shape, -1, dtype=np.int64)
    for j, values in enumerate(categories):
        place = np.searchsorted(values, rows[:, j])
        known = place < len(values)
        known[known] = np.asarray(values)[place[known]] == rows[known, j]
        codes[known, j] = place[known]
    return codes


def margins(codes: Ints, W: Array, k: int) -> Array:
    """Weighted counts of every category of every item under every weighting.

    Parameters:
        codes: (n, p) category numbers from 0, -1 where absent. W: (B, n) weights. k: the largest number of categories.

    Returns:
        (B, p, k).

    Example:
        >>> margins(np.array([[0], [1], [1]]), np.ones((1, 3)), 2).tolist()
        [[[1.0, 2.0]]]
    """
    p = codes.shape[1]
    places = np.where(codes < 0, k, codes).T + (k + 1) * np.arange(p)[:, None]
    return _counts(places, W, p * (k + 1)).reshape(W.shape[0], p, k + 1)[:, :, :k]


def cells(codes: Ints, k: int, pairs: tuple[Ints, Ints]) -> Ints:
    """The place of every row in the table of every pair, absence being the last category of each item.

    Parameters:
        codes: (n, p). k: categories. pairs: first (t,) and second (t,) items.

    Returns:
        (t, n) places in t tables of (k + 1)^2 cells laid end to end.

    Example:
        >>> cells(np.array([[0, 1], [1, -1]]), 2, (np.array([0]), np.array([1]))).tolist()
        [[1, 5]]
    """
    by_item = np.ascontiguousarray(np.where(codes < 0, k, codes).T)
    first, second = pairs
    places = (by_item * (k + 1))[first]
    places += by_item[second]
    places += (np.arange(first.size) * (k + 1) ** 2)[:, None]
    return places


def tables(codes: Ints, W: Array, k: int, pairs: tuple[Ints, Ints]) -> Array:
    """Weighted two-way tables of every pair of items under every weighting; rows absent in either item leave.

    Parameters:
        codes: (n, p). W: (B, n). k: categories. pairs: first (t,) and second (t,) items.

    Returns:
        (B, t, k, k).

    Example:
        >>> pair = np.array([0]), np.array([1])
        >>> tables(np.array([[0, 0], [1, 1], [1, 0]]), np.ones((1, 3)), 2, pair)[0, 0].tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    first, second = pairs
    result = np.empty((W.shape[0], first.size, k, k))
    step = max(1, ENTRIES // max(codes.shape[0], 1)) if W.shape[0] == 1 else max(1, 8 * ENTRIES // codes.shape[0])
    for start in range(0, first.size, step):
        block = slice(start, start + step)
        part = first[block], second[block]
        counts = _counts(cells(codes, k, part), W, part[0].size * (k + 1) ** 2)
        result[:, block] = counts.reshape(W.shape[0], -1, k + 1, k + 1)[:, :, :k, :k]
    return result


def _counts(places: Ints, W: Array, size: int) -> Array:
    """(B, size) sums of weights over the places (m, n) that a row falls into."""
    m, n = places.shape
    if W.shape[0] == 1:
        counts = np.bincount(places.ravel(), weights=np.tile(W[0], m), minlength=size)
        return counts[None].astype(np.float64, copy=False)
    rows = np.tile(np.arange(n), m)
    indicator = csr_array((np.ones(m * n), (places.ravel(), rows)), shape=(size, n))
    blocks = [indicator @ np.ascontiguousarray(W[i : i + 64].T) for i in range(0, W.shape[0], 64)]
    return np.concatenate(blocks, axis=1).T


def refilled(counts: Array) -> tuple[Array, Array]:
    """2 x 2 tables with one empty cell get 0.5 in it, taken from its neighbours so that the margins stay.

    Parameters:
        counts: (t, k, k) tables; only those whose cells beyond 2 x 2 are all empty are looked at by the caller.

    Returns:
        The tables (t, k, k) and which of them were changed (t,).

    Source: lavaan's documentation of `zero.add = c(0.5, 0)` and `zero.keep.margins = TRUE` (lavOptions).

    Example:
        >>> refilled(np.array([[[10.0, 0.0], [5.0, 10.0]]]))[0].tolist()
        [[[9.5, 0.5], [5.5, 9.5]]]
    """
    core = counts[:, :2, :2]
    empty = core == 0
    changed = empty.sum(axis=(1, 2)) == 1
    sign = np.where(empty[:, 0, 0] | empty[:, 1, 1], 1.0, -1.0) * changed
    filled = counts.copy()
    filled[:, :2, :2] += 0.5 * sign[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return filled, changed
