"""Shrunken values against the truth: are they nearer than raw ones, and do they know how near?

    python tests/slow/shrunken_study.py [SHARE]        (about two minutes on one core; SHARE of the draws, 1)

Cells' true levels vary around 70 with variance A; sampling variances D run from 1 to 16 (evenly in the root) over the
cells, A is stated as a share of their mean. `D` says whether fits are given D itself or a chi-square estimate of it
with 39 degrees of freedom (40 respondents). `error_ratio` is the root mean squared error of shrunken over raw values,
over cells and draws; `mse_ratio` the mean of the estimated mean squared errors over the real one; `at_zero` the share
of draws whose A is estimated as zero.

Gated: `error_ratio` at most 1 (and two Monte Carlo errors); `mse_ratio` at least .9 everywhere, and within .93 to 1.07
with D known, 12 cells or more and A no smaller than the mean D.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from csi.tracking.fay_herriot import fay_herriot

HERE = Path(__file__).parent
CELLS, RATIOS, DRAWS, FREE = (4, 8, 12, 30), (0.0, 0.25, 1.0, 4.0), 4_000, 39


def studied(k: int, ratio: float, draws: int, seed: int, *, known: bool) -> dict[str, object]:
    """One line: all draws of one condition."""
    rng = np.random.default_rng(seed)
    D = np.linspace(1.0, 4.0, k) ** 2
    A = ratio * D.mean()
    raw, drawn, told, zeros = np.zeros(draws), np.zeros(draws), np.zeros(draws), 0
    for b in range(draws):
        level = 70.0 + A**0.5 * rng.normal(size=k)
        value = level + D**0.5 * rng.normal(size=k)
        made = fay_herriot(value, D if known else D * rng.chisquare(FREE, size=k) / FREE)
        raw[b], drawn[b], told[b] = (
            ((value - level) ** 2).mean(),
            ((made.shrunken - level) ** 2).mean(),
            made.mse.mean(),
        )
        zeros += made.between == 0
    slack = (drawn - raw * drawn.mean() / raw.mean()).std(ddof=1) / draws**0.5 / raw.mean()
    error = (drawn.mean() / raw.mean()) ** 0.5
    return {
        "cells": k, "a_over_d": ratio, "D": "known" if known else "estimated", "draws": draws,
        "error_ratio": error, "error_ratio_mc": slack / (2 * error), "mse_ratio": told.mean() / drawn.mean(),
        "at_zero": zeros / draws,
    }  # fmt: skip


def study(share: float = 1.0) -> pl.DataFrame:
    """All conditions."""
    grid = product(CELLS, RATIOS, (True, False))
    draws = max(int(DRAWS * share), 50)
    return pl.DataFrame([studied(k, r, draws, 100 + i, known=known) for i, (k, r, known) in enumerate(grid)])


def failures(table: pl.DataFrame) -> list[str]:
    """Lines that miss their gate."""
    out = []
    for row in table.iter_rows(named=True):
        name = f"{row['cells']} cells, A/D {row['a_over_d']}, D {row['D']}"
        if row["error_ratio"] > 1 + 2 * row["error_ratio_mc"]:
            out.append(f"{name}: error ratio {row['error_ratio']:.3f}")
        easy = row["D"] == "known" and row["cells"] >= 12 and row["a_over_d"] >= 1
        low, high = (0.93, 1.07) if easy else (0.9, np.inf)
        if not low <= row["mse_ratio"] <= high:
            out.append(f"{name}: mse ratio {row['mse_ratio']:.3f}")
    return out


if __name__ == "__main__":
    made = study(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    made.write_csv(HERE / "shrunken_study.csv", float_precision=4)
    print(made, failures(made))
