"""Text that cannot be split into rows: which line is to blame, by its quotation marks, line ends, or separators."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from csi.errors import Note, Problem, note, problem
from csi.survey.datafile import DataFile


@contextmanager
def long_cells(text: str) -> Iterator[None]:
    """Cells of any length may be read meanwhile: the csv module stops at 131,072 characters."""
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, len(text)))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def one_line_end(name: str, text: str) -> tuple[str, tuple[Note, ...]]:
    r"""A text whose lines end as old Macs ended them (CR alone) with usual ends, and a note that says so.

    Example:
        >>> text, notes = one_line_end("a.csv", "id,q1\r1,5\r")
        >>> text, notes[0].code, one_line_end("a.csv", "id\r\n1\r\n")
        ('id,q1\n1,5\n', 'N-LINE-ENDS', ('id\r\n1\r\n', ()))
    """
    if "\n" in text or "\r" not in text:
        return text, ()
    en = f"{name}: lines end as those of old Macs (a carriage return alone); read as line ends."
    zh = f"{name}：行尾是旧版 Mac 的回车符（CR），已按换行读取。"
    return text.replace("\r", "\n"), (note("N-LINE-ENDS", en, zh),)


def what_is_broken(file: DataFile, text: str, separator: str, above: int = 0) -> Problem:
    """Why a text cannot be split into rows and columns: a quotation mark, mixed line ends, or rows of another width.

    Parameters:
        above: lines of the file before the text.
    """
    return (
        unclosed(file, text, separator, above)
        or _mixed_ends(file, text, above)
        or ragged(file, text, separator, above)
        or problem(
            "E-ROWS",
            file.place or file.path.name,
            f"{file.path.name} cannot be split into rows and columns.",
            f"{file.path.name} 无法拆分成行和列。",
            "Open it in a text editor: every row needs as many separators as the header. Then export it again.",
            "请用文本编辑器查看：每行的分隔符应与表头一样多；然后重新导出。",
        )
    )


def unclosed(file: DataFile, text: str, separator: str, above: int = 0) -> Problem | None:
    """The first row with a quotation mark that is opened and not closed before its cell ends, if there is one."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = above + 1
    try:
        with long_cells(text):
            for _ in rows:
                line = above + rows.line_num + 1
    except csv.Error as error:
        if "new-line" in str(error):
            return None
        return problem(
            "E-ROWS",
            file.place or file.path.name,
            f"{file.path.name}: a quotation mark is opened in the row that begins in line {line} and not closed where "
            "its cell ends, so that the rows below it run together.",
            f"{file.path.name}：从第 {line} 行开始的一行中有引号未在单元格末尾闭合，导致其后各行连在一起。",
            'Close it there; a quotation mark within a quoted cell is written twice ("").',
            '请在该处闭合引号；带引号的单元格内部的引号要写两次（""）。',
        )
    return None


def _mixed_ends(file: DataFile, text: str, above: int) -> Problem | None:
    """The first line with a carriage return in its middle."""
    found = re.search(r"\r(?!\n)", text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + above + 1
    return problem(
        "E-ROWS",
        file.place or file.path.name,
        f"{file.path.name}, line {line}: a carriage return stands within the line; line ends are of several kinds.",
        f"{file.path.name} 第 {line} 行：行内有回车符，文件混用了几种换行方式。",
        "Save it with one kind of line end (in Excel: CSV UTF-8), or put a cell with a line break in quotation marks.",
        "请以一种换行方式保存（在 Excel 中存为 CSV UTF-8）；含换行的单元格请加引号。",
    )


def ragged(file: DataFile, text: str, separator: str, above: int = 0) -> Problem | None:
    """The first rows whose width differs from the header's, if any."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        with long_cells(text):
            width = len(next(rows))
            wrong = list(islice(((above + rows.line_num, len(row)) for row in rows if row and len(row) != width), 5))
    except csv.Error:
        return _mixed_ends(file, text, above)
    if not wrong:
        return None
    listed = ", ".join(f"{line} ({count})" for line, count in wrong)
    return problem(
        "E-ROWS",
        file.place or file.path.name,
        f"the header of {file.path.name} has {width} columns, but other counts stand in lines: {listed}.",
        f"{file.path.name} 的表头有 {width} 列，但以下行的列数不同：{listed}。",
        "A cell with a separator needs quotation marks; a cut-off file must be exported again.",
        "含分隔符的单元格须加引号；被截断的文件请重新导出。",
    )
