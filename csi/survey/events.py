"""Events beside the answers (purchases, spells, contacts, complaints, comments, members, cases): read, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl

from csi.errors import Language, Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.survey.crm import from_crm
from csi.survey.datafile import DataFile, as_text
from csi.survey.dates import Dates, known_zone, read_dates
from csi.survey.event_checks import cell_problems, row_notes, row_problems
from csi.survey.event_kinds import KINDS, EventKind, Holds
from csi.survey.readers import read_table
from csi.survey.readers.frames import to_polars
from csi.survey.side_table import FLAGS

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

    from csi.survey.panel import Panel

SHOWN = 3
"""Names that a message lists."""


@dataclass(frozen=True, slots=True)
class Events:
    """A table of events, typed.

    Attributes:
        kind: such as "purchases". frame: its columns (`csi.survey.event_kinds`), then those of the table that the kind
            does not know (as numbers where every cell is one). until: the last day observed; None where nobody said.
            name: what messages call the table. notes: what is doubtful.

    Example:
        >>> bought = pl.DataFrame({"id": [1, 1], "date": ["2026-01-05", "2026-02-01"], "amount": [20.0, 12.5]})
        >>> read_events(bought, "purchases").frame.rows()[0]
        ('1', datetime.date(2026, 1, 5), 20.0)
    """

    kind: str
    frame: pl.DataFrame
    until: date | None = None
    name: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def last(self) -> date | None:
        """The last day observed: `until`, else that of the last event."""
        when = KINDS[self.kind].time
        if self.until is not None or not when or when not in self.frame.columns:
            return self.until
        last = self.frame[when].cast(pl.Date).max()
        return cast("date | None", last)


def read_events(
    source: object,
    kind: str,
    *,
    columns: Mapping[str, str] | None = None,
    dates: str = "",
    timezone: str = "",
    until: date | str | None = None,
    place: str = "",
    lang: Language = "en",
) -> Events:
    """A table of events from a frame or a file.

    Parameters:
        source: a polars or pandas frame, the path of a file (CSV, Excel, Parquet, Arrow, SPSS, Stata), or `Events`. An
            export of Salesforce, HubSpot, Zoho CRM or 纷享销客 is recognised by its header, its columns are mapped, and
            no other column of it is read; notes say so.
        kind: "purchases" (id, date, amount), "spells" (id, event, start and end or duration), "contacts" (id,
            touchpoint, seq or time, score), "complaints" (id, complained, handled_score, failure, severity, recovery),
            "texts" (id, text, lang, date, score, human_score), "members" (id, joined), "cases" (attribute, opened).
        columns: the kind's column -> the table's. dates: how days are written, such as "%d/%m/%Y"; found by itself
            where only one way reads them all. timezone: where days begin, for times with an offset from UTC. until: the
            last day observed; later events are left out and counted. place: what messages name. lang: of the messages.

    Returns:
        `Events`.

    Raises:
        Problems: E-EVENT for a table of unknown kind, columns that are not there, empty or unreadable cells, mixed
            ways to write dates, negative amounts, an end before its start; all at once.

    Example:
        >>> met = pl.DataFrame({"who": ["a"], "touchpoint": ["shop"]})
        >>> read_events(met, "contacts", columns={"id": "who"}).frame.rows()
        [('a', 'shop')]
    """
    if isinstance(source, Events):
        return source
    if kind not in KINDS:
        what = Text(f'there is no kind of events called "{kind}".', f"没有“{kind}”这种事件表。")
        raise Problems([Problem("E-EVENT", place or "kind", what, did_you_mean(str(kind), KINDS))], lang)
    raw, name = _raw(source, place or kind)
    last, bad = _last(until, timezone, name)
    crm = from_crm(raw, kind, columns or {}, name)
    raw, renamed = _renamed(crm.frame, crm.columns, name)
    found = [*bad, *(crm.problems or [*renamed, *_lacking(raw, KINDS[kind], name, crm.counts)])]
    if found:
        raise Problems(found, lang)
    frame, found = _typed(raw, KINDS[kind], Dates(dates, timezone), name, crm.counts)
    found = found or list(row_problems(frame, kind, name))
    if found:
        raise Problems(found, lang)
    frame = frame if crm.counts is None else frame.filter(crm.counts)
    events = Events(kind, frame, last, name, (*crm.notes, *row_notes(frame, kind)))
    return _until(events, lang)


def joined(events: Events, panel: Panel, *, lang: Language = "en") -> Events:
    """The events of people who answered; those of others are counted in a note.

    Raises:
        Problems: E-EVENT where the answers have no respondents' names, or no event is of somebody who answered.

    Example:
        >>> joined(3, None)
        Traceback (most recent call last):
        csi.errors.Problems: events: events were expected, not int. Read them with csi.read_events.
    """
    if not isinstance(events, Events):
        en, zh = f"events were expected, not {type(events).__name__}.", f"需要事件表，而不是 {type(events).__name__}。"
        do, do_zh = "Read them with csi.read_events.", "请用 csi.read_events 读取。"
        raise Problems([problem("E-EVENT", "events", en, zh, do, do_zh)], lang)
    if "respondent" not in panel.frame.columns:
        en, zh = "the answers do not say who answered.", "答卷中没有受访者编号。"
        do, do_zh = "Name the column: keys: {respondent: id}.", "请写出该列：keys: {respondent: id}。"
        raise Problems([problem("E-EVENT", events.name, en, zh, do, do_zh)], lang)
    known = panel.frame["respondent"].cast(pl.String).unique()
    mine, people = events.frame["id"].is_in(known.to_list()), events.frame["id"].n_unique()
    others = events.frame.filter(~mine)["id"].unique(maintain_order=True)
    if not mine.any():
        listed, theirs = _some(others), _some(known)
        en = f"no event is of somebody who answered (ids {listed}; respondents {theirs})."
        zh = f"没有任何事件属于受访者（事件 id：{listed}；受访者：{theirs}）。"
        do, do_zh = "Give both the same ids.", "请使用相同的编号。"
        raise Problems([problem("E-EVENT", events.name, en, zh, do, do_zh)], lang)
    if not len(others):
        return events
    en = f"{len(others)} of {people} ids in {events.name} did not answer ({_some(others)}); left out."
    zh = f"{events.name} 中 {people} 个 id 有 {len(others)} 个没有答卷（{_some(others)}），未计入。"
    return replace(events, frame=events.frame.filter(mine), notes=(*events.notes, note("N-EVENT-JOIN", en, zh)))


def _raw(source: object, name: str) -> tuple[pl.DataFrame, str]:
    """Every column as text, times with their offset; and what to call the table."""
    if isinstance(source, str | Path):
        return read_table(DataFile(Path(source), place=str(source))).frame, Path(source).name
    frame = to_polars(cast("IntoFrame", source), name)
    zoned = [c for c, t in frame.schema.items() if isinstance(t, pl.Datetime) and t.time_zone]
    return as_text(frame.with_columns(pl.col(c).dt.to_string("iso:strict") for c in zoned)), name


def _last(until: date | str | None, timezone: str, name: str) -> tuple[date | None, list[Problem]]:
    """The last day observed, and whether the zone is one."""
    bad = []
    if timezone and not known_zone(timezone):
        en, zh = f'there is no time zone "{timezone}".', f"没有“{timezone}”这个时区。"
        bad.append(problem("E-EVENT", name, en, zh, "Write Asia/Shanghai or UTC.", "请写 Asia/Shanghai 或 UTC 等。"))
    if not isinstance(until, str) or not until:
        return (until if isinstance(until, date) else None), bad
    days, wrong = read_dates(pl.Series("until", [until]), Dates("%Y-%m-%d"), f"{name}, until", "E-EVENT")
    return (None if wrong else days.dt.date()[0]), [*bad, *wrong]


def _renamed(raw: pl.DataFrame, columns: Mapping[str, str], name: str) -> tuple[pl.DataFrame, list[Problem]]:
    """The table with the kind's names for its columns."""
    found = []
    for ours, theirs in columns.items():
        if theirs not in raw.columns:
            what = Text(f'there is no column "{theirs}" (for {ours}).', f"没有“{theirs}”列（对应 {ours}）。")
            found.append(Problem("E-EVENT", name, what, did_you_mean(theirs, raw.columns)))
    usable = {theirs: ours for ours, theirs in columns.items() if theirs in raw.columns and theirs != ours}
    return raw.drop([o for o in usable.values() if o in raw.columns]).rename(usable), found


