"""Do intervals of the index cover that need more than its draws? PLS, two waves of 250, weights of the first wave.

    python tests/slow/index_intervals.py [PANELS]        (about twenty minutes on one core)

x leads to y, three items each on a scale of 0 to 10; answers are skewed. Truth is the index of a panel of 300,000 rows
in each wave. 199 resamples, nominal 95 %; t intervals stand beside. Gated, as stated before the run: coverage within
92.5 and 97 %, mean standard error / Monte Carlo standard deviation within .95 and 1.05; both tails are printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
SIZE, PANELS, REPLICATES, TRUTH = 250, 2000, 199, 300_000
TEXT = "x =~ x1 + x2 + x3\ny =~ y1 + y2 + y3\ny ~ x"
NAMES = ("x1", "x2", "x3", "y1", "y2", "y3")
NUMBERS = ("index", "std_error", "conf_low", "conf_high")
KINDS = ("t", "bca", "studentised", "double")


def panel(rows: int, number: int) -> pl.DataFrame:
    """Two waves; answers 10 - a lognormal, cut to the scale."""
    rng = np.random.default_rng([20261122, number])
    waves = []
    for wave, shift in (("1", 0.0), ("2", 0.1)):
        x, e = rng.standard_normal((2, rows))
        y = 0.6 * x + 0.8 * e
        latent = 0.8 * np.repeat([x, y], 3, axis=0) + 0.6 * rng.standard_normal((6, rows))
        answers = np.clip(10 - np.exp(0.9 - shift - 0.5 * latent), 0, 10)
        waves.append(pl.DataFrame(answers.T, schema=NAMES).with_columns(wave=pl.lit(wave)))
    return pl.concat(waves)


def fitted(frame: pl.DataFrame) -> csi.Estimate:
    """The model in both waves."""
    return csi.fit(TEXT, frame, csi.PLS(), by="wave", scale=(0, 10))


def study(panels: int = PANELS) -> pl.DataFrame:
    """Coverage and tails of every kind, by wave and construct."""
    true = csi.index(fitted(panel(TRUTH, 0)), weights="base").table.select("wave", "construct", truth="index")
    frames = []
    for number in range(1, panels + 1):
        boot = csi.bootstrap(fitted(panel(SIZE, number)), REPLICATES, number)
        for kind in KINDS:
            table = csi.index(boot, weights="base", interval=kind).table
            frames.append(table.select(pl.lit(kind).alias("interval"), "wave", "construct", *NUMBERS))
    low, high, at = pl.col("conf_low"), pl.col("conf_high"), pl.col("truth")
    runs = pl.concat(frames).join(true, on=["wave", "construct"])
    return runs.group_by("interval", "wave", "construct", maintain_order=True).agg(
        truth=at.first(),
        mean=pl.col("index").mean(),
        se_ratio=pl.col("std_error").mean() / pl.col("index").std(),
        coverage=((low <= at) & (at <= high)).mean(),
        below=(high < at).mean(),
        above=(at < low).mean(),
        width=(high - low).mean(),
        panels=pl.len(),
    )


def failures(table: pl.DataFrame) -> list[str]:
    """Kinds that cover too little or too much, in words."""
    held = pl.col("coverage").is_between(0.925, 0.97) & pl.col("se_ratio").is_between(0.95, 1.05)
    return [
        f"{r['interval']} {r['construct']} {r['wave']}: {r['coverage']}, SE ratio {r['se_ratio']}"
        for r in table.filter(~held).iter_rows(named=True)
    ]


if __name__ == "__main__":
    table = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    table.write_csv(HERE / "index_intervals.csv", float_precision=4)
    sys.stdout.write(f"{table}\n")
    sys.exit(1 if failures(table) else 0)
