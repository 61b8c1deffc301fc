"""200 samples of 200 respondents and 12 items, the same everywhere: the rows behind saved_samples.json.

    python tests/reference/simulated/recipe.py > rows.csv          (sample, then the items; 40,000 lines)

Population: quality -> value -> satisfaction -> loyalty and quality -> satisfaction, standardised loadings .70 to .85,
normal. Random numbers are the raw output of PCG64, which numpy guarantees not to change, through the normal quantile;
answers are rounded to a thousandth, so that a table of them holds the same numbers.
"""

import sys

import numpy as np
from scipy.special import ndtri

SEED, SAMPLES, ROWS = 20261122, 200, 200
BLOCKS = ("qua", "val", "sat", "loy")
ITEMS = tuple(f"{block}{i}" for block in BLOCKS for i in (1, 2, 3))
LOADINGS = np.array([0.8, 0.75, 0.7, 0.85, 0.8, 0.7, 0.8, 0.85, 0.75, 0.7, 0.75, 0.8])
LATENT = np.array([[1, 0.6, 0.62, 0.372], [0.6, 1, 0.66, 0.396], [0.62, 0.66, 1, 0.6], [0.372, 0.396, 0.6, 1]])
TEXT = """
qua =~ qua1 + qua2 + qua3
val =~ val1 + val2 + val3
sat =~ sat1 + sat2 + sat3
loy =~ loy1 + loy2 + loy3
val ~ qua
sat ~ qua + val
loy ~ sat
"""


def samples():
    """(200, 200, 12) rows."""
    raw = np.random.PCG64(np.random.SeedSequence(SEED)).random_raw(SAMPLES * ROWS * len(ITEMS))
    normal = ndtri(((raw >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)
    Lambda = np.zeros((12, 4))
    Lambda[np.arange(12), np.repeat(np.arange(4), 3)] = LOADINGS
    root = np.linalg.cholesky(Lambda @ LATENT @ Lambda.T + np.diag(1 - LOADINGS**2))
    return np.round(normal.reshape(SAMPLES, ROWS, len(ITEMS)) @ root.T, 3)


def main() -> None:
    lines = [",".join(("sample", *ITEMS))]
    for number, rows in enumerate(samples()):
        lines += [f"{number}," + ",".join(f"{x:.3f}" for x in row) for row in rows]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
