"""Do intervals of mediated, total and relative effects cover, and one-sided bounds of HTMT? PLS, n = 250.

    python tests/slow/effects_coverage.py [PANELS]         (make check-slow runs it in full: about 8 minutes of a core)

1. *mediation*: normal items in composites of three with equal weights and correlations, which PLS finds exactly, so
   that zeros of the population are zeros of the estimator. x leads to y directly, by m, by k, and by m and k in a row;
   x -> n -> y is zero in its second arrow, x -> u -> y in both. Specific, total indirect, total effects, f2, R2, and
   the importance and performance of `csi.drivers`.
2. *htmt*: four factors correlated .9, .7 and .3, three items of loading .8 each; two-sided intervals, and the one-sided
   95 % upper bound by which `csi.validity` calls a pair doubtful. `bound_below_90` of the pair whose HTMT is .90 is how
   often it is wrongly called distinct.

Truth is the estimator on the exact moments. 399 resamples; percentile, basic, normal, BC, BCa, jackknife t.

Gated, as stated before the run: paths, total effects, performance (an index), coverage within 92.5 and 97 %, mean
standard error / Monte Carlo standard deviation within .95 and 1.05; rejections of indirect effects that are zero at
most alpha + 3 Monte Carlo errors (they may be conservative). Tabled: specific and total indirect effects, R2, f2,
importance (ratios and products), HTMT.
"""

from __future__ import annotations

import sys
from functools import cache, partial

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.importance.drivers import of_constructs
from csi.inference.leave_out import quantity_acceleration
from csi.measures.effects import along, f2, total_effects
from csi.measures.validity import htmt_of

TABLES = ("effects_coverage", "effects_nulls", "effects_htmt")
SIZE, DRAWS, SCALE = 250, 399, (-8, 8)
DRAWN = ("percentile", "basic", "normal", "bc", "bca")
KINDS = (*DRAWN, "jackknife t")
NAMES = ("x", "m", "k", "n", "u", "s", "y")
TEXT = "; ".join(
    [
        *(f"{c} =~ {c}1 + {c}2 + {c}3" for c in NAMES),
        "m ~ x",
        "k ~ m + x",
        "n ~ x",
        "u ~ x",
        "s ~ u",
        "y ~ x + m + k + n + u",
    ]
)
PATHS = {
    ("m", "x"): 0.4,
    ("k", "m"): 0.4,
    ("k", "x"): 0.2,
    ("n", "x"): 0.4,
    ("u", "x"): 0.0,
    ("s", "u"): 0.5,
    ("y", "x"): 0.2,
    ("y", "m"): 0.2,
    ("y", "k"): 0.4,
    ("y", "n"): 0.0,
    ("y", "u"): 0.0,
}
DRIVERS = ("x", "m", "k", "n")
CHAINS = (("x", "n", "y"), ("x", "u", "y"), ("x", "m", "y"), ("x", "k", "y"), ("x", "m", "k", "y"))
NULLS = ("x -> n -> y (one arrow is zero)", "x -> u -> y (both arrows are zero)")
FACTORS = "pqrv"
FACTOR_TEXT = "; ".join([*(f"{c} =~ {c}1 + {c}2 + {c}3" for c in FACTORS), "q ~ p", "r ~ q", "v ~ r"])
TEXTS = {"mediation": TEXT, "htmt": FACTOR_TEXT}
GATED = ("path", "total", "performance")
DISCLOSED: dict[str, str] = {}


def construct_cor():
    """(7, 7) correlations of the constructs of variance 1, by tracing the arrows."""
    B = np.zeros((len(NAMES), len(NAMES)))
    for (y, x), path in PATHS.items():
        B[NAMES.index(y), NAMES.index(x)] = path
    C = np.eye(len(NAMES))
    for j in range(1, len(NAMES)):
        C[j, :j] = C[:j, j] = B[j, :j] @ C[:j, :j]
    return C


