"""Scales whose answers are words: which words stand together, and their codes where the order of the words is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from csi.cli.guess_kinds import PEOPLE, SEVERAL
from csi.cli.guess_order import order_of
from csi.cli.guess_scales import CODES, scale_of
from csi.survey.codebook import MissingReason
from csi.survey.period import natural
from csi.survey.readers.labelled import reason_of
from csi.survey.worded import plain

MOST: Final = 11
"""More distinct words than this are no scale."""

LONGEST: Final = 40
"""Longer entries are people's own words."""

FEWEST: Final = 3
"""Words that several questions share, before they are taken for a scale whose order is not known."""

NUMBERED: Final = re.compile(r"(\d{1,3})\s*(?:分$|[-–—.:：、=]+\s*(?=\D)|[(（])|.*[(（](\d{1,3})\s*分?[)）]$")
"""A word that bears its own number: "5 - very good", "满意(4分)"."""


@dataclass(frozen=True, slots=True)
class WordScale:
    """Questions that are answered in the same words.

    Attributes:
        columns: the questions. codes: word -> its code, lowest first where the order is `known`; else
            by their numbers (A1, A2, ...), or by first sight.
        bounds: of the codes. missing: words that mean no answer -> why.
    """

    columns: tuple[str, ...]
    codes: Mapping[str, int]
    bounds: tuple[int, int]
    missing: Mapping[str, MissingReason] = field(default_factory=dict)
    known: bool = True

    def coded(self, cells: pl.Series) -> pl.Series:
        """A column's words as codes; everything else as it is.

        Example:
            >>> WordScale(("q",), {"差": 1, "好": 2}, (1, 2)).coded(pl.Series("q", ["好", " 差", "3", None])).to_list()
            ['2', '1', '3', None]
        """
        codes = {plain(word): str(code) for word, code in self.codes.items()}
        return cells.map_elements(lambda cell: codes.get(plain(cell), cell), return_dtype=pl.String)


Read = Callable[[Sequence[str]], tuple[dict[str, int], tuple[int, int]] | None]
"""Words -> their codes and bounds, where the words tell them."""


def word_scales(
    frame: pl.DataFrame, wording: Mapping[str, str], labels: Mapping[str, Mapping[str, str]], absent: Mapping[str, str]
) -> list[WordScale]:
    """The scales in words of the columns of a frame.

    Parameters:
        frame: the columns that may be questions, as text. wording: column -> the question. labels: column -> code ->
            label, where the file tells. absent: entries that mean no answer whatever the question -> why.

    Example:
        >>> cells = {"a": ["满意", "很满意", "一般", ""], "b": ["不满意", "满意", "一般", "不了解"], "c": [*"京沪京沪"]}
        >>> (found,) = word_scales(pl.DataFrame(cells), {}, {}, {})
        >>> found.columns, found.codes, found.bounds, found.missing
        (('a', 'b'), {'不满意': 2, '一般': 3, '满意': 4, '很满意': 5}, (1, 5), {'不了解': 'dont_know'})
    """
    entries = {c: told for c in frame.columns if (told := _entries(frame[c], absent))}
    found: list[WordScale] = []
    left: list[str] = []
    for column in sorted(entries, key=lambda c: -len(entries[c])):
        one = _alone(column, entries[column], labels.get(column, {}))
        if one is None:
            left.append(column)
        elif one.codes:
            found = _joined(found, one)
    ordered = [*_unordered([c for c in frame.columns if c in left], entries, frame, wording)]
    place = {c: number for number, c in enumerate(frame.columns)}
    every = [replace(s, columns=tuple(sorted(s.columns, key=place.__getitem__))) for s in (*found, *ordered)]
    return sorted(every, key=lambda s: (not s.known, place[s.columns[0]]))


def _entries(cells: pl.Series, absent: Mapping[str, str]) -> list[str]:
    """The distinct entries of a column that are words; none where it holds too many, or too long ones."""
    said = cells.drop_nulls().str.strip_chars(" \t\r\n\u3000").unique(maintain_order=True)
    words = [w for w in said.head(4 * MOST).to_list() if w and w not in absent and w not in CODES]
    if len(words) > 2 * MOST or any(len(w) > LONGEST for w in words):
        return []
    return words if any(not _is_number(w) for w in words) else []


def _alone(column: str, words: Sequence[str], labels: Mapping[str, str]) -> WordScale | None:
    """The scale of one column by itself, if its words tell one."""
    for read in (_by_labels(labels), _by_numbers, _by_order):
        told = read(words)
        if told is not None:
            return WordScale((column,), *told)
        none = {w: why for w in words if (why := reason_of(w))}
        told = read([w for w in words if w not in none]) if none else None
        if told is not None:
            return WordScale((column,), *told, none)
    return None


