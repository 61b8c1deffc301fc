"""The feedback loop as a section of the retail study: told in both languages, drawn, printed, refused without cases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import csi
from csi.cli import main
from csi.errors import Problems
from csi.reporting.methods.library import run_method
from csi.study.options import Options

STUDY = Path(__file__).parents[2] / "data" / "retail" / "study.yaml"


@pytest.fixture(scope="module")
def study():
    return csi.Study.read(STUDY)


@pytest.fixture(scope="module")
def panel(study):
    return study.panel()


def test_the_section_is_told_in_both_languages_and_drawn(study, panel):
    section = run_method(study, panel, "feedback")
    assert [t.name for t in section.tables] == [
        "status", "speed", "sources", "standing", "changes", "differences", "touchpoints",
    ]  # fmt: skip
    for said in (section.title, *section.paragraphs, *(n.text for n in section.notes)):
        assert said.en
        assert any("一" <= c <= "鿿" for c in said.zh), said
    assert section.figures[0].draw("zh").startswith("<svg")
    assert "Delivery" in section.figures[0].narrow("en")
    open_now = section.data["status"].filter(attribute="", wave="2026Q3")["open"][0]
    assert section.title.en.startswith(f"On 2026-09-30 {open_now} of")
    planted = section.data["differences"].filter(attribute="", group="closed", other="open", adjusted=True)
    assert planted["conf_low"][0] > 0


def test_one_wave_or_another_calendar_is_told_too(study, panel):
    options = asked(where={"wave": "2026Q2"})
    one = run_method(study, panel, "feedback", options)
    assert "changes" not in [t.name for t in one.tables]
    assert "N-FEEDBACK-ONCE" in {n.code for n in one.notes}
    moved = run_method(study, panel, "feedback", asked(ends={"2026Q1": "2026-03-15"}))
    assert moved.data["status"]["opened"][0] < 117


def asked(**given):
    return Options(**given, given=tuple(given))


def test_without_cases_it_is_refused_in_words(study, panel):
    bare = replace(study, tables={k: v for k, v in study.tables.items() if k != "cases"})
    with pytest.raises(Problems) as caught:
        run_method(bare, panel, "feedback")
    assert "needs a table of cases" in caught.value.problems[0].what.en


@pytest.mark.parametrize(("lang", "words"), [("en", "half closed within"), ("zh", "半数关闭所需天数")])
def test_the_command_prints_it(capsys, lang, words):
    assert main(["expectation", str(STUDY), "--model", "feedback", "--lang", lang]) == 0
    assert words in capsys.readouterr().out
    assert main(["expectation", str(STUDY), "--model", "feedback", "--lang", lang, "--json"]) == 0
    json.loads(capsys.readouterr().out)
