"""Which waves a model's section is told of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import csi
from csi.reporting.sections import method_section

STUDY = Path(__file__).parents[2] / "data" / "retail" / "study.yaml"


@pytest.fixture(scope="module")
def analysis():
    study = csi.Study.read(STUDY)
    return SimpleNamespace(study=study, panel=study.panel(), wave="2026Q3")


def test_what_followed_interviews_is_told_of_all_waves(analysis):
    told = method_section("attitude", analysis)
    assert "only" not in told.subtitle.en
    assert analysis.panel.frame.height in told.data["joins"]["count"]
    assert "hazard" in [t.name for t in told.tables]


def test_a_section_of_one_wave_says_which(analysis):
    told = method_section("complaints", analysis)
    assert told.subtitle.en.endswith("; 2026 Q3 only")
    assert told.subtitle.zh.endswith("；仅 2026 年第三季度")
    last = analysis.panel.frame.filter(wave="2026Q3").height
    assert told.data["rate"]["n"].to_list() == [last]


def test_items_of_two_waves_and_stages_are_told_by_their_labels(analysis):
    told = method_section("ect", analysis)
    loadings = next(t for t in told.tables if t.name == "loadings")
    assert {loadings.texts[i].zh for i in loadings.frame["item"] if i.startswith("att")} == {
        "喜欢乐集", "乐集是好品牌", "对乐集印象好"
    }  # fmt: skip
    told = method_section("lifecycle_loyalty", analysis)
    said = [t.zh for t in (*told.paragraphs, *(n.text for n in told.notes))]
    assert any("流失顾客（" in t for t in said)
    assert not [t for t in said if "lapsed" in t or "regular" in t]
    assert set(told.data["stage_slopes"]["stage"]) == {"regular", "loyal"}


def test_stages_of_several_waves_are_drawn_and_the_latest_are_printed(analysis):
    told = method_section("lifecycle", analysis)
    drawn = next(f for f in told.figures if f.name == "sizes")
    assert drawn.draw("en").count("<polyline") >= len(analysis.study.stages)
    printed, every = (frame["wave"].unique(maintain_order=True) for frame in (told.tables[0].frame, told.data["sizes"]))
    assert printed.to_list() == every.to_list()[-4:]


def test_a_subtitle_that_ends_a_sentence_goes_on_without_its_stop(analysis):
    told = method_section("loyalty_curve", analysis)
    assert "slopes; 2026 Q3 only" in told.subtitle.en
    assert "也不同；仅" in told.subtitle.zh


def test_a_section_of_several_brands_together_says_so(analysis):
    frame = analysis.panel.frame.with_columns(brand=pl.int_range(pl.len()).mod(2).cast(pl.String))
    two = SimpleNamespace(**{**vars(analysis), "panel": replace(analysis.panel, frame=frame)})
    told = method_section("loyalty_curve", two)
    assert told.subtitle.en.endswith("; all brands together, 2026 Q3 only")
    assert told.subtitle.zh.endswith("；全部品牌合并，仅 2026 年第三季度")
