"""KoboToolbox and ODK: groups in names, choices both ways, a row of HXL tags, the XLSForm beside it for labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from csi.errors import Note, Text, note
from csi.survey.datafile import DataFile, Raw
from csi.survey.readers.platforms.recipe import ReadTable, Recipe, headed, timed

MARKS: Final = ("_submission_time", "_validation_status", "_index", "_uuid", "_id")
FORMS: Final = ("xlsform.xlsx", "form.xlsx")
"""Names under which the form is looked for beside the answers."""


YES: Final = {"true": "1", "false": "0", "yes": "1", "no": "0"}


@dataclass
class Form:
    """What an XLSForm says: question -> its labels and list of choices; list -> choice -> its labels."""

    questions: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)


def kobo_evidence(raw: Raw) -> Text | None:
    """The time of submission and another of the columns with an underscore."""
    found = [c for c in MARKS if c in raw.frame.columns]
    return headed(found) if "_submission_time" in found and len(found) > 1 else None


def odk_evidence(raw: Raw) -> Text | None:
    """SubmissionDate and KEY."""
    found = [c for c in ("SubmissionDate", "KEY") if c in raw.frame.columns]
    return headed(found) if len(found) == 2 else None


def turned(raw: Raw, file: DataFile, read: ReadTable) -> Raw:
    """Answers below the row of tags, choices as 0 and 1, labels from the form.

    Raises:
        Problems: a form that the study file names cannot be read.
    """
    left = timed(_untagged(raw), "start", "end", "_duration")
    path = file.labels or next((p for n in FORMS if (p := file.path.with_name(n)).is_file()), None)
    form = Form() if path is None else _form(file, path, read)
    left = replace(left, frame=_spread(left.frame, form))
    if path is None:
        return left
    wording, labels = {}, {}
    for column in left.frame.columns:
        told = _question(column, form)
        if told is None:
            continue
        kind, said, choice = told
        wording[column] = said if not choice else f"{said}({choice})"
        if not choice and kind.startswith("select_one") and (found := form.choices.get(_list_of(kind))):
            labels[column] = found
    en = f"{raw.name}: {len(wording)} columns have the questions of the form {path.name}, {len(labels)} its labels."
    zh = f"{raw.name}：{len(wording)} 列的题目原文、{len(labels)} 列的选项文字取自表单 {path.name}。"
    return replace(left, wording=wording, labels=labels, notes=(*left.notes, note("N-PAIRED", en, zh)))


def _untagged(raw: Raw) -> Raw:
    """Without a second row of HXL tags."""
    if not raw.frame.height:
        return raw
    cells = [str(v).strip() for v in raw.frame.row(0) if v is not None and str(v).strip()]
    if not cells or not all(c.startswith("#") for c in cells):
        return raw
    en, zh = f"{raw.name}: row {raw.first_row} holds HXL tags.", f"{raw.name}：第 {raw.first_row} 行是 HXL 标签。"
    told: tuple[Note, ...] = (note("N-TAGS", en, zh),)
    return replace(raw, frame=raw.frame.slice(1), first_row=raw.first_row + 1, notes=(*raw.notes, *told))


def _form(file: DataFile, path: Path, read: ReadTable) -> Form:
    """The form's sheets of questions and choices; each label in all its languages."""
    form = Form()
    for row in read(replace(file, path=path, sheet="survey", labels=None)).frame.iter_rows(named=True):
        if row.get("name"):
            form.questions[str(row["name"])] = (str(row.get("type") or "").strip(), _label(row), "")
    for row in read(replace(file, path=path, sheet="choices", labels=None)).frame.iter_rows(named=True):
        listed = str(row.get("list_name") or row.get("list name") or "")
        if listed and row.get("name"):
            form.choices.setdefault(listed, {})[str(row["name"])] = _label(row)
    return form


def _label(row: Mapping[str, object]) -> str:
    """The labels of a row, those of several languages with " / " between them."""
    texts = [str(v).strip() for c, v in row.items() if c.startswith("label") and v]
    return " / ".join(dict.fromkeys(texts))


def _list_of(kind: str) -> str:
    """The list of choices of a question's type."""
    return kind.split()[1] if len(kind.split()) > 1 else ""


def _question(column: str, form: Form) -> tuple[str, str, str] | None:
    """The type and label of a column's question and the label of its choice; None where the form has none."""
    parts = re.split(r"[/:-]", column)
    if parts[-1] in form.questions:
        kind, said, _ = form.questions[parts[-1]]
        return kind, said, ""
    if len(parts) > 1 and parts[-2] in form.questions:
        kind, said, _ = form.questions[parts[-2]]
        choice = form.choices.get(_list_of(kind), {}).get(parts[-1])
        return (kind, said, choice or parts[-1]) if kind.startswith("select_multiple") else None
    return next((one for one in form.questions.values() if one[1] and column in one[1].split(" / ")), None)


def _spread(frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Choices as 0 and 1: columns `q/choice` that say true and false, and questions that have no such columns."""
    several = {c for c in frame.columns if any(o.startswith((f"{c}/", f"{c}.")) for o in frame.columns)}
    parts = [c for c in frame.columns if any(c.startswith((f"{s}/", f"{s}.")) for s in several)]
    low = {c: pl.col(c).str.to_lowercase().replace(YES).alias(c) for c in parts}
    frame = frame.with_columns(low.values())
    return frame.with_columns(expr for c in frame.columns if c not in several for expr in _chosen(c, form))


def _chosen(column: str, form: Form) -> Iterator[pl.Expr]:
    """A column for each choice of a question with several, by the form's list."""
    told = _question(column, form)
    if told is None or told[2] or not told[0].startswith("select_multiple"):
        return
    words = pl.col(column).str.split(" ")
    for name in form.choices.get(_list_of(told[0]), {}):
        hit = words.list.contains(name).cast(pl.Int8).cast(pl.String)
        yield pl.when(pl.col(column).is_not_null()).then(hit).alias(f"{column}/{name}")


KOBO: Final = Recipe("kobo", Text("KoboToolbox", "KoboToolbox"), kobo_evidence, turned)
ODK: Final = Recipe("odk", Text("ODK", "ODK"), odk_evidence, turned)
