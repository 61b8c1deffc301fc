"""`csi track` on a study with targets, events, rates and views."""

import json

import numpy as np
import pytest

import csi

LINES = """
targets: [{value: 75}, {value: 80, brand: ZX, wave: 2026}, {construct: kcsi, value: 50},
  {construct: loyalty, value: 70}]
views: {show: [rolling, control], window: 3, limit: 2}
alerts: [{when: missed}, {when: small}]
rates: {top_boxes: [sat1], csat: [sat2], kcsi: {elements: [qua1, qua2], overall: sat1, repurchase: loy1}}
report: {events: [{wave: 2026Q2, zh: 换版, en: Relaunch}]}
"""
WORDS = ("--errors", "linearised", "--no-gate")


@pytest.fixture(scope="module")
def aimed(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("aims")
    for name in ("panel.csv", "codebook.yaml"):
        (folder / name).symlink_to(study.parent / name)
    (folder / "study.yaml").write_text(study.read_text("utf-8") + LINES, encoding="utf-8")
    return folder / "study.yaml"


def test_targets_events_and_the_benchmark_are_printed(asked, machine, aimed):
    found = machine("track", aimed, *WORDS, "--brand", "ZX")
    rows = found["tracking"]
    assert [r["target"] for r in rows] == [75, 75, 80, 80, 80]
    for r in rows:
        told = "reached" if r["conf_low"] >= r["target"] else "missed" if r["conf_high"] < r["target"] else "undecided"
        assert r["attained"] == told
        assert r["formula"] == "F1"
    assert {(a["when"], a["wave"]) for a in found["alerts"]} == {
        ("missed", r["wave"]) for r in rows if r["attained"] == "missed"
    }
    assert found["events"] == [{"wave": "2026Q2", "en": "Relaunch", "zh": "换版"}]
    out = asked("track", aimed, *WORDS, "--brand", "ZX", "--lang", "en")[1]
    for word in ("(F1)", "target", "Relaunch", "vs mean", " t ", "Rolling mean of 3 waves", "Control chart (2 sd, F1)"):
        assert word in out, word
    out = asked("track", aimed, *WORDS, "--brand", "ZX", "--lang", "zh")[1]
    for word in ("目标", "换版", "较均值", "3 期滚动均值", "控制图（2 倍标准差，F1）", "指数以外的指标"):
        assert word in out, word


@pytest.mark.slow
def test_another_construct_has_its_own_target(machine, aimed):
    rows = machine("track", aimed, *WORDS, "--construct", "loyalty", "--wave", "2026Q3")["tracking"]
    assert [r["target"] for r in rows] == [70, 70]
    found = machine("track", aimed, *WORDS, "--construct", "image", "--wave", "2026Q3")
    assert "target" not in found["tracking"][0]  # alerts about targets stay silent there
    assert [a["when"] for a in found["alerts"]] == []


def test_rates_have_changes_and_targets(machine, aimed):
    study = csi.Study.read(aimed)
    rows = machine("track", aimed, *WORDS, "--wave", "2026Q3")["rates"]
    assert {r["formula"] for r in rows} == {"F4", "T2B", "CSAT"}
    made = csi.kcsi(study.panel(), ["qua1", "qua2"], "sat1", "loy1")
    moved = csi.changes(made, "kcsi", waves=study.waves, small=30).table
    for r in (r for r in rows if r["construct"] == "kcsi"):
        mine = moved.filter(brand=r["brand"], wave="2026Q3", against="previous").row(0, named=True)
        assert r["change_previous"] == pytest.approx(mine["change"], rel=1e-12)
        assert r["p_holm_previous"] == pytest.approx(mine["p_holm"], rel=1e-12)
        assert r["target"] == 50
    assert all(r["target"] is None for r in rows if r["construct"] != "kcsi")


def test_the_command_line_sets_views(asked, machine, aimed):
    words = ("track", aimed, *WORDS, "--brand", "ZX", "--view", "rolling")
    three = [r["smoothed"] for r in machine(*words)["view"]]
    two = machine(*words, "--window", "2")["view"]
    values = [r["index"] for r in two]
    np.testing.assert_allclose([r["smoothed"] for r in two][1:], np.convolve(values, [0.5, 0.5], "valid"), rtol=1e-12)
    assert three[2] == pytest.approx(np.mean(values[:3]), rel=1e-12)
    chart = machine(
        "track", aimed, *WORDS, "--brand", "ZX", "--view", "control", "--baseline", "2025Q3,2025Q4,2026Q1,2026Q2"
    )
    assert chart["view"][0]["centre"] == pytest.approx(np.mean(values[:4]), rel=1e-12)
    code, _, err = asked("track", aimed, *WORDS, "--view", "rolling", "--window", "0", "--lang", "en")
    assert code == 1
    assert "window" in err
    code, _, err = asked("track", aimed, *WORDS, "--view", "ewma", "--weight", "3", "--lang", "zh")
    assert code == 1


@pytest.mark.slow
def test_the_benchmark_may_be_a_brand(asked, machine, aimed):
    rows = {r["brand"]: r for r in machine("track", aimed, *WORDS, "--wave", "2026Q3", "--benchmark", "YA")["tracking"]}
    gap = rows["ZX"]["index"] - rows["YA"]["index"]
    assert rows["ZX"]["difference_benchmark"] == pytest.approx(gap, abs=1e-10)
    assert rows["YA"]["difference_benchmark"] is None
    assert "vs Yunan" in asked("track", aimed, *WORDS, "--wave", "2026Q3", "--benchmark", "YA", "--lang", "en")[1]
    assert asked("track", aimed, *WORDS, "--benchmark", "QQ", "--lang", "en")[0] == 1


def test_the_record_keeps_alerts_views_and_rates(asked, aimed, tmp_path):
    asked("track", aimed, *WORDS, "--record", tmp_path / "r.json", "--quiet")
    kept = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert {"alerts", "view", "rates", "tracking"} <= set(kept)
    assert kept["settings"]["targets"][0]["value"] == 75


@pytest.mark.slow
def test_formula_ids_stand_beside_every_index(asked, machine, aimed, tmp_path):
    words = ("--errors", "linearised", "--bootstrap", "0")
    assert "index 0-100 (F1)" in asked("league", aimed, *words, "--lang", "en")[1]
    assert machine("league", aimed, *words)["formula"] == "F1"
    assert "全部构念（F1）" in asked("index", aimed, *words, "--lang", "zh")[1]
    for name, errors in (("a", "linearised"), ("b", "fixed")):
        asked("index", aimed, "--errors", errors, "--record", tmp_path / name, "--quiet")
    text = (tmp_path / "b").read_text("utf-8")
    value = json.loads(text)["index"][0]["index"]
    (tmp_path / "b").write_text(text.replace(str(value), str(value + 1)), encoding="utf-8")
    assert "Formula F1" in asked("diff", tmp_path / "a", tmp_path / "b", "--lang", "en")[1]
    asked("batch", aimed, "--out", tmp_path / "out", "--errors", "linearised", "--quiet")
    assert "formula" in (tmp_path / "out/summary.csv").read_text("utf-8").splitlines()[0].split(",")
