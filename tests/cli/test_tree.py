"""`csi tree` and the rates of `csi index`, and the report's section, on the study of a small nation."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.reporting.xlsx import workbook

STUDY = Path("data/sectors/study.yaml")


def test_a_tree_for_a_person(asked):
    code, out, err = asked("tree", STUDY, "--bootstrap", "100", "--lang", "en")
    assert (code, err) == (0, "")
    assert out.startswith("Nation stands at 71.1 in 2026 (95% interval ")
    for said in ("Consumer goods", "Banks", "Other cars", "(F1) · 2026", "Rebased: 2023 = 100"):
        assert said in out
    code, out, _ = asked("tree", STUDY, "--bootstrap", "100", "--lang", "zh", "--level", "industry")
    assert "银行" in out
    assert "安行汽车" not in out.split("注：")[0].split("其下最高")[1]


def test_an_audit_that_adds_up(asked):
    code, out, _ = asked("tree", STUDY, "--bootstrap", "0", "--audit", "--json")
    found = json.loads(out)
    assert code == 0
    audit = pl.DataFrame(found["audit"])
    sums = audit.group_by("parent", "wave").agg(pl.col("contribution").sum(), pl.col("parent_index").first())
    assert (sums["contribution"] - sums["parent_index"]).abs().max() < 1e-10
    nodes = {(r["node"], r["wave"]): r["index"] for r in found["tree"]}
    assert all(nodes[r["parent"], r["wave"]] == pytest.approx(r["parent_index"]) for r in sums.to_dicts())
    code, out, _ = asked("tree", STUDY, "--bootstrap", "0", "--audit", "--wave", "2024", "--lang", "zh")
    assert "核对表" in out
    assert "430" in out


def test_a_tree_over_imputed_copies(asked, tmp_path):
    text = STUDY.read_text("utf-8").replace("bootstrap: {n: 400", "estimate: {imputations: 2}\nbootstrap: {n: 100")
    for name in ("panel.csv", "codebook.yaml", "structure.csv", "weights.csv"):
        text = text.replace(name, str((STUDY.parent / name).resolve()))
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    code, out, err = asked("tree", tmp_path / "study.yaml", "--json", "--lang", "zh")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert all(r["conf_low"] < r["index"] < r["conf_high"] for r in found["tree"])
    assert any("Rubin" in n for n in map(str, found["notes"]))


def test_levels_and_studies_without_a_tree(asked):
    code, _, err = asked("tree", STUDY, "--bootstrap", "0", "--level", "industri", "--lang", "en")
    assert code == 1
    assert 'Did you mean "industry"?' in err
    code, _, err = asked("tree", "data/telecom/study.yaml", "--bootstrap", "0", "--lang", "zh")
    assert code == 1
    assert "该研究没有汇总树" in err


def test_rates_stand_under_the_index(asked):
    code, out, _ = asked("index", STUDY, "--bootstrap", "0", "--lang", "en", "--brand", "AX", "--wave", "2026")
    assert code == 0
    assert "Satisfaction, index 0-100 (F1)" in out
    assert "KCSI" in out
    assert "CSAT" in out
    code, out, _ = asked("index", STUDY, "--bootstrap", "0", "--json")
    ids = {r["formula"] for r in json.loads(out)["rates"]}
    assert ids == {"F4", "T2B", "CSAT"}


@pytest.fixture(scope="module")
def report():
    study = csi.Study.read(STUDY)
    return csi.report(replace(study, settings=replace(study.settings, replicates=100)), lang=("zh", "en"))


def test_the_report_has_a_section(report):
    keys = report.keys
    assert keys.index("league") < keys.index("tree") < keys.index("chain")
    section = report.section("tree")
    assert section.title.zh.startswith("全国（2026）为 71.1")
    assert {"tree", "tree_changes", "tree_audit"} == set(section.data)
    for lang in ("zh", "en"):
        svg = section.figures[0].draw(lang)
        assert svg.count("<polyline") == 7
        assert ("Nation" if lang == "en" else "全国") in svg
    assert [t.name for t in section.tables] == ["tree", "audit"]


def test_the_workbook_holds_the_audit(report, tmp_path):
    path = tmp_path / "tables.xlsx"
    path.write_bytes(workbook(report, ("en",)))
    sheet = pl.read_excel(path, sheet_name="tree", has_header=False, infer_schema_length=None)
    cells = {str(v) for column in sheet for v in column if v is not None}
    assert {"Airlines", "contribution", "Jiangnan Air"} <= cells


def test_a_report_up_to_an_earlier_wave(report):
    study = csi.Study.read(STUDY)
    early = csi.report(replace(study, settings=replace(study.settings, replicates=100)), "2024", "en")
    assert early.section("tree").data["tree"]["wave"].unique().sort().to_list() == ["2023", "2024"]
