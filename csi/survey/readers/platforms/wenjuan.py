"""问卷网 (wenjuan): All_Data_Original.csv by number, All_Data_Readable.csv by text, code.csv as the code book; GBK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from csi.errors import Note, Problems, Text, note
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed, timed

QUESTION: Final = re.compile(r"^(Q\d+)(?:_([A-Z])?(\d+))?(?:_.*)?$")
SPENT: Final = "答题时长"
ORIGINAL, READABLE, CODES = "All_Data_Original", "All_Data_Readable", "code"
"""The three files of an export."""

SEVERAL: Final = ("多选题", "排序题")


@dataclass
class Question:
    """One question of the code book: its wording, its kind, code -> text."""

    content: str
    kind: str
    codes: dict[str, str] = field(default_factory=dict)


def evidence(raw: Raw) -> Text | None:
    """Time spent, or start and finish, beside columns Q1, Q2_A1."""
    asked = [c for c in raw.frame.columns if QUESTION.match(c)]
    times = [c for c in (SPENT, "start", "finish") if c in raw.frame.columns]
    if len(asked) < 2 or not (SPENT in times or len(times) == 2):
        return None
    return headed([*times, *asked[:3]])


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:
    """Codes by number, with the texts and the wording of the code book beside them.

    Raises:
        Problems: a code book that the study file names cannot be read.
    """
    notes: list[Note] = []
    if file.path.stem == READABLE and (path := file.path.with_name(f"{ORIGINAL}{file.path.suffix}")).is_file():
        raw = _read(file, path, read)
        en, zh = (
            f"{READABLE}: the answers are read by number from {raw.name}.",
            f"{READABLE}：按序号的答卷读自 {raw.name}。",
        )
        notes.append(note("N-PAIRED", en, zh))
    path = file.labels or file.path.with_name(f"{CODES}{file.path.suffix}")
    book: dict[str, Question] = {}
    if file.labels is not None or path.is_file():
        book = _questions(_read(file, path, read))
        en = f"{raw.name}: {len(book)} questions and their codes are told by {path.name}."
        zh = f"{raw.name}：{len(book)} 个题目及其代码由 {path.name} 说明。"
        notes.append(note("N-PAIRED", en, zh))
    wording, labels = {}, {}
    for column in raw.frame.columns:
        found = QUESTION.match(column)
        if found is None or found[1] not in book:
            continue
        question = book[found[1]]
        several = question.kind in SEVERAL and found[3]
        choice = question.codes.get(found[3] or "", "")
        wording[column] = f"{question.content}({choice})" if several and choice else question.content
        if question.codes and not several:
            labels[column] = dict(question.codes)
    return timed(replace(raw, wording=wording, labels=labels, notes=(*raw.notes, *notes)), "start", "finish", SPENT)


def _read(file: DataFile, path: Path, read: ReadTable) -> Raw:
    """A further file of the export, in GBK where it is not UTF-8."""
    one = replace(file, path=path, labels=None)
    try:
        return read(one)
    except Problems as error:
        if file.encoding or error.problems[0].code != "E-ENCODING":
            raise
        return read(replace(one, encoding="gb18030"))


def _questions(raw: Raw) -> dict[str, Question]:
    """The code book: a line of name, wording and kind, then a line for each code."""
    book: dict[str, Question] = {}
    now: Question | None = None
    for cells in _lines(raw):
        name, second, third = (*cells, "", "", "")[:3]
        if name:
            now = book.setdefault(name, Question(second, third))
        elif now is not None and third:
            now.codes[re.sub(r"\.0+$", "", second)] = third
    return book


def _lines(raw: Raw) -> Iterator[list[str]]:
    """All lines of a file without a header."""
    yield [re.sub(r"_duplicated_\d+$", "", c) for c in raw.frame.columns]
    for row in raw.frame.iter_rows():
        yield [str(v or "").strip() for v in row]


WENJUAN: Final = Recipe("wenjuan", Text("Wenjuan", "问卷网"), evidence, turned)
