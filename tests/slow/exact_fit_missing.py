"""Does the test of exact fit keep its level where answers are absent? PLSc, two correlated factors, n = 200.

    python tests/slow/exact_fit_missing.py [PANELS]        (about twelve minutes on one core)

The model is true; a tenth of all answers is absent at random. 199 replicates. Gated: rejections at 1, 5 and 10 % are
no more than the level and three Monte Carlo standard errors, by every distance, saturated and estimated model.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
SIZE, PANELS, REPLICATES = 200, 2000, 199
TEXT = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"
NAMES = ("a1", "a2", "a3", "b1", "b2", "b3")
WAYS = ("em", "pairwise", "mean")


def panel(number: int) -> pl.DataFrame:
    """Items with loadings .8, a tenth of the answers absent."""
    rng = np.random.default_rng([20261122, number])
    a = rng.standard_normal(SIZE)
    b = 0.5 * a + np.sqrt(0.75) * rng.standard_normal(SIZE)
    rows = 0.8 * np.repeat([a, b], 3, axis=0) + 0.6 * rng.standard_normal((6, SIZE))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return pl.DataFrame(rows.T, schema=NAMES).fill_nan(None)


def study(panels: int = PANELS) -> pl.DataFrame:
    """Share of panels with p at or below 1, 5 and 10 %, by treatment, model and distance."""
    frames = []
    for number in range(1, panels + 1):
        frame = panel(number)
        for way in WAYS:
            found = csi.exact_fit(csi.fit(TEXT, frame, csi.PLS(consistent=True, missing=way)), REPLICATES, number)
            frames.append(found.table.select(pl.lit(way).alias("missing"), "model", "measure", "p_value"))
    return (
        pl.concat(frames)
        .group_by("missing", "model", "measure", maintain_order=True)
        .agg(
            at_01=(pl.col("p_value") <= 0.01).mean(),
            at_05=(pl.col("p_value") <= 0.05).mean(),
            at_10=(pl.col("p_value") <= 0.10).mean(),
            mean_p=pl.col("p_value").mean(),
            tested=pl.col("p_value").count(),
        )
        .with_columns(panels=pl.lit(panels))
    )


def failures(table: pl.DataFrame) -> list[str]:
    """Tests that reject more than the gate allows, in words."""
    bad = []
    for row in table.iter_rows(named=True):
        for name, level in (("at_01", 0.01), ("at_05", 0.05), ("at_10", 0.10)):
            if row[name] > level + 3 * np.sqrt(level * (1 - level) / row["panels"]):
                bad.append(f"{row['missing']} {row['model']} {row['measure']}: {row[name]} at {level}")
    return bad


if __name__ == "__main__":
    table = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    table.write_csv(HERE / "exact_fit_missing.csv", float_precision=4)
    sys.stdout.write(f"{table}\n")
    sys.exit(1 if failures(table) else 0)
