"""Effective n by design effect: R's survey on a stratified cluster sample, a case by hand, Kish where no design is."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

import csi
from csi.display import text
from csi.errors import Text
from csi.moments.stack import Moments
from csi.survey.codebook import Codebook, Item, Scale
from csi.tracking.index_deff import known_design

SAVED = json.loads((Path(__file__).parents[1] / "reference/deff/survey.json").read_text(encoding="utf-8"))
MODEL = csi.Model.parse("good =~ a + b + c\nagain =~ e\nagain ~ good")
GIVEN = {"good": {"a": 0.5, "b": 0.3, "c": 0.2}, "again": {"e": 1.0}}
DESIGNS = {
    "strata and clusters": {"unit": "cluster", "stratum": "stratum", "weight": "w"},
    "clusters": {"unit": "cluster", "weight": "w"},
    "strata": {"stratum": "stratum", "weight": "w"},
    "clusters unweighted": {"unit": "cluster"},
}


def even(k, prime):
    return (k * np.sqrt(prime)) % 1


def formula():
    """The rows of survey.R."""
    i = np.arange(1, 481)
    cluster = (i - 1) // 12 + 1
    stratum = (cluster - 1) // 8 + 1
    mood = 0.8 * ndtri(even(cluster, 2)) + 0.3 * stratum + ndtri(even(i, 3))
    a, b, c = (np.clip(np.round(5 + 1.3 * mood + ndtri(even(i, p))), 1, 10) for p in (5, 7, 11))
    brand = np.where((i // 3) % 3 == 0, "B", "A")
    columns = {"a": a, "b": b, "c": c, "e": a, "cluster": cluster, "stratum": stratum, "w": 1.0 + (7 * i + stratum) % 4}
    return pl.DataFrame(columns).with_columns(brand=pl.Series(brand))


def made(frame, by=("brand",), **design):
    est = csi.fit(MODEL, frame, csi.PLS(), by=by, scale=(1, 10), **design)
    return csi.index(est, by, "given", given=GIVEN)


def row(index, cell):
    table = index.table.filter(construct="good")
    return (table if cell == "all" else table.filter(brand=cell)).row(0, named=True)


def test_the_rows_are_those_of_the_script():
    frame = formula()
    assert frame.height == SAVED["check"]["n"]
    assert frame["w"].sum() == SAVED["check"]["sum_w"]
    y = 100 * (0.5 * frame["a"] + 0.3 * frame["b"] + 0.2 * frame["c"] - 1) / 9
    assert y.sum() == pytest.approx(SAVED["check"]["sum_y"], rel=1e-10)


@pytest.mark.parametrize("cell", ["all", "A", "B"])
@pytest.mark.parametrize("name", DESIGNS)
def test_design_effects_are_those_of_survey(name, cell):
    """svymean(~y, design, deff = "replace") of all rows and of domains."""
    truth = SAVED["cases"][name][cell]
    index = made(formula(), () if cell == "all" else ("brand",), **DESIGNS[name])
    found = row(index, cell)
    near = {"rel": SAVED["tolerance"]}
    assert found["index"] == pytest.approx(truth["mean"], **near)
    assert found["std_error_fixed"] == pytest.approx(truth["se"], **near)
    assert found["design_effect"] == pytest.approx(truth["deff_of_svymean"], **near)
    assert found["n_effective"] == pytest.approx(truth["n"] / truth["deff"], **near)
    assert index.effective == "design"


@pytest.mark.parametrize("cell", ["all", "A", "B"])
def test_replicate_weights_bring_their_own_design(cell):
    """A stratified jackknife (JKn) given as columns of weights, the rows told nothing of strata and clusters."""
    frame, truth = formula(), SAVED["cases"]["jkn"][cell]
    cluster, stratum, w = (frame[c].to_numpy() for c in ("cluster", "stratum", "w"))
    columns = [
        np.where(cluster == out, 0.0, np.where(stratum == (out - 1) // 8 + 1, 8 / 7, 1.0)) * w for out in range(1, 41)
    ]
    by = () if cell == "all" else ("brand",)
    est = csi.fit(MODEL, frame, csi.PLS(), by=by, scale=(1, 10), weight="w")
    est = csi.replicate_weights(est, np.column_stack(columns), kind="jkn", rscales=np.full(40, 7 / 8))
    index = csi.index(est, by, "given", given=GIVEN)
    found = row(index, cell)
    near = {"rel": SAVED["tolerance"]}
    assert index.effective == "replicates"
    assert found["std_error"] == pytest.approx(truth["se"], **near)
    assert found["std_error_fixed"] == pytest.approx(truth["se"], **near)
    assert found["design_effect"] == pytest.approx(truth["deff"], **near)


@pytest.mark.parametrize("cell", ["all", "A", "B"])
def test_weights_alone_have_kishs_design_effect(cell):
    index = made(formula(), () if cell == "all" else ("brand",), weight="w")
    assert index.effective == "kish"
    assert row(index, cell)["design_effect"] == pytest.approx(SAVED["kish"][cell], rel=SAVED["tolerance"])
    assert "of unequal weights alone (Kish)" in text(index, "en")
    assert "仅含权数不等的影响（Kish）" in text(index, "zh")


def test_a_case_by_hand():
    """Four clusters of two like answers: V = s_c^2 / 4 of cluster means 20, 30, 50, 60; s^2 / 8 of the rows.

    Cluster sums of z: (-20, -10, 10, 20) / 4, V = 4/3 * (25 + 6.25) * 2 = 83.33; s^2 = 2000 / 7, V_srs = 35.714;
    deff = 7 / 3, effective n = 24 / 7.
    """
    scores = np.repeat([20.0, 30.0, 50.0, 60.0], 2)
    frame = pl.DataFrame(dict.fromkeys("abc", scores)).with_columns(
        e="a", cluster=pl.Series(np.repeat([1, 2, 3, 4], 2))
    )
    noise = pl.Series([0.0, 1.0] * 4)  # of an item that the index does not weigh, so that the model can be fitted
    frame = frame.with_columns(e=pl.col("e") + noise)
    est = csi.fit(MODEL, frame, csi.PLS(), scale=(0, 100), unit="cluster")
    found = csi.index(est, (), "given", given=GIVEN).table.row(0, named=True)
    assert found["std_error_fixed"] ** 2 == pytest.approx(250 / 3)
    assert found["design_effect"] == pytest.approx(7 / 3)
    assert found["n_effective"] == pytest.approx(24 / 7)


def test_simple_random_answers_count_as_one_each():
    index = made(formula())
    assert index.effective == "kish"
    assert (index.table["n_effective"] == index.table["n"]).all()
    assert "N-EFFECTIVE" not in {n.code for n in index.notes}


def test_people_who_rate_several_brands_are_clusters_of_a_wave_but_not_of_a_brand():
    frame = pl.concat([formula(), formula().with_columns(pl.lit("C").alias("brand"))]).with_columns(
        person=pl.concat([pl.Series(range(480))] * 2)
    )
    assert not known_design(csi.fit(MODEL, frame, csi.PLS(), by=["brand"], scale=(1, 10), unit="person").sample)
    both = made(frame, (), unit="person")
    assert both.effective == "design"
    assert row(both, "all")["design_effect"] == pytest.approx(2.0, rel=0.01)  # every answer stands there twice


def test_moments_alone_have_kishs():
    answers = csi.fit(MODEL, formula(), csi.PLS(), scale=(1, 10)).moments
    one = Moments.of(answers.names, answers.cov[0], 480, answers.mean[0], (1, 10))
    index = csi.index(csi.fit(MODEL, one, csi.PLS()), (), "given", given=GIVEN)
    assert index.effective == "kish"
    assert index.table["design_effect"].to_list() == [1.0, 1.0]


def test_a_constant_cell_has_no_design_effect():
    frame = formula().with_columns(pl.when(pl.col("brand") == "B").then(7.0).otherwise(c).alias(c) for c in "abce")
    frame = frame.with_columns(brand=pl.col("brand"))
    index = made(frame, unit="cluster", stratum="stratum")
    assert row(index, "B")["design_effect"] is None
    assert row(index, "B")["n_effective"] is None
    assert row(index, "A")["n_effective"] > 0


def test_rates_have_the_design_effect_of_those_who_answered():
    frame = formula().with_columns(pl.when(pl.col("cluster") > 2).then("a").alias("a"))
    scale = Scale("ten", 1, 10)
    item = Item("a", "good", scale, Text("Good", "好"))
    names = {"w": "weight", "cluster": "cluster", "stratum": "stratum", "brand": "brand"}
    keyed = frame.select(
        "a", *(pl.col(k).cast(pl.Float64 if k == "w" else pl.String).alias(v) for k, v in names.items())
    )
    panel = csi.Panel(keyed, Codebook((item,), {}, {}), keyed.cast(pl.String))
    found = csi.rates(panel, top_boxes=["a"], by=["brand"])
    assert found.effective == "design"
    answered = frame.drop_nulls("a").filter(brand="A")
    y = (answered["a"] >= 9).to_numpy() * 100.0
    w = answered["w"].to_numpy()
    mean = np.average(y, weights=w)
    s2 = len(y) / (len(y) - 1) * np.average((y - mean) ** 2, weights=w)
    first = found.table.filter(brand="A").row(0, named=True)
    assert first["design_effect"] == pytest.approx(first["std_error"] ** 2 * len(y) / s2, rel=1e-6)
    assert first["n_effective"] == pytest.approx(len(y) / first["design_effect"], rel=1e-12)
