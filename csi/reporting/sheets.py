"""Result tables as files: a workbook with a sheet per table, or a csv or parquet file for each of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from csi.errors import Language, Problems, Text, problem
from csi.reporting.section import Column, Headline, Kind, Report, Section, Table
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
) -> tuple[Path, ...]:
    """Write the tables at full precision: of the workbook a sheet per table and language; as csv or parquet the first
    table into the file, each further one with rows beside it, `FILE_name`.

    Parameters:
        frames: name -> title and table. headings: column -> heading, the column's own name by default. texts: value of
            a cell of words -> how it is told, in the workbook.

    Returns:
        The files.

    Raises:
        Problems: E-OUT.
    """
    check_kind(path)
    kind = path.suffix.lower()
    if kind == ".xlsx":
        tables = [_table(n, t, f, headings, texts or {}) for n, (t, f) in frames.items() if f.width]
        sections = tuple(Section(t.name, t.title, Text("", ""), tables=(t,)) for t in tables)
        nan = float("nan")
        head = Headline(title, title, nan, nan, nan, (), Text("", ""))
        bodies = {path.name: workbook(Report(title, head, sections, {}), tuple(languages))}
    else:
        made = [(name, frame) for name, (_, frame) in frames.items()]
        kept = [(path.name, made[0][1])]
        kept += [(f"{path.stem}_{name}{path.suffix}", frame) for name, frame in made[1:] if frame.height]
        bodies = {name: _flat(frame, kind) for name, frame in kept}
    written(path.parent, bodies)
    return tuple(path.parent / name for name in bodies)


def _flat(frame: pl.DataFrame, kind: str) -> bytes:
    """One table as a file of its own."""
    if kind == ".csv":
        return to_csv(frame)
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def to_csv(frame: pl.DataFrame) -> bytes:
    """A table as csv; words that a spreadsheet would run as a formula stand behind an apostrophe.

    Source:
        OWASP, CSV Injection.

    Example:
        >>> to_csv(pl.DataFrame({"brand": ["=1+1", "A"], "change": [-1.5, 2.0]})).decode().split()
        ['brand,change', "'=1+1,-1.5", 'A,2.0']
    """
    words = [
        pl.when(pl.col(c).str.contains(r"^[=+\-@\t\r]")).then("'" + pl.col(c)).otherwise(pl.col(c)).alias(c)
        for c, kind in frame.schema.items()
        if kind == pl.String
    ]
    return frame.with_columns(words).write_csv().encode()


def _table(
    name: str, title: Text, frame: pl.DataFrame, headings: Mapping[str, Text], texts: Mapping[str, Text]
) -> Table:
    """A table whose numbers keep their digits."""
    columns = tuple(Column(c, headings.get(c, Text(c, c)), kind_of(c, frame.schema[c])) for c in frame.columns)
    plain = frame.with_columns(pl.col(pl.Boolean).cast(pl.String))
    return Table(name, title, plain, columns, texts=dict(texts))


def kind_of(name: str, dtype: pl.DataType) -> Kind:
    """How the values of a column are printed."""
    if name.startswith("p_") and dtype.is_numeric():
        return "p"
    return "count" if dtype.is_integer() else "number" if dtype.is_numeric() else "text"
