"""The compiled search and its reading version in numpy find the same values, derivatives and minima."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.residual_size import gfi_normal, squares
from csi.sem import compiled
from csi.sem.implied import Implied
from csi.sem.optimise import minimise
from csi.sem.prepare import prepare
from csi.sem.problem import Problem
from csi.sem.reasons import positive
from csi.sem.solve import problem_for
from csi.sem.starts import starts
from tests.sem.lavaan_cases import CASES, fitted

built = pytest.mark.skipif(not compiled.AVAILABLE, reason="csi.sem.kernel was not compiled in this installation")
ML_OR_GLS = {None, "ML", "MLR", "MLM", "MLMV", "MLMVS", "MLF", "GLS"}
PLAIN = [
    c
    for c in CASES
    if c.settings.get("estimator") in ML_OR_GLS
    and not c.settings.get("ordered")
    and c.settings.get("missing") not in {"fiml", "two-stage"}
]


def problem_of(case):
    """The normal-theory problem of a case, its estimate as working parameters; skips where there is none."""
    est = fitted(case)
    _, problem, _ = problem_for(est.settings, prepare(est.settings, est.model, est.moments))
    if not isinstance(problem, Problem) or not problem.linear.plain:
        pytest.skip("parameters are combined by equations, which is numpy's")
    return problem, est.extra["sem"].theta


@built
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in PLAIN])
def test_value_gradient_and_hessian_are_those_of_numpy(case, exact, monkeypatch):
    problem, theta = problem_of(case)
    rng = np.random.default_rng(3)
    here = theta * (1 + 0.02 * rng.uniform(-1, 1, theta.shape))
    fast = problem.evaluate(here, exact=exact)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    for found, wanted in zip(fast, problem.evaluate(here, exact=exact), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-10 * np.abs(wanted).max())


@built
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in PLAIN])
def test_minimum_is_that_of_numpy(case, monkeypatch):
    problem, theta = problem_of(case)
    if problem.linear.bounded:
        pytest.skip("bounds are numpy's search")
    start = theta * (1 + 0.05 * np.random.default_rng(5).uniform(-1, 1, theta.shape))
    fast = compiled.minimised(problem, start, 200, expected=True)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    none = np.full(start.shape[1], np.inf)
    slow = minimise(problem, start, -none, none)
    assert (fast.settled == slow.settled).all()
    # a drop of the log-likelihood below 1e-12 is a millionth of a standard error
    np.testing.assert_allclose(fast.value, slow.value, rtol=1e-12, atol=1e-12)
    scale = 1 / np.sqrt(0.5 * problem.total[:, None] * np.abs(np.einsum("bii->bi", slow.hessian)))
    assert (np.abs(fast.phi - slow.phi) <= 1e-5 * scale + 1e-9 * np.abs(slow.phi)).all()


@built
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in PLAIN])
def test_implied_moments_are_those_of_numpy(case, monkeypatch):
    problem, theta = problem_of(case)
    fast = problem.implied(theta)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    for found, wanted in zip(fast, problem.implied(theta), strict=True):
        for name in Implied.__slots__:
            value = getattr(wanted, name)
            np.testing.assert_allclose(getattr(found, name), value, rtol=1e-12, atol=1e-12 * np.abs(value).max())


@built
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in CASES if not c.settings.get("ordered")])
def test_starts_are_those_of_numpy(case, monkeypatch):
    fit = fitted(case).extra["sem"]
    covs, means = [g.cov for g in fit.groups], [g.mean for g in fit.groups]
    many = [np.concatenate([cov, 2.0 * cov]) for cov in covs], [np.concatenate([m, -m]) for m in means]
    fast = starts(fit.layout, *many)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = starts(fit.layout, *many)
    np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-12 * np.abs(slow).max())


@built
def test_a_plan_of_starts_that_points_outside_is_refused():
    cov, mean, values = np.eye(2)[None], np.zeros((1, 2)), np.zeros((1, 3))
    for plan in ([1, 1, 1, 0, 9, 0, 0, 0], [1, 1, 1], [0, 0, 0, 0, 1, 7, 0, 0, 0], []):
        with pytest.raises(IndexError, match="outside"):
            compiled.started(np.array(plan, dtype=np.int64), np.ones(3), 3, cov, mean, values)


@built
@pytest.mark.parametrize("p", [1, 4, 19, 43])
def test_inverses_are_those_of_numpy(p):
    rows = np.random.default_rng(p).normal(size=(3, 2 * p + 3, p))
    stack = rows.swapaxes(1, 2) @ rows
    np.testing.assert_allclose(compiled.inverted(stack), np.linalg.inv(stack), rtol=1e-9, atol=1e-12)
    assert compiled.inverted(np.concatenate([stack, -stack])) is None


@built
def test_definiteness_and_determinants_are_those_of_numpy(monkeypatch):
    rng = np.random.default_rng(11)
    good = [np.cov(rng.normal(size=(30, 6)).T) for _ in range(3)]
    same = np.cov(rng.normal(size=(30, 5)).T)[[0, 1, 2, 3, 4, 4]][:, [0, 1, 2, 3, 4, 4]]
    stack = np.stack([*good, same, -good[0], np.diag([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]), 1e-150 * good[1]])
    logdet, sound = compiled.determined(stack)
    np.testing.assert_allclose(logdet[:3], np.linalg.slogdet(stack[:3])[1], rtol=1e-12)
    assert (logdet[4:6] == -np.inf).all()
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    assert (sound == positive(stack)).all()
    assert sound.tolist() == [True, True, True, False, False, False, True]


@built
@pytest.mark.parametrize("means", [False, True])
def test_sums_of_residuals_are_those_of_numpy(means):
    rng = np.random.default_rng(7)
    S, Sigma = (np.stack([np.cov(rng.normal(size=(20, 5)).T) for _ in range(4)]) for _ in range(2))
    m, mu = rng.normal(size=(2, 4, 5))
    given = np.array([False, False, True, False, True])
    sums, parts = compiled.residual_sums(S, m, Sigma, mu, given, means=means)
    np.testing.assert_allclose(sums, squares(S, m, Sigma, mu), rtol=1e-10)
    wanted = gfi_normal(S, m, Sigma, mu, np.linalg.inv(Sigma), given, means=means)
    np.testing.assert_allclose(parts, np.stack(wanted, axis=1), rtol=1e-9)
    assert compiled.residual_sums(S, m, -Sigma, mu, given, means=means) is None


def test_replicates_do_not_depend_on_their_neighbours(population):
    model, frame = population
    est = csi.fit(model, frame, csi.SEM())
    settings = est.settings
    moments = est.moments
    prepared = prepare(settings, est.model, moments)
    _, problem, _ = problem_for(settings, prepared, bare=True)
    cov = moments.cov * ((moments.n - 1) / moments.n)[:, None, None]
    first = starts(prepared.layout, [cov], [moments.mean])
    many = np.concatenate([first, first * 1.02, first])
    whole = problem.take(np.zeros(3, dtype=np.int64))
    none = np.full(many.shape[1], np.inf)
    found = compiled.minimised(whole, many, 200, expected=False) or minimise(whole, many, -none, none, expected=False)
    assert (found.phi[0] == found.phi[2]).all()
    assert found.settled.all()


def test_without_the_compiled_functions_a_fit_is_the_same(population, monkeypatch):
    model, frame = population
    fast = csi.bootstrap(csi.fit(model, frame, csi.SEM()), n=100, seed=4)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = csi.bootstrap(csi.fit(model, frame, csi.SEM()), n=100, seed=4)
    np.testing.assert_allclose(fast.values, slow.values, rtol=1e-9, atol=1e-11)
    free = np.isfinite(slow.std_error)
    np.testing.assert_allclose(fast.std_error[free], slow.std_error[free], rtol=1e-5)


@pytest.fixture
def population():
    """A model of two factors with means and a regression, and rows drawn from it."""

    rng = np.random.default_rng(11)
    f = rng.standard_normal(300)
    g = 0.6 * f + 0.8 * rng.standard_normal(300)
    columns = {f"x{i}": f + 0.7 * rng.standard_normal(300) for i in range(3)}
    columns |= {f"y{i}": g + 0.7 * rng.standard_normal(300) + i for i in range(3)}
    text = "f =~ x0 + x1 + x2\ng =~ y0 + y1 + y2\ng ~ f\nx0 ~ 1"
    return csi.Model.parse(text), pl.DataFrame(columns)


@pytest.mark.parametrize("estimator", ["ML", "GLS"])
def test_any_number_of_groups(estimator, monkeypatch):
    rng = np.random.default_rng(1)
    f = rng.standard_normal(900)
    frame = pl.DataFrame({f"x{i}": f + rng.standard_normal(900) for i in range(4)})
    frame = frame.with_columns(g=pl.Series([str(i % 9) for i in range(900)]))
    settings = csi.SEM(groups="g", estimator=estimator)
    fast = csi.fit("f =~ x0 + x1 + x2 + x3", frame, settings)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = csi.fit("f =~ x0 + x1 + x2 + x3", frame, settings)
    np.testing.assert_allclose(fast.values, slow.values, rtol=1e-8)


@built
def test_places_outside_their_arrays_are_refused(population):
    model, frame = population
    est = csi.fit(model, frame, csi.SEM())
    _, problem, _ = problem_for(est.settings, prepare(est.settings, est.model, est.moments))
    (group,) = compiled._groups(problem)
    far = np.full_like(group[8], 10**9)
    room = (np.empty(1), np.empty((1, 3)), np.empty((1, 3, 3)))
    flags = (1, 0)
    with pytest.raises(IndexError, match="outside"):
        compiled.kernel.evaluate(
            1, 3, ((*group[:8], far, *group[9:]),), problem.share, problem.total, *flags, np.zeros((1, 3)), *room
        )
