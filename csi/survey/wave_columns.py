"""Columns that came and went between the exports of waves, beside those that the items read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from csi.errors import Text
from csi.survey.asked import Asked
from csi.survey.panel import Source
from csi.survey.wave_changes import WaveChange, plain_wording

ALIKE: Final = 0.6
"""From this likeness of two wordings one may be the other reworded."""


def column_changes(
    sources: Sequence[Source], asked: Sequence[Asked], waves: Sequence[str], breaks: Sequence[str] = ()
) -> Iterator[WaveChange]:
    """Columns of each wave's files that the wave before had not, and the other way round; items that lost their column
    to one whose question is worded alike.

    Parameters:
        asked: how every item stood; says which file is of which wave. waves: oldest first. breaks: those declared.

    Example:
        >>> files = [Source("1.csv", "", 9, ("Q1",), ("Q2",)), Source("2.csv", "", 9, ("Q1",), ("Q3",))]
        >>> stood = [Asked("1", "q", "1.csv", "Q1"), Asked("2", "q", "2.csv", "Q1")]
        >>> [(c.what, c.item) for c in column_changes(files, stood, ["1", "2"])]
        [('new column', 'Q3'), ('column left', 'Q2')]
    """
    of = {wave: {one.file for one in asked if one.wave == wave} for wave in waves}
    mine = {w: [s for s in sources if s.name in files] for w, files in of.items()}
    for before, wave in pairwise(w for w in waves if mine[w]):
        then, now = ({c: None for s in mine[w] for c in s.unused} for w in (before, wave))
        had, has = ({c for s in mine[w] for c in (*s.used, *s.unused, *s.personal)} for w in (before, wave))
        new = [c for c in now if c not in had]
        for change in _reworded(asked, before, wave, new, breaks):
            new.remove(change.now)
            yield change
        for what, columns in (("new column", new), ("column left", [c for c in then if c not in has])):
            for column in columns:
                was, is_ = (column, "") if what == "column left" else ("", column)
                yield WaveChange(wave, before, column, what, was, is_, _files(mine, before, wave), wave in breaks)  # type: ignore[arg-type]  # one of two


def _files(mine: Mapping[str, Sequence[Source]], before: str, wave: str) -> Text:
    """Which files were held against each other."""
    then, now = (", ".join(s.name for s in mine[w]) for w in (before, wave))
    return Text(f"columns of {now} against {then}", f"{now} 与 {then} 的列")


def _reworded(
    asked: Sequence[Asked], before: str, wave: str, new: Sequence[str], breaks: Sequence[str]
) -> Iterator[WaveChange]:
    """Items that a wave has no column of, each with the new column whose question is worded most alike."""
    here = {one.item for one in asked if one.wave == wave and one.column}
    gone = {one.item: one for one in asked if one.wave == before and one.n and one.item not in here}
    rest = [c for c in new if is_question(c)]
    for item, then in gone.items():
        if not then.wording or not rest:
            continue
        best = max(rest, key=lambda c: likeness(then.wording, c))
        alike = likeness(then.wording, best)
        if alike < ALIKE:
            continue
        rest.remove(best)
        en = f'wording {alike:.0%} alike; if it is the item, write rename: {{{item}: "..."}} at the file of {wave}'
        zh = f'题干相似度 {alike:.0%}；若为同一题项，请在 {wave} 期文件处写 rename: {{{item}: "..."}}'
        yield WaveChange(wave, before, item, "reworded", then.wording, best, Text(en, zh), wave in breaks)


def likeness(one: str, other: str) -> float:
    """How alike two questions are worded, 0 to 1.

    Example:
        >>> likeness("Q7. How content are you?", "8. how content are you")
        1.0
    """
    return SequenceMatcher(None, plain_wording(one), plain_wording(other), autojunk=False).ratio()


WORDS: Final = 3
SIGNS: Final = 4


def is_question(header: str) -> bool:
    """Whether a column's header is a question: three words or more, or four Chinese characters.

    Example:
        >>> [is_question(h) for h in ("Q7", "overall_sat", "7. How content are you?", "7、您对物流满意吗", "满意度")]
        [False, False, True, True, False]
    """
    words = [w for w in header.split() if any(c.isalpha() for c in w)]
    signs = sum(1 for c in header if unicodedata.category(c) == "Lo")
    return len(words) >= WORDS or signs >= SIGNS