def _lacking(raw: pl.DataFrame, kind: EventKind, name: str, counts: pl.Series | None) -> Iterator[Problem]:
    """Columns that are not there; a table without rows."""
    every = ", ".join((*kind.needed, *(f"[{c}]" for c in kind.optional)))
    for column in [c for c in kind.needed if c not in raw.columns]:
        en, zh = f"no column {column}; columns are {every}.", f"缺少列 {column}；应有列：{every}。"
        yield Problem("E-EVENT", name, Text(en, zh), did_you_mean(column, raw.columns))
    if kind.either and not any(set(one) <= set(raw.columns) for one in kind.either):
        ways = " or ".join(" and ".join(one) for one in kind.either)
        ways_zh = "，或 ".join("、".join(one) for one in kind.either)
        do, do_zh = f"Give {ways}.", f"请给出 {ways_zh}。"
        yield problem("E-EVENT", name, f"no columns {ways}.", f"缺少列 {ways_zh}。", do, do_zh)
    if not raw.height or (counts is not None and not counts.any()):
        yield problem("E-EVENT", name, "no rows.", "没有数据行。", "Give at least one row.", "请至少给出一行。")


def _typed(
    raw: pl.DataFrame, kind: EventKind, how: Dates, name: str, counts: pl.Series | None
) -> tuple[pl.DataFrame, list[Problem]]:
    """Every column as what it holds; `counts`: which rows are looked at, all where None."""
    known = {c: h for c, h in kind.columns.items() if c in raw.columns}
    columns, found = [], []
    for column, holds in known.items():
        place = f'{name}, column "{column}"'
        made, bad = _column(raw[column], holds, how, place)
        if not bad:
            bad = list(
                cell_problems(raw[column], made, holds, needed=column in kind.needed, place=place, counts=counts)
            )
        columns.append(made.alias(column))
        found += bad
    return pl.DataFrame([*columns, *(_by_content(raw[c]) for c in raw.columns if c not in known)]), found


