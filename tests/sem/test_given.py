"""Exogenous observed predictors, constraints beside observed information, default covariances; against lavaan 0.6-14.

Each number is what the R call in the comment above it prints, on the reference data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from tests.sem.lavaan_cases import CATS, HOLZINGER, MISSING, frame_of

STUDY = Path(__file__).parents[2] / "data" / "telecom" / "study.yaml"
ORDERED = ("u1", "u2", "u3", "u4")


def with_rows_numbered() -> pl.DataFrame:
    """The categorical data with a covariate of 17 values and one of two."""
    frame = frame_of("datcat", CATS).with_row_index("i")
    return frame.with_columns(z=(pl.col("i") % 17).cast(pl.Float64), two=(pl.col("i") % 2).cast(pl.Float64))


def test_ordinal_items_with_a_covariate_are_modelled_jointly_on_request():
    # R: sem("f1 =~ u1 + u2 + u3 + u4; f1 ~ z", d, ordered = paste0("u", 1:4), conditional.x = FALSE, fixed.x = FALSE)
    model = csi.Model.parse("f1 =~ u1 + u2 + u3 + u4; f1 ~ z")
    est = csi.fit(model, with_rows_numbered(), csi.SEM(ordered=ORDERED, conditional_x=False))
    found = est.extra["sem"]
    assert found.df == 5
    assert found.scaled.statistic[0] == pytest.approx(10.699, abs=5e-4)
    assert "N-X-JOINT" in [n.code for n in est.notes]


def test_a_covariate_of_two_equal_halves_has_no_variance_to_estimate():
    model = csi.Model.parse("f1 =~ u1 + u2 + u3 + u4; f1 ~ two")
    est = csi.fit(model, with_rows_numbered(), csi.SEM(ordered=ORDERED, conditional_x=False))
    path = est.table.filter(op="~")
    # the probit slope of the same sign and size as the difference of the two halves' latent means
    assert path["std_error"][0] == pytest.approx(0.121, abs=5e-3)
    assert "N-CATEGORIES" not in [n.code for n in est.notes]


def test_rows_without_a_given_predictor_are_left_out():
    # in R, sem("x9 ~ x1 + x4; x1 ~ x4 + ageyr", d, missing = "fiml", estimator = "MLR")
    model = csi.Model.parse("x9 ~ x1 + x4; x1 ~ x4 + ageyr")
    est = csi.fit(model, frame_of("holzinger_missing", MISSING), csi.SEM(estimator="MLR", missing="fiml"))
    np.testing.assert_allclose(est.table.filter(op="~")["estimate"], [0.372, 0.075, 0.405, -0.002], atol=5e-4)
    np.testing.assert_allclose(est.table.filter(op="~")["std_error"], [0.063, 0.064, 0.064, 0.068], atol=5e-4)
    assert est.extra["sem"].test.statistic[0] == pytest.approx(2.426, abs=5e-4)
    assert "N-X-ABSENT" in [n.code for n in est.notes]


@pytest.mark.parametrize(
    ("settings", "errors"),
    [
        ({}, [0.05528980, 0.06828746, 0.06546839, 0.05548083]),
        ({"information": "observed"}, [0.05206353, 0.06430275, 0.06498810, 0.05628872]),
        ({"estimator": "MLR"}, [0.04279184, 0.05285145, 0.06571598, 0.06169582]),
    ],
)
def test_information_along_a_nonlinear_constraint(settings, errors):
    # R: cfa("visual =~ x1 + l2*x2 + l3*x3; textual =~ x4 + x5 + x6; l2*l3 == 0.5", d, ...): se of the free loadings
    text = "visual =~ x1 + l2*x2 + l3*x3; textual =~ x4 + x5 + x6; l2*l3 == 0.5"
    est = csi.fit(csi.Model.parse(text), frame_of("holzinger", HOLZINGER), csi.SEM(**settings))
    found = est.table.filter(pl.col("op") == "=~", pl.col("std_error").is_not_null())["std_error"]
    np.testing.assert_allclose(found, errors, rtol=2e-5)  # lavaan stops at a gradient of about 1e-7


def test_observed_variables_that_only_vary_do_not_covary():
    # R: lavaanify("f =~ x1 + x2 + x3; x4 ~~ x4", auto = TRUE) has no row f ~~ x4
    moments = csi.Moments.of(["x1", "x2", "x3", "x4"], 0.3 + 0.7 * np.eye(4), n=100)
    est = csi.fit(csi.Model.parse("f =~ x1 + x2 + x3; x4 ~~ x4"), moments, csi.SEM())
    pairs = est.table.filter(pl.col("op") == "~~", pl.col("lhs") != pl.col("rhs"))
    assert pairs.height == 0


def test_weights_count_over_all_groups():
    # R: cfa("visual =~ x1 + x2 + x3", d, group = "school", group.equal = "loadings", sampling.weights = "w2",
    # R:     estimator = "MLR"), w2 = (1 + ageyr %% 3) * ifelse(school == "Pasteur", 10, 1)
    frame = frame_of("holzinger", HOLZINGER).with_columns(
        w2=(1 + pl.col("ageyr") % 3) * pl.when(pl.col("school") == "Pasteur").then(10).otherwise(1)
    )
    settings = csi.SEM(estimator="MLR", groups="school", equal=("loadings",))
    est = csi.fit(csi.Model.parse("visual =~ x1 + x2 + x3"), frame, settings, weight="w2")
    loadings = est.table.filter(pl.col("op") == "=~")
    np.testing.assert_allclose(loadings["estimate"][1:3], [0.859, 1.302], atol=5e-4)
    np.testing.assert_allclose(loadings["std_error"][1:3], [0.218, 0.400], atol=5e-4)
    assert est.extra["sem"].test.statistic[0] == pytest.approx(0.198, abs=5e-4)
    assert est.extra["sem"].scaled.statistic[0] == pytest.approx(0.465, abs=5e-4)


BOUND = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; textual ~ b*visual; b > 0.8"


def test_a_stated_bound_that_binds_counts_in_standard_errors():
    # in R, sem("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; textual ~ b*visual; b > 0.8", d)
    est = csi.fit(csi.Model.parse(BOUND), frame_of("holzinger", HOLZINGER), csi.SEM())
    free = est.table.filter(pl.col("op") == "=~", pl.col("std_error").is_not_null())["std_error"]
    np.testing.assert_allclose(free, [0.11913413, 0.12431019, 0.05860627, 0.04982827], rtol=5e-5)
    assert est.extra["sem"].test.statistic[0] == pytest.approx(32.365, abs=5e-4)
    assert est.extra["sem"].df == 8


def test_constraints_bind_cell_by_cell():
    frame, settings = frame_of("holzinger", HOLZINGER), csi.SEM()
    together = csi.fit(csi.Model.parse(BOUND), frame, settings, by=["school"])
    for cell, school in enumerate(together.moments.cells["school"]):
        alone = csi.fit(csi.Model.parse(BOUND), frame.filter(pl.col("school") == school), settings)
        np.testing.assert_allclose(together.std_error[cell], alone.std_error[0], rtol=1e-6)


def test_given_variables_stay_out_of_scaled_tests():
    # R: sem("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; visual ~ ageyr; textual ~ ageyr + visual", d,
    # R:     estimator = "MLM"): factor 1.069; lavaan conditions Gamma on x, here x varies, which agrees as n grows
    text = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; visual ~ ageyr; textual ~ ageyr + visual"
    est = csi.fit(csi.Model.parse(text), frame_of("holzinger", HOLZINGER), csi.SEM(estimator="MLM"))
    assert est.extra["sem"].scaled.factor[0] == pytest.approx(1.069, abs=0.01)


def test_one_singular_replicate_does_not_end_a_bootstrap():
    rng = np.random.default_rng(7)
    f = rng.normal(size=80)
    rows = 0.9 * f[:, None] + 0.45 * rng.normal(size=(80, 6))
    frame = pl.DataFrame(rows, schema=[f"y{i}" for i in range(6)])
    model = csi.Model.parse("f =~ y0 + y1 + y2; g =~ y3 + y4 + y5")
    boot = csi.bootstrap(csi.fit(model, frame, csi.SEM(bounds="pos.var")), n=300, seed=3)
    assert boot.replicates.usable.mean() > 0.5


def test_a_bound_that_binds_has_no_standard_error():
    est = csi.fit(csi.Model.parse(BOUND), frame_of("holzinger", HOLZINGER), csi.SEM())
    row = est.table.filter(pl.col("label") == "b")
    assert row.select("std_error", "p_value", "conf_low").row(0) == (None, None, None)


def test_a_panel_takes_the_design_that_is_named():
    panel = csi.Study.read(STUDY).panel()
    here, model = {"wave": "2026Q3"}, csi.Model.parse("sat =~ sat1 + sat2 + sat3")
    plain = csi.fit(model, panel, csi.SEM(estimator="MLR"), where=here)
    by_stage = csi.fit(model, panel, csi.SEM(estimator="MLR"), where=here, unit="stage")
    assert not np.allclose(plain.std_error, by_stage.std_error, equal_nan=True)
    with pytest.raises(csi.Problems, match="nope"):
        csi.fit(model, panel, csi.SEM(), where=here, weight="nope")
