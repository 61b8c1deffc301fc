"""SurveyMonkey: a header of questions and a second one of choices, rows and "Response"."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Final

import polars as pl

from csi.errors import Text, note
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.header import names_of
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed

MARKS: Final = (("Respondent ID", "Collector ID"), ("RespondentID", "CollectorID"), ("respondent_id", "collector_id"),
                ("受访者 ID", "收集器 ID"), ("受访者ID", "收集器ID"))  # fmt: skip
PLAIN: Final = frozenset({"", "Response", "Open-Ended Response", "回复", "答复", "开放式回答"})
"""What stands in the second header where a question has one column."""

BLANK: Final = re.compile(r"(?:_duplicated_\d+|Unnamed: \d+)?")


def evidence(raw: Raw) -> Text | None:
    """Respondent and collector."""
    found = next((pair for pair in MARKS if set(pair) <= set(raw.frame.columns)), None)
    return None if found is None else headed(found)


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """One header, "QUESTION [CHOICE]"; a choice is 1 where it was made and 0 where the question was answered."""
    if not raw.frame.height or _is_answer(raw):
        en = f"{raw.name}: the second header row (row 2) is missing; choices are told by their column only."
        zh = f"{raw.name}：缺少第二行表头（第 2 行），选项只能由列名得知。"
        return replace(raw, notes=(*raw.notes, note("W-HEADER-ROW", en, zh)))
    second = [str(v or "").strip() for v in raw.frame.row(0)]
    asked = _filled(raw.frame.columns)
    names = [q if s in PLAIN else f"{q} [{s}]" for q, s in zip(asked, second, strict=True)]
    distinct, twice = names_of(names)
    frame = raw.frame.slice(1)
    frame.columns = distinct
    wording = {d: n for d, n, s in zip(distinct, names, second, strict=True) if s}
    several = [q for q, count in Counter(asked).items() if count > 1]
    for question in several:
        there = [(d, s) for d, q, s in zip(distinct, asked, second, strict=True) if q == question]
        frame = frame.with_columns(_choices(frame, there))
    return replace(raw, frame=frame, first_row=raw.first_row + 1, twice=twice, wording=wording)


def _is_answer(raw: Raw) -> bool:
    """Whether the row below the names is an answer sheet already: it has a respondent's number."""
    column = next(pair[0] for pair in MARKS if set(pair) <= set(raw.frame.columns))
    return bool(str(raw.frame[0, column] or "").strip())


def _filled(names: list[str]) -> list[str]:
    """The question of each column: that of the column before, where its own cell is blank."""
    asked: list[str] = []
    for name in names:
        asked.append(asked[-1] if asked and BLANK.fullmatch(name) else name)
    return asked


def _choices(frame: pl.DataFrame, there: list[tuple[str, str]]) -> list[pl.Series]:
    """Columns that hold nothing but the words of their own choice, as 1 and 0."""
    mine = [(d, s) for d, s in there if set(frame[d].drop_nulls().str.strip_chars().unique().to_list()) <= {s}]
    if len(mine) < 2:
        return []
    answered = frame.select(pl.any_horizontal(pl.col(d).is_not_null() for d, _ in there)).to_series()
    silent = pl.Series([None] * frame.height, dtype=pl.String)
    return [frame[d].is_not_null().cast(pl.Int8).cast(pl.String).zip_with(answered, silent).alias(d) for d, _ in mine]


SURVEYMONKEY: Final = Recipe("surveymonkey", Text("SurveyMonkey", "SurveyMonkey"), evidence, turned)
