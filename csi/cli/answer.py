"""What a verb found, before anything is printed: blocks for a person, numbers for a machine, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from csi.errors import Note, Problem

FINE: Final = 0
PROBLEMS: Final = 1
USAGE: Final = 2
INADMISSIBLE: Final = 3
UNEXPECTED: Final = 70
STOPPED: Final = 130


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of printed cells: one heading and one alignment ("<" or ">") per column."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Literal["<", ">"], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one verb.

    Attributes:
        blocks: lines and grids, printed in order. data: the same in full precision, for `--json`.
        notes: what is doubtful, printed under the blocks, before them with `notes_first`.
        problems: what the user must change.
        code: the exit code. record: what `--record` writes beside the data (None: the data itself).
    """

    blocks: tuple[str | Grid, ...]
    data: Mapping[str, object]
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()
    code: int = FINE
    record: Mapping[str, object] = field(default_factory=dict)
    notes_first: bool = False
