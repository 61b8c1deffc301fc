"""The sections say what the analysis found, and say so when there is too little to find anything."""

import re
from dataclasses import replace

import polars as pl
import pytest
from scipy import special

import csi
from csi.errors import Problems, reason
from csi.estimate.fit import fit_sample
from csi.reporting import analysis as analysing
from csi.reporting.analysis import analyse
from csi.reporting.build import check_languages
from csi.reporting.build import told as tell
from csi.reporting.html import render_html
from csi.reporting.numbers import numbers, to_json
from csi.reporting.sections import KINDS, NEED_A_MODEL, SECTIONS, build, planned, teller
from csi.reporting.sections.measurement import measurement_finding
from csi.reporting.sections.priorities import weak_points
from csi.reporting.sections.standings import change, standing, untold
from csi.reporting.tables import rows
from csi.study import read_study, read_study_panel
from csi.tracking.contrasts import holm
from csi.tracking.league import gap_changes


def of(path, **options):
    return csi.report(path, **options)


@pytest.fixture(scope="module")
def untested(study_text):
    """The small study without the test of comparability, where what is told does not rest on it."""
    return study_text + "comparability: {gate: no}\n"


def test_the_quarterly_report_has_the_planned_sections_in_order(told):
    assert told.keys == KINDS["quarterly"]


@pytest.mark.parametrize("key", sorted(SECTIONS))
def test_every_section_draws_in_both_languages_and_escapes_labels(analysis, key):
    section = build(key, analysis)
    assert section.title.zh
    assert not section.title.en[0].islower()
    for figure in section.figures:
        for lang in ("zh", "en"):
            for draw in (figure.draw, figure.narrow):
                svg = draw(lang)
                assert svg.startswith("<svg")
                assert "<script" not in svg
                assert "nan" not in re.sub(r">[^<]*<", "><", svg)
    for table in section.tables:
        assert all(len(row) == len(table.columns) for lang in ("zh", "en") for row in rows(table, lang))


def test_one_number_one_source(analysis, told):
    """The hero, the trend, the league, the chain and the diagram's node show the same index."""
    trend = told.section("trend").data["index"].filter(brand="A", wave="2026Q1")["index"][0]
    league = told.section("league").data["league"].filter(brand="A")["index"][0]
    chain = told.section("chain").data["chain"].filter(construct="satisfaction")["index"][0]
    node = told.section("model").data["nodes"].filter(construct="satisfaction")["index"][0]
    assert {told.headline.value, trend, league, chain, node} == {told.headline.value}


def test_the_headline_agrees_with_the_tests(analysis, told):
    """The focal brand was built to rise by two points of ten and to overtake: both are significant."""
    year = analysis.changes.table.filter((pl.col("against") == "year") & (pl.col("brand") == "A"))
    assert year["significant"][0]
    assert told.headline.sentence.zh.startswith("甲")
    assert all(firm == (abs(d) > half) for _, d, half, firm in told.headline.changes)


def test_the_headline_says_at_which_level_its_intervals_are(analysis, told):
    head = told.headline
    assert head.interval_name.en == "Pointwise 95% CI"
    assert head.interval_name.zh == "逐点 95% 置信区间"
    year = change(analysis, "year")
    row = analysis.changes.table.filter(brand="A", wave=analysis.wave, construct="satisfaction", against="year")
    own = 2 * special.stdtr(row["df"].item(), row["half_width"].item() / row["std_error"].item()) - 1
    assert year.level == pytest.approx(own)
    assert year.level > 0.95
    last = len(head.changes) - 1
    assert f"; ± at {100 * own:.4g}%, Holm-adjusted)" in head.verdict(last).en
    assert f"；± 为 {100 * own:.4g}% 水平（Holm 校正）" in head.verdict(last).zh
    assert replace(head, levels=(0.95,) * 2).verdict(last).en.endswith("; ± at 95%)")
    page = render_html(told, ("en",)).split("</header>")[0]
    assert "Holm-adjusted" in page
    assert "Pointwise 95% CI" in page


def test_a_change_that_is_not_told_is_no_first_measurement(analysis):
    kept = analysis.changes.table.with_columns(
        change=pl.lit(None, pl.Float64), evidence=pl.lit("not comparable"), reason=pl.lit("x."), reason_zh=pl.lit("x。")
    )
    barred = replace(analysis, changes=replace(analysis.changes, table=kept))
    assert untold(barred).en == "the change from earlier waves is not comparable"
    assert "较前期的变化不可比" in build("trend", barred).title.zh
    base = kept.with_columns(evidence=pl.lit("not tested"), reason=pl.lit("fewer than 30 answers in a wave."))
    few = replace(analysis, changes=replace(analysis.changes, table=base))
    assert untold(few).en == "no change from earlier waves is told (fewer than 30 answers in a wave)"
    assert untold(replace(analysis, wave=analysis.waves[0])) is None


