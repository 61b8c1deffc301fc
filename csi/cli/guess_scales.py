"""What the numbers of a column tell of its scale, and the codes among them that are no answers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from csi.cli.guess_ends import ended, ends_of
from csi.cli.guess_keys import local_of, stem_of
from csi.errors import Text

SCALES: Final = ((0, 1), (1, 5), (1, 7), (1, 10), (0, 10), (0, 100))
CODES: Final = {
    "97": "not_asked", "98": "dont_know", "99": "refused", "88": "dont_know",
    "-1": "skipped", "-2": "empty", "-3": "skipped", "-9": "refused",
    "(跳过)": "skipped", "（跳过）": "skipped", "(空)": "empty", "（空）": "empty",
}  # fmt: skip
"""What exports write where there is no answer, with the reason (Chinese platforms: -3 and (跳过), -2 and (空))."""

PLAIN: Final = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole numbers and the missing codes in a column; `odd` are the first entries that are neither, `declared` the
    codes with reasons that the file itself says.
    """

    numbers: frozenset[int]
    codes: frozenset[str]
    odd: tuple[str, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)


def seen_in(
    column: pl.Series, declared: Mapping[str, str] | None = None, labelled: Collection[int] = frozenset()
) -> Seen:
    """What a column holds.

    Parameters:
        declared: {code: reason} that the file itself says. labelled: answers that bear a label.
    """
    none = declared or {}
    entries = column.drop_nulls().str.strip_chars(" \t\r\n\u3000").unique(maintain_order=True)
    typed = [entry for entry in entries.to_list() if entry]
    codes = frozenset(entry for entry in typed if entry in CODES and entry not in none)
    numbers: set[int] = set()
    odd: list[str] = []
    for entry in (e for e in typed if e not in none):
        value = number(entry)
        if value is not None and value == round(value):
            numbers.add(round(value))
        elif entry not in CODES:
            odd.append(entry)
    said = {code: why for code, why in none.items() if code in typed}
    return Seen(frozenset(numbers | set(labelled) if numbers else numbers), codes, tuple(odd[:2]), said)


def number(entry: str) -> float | None:
    """The finite number an entry is."""
    try:
        value = float(entry)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def scales_of(
    seen: Mapping[str, Seen], wording: Mapping[str, str], frame: pl.DataFrame
) -> tuple[dict[str, tuple[int, int]], dict[tuple[int, int], Text]]:
    """The scale of each column that has one, and what tells the ends of scales; questions of a `block` share theirs.

    A question answered by 0 and 1 alone keeps its own scale. 97, 98 and 99 are codes unless the answers go beyond 10.
    """
    answers = {c: n for c, s in seen.items() if not s.odd and (n := answers_of(s.numbers))}
    blocks: dict[str, list[str]] = {}
    for column, numbers in answers.items():
        yes_no = numbers <= {0, 1} and 0 in numbers
        blocks.setdefault(f"{column} yes or no" if yes_no else block(column), []).append(column)
    found: dict[tuple[str, tuple[int, int]], list[str]] = {}
    for name, columns in blocks.items():
        numbers = frozenset().union(*(answers[c] for c in columns))
        scale = scale_of(numbers) if numbers <= {0, 1} else ended(columns, numbers, wording, frame) or scale_of(numbers)
        if scale is not None:
            found[name, scale] = columns
    place = {c: scale for (_, scale), columns in found.items() for c in columns}
    return {c: place[c] for c in answers if c in place}, ends_of(found, answers, wording, SCALES)


def answers_of(numbers: frozenset[int]) -> frozenset[int]:
    """The numbers that are no missing codes."""
    plain = frozenset(n for n in numbers if str(n) not in CODES)
    return plain if not plain or max(plain) <= 10 else frozenset(n for n in numbers if n >= 0)


def scale_of(seen: Collection[int]) -> tuple[int, int] | None:
    """The narrowest usual scale that holds all values; None when none does. Nobody's 0 makes no yes-no question.

    Example:
        >>> scale_of({0, 1}), scale_of({1, 4}), scale_of({0, 9}), scale_of({1})
        ((0, 1), (1, 5), (0, 10), (1, 5))
    """
    fits = [s for s in SCALES if seen and s[0] <= min(seen) and max(seen) <= s[1] and (s != (0, 1) or 0 in seen)]
    return fits[0] if fits else None


def codes_of(seen: Mapping[str, Seen], scales: Mapping[str, tuple[int, int]]) -> dict[tuple[int, int], dict[str, str]]:
    """The missing codes that occur on each scale, but for numbers that are answers on it."""
    found: dict[tuple[int, int], dict[str, str]] = {scale: {} for scale in scales.values()}
    for column, scale in scales.items():
        for code in (c for c in CODES if c in seen[column].codes):
            value = number(code)
            if value is None or not scale[0] <= value <= scale[1]:
                found[scale][code] = CODES[code]
        for code, why in seen[column].declared.items():
            value = number(code)
            if value is None or not scale[0] <= value <= scale[1]:
                found[scale][code] = why
    return found


def block(column: str) -> str:
    """The questions that share a scale: those of one name but for a number, unless that name is a mere Q.

    Example:
        >>> block("sat2"), block("Q1_2"), block("Q4"), block("V12"), block("PERQ7")
        ('sat', 'Q1', 'Q4', 'V12', 'PERQ')
        >>> block("g1/sat2"), block("sat[SQ001]"), block("G1Q1[SQ2]")
        ('sat', 'sat', 'G1Q1')
    """
    if stem_of(column) != local_of(column):
        return stem_of(column)
    stem = prefix(column)
    if re.fullmatch(PLAIN_STEM, stem, re.IGNORECASE) is None:
        return stem
    return re.sub(r"(?<=\d)[_.\-]\d+$", "", stem_of(column)) or column


PLAIN_STEM: Final = r"[qvx]|qid|var|item|question|题|题目|问题|第?"
"""Names that number all questions of a questionnaire, whatever their scale."""


def prefix(column: str) -> str:
    """The name without its closing number: items of one block share it.

    Example:
        >>> prefix("PERQ7"), prefix("总体满意度2"), prefix("12、总体满意度")
        ('PERQ', '总体满意度', '总体满意度')
    """
    return re.sub(r"[\d_.\- ]+$", "", stem_of(column))
