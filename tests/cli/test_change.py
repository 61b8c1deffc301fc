"""`csi expectation --model change` on a study of the same people, in both languages; refused for new people."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main
from csi.reporting.methods.library import run_method, told_in
from csi.reporting.sections import method_section
from tests.expectation.test_change import population

CODEBOOK = """\
scales:
  wide: {min: -20, max: 30, missing: {}}
  flag: {min: 0, max: 1, missing: {}}
constructs:
  expectation: {zh: 顾客期望, en: Expectation}
  training: {zh: 培训, en: Training}
items:
  - {name: a, construct: expectation, form: Ew, scale: wide, zh: 甲, en: First}
  - {name: b, construct: expectation, form: Ew, scale: wide, zh: 乙, en: Second}
  - {name: c, construct: expectation, form: Ew, scale: wide, zh: 丙, en: Third}
  - {name: z, construct: training, scale: flag, zh: 期望管理培训, en: Training in expectations}
"""
STUDY = """\
csi: 1
study: moved
language: %s
codebook: codebook.yaml
data: [{file: answers.csv}]
keys: {respondent: id, wave: period}
waves: {order: [before, after], respondents: %s}
model: {text: "expectation =~ a + b + c; training =~ z; expectation ~ training"}
index: {target: expectation}
bootstrap: {n: 0}
"""


@pytest.fixture(params=["en", "zh"])
def place(tmp_path, request):
    """A study of 300 people in two waves."""
    columns = population(300, 2, 1, flag=0.4)
    frame = pl.DataFrame(
        {
            "id": np.tile(np.arange(300), 2),
            "period": ["before"] * 300 + ["after"] * 300,
            **{k: np.ravel(v, order="F").round(3) for k, v in columns.items()},
        }
    )
    frame.write_csv(tmp_path / "answers.csv")
    (tmp_path / "codebook.yaml").write_text(CODEBOOK, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY % (request.param, "same"), encoding="utf-8")
    return tmp_path, request.param


def test_change_at_the_prompt(place, capsys):
    path, lang = place
    assert main(["expectation", str(path / "study.yaml"), "--model", "change", "--flag", "z", "--lang", lang]) == 0
    said = capsys.readouterr().out
    wanted = {
        "en": ("mean change", "Expectation", "Training in expectations", "not rejected", "Means of waves"),
        "zh": ("平均变化", "顾客期望", "期望管理培训", "未拒绝", "各期均值"),
    }[lang]
    assert [w for w in wanted if w not in said] == []


def test_new_people_every_wave_are_not_followed(place, capsys):
    path, lang = place
    (path / "study.yaml").write_text(STUDY % (lang, "new"), encoding="utf-8")
    assert main(["expectation", str(path / "study.yaml"), "--model", "change", "--lang", lang]) == 1
    assert {"en": "the same respondents in two waves", "zh": "同一批受访者"}[lang] in capsys.readouterr().err


def test_the_record_holds_full_precision(place, capsys):
    path, _ = place
    assert main(["expectation", str(path / "study.yaml"), "--model", "change", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = told["change"]
    assert any(r["quantity"] == "mean_change" and abs(r["estimate"] + 0.3) < 0.2 for r in rows)


def test_an_intervention_at_the_prompt(place, capsys):
    path, lang = place
    frame = pl.read_csv(path / "answers.csv").with_columns(
        z=pl.when(pl.col("period") == "after").then("z").otherwise(0)
    )
    frame.write_csv(path / "answers.csv")
    asked = ["expectation", str(path / "study.yaml"), "--model", "intervention", "--lang", lang]
    assert main(asked) == 1
    assert {"en": "--flag NAME", "zh": "--flag 名称"}[lang] in capsys.readouterr().err
    assert main([*asked, "--flag", "z", "--outcome", "expectation"]) == 0
    said = capsys.readouterr().out
    wanted = {
        "en": ("Effect of Training in expectations on Expectation", "change, had it", "one wave before"),
        "zh": ("“期望管理培训”对顾客期望的效应", "变化（干预组）", "只有一期"),
    }[lang]
    assert [w for w in wanted if w.casefold() not in said.casefold()] == []


def test_a_report_follows_people_over_all_waves(place):
    path, _ = place
    study = csi.Study.read(path / "study.yaml")
    section = run_method(study, study.panel(), "change")
    assert section.data["change"].height == 5
    analysis = SimpleNamespace(study=study, panel=study.panel(), wave="after")
    assert method_section("change", analysis).data["change"].equals(section.data["change"])
    assert "change" in told_in(study)
    (path / "study.yaml").write_text(
        (path / "study.yaml").read_text(encoding="utf-8").replace(", respondents: same", ""), encoding="utf-8"
    )
    assert "change" not in told_in(csi.Study.read(path / "study.yaml"))
