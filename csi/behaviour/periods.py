"""Customers as rows of one period each: what happens in a period to those it has not happened to yet.

An event at time t is in period ceil(t); who is watched to time t without one is there for the whole periods up to t.
Who comes under observation within a period is there from the next one on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.engines.survival import Link, PeriodModel, period_model
from csi.errors import Problems, problem
from csi.inference.linearised import Means, between
from csi.moments.stack import Array, Ints

Shape = Literal["free", "linear", "quadratic"]
"""How the hazard goes over periods: any way, or by a polynomial."""

MOST: Final = 120
"""Periods of a free shape."""


@dataclass(frozen=True, slots=True)
class PeriodRows:
    """Persons in periods.

    Attributes:
        row: (m,) which customer's row. period: (m,) from 1. happened: (m,) bool. unit, stratum: of the design.
        table: period, n, events, hazard.
    """

    row: Ints
    period: Ints
    happened: np.ndarray
    unit: Ints
    stratum: Ints
    table: pl.DataFrame


def period_rows(frame: pl.DataFrame) -> PeriodRows:
    """One row per customer and period.

    Parameters:
        frame: id, entry, time, event.

    Example:
        >>> found = period_rows(pl.DataFrame({"id": ["a", "b"], "entry": [0.0, 0.0], "time": [2.0, 1.5],
        ...                                   "event": [True, False]}))
        >>> found.period.tolist(), found.happened.tolist()
        ([1, 2, 1], [False, True, False])
    """
    entry, time, event = (frame[c].to_numpy() for c in ("entry", "time", "event"))
    slack = 1e-9
    first = np.ceil(entry - slack).astype(np.int64) + 1
    last = np.where(event, np.ceil(time - slack), np.floor(time + slack)).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(time)), count)
    period = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + first[row]
    happened = event[row] & (period == last[row])
    unit = frame["id"].rank("dense").to_numpy().astype(np.int64) - 1
    table = (
        pl.DataFrame({"period": period, "happened": happened})
        .group_by("period")
        .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("happened").sum().cast(pl.Int64).alias("events"))
        .sort("period")
        .with_columns((pl.col("events") / pl.col("n")).alias("hazard"))
    )
    return PeriodRows(row, period, happened, unit[row], np.zeros(unit.max() + 1, dtype=np.int64), table)


def fitted_periods(made: PeriodRows, X: Array, shape: Shape, link: Link, name: str) -> tuple[Means, float]:
    """Slopes with errors by customers, and the log likelihood.

    Parameters:
        X: (n, k) covariates of customers' rows.

    Raises:
        Problems: E-SETTING (too many periods for a free shape), E-COLL (no finite slopes).
    """
    found = fit_of(made, X, shape, link, np.ones(len(made.row)), name)
    k = X.shape[1]
    z = found.influence[:, -k:]
    variance, df = between(z, np.ones(z.shape, dtype=bool), made.unit, made.stratum)
    error = np.where(df > 0, np.sqrt(variance), np.nan)
    return Means(np.full(k, len(X)), found.slopes[-k:], error, error, df), found.loglik


def fit_of(made: PeriodRows, X: Array, shape: Shape, link: Link, weight: Array, name: str) -> PeriodModel:
    """The model of persons in periods; its last columns are the covariates."""
    base, kept = _shaped(made, shape, name)
    found = period_model(np.column_stack([base, X[made.row]])[kept], made.happened[kept].astype(np.float64),
                         weight[kept], link)  # fmt: skip
    if found is None:
        en = "the drivers go together without fail, or tell who has an event without fail: no finite slopes."
        zh = "驱动变量完全共线，或可完全区分是否发生事件：斜率不存在有限值。"
        do, do_zh = "Take fewer drivers, or join rare groups.", "请减少驱动变量，或合并罕见组别。"
        raise Problems([problem("E-COLL", name, en, zh, do, do_zh)])
    whole = np.zeros((len(kept), found.influence.shape[1]))
    whole[kept] = found.influence
    return PeriodModel(found.slopes, whole, found.std_error, found.loglik)


def _shaped(made: PeriodRows, shape: Shape, name: str) -> tuple[Array, np.ndarray]:
    """Columns of the periods, and the rows that say something: a free period in which nothing happened says nothing."""
    t = made.period.astype(np.float64)
    if shape != "free":
        powers = [t] if shape == "linear" else [t, t**2]
        return np.column_stack([np.ones(len(t)), *powers]), np.ones(len(t), dtype=bool)
    with_events = made.table.filter((pl.col("events") > 0) & (pl.col("events") < pl.col("n")))["period"].to_numpy()
    if len(with_events) > MOST:
        en = f"{len(with_events)} periods with events are too many for a free shape; at most {MOST}."
        zh = f"有事件的时期共 {len(with_events)} 个，自由形状最多 {MOST} 个。"
        do, do_zh = 'Take a longer unit, or shape="quadratic".', '请改用更长的时间单位，或 shape="quadratic"。'
        raise Problems([problem("E-SETTING", name, en, zh, do, do_zh)])
    return (made.period[:, None] == with_events[None, :]).astype(np.float64), np.isin(made.period, with_events)
