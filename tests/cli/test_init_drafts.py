"""First drafts that pass their own check: demonstration studies, platforms, questions in words, reversed items."""

import json
import random
from pathlib import Path

import pandas as pd
import polars as pl
import pyreadstat
import pytest
import yaml

from csi import Study
from csi.cli import main
from csi.cli.guess_constructs import construct_asked
from csi.cli.guess_kinds import kind_of
from csi.cli.guess_reverse import candidates
from csi.models.cards import read_card
from csi.study.panel import read_study_panel

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def draft(tmp_path, capsys):
    """Draft from an export; the machine's answer, the study, the codebook, and both texts."""

    def run(export, *words):
        code = main(["init", str(export), "--out", str(tmp_path / "new"), "--json", *words])
        seen = capsys.readouterr().out
        assert code == 0, seen
        texts = [(tmp_path / "new" / f"{n}.yaml").read_text("utf-8") for n in ("study", "codebook")]
        return json.loads(seen), *(yaml.safe_load(text) for text in texts), *texts

    return run


@pytest.mark.parametrize(
    ("name", "card"), [("telecom", "ecsi_mobile"), ("insurance", "ecsi"), ("retail", "acsi"), ("sectors", "acsi")]
)
def test_drafts_of_the_demonstration_studies_pass_their_check(draft, tmp_path, name, card):
    few = tmp_path / "panel.csv"
    pl.read_csv(DATA / name / "panel.csv", infer_schema=False).head(4000).write_csv(few)
    found = draft(few, "--card", card)[0]
    assert found["still_wrong"] == []
    panel = read_study_panel(Study.read(tmp_path / "new" / "study.yaml"))
    assert panel.frame.height > 1000
    assert len(found["items"]) >= 8


def answers(rows=60):
    """Rows of answers: three satisfied alike, one asked the other way round, loyalty along with them."""
    draw = random.Random(7)  # noqa: S311 - no secret
    for number in range(rows):
        level = draw.choice([1, 2, 3, 4, 5])
        near = [min(5, max(1, level + draw.choice([-1, 0, 0, 1]))) for _ in range(5)]
        yield number, [near[0], near[1], 6 - near[2], near[3], near[4]]


QUESTIONS = (
    "Overall, how satisfied are you with us?",
    "How satisfied are you with our staff?",
    "How dissatisfied were you at your last visit?",
    "How likely are you to recommend us?",
    "Would you buy from us again?",
)


@pytest.fixture
def qualtrics(tmp_path):
    path = tmp_path / "export.csv"
    names = [
        "StartDate",
        "Status",
        "IPAddress",
        "Duration (in seconds)",
        "ResponseId",
        "Q1",
        "Q2",
        "Q3",
        "Q4",
        "Q5",
        "Q6",
    ]
    asked = [
        "Start Date",
        "Response Type",
        "IP Address",
        "Duration (in seconds)",
        "Response ID",
        *QUESTIONS,
        "Your gender",
    ]
    lines = [names, asked, [f'{{""ImportId"":""{n}""}}' for n in names]]
    for number, row in answers():
        first = ["2026-03-01 10:00:00", "0", "10.0.0.1", "300", f"R_{number}"]
        lines.append([*first, *map(str, row), "female" if number % 2 else "male"])
    path.write_text("\n".join(",".join(f'"{c}"' for c in line) for line in lines) + "\n", encoding="utf-8")
    return path


def test_questions_of_a_platform_become_items_by_their_wording(draft, qualtrics, tmp_path):
    found, study, codebook, text, book = draft(qualtrics, "--lang", "en")
    assert found["platform"] == "qualtrics"
    assert found["still_wrong"] == []
    assert {i["column"] if "column" in i else i["name"]: i["construct"] for i in codebook["items"]} == {
        "Q1": "satisfaction", "Q2": "satisfaction", "Q3": "satisfaction", "Q4": "loyalty", "Q5": "loyalty",
    }  # fmt: skip
    assert codebook["items"][0]["en"] == QUESTIONS[0]
    assert list(found["reverse"]) == ["Q3"]
    assert not any(item.get("reverse") for item in codebook["items"])
    assert "# reverse? its correlation with the rest of its block is -0." in book
    assert found["segments"] == ["Q6"]
    assert "IPAddress" in found["personal"]
    assert "10.0.0.1" not in text + book
    assert "Recognised as an export of Qualtrics" in text
    assert "may be the segment, one of: Q6" in text
    assert study["index"]["target"] == "satisfaction"
    assert main(["check", str(tmp_path / "new/study.yaml")]) == 0


