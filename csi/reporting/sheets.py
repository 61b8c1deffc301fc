"""Result tables as a file: a workbook with a sheet per table, or the first table as csv or parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from csi.errors import Language, Problems, Text, problem
from csi.reporting.section import Column, Headline, Report, Section, Table
from csi.reporting.tables import Kind
from csi.reporting.write import written
from csi.reporting.xlsx import workbook

KINDS: Final = (".xlsx", ".csv", ".parquet")


def check_kind(path: Path) -> None:
    """The file's name says what it is to be.

    Raises:
        Problems: E-OUT.
    """
    if path.suffix.lower() not in KINDS:
        en, zh = "tables are written as xlsx, csv or parquet.", "表格可写为 xlsx、csv 或 parquet。"
        do, do_zh = "Name a file such as tables.xlsx.", "请给出 tables.xlsx 之类的文件名。"
        raise Problems([problem("E-OUT", str(path), en, zh, do, do_zh)])


def write_tables(
    path: Path,
    title: Text,
    frames: Mapping[str, tuple[Text, pl.DataFrame]],
    headings: Mapping[str, Text],
    languages: Sequence[Language],
    texts: Mapping[str, Text] | None = None,
) -> None:
    """Write the tables at full precision; of the workbook a sheet per table and language.

    Parameters:
        frames: name -> title and table. headings: column -> heading, the column's own name by default. texts: value of
            a cell of words -> how it is told.

    Raises:
        Problems: E-OUT.
    """
    check_kind(path)
    kind = path.suffix.lower()
    first = next(iter(frames.values()))[1]
    if kind == ".csv":
        body = first.write_csv().encode()
    elif kind == ".parquet":
        buffer = io.BytesIO()
        first.write_parquet(buffer)
        body = buffer.getvalue()
    else:
        tables = [_table(n, t, f, headings, texts or {}) for n, (t, f) in frames.items() if f.width]
        sections = tuple(Section(t.name, t.title, Text("", ""), tables=(t,)) for t in tables)
        nan = float("nan")
        head = Headline(title, title, nan, nan, nan, (), Text("", ""))
        body = workbook(Report(title, head, sections, {}), tuple(languages))
    written(path.parent, {path.name: body})


def _table(
    name: str, title: Text, frame: pl.DataFrame, headings: Mapping[str, Text], texts: Mapping[str, Text]
) -> Table:
    """A table whose numbers keep their digits."""
    columns = tuple(Column(c, headings.get(c, Text(c, c)), _kind(frame.schema[c])) for c in frame.columns)
    plain = frame.with_columns(pl.col(pl.Boolean).cast(pl.String))
    return Table(name, title, plain, columns, texts=dict(texts))


def _kind(dtype: pl.DataType) -> Kind:
    return "count" if dtype.is_integer() else "number" if dtype.is_numeric() else "text"
