"""What respondents do after they were asked: time from the interview to the next purchase, or to leaving.

Only what comes after the day of the interview counts; a person who is asked again is followed to the next interview.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.buying import DAYS, Unit
from csi.behaviour.watched import Waited
from csi.errors import Note, Problem, Problems, note, problem
from csi.moments.stack import Array
from csi.survey.events import Events

SHOWN: Final = 3
NAMES: Final = r"(\d{4})(?:-?(?:Q([1-4])|H([12])|W(\d{1,2})|(\d{1,2}))(?:-(\d{1,2}))?)?"
"""Waves whose names are times: 2026, 2026Q2, 2026H1, 2026W14, 2026-06, 2026-06-15."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Rows of answers and what came after.

    Attributes:
        time: (n,) from the interview to the event, the next interview or the end of watching, in units; 0 of rows that
            are not watched. event: (n,) bool. reach: (n,) to the first event whatever was asked between, infinite
            without one. potential: (n,) how long each could have been watched so. waited: what for. notes.
    """

    time: Array
    event: np.ndarray
    reach: Array
    potential: Array
    waited: Waited
    notes: tuple[Note, ...]


def last_day(wave: str) -> date | None:
    """The last day of the time that a wave is named after; None where the name is no time.

    Example:
        >>> [str(last_day(w)) for w in ("2026Q1", "2026-02", "2026", "2026H1", "2026-02-03", "2026W01", "spring")]
        ['2026-03-31', '2026-02-28', '2026-12-31', '2026-06-30', '2026-02-03', '2026-01-04', 'None']
    """
    found = re.fullmatch(NAMES, wave.strip())
    if found is None:
        return None
    year, quarter, half, week, month, day = (int(v) if v else 0 for v in found.groups())
    try:
        if week:
            return date.fromisocalendar(year, week, 7)
        if month and day:
            return date(year, month, day)
        end = 3 * quarter or 6 * half or month or 12
        return date(year, end, calendar.monthrange(year, end)[1])
    except (ValueError, calendar.IllegalMonthError):
        return None


def interviews(
    rows: pl.DataFrame, asked: Mapping[str, str | date] | str | date | None, name: str
) -> tuple[pl.Series, tuple[Note, ...]]:
    """The day of every row's interview: as said, else the last day of the time that its wave is named after (noted).

    Raises:
        Problems: E-EVENT where a wave has no day: then it cannot be told what came after.
    """
    if isinstance(asked, str | date) and asked:
        day = _day(asked, "asked")
        return pl.Series("day", [day] * rows.height, dtype=pl.Date), ()
    said = {str(k): _day(v, f"asked: {k}") for k, v in (asked.items() if isinstance(asked, Mapping) else ())}
    if "wave" not in rows.columns:
        raise Problems([_unknown("", name)])
    waves = rows["wave"].cast(pl.String).unique(maintain_order=True).to_list()
    days = {w: said.get(str(w)) or last_day(str(w)) for w in waves}
    missing = [str(w) for w, d in days.items() if d is None]
    if missing:
        raise Problems([_unknown(", ".join(missing[:SHOWN]), name)])
    made = rows["wave"].cast(pl.String).replace_strict(days, return_dtype=pl.Date).alias("day")
    supposed = [(w, d) for w, d in days.items() if str(w) not in said]
    if not supposed:
        return made, ()
    wave, last = supposed[0]
    en = f"interviews are taken to be on the last day of the wave ({wave}: {last}); --asked {wave}=DAY says otherwise "
    en += "(asked: in the study)."
    zh = f"访问日按各期最后一天计（{wave}：{last}）；如有不同，请写 --asked {wave}=日期（研究文件中为 asked:）。"
    return made, (note("N-ATTITUDE-DAY", en, zh),)


def _day(value: str | date, place: str) -> date:
    """A day as it was written."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        en, zh = f'"{value}" is no day.', f"“{value}”不是日期。"
        bad = problem("E-SETTING", place, en, zh, "Write 2026-01-31, say.", "例如写 2026-01-31。")
        raise Problems([bad]) from None


