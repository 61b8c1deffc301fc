"""Robust errors and tests of the Wishart likelihood: B is the mean over the rows, whatever the multiplier of F."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.sem.fitted import fitted

SAVED = json.loads((Path(__file__).parents[1] / "reference/holzinger/wishart_mlr.json").read_text("utf-8"))
MODEL = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9"


@pytest.fixture(scope="module")
def schools():
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    return pl.read_csv(Path(place) / "data/holzinger_swineford/holzinger_swineford.csv")


@pytest.mark.parametrize("case", SAVED["cases"], ids=["one", "groups"])
def test_robust_errors_and_tests_are_those_of_lavaan(schools, case):
    est = csi.fit(MODEL, schools, csi.SEM("MLR", likelihood="wishart", groups=case["groups"]))
    scaled = fitted(est).scaled
    assert scaled.statistic[0] == pytest.approx(case["chisq.scaled"], rel=1e-5)
    assert scaled.factor[0] == pytest.approx(case["chisq.scaling.factor"], rel=1e-5)
    assert csi.fit_measures(est)["baseline.chisq.scaled"] == pytest.approx(case["baseline.chisq.scaled"], rel=1e-5)
    loadings = est.table.filter(pl.col("op") == "=~", pl.col("std_error").is_not_null())["std_error"].to_list()
    assert loadings[:5] == pytest.approx(case["se"], rel=1e-4)
