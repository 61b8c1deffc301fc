"""Moments by EM: a closed form, the rows' order, composites on them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.moments.expectation import em_moments
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of


@pytest.fixture
def monotone():
    """x answered by all, y by the first 60 of 100 rows."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal(100)
    y = 0.7 * x + 0.5 * rng.standard_normal(100)
    rows = np.stack([x, y], axis=1)
    rows[60:, 1] = np.nan
    return rows


def test_monotone_absences_have_a_closed_form(monotone):
    # Anderson (1957), JASA 52:200-203: y is regressed on x where both are answered, then x's own moments are put in
    mean, cov = em_moments(monotone, np.ones((1, 100)))
    both = monotone[:60]
    S = np.cov(both.T, bias=True)
    slope = S[0, 1] / S[0, 0]
    mu_x, var_x = monotone[:, 0].mean(), monotone[:, 0].var()
    assert mean[0] == pytest.approx([mu_x, both[:, 1].mean() + slope * (mu_x - both[:, 0].mean())], abs=1e-9)
    residual = S[1, 1] - slope * S[0, 1]
    wanted = [[var_x, slope * var_x], [slope * var_x, residual + slope**2 * var_x]]
    np.testing.assert_allclose(cov[0], wanted, atol=1e-9)


def test_weights_count_rows(monotone):
    weight = np.random.default_rng(1).integers(1, 4, 100).astype(float)
    mean, cov = em_moments(monotone, weight[None])
    again = em_moments(np.repeat(monotone, weight.astype(int), axis=0), np.ones((1, int(weight.sum()))))
    np.testing.assert_allclose(mean, again[0], atol=1e-9)
    np.testing.assert_allclose(cov, again[1], atol=1e-9)


def test_items_never_answered_together_have_no_moments():
    rows = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 3.0], [np.nan, 5.0], [np.nan, 4.0]])
    mean, cov = em_moments(rows, np.ones((1, 5)))
    # the likelihood is flat in the covariance, so there is none
    assert np.isfinite(mean).all()
    assert np.isfinite(cov[0]).tolist() == [[True, False], [False, True]]


def test_a_sample_treated_by_em_has_the_moments_of_complete_rows_where_nothing_is_absent():
    frame = pl.DataFrame(np.random.default_rng(2).standard_normal((50, 3)), schema=["a", "b", "c"])
    whole = moments_of(sample_of(frame, ["a", "b", "c"], missing="em"))
    assert (whole.cov == moments_of(sample_of(frame, ["a", "b", "c"])).cov).all()


@pytest.mark.parametrize("estimator", [csi.PLS(missing="em"), csi.PLS(missing="em", consistent=True)])
def test_composites_and_their_bootstrap_rest_on_em_moments(monotone, estimator):
    rng = np.random.default_rng(3)
    frame = pl.DataFrame(
        {"x1": monotone[:, 0], "y1": monotone[:, 1], "x2": monotone[:, 0] + rng.standard_normal(100)}
    ).fill_nan(None)
    frame = frame.with_columns(y2=pl.col("x1") * 0.5 + rng.standard_normal(100))
    model = csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x")
    est = csi.fit(model, frame, estimator, scale=(-5, 5))
    at = [est.moments.names.index(n) for n in ("x1", "y1")]
    rows = frame.select("x1", "x2", "y1", "y2").to_numpy()
    mean, cov = em_moments(rows, np.ones((1, 100)))
    np.testing.assert_allclose(est.moments.mean[0, at], mean[0, [0, 2]], atol=1e-9)
    np.testing.assert_allclose(est.moments.cov[0], cov[0] * 100 / 99, atol=1e-9)
    boot = csi.bootstrap(est, n=120, seed=2)
    shuffled = csi.bootstrap(csi.fit(model, frame.sample(fraction=1, shuffle=True, seed=5), estimator), n=120, seed=2)
    np.testing.assert_array_equal(boot.std_error, shuffled.std_error)
    assert (csi.index(boot).table["std_error"] > 0).all()


def test_an_item_that_nobody_answered_in_a_cell_has_no_index_there():
    rng = np.random.default_rng(4)
    f = rng.standard_normal(160)
    frame = pl.DataFrame({n: 5 + f + rng.standard_normal(160) for n in ("x1", "x2", "y1", "y2")})
    frame = frame.with_columns(g=pl.Series(["a", "b"] * 80), hole=pl.int_range(160) % 5 == 0)
    frame = frame.with_columns(
        x1=pl.when(pl.col("g") == "b").then(None).otherwise("x1"), y2=pl.when("hole").then(None).otherwise("y2")
    )
    model = csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x")
    for settings in (csi.PLS(missing="em"), csi.SumScores(missing="em"), csi.GSCA(missing="em")):
        est = csi.fit(model, frame, settings, by="g", scale=(0, 10))
        assert est.convergence.converged.tolist() == [True, False]
        assert "x1" in est.convergence.reasons[1].text.en
        assert csi.index(est).table.filter(g="b", construct="x")["index"].item() is None
    with pytest.raises(csi.Problems, match="nobody answered x1"):
        csi.impute(frame.drop("hole"), m=2, by="g")
