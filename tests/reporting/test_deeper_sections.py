"""Sections that show the covariance engine and the composite work: their numbers are those of the functions."""

import re
from dataclasses import replace
from typing import get_args

import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.reporting import figures, svg
from csi.reporting.analysis import analyse
from csi.reporting.build import told
from csi.reporting.figures.ceilings import Panel
from csi.reporting.sections import KINDS, ORDER, SECTIONS, build, planned
from csi.reporting.sections.fit import LIMITS, factors
from csi.reporting.xlsx import workbook
from csi.study.schema_telling import ReportForm, SectionName
from csi.study.settings import Settings, Telling

TELECOM = "data/telecom/study.yaml"
WHERE = {"brand": "ZX", "wave": "2026Q3"}
DEEPER = ("fit", "invariance", "mediation", "prediction", "groups", "robustness", "necessary")


@pytest.fixture(scope="module")
def analysis():
    study = csi.Study.read(TELECOM)
    telling = Telling(desired=85.0, permutations=100)
    study = replace(study, settings=replace(study.settings, replicates=100, telling=telling))
    return analyse(study, study.panel(), "2026Q3")


@pytest.fixture(scope="module")
def made(analysis):
    return {key: build(key, analysis) for key in DEEPER}


def test_the_keys_of_a_study_are_the_sections() -> None:
    assert set(get_args(SectionName)) == set(SECTIONS) == set(ORDER)
    assert set().union(*KINDS.values()) <= set(SECTIONS)


@pytest.mark.parametrize("key", DEEPER)
def test_every_section_speaks_both_languages_and_draws(made, key) -> None:
    section = made[key]
    assert section.title.en
    assert section.title.zh
    assert re.search("[\u4e00-\u9fff]", section.title.zh)
    assert "cannot be told" not in section.title.en
    for figure in section.figures:
        for draw in (figure.draw, figure.narrow):
            for lang in ("zh", "en"):
                drawn = draw(lang)
                assert drawn.startswith("<svg")
                assert "…" not in drawn
                sizes = [float(s) for s in re.findall(r'font-size="([\d.]+)"', drawn)]
                assert not sizes or min(sizes) >= 10.5


def test_fit_is_that_of_the_factor_model(made, analysis) -> None:
    est = csi.fit(factors(analysis.model), analysis.panel, csi.SEM(estimator="MLR"), where=WHERE)
    theirs = dict(csi.fit_measures(est).table.select("measure", "value").iter_rows())
    ours = dict(made["fit"].data["fit_measures"].iter_rows())
    assert ours["cfi"] == pytest.approx(theirs["cfi_robust"], abs=1e-9)
    assert ours["rmsea"] == pytest.approx(theirs["rmsea_robust"], abs=1e-9)
    assert ours["srmr"] == pytest.approx(theirs["srmr"], abs=1e-9)
    assert ours["chi2"] == pytest.approx(theirs["chi2_scaled"], abs=1e-6)


def test_limits_turn_numbers_into_words() -> None:
    words = [LIMITS["cfi"].verdict(v).en for v in (0.96, 0.92, 0.85)]
    assert words == ["good", "acceptable", "poor"]
    assert [LIMITS["rmsea"].verdict(v).en for v in (0.05, 0.07, 0.09)] == words


def test_prediction_is_that_of_the_function(made, analysis) -> None:
    theirs = csi.predict(analysis.cell.estimate, 10, 10, seed=analysis.study.settings.seed).table
    assert made["prediction"].data["prediction"]["q2_predict"].to_list() == theirs["q2_predict"].to_list()


def test_estimators_stand_side_by_side_with_the_verdict(made, analysis) -> None:
    table = made["robustness"].data["side_by_side"]
    assert [c for c in table.columns if c.startswith("value_")] == [
        "value_pls", "value_plsc", "value_mlr", "value_sum", "value_gsca",
    ]  # fmt: skip
    plsc = csi.fit(analysis.model, analysis.panel, csi.PLS(consistent=True), where=WHERE).table.filter(op="~")
    ours = dict(table.filter(part="path").select("name", "value_plsc").iter_rows())
    for lhs, rhs, value in plsc.select("lhs", "rhs", "estimate").iter_rows():
        assert ours[f"{lhs} ~ {rhs}"] == pytest.approx(value, abs=1e-9)
    assert made["robustness"].paragraphs
    assert "ZX" not in made["robustness"].paragraphs[0].en


