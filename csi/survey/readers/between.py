"""Rows among the answers that are none: a header that comes again, totals at the end."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import polars as pl

from csi.errors import Text
from csi.survey.datafile import Raw
from csi.survey.readers.platforms.recipe import left_rows, without_rows

TOTALS: Final = re.compile(
    r"\s*(合\s*计|总\s*计|小\s*计|总\s*和|总数|平\s*均(值|分|数)?|均值|"
    r"(grand |sub-?)?totals?|sums?|averages?|avg\.?|means?)\s*[:：]?\s*",
    re.IGNORECASE,
)
"""What a row of totals says in its first cell."""

LAST: Final = 6
"""Rows at the end that may be totals."""

SHARE: Final = 0.8
"""A row of which so many cells repeat the header is the header again."""

IMPORT: Final = '{"ImportId"'
"""How the import ids of Qualtrics begin."""


def without_between(raw: Raw) -> Raw:
    """The export without rows that are no answers, each kind with a note that names its rows.

    Example:
        >>> cells = {"id": ["1", "id", "2", "合计"], "q1": ["5", "q1", "4", "9"]}
        >>> left = without_between(Raw("a.csv", "", pl.DataFrame(cells)))
        >>> left.frame["id"].to_list(), [n.text.en for n in left.notes]  # doctest: +NORMALIZE_WHITESPACE
        (['1', '2'], ['a.csv: 1 rows are the header once more (files put below each other?) and left out (rows 3).',
                      'a.csv: 1 rows are totals or averages and left out (rows 5).'])
    """
    again = Text("the header once more (files put below each other?)", "重复的表头（多个文件上下拼接？）")
    for found, what in ((headers, again), (totals, Text("totals or averages", "合计或平均"))):
        gone = found(raw)
        if gone is not None:
            raw = replace(without_rows(raw, gone), notes=(*raw.notes, *left_rows(raw, gone, what)))
    return raw


def headers(raw: Raw) -> pl.Series | None:
    """Which rows are the header once more, or its questions; None where there is none."""
    names = [c for c in raw.frame.columns if c.strip()]
    if len(names) < 2:
        return None
    said = {c: {c.strip(), raw.wording.get(c, c).strip()} for c in names}
    some = raw.frame.select(pl.any_horizontal(_text(c).is_in(list(said[c])) | _ids(c) for c in names[:3]))
    if not some.to_series().any():
        return None
    filled = pl.sum_horizontal(_text(c).str.len_chars() > 0 for c in names)
    same = pl.sum_horizontal(_text(c).is_in(list(said[c])) | _ids(c) for c in names)
    gone = raw.frame.select(((same >= 2) & (same >= SHARE * filled)).fill_null(value=False)).to_series()
    return gone if gone.any() else None


def totals(raw: Raw) -> pl.Series | None:
    """Which of the last rows are totals: their first cell says so, and no other row says it there."""
    end = raw.frame.height
    hits: set[int] = set()
    for row in range(end - 1, max(end - 1 - LAST, 0), -1):
        place, cell = next(((p, str(v)) for p, v in enumerate(raw.frame.row(row)) if str(v or "").strip()), (0, ""))
        if not cell:
            continue
        if TOTALS.fullmatch(cell) is None or int((raw.frame[:, place] == cell).sum()) > 1:
            break
        hits.add(row)
    return pl.Series([row in hits for row in range(end)], dtype=pl.Boolean) if hits else None


def _text(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars()


def _ids(column: str) -> pl.Expr:
    return _text(column).str.starts_with(IMPORT)
