"""The section on comparability, and what the league makes of a brand that is not comparable."""

from dataclasses import replace

import polars as pl
import pytest

import csi
from csi.reporting.analysis import analyse
from csi.reporting.build import planned_for
from csi.reporting.sections import build
from csi.reporting.sections.league import _in_part
from csi.study.settings import Gating

WAVES = ("2026Q2", "2026Q3")


@pytest.fixture(scope="module")
def study():
    """The demonstration, two waves, no resamples."""
    made = csi.Study.read("data/telecom/study.yaml")
    return replace(
        made, waves=WAVES, settings=replace(made.settings, replicates=0, base_wave="2026Q2", waves_per_year=4)
    )


def panel_of(study, *moved):
    """The answers of both waves; `moved` are (brand, wave, item, step)."""
    panel = csi.Study.read(study.path).panel()
    frame = panel.frame.filter(pl.col("wave").is_in(WAVES))
    for brand, wave, item, step in moved:
        here = (pl.col("brand") == brand) & (pl.col("wave") == wave)
        frame = frame.with_columns(pl.when(here).then((pl.col(item) + step).clip(1, 10)).otherwise(item).alias(item))
    return replace(panel, frame=frame, waves=WAVES)


@pytest.fixture(scope="module")
def plain(study):
    return analyse(study, panel_of(study))


@pytest.fixture(scope="module")
def barred(study):
    return analyse(study, panel_of(study, ("YA", "2026Q3", "sat1", 1), ("YA", "2026Q3", "sat2", -2)))


def test_nothing_found_is_said_so(plain):
    told = build("comparability", plain)
    assert told.title.en.startswith("No difference of satisfaction between brands or waves is found")
    assert told.title.zh.startswith("未见")
    assert told.data["comparability"].height == 2 + 4  # brands in two waves, waves of four brands
    assert len(told.figures) == 1
    assert "N-GATE" in [n.code for n in told.notes]


def test_a_brand_that_is_not_comparable_is_named_and_its_differences_withheld(barred):
    told = build("comparability", barred)
    assert "is not comparable throughout" in told.title.en
    assert told.paragraphs
    assert any("不可比" in p.zh for p in told.paragraphs)
    league = build("league", barred)
    assert "Yun'an is not comparable with" in league.title.en
    assert "云安与" in league.title.zh
    pair = league.data["pairs"].filter(pl.col("evidence") == "not comparable")
    assert pair["difference"].null_count() == pair.height > 0
    rows = barred.changes.table.filter((pl.col("brand") == "YA") & (pl.col("construct") == "satisfaction"))
    assert rows.filter(pl.col("wave") == "2026Q3")["change"].to_list() == [None]
    assert not any("YA" in group and "ZX" in group for group in barred.leagues["2026Q3"].groups)


def test_a_study_without_the_gate_has_no_such_section(study, plain):
    off = replace(study, settings=replace(study.settings, gating=Gating(gate=False)))
    made = analyse(off, panel_of(study))
    assert made.gate is None
    assert build("comparability", made).title.en == "Comparability was not tested"
    assert set(made.changes.table["evidence"]) == {"not tested"}
    assert "comparability" not in planned_for(off, panel_of(study), "quarterly")
    assert "comparability" in planned_for(study, panel_of(study), "quarterly")
    assert plain.gate is not None


def test_composites_are_told_by_their_weights(study):
    asked = replace(study, settings=replace(study.settings, gating=Gating(rule="micom")))
    told = build("comparability", analyse(asked, panel_of(study)))
    assert "pooled instead of own weights" in told.subtitle.en
    assert "合并权重" in told.subtitle.zh
    (table,) = told.tables
    assert table.title.en == "Equal composition, set by set"
    assert {"c", "p_composition"} <= {c.name for c in table.columns}
    assert "p_scalar" not in {c.name for c in table.columns}
    assert "N-GATE-MICOM" in [n.code for n in told.notes]


def test_a_table_with_a_withheld_change_beside_an_adjusted_one():
    rows = pl.DataFrame({"change": [-6.2, None], "adjusted": [-4.1, None]})
    told = rows.select(pl.struct("change", "adjusted").map_elements(_in_part, return_dtype=pl.String))
    assert told.to_series().to_list() == ["adjusted −4.1 (raw −6.2)", None]
