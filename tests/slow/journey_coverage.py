"""Do intervals of journeys cover, and do tests of their models hold their level? 250 customers, `csi.journey` called.

    python tests/slow/journey_coverage.py [PANELS]        (about two minutes on one core for 2,000)

"walks": three to six contacts each, scores of one customer go together, an overall judgement made of their mean, peak
and end with errors that are larger where the mean is low: reach, means, moves from a touchpoint to the next, how many
stop after the third and fourth contact, slopes of mean, peak and end. "clusters": 50 clusters of 5 with scores in
common. "touched": six touchpoints met at most once, an overall judgement made of meeting them and of their scores; two
of them say nothing. Truth is exact.
Gated: reach, means, moves, stopping, slopes, differences of having met (92.5 to 97 %, mean standard error / Monte Carlo
deviation within .95 and 1.05), tests at 5 % (4 to 6.5 %; any of two slopes that are 0 after Holm over six at most 5 %
and three errors): what trough and trend add to peak and end, one slope that is 0.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import panels
import polars as pl
from panels import Held, Label, Rows, Study, Told

import csi
from csi.survey.codebook import Scale

SIZE, HUNDRED = 250, Scale("hundred", 0, 100)
TOUCHPOINTS = ("search", "shop", "app", "call", "delivery", "service")
MET = np.array([0.7, 0.5, 0.6, 0.4, 0.8, 0.5])
SLOPES, MEETS = np.array([0.4, 0.3, 0.3, 0.2, 0.0, 0.0]), np.array([3.0, -2.0, 4.0, 0.0, 2.0, 0.0])
WEIGHTS = {"mean": 0.4, "peak": 0.2, "end": 0.3}
FROM, STOPS = ("search", "delivery"), ("3", "4")
GATED = ("reach", "mean", "move", "stop", "slope", "met")
DISCLOSED = {
    "walks, clusters: mean delivery (as printed)": "Linearised errors of a mean over scores whose number is drawn, "
    "too, are about 2 % small over 50 clusters, and the Monte Carlo deviation errs by 1.6 %; limits by t cover.",
}
ERRORS = ("std_error", "conf_low", "conf_high")


def contacts(rng: np.random.Generator, n: int, *, clusters: bool) -> tuple[pl.DataFrame, np.ndarray]:
    """Contacts in order, and the overall judgement."""
    own = 10 * rng.normal(size=n) + (6 * rng.normal(size=n // 5).repeat(5) if clusters else 0.0)
    count = rng.integers(3, 7, n)
    who = np.repeat(np.arange(n), count)
    seq = np.concatenate([np.arange(c) for c in count])
    touch = rng.choice(len(TOUCHPOINTS), who.size, p=MET / MET.sum())
    score = np.clip(50 + own[who] + 15 * rng.normal(size=who.size), 0, 100)
    start = np.flatnonzero(seq == 0)
    mean, peak, end = np.add.reduceat(score, start) / count, np.maximum.reduceat(score, start), score[start + count - 1]
    noise = 8 * (1.6 - mean / 100) * rng.normal(size=n)
    overall = 5 + WEIGHTS["mean"] * mean + WEIGHTS["peak"] * peak + WEIGHTS["end"] * end + noise
    rows = {"id": who.astype(str), "touchpoint": np.array(TOUCHPOINTS)[touch], "seq": seq + 1, "score": score}
    return pl.DataFrame(rows), overall


def panel_of(overall: np.ndarray, *, clusters: bool) -> csi.Panel:
    """The answers."""
    keys = {"cluster": (np.arange(overall.size) // 5).astype(str)} if clusters else {}
    return panels.panel_of({"overall": overall}, {"satisfaction": ["overall"]}, HUNDRED, **keys)


def numbers(table: pl.DataFrame, overall: np.ndarray, *, clusters: bool) -> Told:
    """What is told of walks."""
    found = csi.journey(table, panel_of(overall, clusters=clusters), "satisfaction", scores=(0, 100))
    rows: Rows = {}
    for r in found.table.iter_rows(named=True):
        if r["touchpoint"] in FROM:
            limits = (r["reach_low"], r["reach_high"])
            rows["reach", r["touchpoint"]] = (r["reach"], (limits[1] - limits[0]) / 3.92, *limits)
            rows["mean", r["touchpoint"]] = tuple(r[c] for c in ("mean", *ERRORS))
    for r in found.transitions.filter(pl.col("touchpoint").is_in(FROM)).iter_rows(named=True):
        rows["move", f"{r['touchpoint']} to {r['next']}"] = tuple(r[c] for c in ("share", *ERRORS))
    for r in found.steps.filter(pl.col("step").is_in(STOPS)).iter_rows(named=True):
        low, high = r["conf_low"], r["conf_high"]
        rows["stop", f"after {r['step']}"] = (r["drop_off"], (high - low) / 3.92, low, high)
    for r in found.peak_end.filter(model="peak_end").iter_rows(named=True):
        rows["slope", r["term"]] = tuple(r[c] for c in ("estimate", *ERRORS))
    return rows, {"trough and trend add nothing": found.fits.filter(model="full")["p_value"].item()}


def walks(rng: np.random.Generator, *, clusters: bool) -> Told:
    """One table of contacts."""
    return numbers(*contacts(rng, SIZE, clusters=clusters), clusters=clusters)


def walking() -> dict[Label, float]:
    """Truth of walks."""
    chance = dict(zip((*TOUCHPOINTS, "(end)"), (*(1 - 1 / 4.5) * MET / MET.sum(), 1 / 4.5), strict=True))
    met = {t: np.mean([1 - (1 - MET[TOUCHPOINTS.index(t)] / MET.sum()) ** k for k in (3, 4, 5, 6)]) for t in FROM}
    return {
        **{("reach", t): float(met[t]) for t in FROM}, **{("mean", t): 50.0 for t in FROM},
        **{("move", f"{t} to {j}"): float(p) for t in FROM for j, p in chance.items()},
        ("stop", "after 3"): 1 / 4, ("stop", "after 4"): 1 / 3, **{("slope", t): b for t, b in WEIGHTS.items()},
    }  # fmt: skip


TOUCHED: dict[Label, float] = {
    **{("slope", f"score of {t}"): b for t, b in zip(TOUCHPOINTS, SLOPES, strict=True)},
    **{("met", t): d for t, d in zip(TOUCHPOINTS, MEETS, strict=True)},
}  # fmt: skip


def touched(rng: np.random.Generator, n: int = SIZE) -> Told:
    """Touchpoints met at most once."""
    met = rng.random((n, len(MET))) < MET
    score = 60 + 12 * rng.normal(size=met.shape)
    uneven = 6 * (0.7 + 0.3 * met[:, 0] * np.abs(score[:, 0] - 60) / 10)
    overall = 40 + (met * (SLOPES * (score - 60) + MEETS)).sum(axis=1) + uneven * rng.normal(size=n)
    who, touch = np.nonzero(met)
    table = pl.DataFrame({"id": who.astype(str), "touchpoint": np.array(TOUCHPOINTS)[touch], "seq": touch,
                          "score": np.clip(score[met], 0, 100)})  # fmt: skip
    found = csi.journey(table, panel_of(overall, clusters=False), "satisfaction", scores=(0, 100)).drivers
    rows: Rows = {}
    for r in found.iter_rows(named=True):
        rows["slope", f"score of {r['touchpoint']}"] = tuple(r[c] for c in ("estimate", *ERRORS))
        rows["met", r["touchpoint"]] = tuple(r[f"met_{c}"] for c in ("estimate", *ERRORS))
    p = dict(found.select("touchpoint", "p_value").rows())
    holm = dict(found.select("touchpoint", "p_adjusted").rows())
    nothing = [t for t, b in zip(TOUCHPOINTS, SLOPES, strict=True) if b == 0]
    return rows, {"a slope of 0": p["service"], "any of two slopes of 0, Holm": min(holm[t] for t in nothing)}


WALKING = walking()
ADDED = {"trough and trend add nothing": "level"}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    return (
        Study("walks", partial(walks, clusters=False), WALKING, ADDED),
        Study("walks, clusters", partial(walks, clusters=True), WALKING, ADDED),
        Study("touched", touched, TOUCHED, {"a slope of 0": "level", "any of two slopes of 0, Holm": "at most"}),
    )  # fmt: skip


HELD = Held("journey", "Journeys", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures
TABLES = ("journey_coverage", "journey_nulls")

if __name__ == "__main__":
    sys.exit(HELD.run())
