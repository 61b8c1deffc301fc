"""Tables beside the answers (benchmarks, mentions, stakeholders, requirements): read, checked, typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

import polars as pl

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.survey.datafile import DataFile, as_text
from csi.survey.placed import placed
from csi.survey.readers import read_table
from csi.survey.readers.frames import to_polars

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

Kind = Literal["text", "number", "flag"]
"""What a column holds."""

FLAGS: Final = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "y", "是"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", "n", "否"), False),
}
"""Ways to write yes and no."""


def side_table(
    source: object, name: str, needed: Mapping[str, Kind], optional: Mapping[str, Kind], code: str
) -> pl.DataFrame:
    """A table with the columns that are needed and those of the optional ones that it has, typed.

    Parameters:
        source: a frame, or a path to a file (CSV, Excel, Parquet, SPSS). name: what it is called in messages.
        needed, optional: column -> kind; an empty cell of a needed column is refused, of an optional one null.
        code: of the problems.

    Raises:
        Problems: of `code` (no such column, empty or unreadable cells, no rows), all at once.

    Example:
        >>> frame = pl.DataFrame({"attribute": ["speed"], "mean": [5], "note": ["x"]})
        >>> side_table(frame, "benchmarks", {"attribute": "text", "mean": "number"}, {"sd": "number"}, "E-BENCH").rows()
        [('speed', 5.0)]
    """
    table, found = side_found(source, name, needed, optional, code)
    if found or table is None:
        raise Problems(found)
    return table


def side_found(
    source: object, name: str, needed: Mapping[str, Kind], optional: Mapping[str, Kind], code: str
) -> tuple[pl.DataFrame | None, list[Problem]]:
    """As `side_table`, with what is wrong beside what can be read: null where a cell cannot, None without columns.

    Example:
        >>> frame = pl.DataFrame({"entity": ["A", "B"], "weight": ["1", "much"]})
        >>> table, found = side_found(frame, "weights", {"entity": "text", "weight": "number"}, {}, "E-TREE-WEIGHT")
        >>> table["weight"].to_list(), found[0].what.en
        ([1.0, None], "1 cell is not a number (row 2: 'much').")
    """
    path = Path(source) if isinstance(source, str | Path) else None
    place = str(path.name) if path is not None else name
    if path is not None and path.is_file() and not path.read_bytes().strip():
        do, do_zh = "Give its columns and at least one row.", "请给出列名和至少一行。"
        return None, [problem(code, place, "the file is empty.", "文件是空的。", do, do_zh)]
    raw = read_table(DataFile(path)).frame if path is not None else as_text(to_polars(cast("IntoFrame", source), name))
    found = _missing(raw, needed, optional, place, code)
    if found:
        return None, found
    kinds = dict(needed) | {c: k for c, k in optional.items() if c in raw.columns}
    columns = {c: _typed(raw[c], kind) for c, kind in kinds.items()}
    found = [p for c, kind in kinds.items() for p in _cells(raw[c], columns[c], kind, c in needed, place, code)]
    return pl.DataFrame(columns), found


def place_of_row(source: object, name: str, row: int) -> str:
    """Where a row stands (from 0): the line of a file, or the row of a frame.

    Example:
        >>> place_of_row("data/weights.csv", "weights", 0), place_of_row(None, "weights", 0)
        ('weights.csv:2', 'weights, row 1')
    """
    return f"{Path(source).name}:{row + 2}" if isinstance(source, str | Path) else f"{name}, row {row + 1}"


def labelled(frame: pl.DataFrame, name: str, prefix: str = "") -> dict[str, Text]:
    """Labels of a column's values from the columns `PREFIXzh` and `PREFIXen`; without them a value prints itself.

    Example:
        >>> frame = pl.DataFrame({"id": ["board", "r1"], "zh": ["董事会", None], "en": ["Board", None]})
        >>> {k: t.say("zh") for k, t in labelled(frame, "id").items()}
        {'board': '董事会', 'r1': 'r1'}
    """
    columns = [
        pl.col(c) if c in frame.columns else pl.lit(None, pl.String).alias(c) for c in (f"{prefix}en", f"{prefix}zh")
    ]
    return {
        value: Text(en or zh or value, zh or en or value)
        for value, en, zh in frame.select(name, *columns).unique(name, keep="first", maintain_order=True).iter_rows()
    }


def in_labels(frame: pl.DataFrame, labels: Mapping[str, Text], columns: Sequence[str], lang: str) -> pl.DataFrame:
    """A frame with labels in place of the names in some columns."""
    words = {name: label.say(lang) for name, label in labels.items()}
    return frame.with_columns(pl.col(c).replace(words) for c in columns if c in frame.columns)


def _missing(
    raw: pl.DataFrame, needed: Mapping[str, Kind], optional: Mapping[str, Kind], place: str, code: str
) -> list[Problem]:
    """Columns that are not there; a table without rows."""
    out = []
    for column in needed:
        if column not in raw.columns:
            hint = did_you_mean(column, raw.columns)
            every = ", ".join((*needed, *(f"[{c}]" for c in optional)))
            en, zh = f"no column {column}; columns are {every}.", f"缺少列 {column}；应有列：{every}。"
            out.append(Problem(code, place, Text(en, zh), hint))
    if not out and not raw.height:
        out.append(problem(code, place, "no rows.", "没有数据行。", "Give at least one row.", "请至少给出一行。"))
    return out


def _typed(column: pl.Series, kind: Kind) -> pl.Series:
    """A column of text as what it holds; null where a cell cannot be read."""
    plain = column.cast(pl.String).str.strip_chars()
    plain = plain.set(plain == "", None)
    if kind == "number":
        return plain.cast(pl.Float64, strict=False)
    if kind == "flag":
        return plain.str.to_lowercase().replace_strict(FLAGS, default=None, return_dtype=pl.Boolean)
    return plain


def _cells(raw: pl.Series, typed: pl.Series, kind: Kind, needed: bool, place: str, code: str) -> list[Problem]:
    """Cells that cannot be read, and empty ones of a needed column."""
    plain = raw.cast(pl.String).str.strip_chars()
    empty = plain.is_null() | (plain == "")
    bad = typed.is_null() & (~empty if not needed else pl.Series([True] * len(raw)))
    rows = bad.arg_true().to_list()
    if not rows:
        return []
    cells = placed(rows, [raw[i] for i in rows], place)
    what = {"number": Text("a number", "数值"), "flag": Text("yes or no", "“是/否”"), "text": Text("text", "文字")}[
        kind
    ]
    are = "cell is" if len(rows) == 1 else "cells are"
    en, zh = f"{len(rows)} {are} not {what.en} ({cells.en}).", f"{len(rows)} 个单元格不是{what.zh}（{cells.zh}）。"
    return [problem(code, f'{place}, column "{raw.name}"', en, zh, "Correct these cells.", "请更正这些单元格。")]
