"""One export as it is: the file the study names, and its cells as text before the codebook gives them a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from csi.errors import Note, Text
from csi.survey.codebook import MissingReason
from csi.survey.query import Query


@dataclass(frozen=True, slots=True)
class DataFile:
    """One export: a file beside the study file; `rename` maps study names (items, roles) to this file's columns.

    `wave` and `brand` are constants for files that hold one wave or one brand. A `rename` to "" says that this file
    does not hold the item: its answers are missing with reason `not_asked`. `place` is where the study file names it.
    With a `query` the answers are its rows, and `path` only names the database.
    `stream` reads Parquet in passes, without holding its rows; `spark` is a table of the running Spark session.

    Example:
        >>> DataFile(Path("2024.csv"), wave="2024", rename={"sat1": "Q7"}).rename["sat1"]
        'Q7'
    """

    path: Path
    encoding: str = ""
    sheet: str = ""
    wave: str = ""
    brand: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    labels: Path | None = None
    personal: tuple[str, ...] = ()
    incomplete: Literal["", "keep", "drop"] = ""
    query: Query | None = None
    stream: bool = False
    spark: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
    """The survey platform an export was recognised as, and what was seen that told it.

    Example:
        >>> Platform("wjx", Text("Wenjuanxing", "问卷星"), Text("its header has 序号", "表头有“序号”")).label.zh
        '问卷星'
    """

    name: str
    label: Text
    why: Text


@dataclass(frozen=True, slots=True)
class Raw:
    """What a reader hands over: every column as String, exactly as typed, blank cells null.

    Attributes:
        name: the file as the user named it; sha256: of its bytes.
        frame: all columns, String.
        first_row: the number of the first answer row as a person sees it (2 where row 1 is the header).
        missing: codes the file itself declares missing: {column: {code: reason}}.
        labels: value labels: {column: {code: label}}.
        twice: header names that occur more than once.
        notes: what the reader had to assume.
        platform: what the export was recognised as; None for a plain table.
        wording: column -> the question as asked, in the export's words.
        personal: columns that name people, dropped from `frame`; only their names are kept.
        rows: the number of each answer row as a person sees it, where they do not follow each other from `first_row`.
    """

    name: str
    sha256: str
    frame: pl.DataFrame
    first_row: int = 2
    missing: Mapping[str, Mapping[str, MissingReason]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    twice: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    platform: Platform | None = None
    wording: Mapping[str, str] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    rows: pl.Series | None = None

    def numbered(self, name: str) -> pl.LazyFrame:
        """The frame with the number of each row in the file before it, as column `name`.

        Example:
            >>> Raw("a.csv", "", pl.DataFrame({"q": ["5", "4"]})).numbered("row").collect().rows()
            [(2, '5'), (3, '4')]
        """
        if self.rows is None:
            return self.frame.lazy().with_row_index(name, offset=self.first_row)
        return self.frame.lazy().select(pl.lit(self.rows.cast(pl.UInt32)).alias(name), pl.all())


def plain_text(dtype: pl.DataType, name: str) -> pl.Expr:
    """Column `name` of type `dtype` as String: whole numbers without ".0", NaN as null.

    Example:
        >>> frame = pl.DataFrame({"q": [1.0, 2.5, None]})
        >>> frame.select(plain_text(frame.schema["q"], "q"))["q"].to_list()
        ['1', '2.5', None]
    """
    column = pl.col(name)
    if dtype.is_float():
        whole = column.is_finite() & (column == column.round()) & (column.abs() < 2.0**53)
        number = (
            pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
        )
        return pl.when(column.is_nan()).then(None).otherwise(number).alias(name)
    if dtype == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String).alias(name)
    if dtype.is_nested() or dtype in {pl.Object, pl.Binary}:
        return column.map_elements(repr, return_dtype=pl.String).alias(name)
    return column.cast(pl.String, strict=False).alias(name)


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of `frame` as String; types of a database's own as what they are stored in."""
    own = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.BaseExtension)]
    frame = frame.with_columns(pl.col(name).ext.storage() for name in own)
    return frame.select(plain_text(dtype, name) for name, dtype in frame.schema.items())
