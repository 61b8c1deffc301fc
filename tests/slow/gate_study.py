"""The comparability gate: false alarms where cells measure alike, power against planted differences, bias in points.

    python tests/slow/gate_study.py [SHARE]        (about eight minutes on one core; SHARE of the panels, 1)

Three items of one factor on 1 to 10 (loadings 1, 1.1, .9; factor sd 1.4, errors sd 1.1; answers rounded and cut to the
scale), 250 respondents in each cell; cells differ in the factor's mean by .4 (and, in `alike, spread`, in its sd by a
fifth). Planted: an intercept of the second item higher by .25 or .5 scale points in the last cell; its loading smaller
by a quarter; two items moved by +.5 and -.5. Verdicts are those of `csi.comparable` at 5 %. `bias` is the estimate with
the planted parameter free, whatever the verdict, of the last cell against the first; its truth is what the population
mean of the item (500,000 rows) differs by, less what it would differ by were the parameter its mean over cells, times
the points per unit of the item; coverage is of estimate +- 1.96 SE.

Blank cells of the table were not counted in these panels.

Gated: false alarms at most 5 % and two Monte Carlo errors; coverage within 92.5 to 97 %, give or take two Monte Carlo
errors. Power and the share of right items are tabled.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.tracking.gate_bias import shifts
from csi.tracking.gate_ladder import Climbed, climb
from csi.tracking.gate_sets import sets_of

HERE = Path(__file__).parent
LOADINGS = np.array([1.0, 1.1, 0.9])
SIZE, LEVEL, GAP, ROWS = 250, 0.05, 0.4, 500_000
STEP = 250
MODEL = "joy =~ a + b + c\nuse =~ e\njoy ~ use"
FREED = {"intercept": ("b", "~1", ""), "loading": ("joy", "=~", "b")}


@dataclass(frozen=True)
class Condition:
    """What is planted in the last cell: shifts of the items, factors of the loadings and of the factor's spread."""

    name: str
    cells: int
    panels: int
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    steep: tuple[float, float, float] = (1.0, 1.0, 1.0)
    spread: float = 1.0

    @property
    def alike(self) -> bool:
        """Whether nothing is planted."""
        return self.shift == (0.0, 0.0, 0.0) and self.steep == (1.0, 1.0, 1.0)


CONDITIONS = (
    Condition("alike", 2, 2000),
    Condition("alike, spread", 2, 2000, spread=1.2),
    Condition("alike", 4, 2000),
    Condition("intercept +0.25", 2, 300, shift=(0.0, 0.25, 0.0)),
    Condition("intercept +0.50", 2, 300, shift=(0.0, 0.5, 0.0)),
    Condition("intercept +0.50", 4, 200, shift=(0.0, 0.5, 0.0)),
    Condition("loading x 0.75", 2, 300, steep=(1.0, 0.75, 1.0)),
    Condition("two items +-0.50", 2, 300, shift=(0.5, -0.5, 0.0)),
)


def answers(rng: np.random.Generator, n: int, mean: float, one: Condition, *, last: bool) -> np.ndarray:
    """One cell: three items, and a fourth of another construct."""
    spread, steep = (one.spread, np.array(one.steep)) if last else (1.0, 1.0)
    shift = np.array(one.shift) if last else 0.0
    factor = 1.4 * spread * rng.standard_normal(n)
    latent = 6.0 + (mean + factor)[:, None] * LOADINGS * steep + shift + 1.1 * rng.standard_normal((n, 3))
    other = 6.0 + factor + rng.standard_normal(n)
    return np.clip(np.round(np.column_stack([latent, other])), 1, 10)


def index_of(one: Condition, number: int) -> csi.Index:
    """The index of a drawn panel."""
    rng = np.random.default_rng([20261122, number])
    parts = []
    for g in range(one.cells):
        rows = answers(rng, SIZE, GAP * (g % 2), one, last=g == one.cells - 1)
        parts.append(pl.DataFrame(rows, schema=[*"abce"]).with_columns(cell=pl.lit(f"c{g}")))
    est = csi.fit(csi.Model.parse(MODEL), pl.concat(parts), csi.PLS(), by=["cell"], scale=(1, 10))
    return csi.index(est, std_error="fixed")


