"""A card's cells with too few answers: their numbers are withheld wherever a card is told, the others stay."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.models.cards import read_card
from csi.simulation import recipe_of_card, simulate

SIZES = {"A": 300, "B": 60, "C": 20}


@functools.cache
def panel():
    made = simulate(recipe_of_card(read_card("acsi"), n=sum(SIZES.values()), seed=3))
    brands = np.repeat(list(SIZES), list(SIZES.values()))
    whole = csi.read_panel(made.frame, made.codebook)
    return replace(whole, frame=whole.frame.with_columns(brand=pl.Series(brands)))


@functools.cache
def ran(**limits):
    return csi.run_card("acsi", panel(), by=["brand"], replicates=100, rivals=False, **limits)


def frames(run):
    every = {
        "table": run.table, "measurement": run.measurement, "reliability": run.reliability, "r2": run.r2,
        "hypotheses": run.hypotheses, "impact": run.impact, "fit": run.fit, "q2": run.q2, "index": run.index.table,
        "htmt": run.told(run.validity.table), "effects": run.told(run.effects.table),
    }  # fmt: skip
    return {name: frame for name, frame in every.items() if frame.height}


def test_numbers_of_few_answers_are_withheld_in_every_frame():
    run, all_told = ran(), ran(small=0, flagged=0)
    assert run.cells.select("brand", "n", "flag").rows() == [
        ("A", 300, None),
        ("B", 60, "small"),
        ("C", 20, "suppressed"),
    ]
    whole = frames(all_told)
    for name, frame in frames(run).items():
        numbers = [c for c, t in frame.schema.items() if t.is_float()]
        few, others = frame.filter(brand="C"), frame.filter(pl.col("brand") != "C")
        assert few.height, name
        assert all(few[c].null_count() == few.height for c in numbers), name
        assert set(few["flag"]) == {"suppressed"}, name
        assert "R-BASE" in few["reason"].to_list() or "fewer than 30" in few["reason"][0], name
        before = whole[name].filter(pl.col("brand") != "C").select(*numbers)
        assert others.select(*numbers).equals(before, null_equal=True), name
        assert whole[name]["flag"].null_count() == whole[name].height
    assert run.index.table.filter(brand="C")["reason_zh"][0] == "样本量不足 30，不予发布。"
    assert run.table.filter(brand="C")["verdict"].null_count() == run.table.filter(brand="C").height
    assert set(run.table.filter(brand="C")["withheld"]) == {"R-BASE"}


def test_nothing_is_said_of_them_but_that_they_are_few():
    run = ran()
    for lang in ("en", "zh"):
        said = [s.say(lang) for s in run.sentences]
        assert any(s.startswith("A") for s in said)
        assert not any(s.startswith("C") for s in said)
    notes = {n.code: n.text for n in run.notes if n.code in ("E-BASE", "W-BASE")}
    assert notes["E-BASE"].en == "fewer than 30 answers, withheld: C (n = 20)."
    assert notes["E-BASE"].zh == "样本量不足 30，不予发布：C（n = 20）。"
    assert notes["W-BASE"].en == "fewer than 100 answers, to be read with care: B (n = 60)."
    assert "suppressed" not in csi.display.text(run, "zh")
    assert "too few answers" in csi.display.text(run, "en")


def test_a_run_of_few_answers_alone_says_so():
    run = csi.run_card("acsi", panel(), where={"brand": "C"}, replicates=100, rivals=False)
    assert run.sentences[0].en == "Too few answers to be told (n = 20; at least 30 are needed)."
    assert len(run.sentences) == 1
    assert run.table["estimate"].null_count() == run.table.height
    assert run.published is None


@pytest.mark.parametrize("small", [-1, 2.5])
def test_limits_are_whole_numbers(small):
    with pytest.raises(csi.Problems) as raised:
        csi.run_card("acsi", panel(), small=small)
    assert raised.value.problems[0].code == "E-SETTING"
