"""Analytic gradients and Hessians against finite differences along random directions, for every model the tests fit."""

from __future__ import annotations

import numpy as np
import pytest

from csi.sem.full_information import FullInformation
from csi.sem.ordinal_vectors import thresholds_of
from csi.sem.prepare import prepare
from csi.sem.problem import Problem
from csi.sem.solve import problem_for
from tests.sem.lavaan_cases import CASES, fitted

STEP = 1e-5


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in CASES])
def test_gradient_and_hessian_are_those_of_finite_differences(case):
    est = fitted(case)
    settings, moments = est.settings, est.moments
    ordered = thresholds_of(settings, est.model, moments) if settings.ordered else ()
    _, problem, _ = problem_for(settings, prepare(settings, est.model, moments, ordered))
    rng = np.random.default_rng(3)
    # away from the optimum, where the gradient is not 0
    here = problem.linear.phi(est.extra["sem"].theta)
    here = here * (1 + 0.02 * rng.uniform(-1, 1, here.shape))
    _, slope, _ = problem.evaluate(here)
    along = rng.uniform(-1, 1, (4, here.shape[1])) * (np.abs(here) + 0.1)
    for direction in along:
        ahead, behind = (problem.evaluate(here + sign * STEP * direction) for sign in (1, -1))
        rise = (ahead[0][0] - behind[0][0]) / (2 * STEP)
        assert slope[0] @ direction == pytest.approx(rise, rel=1e-5, abs=1e-7 * np.abs(slope[0] * direction).sum())
        if isinstance(problem, Problem | FullInformation):
            exact = problem.evaluate(here, exact=True)[2][0]
            turn = (ahead[1][0] - behind[1][0]) / (2 * STEP)
            np.testing.assert_allclose(exact @ direction, turn, rtol=1e-5, atol=1e-6 * np.abs(turn).max())
