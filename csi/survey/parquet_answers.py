"""Answers in Parquet that are never all in memory: batches of a few columns under the study's names, one after another.

Items come as they are stored (small whole numbers stay small); codes of no answer, reversed items and cells are the
business of `csi.moments.stream_batch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.exceptions import PolarsError

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.survey.cells import clean, number, seconds
from csi.survey.codebook import Codebook
from csi.survey.columns import column_of
from csi.survey.datafile import DataFile
from csi.survey.parquet_footer import row_groups
from csi.survey.personal import not_there

BATCH: Final = 262_144
"""Rows of a batch."""
PARQUET: Final = (".parquet", ".pq")
ROW: Final = " row"


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """One file as it was found: columns by the study's names, constants, which are numbers, size, time of writing.

    `fastest` leaves out rows that took fewer seconds.
    """

    path: Path
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    kinds: Mapping[str, pl.DataType]
    numbers: frozenset[str]
    size: int
    written: int
    start: int = 0
    rows: int | None = None
    fastest: float = 0.0

    @property
    def name(self) -> str:
        """The name in messages."""
        return self.path.name

    def changed(self) -> bool:
        """Whether the file is another one than it was."""
        try:
            now = self.path.stat()
        except OSError:
            return True
        return (now.st_size, now.st_mtime_ns) != (self.size, self.written)

    def scan(self, names: Sequence[str], where: Mapping[str, str], *, numbered: bool = False) -> pl.LazyFrame:
        """Columns `names` of the rows with these key values; with the row in the file, from 1, where `numbered`."""
        frame = pl.scan_parquet(self.path, row_index_name=ROW if numbered else None, row_index_offset=1)
        if self.start or self.rows is not None:
            frame = frame.slice(self.start, self.rows)
        for key, value in where.items():
            if key in self.constants:
                frame = frame if self.constants[key] == value else frame.limit(0)
            else:
                frame = frame.filter(_same(self.columns[key], self.kinds[key], value))
        if self.fastest:
            frame = frame.filter(~(self._seconds() < self.fastest).fill_null(value=False))
        given = [self._column(name) for name in names if name in self.columns]
        fixed = [pl.lit(self.constants[name]).alias(name) for name in names if name in self.constants]
        return frame.select(*([ROW] if numbered else []), *given, *fixed)

    def _seconds(self) -> pl.Expr:
        """How long an answer took; nothing where the file does not say."""
        if "duration" not in self.columns:
            return pl.lit(None, pl.Float64)
        column = pl.col(self.columns["duration"])
        return column if self.kinds["duration"].is_numeric() else seconds(column.cast(pl.String))

    def _column(self, name: str) -> pl.Expr:
        """A column as numbers or text that sums can be made of."""
        kind, column = self.kinds[name], pl.col(self.columns[name])
        if kind == pl.Boolean:
            return column.cast(pl.Int8).alias(name)
        if name in self.numbers and not kind.is_numeric():
            return number(clean(column.cast(pl.String))).alias(name)
        if kind.is_integer() and kind not in {pl.Int128, pl.UInt128}:
            return column.alias(name)
        if kind in {pl.Float32, pl.Float64}:
            return column.alias(name)
        return column.cast(pl.Float64).alias(name) if kind.is_numeric() else column.cast(pl.String).alias(name)


def _same(column: str, kind: pl.DataType, value: str) -> pl.Expr:
    """Whether a key has a value, as text."""
    if kind.is_integer() and value.lstrip("-").isdecimal():
        return pl.col(column) == int(value)
    return pl.col(column).cast(pl.String).str.strip_chars(" \t\r\n\u3000") == value


def parquet_files(files: Sequence[DataFile], codebook: Codebook, roles: Sequence[str]) -> tuple[ParquetFile, ...]:
    """The files of a study as they can be streamed.

    Raises:
        Problems: no file or no Parquet; a damaged end; a column that is not there or holds no numbers.
    """
    found, problems = [], []
    numbers = frozenset({*codebook.names, "weight"})
    for file in files:
        if file.path.suffix.lower() not in PARQUET or not file.path.is_file():
            problems.append(_no_parquet(file))
            continue
        try:
            schema = pl.scan_parquet(file.path).collect_schema()
        except (PolarsError, OSError) as error:
            problems.append(_damaged(file.path.name, str(error)))
            continue
        constants = {r: v for r, v in (("wave", file.wave), ("brand", file.brand)) if v}
        wanted = {n: column_of(n, codebook, file) for n in (*roles, *codebook.names) if n not in constants}
        problems += [*_unfit(file, schema, wanted, codebook), *not_there(file, list(schema))]
        stat = file.path.stat()
        kinds = {n: schema[c] for n, c in wanted.items() if c in schema}
        have = {n: c for n, c in wanted.items() if c in schema}
        found.append(ParquetFile(file.path, have, constants, kinds, numbers, stat.st_size, stat.st_mtime_ns))
    if problems:
        raise Problems(problems)
    return tuple(found)


def _unfit(
    file: DataFile, schema: Mapping[str, pl.DataType], wanted: Mapping[str, str], codebook: Codebook
) -> Iterator[Problem]:
    """Columns that are not there, and items that can hold no numbers."""
    for name, column in wanted.items():
        if column not in schema:
            hint = did_you_mean(column, list(schema))
            kind, kind_zh = ("item", "题项") if name in codebook.names else ("key", "关键列")
            en, zh = (
                f'no column "{column}" (needed for {kind} {name}).',
                f"没有“{column}”列（{kind_zh} {name} 需要）。",
            )
            yield problem("E-COLUMN", file.path.name, en, zh, hint.en, hint.zh)
        elif name in codebook.names and (schema[column].is_temporal() or schema[column].is_nested()):
            en, zh = (
                f"an item must be numeric, this column is {schema[column]}.",
                f"题项必须为数值，此列类型为 {schema[column]}。",
            )
            do, do_zh = "Name the item's own column.", "请写出题项所在的列。"
            yield problem("E-TYPE", f"{file.path.name}, column {column}", en, zh, do, do_zh)


def _no_parquet(file: DataFile) -> Problem:
    place = file.place or file.path.name
    if not file.path.is_file():
        en, zh = f'data file "{file.path}" does not exist.', f"数据文件“{file.path}”不存在。"
        return problem("E-FILE", place, en, zh, "Check the name.", "请检查文件名。")
    en, zh = (
        f"only Parquet is read in a stream, not {file.path.suffix}.",
        f"流式读取只支持 Parquet，不支持 {file.path.suffix}。",
    )
    do = "Leave out `stream`, or write the file as Parquet once."
    return problem("E-STREAM", place, en, zh, do, "请删去 stream，或先把文件另存为 Parquet。")


def _damaged(place: str, said: str) -> Problem:
    said = (said.splitlines()[0][:160] if said else "").rstrip(".") + "."
    en, zh = f"it cannot be read: {said}", f"无法读取：{said[:-1]}。"
    do, do_zh = "Write the file again from its source.", "请从源数据重新导出该文件。"
    return problem("E-FILE", place, en, zh, do, do_zh)


def batches(file: ParquetFile, names: Sequence[str], where: Mapping[str, str]) -> Iterator[pl.DataFrame]:
    """The rows of a file, a batch at a time, in any order.

    Raises:
        Problems: E-FILE, the file was changed while it was read, or a row group of it is damaged.
    """
    if file.changed():
        raise Problems([_changed(file)])
    stream = file.scan(names, where).collect_batches(chunk_size=BATCH, maintain_order=False)
    try:
        yield from stream
    except (PolarsError, OSError) as error:
        raise Problems([_changed(file)] if file.changed() else [*_located(file, names, error)]) from None
    if file.changed():
        raise Problems([_changed(file)])


def row_of(file: ParquetFile, names: Sequence[str], where: Mapping[str, str], wanted: Sequence[pl.Expr]) -> list[Any]:
    """One row of sums over a file.

    Raises:
        Problems: E-FILE, as `batches`.
    """
    try:
        return list(file.scan(names, where).select(*wanted).collect().row(0))
    except (PolarsError, OSError) as error:
        raise Problems([*_located(file, names, error)]) from None


def some_of(file: ParquetFile, names: Sequence[str], wanted: Sequence[pl.Expr], keep: pl.Expr) -> pl.DataFrame:
    """What is wanted of the rows to keep, with their row in the file, from 1.

    Raises:
        Problems: E-FILE, as `batches`.
    """
    try:
        return file.scan(names, {}, numbered=True).filter(keep).select(*wanted).collect(engine="streaming")
    except (PolarsError, OSError) as error:
        raise Problems([*_located(file, names, error)]) from None


def _changed(file: ParquetFile) -> Problem:
    en, zh = "the file was changed while it was read.", "读取过程中文件被改动。"
    do, do_zh = "Run again when nothing writes to it.", "请在无其他程序写入时重新运行。"
    return problem("E-FILE", file.name, en, zh, do, do_zh)


def _located(file: ParquetFile, names: Sequence[str], error: Exception) -> Iterator[Problem]:
    """Which row group and which column cannot be read, looked for one by one."""
    groups = row_groups(file.path)
    start, told = 0, 0
    for k, count in enumerate(groups, 1):
        for name in names:
            if name not in file.columns or told >= MOST:
                continue
            try:
                pl.scan_parquet(file.path).slice(start, count).select(file.columns[name]).collect()
            except (PolarsError, OSError) as found:
                told += 1
                place = f"{file.name}, row group {k} (rows {start + 1}-{start + count}), column {file.columns[name]}"
                yield _damaged(place, str(found))
        start += count
    if not told:
        yield _damaged(file.name, str(error))


MOST: Final = 6
"""Damaged places that are told."""