def _column(cells: pl.Series, holds: Holds, how: Dates, place: str) -> tuple[pl.Series, list[Problem]]:
    """A column of text as what it holds; null where a cell cannot be read."""
    if holds in ("date", "time"):
        times, bad = read_dates(cells, how, place, "E-EVENT")
        return (times if holds == "time" else times.dt.date()), bad
    plain = cells.cast(pl.String).str.strip_chars()
    plain = plain.set(plain == "", None)
    if holds == "number":
        return plain.cast(pl.Float64, strict=False), []
    if holds == "flag":
        return plain.str.to_lowercase().replace_strict(FLAGS, default=None, return_dtype=pl.Boolean), []
    return plain, []


def _by_content(cells: pl.Series) -> pl.Series:
    """A column the kind does not know: numbers where every filled cell is one."""
    plain = cells.cast(pl.String).str.strip_chars()
    plain = plain.set(plain == "", None)
    numbers = plain.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == plain.null_count() and numbers.is_finite().all() else plain


def _until(events: Events, lang: Language) -> Events:
    """Without the events after the last day observed.

    Raises:
        Problems: E-EVENT where all are.
    """
    when, until = KINDS[events.kind].time, events.until
    if until is None or not when or when not in events.frame.columns:
        return events
    late = (events.frame[when].cast(pl.Date) > until).fill_null(value=False)
    if not late.any():
        return events
    if late.all():
        first = events.frame.select(pl.col(when).cast(pl.Date).min()).item()
        en, zh = f"every row is after {until}; the first is of {first}.", f"所有行均晚于 {until}，最早为 {first}。"
        do, do_zh = "Correct until, the last day observed.", "请更正 until（最后观测日）。"
        raise Problems([problem("E-EVENT", events.name, en, zh, do, do_zh)], lang)
    en = f"{late.sum()} rows of {events.name} are after {until}; left out."
    zh = f"{events.name} 中有 {late.sum()} 行晚于 {until}，未计入。"
    return replace(events, frame=events.frame.filter(~late), notes=(*events.notes, note("N-EVENT-LATE", en, zh)))


def _some(names: pl.Series) -> str:
    """The first few names."""
    listed = ", ".join(str(n) for n in names.sort()[:SHOWN])
    return listed + (", ..." if len(names) > SHOWN else "")
