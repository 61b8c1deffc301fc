"""Parquet exports."""

from __future__ import annotations

import io

import polars as pl
from polars.exceptions import PolarsError

from csi.errors import Problems, problem
from csi.survey.datafile import DataFile, Raw, as_text
from csi.survey.readers.guarded import guarded


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """A Parquet file as text; rows are counted from 1 (there is no header row).

    Raises:
        Problems: the file is damaged.
    """
    try:
        with guarded():
            frame = pl.read_parquet(io.BytesIO(content))
    except (PolarsError, OSError, ValueError) as error:
        where = file.place or file.path.name
        bad = problem(
            "E-FORMAT",
            where,
            f'"{file.path.name}" is not a readable Parquet file.',
            f"“{file.path.name}”不是可读取的 Parquet 文件。",
            "Export it again.",
            "请重新导出。",
        )
        raise Problems([bad]) from error
    return Raw(file.path.name, sha256, as_text(frame), first_row=1)
