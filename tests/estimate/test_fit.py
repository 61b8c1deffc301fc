"""The door: frames of any kind, moments, chosen rows, settings that make no sense."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

MODEL = csi.Model.parse("use =~ u1 + u2\njoy =~ j1 + j2\njoy ~ use")


@pytest.fixture
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    z = rng.normal(size=(90, 1))
    answers = np.clip(np.round(6 + 2 * (z + 0.7 * rng.normal(size=(90, 4)))), 1, 10)
    return pl.DataFrame(answers, schema=["u1", "u2", "j1", "j2"]).with_columns(brand=pl.Series(["a", "b", "c"] * 30))


def codes(error) -> list[str]:
    return [p.code for p in error.value.problems]


def test_pandas_with_text_columns(frame):
    pandas = pytest.importorskip("pandas")
    same = pandas.DataFrame({c: frame[c].to_list() for c in frame.columns})
    ours, theirs = (csi.fit(MODEL, data, csi.PLS(), by=["brand"]) for data in (frame, same))
    assert np.array_equal(ours.values, theirs.values)


def test_a_published_covariance_is_enough(frame):
    X = frame.drop("brand").to_numpy()
    moments = csi.Moments.of(["u1", "u2", "j1", "j2"], np.cov(X.T), n=90, mean=X.mean(axis=0), scale=(1, 10))
    rows = csi.fit(MODEL, frame, csi.PLS(), scale=(1, 10))
    alone = csi.fit(MODEL, moments, csi.PLS())
    np.testing.assert_allclose(alone.values, rows.values, rtol=1e-10)
    np.testing.assert_allclose(csi.index(alone).values, csi.index(rows).values, rtol=1e-10)


def test_rows_that_do_not_exist(frame):
    with pytest.raises(Problems, match='no row has brand "d"') as error:
        csi.fit(MODEL, frame, csi.PLS(), where={"brand": "d"})
    assert codes(error) == ["E-WHERE"]


def test_a_cell_without_a_complete_row_is_named(frame):
    silent = frame.with_columns(j1=pl.when(pl.col("brand") == "b").then(None).otherwise(pl.col("j1")))
    estimate = csi.fit(MODEL, silent, csi.PLS(), by=["brand"])
    assert estimate.moments.cells["brand"].to_list() == ["a", "c"]
    said = next(n for n in estimate.notes if n.code == "W-CELL-EMPTY").say("en")
    assert said.startswith("b: none of its 30 rows is complete (j1)")


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"weighting": "pth"}, '"path"'), ({"missing": "fiml"}, "listwise"), ({"tolerance": 0}, "positive")],
)
def test_estimator_settings(settings, word):
    with pytest.raises(Problems, match=word) as error:
        csi.PLS(**settings)
    assert codes(error) == ["E-SETTING"]


def test_bootstrap_settings_all_at_once(frame):
    estimate = csi.fit(MODEL, frame, csi.PLS())
    with pytest.raises(Problems) as error:
        csi.bootstrap(estimate, n=5, seed=-1, interval="exact", resampling="jackknife", level=95)
    assert sorted(codes(error)) == ["E-BOOT", "E-SETTING", "E-SETTING", "E-SETTING", "E-SETTING"]
