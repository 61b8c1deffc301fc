"""What does the share of draws behind a quadrant mean? How often the population puts the item there.

    python tests/slow/quadrants_calibration.py [POPULATIONS]        (about six minutes of a core for 600)

Every panel has a population of its own: three drivers with three items each, whose loadings, means and paths are drawn
anew (loadings .5 to .9, means 5.5 to 8 of 1 to 10, paths 0 to .5). Of 300 respondents the page's quadrants of items are
made (`csi.drivers(...).items`, cross-hair at the means) with the share of 199 resamples that put the item in the same
quadrant (`item_quadrant_shares`); the truth is the quadrant in 20,000 respondents of the same population. The same of
constructs (`quadrant_share` of `csi.drivers(...).table`). A row is a band of the printed share: how many items had it,
their mean share, and how many of them stand in that quadrant in the population, with the error over panels. The share
is of draws, not a probability that the place is true; the table says what it is worth. Gated: of shares of .95 and more
at least .95 less three errors stand where they were put; in every band at least the mean share less .05 and three
errors.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.importance.drivers import item_quadrant_shares, quadrants

PANELS, SIZE, TRUTH, REPLICATES = 600, 300, 20_000, 199
MODEL = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2 + c3; y =~ y1 + y2 + y3; y ~ a + b + c"
BANDS = (0.0, 0.5, 0.65, 0.8, 0.9, 0.95, 1.01)
KINDS = ("items", "constructs")


def answers(rng: np.random.Generator, n: int, made: dict[str, np.ndarray]) -> pl.DataFrame:
    """Respondents of a population."""
    X = np.sqrt(0.35) * rng.standard_normal((n, 1)) + np.sqrt(0.65) * rng.standard_normal((n, 3))
    y = X @ made["paths"] + 0.75 * rng.standard_normal(n)
    columns = {}
    for j, (name, v) in enumerate(zip("abcy", (*X.T, y), strict=True)):
        for i in range(3):
            loading = made["loadings"][j, i]
            noise = np.sqrt(1 - loading**2) * rng.standard_normal(n)
            columns[f"{name}{i + 1}"] = np.clip(np.round(made["means"][j, i] + 1.6 * (loading * v + noise)), 1, 10)
    return pl.DataFrame(columns)


def told(est: csi.Estimate) -> tuple[list[str], list[str | None], list[str], list[str | None], csi.Drivers]:
    """Items and constructs with their quadrants."""
    found = csi.drivers(est, "y")
    place = quadrants(*(found.items[c].to_numpy()[None, :] for c in ("importance", "performance")))[0]
    return (
        found.items["item"].to_list(),
        place,
        found.table["construct"].to_list(),
        found.table["quadrant"].to_list(),
        found,
    )


def one(number: int) -> np.ndarray:
    """(12, 2) of nine items and three constructs: the printed share, whether the population agrees."""
    rng = np.random.default_rng([20261123, number])
    made = {"loadings": rng.uniform(0.5, 0.9, (4, 3)), "means": rng.uniform(5.5, 8, (4, 3)),
            "paths": rng.uniform(0, 0.5, 3)}  # fmt: skip
    whole = told(csi.fit(MODEL, answers(rng, TRUTH, made), csi.PLS(), scale=(1, 10)))
    est = csi.bootstrap(csi.fit(MODEL, answers(rng, SIZE, made), csi.PLS(), scale=(1, 10)), REPLICATES, number)
    items, place, _, own, found = told(est)
    shares = item_quadrant_shares(est, "y", items, place)
    pairs = [*zip(shares, place, whole[1], strict=True)]
    pairs += [*zip(found.table["quadrant_share"].to_list(), own, whole[3], strict=True)]
    return np.array([[np.nan if s is None else s, np.nan if p is None or t is None else p == t] for s, p, t in pairs])


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Bands of shares."""
    runs, rows = cal.over(one, panels), []
    for kind, part in zip(KINDS, (runs[:, :9], runs[:, 9:]), strict=True):
        known = np.isfinite(part).all(axis=2)
        for low, high in pairwise(BANDS):
            here = known & (part[..., 0] >= low) & (part[..., 0] < high)
            some = here.any(axis=1)
            right = np.where(here, part[..., 1], 0.0).sum(axis=1)[some]
            many = here.sum(axis=1)[some]
            rate = right.sum() / many.sum()
            error = np.sqrt(((right - rate * many) ** 2).sum()) / many.sum()
            rows.append({"kind": kind, "share_from": low, "share_to": min(high, 1.0), "places": int(many.sum()),
                         "mean_share": part[..., 0][here].mean(), "right": rate, "right_error": error,
                         "panels": panels})  # fmt: skip
    return {"quadrants_calibration": pl.DataFrame(rows)}


def failures(table: pl.DataFrame) -> list[str]:
    """Bands whose places are right less often than they are held to."""
    out = []
    for r in table.iter_rows(named=True):
        held = 0.95 if r["share_from"] >= 0.95 else r["mean_share"] - 0.05
        if r["right"] + 3 * r["right_error"] < held:
            out.append(f"{r['kind']}, shares of {r['share_from']:g} to {r['share_to']:g}: right {r['right']:.3f}")
    return out


def page(table: pl.DataFrame) -> str:
    """The table as Markdown."""
    doc = (__doc__ or "").strip().split("\n\n", 1)[1].replace("    python", "python", 1)
    return "\n\n".join(["# What a share of draws behind a quadrant is worth", doc, cal.markdown(table)]) + "\n"


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "quadrants_calibration", PANELS))
