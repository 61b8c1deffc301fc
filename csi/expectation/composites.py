"""Manifest composites: the mean of a block of items for every respondent who answered at least half of it.

Letters: `n` rows, `m` composites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from csi.errors import Note, Text
from csi.expectation.forms import named
from csi.moments.stack import Array, Sample
from csi.survey.codebook import Codebook, Form

HALF: Final = 0.5
"""A composite needs answers to this share of its items."""


@dataclass(frozen=True, slots=True)
class Composite:
    """The mean of some items.

    Attributes:
        name, items. low, high: bounds of the composite: those of its items, or 0 and 100 where items differ in range
            (each is then put on 0 to 100 first).
    """

    name: str
    items: tuple[str, ...]
    low: float
    high: float


def composite(book: Codebook, name: str, items: Sequence[str]) -> Composite:
    """The composite of some items of a codebook.

    Example:
        >>> from csi.survey.codebook import Item, Scale
        >>> q = [Item(f"q{i}", "wom", Scale("s", 1, 3 + 2 * i), Text("", "")) for i in (1, 2)]
        >>> composite(Codebook(tuple(q), {}, {}), "wom", ["q1", "q2"])
        Composite(name='wom', items=('q1', 'q2'), low=0.0, high=100.0)
    """
    lows, highs = book.bounds(items)
    if len(set(lows)) == 1 and len(set(highs)) == 1:
        return Composite(name, tuple(items), float(lows[0]), float(highs[0]))
    return Composite(name, tuple(items), 0.0, 100.0)


def scores(sample: Sample, composites: Sequence[Composite]) -> Array:
    """(n, m) composites of rows; NaN where fewer than half of a block is answered.

    Parameters:
        sample: rows with every item of the composites.
    """
    out = np.empty((len(sample.rows), len(composites)))
    for place, one in enumerate(composites):
        at = [sample.names.index(i) for i in one.items]
        x = sample.rows[:, at]
        low, high = sample.minimum[at], sample.maximum[at]
        if (one.low, one.high) != (low[0], high[0]) or np.ptp(low) or np.ptp(high):
            x = 100.0 * (x - low) / (high - low)
        seen = np.isfinite(x)
        count = seen.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(seen, x, 0.0).sum(axis=1) / count
        out[:, place] = np.where((count > 0) & (count >= HALF * len(at)), mean, np.nan)
    return out


def doubts(sample: Sample, *known: str) -> tuple[Note, ...]:
    """The notes of a sample whose rows were kept for composites: without how absences were treated, and codes `known`.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"a": [1.0, None], "b": [2.0, 3.0]})
        >>> doubts(sample_of(frame, ["a", "b"], missing="pairwise"))
        ()
    """
    return tuple(n for n in sample.notes if n.code not in ("N-MISSING", *known))


def items_named(book: Codebook, name: str, form: Form | None = None) -> tuple[str, ...]:
    """Items of a construct (of one form where it is given), or the item of that name; none where there is neither.

    Example:
        >>> from csi.survey.codebook import Item, Scale
        >>> book = Codebook((Item("q1", "wom", Scale("s", 1, 7), Text("", "")),), {}, {})
        >>> items_named(book, "wom"), items_named(book, "q1"), items_named(book, "price")
        (('q1',), ('q1',), ())
    """
    return book.items_of(name, form) or ((name,) if name in book.names else ())


def labels_of(book: Codebook, names: Sequence[str], known: Mapping[str, Text]) -> dict[str, Text]:
    """Labels by name: the codebook's construct or item, else one of the known, else the name."""
    items = {i.name: named(i.label, i.name) for i in book.items}
    own = {**known, **items, **book.constructs}
    return {n: own.get(n, Text(n, n)) for n in names}
