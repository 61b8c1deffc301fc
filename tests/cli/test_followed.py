"""Models of the same people in two waves at the prompt, in a record and in a report, in both languages."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main
from csi.reporting.methods.library import told_in
from tests.expectation.test_adjustment import columns

CODEBOOK = """\
scales:
  wide: {min: -20, max: 30, missing: {}}
  flag: {min: 0, max: 1, missing: {}}
constructs:
  expectation: {zh: 顾客期望, en: Expectation}
  performance: {zh: 感知绩效, en: Performance}
  satisfaction: {zh: 顾客满意, en: Satisfaction}
  training: {zh: 培训, en: Training}
items:
  - {name: e, construct: expectation, form: Ew, scale: wide, zh: 期望, en: Expected}
  - {name: p, construct: performance, scale: wide, zh: 绩效, en: Perceived}
  - {name: s, construct: satisfaction, scale: wide, zh: 满意, en: Satisfied}
  - {name: z, construct: training, scale: flag, zh: 期望管理培训, en: Training in expectations}
"""
STUDY = """\
csi: 1
study: followed
language: %s
codebook: codebook.yaml
data: [{file: answers.csv}]
keys: {respondent: id, wave: period}
waves: {order: [before, after], respondents: %s}
model: {text: "expectation =~ e; satisfaction =~ s; satisfaction ~ expectation"}
index: {target: satisfaction}
bootstrap: {n: 0}
"""


def written(folder, lang, respondents="same"):
    """A study of 200 people in two waves."""
    frame = pl.DataFrame(
        {
            "id": np.tile(np.arange(200), 2),
            "period": ["before"] * 200 + ["after"] * 200,
            **{k: np.ravel(v, order="F").round(3) for k, v in columns(200).items()},
        }
    )
    frame.write_csv(folder / "answers.csv")
    (folder / "codebook.yaml").write_text(CODEBOOK, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY % (lang, respondents), encoding="utf-8")
    return str(folder / "study.yaml")


SAID = {
    "adjustment": (
        ("--flag", "z"),
        {
            "en": ("expectation foresees satisfaction better", "effect of training in expectations", "leave-one-out"),
            "zh": ("调整后期望比初始期望更能预测顾客满意", "“期望管理培训”对顾客期望变化的效应", "留一 r²"),
        },
    ),
    "dynamic": (
        (),
        {
            "en": ("weights of expectation", "between 0 and 1", "should-expectations were not asked"),
            "zh": ("权重之和不为 1", "介于 0 与 1", "未询问应有水平"),
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", SAID)
def test_at_the_prompt(name, lang, tmp_path, capsys):
    path, (options, wanted) = written(tmp_path, lang), SAID[name]
    assert main(["expectation", path, "--model", name, "--lang", lang, *options]) == 0
    said = capsys.readouterr().out.casefold()
    assert [w for w in wanted[lang] if w not in said] == []
    assert main(["expectation", path, "--model", name, "--json", *options]) == 0
    assert name in json.loads(capsys.readouterr().out)
    assert name in told_in(csi.Study.read(path))


@pytest.mark.parametrize("name", SAID)
def test_new_people_every_wave_are_not_followed(name, tmp_path, capsys):
    path = written(tmp_path, "en", "new")
    assert main(["expectation", path, "--model", name]) == 1
    assert "the same respondents in two waves" in capsys.readouterr().err
