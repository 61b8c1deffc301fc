"""Which model a scale gets: categories of its items, and how free parameters make the items' own.

Letters: `n` rows, `i` items, `K` thresholds at most, `k` free parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from csi.measures.response.curves import Family
from csi.measures.response.marginal import Bools, Shape
from csi.moments.stack import Array, Ints

Kind = Literal["grm", "gpcm", "pcm", "rsm", "2pl", "rasch"]

FAMILY: Final[dict[Kind, Family]] = {
    "grm": "cumulative",
    "2pl": "cumulative",
    "gpcm": "adjacent",
    "pcm": "adjacent",
    "rsm": "adjacent",
    "rasch": "adjacent",
}
ONE_SLOPE: Final = frozenset({"pcm", "rsm", "rasch"})
"""Models in which all items share one slope: theta is in logits and its standard deviation is estimated."""

DICHOTOMOUS: Final = frozenset({"2pl", "rasch"})


@dataclass(frozen=True, slots=True)
class Coded:
    """Answers as categories from 0: category (n, i), -1 where absent; codes: what each category was in the data."""

    category: Ints
    codes: tuple[Array, ...]

    @property
    def categories(self) -> Ints:
        """(i,) how many."""
        return np.array([len(c) for c in self.codes], dtype=np.int64)


def coded(rows: Array, *, together: bool = False) -> Coded:
    """Distinct answers of each item in their order; those of all items when they are coded `together`.

    Parameters:
        rows: (n, i) answers, NaN where absent.

    Example:
        >>> told = coded(np.array([[1.0, 5.0], [3.0, np.nan]]))
        >>> told.category.tolist(), [c.tolist() for c in told.codes]
        ([[0, 0], [1, -1]], [[1.0, 3.0], [5.0]])
    """
    every = np.unique(rows[np.isfinite(rows)])
    found, codes = np.full(rows.shape, -1, np.int64), []
    for k in range(rows.shape[1]):
        known = np.isfinite(rows[:, k])
        mine = every if together else np.unique(rows[known, k])
        found[known, k] = np.searchsorted(mine, rows[known, k])
        codes.append(mine)
    return Coded(found, tuple(codes))


def shape_of(kind: Kind, categories: Ints, *, one_slope: bool = False) -> Shape:
    """The design of a model over items with these numbers of categories.

    Parameters:
        one_slope: the items share a slope although the model gives each its own (two items).

    Example:
        >>> shape_of("grm", np.array([3, 2])).design.shape, shape_of("rsm", np.array([3, 3])).design.shape[2]
        ((2, 3, 5), 4)
    """
    items, K = categories.size, int(categories.max()) - 1
    used = np.arange(K + 1)[None, :] < categories[:, None]
    shared = one_slope or kind in ONE_SLOPE
    slopes = np.zeros(items, np.int64) if shared else np.arange(items)
    first = int(slopes.max()) + 1
    if kind == "rsm":
        design = np.zeros((items, K + 1, first + items + K - 1))
        for i in range(items):
            design[i, 1:, first + i] = np.arange(1, K + 1)
            design[i, np.arange(1, K), first + items + np.arange(K - 1)] = 1
    else:
        design = np.zeros((items, K + 1, first + int((categories - 1).sum())))
        at = np.nonzero(used[:, 1:])
        design[at[0], at[1] + 1, first + np.arange(at[0].size)] = 1
    design[np.arange(items), 0, slopes] = 1
    return Shape(FAMILY[kind], design, used)


def parameters(kind: Kind, own: Array, used: Bools) -> tuple[Array, Array, float]:
    """Slopes (i,), thresholds (i, K) and the standard deviation of theta, in the metric in which they are reported.

    b_k = -d_k / a of cumulative items, -(d_k - d_(k-1)) / a of adjacent ones; where all share a slope, that is the
    standard deviation of theta in logits, slopes are 1 and thresholds are not divided.

    Parameters:
        own: (i, 1 + K). used: (i, 1 + K).
    """
    steps = own[:, 1:]
    if FAMILY[kind] == "adjacent":
        before = np.concatenate([np.zeros((len(own), 1)), np.where(used[:, 1:], own[:, 1:], 0)[:, :-1]], axis=1)
        steps = own[:, 1:] - before
    steps = np.where(used[:, 1:], steps, np.nan)
    if kind in ONE_SLOPE:
        return np.ones(len(own)), -steps, float(own[0, 0])
    return own[:, 0], -steps / own[:, :1], 1.0


def jacobian(kind: Kind, shape: Shape, free: Array) -> Array:
    """(i (1 + K) + 1, k) derivative of the reported slopes and thresholds, item by item, and of the deviation.

    Example:
        >>> shape = shape_of("2pl", np.array([2, 2, 2]))
        >>> jacobian("2pl", shape, np.array([2.0, 1.0, 1.0, 4.0, 0.0, 0.0]))[:2].tolist()
        [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, -0.5, 0.0, 0.0]]
    """
    own = np.where(shape.used, shape.own(free), 0)
    items, width = own.shape
    inner = np.zeros((items, width, width))
    a = np.ones(items) if kind in ONE_SLOPE else own[:, 0]
    at = np.arange(1, width)
    inner[:, at, at] = (-1 / a)[:, None]
    steps = own[:, 1:].copy()
    if shape.family == "adjacent":
        inner[:, at[1:], at[:-1]] = (1 / a)[:, None]
        steps[:, 1:] -= own[:, 1:-1]
    if kind not in ONE_SLOPE:
        inner[:, 0, 0] = 1
        inner[:, 1:, 0] = steps / a[:, None] ** 2
    rows = (inner @ shape.design).reshape(items * width, -1)
    return np.concatenate([rows, shape.design[:1, 0]])


def names_of(values: Sequence[float]) -> list[str]:
    """Codes as they are written: 3 for 3.0.

    Example:
        >>> names_of([1.0, 2.5])
        ['1', '2.5']
    """
    return [f"{v:g}" for v in values]
