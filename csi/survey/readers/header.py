"""Where the header of a table stands among notes above and below it, and the names that its cells make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.errors import Note, note

LOOKED: Final = 50
"""Rows at the top of a sheet that may be notes."""


def names_of(cells: Sequence[str | None]) -> tuple[list[str], tuple[str, ...]]:
    """Distinct names of columns from the cells of a header, and those that stand there more than once.

    Example:
        >>> names_of(["id", " q1 ", "q1", None])
        (['id', 'q1', 'q1_duplicated_0', ''], ('q1',))
    """
    plain = [(cell or "").strip().removeprefix("\ufeff") for cell in cells]
    taken, names, seen = set(plain), list[str](), Counter[str]()
    for name in plain:
        said = name
        if seen[name]:
            number = seen[name] - 1
            while (said := f"{name}_duplicated_{number}") in taken:
                number += 1
        seen[name] += 1
        taken.add(said)
        names.append(said)
    return names, tuple(name for name, count in seen.items() if count > 1 and name)


def header_at(grid: pl.DataFrame) -> tuple[int, int]:
    """The first row that holds anything, and the row of the header, both from 0.

    The header is the first row more than half as wide as the widest of the first rows, unless that holds numbers.

    Parameters:
        grid: all cells as text, blank ones null.

    Example:
        >>> header_at(pl.DataFrame({"a": [None, "Report", "id", "1"], "b": [None, None, "q1", "5"]}))
        (1, 2)
    """
    top = grid.head(LOOKED)
    filled = top.select(pl.sum_horizontal(_filled(c) for c in top.columns)).to_series().to_list()
    first = next((row for row, count in enumerate(filled) if count), 0)
    widest = max(filled, default=0)
    found = next((row for row, count in enumerate(filled) if 2 * count > widest), first)
    cells = [str(v) for v in top.row(found) if v is not None] if top.height else []
    numbers = sum(re.fullmatch(r"\s*-?\d+([.,]\d+)?\s*", v) is not None for v in cells)
    return first, first if 2 * numbers > len(cells) else found


def table_at(grid: pl.DataFrame, row: int) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows below a header under its names, and the names that it holds twice; columns without anything go."""
    names, twice = names_of([None if v is None else str(v) for v in grid.row(row)])
    below = grid.slice(row + 1)
    below.columns = [f"{place}" for place in range(below.width)]
    kept = [str(place) for place, name in enumerate(names) if name or below[str(place)].null_count() < below.height]
    frame = below.select(kept)
    left, _ = names_of([names[int(place)] for place in kept])
    frame.columns = left
    return frame, twice


def footed(frame: pl.DataFrame) -> pl.Series:
    """True for notes below a table: after its last blank row, rows of at most one cell.

    Example:
        >>> cells = {"id": ["1", "2", None, "Source: us"], "q1": ["5", "4", None, None], "q2": ["1", "2", None, None]}
        >>> footed(pl.DataFrame(cells)).to_list()
        [False, False, True, True]
    """
    filled = frame.select(pl.sum_horizontal(_filled(c) for c in frame.columns)).to_series() if frame.width else None
    none = pl.Series([False] * frame.height, dtype=pl.Boolean)
    if filled is None or frame.width < NARROW:
        return none
    blank = (filled == 0).arg_true()
    if not blank.len():
        return none
    below = filled.to_list()
    end = frame.height
    while end and below[end - 1] <= 1:
        end -= 1
    start = next((row for row in blank.to_list() if row >= end), frame.height)
    return pl.Series([row >= start for row in range(frame.height)], dtype=pl.Boolean)


NARROW: Final = 3
"""Narrower tables have rows of one answer."""


def above_note(name: str, grid: pl.DataFrame, first: int, header: int) -> tuple[Note, ...]:
    """A note on what stands above the header."""
    if first == header:
        return ()
    said = " ".join(str(v) for v in grid.row(first) if v is not None)
    short = said if len(said) <= SHORT else said[:SHORT] + "..."
    rows, are = (f"rows {first + 1}-{header}", "are notes") if header > first + 1 else (f"row {header}", "is a note")
    rows_zh = f"{first + 1}-{header}" if header > first + 1 else f"{header}"
    en = f'{name}: the header was found in row {header + 1}; {rows} {are} ("{short}").'
    zh = f"{name}：表头位于第 {header + 1} 行；第 {rows_zh} 行是说明（“{short}”）。"
    return (note("N-HEADER-FOUND", en, zh),)


SHORT: Final = 40
"""Letters of a note that a message shows."""


def _filled(column: str) -> pl.Expr:
    """1 where a cell holds anything."""
    text = pl.col(column).str.strip_chars()
    return (text.is_not_null() & (text != "")).fill_null(value=False).cast(pl.Int32)
