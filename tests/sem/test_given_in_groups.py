"""Moments of exogenous observed variables differ over groups whatever `equal=` says; against lavaan 0.6-14."""

from __future__ import annotations

import pytest

import csi
from tests.sem.lavaan_cases import HOLZINGER, frame_of

FACTORS = "visual =~ x1+x2+x3; textual =~ x4+x5+x6; speed =~ x7+x8+x9; visual ~ ageyr + grade; speed ~ visual + ageyr"
PATHS = "x4 ~ x1 + x2; x7 ~ x4 + x1"


# R: sem(model, d, estimator = ..., fixed.x = FALSE, meanstructure = TRUE, group = "school", group.equal = ...);
# chisq, df; its GLS is fixed.x = FALSE by default. 1e-6 relative for lavaan's stop.
@pytest.mark.parametrize(
    ("model", "estimator", "equal", "statistic", "df"),
    [
        (FACTORS, "GLS", ("loadings", "intercepts"), 227.79028982, 94),
        (FACTORS, "ML", ("loadings", "intercepts"), 326.539544295, 94),
        (PATHS, "ML", ("intercepts",), 6.797107998, 4),
        (PATHS, "ML", ("residuals",), 4.244317992, 4),
        (PATHS, "ML", ("residual_covariances",), 4.075629682, 2),
        # a predictor whose covariance is stated is a variable like others
        (PATHS + "; x1 ~~ x2", "ML", ("residuals",), 5.851989686, 6),
    ],
)
def test_equal_parameters_leave_exogenous_moments_free(model, estimator, equal, statistic, df):
    fixed_x = None if estimator == "GLS" else False
    settings = csi.SEM(estimator=estimator, fixed_x=fixed_x, meanstructure=True, groups="school", equal=equal)
    found = csi.fit(csi.Model.parse(model), frame_of("holzinger", HOLZINGER), settings).extra["sem"]
    assert found.df == df
    assert found.test.statistic[0] == pytest.approx(statistic, rel=1e-6)
