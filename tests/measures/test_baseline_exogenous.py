"""The baseline of models with estimated exogenous variables (`fixed_x=False`) against lavaan 0.6-14.

f <- function(m, d = HolzingerSwineford1939, ...) fitMeasures(sem(m, d, fixed.x = FALSE, ...),
  c("chisq", "df", "baseline.chisq", "baseline.df", "cfi", "tli", "baseline.chisq.scaling.factor"))
f("visual =~ x1 + x2 + x3; visual ~ ageyr + sex")                    # estimator = "GLS", "MLM", "MLR", ...
"""

import os
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.measures.baseline_exogenous import correlated, given
from csi.models.syntax.build import parse_claim
from csi.sem.layout import layout_of
from csi.sem.table import Rules, table_of

MIMIC = "visual =~ x1 + x2 + x3; visual ~ ageyr + sex"


@pytest.fixture(scope="module")
def rows():
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    return pl.read_csv(Path(place) / "data" / "holzinger_swineford" / "holzinger_swineford.csv")


def measured(syntax, data, **settings):
    est = csi.fit(csi.Model.parse(syntax), data, csi.SEM(fixed_x=False, **settings))
    return dict(csi.fit_measures(est).table.select("measure", "value").iter_rows())


@pytest.mark.parametrize(
    ("settings", "chi2", "df"),
    [
        ({}, 125.03643, 9),
        ({"meanstructure": True}, 125.03643, 9),
        ({"estimator": "GLS"}, 66.80948, 9),
        ({"estimator": "ULS"}, 220.75609, 9),
        ({"estimator": "WLS"}, 81.69955, 9),
        ({"groups": "school"}, 139.49735, 18),
    ],
    ids=str,
)
def test_estimated_predictors_stay_correlated(rows, settings, chi2, df):
    found = measured(MIMIC, rows, **settings)
    assert found["baseline_df"] == df
    assert found["baseline_chi2"] == pytest.approx(chi2, abs=1e-4)


@pytest.mark.parametrize("more", ["ageyr ~~ sex", "sex ~ ageyr"])
def test_what_a_statement_relates_is_independent_in_the_baseline(rows, more):
    found = measured(f"{MIMIC}; {more}", rows)
    assert found["baseline_df"] == 10
    assert found["baseline_chi2"] == pytest.approx(132.99666, abs=1e-4)


@pytest.mark.parametrize(("estimator", "factor", "scaled"), [("MLM", 1.04954, 119.13420), ("MLR", 1.03281, 121.06382)])
def test_the_scaled_baseline(rows, estimator, factor, scaled):
    found = measured(MIMIC, rows, estimator=estimator)
    assert found["baseline_scaling_factor"] == pytest.approx(factor, abs=1e-4)
    assert found["baseline_chi2_scaled"] == pytest.approx(scaled, abs=1e-3)


def test_the_baseline_of_incomplete_rows(rows):
    # d$x1[1:40] <- NA; d$ageyr[30:60] <- NA; missing = "fiml", estimator = "MLR"
    at = pl.int_range(pl.len())
    gaps = rows.with_columns(
        x1=pl.when(at >= 40).then(pl.col("x1")), ageyr=pl.when((at < 29) | (at >= 60)).then(pl.col("ageyr"))
    )
    found = measured(MIMIC, gaps, missing="fiml", estimator="MLR")
    assert found["baseline_df"] == 9
    assert found["baseline_chi2"] == pytest.approx(108.66776, abs=1e-4)
    assert found["baseline_scaling_factor"] == pytest.approx(1.02582, abs=1e-4)


def test_given_predictors_are_correlated_too():
    claim = parse_claim(MIMIC)
    for fixed in (True, False):
        layout = layout_of(table_of(claim, Rules(fixed_x=fixed)))
        names = layout.table.observed
        assert [names[i] for i in correlated(layout).nonzero()[0]] == ["ageyr", "sex"]
        assert given(layout).any() == fixed
