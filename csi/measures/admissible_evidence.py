"""What the correlations of a sample say about its items: unrelated, twice the same, or at home elsewhere.

Letters: `p` items, `n` rows, `R` (p, p) correlations; a block is the positions of the items of one latent variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array

CHANCE = 2.2
"""A correlation below this many times 1 / sqrt(n) is no more than chance."""

NOTHING, SOMETHING = 0.10, 0.20
"""However many rows, a correlation below the first is none; however few, one above the second is some."""

LEFT = 0.25
"""Items that are left beside such ones and correlate less than this with each other do not make a block."""

TWIN = 0.95
"""Items with a correlation from this size on are nearly the same, if nothing else comes near either of them."""

LOADS = 0.30
"""A loading elsewhere below this moves no item."""

Block = tuple[int, ...]
Blocks = Mapping[str, Block]


@dataclass(frozen=True, slots=True)
class Away:
    """An item that goes with another block: position, its block, the other one, and the loadings correlations give."""

    item: int
    home: str
    to: str
    own: float
    there: float


def chance(n: float) -> float:
    """A correlation below which two items are taken to be unrelated.

    Example:
        >>> [round(chance(n), 3) for n in (50, 250, 1000)]
        [0.2, 0.139, 0.1]
    """
    return float(min(SOMETHING, max(NOTHING, CHANCE / np.sqrt(n))))


def with_sum(R: Array, one: int, others: Sequence[int]) -> float:
    """Absolute correlation of an item with the sum of others, each turned the way that they go together.

    Example:
        >>> R = np.array([[1.0, 0.5, -0.5], [0.5, 1.0, -0.5], [-0.5, -0.5, 1.0]])
        >>> round(with_sum(R, 0, [1, 2]), 4)
        0.5774
    """
    s = _signs(R, others)
    own = float(s @ R[np.ix_(others, others)] @ s)
    return float(abs(s @ R[others, one])) / float(np.sqrt(own)) if own > 0 else 0.0


def _signs(R: Array, items: Sequence[int]) -> Array:
    """(k,) 1 or -1: which way each item goes with the first principal component of all."""
    leading = np.linalg.eigh(R[np.ix_(items, items)])[1][:, -1]
    return np.where(leading < 0, -1.0, 1.0)


def unrelated(R: Array, blocks: Blocks, limit: float) -> dict[str, tuple[Block, tuple[float, ...]]]:
    """Factor -> positions of the items that go with nothing, and their mean absolute correlations with their mates.

    Where one item is found, its mates are looked at again without it. An item that goes with another block only is no
    matter of chance: see `elsewhere`. Where no item of a block goes with its mates, the block rests on the one that
    goes most with another block.

    Parameters:
        limit: below it a correlation is none.

    Example:
        >>> R = np.eye(5) + 0.5 * (np.ones((5, 5)) - np.eye(5))
        >>> R[[0, 1], :] = R[:, [0, 1]] = 0.0
        >>> R[[0, 1], [0, 1]] = 1.0
        >>> unrelated(R, {"f": (0, 1, 2), "g": (3, 4)}, 0.15)
        {'f': ((0, 1), (0.0, 0.0))}
    """
    out = {}
    for f, block in blocks.items():
        low = _apart(R, block, limit) if len(block) > 1 else []
        far = {i: max((with_sum(R, i, b) for o, b in blocks.items() if o != f), default=0.0) for i in low}
        if low and len(low) == len(block):
            best = max(low, key=lambda i: far[i])
            nowhere = [i for i in low if i != best or far[best] < limit]
        else:
            nowhere = [i for i in low if far[i] < LOADS]
        if nowhere:
            out[f] = tuple(nowhere), tuple(_mean(R, i, block) for i in nowhere)
    return out


def _mean(R: Array, one: int, block: Block) -> float:
    """Mean absolute correlation of an item with the others of its block."""
    return float(np.abs(R[one, [i for i in block if i != one]]).mean())


def _apart(R: Array, block: Block, limit: float) -> list[int]:
    """Items that do not go with the sum of the others, nor with those that are left without such items."""
    low = [i for i in block if with_sum(R, i, [j for j in block if j != i]) < limit]
    left = [i for i in block if i not in low]
    if not low or len(left) < 2:
        return list(block) if len(left) == 1 else low
    weak = {i for i in left if with_sum(R, i, [j for j in left if j != i]) < LEFT}
    return [i for i in block if i in low or i in weak]


def twins(R: Array, items: Sequence[int]) -> dict[tuple[int, int], float]:
    """Pairs that correlate .95 or more while every other correlation of either is at least twice as far from 1.

    Returns:
        Pair -> its correlation.

    Example:
        >>> R = np.array([[1.0, 0.98, 0.5], [0.98, 1.0, 0.5], [0.5, 0.5, 1.0]])
        >>> twins(R, [0, 1, 2])
        {(0, 1): 0.98}
        >>> twins(np.full((3, 3), 0.97) + 0.03 * np.eye(3), [0, 1, 2])
        {}
    """
    out = {}
    close = [(i, j) for a, i in enumerate(items) for j in items[a + 1 :] if abs(R[i, j]) >= TWIN]
    for i, j in close:
        others = [k for k in items if k not in {i, j}]
        next_best = float(np.abs(R[np.ix_(others, [i, j])]).max(initial=0.0))
        if 1 - next_best > 2 * (1 - abs(R[i, j])):
            out[i, j] = float(R[i, j])
    return out


def elsewhere(R: Array, blocks: Blocks) -> list[Away]:
    """Items whose correlations give them a larger loading on another block than on their own.

        loading on a block = mean r with its items / sqrt(mean r among them),  the item itself left out

    Returns:
        The best other block of each such item of a block of three or more.

    Example:
        >>> R = np.array([[1, 0.6, 0.2, 0.2, 0.2], [0.6, 1, 0.2, 0.2, 0.2], [0.2, 0.2, 1, 0.6, 0.6],
        ...               [0.2, 0.2, 0.6, 1, 0.6], [0.2, 0.2, 0.6, 0.6, 1]])
        >>> [(one.item, one.home, one.to, round(one.there, 3)) for one in elsewhere(R, {"f": (0, 1, 2), "g": (3, 4)})]
        [(2, 'f', 'g', 0.775)]
    """
    out = []
    on = {f: _loadings(R, block) for f, block in blocks.items() if len(block) > 1}
    for f, block in blocks.items():
        others = [o for o in on if o != f]
        for i in block if len(block) > 2 and others else ():
            best = max(others, key=lambda o, i=i: on[o][i])  # type: ignore[misc]  # the item at hand
            own = float(_loadings(R, [j for j in block if j != i])[i])
            if on[best][i] > own:
                out.append(Away(i, f, best, own, float(on[best][i])))
    return out


def _loadings(R: Array, block: Sequence[int]) -> Array:
    """(p,) loadings of all items on what those of a block have in common, 0 where that is nothing."""
    s, k = _signs(R, block), len(block)
    within = float(s @ R[np.ix_(block, block)] @ s - k) / (k * (k - 1))
    return np.abs(R[:, list(block)] @ s) / k / np.sqrt(within) if within > 0 else np.zeros(len(R))
