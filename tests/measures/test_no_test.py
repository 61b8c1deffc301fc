"""Tests that do not exist: a scaling factor that is not positive, models that are not nested."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.sem.robust import scaled_test, yuan_bentler

HS3 = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


@pytest.fixture(scope="module")
def schools() -> pl.DataFrame:
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: these models need the rows")
    return pl.read_csv(Path(place) / "data/holzinger_swineford/holzinger_swineford.csv")


def test_a_factor_that_is_not_positive_has_no_statistic() -> None:
    found = yuan_bentler("yuan.bentler.mplus", 11.8, 2, 5.0, 5.4, 14, 8)
    assert found.factor[0] == pytest.approx(-0.2)
    assert np.isnan([found.statistic[0], found.p_value[0]]).all()
    assert np.isnan(scaled_test("satorra.bentler", 11.8, 2, -0.4, 1.0).statistic[0])
    assert yuan_bentler("yuan.bentler.mplus", 11.8, 2, 5.4, 5.0, 14, 8).statistic[0] == pytest.approx(59.0)


def test_no_scaled_fit_where_the_factor_is_negative(schools) -> None:
    """lavaan 0.6-14 (cluster = "school"): chisq 11.798; scaled chi-square, p, CFI, TLI and robust indices NA."""
    est = csi.fit("f =~ x1 + x2 + x3 + x4", schools, csi.SEM("MLR"), unit="school")
    found = csi.fit_measures(est)
    assert found["chi2"] == pytest.approx(11.798, abs=5e-4)
    reasons = dict(found.table.select("measure", "reason").iter_rows())
    for name in ("chi2", "p_value", "cfi", "tli", "rmsea", "rmsea_conf_high"):
        assert reasons[f"{name}_scaled"] == "negative_factor", name
    for name in ("cfi", "tli", "rmsea", "rmsea_conf_high"):
        assert reasons[f"{name}_robust"] == "negative_factor", name
    assert "校正因子非正" in found.why["negative_factor"].say("zh")
    assert "yuan.bentler.mplus -, df 2, p -" in str(est)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_models_that_are_not_nested_have_no_p(schools, estimator) -> None:
    narrow = csi.fit(f"{HS3}\nx1 ~~ x4", schools, csi.SEM(estimator))
    wide = csi.fit(f"{HS3}\nx2 ~~ x5\nx3 ~~ x6", schools, csi.SEM(estimator))
    found = csi.lrt(narrow, wide)
    row = found.table.row(1, named=True)
    assert row["chi2_diff"] < 0
    assert (row["p_value"], row["rmsea"], row["reason"]) == (None, None, "R-NOT-NESTED")
    assert "not nested" in str(found)
    assert "并非嵌套" in found.reasons["R-NOT-NESTED"].say("zh")


def test_a_restriction_that_holds_exactly_has_a_p() -> None:
    data = csi.Moments.of("abcd", 0.5 * np.eye(4) + 0.5, n=300)
    free, held = (csi.fit(f"f =~ a + {x} + d", data, csi.SEM()) for x in ("b + c", "l*b + l*c"))
    row = csi.lrt(free, held).table.row(1, named=True)
    assert row["p_value"] == pytest.approx(1.0)
    assert row["reason"] is None
