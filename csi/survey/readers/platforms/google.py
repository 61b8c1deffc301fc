"""Google Forms: a time stamp first, the questions as headers, grids as "Question [Row]", check boxes joined."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from csi.errors import Text
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.choices import spread
from csi.survey.readers.platforms.recipe import ReadTable, Recipe

STAMPS: Final = frozenset({"timestamp", "时间戳记", "时间戳", "時間戳記", "タイムスタンプ"})
OWN: Final = frozenset({"email address", "username", "score", "total score", "电子邮件地址", "用户名", "得分", "总分"})
"""Columns that the form adds behind the time stamp."""

SENTENCE: Final = re.compile(r"\S+\s+\S+|.*[？?。]|[^\x00-\x7f]{4,}")


def evidence(raw: Raw) -> Text | None:
    """A time stamp first, and a sentence behind it."""
    names = raw.frame.columns
    asked = [c for c in names[1:] if c.lower() not in OWN]
    if not asked or names[0].lower() not in STAMPS or not SENTENCE.match(asked[0]):
        return None
    short = asked[0] if len(asked[0]) <= 40 else asked[0][:40] + "..."
    en = f'its first column is {names[0]} and a question follows ("{short}")'
    return Text(en, f"第一列是“{names[0]}”，其后是题干（“{short}”）")


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """Check boxes as a column each; headers are the wording."""
    asked = [c for c in raw.frame.columns[1:] if c.lower() not in OWN]
    left = spread(raw, asked, (";", ", ", "、"), recurring=True)
    return replace(left, wording={c: c for c in left.frame.columns[1:] if c.lower() not in OWN})


GOOGLE: Final = Recipe("google", Text("Google Forms", "Google 表单"), evidence, turned)
