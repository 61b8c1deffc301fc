"""`csi scores`, and `csi fit --imputations`: scores of rows old and new, pooled fits."""

import json

import numpy as np
import polars as pl
import pytest

TEXT = "a =~ a1 + a2; b =~ b1 + b2; b ~ a"


@pytest.fixture
def answers(tmp_path):
    rng = np.random.default_rng(2)
    a = rng.normal(5, 1, 80)
    b = 0.7 * a + rng.normal(1.5, 1, 80)
    frame = pl.DataFrame({"a1": a + rng.normal(size=80), "a2": a, "b1": b + rng.normal(size=80), "b2": b}).select(
        pl.all().round().clip(1, 10)
    )
    frame = frame.with_columns(b1=pl.when(pl.col("a2") > 6).then(None).otherwise("b1"))
    path = tmp_path / "answers.csv"
    frame.write_csv(path)
    return path


def test_scores_of_the_data_and_of_new_rows(asked, answers, tmp_path):
    (tmp_path / "new.csv").write_text("a1,a2,b1,b2\n1,1,10,10\n5,,5,5\n")
    code, out, err = asked("scores", TEXT, answers, "--kind", "0-100", "--scale", "1,10", "--missing", "em")
    assert (code, err) == (0, "")
    code, out, err = asked(
        "scores", TEXT, answers, "--new", tmp_path / "new.csv", "--kind", "0-100", "--scale", "1,10", "--json"
    )
    rows = json.loads(out)["scores"]
    assert [rows[0]["a"], rows[0]["b"]] == pytest.approx([0.0, 100.0])
    assert rows[1]["a"] is None
    out_file = tmp_path / "scores.csv"
    code, out, _ = asked("scores", TEXT, answers, "--kind", "predicted", "--out", out_file, "--lang", "zh")
    assert (code, pl.read_csv(out_file).columns) == (0, ["row", "b1", "b2"])
    assert "预测的回答" in out


def test_bounds_are_two_numbers(asked, answers):
    code, _, err = asked("scores", TEXT, answers, "--kind", "0-100", "--scale", "10", "--lang", "en")
    assert code == 2
    assert "two numbers" in err
    code, _, err = asked("scores", TEXT, answers, "--kind", "0-100", "--lang", "en")
    assert code == 1
    assert "bounds" in err


def test_imputed_copies_are_pooled(asked, answers):
    words = ["fit", TEXT, answers, "--estimator", "pls", "--missing", "em", "--imputations", "3", "--seed", "2"]
    code, _, err = asked(*words, "--lang", "en")
    assert code == 1
    assert "Add --bootstrap" in err
    code, out, err = asked(*words, "--bootstrap", "100", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    path = next(p for p in found["parameters"] if p["op"] == "~")
    assert path["conf_low"] < path["estimate"] < path["conf_high"]
    assert any(n["code"] == "N-POOLED" for n in found["notes"])
    code, _, err = asked("fit", TEXT, answers, "--imputations", "3", "--lang", "en")
    assert "does not take this option" in err


def test_a_product_is_no_score_that_rows_lack(asked, tmp_path):
    path = tmp_path / "whole.csv"
    pl.DataFrame(np.random.default_rng(4).normal(size=(60, 3)), schema=["a1", "b1", "c1"]).write_csv(path)
    text = "a =~ a1; b =~ b1; c =~ c1; c ~ a + b + a:b"
    code, out, err = asked("scores", text, path, "--kind", "0-100", "--scale=-9,9", "--lang", "en")
    assert code == 0, err
    assert "60 rows, 0 of them without some score." in out
