"""What is inside a zipped workbook, looked at before anything is unpacked: sizes, damage, locks."""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from csi.errors import Problem, Problems, problem
from csi.survey.datafile import DataFile

LARGEST: Final = 4 * 1024**3
"""Bytes that the parts of a workbook may unpack to."""

RATIO: Final = 250
"""Times that a part may be larger than its packed form, where it is larger than `SMALL`."""

SMALL: Final = 64 * 1024**2
BLOCK: Final = 1024 * 1024
LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
"""What the directory of a workbook with a password names."""


ERROR: Final = re.compile(rb'<c ([^>]*)\bt="e"([^>]*)>(?:(?!</c>).)*?<v>([^<]*)</v>', re.DOTALL)
"""A cell that holds an Excel error."""

Errors = list[tuple[str, str]]
"""Cells that hold an Excel error: the cell as Excel names it, and the error."""


def error_cells(file: DataFile, content: bytes) -> dict[str, Errors]:
    """Sheet -> its cells that hold an Excel error, of a zipped workbook; its parts are unpacked block by block.

    Raises:
        Problems: a password, a damaged archive, or parts that unpack to more than a workbook holds.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0") and LOCKED in content:
        raise Problems([locked(file)])
    if not content.startswith(b"PK"):
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            parts = book.infolist()
            if any(part.flag_bits & 1 for part in parts):
                raise Problems([locked(file)])
            _bounded(file, parts)
            found = {part.filename: _errors_in(book, part) for part in parts}
            return {sheet: found.get(name, []) for sheet, name in _sheets(book).items()} if any(found.values()) else {}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise Problems([_cut(file)]) from error


def _bounded(file: DataFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuses parts that unpack to too much.

    Raises:
        Problems: E-TOO-LARGE, with the part and its sizes.
    """
    total = sum(part.file_size for part in parts)
    worst = max(parts, key=lambda part: part.file_size, default=None)
    dense = worst is not None and worst.file_size > SMALL and worst.file_size > RATIO * max(worst.compress_size, 1)
    if worst is None or (total <= LARGEST and not dense):
        return
    packed, unpacked = worst.compress_size / 1024**2, worst.file_size / 1024**2
    raise Problems(
        [
            problem(
                "E-TOO-LARGE",
                file.place or file.path.name,
                f'"{file.path.name}" was not unpacked: its part {worst.filename} grows from {packed:,.1f} MB '
                f"to {unpacked:,.0f} MB.",
                f"未解压“{file.path.name}”：其中的 {worst.filename} 会从 {packed:,.1f} MB 膨胀到 {unpacked:,.0f} MB。",
                "If it is a true export, open it in Excel and save it as CSV.",
                "如确为真实导出，请在 Excel 中打开并另存为 CSV。",
            )
        ]
    )


def _errors_in(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Errors:
    """Error cells of a worksheet; every part is read to its end, so that its checksum is checked."""
    found, tail, sheet = Errors(), b"", part.filename.startswith("xl/worksheets/")
    with book.open(part) as stream:
        while block := stream.read(BLOCK):
            if sheet:
                text = tail + block
                end = text.rfind(b"<c ")
                found += _errors(text[:end] if end > 0 else b"")
                tail = text[end:] if end > 0 else text
    return [*found, *_errors(tail)]


def _errors(text: bytes) -> Iterator[tuple[str, str]]:
    """The error cells of a part of a worksheet."""
    for cell in ERROR.finditer(text):
        place = re.search(rb'\br="([A-Z]+\d+)"', cell[1] + cell[2])
        yield (place[1].decode() if place else "?"), cell[3].decode("utf-8", errors="replace")


def _sheets(book: zipfile.ZipFile) -> dict[str, str]:
    """Sheet -> its part in the workbook."""
    names = set(book.namelist())
    if not {WORKBOOK, RELATIONS} <= names:
        return {}
    told, paths = (book.read(name).decode("utf-8", errors="replace") for name in (WORKBOOK, RELATIONS))
    targets = {_said("Id", one): _said("Target", one) for one in re.findall(r"<Relationship [^>]*>", paths)}
    return {
        html.unescape(_said("name", one)): _part(targets.get(_said("r:id", one), ""))
        for one in re.findall(r"<sheet [^>]*>", told)
    }


WORKBOOK: Final = "xl/workbook.xml"
RELATIONS: Final = "xl/_rels/workbook.xml.rels"


def _said(name: str, tag: str) -> str:
    """An attribute of a tag."""
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found[1] if found else ""


def _part(target: str) -> str:
    """The name of a part as its archive has it."""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def locked(file: DataFile) -> Problem:
    """The workbook has a password."""
    return problem(
        "E-LOCKED",
        file.place or file.path.name,
        f'"{file.path.name}" is locked with a password.',
        f"“{file.path.name}”设有密码，无法读取。",
        "Open it in Excel with its password and save a copy without one, or export it as CSV.",
        "请在 Excel 中输入密码打开，另存为不加密的副本，或导出为 CSV。",
    )


def _cut(file: DataFile) -> Problem:
    """The archive is damaged."""
    return problem(
        "E-FORMAT",
        file.place or file.path.name,
        f'"{file.path.name}" is not a readable workbook: it is cut off or damaged ({len_of(file)}).',
        f"“{file.path.name}”不是可读取的工作簿：文件被截断或已损坏（{len_of(file)}）。",
        "Copy or export it again; if it opens in Excel, save it as .xlsx (without a password) or CSV.",
        "请重新复制或导出；如能在 Excel 中打开，请另存为 .xlsx（不加密码）或 CSV。",
    )


def len_of(file: DataFile) -> str:
    """The size of a file in words of both languages."""
    return f"{file.path.stat().st_size:,} B"
