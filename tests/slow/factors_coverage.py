"""Do bootstrap intervals of rotated loadings cover? Three factors of four items, n = 300.

    python tests/slow/factors_coverage.py [PANELS]        (about 40 seconds of a core for 100; 200 by default)

Percentile intervals of `csi.efa` with 200 resamples of respondents, factors of a resample put where they stand in the
sample; nominal 95 %. Minres and oblimin of Pearson correlations. Truth is the same solution of the population's
correlations. "apart": factors correlate .3, every item has one loading (.5 to .8). "across": two items also load .3 on
the next factor. Tabled, as loadings are everywhere. The committed table is of 200 panels: the Monte Carlo error of a
coverage is .015, of a ratio .05.
"""

from __future__ import annotations

import sys
from functools import partial

import calibration as cal
import numpy as np
import polars as pl
from panels import Held, Study, Told

import csi
from csi.measures.factors.extraction import extract
from csi.measures.factors.turned import turned

PANELS, SIZE, REPLICATES = 200, 300, 200
ITEMS = [f"{c}{k}" for c in "abc" for k in range(1, 5)]
SCALES = {c.upper(): [i for i in ITEMS if i[0] == c] for c in "abc"}
PHI = np.full((3, 3), 0.3) + 0.7 * np.eye(3)
GATED: tuple[str, ...] = ()
DISCLOSED: dict[str, str] = {}


def loadings(study: str) -> np.ndarray:
    """(12, 3) of the population."""
    L = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))
    if study == "across":
        L[3, 1], L[7, 2] = 0.3, 0.3
    return L


def population(study: str) -> np.ndarray:
    """(12, 12) correlations."""
    L = loadings(study)
    R = L @ PHI @ L.T
    np.fill_diagonal(R, 1.0)
    return R


def label(item: int, factor: int) -> tuple[str, str]:
    """Kind and name of one loading."""
    kind = "main loading" if item // 4 == factor else "side loading"
    return kind, f"{ITEMS[item]} on {'ABC'[factor]}"


SHOWN = [(i, i // 4) for i in range(4)] + [(3, 1), (0, 1), (0, 2), (7, 2)]


def truth(study: str) -> dict[tuple[str, str], float]:
    """The solution of the population, factors in the order of the constructs."""
    L = turned(extract(population(study)[None], 3).loadings, "oblimin").loadings[0]
    order = [int(np.argmax((L[4 * k : 4 * k + 4] ** 2).sum(axis=0))) for k in range(3)]
    return {label(i, f): float(L[i, order[f]]) for i, f in SHOWN}


def tell(study: str, rng: np.random.Generator) -> Told:
    """One panel: loadings with their intervals."""
    x = rng.normal(size=(SIZE, 12)) @ np.linalg.cholesky(population(study)).T
    frame = pl.DataFrame(x, schema=ITEMS)
    found = csi.efa(frame, items=SCALES, kind="pearson", replicates=REPLICATES, seed=int(rng.integers(1, 10**6)))
    factor = {construct: name for name, construct in found.stands_for.items()}
    rows = {(r["item"], r["factor"]): r for r in found.loadings.iter_rows(named=True)}
    told = {}
    for i, f in SHOWN:
        r = rows[ITEMS[i], factor["ABC"[f]]]
        told[label(i, f)] = (r["loading"], r["std_error"], r["conf_low"], r["conf_high"])
    return told, {}


def studies() -> list[Study]:
    """Both populations."""
    return [Study(s, partial(tell, s), truth(s)) for s in ("apart", "across")]


HELD = Held("factors", "Rotated loadings", __doc__, GATED, DISCLOSED, studies)
tables, page, failures = HELD.tables, HELD.page, HELD.failures

if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "factors_coverage", PANELS))
