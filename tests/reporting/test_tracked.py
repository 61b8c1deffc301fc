"""Alerts, targets, rates and views in the report and its workbook: what they say is what the tables hold."""

import io
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.reporting import figures
from csi.reporting.analysis import analyse
from csi.reporting.build import planned_for, told
from csi.reporting.html import render_html
from csi.reporting.record import record
from csi.reporting.sections import build
from csi.reporting.tables import rows
from csi.reporting.xlsx import workbook
from csi.study.rated import rated, rates_over_waves

ROOT = Path(__file__).parents[2]
WAVES = ["2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"]
KEYS = ("alerts", "trend", "tracking", "views", "rates")
LINES = """
targets: [{value: 75}, {value: 99, brand: ZX, wave: 2026}, {construct: loyalty, value: 10}, {construct: kcsi, value: 1}]
views: {show: [rolling, control], window: 2}
alerts: [{when: missed}, {when: below, target: 100, brand: YA}, {when: fell}]
rates: {top_boxes: [sat1], kcsi: {elements: [qua1, qua2], overall: sat1, repurchase: loy1},
  tolerance: {rebuy: sat1, higher: loy1, lower: loy2}}
comparability: {gate: no}
report: {events: [{wave: 2026Q2, zh: 换版, en: Relaunch}]}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder, source = tmp_path_factory.mktemp("aims"), ROOT / "data/telecom"
    panel = pl.read_csv(source / "panel.csv", infer_schema=False)
    panel = panel.filter(pl.col("quarter").is_in(WAVES) & pl.col("operator").is_in(["ZX", "YA"]))
    panel.write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((source / "codebook.yaml").read_bytes())
    text = (source / "study.yaml").read_text("utf-8")
    text = re.sub(r"waves: \{order: .*", f"waves: {{order: [{', '.join(WAVES)}], base: 2025Q3}}", text)
    text = re.sub(r"index: \{.*", "index: {weights: base, base: 2025Q3, errors: linearised}", text)
    text = re.sub(r"(?m)^report: .*\n|^  - \{name: (HL|BD).*\n", "", text).replace("n: 1000, seed", "n: 100, seed")
    (folder / "study.yaml").write_text(text + LINES, encoding="utf-8")
    return csi.Study.read(folder / "study.yaml")


@pytest.fixture(scope="module")
def a(study):
    return analyse(study, study.panel())


@pytest.fixture(scope="module")
def report(a):
    return told(a, KEYS, ("zh", "en"))


def test_the_sections_are_planned_where_the_study_asks_for_them(study, a):
    found = planned_for(study, a.panel, "quarterly")
    assert [k for k in found if k in KEYS] == list(KEYS)
    plain = csi.Study.read(ROOT / "data/telecom/study.yaml")
    assert not {"alerts", "tracking", "views", "rates"} & set(planned_for(plain, a.panel, "quarterly"))


def test_alerts_are_sentences_of_the_wave(a, report):
    section = report.section("alerts")
    table = section.data["alerts"]
    assert set(table["wave"]) == {"2026Q3"}
    assert len(section.paragraphs) == table.height
    assert table.filter(brand="ZX", when="missed").select("limit", "sure").row(0) == (99.0, True)
    assert section.paragraphs[0].en.startswith("Zhongxun 2026 Q3: the target 99 is missed: ")
    assert (
        section.title.en == f"{table.height} alerts in 2026 Q3, {table.filter(brand='ZX').height} of them on Zhongxun"
    )
    assert section.title.zh.startswith("2026 年第三季度有")


def test_one_alert_is_said_of_whom(a):
    one = build("alerts", _with(a, alerts=(csi.Alert("below", target=99.0, brand="YA"),)))
    assert one.title.en == "1 alert in 2026 Q3, not on Zhongxun"
    assert one.title.zh.endswith("有 1 条预警，不涉及中讯")
    own = build("alerts", _with(a, alerts=(csi.Alert("below", target=99.0, brand="ZX"),)))
    assert (own.title.en, own.title.zh[-7:]) == ("1 alert in 2026 Q3, on Zhongxun", "预警，涉及中讯")


def test_the_method_says_where_linearised_errors_come_from(a):
    said = {k: v for k, v, _ in build("method", a).data["method"].rows()}
    assert said["Standard errors"].startswith("index linearised (Taylor), the uncertainty of the weights included")
    assert said["Tests"].startswith("t tests from linearised errors (weights' uncertainty included)")
    assert "Bootstrap" not in said
    zh = "".join(build("method", a).data["method"]["zh"])
    assert "联合重抽样" not in zh
    assert "未重抽样" in zh


def test_a_brand_of_too_few_answers_is_not_charted_for_that(a):
    few = replace(a, n={**a.n, "ZX": 20})
    few = replace(few, wave="2027Q1")  # a wave that no chart has
    title = build("views", few).title
    assert title.en == "Zhongxun is not charted in 2027 Q1: 20 answers, fewer than 30 (5 earlier waves charted)"
    assert title.zh == "中讯 2027 年第一季度样本量 20，不足 30，未列入控制图（此前 5 期列入）"


def _thinned(a, waves, small=30):
    """The answers behind the index of the focal brand in some waves are fewer than the base."""
    cells = a.index.cells.with_columns(
        n=pl.when((pl.col("brand") == "ZX") & pl.col("wave").is_in(waves)).then(small - 10).otherwise("n")
    )
    return replace(a, index=replace(a.index, cells=cells, answers=None))


def test_a_chart_without_limits_says_that_waves_are_below_the_base(a):
    charts = replace(
        a.study, settings=replace(a.study.settings, views=replace(a.study.settings.views, show=("control",)))
    )
    thin = _thinned(replace(a, study=charts), a.waves[:2])
    title = build("views", thin).title
    why = "2 of 5 waves have fewer than 30 answers; fewer than 4 are left"
    assert title.en == f"Zhongxun has no control limits in 2026 Q3: {why}"
    assert title.zh.endswith("没有控制限：5 期中有 2 期样本量不足 30，余下不足 4 期")
    notes = {n.code: n.text for n in build("views", thin).notes}
    assert "fewer than 4 waves with enough answers: ZX / " in notes["N-CONTROL-FEW"].en


def test_a_brand_without_an_index_is_not_charted_for_that(a):
    later = replace(a, wave="2027Q1", n={**a.n, "ZX": 300})
    assert build("views", later).title.en == "Zhongxun is not charted in 2027 Q1: it has no index"
    rolling = replace(a.study.settings.views, show=("rolling",))
    study = replace(a.study, settings=replace(a.study.settings, views=rolling))
    few = replace(a, study=study, wave="2027Q1", n={**a.n, "ZX": 20})
    assert build("views", few).title.en.startswith("Zhongxun has no smoothed value in 2027 Q1: 20 answers, fewer than")


def test_no_alert_is_said(a):
    quiet = build("alerts", _with(a, alerts=(csi.Alert("below", target=0.0),)))
    assert (quiet.title.en, quiet.title.zh) == ("No alert in 2026 Q3", "2026 年第三季度没有预警")


def _with(a, **said):
    return replace(a, study=replace(a.study, **said))


def test_the_target_stands_in_the_trend_and_its_axis(a, report):
    section = report.section("trend")
    mine = dict(section.data["targets"].filter(brand="ZX").select("wave", "target").rows())
    assert mine == {"2025Q3": 75.0, "2025Q4": 75.0, "2026Q1": 99.0, "2026Q2": 99.0, "2026Q3": 99.0}
    assert section.data["events"]["en"].to_list() == ["Relaunch"]
    for lang, words in (
        ("en", ("Target", "Others&#39; target", "99.0", "Relaunch")),
        ("zh", ("目标", "其他目标", "换版")),
    ):
        for draw in (section.figures[0].draw, section.figures[0].narrow):
            svg = draw(lang)
            assert all(w in svg or w.replace("&#39;", "'") in svg or w.replace("&#39;", "&#x27;") in svg for w in words)
            assert svg.count('stroke-dasharray="6 4"') == 2
    assert "formula F1" in section.subtitle.en
    assert "目标" in section.subtitle.zh


def test_the_tracking_table_says_what_its_cells_hold(report):
    section = report.section("tracking")
    table = section.tables[0].frame
    assert table["wave"].to_list() == WAVES[::-1]
    verdicts = [r[[c.name for c in section.tables[0].columns].index("attained")] for r in rows(section.tables[0], "en")]
    for row, said in zip(table.iter_rows(named=True), verdicts, strict=True):
        low, high, goal = row["conf_low"], row["conf_high"], row["target"]
        assert said == ("reached" if low >= goal else "missed" if high < goal else "cannot be told")
    assert section.title.en.startswith("Zhongxun is below its target of 99; it")
    assert section.title.zh.startswith("中讯未达到目标 99；")
    targets = section.tables[-1].frame
    assert set(targets.filter(construct="loyalty")["attained"]) == {"reached"}
    assert targets.height == 4
    assert section.data["tracking"].height == 10


def test_rates_have_ids_changes_and_targets(study, report):
    section = report.section("rates")
    table = section.data["rates"]
    assert {"F4", "T2B", "PT"} <= set(table["formula"])
    assert set(table.filter(construct="kcsi", wave="2026Q3")["attained"]) == {"reached"}
    alone = rates_over_waves(study, rated(study, study.panel()), study.waves)
    assert alone["index"].to_list() == table["index"].to_list()
    assert "N-TOLERANCE-PRICE" in {n.code for n in section.notes}
    priced = csi.price_tolerance(study.panel(), "sat1", "loy1", "loy2")
    made = csi.rates(priced, tolerance="price_tolerance").table
    assert table.filter(construct="price_tolerance")["index"].to_list() == made["index"].to_list()


def test_views_are_those_of_the_functions(a, report):
    section = report.section("views")
    mine = csi.smooth(a.index, "satisfaction", window=2, waves=a.waves).table
    assert section.data["rolling"]["smoothed"].to_list() == mine["smoothed"].to_list()
    chart = csi.control(a.index, "satisfaction", waves=a.waves).table.filter(brand="ZX", wave="2026Q3")
    assert section.data["control"].filter(brand="ZX", wave="2026Q3")["high"].to_list() == chart["high"].to_list()
    assert ("within" in section.title.en) is not chart["beyond"][0]
    assert "2 期滚动均值" in section.figures[0].draw("zh")


def test_small_cells_take_no_part_in_views(a):
    settings = replace(a.study.settings, small=275)
    section = build("views", replace(a, study=replace(a.study, settings=settings)))
    few = set(a.index.cells.filter(pl.col("n") < 275).select("brand", "wave").rows())
    assert few
    assert not few & set(section.data["rolling"].select("brand", "wave").rows())


def test_everything_is_in_the_page_the_workbook_and_the_record(a, report):
    html = render_html(report)
    for word in ("the target 99 is missed", "未达到目标 99", "Relaunch", "Rolling mean of 2 waves", "KCSI"):
        assert word in html
    book = pl.read_excel(io.BytesIO(workbook(report)), sheet_id=0, has_header=False, infer_schema_length=0)
    flat = {key: {str(v) for row in sheet.rows() for v in row} for key, sheet in book.items()}
    assert {"attained", "reached", "换版"} <= flat["tracking"] | {"换版"}
    assert any("99" in v for v in flat["tracking"])
    assert {"Relaunch", "换版"} <= flat["trend"]
    assert any("missed" in v for v in flat["alerts"])
    assert {"F4", "PT"} <= flat["rates"]
    assert "smoothed" in flat["views"] or any("平滑" in v for v in flat["views"])
    kept = record(a)
    assert kept["settings"]["targets"][1]["value"] == 99
    assert [e["wave"] for e in kept["events"]] == ["2026Q2"]


@pytest.mark.parametrize("width", [1040, 360])
def test_a_control_chart_marks_what_is_outside(width):
    frame = pl.DataFrame(
        {"wave": ["2025Q1", "2025Q2", "2025Q3"], "statistic": [70.0, 79.0, 60.0], "centre": [72.0] * 3,
         "low": [68.0] * 3, "high": [76.0, 77.0, 76.0], "beyond": [False, True, True]}
    )  # fmt: skip
    svg = figures.control_chart(frame, lang="zh", caption=Text("A chart", "一张图"), width=width)
    assert svg.count("<circle") == 3
    for word in ("79.0", "60.0", "上控制限", "76.0", "一张图"):
        assert word in svg
    assert "70.0<" not in re.sub(r"<title>.*?</title>", "", svg)


def test_values_outside_that_would_touch_are_told_once():
    """Twelve neighbours outside at 360 pixels: the newest first, then those that have room."""
    waves = [f"w{i:02}" for i in range(12)]
    frame = pl.DataFrame({"wave": waves, "statistic": [79.0 + i / 10 for i in range(12)]})
    frame = frame.with_columns(centre=72.0, low=68.0, high=76.0, beyond=pl.lit(value=True))
    svg = re.sub(r"<title>.*?</title>", "", figures.control_chart(frame, lang="en", width=360))
    told = [f"{79 + i / 10:.1f}" for i in range(12) if f">{79 + i / 10:.1f}<" in svg]
    assert told[-1] == "80.1"
    assert 3 <= len(told) <= 7


@pytest.mark.parametrize("key", ["alerts", "trend", "tracking", "views", "league", "chain", "stages"])
def test_every_section_with_an_index_names_its_formula(a, key):
    section = build(key, a)
    assert "formula F1" in section.subtitle.en
    assert "公式 F1" in section.subtitle.zh


def test_the_headline_names_the_formula(report):
    assert report.headline.dateline.en.endswith(" • formula F1")
    assert report.headline.dateline.zh.endswith(" • 公式 F1")
