"""What every survey platform's file offers: what tells its export, and how the export becomes one row per answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import polars as pl

from csi.errors import Note, Text, note
from csi.survey.datafile import DataFile, Raw

ReadTable = Callable[[DataFile], Raw]
"""Reads a further file that belongs to the export, as it is."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A platform: its name, what it is called, what in an export tells it (None: not this one), and the turning."""

    name: str
    label: Text
    evidence: Callable[[Raw], Text | None]
    turned: Callable[[Raw, DataFile, ReadTable], Raw]


def headed(names: Iterable[str], most: int = 6) -> Text:
    """The evidence of a header.

    Example:
        >>> headed(["序号", "来自IP"]).en
        'its header has 序号, 来自IP'
    """
    some = list(names)[:most]
    return Text(f"its header has {', '.join(some)}", f"表头有 {'、'.join(some)}")


def without_rows(raw: Raw, gone: pl.Series) -> Raw:
    """The export without some rows; the others keep their numbers.

    Parameters:
        gone: true where a row goes.
    """
    numbers = raw.numbered(" row").collect()[" row"]
    return replace(raw, frame=raw.frame.filter(~gone), rows=numbers.filter(~gone))


def unfinished(raw: Raw, file: DataFile, open_: pl.Series, told: Text) -> Raw:
    """The export with a note on answer sheets that are not finished; without them where the study file says so.

    Parameters:
        open_: true where a sheet is not finished. told: what says so.
    """
    count = int(open_.sum())
    if not count:
        return raw
    if file.incomplete == "drop":
        en = f"{raw.name}: {count} answer sheets are not finished ({told.en}); left out, as the study file says."
        zh = f"{raw.name}：有 {count} 份答卷未完成（{told.zh}），已按研究文件的设置去掉。"
        return replace(without_rows(raw, open_), notes=(*raw.notes, note("N-INCOMPLETE", en, zh)))
    en = f"{raw.name}: {count} answer sheets are not finished ({told.en}); they are kept "
    en += "(`incomplete: drop` under data leaves them out)."
    zh = f"{raw.name}：有 {count} 份答卷未完成（{told.zh}），予以保留（在 data 中写 incomplete: drop 可去掉）。"
    return replace(raw, notes=(*raw.notes, note("N-INCOMPLETE", en, zh)))


def left_rows(raw: Raw, gone: pl.Series, what: Text) -> tuple[Note, ...]:
    """A note on rows that are no answers."""
    count = int(gone.sum())
    if not count:
        return ()
    numbers = raw.numbered(" row").collect()[" row"].filter(gone).head(5).to_list()
    rows, dots = ", ".join(str(n) for n in numbers), ", ..." if count > len(numbers) else ""
    en = f"{raw.name}: {count} rows are {what.en} and left out (rows {rows}{dots})."
    zh = f"{raw.name}：有 {count} 行是{what.zh}，已去掉（第 {rows}{dots} 行）。"
    return (note("N-NO-ANSWERS", en, zh),)


def timed(raw: Raw, start: str, end: str, name: str) -> Raw:
    """The export with the time spent in seconds as column `name`, where its start and end are told and it is not.

    Example:
        >>> frame = pl.DataFrame({"start": ["2026-03-01T10:00:00.000+08:00"], "end": ["2026-03-01T10:01:25.500+08:00"]})
        >>> timed(Raw("a.csv", "", frame), "start", "end", "_duration").frame["_duration"].to_list()
        ['85']
    """
    if name in raw.frame.columns or not {start, end} <= set(raw.frame.columns):
        return raw
    plain = (pl.col(c).str.replace_all("/", "-").str.replace("T", " ") for c in (start, end))
    first, last = (c.str.extract(MOMENT, 1).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False) for c in plain)
    spent = (last - first).dt.total_seconds()
    frame = raw.frame.with_columns(pl.when(spent >= 0).then(spent).cast(pl.String).alias(name))
    return replace(raw, frame=frame) if frame[name].count() else raw


MOMENT = r"^(\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}:\d{2})"
"""A moment as it begins, to the second."""
