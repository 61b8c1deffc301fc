"""Do intervals of what forms expectation, and of the balance point, cover?

    python tests/slow/formation_intervals.py [PANELS]        (about eleven minutes on one core for 1000)

Percentile intervals, nominal 95 %, 399 resamples. Formation: four causes on 1 to 7 (correlated .3; slopes .6, .3, .1,
0), answers cut to the scale, n = 300; truth is the same estimator on 1,000,000 rows. Balance: 400 prospects and 400
buyers, truth from the planted logits at the population mean of perception. Slopes (robust t) and the balance point are
gated (92.5 to 97 %, give or take two Monte Carlo errors); relative weights, shares and R2 are bounded and biased in
small samples, so they are tabled.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

import csi
from csi.errors import Text
from csi.expectation.balance import balance_point
from csi.survey.codebook import Codebook, Item, Scale

HERE = Path(__file__).parent
SIZE, SIDE, PANELS, REPLICATES, TRUTH = 300, 400, 1000, 399, 1_000_000
SLOPES = {"wom": 0.6, "promise": 0.3, "price": 0.1, "norm": 0.0}
ATTRACTION, AGAIN = (-4.0, 1.0), (1.0, 0.8, -0.9)
SEVEN, BINARY = Scale("seven", 1, 7), Scale("yes", 0, 1)
GATED = ("slope", "balance", "promise_gap")


def panel_of(frame: pl.DataFrame, items: list[Item]) -> csi.Panel:
    """A panel of complete answers."""
    return csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.cast(pl.String))


def forming(rows: int, number: int) -> csi.Panel:
    """Expectation and its causes."""
    rng = np.random.default_rng([20261122, number])
    shared = rng.standard_normal(rows)
    latent = {c: np.sqrt(0.3) * shared + np.sqrt(0.7) * rng.standard_normal(rows) for c in SLOPES}
    e = sum((b * latent[c] for c, b in SLOPES.items()), np.zeros(rows)) + rng.standard_normal(rows)
    columns = {c: np.clip(4 + 1.2 * x, 1, 7) for c, x in latent.items()} | {"e": np.clip(4.5 + e, 1, 7)}
    items = [Item(c, c, SEVEN, Text(c, c)) for c in SLOPES] + [Item("e", "service", SEVEN, Text("e", "e"), "a", "Ew")]
    return panel_of(pl.DataFrame(columns), items)


def market(rows: int, number: int) -> csi.Panel:
    """As many prospects as buyers."""
    rng = np.random.default_rng([20261123, number])
    e, p = (np.clip(rng.normal(m, 1.0, 2 * rows), 1, 7) for m in (5.0, 5.2))
    buyer = np.arange(2 * rows) >= rows
    chose = (rng.random(2 * rows) < expit(ATTRACTION[0] + ATTRACTION[1] * e)).astype(float)
    again = (rng.random(2 * rows) < expit(AGAIN[0] + AGAIN[1] * p + AGAIN[2] * e)).astype(float)
    columns = {"e": e, "p": p, "rebought": again, "chose": chose}
    frame = pl.DataFrame(columns).with_columns(
        pl.when(pl.Series(buyer)).then(pl.col(c)).alias(c) if c in ("p", "rebought") else pl.col(c) for c in columns
    )
    frame = frame.with_columns(pl.when(~pl.Series(buyer)).then(pl.col("chose")).alias("chose"))
    items = [Item("e", "service", SEVEN, Text("e", "e"), "a", "Ew"), Item("p", "service", SEVEN, Text("p", "p"), "a")]
    items += [Item(c, c, BINARY, Text(c, c)) for c in ("rebought", "chose")]
    return panel_of(frame, items)


def of_formation(panel: csi.Panel, replicates: int, seed: int) -> pl.DataFrame:
    """quantity, name, value, low, high."""
    found = csi.formation(panel, replicates=replicates, seed=seed)
    reach = 1.9679 * pl.col("std_error")  # t with 295 degrees of freedom
    parts = [found.table.select(pl.lit("slope").alias("quantity"), name="cause", value="slope",
                                low=pl.col("slope") - reach, high=pl.col("slope") + reach)]  # fmt: skip
    for quantity, stem in (("beta", "beta"), ("relative_weight", "relative"), ("share", "share")):
        parts.append(
            found.table.select(
                pl.lit(quantity).alias("quantity"), name="cause", value=quantity, low=f"{stem}_low", high=f"{stem}_high"
            )
        )
    parts.append(
        found.fit.select(
            pl.lit("r2").alias("quantity"), pl.lit("r2").alias("name"), value="r2", low="r2_low", high="r2_high"
        )
    )
    return pl.concat(parts)


def of_balance(panel: csi.Panel, replicates: int, seed: int) -> pl.DataFrame:
    """The same for the balance point and the promise gap."""
    found = csi.balance(panel, replicates=replicates, seed=seed).table
    point = found.select(
        pl.lit("balance").alias("quantity"),
        pl.lit("E*").alias("name"),
        value="balance",
        low="conf_low",
        high="conf_high",
    )
    gap = found.select(
        pl.lit("promise_gap").alias("quantity"),
        pl.lit("E* - P").alias("name"),
        value="promise_gap",
        low="gap_low",
        high="gap_high",
    )
    return pl.concat([point, gap])


def truth() -> pl.DataFrame:
    """quantity, name, truth."""
    whole = of_formation(forming(TRUTH, 0), 100, 1).select("quantity", "name", truth="value")
    mean = float(np.clip(np.random.default_rng(7).normal(5.2, 1.0, 4_000_000), 1, 7).mean())
    line = np.array([[AGAIN[0] + AGAIN[1] * mean, AGAIN[2]]])
    point = float(balance_point(np.array([ATTRACTION]), line, (1.0, 7.0))[0][0])
    rows = {"quantity": ["balance", "promise_gap"], "name": ["E*", "E* - P"], "truth": [point, point - mean]}
    return pl.concat([whole, pl.DataFrame(rows)])


def study(panels: int = PANELS) -> pl.DataFrame:
    """Coverage and tails of every quantity."""
    frames = []
    for number in range(1, panels + 1):
        frames.append(of_formation(forming(SIZE, number), REPLICATES, number))
        frames.append(of_balance(market(SIDE, number), REPLICATES, number))
    low, high, at = pl.col("low"), pl.col("high"), pl.col("truth")
    runs = pl.concat(frames).join(truth(), on=["quantity", "name"])
    return runs.group_by("quantity", "name", maintain_order=True).agg(
        truth=at.first(),
        bias=(pl.col("value") - at).mean(),
        mc_sd=pl.col("value").std(),
        coverage=((low <= at) & (at <= high)).mean(),
        below=(high < at).mean(),
        above=(at < low).mean(),
        width=(high - low).mean(),
        panels=pl.len(),
        gate=pl.when(pl.col("quantity").first().is_in(GATED)).then(pl.lit("coverage")).otherwise(pl.lit("tabled")),
    )


def failures(table: pl.DataFrame) -> list[str]:
    """Gated quantities that cover too little or too much, in words."""
    slack = 2 * np.sqrt(0.05 * 0.95 / table["panels"].max())
    bad = table.filter(pl.col("gate") == "coverage", ~pl.col("coverage").is_between(0.925 - slack, 0.97 + slack))
    return [f"{r['quantity']} {r['name']}: {r['coverage']}" for r in bad.iter_rows(named=True)]


if __name__ == "__main__":
    made = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    made.write_csv(HERE / "formation_intervals.csv", float_precision=4)
    sys.stdout.write(f"{made}\n")
    sys.exit(1 if failures(made) else 0)
