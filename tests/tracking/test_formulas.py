"""Index formulas: constructed inputs by hand, published values, the id beside every number."""

import json

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.moments.stack import Moments
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.panel import Panel
from csi.tracking.formulas import (
    FORMULAS,
    acsi,
    equal_index,
    factor_index,
    fornell,
    kcsi_index,
    performance_index,
)

from .conftest import REFERENCE

TEN, SEVEN, YES = Scale("ten", 1, 10), Scale("seven", 1, 7), Scale("yes", 0, 1)


def panel_of(columns, scales, **keys):
    items = tuple(Item(n, "c", scales[n], Text(n, n)) for n in columns)
    frame = pl.DataFrame({**columns, **keys}, strict=False).with_columns(pl.col(list(columns)).cast(pl.Float64))
    reasons = pl.DataFrame({n: [None] * frame.height for n in columns}, schema=dict.fromkeys(columns, pl.String))
    return Panel(frame, Codebook(items, {}, {}), reasons)


def raised(call):
    with pytest.raises(Problems) as caught:
        call()
    for p in caught.value.problems:
        assert p.what.zh
        assert p.remedy.zh
        assert p.what.en
        assert p.remedy.en
    return [p.code for p in caught.value.problems]


def test_acsi_by_hand():
    # ((8.2 - 1) .40 + (7.4 - 1) .31 + (7.1 - 1) .29) / 9 x 100 = 6.633 / 9 x 100
    mean, w = np.array([8.2, 7.4, 7.1]), np.array([0.40, 0.31, 0.29])
    assert float(acsi(mean, w)) == pytest.approx(73.7, abs=1e-12)
    assert float(acsi(mean, 7 * w)) == pytest.approx(73.7, abs=1e-12)  # weights need not sum to 1
    assert acsi(np.array([[1.0] * 3, [10.0] * 3]), w).tolist() == [0.0, 100.0]


def test_fornell_by_hand_with_scales_of_their_own():
    # 100 (.3 x 6 + .5 x 3) / (.3 x 9 + .5 x 4) = 330 / 4.7
    found = fornell(np.array([7.0, 4.0]), np.array([0.3, 0.5]), np.ones(2), np.array([10.0, 5.0]))
    assert float(found) == pytest.approx(330 / 4.7, rel=1e-14)


def test_three_formulas_are_one_number_for_positive_weights():
    rng = np.random.default_rng(3)
    mean, sd, w = rng.uniform(2, 9, 5), rng.uniform(1, 3, 5), rng.uniform(0.1, 1, 5)
    low, high = np.array([1, 1, 0, 1, 1.0]), np.array([10, 10, 10, 7, 5.0])
    second = fornell(mean, w / sd, low, high)
    assert float(performance_index(mean, sd, w, low, high)) == pytest.approx(float(second), rel=1e-13)
    same = slice(0, 2)
    assert float(acsi(mean[same], (w / sd)[same])) == pytest.approx(
        float(fornell(mean[same], (w / sd)[same], low[same], high[same])), rel=1e-13
    )


def test_kcsi_by_hand():
    # .5 (61 + 48 + 53) / 3 + .3 x 57 + .2 x 44 = 27 + 17.1 + 8.8
    assert float(kcsi_index(np.array([61.0, 48.0, 53.0]), np.array(57.0), np.array(44.0))) == pytest.approx(52.9)


def test_equal_weights_as_the_press_prints_them():
    assert float(equal_index(np.array([8.0, 7.0, 7.5]), np.ones(3), np.full(3, 10.0))) == pytest.approx(
        (8 + 7 + 7.5 - 3) / 27 * 100
    )


def test_factor_scores_of_equal_items_are_the_plain_mean():
    assert float(factor_index(np.array([8.0, 6.0]), np.ones(2), np.full(2, 0.5), np.ones(2), np.full(2, 10.0))) == (
        pytest.approx(100 * 6 / 9)
    )


