"""Do intervals of moderated and mediated arrows cover? Two-stage PLS, a higher-order construct, n = 250.

    python tests/slow/moderation.py [PANELS]        (about ten minutes on one core for 2,000)

x and z moderate one another on m, m leads to the second-order construct `whole` (two components of three items each);
all items continuous. Truth is the same estimator on one panel of a million rows. 95 % percentile intervals of 300
resamples. Gated (92.5 to 97 %, mean standard error / Monte Carlo deviation within .95 and 1.05): the paths, that of the
product among them, and the simple slopes. Tabled: the specific indirect effect and the index of moderated mediation,
which are products of paths.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
SIZE, PANELS, REPLICATES, TRUTH = 250, 2000, 300, 1_000_000
GATED = ("path", "slope")
TEXT = """
x =~ x1 + x2 + x3
z =~ z1 + z2 + z3
m =~ m1 + m2 + m3
a =~ a1 + a2 + a3
b =~ b1 + b2 + b3
whole =~ a + b
m ~ x + z + x:z
whole ~ m + x
"""
NAMES = tuple(f"{k}{i}" for k in "xzmab" for i in (1, 2, 3))


def panel(rows: int, seed: int) -> pl.DataFrame:
    """Items with loadings .85, .8, .75 on factors of variance about 1."""
    rng = np.random.default_rng([20261122, seed])
    x, u, e, v, w, s = rng.normal(size=(6, rows))
    z = 0.4 * x + np.sqrt(1 - 0.16) * u
    m = 0.4 * x + 0.3 * z + 0.25 * (x * z - 0.4) + 0.8 * e
    whole = 0.5 * m + 0.2 * x + 0.75 * v
    factors = (x, z, m, 0.9 * whole + 0.43 * w, 0.85 * whole + 0.52 * s)
    columns = [
        loading * f / f.std() + np.sqrt(1 - loading**2) * rng.normal(size=rows)
        for f in factors
        for loading in (0.85, 0.8, 0.75)
    ]
    return pl.DataFrame(np.array(columns).T, schema=NAMES)


def quantities(est: csi.Estimate) -> pl.DataFrame:
    """kind, name, estimate, std_error, conf_low, conf_high of everything judged."""
    columns = ["kind", "name", *(c for c in ("estimate", "std_error", "conf_low", "conf_high"))]
    table = est.table.filter(pl.col("op") == "~").with_columns(
        kind=pl.lit("path"), name=pl.col("lhs") + " ~ " + pl.col("rhs")
    )
    slopes = csi.simple_slopes(est).table.with_columns(
        kind=pl.lit("slope"),
        name=pl.col("outcome") + " ~ " + pl.col("predictor") + " at " + pl.col("at").cast(pl.String),
    )
    found = csi.mediation(est, "x", "whole")
    specific = found.table.filter(pl.col("effect") == "specific").with_columns(kind=pl.lit("indirect"), name="chain")
    index = found.moderated.with_columns(kind=pl.lit("index"), name=pl.col("chain") + " by " + pl.col("moderator"))
    frames = (table, slopes, specific, index)
    return pl.concat(
        f.select(c if c in f.columns else pl.lit(None, pl.Float64).alias(c) for c in columns) for f in frames
    )


def summary(true: pl.DataFrame, runs: np.ndarray) -> pl.DataFrame:
    """Coverage, tails and ratio of errors; `runs` (panels, 4, quantities): estimate, std_error, conf_low, conf_high."""
    value, error, low, high = runs.swapaxes(0, 1)
    at = true["estimate"].to_numpy()
    return true.select("kind", "name", truth="estimate").with_columns(
        mean=pl.Series(value.mean(axis=0)),
        coverage=pl.Series(((low <= at) & (at <= high)).mean(axis=0)),
        below=pl.Series((high < at).mean(axis=0)),
        above=pl.Series((at < low).mean(axis=0)),
        ratio=pl.Series(error.mean(axis=0) / value.std(axis=0, ddof=1)),
        panels=pl.lit(len(runs)),
    )


def one(number: int) -> np.ndarray:
    """(4, quantities) of one panel."""
    found = quantities(csi.bootstrap(csi.fit(TEXT, panel(SIZE, number), csi.PLS()), REPLICATES, number))
    return np.stack([found[c].to_numpy() for c in ("estimate", "std_error", "conf_low", "conf_high")]).astype(float)


def study(panels: int = PANELS) -> pl.DataFrame:
    """The table."""
    true = quantities(csi.fit(TEXT, panel(TRUTH, 0), csi.PLS()))
    return summary(true, np.array([one(number) for number in range(1, panels + 1)]))


def failures(table: pl.DataFrame) -> list[str]:
    """Gated quantities outside the gates, in words."""
    gated = table.filter(pl.col("kind").is_in(GATED))
    bad = gated.filter(~pl.col("coverage").is_between(0.925, 0.97) | ~pl.col("ratio").is_between(0.95, 1.05))
    return [f"{r['name']}: coverage {r['coverage']}, errors {r['ratio']}" for r in bad.iter_rows(named=True)]


if __name__ == "__main__":
    found = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    found.write_csv(HERE / "moderation.csv", float_precision=4)
    sys.stdout.write(f"{found}\n")
