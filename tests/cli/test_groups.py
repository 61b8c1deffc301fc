"""`csi groups`: a model text with a data file, a study, what a machine gets, wrong groups."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.cli.progress import lines, working

ROOT = Path(__file__).parents[2]
MODEL = "sat =~ sat1 + sat2 + sat3; loy =~ loy1 + loy2 + loy3; val =~ val1 + val2; sat ~ val; loy ~ sat + val"
DATA = ROOT / "data/telecom/panel.csv"
FEW = ("--permutations", 149, "--bootstrap", 0)


def test_a_model_and_a_file(asked):
    code, out, err = asked(
        "groups", MODEL, DATA, "--by", "operator", "--na", "97,98,99", "--where", "quarter=2026Q3", *FEW
    )
    assert (code, err) == (0, "")
    assert "panel.csv · PLS (path)" in out
    assert out.index("MICOM") < out.index("Step 1, configural") < out.index("sat:") < out.index("Paths")
    assert "149 permutations, seed 1" in out


def test_a_machine_gets_the_invariance_before_the_differences(asked):
    code, out, _ = asked(
        "groups", MODEL, DATA, "--by", "operator", "--na", "97,98,99", "--where", "quarter=2026Q3", *FEW, "--json"
    )
    found = json.loads(out)
    assert code == 0
    assert list(found).index("micom") < list(found).index("differences")
    assert [g["group"] for g in found["groups"]] == ["BD", "HL", "YA", "ZX"]
    assert len(found["micom"]["pairs"]) == 6 * 3
    paths = [r for r in found["differences"] if r["kind"] == "path"]
    assert len(paths) == 6 * 3
    assert {r["invariance"] for r in paths} <= {"none", "partial", "full"}
    assert all((r["p_permutation"] is None) == (r["invariance"] == "none") for r in paths)


def test_a_study_by_brand_and_by_wave(asked, study):
    code, out, _ = asked("groups", study, "--by", "brand", *FEW, "--lang", "zh")
    assert code == 0
    assert "2026Q3" in out
    assert "中讯 (n = " in out
    assert "感知质量：" in out
    assert "步骤 1，形态：成立" in out
    code, out, _ = asked("groups", study, "--by", "wave", "--brand", "ZX", *FEW, "--json")
    assert code == 0
    assert [g["group"] for g in json.loads(out)["groups"]] == ["2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"]


def test_wrong_words_are_told(asked, study):
    code, _, err = asked("groups", study, "--by", "brnd", *FEW, "--lang", "en")
    assert code == 1
    assert 'Did you mean "brand"?' in err
    code, _, err = asked("groups", MODEL, "--by", "operator", "--lang", "en")
    assert code == 2
    assert "DATA" in err
    code, _, err = asked(
        "groups", MODEL, DATA, "--by", "operator", "--na", "97,98,99", "--permutations", 5, "--lang", "en"
    )
    assert code == 1
    assert "5 permutations are too few" in err
    code, _, err = asked("groups", MODEL, DATA, "--by", "operator", "--where", "operator=ZX", *FEW, "--lang", "en")
    assert code == 1
    assert "two groups or more" in err


def test_progress_is_told_where_nobody_looks(capsys):
    """Lines come at most every 20 seconds of the clock; nothing when quiet."""
    tell = lines("Permuting", iter([0.0, 5.0, 21.0, 22.0, 41.5]).__next__)
    for done in (100, 200, 300, 400):
        tell(done, 1000)
    assert capsys.readouterr().err == "Permuting 200/1000\nPermuting 400/1000\n"
    with working("Permuting", quiet=True) as silent:
        silent(1, 2)
    assert capsys.readouterr().err == ""


def test_an_item_as_group_is_a_problem_and_no_traceback(asked):
    code, _, err = asked("groups", MODEL, DATA, "--by", "sat1", "--na", "97,98,99", *FEW, "--lang", "en")
    assert code == 1
    assert "it is an item of the model" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("verb", ["groups", "compare", "robustness"])
def test_too_few_resamples_are_refused_in_one_wording(asked, verb):
    code, _, err = asked(verb, MODEL, DATA, *(["--by", "operator"] if verb == "groups" else []), "--bootstrap", 50)
    assert code == 2
    assert "50" in err
    assert "100" in err


def test_an_unknown_estimator_is_told_among_all_estimators(asked):
    code, _, err = asked("compare", MODEL, DATA, "--estimators", "pls,zz", "--lang", "en")
    assert code == 1
    assert '"zz" is not a value' in err
    assert "gsca" in err


def test_a_measurement_as_group_is_told_in_one_message(asked):
    words = ("--na", "97,98,99", "--where", "quarter=2026Q3", *FEW)
    code, _, err = asked("groups", MODEL, DATA, "--by", "weight", *words, "--lang", "en")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "rather than groups? Cut the column into a few groups of 10 rows or more, such as" in err
    assert "分组列是否为数值" in asked("groups", MODEL, DATA, "--by", "weight", *words, "--lang", "zh")[2]


def test_many_small_groups_are_left_out_in_one_note(tmp_path, asked):
    rng = np.random.default_rng(3)
    a, e = rng.normal(size=(2, 120))
    items = {"a1": a, "a2": a + 0.5 * e, "b1": 0.5 * a + e, "b2": 0.4 * a + e + 0.5 * rng.normal(size=120)}
    group = [*["p"] * 48, *["q"] * 48, *(f"r{i // 2}" for i in range(24))]
    pl.DataFrame({**items, "g": group}).write_csv(tmp_path / "a.csv")
    model = "A =~ a1 + a2; B =~ b1 + b2; B ~ A"
    code, out, err = asked("groups", model, tmp_path / "a.csv", "--by", "g", *FEW, "--lang", "en")
    assert code == 3
    said = [line for line in (out + err).splitlines() if "left out" in line]
    assert len(said) == 1
    assert "12 of 14 groups" in said[0]
