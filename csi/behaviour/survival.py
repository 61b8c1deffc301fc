"""How long customers stay, or how soon they buy again: Kaplan-Meier curves with intervals, medians, log-rank tests.

Source:
    Kaplan & Meier (1958), J. American Statistical Association 53, 457-481; Brookmeyer & Crowley (1982), Biometrics 38,
    29-41 (interval of the median); Kalbfleisch & Prentice (2002), The statistical analysis of failure time data, 1.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.behaviour.asked import level_problems
from csi.behaviour.buying import Unit, unit_problems
from csi.behaviour.survival_words import AGAIN, HEADINGS, SAID, survival_notes, survival_sentences
from csi.behaviour.watched import Waited, Watched, by_customer, events_of, groups, watched
from csi.display import Shown, text
from csi.engines.survival import kaplan_meier, log_rank
from csi.errors import Note, Problems, Text, problem
from csi.inference.linearised import critical
from csi.inference.partial_likelihood import Observed
from csi.inference.survival_curves import (
    below,
    closed,
    design_error,
    design_test,
    framed,
    limits,
    marks,
    watched_at,
)
from csi.measures.shown import based, told
from csi.moments.stack import Array, Ints
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events
from csi.survey.keyed import stacked

MARKS: Final = {
    "day": (30.0, 90.0, 180.0, 365.0),
    "week": (4.0, 13.0, 26.0, 52.0, 104.0),
    "month": (1.0, 3.0, 6.0, 12.0, 24.0),
    "year": (1.0, 2.0, 3.0, 5.0),
}
"""Times at which a table tells the share that is left, by unit."""


@dataclass(frozen=True, slots=True, repr=False)
class Survival(Shown):
    """How long until customers leave, or buy again.

    Attributes:
        table: columns of `by`, n (customers or spells), events, observed (time in all), rate (events a unit of time),
            median, median_low, median_high (null where the curve or its limit does not come down to half), flag,
            reason, reason_zh.
        at: columns of `by`, time, n (still watched just before), survival (share to whom it has not happened),
            conf_low, conf_high, flag, reason, reason_zh.
        curve: columns of `by`, time, n (at risk just before), events, survival, std_error, conf_low, conf_high; from
            time 0, at every time of events with at least `small` at risk, to where so many are watched.
        risk: columns of `by`, time (round times), n: how many are still watched then, null where fewer than `small`.
        tests: test ("log-rank", of one spell a customer; "robust", by customers), groups, chi2, df, p_value; without
            rows where there is one group.
        waited: "churn" or "repurchase". by, unit, level, sentences, notes.
    """

    table: pl.DataFrame
    at: pl.DataFrame
    curve: pl.DataFrame
    risk: pl.DataFrame
    tests: pl.DataFrame
    waited: Waited
    by: tuple[str, ...]
    unit: Unit
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Survival, lang: str = "en") -> str:
    """Sentences, medians, shares, tests, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    heads, named = AGAIN if value.waited == "repurchase" else HEADINGS, {k: t.say(lang) for k, t in SAID.items()}
    for frame in (value.table, value.at, value.tests):
        if frame.height:
            shown = frame.with_columns(pl.col(c).replace(named) for c in ("test",) if c in frame.columns)
            lines += [based(shown, heads, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def survival(
    events: Events | object,
    *,
    by: Sequence[str] = (),
    unit: Unit = "week",
    at: Sequence[float] = (),
    since: date | str | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Survival:
    """Kaplan-Meier: the share of customers who have not left (spells), or not bought again (purchases), over time.

        S(t) = prod (1 - d / n) over times of events up to t;   limits exp(-exp(log(-log S) +- z se / (S log S)))

    Parameters:
        events: a table of spells (id, event, start and end, or duration) or of purchases (id, date), see
            `csi.read_events`. by: its columns that make groups, such as brand. unit: what time is counted in; that of
            durations, too. at: times at which shares are told. since: the first day observed: spells that began before
            count from then on (late entry), those that were over are left out. level: of intervals. small, flagged:
            groups of fewer are withheld, or marked; a curve ends where fewer than `small` are left.

    Returns:
        A `Survival`. Where customers have several spells, errors and tests are by customers.

    Raises:
        Problems: E-EVENT (an unusable table, events before entry, nobody observed), E-ROLE (no such column), E-SETTING.

    Example:
        >>> spells = pl.DataFrame({"id": range(8), "duration": [1, 2, 2, 3, 4, 5, 5, 6],
        ...                        "event": [1, 1, 0, 1, 1, 0, 1, 0]})
        >>> survival(spells, small=0, flagged=0).curve["survival"].round(4).to_list()
        [1.0, 0.875, 0.75, 0.6, 0.45, 0.3, 0.3]
    """
    found = [*level_problems(level), *unit_problems(unit)]
    if found:
        raise Problems(found)
    bases = Bases(small, flagged)
    data = watched(events_of(events), unit, since=day_of(since), by=by)
    cells, place = groups(data, by)
    at_rows = [np.flatnonzero(place == c) for c in range(int(place.max()) + 1)]
    curves = [curve_of(data, rows, level) for rows in at_rows]
    entry, time = (data.frame[c].to_numpy() for c in ("entry", "time"))
    kept = [closed(c, entry[mine], time[mine], small) for c, mine in zip(curves, at_rows, strict=True)]
    rows = [_row(data, mine, curve) for mine, curve in zip(at_rows, kept, strict=True)]
    table = bases.withheld(stacked(cells, [pl.DataFrame([r], schema=ROW) for r in rows]))
    times = tuple(at) or MARKS[unit]
    shares = [_at(data, mine, curve, times) for mine, curve in zip(at_rows, kept, strict=True)]
    told_at = bases.withheld(stacked(cells, shares))
    cut = sum(c.height > 0 and float(c["time"][-1]) < time[mine].max() for c, mine in zip(kept, at_rows, strict=True))
    drawn = stacked(cells, kept)
    ticks = marks(float(np.max(drawn["time"].to_numpy(), initial=0.0)))
    risk = stacked(cells, [watched_at(entry[mine], time[mine], ticks, small) for mine in at_rows])
    tests = _tests(data, place, [len(mine) >= small for mine in at_rows])
    said = survival_sentences(table, tests, list(by), data.waited, unit, level)
    notes = (*survival_notes(data.waited, table, several=data.several, cut=cut, small=small), *data.notes,
             *bases.notes(table, list(by)))  # fmt: skip
    return Survival(table, told_at, drawn, risk, tests, data.waited, tuple(by), unit, level,
                    (*bases.sentences(table), *said), notes)  # fmt: skip


ROW: Final = {
    "n": pl.Int64, "events": pl.Int64, "observed": pl.Float64, "rate": pl.Float64, "median": pl.Float64,
    "median_low": pl.Float64, "median_high": pl.Float64,
}  # fmt: skip


def day_of(since: date | str | None) -> date | None:
    """A day, as a date or written 2026-01-31.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> day_of("2026-01-31")
        datetime.date(2026, 1, 31)
    """
    if isinstance(since, date) or not since:
        return since if isinstance(since, date) else None
    try:
        return date.fromisoformat(since)
    except (TypeError, ValueError):
        en, zh = f'since = "{since}" is no day.', f"since = “{since}” 不是日期。"
        bad = problem("E-SETTING", "since", en, zh, "Write 2026-01-31, say.", "例如写 2026-01-31。")
        raise Problems([bad]) from None


def curve_of(data: Watched, rows: Ints, level: float) -> pl.DataFrame:
    """The curve of some rows, from time 0: by Greenwood, or by customers where one has several rows."""
    frame = data.frame[rows.tolist()]
    time, entry, event = (frame[c].to_numpy() for c in ("time", "entry", "event"))
    late = bool((entry > 0).any())
    found = kaplan_meier(time, event, entry if late else None)
    error = found.std_error
    point: float | Array = float(ndtri(0.5 + level / 2))
    if frame["id"].n_unique() < frame.height:
        seen = Observed(entry, time, event, np.ones(len(time)))
        error, df = design_error(seen, *by_customer(frame))
        point = critical(level, df)
    low, high = limits(found.survival, error, point)
    return framed(found.time, found.at_risk, found.events, found.survival, error, low, high, int((entry <= 0).sum()))


def _row(data: Watched, rows: Ints, curve: pl.DataFrame) -> dict[str, float | int | None]:
    """Counts, time in all, rate, median."""
    frame = data.frame[rows.tolist()]
    observed = float((frame["time"] - frame["entry"]).sum())
    events = int(frame["event"].sum())
    return {
        "n": frame.height,
        "events": events,
        "observed": observed,
        "rate": events / observed if observed > 0 else None,
        **{name: below(curve, column) for name, column in
           (("median", "survival"), ("median_low", "conf_low"), ("median_high", "conf_high"))},
    }  # fmt: skip


def _at(data: Watched, rows: Ints, curve: pl.DataFrame, marks: Sequence[float]) -> pl.DataFrame:
    """Shares at some times within what was observed."""
    frame = data.frame[rows.tolist()]
    time, entry = frame["time"].to_numpy(), frame["entry"].to_numpy()
    out = []
    for mark in marks:
        left = int(((time >= mark) & (entry < mark)).sum())
        if left:
            share, *ends = (
                curve.filter(pl.col("time") <= mark).tail(1).select("survival", "conf_low", "conf_high").row(0)
            )
            out.append((float(mark), left, share, *(ends if share < 1 else (None, None))))
    numbers = dict.fromkeys(("survival", "conf_low", "conf_high"), pl.Float64)
    return pl.DataFrame(out, schema={"time": pl.Float64, "n": pl.Int64, **numbers}, orient="row")


def _tests(data: Watched, place: Ints, told_of: Sequence[bool]) -> pl.DataFrame:
    """Whether groups differ: log-rank, or the score test with errors by customers where one has several rows."""
    schema = {"test": pl.String, "groups": pl.Int64, "chi2": pl.Float64, "df": pl.Int64, "p_value": pl.Float64}
    kept = np.isin(place, np.flatnonzero(told_of))
    frame, group = data.frame.filter(pl.Series(kept)), place[kept]
    names = np.unique(group)
    if len(names) < 2 or not frame["event"].any():
        return pl.DataFrame(schema=schema)
    time, entry, event = (frame[c].to_numpy() for c in ("time", "entry", "event"))
    if frame["id"].n_unique() == frame.height:
        late = bool((entry > 0).any())
        row = ("log-rank", len(names), *log_rank(time, event, group, entry if late else None))
    else:
        seen = Observed(entry, time, event, np.ones(len(time)))
        row = ("robust", len(names), *design_test(group, seen, *by_customer(frame)))
    return pl.DataFrame([row], schema=schema, orient="row")