def test_significance_and_half_width_are_one_statement(analysis):
    table = analysis.changes.table.drop_nulls("p_value")
    assert table.height == 2 * 2
    assert ((table["change"].abs() > table["half_width"]) == table["significant"]).all()


def test_holm_counts_the_tests_of_the_release_as_tracking_does(analysis):
    family = next(n for n in analysis.changes.notes if n.code == "N-FAMILY")
    assert "at most 4" in family.text.en
    theirs = csi.changes(analysis.index, analysis.target, waves=analysis.waves, wave=analysis.wave).table
    keys = ["brand", "against"]
    both = analysis.changes.table.drop_nulls("p_value").join(theirs, on=keys, suffix="_track")
    assert both["p_holm"].to_list() == pytest.approx(both["p_holm_track"].to_list(), abs=1e-12)
    assert both.height == 4


def test_other_constructs_change_without_a_test(analysis):
    beside = analysis.changes.table.filter(pl.col("construct") != analysis.target)
    assert beside["change"].null_count() == 0
    assert beside.height > 0
    assert all(beside[c].null_count() == beside.height for c in ("std_error", "statistic", "conf_low", "conf_high"))
    assert beside["p_holm"].null_count() == beside["significant"].null_count() == beside.height


def test_a_brand_with_three_answers_is_suppressed_and_counted(told):
    league = told.section("league")
    table = league.tables[0]
    printed = {row[0]: row[1] for row in rows(table, "en")}
    assert printed["=cmd|' /C calc'!A0"] == "n < 30"
    note = next(n for n in league.notes if n.code == "E-BASE")
    assert note.say("zh").startswith("1 个品牌因 n < 30 不公布")
    assert told.section("trend").data["index"].filter(brand="C")["index"].null_count() == 1


def test_a_rare_stage_is_empty_and_counted(told):
    section = told.section("stages")
    assert section.data["cells"].filter(column="stage:rare")["value"].null_count() == 4
    assert any("1 个分组" in n.say("zh") for n in section.notes)


def test_a_rare_stage_is_not_what_is_left_of_the_index(analysis, told):
    """Stages average to the published index, so the smaller of the other two goes with the rare one."""
    assert analysis.groups["stage"].cells.sort("n").select("stage", "n").rows()[0] == ("rare", 8)
    table = analysis.groups["stage"].table.filter(construct="satisfaction").sort("n")
    assert [v is None for v in table["index"]] == [True, True, False]
    assert table["reason"][1] == "withheld: with the total it would give away a number of fewer than 30 answers."
    section = told.section("segments")
    assert [row[1] for row in rows(section.tables[0], "en")].count("×") == 1
    assert any(n.say("en").startswith("× withheld besides: Old; ") for n in section.notes)
    assert any("可由甲的指数推算出 n < 30 的分组" in n.say("zh") for n in section.notes)


def test_stage_scores_average_to_the_published_index(analysis, monkeypatch):
    """Stages use the published weights, so their weighted mean is the index (weights lie on a grid of 2^-20)."""
    monkeypatch.setattr(analysing, "apart", lambda n, small, rest: n > 0)  # no stage is withheld
    table = analysing.by_group(analysis.study, analysis.panel, "2026Q1", "stage", analysis.index)
    weights = (
        analysis.panel.frame.filter((pl.col("brand") == "A") & (pl.col("wave") == "2026Q1"))
        .drop_nulls(list(analysis.model.items))
        .group_by("stage")
        .agg(pl.col("weight").sum())
    )
    joined = table.table.filter(construct="satisfaction").join(weights, on="stage")
    mean = (joined["index"] * joined["weight"]).sum() / joined["weight"].sum()
    whole = analysis.index.table.filter(brand="A", wave="2026Q1", construct="satisfaction")["index"][0]
    assert mean == pytest.approx(whole, abs=1e-5)


def test_a_focal_brand_with_few_answers_gets_a_report_without_a_model(tmp_path, make_study, study_text):
    text = study_text.replace(", focal: yes", "").replace("calc'!A0\"}", "calc'!A0\", focal: yes}")
    study = make_study(tmp_path, study=text)
    report = of(study)
    assert report.keys == ("trend", "league", "comparability", "chain", "stages", "fieldwork", "method")
    assert "不公布指数" in report.headline.sentence.zh
    assert report.section("trend").notes[0].code == "W-BASE"
    assert "NaN" not in to_json(numbers(report))


