"""Resampling the resamples: studentised and double intervals."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.inference import nested
from csi.inference.bootstrap import uncertainty
from csi.inference.resample import plan_of
from csi.moments.pearson import moments_under
from csi.moments.sample import sample_of

MODEL = csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x")


def answers(n=60, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 0.5 * x + rng.normal(size=n)
    X = np.round(np.column_stack([x, x, y, y]) * 2 + 0.8 * rng.normal(size=(n, 4)) + 5)
    return pl.DataFrame(X, schema=["x1", "x2", "y1", "y2"])


def mean(moments, solution):
    return moments.mean[:, :1]


@pytest.mark.parametrize("resampling", ["multinomial", "bayesian"])
def test_a_replicate_of_a_mean_has_the_standard_error_of_its_own_rows(monkeypatch, resampling):
    """s* / sqrt(n - 1) of the n - 1 drawn rows; 400 resamples know it within 3.5 % (1 / sqrt(2 * 399))."""
    monkeypatch.setattr(nested, "INNER", 400)
    boot = csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS()), n=100, resampling=resampling)
    measured, _ = boot.replicates.nested(lambda fit: fit.moments.mean[:, :1], boot.moments.mean[:, :1])
    variance = np.array([c[0, 0] for c in boot.replicates.over(lambda m, s: m.cov)[:, 0]])
    n = 60
    expected = np.sqrt(variance * (n - 1) / n / (n - 2))  # plug-in variance of the drawn rows over n - 2
    assert (measured[:, 0, 0] / expected).mean() == pytest.approx(1, abs=0.01)
    assert (measured[:, 0, 0] / expected).std() < 0.06


def test_resamples_of_resamples_keep_the_mean_and_have_its_variance():
    sample = sample_of(answers(), ["x1"])
    plan = plan_of(sample, 250, 3)
    _, drawn = next(plan.blocks())
    within = plan.within(0, drawn[0], 4000)
    np.testing.assert_allclose(within.mean(axis=0), drawn[0], atol=0.12)
    np.testing.assert_allclose(within.sum(axis=1), 60, atol=1e-3)
    assert moments_under(sample, within).mean.std() > 0


def test_studentised_interval_of_a_mean_is_near_the_t_interval():
    data = answers(80)
    boot = csi.bootstrap(csi.fit(MODEL, data, csi.PLS()), n=1000, interval="studentised")
    found = uncertainty(boot, mean)
    half = 1.99 * data["x1"].std() / np.sqrt(80)
    assert found.conf_high[0, 0] - found.conf_low[0, 0] == pytest.approx(2 * half, rel=0.08)


def test_double_interval_of_a_mean_is_wider_than_the_percentile_interval_of_few_rows():
    """Percentile intervals of 12 rows are too short; calibration sees that."""
    est = csi.fit(MODEL, answers(12, seed=4), csi.PLS())
    width = {}
    for kind in ("percentile", "double"):
        found = uncertainty(csi.bootstrap(est, n=500, interval=kind), mean)
        width[kind] = float((found.conf_high - found.conf_low)[0, 0])
    assert width["double"] > 1.05 * width["percentile"]


@pytest.mark.parametrize("kind", ["studentised", "double"])
def test_chunks_and_threads_change_no_bit(monkeypatch, kind):
    est = csi.fit(MODEL, answers(), csi.PLS())
    one = csi.bootstrap(est, n=100, interval=kind)
    monkeypatch.setattr(nested, "SLICES", 150)
    monkeypatch.setattr("csi.inference.replicates.WORKERS", 1)
    two = csi.bootstrap(est, n=100, interval=kind)
    for name in ("conf_low", "conf_high", "p_value"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)


def test_strata_of_few_units_are_refused():
    data = answers().with_columns(s=pl.int_range(60) // 3, id=pl.int_range(60))
    est = csi.fit(MODEL, data, csi.PLS(), unit="id", stratum="s")
    with pytest.raises(Problems, match="at least 5"):
        csi.bootstrap(est, n=100, interval="double")
