"""Qualtrics: names, the questions as asked and a row of import ids above the answers (two rows in legacy exports)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed, left_rows, unfinished, without_rows

FIELDS: Final[tuple[str, ...]] = (
    *("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Finished", "RecordedDate", "ResponseId"),
    *("ResponseID", "DistributionChannel", "UserLanguage", "ResponseSet"),
)
"""Columns that Qualtrics adds; four of them tell it where there is no row of import ids."""

TITLES: Final[tuple[str, ...]] = (
    *("Start Date", "End Date", "Response Type", "IP Address", "Progress", "Duration (in seconds)", "Finished"),
    *("Recorded Date", "Response ID", "Distribution Channel", "User Language"),
)
"""The same as the row of questions has them."""

RESPONSE: Final = r"^(R|FS|SV)_\w+$"
"""How Qualtrics numbers an answer sheet."""

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
    """A row of import ids among the first, or the columns that Qualtrics adds, by their names or their titles."""
    names = raw.frame.columns
    for place in range(-1, min(2, raw.frame.height)):
        if _is_ids(raw, place):
            row = raw.first_row + place
            return Text(f'row {row} holds {{"ImportId": ...}}', f'第 {row} 行是 {{"ImportId": ...}}')
    found = [name for name in FIELDS if name in names]
    found = found if len(found) >= ENOUGH else [name for name in (*FIELDS, *TITLES) if name in names]
    answer = next((c for c in ("ResponseId", "ResponseID", "Response ID") if c in names), None)
    mine = answer is not None and raw.frame[answer].head(3).str.contains(RESPONSE).any()
    return headed(found) if len(found) >= ENOUGH or mine else None


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:  # noqa: ARG001 - one file tells all
    """The rows below the header rows, previews left out, the questions kept as wording; a header row missing is told.

    Raises:
        Problems: the row of names is missing, so that the questions or the import ids stand in its place.
    """
    if _is_ids(raw, -1):
        raise Problems([_no_names(raw, file, "")])
    ids = next((i for i in range(min(2, raw.frame.height)) if _is_ids(raw, i)), None)
    texts = _texts_at(raw, ids)
    above = (0 if texts is None else 1) + (0 if ids is None else 1)
    wording = {} if texts is None else {c: str(v) for c, v in raw.frame.row(texts, named=True).items() if v}
    titled = not set(FIELDS) & set(raw.frame.columns) - set(TITLES)
    if titled and ids == 0:
        raise Problems([_no_names(raw, file, "questions")])
    told = tuple(_missing(raw, names=not titled, questions=texts is not None or titled, ids=ids is not None))
    wording = {c: c for c in raw.frame.columns} if titled else wording
    notes = (*raw.notes, *told)
    left = replace(raw, frame=raw.frame.slice(above), first_row=raw.first_row + above, wording=wording, notes=notes)
    return _finished(_respondents(left), file)


def _missing(raw: Raw, *, names: bool, questions: bool, ids: bool) -> Iterator[Note]:
    """A note on header rows that are not there: what was found, and what is lost with the others."""
    if names and questions and ids:
        return
    parts = (
        (names, "names", "变量名"),
        (questions, "questions", "题干"),
        (ids, "import ids", "ImportId"),
    )
    row, there = raw.first_row - 1, [(en, zh) for held, en, zh in parts if held]
    gone = [(en, zh) for held, en, zh in parts if not held]
    found = ", ".join(f"{en} in row {row + place}" for place, (en, _) in enumerate(there))
    found_zh = "、".join(f"第 {row + place} 行为{zh}" for place, (_, zh) in enumerate(there))
    lost = "" if questions else "; without the questions the wording is unknown"
    lost_zh = "" if questions else "；没有题干行，因此没有题目原文"
    yield note(
        "W-HEADER-ROW",
        f"{raw.name}: {len(there)} of 3 header rows found ({found}); missing: {', '.join(en for en, _ in gone)}{lost}.",
        f"{raw.name}：三行表头只有 {len(there)} 行（{found_zh}）；缺少{'、'.join(zh for _, zh in gone)}{lost_zh}。",
    )


def _is_ids(raw: Raw, place: int) -> bool:
    """Whether a row is that of import ids; -1 is the row of the header."""
    first = raw.frame.columns[0] if place < 0 and raw.frame.width else raw.frame[place, 0] if place >= 0 else ""
    return str(first or "").lstrip().startswith(IMPORT)


def _texts_at(raw: Raw, ids: int | None) -> int | None:
    """Where the questions stand: above the import ids, or where a legacy export has no date but a word for it."""
    if ids is not None:
        return ids - 1 if ids else None
    if not raw.frame.height:
        return None
    started = next((c for c in ("StartDate", "EndDate", "RecordedDate") if c in raw.frame.columns), None)
    answer = next((c for c in ("ResponseId", "ResponseID") if c in raw.frame.columns), None)
    column = started or answer
    if column is None:
        return None
    first = str(raw.frame[0, column] or "")
    return 0 if first and not re.search(DATED if started else RESPONSE, first) else None


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


def _no_names(raw: Raw, file: DataFile, instead: str) -> Problem:
    """The first of three header rows is not there.

    Parameters:
        instead: what stands in its place besides the import ids.
    """
    row = raw.first_row
    stands = (
        f"the questions stand in its place and the import ids in row {row}"
        if instead
        else "the import ids stand in its place"
    )
    stands_zh = f"该处是题干，第 {row} 行是 ImportId" if instead else "该处是 ImportId"
    return problem(
        "E-HEADER",
        file.place or raw.name,
        f"{raw.name}, row {row - 1}: the row of names (StartDate, ..., Q1) is missing; {stands}.",
        f"{raw.name} 第 {row - 1} 行：缺少变量名行（StartDate、……、Q1）；{stands_zh}。",
        "Export again with all three header rows, or put the row of names back as the first row.",
        "请重新导出（保留三行表头），或把变量名行补回首行。",
    )


QUALTRICS: Final = Recipe("qualtrics", Text("Qualtrics", "Qualtrics"), evidence, turned)
