"""Where rows of a table stand, as a person counts them: a file's header is row 1, a frame's first row is row 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from csi.errors import Text

SHOWN: Final = 3
"""Rows that a message names."""


def first_row(place: str) -> int:
    """The number of the first row of data: 2 in a file, whose header is row 1, else 1.

    Parameters:
        place: begins with the name of the table, "bought.csv" or "purchases".

    Example:
        >>> first_row('bought.csv, column "date"'), first_row("purchases")
        (2, 1)
    """
    return 2 if PurePath(place.split(",", maxsplit=1)[0]).suffix else 1


def placed(rows: Sequence[int], values: Sequence[object], place: str, *, quote: bool = True) -> Text:
    """The first few rows with what stands there, and how rows are counted.

    Parameters:
        rows: from 0, without the header. values: what stands in each. place: see `first_row`. quote:
            whether text stands in quotation marks.

    Example:
        >>> placed([0, 3], ["x", 2.0], "bought.csv").en
        "row 2: 'x', row 5: 2.0; the header is row 1"
        >>> placed([0], ["x"], "purchases").zh
        "第 1 行：'x'"
    """
    first = first_row(place)
    more = len(rows) > SHOWN
    pairs = list(zip(rows, values, strict=True))[:SHOWN]
    shown = [(r + first, repr(v) if quote and isinstance(v, str) else str(v)) for r, v in pairs]
    en = ", ".join(f"row {r}: {v}" for r, v in shown) + (", ..." if more else "")
    zh = "，".join(f"第 {r} 行：{v}" for r, v in shown) + ("……" if more else "")
    header = Text("; the header is row 1", "；表头为第 1 行") if first > 1 else Text("", "")
    return Text(en + header.en, zh + header.zh)
