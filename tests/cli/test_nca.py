"""`csi nca` and `csi drivers --desired`: what a person reads and what a machine gets."""

import json

import polars as pl
import pytest


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.csv"
    pl.DataFrame({"a": range(1, 13), "b": [3, 1, 2] * 4, "c": [1, 1, 2, 3, 4, 4, 5, 7, 8, 8, 9, 11]}).write_csv(path)
    return path


def test_nca_prints_effects_bottlenecks_and_a_sentence(asked, answers):
    code, out, err = asked("nca", answers, "--x", "a,b", "--y", "c", "--permutations", "199", "--lang", "en")
    assert (code, err) == (0, "")
    for said in ("Effect sizes", "Bottleneck, ce_fdh", "Bottleneck, cr_fdh", "consistent with a necessary condition"):
        assert said in out
    code, out, _ = asked("nca", answers, "--x", "a", "--y", "c", "--show", "below", "--lang", "zh")
    assert "瓶颈表" in out


def test_nca_gives_a_machine_everything(asked, answers):
    code, out, _ = asked("nca", answers, "--x", "a", "--y", "c", "--permutations", "199", "--json")
    found = json.loads(out)
    assert code == 0
    assert [e["ceiling"] for e in found["effects"]] == ["ce_fdh", "cr_fdh"]
    assert len(found["bottleneck"]) == 22


def test_a_constant_column_is_a_problem_not_a_traceback(asked, answers, tmp_path):
    flat = tmp_path / "flat.csv"
    pl.read_csv(answers).with_columns(c=pl.lit(5)).write_csv(flat)
    code, _, err = asked("nca", flat, "--x", "a", "--y", "c", "--lang", "en")
    assert code == 1
    assert "all its values are the same" in err


def test_drivers_tell_what_a_desired_level_needs(asked, study):
    code, out, err = asked("drivers", study, "--desired", "80", "--bootstrap", "0", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["desired"] == 80
    assert {"effect", "needed", "below", "necessary"} <= set(found["needs"][0])
