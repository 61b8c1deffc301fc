"""How a number is printed: the one place where a report rounds.

Every figure, sentence and table cell takes its digits from here, so the same value never appears in two versions.
"""

from __future__ import annotations

import math
from typing import Literal

from csi.errors import Text
from csi.reporting.section import Column, Table

Kind = Literal["text", "score", "share", "coefficient", "number", "count", "p"]

MINUS = "\u2212"
ABSENT = "–"


def printed(value: object, kind: Kind = "number") -> str:
    """One value as a reader sees it; an absent or non-finite one is an en dash.

    Parameters:
        value: a number, a text, or None.
        kind: "score" (0-100, one decimal), "share" (a fraction as percent, one decimal), "coefficient" (two decimals
            without the leading zero), "number" (two decimals), "count" (grouped integer), "p" (three decimals, never
            ".000"), "text".

    Returns:
        The printed value with a true minus sign (U+2212).

    Example:
        >>> printed(76.46, "score"), printed(-0.0412, "coefficient"), printed(2642, "count"), printed(0.0002, "p")
        ('76.5', '−.04', '2,642', '< .001')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ABSENT
    if kind == "text" or not isinstance(value, int | float):
        return str(value)
    return _minus(_FORMATS[kind](float(value)))


def signed(value: float, kind: Kind = "score") -> str:
    """A change with its sign; what rounds to zero bears none.

    Example:
        >>> signed(0.72), signed(-1.55), signed(0.01)
        ('+0.7', '−1.6', '0.0')
    """
    text = printed(value, kind)
    return f"+{text}" if value > 0 and any(c in "123456789" for c in text) else text


def interval(low: float, high: float, kind: Kind = "score") -> str:
    """Two ends: an en dash between scores, a comma between values that may be negative.

    Example:
        >>> interval(75.41, 77.62), interval(-0.042, 0.101, "coefficient")
        ('75.4–77.6', '−.04, .10')
    """
    join = "–" if kind in ("score", "share", "count") and low >= 0 else ", "
    return f"{printed(low, kind)}{join}{printed(high, kind)}"


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
    return printed(value, column.kind)


def _coefficient(value: float) -> str:
    text = f"{value:.2f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def _p(value: float) -> str:
    return "< .001" if value < 0.0005 else _bare(f"{value:.3f}")


def _bare(text: str) -> str:
    return text.replace("0.", ".", 1) if text.startswith("0.") else text


def _minus(text: str) -> str:
    """A true minus sign; a negative that rounds to zero loses it."""
    if not text.startswith("-"):
        return text
    return MINUS + text[1:] if any(c in "123456789" for c in text) else text[1:]


_FORMATS = {
    "score": lambda v: f"{v:.1f}",
    "share": lambda v: f"{100 * v:.1f}%",
    "coefficient": _coefficient,
    "number": lambda v: f"{v:.2f}",
    "count": lambda v: f"{v:,.0f}",
    "p": _p,
}
