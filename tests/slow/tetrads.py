"""How often `csi.cta` rejects a block that has one common factor (familywise), and one that has two.

    python tests/slow/tetrads.py        (about 3 minutes; writes tetrads.csv beside it)

Normal items; five of one factor (loadings .8, or .9 to .5), or two and three of two factors correlated .5. 2,000 panels
(500 of two factors), 500 replicates each, intervals of 95 %. Tabled, not gated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

import csi

HERE = Path(__file__).parent
CASES = {"one factor, equal loadings": 2000, "one factor, unequal loadings": 2000, "two factors": 500}
SIZES = (100, 250)
BATCH, REPLICATES = 100, 500
ITEMS = ["a1", "a2", "a3", "a4", "a5"]


def answers(case: str, n: int, number: int) -> pl.DataFrame:
    """One panel from its own seed."""
    rng = np.random.default_rng([30, list(CASES).index(case), n, number])
    f, g = rng.standard_normal((2, n, 1))
    loadings = np.array([0.9, 0.8, 0.7, 0.6, 0.5]) if "unequal" in case else np.full(5, 0.8)
    common = np.repeat(f, 5, axis=1)
    if case == "two factors":
        common[:, 2:] = 0.5 * f + np.sqrt(0.75) * g
    items = common * loadings + np.sqrt(1 - loadings**2) * rng.standard_normal((n, 5))
    y = f + rng.standard_normal((n, 1))
    return pl.DataFrame(np.hstack([items, y]), schema=[*ITEMS, "y"]).with_columns(panel=pl.lit(f"{number:04d}"))


def rejected(case: str, n: int, samples: int) -> float:
    """Share of panels where some interval leaves 0 out."""
    found = 0
    for first in range(0, samples, BATCH):
        frame = pl.concat([answers(case, n, number) for number in range(first, first + BATCH)])
        est = csi.fit(f"A =~ {' + '.join(ITEMS)}; Y =~ y; Y ~ A", frame, csi.PLS(), by="panel")
        verdicts = csi.cta(est, n=REPLICATES, seed=first, level=0.95).constructs
        found += verdicts.filter(construct="A", verdict="fail").height
    return found / samples


def study(samples: int | None = None) -> pl.DataFrame:
    """One row per case and size."""
    rows = [
        {"case": case, "n": n, "samples": samples or many, "rejected_at_5": rejected(case, n, samples or many)}
        for case, many in CASES.items()
        for n in SIZES
    ]
    return pl.DataFrame(rows)


if __name__ == "__main__":
    made = study()
    made.write_csv(HERE / "tetrads.csv")
    print(made)
