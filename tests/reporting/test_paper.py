"""A paper: its methods are written from the settings, cite works that exist, and its checklist is whole."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from csi.cli.verbs import VERBS
from csi.errors import Note, Problems, Text, problem
from csi.measures.segment_criteria import CRITERIA, recommendation
from csi.reporting import figures
from csi.reporting.analysis import analyse
from csi.reporting.build import planned_for, told
from csi.reporting.renderers.outline import Printed
from csi.reporting.renderers.tex import tabular
from csi.reporting.section import Section
from csi.reporting.sections import build
from csi.reporting.sections.method import method
from csi.reporting.sections.paper import checklist, checks, writing
from csi.reporting.sections.paper.appendix import _resampling
from csi.reporting.sections.paper.references import references_section
from csi.reporting.sections.paper.works import CITED, apa, cited, keys_in, slanted, works
from csi.reporting.tables import rows
from csi.reporting.words.phrases import numbered
from csi.reporting.write import contents
from csi.study import read_study, read_study_panel


@pytest.fixture(scope="module")
def latent(small_study):
    study = read_study(small_study)
    study = replace(study, settings=replace(study.settings, estimator="mlr", replicates=0, index_errors="linearised"))
    return analyse(study, read_study_panel(study))


def whole(a):
    return " ".join(t.en for t in writing.methods(a)), "".join(t.zh for t in writing.methods(a))


def test_methods_are_written_from_the_settings(analysis):
    s, est = analysis.study.settings, analysis.cell.estimate
    en, zh = whole(analysis)
    for said in (
        f"{s.replicates:,} bootstrap",
        f"seed {s.seed}",
        f"{est.moments.n[0]:.0f} answers",
        f"than {s.small} ",
    ):
        assert said in en
    assert f"随机种子 {s.seed}" in zh
    assert "path weighting" in en
    assert "路径加权" in zh
    other = replace(analysis, study=replace(analysis.study, settings=replace(s, missing="em", weighting="centroid")))
    changed, changed_zh = whole(other)
    assert "[@dempster1977]" in changed
    assert "centroid weighting" in changed
    assert "重心加权" in changed_zh
    assert "[@dempster1977]" not in en


def test_resamples_without_a_solution_are_counted(analysis):
    est = analysis.cell.estimate
    usable = est.replicates.usable.copy()
    usable[:7] = False
    fewer = replace(est, replicates=replace(est.replicates, usable=usable))
    en, zh = whole(replace(analysis, cell=replace(analysis.cell, estimate=fewer)))
    assert f"{int((~usable).sum())} of them had no solution" in en
    assert "次无解" in zh


def test_methods_of_a_covariance_model_name_its_estimator_and_errors(latent):
    en, zh = whole(latent)
    assert "MLR" in en
    assert "standard errors are those of the estimator" in en.lower()
    assert "bootstrap" not in en
    *own, rivals = writing.methods(latent)
    assert "PLS" not in re.sub(r"\[@[^\]]*\]", "", " ".join(t.en for t in own))
    assert "estimated again by PLS" in rivals.en
    assert "MLR" in zh


def test_every_work_cited_is_listed_and_no_other(analysis):
    said = writing.methods(analysis)
    assert keys_in(said) == tuple(
        sorted({k for t in said for g in CITED.findall(t.zh) for k in re.findall(r"@(\w+)", g)})
    )
    section = references_section(analysis)
    assert set(section.data["references"]["key"]) == set(keys_in(said)) <= set(works())
    assert section.code.count("\n@") + 1 == len(section.paragraphs)
    assert section.code.count("{") == section.code.count("}")
    assert not any("[@" in t.en + t.zh for t in map(cited, said))


def test_every_work_has_the_part_in_italics_in_its_line():
    for work in works().values():
        assert slanted(work) in apa(work)


def test_every_work_named_is_in_the_file_and_whole():
    named = [*writing.COMPOSITES.values(), *writing.LATENTS.values(), *writing.ABSENT.values()]
    assert set(keys_in(named)) <= set(works())
    for work in works().values():
        assert {"author", "year", "title"} <= set(work.fields)
        assert "journal" in work.fields or "publisher" in work.fields


def test_the_checklist_says_where_or_why_not(analysis):
    there = Section("sample", Text("Many", "多"), Text("", ""))
    why = Text("too few answers", "答卷过少")
    lost = Section(
        "bias", Text("Common method: cannot be told", "无法给出"), Text("", ""), notes=(Note("E-BASE", why),)
    )
    made = checklist.checklist_section(analysis, [there, lost])
    table = made.tables[0]
    assert [r.code for r in checklist.PLS] == table.frame["code"].to_list() == [f"P{i}" for i in range(1, 17)]
    assert [r.code for r in checklist.COVARIANCE] == [f"C{i}" for i in range(1, 15)]
    for lang in ("en", "zh"):
        cells = {row[0]: row for row in rows(table, lang)}
        assert all(row[2] for row in cells.values())
        assert cells["P7"][2] == why.say(lang)
    assert dict(table.frame.select("code", "told").iter_rows())["P1"]
    assert "2 of 16" in made.title.en


@pytest.mark.parametrize("name", ["analysis", "latent"])
def test_every_row_has_a_section_in_its_paper(request, name):
    a = request.getfixturevalue(name)
    keys = set(planned_for(a.study, a.panel, "paper"))
    rows_ = checklist.COVARIANCE if a.study.settings.covariance else checklist.PLS
    assert {r.key for r in rows_} - keys <= {"formative", "groups", "invariance"}


def test_the_fit_told_is_that_of_the_model_with_its_paths(latent):
    section = build("global_fit", latent)
    values = dict(section.data["fit_measures"].iter_rows())
    assert f"({values['df']:.0f}) = {values['chi2']:.1f}" in section.paragraphs[0].en
    worst = section.data["residuals"].sort(pl.col("residual").abs(), descending=True).row(0)
    assert f"({worst[0]} with {worst[1]})" in section.paragraphs[0].en
    assert build("alternatives", latent).data["alternatives"]["model"][0] == "specified"


def test_degrees_of_freedom_can_be_counted_by_the_reader(latent):
    facts = {k[0]: k[1] for k in rows(build("settings", latent).tables[0], "en")}
    moments, free, df = (int(facts[k].split(":")[0]) for k in ("Moments", "Free parameters", "Degrees of freedom"))
    assert moments - free == df


def test_the_works_stand_beside_the_report(analysis):
    made = contents(told(analysis, ("writing", "references"), ("en",), "paper"), ("html",))
    assert made["references.bib"].decode().startswith("@")
    page = made["report.html"].decode()
    assert "<details><summary>BibTeX</summary><pre" in page
    assert "doi = {10." in page


def test_numbers_in_sentences_are_set_as_each_language_sets_them():
    said = numbered(Text("RESET p = 0.783; path -0.672", "RESET p = 0.783；路径 -0.672"))
    assert said == Text("RESET p = .783; path −0.672", "RESET p = 0.783；路径 −0.672")


def test_methods_of_a_covariance_model_name_only_what_its_engine_has(latent):
    en, zh = whole(latent)
    told = " ".join(" ".join(row) for row in rows(method(latent).tables[0], "en"))
    assert "outer weights" not in en + told
    assert "factor scores" in en
    assert "factor-score weights" in told
    assert "因子得分权重" in zh
    assert not latent.cell.reliability.table["rho_a"].count()
    assert not {"dijkstra2015", "fornell1996", "ringle2016", "hahn2002"} & set(keys_in(writing.methods(latent)))
    drawn = replace(latent.study.settings, replicates=200)
    made = replace(latent, study=replace(latent.study, settings=drawn), index=replace(latent.index, replicates=()))
    assert "delta method for standardised paths" in str(rows(method(made).tables[0], "en"))


def test_every_check_shown_is_told_with_its_work(analysis):
    keys = {"dijkstra2015", "dijkstra2015csda", "ramsey1969", "park2012", "hahn2002"}
    said = writing.methods(analysis)
    assert keys <= set(keys_in(said))
    page = " ".join(cited(t, keys_in(said)).en for t in said)
    assert "2015a" in page
    assert "2015b" in page
    off = replace(analysis.study.settings.telling, sections={"checks": False, "global_fit": False, "robustness": False})
    settings = replace(analysis.study.settings, telling=off)
    fewer = writing.methods(replace(analysis, study=replace(analysis.study, settings=settings)))
    assert keys & set(keys_in(fewer)) == {"dijkstra2015"}
    assert "estimated again" not in fewer[-1].en


def test_a_check_that_cannot_be_made_says_why(analysis, monkeypatch):
    def refused(_):
        raise Problems([problem("E-ROWS", "estimate", "rows are needed.", "需要原始行。")])

    monkeypatch.setattr(checks, "CHECKS", {"fimix": (Text("Unobserved segments", "未观测异质性"), refused)})
    section = checks.checks_section(analysis)
    assert section.title == Text("None of the checks could be made", "各项检查均无法进行")
    assert "This check could not be made: rows are needed." in str(rows(section.tables[0], "en"))
    assert "此项检查无法进行：需要原始行。" in str(rows(section.tables[0], "zh"))


def test_lenient_limits_of_fit_have_works_of_their_own(analysis):
    en, zh = whole(analysis)
    assert "SRMR .08 on [@hu1999], acceptably from CFI .90 [@bentler1980]" in en
    assert "SRMR 0.10[@schermelleh2003]" in zh


def test_every_verb_that_reports_name_exists():
    files = Path(figures.__file__).parents[1].rglob("*.py")
    texts = [file.read_text(encoding="utf-8") for file in files]
    named = {verb for text in texts for verb in re.findall(r"(?<![\w./])(?<!from )csi ([a-z]+)", text)}
    assert "missing" in named
    assert named <= set(VERBS)


def test_criteria_that_disagree_decide_nothing():
    table = pl.DataFrame({"segments": [1, 2], **{c: [1.0, 2.0] for c in CRITERIA}})
    assert "By these criteria no segments" in recommendation(table, [1, 2], 1)[1].en
    split = table.with_columns(pl.Series(c, [2.0, 1.0]) for c in ("aic3", "aic4"))
    assert "do not decide" in recommendation(split, [1, 2], 1)[1].en


def test_the_command_says_how_the_errors_were_asked_for(analysis, latent):
    own = analysis.study.settings
    assert _resampling(latent) == " --bootstrap 0 --errors linearised"
    assert f"--errors {own.index_errors}" in _resampling(analysis)
    fewer = replace(analysis, study=replace(analysis.study, settings=replace(own, replicates=50)))
    assert "--bootstrap" not in _resampling(fewer)


def test_statistics_stand_in_italics_in_english_tables_alone():
    table = Printed(1, "", ("Path", "SE", "p"), (("a", "1", ".02"),), (False, True, True), {}, (), "t")
    assert r"Path & \textit{SE} & \textit{p}" in tabular(table, "en")
    assert "textit" not in tabular(table, "zh")


def test_figures_of_points_keep_the_zero_before_the_point():
    frame = pl.DataFrame({"heading": [""], "row": ["a"], "value_v": [0.44], "conf_low": [0.1], "conf_high": [1.05]})
    series = {"v": Text("v", "v")}
    assert ">0.44<" in figures.forest(frame, lang="en", labels={}, series=series, bounded=False)
    assert ">.44<" in figures.forest(frame, lang="en", labels={}, series=series)
