"""What is known of exogenous observed predictors, estimator by estimator, against lavaan 0.6-14.

R, d the 300 rows of HolzingerSwineford1939 with a grade:
    m <- 'visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; visual ~ ageyr + x7; textual ~ ageyr'
    f <- sem(m, d, estimator = ..., ...); fitMeasures(f); parTable(f)$se
lavaan stops at a gradient of about 1e-6, least squares without weights at about 1e-5.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.moments.fourth import gamma
from tests.sem.lavaan_cases import HOLZINGER, frame_of

MODEL = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; visual ~ ageyr + x7; textual ~ ageyr"


def frame() -> pl.DataFrame:
    """The rows with a grade."""
    return frame_of("holzinger", HOLZINGER).filter(pl.col("grade").is_not_null())


LEAST_SQUARES = {
    ("GLS", False): (19, 40.9072326, {"gfi": 0.965796628, "ecvi": 0.263903788}, [0.05961154, 0.05823833, 0.05644071]),
    ("GLS", True): (27, 40.9072326, {"gfi": 0.999404137, "ecvi": 0.317415494}, [0.05961160, 0.05823837, 0.05644075]),
    ("ULS", False): (19, 63.3779407, {"gfi": 0.988949376, "ecvi": 0.339056658}, [0.04178976, 0.03891195, 0.03369359]),
    ("WLS", True): (27, 35.8970776, {"gfi": 0.999580127, "srmr": 0.08087159}, [0.05238822, 0.04896025, 0.05212756]),
    ("DWLS", False): (19, 35.3920929, {"gfi": 0.98148575, "srmr": 0.0590870024}, [0.05247925, 0.05022861, 0.0435933]),
    ("ULSM", True): (
        27,
        63.3779407,
        {"chisq.scaling.factor": 0.962226189, "baseline.chisq.scaling.factor": 1.99351136, "cfi.robust": 0.967544529},
        [0.06616321, 0.06276656, 0.0558773],
    ),
    ("WLSMV", False): (
        19,
        35.3920929,
        {"chisq.scaling.factor": 0.777204563, "baseline.chisq.scaling.factor": 1.64768981, "cfi.robust": 0.955155232},
        [0.0663283, 0.063559, 0.05555804],
    ),
}


@pytest.mark.parametrize(("estimator", "means"), LEAST_SQUARES)
def test_least_squares_estimates_the_moments_of_predictors(estimator, means):
    npar, chi2, measures, errors = LEAST_SQUARES[estimator, means]
    est = csi.fit(csi.Model.parse(MODEL), frame(), csi.SEM(estimator=estimator, meanstructure=means))
    assert est.extra["sem"].npar == npar
    assert est.extra["sem"].df == 17
    assert est.extra["sem"].test.statistic[0] == pytest.approx(chi2, rel=1e-7)
    found = csi.fit_measures(est)
    assert {name: found[name] for name in measures} == pytest.approx(measures, abs=1e-5)
    np.testing.assert_allclose(est.table.filter(op="~")["std_error"], errors, rtol=1e-5)


GIVEN = {  # fixed.x = TRUE, and `grade` in the place of x7
    "GLS": (75.5286352, {"gfi": 0.916693961, "ecvi": 0.359627543}, [0.06088561, 0.1247707, 0.04981935]),
    "ULS": (49.6022201, {"gfi": 0.990692476, "ecvi": 0.272917124}, [0.08284224, 0.2570527, 0.03042359]),
    "WLS": (84.5662852, {"gfi": 0.909240408, "ecvi": 0.389853797}, [0.05593718, 0.1196701, 0.0487116]),
    "DWLS": (80.9304422, {"gfi": 0.950988753, "ecvi": 0.377693787}, [0.0752472, 0.1599143, 0.03071076]),
    "WLSM": (80.9304422, {"chisq.scaling.factor": 0.496590872}, [0.07456289, 0.1593911, 0.05586104]),
    "ULSMV": (
        49.6022201,
        {"chisq.scaling.factor": 0.933203375, "baseline.chisq.scaling.factor": 3.0652832, "cfi.robust": 0.972996068},
        [0.07563278, 0.1638799, 0.05298038],
    ),
    "MLM": (
        76.0341447,
        {"chisq.scaling.factor": 1.01419083, "baseline.chisq.scaling.factor": 1.07143566, "cfi.robust": 0.917267027},
        [0.07110753, 0.1446002, 0.05154841],
    ),
    "MLMV": (
        76.0341447,
        {"chisq.scaling.factor": 1.09413506, "baseline.chisq.scaling.factor": 1.82421963, "rmsea.robust": 0.107368616},
        [0.07110753, 0.1446002, 0.05154841],
    ),
}


@pytest.mark.parametrize("estimator", GIVEN)
def test_given_predictors_bring_no_sampling_of_their_own(estimator):
    chi2, measures, errors = GIVEN[estimator]
    model = csi.Model.parse(MODEL.replace("x7", "grade"))
    est = csi.fit(model, frame(), csi.SEM(estimator=estimator, fixed_x=True))
    assert est.extra["sem"].npar == 16
    assert est.extra["sem"].test.statistic[0] == pytest.approx(chi2, rel=1e-7)
    found = csi.fit_measures(est)
    assert {name: found[name] for name in measures} == pytest.approx(measures, abs=1e-5)
    np.testing.assert_allclose(est.table.filter(op="~")["std_error"], errors, rtol=1e-5)


def test_yuan_bentler_beside_given_predictors():
    # R: sem(m, d, test = "yuan.bentler", se = "robust.huber.white"), `grade` in the place of x7
    model = csi.Model.parse(MODEL.replace("x7", "grade"))
    est = csi.fit(model, frame(), csi.SEM(test="yuan.bentler", se="robust.huber.white"))
    found = csi.fit_measures(est)
    assert found["chisq.scaling.factor"] == pytest.approx(0.980762609, abs=1e-6)
    assert found["baseline.chisq.scaling.factor"] == pytest.approx(1.18872152, abs=1e-6)


def test_scaled_differences_beside_given_predictors():
    # R: f1, f0 with estimator = "MLM", std.lv = TRUE, the second with x1 and x2 equal; lavTestLRT(f1, f0, method = ...)
    text = MODEL.replace("x7", "grade")
    settings = csi.SEM(estimator="MLM", std_lv=True)
    wide, narrow = (
        csi.fit(csi.Model.parse(text.replace("x1 + x2", part)), frame(), settings)
        for part in ("NA*x1 + x2", "NA*x1 + a*x1 + a*x2")
    )
    assert csi.lrt(wide, narrow).table["chi2_diff"][1] == pytest.approx(5.7672448, abs=1e-4)
    assert csi.lrt(wide, narrow, method="satorra2000").table["chi2_diff"][1] == pytest.approx(6.1505226, abs=1e-4)


def test_gamma_of_moments_given_a_predictor():
    # R: lavInspect(sem("visual =~ x1 + x2 + x3; visual ~ ageyr", d, estimator = "MLM"), "gamma"), d all 301 rows
    rows = frame_of("holzinger", HOLZINGER).select("x1", "x2", "x3", "ageyr").to_numpy().astype(float)
    found = gamma(rows, np.ones(len(rows)), means=False, given=[3])
    diagonal = [4.2962, 2.2295, 1.8843, 1.7358, 4.4958, 2.0229, 1.4181, 1.7984, 1.3710, 0.0]
    np.testing.assert_allclose(np.diag(found), diagonal, atol=5e-5)
    assert found[0, 3] == pytest.approx(-0.4642, abs=5e-5)


def test_no_weights_where_a_mean_tells_the_variance():
    model = csi.Model.parse("visual =~ x1 + x2 + x3; visual ~ ageyr + grade")
    with pytest.raises(csi.Problems, match="the same piece of information") as raised:
        csi.fit(model, frame(), csi.SEM(estimator="WLS", meanstructure=True))
    assert [p.code for p in raised.value.problems] == ["E-ADF"]
