from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from csi.errors import Problems
from csi.moments.pearson import moments_of, moments_under
from csi.moments.sample import regroup, sample_of, select


def frame(n: int = 60, seed: int = 2) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.integers(1, 11, size=(n, 3)).astype(float)
    return pl.DataFrame(X, schema=["a", "b", "c"]).with_columns(
        pl.Series("brand", ["p", "q", "q"] * (n // 3)), pl.Series("w", rng.uniform(0.5, 2, n)), id=pl.int_range(n)
    )


def test_unweighted_moments_are_numpys() -> None:
    data = frame()
    moments = moments_of(sample_of(data, ["a", "b", "c"], by=["brand"]))
    for slice_, brand in enumerate(("p", "q")):
        X = data.filter(pl.col("brand") == brand).select("a", "b", "c").to_numpy()
        np.testing.assert_allclose(moments.mean[slice_], X.mean(0), rtol=1e-13)
        np.testing.assert_allclose(moments.cov[slice_], np.cov(X.T), rtol=1e-12)
    assert moments.cells["n"].to_list() == [20, 40]


def test_weighted_moments_are_numpys() -> None:
    data = frame()
    moments = moments_of(sample_of(data, ["a", "b", "c"], weight="w"))
    X, w = data.select("a", "b", "c").to_numpy(), data["w"].to_numpy()
    np.testing.assert_allclose(moments.mean[0], np.average(X, axis=0, weights=w), rtol=1e-6)
    n = len(w)
    expected = np.cov(X.T, aweights=w, ddof=0) * n / (n - 1)
    np.testing.assert_allclose(moments.cov[0], expected, rtol=1e-5)


def test_counting_twice_is_repeating_the_row() -> None:
    data = frame()
    sample = sample_of(data, ["a", "b", "c"], unit="id")
    multiplicity = np.ones((1, 60))
    order = np.unique(data["id"].cast(pl.String).to_numpy().astype(str), return_inverse=True)[1]
    multiplicity[0, order[0]], multiplicity[0, order[1]] = 2, 0
    weighted = moments_under(sample, multiplicity)
    repeated = moments_of(sample_of(pl.concat([data[0:1], data[0:1], data[2:]]), ["a", "b", "c"]))
    np.testing.assert_allclose(weighted.cov, repeated.cov, rtol=1e-12)


def test_pairwise_and_mean_replacement() -> None:
    data = frame().with_columns(a=pl.when(pl.int_range(60) % 7 == 0).then(None).otherwise(pl.col("a")))
    a, b = data["a"].to_numpy(), data["b"].to_numpy()
    both = ~np.isnan(a)
    pairwise = moments_of(sample_of(data, ["a", "b", "c"], missing="pairwise"))
    assert pairwise.cor[0, 0, 1] == pytest.approx(np.corrcoef(a[both], b[both])[0, 1], abs=1e-12)
    filled = np.where(both, a, a[both].mean())
    mean = moments_of(sample_of(data, ["a", "b", "c"], missing="mean"))
    np.testing.assert_allclose(mean.cov[0, :2, :2], np.cov(filled, b), rtol=1e-12)
    listwise = moments_of(sample_of(data, ["a", "b", "c"]))
    assert listwise.n[0] == both.sum()
    assert "listwise" in listwise.notes[0].say("en")


def test_order_of_rows_changes_no_bit() -> None:
    data = frame()
    shuffled = data.sample(fraction=1.0, shuffle=True, seed=4)
    one = moments_of(sample_of(data, ["a", "b", "c"], weight="w", unit="id"))
    two = moments_of(sample_of(shuffled, ["a", "b", "c"], weight="w", unit="id"))
    assert np.array_equal(one.cov, two.cov)


def test_regroup_and_select_keep_units() -> None:
    sample = sample_of(frame(), ["a", "b", "c"], by=["brand"], unit="id")
    pooled = regroup(sample, [])
    assert pooled.cells["n"].to_list() == [60]
    assert np.array_equal(pooled.stratum, sample.stratum)
    one = select(sample, [False, True])
    assert one.cells["brand"].to_list() == ["q"]
    assert one.rows.shape == (40, 3)


def test_all_problems_of_the_columns_at_once() -> None:
    data = frame().with_columns(pl.lit("x").alias("t"))
    with pytest.raises(Problems) as caught:
        sample_of(data, ["a", "t", "bb"], by=["brnd"])
    assert [p.code for p in caught.value.problems] == ["E-TYPE", "E-ROLE", "E-ROLE"]


def test_negative_weights_and_nothing_left() -> None:
    with pytest.raises(Problems, match="positive"):
        sample_of(frame().with_columns(w=pl.lit(-1.0)), ["a"], weight="w")
    with pytest.raises(Problems, match="no row"):
        sample_of(frame(), ["a"], where={"brand": "z"})
    with pytest.raises(Problems, match="type list"):
        sample_of([1, 2], ["a"])


def test_pandas_frames_enter_at_the_door() -> None:
    pandas = pytest.importorskip("pandas")
    data = frame()
    same = pandas.DataFrame({c: data[c].to_list() for c in ("a", "b", "c")})
    assert np.array_equal(moments_of(sample_of(same, ["a", "b"])).cov, moments_of(sample_of(data, ["a", "b"])).cov)
