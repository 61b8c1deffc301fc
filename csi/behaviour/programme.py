"""What joining a loyalty programme goes with: the naive difference, and differences in differences where a design is.

Source:
    Leenheer, van Heerde, Bijmolt & Smidts (2007), Int. J. of Research in Marketing 24, 31-47 (self-selection: the naive
    difference is seven times too large); Callaway & Sant'Anna (2021), J. of Econometrics 225, 200-230.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.behaviour.asked import level_problems
from csi.behaviour.programme_change import FEWEST, Changes, changes, two_way
from csi.behaviour.programme_panel import NEVER, Period, Spending, spending
from csi.behaviour.programme_words import APART, CLEAR, HEADINGS, SAID, programme_notes, programme_sentences
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.inference.linearised import critical, p_of_t
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, read_events

WIDEST: Final = 6
"""Periods before and after joining that are told."""


@dataclass(frozen=True, slots=True, repr=False)
class Programme(Shown):
    """Members of a programme beside other customers.

    Attributes:
        table: way ("naive", "two-way", "cohorts", "weighted"), members, others, n (the smaller), difference (a customer
            a period, after joining), std_error, df, conf_low, conf_high, p_value, flag, reason, reason_zh.
        events: k (periods since joining), n (members, or others where fewer), difference (against k = -1), std_error,
            conf_low, conf_high, p_value, by cohorts; k = 0 holds the joining itself and enters no mean.
        overlap: name, n (members), others, n_effective (of others, weighted; mean of cohorts), before, after
            (standardised distance of members), highest_member, highest_other (chances to be a member).
        trend: F, df1, df2, p_value that all differences before joining are 0; without rows where it cannot be tested.
        earned: whether it is called an effect: trends before joining were tested and not rejected, and
            weighted others resemble the members. period, counted (purchases, not money), level.
        sentences, notes (E-CAUSAL where there is no period before).
    """

    table: pl.DataFrame
    events: pl.DataFrame
    overlap: pl.DataFrame
    trend: pl.DataFrame
    earned: bool
    period: str
    counted: bool
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Programme, lang: str = "en") -> str:
    """Sentences, differences, the event study, overlap, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    named = {k: t.say(lang) for k, t in SAID.items()}
    for frame in (value.table.drop("df"), value.events, value.trend, value.overlap):
        if frame.height:
            shown = frame.with_columns(pl.col(c).replace(named) for c in ("way", "name") if c in frame.columns)
            lines += [based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def programme(
    members: Events | object,
    purchases: Events | object,
    *,
    period: Period = "month",
    design: Literal["auto", "effect"] = "auto",
    widest: int = WIDEST,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Programme:
    """What customers spend a period after joining a programme, against others and against themselves before.

    Parameters:
        members: a table (id, joined), purchases: a table (id, date, amount) of members and of other customers, see
            `csi.read_events`; without amounts purchases are counted. period: "week", "month" or "quarter".
        design: "auto" says "difference" where "effect" is not earned; "effect" refuses. widest: periods before and
            after that are told. level: of intervals. small, flagged: groups of fewer customers are withheld, or marked.

    Returns:
        A `Programme`. Without a period before joining it is the naive difference alone, called so (E-CAUSAL in notes).

    Raises:
        Problems: E-EVENT (negative amounts, ids that do not join, one customer, too few periods, everybody or nobody
            a member), E-CAUSAL for `design="effect"` without a period before joining, E-SETTING.

    Example:
        >>> days = [f"2026-{m:02d}-{d:02d}" for m in range(1, 7) for d in (1, 28)] + ["2026-06-30"]
        >>> log = pl.DataFrame([(str(i), d, 5.0 + (i < 10) * (d > "2026-04")) for i in range(40) for d in days],
        ...                    schema=["id", "date", "amount"], orient="row")
        >>> who = pl.DataFrame({"id": [str(i) for i in range(10)], "joined": ["2026-04-02"] * 10})
        >>> found = programme(who, log, small=5, flagged=5)
        >>> found.table.filter(way="cohorts")["difference"].round(3).to_list()
        [2.5]
    """
    _check(design, widest, level)
    bases = Bases(small, flagged)
    joined, log = read_events(members, "members"), read_events(purchases, "purchases")
    data = spending(joined, log, period)
    _both(data, joined.name)
    plain = changes(data, weighted=False, widest=widest)
    weighted = changes(data, weighted=True, widest=widest) if plain is not None else None
    if plain is None and design == "effect":
        raise Problems([Problem("E-CAUSAL", joined.name, _NO_BEFORE, _REMEDY)])
    rows = [_naive(data, level), *_ways(data, plain, weighted, level)]
    table = bases.withheld(pl.DataFrame(rows, infer_schema_length=None))
    events = bases.withheld(_events(plain, level))
    trend = _trend(plain, small)
    overlap = bases.withheld(_pooled(weighted, small))
    apart = _apart(overlap)
    earned = _earned(table, trend, weighted, apart)
    said = programme_sentences(table, trend, period, level, earned=earned, counted=data.counted)
    cohorts = int(np.unique(data.joined[data.joined > 0]).size)
    notes = (
        (note("E-CAUSAL", _NO_BEFORE.en, _NO_BEFORE.zh),)
        if plain is None
        else programme_notes(table, trend, apart, cohorts, earned=earned, weighted=weighted is not None)
    )
    every = (*notes, *joined.notes, *log.notes, *data.notes, *bases.notes(table, (), SAID))
    return Programme(table, events, overlap, trend, earned, period, data.counted, level,
                     (*bases.sentences(table), *said), every)  # fmt: skip


_NO_BEFORE: Final = Text(
    "programme effect: no pre-period of enough members who had bought before. "
    "Reported as naive difference, not effect.",
    "会员计划效应：没有足够的会员在入会前有购买记录。仅报告粗略差异，不称为效应。",
)
_REMEDY: Final = Text(
    "Give purchases from before joining, at least three periods of them.", "请给出入会之前（至少三期）的购买记录。"
)
_OVERLAP: Final = {
    "name": pl.String, "n": pl.Int64, "others": pl.Int64, **dict.fromkeys(
        ("n_effective", "before", "after", "highest_member", "highest_other"), pl.Float64)
}  # fmt: skip


def _pooled(weighted: Changes | None, small: int) -> pl.DataFrame:
    """The overlap over all cohorts, each as its members count; none of fewer than `small` others."""
    if weighted is None or not weighted.overlap.height or weighted.others < small:
        return pl.DataFrame(schema=_OVERLAP)
    mean = [((pl.col(c) * pl.col("n")).sum() / pl.col("n").sum()).alias(c) for c in ("n_effective", "before", "after")]
    tops = [pl.col(c).max() for c in ("highest_member", "highest_other")]
    found = weighted.overlap.group_by("name", maintain_order=True).agg(pl.col("n").sum(), *mean, *tops)
    whole = found.with_columns(others=pl.lit(weighted.others))
    return whole.select(pl.col(c).cast(kind) for c, kind in _OVERLAP.items())


def _ways(
    data: Spending, plain: Changes | None, weighted: Changes | None, level: float
) -> list[dict[str, float | int | str | None]]:
    """Two-way fixed effects, cohorts, weighted cohorts."""
    rows = []
    if plain is not None and (both := two_way(data)) is not None:
        b, error, df, mine, others = both
        rows.append(_row("two-way", mine, others, b, error, df, level))
    for way, found in (("cohorts", plain), ("weighted", weighted)):
        if found is None or not (after := found.lags > 0).any():
            continue
        share = np.where(after, found.members, 0.0)
        L = (share / share.sum())[None, :]
        errors, dfs = found.error(L)
        mine = int(found.members[after].max())
        rows.append(_row(way, mine, found.others, float((L @ found.value)[0]), float(errors[0]), float(dfs[0]), level))
    return rows


def _row(
    way: str, mine: int, others: int, value: float, error: float, df: float, level: float
) -> dict[str, float | int | str | None]:
    """A difference with its interval."""
    known = error > 0 and df > 0
    reach = float(critical(level, np.array([df]))[0]) * error if known else np.nan
    p = float(p_of_t(np.array([value / error]), np.array([df]))[0]) if known else np.nan
    numbers = {"std_error": error, "df": df, "conf_low": value - reach, "conf_high": value + reach, "p_value": p}
    clean = {k: float(v) if np.isfinite(v) else None for k, v in numbers.items()}
    return {"way": way, "members": mine, "others": others, "n": min(mine, others), "difference": value, **clean}


def _naive(data: Spending, level: float) -> dict[str, float | int | str | None]:
    """Members after joining less customers who never joined, a customer a period."""
    period = np.arange(data.spent.shape[1])[None, :]
    never = (data.joined == NEVER)[:, None]
    here = np.where(never, period > data.since[:, None], period > data.joined[:, None])
    count = here.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (data.spent * here).sum(axis=1) / count
    seen = count > 0
    a, b = mean[seen & ~never[:, 0]], mean[seen & never[:, 0]]
    if min(len(a), len(b)) < FEWEST:
        return _row("naive", len(a), len(b), np.nan, np.nan, 0.0, level) | {"difference": None}
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    error = float(np.sqrt(sum(parts)))
    df = error**4 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1)) if error > 0 else 0.0
    return _row("naive", len(a), len(b), float(a.mean() - b.mean()), error, float(df), level)


