"""Answers before a change of scale are read on the scale that they were asked on, or refused."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.study import read_study
from csi.study.breaks import breaks_of
from csi.survey.codebook import Scale

BOOK = """
codebook:
  scales: {ten: {min: 1, max: 10}}
  constructs: {sat: {en: Satisfaction}, loy: {en: Loyalty}}
  items:
    - {name: s1, construct: sat, scale: ten, en: S1}
    - {name: s2, construct: sat, scale: ten, en: S2}
    - {name: l1, construct: loy, scale: ten, en: L1}
"""
LINK = "link: {method: linear, file: both.csv, old: old, new: new, scales: [[1, 5], [1, 10]]}"


def study(folder, answers, broken):
    """A study of three waves whose last has a break."""
    answers.write_csv(folder / "answers.csv")
    pair = np.random.default_rng(3).integers(1, 6, 60)
    pl.DataFrame({"old": pair, "new": 2 * pair}).write_csv(folder / "both.csv")
    text = f"""csi: 1
study: turned
data: [{{file: answers.csv}}]
keys: {{wave: wave}}
{BOOK}
model: {{text: "sat =~ s1 + s2; loy =~ l1; loy ~ sat"}}
estimate: {{estimator: sum}}
index: {{target: sat, formula: F5}}
waves: {{order: [w1, w2, w3], breaks: [{{wave: w3, what: scale, {broken}}}]}}
"""
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return read_study(folder / "study.yaml")


@pytest.fixture
def raw():
    """s1 and s2 from 1 to 5 before w3; l1 from 1 to 10 in every wave."""
    rng = np.random.default_rng(7)
    wave = np.repeat(["w1", "w2", "w3"], 80)
    items = {name: np.where(wave == "w3", rng.integers(1, 11, 240), rng.integers(1, 6, 240)) for name in ("s1", "s2")}
    return pl.DataFrame({"wave": wave, **items, "l1": rng.integers(1, 11, 240)}).cast({"s1": float, "s2": float})


def by_hand(raw):
    """The same, turned into 1 to 10."""
    old = pl.col("wave") != "w3"
    return raw.with_columns(pl.when(old).then(1 + (pl.col(i) - 1) * 2.25).otherwise(i).alias(i) for i in ("s1", "s2"))


@pytest.mark.parametrize("said", [LINK, "scale: [1, 5], items: [s1, s2]"])
def test_answers_before_are_turned_as_by_hand(tmp_path, raw, said):
    panel = study(tmp_path, raw, said).panel()
    assert panel.frame.select("s1", "s2", "l1").equals(by_hand(raw).select("s1", "s2", pl.col("l1").cast(float)))
    assert panel.former == {wave: {"s1": (1, 5), "s2": (1, 5)} for wave in ("w1", "w2")}
    (told,) = (n for n in panel.notes if n.code == "N-SCALE-FORMER")
    assert "s1, s2" in told.say("en")
    assert "s1、s2" in told.say("zh")


@pytest.mark.parametrize("said", [LINK, "scale: [1, 10]"])
def test_answers_turned_by_hand_stay(tmp_path, raw, said):
    panel = study(tmp_path, by_hand(raw), said).panel()
    assert panel.frame["s1"].equals(by_hand(raw)["s1"])
    assert not panel.former


@pytest.mark.parametrize("said", ["", "link: {method: stated}"])
def test_a_change_whose_former_scale_nobody_says_is_refused(tmp_path, raw, said):
    with pytest.raises(Problems) as caught:
        study(tmp_path, raw, said).panel()
    (found,) = caught.value.problems
    assert found.code == "E-SCALE-WAVE"
    assert "s1, s2" in found.what.en
    assert "scale: [1, 5]" in found.remedy.zh


def test_answers_outside_the_stated_scale_are_refused(tmp_path, raw):
    with pytest.raises(Problems) as caught:
        study(tmp_path, raw, "scale: [1, 5]").panel()
    (found,) = caught.value.problems
    assert found.code == "E-SCALE-WAVE"
    assert "l1" in found.what.en


def test_several_changes_in_a_row_take_each_wave_by_its_own_scale(tmp_path, raw):
    seven = pl.when(pl.col("wave") == "w2").then(pl.col("s1").replace(5.0, 7.0)).otherwise("s1").alias("s1")
    said = "scale: [1, 7], items: [s1]}, {wave: w2, what: scale, scale: [1, 5], items: [s1, s2]"
    raw = raw.with_columns(seven, s2=by_hand(raw)["s2"]).with_columns(
        s2=pl.when(pl.col("wave") == "w1").then(raw["s2"]).otherwise("s2")
    )
    panel = study(tmp_path, raw, said).panel()
    assert panel.former == {"w1": {"s1": (1, 5), "s2": (1, 5)}, "w2": {"s1": (1, 7)}}
    assert panel.frame.group_by("wave").agg(pl.col("s1", "s2").max()).select("s1", "s2").unique().rows() == [(10, 10)]


def test_a_scale_that_is_none_and_items_that_are_not_there_are_told(tmp_path, raw):
    with pytest.raises(Problems) as caught:
        study(tmp_path, raw, "scale: [5, 1], items: [s9]")
    assert {p.code for p in caught.value.problems} == {"E-BREAK", "E-ITEM"}


@pytest.mark.parametrize("by", [("wave",), ()])
def test_shares_are_of_the_scale_that_was_asked(tmp_path, raw, by):
    panel = study(tmp_path, raw, LINK).panel()
    found = csi.rates(panel, by=by, top_boxes=["s1"], csat=["s2"])
    old = pl.col("wave") != "w3"
    hand = raw.select(
        "wave",
        top=100.0 * pl.when(old).then(pl.col("s1") >= 4).otherwise(pl.col("s1") >= 9),
        content=100.0 * pl.when(old).then(pl.col("s2") >= 4).otherwise(pl.col("s2") >= 8),
    )
    means = hand.group_by("wave").agg(pl.col("top", "content").mean()).sort("wave") if by else hand.mean()
    assert found.values == pytest.approx(means.select("top", "content").to_numpy(), abs=1e-9)
    assert "N-RATES-FORMER" in [n.code for n in found.notes]


def test_a_recommendation_on_another_scale_is_none(tmp_path, raw):
    panel = study(tmp_path, raw, LINK).panel()
    book = replace(panel.codebook, items=tuple(replace(i, scale=Scale("nps", 0, 10)) for i in panel.codebook.items))
    found = csi.rates(replace(panel, codebook=book), by=("wave",), nps="s1")
    assert np.isnan(found.values[:2, 0]).all()
    assert np.isfinite(found.values[2, 0])
    assert "0 to 10" in next(n for n in found.notes if n.code == "N-RATES-FORMER").say("en")


def test_two_former_scales_at_one_wave_are_said_apart_and_are_one_break(raw, tmp_path):
    two = 'scale: [1, 5], items: [s1]}, {wave: w3, what: scale, en: "s2, too", scale: [1, 7], items: [s2]'
    found = study(tmp_path, raw, two)
    panel = found.panel()
    assert panel.former == {w: {"s1": (1.0, 5.0), "s2": (1.0, 7.0)} for w in ("w1", "w2")}
    (only,) = breaks_of(found)
    assert (only.wave, only.text.en) == ("w3", "s2, too")
    with pytest.raises(Problems) as error:
        study(tmp_path, raw, "scale: [1, 5], items: [s1]}, {wave: w3, what: scale, scale: [1, 7], items: [s1]")
    assert "two breaks at w3" in str(error.value)
