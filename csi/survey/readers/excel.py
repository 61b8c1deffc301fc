"""Excel and OpenDocument workbooks, every cell as text.

Types are never inferred: a "(跳过)" in row 1,101 of a numeric column must not become a blank.
"""

from __future__ import annotations

import io
import re
import zipfile

import fastexcel

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.survey.datafile import DataFile, Raw


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """One sheet (the named one, else the first) as text.

    Raises:
        Problems: the workbook is damaged or has no such sheet.
    """
    try:
        book = fastexcel.read_excel(content)
    except fastexcel.FastExcelError as error:
        raise Problems([_damaged(file)]) from error
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
        frame = book.load_sheet(sheet, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise Problems([_damaged(file)]) from error
    frame = frame.rename({name: name.strip() for name in frame.columns if name.strip() not in frame.columns})
    return Raw(file.path.name, sha256, frame, notes=(*_other_sheets(file, sheets), *_error_cells(file, content)))


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


def _error_cells(file: DataFile, content: bytes) -> tuple[Note, ...]:
    """A note when cells hold an Excel error (#N/A, #REF!), which the library reads as blanks."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return ()
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        pages = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
    count = sum(len(re.findall(rb'<c [^>]*\bt="e"', page)) for page in pages)
    if not count:
        return ()
    return (
        note(
            "N-EXCEL-ERROR",
            f"{file.path.name}: {count} cells hold an Excel error (such as #N/A); read as empty.",
            f"{file.path.name}：{count} 个单元格是 Excel 错误值（如 #N/A），按空白处理。",
        ),
    )
