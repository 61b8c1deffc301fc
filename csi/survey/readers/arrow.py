"""Arrow files: IPC (.arrow, .ipc), Feather version 2 (.feather), and streams of record batches."""

from __future__ import annotations

import io
import struct

import polars as pl
from polars.exceptions import PolarsError

from csi.errors import Problem, Problems, problem
from csi.survey.datafile import DataFile, Raw, as_text
from csi.survey.readers.arrow_buffers import swollen
from csi.survey.readers.guarded import guarded

MAGIC = b"ARROW1"
"""What an Arrow file begins and ends with (a stream has neither)."""

OLD = b"FEA1"
"""What Feather files of version 1 begin with."""


def read(file: DataFile, content: bytes, sha256: str) -> Raw:
    """An Arrow file or stream as text; rows are counted from 1 (there is no header row).

    Raises:
        Problems: the file is damaged, cut off, or Feather of version 1.
    """
    if content.startswith(OLD):
        raise Problems([_damaged(file, "Feather version 1", "是 Feather 第 1 版文件")])
    if content.startswith(MAGIC) and not whole(content):
        raise Problems([_damaged(file, "cut off: its closing part is not there", "不完整：缺少结尾部分")])
    if swollen(content):
        raise Problems(
            [
                _damaged(
                    file, "damaged: a part of it says a size that it cannot have", "已损坏：某部分声明的大小不可能成立"
                )
            ]
        )
    try:
        with guarded():
            frame = _frame(content)
    except (PolarsError, OSError, ValueError) as error:
        raise Problems([_damaged(file, "not a readable Arrow file", "不是可读取的 Arrow 文件")]) from error
    return Raw(file.path.name, sha256, as_text(frame), first_row=1)


def whole(content: bytes) -> bool:
    r"""Whether an Arrow file has its closing part: a footer that fits, its length, and the magic word again.

    Source: Apache Arrow columnar format, "IPC File Format".

    Example:
        >>> whole(b"ARROW1\0\0"), whole(b"ARROW1\0\0foot\4\0\0\0ARROW1")
        (False, True)
    """
    tail = len(MAGIC) + 4
    if len(content) < 8 + tail or not content.endswith(MAGIC):
        return False
    (length,) = struct.unpack("<i", content[-tail : -len(MAGIC)])
    return 0 < int(length) <= len(content) - 8 - tail


def _frame(content: bytes) -> pl.DataFrame:
    """The rows of a file or of a stream."""
    source = io.BytesIO(content)
    return pl.read_ipc(source) if content.startswith(MAGIC) else pl.read_ipc_stream(source)


def _damaged(file: DataFile, en: str, zh: str) -> Problem:
    return problem(
        "E-FORMAT",
        file.place or file.path.name,
        f'"{file.path.name}" is {en}.',
        f"“{file.path.name}”{zh}。",
        "Write it again, as Arrow IPC (Feather version 2) or Parquet.",
        "请重新写出为 Arrow IPC（Feather 第 2 版）或 Parquet。",
    )