@cache
def population(study):
    """Item names and correlations."""
    if study == "htmt":
        phi = np.array([[1, 0.9, 0.3, 0.3], [0.9, 1, 0.7, 0.3], [0.3, 0.7, 1, 0.7], [0.3, 0.3, 0.7, 1]])
        lam = np.kron(np.eye(4), np.full((3, 1), 0.8))
        R = lam @ phi @ lam.T
        np.fill_diagonal(R, 1.0)
        return [f"{c}{i}" for c in FACTORS for i in (1, 2, 3)], R
    within = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    lam = np.kron(np.eye(len(NAMES)), within @ np.full((3, 1), 1 / np.sqrt(within.sum())))
    R = lam @ construct_cor() @ lam.T
    R[np.kron(np.eye(len(NAMES)), np.ones((3, 3))) > 0] = np.tile(within.ravel(), len(NAMES))
    return [f"{c}{i}" for c in NAMES for i in (1, 2, 3)], R


def settings(tolerance=1e-6):
    return csi.PLS(tolerance=tolerance)


@cache
def truth(study):
    """The estimator on exact moments."""
    names, R = population(study)
    moments = csi.Moments.of(names, R, 10**9, mean=np.zeros(len(names)), scale=SCALE)
    return csi.fit(TEXTS[study], moments, settings(1e-12))


def labels(study):
    """(kind, quantity) in the order of `quantities`; the indirect effects that are zero come first."""
    if study == "htmt":
        return [("htmt", f"{b}, {a}") for i, a in enumerate(FACTORS) for b in FACTORS[i + 1 :]]
    predictors = [x for (y, x) in PATHS if y == "y"]
    return [
        *(("indirect", " -> ".join(c)) for c in CHAINS),
        ("total indirect", "y ~ x"),
        ("total", "y ~ x"),
        ("total", "k ~ x"),
        *(("path", f"{y} ~ {x}") for y, x in PATHS),
        *(("r2", c) for c in ("m", "k", "y")),
        *(("f2", f"y ~ {x}") for x in predictors),
        *(("importance", c) for c in DRIVERS),
        *(("performance", c) for c in DRIVERS),
    ]


def of_mediation(moments, solution):
    """(m, k) effects."""
    at = {c: solution.constructs.index(c) for c in NAMES}
    total = total_effects(solution.paths)
    specific = [along(solution.paths, c, solution.constructs) for c in CHAINS]
    y, x, k = at["y"], at["x"], at["k"]
    totals = [total[:, y, x] - solution.paths[:, y, x], total[:, y, x], total[:, k, x]]
    paths = [solution.paths[:, at[a], at[b]] for a, b in PATHS]
    shares = [solution.r2[:, at[c]] for c in ("m", "k", "y")]
    each = f2(solution.construct_cor, y, [at[b] for a, b in PATHS if a == "y"])
    bounds = moments.minimum, moments.maximum
    shown = of_constructs(moments.mean, moments.sd, bounds, solution, "y")[:, :, [at[c] for c in DRIVERS]]
    parts = (np.stack([*specific, *totals, *paths, *shares], axis=1), each, shown[:, 0], shown[:, 2])
    return np.concatenate(parts, axis=1)


def of_htmt(moments, solution):
    """(m, k) HTMT of the pairs."""
    values = htmt_of()(moments, solution)
    return np.stack([values[:, j, i] for i in range(4) for j in range(i + 1, 4)], axis=1)


QUANTITIES = {"mediation": of_mediation, "htmt": of_htmt}


