"""Exports of customer systems as tables of events: recognised, their columns mapped, what names people left behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from csi.errors import Note, Problem, Text, note, problem
from csi.survey.crm_objects import OBJECTS, Columns, CrmObject
from csi.survey.event_kinds import KINDS

COMPLAINT: Final = r"(?i)complain|grievance|投诉|抱怨|客诉"
"""What a case is about when it is a complaint."""

PRIORITIES: Final = {
    "low": 1, "medium": 2, "normal": 2, "high": 3, "urgent": 4, "critical": 4, "低": 1, "一般": 2, "普通": 2, "中": 2,
    "高": 3, "紧急": 4, "非常紧急": 5, "特急": 5,
}  # fmt: skip
"""Priorities as severities."""

MONEY: Final = (
    r"^\s*(?:[A-Z]{3}\s*|[$€£¥￥]\s*|CN¥\s*)?(-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)\s*(?:[A-Z]{3}|元)?\s*$"
)
"""An amount with its currency and thousands separators."""


SCORES: Final = ("severity", "handled_score", "score")
"""Columns that some systems fill with words; without a number they are left out."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """An export of a customer system.

    Attributes:
        what: which. why: the headers that told it.
    """

    what: CrmObject
    why: tuple[str, ...]

    @property
    def label(self) -> Text:
        """Such as "HubSpot deals"."""
        label = self.what.label
        return Text(f"{self.what.system} {label.en}", f"{self.what.system}{label.zh}")


def recognise(header: Iterable[str]) -> Recognised | None:
    """Which export of a customer system has this header; None for every other table.

    Example:
        >>> found = recognise(["Record ID", "Deal Name", "Deal Stage", "Amount", "Close Date"])
        >>> found.label.en, found.why
        ('HubSpot deals', ('Record ID', 'Deal Name', 'Deal Stage'))
        >>> recognise(["id", "date", "amount"]) is None
        True
    """
    names = [name.strip() for name in header]
    for what in OBJECTS:
        for marks in what.marks:
            if marks <= set(names):
                return Recognised(what, tuple(name for name in names if name in marks))
    return None


def mapping(header: Collection[str], columns: Columns) -> dict[str, str]:
    """The columns of an event table that an export holds, each by the best of its headers.

    Example:
        >>> mapping(["Account Name", "Close Date"], {"id": ("ContactId", "Account Name"), "date": ("Close Date",)})
        {'id': 'Account Name', 'date': 'Close Date'}
    """
    found = {ours: next((one for one in theirs if one in header), "") for ours, theirs in columns.items()}
    return {ours: theirs for ours, theirs in found.items() if theirs}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table with the columns of an event table.

    Attributes:
        frame: its columns, all text; the cells of rows that do not count are empty. columns: the kind's column -> the
            table's. counts: whether each row counts; None where all do. notes, problems: what was recognised and left
            out; what is wrong.
    """

    frame: pl.DataFrame
    columns: Mapping[str, str]
    counts: pl.Series | None = None
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()


