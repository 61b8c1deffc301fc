"""The likelihood of structured moments from rows with absences: against finite differences and lavaan."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.moments.incomplete import expand, places, saturated_information
from csi.moments.patterns import Patterns, pattern_rows, patterns_of
from csi.moments.saturated import saturated
from csi.moments.stack import RowPass
from csi.sem.fiml import Incomplete, casewise, directions, discrepancy, information, loglik, saturated_directions, terms

U, V = np.array([0, 1, 2, 3, 4, 0]), np.array([0, 1, 2, 3, 4, 4])
S, C = np.array([0.5, 0.5, 0.5, 1.0, 0.5, 0.0]), np.array([0.0, 0.0, 0.0, 0.3, 0.0, 1.0])


def holes(n: int = 90, p: int = 4, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 1)) + rng.normal(size=(n, p))
    X[rng.random((n, p)) < 0.25] = np.nan
    return X[~np.isnan(X).all(axis=1)]


@pytest.fixture
def model() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """mu (2, 4), Sigma (2, 4, 4), K (2, 4, 5): a factor's direction beside the items'."""
    loading = np.array([[0.9, 1.0, 1.1, 0.8], [1.0, 0.7, 1.2, 0.9]])
    Sigma = loading[:, :, None] * loading[:, None, :] + 0.9 * np.eye(4)
    K = np.concatenate([np.broadcast_to(np.eye(4), (2, 4, 4)), loading[:, :, None]], axis=2)
    return np.array([[0.1, 0.0, -0.1, 0.2], [0.0, 0.0, 0.1, 0.0]]), Sigma, K


def along(mu, Sigma, K, step, k):
    """The moments moved along parameter k."""
    u, v = K[:, :, U[k]], K[:, :, V[k]]
    both = u[:, :, None] * v[:, None, :]
    return mu + step * C[k] * u, Sigma + step * S[k] * (both + both.swapaxes(1, 2))


def test_gradient_and_information_by_finite_differences(model) -> None:
    X = holes()
    patterns = patterns_of(X, np.random.default_rng(1).uniform(0.5, 2, size=(2, len(X))))
    value, gradient, H, mean_slope, cov_slope = terms(patterns, *model, U, V, S, C, observed=True)
    h = 1e-5
    for k in range(len(U)):
        up, down = along(*model, h, k), along(*model, -h, k)
        numeric = (discrepancy(patterns, *up)[0] - discrepancy(patterns, *down)[0]) / (2 * h)
        np.testing.assert_allclose(gradient[:, k], numeric, rtol=1e-6, atol=1e-6)
        moved = (along(*model, 1.0, k)[0] - model[0], along(*model, 1.0, k)[1] - model[1])
        chain = (mean_slope * moved[0]).sum(axis=1) + (cov_slope * moved[1]).sum(axis=(1, 2))
        np.testing.assert_allclose(gradient[:, k], chain, rtol=1e-12, atol=1e-10)
        # K is held, so the moments are linear in the parameters and the Hessian is all information
        slopes = [terms(patterns, *at, model[2], U, V, S, C)[1] for at in (up, down)]
        np.testing.assert_allclose(2 * H[:, k], (slopes[0] - slopes[1]) / (2 * h), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(value, -2 * loglik(patterns, *model[:2]), rtol=1e-14)


def test_expected_information_is_the_mean_of_the_observed(model) -> None:
    mu, Sigma, K = (x[:1] for x in model)
    rng = np.random.default_rng(9)
    X = rng.multivariate_normal(mu[0], Sigma[0], size=100_000)
    X[:40_000, 1] = np.nan
    X[20_000:60_000, 3] = np.nan
    patterns = patterns_of(X)
    expected = information(patterns, mu, Sigma, K, U, V, S, C, observed=False)
    observed = information(patterns, mu, Sigma, K, U, V, S, C)
    size = np.sqrt(np.einsum("bi,bj->bij", *[np.einsum("bii->bi", expected)] * 2))
    np.testing.assert_allclose(observed / size, expected / size, atol=0.02)
    scores = casewise(pattern_rows(X), mu[0], Sigma[0], K[0], U, V, S, C)
    np.testing.assert_allclose(scores.T @ scores / size[0], expected[0] / size[0], atol=0.03)


def test_scores_sum_to_the_gradient_and_stand_in_the_rows_order(model) -> None:
    X = holes()
    W = np.random.default_rng(1).uniform(0.5, 2, size=(1, len(X)))
    mu, Sigma, K = (x[:1] for x in model)
    scores = casewise(pattern_rows(X), mu[0], Sigma[0], K[0], U, V, S, C)
    gradient = terms(patterns_of(X, W), mu, Sigma, K, U, V, S, C)[1][0]
    np.testing.assert_allclose(-2 * W[0] @ scores, gradient, rtol=1e-10)
    one = casewise(pattern_rows(X[17:18]), mu[0], Sigma[0], K[0], U, V, S, C)
    np.testing.assert_allclose(scores[17:18], one, rtol=1e-10)


def test_the_moments_as_parameters_and_slices_of_their_own_means(model) -> None:
    mu, Sigma, K = model
    u, v, s, c = saturated_directions(4)
    eye = np.broadcast_to(np.eye(4), (2, 4, 4))
    np.testing.assert_allclose(directions(eye, u, v, s, c), np.broadcast_to(np.eye(14), (2, 14, 14)))
    own = np.stack([C, 2 * C])
    patterns = patterns_of(holes(), np.ones((2, len(holes()))))
    both = information(patterns, mu, Sigma, K, U, V, S, own)
    alone = information(patterns.take(slice(1, 2)), mu[1:], Sigma[1:], K[1:], U, V, S, 2 * C)
    np.testing.assert_allclose(both[1], alone[0], rtol=1e-12)


@pytest.mark.parametrize("limit", [0, 2**25])
def test_slices_of_cells_and_replicates_find_their_rows(monkeypatch, limit: int) -> None:
    monkeypatch.setattr("csi.sem.fiml.READY_BYTES", limit)
    rng = np.random.default_rng(2)
    cells = (holes(50, seed=4), holes(70, seed=5))
    weights = tuple(rng.uniform(0.5, 2, size=(3, len(X))) for X in cells)
    target = Incomplete.of(RowPass(cells, weights, tuple(np.arange(len(X)) for X in cells)))
    mu, Sigma = rng.normal(size=(6, 4)), np.eye(4) + rng.uniform(0.1, 0.5, size=(6, 1, 1))
    alone = np.array(
        [
            discrepancy(patterns_of(cells[s % 2], weights[s % 2][s // 2][None]), mu[s : s + 1], Sigma[s : s + 1])[0][0]
            for s in range(6)
        ]
    )
    np.testing.assert_allclose(target.over(discrepancy, mu, Sigma)[0], alone, rtol=1e-12)
    some = target.take(np.array([5, 1, 2, 4]))
    again = some.take(np.array([2, 0, 1]))
    np.testing.assert_allclose(
        again.over(discrepancy, mu[[2, 5, 1]], Sigma[[2, 5, 1]])[0], alone[[2, 5, 1]], rtol=1e-12
    )
    np.testing.assert_allclose(again.total, [weights[s % 2][s // 2].sum() for s in (2, 5, 1)])


@pytest.fixture(scope="module")
def holzinger() -> tuple[np.ndarray, dict]:
    where = os.environ.get("CSI_REFERENCE_DIR")
    if not where:
        pytest.skip("CSI_REFERENCE_DIR is not set: row-level reference data are not part of the package")
    frame = pl.read_csv(
        Path(where) / "data/holzinger_swineford/holzinger_swineford_missing.csv", null_values=["", "NA"]
    )
    records = json.loads((Path(where) / "reference/cbsem_hs_fiml.json").read_text(encoding="utf-8"))
    return frame.select(f"x{i}" for i in range(1, 10)).cast(pl.Float64).to_numpy(), records


def test_log_likelihoods_are_lavaans(holzinger) -> None:
    """Model-implied moments of the reference (15 digits) give the reference's log-likelihood."""
    X, records = holzinger
    implied = records["FIML"]["implied"]
    mu, Sigma = np.array([list(implied["mean"].values())]), np.array([implied["cov"]["values"]])
    assert loglik(patterns_of(X), mu, Sigma)[0] == pytest.approx(records["FIML"]["fit"]["logl"], abs=1e-8)


