"""Purchases of customers by period, and when each of them joined a programme."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.errors import Note, Problems, note, one_of, problem
from csi.moments.stack import Array, Ints
from csi.survey.events import Events

Period = Literal["week", "month", "quarter"]
EVERY: Final = {"week": "1w", "month": "1mo", "quarter": "1q"}
NEVER: Final = -1
"""Where a customer never joined, or never bought."""

PERIODS: Final = 3
"""Periods that a comparison of before and after needs."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Customers by periods.

    Attributes:
        ids: u customers who bought. starts: t periods, their first days. spent: (u, t), money, or purchases where
            the table has no amounts. joined: (u,) period of joining, `NEVER` for others. since: (u,) period of
            the first purchase. counted: whether these are purchases and not money. notes: what is doubtful.
    """

    ids: tuple[str, ...]
    starts: tuple[str, ...]
    spent: Array
    joined: Ints
    since: Ints
    counted: bool
    notes: tuple[Note, ...] = ()


def spending(members: Events, purchases: Events, period: Period) -> Spending:
    """Money (or purchases) of every customer in every period, zeros included.

    The first and the last period are left out where the log does not cover them whole (it begins after the third day,
    or ends before the last but two).

    Raises:
        Problems: E-SETTING (no such period), E-EVENT (one customer, members who never bought only, too few periods).

    Example:
        >>> from csi.survey.events import read_events
        >>> days = ["2026-01-02", "2026-02-03", "2026-03-30", "2026-01-09"]
        >>> log = read_events(pl.DataFrame({"id": ["a", "a", "a", "b"], "date": days}), "purchases")
        >>> who = read_events(pl.DataFrame({"id": ["a"], "joined": ["2026-02-01"]}), "members")
        >>> found = spending(who, log, "month")
        >>> found.spent.tolist(), found.joined.tolist()
        ([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]], [1, -1])
    """
    found = one_of("period", period, EVERY)
    if found:
        raise Problems(found)
    counted = "amount" not in purchases.frame.columns
    value = pl.lit(1.0) if counted else pl.col("amount").fill_null(0.0)
    log = purchases.frame.select("id", "date", value.alias("value"))
    starts = _periods(log, purchases, EVERY[period])
    names = log["id"].unique(maintain_order=True)
    if len(names) < 2:
        en, zh = "one customer alone cannot be compared with others.", "只有一名顾客，无从比较。"
        raise Problems(
            [problem("E-EVENT", purchases.name, en, zh, "Give the purchases of all.", "请给出全部顾客的购买记录。")]
        )
    place = {d: i for i, d in enumerate(starts)}
    at = pl.col("date").dt.truncate(EVERY[period])
    cells = log.filter(at.is_in(starts)).group_by("id", at.alias("at")).agg(pl.col("value").sort().sum())
    row = {n: i for i, n in enumerate(names)}
    spent = np.zeros((len(names), len(starts)))
    spent[[row[i] for i in cells["id"]], [place[d] for d in cells["at"]]] = cells["value"].to_numpy()
    since = log.group_by("id", maintain_order=True).agg(at.min().alias("at"))
    first = np.zeros(len(names), dtype=np.int64)
    first[[row[i] for i in since["id"]]] = [_place(d, starts) for d in since["at"]]
    joined, notes = _joined(members, row, starts, EVERY[period], purchases.name)
    return Spending(tuple(names), tuple(str(d) for d in starts), spent, joined, first, counted, notes)


def _place(day: date, starts: list[date]) -> int:
    """The period that begins on a day; -1 before the first, one beyond after the last."""
    return len(starts) if day > starts[-1] else bisect_right(starts, day) - 1


def _periods(log: pl.DataFrame, purchases: Events, every: str) -> list[date]:
    """First days of the periods that are covered whole."""
    first, last = log["date"].min(), purchases.last
    begin = log.select(pl.col("date").min().dt.truncate(every)).item()
    end = pl.Series([last]).dt.truncate(every)[0]
    days = pl.date_range(begin, end, every, eager=True).to_list()
    after = pl.Series([end]).dt.offset_by(every)[0]
    if (first - begin).days > 2:
        days = days[1:]
    if (after - last).days > 3:
        days = days[:-1]
    if len(days) < PERIODS:
        en = f"{len(days)} whole periods are too few to tell before from after; {PERIODS} are needed."
        zh = f"仅有 {len(days)} 个完整时期，无法区分前后；至少需要 {PERIODS} 个。"
        do, do_zh = "Take shorter periods or a longer log.", "请改用更短的时期或更长的记录。"
        raise Problems([problem("E-EVENT", purchases.name, en, zh, do, do_zh)])
    return days


def _joined(
    members: Events,
    row: dict[str, int],
    starts: list[date],
    every: str,
    log: str,
) -> tuple[Ints, tuple[Note, ...]]:
    """Periods of joining; the first where somebody joined twice."""
    who = members.frame.group_by("id", maintain_order=True).agg(pl.col("joined").min())
    known = who.filter(pl.col("id").is_in(list(row)))
    notes = []
    if not known.height:
        listed = ", ".join(who["id"].sort()[:3].to_list())
        en = f"no member ever bought (members {listed}; customers {', '.join(list(row)[:3])})."
        zh = f"没有任何会员出现在购买记录中（会员：{listed}；顾客：{'、'.join(list(row)[:3])}）。"
        raise Problems([problem("E-EVENT", members.name, en, zh, "Give both the same ids.", "请使用相同的编号。")])
    if lost := who.height - known.height:
        en = f"{lost} of {who.height} members are not in {log}; left out."
        notes.append(note("N-EVENT-JOIN", en, f"{who.height} 名会员中有 {lost} 名不在 {log} 中，未计入。"))
    out = np.full(len(row), NEVER, dtype=np.int64)
    for name, day in known.with_columns(pl.col("joined").dt.truncate(every)).iter_rows():
        out[row[name]] = max(_place(day, starts), 0)
    if early := known.filter(pl.col("joined").dt.truncate(every) < starts[0]).height:
        en = f"{early} members joined before {starts[0]}, where the purchases begin: nothing of them is known from "
        zh = f"有 {early} 名会员在购买记录开始（{starts[0]}）之前已入会，其入会前情况未知：只计入粗略差异。"
        notes.append(note("N-PROGRAMME-EARLY", f"{en}before; they are in the naive difference alone.", zh))
    out[out >= len(starts)] = NEVER
    if "left" in members.frame.columns and (gone := members.frame["left"].count()):
        en = f"{gone} members left again; their periods after leaving count as those of members."
        notes.append(note("N-PROGRAMME-LEFT", en, f"有 {gone} 名会员后来退出；退出后的时期仍按会员计。"))
    return out, tuple(notes)


def kept(data: Spending, rows: Ints) -> Spending:
    """Some customers."""
    ids = tuple(data.ids[i] for i in rows)
    return replace(data, ids=ids, spent=data.spent[rows], joined=data.joined[rows], since=data.since[rows])
