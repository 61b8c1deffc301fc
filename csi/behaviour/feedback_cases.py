"""Cases as they run: opened, closed, opened again; what is open at the end of every period.

A case with several rows was opened several times: every row after its first is a reopening.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

import numpy as np
import polars as pl

from csi.engines.waiting import median_wait
from csi.errors import Problem, Problems, problem
from csi.survey.events import Events
from csi.survey.placed import placed

OPEN: Final = {
    "open",
    "opened",
    "reopened",
    "pending",
    "in progress",
    "待处理",
    "处理中",
    "未关闭",
    "未解决",
    "重开",
    "再次打开",
}
CLOSED: Final = {"closed", "done", "resolved", "solved", "已关闭", "已解决", "已办结", "关闭", "解决"}
AGAIN: Final = {"reopened", "重开", "再次打开"}
"""Words of the column `status`; others are not read."""

SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Cases:
    """Runs of cases.

    Attributes:
        frame: attribute, id, opened, closed (null while open), again (whether it is a reopening), source, brand where
            the table has them; a row for each time a case was opened. last: the last day observed.
    """

    frame: pl.DataFrame
    last: date


def cases_of(events: Events) -> Cases:
    """The runs of a table of cases.

    Raises:
        Problems: E-EVENT where a case is opened again before it was closed, or status and closing day contradict.

    Example:
        >>> from csi.survey.events import read_events
        >>> rows = {"attribute": ["app"] * 2, "case": ["1", "1"], "opened": ["2026-01-05", "2026-02-01"],
        ...         "closed": ["2026-01-09", None]}
        >>> found = cases_of(read_events(pl.DataFrame(rows), "cases", until="2026-02-28"))
        >>> found.frame["again"].to_list(), found.last.isoformat()
        ([False, True], '2026-02-28')
    """
    frame = events.frame.with_row_index("_row")
    if "closed" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.Date).alias("closed"))
    days = [d for c in ("opened", "closed") if isinstance(d := frame[c].max(), date)]
    last = events.until or max(days)
    named = "case" in frame.columns
    order = frame.sort("opened", "_row")
    before = pl.col("closed").shift(1).over("case")
    first = pl.struct("case").is_first_distinct() if named else pl.lit(value=True)
    told = pl.col("status").str.to_lowercase().is_in(list(AGAIN)) if "status" in frame.columns else pl.lit(value=False)
    nameless = pl.col("case").is_null() if named else pl.lit(value=False)
    order = order.with_columns((((~first) & ~nameless) | told.fill_null(value=False)).alias("again"))
    found = [*_contradicting(frame, events.name)]
    if named:
        overlap = order.filter((~first) & ~nameless & (before.is_null() | (before > pl.col("opened"))))
        found += _told(overlap, "case", events.name, _AGAIN)
    if found:
        raise Problems(found)
    ended = pl.when(pl.col("closed") <= last).then(pl.col("closed")).alias("closed")
    kept = [c for c in ("attribute", "id", "opened", "again", "source", "brand") if c in order.columns]
    return Cases(order.sort("_row").select(*kept, ended), last)


_AGAIN: Final = (
    ("opened again before they were closed", "未关闭便再次打开"),
    ("Give every run of a case its closing day.", "请为每次处理写明关闭日期。"),
)
_WITHOUT: Final = (
    ("whose status says closed, without a closing day", "状态为已关闭却没有关闭日期"),
    ("Fill in closed, or correct the status.", "请填写 closed，或更正 status。"),
)
_STILL: Final = (
    ("whose status says open, with a closing day", "状态为未关闭却有关闭日期"),
    ("Empty closed, or correct the status.", "请清空 closed，或更正 status。"),
)


def _contradicting(frame: pl.DataFrame, name: str) -> Iterator[Problem]:
    """Rows whose status and closing day do not go together."""
    if "status" not in frame.columns:
        return
    said = pl.col("status").str.to_lowercase()
    yield from _told(frame.filter(said.is_in(list(CLOSED)), pl.col("closed").is_null()), "status", name, _WITHOUT)
    yield from _told(frame.filter(said.is_in(list(OPEN)), pl.col("closed").is_not_null()), "status", name, _STILL)


def _told(
    rows: pl.DataFrame, column: str, name: str, words: tuple[tuple[str, str], tuple[str, str]]
) -> Iterator[Problem]:
    """A problem that names the first rows."""
    if not rows.height:
        return
    first = rows.sort("_row")
    listed = placed(first["_row"].to_list(), first[column].to_list(), name, quote=False)
    (en, zh), remedy = words
    cases = "1 case" if rows.height == 1 else f"{rows.height} cases"
    yield problem(
        "E-EVENT", name, f"{cases} {en} ({listed.en}).", f"有 {rows.height} 个问题{zh}（{listed.zh}）。", *remedy
    )


@dataclass(frozen=True, slots=True)
class Span:
    """A wave or a calendar period: name, first and last day."""

    name: str
    first: date
    last: date


def status(cases: Cases, spans: Sequence[Span], attributes: Sequence[str]) -> pl.DataFrame:
    """What was open, opened, reopened and closed in every span.

        open at the end = open before + opened + reopened - closed

    Parameters:
        cases: their runs. spans: in order, none of them after another's end. attributes: "" for all together.

    Returns:
        attribute, wave, open_before, opened, reopened, closed, open, age (median days of the open ones; null without).
    """
    rows = []
    for name in attributes:
        own = cases.frame.filter(attribute=name) if name else cases.frame
        for span in spans:
            first, last = span.first, min(span.last, cases.last)
            within = own.filter(pl.col("opened").is_between(first, last))
            shut = own.filter(pl.col("closed").is_between(first, last)).height
            still = pl.col("closed").is_null() | (pl.col("closed") > last)
            waiting = own.filter(still, pl.col("opened") <= last)
            before = own.filter(pl.col("opened") < first, pl.col("closed").is_null() | (pl.col("closed") >= first))
            again = int(within["again"].sum())
            age = (pl.lit(last) - waiting["opened"]).dt.total_days() if waiting.height else None
            median = None if age is None else waiting.select(age.median()).item()
            rows.append((name, span.name, before.height, within.height - again, again, shut, waiting.height, median))
    counts = dict.fromkeys(("open_before", "opened", "reopened", "closed", "open"), pl.Int64)
    schema = {"attribute": pl.String, "wave": pl.String, **counts, "age": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def speed(cases: Cases, column: str, names: Sequence[str], level: float) -> pl.DataFrame:
    """How many cases, how many are open on the last day, and how long closing takes.

    Returns:
        `column` ("" for all), n (times a case was opened), people (null without ids), reopened, closed, open, oldest
        (days), median, conf_low, conf_high (days until half are closed, Kaplan-Meier).
    """
    rows = []
    for name in names:
        own = cases.frame.filter(pl.col(column) == name) if name else cases.frame
        ended = own["closed"].is_not_null().to_numpy().astype(np.float64)
        stop = own["closed"].fill_null(cases.last)
        days = (stop - own["opened"]).dt.total_days().to_numpy().astype(np.float64)
        wait = median_wait(days, ended, level)
        still = days[ended == 0]
        people = own["id"].drop_nulls().n_unique() if "id" in own.columns else None
        numbers = (wait.median, wait.low, wait.high)
        oldest = float(still.max()) if still.size else None
        rows.append(
            (name, own.height, people, int(own["again"].sum()), wait.ended, own.height - wait.ended, oldest, *numbers)
        )
    counts = dict.fromkeys(("n", "people", "reopened", "closed", "open"), pl.Int64)
    numbers_of = dict.fromkeys(("oldest", "median", "conf_low", "conf_high"), pl.Float64)
    frame = pl.DataFrame(rows, schema={column: pl.String, **counts, **numbers_of}, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def busiest(cases: Cases, column: str) -> list[str]:
    """Names in a column, those with most cases first."""
    counted = cases.frame.drop_nulls(column).group_by(column).len().sort(["len", column], descending=[True, False])
    return cast("list[str]", counted[column].to_list())
