"""tables.xlsx: one sheet per section, numbers as numbers, text never as a formula, the same bytes each time."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from csi.display import width
from csi.errors import Text
from csi.reporting.section import SAMPLING_ONLY, Column, Report, Section, Table
from csi.reporting.undirected import undirected

FORMATS = {
    "text": "@",
    "score": "0.0",
    "change": "+0.0;-0.0;0.0",
    "share": "0.0%",
    "coefficient": "0.000",
    "index": "0.000",
    "estimate": "0.000",
    "number": "0.00",
    "count": "#,##0",
    "p": "0.000",
}
BOUND = '"≤ "0.0000'
"""A p-value that no draw reached."""
CREATED = datetime(2000, 1, 1, tzinfo=UTC)
"""The creation date in the file's properties: fixed, so that the same report has the same bytes."""

OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(report: Report, languages: Sequence[str] = ("zh", "en")) -> bytes:
    """The report's tables and data as the bytes of an .xlsx file.

    Each section has a sheet: its printed tables with headings in every language asked for, then the frames behind its
    figures, then its notes. Cells hold full precision; the number format rounds what is seen.

    Parameters:
        report: what to write. languages: headings and labels, in this order.

    Returns:
        The file's content.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, OPTIONS)
    book.set_properties({"title": safe(report.title.say(languages[0])), "created": CREATED.replace(tzinfo=None)})
    writer = _Writer(book, tuple(languages))
    writer.contents(report)
    for section in report.sections:
        writer.section(section)
    book.close()
    return buffer.getvalue()


def safe(text: str) -> str:
    r"""Text without the control characters that XML cannot hold, and marks that turn the writing.

    Example:
        >>> safe("a\x00b")
        'ab'
    """
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", undirected(text))


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet might run this text when it is retyped or pasted: it starts with = + - @ or a tab.

    Example:
        >>> looks_like_formula("=cmd|' /C calc'!A0"), looks_like_formula("中讯")
        (True, False)
    """
    return text[:1] in {"=", "+", "-", "@", "\t", "\r"}


def sheet_name(wanted: str, used: set[str]) -> str:
    r"""A sheet name Excel accepts: no []:*?/\, at most 31 characters, not yet used (case-insensitive).

    Example:
        >>> sheet_name("a/b", {"a b"})
        'a b 2'
    """
    base = re.sub(r"[\[\]:*?/\\]", " ", wanted).strip("' ")[:31] or "sheet"
    name, number = base, 2
    while name.lower() in used:
        tail = f" {number}"
        name, number = base[: 31 - len(tail)] + tail, number + 1
    used.add(name.lower())
    return name


