"""How the weights of a panel were made: what was raked to what, how it ended, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from csi.errors import Note


@dataclass(frozen=True, slots=True)
class Weighing:
    """The record of raking; a panel that has one is raked again in every replicate.

    Attributes:
        by: columns in whose cells margins hold, each by itself. variables: for each margin its columns (several are
            joint cells: post-stratification). apart: columns whose absent values are a category of their own.
        stands: column -> the category that its absent values count as.
        base: the column of base weights; "" for none. bounds: of weights as multiples of a group's mean; None for none.
        margins: one row per group, margin and category: `by`, `margin`, `category`, `n`, `target`, `before`, `after`
            (shares of the group's weights).
        groups: one row per group: `by`, `n`, `design_effect`, `effective_n`, `smallest`, `largest` (of its mean),
            `trimmed` (share of rows), `deviation` (the largest of a margin), `sum` of weights.
        iterations: turns over all margins. converged: whether every margin is met within `tolerance`.
        notes: what is doubtful.
    """

    by: tuple[str, ...]
    variables: tuple[tuple[str, ...], ...]
    apart: tuple[str, ...]
    stands: Mapping[str, str]
    base: str
    bounds: tuple[float, float] | None
    margins: pl.DataFrame
    groups: pl.DataFrame
    iterations: int
    tolerance: float
    converged: bool
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighted:
    """A frame with raked weights: what `csi.rake` makes of a frame; `csi.fit` and all estimates take it as they take
    the frame, and rake again in every replicate.

    Attributes:
        frame: the frame with a column `weight`. weighing: how it was made.

    Example:
        >>> import csi
        >>> made = csi.rake(pl.DataFrame({"sex": ["f", "f", "m"]}), {"sex": {"f": 0.5, "m": 0.5}})
        >>> made.frame["weight"].to_list()
        [0.75, 0.75, 1.5]
    """

    frame: pl.DataFrame
    weighing: Weighing
