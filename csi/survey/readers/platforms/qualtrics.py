"""Qualtrics: names, the questions as asked and a row of import ids above the answers (two rows in legacy exports)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from csi.errors import Problem, Problems, Text, note, problem
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed, left_rows, unfinished, without_rows

FIELDS: Final = ("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Finished", "RecordedDate", "ResponseId",
                 "ResponseID", "DistributionChannel", "UserLanguage", "ResponseSet")  # fmt: skip
"""Columns that Qualtrics adds; four of them tell it where there is no row of import ids."""

IMPORT: Final = '{"ImportId"'
TEST: Final = (
    "1",
    "2",
    "8",
    "9",
    "16",
    "17",
    "24",
    "Survey Preview",
    "Survey Test",
    "Preview",
    "Test",
    "调查预览",
    "测试",
)
"""What the column Status says of answers that no respondent gave: previews, tests, imported and offline previews."""

ENOUGH: Final = 4
DATED: Final = re.compile(r"\d{1,4}[-/.年]\d")


def evidence(raw: Raw) -> Text | None:
    """A row of import ids among the first, or the columns that Qualtrics adds."""
    for place in range(min(2, raw.frame.height)):
        if str(raw.frame[place, 0] or "").lstrip().startswith(IMPORT):
            row = raw.first_row + place
            return Text(f'row {row} holds {{"ImportId": ...}}', f'第 {row} 行是 {{"ImportId": ...}}')
    found = [name for name in FIELDS if name in raw.frame.columns]
    return headed(found) if len(found) >= ENOUGH else None


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """The rows below the header rows, previews left out, the questions kept as wording.

    Raises:
        Problems: the row of names is missing, so that the questions stand in its place.
    """
    ids = next((i for i in range(min(2, raw.frame.height)) if _is_ids(raw, i)), None)
    texts = _texts_at(raw, ids)
    above = (0 if texts is None else 1) + (0 if ids is None else 1)
    wording = {} if texts is None else {c: str(v) for c, v in raw.frame.row(texts, named=True).items() if v}
    notes = raw.notes
    if ids == 0:
        if "ResponseId" not in raw.frame.columns and "StartDate" not in raw.frame.columns:
            raise Problems([_no_names(raw, file)])
        en = f"{raw.name}: the row of questions (row 2) is missing above the import ids; the wording is unknown."
        zh = f"{raw.name}：ImportId 行之前缺少题干行（第 2 行），因此没有题目原文。"
        notes = (*notes, note("W-HEADER-ROW", en, zh))
    left = replace(raw, frame=raw.frame.slice(above), first_row=raw.first_row + above, wording=wording, notes=notes)
    return _finished(_respondents(left), file)


def _is_ids(raw: Raw, place: int) -> bool:
    """Whether a row is that of import ids."""
    return str(raw.frame[place, 0] or "").lstrip().startswith(IMPORT)


def _texts_at(raw: Raw, ids: int | None) -> int | None:
    """Where the questions stand: above the import ids, or where a legacy export has no date but a word for it."""
    if ids is not None:
        return ids - 1 if ids else None
    started = next((c for c in ("StartDate", "EndDate", "RecordedDate") if c in raw.frame.columns), None)
    if started is None or not raw.frame.height:
        return None
    first = str(raw.frame[0, started] or "")
    return 0 if first and not DATED.search(first) else None


def _respondents(raw: Raw) -> Raw:
    """Without the answers of previews and tests."""
    if "Status" not in raw.frame.columns:
        return raw
    tests = raw.frame["Status"].str.strip_chars().is_in(TEST).fill_null(value=False)
    if not tests.any():
        return raw
    notes = (*raw.notes, *left_rows(raw, tests, Text("previews or tests (Status)", "预览或测试（Status 列）")))
    return replace(without_rows(raw, tests), notes=notes)


def _finished(raw: Raw, file: DataFile) -> Raw:
    """With a word on the sheets that the column Finished says are open."""
    if "Finished" not in raw.frame.columns:
        return raw
    open_ = (
        raw.frame["Finished"].str.strip_chars().str.to_lowercase().is_in(["0", "false", "否"]).fill_null(value=False)
    )
    return unfinished(raw, file, open_, Text("Finished is 0", "Finished 为 0"))


def _no_names(raw: Raw, file: DataFile) -> Problem:
    """The first of three header rows is not there."""
    return problem(
        "E-HEADER",
        file.place or raw.name,
        f"{raw.name}, row 1: the row of names (StartDate, ..., Q1) is missing; the questions stand in its place "
        f"and the import ids in row {raw.first_row}.",
        f"{raw.name} 第 1 行：缺少变量名行（StartDate、……、Q1）；该处是题干，第 {raw.first_row} 行是 ImportId。",
        "Export again with all three header rows, or put the row of names back as row 1.",
        "请重新导出（保留三行表头），或把变量名行补回第 1 行。",
    )


QUALTRICS: Final = Recipe("qualtrics", Text("Qualtrics", "Qualtrics"), evidence, turned)
