"""Jackknife standard errors against arithmetic by hand and the design's own variances."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.errors import Problems
from csi.inference.bootstrap import uncertainty

MODEL = csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x")


def answers(n=60, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 0.5 * x + rng.normal(size=n)
    X = np.clip(np.round(np.column_stack([x, x, y, y]) * 2 + 0.8 * rng.normal(size=(n, 4)) + 5), 1, 10)
    return pl.DataFrame(X, schema=["x1", "x2", "y1", "y2"]).with_columns(id=pl.int_range(n))


def mean(moments, solution):
    return moments.mean[:, :1]


def test_a_path_is_refitted_without_each_row():
    data = answers()
    found = csi.jackknife(csi.fit(MODEL, data, csi.PLS()))
    left = np.array([csi.fit(MODEL, data.filter(pl.col("id") != i), csi.PLS()).values[0] for i in range(60)])
    expected = np.sqrt(59 / 60 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(found.std_error[0], expected, rtol=1e-4)  # tolerance 1e-7 of the fixed point
    t = stats.t.ppf(0.975, 59)
    np.testing.assert_allclose(found.conf_high[0], found.values[0] + t * expected, rtol=1e-5)
    p = 2 * stats.t.sf(np.abs(found.values[0] / expected), 59)
    np.testing.assert_allclose(found.p_value[0], p, rtol=1e-2)


def test_a_mean_has_its_textbook_standard_error():
    data = answers()
    found = uncertainty(csi.jackknife(csi.fit(MODEL, data, csi.PLS())), mean)
    assert found.std_error[0, 0] == pytest.approx(data["x1"].std() / np.sqrt(60), rel=1e-9)


def test_strata_and_clusters_have_the_design_variance():
    """A mean over equal clusters: sum_h W_h^2 s_h^2 / n_h of the cluster means."""
    data = answers(120).with_columns(c=pl.int_range(120) // 4, s=pl.int_range(120) // 24)
    found = uncertainty(csi.jackknife(csi.fit(MODEL, data, csi.PLS(), unit="c", stratum="s")), mean)
    clusters = data.group_by("s", "c").agg(pl.col("x1").mean())
    each = clusters.group_by("s").agg(v=pl.col("x1").var() / pl.len())
    expected = np.sqrt((each["v"] / 25).sum())
    assert found.std_error[0, 0] == pytest.approx(expected, rel=1e-6)  # 6/5 is rounded to a multiple of 2^-20


def test_the_index_and_its_differences_have_jackknife_errors():
    data = answers(80).with_columns(brand=pl.when(pl.int_range(80) < 40).then(pl.lit("a")).otherwise(pl.lit("b")))
    est = csi.jackknife(csi.fit(MODEL, data, csi.PLS(), by=["brand"], scale=(1, 10)))
    shares = {"x": {"x1": 0.5, "x2": 0.5}, "y": {"y1": 0.5, "y2": 0.5}}
    table = csi.index(est, weights="given", given=shares).table
    scores = data.with_columns(score=((pl.col("x1") + pl.col("x2")) / 2 - 1) / 9 * 100)
    for brand in "ab":
        expected = scores.filter(brand=brand)["score"].std() / np.sqrt(40)
        assert table.filter(brand=brand, construct="x")["std_error"][0] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(Problems, match="t intervals"):
        csi.index(est, interval="percentile")


def test_nothing_is_random_and_it_says_what_it_is():
    est = csi.fit(MODEL, answers(), csi.PLS())
    one, two = csi.jackknife(est), csi.jackknife(est)
    assert np.array_equal(one.std_error, two.std_error, equal_nan=True)
    assert "jackknife, 60 units" in repr(one)


def test_too_many_refits_are_refused(monkeypatch):
    monkeypatch.setattr("csi.inference.jackknife.MOST", 50)
    with pytest.raises(Problems, match="60 refits"):
        csi.jackknife(csi.fit(MODEL, answers(), csi.PLS()))
