"""Items in extreme units: fitted alike while their moments can be held, named in one message where they cannot."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.sem.units import LEAST, MOST

ITEMS = list("abcde")
MODEL = csi.Model.parse("f =~ a + b + c + d + e")


def rows(scale=1.0, n=300):
    rng = np.random.default_rng(4)
    values = 5 + rng.standard_normal((n, 1)) + rng.standard_normal((n, 5))
    return pl.DataFrame(values * scale, schema=ITEMS)


@pytest.mark.parametrize("estimator", ["ML", "GLS", "WLS", "DWLS", "MLM", "MLR"])
@pytest.mark.parametrize("scale", [1e-29, 1e28])
def test_all_units_in_reach_give_the_same_solution(estimator, scale):
    plain = csi.fit(MODEL, rows(), csi.SEM(estimator=estimator))
    other = csi.fit(MODEL, rows(scale), csi.SEM(estimator=estimator))
    assert other.convergence.converged.all()
    assert other.std_all == pytest.approx(plain.std_all, abs=1e-9)
    assert np.isfinite(other.std_error).sum() == np.isfinite(plain.std_error).sum()
    statistic = [e.extra["sem"].test.statistic[0] for e in (plain, other)]
    assert statistic[1] == pytest.approx(statistic[0], rel=1e-7)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-160, 1e-100, 1e-31, 1e32, 1e100, 1e155, 1e200, 1e307])
@pytest.mark.parametrize("settings", [{}, {"estimator": "MLM"}, {"estimator": "WLS"}, {"missing": "fiml"}])
def test_units_out_of_reach_are_one_message(scale, settings):
    with pytest.raises(Problems) as caught:
        csi.fit(MODEL, rows(scale), csi.SEM(**settings))
    (found,) = caught.value.problems
    assert found.code == "E-UNITS"
    assert "a, b, c, d, e" in found.what.en
    assert "power of ten" in found.remedy.en
    assert "换用其他单位" in found.remedy.zh


def test_only_the_items_out_of_reach_are_named():
    frame = rows().with_columns(pl.col("b") * 1e-200, pl.col("d") * 1e90)
    with pytest.raises(Problems) as caught:
        csi.fit(MODEL, frame, csi.SEM())
    (found,) = caught.value.problems
    assert "answers to b, d spread" in found.what.en


def test_a_cell_out_of_reach_sits_out():
    frame = pl.concat([rows().with_columns(cell=pl.lit("1")), rows(1e-100).with_columns(cell=pl.lit("2"))])
    est = csi.fit(MODEL, frame, csi.SEM(), by=["cell"])
    assert est.convergence.converged.tolist() == [True, False]
    assert est.convergence.reasons[1].code == "R-UNITS"
    assert "spread over about" in est.convergence.reasons[1].text.en


def test_an_item_that_does_not_vary_is_still_constant():
    with pytest.raises(Problems) as caught:
        csi.fit(MODEL, rows().with_columns(b=pl.lit(3.0)), csi.SEM())
    assert [p.code for p in caught.value.problems] == ["E-CONSTANT"]


def test_moments_out_of_reach():
    cov = (0.5 * np.eye(5) + 0.5) * 1e-150
    with pytest.raises(Problems, match="out of reach"):
        csi.fit(MODEL, csi.Moments.of(ITEMS, cov, n=100), csi.SEM())
    assert LEAST < 1 < MOST