def from_crm(raw: pl.DataFrame, kind: str, given: Mapping[str, str], name: str) -> Prepared:
    """A table as it is, or an export of a customer system with the columns of an event table and no other.

    Parameters:
        raw: every column as text. kind: of event table. given: the kind's column -> the table's, as the user says;
            it goes before what is recognised. name: of the table.

    Example:
        >>> raw = pl.DataFrame(
        ...     {"Record ID": ["1", "2"], "Deal Name": ["王芳", "Li"], "Deal Stage": ["Closed won", "Lost"],
        ...      "Close Date": ["2026-03-31", ""], "Associated Contact IDs": ["8001", "8002"]}
        ... )
        >>> found = from_crm(raw, "purchases", {}, "deals.csv")
        >>> found.columns["id"], found.counts.to_list(), found.frame.width
        ('Associated Contact IDs', [True, False], 2)
    """
    found = recognise(raw.columns)
    if found is None or set(KINDS[kind].needed) <= set(raw.columns):
        return Prepared(raw, dict(given))
    if kind not in found.what.kinds and not set(KINDS[kind].needed) <= set(given):
        return Prepared(raw, dict(given), problems=(_another_kind(found, kind, name),))
    columns = {**mapping(raw.columns, found.what.kinds.get(kind, {})), **given}
    counts, notes = _counting(raw, found, kind, columns, name)
    frame = _complained(raw, kind, columns)
    frame, more = _plain(frame, kind, columns, given, name)
    columns = {ours: theirs for ours, theirs in columns.items() if theirs in frame.columns or ours in given}
    kept = [c for c in frame.columns if c in {*columns.values(), *KINDS[kind].columns}]
    left = len(raw.columns) - len({c for c in kept if c in raw.columns})
    told = _told(found, {o: t for o, t in columns.items() if t in raw.columns}, left, name)
    blank = frame.select(pl.when(counts).then(pl.col(c)).alias(c) for c in kept)
    return Prepared(blank, columns, counts, (told, *notes, *more))


def _complained(raw: pl.DataFrame, kind: str, columns: Mapping[str, str]) -> pl.DataFrame:
    """Cases that count as complaints say so; of several ids the first stands."""
    frame = raw
    if kind == "complaints" and "complained" not in columns:
        frame = frame.with_columns(complained=pl.lit("1"))
    who = columns.get("id", "")
    return (
        frame.with_columns(pl.col(who).str.split(";").list.first().str.strip_chars()) if who in raw.columns else frame
    )


def _counting(
    raw: pl.DataFrame, found: Recognised, kind: str, columns: Mapping[str, str], name: str
) -> tuple[pl.Series, list[Note]]:
    """The rows that count: sales that were made, cases that are complaints, those with somebody's id."""
    counts = pl.Series("counts", [True] * raw.height, dtype=pl.Boolean)
    notes: list[Note] = []
    told = [h for h in found.what.only if h in raw.columns] if kind == "purchases" else []
    for header in told:
        entries = found.what.only[header]
        fits = raw[header].str.strip_chars().str.to_lowercase().is_in(list(entries)).fill_null(value=False)
        if fits.any():
            counts, before = counts & fits, int(counts.sum())
            notes += _left(before - int(counts.sum()), name, _shown(header, entries))
            break
    else:
        if told:
            en = f"{name}: no entry of {', '.join(told)} tells sales that were made; every row counts as one."
            zh = f"{name}：{', '.join(told)} 中没有表明成交的取值，各行均按购买计。"
            notes.append(note("N-CRM-ROWS", en, zh))
    if kind == "complaints" and "complained" not in columns:
        for header in (h for h in found.what.typed if h in raw.columns):
            fits = raw[header].str.contains(COMPLAINT).fill_null(value=False)
            if fits.any():
                counts, before = counts & fits, int(counts.sum())
                notes += _left(before - int(counts.sum()), name, Text(f"{header} is a complaint", f"{header}为投诉"))
                break
        else:
            en = f"{name}: no case is marked as a complaint; each counts as one."
            notes.append(note("N-CRM-ROWS", en, f"{name}：没有标明为投诉的记录，每条均按投诉计。"))
    who = columns.get("id", "")
    return _of_somebody(raw, counts, who, name, notes) if who in raw.columns else (counts, notes)


def _of_somebody(
    raw: pl.DataFrame, counts: pl.Series, who: str, name: str, notes: list[Note]
) -> tuple[pl.Series, list[Note]]:
    """The rows that count and have an id."""
    named = counts & (raw[who].fill_null("").str.strip_chars() != "")
    several = int((named & raw[who].str.contains(";").fill_null(value=False)).sum())
    if several:
        en = f"{name}: {several} {'row names' if several == 1 else 'rows name'} several ids in {who}; the first counts."
        notes = [*notes, note("N-CRM-ROWS", en, f"{name}：{several} 行的 {who} 含多个编号，取第一个。")]
    left = _left(int(counts.sum()) - int(named.sum()), name, Text(f"{who} is filled in", f"已填写{who}"))
    return named, [*notes, *left]


