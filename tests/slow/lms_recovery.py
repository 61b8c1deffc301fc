"""LMS and product indicators recover a known interaction: bias, standard errors and coverage over simulated samples.

Population (tests/sem/test_interaction.py): Y = 0.5 X + 0.3 Z + 0.3 X Z + 0.7 e, cor(X, Z) = 0.4, three items each,
reliabilities about 0.8, n = 400. Run: python tests/slow/lms_recovery.py [samples]; writes lms_recovery.csv beside it.

bias: mean estimate less the truth, in standard errors of that mean. ratio: mean standard error over the spread of the
estimates. coverage: share of 95 % intervals with the truth inside.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import csi
from tests.sem.test_interaction import XZ, simulated

HERE = Path(__file__).parent
TRUTH = {"X": 0.5, "Z": 0.3, "X:Z": 0.3}
WAYS = ("lms", "double-mean-centred", "orthogonal")
SAMPLES, ROWS = 200, 400


def study(samples: int = SAMPLES) -> pl.DataFrame:
    """One row per way and path."""
    model = csi.Model.parse(XZ)
    rows = []
    for seed in range(samples):
        frame = simulated(ROWS, 1000 + seed)
        for way in WAYS:
            est = csi.fit(model, frame, csi.SEM(interaction=way))
            found = est.table.filter(op="~")
            rows += [
                {"way": way, "path": r["rhs"], "estimate": r["estimate"], "std_error": r["std_error"]}
                for r in found.iter_rows(named=True)
            ]
    told = pl.DataFrame(rows).with_columns(truth=pl.col("path").replace_strict(TRUTH, return_dtype=pl.Float64))
    inside = (pl.col("estimate") - pl.col("truth")).abs() < 1.959964 * pl.col("std_error")
    spread = pl.col("estimate").std()
    return told.group_by("way", "path", maintain_order=True).agg(
        samples=pl.len(),
        truth=pl.col("truth").first(),
        mean=pl.col("estimate").mean(),
        bias=(pl.col("estimate") - pl.col("truth")).mean() / spread * np.sqrt(samples),
        ratio=pl.col("std_error").mean() / spread,
        coverage=inside.mean(),
    )


if __name__ == "__main__":
    found = study(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
    found.write_csv(HERE / "lms_recovery.csv", float_precision=4)
