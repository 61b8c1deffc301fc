"""Missing patterns and saturated moments against lavaan, finite differences and cases solved by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.moments.incomplete import expand, pattern_inverses, places, saturated_information
from csi.moments.patterns import coverage_notes, pattern_rows, patterns_of
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of
from csi.moments.saturated import saturated


def holes(n: int = 80, p: int = 4, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 1)) + rng.normal(size=(n, p)) + np.arange(p)
    X[rng.random((n, p)) < 0.25] = np.nan
    return X[~np.isnan(X).all(axis=1)]


def direct(X: np.ndarray, mu: np.ndarray, Sigma: np.ndarray, w: np.ndarray) -> float:
    """-2 log L row by row, as a textbook writes it."""
    total = 0.0
    for x, weight in zip(X, w, strict=True):
        o = ~np.isnan(x)
        d, S = x[o] - mu[o], Sigma[np.ix_(o, o)]
        total += weight * (o.sum() * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + d @ np.linalg.solve(S, d))
    return total


def test_patterns_are_the_rows_that_answer_the_same() -> None:
    X = holes()
    rows = pattern_rows(X)
    np.testing.assert_array_equal(rows.observed[rows.member], ~np.isnan(X))
    assert len(np.unique(rows.observed, axis=0)) == len(rows.observed)
    assert (np.diff(rows.observed.sum(axis=1)) <= 0).all()
    W = np.random.default_rng(1).integers(0, 4, size=(3, len(X))).astype(float)
    patterns = rows.under(W)
    for j, o in enumerate(rows.observed):
        mine = rows.member == j
        for b in range(3):
            repeated = np.repeat(X[mine], W[b, mine].astype(int), axis=0)[:, o]
            assert patterns.n[b, j] == len(repeated)
            if len(repeated):
                np.testing.assert_allclose(patterns.mean[b, j, o], repeated.mean(0), atol=1e-12)
                np.testing.assert_allclose(
                    patterns.cov[b, j][np.ix_(o, o)], np.cov(repeated.T, ddof=0).reshape(o.sum(), -1), atol=1e-12
                )
        assert not patterns.cov[:, j, ~o].any()
        assert not patterns.mean[:, j, ~o].any()
    np.testing.assert_allclose(rows.under(W[1:2]).cov, patterns.cov[1:2], atol=1e-12)


def test_the_likelihood_is_the_sum_over_rows() -> None:
    X = holes()
    W = np.random.default_rng(2).uniform(0, 2, size=(2, len(X)))
    mu = np.arange(4) + np.array([[0.1], [-0.2]])
    Sigma = np.stack([np.eye(4) + 0.5, 2 * np.eye(4) + 0.1])
    found = expand(patterns_of(X, W), mu, Sigma).value
    assert found[0] == pytest.approx(direct(X, mu[0], Sigma[0], W[0]), rel=1e-12)
    assert found[1] == pytest.approx(direct(X, mu[1], Sigma[1], W[1]), rel=1e-12)


def test_inverses_of_blocks_few_and_many_absent() -> None:
    rng = np.random.default_rng(8)
    A = rng.normal(size=(2, 7, 12))
    Sigma = A @ A.swapaxes(1, 2)
    observed = rng.random((25, 7)) < np.linspace(0.1, 1, 25)[:, None]
    W, logdet = pattern_inverses(Sigma, observed)
    for b in range(2):
        for j, o in enumerate(observed):
            block = Sigma[b][np.ix_(o, o)]
            np.testing.assert_allclose(W[b, j][np.ix_(o, o)], np.linalg.inv(block), rtol=1e-9, atol=1e-12)
            assert logdet[b, j] == pytest.approx(np.linalg.slogdet(block)[1] if o.any() else 0.0, abs=1e-10)
            assert not W[b, j][~o].any()


def test_improper_covariances_have_no_likelihood() -> None:
    X = holes()
    Sigma = np.stack([np.eye(4), np.eye(4) - 0.5])
    value = expand(patterns_of(X, np.ones((2, len(X)))), np.zeros((2, 4)), Sigma).value
    assert np.isfinite(value).tolist() == [True, False]


@pytest.mark.parametrize("observed", [True, False])
def test_information_is_half_the_hessian(observed: bool) -> None:
    X, place = holes(), places(4)
    mu, Sigma = np.arange(4) + np.full((1, 4), 0.3), (1.3 * np.eye(4) + 0.6)[None]
    patterns = patterns_of(X)
    if not observed:  # at rows that fit exactly the observed information is the expected one
        d = np.where(patterns.observed, mu, 0.0)[None]
        both = patterns.observed[:, :, None] & patterns.observed[:, None, :]
        patterns = type(patterns)(patterns.observed, patterns.n, d, np.where(both, Sigma, 0.0)[None])

    def slope(moments: np.ndarray) -> np.ndarray:
        S = np.empty((1, 4, 4))
        S[:, place.row, place.column] = S[:, place.column, place.row] = moments[4:]
        at = expand(patterns, moments[None, :4], S)
        return 0.5 * np.concatenate([at.mean_slope[0], 2 * place.share * at.cov_slope[0, place.row, place.column]])

    here = np.concatenate([mu[0], Sigma[0, place.row, place.column]])
    steps = 1e-5 * np.eye(len(here))
    numeric = np.stack([(slope(here + h) - slope(here - h)) / 2e-5 for h in steps])
    ours = saturated_information(expand(patterns, mu, Sigma), observed=observed)[0]
    np.testing.assert_allclose(ours, numeric, rtol=1e-6, atol=1e-6 * np.abs(ours).max())


def test_complete_rows_need_no_iterations_to_speak_of() -> None:
    X = np.random.default_rng(6).normal(size=(50, 3)) * [1, 10, 1000]
    found = saturated(patterns_of(X))
    np.testing.assert_allclose(found.mean[0], X.mean(0), rtol=1e-10)
    np.testing.assert_allclose(found.cov[0], np.cov(X.T, ddof=0), rtol=1e-9)
    assert found.iterations[0] <= 8


def test_a_monotone_pattern_solved_by_regression() -> None:
    """Anderson (1957): the later item's moments are the regression on the earlier one, carried to all rows."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=60)
    y = 1 + 0.8 * x + rng.normal(size=60)
    y[40:] = np.nan
    slope = np.cov(x[:40], y[:40], ddof=0)[0, 1] / x[:40].var()
    rest = np.var(y[:40] - slope * x[:40])
    found = saturated(patterns_of(np.column_stack([x, y])))
    expected = [[x.var(), slope * x.var()], [slope * x.var(), rest + slope**2 * x.var()]]
    np.testing.assert_allclose(found.cov[0], expected, rtol=1e-11)
    assert found.mean[0, 1] == pytest.approx(y[:40].mean() + slope * (x.mean() - x[:40].mean()), rel=1e-12)


