"""Does the bootstrap test of exact fit hold its level where the model is true? `csi.exact_fit`, n = 250.

    python tests/slow/exact_fit_null.py [PANELS]          (make check-slow runs it in full: about 12 minutes of a core)

Normal items, four constructs of three: a leads to b and d, b to y; everything else that the estimated model leaves out
is zero in the population. In each study the population is one that the estimator's model holds in exactly: *PLSc* on
factors (loadings .85, .80, .75); *mode B* on composites of unequal weights; *mode A* and *sum scores* on composites of
equally correlated items with equal weights (with unequal ones mode A's composites are not the population's, and the
model is false). SRMR, d_ULS, d_G, d_ML of the saturated and of the estimated model, 299 replicates.

Gated, as stated before the run: rejections at most alpha + 3 Monte Carlo errors at .01, .05 and .10. There is no lower
gate: the bootstrap is of the null in large samples, and a test that rejects too seldom misleads nobody about fit.
"""

from __future__ import annotations

import sys
from functools import cache, partial

import calibration as cal
import numpy as np
import polars as pl

import csi

TABLES = ("exact_fit_null",)
DRAWS = 299
TEXT = "a =~ a1+a2+a3; b =~ b1+b2+b3; d =~ d1+d2+d3; y =~ y1+y2+y3; b ~ a; d ~ a; y ~ b"
ITEMS = tuple(f"{c}{i}" for c in "abdy" for i in (1, 2, 3))
PATHS = {"b": ("a", 0.5), "d": ("a", 0.4), "y": ("b", 0.6)}
UNEQUAL, EQUAL = (0.6, 0.4, 0.3), (1.0, 1.0, 1.0)
B = dict.fromkeys("abdy", "B")
STUDIES = {
    "PLSc, n = 250": (csi.PLS(consistent=True, tolerance=1e-6), "factors", 250),
    "mode B, n = 250": (csi.PLS(modes=B, tolerance=1e-6), UNEQUAL, 250),
    "mode A, n = 250": (csi.PLS(tolerance=1e-6), EQUAL, 250),
    "sum scores, n = 250": (csi.SumScores(), EQUAL, 250),
}
DISCLOSED: dict[str, str] = {}


@cache
def constructs():
    """(4, 4) correlations of the constructs, by the tracing rules."""
    names = "abdy"
    A = np.zeros((4, 4))
    for y, (x, path) in PATHS.items():
        A[names.index(y), names.index(x)] = path
    T = np.linalg.inv(np.eye(4) - A)
    errors = np.ones(4)
    for j, name in enumerate(names):
        errors[j] = 1.0 - PATHS[name][1] ** 2 if name in PATHS else 1.0
    return T @ np.diag(errors) @ T.T


@cache
def population(kind):
    """(12, 12) item correlations: factors, or composites of weights `kind` whose items correlate .5 within a block."""
    member = np.kron(np.eye(4), np.ones((3, 1)))
    if kind == "factors":
        lam = member * np.tile((0.85, 0.80, 0.75), 4)[:, None]
        R = lam @ constructs() @ lam.T
        np.fill_diagonal(R, 1.0)
        return R
    within = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    weights = np.array(kind) / np.sqrt(np.array(kind) @ within @ np.array(kind))
    lam = member * np.tile(within @ weights, 4)[:, None]
    return np.where(member @ member.T > 0, np.kron(np.eye(4), within), lam @ constructs() @ lam.T)


def one(study, number):
    """(8,) p-values of one panel: saturated, then estimated model."""
    settings, kind, n = STUDIES[study]
    rng = np.random.default_rng([20261124, n, number])
    rows = rng.standard_normal((n, 12)) @ np.linalg.cholesky(population(kind)).T
    est = csi.fit(TEXT, pl.DataFrame(rows, schema=list(ITEMS)), settings)
    return csi.exact_fit(est, n=DRAWS, seed=number).table["p_value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def tables(panels):
    """Rejections of every study, model and distance."""
    rows = []
    for study in STUDIES:
        p = cal.over(partial(one, study), panels)
        names = [f"{model}, {d}" for model in ("saturated", "estimated") for d in ("srmr", "d_uls", "d_g", "d_ml")]
        rows += [cal.null_row(study, f"exact fit, {name}", p[:, j], "at most") for j, name in enumerate(names)]
    return {"exact_fit_null": pl.DataFrame(rows)}


def failures(nulls):
    """What misses a gate and is not disclosed."""
    return cal.failures(cal.missed(None, nulls), DISCLOSED)


def page(nulls):
    """The table as Markdown."""
    return f"""# Level of the bootstrap test of exact fit

Written by `tests/slow/exact_fit_null.py`: {nulls["panels"][0]:,} panels each in which the model is true, {DRAWS}
replicates. Share of p-values at or below .01, .05 and .10, Monte Carlo errors in
brackets. Gated: at most alpha + 3 errors.

{cal.markdown(cal.rates(nulls))}

## Misses of a gate

{cal.disclosed_section(cal.missed(None, nulls), DISCLOSED)}
"""


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "exact_fit_null"))
