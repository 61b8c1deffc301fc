"""What goes with leaving sooner, or buying again sooner: Cox's proportional hazards, or a model of periods.

Source:
    Cox (1972), J. Royal Statistical Society B 34, 187-220; Efron (1977), J. American Statistical Association 72 (ties);
    Allison (1982), Sociological Methodology 13, 61-98 (periods); Grambsch & Therneau (1994), Biometrika 81, 515-526.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import polars as pl
from scipy.special import chdtrc, ndtri

from csi.behaviour.asked import level_problems
from csi.behaviour.buying import Unit, unit_problems
from csi.behaviour.drivers_of import Columns, columns_of
from csi.behaviour.hazard_words import HEADINGS, SAID, hazard_notes, hazard_sentences
from csi.behaviour.periods import PeriodRows, Shape, fitted_periods, period_rows
from csi.behaviour.survival import day_of
from csi.behaviour.watched import Waited, by_customer, events_of, watched
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, one_of, problem
from csi.inference.linearised import Means, critical, p_of_t
from csi.inference.partial_likelihood import Cox, Observed, cox, proportional
from csi.measures.shown import based, told
from csi.moments.stack import Array, Ints
from csi.survey.events import Events

Way = Literal["cox", "cloglog", "logit"]
"""Continuous time; periods, with hazard ratios; periods, with odds ratios."""

FEWEST: Final = 5
"""Events for every slope; fewer are refused."""


@dataclass(frozen=True, slots=True, repr=False)
class Hazard(Shown):
    """What goes with events that come sooner.

    Attributes:
        table: name, level (of a column that is text, against its most frequent one), n (customers or spells), events,
            slope (log ratio for one more), std_error, ratio (of hazards; of odds for "logit"), ratio_low, ratio_high,
            p_value.
        checks: name, statistic, df, p_value, trend (change of the slope from the first event to the last): score test
            that ratios stay over time, the last row of all together; without rows but for "cox".
        periods: period, n, events, hazard (events / n) of models of periods; without rows for "cox".
        way, waited, unit, level, loglik, rows (of persons in periods, for models of periods; else n).
        sentences, notes.
    """

    table: pl.DataFrame
    checks: pl.DataFrame
    periods: pl.DataFrame
    way: Way
    waited: Waited
    unit: Unit
    level: float
    loglik: float
    rows: int
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Hazard, lang: str = "en") -> str:
    """Sentences, ratios, the check, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    named = {k: t.say(lang) for k, t in SAID.items()}
    for frame in (value.table, value.checks):
        if frame.height:
            lines += [based(frame.with_columns(pl.col("name").replace(named)), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def hazard(
    events: Events | object,
    drivers: Sequence[str],
    *,
    way: Way = "cox",
    shape: Shape = "free",
    unit: Unit = "week",
    since: date | str | None = None,
    level: float = 0.95,
) -> Hazard:
    """Ratios of hazards: how much sooner events come with one more of a driver.

        cox        h(t | x) = h0(t) exp(x b), Efron's partial likelihood, any h0
        cloglog    log(-log(1 - h_k)) = a_k + x b of the k-th period, the same ratios
        logit      log(h_k / (1 - h_k)) = a_k + x b, ratios of odds

    Parameters:
        events: a table of spells or of purchases, see `csi.survival`; drivers: its columns, numbers or text (compared
            with the most frequent value). way: see above. shape: of a_k: "free", "linear" or "quadratic" in k. unit:
            what time is counted in; a period is one unit. since, level: as in `csi.survival`.

    Returns:
        A `Hazard`. Errors of "cox" are by the likelihood, by customers where one has several spells; those of periods
        are always by customers.

    Raises:
        Problems: E-EVENT (an unusable table, no events, no events in a group, fewer than 5 for each slope), E-ROLE (no
            such column), E-COLL (drivers that go together or tell events without fail), E-SETTING.

    Example:
        >>> spells = pl.DataFrame({"id": range(12), "duration": [1, 2, 2, 3, 4, 5, 5, 6, 6, 7, 8, 9],
        ...                        "event": [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0],
        ...                        "fee": [9, 7, 8, 5, 7, 4, 6, 5, 3, 4, 2, 3]})
        >>> hazard(spells, ["fee"]).table["ratio"].round(3).to_list()
        [2.591]
    """
    found = [*level_problems(level), *unit_problems(unit), *one_of("way", way, ("cox", "cloglog", "logit")),
             *one_of("shape", shape, ("free", "linear", "quadratic")), *_named(drivers)]  # fmt: skip
    if found:
        raise Problems(found)
    data = watched(events_of(events), unit, since=day_of(since))
    x = columns_of(data.frame, drivers, data.name)
    kept = data.frame[x.rows.tolist()]
    happened = kept["event"].to_numpy()
    _enough(x, happened, data.name)
    if way == "cox":
        found_cox = _fit(x, kept, data.name)
        means, checks = _errors(found_cox, kept), _checks(found_cox, x, kept)
        periods, rows, loglik = pl.DataFrame(schema=PERIODS), kept.height, found_cox.loglik
    else:
        made = period_rows(kept)
        _some(made, data.name, unit)
        means, loglik = fitted_periods(made, x.values, shape, way, data.name)
        checks, periods, rows = pl.DataFrame(schema=CHECKS), made.table, len(made.period)
    table = _table(x, happened, means, level)
    said = hazard_sentences(table, checks, way, data.waited, level)
    clustered = way != "cox" or kept["id"].n_unique() < kept.height
    notes = (*hazard_notes(way, checks, shape, events=int(happened.sum()), slopes=len(x.names), clustered=clustered),
             *x.notes, *data.notes)  # fmt: skip
    return Hazard(table, checks, periods, way, data.waited, unit, level, loglik, rows, said, notes)


CHECKS: Final = {
    "name": pl.String, "statistic": pl.Float64, "df": pl.Int64, "p_value": pl.Float64, "trend": pl.Float64,
}  # fmt: skip
PERIODS: Final = {"period": pl.Int64, "n": pl.Int64, "events": pl.Int64, "hazard": pl.Float64}


def _fit(x: Columns, kept: pl.DataFrame, name: str) -> Cox:
    """Cox's model of the rows."""
    entry, time, event = (kept[c].to_numpy() for c in ("entry", "time", "event"))
    found = cox(x.values, Observed(entry, time, event, np.ones(len(time))))
    if found is None:
        raise Problems([inseparable(name)])
    return found


def inseparable(name: str) -> Problem:
    """Drivers that have no finite slopes."""
    en = "the drivers go together without fail, or tell who has an event without fail: no finite slopes."
    zh = "驱动变量完全共线，或可完全区分是否发生事件：斜率不存在有限值。"
    do, do_zh = "Take fewer drivers, or join rare groups.", "请减少驱动变量，或合并罕见组别。"
    return problem("E-COLL", name, en, zh, do, do_zh)


def _errors(fit: Cox, kept: pl.DataFrame) -> Means:
    """By the likelihood, or by customers where one has several rows."""
    if kept["id"].n_unique() == kept.height:
        return fit.of_model()
    return fit.of_design(*by_customer(kept))


def _checks(fit: Cox, x: Columns, kept: pl.DataFrame) -> pl.DataFrame:
    """Whether ratios stay over time; of each slope, and of all where there are several."""
    if len(fit.seen.times) < 3:
        return pl.DataFrame(schema=CHECKS)
    plan = () if kept["id"].n_unique() == kept.height else by_customer(kept)
    found = proportional(fit, *plan)
    return checked(found.statistic, found.df, found.trend, x.labels)


def checked(statistic: Array, df: Ints, trend: Array, names: Sequence[str]) -> pl.DataFrame:
    """The rows of a check."""
    p = chdtrc(df, statistic)
    rows: list[tuple[str, float, int, float, float | None]]
    rows = [(n, float(s), 1, float(q), float(t)) for n, s, q, t in zip(names, statistic, p, trend, strict=False)]
    if len(names) > 1:
        rows.append(("all", float(statistic[-1]), int(df[-1]), float(p[-1]), None))
    return pl.DataFrame(rows, schema=CHECKS, orient="row")


def _table(x: Columns, happened: Array, means: Means, level: float) -> pl.DataFrame:
    """Slopes and ratios."""
    b, error = means.mean, means.std_error
    large = np.isinf(means.df)
    point = np.where(large, ndtri(0.5 + level / 2), critical(level, np.where(large, 1.0, means.df)))
    low, high = np.exp(b - point * error), np.exp(b + point * error)
    p = np.where(large, chdtrc(1, (b / error) ** 2), p_of_t(b / error, np.where(large, 1.0, means.df)))
    n, events = len(happened), int(happened.sum())
    columns = {"slope": b, "std_error": error, "ratio": np.exp(b), "ratio_low": low, "ratio_high": high, "p_value": p}
    frame = pl.DataFrame(
        {"name": x.names, "level": x.levels, "n": [n] * len(b), "events": [events] * len(b), **columns}
    )
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def _enough(x: Columns, happened: Array, name: str) -> None:
    """Refuse no events, none in a group, or fewer than `FEWEST` for each slope."""
    found = []
    events = int(happened.sum())
    if not events:
        en, zh = "hazard: 0 events; nothing to explain.", "风险模型：没有任何事件，无从解释。"
        found.append(problem("E-EVENT", name, en, zh, "Observe longer.", "请延长观察期。"))
    else:
        found += [_silent(label, name) for label, mine in x.groups() if not happened[mine].any()]
        if events < FEWEST * len(x.names) and not found:
            en = f"hazard: {events} events for {len(x.names)} slopes; {FEWEST * len(x.names)} are needed."
            zh = f"风险模型：{len(x.names)} 个斜率只有 {events} 个事件，至少需要 {FEWEST * len(x.names)} 个。"
            do, do_zh = "Take fewer drivers, or observe longer.", "请减少驱动变量，或延长观察期。"
            found.append(problem("E-EVENT", name, en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _silent(label: str, name: str) -> Problem:
    """A group in which nothing happened."""
    en, zh = f"hazard: 0 events in group '{label}'.", f"风险模型：“{label}”组没有任何事件。"
    do, do_zh = "Join it with another group, or leave it out.", "请与其他组合并，或不纳入该组。"
    return problem("E-EVENT", name, en, zh, do, do_zh)


def _some(made: PeriodRows, name: str, unit: Unit) -> None:
    """Refuse events that no whole period holds."""
    if made.happened.any():
        return
    en, zh = (
        f"hazard: no event after a whole {unit} of observation.",
        f"风险模型：没有事件发生在完整观察的一个{unit}之后。",
    )
    raise Problems([problem("E-EVENT", name, en, zh, "Take a shorter unit.", "请改用更短的时间单位。")])


def _named(drivers: Sequence[str]) -> list[Problem]:
    """A problem where no driver is named."""
    if drivers and not isinstance(drivers, str):
        return []
    en, zh = "no drivers are named.", "没有指定驱动变量。"
    return [problem("E-SETTING", "drivers", en, zh, 'Write drivers=["fee"], say.', '例如写 drivers=["fee"]。')]
