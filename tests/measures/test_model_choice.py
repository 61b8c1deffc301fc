"""Selection criteria, VIF, redundancy analysis and blindfolding: cSEM, seminr, by hand, bad input."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.blindfold import blindfolding
from csi.measures.collinearity import vif
from csi.measures.redundancy import redundancy
from csi.measures.selection import CRITERIA, causal_order, criteria, criterion_weights, selection

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = {"tolerance": 1e-12, "max_iterations": 3000}
SETTINGS = {"A": {}, "B": {"weighting": "centroid"}, "PLSc": {"consistent": True}}


def read(folder, name):
    return json.loads((REFERENCE / folder / f"{name}.json").read_text("utf-8"))


def estimate(folder, kind="A"):
    m, syntax = read(folder, "moments"), (REFERENCE / folder / "model.txt").read_text("utf-8")
    model = csi.Model.parse(syntax.replace("=~", "<~") if kind == "B" else syntax)
    return csi.fit(model, csi.Moments.of(m["names"], m["cov"], m["n"], m["mean"]), csi.PLS(**SETTINGS[kind], **EXACT))


@pytest.mark.parametrize("kind", ["A", "B", "PLSc"])
def test_criteria_agree_with_csem(kind):
    found = selection(estimate("mobi", kind)).table.rows_by_key("construct", named=True, unique=True)
    expected = read("mobi", "model_choice")[kind]["criteria"]
    for name in CRITERIA:
        for construct, value in expected[name].items():
            if name in {"gm", "cp"} and found[construct][name] is None:
                assert found[construct]["reason"] == "no_saturated"
                assert expected["gm"][construct] < 0  # cSEM divides by 1 - R2 < 0
            else:
                assert found[construct][name] == pytest.approx(value, abs=1e-6), (construct, name)


def test_criteria_and_weights_agree_with_seminr():
    saved = read("influencer", "model_choice")
    predictors = {"PL": 1, "PQ": 1, "PI": 3, "WTP": 2}
    for i, name in enumerate(saved["constructs"]):
        r2, n = np.array(saved["r2"][i]), np.array(float(saved["n"]))
        found = criteria(r2, n, predictors[name] + 1, r2)
        assert found["aic"] == pytest.approx(saved["aic"][i], abs=1e-6)
        assert found["bic"] == pytest.approx(saved["bic"][i], abs=1e-6)
    weights = criterion_weights(np.array(saved["bic"]))
    np.testing.assert_allclose(weights, saved["bic_weights"], rtol=1e-6)


def answers(n=150, seed=4):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, n))
    y = a + rng.standard_normal(n)
    rows = np.column_stack([a, a, b, b, y, y]) + 0.5 * rng.standard_normal((n, 6))
    return pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2", "y1", "y2"])


LARGE = "A =~ a1 + a2; B =~ b1 + b2; Y =~ y1 + y2; B ~ A; Y ~ A + B"
SMALL = LARGE.replace("Y ~ A + B", "Y ~ A")


def test_models_are_weighed_by_construct_and_cell():
    frame = answers().with_columns(wave=pl.Series(["p", "q"] * 75))
    fits = {name: csi.fit(text_, frame, csi.PLS(), by="wave") for name, text_ in (("small", SMALL), ("large", LARGE))}
    found = selection(fits)
    sums = found.table.group_by("wave", "construct").agg(pl.col("bic_weight").sum(), pl.len())
    assert sums["bic_weight"].to_list() == pytest.approx([1.0] * 4)
    assert set(sums["len"]) == {2}
    of_y = found.table.filter(wave="p", construct="Y")
    np.testing.assert_allclose(of_y["bic_weight"], criterion_weights(of_y["bic"].to_numpy()))
    assert any('p Y: BIC prefers "small"' in s.en for s in found.sentences)
    assert "模型选择" in text(found, "zh")
    assert selection(fits, "Y").table["construct"].unique().to_list() == ["Y"]


def test_bad_input_of_selection():
    est = csi.fit(LARGE, answers(), csi.PLS())
    with pytest.raises(Problems, match="no model is given"):
        selection({})
    with pytest.raises(Problems, match="another number of rows"):
        selection({"one": est, "two": csi.fit(SMALL, answers(80), csi.PLS())})
    with pytest.raises(Problems, match='"Z" has no predictors'):
        selection(est, "Z")
    with pytest.raises(Problems, match="composite models"):
        selection(csi.fit("A =~ a1 + a2 + b1", answers(), csi.SEM()))
    assert causal_order(csi.Model.parse(LARGE), ("Y", "B", "A")) == ["A", "B", "Y"]


@pytest.mark.parametrize("kind", ["A", "B", "PLSc"])
def test_vif_agrees_with_csem(kind):
    found = vif(estimate("mobi", kind))
    got = {(r["of"], r["name"]): r["vif"] for r in found.table.filter(kind="antecedent").iter_rows(named=True)}
    for outcome, row in read("mobi", "model_choice")[kind]["vif"].items():
        for predictor, value in row.items():
            assert got[outcome, predictor] == pytest.approx(value, rel=1e-6), (outcome, predictor)


def test_vif_judges_antecedents_and_mode_b_items():
    R = np.eye(4)
    R[0, 1] = R[1, 0] = 0.9
    R[:3, 3] = R[3, :3] = 0.4
    m = csi.Moments.of(["f1", "f2", "g", "y"], R, n=100)
    found = vif(csi.fit("F <~ f1 + f2; G =~ g; Y =~ y; Y ~ F + G", m, csi.PLS()))
    items = found.table.filter(kind="item").rows_by_key("name", named=True, unique=True)
    assert items["f1"]["vif"] == pytest.approx(1 / (1 - 0.81))
    assert items["f1"]["verdict"] == "fail"
    assert items["g"]["verdict"] is None
    assert "2 of 4" in found.sentences[0].en
    assert "f1" in str(found)
    assert "共线性" in text(found, "zh")


def test_redundancy_agrees_with_csem():
    m, syntax = read("satisfaction", "moments"), (REFERENCE / "satisfaction" / "model.txt").read_text("utf-8")
    model = csi.Model.parse(syntax)
    settings = csi.PLS(modes=dict.fromkeys(model.names, "B"), **EXACT)
    est = csi.fit(model, csi.Moments.of(m["names"], m["cov"], m["n"], m["mean"]), settings)
    found = dict(redundancy(est).table.select("construct", "path").iter_rows())
    for name, value in read("satisfaction", "redundancy")["path"].items():
        assert found[name] == pytest.approx(value, abs=1e-6)


def test_redundancy_with_a_global_item_is_a_multiple_correlation():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((200, 3))
    frame = pl.DataFrame(X, schema=["x1", "x2", "x3"]).with_columns(
        y=pl.Series(X.sum(axis=1) + rng.standard_normal(200)), whole=pl.Series(X @ [1, 2, 1] + rng.standard_normal(200))
    )
    est = csi.fit("F <~ x1 + x2 + x3; Y =~ y; Y ~ F", frame, csi.PLS(**EXACT))
    found = redundancy(est, {"F": "whole"}, frame)
    design = np.column_stack([np.ones(200), X])
    whole = frame["whole"].to_numpy()
    residual = whole - design @ np.linalg.lstsq(design, whole, rcond=None)[0]
    assert found.table["r2"].item() == pytest.approx(1 - residual.var() / whole.var(), abs=1e-8)
    assert found.table["verdict"].item() == "pass"
    assert "冗余分析" in text(found, "zh")


def test_bad_input_of_redundancy():
    frame = answers()
    est = csi.fit(LARGE, frame, csi.PLS())
    with pytest.raises(Problems, match="no construct of mode B"):
        redundancy(est)
    with pytest.raises(Problems, match="data is needed") as told:
        redundancy(est, {"Q": "a1"})
    assert len(told.value.problems) == 2
    with pytest.raises(Problems, match=r"fit by csi\.PLS"):
        redundancy(csi.fit("A =~ a1 + a2 + b1", frame, csi.SEM()))


@pytest.mark.skipif("CSI_REFERENCE_DIR" not in os.environ, reason="needs the rows in CSI_REFERENCE_DIR")
@pytest.mark.parametrize("technique", ["da", "ea"])
def test_blindfolding_agrees_with_sempls(technique):
    frame = pl.read_csv(Path(os.environ["CSI_REFERENCE_DIR"]) / "data/mobi/mobi.csv")
    text_ = (REFERENCE / "mobi" / "model.txt").read_text("utf-8")
    est = csi.fit(text_, frame, csi.PLS(weighting="centroid", **EXACT))
    found = dict(blindfolding(est, 7, technique=technique, as_read=True).table.select("construct", "q2").iter_rows())
    assert found == pytest.approx(read("mobi", "blindfolding")[technique], abs=1e-6)


def test_blindfolding_by_hand():
    """One item each: omitted answers rebuilt from the slope of the others, whose omitted answers are their mean."""
    frame = answers(50).select("a1", "y1")
    est = csi.fit("A =~ a1; Y =~ y1; Y ~ A", frame, csi.PLS(**EXACT))
    X = est.sample.rows[:, [est.sample.names.index(i) for i in ("a1", "y1")]]
    a, y = ((X - X.mean(axis=0)) / X.std(axis=0, ddof=1)).T
    sse = sso = 0.0
    for g in range(7):
        out = np.arange(50) % 7 == g
        left = np.where(out, y[~out].mean(), y)
        foreseen = left.mean() + np.corrcoef(a, left)[0, 1] * a * left.std(ddof=1)
        sse += ((y - foreseen)[out] ** 2).sum()
        sso += ((y - left.mean())[out] ** 2).sum()
    found = blindfolding(est)
    assert found.table["q2"].item() == pytest.approx(1 - sse / sso, abs=1e-9)
    assert found.effects["q2_effect"].item() == pytest.approx((1 - sse / sso) / (sse / sso), abs=1e-9)


def test_blindfolding_of_a_higher_order_construct_omits_the_scores_of_its_components():
    """The same as blindfolding a plain model of those scores."""
    frame = answers()
    est = csi.fit("A =~ a1 + a2; B =~ b1 + b2; Y =~ y1 + y2; W <~ B + Y; W ~ A", frame, csi.PLS(**EXACT))
    made = csi.scores(est).select(B="B", Y="Y")
    plain = csi.fit("A =~ a1 + a2; W <~ B + Y; W ~ A", frame.hstack(made), csi.PLS(**EXACT))
    (one,), (two,) = (blindfolding(e, as_read=True).table["q2"] for e in (est, plain))
    assert one == pytest.approx(two, abs=1e-9)
    assert 0 < one < 1


@pytest.mark.parametrize("missing", ["em", "pairwise", "mean"])
def test_blindfolding_leaves_absent_answers_out(missing):
    """Without absences every treatment but em and pairwise is the same; with a few Q2 hardly moves."""
    frame = answers()
    holes = frame.with_columns(y1=pl.when(pl.int_range(150) < 9).then(None).otherwise("y1"))
    full, some = (blindfolding(csi.fit(LARGE, f, csi.PLS(missing=missing))).table for f in (frame, holes))
    assert full["q2"].to_list() == pytest.approx(some["q2"].to_list(), abs=0.05)
    if missing != "mean":  # which narrows the spread that answers are standardised by
        assert some.filter(construct="Y")["sso"][0] < full.filter(construct="Y")["sso"][0]


def test_blindfolding_effects_leave_one_arrow_out():
    frame = answers()
    found = blindfolding(csi.fit(LARGE, frame, csi.PLS(**EXACT)))
    small = blindfolding(csi.fit(SMALL, frame, csi.PLS(**EXACT))).table.filter(construct="Y")["q2"].item()
    row = found.effects.filter(outcome="Y", predictor="B").row(0, named=True)
    assert row["q2_without"] == pytest.approx(small, abs=1e-9)
    full = found.table.filter(construct="Y")["q2"].item()
    assert row["q2_effect"] == pytest.approx((full - small) / (1 - full), abs=1e-9)
    shuffled = csi.fit(LARGE, frame.sample(fraction=1.0, shuffle=True, seed=1), csi.PLS(**EXACT))
    np.testing.assert_allclose(blindfolding(shuffled).table["q2"], found.table["q2"], atol=1e-9)
    assert "省略距离 7" in text(found, "zh")


def test_bad_input_of_blindfolding():
    frame = answers(40)
    est = csi.fit(LARGE, frame, csi.PLS())
    with pytest.raises(Problems, match="between 2 and 40"):
        blindfolding(est, 41)
    with pytest.raises(Problems, match="needs the rows"):
        blindfolding(csi.fit(LARGE, est.moments, csi.PLS()))
    with pytest.raises(Problems, match="technique"):
        blindfolding(est, technique="fa")
    assert any(n.code == "N-BLINDFOLD-ROWS" for n in blindfolding(est, 8).notes)
    assert not any(n.code == "N-BLINDFOLD-ROWS" for n in blindfolding(est).notes)
    with pytest.raises(Problems, match="composite"):
        blindfolding(replace(csi.fit("A =~ a1 + a2 + b1", frame, csi.SEM())))


def test_higher_order_constructs_and_products():
    """The saturated model keeps components under their construct and products with their outcome."""
    frame = answers()
    whole = csi.fit("A =~ a1 + a2; B =~ b1 + b2; W <~ A + B; Y =~ y1 + y2; Y ~ W", frame, csi.PLS())
    found = selection(whole).table.row(0, named=True)
    assert found["gm"] == pytest.approx(149 + 2 * np.log(150))  # saturated already: SSE / MSE = n - 1
    product = csi.fit("A =~ a1 + a2; B =~ b1 + b2; Y =~ y1 + y2; B ~ A; Y ~ A + B + A:B", frame, csi.PLS())
    assert selection(product).table.filter(construct="Y")["cp"].item() == pytest.approx(7)
    shared = frame.with_columns(b1=pl.col("b1") + pl.col("a1"), b2=pl.col("b2") + pl.col("a2"))
    corrected = csi.fit(whole.model, shared, csi.PLS(consistent=True))
    for est in (corrected, product):
        with pytest.raises(Problems, match=r"csi\.predict"):
            blindfolding(est)


HIGHER = "A =~ a1 + a2; B =~ b1 + b2; H <~ A + B; Y =~ y1 + y2; Y ~ H"


@pytest.mark.parametrize("way", ["two-stage", "embedded", "repeated"])
def test_redundancy_of_a_higher_order_construct_is_that_of_its_scores(way):
    """Mode A is the correlation of the scores row by row; another measure is its regression on the score."""
    rng = np.random.default_rng(3)
    frame = answers().with_columns(whole=pl.col("a1") + 2 * pl.col("b1") + pl.Series(rng.standard_normal(150)))
    one, two = (csi.fit(HIGHER, frame, csi.PLS(higher_order=way, modes={"H": m}, **EXACT)) for m in "BA")
    expected = np.corrcoef(csi.scores(one)["H"], csi.scores(two)["H"])[0, 1]
    found = redundancy(one).table
    assert found["construct"].to_list() == ["H"]
    assert found["path"].item() == pytest.approx(expected, abs=1e-8)
    assert found["verdict"].item() == "pass"
    against = redundancy(one, {"H": "whole"}, frame).table
    own = csi.fit(HIGHER.replace("y1 + y2", "whole"), frame, one.settings)
    assert against["path"].item() == pytest.approx(np.corrcoef(csi.scores(own)["H"], frame["whole"])[0, 1], abs=1e-8)
    if way == "two-stage":  # the components' scores are A's and B's, so this is their multiple correlation
        parts = csi.scores(own).select("A", "B").to_numpy()
        slope = np.linalg.lstsq(parts, frame["whole"].to_numpy() - frame["whole"].mean(), rcond=None)[0]
        assert against["path"].item() == pytest.approx(np.corrcoef(parts @ slope, frame["whole"])[0, 1], abs=1e-8)
