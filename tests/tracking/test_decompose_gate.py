"""What the gate says of a change holds for its parts: withheld as a whole, or told without a test."""

from dataclasses import replace

import polars as pl
import pytest

import csi
from csi.errors import Problems
from tests.tracking.test_gate_applied import BAD, MODEL, made_of


@pytest.fixture(scope="module")
def bad():
    return made_of({("B", "w2"): BAD})


@pytest.fixture(scope="module")
def gate(bad):
    return csi.comparable(bad, construct="joy")


@pytest.fixture(scope="module")
def freed():
    made = made_of({("A", "w2"): (0.0, -0.35, 0.0)}, n=900)
    return made, csi.comparable(made, construct="joy")


def test_a_withheld_change_has_no_parts_and_no_sentence_with_numbers(bad, gate):
    found = csi.decompose(bad, construct="joy", gate=gate, drivers=csi.Model.parse(MODEL))
    moved = csi.changes(bad, "joy", ("previous",), gate=gate).table.filter(brand="B")
    (row,) = found.table.filter(brand="B").iter_rows(named=True)
    assert row["part"] == "total"
    assert row["evidence"] == "not comparable"
    assert [row[k] for k in ("change", "std_error", "p_value", "conf_low", "conf_high")] == [None] * 5
    assert (row["reason"], row["reason_zh"]) == (moved["reason"][0], moved["reason_zh"][0])
    for table in (found.items, found.drivers):
        assert table.filter(brand="A").height
        assert not table.filter(brand="B").height
    assert "not decomposed, not comparable: " in found.sentences[1].en
    assert "points (" not in found.sentences[1].en
    assert "未作分解，不可比：" in found.sentences[1].zh
    assert "W-NOT-COMPARABLE" in [n.code for n in found.notes]
    assert found.table.filter(brand="A")["evidence"].unique().to_list() == ["comparable"]


def test_anyway_splits_it(bad, gate):
    found = csi.decompose(bad, construct="joy", gate=gate, anyway=True)
    plain = csi.decompose(bad, construct="joy")
    assert found.table.drop("evidence").equals(plain.table.drop("evidence"))
    assert plain.table["evidence"].unique().to_list() == ["not tested"]
    assert found.sentences == plain.sentences


def test_a_change_after_freeing_is_split_without_tests(freed):
    made, gate = freed
    found, plain = (csi.decompose(made, construct="joy", gate=g) for g in (gate, None))
    mine, before = (one.table.filter(brand="A") for one in (found, plain))
    assert mine["evidence"].unique().to_list() == ["after freeing"]
    assert mine.select("change", "std_error", "conf_low").equals(before.select("change", "std_error", "conf_low"))
    for table in (mine, found.items.filter(brand="A")):
        assert table["p_value"].null_count() == table["statistic"].null_count() == table.height
    assert mine["p_holm"].null_count() == mine.height
    assert before["p_holm"].null_count() < before.height
    assert "comparable after freeing b only and not tested; largest part: item means (" in found.sentences[0].en
    assert "放开 b 后才可比，不作检验；最大部分：题项均值（" in found.sentences[0].zh
    assert "sampling error" not in found.sentences[0].en
    assert "N-FREED" in [n.code for n in found.notes]


def test_a_driver_that_is_not_comparable_keeps_the_change_out_of_the_structural_model(bad, gate):
    turned = csi.Model.parse("joy =~ a + b + c\nuse =~ e\nuse ~ joy")
    found = csi.decompose(bad, construct="use", gate=gate, drivers=turned)
    assert found.drivers["brand"].unique().to_list() == ["A"]
    assert found.table.filter(pl.col("brand") == "B", pl.col("part") == "total")["change"].null_count() == 0
    told = next(n for n in found.notes if n.code == "W-NOT-COMPARABLE")
    assert "1 of 2 changes not taken through the structural model" in told.text.en
    assert "joy" in told.text.zh


def test_a_gate_of_other_cells_is_refused(bad):
    gate = csi.comparable(bad, construct="joy", where={"wave": "w2"})
    narrow = replace(gate, places={k: v for k, v in gate.places.items() if k[1] == "w2"})
    with pytest.raises(Problems, match="other cells"):
        csi.decompose(bad, construct="joy", gate=narrow)
