"""腾讯问卷: the platform's own columns before the questions; one file, by text or by number."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from csi.errors import Text
from csi.survey.codebook import MissingReason
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.choices import spread
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed

MARKS: Final = ("开始答题时间", "结束答题时间", "答题时长")
"""What tells it."""

QUESTION: Final = re.compile(r"^(?:Q?\d{1,3})\s*[、：:.．]\s*")
ABSENT: Final[dict[str, MissingReason]] = {"(跳过)": "skipped", "(空)": "empty"}


def evidence(raw: Raw) -> Text | None:
    """Its three times of answering."""
    return headed(MARKS) if all(name in raw.frame.columns for name in MARKS) else None


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """Choices joined in a cell as a column each, and the questions as asked."""
    asked = [c for c in raw.frame.columns if QUESTION.match(c)]
    left = spread(raw, asked, ("┋", "\n", "|"), tuple(ABSENT))
    asked = [c for c in left.frame.columns if QUESTION.match(c)]
    wording = {c: QUESTION.sub("", c) for c in asked}
    return replace(left, wording=wording, missing={c: dict(ABSENT) for c in asked})


TENCENT: Final = Recipe("tencent", Text("Tencent Wenjuan", "腾讯问卷"), evidence, turned)