class ThreeFactors:
    """Holzinger and Swineford's three factors with three items each: parameters of a reference, moments, K."""

    factor = np.repeat([0, 1, 2], 3)
    free = np.array([i for i in range(9) if i % 3])
    a, b = np.triu_indices(3)
    u = np.concatenate([free, np.arange(9), 9 + a, np.arange(9)])
    v = np.concatenate([12 + factor[free], np.arange(9), 9 + b, np.arange(9)])
    s = np.concatenate([np.ones(6), np.full(9, 0.5), np.where(a == b, 0.5, 1.0), np.zeros(9)])
    c = np.repeat([0.0, 1.0], [21, 9])

    def __init__(self, record: dict) -> None:
        p, names = record["parameters"], ("visual", "textual", "speed")
        rows = {key: at for at, key in enumerate(zip(p["lhs"], p["op"], p["rhs"], strict=True))}
        keys = [(names[self.factor[i]], "=~", f"x{i + 1}") for i in self.free]
        keys += [(f"x{i}", "~~", f"x{i}") for i in range(1, 10)]
        keys += [(names[i], "~~", names[j]) for i, j in zip(self.a, self.b, strict=True)]
        keys += [(f"x{i}", "~1", "") for i in range(1, 10)]
        at = [rows[k] if k in rows else rows[k[2], k[1], k[0]] for k in keys]
        self.theta, self.se = np.array(p["est"])[at], np.array(p["se"])[at]

    def moments(self, theta):
        """mu (1, 9), Sigma (1, 9, 9), K (1, 9, 15)."""
        loading, Phi = np.zeros((9, 3)), np.empty((3, 3))
        loading[np.arange(9), self.factor] = 1.0
        loading[self.free, self.factor[self.free]] = theta[:6]
        Phi[self.a, self.b] = Phi[self.b, self.a] = theta[15:21]
        K = np.hstack([np.eye(9), loading, loading @ Phi])
        return theta[None, 21:], (loading @ Phi @ loading.T + np.diag(theta[6:15]))[None], K[None]

    def gradient(self, patterns, theta):
        return terms(patterns, *self.moments(theta), self.u, self.v, self.s, self.c)[1][0]

    def hessian(self, patterns, h=1e-5):
        """Half the Hessian of -2 log L, by differences of the gradient."""
        steps = h * np.eye(30)
        moved = [self.gradient(patterns, self.theta + e) - self.gradient(patterns, self.theta - e) for e in steps]
        return np.stack(moved) / (4 * h)


