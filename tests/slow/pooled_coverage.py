"""Do intervals of pooled measures cover? PLS, ten imputed copies, n = 250.

    python tests/slow/pooled_coverage.py [PANELS]        (about six minutes on one core)

x leads to m and y, m to y, three items each; y3 and m2 are absent in 60 % of the rows whose x1 is high. 95 % intervals
of paths, indirect and total effects, R2 (Fisher's z of its root), HTMT (logarithm) and f2 (root), of 200 resamples of
each copy. Truth is the same estimator on a complete panel of 500,000 rows. Gated, as stated before the run: paths,
indirect and total effects cover 92.5 to 97 %, their mean standard error / Monte Carlo standard deviation is within .95
and 1.05; R2, HTMT and f2, which are bounded, are tabled.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
SIZE, PANELS, COPIES, REPLICATES, TRUTH = 250, 2000, 10, 200, 500_000
TEXT = "x =~ x1 + x2 + x3\nm =~ m1 + m2 + m3\ny =~ y1 + y2 + y3\nm ~ x\ny ~ x + m"
NAMES = tuple(f"{k}{i}" for k in "xmy" for i in (1, 2, 3))
GATED = ("direct", "indirect", "total")


def panel(rows: int, number: int) -> tuple[pl.DataFrame, np.random.Generator]:
    """Items with loadings .8, and the numbers to come."""
    rng = np.random.default_rng([20261122, number])
    x, u, e = rng.standard_normal((3, rows))
    m = 0.5 * x + np.sqrt(0.75) * u
    y = 0.3 * x + 0.4 * m + 0.75 * e
    factors = np.repeat([x, m, y / y.std()], 3, axis=0)
    return pl.DataFrame((0.8 * factors + 0.6 * rng.standard_normal((9, rows))).T, schema=NAMES), rng


def with_holes(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Answers absent where x1 is high."""
    gone = {c: pl.Series((frame["x1"].to_numpy() > 0.3) & (rng.random(frame.height) < 0.6)) for c in ("y3", "m2")}
    return frame.with_columns(pl.when(at).then(None).otherwise(pl.col(c)).alias(c) for c, at in gone.items())


def quantities(est: csi.Estimate) -> pl.DataFrame:
    """kind, name, estimate, std_error, conf_low, conf_high of everything judged."""
    found, pairs = csi.effects(est), csi.validity(est).table
    numbers = [c for c in ("std_error", "conf_low", "conf_high") if c in found.table.columns]
    arrow = pl.concat_str("predictor", pl.lit(" -> "), "outcome").alias("name")
    both = pl.concat_str("construct", "other", separator=" ").alias("name")
    frames = [
        found.table.with_columns(arrow, kind="effect"),
        found.r2.with_columns(kind=pl.lit("r2"), name="construct", estimate="r2"),
        pairs.with_columns(both, kind=pl.lit("htmt"), estimate="htmt"),
        found.f2.with_columns(arrow, kind=pl.lit("f2"), estimate="f2"),
    ]
    return pl.concat(
        (frame.select(c for c in ("kind", "name", "estimate", *numbers) if c in frame.columns) for frame in frames),
        how="diagonal",
    )


def one(number: int) -> pl.DataFrame:
    """The intervals of one panel."""
    frame, rng = panel(SIZE, number)
    copies = csi.impute(with_holes(frame, rng), COPIES, number)
    fits = [csi.bootstrap(csi.fit(TEXT, copy, csi.PLS()), REPLICATES, number) for copy in copies]
    return quantities(csi.pool(fits))


def study(panels: int = PANELS) -> pl.DataFrame:
    """Coverage, tails and bias by quantity."""
    true = quantities(csi.fit(TEXT, panel(TRUTH, 0)[0], csi.PLS())).select("kind", "name", truth="estimate")
    runs = pl.concat([one(number) for number in range(1, panels + 1)]).join(true, on=["kind", "name"])
    low, high, at = pl.col("conf_low"), pl.col("conf_high"), pl.col("truth")
    return runs.group_by("kind", "name", maintain_order=True).agg(
        truth=at.first(),
        mean=pl.col("estimate").mean(),
        se_ratio=pl.col("std_error").mean() / pl.col("estimate").std(),
        coverage=((low <= at) & (at <= high)).mean(),
        below=(high < at).mean(),
        above=(at < low).mean(),
        panels=pl.len(),
    )


def failures(table: pl.DataFrame) -> list[str]:
    """Gated quantities that cover too little or too much, in words."""
    return [
        f"{row['kind']} {row['name']}: {row['coverage']}, SE ratio {row['se_ratio']}"
        for row in table.filter(pl.col("kind").is_in(GATED)).iter_rows(named=True)
        if not (0.925 <= row["coverage"] <= 0.97 and 0.95 <= row["se_ratio"] <= 1.05)
    ]


if __name__ == "__main__":
    table = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    table.write_csv(HERE / "pooled_coverage.csv", float_precision=4)
    sys.stdout.write(f"{table}\n")
    sys.exit(1 if failures(table) else 0)
