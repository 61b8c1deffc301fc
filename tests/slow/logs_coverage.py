"""Do intervals of the reliability of comments and of BG/NBD cover?

    python tests/slow/logs_coverage.py [PANELS]        (about five minutes on one core for 2,000)

Comments: the functions behind `csi.comments` on arrays. 200 comments, each coded by two people; tones with a
reliability of .8, coders with an alpha of .8; by 200 writers, or by 50 writers of four who differ in what they think
and in how they write. BG/NBD and gamma-gamma: what `csi.bgnbd` does with the purchases of 1,000 customers observed for
30 to 52 weeks: parameters, and purchases expected of all in the next 26 weeks given what they did (over what the true
parameters give). "few": 300 customers. Truth is exact.
Gated: the reliability of the tone, purchases expected (92.5 to 97 %; mean standard error / Monte Carlo deviation within
.95 and 1.05). Tabled: alpha, the correlation (bounded), parameters (skewed, on a ridge), all of "few".
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import panels
import polars as pl
from panels import Held, Label, Rows, Study, Told

from csi.behaviour import bgnbd_numbers as formulas
from csi.behaviour.bgnbd import AMOUNTS, PARAMETERS, _amounts, _purchases, _table
from csi.behaviour.text_reliability import _bounds, _numbers

LEVEL, AHEAD, REPLICATES = 0.95, 26.0, 500
GATED = ("reliability", "forecast")
DISCLOSED: dict[str, str] = {}
TONE = {("reliability", "rho"): 0.8, ("codes", "alpha"): 0.8, ("codes", "human"): 8 / 9,
        ("codes", "r"): float(np.sqrt(0.8 * 8 / 9))}  # fmt: skip


def comments(rng: np.random.Generator, writers: int, each: int) -> Told:
    """Tones and codes of comments."""
    unit = np.repeat(np.arange(writers), each)
    n = unit.size
    part = 0.5 if each > 1 else 0.0
    shared, style = rng.normal(size=(2, writers))[:, unit]
    own, error = rng.normal(size=(2, n))
    said = np.sqrt(part) * shared + np.sqrt(1 - part) * own
    tone = said + 0.5 * (np.sqrt(part) * style + np.sqrt(1 - part) * error)
    codes = said + 0.5 * rng.normal(size=(2, n))
    s, q = codes.sum(axis=0), (codes**2).sum(axis=0)
    sums = np.stack([np.full(n, 2.0), s, q, np.maximum(q - s**2 / 2, 0.0)])
    y = codes.mean(axis=0)
    value = _numbers(tone, y, sums, np.ones((1, n)))
    bounds = _bounds(tone, y, sums, unit, REPLICATES, 1, LEVEL)
    rows: Rows = {}
    for kind, name in TONE:
        low, high = bounds.get(name, (None, None))
        if low is not None and high is not None:
            rows[kind, name] = (float(value[name][0]), (high - low) / 3.92, low, high)
    return rows, {}


TRUE = np.array([0.5, 6.0, 0.8, 2.5])
PAID = np.array([6.0, 4.0, 15.0])


def bought(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Repeat purchases, time of the last, time observed, mean amount of repeat purchases (0 without)."""
    age = np.round(rng.uniform(30, 52, n) * 7) / 7
    rate, leave = rng.gamma(TRUE[0], 1 / TRUE[1], n), rng.beta(TRUE[2], TRUE[3], n)
    x, last, now, there = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    while there.any():
        now = now + rng.exponential(1 / rate)
        there &= now <= age
        x += there
        last = np.where(there, now, last)
        there &= rng.random(n) > leave
    scale = rng.gamma(PAID[1], 1 / PAID[2], n)
    mean = np.where(x > 0, rng.gamma(np.maximum(PAID[0] * x, 1e-9)) / scale / np.maximum(x, 1), 0.0)
    return x, last, age, mean


def purchases(rng: np.random.Generator, n: int, more: str) -> Told:
    """Parameters and the forecast."""
    x, last, age, mean = bought(rng, n)
    fitted, totals, _ = _purchases(x, last, age, AHEAD, LEVEL)
    paid = _amounts(pl.DataFrame({"x": x, "mean": mean}))
    made = pl.concat([_table(PARAMETERS, fitted, LEVEL), *([] if paid is None else [_table(AMOUNTS, paid, LEVEL)])])
    rows: Rows = {
        ("parameter" + more, r["parameter"]): tuple(r[c] for c in panels.COLUMNS) for r in made.iter_rows(named=True)
    }
    known = float(formulas.expected(TRUE, x, last, age, AHEAD).sum())
    row = totals.row(0, named=True)
    if row["conf_low"] is not None:
        value, low, high = (row[c] / known for c in ("expected", "conf_low", "conf_high"))
        rows["forecast" + more, "purchases of all, over the true"] = (value, (high - low) / 3.92, low, high)
    return rows, {}


def buying(more: str) -> dict[Label, float]:
    """Truth."""
    named = dict(zip((*PARAMETERS, *AMOUNTS), (*TRUE, *PAID), strict=True))
    return {("forecast" + more, "purchases of all, over the true"): 1.0,
            **{("parameter" + more, k): float(v) for k, v in named.items()}}  # fmt: skip


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    return (
        Study("comments, a writer each", partial(comments, writers=200, each=1), TONE),
        Study("comments, four a writer", partial(comments, writers=50, each=4), TONE),
        Study("purchases", partial(purchases, n=1000, more=""), buying("")),
        Study("purchases, few", partial(purchases, n=300, more=", few"), buying(", few")),
    )


HELD = Held("logs", "Reliability of comments, purchases foreseen", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures
TABLES = ("logs_coverage",)

if __name__ == "__main__":
    sys.exit(HELD.run())
