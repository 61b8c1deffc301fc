"""How fast polychoric correlations of 25 items and 2,800 rows are, beside R's psych in the same run.

    CSI_REFERENCE_DIR=../shared python tests/bench/polychoric.py

Needs Rscript with psych. Processor seconds of the calls alone (no start of a program, no reading of files), best of
several; both on one core. The parallel analysis of 1,000 resamples is timed beside it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import csi

FILE = Path(os.environ.get("CSI_REFERENCE_DIR", "../shared")) / "data/bfi/bfi.csv"
ITEMS = [f"{c}{k}" for c in "ACENO" for k in range(1, 6)]
R = """
suppressMessages(library(psych)); options(mc.cores = 1)
d <- read.csv("{file}")[, 1:25]
s <- sapply(1:{times}, function(i) system.time(p <<- suppressWarnings(polychoric(d, correct = 0)))["user.self"])
v <- c(as.character(packageVersion("psych")), R.version$major, R.version$minor, min(s))
cat(v, sprintf("%.12f", p$rho), sep = "\\n")
"""


def best(call: Callable[[], object], times: int) -> float:
    """Seconds of the quickest of several calls."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    """Both programs, one after the other."""
    frame = pl.read_csv(FILE, null_values=["NA", ""]).select(ITEMS)
    found = csi.correlations(frame, ITEMS, kind="polychoric")
    ours = best(lambda: csi.correlations(frame, ITEMS, kind="polychoric"), 7)
    parallel = best(lambda: csi.n_factors(found), 3)
    plain = csi.correlations(frame, ITEMS, kind="pearson")
    straight = best(lambda: csi.n_factors(plain), 3)
    script = R.format(file=FILE.resolve(), times=3)
    told = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True).stdout.split()
    theirs, rho = float(told[3]), np.array(told[4:], dtype=float).reshape(25, 25)
    print(f"psych {told[0]} (R {told[1]}.{told[2]}): {theirs:.2f} s; csi.correlations: {ours:.3f} s")
    print(f"ratio {theirs / ours:.0f}; largest difference {np.abs(rho - found.matrix).max():.1e}")
    print(f"csi.n_factors, 1,000 resamples, 25 x 2,800: {straight:.2f} s of Pearson, {parallel:.2f} s of polychoric")


if __name__ == "__main__":
    main()
