"""A file without a codebook: the columns a model needs as numbers, key columns as text."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.survey.cells import clean, counted, number, said
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers import read_raw

ABSENT = ("NA", "NaN", "#N/A", "#NULL!", ".")
"""What statistical programs write where there is no answer."""


@dataclass(frozen=True, slots=True)
class PlainFile:
    """The columns asked for.

    Attributes:
        name: of the file. sha256: of its bytes. frame: numbers as Float64, keys as String. notes: what was assumed.
    """

    name: str
    sha256: str
    frame: pl.DataFrame
    notes: tuple[Note, ...]


def read_plain(path: Path, numbers: Sequence[str], keys: Sequence[str] = (), na: Sequence[str] = ()) -> PlainFile:
    r"""Read `numbers` and `keys` from a file of any kind that csi reads (CSV, Parquet, Excel, SPSS).

    Blank cells, the codes `na`, what the file itself declares missing, and NA, NaN or "." are absent; all but the
    first are counted in a note.

    Parameters:
        path: the file. numbers: columns that hold numbers (* stands for any characters).
        keys: columns that name groups, cells or respondents.
        na: codes that mean "no answer", as typed in the file.

    Raises:
        Problems: an unreadable file, columns that do not exist or are there twice, cells that are no numbers.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.csv"
        ...     written = path.write_text("q1,q2,wave\n5,NA,a\n９,99,b\n", encoding="utf-8")
        ...     file = read_plain(path, ["q1", "q2"], ["wave"], na=["99"])
        >>> file.frame.rows(), [n.code for n in file.notes]
        ([(5.0, None, 'a'), (9.0, None, 'b')], ['N-MISSING-CODES', 'N-ABSENT-WORDS'])
    """
    if not path.exists():
        raise Problems([_no_file(path)])
    raw = read_raw(DataFile(path), {*numbers, *keys})
    numbers = list(dict.fromkeys(column for name in numbers for column in _named(name, raw.frame.columns)))
    wanted = list(dict.fromkeys([*numbers, *keys]))
    problems = [*_columns(raw, wanted)]
    if problems:
        raise Problems(problems)
    text = raw.frame.select(clean(pl.col(name)).alias(name) for name in wanted)
    codes = {name: [*na, *raw.missing.get(name, {})] for name in numbers}
    absent = {name: _is_code(name, codes[name]) for name in numbers}
    frame = text.with_columns(
        pl.when(~(absent[name] | pl.col(name).is_in(ABSENT))).then(number(pl.col(name))).alias(name) for name in numbers
    )
    problems = [p for name in numbers for p in _not_numbers(raw, text[name], frame[name], absent[name])]
    if problems:
        raise Problems(problems)
    only_keys = dict.fromkeys(name for name in keys if name not in numbers)
    frame = frame.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in only_keys)
    return PlainFile(raw.name, raw.sha256, frame, (*raw.notes, *_counted(text, numbers, absent)))


def _named(name: str, columns: Sequence[str]) -> list[str]:
    """The columns that a name with * means; the name itself where it has none or means none."""
    found = [c for c in columns if fnmatchcase(c, name)] if "*" in name and name not in columns else []
    return found or [name]


def _no_file(path: Path) -> Problem:
    """A path that leads nowhere, with the closest name of its folder."""
    near = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, near, n=1, cutoff=0.6)
    do = f'Did you mean "{path.with_name(close[0])}"?' if close else "Check the path of the data file."
    do_zh = f"是否应为“{path.with_name(close[0])}”？" if close else "请检查数据文件的路径。"
    return problem("E-FILE", str(path), "no such data file.", "数据文件不存在。", do, do_zh)


def _columns(raw: Raw, wanted: Sequence[str]) -> Iterator[Problem]:
    """Columns that do not exist, or exist twice."""
    for name in wanted:
        if name in raw.twice:
            en, zh = f'the header names "{name}" more than once.', f"表头中“{name}”出现了不止一次。"
            yield problem("E-COLUMN", raw.name, en, zh, "Give the columns distinct names.", "请给各列取不同的名称。")
        elif name not in raw.frame.columns:
            hint = did_you_mean(name, raw.frame.columns)
            en, zh = f'the data have no column "{name}".', f"数据中没有“{name}”列。"
            yield problem("E-COLUMN", raw.name, en, zh, hint.en, hint.zh)


def _is_code(name: str, codes: Sequence[str]) -> pl.Expr:
    """True where the cell holds one of the codes, compared as numbers where they are numbers."""
    column = pl.col(name)
    found = column.is_in([code.strip() for code in codes])
    values = [value for code in codes if (value := _value(code)) is not None]
    same = number(column).is_in(values).fill_null(value=False)
    return found.fill_null(value=False) | same


def _value(code: str) -> float | None:
    """The number a code says; None for text."""
    try:
        return float(code)
    except ValueError:
        return None


def _not_numbers(raw: Raw, text: pl.Series, found: pl.Series, absent: pl.Expr) -> Iterator[Problem]:
    """A problem naming the first cells of a column that say something else than a number."""
    name = text.name
    frame = pl.DataFrame({name: text, " found": found, " row": raw.numbered(" row").collect()[" row"]})
    silent = pl.col(name).is_null() | pl.col(name).is_in(["", *ABSENT]) | absent
    bad = frame.filter(pl.col(" found").is_null() & ~silent)
    if bad.height:
        listed, listed_zh = said(bad[" row"], bad[name])
        yield problem(
            "E-NUMBER",
            f"{raw.name}, column {name}",
            f"{counted(bad.height, 'cell is not a number', 'cells are not numbers')}: {listed}.",
            f"有 {bad.height} 个单元格不是数字：{listed_zh}。",
            "Recode them, or declare what means no answer with --na.",
            "请重新编码；若表示无回答，请用 --na 声明。",
        )


def _counted(text: pl.DataFrame, numbers: Sequence[str], absent: dict[str, pl.Expr]) -> Iterator[Note]:
    """How many cells were taken for absent because of a code or a word."""
    coded = _sum(text.select(absent[name].sum().alias(name) for name in numbers))
    if coded:
        en, zh = (
            f"{coded} cells hold a missing code and count as absent.",
            f"有 {coded} 个单元格为缺失代码，按缺失处理。",
        )
        yield note("N-MISSING-CODES", en, zh)
    words = _sum(text.select((pl.col(name).is_in(ABSENT) & ~absent[name]).sum().alias(name) for name in numbers))
    if words:
        en, zh = (
            f'{words} cells say NA (or NaN, ".") and count as absent.',
            f"有 {words} 个单元格写作 NA（或 NaN、“.”），按缺失处理。",
        )
        yield note("N-ABSENT-WORDS", en, zh)


def _sum(counts: pl.DataFrame) -> int:
    """The sum of the only row."""
    return sum(int(v or 0) for v in counts.row(0)) if counts.width else 0
