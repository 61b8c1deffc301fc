"""How long customers are watched until something happens: till they leave (spells), or buy again (purchases).

Letters: `n` rows. entry: when watching begins (late entry), time: when it ends, event: whether by what is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.behaviour.buying import DAYS, Unit
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.moments.stack import Array, Ints
from csi.survey.events import Events, read_events
from csi.survey.placed import placed

Waited = Literal["repurchase", "churn"]
"""What is waited for."""

HALF_A_DAY: Final = 0.5
"""Counted where start and end are the same day."""

SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Watched:
    """Customers and how long each was watched.

    Attributes:
        frame: id, entry, time, event, and the table's other columns. waited: what for. unit: of time. name: of the
            table. notes: who was left out.
    """

    frame: pl.DataFrame
    waited: Waited
    unit: Unit
    name: str
    notes: tuple[Note, ...]

    @property
    def several(self) -> bool:
        """Whether somebody is there more than once."""
        return bool(self.frame["id"].n_unique() < self.frame.height)

    def numbers(self, column: str) -> Array:
        """A column as numbers."""
        return self.frame[column].cast(pl.Float64).to_numpy()


def watched(events: Events, unit: Unit = "week", *, since: date | None = None, by: Sequence[str] = ()) -> Watched:
    """How long everybody was watched, and whether it happened.

    Of spells: from start to end, or a duration as given. `entered` (a day; of durations `entry`, a time) says when
    somebody came under observation later than the spell began. Of purchases: from the first to the second (purchases
    of one day are one); who bought once is watched to the last day observed.

    Parameters:
        events: of kind "spells" or "purchases". unit: what time is counted in. since: the first day observed, for
            spells that began before. by: columns that tell customers' series apart, such as brand.

    Raises:
        Problems: E-EVENT (an end that happened without a date, observation that begins after the end, nobody left).

    Example:
        >>> spells = pl.DataFrame({"id": ["a", "b"], "start": ["2026-01-01"] * 2, "end": ["2026-01-15", None],
        ...                        "event": [1, 0]})
        >>> watched(read_events(spells, "spells", until="2026-01-29")).frame.select("entry", "time", "event").rows()
        [(0.0, 2.0, True), (0.0, 4.0, False)]
    """
    known_columns(events, by)
    if events.kind == "purchases":
        frame, notes = _bought(events, unit, by)
    elif "duration" in events.frame.columns:
        frame, notes = _durations(events), []
    else:
        frame, notes = _spells(events, unit, since)
    if not frame.height:
        en, zh = "nobody was observed for any time.", "没有任何顾客有可观察的时长。"
        do, do_zh = "Say until when it was observed: until.", "请以 until 注明观察到哪一天。"
        raise Problems([problem("E-EVENT", events.name, en, zh, do, do_zh)])
    waited: Waited = "repurchase" if events.kind == "purchases" else "churn"
    return Watched(frame, waited, unit, events.name, (*events.notes, *notes))


def events_of(source: object) -> Events:
    """Spells or purchases, whichever the columns say."""
    if isinstance(source, Events):
        return source
    columns = getattr(source, "columns", None)
    if columns is None:
        tried = []
        for kind in ("spells", "purchases"):
            try:
                return read_events(source, kind)
            except Problems as bad:
                tried.append(bad)
        raise tried[-1]
    return read_events(source, "spells" if {"event", "duration", "end"} & set(columns) else "purchases")


def known_columns(events: Events, by: Sequence[str]) -> None:
    """Refuse other kinds of tables, and columns that are not there."""
    if events.kind not in ("spells", "purchases"):
        en, zh = f"spells or purchases were expected, not {events.kind}.", f"需要存续或购买记录，而不是 {events.kind}。"
        do, do_zh = "Read them with csi.read_events.", "请用 csi.read_events 读取。"
        raise Problems([problem("E-EVENT", events.name or "events", en, zh, do, do_zh)])
    found = []
    for column in by:
        if column not in events.frame.columns:
            what = Text(f'there is no column "{column}" in {events.name}.', f"{events.name} 中没有“{column}”列。")
            found.append(Problem("E-ROLE", events.name, what, did_you_mean(column, events.frame.columns)))
    if found:
        raise Problems(found)


def _bought(events: Events, unit: Unit, by: Sequence[str]) -> tuple[pl.DataFrame, list[Note]]:
    """From the first purchase to the second."""
    on = ["id", *by]
    days = events.frame.group_by(on, maintain_order=True).agg(
        pl.col("date").unique().sort().alias("days"), pl.col("date").min().alias("first")
    )
    second = pl.col("days").list.get(1, null_on_oob=True)
    last = pl.lit(events.last)
    frame = days.with_columns(
        pl.lit(0.0).alias("entry"),
        ((pl.coalesce(second, last) - pl.col("first")).dt.total_days() / DAYS[unit]).alias("time"),
        second.is_not_null().alias("event"),
    ).drop("days")
    left = frame.filter(pl.col("time") <= 0).height
    notes = [] if not left else [_unseen(left, events.last)]
    return frame.filter(pl.col("time") > 0), notes


def _unseen(left: int, last: date | None) -> Note:
    """Customers who came on the last day observed."""
    en = f"{left} customers first bought on the last day observed ({last}): no time to come back; left out."
    zh = f"有 {left} 名顾客在观察的最后一天（{last}）才首次购买，尚无复购时间，未计入。"
    return note("N-WATCHED", en.replace("1 customers", "1 customer") if left == 1 else en, zh)


def _durations(events: Events) -> pl.DataFrame:
    """Durations as given."""
    frame = events.frame.drop_nulls("duration")
    late = pl.col("entry").fill_null(0.0) if "entry" in frame.columns else pl.lit(0.0)
    frame = frame.with_columns(late.alias("entry"), pl.col("duration").alias("time"))
    before = Text("entries below 0", "entry 小于 0"), Text("Write 0 where it was watched from the start.",
                                                           "自始即被观察者请写 0。")  # fmt: skip
    ended = Text("events before entry", "事件早于进入观察"), _AFTER
    found = [*_rows(frame, pl.col("entry") < 0, *before, events.name),
             *_rows(frame, pl.col("entry") >= pl.col("time"), *ended, events.name)]  # fmt: skip
    if found:
        raise Problems(found)
    return frame.drop("duration")


_AFTER: Final = Text(
    "Leave out who was gone before being observed, or correct the dates.",
    "请去掉进入观察之前已结束者，或更正日期。",
)


def _spells(events: Events, unit: Unit, since: date | None) -> tuple[pl.DataFrame, list[Note]]:
    """From start to end; those who are still there to the last day observed."""
    frame = events.frame
    last = _last(events)
    unknown = pl.col("event") & pl.col("end").is_null()
    what = Text("ended without a day", "已结束却没有日期"), Text("Give the day of the end.", "请填写结束日期。")
    entered = pl.col("entered") if "entered" in frame.columns else pl.lit(None, dtype=pl.Date)
    gone = Text("events before entry", "事件早于进入观察"), _AFTER
    end = pl.col("end") if events.frame["end"].null_count() < frame.height else pl.lit(None, dtype=pl.Date)
    found = [*_rows(frame, unknown, *what, events.name), *_rows(frame, entered >= end, *gone, events.name)]
    if found:
        raise Problems(found)
    frame = frame.with_columns(
        pl.min_horizontal(end.fill_null(last), pl.lit(last)).alias("_end"),
        (pl.col("event") & (end <= last)).fill_null(value=False).alias("event"),
        pl.max_horizontal(entered, pl.lit(since, dtype=pl.Date), pl.col("start")).alias("_entered"),
    )
    before = frame.filter((pl.col("_entered") >= pl.col("_end")) & (pl.col("_entered") > pl.col("start"))).height
    frame = frame.filter((pl.col("_entered") < pl.col("_end")) | (pl.col("_entered") == pl.col("start")))
    span = (pl.col("_end") - pl.col("start")).dt.total_days()
    once = frame.filter(pl.col("_end") <= pl.col("start")).height
    frame = frame.with_columns(
        ((pl.col("_entered") - pl.col("start")).dt.total_days() / DAYS[unit]).alias("entry"),
        (pl.when(span > 0).then(span).otherwise(HALF_A_DAY) / DAYS[unit]).alias("time"),
    )
    notes = list(_left_out(before, once, int((frame["entry"] > 0).sum()), since))
    return frame.drop("_end", "_entered"), notes


def _last(events: Events) -> date:
    """The last day observed: as said, else the latest that the table knows."""
    known = [d for c in ("start", "end") for d in [events.frame[c].max()] if isinstance(d, date)]
    return events.until or max(known)


def _left_out(before: int, once: int, late: int, since: date | None) -> Iterator[Note]:
    """Who was gone before, who came and went on one day, who came under observation later."""
    if before:
        day = f" ({since})" if since else ""
        en = f"{before} spells ended before observation began{day}; left out."
        yield note("N-WATCHED", _one(en, before), f"有 {before} 段存续在观察开始{day}之前已结束，未计入。")
    if once:
        en = f"{once} spells began and ended on one day; counted as half a day."
        yield note("N-WATCHED", _one(en, once), f"有 {once} 段存续当日开始当日结束，按半天计。")
    if late:
        en = f"{late} spells began before they were observed: counted from then on (late entry)."
        yield note("N-LATE-ENTRY", _one(en, late), f"有 {late} 段存续在开始之后才进入观察，自进入时起计（左截断）。")


def _one(en: str, count: int) -> str:
    """One spell."""
    return en.replace("1 spells", "1 spell", 1) if count == 1 else en


def _rows(frame: pl.DataFrame, bad: pl.Expr, what: Text, remedy: Text, name: str) -> Iterator[Problem]:
    """Rows that cannot be."""
    rows = frame.with_row_index("_row").filter(bad.fill_null(value=False))
    if not rows.height:
        return
    listed = placed(rows["_row"].to_list(), rows["id"].to_list(), name, quote=False)
    count = "1 row" if rows.height == 1 else f"{rows.height} rows"
    yield problem("E-EVENT", name, f"{count}: {what.en} ({listed.en}).", f"{rows.height} 行{what.zh}（{listed.zh}）。",
                  remedy.en, remedy.zh)  # fmt: skip


def groups(found: Watched, by: Sequence[str]) -> tuple[pl.DataFrame, Ints]:
    """The cells that columns make, in order, and each row's place among them."""
    if not by:
        return pl.DataFrame(), np.zeros(found.frame.height, dtype=np.int64)
    keys = found.frame.select(named(found.frame[c]) for c in by)
    cells = keys.unique().sort(list(by))
    at = keys.join(cells.with_row_index("_at"), on=list(by), how="left", maintain_order="left")["_at"]
    return cells, at.to_numpy().astype(np.int64)


def named(column: pl.Series) -> pl.Series:
    """Values as names; whole numbers without decimals.

    Example:
        >>> named(pl.Series("fin", [1.0, 0.0])).to_list()
        ['1', '0']
    """
    if column.dtype.is_float() and (column.drop_nulls() % 1 == 0).all():
        column = column.cast(pl.Int64)
    return column.cast(pl.String).fill_null("")


def by_customer(frame: pl.DataFrame) -> tuple[Ints, Ints]:
    """(n,) the customer behind each row, and the one stratum of every customer.

    Example:
        >>> by_customer(pl.DataFrame({"id": ["b", "a", "b"]}))[0].tolist()
        [1, 0, 1]
    """
    unit = frame["id"].rank("dense").to_numpy().astype(np.int64) - 1
    return unit, np.zeros(unit.max() + 1, dtype=np.int64)
