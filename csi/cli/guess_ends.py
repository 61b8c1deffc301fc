"""Where a scale ends: by what its questions say, by how often its highest answer was given, else by custom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.errors import Text

ENDS: Final = (
    re.compile(r"(?<![\d.])([01])\s*(?:[-–—~～至到]|to|and)\s*(\d{1,3})(?![\d%/年月岁])", re.IGNORECASE),
    re.compile(
        r"(?<![\d.])([01])\s*(?:[=＝]|means|表示|代表|分为?)[^\d]{1,60}?(?<!\d)(\d{1,3})\s*(?:[=＝]|means|表示|代表|分为?)"
    ),
)
"""Both ends in a question: 1-6, 0 to 10, 1 = poor ... 7 = excellent."""

POINTS: Final = re.compile(r"(?<!\d)(\d{1,2})[- ]?(?:point|分制|级量表|点量表|级评分)")
NUMERAL: Final = re.compile(r"([三四五六七八九十])(?:分制|级量表|点量表|级评分)")
NUMERALS: Final = {word: number for number, word in enumerate("三四五六七八九十", 3)}
HIGHEST: Final = (*range(2, 12), 100)
"""The highest point a scale may have."""

UNUSUAL: Final = (3, 4, 5, 6, 7)
"""Highest points that are believed where they are given often and nothing above them is."""

MANY, OFTEN = 100, 0.05
"""So many answers, and so large a share of them at the top, tell that a scale ends there."""

NAMED: Final = 4
"""Questions that a comment names."""

Bounds = tuple[int, int]


def ends_said(wording: str) -> Bounds | None:
    """The ends of its scale that a question tells.

    Example:
        >>> ends_said("How likely are you to recommend us (0-10)?"), ends_said("请打分（1分表示很差，6分表示很好）")
        ((0, 10), (1, 6))
        >>> ends_said("On a 6-point scale, ..."), ends_said("How often in 2024?")
        ((1, 6), None)
    """
    found = {(int(m[1]), int(m[2])) for pattern in ENDS for m in pattern.finditer(wording)}
    found |= {(1, int(m[1])) for m in POINTS.finditer(wording)} if not found else set()
    found |= {(1, NUMERALS[m[1]]) for m in NUMERAL.finditer(wording)} if not found else set()
    fit = {(low, high) for low, high in found if high in HIGHEST and high > low + 1}
    return next(iter(fit)) if len(fit) == 1 else None


def ended(
    columns: Sequence[str], numbers: frozenset[int], wording: Mapping[str, str], frame: pl.DataFrame
) -> Bounds | None:
    """The scale of questions that share one, where their wording or the use of its highest point tells.

    Parameters:
        numbers: the answers seen.

    Example:
        >>> frame = pl.DataFrame({"a": ["1", "2", "3", "4", "5", "6"] * 20})
        >>> ended(["a"], frozenset(range(1, 7)), {}, frame), ended(["a"], frozenset(range(1, 7)), {}, frame.head(6))
        ((1, 6), None)
    """
    said = {ends for c in columns if (ends := ends_said(wording.get(c, "") or c))}
    low, high = min(numbers), max(numbers)
    if len(said) == 1:
        (bounds,) = said
        if bounds[0] <= low and high <= bounds[1]:
            return bounds
    if low not in (0, 1) or high not in UNUSUAL or len(numbers) < high - low + 1:
        return None
    cells = pl.concat([frame[c].alias("a") for c in columns]).str.strip_chars().cast(pl.Float64, strict=False)
    within = cells.filter(cells.is_between(low, high))
    return (low, high) if within.len() >= MANY and (within == high).sum() >= OFTEN * within.len() else None


def ends_of(
    blocks: Mapping[tuple[str, Bounds], Sequence[str]],
    numbers: Mapping[str, frozenset[int]],
    wording: Mapping[str, str],
    usual: Sequence[Bounds],
) -> dict[Bounds, Text]:
    """What tells the ends of each scale, where its answers do not reach them or they are unusual.

    Parameters:
        blocks: (name, scale) -> the questions that share it. numbers: the answers of each.

    Example:
        >>> told = ends_of({("sat", (1, 7)): ["sat1"]}, {"sat1": frozenset({1, 6})}, {}, [(1, 7)])
        >>> told[1, 7].en
        'the ends are a guess: sat1 was answered from 1 to 6'
    """
    found: dict[Bounds, Text] = {}
    for scale in dict.fromkeys(bounds for _, bounds in blocks):
        groups = [list(columns) for (_, bounds), columns in blocks.items() if bounds == scale]
        said = [c for group in groups for c in group if ends_said(wording.get(c, "") or c) == scale]
        short = [g for g in groups if not set(said) & set(g) and not _reached(g, numbers, scale)]
        if short:
            listed = [(g[0], min(n), max(n)) for g in short[:NAMED] if (n := _all(g, numbers))]
            more, more_zh = (", ...", "等") if len(short) > NAMED else ("", "")
            en = ", ".join(f"{c} was answered from {low} to {high}" for c, low, high in listed)
            zh = "，".join(f"{c} 的回答为 {low} 至 {high}" for c, low, high in listed)
            found[scale] = Text(f"the ends are a guess: {en}{more}", f"量表两端为推测：{zh}{more_zh}")
        elif said:
            found[scale] = Text(f"the ends are those that {said[0]} tells", f"量表两端取自题干（{said[0]}）")
        elif scale not in usual:
            top = scale[1]
            en = f"nobody answered above {top} and many answered {top}; if more was offered, change max"
            found[scale] = Text(en, f"无人回答 {top} 以上且选 {top} 的人不少；如实际提供更高选项，请改 max")
    return found


def _all(columns: Sequence[str], numbers: Mapping[str, frozenset[int]]) -> frozenset[int]:
    """All answers of some questions."""
    return frozenset().union(*(numbers[c] for c in columns))


def _reached(columns: Sequence[str], numbers: Mapping[str, frozenset[int]], scale: Bounds) -> bool:
    """Whether both ends of a scale were answered."""
    return set(scale) <= _all(columns, numbers)
