"""The gate's other evidence: false alarms and power of MICOM, of alignment's flags, and alignment's bias in points.

    python tests/slow/gate_evidence.py [SHARE]        (about four minutes on one core; SHARE of the panels, 1)

MICOM: three items of a composite on 1 to 10, 120 respondents in each of two cells that differ in level by .4; the
weights are those of PLS towards a second construct. Planted: the second item uncorrelated with the second construct in
the last cell. 99 permutations, level 5 %.

Alignment: nine cells of 200 respondents (one factor, four items, loadings 1, 1.1, .9, 1; factor means from 0 to .8,
factor sd 1.4, errors sd 1.1, answers rounded and cut to 1 to 10); planted: an intercept of the second item .5 or 1
scale point higher in the seventh cell. `rejected`: the set, by the gate. The other columns are alignment's alone,
whether or not the gate would have asked it: `flagged`, the share of items x cells said to differ in which nothing was
planted; `any_flagged`, the share of panels with one; `found`, the share of panels in which the planted item is flagged
in its cell. `bias`: of the planted cell against the first where it is flagged, its truth the shift of the item's
population mean (500,000 rows) in points; coverage is of estimate +- 1.96 SE. Where the shift is often missed those
that are found are the larger ones, so that `bias_mean` is above the truth and the coverage below its level.

Gated: false alarms of sets at most 5 % and two Monte Carlo errors; flags (72 tests a panel at .001) in at most 10 % of
the panels and two Monte Carlo errors.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.tracking.gate_alignment import apart
from csi.tracking.gate_sets import sets_of

HERE = Path(__file__).parent
LEVEL, FLAGS, STEP = 0.05, 0.1, 50
MODEL3 = "joy <~ a + b + c\nuse =~ e + f\nuse ~ joy"
MODEL4 = "joy =~ a + b + c + d\nuse =~ e\njoy ~ use"
LOADINGS = np.array([1.0, 1.1, 0.9, 1.0])
PLANTED = 6


@dataclass(frozen=True)
class Condition:
    """Which evidence, over how many cells of what size, and what is planted in one of them."""

    name: str
    cells: int
    n: int
    panels: int
    shift: float = 0.0

    @property
    def composed(self) -> bool:
        """Whether MICOM is the evidence."""
        return self.name.startswith("micom")


CONDITIONS = (
    Condition("micom, alike", 2, 120, 600),
    Condition("micom, planted", 2, 120, 150, shift=1.0),
    Condition("alignment, alike", 9, 200, 300),
    Condition("alignment, planted", 9, 200, 120, shift=0.5),
    Condition("alignment, planted", 9, 200, 120, shift=1.0),
)


def composite(rng: np.random.Generator, n: int, level: float, *, odd: bool) -> np.ndarray:
    """Three items and two outcomes of what they compose; `odd`: the second item has no part in them."""
    common = rng.standard_normal((n, 1))
    items = 1.2 * common + 1.2 * rng.standard_normal((n, 3))
    part = np.array([0.5, 0.0 if odd else 0.5, 0.5])
    outcome = items @ part + rng.standard_normal(n)
    out = np.column_stack([items + level, outcome, outcome]) + np.array([6, 6, 6, 6, 6])
    out[:, 3:] += 0.7 * rng.standard_normal((n, 2))
    return np.clip(np.round(out), 1, 10)


def reflective(rng: np.random.Generator, n: int, level: float, shift: float) -> np.ndarray:
    """Four items of a factor and a lone item."""
    factor = 1.4 * rng.standard_normal(n)
    moved = np.array([0.0, shift, 0.0, 0.0])
    latent = 5.5 + (level + factor)[:, None] * LOADINGS + moved + 1.1 * rng.standard_normal((n, 4))
    other = 6.0 + factor + rng.standard_normal(n)
    return np.clip(np.round(np.column_stack([latent, other])), 1, 10)


def index_of(one: Condition, number: int) -> csi.Index:
    """The index of a drawn panel."""
    rng = np.random.default_rng([20261123, number])
    parts, names = [], [*"abcef"] if one.composed else [*"abcde"]
    for g in range(one.cells):
        if one.composed:
            rows = composite(rng, one.n, 0.4 * g, odd=one.shift > 0 and g == 1)
        else:
            rows = reflective(rng, one.n, 0.1 * g, one.shift * (g == PLANTED))
        parts.append(pl.DataFrame(rows, schema=names).with_columns(cell=pl.lit(f"c{g}")))
    model = csi.Model.parse(MODEL3 if one.composed else MODEL4)
    est = csi.fit(model, pl.concat(parts), csi.PLS(), by=["cell"], scale=(1, 10))
    return csi.index(est, std_error="fixed")


def truth(shift: float) -> float:
    """Scale points by which the shift moves the mean of the second item in the planted cell."""
    level = 0.1 * PLANTED
    moved, still = (reflective(np.random.default_rng(7), 500_000, level, s)[:, 1].mean() for s in (shift, 0.0))
    return float(moved - still)


def flags(made: csi.Index, shift: float) -> tuple[float, bool, bool, tuple[float, float, float] | None]:
    """Alignment on its own: the share of flags where nothing was planted, whether there is any, whether the planted one
    is flagged, and then its bias, error and points per unit of the item.
    """
    (cells,) = sets_of(made, None, ["joy"], 30, ())
    seen = apart(made.sample, cells)
    differs = np.zeros((len(cells.labels), len(cells.items)), dtype=bool) if seen is None else seen.differs
    elsewhere = np.ones_like(differs)
    elsewhere[PLANTED, 1] = shift == 0
    found = bool(shift and differs[PLANTED, 1])
    bias = (*seen.shifts.bias(PLANTED, 0), float(cells.points[1])) if found and seen is not None else None
    return float(differs[elsewhere].mean()), bool(differs[elsewhere].any()), found, bias


def studied(one: Condition, panels: int, start: int) -> dict[str, object]:
    """The line of a condition."""
    rejected, seen = 0, []
    for number in range(panels):
        if number % STEP == 0:
            print(f"{one.name} {one.shift:g}: {number} of {panels} panels", flush=True)
        made = index_of(one, start + number)
        (judged,) = csi.comparable(made, construct="joy", permutations=99, seed=number).judged
        rejected += judged.rejected
        if not one.composed:
            seen.append(flags(made, one.shift))
    shift = truth(one.shift) if seen and one.shift else np.nan
    known = [b for *_, b in seen if b is not None]
    table = np.array([(b - shift * p, e, b, shift * p) for b, e, p in known]) if known else np.full((1, 4), np.nan)
    return {
        "planted": one.name, "shift": one.shift, "cells": one.cells, "n": one.n, "panels": panels,
        "rejected": rejected / panels,
        "flagged": float(np.mean([s[0] for s in seen])) if seen else None,
        "any_flagged": float(np.mean([s[1] for s in seen])) if seen else None,
        "found": float(np.mean([s[2] for s in seen])) if seen and one.shift else None,
        "bias_truth": float(table[:, 3].mean()), "bias_mean": float(table[:, 2].mean()),
        "bias_sd": float(table[:, 0].std(ddof=1)) if len(known) > 1 else np.nan,
        "bias_se": float(table[:, 1].mean()),
        "coverage": float((np.abs(table[:, 0]) <= 1.96 * table[:, 1]).mean()) if known else np.nan,
    }  # fmt: skip


def study(share: float = 1.0) -> pl.DataFrame:
    """All conditions."""
    rows = []
    for k, one in enumerate(CONDITIONS):
        rows.append(studied(one, max(int(one.panels * share), 2), 10_000 * k))
        print(rows[-1], flush=True)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Float64).fill_nan(None))


def failures(table: pl.DataFrame) -> list[str]:
    """Lines that miss their gate."""
    out = []
    for row in table.filter(pl.col("shift") == 0).iter_rows(named=True):
        for what, level in (("rejected", LEVEL), ("any_flagged", FLAGS)):
            limit = level + 2 * (level * (1 - level) / row["panels"]) ** 0.5
            if row[what] is not None and row[what] > limit:
                out.append(f"{row['planted']}: {what} {row[what]:.3f}")
    return out


if __name__ == "__main__":
    made = study(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    made.write_csv(HERE / "gate_evidence.csv", float_precision=4)
    print(made, failures(made))
