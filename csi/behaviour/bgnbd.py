"""Who still buys, and how often: BG/NBD on a log of purchases, gamma-gamma on their amounts.

Source:
    Fader, Hardie & Lee (2005). "Counting your customers" the easy way. Marketing Science 24(2), 275-284.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.behaviour import bgnbd_numbers as formulas
from csi.behaviour.asked import level_problems
from csi.behaviour.bgnbd_words import few_notes, sentences_of
from csi.behaviour.buying import Unit, ahead_problems, customers, day_notes, unit_problems
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.measures.shown import based, told
from csi.moments.stack import Array
from csi.survey.events import Events, read_events

HEADINGS: Final = {
    "parameter": Text("parameter", "参数"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "id": Text("customer", "顾客"),
    "x": Text("repeat purchases", "复购次数"),
    "last": Text("last", "最近一次"),
    "age": Text("observed", "观察时长"),
    "alive": Text("P(alive)", "仍活跃概率"),
    "expected": Text("expected", "预期次数"),
    "amount": Text("mean amount", "预期单次金额"),
    "count": Text("customers", "顾客数"),
    "repeaters": Text("bought again", "复购人数"),
    "repeats": Text("repeat purchases", "复购次数"),
    "actual": Text("observed customers", "实际人数"),
    "modelled": Text("by the model", "模型人数"),
}
"""Headings of columns."""

PARAMETERS: Final = ("r", "alpha", "a", "b")
"""Of BG/NBD."""

AMOUNTS: Final = ("p", "q", "v")
"""Of gamma-gamma."""

MANY: Final = 5_000
"""Of more kinds of customers a part gives the start of the search."""

FREQUENT: Final = 7
"""Repeat purchases from here on are one row of the table of fit."""


@dataclass(frozen=True, slots=True, repr=False)
class Bgnbd(Shown):
    """A fitted BG/NBD model.

    Attributes:
        table: parameter (r, alpha, a, b, and with amounts p, q, v), estimate, std_error, conf_low, conf_high (of the
            logarithm's normal interval).
        customers: id, x, last, age, alive (P still a customer), expected (purchases in `ahead`), amount (expected of
            one).
        totals: count, repeaters, repeats (observed), expected (in `ahead`) with conf_low, conf_high (the parameters'
            uncertainty), alive (mean).
        fit: x, actual, modelled: customers by number of repeat purchases.
        loglik: of BG/NBD. loglik_amounts: of gamma-gamma; None without amounts. unit, ahead, level, sentences, notes.
    """

    table: pl.DataFrame
    customers: pl.DataFrame
    totals: pl.DataFrame
    fit: pl.DataFrame
    loglik: float
    loglik_amounts: float | None
    unit: Unit
    ahead: float
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Bgnbd, lang: str = "en") -> str:
    """Sentences, parameters, fit, notes."""
    lines = [*(s.say(lang) for s in value.sentences), "", based(value.table, HEADINGS, lang), ""]
    lines += [based(value.fit, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def bgnbd(purchases: object, *, ahead: float = 52, unit: Unit = "week", level: float = 0.95) -> Bgnbd:
    """BG/NBD by maximum likelihood: purchases expected of every customer, and the probability of still being one.

    While a customer, purchases are Poisson with a rate from a gamma distribution (r, alpha); after each the customer
    leaves with a probability from a beta distribution (a, b). With amounts, gamma-gamma gives the mean amount expected.

    Parameters:
        purchases: `Events`, a frame or a file with id, date and, as wanted, amount. ahead: time of the forecast, in
            units. unit: day, week, month or year. level: of the intervals.

    Returns:
        A `Bgnbd`.

    Raises:
        Problems: E-EVENT (an unusable table, fewer than two customers, nobody bought again, all observed for no time),
            E-SETTING.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(3)
        >>> ids = rng.integers(0, 400, 2000)
        >>> days = np.datetime64("2025-01-01") + rng.integers(0, 360, 2000).astype("timedelta64[D]")
        >>> found = bgnbd(pl.DataFrame({"id": ids, "date": days}), ahead=13)
        >>> bool(found.totals["expected"][0] > 100)
        True
    """
    found = [*level_problems(level), *ahead_problems(ahead), *unit_problems(unit)]
    if found:
        raise Problems(found)
    events = purchases if isinstance(purchases, Events) else read_events(purchases, "purchases")
    people = customers(events, unit)
    found = list(_unusable(people, events.name))
    if found:
        raise Problems(found)
    x, last, age = (people[c].to_numpy().astype(np.float64) for c in ("x", "last", "age"))
    fitted, totals, foreseen = _purchases(x, last, age, ahead, level)
    paid = _amounts(people)
    tables = [_table(PARAMETERS, fitted, level), *([] if paid is None else [_table(AMOUNTS, paid, level)])]
    amount = None if paid is None else _expected_amount(people, paid)
    made = people.drop("mean").with_columns(
        alive=pl.Series(formulas.alive(fitted.values, x, last, age)), expected=pl.Series(foreseen)
    )
    made = made if amount is None else made.with_columns(amount=pl.Series(amount))
    notes = (*events.notes, *day_notes(events), *few_notes(x, fitted, paid), _meaning())
    said = sentences_of(totals, unit, ahead, level)
    return Bgnbd(
        pl.concat(tables), made, totals, _fit(x, age, fitted.values), fitted.loglik,
        None if paid is None else paid.loglik, unit, ahead, level, said, notes,
    )  # fmt: skip


def _purchases(
    x: Array, last: Array, age: Array, ahead: float, level: float
) -> tuple[formulas.Maximum, pl.DataFrame, Array]:
    """The model of purchases, the totals, and what is expected of each customer."""
    same, back, count = np.unique(np.column_stack([x, last, age]), axis=0, return_inverse=True, return_counts=True)
    weights = count.astype(np.float64)
    mean = float(age.mean())
    starts = np.array([[1.0, mean / 4, 1.0, 1.0], [0.3, mean / 8, 1.0, 3.0], [2.0, mean, 0.5, 5.0]])
    if len(same) > MANY:  # what a part of the customers says is near what all say
        part, w = same[:: len(same) // MANY], weights[:: len(same) // MANY]
        near = partial(formulas.loglik, x=part[:, 0], last=part[:, 1], age=part[:, 2], weights=w)
        starts = formulas.highest(near, starts, w.sum()).values[None, :]
    value = partial(formulas.loglik, x=same[:, 0], last=same[:, 1], age=same[:, 2], weights=weights)
    fitted = formulas.highest(value, starts, weights.sum())

    def total(parameters: Array) -> float:
        return float(weights @ formulas.expected(parameters, same[:, 0], same[:, 1], same[:, 2], ahead))

    each = formulas.expected(fitted.values, same[:, 0], same[:, 1], same[:, 2], ahead)[back.ravel()]
    low, high = _delta(total, fitted, level)
    row = {
        "count": len(x),
        "repeaters": int((x > 0).sum()),
        "repeats": int(x.sum()),
        "expected": total(fitted.values),
        "conf_low": low,
        "conf_high": high,
        "alive": float(formulas.alive(fitted.values, x, last, age).mean()),
    }
    return fitted, pl.DataFrame([row]), each


def _delta(
    total: Callable[[Array], float], fitted: formulas.Maximum, level: float
) -> tuple[float | None, float | None]:
    """The interval of a positive total, by the slopes of its logarithm in the logarithms of the parameters."""
    if not np.isfinite(fitted.cov_log).all():
        return None, None
    logs, step = np.log(fitted.values), 1e-4
    sides = [[np.log(total(np.exp(logs + s * step * row))) for s in (1, -1)] for row in np.eye(len(logs))]
    slopes = np.array([(up - down) / (2 * step) for up, down in sides])
    error = float(np.sqrt(slopes @ fitted.cov_log @ slopes))
    reach, value = float(ndtri(0.5 + level / 2)) * error, total(fitted.values)
    return value * float(np.exp(-reach)), value * float(np.exp(reach))


def _amounts(people: pl.DataFrame) -> formulas.Maximum | None:
    """Gamma-gamma of customers with repeat purchases of some amount; None without amounts."""
    with_amount = people.filter((pl.col("x") > 0) & (pl.col("mean") > 0))
    if with_amount.height < 2:
        return None
    x, mean = with_amount["x"].to_numpy().astype(np.float64), with_amount["mean"].to_numpy()
    centre = float(mean.mean())
    starts = np.array([[1.0, 2.0, centre], [5.0, 3.0, centre / 2], [2.0, 10.0, 5 * centre]])
    value = partial(formulas.gamma_loglik, x=x, mean=mean, weights=np.ones(len(x)))
    return formulas.highest(value, starts, float(len(x)))


def _expected_amount(people: pl.DataFrame, paid: formulas.Maximum) -> Array:
    """The mean amount expected of each customer's purchases; nan where the model has no mean."""
    x = people["x"].to_numpy().astype(np.float64)
    mean = people["mean"].fill_null(0.0).to_numpy()
    x = np.where(mean > 0, x, 0.0)
    p, q, _ = paid.values
    with np.errstate(divide="ignore", invalid="ignore"):
        value = formulas.expected_value(paid.values, x, mean)
    return np.where(p * x + q > 1, value, np.nan)


def _table(names: tuple[str, ...], fitted: formulas.Maximum, level: float) -> pl.DataFrame:
    """Parameters with intervals of their logarithms."""
    error = np.sqrt(np.diag(fitted.cov_log)) if np.isfinite(fitted.cov_log).all() else np.full(len(names), np.nan)
    reach = float(ndtri(0.5 + level / 2)) * error
    columns = {
        "parameter": names,
        "estimate": fitted.values,
        "std_error": fitted.values * error,
        "conf_low": fitted.values * np.exp(-reach),
        "conf_high": fitted.values * np.exp(reach),
    }
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def _fit(x: Array, age: Array, parameters: Array) -> pl.DataFrame:
    """Customers by number of repeat purchases: observed, and expected by the model given how long each was observed."""
    most = int(min(x.max(), FREQUENT))
    ages, count = np.unique(age, return_counts=True)
    chances = formulas.chances(parameters, most, ages).T @ count
    chances[-1] = len(x) - chances[:-1].sum()
    actual = np.bincount(np.minimum(x, most).astype(np.int64), minlength=most + 1)
    names = [*(str(k) for k in range(most)), f"{most}+"]
    return pl.DataFrame({"x": names, "actual": actual.astype(np.int64), "modelled": chances})


def _unusable(people: pl.DataFrame, name: str) -> list[Problem]:
    """One customer, nobody who bought again, no time observed."""
    found = []
    if people.height < 2:
        en, zh = "the table has one customer; a model of customers needs many.", "购买记录只有一名顾客，无法建模。"
        found.append(problem("E-EVENT", name, en, zh, "Give the log of all customers.", "请提供全部顾客的记录。"))
    elif not people["x"].sum():
        en, zh = "nobody bought again: no repeat purchase to learn from.", "没有任何复购，无从估计。"
        do, do_zh = "Observe longer, or report the first purchases alone.", "请延长观察期，或只报告首次购买。"
        found.append(problem("E-EVENT", name, en, zh, do, do_zh))
    return found


def _meaning() -> Note:
    en = "forecasts take purchasing to go on as observed: no season, no campaign, no change of price."
    zh = "预测假定购买行为照旧：不含季节、促销与价格变化。"
    return note("N-BGNBD", en, zh)