def _plain(
    frame: pl.DataFrame, kind: str, columns: Mapping[str, str], given: Mapping[str, str], name: str
) -> tuple[pl.DataFrame, list[Note]]:
    """Amounts without currency, priorities as numbers; a column without numbers is left out unless it is asked."""
    notes: list[Note] = []
    for ours, theirs in columns.items():
        if KINDS[kind].columns.get(ours) != "number" or theirs not in frame.columns:
            continue
        cells = frame[theirs].str.strip_chars()
        ranks = cells.str.to_lowercase().replace_strict(PRIORITIES, default=None, return_dtype=pl.Int64)
        if ours == "severity" and cells.drop_nulls().len() and ranks.null_count() == cells.null_count():
            frame = frame.with_columns(ranks.cast(pl.String).alias(theirs))
            said = sorted({(r, c) for r, c in zip(ranks, cells, strict=True) if r is not None})
            listed = ", ".join(f"{c} = {r}" for r, c in said)
            notes.append(
                note(
                    "N-CRM-RANK",
                    f"{name}: {theirs} as severity: {listed}.",
                    f"{name}：{theirs} 按严重程度计：{listed}。",
                )
            )
            continue
        plain = (
            pl.when(cells.str.contains(MONEY)).then(cells.str.extract(MONEY).str.replace_all(",", "")).otherwise(cells)
        )
        frame = frame.with_columns(plain.alias(theirs))
        numbers = frame[theirs].cast(pl.Float64, strict=False)
        if ours in SCORES and ours not in given and not numbers.is_not_null().any():
            frame = frame.drop(theirs)
            if cells.drop_nulls().len():
                en, zh = (
                    f"{name}: {theirs} holds no numbers; not used for {ours}.",
                    f"{name}：{theirs} 不是数字，未用作 {ours}。",
                )
                notes.append(note("N-CRM-RANK", en, zh))
    return frame, notes


def _shown(header: str, entries: Iterable[str]) -> Text:
    """The entries of a column that count."""
    some = ", ".join(list(entries)[:2])
    return Text(f"{header} is {some} or alike", f"{header}为“{some}”等")


def _left(rows: int, name: str, why: Text) -> Iterator[Note]:
    """A note on rows that do not count."""
    if rows:
        en = f"{name}: {rows} {'row' if rows == 1 else 'rows'} left out; counted where {why.en}."
        yield note("N-CRM-ROWS", en, f"{name}：{rows} 行未计入，仅计{why.zh}的行。")


def _told(found: Recognised, columns: Mapping[str, str], left: int, name: str) -> Note:
    """What was recognised, why, and which column is what."""
    marks, pairs = ", ".join(found.why), ", ".join(f"{ours} = {theirs}" for ours, theirs in columns.items())
    return note(
        "N-CRM",
        f"{name}: recognised as {found.label.en} (its header has {marks}); {pairs}; {left} other columns not read.",
        f"{name}：识别为{found.label.zh}（表头含 {marks}）；{pairs}；其余 {left} 列不读取。",
    )


def _another_kind(found: Recognised, kind: str, name: str) -> Problem:
    """An export that holds other events than asked for."""
    holds, holds_zh = " or ".join(found.what.kinds), "、".join(found.what.kinds)
    return problem(
        "E-EVENT",
        name,
        f"{name} is an export of {found.label.en}, which holds {holds}, not {kind}.",
        f"{name} 是{found.label.zh}的导出，可作为 {holds_zh}，而不是 {kind}。",
        f"Name it under {next(iter(found.what.kinds))}, or say `columns:` for {', '.join(KINDS[kind].needed)}.",
        f"请写在 {next(iter(found.what.kinds))} 下，或用 columns: 指明 {', '.join(KINDS[kind].needed)}。",
    )
