"""Do intervals of what joining a programme goes with cover, and do its tests hold their level? 250 customers.

    python tests/slow/programme_coverage.py [PANELS]        (about a minute on one core for 2,000)

What `csi.programme` does with spending by period: twelve periods, a third join in one of periods 4 to 8, who spends
more by nature joins rather; spending carries over from period to period (autocorrelation .6 within a customer) and
rises for everybody; members gain nothing. "few": 90 customers, about 30 members. "chosen by spending": one period of
joining, its chances follow what was spent before, and spending of those who spend more rises more: only the weighted
difference is right there. Errors are by customer. Truth is exact; of the naive difference that of 400,000 customers.
Gated: differences by two-way fixed effects and by cohort, the weighted one where spending makes the choice, periods of
the event study (92.5 to 97 %, mean standard error / Monte Carlo deviation within .95 and 1.05); tests at 5 % (4 to
6.5 %), trends before joining (at most 5 % and three errors). Tabled: the naive difference, "few", and the weighted one
where nature makes the choice: others who are weighted up for what they spent fall back where spending carries over.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import polars as pl
from panels import Held, Label, Study, Told

from csi.behaviour.programme import _events, _naive, _trend, _ways
from csi.behaviour.programme_change import changes
from csi.behaviour.programme_panel import NEVER, Spending

SIZE, FEW, PERIODS, WIDEST, LEVEL = 250, 90, 12, 6, 0.95
LAGS = (-4, -3, -2, 1, 2, 3)
WAYS = ("two-way", "cohorts", "weighted")
GATED = ("way", "period")
DISCLOSED: dict[str, str] = {}


def spending(rng: np.random.Generator, n: int, *, seen: bool) -> Spending:
    """Customers by periods; who joins goes by their nature, or by what they were `seen` to spend."""
    base = rng.gamma(4, 10, n)
    noise = rng.normal(size=(n, PERIODS))
    for t in range(1, PERIODS):
        noise[:, t] = 0.6 * noise[:, t - 1] + 0.8 * noise[:, t]
    y = base[:, None] + (2 + 0.05 * seen * (base[:, None] - 40)) * np.arange(PERIODS) + 12 * noise
    joined = np.full(n, 6) if seen else rng.integers(4, 9, n)
    known = y[:, :5].mean(axis=1) - 44 if seen else base - 40
    member = rng.random(n) < 1 / (1 + np.exp(0.8 - 0.03 * known))
    y[np.arange(n), joined] += np.where(member, 25, 0)
    names, periods = (tuple(map(str, range(k))) for k in (n, PERIODS))
    return Spending(names, periods, y, np.where(member, joined, NEVER), np.full(n, -1), counted=False)


def told(rng: np.random.Generator, n: int, kinds: dict[str, str], period: str, *, seen: bool) -> Told:
    """One log of spending: the ways that `kinds` names, periods under the name `period`."""
    data = spending(rng, n, seen=seen)
    plain, weighted = (changes(data, weighted=w, widest=WIDEST) for w in (False, True))
    rows = {r["way"]: r for r in [_naive(data, LEVEL), *_ways(data, plain, weighted, LEVEL)]}
    columns = ("difference", "std_error", "conf_low", "conf_high")
    out = {(kind, w): tuple(rows[w][c] for c in columns) for w, kind in kinds.items() if w in rows}
    p = {f"{w} = 0": rows[w]["p_value"] for w in kinds if w in rows and w != "naive"}
    if not period:
        return out, p
    events = _events(plain, LEVEL).filter(pl.col("k").is_in(LAGS))
    out |= {(period, f"{r['k']:+d}"): tuple(r[c] for c in columns) for r in events.iter_rows(named=True)}
    trend = _trend(plain, 1)
    return out, p | {"trends before": trend["p_value"][0] if trend.height else None}


def study(name: str, n: int, kinds: dict[str, str], period: str, tests: dict[str, str], *, seen: bool = False) -> Study:
    """One population."""
    truth: dict[Label, float] = {(kind, w): 0.0 for w, kind in kinds.items()}
    if "naive" in kinds:
        many = spending(np.random.default_rng(1), 400_000, seen=seen)
        truth[kinds["naive"], "naive"] = float(_naive(many, LEVEL)["difference"])
    truth |= {(period, f"{k:+d}"): 0.0 for k in LAGS if period}
    return Study(name, partial(told, n=n, kinds=kinds, period=period, seen=seen), truth, tests)


NATURE = {"naive": "naive", "two-way": "way", "cohorts": "way", "weighted": "weighted by chance"}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    return (
        study("members", SIZE, NATURE, "period", {
            "trends before": "at most", "two-way = 0": "level", "cohorts = 0": "level", "weighted = 0": "tabled"}),
        study("chosen by spending", SIZE, {"weighted": "way"}, "", {"weighted = 0": "level"}, seen=True),
        study("few", FEW, dict.fromkeys(WAYS, "way, few"), "period, few",
              dict.fromkeys(("trends before", *(f"{w} = 0" for w in WAYS)), "tabled")),
    )  # fmt: skip


HELD = Held("programme", "What joining a programme goes with", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures
TABLES = ("programme_coverage", "programme_nulls")

if __name__ == "__main__":
    sys.exit(HELD.run())
