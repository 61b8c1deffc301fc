"""Rates of single items over waves: what the gate found of the items, and what becomes of their changes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.study.rated import evidence_sentences, rate_names, rated, rates_over_waves
from csi.study.settings import RatesPlan
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.panel import Panel
from csi.tracking.gate_items import gate_of_items

TEN = Scale("ten", 1, 10)
ITEMS = tuple(Item(name, "joy" if name in "abc" else "use", TEN, Text(name, name)) for name in "abce")
MODEL = csi.Model.parse("joy =~ a + b + c\nuse =~ e\njoy ~ use")
WAVES = ("w1", "w2")


def panel_of(moved):
    """Brands A and B in two waves; in the later wave of B the item b is answered `moved` points higher."""
    rng, parts = np.random.default_rng(4), []
    for brand in "AB":
        for wave in WAVES:
            factor = rng.normal(0.0, 1.2, 500)
            rows = 5.5 + factor[:, None] * np.array([1.0, 1.1, 0.9, 0.8]) + rng.normal(0, 0.9, (500, 4))
            rows[:, 1] += moved if (brand, wave) == ("B", "w2") else 0.0
            parts.append(
                pl.DataFrame(rows.round().clip(1, 10), schema=[*"abce"]).with_columns(
                    brand=pl.lit(brand), wave=pl.lit(wave)
                )
            )
    frame = pl.concat(parts)
    return Panel(frame, Codebook(ITEMS, {}, {}), frame.select(pl.col([*"abce"]).cast(pl.String)))


@pytest.fixture(scope="module")
def panel():
    return panel_of(1.5)


@pytest.fixture(scope="module")
def gate(panel):
    est = csi.fit(MODEL, panel, csi.PLS(), by=["brand", "wave"])
    return csi.comparable(csi.index(est), construct="joy")


@pytest.fixture(scope="module")
def study():
    """A study whose rates are of these items."""
    read = csi.Study.read("data/sectors/study.yaml")
    book = Codebook(ITEMS, {}, {})
    settings = replace(
        read.settings, rates=RatesPlan(top_boxes=("a", "b", "e"), kcsi=(("a", "b"), "c", "c")), targets=()
    )
    return replace(read, settings=settings, codebook=book, model=MODEL, waves=WAVES)


def verdicts(table):
    later = table.filter(wave="w2")
    return {(r["brand"], r["construct"]): r["evidence_previous"] for r in later.iter_rows(named=True)}


def test_the_verdict_on_an_item_stands_beside_the_change_of_its_rate(study, panel, gate):
    table = rates_over_waves(study, rated(study, panel), WAVES, panel, gate)
    found = verdicts(table)
    assert found["B", "top_box_b"] == found["B", "kcsi"] == "not comparable"
    assert found["B", "top_box_a"] == found["A", "top_box_b"] == found["A", "kcsi"] == "comparable"
    assert found["A", "top_box_e"] == found["B", "top_box_e"] == "not tested"


def test_a_change_of_an_item_that_is_not_alike_is_withheld(study, panel, gate):
    made = rated(study, panel)
    row = rates_over_waves(study, made, WAVES, panel, gate).filter(brand="B", wave="w2", construct="top_box_b")
    assert row["change_previous"].item() is row["p_holm_previous"].item() is row["significant_previous"].item() is None
    assert row["items_previous"].item() == "b"
    assert "b does not measure alike" in row["withheld_previous"].item()
    assert row["withheld_zh_previous"].item().startswith("不可比：b ")
    assert row["index"].item() is not None
    plain = rates_over_waves(study, made, WAVES, panel).filter(brand="B", wave="w2", construct="top_box_b")
    anyway = rates_over_waves(study, made, WAVES, panel, gate, anyway=True)
    told = anyway.filter(brand="B", wave="w2", construct="top_box_b")
    assert told["change_previous"].item() == plain["change_previous"].item() > 10
    assert told["evidence_previous"].item() == "not comparable"


def test_a_sentence_says_which_rates_nobody_tested(study, panel, gate):
    made, names = rated(study, panel), rate_names(study)
    (said,) = evidence_sentences(rates_over_waves(study, made, WAVES, panel).filter(wave="w2"), names)
    assert said.en == "The changes of these rates are not tested for equal meaning over waves."
    assert "未检验" in said.zh
    one, two = evidence_sentences(rates_over_waves(study, made, WAVES, panel, gate).filter(wave="w2"), names)
    assert one.en == "Not tested for equal meaning over waves: Top 2: e."
    assert two.en.startswith("Not comparable and withheld")
    assert "Top 2: b" in two.en
    assert "KCSI" in two.en
    assert evidence_sentences(rates_over_waves(study, made, WAVES, panel, gate).filter(wave="w1"), names) == ()


def test_the_composition_of_a_construct_says_nothing_of_an_item(study, panel):
    est = csi.fit(MODEL, panel, csi.PLS(), by=["brand", "wave"])
    composed = csi.comparable(csi.index(est), construct="joy", rule="micom", permutations=200)
    carried = gate_of_items(composed, rated(study, panel)[1])
    assert set(carried.pairs["verdict"]) == {"not tested"}


def test_a_rate_is_kept_back_for_a_scale_of_its_own_items_alone(study, panel):
    doubted = replace(panel, unlike={"w2": ("e",)})
    table = rates_over_waves(study, rated(study, panel), WAVES, doubted).filter(wave="w2", brand="A")
    kept = {r["construct"]: r["change_previous"] is not None for r in table.iter_rows(named=True)}
    assert not kept["top_box_e"]
    assert kept["top_box_a"]
    assert kept["kcsi"]
    assert "answer scale of e" in table.filter(construct="top_box_e")["withheld_previous"].item()
