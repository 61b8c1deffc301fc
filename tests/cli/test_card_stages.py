"""`csi expectation --model lifecycle_loyalty`: slopes along the stages, by both routes and in both languages."""

from __future__ import annotations

import json

import pytest

from csi.cli import main
from tests.claims.test_stage_slopes import CARD, panel_of

STUDY = """\
csi: 1
study: staged
language: %s
codebook: codebook.yaml
data: [{file: answers.csv}]
keys: {respondent: id, stage: stage}
%s
model: {card: lifecycle_loyalty}
index: {target: intention}
estimate: {estimator: pls}
bootstrap: {n: 200}
"""
ORDER = """stages:
  - {name: new, zh: 新客, en: New}
  - {name: regular, zh: 常客, en: Regular}
  - {name: loyal, zh: 忠诚客户, en: Loyal}"""


def written(folder, lang, stages=ORDER):
    """A study of 3 x 150 customers."""
    frame = panel_of(150, card=True).frame.with_row_index("id")
    frame.write_csv(folder / "answers.csv", float_precision=3)
    lines = ["scales:", "  wide: {min: -50, max: 50, missing: {}}", "items:"]
    lines += [f"  - {{name: {c}, construct: {CARD[c[0]]}, scale: wide, zh: 题{c}, en: {c}}}"
              for c in frame.columns if c not in ("id", "stage")]  # fmt: skip
    (folder / "codebook.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY % (lang, stages), encoding="utf-8")
    return str(folder / "study.yaml")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_slopes_along_the_stages_of_a_study(lang, tmp_path, capsys):
    asked = ["expectation", written(tmp_path, lang), "--model", "lifecycle_loyalty"]
    assert main([*asked, "--lang", lang]) == 0
    said = capsys.readouterr().out
    wanted = {
        "en": (
            "Change of slopes from stage to stage",
            "Perceived value → Loyalty intention falls with the stage is found",
            "MICOM 2: composition",
        ),
        "zh": ("斜率逐阶段的变化", "“感知价值 → 忠诚意向 随阶段下降”的假设得到支持", "MICOM 2：构成"),
    }[lang]
    assert [w for w in wanted if w not in said] == []
    assert main([*asked, "--estimator", "ml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {(r["outcome"], r["predictor"]): r["found"] for r in told["trends"]}
    assert found["intention", "value"] == "falls"
    assert found["intention", "brand"] == "rises"
    assert {r["stage"] for r in told["stage_slopes"]} == {"new", "regular", "loyal"}


def test_without_the_order_of_stages_a_note_says_so(tmp_path, capsys):
    assert main(["expectation", written(tmp_path, "en", ""), "--model", "lifecycle_loyalty"]) == 0
    said = capsys.readouterr().out
    assert "does not say their order" in said
    assert "Change of slopes" not in said