def test_spss_labels_and_missing_codes_are_taken_over(draft, tmp_path):
    path = tmp_path / "answers.sav"
    rows = [row for _, row in answers()]
    frame = pd.DataFrame(rows, columns=["v1", "v2", "v3", "v4", "v5"]).astype(float)
    frame.loc[3, "v1"], frame.loc[4, "v2"] = 9.0, 8.0
    frame["v6"] = [f"回答{i}：希望加快处理速度，谢谢" for i in range(len(frame))]
    asked = [
        "总体而言您满意吗",
        "与您的期望相比如何",
        "您对服务的满意程度",
        "您会推荐我们吗",
        "您会再次购买吗",
        "其他建议",
    ]
    pyreadstat.write_sav(
        frame, str(path), column_labels=asked, missing_ranges={"v1": [9]},
        variable_value_labels={"v1": {1: "很不满意", 5: "很满意", 9: "拒答"}, "v2": {8: "不知道"}},
    )  # fmt: skip
    found, _, codebook, text, _ = draft(path, "--lang", "zh")
    assert found["still_wrong"] == []
    assert codebook["scales"] == {
        "five": {
            "min": 1, "max": 5, "missing": {9: "refused", 8: "dont_know"}, "labels": {1: "很不满意", 5: "很满意"},
        }
    }  # fmt: skip
    assert {i["name"]: (i["construct"], i["zh"]) for i in codebook["items"]}["v2"] == ("satisfaction", asked[1])
    assert "v6 “其他建议”: 开放题" in text


def test_blocks_become_constructs_where_the_card_has_no_word_for_them(draft, tmp_path):
    path = tmp_path / "big.csv"
    head = "id,A1,A2,A3,C1,C2,C3\n"
    path.write_text(head + "".join(f"{n},{','.join(map(str, (*r, r[0])))}\n" for n, r in answers()), encoding="utf-8")
    found, study, _, text, _ = draft(path, "--lang", "en")
    assert found["still_wrong"] == []
    assert "A =~ A1 + A2 + A3" in study["model"]["text"]
    assert "not a claim" in text


def test_a_key_that_breaks_the_rules_of_keys_is_left_out_and_said(draft, tmp_path):
    path = tmp_path / "twice.csv"
    rows = "".join(f"{n // 2},{','.join(map(str, r))}\n" for n, r in answers())
    path.write_text("id,sat1,sat2,sat3,loy1,loy2\n" + rows, encoding="utf-8")
    found, study, _, text, _ = draft(path, "--lang", "en")
    assert found["still_wrong"] == []
    assert "respondent" not in (study["keys"] or {})
    assert "# respondent: id" in text


def test_an_export_without_a_question_on_a_scale_says_what_is_wrong(draft, tmp_path):
    path = tmp_path / "none.csv"
    path.write_text("id,city\n1,北京\n2,上海\n", encoding="utf-8")
    assert draft(path)[0]["still_wrong"]


@pytest.mark.parametrize(
    ("asked", "construct"),
    [
        ("How close is it to your ideal operator?", "satisfaction"),
        ("What did you expect before you joined?", "expectation"),
        ("Is the price worth the quality?", "perceived_quality"),
        ("Given the price, how do you rate the value?", "perceived_value"),
        ("Would you recommend us to friends?", "loyalty"),
        ("您对总体质量的评价", "perceived_quality"),
        ("sat", ""),
        ("", ""),
    ],
)
def test_constructs_are_told_from_the_question_as_asked(asked, construct):
    assert construct_asked(asked, read_card("ecsi_mobile").constructs) == construct


@pytest.mark.parametrize(
    ("wording", "cells", "kind"),
    [
        ("您的年龄", ["18-25", "26-35", "18-25"], "segment"),
        ("使用过的渠道", ["网站┋门店", "门店", "网站"], "choices"),
        ("其他建议", ["希望客服更快一些回复", "没有其他的建议，谢谢", "价格可以再低一点点"], "words"),
        ("", ["12.5", "13.7", "99.25"], "other"),
        ("", [None, None], "other"),
    ],
)
def test_what_a_question_is_that_is_no_item(wording, cells, kind):
    assert kind_of("q", wording, pl.Series(cells, dtype=pl.String)) == kind


def test_reversed_items_are_named_only_with_answers_enough():
    frame = pl.DataFrame({f"a{j}": [str(r[j]) for _, r in answers(80)] for j in range(4)})
    scales = dict.fromkeys(frame.columns, (1, 5))
    assert list(candidates(frame, {"a": frame.columns}, scales)) == ["a2"]
    assert candidates(frame.head(10), {"a": frame.columns}, scales) == {}
    assert candidates(frame.with_columns(a2=pl.lit("3")), {"a": frame.columns}, scales) == {}