def test_one_brand_and_one_wave_make_a_smaller_report(tmp_path, make_study, answers, untested):
    frame = answers().filter((pl.col("brand") == "A") & (pl.col("wave") == "2025Q1")).drop("brand", "stage", "w")
    text = untested
    text = text.replace("brand: brand, weight: w, stage: stage", "").replace("wave: wave, }", "wave: wave}")
    text = re.sub(r"brands:\n(  - .*\n)+stages: .*\n", "brands: [{name: A, zh: 甲, en: Alpha, focal: yes}]\n", text)
    text = text.replace("[2025Q1, 2025Q2, 2025Q3, 2025Q4, 2026Q1]", "[2025Q1]").replace(
        ", events: [{wave: 2025Q3, zh: 事件, en: Event}]", ""
    )
    report = of(make_study(tmp_path, frame, text))
    assert report.keys == ("chain", "model", "priorities", "behaviour", "reliability", "items", "fieldwork", "method")
    assert report.headline.changes == ()
    assert report.headline.sentence.zh.startswith("甲首次测量")
    assert "品牌" not in report.headline.dateline.zh


def test_a_yearly_study_without_brands_has_one_change_and_one_subject(tmp_path, make_study, answers, untested):
    years = {f"{2025 + (i + 3) // 4}Q{(i % 4) + 1}": str(2021 + i) for i in range(5)}
    years = dict(zip(["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1"], years.values(), strict=True))
    frame = answers().filter(pl.col("brand") == "A").drop("brand", "stage").with_columns(pl.col("wave").replace(years))
    text = (
        re.sub(r"brands:\n(  - .*\n)+stages: .*\n", "", untested)
        .replace("brand: brand, ", "")
        .replace(", stage: stage", "")
    )
    for quarter, year in years.items():
        text = text.replace(quarter, year)
    report = of(make_study(tmp_path, frame, text.replace("per_year: 4", "per_year: 1")))
    assert [t.en for t, *_ in report.headline.changes] == ["vs a year ago"]
    assert re.match(r"全体受访者一年(上升|来)", report.headline.sentence.zh)
    assert report.section("chain").data["chain"]["change"].null_count() == 0


def test_an_old_wave_does_not_know_the_later_ones(tmp_path, small_study, make_study, answers, untested):
    frame = answers()
    text = untested.replace(", 2025Q4, 2026Q1]", "]")
    short = make_study(tmp_path, frame.filter(~pl.col("wave").is_in(["2025Q4", "2026Q1"])), text)
    old, alone = of(small_study, wave="2025Q3"), of(short)
    assert old.headline.value == pytest.approx(alone.headline.value, abs=1e-9)
    assert set(old.section("trend").data["index"]["wave"]) == {"2025Q1", "2025Q2", "2025Q3"}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"wave": "2026Q2"}, "E-WAVE", "2026Q1"),
        ({"kind": "quarterley"}, "E-KIND", "quarterly"),
        ({"lang": "fr"}, "E-LANG", "en, zh"),
    ],
)
def test_what_is_asked_wrongly_is_said_with_what_is_there(small_study, options, code, said):
    with pytest.raises(Problems) as caught:
        of(small_study, **options)
    assert caught.value.problems[0].code == code
    assert said in caught.value.problems[0].remedy.en


def test_an_unknown_section_is_named(told):
    with pytest.raises(Problems, match='Did you mean "trend"'):
        told.section("trends")


def test_planned_leaves_out_what_cannot_be_filled():
    assert "trend" not in planned("quarterly", brands=3, waves=1, keys=())
    assert "league" not in planned("quarterly", brands=1, waves=4, keys=())
    assert "stages" in planned("quarterly", brands=1, waves=4, keys=("stage",))


def test_languages_in_the_order_asked():
    assert check_languages("en，zh") == ("en", "zh")


def test_the_report_of_a_paper(analysis):
    report = tell(analysis, KINDS["paper"], ("en",), "paper")
    assert report.keys == KINDS["paper"]
    loadings = report.section("loadings").data["loadings"]
    assert loadings.filter(item="q1")["squared"][0] == pytest.approx(loadings.filter(item="q1")["loading"][0] ** 2)
    fornell = report.section("validity").tables[1]
    assert fornell.frame["quality"][0] is None
    assert fornell.frame["image"][0] == pytest.approx(
        analysis.cell.reliability.table.filter(construct="image")["ave"][0] ** 0.5
    )