def one(study, number):
    """One panel: (6, kinds, k), what `csi.validity` gives as upper bounds of HTMT (k), point (k)."""
    names, R = population(study)
    rng = np.random.default_rng([20261126, list(QUANTITIES).index(study), number])
    rows = rng.standard_normal((SIZE, len(names))) @ np.linalg.cholesky(R).T
    est = csi.fit(TEXTS[study], pl.DataFrame(rows, schema=names), settings(), scale=SCALE)
    q = QUANTITIES[study]
    boot = csi.bootstrap(est, n=DRAWS, seed=number)
    draws, a = boot.replicates.over(q), quantity_acceleration(est, est.sample, q)
    found = [cal.told(boot, q, kind, draws, a if kind == "bca" else None) for kind in DRAWN]
    parts = [np.stack([*found, cal.told(csi.jackknife(est), q, "t")], axis=1).ravel()]
    if study == "htmt":
        shown = csi.validity(boot).table.sort("other", "construct")
        parts.append(shown["upper"].to_numpy())
    return np.concatenate([*parts, q(est.moments, est.solution)[0]])


def study_of(study, panels):
    """Rows of coverage, of rejections, and of upper bounds."""
    names, right = labels(study), QUANTITIES[study](truth(study).moments, truth(study).solution)[0]
    k = len(names)
    found = cal.over(partial(one, study), panels)
    told = found[:, : 6 * len(KINDS) * k].reshape(panels, 6, len(KINDS), k)
    rows, nulls = [], []
    for i, kind in enumerate(KINDS):
        rows += cal.coverage_rows(study, names, kind, right, found[:, -k:], told[:, :3, i], GATED)
        some = NULLS if study == "mediation" else ()
        nulls += [cal.null_row(study, f"{n}, {kind}", told[:, 3, i, j], "conservative") for j, n in enumerate(some)]
    return rows, nulls, _upper(names, right, found[:, -2 * k : -k]) if study == "htmt" else []


def _upper(names, right, bound):
    """How often the one-sided upper bound is below the truth (nominal 5 %), and below .90."""
    return [
        {
            "pair": name,
            "truth": right[j],
            "bound_below_truth": (bound[:, j] < right[j]).mean(),
            "bound_below_90": (bound[:, j] < 0.90).mean(),
            "panels": len(bound),
        }
        for j, (_, name) in enumerate(names)
    ]


def tables(panels):
    """Coverage, rejections of zero indirect effects, upper bounds of HTMT."""
    made = [study_of(study, panels) for study in QUANTITIES]
    parts = ([r for part in three for r in part] for three in zip(*made, strict=True))
    return dict(zip(("effects_coverage", "effects_nulls", "effects_htmt"), map(pl.DataFrame, parts), strict=True))


def failures(covered, nulls, _):
    """What misses a gate and is not disclosed."""
    return cal.failures(cal.missed(covered, nulls), DISCLOSED)


def page(covered, nulls, upper):
    """All tables as Markdown."""
    summary = cal.spans(covered)
    near = covered.filter(kind="htmt").select(
        "quantity", "truth", "interval", "se_ratio", "coverage", "truth_below", "truth_above"
    )
    return f"""# Coverage of mediated, total and relative effects, and of HTMT

Written by `tests/slow/effects_coverage.py`: {covered["panels"][0]:,} panels each, n = {SIZE}, {DRAWS} resamples.
Nominal coverage is 95 %. `truth_below`: largest share of intervals that lie above the truth; `truth_above`: below it.
Every row is in `effects_coverage.csv`.

## Gated: coverage .925-.970, SE ratio .95-1.05

{cal.markdown(summary.filter(gate="coverage").drop("gate"))}

## Tabled: products, ratios, bounded

{cal.markdown(summary.filter(gate="tabled").drop("gate"))}

## Rejections of indirect effects that are zero (gated: at most alpha + 3 errors; they may be conservative)

{cal.markdown(cal.rates(nulls))}

## HTMT of factors, every pair

{cal.markdown(near.sort("truth", "quantity", "interval"))}

## The one-sided 95 % upper bound of HTMT (percentile)

{cal.markdown(upper)}

## Misses of a gate

{cal.disclosed_section(cal.missed(covered, nulls), DISCLOSED)}
"""


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "effects_coverage"))