def test_the_index_of_the_comparison_says_that_it_is_not_the_published_one(made, analysis) -> None:
    """Own weights of the cell here, those of the base wave in the headline."""
    own = made["robustness"].data["side_by_side"].filter(part="index", name="satisfaction")["value_pls"][0]
    shown = analysis.index.table.filter(construct="satisfaction", **WHERE)["index"][0]
    said = [n.text for n in made["robustness"].notes if n.code == "N-COMPARE-WEIGHTS"]
    assert bool(said) == (f"{own:.1f}" != f"{shown:.1f}")
    for text in said:
        assert f"({own:.1f})" in text.en
        assert f"is {shown:.1f}" in text.en
        assert f"为 {shown:.1f}" in text.zh
        assert "Outer weights" in text.en


def test_necessary_conditions_are_those_of_cipma(made, analysis) -> None:
    theirs = csi.cipma(analysis.cell.estimate, "satisfaction", 85, permutations=100, seed=analysis.study.settings.seed)
    assert made["necessary"].data["needs"]["needed"].to_list() == theirs.table["needed"].to_list()


def test_micom_stands_before_the_differences(made) -> None:
    assert [t.name for t in made["groups"].tables] == ["micom", "group_paths"]


def test_what_cannot_be_told_says_why(analysis) -> None:
    one = replace(analysis, study=replace(analysis.study, settings=replace(analysis.study.settings, target="image")))
    section = build("necessary", replace(one, target="image"))
    assert section.title.zh == "必要条件：无法给出"
    assert section.notes


def test_tables_of_the_new_sections_go_to_the_workbook(analysis) -> None:
    report = told(analysis, ("fit", "mediation", "prediction", "groups", "robustness", "necessary"), ("zh", "en"))
    assert workbook(report, ("zh", "en"))[:2] == b"PK"


def test_sections_are_switched_on_and_off() -> None:
    given = {"brands": 4, "waves": 12, "keys": (), "grouped": True}
    usual = planned("quarterly", **given)
    assert "necessary" not in usual
    wanted = Settings(telling=Telling(sections={"robustness": True, "league": False}, desired=80.0))
    found = planned("quarterly", **given, settings=wanted)
    assert "league" not in found
    assert found.index("robustness") < found.index("fieldwork")
    assert found.index("necessary") == found.index("priorities") + 1
    assert "slopes" not in planned("paper", **given)
    assert "slopes" in planned("paper", **given, products=True)
    latent = planned("paper", **given, settings=Settings("mlr"))
    assert not {"prediction", "groups", "necessary"} & set(latent)


def test_loadings_of_a_covariance_model() -> None:
    study = csi.Study.read(TELECOM)
    settings = replace(study.settings, estimator="mlr", replicates=0, index_errors="linearised")
    made = build("loadings", analyse(replace(study, settings=settings), study.panel(), "2026Q3"))
    assert made.data["loadings"]["loading"].max() <= 1


def test_forest_marks_what_differs_and_hollow_what_holds_zero() -> None:
    frame = pl.DataFrame(
        {"heading": ["y", "y"], "row": ["a", "b"], "value_m": [0.4, 0.1], "conf_low": [0.2, -0.1],
         "conf_high": [0.6, 0.3], "significant": [True, False], "differs": [True, False]}
    )  # fmt: skip
    drawn = figures.forest(frame, lang="en", labels={}, series={"m": Text("m", "m")})
    assert drawn.count('fill="#b8431f"') == 2
    assert drawn.count('fill="#fcfbf7" stroke="#8c8f8d"') == 1


def test_ceilings_draw_the_stair_and_the_desired_level() -> None:
    points = pl.DataFrame({"use": [20.0, 50.0, 80.0], "joy": [30.0, 60.0, 90.0]})
    panel = Panel("use", [(20, 30), (50, 60), (80, 90)], 0.3, 0.01, 80.0)
    drawn = figures.ceilings(points, [panel], lang="zh", labels={}, outcome="joy", desired=85.0, width=360)
    assert drawn.count("<circle") == 3
    assert drawn.count('stroke-dasharray="4 3"') == 2


def test_slope_lines_shade_where_the_slope_differs_from_zero() -> None:
    lines = pl.DataFrame(
        {"outcome": ["y"] * 3, "predictor": ["x"] * 3, "moderator": ["z"] * 3, "at": [-1.0, 0.0, 1.0],
         "estimate": [0.0, 0.2, 0.4]}
    )  # fmt: skip
    at = [-3.0, -1.0, 1.0, 3.0]
    curve = pl.DataFrame(
        {"at": at, "estimate": [0.2 * v for v in at], "conf_low": [0.2 * v - 0.3 for v in at],
         "conf_high": [0.2 * v + 0.3 for v in at], "significant": [True, False, False, True]}
    )  # fmt: skip
    for width in (1040, 360):
        drawn = figures.slope_lines(lines, curve, lang="en", labels={}, width=width)
        assert drawn.count("<polyline") == 4
        assert drawn.count("<polygon") == 3


