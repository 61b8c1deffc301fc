"""The section on shrunken values: switched on by the study, the raw index beside, never in a league."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.reporting.analysis import analyse
from csi.reporting.build import planned_for
from csi.reporting.sections import build

WAVES = ("2026Q2", "2026Q3")


@pytest.fixture(scope="module")
def study():
    made = csi.Study.read("data/telecom/study.yaml")
    return replace(made, waves=WAVES, settings=replace(made.settings, replicates=0, base_wave="2026Q2", shrunken=True))


@pytest.fixture(scope="module")
def panel(study):
    """Two waves; Yun'an with 40 rows in the later one, Beidoutong with 20."""
    panel = csi.Study.read(study.path).panel()
    place = pl.int_range(pl.len()).over("brand", "wave")
    limit = pl.col("brand").replace_strict({"YA": 40, "BD": 20}, default=10_000)
    kept = pl.col("wave").is_in(WAVES) & ((pl.col("wave") != "2026Q3") | (place < limit))
    return replace(panel, frame=panel.frame.filter(kept), waves=WAVES)


@pytest.fixture(scope="module")
def made(study, panel):
    return analyse(study, panel)


def test_the_raw_value_stands_beside(made):
    told = build("shrunken", made)
    found = csi.shrunken(made.index, made.target)
    now = found.table.filter(wave="2026Q3")
    frame = told.tables[0].frame.sort("brand")
    np.testing.assert_allclose(frame["shrunken"].fill_null(-1), now.sort("brand")["shrunken"].fill_null(-1), rtol=1e-12)
    columns = [c.name for c in told.tables[0].columns]
    assert columns.index("index") < columns.index("shrunken")
    small = frame.filter(brand="BD").row(0, named=True)
    assert small["shrunken"] is None
    assert small["index"] is None
    assert small["index_reason"] == "n < 30"
    assert "moves most" in told.title.en
    assert "变动最大" in told.title.zh
    assert "shrunken" not in build("league", made).tables[0].frame.columns


def test_the_study_switches_it_on(study, panel):
    assert "shrunken" in planned_for(study, panel, "quarterly")
    off = replace(study, settings=replace(study.settings, shrunken=False))
    assert "shrunken" not in planned_for(off, panel, "quarterly")


def test_nothing_to_draw_is_said(study, panel):
    high = replace(study, settings=replace(study.settings, small=200))
    told = build("shrunken", analyse(high, panel))
    assert told.title.en == "No index is drawn toward the mean" or told.tables
    none = replace(study, settings=replace(study.settings, small=5000))
    told = build("shrunken", analyse(none, panel))
    assert told.title.zh == "没有可收缩的指数"
    assert any(n.code == "E-SHRUNKEN" for n in told.notes)
    assert not told.tables


def test_the_trend_names_both_detectable_changes(made):
    said = [n.text.en for n in build("trend", made).notes if n.code == "N-DETECTABLE"]
    assert len(said) == 2
    assert "(t:" in said[0]
    assert "80% power" in said[1]
