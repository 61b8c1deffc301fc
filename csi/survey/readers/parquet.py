"""Parquet exports."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from polars.exceptions import PanicException, PolarsError

from csi.errors import Problems, problem
from csi.survey.datafile import DataFile, Raw, as_text


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """A Parquet file as text; rows are counted from 1 (there is no header row).

    Raises:
        Problems: the file is damaged.
    """
    try:
        with silently():
            frame = pl.read_parquet(io.BytesIO(content))
    except (PolarsError, PanicException, OSError) as error:
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


@contextmanager
def silently() -> Iterator[None]:
    """Nothing reaches the standard error: of damaged pages polars tells there, thread by thread, before it raises."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error, nothing to keep from it
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