def _unknown(waves: str, name: str) -> Problem:
    """Nobody said when a wave was asked."""
    of, of_zh = (f" of {waves}", f"（{waves}）") if waves else ("", "")
    en = f"the day of the interviews{of} is not known, so it cannot be told which events came after."
    zh = f"访问日期未知{of_zh}，无法判断哪些事件发生在访问之后。"
    do, do_zh = (
        "Give --asked 2026Q1=2026-03-31, or asked: {2026Q1: 2026-03-31} in the study.",
        "请写 --asked 2026Q1=2026-03-31，或在研究文件中写 asked: {2026Q1: 2026-03-31}。",
    )
    return problem("E-EVENT", name, en, zh, do, do_zh)


def followed(rows: pl.DataFrame, events: Events, days: pl.Series, unit: Unit) -> Followed:
    """What each row's person did after the interview.

    Parameters:
        rows: n rows with respondent and, where several were rated, brand. events: purchases or spells with dates, of
            respondents. days: (n,) of the interviews. unit: of time.

    Raises:
        Problems: E-EVENT (durations without dates, several brands answered and no brand in the table, nothing after).
    """
    _usable(rows, events)
    on = ["id", *(["brand"] if {"brand"} <= set(rows.columns) & set(events.frame.columns) else [])]
    last = _end(events)
    keys = [pl.col("respondent").cast(pl.String).alias("id"), *(pl.col(c).cast(pl.String) for c in on[1:])]
    mine = rows.select(keys).with_columns(days.alias("day")).with_row_index("_row")
    twice = mine.filter(pl.struct(*on, "day").is_duplicated())["id"].n_unique()
    if twice:
        raise Problems([_twice(twice, events.name)])
    per_person = mine.sort(*on, "day").with_columns(pl.col("day").shift(-1).over(on).alias("next"))
    end = pl.min_horizontal(pl.col("next").fill_null(last), pl.lit(last)).alias("end")
    mine = per_person.sort("_row").with_columns(end, pl.lit(last).alias("whole"))
    found, notes = (_purchased if events.kind == "purchases" else _left)(mine, events, on)
    late = int((mine["day"] >= last).sum())
    notes += list(_late(late, last))
    here = found["here"].to_numpy()
    when, until, whole = (_weeks(found, column, here, DAYS[unit]) for column in ("when", "end", "whole"))
    reach = np.where(np.isfinite(when), when, np.inf)
    time = np.minimum(reach, until)
    waited: Waited = "repurchase" if events.kind == "purchases" else "churn"
    return Followed(time, (reach <= until) & (time > 0), reach, whole, waited, tuple(notes))


def _weeks(found: pl.DataFrame, column: str, here: np.ndarray, days: float) -> Array:
    """(n,) time from the interview to a day, at least 0; 0 of rows that are not watched, NaN where there is no day."""
    made = found.select(((pl.col(column) - pl.col("day")).dt.total_days() / days).alias("t"))["t"].to_numpy()
    return np.where(here, np.maximum(made, 0.0), 0.0)