def truth(one: Condition) -> float:
    """Scale points of the second item that the last cell differs from the first by because of what is planted."""
    share = 1.0 / one.cells
    level = Condition(
        "",
        one.cells,
        0,
        shift=(0.0, one.shift[1] * share, 0.0),
        steep=(1.0, 1.0 + (one.steep[1] - 1.0) * share, 1.0),
    )
    gap = GAP * ((one.cells - 1) % 2)

    def mean(c: Condition, level: float, *, last: bool) -> float:
        return float(answers(np.random.default_rng(7), ROWS, level, c, last=last)[:, 1].mean())

    as_planted = mean(one, gap, last=True) - mean(one, 0.0, last=False)
    as_pooled = mean(level, gap, last=True) - mean(level, 0.0, last=True)
    return as_planted - as_pooled


def freed(made: csi.Index, planted: str) -> tuple[float, float, float]:
    """Bias of the last cell against the first with the planted parameter free, its error, points per unit of b."""
    (cells,) = sets_of(made, None, ["joy"], 30, ())
    climbed = climb(made.sample, cells)
    if not isinstance(climbed, Climbed):
        return np.nan, np.nan, np.nan
    est = climbed.ladder.fit(climbed.scalar.held, frozenset({FREED[planted.split(maxsplit=1)[0]]}))
    bias, error = shifts(est, cells.items, cells.points).bias(len(cells.labels) - 1, 0)
    return bias, error, float(cells.points[1])


def studied(one: Condition, panels: int, start: int) -> dict[str, object]:
    """The line of a condition."""
    rejected = right = partly = barred = 0
    errors = []
    only_b = one.shift[0] == 0.0 and not one.alike
    planted = truth(one) if only_b else 0.0
    for number in range(panels):
        if number % STEP == 0:
            print(f"{one.name}, {one.cells} cells: {number} of {panels} panels", flush=True)
        made = index_of(one, start + number)
        found = csi.comparable(made, construct="joy")
        (judged,) = found.judged
        hit = judged.rejected
        rejected += hit
        last = found.pairs.filter((pl.col("cell_1") == "c0") & (pl.col("cell_2") == f"c{one.cells - 1}")).row(
            0, named=True
        )
        right += hit and last["items"] == "b" and last["verdict"] == "after freeing"
        partly += hit and last["verdict"] == "after freeing"
        barred += hit and last["verdict"] == "not comparable"
        if only_b:
            bias, error, points = freed(made, one.name)
            errors.append((bias - planted * points, error, bias, planted * points))
    table = np.array(errors) if errors else np.full((1, 4), np.nan)
    return {
        "planted": one.name, "cells": one.cells, "n": SIZE, "panels": panels,
        "rejected": rejected / panels, "freed": partly / panels, "not_comparable": barred / panels,
        "right_item": right / rejected if rejected and not one.alike else None,
        "bias_truth": float(table[:, 3].mean()), "bias_mean": float(table[:, 2].mean()),
        "bias_sd": float(table[:, 0].std(ddof=1)) if errors else np.nan, "bias_se": float(table[:, 1].mean()),
        "coverage": float((np.abs(table[:, 0]) <= 1.96 * table[:, 1]).mean()) if errors else np.nan,
    }  # fmt: skip


def study(share: float = 1.0) -> pl.DataFrame:
    """All conditions."""
    rows = []
    for k, one in enumerate(CONDITIONS):
        rows.append(studied(one, max(int(one.panels * share), 2), 10_000 * k))
        print(rows[-1], flush=True)
    return pl.DataFrame(rows).with_columns(pl.col(pl.Float64).fill_nan(None))


def failures(table: pl.DataFrame) -> list[str]:
    """Lines that miss their gate."""
    out = []
    for row in table.iter_rows(named=True):
        n = row["panels"]
        if row["planted"].startswith("alike") and row["rejected"] > LEVEL + 2 * (LEVEL * (1 - LEVEL) / n) ** 0.5:
            out.append(f"{row['planted']}, {row['cells']} cells: {row['rejected']:.3f} false alarms")
        slack = 2 * (LEVEL * (1 - LEVEL) / n) ** 0.5
        if row["coverage"] is not None and not 0.925 - slack <= row["coverage"] <= 0.97 + slack:
            out.append(f"{row['planted']}, {row['cells']} cells: coverage {row['coverage']:.3f}")
    return out


if __name__ == "__main__":
    made = study(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    made.write_csv(HERE / "gate_study.csv", float_precision=4)
    print(made, failures(made))