def test_report_and_section_show_themselves(told):
    html = told.section("priorities")._repr_html_()
    assert html.count("<svg") == 2
    assert "<style" not in html
    assert "<script" not in html
    assert repr(told.section("trend")).startswith("trend: ")
    assert told.headline.sentence.zh in told._repr_html_()
    assert told.section("trend", "en").title.en in told.section("trend", "en")._repr_html_()


def test_an_unweighted_study_says_so(tmp_path, make_study, answers, untested):
    text = untested.replace("weight: w, ", "")
    study = read_study(make_study(tmp_path, answers(40).drop("w"), text))
    section = teller("method")(analyse(study, read_study_panel(study)))
    assert ["加权", "未加权"] in rows(section.tables[0], "zh")


def test_a_negative_weight_names_the_item_and_takes_the_index_away(tmp_path, make_study, answers):
    report = of(make_study(tmp_path, answers().with_columns(s2=11 - pl.col("s2"))))
    assert report.headline.sentence.zh == "甲本季度不公布指数"
    assert report.section("trend").figures == ()
    assert any("外部权重不为正，不给出指数" in n.say("zh") for n in report.section("trend").notes)
    assert "loyalty" in report.section("chain").data["chain"].drop_nulls("index")["construct"].to_list()
    assert render_html(report)


def test_a_constant_item_in_the_focal_cell_leaves_out_the_model(tmp_path, make_study, answers):
    here = (pl.col("brand") == "A") & (pl.col("wave") == "2026Q1")
    report = of(make_study(tmp_path, answers().with_columns(q1=pl.when(here).then(7).otherwise("q1"))))
    assert "model" not in report.keys
    assert "q1" in report.section("trend").notes[0].say("zh")
    assert report.headline.value > 70


@pytest.mark.parametrize(
    "change",
    [
        ("weights: base, base: 2025Q1", "weights: own"),
        ("weights: base, base: 2025Q1", "weights: pooled"),
        ("interval: percentile", "interval: bca"),
        ("n: 200,", "n: 200, resampling: bayesian,"),
        ("csi: 1", "csi: 1\nestimate: {missing: pairwise}"),
        ("csi: 1", "csi: 1\nestimate: {missing: mean, weighting: factorial}"),
    ],
    ids=str,
)
def test_every_setting_makes_a_report(tmp_path, make_study, answers, study_text, untested, change):
    text = untested if change[0].startswith(("interval", "n: ")) else study_text  # comparability has no resamples
    report = of(make_study(tmp_path, answers(40), text.replace(*change)))
    assert report.headline.sentence.zh.startswith("甲领先行业")
    assert "NaN" not in to_json(numbers(report))


def lowered_quality(frame, brand="A"):
    """The brand's answers on quality three points down."""
    here = pl.col("brand") == brand
    q = [c for c in ("q1", "q2", "q3") if c in frame.columns]
    return frame.with_columns(
        pl.when(here & (pl.col(c) <= 10)).then((pl.col(c) - 3).clip(1, 10)).otherwise(c).alias(c) for c in q
    )


def test_a_quadrant_alone_is_no_weak_point(analysis, told):
    """Some driver lies in the improve-first quadrant or near it by chance; only one that is tested is named."""
    assert weak_points(analysis) == []
    assert "短板" not in told.headline.sentence.zh


def test_a_weak_point_is_below_the_sector(tmp_path, make_study, answers, untested):
    report = of(make_study(tmp_path, lowered_quality(answers()), untested))
    assert report.headline.sentence.zh.endswith("短板在质量")
    assert report.section("priorities").title.zh == "先改进质量"


def test_a_weak_point_of_a_single_brand_is_below_the_mean_of_its_drivers(tmp_path, make_study, answers, untested):
    alone = answers().filter(pl.col("brand") == "A")
    (tmp_path / "low").mkdir()
    low = of(make_study(tmp_path / "low", lowered_quality(alone), untested))
    assert low.headline.sentence.zh.endswith("短板在质量")
    assert "短板" not in of(make_study(tmp_path, alone, untested)).headline.sentence.zh


def test_the_chain_corrects_over_its_constructs(analysis, told):
    section = told.section("chain")
    frame = section.data["chain"]
    single = [
        analysis.sectors[c].differences.filter(brand="A", wave="2026Q1")["p_value"][0] for c in frame["construct"]
    ]
    assert frame["p_holm"].to_list() == pytest.approx(holm(single).tolist())
    assert ((frame["difference"].abs() > frame["half_width"]) == frame["differs"]).all()
    assert "4 个构念为一族" in next(n for n in section.notes if n.code == "N-FAMILY").say("zh")


