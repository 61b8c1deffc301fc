"""How the results of this room read at a prompt: the table in one language without empty columns, then the notes."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from csi.display import table
from csi.errors import Note

REASON = {"en": "reason", "zh": "reason_zh"}
"""The column of reasons in each language."""


def shown(title: str, frame: pl.DataFrame, notes: Iterable[Note], lang: str) -> str:
    """A heading, the frame as text, one line per note.

    Parameters:
        frame: a tidy table; of its columns of reasons only the one in `lang` is printed, and no empty column.

    Example:
        >>> print(shown("Index", pl.DataFrame({"index": [71.2], "reason": [None], "reason_zh": [None]}), [], "en"))
        Index
        index
        -----
         71.2
    """
    other = [column for language, column in REASON.items() if language != lang]
    kept = [c for c in frame.columns if c not in other and frame[c].null_count() < max(frame.height, 1)]
    return "\n".join([title, table(frame.select(kept)), *(f"* {n.say(lang)}" for n in notes)])
