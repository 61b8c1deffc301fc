"""Reports of studies that have less: no waves, no brands, no index, no model; and titles that are not markdown."""

import json
import re

import polars as pl
import pytest

import csi
from csi.errors import Problems, Text
from csi.reporting import analysis as analysing
from csi.reporting.html import render_html
from csi.reporting.notebook import literal, notebook
from csi.reporting.sections import KINDS
from csi.reporting.tables import rows
from csi.reporting.write import prepared, report_in


@pytest.fixture
def waveless(tmp_path, make_study, answers, study_text):
    """The small study's last wave without its wave key."""
    text = re.sub(r"waves: .*\n", "", study_text).replace("wave: wave, ", "")
    text = text.replace("weights: base, base: 2025Q1", "weights: own")
    text = re.sub(r", events: \[.*?\]", "", text)
    frame = answers().filter(pl.col("wave") == "2026Q1").drop("wave")
    return make_study(tmp_path, frame, text)


def test_a_study_without_waves_has_no_trend_and_no_change(waveless):
    report = csi.report(waveless)
    assert not {"trend"} & set(report.keys)
    assert {"league", "chain", "model", "priorities"} <= set(report.keys)
    assert report.headline.changes == ()
    assert not report.title.en.endswith((",", " "))
    assert not report.headline.dateline.en.startswith(" ")
    assert "previous wave" not in report.section("chain").subtitle.en
    assert report.section("fieldwork").tables[1].title == Text("Answers", "答卷")
    assert report.absent == ()


def test_a_wave_asked_of_a_study_without_waves_is_told(waveless):
    with pytest.raises(Problems, match="该研究没有期次。请去掉 --wave"):
        csi.report(waveless, "2026Q1")


def test_a_report_without_waves_is_written_under_the_name_of_the_study(waveless, tmp_path):
    folder, report = report_in(waveless, tmp_path / "reports", execute=False)
    assert folder.parent == tmp_path / "reports"
    assert folder.name == report.record["study"]
    assert "wave = ''" in (folder / "notebook.ipynb").read_text(encoding="utf-8")


def test_a_study_without_a_title_is_called_by_its_name(tmp_path, make_study, study_text):
    report = csi.report(make_study(tmp_path, study=re.sub(r"title: .*\n", "", study_text)))
    assert report.title.en == f"{report.record['study']}, 2026 Q1"


@pytest.fixture
def reversed_study(tmp_path, make_study, answers):
    """The small study with an item turned over everywhere: no index of satisfaction."""
    return make_study(tmp_path, answers().with_columns(s2=11 - pl.col("s2")))


def test_reasons_stand_in_the_language_of_the_table(reversed_study):
    table = csi.report(reversed_study).section("league").tables[0]
    printed = {lang: rows(table, lang)[0][1] for lang in ("zh", "en")}
    assert printed["en"] == (
        "weights of the base wave 2025Q1: satisfaction: the outer weight of s1 is not positive; no index is given."
    )
    assert printed["zh"] == "基期 2025Q1 的权重：satisfaction：s1 的外部权重不为正，不给出指数。"


@pytest.mark.slow
def test_without_an_index_there_is_nothing_to_improve_first(reversed_study, tmp_path):
    folder, report = report_in(reversed_study, tmp_path / "reports")
    assert "priorities" not in report.keys
    assert report.absent
    book = json.loads((folder / "notebook.ipynb").read_text(encoding="utf-8"))
    shown = re.findall(r'r\.section\(\\"(\w+)\\"\)', json.dumps(book))
    assert tuple(shown) == report.keys


def test_without_convergence_no_number_of_the_failed_fit_is_told(small_study, monkeypatch):
    monkeypatch.setattr(analysing, "estimator_of", lambda _: csi.PLS(max_iterations=1))
    report = csi.report(small_study)
    assert set(report.keys) <= set(KINDS["quarterly"])
    assert not {"model", "priorities", "reliability"} & set(report.keys)
    assert report.section("stages").data["cells"]["value"].null_count() == report.section("stages").data["cells"].height
    assert any("weights of the base wave 2025Q1: no convergence" in n.say("en") for n in report.absent)
    assert render_html(report)