def test_errors_and_robust_errors_are_lavaans(holzinger) -> None:
    """Differences of the gradient leave 1e-8 or so; lavaan's own derivatives are analytic."""
    X, records = holzinger
    rows, patterns = pattern_rows(X), patterns_of(X)
    one, robust = ThreeFactors(records["FIML"]), ThreeFactors(records["FIML_MLR"])
    assert np.abs(one.gradient(patterns, one.theta)).max() < 1e-9
    inverse = np.linalg.inv(one.hessian(patterns))
    np.testing.assert_allclose(np.sqrt(np.diag(inverse)), one.se, rtol=1e-6)
    mu, Sigma, K = robust.moments(robust.theta)
    scores = casewise(rows, mu[0], Sigma[0], K[0], one.u, one.v, one.s, one.c)
    sandwich = inverse @ (scores.T @ scores) @ inverse
    np.testing.assert_allclose(np.sqrt(np.diag(sandwich)), robust.se, rtol=1e-6)


def test_the_scaling_factor_of_mlr_is_lavaans(holzinger) -> None:
    """Yuan & Bentler (2000) as Mplus has it: the traces of saturated and restricted sandwiches differ by df c."""
    X, records = holzinger
    rows, patterns, record = pattern_rows(X), patterns_of(X), records["FIML_MLR"]
    model = ThreeFactors(record)
    mu, Sigma, K = model.moments(model.theta)
    scores = casewise(rows, mu[0], Sigma[0], K[0], model.u, model.v, model.s, model.c)
    free = saturated(patterns)
    moments = casewise(rows, free.mean[0], free.cov[0], np.eye(9), *saturated_directions(9))
    H = saturated_information(expand(patterns, free.mean, free.cov))[0]
    traces = [np.trace(np.linalg.solve(A, z.T @ z)) for A, z in ((H, moments), (model.hessian(patterns), scores))]
    assert (traces[0] - traces[1]) / 24 == pytest.approx(record["fit"]["chisq.scaling.factor"], abs=1e-6)


def test_two_stage_errors_are_lavaans(holzinger) -> None:
    """Savalei & Bentler (2009): the moments' own information in the middle. lavaan's EM stops early, hence 1e-4."""
    X, records = holzinger
    patterns, model = patterns_of(X), ThreeFactors(records["two_stage"])
    free = saturated(patterns)
    complete = Patterns(np.ones((1, 9), dtype=bool), np.array([[301.0]]), free.mean[:, None], free.cov[:, None])
    H = saturated_information(expand(complete, free.mean, free.cov))[0]
    middle = np.linalg.inv(saturated_information(expand(patterns, free.mean, free.cov))[0])
    D = directions(model.moments(model.theta)[2], model.u, model.v, model.s, model.c)[0]
    bread = np.linalg.inv(D.T @ H @ D) @ D.T @ H
    np.testing.assert_allclose(np.sqrt(np.diag(bread @ middle @ bread.T)), model.se, rtol=1e-4)


def test_saturated_moments_of_many_items_where_every_row_has_its_own_pattern() -> None:
    """594 moments: Newton steps begin late. The slopes vanish at the end, whatever led there."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(150, 1)) + rng.normal(size=(150, 33))
    X[rng.random(X.shape) < 0.1] = np.nan
    patterns = patterns_of(X)
    assert len(patterns.observed) > 130
    found = saturated(patterns)
    assert found.converged.all()
    at = expand(patterns, found.mean, found.cov)
    assert np.abs(at.mean_slope).max() < 1e-7
    assert np.abs(at.cov_slope).max() < 1e-7
    H = saturated_information(at)[0]
    h, p = 1e-5, 33
    for i, j in ((4, 4), (20, 7)):
        step = np.zeros((1, p, p))
        step[0, i, j] = step[0, j, i] = h
        up, down = (expand(patterns, found.mean, found.cov + sign * step) for sign in (1, -1))
        slope = (up.cov_slope - down.cov_slope)[0] / (2 * h)
        place = places(p)
        column = 0.5 * slope[place.row, place.column] * 2 * place.share
        np.testing.assert_allclose(H[p:, p + place.index[i, j]], column, rtol=1e-5, atol=1e-5)
