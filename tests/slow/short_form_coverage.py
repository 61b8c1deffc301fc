"""Do the intervals of shorter forms cover, and are held-out numbers honest? 250 answers to eight items.

    python tests/slow/short_form_coverage.py [PANELS]        (about a minute on one core for 400)

What `csi.short_form` tells of forms of four items: answers on ten points of a factor and a smaller second one. "fixed
form": the items are stated by `keep` and `drop`, nothing is chosen. "chosen form": the best four by the corrected
correlation, told by the answers that chose them. "held out": the means over folds, with the width of the interval of
the chosen form around them. Of clusters whole clusters are drawn and held out together. Truth of a form is its worth to
the covariances of a million answers; of forms that differ from panel to panel every panel's distance to its own form's
truth is told, so that truth is 0 and the bias what a choice flatters. Gated: fixed forms (92.5 to 97 %, mean standard
error / Monte Carlo deviation within .95 and 1.05, each with three Monte Carlo errors of 400 panels), and held-out means
within .005 of the truth. Tabled: intervals of what was chosen.
"""

from __future__ import annotations

import sys
from functools import cache, partial

import calibration as cal
import numpy as np
import polars as pl
from panels import Held, Label, Study, Told

import csi
from csi.measures.item_analysis.form_measures import worth_of

ITEMS = [f"q{k}" for k in range(1, 9)]
FIXED = ["q1", "q3", "q5", "q7"]
LOADING = np.array([0.80, 0.75, 0.75, 0.70, 0.70, 0.65, 0.60, 0.50])
SECOND = np.array([0.0, 0.3, 0.0, 0.3, 0.0, 0.3, 0.0, 0.3])
PANELS, WIDTH, OFF = 400, 2 * 1.959964, 0.005
SLACK, RATIO_SLACK = 3 * (0.05 * 0.95 / PANELS) ** 0.5, 3 / (2 * PANELS) ** 0.5
"""Three Monte Carlo errors of a coverage and of a ratio of standard errors."""
SIZE, CLUSTER, ALIKE, MANY, DRAWS = 250, 5, 0.2, 1_000_000, 200
GATED = ("fixed form",)
DISCLOSED = {"short form, 50 clusters: fixed form alpha (percentile)": "400 panels; within three Monte Carlo errors"}


def answers(rng: np.random.Generator, n: int, cluster: int = 1) -> np.ndarray:
    """(n, 8) answers from 1 to 10; people of one cluster share a part of the factor."""
    shared = np.repeat(rng.normal(size=n // cluster), cluster) if cluster > 1 else np.zeros(n)
    share = ALIKE if cluster > 1 else 0.0
    f = np.sqrt(share) * shared + np.sqrt(1 - share) * rng.normal(size=n)
    common = np.outer(f, LOADING) + np.outer(rng.normal(size=n), SECOND)
    z = common + np.sqrt(1 - LOADING**2 - SECOND**2) * rng.normal(size=(n, 8))
    return np.clip(np.round(7 + 1.8 * z), 1, 10)


@cache
def population() -> np.ndarray:
    """(8, 8) covariances of a million answers."""
    return np.cov(answers(np.random.default_rng(1), MANY).T)


def truth_of(items: str) -> tuple[float, float]:
    """Alpha and corrected correlation of a form in the population."""
    form = np.isin(ITEMS, items.split(", "))
    worth = worth_of(population()[None], form[None])
    return float(worth.alpha[0, 0]), float(worth.r[0, 0])


def told(rng: np.random.Generator, cluster: int) -> Told:
    """One set of answers: the stated form, the chosen one, and the chosen one held out."""
    frame = pl.DataFrame(answers(rng, SIZE, cluster), schema=ITEMS).with_columns(c=pl.int_range(pl.len()) // cluster)
    ask = partial(csi.short_form, frame, ITEMS, k=4, replicates=DRAWS, scale=(1, 10), unit="c" if cluster > 1 else None)
    stated = ask(keep=FIXED, drop=[i for i in ITEMS if i not in FIXED]).table.filter(k=4).row(0, named=True)
    chosen = ask().table.filter(k=4).row(0, named=True)
    out = {}
    for name, truth in zip(("alpha", "r"), truth_of(chosen["items"]), strict=True):
        gap = chosen[f"held_{name}"] - chosen[name]
        for kind, row, shift in (
            ("fixed form", stated, 0.0),
            ("chosen form", chosen, -truth),
            ("held out", chosen, gap - truth),
        ):
            value, low, high = (row[c] + shift for c in (name, f"{name}_low", f"{name}_high"))
            out[kind, name] = (value, (high - low) / WIDTH, low, high)
    return out, {}


def studies() -> tuple[Study, ...]:
    """Populations and how they are told."""
    truth: dict[Label, float] = dict(
        zip((("fixed form", "alpha"), ("fixed form", "r")), truth_of(", ".join(FIXED)), strict=True)
    )
    truth |= {(kind, name): 0.0 for kind in ("chosen form", "held out") for name in ("alpha", "r")}
    return (
        Study("short form", partial(told, cluster=1), truth, interval="percentile"),
        Study("short form, 50 clusters", partial(told, cluster=CLUSTER), truth, interval="percentile"),
    )


HELD = Held("short_form", "Shorter forms of a scale", __doc__, GATED, DISCLOSED, studies)
tables, page = HELD.tables, HELD.page


def failures(table: pl.DataFrame) -> list[str]:
    """What misses its gate."""
    gated = table.filter(gate="coverage")
    fine = gated["coverage"].is_between(cal.COVERAGE[0] - SLACK, cal.COVERAGE[1] + SLACK) & gated[
        "se_ratio"
    ].is_between(cal.RATIO[0] - RATIO_SLACK, cal.RATIO[1] + RATIO_SLACK)
    held = table.filter((pl.col("kind") == "held out") & (pl.col("bias").abs() > OFF))
    wrong = pl.concat([gated.filter(~fine), held])
    return [f"{r['study']}: {r['kind']} {r['quantity']}" for r in wrong.iter_rows(named=True)]


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "short_form_coverage", PANELS))
