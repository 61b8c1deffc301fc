"""`csi expectation`: Kano's classes and recommendation of a study."""

from __future__ import annotations

import pytest

from csi.cli import main

STUDY = """csi: 1
study: bags
language: en
data: [{file: answers.csv}]
codebook: codebook.yaml
keys: {respondent: id}
model: {text: "a =~ x1 + x2; satisfaction =~ x3; satisfaction ~ a"}
index: {target: satisfaction}
bootstrap: {n: 0}
"""
CODEBOOK = """scales:
  five: {min: 1, max: 5}
  eleven: {min: 0, max: 10}
constructs:
  a: {en: A, zh: 甲}
  satisfaction: {en: Satisfaction, zh: 满意}
  features: {en: Features, zh: 特性}
  loyalty: {en: Loyalty, zh: 忠诚}
items:
  - {name: x1, construct: a, attribute: x1, form: P, scale: five, zh: 一, en: One}
  - {name: x2, construct: a, attribute: x2, form: P, scale: five, zh: 二, en: Two}
  - {name: x3, construct: satisfaction, attribute: x3, form: P, scale: five, zh: 三, en: Three}
  - {name: kf, construct: features, attribute: bag, form: Kf, scale: five, zh: 手提袋, en: Bag}
  - {name: kd, construct: features, attribute: bag, form: Kd, scale: five, zh: 无手提袋, en: No bag}
  - {name: rec, construct: loyalty, attribute: rec, form: P, scale: eleven, zh: 推荐, en: Recommend}
"""


@pytest.fixture
def study(tmp_path):
    rows = ["id,x1,x2,x3,kf,kd,rec"]
    rows += [
        f"{i},{1 + i % 5},{1 + (i + i // 7) % 5},{1 + (i * 3) % 5},1,{3 if i % 8 else 5},{i % 11}" for i in range(80)
    ]
    (tmp_path / "answers.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "codebook.yaml").write_text(CODEBOOK, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return str(tmp_path / "study.yaml")


@pytest.mark.parametrize(("lang", "word"), [("en", "Attractive: Bag"), ("zh", "魅力：手提袋")])
def test_kano(study, capsys, lang, word):
    assert main(["expectation", study, "--model", "kano", "--lang", lang]) == 0
    assert word in capsys.readouterr().out


@pytest.mark.parametrize(("lang", "word"), [("en", "Net Promoter Score"), ("zh", "净推荐值")])
def test_nps(study, capsys, lang, word):
    assert main(["expectation", study, "--model", "nps", "--item", "rec", "--lang", lang]) == 0
    assert word in capsys.readouterr().out


def test_nps_without_its_question_says_so(study, capsys):
    assert main(["expectation", study, "--model", "nps", "--lang", "en"]) != 0
    assert "not in the codebook" in capsys.readouterr().err
