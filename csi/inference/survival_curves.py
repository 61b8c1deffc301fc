"""Curves of the share to whom an event has not happened: limits, errors by a design, tests between groups, medians.

Letters: `n` rows, `t` times of events.

Source:
    Kalbfleisch & Prentice (2002), The statistical analysis of failure time data, 1.4 (limits on log(-log S));
    Brookmeyer & Crowley (1982), Biometrics 38, 29-41 (median); Binder (1992), Biometrika 79, 139-147 (errors).
Agrees:
    R survival 3.5.3 (survfit, conf.type "log-log", cluster) to 1e-8, tests/reference/survival.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from scipy.special import chdtrc

from csi.inference.linearised import between
from csi.inference.partial_likelihood import Observed, design_covariance, score_rows
from csi.moments.stack import Array, Ints

TOGETHER: Final = 64
"""Times whose errors are made at once."""

LEAST: Final = 1e-12
"""A share of those at risk that is left by rounding only."""


def limits(share: Array, error: Array, point: float | Array) -> tuple[Array, Array]:
    """Limits on log(-log S); none where S is 1 or 0.

    Example:
        >>> [v.round(4).tolist() for v in limits(np.array([0.9]), np.array([0.05]), 1.96)]
        [[0.7437], [0.9632]]
    """
    inside = (share > 0) & (share < 1)
    s = np.where(inside, share, 0.5)
    centre = np.log(-np.log(s))
    reach = point * error / np.abs(s * np.log(s))
    low, high = (np.exp(-np.exp(centre + side * reach)) for side in (1, -1))
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def design_error(seen: Observed, unit: Ints, stratum: Ints) -> tuple[Array, Array]:
    """(t,) standard errors of the weighted curve by the design, and their degrees of freedom.

    What a row adds to log S(t): - sum over times s <= t at which it is watched of w (dN - d / n) / (n - d).
    """
    times = seen.times
    if not len(times):
        return np.empty(0), np.empty(0)
    n, d = seen.at_risk(seen.weight), seen.happened(seen.weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(n - d > LEAST * n, 1 / (n - d), 0.0)
        each = np.append(0.0, np.cumsum(rate * d / n))
    first, last = (np.searchsorted(times, v, side="right")[:, None] for v in (seen.entry, seen.time))
    own = np.minimum(np.searchsorted(times, seen.time), len(times) - 1)[:, None]
    paid = np.where(seen.event[:, None], rate[own], 0.0)
    variance, df = [np.empty(0)], [np.empty(0)]
    for begin in range(0, len(times), TOGETHER):
        until = np.arange(begin + 1, min(begin + TOGETHER, len(times)) + 1)[None, :]
        met = each[np.minimum(np.maximum(last, first), until)] - each[np.minimum(first, until)]
        z = seen.weight[:, None] * (met - np.where(own < until, paid, 0.0))
        found = between(z, np.ones(z.shape, dtype=bool), unit, stratum)
        variance.append(found[0])
        df.append(found[1])
    return seen.survival() * np.sqrt(np.concatenate(variance)), np.concatenate(df)


def design_test(group: Ints, seen: Observed, unit: Ints, stratum: Ints) -> tuple[float, int, float]:
    """Score test that groups do not differ, with errors by the design: chi-square, degrees of freedom, p."""
    names = np.unique(group)
    X = (group[:, None] == names[None, 1:]).astype(np.float64)
    rows = score_rows(X, np.zeros(X.shape[1]), seen)
    U, V = rows.sum(axis=0), design_covariance(rows, unit, stratum)
    chi2 = float(U @ np.linalg.pinv(V) @ U)
    return chi2, X.shape[1], float(chdtrc(X.shape[1], chi2))


def framed(
    time: Array, n: Array, events: Array, share: Array, error: Array, low: Array, high: Array, first: int
) -> pl.DataFrame:
    """A curve with its beginning: time, n (at risk just before), events, survival, std_error, conf_low, conf_high."""
    columns = {
        "time": np.append(0.0, time),
        "n": np.append(first, n).round().astype(np.int64),
        "events": np.append(0, events).round().astype(np.int64),
        "survival": np.append(1.0, share),
        "std_error": np.append(0.0, error),
        "conf_low": np.append(1.0, low),
        "conf_high": np.append(1.0, high),
    }
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def closed(curve: pl.DataFrame, entry: Array, time: Array, small: int) -> pl.DataFrame:
    """A curve as far as at least `small` (and one) are watched, with a row where that ends.

    Example:
        >>> curve = pl.DataFrame({"time": [0.0, 2.0], "n": [3, 2], "events": [0, 1], "survival": [1.0, 0.5],
        ...                       "std_error": [0.0, 0.4], "conf_low": [1.0, 0.1], "conf_high": [1.0, 0.9]})
        >>> closed(curve, np.zeros(3), np.array([1.0, 2.0, 5.0]), 1).select("time", "n", "survival").row(-1)
        (5.0, 1, 0.5)
    """
    kept = curve.filter((pl.col("n") >= small) | (pl.col("time") <= 0))
    if len(time) < max(small, 1):
        return kept.clear()
    end = float(np.sort(time)[::-1][max(small, 1) - 1])
    n = int(((time >= end) & (entry < end)).sum())
    if end <= kept["time"][-1] or n < small:
        return kept
    last = kept.tail(1).with_columns(pl.lit(end).alias("time"), pl.lit(n, dtype=pl.Int64).alias("n"),
                                     pl.lit(0, dtype=pl.Int64).alias("events"))  # fmt: skip
    return pl.concat([kept, last])


def marks(last: float, count: int = 6) -> list[float]:
    """Round times from 0 to about the last.

    Example:
        >>> marks(52.0), marks(7.3)
        ([0.0, 10.0, 20.0, 30.0, 40.0, 50.0], [0.0, 2.0, 4.0, 6.0])
    """
    raw = max(last, 1e-9) / count
    power = 10.0 ** np.floor(np.log10(raw))
    step = min((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw - 1e-9), default=raw)
    return [round(float(step * i), 10) for i in range(int(np.floor(last / step + 1e-9)) + 1)]


def watched_at(entry: Array, time: Array, at: list[float], small: int) -> pl.DataFrame:
    """time, n: how many are watched at each time; null where fewer than `small`."""
    n = [int(((time >= t) & ((entry < t) | (t <= 0) & (entry <= 0))).sum()) for t in at]
    return pl.DataFrame({"time": at, "n": [v if v >= max(small, 1) else None for v in n]},
                        schema={"time": pl.Float64, "n": pl.Int64})  # fmt: skip


def below(curve: pl.DataFrame, column: str, share: float = 0.5) -> float | None:
    """The first time at which a column of a curve is at a share or below it; None where it does not come down so far.

    Example:
        >>> below(pl.DataFrame({"time": [0.0, 3.0], "survival": [1.0, 0.4]}), "survival")
        3.0
    """
    there = curve.filter(pl.col(column) <= share + 1e-12)
    return float(there["time"][0]) if there.height else None
