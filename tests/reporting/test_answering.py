"""The section on fieldwork tells where rows went, what rules move the index by, and why answers are absent."""

from dataclasses import replace

import polars as pl
import pytest

import csi
from csi.reporting.analysis import analyse, until
from csi.reporting.sections.fieldwork import fieldwork


@pytest.fixture(scope="module")
def section():
    read = csi.Study.read("data/telecom/study.yaml")
    read = replace(read, settings=replace(read.settings, replicates=100, index_errors="linearised"))
    return fieldwork(analyse(read, read.panel(), "2024Q3"))


def table(section, name):
    return next(t for t in section.tables if t.name == name)


def test_where_rows_went_adds_up_and_is_of_the_wave(section):
    flow = table(section, "flow").frame
    assert flow.columns == ["brand", "read", "empty_rows", "speeders", "straight_lining", "kept"]
    assert (flow["read"] - flow["empty_rows"] - flow["speeders"] == flow["kept"]).all()
    assert flow["kept"].to_list() == table(section, "answers").frame["kept"].to_list()
    assert set(section.data["flow"]["wave"]) == {"2023Q4", "2024Q1", "2024Q2", "2024Q3"}


def test_effects_are_told_of_all_cells_and_never_of_few_rows(section):
    frame = table(section, "effects").frame
    assert frame["rule"].to_list()[-1] == "all"
    assert frame["rows"].min() >= 30
    effects = section.data["effects"]
    assert effects.filter((pl.col("rows") > 0) & (pl.col("rows") < 30))["effect"].null_count() > 0
    assert "the index of satisfaction" in section.paragraphs[0].en
    assert "满意度指数" in section.paragraphs[0].zh


def test_why_answers_are_absent_stands_per_brand(section):
    frame = table(section, "absent").frame
    assert frame["brand"].to_list() == ["ZX", "YA", "HL", "BD"]
    assert {"dont_know", "refused"} <= set(frame.columns)
    assert frame.drop("brand").max_horizontal().max() < 0.05
    assert any("Little p" in p.en for p in section.paragraphs)


def test_a_panel_cut_at_a_wave_keeps_what_rules_did_to_it():
    panel = csi.Study.read("data/telecom/study.yaml").panel()
    cut = until(panel, ("2023Q4", "2024Q1"))
    assert cut.hits.height == cut.frame.height
    assert cut.dropped.frame.height == cut.dropped.hits.height
    assert set(cut.dropped.frame["wave"]) == set(cut.flow["wave"]) == {"2023Q4", "2024Q1"}
