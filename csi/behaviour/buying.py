"""Purchases as what each customer did: how often again, when last, how long observed, how much."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

from csi.errors import Note, Problem, Text, note, problem
from csi.survey.events import Events

Unit = Literal["day", "week", "month", "year"]
"""What time is counted in."""

DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
"""Days in a unit."""

UNITS: Final = {
    "day": Text("days", "天"),
    "week": Text("weeks", "周"),
    "month": Text("months", "个月"),
    "year": Text("years", "年"),
}
"""Units in words."""


def customers(purchases: Events, unit: Unit = "week") -> pl.DataFrame:
    """One row per customer: x, last, age and, with amounts, the mean amount of repeat purchases.

    Purchases of one customer on one day are one purchase. Time begins with each customer's first purchase.

    Parameters:
        purchases: a table of purchases. unit: what time is counted in.

    Returns:
        id, x (repeat purchases), last (time of the last one, 0 without), age (time to the last day observed), mean
        (amount of a repeat purchase, null without).

    Example:
        >>> from csi.survey.events import read_events
        >>> days = ["2026-01-05", "2026-01-19", "2026-01-19", "2026-01-12"]
        >>> bought = pl.DataFrame({"id": ["a", "a", "a", "b"], "date": days, "amount": [9.0, 5.0, 7.0, 2.0]})
        >>> customers(read_events(bought, "purchases", until="2026-02-02")).rows()
        [('a', 1, 2.0, 4.0, 12.0), ('b', 0, 0.0, 3.0, None)]
    """
    amount = (
        pl.col("amount").sort().sum()
        if "amount" in purchases.frame.columns
        else pl.lit(None, pl.Float64).alias("amount")
    )
    daily = purchases.frame.group_by("id", "date").agg(amount)  # a lazy plan would drop the sorts
    end = pl.lit(purchases.last)
    again = pl.col("date") > pl.col("date").min()
    days = DAYS[unit]
    return (
        daily.group_by("id")
        .agg(
            (pl.len() - 1).cast(pl.Int64).alias("x"),
            ((pl.col("date").max() - pl.col("date").min()).dt.total_days() / days).alias("last"),
            ((end - pl.col("date").min()).dt.total_days() / days).alias("age"),
            pl.col("amount").filter(again).sort().mean().alias("mean"),
        )
        .sort("id")
    )


FEW: Final = 3
"""Of fewer purchases nothing is said."""

MOST: Final = 0.5
"""A day with more than this share of all purchases is told of."""


def day_notes(purchases: Events) -> tuple[Note, ...]:
    """N-BUYING-DAY: most purchases are on one day, which no rate of buying explains.

    Example:
        >>> from csi.survey.events import read_events
        >>> bought = pl.DataFrame({"id": ["a", "b", "c"], "date": ["2026-01-05", "2026-01-05", "2026-02-01"]})
        >>> print(day_notes(read_events(bought, "purchases"))[0].say())
        2 of 3 purchases (67%) are on 2026-01-05: a sale or an import, perhaps; times between purchases say little.
    """
    days = purchases.frame["date"].drop_nulls()
    if days.len() < FEW:
        return ()
    day, count = days.value_counts(sort=True).row(0)
    if count <= MOST * days.len():
        return ()
    share = f"{100 * count / days.len():.0f}%"
    en = f"{count} of {days.len()} purchases ({share}) are on {day}: a sale or an import, perhaps; times between "
    zh = f"{days.len()} 次购买中有 {count} 次（{share}）在 {day} 同一天：可能是促销或批量导入；购买间隔难以说明问题。"
    return (note("N-BUYING-DAY", f"{en}purchases say little.", zh),)


def unit_problems(unit: object) -> list[Problem]:
    """A problem where a unit of time is unknown; else none.

    Example:
        >>> unit_problems("week"), [p.code for p in unit_problems("fortnight")]
        ([], ['E-SETTING'])
    """
    if isinstance(unit, str) and unit in DAYS:
        return []
    en, zh = f"unit = {unit!r} is not known.", f"unit = {unit!r} 无法识别。"
    known = ", ".join(DAYS)
    return [problem("E-SETTING", "unit", en, zh, f"Write one of {known}.", f"请写 {known} 之一。")]


def ahead_problems(ahead: object) -> list[Problem]:
    """A problem where a time ahead is not above 0; else none.

    Example:
        >>> ahead_problems(52), [p.code for p in ahead_problems(-1)]
        ([], ['E-SETTING'])
    """
    if isinstance(ahead, int | float) and not isinstance(ahead, bool) and 0 < ahead < float("inf"):
        return []
    en, zh = f"ahead = {ahead!r} is not a time above 0.", f"ahead = {ahead!r} 不是大于 0 的时长。"
    return [problem("E-SETTING", "ahead", en, zh, "Write 52, say.", "例如写 52。")]