@pytest.fixture(scope="module")
def mobi(mobi_model, mobi_moments):
    m = mobi_moments
    n = np.array([float(m["n"])])
    bounds = np.array(m["minimum"], dtype=float), np.array(m["maximum"], dtype=float)
    cells = pl.DataFrame({"n": [m["n"]]})
    moments = Moments(tuple(m["names"]), n, n, n, np.array([m["mean"]]), np.array([m["cov"]]), cells, *bounds)
    return csi.fit(mobi_model, moments, csi.PLS(weighting="path"))


@pytest.mark.parametrize(("formula", "value"), [(None, 72.454), ("F1", 72.454), ("ipma", 72.454), ("F5", 71.970)])
def test_satisfaction_of_the_mobile_data(mobi, formula, value):
    """methods.md 4.4 of the design (own reference run): path weighting 72.454, plain mean 71.970."""
    made = csi.index(mobi, formula=formula)
    row = made.table.filter(pl.col("construct") == "Satisfaction")
    assert row["index"][0] == pytest.approx(value, abs=5e-4)
    expected = {None: "F1", "F1": "F1", "ipma": "F3", "F5": "F5"}[formula]
    assert set(made.table["formula"]) == {expected} == set(made.formulas)
    assert expected in " ".join(n.say("zh") for n in made.notes)
    assert expected in repr(made)


def test_factor_scores_as_lavaan_predicts_them(mobi_moments):
    saved = json.loads((REFERENCE / "mobi" / "factor_index.json").read_text(encoding="utf-8"))
    m, names = mobi_moments, ["CUSA1", "CUSA2", "CUSA3", "PERV1", "PERV2"]
    at = [m["names"].index(i) for i in names]
    cov, mean = np.array(m["cov"])[np.ix_(at, at)], np.array(m["mean"])[at]
    moments = Moments.of(names, cov, n=m["n"], mean=mean, scale=(1, 10))
    made = csi.index(csi.fit(saved["model"].replace("; ", "\n"), moments, csi.SEM()))
    for name, value in saved["values"].items():
        row = made.table.filter(pl.col("construct") == name)
        assert row["index"][0] == pytest.approx(value, abs=saved["tolerance"])
    assert set(made.table["formula"]) == {"F6"}


def test_factor_weights_are_estimated_again_in_every_resample(survey):
    frame = survey(n=150, waves=("w1",), brands=("A",))
    text = "Use =~ use1 + use2 + use3\nJoy =~ joy1 + joy2\nJoy ~ Use"
    est = csi.bootstrap(csi.fit(text, frame, csi.SEM(), scale=(1, 10)), 200, seed=1)
    made = csi.index(est)
    drawn = made.replicates[:, 0, 0]
    assert np.isfinite(drawn).sum() > 190
    assert made.weights["std_error"].min() > 0.001
    assert made.table["std_error"][0] == pytest.approx(made.table["std_error_fixed"][0], rel=0.15)


def test_each_construct_says_its_own_formula():
    columns = {"a": [1, 4, 7, 10, 3], "b": [1, 2, 4, 5, 2], "c": [2, 4, 8, 9, 5], "d": [1, 5, 5, 9, 4]}
    scales = {"a": TEN, "b": Scale("five", 1, 5), "c": TEN, "d": TEN}
    est = csi.fit("use =~ a + b\njoy =~ c + d\njoy ~ use", panel_of(columns, scales), csi.PLS())
    assert csi.index(est).formulas == ("F2", "F1")
    with pytest.raises(Problems, match="use: F1 is for items on one scale, and a, b have different ones"):
        csi.index(est, formula="F1")


def test_bad_formulas(mobi):
    assert raised(lambda: csi.index(mobi, formula="F9")) == ["E-FORMULA"]
    assert raised(lambda: csi.index(mobi, formula="kcsi")) == ["E-FORMULA"]
    assert raised(lambda: csi.index(mobi, formula="F6")) == ["E-FORMULA"]
    assert raised(lambda: csi.index(mobi, formula="F5", weights="own")) == ["E-GIVEN"]


