"""How many customers buy again, and how often: the share within a time, the rate in time observed, by cohort.

Letters: `n` customers; x_i repeat purchases and T_i time observed of each.

Source:
    Wilson (1927), J. American Statistical Association 22, 209-212; Garwood (1936), Biometrika 28, 437-442 (exact limits
    of a rate); Binder (1983), Int. Statistical Review 51, 279-292 (a rate as a ratio, customers as units).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from scipy.special import chdtri, ndtri

from csi.behaviour.asked import level_problems
from csi.behaviour.buying import DAYS, Unit, day_notes, unit_problems
from csi.behaviour.programme_panel import EVERY, Period
from csi.behaviour.repurchase_words import HEADINGS, repurchase_notes, repurchase_sentences
from csi.behaviour.transitions import wilson
from csi.behaviour.watched import known_columns, named
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, one_of, problem
from csi.inference.linearised import between, critical
from csi.measures.shown import based, told
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, read_events

WITHIN: Final = {"day": 180.0, "week": 26.0, "month": 6.0, "year": 1.0}
"""Within what time a purchase counts as coming back, where nobody says."""

Limits = Literal["design", "exact"]
"""Limits of a rate: by customers, or as if every purchase came by itself (Poisson)."""


@dataclass(frozen=True, slots=True, repr=False)
class Repurchase(Shown):
    """Customers who buy again.

    Attributes:
        table: columns of `by`, customers, n (of them observed for `within` since their first purchase), again (of
            these, bought again within it), share, conf_low, conf_high (Wilson), flag, reason, reason_zh.
        rates: columns of `by`, n (customers), repeaters, repeats (purchases after the first), observed (time in all),
            rate (repeats a unit of time and customer), conf_low, conf_high, flag, reason, reason_zh.
        cohorts: columns of `by`, cohort (first day of the period of the first purchase), n, again, share, conf_low,
            conf_high, flag, reason, reason_zh.
        within, unit, limits, level, sentences, notes.
    """

    table: pl.DataFrame
    rates: pl.DataFrame
    cohorts: pl.DataFrame
    within: float
    unit: Unit
    limits: Limits
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Repurchase, lang: str = "en") -> str:
    """Sentences, shares, rates, cohorts, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.table, value.rates, value.cohorts):
        lines += [based(frame, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def repurchase(
    purchases: Events | object,
    *,
    within: float | None = None,
    by: Sequence[str] = (),
    unit: Unit = "week",
    cohort: Period = "quarter",
    limits: Limits = "design",
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Repurchase:
    """The share of customers who buy again within a time, and repeat purchases in the time observed.

        share = again / observed for `within`;   rate = sum x_i / sum T_i
        var(rate) = n / (n - 1) sum (x_i - rate T_i)^2 / (sum T)^2 (design);   chi-square limits of sum x (exact)

    Purchases of a customer on one day are one. Time runs from the first purchase in the table to the last day observed
    (`until` of `csi.read_events`).

    Parameters:
        purchases: a table (id, date, brand), see `csi.read_events`. within: in units; half a year without. by: columns
            of the table that make groups, such as brand (a customer of two brands counts in both). unit: of time.
            cohort: by what period of the first purchase cohorts are told: week, month or quarter. limits: of rates:
            "design" lets customers differ, "exact" takes purchases to come at one rate. level: of intervals. small,
            flagged: groups of fewer customers are withheld, or marked.

    Returns:
        A `Repurchase`; where nobody bought again the limits of the rate are exact.

    Raises:
        Problems: E-EVENT (an unusable table, one customer, nobody observed for any time), E-ROLE (no such column),
            E-SETTING.

    Example:
        >>> days = ["2026-01-01", "2026-01-08", "2026-01-01", "2026-01-01", "2026-02-26", "2026-03-05"]
        >>> log = pl.DataFrame({"id": ["a", "a", "b", "c", "c", "c"], "date": days})
        >>> found = repurchase(log, within=4, small=0, flagged=0)
        >>> found.table.select("n", "again").row(0), round(found.rates["rate"][0], 4)
        ((3, 1), 0.1111)
    """
    found = [*level_problems(level), *unit_problems(unit), *one_of("cohort", cohort, EVERY),
             *one_of("limits", limits, ("design", "exact")), *within_problems(within)]  # fmt: skip
    if found:
        raise Problems(found)
    bases, span = Bases(small, flagged), WITHIN[unit] if within is None else float(within)
    events = read_events(purchases, "purchases")
    known_columns(events, by)
    people = customers_of(events, by, unit, span, EVERY[cohort])
    _usable(people, events.name)
    keys = list(by)
    table = bases.withheld(_shares(people, keys, level, customers=True))
    rates = bases.withheld(_rates(people, keys, limits, level))
    cohorts = bases.withheld(_shares(people, [*keys, "cohort"], level, customers=False))
    said = repurchase_sentences(table, rates, keys, span, unit, level)
    notes = (*repurchase_notes(rates, limits), *events.notes, *day_notes(events), *bases.notes(table, keys))
    return Repurchase(table, rates, cohorts, span, unit, limits, level, (*bases.sentences(table), *said), notes)


def customers_of(events: Events, by: Sequence[str], unit: Unit, within: float, every: str) -> pl.DataFrame:
    """One row per customer (and group): columns of `by`, x, time, exposed, again, cohort."""
    named_by = [named(events.frame[c]).alias(c) for c in by]
    days = events.frame.with_columns(named_by).select("id", *by, "date").unique()
    first, last, span = pl.col("date").min(), pl.lit(events.last), within * DAYS[unit]
    second = (pl.col("date").sort().get(1, null_on_oob=True) - first).dt.total_days()
    return (
        days.group_by("id", *by)
        .agg(
            (pl.len() - 1).cast(pl.Float64).alias("x"),
            ((last - first).dt.total_days() / DAYS[unit]).alias("time"),
            ((last - first).dt.total_days() >= span).alias("exposed"),
            (second <= span).fill_null(value=False).alias("again"),
            first.dt.truncate(every).cast(pl.String).alias("cohort"),
        )
        .sort(*by, "id")
    )


def _shares(people: pl.DataFrame, keys: list[str], level: float, *, customers: bool) -> pl.DataFrame:
    """Of each group: how many were observed long enough, how many of them came back, with Wilson's limits."""
    held = pl.col("exposed")
    counts = [pl.len().cast(pl.Int64).alias("customers")] if customers else []
    counts += [held.sum().cast(pl.Int64).alias("n"), (held & pl.col("again")).sum().cast(pl.Int64).alias("again")]
    made = people.group_by(keys).agg(counts).sort(keys) if keys else people.select(counts)
    n, again = (made[c].to_numpy().astype(np.float64) for c in ("n", "again"))
    if not customers:
        made = made.filter(pl.col("n") > 0)
        n, again = n[n > 0], again[n > 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = again / n
        low, high = wilson(share, n, np.full(len(n), ndtri(0.5 + level / 2)))
    out = made.with_columns(share=pl.Series(share), conf_low=pl.Series(low), conf_high=pl.Series(high))
    return out.with_columns(pl.col(pl.Float64).fill_nan(None))


def _rates(people: pl.DataFrame, keys: list[str], kind: Limits, level: float) -> pl.DataFrame:
    """Of each group: repeat purchases over the time observed."""
    parts = people.partition_by(keys, maintain_order=True) if keys else [people]
    rows = []
    for part in parts:
        x, time = part["x"].to_numpy(), part["time"].to_numpy()
        low, high = rate_limits(x, time, kind, level)
        rows.append({
            **{k: part[k][0] for k in keys}, "n": part.height, "repeaters": int((x > 0).sum()),
            "repeats": int(x.sum()), "observed": float(time.sum()), "rate": float(x.sum() / time.sum()),
            "conf_low": low, "conf_high": high,
        })  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Float64).fill_nan(None))


def rate_limits(x: Array, time: Array, kind: Limits, level: float) -> tuple[float, float]:
    """Limits of sum x / sum time: exact of a Poisson count, or on the log by customers (t).

    Example:
        >>> [round(v, 4) for v in rate_limits(np.array([3.0, 7.0]), np.array([50.0, 50.0]), "exact", 0.95)]
        [0.048, 0.1839]
    """
    count, whole = float(x.sum()), float(time.sum())
    if kind == "exact" or count == 0 or len(x) < 2:
        tail = (1 - level) / 2
        low = chdtri(2 * count, 1 - tail) / 2 if count else 0.0
        return float(low / whole), float(chdtri(2 * count + 2, tail) / 2 / whole)
    rate = count / whole
    z = ((x - rate * time) / whole)[:, None]
    unit = np.arange(len(x))
    variance, df = between(z, np.ones(z.shape, dtype=bool), unit, np.zeros(len(x), dtype=np.int64))
    reach = float(critical(level, df)[0] * np.sqrt(variance[0]) / rate)
    return rate * float(np.exp(-reach)), rate * float(np.exp(reach))


def _usable(people: pl.DataFrame, name: str) -> None:
    """Refuse one customer, and a table in which no time passes."""
    found: list[Problem] = []
    if people["id"].n_unique() < 2:
        en, zh = "the table has one customer; a share needs many.", "购买记录只有一名顾客，无法计算占比。"
        found.append(problem("E-EVENT", name, en, zh, "Give the log of all customers.", "请提供全部顾客的记录。"))
    elif not people["time"].sum() > 0:
        en, zh = "all first purchases are on the last day observed.", "所有首次购买都在观察的最后一天。"
        do, do_zh = "Observe longer, or say until when: until.", "请延长观察期，或以 until 注明观察到哪一天。"
        found.append(problem("E-EVENT", name, en, zh, do, do_zh))
    if found:
        raise Problems(found)


def within_problems(within: object) -> list[Problem]:
    """A problem where a time is not above 0."""
    if within is None or (
        isinstance(within, int | float) and not isinstance(within, bool) and 0 < within < float("inf")
    ):
        return []
    en, zh = f"within = {within!r} is not a time above 0.", f"within = {within!r} 不是大于 0 的时长。"
    return [problem("E-SETTING", "within", en, zh, "Write 26, say.", "例如写 26。")]
