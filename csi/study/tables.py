"""The tables beside the answers that a study file names: which there are, and the events they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.study.positions import Document
from csi.study.schema import StudyForm
from csi.study.settings import TableSaid
from csi.survey.dates import known_zone
from csi.survey.event_kinds import BESIDE, KINDS
from csi.survey.events import Events, read_events

if TYPE_CHECKING:
    from csi.study.study import Study


def tables_said(form: StudyForm, document: Document, folder: Path) -> dict[str, TableSaid]:
    """The tables of a study file; files are looked up beside it."""
    return {
        kind: TableSaid(
            folder / said.file,
            dict(said.columns),
            said.dates,
            said.timezone,
            said.until,
            document.place(("tables", kind)),
        )
        for kind, said in form.tables.items()
    }


def table_problems(form: StudyForm, document: Document, folder: Path) -> Iterator[Problem]:
    """Kinds that do not exist, files that are not there, keys that a table without events does not take."""
    for kind, said in form.tables.items():
        if kind not in KINDS and kind not in BESIDE:
            what = Text(f'there is no kind of table called "{kind}".', f"没有“{kind}”这种表。")
            yield Problem("E-EVENT", document.place(("tables", kind)), what, did_you_mean(kind, (*KINDS, *BESIDE)))
        if not (folder / said.file).is_file():
            hint = did_you_mean(said.file, [p.name for p in folder.iterdir()] if folder.is_dir() else [])
            what = Text(f'there is no file "{said.file}".', f"文件“{said.file}”不存在。")
            yield Problem("E-FILE", document.place(("tables", kind)), what, hint)
        if said.timezone and not known_zone(said.timezone):
            en, zh = f'there is no time zone "{said.timezone}".', f"没有“{said.timezone}”这个时区。"
            do, do_zh = "Write Asia/Shanghai or UTC.", "请写 Asia/Shanghai 或 UTC 等。"
            yield problem("E-EVENT", document.place(("tables", kind, "timezone")), en, zh, do, do_zh)
        if kind in BESIDE and said.model_fields_set - {"file"}:
            keys = ", ".join(sorted(said.model_fields_set - {"file"}))
            en, zh = f"{kind} takes a file only, not {keys}.", f"{kind} 只接受文件名，不接受 {keys}。"
            do, do_zh = f"Write `{kind}: {said.file}`.", f"请写 {kind}: {said.file}。"
            yield problem("E-EVENT", document.place(("tables", kind)), en, zh, do, do_zh)


def events_of(study: Study, kind: str) -> Events | None:
    """The events of a kind that a study names; None where it names none.

    Raises:
        Problems: what is wrong with the table, in the study's language.
    """
    said = study.tables.get(kind)
    if said is None or kind not in KINDS:
        return None
    return read_events(
        said.path,
        kind,
        columns=said.columns,
        dates=said.dates,
        timezone=said.timezone,
        until=said.until,
        place=said.place,
        lang=study.language,
    )


def all_events(study: Study) -> tuple[dict[str, Events], list[Problem]]:
    """Every event table of a study that can be read, and what is wrong with the others."""
    read: dict[str, Events] = {}
    found: list[Problem] = []
    for kind in study.tables:
        try:
            events = events_of(study, kind)
        except Problems as error:
            found += error.problems
        else:
            read |= {} if events is None else {kind: events}
    return read, found
