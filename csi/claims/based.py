"""Cells of a card with too few answers: their numbers are withheld in every frame, those of not many are marked."""

from __future__ import annotations

from typing import Final

import polars as pl

from csi.errors import Reason, Text
from csi.estimate.estimate import Estimate
from csi.measures.tidy import cells_of
from csi.survey.bases import Bases, published

JUDGED: Final = ("verdict", "kind", "power")
"""Columns of text that follow from numbers."""


def bases_of(est: Estimate, bases: Bases) -> pl.DataFrame:
    """The cells of an estimate: key columns, n, flag ("suppressed", "small" or null), reason, reason_zh."""
    return bases.withheld(cells_of(est))


def based(frame: pl.DataFrame, cells: pl.DataFrame, why: Reason) -> pl.DataFrame:
    """A frame with `flag` and `reason`, null in place of the numbers and verdicts of cells with too few answers.

    Parameters:
        frame: a row or more per cell, key columns first. cells: as `bases_of` returns them. why: the reason; its code
            stands in `reason` (its text where the frame has `reason_zh`), and in `withheld`.

    Example:
        >>> found = Bases().withheld(pl.DataFrame({"brand": ["A", "B"], "n": [400, 4]}))
        >>> paths = pl.DataFrame({"brand": ["A", "B"], "estimate": [0.5, 0.9], "verdict": ["as expected", "open"]})
        >>> based(paths, found, Bases().reason).rows()
        [('A', 0.5, 'as expected', None, None), ('B', None, None, 'R-BASE', 'suppressed')]
    """
    if not frame.height or "flag" in frame.columns:
        return frame
    if "reason" not in frame.columns:
        frame = frame.with_columns(reason=pl.lit(None, dtype=pl.String))
    keys = [c for c in cells.columns[: cells.columns.index("n")] if c in frame.columns]
    told = cells.select(*keys, "flag")
    if keys:
        marked = frame.join(told, on=keys, how="left", nulls_equal=True, maintain_order="left")
    else:
        marked = frame.with_columns(flag=pl.lit(told["flag"][0], dtype=pl.String))
    gone = pl.col("flag").eq_missing("suppressed")
    numbers = [c for c, t in frame.schema.items() if t.is_float() or c in JUDGED]
    whole = "reason_zh" in frame.columns
    said = {"withheld": why.code, "reason": why.text.en if whole else why.code, "reason_zh": why.text.zh}
    return marked.with_columns(
        *(pl.when(~gone).then(pl.col(c)).alias(c) for c in numbers),
        *(pl.when(gone).then(pl.lit(v)).otherwise(pl.col(c)).alias(c) for c, v in said.items() if c in frame.columns),
    )


def gone(cells: pl.DataFrame) -> frozenset[int]:
    """Which cells are withheld.

    Example:
        >>> sorted(gone(Bases().withheld(pl.DataFrame({"brand": ["A", "B"], "n": [400, 4]}))))
        [1]
    """
    return frozenset(i for i, flag in enumerate(cells["flag"]) if flag == "suppressed")


def base_sentences(cells: pl.DataFrame, bases: Bases) -> tuple[Text, ...]:
    """What is said where every cell is withheld."""
    return () if published(cells, ()).height else bases.sentences(cells)
