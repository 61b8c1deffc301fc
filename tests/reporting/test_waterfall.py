"""The picture and the section of why an index changed."""

from dataclasses import replace

import polars as pl
import pytest

from csi.errors import Text
from csi.reporting import figures, style
from csi.reporting.sections import build, planned
from csi.study.settings import BreakSaid, Settings, Telling

ROWS = pl.DataFrame(
    {
        "name": ["Q1", "means", "weights", "composition", "Q2"],
        "kind": ["level", "step", "step", "step", "level"],
        "value": [70.0, 3.0, -1.0, 0.5, 72.5],
        "low": [None, 1.0, -2.5, -0.5, None],
        "high": [None, 5.0, 0.5, 1.5, None],
        "sure": [None, True, False, False, None],
    }
)


@pytest.mark.parametrize("width", [style.FULL, style.HALF, style.PHONE])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_steps_lead_from_one_level_to_the_other(lang, width):
    svg = figures.waterfall(ROWS, lang=lang, labels={"means": Text("Item means", "题项均值")}, width=width)
    assert svg.count("<rect") == 3
    for shown in ("70.0", "72.5", "+3.0", "−1.0", "+0.5", "Item means" if lang == "en" else "题项均值"):
        assert shown in svg
    assert svg.count(f'fill="{style.FOCAL}"') >= 1  # what is sure is full, what is not is pale
    assert svg.count(f'fill="{style.WARN_PALE}"') == 1


def test_the_section_s_steps_add_up(analysis):
    section = build("decomposition", analysis)
    parts = section.data["parts"].filter((pl.col("brand") == analysis.focal) & (pl.col("part") != "total"))
    total = section.data["parts"].filter((pl.col("brand") == analysis.focal) & (pl.col("part") == "total"))
    assert parts["change"].sum() == pytest.approx(total["change"][0], abs=1e-10)
    moved = analysis.changes.table.filter(
        (pl.col("brand") == analysis.focal)
        & (pl.col("wave") == analysis.wave)
        & (pl.col("construct") == analysis.target)
        & (pl.col("against") == "previous")
    )
    assert total["change"][0] == pytest.approx(moved["change"][0], abs=1e-12)
    assert len(section.paragraphs) == len(analysis.n)
    assert [c.name for c in section.tables[0].columns] == ["brand", "total", "means"]  # weights of a base, no classes
    assert "sampling error" in section.title.en
    assert "抽样误差" in section.title.zh


def test_it_stands_behind_the_trend_where_the_study_names_classes_or_asks():
    given = {"brands": 3, "waves": 4, "keys": ("segment",)}
    assert "decomposition" not in planned("quarterly", **given)
    for settings in (Settings(classes="segment"), Settings(telling=Telling(sections={"decomposition": True}))):
        found = planned("quarterly", **given, settings=settings)
        assert found[:2] == ("trend", "decomposition")
    alone = {"brands": 3, "waves": 1, "keys": ("segment",)}
    assert "decomposition" not in planned("quarterly", **alone, settings=Settings(classes="segment"))


def test_across_a_break_the_section_says_why_there_is_nothing(analysis):
    said = BreakSaid(analysis.wave, "scale", Text("", ""))
    section = build("decomposition", replace(analysis, study=replace(analysis.study, breaks=(said,))))
    assert section.figures == ()
    assert "the answer scale changed" in section.title.en
    assert "答题量表改变" in section.title.zh
    assert section.data["parts"]["change"].null_count() == section.data["parts"].height


def test_the_trend_says_where_its_changes_go_through_a_link(analysis):
    plain = build("trend", analysis).subtitle
    table = analysis.changes.table.with_columns(link=pl.lit("items"))
    linked = build("trend", replace(analysis, changes=replace(analysis.changes, table=table))).subtitle
    assert linked.en == plain.en + "; changes across the break are linked, in points of the new form"
    assert linked.zh == plain.zh + "；跨断点的变化已经衔接，以新形式的分数计"


def test_a_change_that_the_gate_withholds_is_not_told_by_its_parts(analysis):
    sets = []
    for one in analysis.gate.judged:
        m = len(one.verdict)
        bias = one.bias * 0 + 1.5
        sets.append(replace(one, verdict=("not comparable",) * m, items=((one.cells.items[0],),) * m, bias=bias))
    section = build("decomposition", replace(analysis, gate=replace(analysis.gate, judged=tuple(sets))))
    assert section.data["parts"]["change"].null_count() == section.data["parts"].height
    assert section.data["items"].is_empty()
    assert (section.figures, section.tables) == ((), ())
    assert "not decomposed, not comparable: " in section.title.en
    assert analysis.brand_labels[analysis.focal].en in section.title.en
    assert "未作分解，不可比：" in section.title.zh