def _events(found: Changes | None, level: float) -> pl.DataFrame:
    """The event study, a row for every period."""
    schema = {"k": pl.Int64, "n": pl.Int64, **dict.fromkeys(
        ("difference", "std_error", "conf_low", "conf_high", "p_value"), pl.Float64)}  # fmt: skip
    if found is None:
        return pl.DataFrame(schema=schema)
    error, df = found.error(np.eye(len(found.value)))
    reach = critical(level, df) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_of_t(found.value / error, df)
    n = np.minimum(found.members, found.others)
    columns = (found.lags, n, found.value, error, found.value - reach, found.value + reach, p)
    made = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
    return made.with_columns(pl.col(pl.Float64).fill_nan(None))


def _trend(found: Changes | None, small: int) -> pl.DataFrame:
    """The joint test of the differences before joining."""
    schema = {"F": pl.Float64, "df1": pl.Int64, "df2": pl.Float64, "p_value": pl.Float64}
    at = np.empty(0, dtype=np.int64)
    if found is not None:
        at = np.flatnonzero((found.lags < -1) & (np.minimum(found.members, found.others) >= max(small, FEWEST)))
    if found is None or not at.size:
        return pl.DataFrame(schema=schema)
    F, q, left, p = found.joint(at)
    rows = [(F, q, left, p)] if np.isfinite(p) else []
    return pl.DataFrame(rows, schema=schema, orient="row")