def test_an_index_that_a_covariance_model_cannot_give(mobi_moments):
    m = mobi_moments
    moments = Moments.of(m["names"], m["cov"], n=m["n"], mean=m["mean"], scale=(1, 10))
    est = csi.fit("Sat =~ CUSA1 + CUSA2 + CUSA3", moments, csi.SEM())
    assert raised(lambda: csi.index(est, formula="F1")) == ["E-ENGINE"]


def test_every_formula_says_what_it_is_and_where_it_is_from():
    assert list(FORMULAS) == [f"F{i}" for i in range(1, 8)]
    assert all(f.text and f.source and f.label.en and f.label.zh for f in FORMULAS.values())


ANSWERS = {
    "e1": [7, 6, 3, 2, 5, 7],
    "e2": [6, 2, 2, 2, 7, 6],
    "all": [6, 7, 6, 1, 5, 4],
    "again": [7, 7, 7, 3, 7, 1],
}


def test_kcsi_of_answers_and_its_error():
    made = csi.kcsi(panel_of(ANSWERS, dict.fromkeys(ANSWERS, SEVEN)), ["e1", "e2"], "all", "again")
    y = np.zeros(6)
    for item, share in (("e1", 0.25), ("e2", 0.25), ("all", 0.3), ("again", 0.2)):
        y += 100 * share * (np.array(ANSWERS[item]) >= 6)
    row = made.table.row(0, named=True)
    assert (row["construct"], row["formula"]) == ("kcsi", "F4")
    # elements 3/6 and 3/6, overall 3/6, repurchase 4/6: .5 x 50 + .3 x 50 + .2 x 66.7
    assert row["index"] == pytest.approx(25 + 15 + 20 * 4 / 6) == pytest.approx(y.mean())
    assert row["std_error"] == pytest.approx(y.std(ddof=1) / 6**0.5)
    assert made.table["formula"].to_list() == ["F4", "T2B", "T2B", "T2B"]


def test_kcsi_goes_through_waves_like_any_index():
    doubled = {n: v + [min(x + 2, 7) for x in v] for n, v in ANSWERS.items()}
    panel = panel_of(doubled, dict.fromkeys(ANSWERS, SEVEN), wave=["1"] * 6 + ["2"] * 6)
    made = csi.kcsi(panel, ["e1", "e2"], "all", "again")
    moved = csi.changes(made, "kcsi").table.row(0, named=True)
    assert moved["change"] == pytest.approx(made.values[1, 0] - made.values[0, 0])
    assert moved["std_error"] == pytest.approx(np.hypot(*made.table["std_error"].gather([0, 4])))


def test_rates_by_hand():
    columns = {"sat": [10, 9, 8, 5], "bad": [0, 1, 0, None], "rec": [10, 9, 7, 2]}
    panel = panel_of(columns, {"sat": TEN, "bad": YES, "rec": Scale("nps", 0, 10)})
    made = csi.rates(panel, top_boxes=["sat"], csat=["sat"], complaint="bad", nps="rec")
    values = dict(zip(made.table["construct"], made.table["index"], strict=True))
    expected = {"top_box_sat": 50.0, "csat_sat": 75.0, "complaint_rate": 100 / 3, "nps": 25.0}
    assert values == pytest.approx(expected)
    assert made.table["n"].to_list() == [4, 4, 3, 4]
    assert made.table["formula"].to_list() == ["T2B", "CSAT", "CR", "NPS"]
    # three of four answered: z = (x - p) / 3 of those, 0 of the fourth; var = 4 / 3 sum z^2
    errors = dict(zip(made.table["construct"], made.table["std_error"], strict=True))
    assert errors["complaint_rate"] == pytest.approx(100 * np.sqrt(4 / 3 * (2 / 3) / 9))
    assert errors["nps"] == pytest.approx(csi.nps(panel, "rec", small=0).table["std_error"][0] * np.sqrt(4 / 3))


def test_weighted_clusters_enter_the_error_of_a_rate():
    columns = {"bad": [1, 1, 0, 0, 1, 0]}
    keys = {"weight": [1.0, 2, 1, 1, 2, 1], "cluster": list("aabbcc")}
    made = csi.rates(panel_of(columns, {"bad": YES}, **keys), complaint="bad")
    d, x = np.array(keys["weight"]), 100.0 * np.array(columns["bad"])
    mean = (d * x).sum() / d.sum()
    z = (d * (x - mean) / d.sum()).reshape(3, 2).sum(axis=1)
    assert made.table["index"][0] == pytest.approx(mean)
    assert made.table["std_error"][0] == pytest.approx(np.sqrt(1.5 * (z**2).sum()), rel=1e-5)


