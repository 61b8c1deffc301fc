"""Readers, one file per platform; each turns an export into `Raw` (all text), or says what is wrong with the file.

    delimited  CSV and other separated text      excel    Excel and OpenDocument workbooks
    parquet    Parquet                           arrow    Arrow IPC, Feather 2, streams of batches
    spss       SPSS .sav                         stata    Stata .dta
    frames     polars, pandas and other frames   sql      a query of DuckDB or PostgreSQL

A reader is loaded when a file of its kind turns up, so that a CSV study never pays for the SPSS or Excel library.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
from collections.abc import Collection
from pathlib import Path
from typing import Protocol, cast

from csi.errors import Problem, Problems, problem
from csi.survey.datafile import DataFile, Raw
from csi.survey.personal import not_there, without_personal
from csi.survey.readers.between import without_between
from csi.survey.readers.lines import too_long
from csi.survey.readers.platforms import recognised, with_idle_incomplete
from csi.survey.readers.sql import read as read_query

READERS = {
    ".csv": "delimited", ".tsv": "delimited", ".txt": "delimited", ".tab": "delimited",
    ".parquet": "parquet", ".pq": "parquet",
    ".xlsx": "excel", ".xlsm": "excel", ".xlsb": "excel", ".xls": "excel", ".ods": "excel",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".arrows": "arrow",
    ".sav": "spss", ".zsav": "spss", ".dta": "stata",
}  # fmt: skip
"""Suffix -> module of this package that reads it."""

MAGIC = {
    b"PK\x03\x04": "excel", b"\xd0\xcf\x11\xe0": "excel", b"$FL2": "spss", b"$FL3": "spss", b"PAR1": "parquet",
    b"ARRO": "arrow", b"FEA1": "arrow", b"\xff\xff\xff\xff": "arrow", b"<sta": "stata",
    **{bytes((release, order, 1, 0)): "stata" for release in range(104, 116) for order in (1, 2)},
}  # fmt: skip
"""First four bytes -> the module a file really belongs to."""


DATABASES = (".duckdb", ".ddb", ".db")
"""Suffixes of databases, which want a query."""


ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".zst")
"""Suffixes of packed files, which want unpacking."""


class Reader(Protocol):
    """What every reader module offers."""

    def read(self, file: DataFile, content: bytes, sha256: str) -> Raw:
        """The file as text; raises `Problems`."""
        ...


RECOGNISED = ("delimited", "excel")
"""Readers of files that survey platforms export."""


def read_raw(file: DataFile, used: Collection[str] = ()) -> Raw:
    """The answers of an export as text: its platform recognised and turned, columns that name people left behind.

    Parameters:
        used: columns that stay though they name people, because the study uses them.

    Raises:
        Problems: no such file, a folder, an empty file, an unknown or wrong kind of file, a wrong encoding, a column
            that `personal:` asks for and the file has not.
    """
    table = raw = read_table(file)
    if file.query is None and READERS[file.path.suffix.lower()] in RECOGNISED:
        raw = without_between(recognised(raw, file, read_table))
    absent = [*not_there(file, dict.fromkeys((*table.frame.columns, *raw.frame.columns)))]
    if absent:
        raise Problems(absent)
    raw = with_idle_incomplete(raw, file)
    return without_personal(raw, {*used, *file.personal})


def read_table(file: DataFile) -> Raw:
    """A file as text, every column of it, by the reader its suffix names.

    Raises:
        Problems: no such file, a folder, an empty file, an unknown or wrong kind of file, a wrong encoding.
    """
    if file.query is not None:
        return read_query(file, file.query)
    kind = READERS.get(file.path.suffix.lower(), "")
    bad = _unusable(file, kind)
    if bad is not None:
        raise Problems([bad])
    bad = too_long(file) if kind == "delimited" else None
    if bad is not None:
        raise Problems([bad])
    content = file.path.read_bytes()
    bad = _unlike(file, kind, content)
    if bad is not None:
        raise Problems([bad])
    reader = cast("Reader", importlib.import_module(f"{__name__}.{kind}"))
    return reader.read(file, content, hashlib.sha256(content).hexdigest())


def _unusable(file: DataFile, kind: str) -> Problem | None:
    """What is wrong with the path."""
    where, name = file.place or str(file.path), file.path.name
    if not file.path.exists():
        near = _similar(file.path)
        return problem(
            "E-FILE",
            where,
            f'data file "{file.path}" does not exist.',
            f"数据文件“{file.path}”不存在。",
            f'Did you mean "{near}"?' if near else "Check the name; it is looked up beside the study file.",
            f"是否应为“{near}”？" if near else "请检查文件名；文件应放在研究文件所在的文件夹。",
        )
    if not file.path.is_file():
        return problem(
            "E-FILE",
            where,
            f'"{file.path}" is a folder, not a data file.',
            f"“{file.path}”是文件夹，不是数据文件。",
            "Name one file.",
            "请写出具体的文件名。",
        )
    if not kind and file.path.suffix.lower() in DATABASES:
        return problem(
            "E-FORMAT",
            where,
            f'"{name}" is a database, not a file of answers.',
            f"“{name}”是数据库，不是答卷文件。",
            f'Say what to ask it: {{sql: "select ...", database: {name}}}.',
            f'请写明查询：{{sql: "select ...", database: {name}}}。',
        )
    if not kind and file.path.suffix.lower() in ARCHIVES:
        return problem(
            "E-FORMAT",
            where,
            f'"{name}" is an archive, not a file of answers.',
            f"“{name}”是压缩包，不是答卷文件。",
            "Unpack it and name the file of answers in it.",
            "请先解压，再写出其中的答卷文件。",
        )
    if not kind:
        known = ", ".join(READERS)
        return problem(
            "E-FORMAT",
            where,
            f'"{name}" is of an unknown kind.',
            f"无法识别“{name}”的文件类型。",
            f"Known kinds: {known}.",
            f"支持的类型：{known}。",
        )
    return None


def _unlike(file: DataFile, kind: str, content: bytes) -> Problem | None:
    """What is wrong with the bytes: none at all, or those of another kind of file."""
    where, name = file.place or str(file.path), file.path.name
    if not content.strip():
        return problem(
            "E-EMPTY",
            where,
            f'"{name}" is empty.',
            f"文件“{name}”是空的。",
            "Export the answers again.",
            "请重新导出答卷数据。",
        )
    real = MAGIC.get(content[:4], kind)
    if real != kind:
        right = next(suffix for suffix, module in READERS.items() if module == real)
        return problem(
            "E-FORMAT",
            where,
            f'"{name}" is in truth a file of kind {right}.',
            f"“{name}”实际上是 {right} 类型的文件。",
            f"Rename it to *{right}, or export it again as {file.path.suffix}.",
            f"请把后缀改为 {right}，或重新导出为 {file.path.suffix}。",
        )
    return None


def _similar(path: Path) -> str:
    """The name in the same folder closest to `path`, or ""."""
    names = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return close[0] if close else ""
