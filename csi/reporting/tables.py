"""From a full-precision frame to the printed cells of a table; the digits themselves are written by `style`."""

from __future__ import annotations

from typing import Literal

from csi.errors import Text
from csi.reporting import style
from csi.reporting.section import Column, Kind, Table


def printed(value: object, kind: Kind = "number", lang: str = "en") -> str:
    """One value as a reader sees it; an absent or non-finite one is an en dash.

    Parameters:
        value: a number, a text, or None.
        kind: "score" (0-100, one decimal), "share" (a fraction as percent), "coefficient" (.62, in Chinese 0.62),
            "index" (a coefficient or fit index to three decimals), "number" (two decimals), "estimate" (three), "count"
            (grouped integer), "p" (three decimals, never ".000"), "change" (signed, one decimal), "text".

    Returns:
        The printed value with a true minus sign (U+2212).

    Example:
        >>> printed(76.46, "score"), printed(-0.0412, "coefficient"), printed(2642, "count"), printed(0.0002, "p")
        ('76.5', '−.04', '2,642', '< .001')
    """
    if value is None:
        return style.ABSENT
    if kind == "text" or not isinstance(value, int | float):
        return str(value)
    return _number(float(value), kind, lang)


def signed(value: float, kind: Literal["score", "count"] = "score") -> str:
    """A change with its sign; what rounds to zero bears none.

    Example:
        >>> signed(0.72), signed(-1.55), signed(0.01), signed(5, "count")
        ('+0.7', '−1.6', '0.0', '+5')
    """
    return style.change(value, 1 if kind == "score" else 0)


def rows(table: Table, lang: str) -> list[list[str]]:
    """The cells of `table` as printed text, row by row, in the order of its columns.

    A null cell prints the text of the frame's column `NAME_reason` where there is one ("n < 30").

    Example:
        >>> import polars as pl
        >>> from csi.errors import Text
        >>> columns = (Column("who", Text("Who", "谁")), Column("x", Text("x", "x"), "score"))
        >>> frame = pl.DataFrame({"who": ["a", "b"], "x": [70.14, None], "x_reason": [None, "n < 30"]})
        >>> rows(Table("t", Text("", ""), frame, columns, texts={"a": Text("Ann", "安")}), "zh")
        [['安', '70.1'], ['b', 'n < 30']]
    """
    return [[_cell(table, column, row, lang) for column in table.columns] for row in table.frame.iter_rows(named=True)]


def head(table: Table, lang: str) -> list[str]:
    """The headings of `table` in `lang`."""
    return [column.heading.say(lang) for column in table.columns]


def _cell(table: Table, column: Column, row: dict[str, object], lang: str) -> str:
    value = row[column.name]
    if value is None and row.get(f"{column.name}_reason") is not None:
        value = row[f"{column.name}_reason"]
    if isinstance(value, str):
        return table.texts.get(value, Text(value, value)).say(lang)
    if isinstance(value, float) and column.bounds(row):
        return style.p_value(value, lang, value)
    if isinstance(value, float) and column.kind == "p" and not column.raw:
        return style.p_value(value, lang, column.least)
    return printed(value, column.kind, lang)


def _number(value: float, kind: str, lang: str) -> str:
    if kind == "coefficient":
        return style.coefficient(value, lang)
    if kind == "index":
        return style.coefficient(value, lang, 3)
    if kind == "p":
        return style.p_value(value, lang)
    if kind == "estimate":
        return style.score(value, 3)
    if kind == "number":
        return style.score(value, 2)
    return {"change": style.change, "score": style.score, "share": style.share, "count": style.count}[kind](value)
