"""What becomes of a product's path where answers are absent? Two-stage PLS, n = 400, single missing treatment each.

    python tests/slow/products_missing.py [PANELS]        (about five minutes on one core for 200)

x and z moderate one another on y, three items each. Absent are: 15 % of all answers at random ("anywhere"); one item of
each construct in 60 % of the rows whose first item is high ("items"); all items of y there ("outcome"). Truth is the
same estimator on a panel of 500,000 complete rows. Gated: em draws the path by no more than .02 (a tenth of it), on the
panels' mean; its Monte Carlo error is .003. Listwise, pairwise and mean are tabled.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
SIZE, PANELS, TRUTH = 400, 200, 500_000
WAYS = ("listwise", "em", "pairwise", "mean")
KINDS = ("anywhere", "items", "outcome")
TEXT = "x =~ x1 + x2 + x3\nz =~ z1 + z2 + z3\ny =~ y1 + y2 + y3\ny ~ x + z + x:z"
NAMES = tuple(f"{k}{i}" for k in "xzy" for i in (1, 2, 3))
MOST = 0.02


def panel(rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, 9) items with loadings .8."""
    x, u, e = rng.standard_normal((3, rows))
    z = 0.3 * x + np.sqrt(0.91) * u
    y = 0.3 * x + 0.3 * z + 0.25 * (x * z - 0.3) + 0.7 * e
    factors = np.repeat([x, z, y / 0.93], 3, axis=0)
    return (0.8 * factors + 0.6 * rng.standard_normal((9, rows))).T


def with_holes(answers: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Some answers absent; what is absent depends on x1 at most."""
    found = answers.copy()
    high = answers[:, 0] > 0.3
    if kind == "anywhere":
        found[rng.random(found.shape) < 0.15] = np.nan
    for at in ((2,), (5,), (8,)) if kind == "items" else ((6, 7, 8),) if kind == "outcome" else ():
        gone = np.flatnonzero(high & (rng.random(len(found)) < 0.6))
        found[np.ix_(gone, at)] = np.nan
    return found


def path(answers: np.ndarray, missing: str) -> float:
    """The path of the product."""
    frame = pl.DataFrame(answers, schema=NAMES).fill_nan(None)
    est = csi.fit(TEXT, frame, csi.PLS(missing=missing))
    return float(est.table.filter(pl.col("op") == "~", pl.col("rhs") == "x:z")["estimate"][0])


def study(panels: int = PANELS) -> pl.DataFrame:
    """One row per kind of absence and treatment."""
    truth = path(panel(TRUTH, np.random.default_rng([20261122, 0])), "listwise")
    found = {(kind, way): [] for kind in KINDS for way in ("complete", *WAYS)}
    for number in range(1, panels + 1):
        rng = np.random.default_rng([20261122, number])
        answers = panel(SIZE, rng)
        complete = path(answers, "listwise")
        for kind in KINDS:
            holes = with_holes(answers, kind, rng)
            found[kind, "complete"].append(complete)
            for way in WAYS:
                found[kind, way].append(path(holes, way))
    rows = [
        (kind, way, truth, float(np.nanmean(v)), float(np.nanstd(v, ddof=1)), int(np.isnan(v).sum()), panels)
        for (kind, way), v in found.items()
    ]
    return pl.DataFrame(rows, ["absent", "missing", "truth", "mean", "sd", "unsolved", "panels"], orient="row")


def failures(table: pl.DataFrame) -> list[str]:
    """Where em misses the truth by more than the gate, in words."""
    own = table.filter(pl.col("missing") == "em")
    return [
        f"{r['absent']}: {r['mean']} for {r['truth']}"
        for r in own.iter_rows(named=True)
        if abs(r["mean"] - r["truth"]) > MOST
    ]


if __name__ == "__main__":
    table = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    table.write_csv(HERE / "products_missing.csv", float_precision=4)
    sys.stdout.write(f"{table}\n")
    sys.exit(1 if failures(table) else 0)
