"""Every estimator keeps the same contract; a new one is added to `ESTIMATORS` and must pass unchanged."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

ESTIMATORS = [
    csi.PLS(),
    csi.PLS(weighting="factorial"),
    csi.PLS(weighting="centroid"),
    csi.PLS(consistent=True),
    csi.PLS(consistent=True, modes={"image": "B"}, weighting="factorial"),
    csi.SumScores(),
    csi.SumScores(weights="pca"),
    csi.GSCA(),
    csi.Semopy(),
    csi.SEM(),
    csi.SEM(estimator="MLR", missing="fiml"),
]
MODEL = csi.Model.parse(
    "image =~ i1 + i2 + i3\nsatisfaction =~ s1 + s2 + s3\nloyalty =~ l1 + l2 + l3\n"
    "satisfaction ~ image\nloyalty ~ image + satisfaction"
)
PARAMETERS = ["lhs", "op", "rhs", "group", "label", "estimate", "std_error", "statistic", "p_value", "conf_low"]


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(11)
    image = rng.normal(size=300)
    satisfaction = 0.6 * image + 0.8 * rng.normal(size=300)
    loyalty = 0.2 * image + 0.5 * satisfaction + 0.8 * rng.normal(size=300)
    blocks = np.repeat(np.column_stack([image, satisfaction, loyalty]), 3, axis=1)
    answers = np.clip(np.round(6 + 1.6 * blocks + 0.9 * rng.normal(size=blocks.shape)), 1, 10)
    names = [f"{c}{k}" for c in "isl" for k in (1, 2, 3)]
    return pl.DataFrame(answers, schema=names).with_columns(
        brand=pl.Series(["a", "b", "c"] * 100), id=pl.int_range(300)
    )


@pytest.fixture(params=ESTIMATORS, ids=lambda e: e.name)
def estimator(request):
    return request.param


def test_table_is_tidy_and_complete(estimator, frame) -> None:
    table = csi.fit(MODEL, frame, estimator).table
    assert table.columns[:10] == PARAMETERS
    paths = table.filter(pl.col("op") == "~")
    assert set(zip(paths["lhs"], paths["rhs"], strict=True)) == {
        ("satisfaction", "image"),
        ("loyalty", "image"),
        ("loyalty", "satisfaction"),
    }
    assert table["estimate"].null_count() == 0


def test_it_says_what_it_takes_from_the_data(estimator, frame) -> None:
    assert set(MODEL.items) <= set(estimator.needs(MODEL)) <= set(frame.columns)
    assert estimator.groups is None or estimator.groups in frame.columns


def test_arrays_have_the_stated_shapes(estimator, frame) -> None:
    estimate = csi.fit(MODEL, frame, estimator, by=["brand"])
    solution = estimate.solution
    assert estimate.values.shape == (3, len(estimate.rows))
    assert solution.constructs == MODEL.names
    assert solution.items == MODEL.items
    assert solution.loadings.shape == (3, 9)
    assert solution.paths.shape == solution.construct_cor.shape == (3, 3, 3)
    assert estimate.convergence.converged.tolist() == [True] * 3
    assert estimate.convergence.cause.tolist() == [0, 0, 0]
    assert estimate.settings.causes[0] == ""
    np.testing.assert_allclose(np.einsum("bjj->bj", solution.construct_cor), 1.0, atol=1e-9)
    assert ((solution.r2[:, 1:] > 0) & (solution.r2[:, 1:] < 1)).all()


def test_a_cell_is_fitted_as_if_alone(estimator, frame) -> None:
    together = csi.fit(MODEL, frame, estimator, by=["brand"])
    alone = csi.fit(MODEL, frame.filter(pl.col("brand") == "b"), estimator)
    np.testing.assert_allclose(together.values[1], alone.values[0], rtol=1e-6, atol=1e-8)


def test_moments_are_enough(estimator, frame) -> None:
    rows = csi.fit(MODEL, frame, estimator)
    moments = csi.fit(MODEL, rows.moments, estimator)
    assert np.array_equal(rows.values, moments.values)
    assert moments.sample is None


def test_order_of_rows_and_units_of_items_do_not_matter(estimator, frame) -> None:
    one = csi.fit(MODEL, frame, estimator)
    shuffled = csi.fit(MODEL, frame.sample(fraction=1.0, shuffle=True, seed=1), estimator)
    rescaled = csi.fit(MODEL, frame.with_columns(pl.col("s1", "s2") * 1000), estimator)
    np.testing.assert_allclose(one.values, shuffled.values, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(one.solution.paths, rescaled.solution.paths, rtol=1e-4, atol=1e-5)


def test_bootstrap_speaks_of_the_estimator_s_own_parameters(estimator, frame) -> None:
    boot = csi.bootstrap(csi.fit(MODEL, frame, estimator), n=100, seed=1)
    paths = boot.table.filter(pl.col("op") == "~")
    assert (paths["conf_low"] < paths["estimate"]).all()
    assert (paths["estimate"] < paths["conf_high"]).all()


def test_unknown_item_is_one_clear_message(estimator, frame) -> None:
    with pytest.raises(Problems, match="l3"):
        csi.fit(MODEL, frame.drop("l3"), estimator)


def test_constant_item_is_named_not_crashed(estimator, frame) -> None:
    with pytest.raises(Problems, match="i2"):
        csi.fit(MODEL, frame.with_columns(i2=pl.lit(4.0)), estimator)
