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


def test_the_model_may_be_text(frame):
    text = "use =~ u1 + u2\njoy =~ j1 + j2\njoy ~ use"
    assert np.array_equal(csi.fit(text, frame, csi.PLS()).values, csi.fit(MODEL, frame, csi.PLS()).values)
    grouped = frame.with_columns(half=pl.when(pl.col("brand") == "a").then(1).otherwise(2))
    found = csi.invariance("f =~ u1 + u2 + j1 + j2", grouped, "half", steps=["metric"])
    assert found.table["step"].to_list() == ["configural", "metric"]


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        ("ML", 'estimator: "ML" is text; settings such as csi.SEM() or csi.PLS() were expected. '),
        (csi.SEM, "estimator: SEM is a class; settings such as csi.SEM() or csi.PLS() were expected. "),
        (None, "estimator: it is NoneType; settings such as csi.SEM() or csi.PLS() were expected. "),
    ],
)
def test_an_estimator_is_a_settings_value(frame, estimator, said):
    with pytest.raises(Problems) as raised:
        csi.fit(MODEL, frame, estimator)
    remedy = 'Write csi.SEM(estimator="ML").' if estimator == "ML" else "Write csi.SEM()."
    assert str(raised.value) == said + remedy


def test_model_and_estimator_are_told_together(frame):
    with pytest.raises(Problems) as raised:
        csi.fit(frame, MODEL, csi.SEM)
    assert [(p.code, p.where) for p in raised.value.problems] == [("E-SETTING", "model"), ("E-SETTING", "estimator")]
    assert "not polars.DataFrame" in str(raised.value)
    with pytest.raises(Problems) as raised:
        csi.fit("use =~ u1 + + u2", frame, "MLR")
    assert [p.code for p in raised.value.problems] == ["E-SYNTAX", "E-SETTING"]
    with pytest.raises(Problems) as raised:
        csi.invariance(MODEL, frame, "brand", csi.PLS())
    assert codes(raised) == ["E-SETTING"]


def test_one_key_column_needs_no_list(frame):
    assert csi.fit(MODEL, frame, csi.PLS(), "brand").values.shape[0] == 3
