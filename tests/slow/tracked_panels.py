"""Brands over waves, 8 by 8: do linearised intervals of index and change cover, and how often is nothing found moved?

    python tests/slow/tracked_panels.py [PANELS]        (about fifteen minutes on one core)

250 respondents in every cell, three constructs of three or four items answered 1 to 10, weights of the base wave (and,
for the index, each cell's own). Brands stand at six levels, two pairs exactly tied; half of them rise by a fifth of a
standard deviation in the fifth wave, nobody moves otherwise. Truth: exact item means under the weights of a draw of two
million rows. Standard errors are linearised and contain the uncertainty of the weights. Gated, stated before the run:
coverage of index and change .925 to .970, mean standard error / Monte Carlo standard deviation .95 to 1.05; a change
that is none is found significant singly in 4 to 6.5 %, any in a release of all brands (Holm) in at most 6 %; rank sets
of the first and the last wave hold jointly in at least 94 %, ties included, without upper limit; their mean width is
printed.

To add a measure: return its numbers from `measured`, its rows from a function like `of_ranks`.
"""

from __future__ import annotations

import sys
from functools import cache

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.simulation import Tracked

BRANDS, WAVES, SIZE, TRUTH = 8, 8, 250, 250_000
RISE, FIRST = 0.2, 4
"""What the first four brands gain, and the wave (counted from 0) they gain it in."""
LEVEL = np.array([0.0, 0.0, 0.1, 0.2, 0.2, 0.4, 0.6, 1.0])
PLACE, METHODS, RANKED = 1, ("holm", "max-t"), (0, WAVES - 1)
"""The construct that is published, the tests behind rank sets, the waves that are ranked."""
JOINT, SINGLY, RELEASE = 0.94, (0.04, 0.065), 0.06


@cache
def population() -> Tracked:
    """What is true."""
    levels = np.repeat(LEVEL[:, None], WAVES, axis=1)
    levels[:4, FIRST:] += RISE
    return Tracked.plain(levels, (3, 4, 3))


def fitted(frame: pl.DataFrame) -> csi.Estimate:
    """PLS in every cell."""
    return csi.fit(population().model, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10), unit="id")


@cache
def truth() -> tuple[np.ndarray, np.ndarray]:
    """(cells, ) indices of the published construct: under the base wave's weights, under each cell's own."""
    one = population()
    mine = one.block == PLACE
    points = 100 * (one.means[..., mine] - 1) / 9
    found = []
    base = Tracked.plain(one.levels[:, :1], one.blocks)
    est = fitted(base.panel(TRUTH, 0))
    weights = csi.index(est, weights="pooled", std_error="fixed").weights.filter(construct="c2")["weight"].to_numpy()
    found.append((points @ weights).reshape(-1))
    levels = np.unique(one.levels)
    own = fitted(Tracked.plain(levels[:, None], one.blocks).panel(2 * TRUTH, 1))
    each = csi.index(own, weights="own", std_error="fixed").weights.filter(construct="c2")["weight"].to_numpy()
    of_level = each.reshape(levels.size, -1)[np.searchsorted(levels, one.levels)]
    found.append((points * of_level).sum(axis=-1).reshape(-1))
    return found[0], found[1]


def measured(number: int) -> np.ndarray:
    """Everything of one panel in a row: indices and changes with errors, limits and p-values; rank sets."""
    est = fitted(population().panel(SIZE, number))
    base, own = (csi.index(est, weights=rule, std_error="linearised") for rule in ("base", "own"))
    parts = []
    for made in (base, own):
        table = made.table.filter(construct="c2")
        parts += [table[c].to_numpy() for c in ("index", "std_error", "conf_low", "conf_high")]
    moved = csi.changes(base, "c2", against=["previous"]).table
    parts += [moved[c].to_numpy() for c in ("change", "std_error", "conf_low", "conf_high", "p_value", "p_holm")]
    for method in METHODS:
        for wave in RANKED:
            table = csi.pairwise(base, f"w{wave + 1:02d}", "c2", ranks=method).table
            place = table["brand"].str.slice(1).cast(pl.Int64).to_numpy() - 1
            low, high = (table[c].to_numpy()[np.argsort(place)] for c in ("rank_low", "rank_high"))
            parts += [low, high]
    return np.concatenate([np.asarray(p, dtype=float) for p in parts])