class _Writer:
    """Writes sheets top to bottom; the only state is the workbook's formats and the names already used."""

    def __init__(self, book: xlsxwriter.Workbook, languages: tuple[str, ...]) -> None:
        self.book, self.languages, self.used = book, languages, set[str]()
        self.formats: dict[tuple[str, str], Format] = {}

    def contents(self, report: Report) -> None:
        """The first sheet: title, headline, and what stands on which sheet."""
        sheet = self.book.add_worksheet(sheet_name("目录 Contents", self.used))
        lines = [report.title, report.headline.sentence, report.headline.dateline]
        for row, text in enumerate(lines):
            self.text(sheet, row, 0, self.say(text, " / "), "title" if row == 0 else "plain")
        for row, section in enumerate(report.sections, start=len(lines) + 1):
            self.text(sheet, row, 0, section.key)
            for place, lang in enumerate(self.languages, start=1):
                self.text(sheet, row, place, section.title.say(lang))
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, len(self.languages), 60)

    def section(self, section: Section) -> None:
        """One section: tables, the data behind the figures, notes."""
        sheet = self.book.add_worksheet(sheet_name(section.key, self.used))
        self.text(sheet, 0, 0, self.say(section.title, " / "), "title")
        self.text(sheet, 1, 0, self.say(section.subtitle, " / "), "soft")
        row, wide = 3, {0: 12.0}
        for table in section.tables:
            row = self.table(sheet, row, table, wide) + 1
        printed = [t.frame for t in section.tables]
        for name, frame in section.data.items():
            if not any(frame is p or frame.equals(p) for p in printed):
                row = self.table(sheet, row, _raw(name, frame), wide) + 1
        for text in section.paragraphs:
            row = self.sentences(sheet, row, text)
        for note in (*section.notes, *((SAMPLING_ONLY,) if section.has_intervals else ())):
            row = self.sentences(sheet, row, note.text)
        for place, chars in wide.items():
            sheet.set_column(place, place, min(chars, 48.0))

    def table(self, sheet: Worksheet, row: int, table: Table, wide: dict[int, float]) -> int:
        """A table at `row`; returns the row below it."""
        self.text(sheet, row, 0, self.say(table.title, " / "), "bold")
        row += 1
        for lang in self.languages if _translated(table) else self.languages[:1]:
            for place, column in enumerate(table.columns):
                self.text(sheet, row, place, column.heading.say(lang), "head")
                wide[place] = max(wide.get(place, 9.0), 2.0 + width(column.heading.say(lang)))
            row += 1
        for number, values in enumerate(table.frame.iter_rows(named=True)):
            for place, column in enumerate(table.columns):
                shade = table.emphasis.get((number, column.name), "plain")
                said = self.cell(sheet, row, place, table, column, values, shade)
                wide[place] = max(wide.get(place, 9.0), 2.0 + width(said))
            row += 1
        for note in table.notes:
            row = self.sentences(sheet, row, note.text)
        return row

    def cell(
        self, sheet: Worksheet, row: int, place: int, table: Table, column: Column, values: dict[str, Any], shade: str
    ) -> str:
        """One cell: a number as a number, text as text, an absent value by its reason; returns the text written."""
        value = values[column.name]
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            value = values.get(f"{column.name}_reason") or ""
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(value, int | float):
            bound = column.bounds(values)
            sheet.write_number(row, place, value, self.format(shade, BOUND if bound else FORMATS[column.kind]))
            return ""
        said = self.say(table.texts.get(str(value), Text(str(value), "")), " / ")
        self.text(sheet, row, place, said, shade)
        return said

    def sentences(self, sheet: Worksheet, row: int, text: Text) -> int:
        """A note, one line per language; returns the row below it."""
        for lang in self.languages:
            self.text(sheet, row, 0, text.say(lang), "soft")
            row += 1
        return row

    def text(self, sheet: Worksheet, row: int, place: int, text: str, shade: str = "plain") -> None:
        """Text as text: never a formula, never a link, quoted where a spreadsheet might run it when retyped."""
        cell_format = self.format(f"{shade} quoted" if looks_like_formula(text) else shade, "")
        sheet.write_string(row, place, safe(text), cell_format)

    def say(self, text: Text, join: str) -> str:
        """The text in every language asked for, each once."""
        return join.join(dict.fromkeys(text.say(lang) for lang in self.languages if text.say(lang)))

    def format(self, shade: str, number: str) -> Format:
        """The cell format of a shade ("head", "warn", "title quoted" ...) and a number format; made once each."""
        if (shade, number) not in self.formats:
            made = self.book.add_format(_STYLES[shade.split(" ", maxsplit=1)[0]])
            if number:
                made.set_num_format(number)
            if shade.endswith("quoted"):
                made.set_quote_prefix()
            self.formats[shade, number] = made
        return self.formats[shade, number]


_STYLES: dict[str, dict[str, Any]] = {
    "plain": {},
    "title": {"bold": True, "font_size": 14},
    "bold": {"bold": True},
    "head": {"bold": True, "bottom": 1},
    "soft": {"font_color": "#6B6B6B"},
    "warn": {"bold": True, "font_color": "#C4502B"},
    "focus": {"bold": True, "font_color": "#0B7A6F"},
    "whole": {"bold": True},
}


def _raw(name: str, frame: pl.DataFrame) -> Table:
    """A frame as a table that prints every column under its own name."""
    flat = frame.select(pl.exclude(pl.List(pl.Float64), pl.Object))
    columns = tuple(
        Column(c, Text(c, c), "text" if not t.is_numeric() else "count" if t.is_integer() else "number")
        for c, t in flat.schema.items()
    )
    return Table(name, Text(name, name), flat, columns)


def _translated(table: Table) -> bool:
    """Whether the headings differ between the languages."""
    return any(c.heading.en != c.heading.zh for c in table.columns)
