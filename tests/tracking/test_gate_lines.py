"""The line of evidence beside a table: what passed, what was freed, what is not comparable, what was not tested."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.tracking.gate_lines import MOST, evidence_line, told_changes

LOADINGS = np.array([1.0, 1.1, 0.9, 1.2])


def draw(rng, level=0.0, shift=(0.0, 0.0, 0.0, 0.0)):
    factor = rng.normal(level, 1.1, 400)
    rows = 5.5 + factor[:, None] * LOADINGS + rng.normal(0, 0.9, (400, 4)) + np.array(shift)
    return np.column_stack([rows, factor + rng.normal(0, 1, 400) + 5])


def gate_of(shifts, construct="joy", model="joy =~ a + b + c + d\nuse =~ e\njoy ~ use"):
    """Brand A and B in the waves 1 and 2; `shifts`: cell -> shift of the four items."""
    rng, parts = np.random.default_rng(5), []
    for brand in "AB":
        for wave in "12":
            rows = draw(rng, 0.3 * (wave == "2"), shifts.get((brand, wave), (0, 0, 0, 0)))
            parts.append(pl.DataFrame(rows, schema=[*"abcde"]).with_columns(brand=pl.lit(brand), wave=pl.lit(wave)))
    est = csi.fit(csi.Model.parse(model), pl.concat(parts), csi.PLS(), by=["brand", "wave"], scale=(-10, 30))
    return csi.comparable(csi.index(est), construct=construct)


@pytest.fixture(scope="module")
def alike():
    return gate_of({})


@pytest.fixture(scope="module")
def barred():
    """Two of three items of B in wave 2 are moved apart."""
    model = "joy =~ a + b + c\nuse =~ e\njoy ~ use"
    return gate_of({("B", "2"): (0.9, -0.9, 0, 0)}, model=model)


def test_all_that_passed_stands_together(alike):
    line = evidence_line(alike, "joy")
    assert line.en == "Comparability: brands (1, 2): metric and scalar passed; waves (A, B): metric and scalar passed."
    assert line.zh == "可比性：品牌（1、2）：载荷与截距检验均通过；期次（A、B）：载荷与截距检验均通过。"


def test_only_what_the_table_shows(alike):
    wave = {"wave": "2"}
    assert evidence_line(alike, "joy", wave, changes=False).en == "Comparability: brands (2): metric and scalar passed."
    assert "waves (A, B)" in evidence_line(alike, "joy", wave).en
    assert evidence_line(alike, "joy", {"brand": "A"}, {"A": Text("Ann", "安")}, changes=False).zh == (
        "可比性：期次（安）：载荷与截距检验均通过。"
    )


def test_what_is_set_free_is_named_with_its_bias():
    line = evidence_line(gate_of({("B", "2"): (0, 0.6, 0, 0)}), "joy", {"wave": "2"}, {"b": Text("Bread", "面包")})
    assert "brands (2): comparable after freeing Bread, bias −" in line.en
    assert "points (A against B)" in line.en
    assert "品牌（2）：放开 面包 后可比，偏差 −" in line.zh
    assert "waves (A): metric and scalar passed" in line.en


def test_what_is_not_comparable_is_named_with_its_bias(barred):
    line = evidence_line(barred, "joy", {"wave": "2"})
    assert "brands (2): not comparable: item " in line.en
    assert ", bias " in line.en
    assert "不可比：题项" in line.zh
    assert evidence_line(barred, "joy", {"wave": "1"}, changes=False).en.endswith(
        "brands (1): metric and scalar passed."
    )


def test_what_was_not_tested_says_why_and_what_to_ask(alike):
    assert evidence_line(None, "joy").en == "Comparability: not tested; ask with csi comparable STUDY."
    assert evidence_line(None, "joy").zh == "可比性：未检验；可运行 csi comparable STUDY。"
    lone = evidence_line(gate_of({}, "use"), "use", {"wave": "1"}, changes=False)
    assert "brands (1): not tested (1 item" in lone.en
    assert "未检验（仅有 1 个题项" in lone.zh
    assert "nothing to compare" in evidence_line(alike, "other").en


def test_many_sets_that_were_not_tested_did_not_fail():
    gate = gate_of({}, "use")
    many = replace(gate, judged=gate.judged * 3)
    line = evidence_line(many, "use")
    assert f"{3 * len(gate.judged) - MOST} more sets were not tested" in line.en
    assert "did not pass" not in line.en
    assert "组未检验" in line.zh
    assert "未通过" not in line.zh


def test_composites_pass_by_their_composition():
    gate = gate_of({}, model="joy <~ a + b + c + d\nuse =~ e\nuse ~ joy")
    assert "composition passed (intercepts are not tested)" in evidence_line(gate, "joy").en
    assert "构成检验通过（截距未检验）" in evidence_line(gate, "joy").zh


def test_every_change_that_is_not_comparable_is_told(barred):
    rows = pl.DataFrame({"brand": ["A", "B"], "wave": ["2", "2"], "reference": ["1", "1"]})
    (only,) = told_changes(barred, barred.index, "joy", rows)
    assert only.en.startswith("B, 2: not comparable: ")
    assert only.zh.startswith("B、2：不可比：")
    assert told_changes(None, barred.index, "joy", rows) == ()