def split(runs: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of `measured` by name."""
    cells, moves = BRANDS * WAVES, BRANDS * (WAVES - 1)
    sizes = {f"{rule} {c}": cells for rule in ("base", "own") for c in ("index", "std_error", "conf_low", "conf_high")}
    sizes |= {f"change {c}": moves for c in ("change", "std_error", "conf_low", "conf_high", "p_value", "p_holm")}
    sizes |= {f"{m} {w}": 2 * BRANDS for m in METHODS for w in RANKED}
    ends = np.cumsum(list(sizes.values()))
    return dict(zip(sizes, np.split(runs, ends[:-1], axis=1), strict=True))


def true_changes() -> np.ndarray:
    """(brands x waves after the first,) in the order of the table of changes."""
    return np.diff(truth()[0].reshape(BRANDS, WAVES), axis=1).reshape(-1)


def of_coverage(found: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Coverage of indices and changes, pooled over cells."""
    rows = []
    for rule, at in zip(("base", "own"), truth(), strict=True):
        rows.append(_covered(f"index, {rule} weights", at, *(found[f"{rule} {c}"] for c in NUMBERS)))
    moved = true_changes()
    numbers = [found[f"change {c}"] for c in ("change", *NUMBERS[1:])]
    rose = np.abs(moved) > 1e-9
    for name, mine in (("change, none", ~rose), ("change, rise", rose)):
        rows.append(_covered(name, moved[mine], *(x[:, mine] for x in numbers)))
    return rows


NUMBERS = ("index", "std_error", "conf_low", "conf_high")


def _covered(name, at, value, error, low, high) -> dict[str, object]:
    """One line over cells: bias, spread, coverage with both tails."""
    spread = value.std(axis=0, ddof=1)
    ratio = error.mean(axis=0) / spread
    below, above = (at < low).mean(axis=0), (at > high).mean(axis=0)
    covered = 1 - below - above
    return {
        "quantity": name,
        "cells": at.size,
        "bias": (value.mean(axis=0) - at).mean(),
        "mc_sd": spread.mean(),
        "se_ratio": ratio.mean(),
        "se_ratio_least": ratio.min(),
        "se_ratio_most": ratio.max(),
        "coverage": covered.mean(),
        "coverage_least": covered.min(),
        "coverage_most": covered.max(),
        "truth_below": below.mean(),
        "truth_above": above.mean(),
        "panels": len(value),
    }


def of_tests(found: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """False significant changes: singly, and any in a release of eight brands."""
    still = np.abs(true_changes()) < 1e-9
    single, holm = (found[f"change {c}"][:, still] < 0.05 for c in ("p_value", "p_holm"))
    wave = np.tile(np.arange(1, WAVES), BRANDS)[still]
    every = np.array([holm[:, wave == w].any(axis=1).mean() for w in range(1, WAVES)])
    power = (found["change p_holm"][:, ~still] < 0.05).mean()
    quiet = every[[w != FIRST for w in range(1, WAVES)]]
    rows = [("false change, singly", single.mean(), SINGLY), ("any false change in a release", quiet.mean(), RELEASE)]
    rows += [("the worst release", quiet.max(), None), ("beside four true changes", every[FIRST - 1], RELEASE)]
    rows.append(("a rise found (Holm)", power, None))
    return [
        {"test": name, "rate": rate, "at_most": np.max(gate) if gate is not None else None, "panels": len(single)}
        for name, rate, gate in rows
    ]


def of_ranks(found: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Joint coverage of rank sets of a wave, and their width, with both kinds of tests."""
    at = truth()[0].reshape(BRANDS, WAVES)
    rows = []
    for method in METHODS:
        held, width = [], []
        for wave in RANKED:
            low, high = np.split(found[f"{method} {wave}"], 2, axis=1)
            above = (at[:, wave] > at[:, wave][:, None] + 1e-9).sum(axis=1)
            below = (at[:, wave] < at[:, wave][:, None] - 1e-9).sum(axis=1)
            held.append(((low <= 1 + above) & (high >= BRANDS - below)).all(axis=1))
            width.append((high - low + 1).mean())
        joint = np.array(held).mean(axis=1)
        rows.append(
            {
                "ranks": method,
                "joint_coverage": joint.mean(),
                "least": joint.min(),
                "mean_width": np.mean(width),
                "panels": len(low),
            }
        )
    return rows


def tables(panels: int = cal.PANELS) -> dict[str, pl.DataFrame]:
    """Coverage, tests, ranks."""
    found = split(cal.over(measured, panels))
    parts = {"": of_coverage, "_tests": of_tests, "_ranks": of_ranks}
    return {f"tracked_panels{name}": pl.DataFrame(make(found)) for name, make in parts.items()}


def page(covered: pl.DataFrame, tests: pl.DataFrame, ranks: pl.DataFrame) -> str:
    """The tables as Markdown."""
    text = (__doc__ or "").split("To add a measure")[0].strip()
    return "\n\n".join(["# Brands over waves", text, *(cal.markdown(t) for t in (covered, tests, ranks))]) + "\n"


def failures(covered: pl.DataFrame, tests: pl.DataFrame, ranks: pl.DataFrame) -> list[str]:
    """What misses its gate, in words."""
    inside = pl.col("coverage").is_between(*cal.COVERAGE) & pl.col("se_ratio").is_between(*cal.RATIO)
    said = [f"{r['quantity']}: coverage {r['coverage']}" for r in covered.filter(~inside).iter_rows(named=True)]
    rates = dict(zip(tests["test"], tests["rate"], strict=True))
    if not SINGLY[0] <= rates["false change, singly"] <= SINGLY[1]:
        said.append(f"false change, singly: {rates['false change, singly']}")
    said += [
        f"{name}: {rates[name]}"
        for name in ("any false change in a release", "beside four true changes")
        if rates[name] > RELEASE
    ]
    return said + [f"ranks by {m}: {c}" for m, c in ranks.select("ranks", "least").iter_rows() if c < JOINT]


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "tracked_panels"))
