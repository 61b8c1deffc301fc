"""What a question is that is no item: a characteristic of people, several choices, a text in one's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from csi.errors import Text
from csi.survey.personal import VALUES

Kind = Literal["segment", "choices", "words", "other"]

PEOPLE: Final = (
    r"性别|年龄|学历|教育程度|文化程度|收入|职业|行业|婚姻|民族|户籍|所在(城市|省份|地区)|居住(地|城市)|城市|省份|地区|区域"
    r"|\b(gender|sex|age|age ?group|education|income|occupation|profession|marital|region|city|province|state|country|"
    r"employment|ethnicity|household)\b"
)
"""Words in questions about the person."""

SEVERAL: Final = r"[┋┊]|(?:^|\S)[;；]\s*\S"
"""Marks between the choices of one cell."""

OWN: Final = (
    r"建议|意见|想法|评论|补充|请说明|请注明|为什么|原因是|还有什么|留言"
    r"|\b(comments?|suggestions?|feedback|remarks?|please (specify|explain)|anything else|in your own words)\b|_TEXT$"
)
"""Words in questions that are answered in people's own words."""

DATED: Final = r"^\s*(?:\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}:\d{2})"
"""How a date or a time begins."""

FEWEST: Final = 3
"""So many times each category of a segment was given, on average."""

LONG: Final = 40
"""Entries as long as this on average, a Chinese character counted twice, are texts."""

MANY: Final = 12
"""A text with more distinct entries than this makes no segments."""

LABELS: Final[Mapping[Kind, Text]] = {
    "segment": Text("may make segments (keys: {segment: ...})", "可作为细分（keys: {segment: ...}）"),
    "choices": Text("several choices in one question", "多选题"),
    "words": Text("answers in people's own words", "开放题"),
    "other": Text("not placed", "未能归类"),
}
"""Kinds in words."""


def kind_of(column: str, wording: str, cells: pl.Series) -> Kind:
    """What a question that is no item is, by its wording and its cells.

    Example:
        >>> kind_of("q9", "您的性别", pl.Series(["女", "男", "女", "男"]))
        'segment'
        >>> kind_of("q8", "Which channels do you use?", pl.Series(["web┋shop", "web", "shop"]))
        'choices'
        >>> kind_of("q7", "Anything else?", pl.Series(["Faster replies would be nice", "No, all is well with you"]))
        'words'
    """
    present = cells.drop_nulls().str.strip_chars()
    present = present.filter(present != "")
    told = _no_category(f"{column} {wording}", present)
    if told is not None:
        return told
    distinct, rows = present.n_unique(), present.len()
    if present.str.contains("[┋┊]").any() or re.search(r"[\[(（/].*(选项|option)|/\w+$", column):
        return "choices"
    if re.search(PEOPLE, f"{column} {wording}", re.IGNORECASE) and distinct <= max(MANY, 40):
        return "segment"
    if (distinct > rows / 2 or distinct > 2 * MANY) and _length(present) >= 8 and not _numeric(present):
        return "words"
    if present.str.contains(SEVERAL).sum() > 0.2 * rows and distinct > MANY / 2:
        return "choices"
    return "segment" if distinct <= MANY and rows >= FEWEST * distinct and not _numeric(present) else "other"


def _no_category(asked: str, cells: pl.Series) -> Kind | None:
    """What cells are that make no categories: dates, people's own words, one value, nothing at all; else None."""
    if cells.str.contains(DATED).sum() > cells.len() / 2:
        return "other"
    if _own_words(asked, cells):
        return "words"
    return "other" if cells.n_unique() < ENOUGH else None


ENOUGH: Final = 2
"""Values of a column that may tell people apart."""


def _own_words(asked: str, cells: pl.Series) -> bool:
    """Whether people wrote what they liked: asked for it, numbers and addresses of people among it, or long texts."""
    if _numeric(cells):
        return False
    open_ = re.search(OWN, asked, re.IGNORECASE) is not None and (cells.n_unique() > MANY / 2 or _length(cells) >= 8)
    return open_ or cells.str.contains(VALUES.pattern).any() or _length(cells) >= LONG


def _length(cells: pl.Series) -> float:
    """Characters of a cell, on average; a Chinese character counts twice."""
    return float((cells.str.len_bytes() + cells.str.len_chars()).sum()) / 2 / max(cells.len(), 1)


def _numeric(cells: pl.Series) -> bool:
    """Whether all cells are numbers."""
    return bool(cells.cast(pl.Float64, strict=False).is_not_null().all())