def _by_labels(labels: Mapping[str, str]) -> Read:
    """The codes that the file itself gives its words."""

    def read(words: Sequence[str]) -> tuple[dict[str, int], tuple[int, int]] | None:
        known = {plain(w): code for code, label in labels.items() for w in {label, *label.split(" / ")}}
        codes = {w: known[plain(w)] for w in words if plain(w) in known}
        if len(codes) < len(words) or not all(re.fullmatch(r"-?\d+", c) for c in known.values()):
            return None
        every = sorted({int(code) for code, label in labels.items() if not reason_of(label)})
        bounds = (every[0], every[-1]) if len(every) > 1 else None
        return None if bounds is None else (dict(sorted(_numbers(codes), key=_second)), bounds)

    return read


def _numbers(codes: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    yield from ((word, int(code)) for word, code in codes.items())


def _second(pair: tuple[str, int]) -> int:
    return pair[1]


def _by_numbers(words: Sequence[str]) -> tuple[dict[str, int], tuple[int, int]] | None:
    """The codes that words bear themselves ("5 - very good"); plain numbers stand for themselves."""
    told = {w: found[1] or found[2] for w in words if (found := NUMBERED.match(w))}
    rest = [w for w in words if w not in told]
    if not told or not all(re.fullmatch(r"\d{1,3}", w) for w in rest):
        return None
    numbers = [*(int(code) for code in told.values()), *map(int, rest)]
    low, high = min(numbers), max(numbers)
    ends = {low, high} <= {int(code) for code in told.values()} and high > low
    bounds = (low, high) if ends else scale_of(set(numbers))
    if bounds is None or len(set(numbers)) < max(len(numbers), 2) or len(numbers) > MOST:
        return None
    return dict(sorted(_numbers(told), key=_second)), bounds


def _by_order(words: Sequence[str]) -> tuple[dict[str, int], tuple[int, int]] | None:
    """The codes of words whose order is known, from 1."""
    told = order_of(words) if len(words) <= MOST else None
    return None if told is None else (told[0], (1, told[1]))


def _joined(found: list[WordScale], one: WordScale) -> list[WordScale]:
    """The scales with one more column: in the first whose words hold its own, or hold them without another point."""
    for number, scale in enumerate(found):
        both = _both(scale, one)
        if both is not None:
            return [*found[:number], both, *found[number + 1 :]]
    return [*found, one]


def _both(scale: WordScale, one: WordScale) -> WordScale | None:
    """Two scales as one, where they are."""
    columns, missing = (*scale.columns, *one.columns), {**scale.missing, **one.missing}
    if set(one.codes) <= set(scale.codes) and not set(missing) & set(scale.codes):
        if one.codes.items() <= scale.codes.items() or scale.bounds[0] == 1:
            return replace(scale, columns=columns, missing=missing)
        return None
    told = _by_order([*scale.codes, *(w for w in one.codes if w not in scale.codes)])
    if told is None or told[1][1] > max(scale.bounds[1], one.bounds[1]) or (scale.bounds[0], one.bounds[0]) != (1, 1):
        return None
    return replace(scale, columns=columns, codes=told[0], bounds=told[1], missing=missing)


def _unordered(
    columns: Sequence[str], entries: Mapping[str, Sequence[str]], frame: pl.DataFrame, wording: Mapping[str, str]
) -> Iterator[WordScale]:
    """Questions that share words whose order is not known: several of them, and none about the person."""
    groups: list[tuple[list[str], dict[str, int]]] = []
    for column in columns:
        words = [w for w in entries[column] if not reason_of(w)]
        if not _may_be_scale(f"{column} {wording.get(column, '')}", words, frame[column]):
            continue
        home = next((g for g in groups if _alike(set(words), set(g[1]))), None)
        if home is None:
            home = ([], {})
            groups.append(home)
        home[0].append(column)
        for word in words:
            home[1].setdefault(word, len(home[1]) + 1)
    for members, codes in groups:
        if len(members) > 1 and FEWEST <= len(codes) <= MOST:
            none = {w: why for c in members for w in entries[c] if (why := reason_of(w))}
            numbered = all(re.search(r"\d", word) for word in codes)
            told = {word: code for code, word in enumerate(sorted(codes, key=natural), 1)} if numbered else codes
            yield WordScale(tuple(members), told, (1, len(told)), none, known=False)


def _alike(words: set[str], others: set[str]) -> bool:
    """Whether two questions are answered in the same words: most of all of theirs, and enough of them."""
    shared = len(words & others)
    return shared >= FEWEST and SHARED * len(words | others) <= shared


SHARED: Final = 0.6
"""The share of words that questions of one scale have in common."""


def _may_be_scale(asked: str, words: Sequence[str], cells: pl.Series) -> bool:
    """Whether a column of words may be a question on a scale: few words again and again, of nobody's person."""
    few = 2 <= len(words) <= MOST and cells.drop_nulls().len() >= FEWEST * len(words)
    joined = any(re.search(SEVERAL, w) or _is_number(w) for w in words)
    return few and not joined and not re.search(PEOPLE, asked, re.IGNORECASE)


def _is_number(text: str) -> bool:
    """Whether an entry is a number by itself."""
    return re.fullmatch(r"-?[\d.,，．０-９]+%?", text) is not None
