"""Lines of a text file before it is read whole: none may be longer than an answer sheet can be."""

from __future__ import annotations

from typing import Final

from csi.errors import Problem, problem
from csi.survey.datafile import DataFile

LONGEST: Final = 64 * 1024**2
"""Bytes of the longest line that is read."""

BLOCK: Final = 1024 * 1024


def too_long(file: DataFile, longest: int = LONGEST) -> Problem | None:
    """The problem of a line longer than `longest` bytes; the file is looked at block by block and not beyond it."""
    line, length = 1, 0
    with file.path.open("rb") as stream:
        while block := stream.read(min(BLOCK, longest)):
            ends = [found for end in (b"\n", b"\r") if (found := block.find(end)) >= 0]
            length += min(ends, default=len(block))
            if length > longest:
                return _problem(file, line, longest)
            if ends:
                line += block.count(b"\n")
                length = len(block) - 1 - max(block.rfind(b"\n"), block.rfind(b"\r"))
    return None


def _problem(file: DataFile, line: int, longest: int) -> Problem:
    size = f"{longest / 1024**2:,.0f} MB" if longest >= BLOCK else f"{longest:,} B"
    return problem(
        "E-TOO-LARGE",
        file.place or file.path.name,
        f"{file.path.name}, line {line}: the line is longer than {size}; no answer sheet is.",
        f"{file.path.name} 第 {line} 行超过 {size}，不可能是一份答卷。",
        "Check how lines end in this file, and export it again.",
        "请检查文件的换行方式，并重新导出。",
    )
