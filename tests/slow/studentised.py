"""Are studentised tests conservative? The same test with better and better errors of the replicates.

    python tests/slow/studentised.py [PANELS]              (make check-slow runs it in full: about 6 minutes of a core)

`inference_coverage.md` shows the studentised bootstrap (200 resamples, 50 resamples of each) rejecting a zero path in
3.9 % of 2,000 panels, below the 4 % that other tests are held to. Candidates: the noise of standard errors from 50
resamples, the few outer resamples, or the method itself. Here one standardised slope of two predictors, which is zero
(three normal variables, n = 250), small enough to take many resamples of each resample: errors from 50 and from 100,
and from the slope's influence function (no noise), with 200 and with 999 outer resamples; beside them the percentile
and the normal test of the same resamples.

Not gated: it measures a method. Paired: all rows are of the same panels.
"""

from __future__ import annotations

import sys

import calibration as cal
import numpy as np
import polars as pl

from csi.inference.draws import standard_error
from csi.inference.intervals import Evidence, curve_of, limits, p_of
from csi.inference.resample import Plan

TABLES = ("studentised",)
SIZE, FEW, MANY, INNER = 250, 200, 999, 100
WAYS = (
    "percentile, 200",
    "normal, 200",
    "studentised, 200 of 50",
    "studentised, 200 of 100",
    "studentised, 200, influence",
    "percentile, 999",
    "normal, 999",
    "studentised, 999, influence",
)


def slopes(W, X):
    """(m,) standardised slope of the second predictor under weights (m, n); X (n, 3): outcome, predictors."""
    c = _correlations(W, X)
    r1, r2, c12 = c[:, 0, 1], c[:, 0, 2], c[:, 1, 2]
    return (r2 - r1 * c12) / (1 - c12**2)


def _correlations(W, X):
    w = W / W.sum(axis=1, keepdims=True)
    mean = w @ X
    second = (w @ (X[:, :, None] * X[:, None, :]).reshape(len(X), 9)).reshape(-1, 3, 3)
    cov = second - mean[:, :, None] * mean[:, None, :]
    sd = np.sqrt(np.einsum("mii->mi", cov))
    return cov / (sd[:, :, None] * sd[:, None, :])


def errors(W, X):
    """(m,) standard errors of `slopes` by their influence functions, each replicate in its own distribution."""
    w = W / W.sum(axis=1, keepdims=True)
    mean = w @ X
    sd = np.sqrt(w @ X**2 - mean**2)
    y, a, b = (((X[:, i] - mean[:, [i]]) / sd[:, [i]]) for i in range(3))
    r1, r2, c = ((w * u).sum(axis=1)[:, None] for u in (y * a, y * b, a * b))

    def of(u, v, r):
        return u * v - r * (u**2 + v**2) / 2

    rest = 1 - c**2
    influence = of(y, b, r2) / rest - c / rest * of(y, a, r1)
    influence += (-r1 * rest + 2 * c * (r2 - r1 * c)) / rest**2 * of(a, b, c)
    return np.sqrt((w * influence**2).sum(axis=1) / (len(X) - 1))


def one(number):
    """(ways, 5): p-values of both sides and of each, and whether each limit is beyond zero."""
    rng = np.random.default_rng([20261127, number])
    first, second, e = rng.standard_normal((3, SIZE))
    X = np.column_stack([0.45 * first + np.sqrt(1 - 0.45**2) * e, first, second])
    value = slopes(np.ones((1, SIZE)), X)
    plan = Plan(np.zeros(SIZE, dtype=np.int64), MANY, number)
    W = np.concatenate([drawn for _, drawn in plan.blocks()])
    draws = slopes(W, X)[:, None]
    nested = np.empty((2, FEW))
    for r in range(FEW):
        own = slopes(plan.within(r, W[r], INNER), X)
        nested[:, r] = [own[:m].std(ddof=1) * np.sqrt((m - 1) / (m - 3)) for m in (50, INNER)]
    by_influence = errors(W, X)[:, None]
    evidence = {}
    for many in (FEW, MANY):
        d = draws[:many]
        kept = Evidence(value, standard_error(d), d)
        evidence[f"percentile, {many}"] = ("percentile", kept)
        evidence[f"normal, {many}"] = ("normal", kept)
        with_errors = Evidence(value, standard_error(d), d, errors=by_influence[:many])
        evidence[f"studentised, {many}, influence"] = ("studentised", with_errors)
    for m, found in zip((50, INNER), nested, strict=True):
        d = draws[:FEW]
        of = Evidence(value, standard_error(d), d, errors=found[:, None])
        evidence[f"studentised, {FEW} of {m}"] = ("studentised", of)
    rows = []
    for way in WAYS:
        curve = curve_of(*evidence[way])
        low, high = limits(curve, 0.95)
        p = [p_of(curve, side)[0] for side in cal.SIDES]
        rows.append([*p, float(low[0] > 0), float(high[0] < 0)])
    return np.array(rows)


def tables(panels):
    """Rejections by each way."""
    found = cal.over(one, panels)
    rows = []
    for i, way in enumerate(WAYS):
        p = found[:, i]
        at = {f"at_{round(100 * a)}": (p[:, 0] < a).mean() for a in cal.ALPHAS}
        sides = {f"{side}_at_5": (p[:, j] < 0.05).mean() for j, side in enumerate(cal.SIDES) if j}
        rows.append(
            {"way": way, **at, **sides, "truth_below": p[:, 3].mean(), "truth_above": p[:, 4].mean(), "panels": panels}
        )
    return {"studentised": pl.DataFrame(rows)}


def page(found):
    """The table as Markdown."""
    error = np.sqrt(0.05 * 0.95 / found["panels"][0])
    return f"""# Are studentised tests conservative?

Written by `tests/slow/studentised.py`: {found["panels"][0]:,} panels, n = {SIZE}, the same in every row. Share of
p-values below .01, .05 and .10, one-sided at .05, and of 95 % intervals above and below the truth, which is zero. Monte
Carlo error at 5 %: {error:.4f}. Not gated.

{cal.markdown(found.drop("panels"), 4)}

Errors of replicates from 100 resamples, or without any noise, change the rate by .002 or less, so more inner resamples
would not help; more outer ones (999) bring percentile, normal and studentised tests 0.3 to 1.0 points down. On the same
resamples the studentised test rejects 0.7 to 1.4 points less than percentile and normal tests and lies nearest to the
nominal level here. The .039 of `inference_coverage.md` is on panels where the normal test rejects .045 and the
jackknife's .0435: mostly the draw of those panels, and no reason was found to change the method.
"""


def failures(_):
    """Nothing is gated."""
    return []


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "studentised"))
