"""Scores of respondents old and new, and the answers a model expects of them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

MODEL = csi.Model.parse("a =~ a1 + a2\nb =~ b1 + b2 + b3\nb ~ a")


def drawn(n=120, seed=3, shift=0.0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(n) + shift
    b = 0.6 * a + rng.standard_normal(n)
    columns = {f"a{i}": 5 + a + rng.standard_normal(n) for i in (1, 2)}
    columns |= {f"b{i}": 5 + b + rng.standard_normal(n) for i in (1, 2, 3)}
    return pl.DataFrame(columns)


@pytest.fixture
def est():
    return csi.fit(MODEL, drawn(), csi.PLS(), scale=(0, 10))


def test_standardised_scores_have_the_correlations_of_the_solution(est):
    found = csi.scores(est).select("a", "b").to_numpy()
    assert found.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert found.std(axis=0, ddof=1) == pytest.approx(1)
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(est.solution.construct_cor[0, 0, 1])


def test_the_mean_of_points_is_the_index(est):
    points = csi.scores(est, kind="0-100").select("a", "b").to_numpy().mean(axis=0)
    assert points == pytest.approx(csi.index(est).values[0])


def test_unstandardised_scores_are_weighted_means_of_answers(est):
    raw = csi.scores(est, kind="unstandardised")
    w = est.solution.weights[0, :2] / est.moments.sd[0, [est.moments.names.index(i) for i in ("a1", "a2")]]
    frame = drawn()
    wanted = (w[0] * frame["a1"] + w[1] * frame["a2"]) / w.sum()
    assert raw["a"].to_numpy() == pytest.approx(wanted.to_numpy())
    same = frame.select(pl.all() * 0 + 7.0)[:1]
    assert csi.scores(est, same, "unstandardised").select("a", "b").row(0) == pytest.approx((7.0, 7.0))


def test_scores_keep_the_order_of_the_data_and_tell_absences(est):
    frame = drawn()[:5].with_columns(b2=pl.Series([1.0, None, 3, 4, 5]))
    found = csi.scores(est, frame)
    assert found["row"].to_list() == list(range(5))
    assert found["b"].is_null().to_list() == [False, True, False, False, False]
    assert found["a"].null_count() == 0
    whole = csi.scores(est)
    assert found["a"].to_list() == pytest.approx(whole["a"][:5].to_list())


def test_wave_one_replays_on_wave_two():
    two = pl.concat([drawn().with_columns(wave=pl.lit("1")), drawn(90, 8, 0.5).with_columns(wave=pl.lit("2"))])
    first = csi.fit(MODEL, two, csi.PLS(), where={"wave": "1"}, scale=(0, 12))
    second = two.filter(wave="2")
    found = csi.scores(first, second, "0-100")
    est = csi.fit(MODEL, two, csi.PLS(), by=["wave"], scale=(0, 12))
    frozen = csi.index(est, weights="base", base="1").table.filter(wave="2", construct="a")["index"].item()
    assert found["a"].mean() == pytest.approx(frozen)
    same = csi.scores(est, second, "0-100", of={"wave": "1"})
    assert same["a"].to_list() == pytest.approx(found["a"].to_list())
    own = csi.scores(est, kind="standardised")
    assert own.group_by("wave").agg(pl.col("a").mean())["a"].to_list() == pytest.approx([0, 0], abs=1e-9)


def test_rows_of_unknown_cells_have_no_score():
    frame = drawn().with_columns(brand=pl.Series(["x", "y"] * 60))
    est = csi.fit(MODEL, frame, csi.PLS(), by=["brand"])
    new = drawn(4, 1).with_columns(brand=pl.Series(["x", "z", "y", "z"]))
    assert csi.scores(est, new).sort("row")["a"].is_null().to_list() == [False, True, False, True]


def test_predictions_are_those_of_regressions_on_scores(est):
    found = csi.predictions(est, technique="da")
    score = csi.scores(est)
    path, loading = est.solution.paths[0, 1, 0], est.solution.loadings[0, 2]
    at = est.moments.names.index("b1")
    wanted = est.moments.mean[0, at] + est.moments.sd[0, at] * loading * path * score["a"].to_numpy()
    assert found["b1"].to_numpy() == pytest.approx(wanted)
    only = csi.predictions(est, drawn()[:3].select("a1", "a2").with_columns(b1=None, b2=None, b3=None))
    assert only["b1"].to_list() == pytest.approx(found["b1"][:3].to_list())


def test_higher_order_constructs_are_scored_from_items():
    model = csi.Model.parse("a =~ a1 + a2\nb =~ b1 + b2 + b3\nq =~ a + b\nc =~ c1 + c2\nc ~ q")
    frame = drawn().with_columns(c1=pl.col("b1") + pl.col("a2"), c2=pl.col("b2") * 0.5 + pl.col("a1"))
    est = csi.fit(model, frame, csi.PLS(), scale=(0, 20))
    found = csi.scores(est)
    assert found["q"].std() == pytest.approx(1)
    assert np.corrcoef(found["q"], found["c"])[0, 1] == pytest.approx(est.solution.paths[0, 3, 2])


def test_what_cannot_be_scored_is_told(est):
    with pytest.raises(Problems, match="no outer weights"):
        csi.scores(csi.fit(MODEL, drawn(), csi.SEM()))
    with pytest.raises(Problems, match="bounds"):
        csi.scores(csi.fit(MODEL, drawn(), csi.PLS()), kind="0-100")
    with pytest.raises(Problems, match="kind"):
        csi.scores(est, kind="standardized")
    with pytest.raises(Problems, match="no rows to score"):
        csi.scores(csi.fit(MODEL, est.moments.without_rows(), csi.PLS()))
    with pytest.raises(Problems, match="0 cells of the estimate"):
        csi.scores(est, of={"wave": "1"})


def test_answers_are_predicted_from_products():
    model = "A =~ a1 + a2; B =~ b1 + b2 + b3; C =~ c1; C ~ A + B + A:B"
    frame = drawn().with_columns(c1=pl.Series(np.random.default_rng(5).standard_normal(drawn().height)))
    est = csi.fit(model, frame, csi.PLS())
    found = csi.predictions(est, frame.with_columns(c1=pl.lit(None, dtype=pl.Float64)))
    assert found["c1"].null_count() == 0
    half = csi.predictions(est, frame.with_columns(b1=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("b1")))
    assert half["c1"].null_count() == 3
    items = csi.fit(model, frame, csi.PLS(interaction="orthogonal"))
    with pytest.raises(Problems) as told:
        csi.predictions(items)
    with pytest.raises(Problems) as same:
        csi.predict(items)
    assert told.value.problems == same.value.problems
    assert "two-stage" in str(told.value)
