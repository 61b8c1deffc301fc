"""Modification indices of solutions at a bound: the bound goes on binding; refits, and numbers of lavaan 0.6-14."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.modification import modification_indices
from csi.measures.score_tests import score_tests

TWO = "f =~ a + b + c; g =~ d + e + h"
SOUND = np.array(
    [
        [1.0, 0.5, 0.45, 0.3, 0.3, 0.25],
        [0.5, 1.0, 0.5, 0.2, 0.2, 0.2],
        [0.45, 0.5, 1.0, 0.25, 0.2, 0.15],
        [0.3, 0.2, 0.25, 1.0, 0.5, 0.4],
        [0.3, 0.2, 0.2, 0.5, 1.0, 0.45],
        [0.25, 0.2, 0.15, 0.4, 0.45, 1.0],
    ]
)
HEYWOOD = SOUND.copy()
HEYWOOD[0, 1:3] = HEYWOOD[1:3, 0] = 0.8  # the residual variance of a stops at 0 (.8 * .8 / .5 > 1)


def data(*covs):
    """One cell per covariance matrix, of 200 rows each."""
    one = csi.Moments.of("abcdeh", covs[0], n=200)
    many = {name: np.repeat(getattr(one, name), len(covs), axis=0) for name in ("n", "sum_w", "sum_w2", "mean")}
    cells = pl.DataFrame({"brand": list("AB")[: len(covs)], "n": [200] * len(covs)})
    return replace(one, **many, cov=np.stack(covs), cells=cells) if len(covs) > 1 else one


def row(table, text):
    lhs, op, rhs = text.split()
    return table.filter(pl.col("lhs") == lhs, pl.col("op") == op, pl.col("rhs") == rhs).row(0, named=True)


# modindices of sem("f =~ a+b+c; g =~ d+e+h; g ~ p*f; p > 0.6", sample.cov = S, sample.nobs = 200), S the matrix SOUND
@pytest.mark.parametrize(
    ("added", "mi", "epc"),
    [
        ("f =~ d", 0.1011770539, -0.03851009683),
        ("f =~ e", 0.8235250313, -0.1480639445),
        ("c ~~ h", 1.189205327, -0.05621209861),
        ("a ~~ b", 0.05881911993, 0.01957533325),
    ],
)
def test_a_stated_bound_that_binds_stays(added, mi, epc):
    est = csi.fit(csi.Model.parse(f"{TWO}; g ~ p*f; p > 0.6"), data(SOUND), csi.SEM())
    found = row(modification_indices(est), added)
    assert (found["mi"], found["epc"]) == pytest.approx((mi, epc), abs=1e-4)


@pytest.mark.parametrize("added", ["f =~ d", "g =~ a", "b ~~ c", "c ~~ h"])
def test_an_index_beside_a_variance_at_0_is_what_a_refit_finds(added):
    settings = csi.SEM(bounds="pos.var")
    est = csi.fit(csi.Model.parse(TWO), data(HEYWOOD), settings)
    assert row(est.table, "a ~~ a")["estimate"] == pytest.approx(0.0, abs=1e-12)
    wider = csi.fit(csi.Model.parse(f"{TWO}; {added}"), data(HEYWOOD), settings)
    found = row(modification_indices(est), added)
    fall = csi.fit_measures(est)["chi2"] - csi.fit_measures(wider)["chi2"]
    assert found["mi"] == pytest.approx(fall, rel=0.2)
    assert found["epc"] == pytest.approx(row(wider.table, added)["estimate"], rel=0.2)


@pytest.mark.parametrize("model", [TWO, f"{TWO}; g ~ p*f; p > 0.6", f"{TWO}; a ~~ v*a; v > 0"])
def test_a_cell_at_a_bound_does_not_touch_the_others(model):
    settings = csi.SEM(bounds="pos.var") if model == TWO else csi.SEM()
    covs = (HEYWOOD, SOUND)
    whole = modification_indices(csi.fit(csi.Model.parse(model), data(*covs), settings))
    for brand, cov in zip("AB", covs, strict=True):
        alone = modification_indices(csi.fit(csi.Model.parse(model), data(cov), settings))
        both = whole.filter(brand=brand).join(alone, on=["lhs", "op", "rhs"], suffix="_alone")
        assert both.height == alone.height
        np.testing.assert_allclose(both["mi"], both["mi_alone"], rtol=1e-5, atol=1e-7)


def test_score_tests_keep_the_bound_too():
    settings = csi.SEM(bounds="pos.var")
    held = csi.fit(csi.Model.parse("f =~ a + l*b + l*c; g =~ d + m*e + m*h"), data(HEYWOOD), settings)
    freed = csi.fit(csi.Model.parse("f =~ a + l*b + l*c; g =~ d + e + h"), data(HEYWOOD), settings)
    found = score_tests(held).table.filter(pl.col("constraint") == "g =~ e == g =~ h")["x2"].item()
    fall = csi.fit_measures(held)["chi2"] - csi.fit_measures(freed)["chi2"]
    assert found == pytest.approx(fall, rel=0.1)
