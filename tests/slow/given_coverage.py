"""Do intervals cover where ordinal items are conditional on predictors, and does the test of exact fit hold its level?

    python tests/slow/given_coverage.py [SAMPLES]        (about two minutes on one core for 2,000)

A construct of five items with four categories on two predictors, one skewed (exponential) and one of two values:
f = .4 x + .5 w + u, y*_i = loading_i f + e_i, all of variance 1 given the predictors. WLSMV, delta, n = 400,
conditional on the predictors (the default).

Gated for slopes and loadings: mean standard error over Monte Carlo standard deviation .90-1.10, coverage of nominal
95 % at least .925, bias below a tenth of a standard deviation; 4 to 6.5 % rejections of the scaled test at 5 %.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
SIZE, SAMPLES, CHUNK = 400, 2000, 100
LOADINGS = np.array([0.8, 0.75, 0.7, 0.65, 0.6])
SLOPES = np.array([0.4, 0.5])
CUTS = np.array([-0.4, 0.5, 1.3])
ITEMS = tuple(f"y{i}" for i in range(1, 6))
TEXT = f"f =~ {' + '.join(ITEMS)}\nf ~ x + w"
LEVEL = 1.959963984540054


def drawn(rng: np.random.Generator, samples: int) -> pl.DataFrame:
    """Rows of some samples."""
    rows = samples * SIZE
    x, w = rng.exponential(size=rows), rng.integers(0, 2, rows)
    f = SLOPES[0] * x + SLOPES[1] * w + rng.standard_normal(rows)
    y = f[:, None] * LOADINGS + rng.standard_normal((rows, 5)) * np.sqrt(1 - LOADINGS**2)
    answers = (y[:, :, None] > CUTS).sum(axis=2)
    sample = np.repeat(np.arange(samples), SIZE)
    return pl.DataFrame(np.column_stack([answers, x, w, sample]), schema=[*ITEMS, "x", "w", "sample"])


def fitted(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimates and standard errors (samples, 7) of loadings and slopes, p of the scaled test (samples,)."""
    est = csi.fit(TEXT, rows, csi.SEM(ordered=ITEMS, std_lv=True), by="sample")
    at = [n for n, r in enumerate(est.rows) if r.op in {"=~", "~"}]
    order = np.argsort(est.moments.cells["sample"].cast(pl.Float64).to_numpy(), kind="stable")
    fit = est.extra["sem"]
    return est.values[order][:, at], est.std_error[order][:, at], fit.scaled.p_value[order]


def study(samples: int = SAMPLES) -> pl.DataFrame:
    """One row per quantity; `at_5` is the share of rejections of the test."""
    chunks = []
    for number in range(-(-samples // CHUNK)):
        rows = drawn(np.random.default_rng([20261122, 77, number]), min(CHUNK, samples - number * CHUNK))
        chunks.append(fitted(rows))
    value, error, p = (np.concatenate(part) for part in zip(*chunks, strict=True))
    usable = np.isfinite(value).all(axis=1) & np.isfinite(error).all(axis=1)
    value, error = value[usable], error[usable]
    right, spread = np.concatenate([LOADINGS, SLOPES]), value.std(axis=0, ddof=1)
    return pl.DataFrame(
        {
            "quantity": [*(f"f =~ {i}" for i in ITEMS), "f ~ x", "f ~ w"],
            "truth": right,
            "bias_in_sd": (value.mean(axis=0) - right) / spread,
            "se_ratio": error.mean(axis=0) / spread,
            "coverage": (np.abs(value - right) <= LEVEL * error).mean(axis=0),
            "at_5": float((p[usable] <= 0.05).mean()),
            "usable": int(usable.sum()),
            "samples": samples,
        }
    )


def failures(table: pl.DataFrame) -> list[str]:
    """What misses a gate, in words."""
    missed = [
        f"{r['quantity']}: bias {r['bias_in_sd']:.3f} sd, SE ratio {r['se_ratio']:.3f}, coverage {r['coverage']:.3f}"
        for r in table.iter_rows(named=True)
        if not (abs(r["bias_in_sd"]) <= 0.1 and 0.9 <= r["se_ratio"] <= 1.1 and r["coverage"] >= 0.925)
    ]
    level = table["at_5"][0]
    return missed if 0.04 <= level <= 0.065 else [*missed, f"rejects {level:.3f} at .05"]


if __name__ == "__main__":
    table = study(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
    table.write_csv(HERE / "given_coverage.csv", float_precision=4)
    sys.stdout.write(f"{table}\n{failures(table)}\n")
    sys.exit(1 if failures(table) else 0)
