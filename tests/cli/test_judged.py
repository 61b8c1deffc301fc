"""`csi predict MODEL DATA` and `csi assess MODEL DATA`: what a person reads and what a machine gets."""

import json

import numpy as np
import polars as pl
import pytest

MODEL = "A =~ a1 + a2 + a3 + a4\nF <~ f1 + f2\nY =~ y1 + y2\nY ~ A + F\nF ~ A"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    rng = np.random.default_rng(2)
    a, f = rng.standard_normal((2, 160))
    f = 0.5 * a + f
    y = 0.5 * a + 0.5 * f + 0.7 * rng.standard_normal(160)
    items = np.column_stack([a, a, a, a, f, f, y, y]) + 0.6 * rng.standard_normal((160, 8))
    frame = pl.DataFrame(np.round(items, 3), schema=["a1", "a2", "a3", "a4", "f1", "f2", "y1", "y2"])
    wave = pl.Series("wave", ["p", "q"] * 80)
    frame.with_columns(wave, person=pl.int_range(160) // 2, w=pl.lit(2)).write_csv(folder / "answers.csv")
    (folder / "model.lav").write_text(MODEL, encoding="utf-8")
    (folder / "small.lav").write_text(MODEL.replace("Y ~ A + F", "Y ~ A"), encoding="utf-8")
    return folder / "model.lav", folder / "answers.csv"


def test_predict_tells_a_person(asked, files):
    code, out, err = asked("predict", *files, "--repetitions", "2", "--lang", "en")
    assert (code, err) == (0, "")
    assert "10 x 2, ea, LM: exogenous, seed 1" in out
    assert "predictive power for it" in out
    assert "the model predicts better than the indicator average" in out
    code, out, _ = asked("predict", *files, "--repetitions", "1", "--by", "wave", "--lang", "zh")
    assert "最早前因，线性模型：外生构念的题项，种子 1" in out
    assert "exogenous" not in out
    assert code == 0
    assert "预测能力检验" in out
    assert "均值预测" in out


def test_predict_tells_a_machine_and_compares_models(asked, files):
    rival = files[0].with_name("small.lav")
    words = ("--against", rival, "--unit", "person", "--weight", "w", "--technique", "da", "--folds", "5")
    code, out, _ = asked("predict", *files, *words, "--repetitions", "2", "--json")
    found = json.loads(out)
    assert (code, found["folds"], found["repetitions"]) == (0, 5, 2)
    assert found["benchmark"] == "antecedents"
    assert {row["against"] for row in found["cvpat"]} == {"ia", "lm", "other"}
    assert {row["df"] for row in found["cvpat"]} == {79.0}
    assert {row["item"] for row in found["items"]} == {"f1", "f2", "y1", "y2"}


def test_assess_tells_a_person(asked, files):
    code, out, err = asked("assess", *files, "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    for part in ("saturated", "Exact fit", "Regressions", "Items of mode B", "Redundancy", "one common factor"):
        assert part in out
    code, out, _ = asked("assess", *files, "--bootstrap", "0", "--by", "wave", "--lang", "zh")
    assert code == 0
    assert "饱和模型" in out
    assert "精确拟合检验" not in out


@pytest.mark.parametrize("estimator", ["plsc", "sum", "gsca"])
def test_assess_tells_a_machine_of_every_estimator(asked, files, estimator):
    code, out, _ = asked("assess", *files, "--estimator", estimator, "--bootstrap", "100", "--json")
    found = json.loads(out)
    assert code == 0
    assert {"fit_measures", "exact_fit", "selection", "vif", "f2", "blindfolding", "tetrads"} <= set(found)


@pytest.mark.parametrize("missing", ["mean", "em", "pairwise"])
def test_absent_answers(asked, files, tmp_path, missing):
    frame = pl.read_csv(files[1]).with_columns(y1=pl.when(pl.int_range(160) < 9).then(None).otherwise("y1"))
    frame.write_csv(tmp_path / "holes.csv")
    words = (files[0], tmp_path / "holes.csv", "--missing", missing, "--json")
    code, out, _ = asked("assess", *words, "--bootstrap", "0")
    assert code == 0
    assert {r["construct"] for r in json.loads(out)["blindfolding"]} == {"F", "Y"}
    code, out, _ = asked("predict", *words, "--repetitions", "1")
    assert code == 0
    assert "N-PREDICT-ABSENT" in {n["code"] for n in json.loads(out)["notes"]}


def test_what_is_wrong_is_said_without_a_traceback(asked, files):
    code, _, err = asked("predict", *files, "--folds", "500", "--lang", "en")
    assert code == 1
    assert "160 respondents" in err
    code, _, err = asked("assess", *files, "--bootstrap", "5", "--lang", "en")
    assert code == 2
    code, _, err = asked("predict", *files, "--where", "wave", "--lang", "en")
    assert code == 2


def test_assess_of_a_higher_order_model_omits_the_scores_of_its_components(asked, files):
    text = "A =~ a1 + a2; F =~ f1 + f2; W <~ A + F; Y =~ y1 + y2; Y ~ W"
    code, out, _ = asked("assess", text, files[1], "--bootstrap", "100", "--json")
    assert code == 0
    assert [r["construct"] for r in json.loads(out)["blindfolding"]] == ["Y"]


def test_assess_of_a_model_with_products_leaves_their_fit_out(asked, files):
    text = "A =~ a1 + a2; F =~ f1 + f2; Y =~ y1 + y2; F ~ A; Y ~ A + F + A:F"
    code, out, _ = asked("assess", text, files[1], "--bootstrap", "100", "--json")
    assert code == 0
    assert "blindfolding" not in json.loads(out)
    assert {r["model"] for r in json.loads(out)["exact_fit"]} == {"saturated"}
