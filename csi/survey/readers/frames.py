"""Frames handed over in Python: polars, pandas and whatever else narwhals understands."""

from __future__ import annotations

import hashlib
from typing import Any

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrame
from polars.exceptions import PolarsError

from csi.errors import Problem, Problems, problem
from csi.survey.datafile import Raw, as_text


def read_frame(source: IntoFrame, name: str = "frame") -> Raw:
    """A frame as text; rows are counted from 0, as frames do.

    Raises:
        Problems: `source` is not a frame, or it has two columns of one name.

    Example:
        >>> read_frame(pl.DataFrame({"q1": [7.0, None]})).frame["q1"].to_list()
        ['7', None]
    """
    text = as_text(to_polars(source, name))
    return Raw(name, hashlib.sha256(text.write_csv().encode()).hexdigest(), text, first_row=0)


def to_polars(source: IntoFrame, name: str = "frame") -> pl.DataFrame:
    """Any frame as polars, column by column, with null for every kind of absence.

    Raises:
        Problems: `source` is not a frame, or it has two columns of one name.

    Example:
        >>> to_polars(pl.DataFrame({"q1": [7.0, None]})).height
        2
    """
    try:
        frame = nw.from_native(source)
        table = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        return pl.DataFrame([_series(str(column), table[column]) for column in table.columns])
    except (TypeError, nw.exceptions.NarwhalsError, PolarsError) as error:
        raise Problems([_no_frame(source, name, error)]) from error


def _series(name: str, column: nw.Series[Any]) -> pl.Series:
    """One column as polars: native where it is, all else value by value with None for every kind of absence."""
    native = column.to_native()
    if isinstance(native, pl.Series):
        return native.alias(name)
    pairs = zip(column.to_list(), column.is_null().to_list(), strict=True)
    values = [None if absent else value for value, absent in pairs]
    if all(value is None or isinstance(value, int | float) for value in values):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _no_frame(source: object, name: str, error: Exception) -> Problem:
    kind = type(source).__name__
    return problem(
        "E-FRAME",
        name,
        f"a value of type {kind} cannot be read as answers ({str(error).splitlines()[0]}).",
        f"无法把 {kind} 类型的值当作答卷读取（{str(error).splitlines()[0]}）。",
        "Read a file first (csi.read_panel or polars.read_csv), or give a frame whose columns have distinct names.",
        "请先读取文件（csi.read_panel 或 polars.read_csv），或给出列名互不相同的数据框。",
    )
