"""What a question is that is no item: a characteristic of people, several choices, a text in one's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from csi.errors import Text

Kind = Literal["segment", "choices", "words", "other"]

PEOPLE: Final = (
    r"性别|年龄|学历|教育程度|文化程度|收入|职业|行业|婚姻|民族|户籍|所在(城市|省份|地区)|居住(地|城市)|城市|省份|地区|区域"
    r"|\b(gender|sex|age|age ?group|education|income|occupation|profession|marital|region|city|province|state|country|"
    r"employment|ethnicity|household)\b"
)
"""Words in questions about the person."""

SEVERAL: Final = r"[┋┊]|(?:^|\S)[;；]\s*\S"
"""Marks between the choices of one cell."""

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
    if not present.len():
        return "other"
    distinct, rows = present.n_unique(), present.len()
    if present.str.contains("[┋┊]").any() or re.search(r"[\[(（/].*(选项|option)|/\w+$", column):
        return "choices"
    if re.search(PEOPLE, f"{column} {wording}", re.IGNORECASE) and distinct <= max(MANY, 40):
        return "segment"
    if distinct > rows / 2 and _length(present) >= 8 and not _numeric(present):
        return "words"
    if present.str.contains(SEVERAL).sum() > 0.2 * rows and distinct > MANY / 2:
        return "choices"
    return "segment" if distinct <= MANY and rows >= 3 * distinct and not _numeric(present) else "other"


def _length(cells: pl.Series) -> float:
    """Characters of a cell, on average."""
    return float(cells.str.len_chars().sum()) / max(cells.len(), 1)


def _numeric(cells: pl.Series) -> bool:
    """Whether all cells are numbers."""
    return bool(cells.cast(pl.Float64, strict=False).is_not_null().all())
