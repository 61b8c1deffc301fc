"""Do adjusted p-values keep what they promise over a family? `csi.adjust` on ten paths, six of them zero; n = 250.

    python tests/slow/families.py [PANELS]                 (make check-slow runs it in full: about 2 minutes of a core)

One outcome of ten independent predictors, one normal item each, so that a zero path is zero for every estimator. The
family are the ten two-sided p-values of one bootstrap (999 resamples: percentile, normal, t), of `csi.family` of the
same bootstrap with its percentile intervals, or of the jackknife.

Gated, as stated before the run: the share of panels with any false rejection at most 6 % after Holm, Hochberg,
Bonferroni and Sidak (nominal 5 %); the mean share of false ones among the rejected at most 6 % after Benjamini-Hochberg
and Benjamini-Yekutieli. Unadjusted, for comparison: tabled.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import get_args

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.inference.adjust import Method
from csi.inference.bootstrap import with_errors

TABLES = ("families",)
SIZE, DRAWS, MOST = 250, 999, 0.06
PATHS = np.array([0.0] * 6 + [0.15, 0.2, 0.25, 0.3])
ITEMS = [*(f"x{i}" for i in range(len(PATHS))), "y"]
TEXT = "; ".join([*(f"{i.upper()} =~ {i}" for i in ITEMS), "Y ~ " + " + ".join(i.upper() for i in ITEMS[:-1])])
DRAWN = ("percentile", "normal", "t")
KINDS, METHODS = (*DRAWN, "csi.family", "jackknife t"), ("none", *get_args(Method))
FAR = """A family asks for the far tail, where percentiles of a few hundred rows are a little too near. `csi.family`,
  squares, copula terms and tests of change take t, which holds; percentile p are adjusted only by hand."""
DISCLOSED = dict.fromkeys(("percentile, holm", "percentile, hochberg"), FAR)
FAMILYWISE = ("holm", "hochberg", "bonferroni", "sidak")


def one(number):
    """(kinds, methods, 3): any false rejection, share of false ones among the rejected, share of real ones found."""
    rng = np.random.default_rng([20261129, number])
    X = rng.standard_normal((SIZE, len(PATHS)))
    y = X @ PATHS + np.sqrt(1 - PATHS @ PATHS) * rng.standard_normal(SIZE)
    est = csi.fit(TEXT, pl.DataFrame(np.column_stack([X, y]), schema=ITEMS), csi.SumScores())
    rows = []
    boot = csi.bootstrap(est, n=DRAWS, seed=number)
    made = [with_errors(replace(boot, interval=kind), est.sample) for kind in DRAWN]
    for found in (*made, csi.family(boot, "bonferroni"), csi.jackknife(est)):
        p = found.table.filter(op="~").sort("rhs")["p_value"].to_numpy()
        rows.append([_counted(p if m == "none" else csi.adjust(p, m)) for m in METHODS])
    return np.array(rows)


def _counted(p):
    rejected, zero = p < 0.05, PATHS == 0
    false = (rejected & zero).sum()
    return float(false > 0), false / max(rejected.sum(), 1), rejected[~zero].mean()


def tables(panels):
    """One row per kind of p-value and method."""
    found = cal.over(one, panels)
    rows = []
    for i, kind in enumerate(KINDS):
        for j, method in enumerate(METHODS):
            any_false, share, power = found[:, i, j].mean(axis=0)
            gate = "none" if method == "none" else "any false" if method in FAMILYWISE else "share false"
            row = {"p": kind, "method": method, "any_false": any_false, "share_false": share, "found": power}
            rows.append(row | {"panels": panels, "gate": gate})
    return {"families": pl.DataFrame(rows)}


def missed(found):
    """Place -> what misses its gate there."""
    wrong = {}
    for r in found.iter_rows(named=True):
        rate = {"any false": r["any_false"], "share false": r["share_false"]}.get(r["gate"], 0.0)
        wrong |= {f"{r['p']}, {r['method']}": f"{rate:.4f}"} if rate > MOST else {}
    return wrong


def failures(found):
    """What misses its gate and is not disclosed."""
    return cal.failures(missed(found), DISCLOSED)


def page(found):
    """The table as Markdown."""
    return f"""# False rejections in families of tests

Written by `tests/slow/families.py`: {found["panels"][0]:,} panels, ten paths of which six are zero, n = {SIZE}, {DRAWS}
resamples. `any_false`: share of panels with a false rejection at 5 %; `share_false`: mean share of false ones among the
rejected; `found`: share of the four real paths that are found. Gated: at most {MOST:.2f}.

{cal.markdown(found.drop("panels"), 4)}

## Misses of a gate

{cal.disclosed_section(missed(found), DISCLOSED)}
"""


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "families"))
