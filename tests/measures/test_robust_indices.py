"""Robust CFI, TLI and RMSEA of scaled estimators with continuous items, against lavaan and against their formula."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.fit_indices import cfi, tli

CASES = json.loads((Path(__file__).parents[1] / "reference/holzinger/robust_indices.json").read_text("utf-8"))["cases"]
IDS = [f"{c['estimator']}{' with a covariate' * ('ageyr' in c['model'])}" for c in CASES]


def formula(f, c, c0):
    df, df0 = f["df"], f["baseline.df"]
    T, T0 = f["chisq"], f["baseline.chisq"]
    return cfi(T, c * df, T0, c0 * df0).item(), tli(T, df, T0, df0, c, c0).item()


def factors(case):
    """Mean scaling factors; those of the shifted tests are the ones of the same fit with a mean correction."""
    plain = {"WLSMV": "WLSM", "ULSMV": "ULSM"}.get(case["estimator"], case["estimator"])
    (same,) = (c["fit"] for c in CASES if c["estimator"] == plain and c["model"] == case["model"])
    return same["chisq.scaling.factor"], same["baseline.chisq.scaling.factor"]


def away_from_the_formula(case):
    """What lavaan 0.6-14 prints for these is the CFI without any scaling; see `csi.measures.robust_fit.complete`."""
    return case["estimator"] == "WLSM" or (case["estimator"] == "WLSMV" and "ageyr" in case["model"])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_lavaan_prints_the_formula_but_for_wlsm(case):
    found = formula(case["fit"], *factors(case))
    printed = case["fit"]["cfi.robust"], case["fit"]["tli.robust"]
    if away_from_the_formula(case):
        assert printed[0] == pytest.approx(case["fit"]["cfi"], abs=1e-9)
        assert abs(found[0] - printed[0]) > 0.005
    else:
        assert found == pytest.approx(printed, abs=1e-6)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_ours_are_the_formula(case):
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    rows = pl.read_csv(Path(place) / "data/holzinger_swineford/holzinger_swineford.csv", null_values=["", "NA"])
    settings = csi.SEM(estimator=case["estimator"])
    found = csi.fit_measures(csi.fit(csi.Model.parse(case["model"]), rows, settings))
    expected = formula(case["fit"], *factors(case))
    assert (found["cfi.robust"], found["tli.robust"]) == pytest.approx(expected, abs=1e-4)
    for name in ("cfi.scaled", "rmsea.scaled", "rmsea.robust", "chisq.scaled", "baseline.chisq.scaled"):
        assert found[name] == pytest.approx(case["fit"][name], abs=1e-4 * max(1, case["fit"][name])), name


def test_the_scaled_statistic_less_its_degrees_of_freedom_is_noise_under_the_model():
    """T - c df has the mean 0 in a model that holds, and T - df has not: what a robust index is made of."""
    rng = np.random.default_rng(11)
    away = []
    for _ in range(60):
        f = rng.standard_normal((400, 1))
        rows = pl.DataFrame(f * 0.7 + 0.7 * rng.standard_t(6, (400, 6)) / np.sqrt(1.5), schema=list("abcdeh"))
        est = csi.fit(csi.Model.parse("f =~ a + b + c + d + e + h"), rows, csi.SEM(estimator="WLSM"))
        fit = est.extra["sem"]
        away.append((fit.test.statistic[0] - fit.scaled.factor[0] * fit.df, fit.test.statistic[0] - fit.df))
    mean, error = np.mean(away, axis=0), np.std(away, axis=0) / np.sqrt(60)
    assert abs(mean[0]) < 3 * error[0]
    assert mean[1] < -10 * error[1]
