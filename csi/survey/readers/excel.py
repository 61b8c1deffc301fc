"""Excel and OpenDocument workbooks, every cell as text.

Types are never inferred: a "(跳过)" in row 1,101 of a numeric column must not become a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import fastexcel
import polars as pl

from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.survey.cells import counted
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.header import above_note, footed, header_at, table_at
from csi.survey.readers.packed import Errors, error_cells, locked
from csi.survey.readers.platforms import platform_of
from csi.survey.readers.platforms.recipe import left_rows, without_rows


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """One sheet (the named one, else the first) as text.

    Raises:
        Problems: the workbook is damaged or has no such sheet.
    """
    errors = error_cells(file, content)
    try:
        book = fastexcel.read_excel(content)
    except fastexcel.FastExcelError as error:
        raise Problems([locked(file) if "assword" in str(error) else _damaged(file)]) from error
    sheets = book.sheet_names
    if file.sheet and file.sheet not in sheets:
        hint = did_you_mean(file.sheet, sheets)
        bad = problem(
            "E-SHEET",
            file.place or file.path.name,
            f'"{file.path.name}" has no sheet "{file.sheet}".',
            f"“{file.path.name}”中没有名为“{file.sheet}”的工作表。",
            hint.en,
            hint.zh,
        )
        raise Problems([bad])
    sheet = file.sheet or sheets[0]
    try:
        grid = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise Problems([_damaged(file)]) from error
    notes = _other_sheets(file, sheets)
    if not grid.height:
        return Raw(file.path.name, sha256, pl.DataFrame(), notes=notes)
    raw = _table(file, grid, sha256)
    told = _error_cells(file, errors.get(sheet, []), [str(v or "") for v in grid.row(raw.first_row - 2)])
    return replace(raw, notes=(*notes, *told, *raw.notes))


def _table(file: DataFile, grid: pl.DataFrame, sha256: str) -> Raw:
    """The table of a sheet: below its first row where that is a platform's header, else below the header found."""
    first, header = header_at(grid)
    frame, twice = table_at(grid, first)
    raw = Raw(file.path.name, sha256, frame, first_row=first + 2, twice=twice)
    if first == header or platform_of(raw) is not None:
        return _without_foot(raw)
    frame, twice = table_at(grid, header)
    notes = above_note(file.path.name, grid, first, header)
    return _without_foot(Raw(file.path.name, sha256, frame, first_row=header + 2, twice=twice, notes=notes))


def _without_foot(raw: Raw) -> Raw:
    """The table without notes below it."""
    foot = footed(raw.frame)
    if not foot.any():
        return raw
    what = Text("notes below the table", "表格下方的说明")
    return replace(without_rows(raw, foot), notes=(*raw.notes, *left_rows(raw, foot, what)))


def _damaged(file: DataFile) -> Problem:
    return problem(
        "E-FORMAT",
        file.place or file.path.name,
        f'"{file.path.name}" is not a readable workbook.',
        f"“{file.path.name}”不是可读取的工作簿。",
        "Open it in Excel and save it as .xlsx (without a password), or export it as CSV.",
        "请在 Excel 中打开并另存为 .xlsx（不加密码），或导出为 CSV。",
    )


def _other_sheets(file: DataFile, sheets: list[str]) -> tuple[Note, ...]:
    """A note when the first of several sheets was taken without being asked for."""
    if file.sheet or len(sheets) < 2:
        return ()
    others = ", ".join(sheets[1:])
    return (
        note(
            "N-SHEET",
            f'{file.path.name}: sheet "{sheets[0]}" was read; not read: {others}.',
            f"{file.path.name}：读取了工作表“{sheets[0]}”；未读取：{others}。",
        ),
    )


def _error_cells(file: DataFile, errors: Errors, header: Sequence[str]) -> tuple[Note, ...]:
    """A note on cells that hold an Excel error (#N/A, #REF!), which the library reads as blanks."""
    if not errors:
        return ()
    told = [(cell, what, _headed(cell, header)) for cell, what in errors[:NAMED]]
    en = ", ".join(f"{cell} {what}" + (f' (row {row} of "{name}")' if name else "") for cell, what, (row, name) in told)
    zh = "、".join(
        f"{cell} {what}" + (f"（“{name}”列第 {row} 行）" if name else "") for cell, what, (row, name) in told
    )
    more, more_zh = (", ...", "等") if len(errors) > NAMED else ("", "")
    count = counted(len(errors), "cell holds", "cells hold")
    return (
        note(
            "N-EXCEL-ERROR",
            f"{file.path.name}: {count} an Excel error, read as empty: {en}{more}.",
            f"{file.path.name}：{len(errors)} 个单元格是 Excel 错误值，按空白处理：{zh}{more_zh}。",
        ),
    )


NAMED = 5
"""Cells that a note names."""


def _headed(cell: str, header: Sequence[str]) -> tuple[str, str]:
    """The row of a cell and the name of its column."""
    letters, row = cell.rstrip("0123456789"), cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    place = 0
    for letter in letters:
        place = 26 * place + ord(letter) - ord("A") + 1
    return row, header[place - 1].strip() if 0 < place <= len(header) else ""