def test_weights_are_repetitions_and_slices_do_not_touch() -> None:
    X = holes(n=120)
    W = np.random.default_rng(5).integers(0, 3, size=(4, len(X))).astype(float)
    together = saturated(patterns_of(X, W))
    assert together.converged.all()
    for b in range(4):
        alone = saturated(patterns_of(np.repeat(X, W[b].astype(int), axis=0)))
        np.testing.assert_allclose(together.cov[b], alone.cov[0], rtol=1e-9, atol=1e-11)
        assert together.loglik[b] == pytest.approx(alone.loglik[0], rel=1e-12)


def test_the_slope_at_the_saturated_moments_is_nil() -> None:
    patterns = patterns_of(holes(n=200, p=6))
    found = saturated(patterns)
    at = expand(patterns, found.mean, found.cov)
    assert np.abs(at.mean_slope).max() < 1e-9
    assert np.abs(at.cov_slope).max() < 1e-9


def test_items_never_answered_together_are_named() -> None:
    X = np.random.default_rng(4).normal(size=(60, 3))
    X[:30, 0] = np.nan
    X[30:, 1] = np.nan
    X[3:, 2] = np.where(np.arange(57) % 20 == 0, 0.0, np.nan)
    notes = coverage_notes(patterns_of(X), ["a", "b", "c"])
    assert [n.code for n in notes] == ["W-COVERAGE", "W-COVERAGE"]
    assert "a and b" in notes[0].say("en")
    assert "b 与 c" in notes[1].say("zh")
    assert np.isfinite(saturated(patterns_of(X), rounds=200).loglik[0])


def test_fewer_rows_than_items_do_not_converge() -> None:
    X = np.random.default_rng(4).normal(size=(5, 6))
    X[0, 0] = np.nan
    found = saturated(patterns_of(X))
    assert not found.converged[0]
    assert found.iterations[0] < 2000


@pytest.fixture(scope="module")
def holzinger() -> tuple[pl.DataFrame, dict]:
    where = os.environ.get("CSI_REFERENCE_DIR")
    if not where:
        pytest.skip("CSI_REFERENCE_DIR is not set: row-level reference data are not part of the package")
    frame = pl.read_csv(
        Path(where) / "data/holzinger_swineford/holzinger_swineford_missing.csv", null_values=["", "NA"]
    )
    return frame, json.loads((Path(where) / "reference/cbsem_hs_fiml.json").read_text(encoding="utf-8"))


def test_saturated_moments_are_lavaans(holzinger) -> None:
    """lavaan's EM stops at a change of 1e-5 or so; its log-likelihood is 3e-8 below ours."""
    frame, reference = holzinger
    sample = sample_of(frame, [f"x{i}" for i in range(1, 10)], missing="fiml")
    rows, weights, _ = moments_of(sample).rows.of(0)
    patterns = patterns_of(rows, weights[None])
    assert len(patterns.observed) == reference["patterns"] == 50
    np.testing.assert_allclose(patterns.coverage[0], reference["coverage"]["values"], atol=1e-12)
    found = saturated(patterns)
    em = reference["em_saturated"]
    np.testing.assert_allclose(found.mean[0], list(em["mean"].values()), atol=1e-6)
    np.testing.assert_allclose(found.cov[0], em["cov"]["values"], atol=1e-5)
    assert found.loglik[0] == pytest.approx(reference["FIML"]["fit"]["unrestricted.logl"], abs=1e-7)
    assert found.loglik[0] >= reference["FIML"]["fit"]["unrestricted.logl"]


def test_saturated_moments_by_group_are_lavaans(holzinger) -> None:
    frame, reference = holzinger
    moments = moments_of(sample_of(frame, [f"x{i}" for i in range(1, 10)], missing="fiml", group="school"))
    record = reference["FIML_multigroup_scalar"]
    assert list(moments.groups) == record["group_label"]
    total = 0.0
    for label, part in zip(moments.groups, moments.parts, strict=True):
        rows, weights, _ = part.rows.of(0)
        found = saturated(patterns_of(rows, weights[None]))
        np.testing.assert_allclose(found.cov[0], record["sampstat"][label]["cov"]["values"], atol=2e-5)
        total += found.loglik[0]
    assert total == pytest.approx(record["fit"]["unrestricted.logl"], abs=1e-6)