def test_the_year_of_a_gap_is_one_contrast_over_four_cells(analysis):
    moved = standing(analysis, "2026Q1").rivals[0].since
    index, j = analysis.index, analysis.index.constructs.index("satisfaction")
    cells = [
        index.cells.with_row_index("i").filter(pl.col("brand") == b, pl.col("wave") == w)["i"][0]
        for w in ("2026Q1", "2025Q1")
        for b in ("A", "B")
    ]
    drawn = index.replicates[:, cells, j] @ [1, -1, -1, 1]
    row = gap_changes(index, "A", "2026Q1", "2025Q1", small=30).row(0, named=True)
    assert row["rival"] == "B"
    assert row["std_error"] == pytest.approx(drawn.std(ddof=1))
    assert moved.difference == pytest.approx(index.values[cells, j] @ [1, -1, -1, 1])
    assert moved.significant == (abs(moved.difference) > moved.half_width)


@pytest.mark.parametrize("name", ["alpha", "rho_a", "rho_c", "ave"])
def test_scales_are_reliable_only_where_no_cell_is_coloured(analysis, name):
    table = analysis.cell.reliability.table
    low = table.with_columns(pl.when(pl.col("construct") == "quality").then(0.4).otherwise(name).alias(name))
    cell = replace(analysis.cell, reliability=replace(analysis.cell.reliability, table=low))
    said = measurement_finding(analysis, cell)
    assert "可靠" not in said.zh
    assert said.en.startswith("Quality: ")


def test_an_absent_half_width_prints_nothing(analysis):
    table = analysis.changes.table.with_columns(half_width=pl.lit(None, pl.Float64))
    bare = replace(analysis, changes=replace(analysis.changes, table=table))
    report = tell(bare, ("chain",), ("en",))
    assert len(report.headline.changes) == 2
    assert " ± " not in render_html(report, ("en",)).split("</header>")[0]
    assert numbers(report)["headline"]["changes"][0]["half_width"] is None


def test_a_model_that_did_not_converge_is_withheld_with_the_reason(analysis, monkeypatch):
    why = reason("R-CONVERGE", "no convergence after 300 iterations.", "迭代 300 次仍未收敛。")

    def stopped(*given):
        est = fit_sample(*given)
        ended = replace(est.convergence, converged=est.convergence.converged & False, reasons={0: why})
        return replace(est, convergence=ended)

    monkeypatch.setattr(analysing, "fit_sample", stopped)
    cell, notes = analysing.focal_cell(analysis.study, analysis.panel, analysis.stack, "2026Q1")
    assert cell is None
    report = tell(replace(analysis, cell=cell, notes=notes, groups={}), KINDS["quarterly"], ("zh",))
    assert not NEED_A_MODEL & set(report.keys)
    assert report.sections[0].notes[0].say("zh") == "甲没有模型结果：迭代 300 次仍未收敛。"


def test_item_means_and_answers_are_weighted_as_the_index_is(analysis, told):
    mine = analysis.panel.frame.filter(brand="A", wave="2026Q1").drop_nulls("q3")
    frame = told.section("items").data["items"].filter(item="q3")
    answers = told.section("items").data["answers"].filter(item="q3")
    weighted = (mine["q3"] * mine["weight"]).sum() / mine["weight"].sum()
    assert frame["mean"].item() == pytest.approx(weighted)
    assert abs(weighted - mine["q3"].mean()) > 1e-3
    assert (answers["answer"] * answers["share"]).sum() == pytest.approx(weighted)
    assert answers["n"].sum() == mine.height
    assert "已加权" in told.section("items").subtitle.zh


def test_every_section_with_intervals_says_what_they_cover(told):
    told_in = numbers(told)["sections"]
    with_intervals = {s.key for s in told.sections if s.has_intervals}
    assert {"trend", "league", "chain", "model", "priorities", "reliability", "items"} <= with_intervals
    assert {key for key, section in told_in.items() if "intervals" in section} == with_intervals
    assert "sampling error only" in told_in["chain"]["intervals"]["en"]
    footer = render_html(told).split("<footer>")[1].split("</footer>")[0]
    assert "区间仅反映抽样误差，不含" in footer
    assert "sampling error only" in told.section("chain", "en")._repr_html_()