def test_ticks_cover_a_range_that_starts_at_a_negative_tick() -> None:
    assert svg.steps(-3, 3, 7)[0] == -3
    assert svg.steps(-0.2, 0.4, 4)[0] == -0.2


PLANS = {"perceived_quality": {5.0: 20.0, 10.0: 60.0}, "img1": {5.0: 15.0}}


@pytest.fixture(scope="module")
def levers(analysis):
    settings = replace(analysis.study.settings, telling=Telling(levers=PLANS, budget=40.0, worth=30.0))
    return build("levers", replace(analysis, study=replace(analysis.study, settings=settings)))


def test_levers_are_those_of_the_functions(levers, analysis) -> None:
    est = analysis.cell.estimate
    rows = levers.data["levers"]
    one = csi.whatif(est, {rows["construct"][0]: 5}, "satisfaction").table.row(-1, named=True)
    assert rows["change"][0] == pytest.approx(one["change"], abs=1e-9)
    assert rows["conf_low"][0] == pytest.approx(one["conf_low"], abs=1e-9)
    assert levers.data["metrics"].equals(csi.key_drivers(est, "satisfaction").table)
    best = csi.plan(est, PLANS, 40.0, worth=30.0, seed=analysis.study.settings.seed)
    assert levers.data["plan"]["chosen"].to_list() == best.levels["chosen"].to_list()
    assert levers.data["break_even"]["per_point"][0] == pytest.approx(best.result.costs["per_point"][0])
    assert "it breaks even where a point is worth that much. At 30 a point" in levers.paragraphs[-1].en
    assert "At 30 a point it nets" in levers.paragraphs[-2].en
    first = levers.data["levers_items"].row(0, named=True)
    one = csi.whatif(est, {first["item"]: 5}, "satisfaction").table.row(-1, named=True)
    assert (first["change"], first["conf_low"]) == pytest.approx((one["change"], one["conf_low"]), abs=1e-9)


def test_levers_speak_both_languages_and_draw(levers) -> None:
    assert levers.title.en.startswith("Within a budget of 40 the best plan is")
    assert re.search("[\u4e00-\u9fff]", levers.title.zh)
    assert [t.name for t in levers.tables] == ["levers", "levers_items", "metrics", "plan", "break_even"]
    for drawn in levers.figures:
        for lang in ("zh", "en"):
            assert drawn.draw(lang).startswith("<svg")
    said = " ".join([levers.title.en, levers.subtitle.en, *(t.title.en for t in levers.tables)])
    assert " effect" not in said


def test_without_a_plan_levers_name_the_driver_or_say_that_none_is_clear(analysis) -> None:
    settings = replace(analysis.study.settings, telling=Telling())
    plain = build("levers", replace(analysis, study=replace(analysis.study, settings=settings)))
    assert "5 points more" in plain.title.en
    assert [t.name for t in plain.tables] == ["levers", "levers_items", "metrics"]


def test_a_target_without_levers_says_why(analysis) -> None:
    one = replace(analysis, study=replace(analysis.study, settings=replace(analysis.study.settings, target="image")))
    assert build("levers", replace(one, target="image")).title.en == "What if: cannot be told"


def test_levers_stand_behind_the_priorities_where_they_are_asked_for() -> None:
    given = {"brands": 4, "waves": 12, "keys": ()}
    assert "levers" not in planned("quarterly", **given)
    for telling in (Telling(levers=PLANS, budget=40.0), Telling(sections={"levers": True})):
        found = planned("quarterly", **given, settings=Settings(telling=telling))
        assert found.index("levers") == found.index("priorities") + 1


def test_a_study_file_names_levers_and_a_budget() -> None:
    form = ReportForm.model_validate({"levers": {"quality": {"5": "20", "10": "60"}}, "budget": "40"})
    assert (form.levers, form.budget) == ({"quality": {5.0: 20.0, 10.0: 60.0}}, 40.0)
    for wrong in ({"levers": {"quality": {"5": "-1"}}}, {"levers": {"quality": {"500": "1"}}}, {"budget": "0"}):
        with pytest.raises(ValueError, match="should be"):
            ReportForm.model_validate(wrong)


def test_tables_of_levers_go_to_the_workbook(analysis) -> None:
    assert workbook(told(analysis, ("levers",), ("zh", "en")), ("zh", "en"))[:2] == b"PK"
