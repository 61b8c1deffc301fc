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
FULL: Final = re.compile(r"^(\w+(?:\[[^\]]*\])?)\.\s+(.+)$", re.DOTALL)
"""A heading of code and question: "G1Q1[SQ1]. How satisfied ...?"."""


def code_of(column: str) -> str:
    """The code of a heading of code and question; the heading itself where it is not such a one.

    Example:
        >>> code_of("submitdate. Date submitted"), code_of("sat[SQ001]. How satisfied?"), code_of("Date submitted")
        ('submitdate', 'sat[SQ001]', 'Date submitted')
    """
    found = FULL.match(column.strip())
    return found[1] if found else column.strip()


def evidence(raw: Raw) -> Text | None:
    """Date of submission, last page and language, under one of its headings."""
    by_code = {code_of(c): c for c in raw.frame.columns}
    found = next((t for t in TRIOS if set(t) <= set(by_code)), None)
    return None if found is None else headed([by_code[c] for c in found])


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """Timings behind the answers, questions as wording, unfinished sheets told."""
    raw = _timed(raw)
    names = raw.frame.columns
    timings = [c for c in names if TIMING.match(code_of(c))]
    own = {*FIELDS, *(c for trio in TRIOS for c in trio)}
    asked = [c for c in names if c not in timings and code_of(c) not in own]
    wording = {c: (found[2] if (found := FULL.match(c)) else c) for c in asked if FULL.match(c) or " " in c}
    frame = raw.frame.select(*(c for c in names if c not in timings), *timings)
    notes = raw.notes
    if timings:
        en = f"{raw.name}: {len(timings)} columns of timings stand aside, behind the answers."
        zh = f"{raw.name}：{len(timings)} 列计时数据放在答案之后，不作题项。"
        notes = (*notes, note("N-TIMINGS", en, zh))
    unasked: Mapping[str, MissingReason] = {"N/A": "not_asked"}
    missing = dict.fromkeys(asked, unasked)
    left = replace(raw, frame=frame, wording=wording, missing=missing, notes=notes)
    date = next(c for trio in TRIOS for c in names if code_of(c) == trio[0])
    open_ = frame[date].is_null() | (frame[date].str.strip_chars() == "")
    return unfinished(left, file, open_, Text(f"{date} is empty", f"{date} 为空"))


def _timed(raw: Raw) -> Raw:
    """The export with the time spent, by whatever its columns of start and end are headed."""
    by_code = {code_of(c): c for c in raw.frame.columns}
    if "interviewtime" in by_code:
        return raw
    return timed(raw, by_code.get("startdate", ""), by_code.get("submitdate", ""), "interviewtime")


LIMESURVEY: Final = Recipe("limesurvey", Text("LimeSurvey", "LimeSurvey"), evidence, turned)
