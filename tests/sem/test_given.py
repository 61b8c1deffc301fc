"""Exogenous observed predictors, constraints beside observed information, default covariances; against lavaan 0.6-14.

Each number is what the R call in the comment above it prints, on the reference data.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from tests.sem.lavaan_cases import CATS, HOLZINGER, MISSING, frame_of

ORDERED = ("u1", "u2", "u3", "u4")


def with_rows_numbered() -> pl.DataFrame:
    """The categorical data with a covariate of 17 values and one of two."""
    frame = frame_of("datcat", CATS).with_row_index("i")
    return frame.with_columns(z=(pl.col("i") % 17).cast(pl.Float64), two=(pl.col("i") % 2).cast(pl.Float64))


def test_ordinal_items_with_a_covariate_are_modelled_jointly():
    # R: sem("f1 =~ u1 + u2 + u3 + u4; f1 ~ z", d, ordered = paste0("u", 1:4), conditional.x = FALSE, fixed.x = FALSE)
    model = csi.Model.parse("f1 =~ u1 + u2 + u3 + u4; f1 ~ z")
    est = csi.fit(model, with_rows_numbered(), csi.SEM(ordered=ORDERED))
    found = est.extra["sem"]
    assert found.df == 5
    assert found.scaled.statistic[0] == pytest.approx(10.699, abs=5e-4)
    assert "N-X-JOINT" in [n.code for n in est.notes]


def test_a_covariate_of_two_equal_halves_has_no_variance_to_estimate():
    model = csi.Model.parse("f1 =~ u1 + u2 + u3 + u4; f1 ~ two")
    est = csi.fit(model, with_rows_numbered(), csi.SEM(ordered=ORDERED))
    path = est.table.filter(op="~")
    # the probit slope of the same sign and size as the difference of the two halves' latent means
    assert path["std_error"][0] == pytest.approx(0.121, abs=5e-3)
    assert "N-CATEGORIES" not in [n.code for n in est.notes]


def test_rows_without_a_given_predictor_are_left_out():
    # R: sem("x9 ~ x1 + x4; x1 ~ x4 + ageyr", d, missing = "fiml", estimator = "MLR")
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