def _apart(overlap: pl.DataFrame) -> float | None:
    """Largest distance that weighting leaves; None where nothing was weighted or told."""
    told_of = overlap.filter(pl.col("after").is_not_null())
    if not told_of.height:
        return None
    return float(told_of["after"].abs().to_numpy().max())


def _earned(table: pl.DataFrame, trend: pl.DataFrame, weighted: Changes | None, apart: float | None) -> bool:
    """Whether the design allows the word "effect"."""
    told_of = table.filter(pl.col("way") == "cohorts", pl.col("conf_low").is_not_null())
    alike = weighted is not None and apart is not None and apart <= APART
    return bool(told_of.height) and alike and trend.height > 0 and float(trend["p_value"][0]) >= CLEAR


def _both(data: Spending, name: str) -> None:
    """Refuse purchases of members only, or of nobody who is one."""
    mine, others = int((data.joined != NEVER).sum()), int((data.joined == NEVER).sum())
    if mine and others:
        return
    en = (
        "every customer is a member: there is nobody to compare with."
        if mine
        else "nobody joined in the periods observed."
    )
    zh = "所有顾客都是会员，没有可比对象。" if mine else "观察期内无人入会。"
    do, do_zh = "Give the purchases of customers who did not join, too.", "请同时给出非会员的购买记录。"
    if not mine:
        do, do_zh = "Give purchases that reach beyond joining.", "请给出延续到入会之后的购买记录。"
    raise Problems([problem("E-EVENT", name, en, zh, do, do_zh)])


def _check(design: str, widest: int, level: float) -> None:
    """Refuse settings that are none."""
    found = []
    if design not in ("auto", "effect"):
        en, zh = f'design = "{design}" is neither auto nor effect.', f"design = “{design}” 既非 auto 也非 effect。"
        found.append(problem("E-SETTING", "design", en, zh, "Write auto.", "请写 auto。"))
    if widest < 2:
        en, zh = f"widest = {widest} leaves no period before to test.", f"widest = {widest} 没有可检验的入会前时期。"
        found.append(problem("E-SETTING", "widest", en, zh, "Write 6.", "请写 6。"))
    found += level_problems(level)
    if found:
        raise Problems(found)