def _usable(rows: pl.DataFrame, events: Events) -> None:
    """Refuse tables that do not say when, and people whose rows cannot be told apart."""
    found = []
    if events.kind == "spells" and not {"start", "end"} <= set(events.frame.columns):
        en = "durations without dates do not tell what came after the interview."
        zh = "只有时长而没有日期，无法判断哪些事件发生在访问之后。"
        found.append(problem("E-EVENT", events.name, en, zh, "Give start and end.", "请给出 start 与 end。"))
    if "brand" in rows.columns and "brand" not in events.frame.columns:
        several = rows.select("respondent", "brand", *(["wave"] if "wave" in rows.columns else [])).unique()
        apart = [c for c in several.columns if c != "brand"]
        many = several.group_by(apart).len().filter(pl.col("len") > 1).height
        if many:
            en = f"{many} respondents rated several brands, and the table does not say whose events they are."
            zh = f"有 {many} 名受访者评价了多个品牌，而表中没有说明事件属于哪个品牌。"
            do, do_zh = (
                'Give it a column brand, or keep one: where={"brand": ...}.',
                '请补充 brand 列，或只保留一个品牌：where={"brand": …}。',
            )
            found.append(problem("E-EVENT", events.name, en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _twice(count: int, name: str) -> Problem:
    """People with several answers of one day."""
    en = f"{count} respondents have several answers of one day: it cannot be told which came before what they did."
    zh = f"有 {count} 名受访者同一天有多份答卷，无法确定先后。"
    do, do_zh = (
        "Give every wave its day: --asked WAVE=DAY (asked: in the study).",
        "请为每一期写明日期：--asked 期次=日期（研究文件中为 asked:）。",
    )
    return problem("E-EVENT", name, en, zh, do, do_zh)


def _end(events: Events) -> date:
    """The last day observed."""
    known = [d for c in ("date", "start", "end") if c in events.frame.columns
             for d in [events.frame[c].max()] if isinstance(d, date)]  # fmt: skip
    return events.until or max(known)


def _purchased(mine: pl.DataFrame, events: Events, on: list[str]) -> tuple[pl.DataFrame, list[Note]]:
    """The first purchase after the interview; who has none bought nothing."""
    log = events.frame.select(*(pl.col(c).cast(pl.String) for c in on), pl.col("date").alias("when")).unique()
    after = (
        mine.join(log, on=on, how="inner")
        .filter(pl.col("when") > pl.col("day"))
        .group_by("_row")
        .agg(pl.col("when").min())
    )
    found = mine.join(after, on="_row", how="left", maintain_order="left").with_columns(
        pl.lit(value=True).alias("here")
    )
    people = mine.select("id").unique()
    none = people.join(log.select("id").unique(), on="id", how="anti").height
    before = log.join(mine.group_by(on).agg(pl.col("day").min()), on=on).filter(pl.col("when") <= pl.col("day")).height
    notes = []
    if none:
        en = f"{none} of {people.height} respondents are not in {events.name}: taken to have bought nothing."
        zh = f"{people.height} 名受访者中有 {none} 名不在 {events.name} 中：视为没有购买。"
        notes.append(note("N-ATTITUDE-ABSENT", en, zh))
    if before:
        are = "purchase" if before == 1 else "purchases"
        en = f"{before} {are} on or before the day of a customer's first interview: no outcome."
        notes.append(note("N-ATTITUDE-BEFORE", en, f"有 {before} 次购买不晚于首次访问日，不作为结果。"))
    return found, notes


def _left(mine: pl.DataFrame, events: Events, on: list[str]) -> tuple[pl.DataFrame, list[Note]]:
    """The end of the spell in which the interview fell; who had none is not watched."""
    spells = events.frame.select(
        *(pl.col(c).cast(pl.String) for c in on),
        "start",
        pl.col("end").cast(pl.Date).alias("over"),
        pl.when(pl.col("event")).then(pl.col("end").cast(pl.Date)).alias("when"),
    )
    inside = (pl.col("start") <= pl.col("day")) & (pl.col("over").is_null() | (pl.col("over") > pl.col("day")))
    now = mine.join(spells, on=on, how="inner").filter(inside).sort("_row", "start").unique("_row", keep="last")
    lost_of = pl.when(pl.col("when").is_null()).then(pl.col("over"))  # watched no longer, without an event
    found = mine.join(now.select("_row", "over", "when"), on="_row", how="left", maintain_order="left").with_columns(
        pl.col("_row").is_in(now["_row"].to_list()).alias("here"),
        *(pl.min_horizontal(c, lost_of).alias(c) for c in ("end", "whole")),
    )
    lost = mine.height - now.height
    without = mine.select("id").unique().join(spells.select("id").unique(), on="id", how="anti").height
    notes = []
    if without:
        en = f"{without} respondents are not in {events.name}: whether they left is not known; left out."
        notes.append(
            note("N-ATTITUDE-ABSENT", en, f"有 {without} 名受访者不在 {events.name} 中，是否流失未知，未计入。")
        )
    gone = lost - mine.join(spells.select("id").unique(), on="id", how="anti").height
    if gone > 0:
        en = f"{gone} answers are of people who were no customers on that day by the table; left out."
        notes.append(note("N-ATTITUDE-BEFORE", en, f"有 {gone} 份答卷在访问日按表已非顾客（或尚非顾客），未计入。"))
    return found, notes


def _late(late: int, last: date) -> Iterator[Note]:
    """Answers after which nothing was observed."""
    if late:
        en = f"{late} answers are of the last day observed ({last}) or later: nothing can follow; left out."
        yield note("N-ATTITUDE-LATE", en, f"有 {late} 份答卷在观察最后一天（{last}）或之后，没有后续，未计入。")
