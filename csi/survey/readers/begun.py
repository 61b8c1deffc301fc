"""Where the table of a separated text begins: its separator, and its header among notes above it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Final

import polars as pl

from csi.errors import Note
from csi.survey.datafile import Raw
from csi.survey.readers.broken import long_cells
from csi.survey.readers.header import LOOKED, above_note, header_at, names_of
from csi.survey.readers.platforms import platform_of

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
TOP: Final = 1_000_000
"""Characters at the top of a text in which its header is looked for."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The separator of a text, how many lines stand above its header, and a note on what they say."""

    separator: str
    above: int = 0
    notes: tuple[Note, ...] = ()


def begin_of(name: str, text: str) -> Begin:
    r"""Where the table of a text begins.

    Example:
        >>> begin_of("a.csv", "Report, of 2026\n\nid;q1;q2\n1;7,5;8\n").above
        2
        >>> begin_of("a.csv", "id;q1\n1;7,5\n")
        Begin(separator=';', above=0, notes=())
    """
    first = separator_of(text)
    rows = _top(text, first)
    if len({len(cells) for _, cells in rows if cells}) > 1:
        first = max((first, *SEPARATORS), key=lambda s: _even(_top(text, s)))
        rows = _top(text, first)
    width = max((len(cells) for _, cells in rows), default=0)
    if width < 2:
        return Begin(first)
    grid = pl.DataFrame(
        [[*((c.strip() or None) for c in cells), *([None] * (width - len(cells)))] for _, cells in rows],
        schema=[str(place) for place in range(width)], orient="row", strict=False,
    ).cast(pl.String)  # fmt: skip
    top, header = header_at(grid)
    if header != top and _of_platform(name, grid, top):
        header = top
    above = rows[header][0] - 1
    return Begin(first, above, above_note(name, grid, top, header) if top != header else ())


def separator_of(text: str) -> str:
    r"""The separator that occurs most often in the header line; a comma when none does.

    Example:
        >>> separator_of("id;q1;q2\n1;7,5;8")
        ';'
    """
    counts = Counter(char for char in text.lstrip().split("\n", 1)[0] if char in SEPARATORS)
    return counts.most_common(1)[0][0] if counts else ","


def below(text: str, lines: int) -> str:
    r"""A text without its first lines.

    Example:
        >>> below("a\nb\nc", 2)
        'c'
    """
    place = 0
    for _ in range(lines):
        place = text.index("\n", place) + 1
    return text[place:]


def _top(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """The first rows, each with the line in which it begins; an unclosed quotation mark ends them."""
    part = text[:TOP]
    rows = csv.reader(io.StringIO(part, newline=""), delimiter=separator)
    found: list[tuple[int, list[str]]] = []
    line = 1
    try:
        with long_cells(part):
            for cells in rows:
                found.append((line, cells))
                line = rows.line_num + 1
                if len(found) > LOOKED:
                    break
    except csv.Error:
        return found
    return found


def _even(rows: list[tuple[int, list[str]]]) -> tuple[int, int]:
    """How many rows are as wide as most rows of several cells, and how wide."""
    counts = Counter(len(cells) for _, cells in rows if len(cells) > 1)
    return max(((count, width) for width, count in counts.items()), default=(0, 0))


def _of_platform(name: str, grid: pl.DataFrame, row: int) -> bool:
    """Whether a row is the header of a platform's export."""
    names, _ = names_of([None if v is None else str(v) for v in grid.row(row)])
    below_ = grid.slice(row + 1)
    below_.columns = [n or f" {place}" for place, n in enumerate(names)]
    return platform_of(Raw(name, "", below_)) is not None
