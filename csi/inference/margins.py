"""Margins as they are given (shares, percents, counts; in words or in a file), made one long table and checked.

A margin is of one column, or of several joined by * (joint cells: post-stratification).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import cast

import polars as pl
from narwhals.typing import IntoFrame

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.inference.margin_faults import MUCH, OF, Fault, Faults
from csi.survey.readers.frames import to_polars

Given = Mapping[object, object] | str | Path | IntoFrame
"""Category -> share, or a table (a frame or the path of a CSV) with the margin's columns and one of numbers."""

TARGETS = ("target", "share", "population", "count", "percent", "margin", "n", "N")
"""Names of the column of numbers of a table, where other columns stand beside it."""

LOOSE = 0.005
"""By how much shares may miss 1, percents 100 (in proportion) and two margins one another."""

FEWEST = 110.0
"""Numbers that add up to less are no counts of a population."""


@dataclass(frozen=True, slots=True)
class Target:
    """One line of a margin: the cell of `by` it is of (empty: of every one), its category, its number, its place."""

    of: tuple[str, ...]
    category: str
    value: float
    place: str


@dataclass(frozen=True, slots=True)
class Said:
    """A margin as given.

    Attributes:
        name: its columns joined by *. variables: its columns. lines: what it says. place: where.
    """

    name: str
    variables: tuple[str, ...]
    place: str
    lines: tuple[Target, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def said_margins(
    margins: Mapping[object, object], by: Sequence[str], places: Mapping[str, str], folder: Path | None = None
) -> list[Said]:
    """Every margin as lines; what cannot be read stands in `problems`.

    Parameters:
        margins: column (or columns, joined by * or as a tuple) -> `Given`. by: columns of cells that a table may name.
        places: margin, or margin and category (`name:category`) -> where it is said. folder: of relative paths.

    Example:
        >>> one = said_margins({"sex": {"f": 51, "m": 49}}, (), {})[0]
        >>> [(t.category, t.value) for t in one.lines]
        [('f', 51.0), ('m', 49.0)]
    """
    return [_said(name, given, tuple(by), places, folder) for name, given in margins.items()]


def _said(name: object, given: object, by: tuple[str, ...], places: Mapping[str, str], folder: Path | None) -> Said:
    """One margin."""
    parts = name if isinstance(name, tuple) else str(name).split("*")
    variables = tuple(str(p).strip() for p in parts)
    full = "*".join(variables)
    place = places.get(full, f'margins["{full}"]')
    if isinstance(given, Mapping):
        lines, found = [], []
        for category, value in given.items():
            key = _key(category)
            at = places.get(f"{full}:{key}", f'margins["{full}"]["{key}"]' if not places else place)
            if isinstance(value, Real) and not isinstance(value, bool):
                lines.append(Target((), key, float(value), at))
            else:
                found.append(_no_number(at, value))
        return Said(full, variables, place, tuple(lines), tuple(found))
    try:
        table, names = (
            _read(folder / given if folder else Path(given), place)
            if isinstance(given, str | Path)
            else (to_polars(cast("IntoFrame", given), full), "")
        )
    except Problems as error:
        return Said(full, variables, place, (), tuple(error.problems))
    return _of_table(full, variables, by, table, names, place)


def _key(category: object) -> str:
    """A category in words: joint ones joined by *."""
    parts = category if isinstance(category, tuple) else str(category).split("*")
    return "*".join(str(p).strip() for p in parts)


TABLES = (".csv", ".tsv", ".txt")
"""Kinds of files that margins are read from."""


def _read(path: Path, place: str) -> tuple[pl.DataFrame, str]:
    """A CSV of margins as text, and its name.

    Raises:
        Problems: E-FILE, E-ENCODING, E-EMPTY.
    """
    en, zh = f'the file of margins "{path}" cannot be read.', f"无法读取边际文件“{path}”。"
    do, do_zh = "Check the path; it is relative to the study file.", "请检查路径（相对于研究文件）。"
    if path.suffix.lower() not in TABLES:
        en, zh = f'the file of margins "{path.name}" is no table of text.', f"边际文件“{path.name}”不是文本表格。"
        do, do_zh = f"Name a file of kind {', '.join(TABLES)}.", f"请使用 {'、'.join(TABLES)} 文件。"
        raise Problems([problem("E-FILE", place, en, zh, do, do_zh)])
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Problems([problem("E-FILE", place, en, zh, do, do_zh)]) from error
    try:
        words = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        words = text.decode("gb18030", errors="replace")
    first = words.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    rows = [r for r in csv.reader(words.splitlines(), delimiter=mark) if any(c.strip() for c in r)]
    if len(rows) < 2:
        en, zh = f'the file of margins "{path.name}" has no rows.', f"边际文件“{path.name}”没有数据行。"
        do, do_zh = "Give a header and one row per category.", "请给出表头，并为每个类别写一行。"
        raise Problems([problem("E-EMPTY", place, en, zh, do, do_zh)])
    head = [c.strip() for c in rows[0]]
    body = [[c.strip() for c in (*r, *[""] * len(head))][: len(head)] for r in rows[1:]]
    return pl.DataFrame(body, schema=dict.fromkeys(head, pl.String), orient="row"), path.name


def _of_table(
    full: str, variables: tuple[str, ...], by: tuple[str, ...], table: pl.DataFrame, file: str, place: str
) -> Said:
    """The lines of a table: columns of the margin, perhaps of cells, and one of numbers."""
    where = file or place
    lacking = [v for v in variables if v not in table.columns]
    if lacking:
        hint = did_you_mean(lacking[0], table.columns)
        en, zh = f'the table of this margin has no column "{lacking[0]}".', f"该边际表没有“{lacking[0]}”列。"
        return Said(full, variables, place, (), (problem("E-MARGIN", where, en, zh, hint.en, hint.zh),))
    rest = [c for c in table.columns if c not in (*variables, *by)]
    named = [c for c in rest if c in TARGETS]
    value = rest[0] if len(rest) == 1 else named[0] if len(named) == 1 else _only_numbers(table, rest)
    if not value:
        en = f"the table has {len(rest)} further columns ({', '.join(rest)}); which one holds the numbers is not clear."
        zh = f"表中另有 {len(rest)} 列（{'、'.join(rest)}），无法确定哪一列是数值。"
        do, do_zh = 'Call the column of numbers "share" or "population".', "请将数值列命名为 share 或 population。"
        return Said(full, variables, place, (), (problem("E-MARGIN", where, en, zh, do, do_zh),))
    beside = [c for c in rest if c != value]
    if beside and table.select(variables).is_duplicated().any():
        return Said(full, variables, place, (), (_without_by(where, beside, table, variables),))
    cells = [c for c in by if c in table.columns]
    lines, found = [], []
    for number, row in enumerate(table.iter_rows(named=True)):
        at = f"{file}:{number + 2}" if file else f"{place}, row {number}"
        raw = row[value]
        try:
            size = float(str(raw).rstrip("%％ "))
        except ValueError:
            found.append(_no_number(at, raw))
            continue
        of = tuple("" if c not in cells or row[c] is None else str(row[c]) for c in by) if cells else ()
        lines.append(Target(of, "*".join("" if row[v] is None else str(row[v]) for v in variables), size, at))
    return Said(full, variables, place, tuple(lines), tuple(found))


def _only_numbers(table: pl.DataFrame, columns: Sequence[str]) -> str:
    """The only column that holds nothing but numbers which are not whole; empty where there is not just one."""
    parsed = table.select(
        pl.col(c).cast(pl.String).str.strip_chars("%％ ").cast(pl.Float64, strict=False) for c in columns
    )
    broken = [c for c in columns if not parsed[c].null_count() and bool((parsed[c] % 1 != 0).any())]
    return broken[0] if len(broken) == 1 else ""


def _without_by(where: str, beside: Sequence[str], table: pl.DataFrame, variables: Sequence[str]) -> Problem:
    """That a table has shares of several cells, and `by` does not say so."""
    of = [c for c in beside if table.group_by(variables).agg(pl.col(c).n_unique())[c].max() != 1] or list(beside)
    names, names_zh = " and ".join(of), "、".join(of)
    en = f"the categories stand there several times, once for each {names}, which `by` does not name."
    zh = f"表中各类别按 {names_zh} 重复出现，而 by 没有写明。"
    listed = ", ".join(of)
    do, do_zh = f"Write by: [{listed}], or give each category once.", f"请写 by: [{listed}]，或每个类别只写一次。"
    return problem("E-MARGIN", where, en, zh, do, do_zh)


def _no_number(place: str, value: object) -> Problem:
    en, zh = f'"{value}" is no number.', f"“{value}”不是数字。"
    return problem("E-MARGIN", place, en, zh, "Give a share, a percentage or a count.", "请给出比例、百分比或人数。")


def lines_of(said: Said, group: Sequence[str]) -> list[Target]:
    """The lines of a margin that hold in one cell of `by`."""
    return [t for t in said.lines if all(not asked or asked == have for asked, have in zip(t.of, group, strict=False))]


def sized(
    said: Said, lines: Sequence[Target], rows: int, group: tuple[str, ...]
) -> tuple[dict[str, float], float | None]:
    """Category -> share of a margin in one group, and the population where the numbers are counts.

    Parameters:
        lines: of that group. rows: its respondents. group: its cell of `by`, empty for all.

    Raises:
        Faults: numbers that are negative or absent, a category twice, a sum that is neither 1 nor 100 nor a
            population.
    """
    found, shares = [], {}
    for line in lines:
        own = group if line.of else ()
        if line.category in shares:
            en, zh = f'the category "{line.category}" stands twice{OF}.', f"类别“{line.category}”重复出现{OF}。"
            found.append(Fault("E-MARGIN", line.place, en, zh, "Keep one of them.", "请只保留一处。", own))
        if not 0 <= line.value < float("inf"):
            en, zh = f"{line.value:g} cannot be the share of a category.", f"{line.value:g} 不能作为类别的占比。"
            do, do_zh = "Give a number from 0.", "请给出非负数。"
            found.append(Fault("E-MARGIN", line.place, en, zh, do, do_zh, own))
        shares[line.category] = line.value
    if found:
        raise Faults(found)
    whole = sum(shares.values())
    counts = whole >= max(FEWEST, rows)
    if not (abs(whole - 1) <= LOOSE or abs(whole - 100) <= 100 * LOOSE or counts):
        own = group if any(line.of for line in lines) else ()
        en = f"the margin {said.name}{OF} sums to {whole:.6g}; shares sum to 1, percentages to 100, counts to the"
        en += f" population (at least the {MUCH} respondents)."
        zh = f"边际 {said.name}{OF} 合计为 {whole:.6g}；比例应合计为 1，百分比应合计为 100，"
        zh += f"人数应合计为总体规模（不少于 {MUCH} 名受访者）。"
        do, do_zh = "Correct the numbers or add the category that is missing.", "请更正数值，或补上缺少的类别。"
        place = lines[0].place if lines else said.place
        raise Faults([Fault("E-MARGIN", place, en, zh, do, do_zh, own, float(rows))])
    return {c: v / whole for c, v in shares.items()}, whole if counts else None
