"""LimeSurvey: sub-questions in brackets, timings at the side, an empty date of submission for what is not finished."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from csi.errors import Text, note
from csi.survey.codebook import MissingReason
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed, timed, unfinished

TRIOS: Final = (("submitdate", "lastpage", "startlanguage"), ("Date submitted", "Last page", "Start language"),
                ("提交日期", "最后一页", "起始语言"))  # fmt: skip
"""What tells it, by the heading chosen."""

FIELDS: Final = frozenset(
    ("id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr", "refurl", "token",
     "interviewtime")
)  # fmt: skip
TIMING: Final = re.compile(r"^(groupTime\d+|.+Time|Group time: .*|Question time: .*)$")
FULL: Final = re.compile(r"^\w+(?:\[[^\]]*\])?\.\s+(.+)$", re.DOTALL)
"""A heading of code and question: "G1Q1[SQ1]. How satisfied ...?"."""


def evidence(raw: Raw) -> Text | None:
    """Date of submission, last page and language, under one of its headings."""
    found = next((t for t in TRIOS if set(t) <= set(raw.frame.columns)), None)
    return None if found is None else headed(found)


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """Timings behind the answers, questions as wording, unfinished sheets told."""
    raw = timed(raw, "startdate", "submitdate", "interviewtime")
    names = raw.frame.columns
    timings = [c for c in names if TIMING.match(c)]
    asked = [c for c in names if c not in timings and c not in FIELDS and not any(c in trio for trio in TRIOS)]
    wording = {c: (found[1] if (found := FULL.match(c)) else c) for c in asked if FULL.match(c) or " " in c}
    frame = raw.frame.select(*(c for c in names if c not in timings), *timings)
    notes = raw.notes
    if timings:
        en = f"{raw.name}: {len(timings)} columns of timings stand aside, behind the answers."
        zh = f"{raw.name}：{len(timings)} 列计时数据放在答案之后，不作题项。"
        notes = (*notes, note("N-TIMINGS", en, zh))
    unasked: Mapping[str, MissingReason] = {"N/A": "not_asked"}
    missing = dict.fromkeys(asked, unasked)
    left = replace(raw, frame=frame, wording=wording, missing=missing, notes=notes)
    date = next(c for trio in TRIOS for c in trio[:1] if c in names)
    open_ = frame[date].is_null() | (frame[date].str.strip_chars() == "")
    return unfinished(left, file, open_, Text(f"{date} is empty", f"{date} 为空"))


LIMESURVEY: Final = Recipe("limesurvey", Text("LimeSurvey", "LimeSurvey"), evidence, turned)