def test_bad_rates():
    panel = panel_of({"sat": [10, 9, 8]}, {"sat": TEN})
    assert raised(lambda: csi.rates(panel)) == ["E-ITEM"]
    assert raised(lambda: csi.rates(panel, complaint="sta", boxes=0)) == ["E-ITEM", "E-SETTING"]
    assert raised(lambda: csi.rates(panel, complaint="sat", nps="sat")) == ["E-SCALE", "E-SCALE"]
    assert raised(lambda: csi.rates(panel, top_boxes=["sat", "sat"], csat=["sat", "sat"])) == ["E-TWICE", "E-TWICE"]
    assert raised(lambda: csi.rates(panel, top_boxes=["sat"], boxes=10)) == ["E-SCALE"]
    assert raised(lambda: csi.kcsi(panel, ["sat"], "sat", "sat", boxes=10)) == ["E-SCALE"]
    assert raised(lambda: csi.kcsi(panel, [], "sat", "x", shares=(0.5, 0.5, 0.5))) == ["E-ITEM", "E-ITEM", "E-SETTING"]


def test_price_tolerance_branches_and_ends():
    columns = {"again": [9, 3, 8, 2, 6, 5], "up": [10, 12, 30, None, None, None], "down": [5, 15, None, 40, 10, 10]}
    percent = Scale("percent", 0, 100)
    panel = panel_of(columns, {"again": TEN, "up": percent, "down": percent})
    made = csi.price_tolerance(panel, "again", "up", "down", most=25)
    # 9 and 8 are likely (above 5.5): up; 3, 2, 5 are not: down; 6 is likely and was not asked for a rise
    assert made.frame["price_tolerance"].to_list() == [10, -15, 25, -25, None, -10]
    assert made.codebook["price_tolerance"].scale.minimum == -25
    assert "2 at an end of the scale (censored); 3 answers of the other branch" in made.notes[-1].say()
    found = csi.rates(made, tolerance="price_tolerance").table.row(0, named=True)
    assert (found["formula"], found["index"], found["n"]) == ("PT", -3.0, 5)
    assert raised(lambda: csi.price_tolerance(made, "again", "upp", "down")) == ["E-ITEM", "E-DUPLICATE"]
    assert raised(lambda: csi.price_tolerance(panel, "again", "up", "up", likely=1)) == ["E-TWICE", "E-SETTING"]
    below = panel_of(columns, {"again": TEN, "up": Scale("signed", -100, 100), "down": percent})
    assert raised(lambda: csi.price_tolerance(below, "again", "up", "down")) == ["E-SCALE"]


def test_kcsi_is_of_those_who_answered_all_its_items():
    """An absent answer to one element takes its respondent out of every part."""
    whole = {"e1": [7, 6, 3, 2], "e2": [6, 2, 2, 2], "all": [6, 7, 6, 1], "again": [7, 7, 7, 7]}
    partly = {k: [*v, x] for (k, v), x in zip(whole.items(), (None, 7, 7, 1), strict=True)}
    full, found = (
        csi.kcsi(panel_of(a, dict.fromkeys(a, SEVEN)), ["e1", "e2"], "all", "again") for a in (whole, partly)
    )
    assert found.table["index"].to_list() == full.table["index"].to_list() == [61.25, 37.5, 75.0, 100.0]
    assert found.table["n"].to_list() == [4, 4, 4, 4]
    assert found.table["std_error"].to_list() == pytest.approx(full.table["std_error"].to_list(), rel=0.08)
    said = {n.code: n.text for n in found.notes}
    assert said["N-LISTWISE"].en == "KCSI: 1 of 5 rows answered only some of its items and are left out."
    assert "已按行删除" in said["N-LISTWISE"].zh
