"""A wave that leaves the upper part of a scale unused is not compared with the others until the study says why."""

from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.study import read_study
from csi.study.breaks import breaks_of
from csi.study.panel import read_study_panel
from csi.study.settings import BreakSaid
from csi.survey.codebook import Codebook, Item, Scale
from csi.survey.doubts import scale_notes, unlike, unused_scales
from csi.survey.panel import Panel
from tests.tracking.trees import index_of

ITEMS = tuple(Item(name, "sat", Scale("ten", 1, 10), Text(name, name)) for name in ("q1", "q2"))
WAVES = ("2024", "2025", "2026")


@pytest.fixture(scope="module")
def study():
    return read_study("data/sectors/study.yaml")


def halved():
    """Answers 1 to 10, of which q1 runs from 1 to 5 in 2026."""
    rows = [(wave, x, x if wave != "2026" else (x + 1) // 2) for wave in WAVES for x in [*range(1, 11)] * 10]
    frame = pl.DataFrame(rows, schema=["wave", "q2", "q1"], orient="row")
    return frame.with_columns(pl.col("q1", "q2").cast(pl.Float64))


def test_items_whose_upper_part_a_wave_leaves_unused_are_told():
    found = unused_scales(halved(), Codebook(ITEMS, {}, {}), WAVES)
    assert unlike(found) == {"2026": ("q1",)}
    (said,) = scale_notes(found, WAVES)
    assert "scales: same" in said.say("en")
    assert "scales: same" in said.say("zh")


def test_waves_of_one_customer_are_no_other_scale():
    frame = pl.DataFrame({"wave": WAVES, "q1": [5.0, 8.0, 9.0], "q2": [9.0, 2.0, 3.0]})
    assert not unused_scales(frame, Codebook(ITEMS, {}, {}), WAVES)


def test_nothing_is_compared_across_such_waves(study):
    items = {c.name: c.items for c in study.model.constructs}
    target = study.settings.target
    panel = SimpleNamespace(unlike={"2026": items[target][:1]}, frame=pl.DataFrame({"wave": WAVES}))
    index = SimpleNamespace(cells=pl.DataFrame({"wave": list(study.waves)}), constructs=tuple(items))
    (found,) = breaks_of(replace(study, breaks=()), index, panel)
    assert (found.wave, found.only) == ("2026", frozenset({target}))
    assert items[target][0] in found.doubt.text.en
    assert "scales: same" in found.doubt.text.zh
    said = (BreakSaid("2026", "scale"),)
    assert [one.doubt for one in breaks_of(replace(study, breaks=said), index, panel)] == [None]
    joy = index_of({(b, w): 60.0 for b in "AB" for w in ("2025", "2026")})
    there = replace(found, only=frozenset({"joy"}))
    moved = csi.changes(joy, "joy", ("previous",), waves=("2025", "2026"), per_year=1, breaks=[there])
    assert moved.table["change"].null_count() == moved.table.height
    assert moved.table["reason"].drop_nulls().unique().to_list() == [found.doubt.text.en]
    tree = csi.tree(joy, {"x": ["A", "B"]}, None, "joy", breaks=[there], per_year=1)
    assert (tree.changes["change"][0], tree.changes["reason"][0]) == (None, found.doubt.text.en)
    other = csi.changes(joy, "use", ("previous",), waves=("2025", "2026"), per_year=1, breaks=[there])
    assert other.table["change"].count() == 2


def test_a_study_may_say_that_its_scales_are_the_same(study, monkeypatch):
    monkeypatch.setattr("csi.study.panel.survey.read_panel", lambda *_, **__: panel)
    panel = Panel(pl.DataFrame(), study.codebook, pl.DataFrame(), unlike={"2026": ("q1",)})
    assert read_study_panel(replace(study, scales="same")).unlike == {}
    assert read_study_panel(study).unlike == {"2026": ("q1",)}


def test_one_low_item_among_others_of_the_scale_that_use_it_all_is_no_other_scale():
    frame = halved().with_columns(q3=pl.col("q2"))
    items = (*ITEMS, Item("q3", "sat", Scale("ten", 1, 10), Text("q3", "q3")))
    assert not unused_scales(frame, Codebook(items, {}, {}), WAVES)
    both = frame.with_columns(q2=pl.col("q1"))
    assert unlike(unused_scales(both, Codebook(items, {}, {}), WAVES)) == {"2026": ("q1", "q2")}