def test_a_negative_weight_of_one_cell_stands_at_the_top_of_the_report(tmp_path, make_study, answers):
    here = (pl.col("brand") == "B") & (pl.col("wave") == "2026Q1")
    changed = answers().with_columns(s2=pl.when(here).then(11 - pl.col("s2")).otherwise("s2"))
    report = csi.report(make_study(tmp_path, changed))
    said = [n.say("en") for n in report.sections[0].notes if n.code == "W-WEIGHT"]
    assert len(said) == 1
    assert (
        "2026Q1: the outer weight of s1 is negative there; the published index uses the base wave's weights" in said[0]
    )
    assert report.absent == ()


def test_one_driver_is_no_weak_point(tmp_path, make_study, study_text):
    text = study_text.replace("    quality ~ image\n", "").replace("image + quality", "quality")
    text = text.replace("loyalty ~ satisfaction", "loyalty ~ satisfaction + image")
    report = csi.report(make_study(tmp_path, study=text))
    drivers = report.section("priorities").data["drivers"]
    assert drivers["construct"].to_list() == ["quality"]
    assert drivers["quadrant"].to_list() != ["improve"]
    assert "短板" not in report.headline.sentence.zh
    assert "quality" not in report.headline.sentence.en


def test_titles_are_text_in_a_notebook():
    evil = Text("</title><script>alert(3)</script> [a](javascript:b) **c** `d` $e$\n# f", "甲，App 改版")
    cells = notebook("s.yaml", "2026Q1", [("trend", Text("Trend", "趋势"))], evil, languages=("en",))["cells"]
    source = cells[0]["source"]
    assert source.startswith("# &lt;/title&gt;&lt;script&gt;")
    assert "<" not in source
    assert "\n" not in source
    assert r"\[a\]\(javascript:b\) \*\*c\*\* \`d\` \$e\$ \# f" in source
    assert literal("甲，App 改版 2026-Q1, 95% (x)") == r"甲，App 改版 2026-Q1, 95% \(x\)"


def test_folders_made_in_vain_go_again_and_others_stay(tmp_path):
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "a" / "b", tmp_path / "mine" / "c"):
        with pytest.raises(RuntimeError), prepared(folder):
            raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_brand_that_lost_all_its_rows_is_named_in_the_league_and_the_record(
    tmp_path, make_study, answers, study_text
):
    """Nobody of brand B answered one item in the last wave: listwise leaves it no row."""
    frame = answers()
    item = "s1"
    lost = (pl.col("brand") == "B") & (pl.col("wave") == "2026Q1")
    path = make_study(
        tmp_path, frame.with_columns(pl.when(lost).then(None).otherwise(pl.col(item)).alias(item)), study_text
    )
    told = csi.report(path)
    said = [n.say("en") for n in told.section("league").notes if n.code == "W-CELL-EMPTY"]
    assert len(said) == 1
    assert f"({item})" in said[0]
    assert any(n["code"] == "W-CELL-EMPTY" for n in told.record["notes"])


def test_a_target_that_nothing_leads_to_has_a_report_without_priorities(tmp_path, make_study, study_text):
    text = re.sub(r"index: \{target: satisfaction", "index: {target: image", study_text, count=1)
    assert text != study_text
    path = make_study(tmp_path, study=text)
    report = csi.report(path, lang="en")
    assert "priorities" not in report.keys
    assert {"model", "trend"} <= set(report.keys)
    (said,) = [n for n in report.sections[0].notes if n.code == "N-NO-DRIVERS"]
    assert "nothing in the model leads to" in said.text.en
    assert "没有任何路径指向" in said.text.zh


def test_a_measurement_model_has_a_report_without_priorities(tmp_path, make_study, study_text):
    text = re.sub(r"index: .*", "estimate: {estimator: ml}\nindex: {target: image, formula: F6}", study_text, count=1)
    text = re.sub(r"(?m)^    (\w+ ~|loyalty =~) .*\n", "", text)
    report = csi.report(make_study(tmp_path, study=text), lang="en")
    assert "priorities" not in report.keys
    assert any(n.code == "N-NO-DRIVERS" for n in report.sections[0].notes)
