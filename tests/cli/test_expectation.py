"""`csi expectation`: Kano's classes and recommendation of a study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import csi
from csi.cli import main
from csi.reporting.html import render_html
from csi.reporting.methods.library import run_method

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


def test_nps_takes_the_only_question_there_is(study, capsys):
    assert main(["expectation", study, "--model", "nps", "--lang", "en"]) == 0
    assert "Recommend" in capsys.readouterr().out


@pytest.mark.parametrize(("lang", "word"), [("en", "several questions"), ("zh", "多个 0–10 分的题项")])
def test_nps_asks_which_question(study, capsys, lang, word):
    book = Path(study).with_name("codebook.yaml")
    book.write_text(book.read_text("utf-8").replace("scale: five, zh: 三", "scale: eleven, zh: 三"), "utf-8")
    assert main(["expectation", study, "--model", "nps", "--lang", lang]) == 1
    assert word in capsys.readouterr().err


def test_nps_of_an_unknown_question(study, capsys):
    assert main(["expectation", study, "--model", "nps", "--item", "kff", "--lang", "en"]) == 1
    assert "kf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lang", "word"), [("en", "needs an attribute asked as P + Ew"), ("zh", "需要同一属性以 P + Ew 提问")]
)
def test_what_the_columns_do_not_carry(study, capsys, lang, word):
    assert main(["expectation", study, "--model", "gap", "--lang", lang]) == 1
    assert word in capsys.readouterr().err


def test_options_that_cannot_be_read_are_told_at_once(study, capsys):
    asked = ["--band", "x", "--by", "wave,shop", "--expected", "Q", "--stages", "never", "--lang", "en"]
    assert main(["expectation", study, "--model", "gap", *asked]) == 1
    told = capsys.readouterr().err
    assert all(word in told for word in ("--band", "--by", "--expected", "--stages"))


def test_an_option_of_another_model(study, capsys):
    assert main(["expectation", study, "--model", "kano", "--item", "rec", "--lang", "en"]) == 1
    assert "kano takes no item" in capsys.readouterr().err


def test_a_model_that_does_not_exist(study, capsys):
    assert main(["expectation", study, "--model", "kanoo", "--lang", "en"]) == 1
    assert "kano" in capsys.readouterr().err


def test_check_says_what_is_allowed(study, capsys):
    main(["check", study, "--json", "--lang", "en"])
    models = {m["name"]: m["lacks"] for m in json.loads(capsys.readouterr().out)["models"]}
    assert models["kano"] == []
    assert models["gap"][0]["zh"].startswith("同一属性")


def test_the_report_tells_what_is_allowed_and_leaves_out_what_is_switched_off(study):
    told = csi.report(study, lang="en", kind="expectation")
    assert told.keys == ("overview", "kano", "nps", "loyalty_curve", "drivers", "penalty_reward", "fieldwork", "method")
    assert told.section("overview").data["overview"]["finding_en"].to_list() == [s.title.en for s in told.sections[1:6]]
    assert told.headline.sentence == told.section("kano").title
    file = Path(study)
    file.write_text(file.read_text("utf-8") + "models: {kano: no, nps: {item: rec}}\n", "utf-8")
    assert csi.report(study, lang="en", kind="expectation").keys == (
        "overview",
        "nps",
        "loyalty_curve",
        "drivers",
        "penalty_reward",
        "fieldwork",
        "method",
    )


@pytest.mark.parametrize(("lang", "words"), [("en", ("How to read it", "--band")), ("zh", ("解读", "--band"))])
def test_a_model_describes_itself(capsys, lang, words):
    assert main(["models", "gap", "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in words)


def test_a_model_without_a_card_cannot_be_drawn(capsys, tmp_path):
    assert main(["models", "gap", "--draw", str(tmp_path / "c.svg"), "--lang", "en"]) == 1
    assert "no card" in capsys.readouterr().err


def test_a_contrast_is_told_by_its_arrows_and_fit_by_its_names():
    """Of the study of insurers: the card's own names for chains and measures stay out of sight."""
    study = csi.Study.read(Path(__file__).parents[2] / "data" / "insurance" / "study.yaml")
    section = run_method(study, study.panel(), "edt")
    told = " ".join(p.zh for p in section.paragraphs)
    assert "(顾客期望 → 感知绩效 → 顾客满意) − |顾客期望 → 不一致 → 顾客满意| = " in told
    assert "assimilation" not in told
    fit = next(t for t in section.tables if t.name == "fit")
    assert fit.texts["srmr"].zh == "标准化残差均方根（SRMR）"
    assert set(fit.frame["measure"]) <= set(fit.texts)


def test_the_page_names_each_model_and_leads_to_it(study):
    page = render_html(csi.report(study, lang="en", kind="expectation"), ("en",))
    assert '<a href="#en-kano">Kano&#39;s classes of attributes</a>' in page
    assert page.index('id="en-kano"') < page.index('<p class="kicker">Kano&#39;s classes of attributes</p>')


@pytest.mark.parametrize(("lang", "said"), [("en", "x3 runs from 1 to 5"), ("zh", "x3 的量程为 1–5")])
def test_a_question_that_is_named_is_refused_by_its_own_range(study, capsys, lang, said):
    assert main(["expectation", study, "--model", "nps", "--item", "x3", "--lang", lang]) != 0
    told = capsys.readouterr()
    both = told.out + told.err
    assert said in both
    assert "rec" in both


@pytest.mark.parametrize(("lang", "rest"), [("en", "more"), ("zh", "另有")])
def test_check_lists_everything_a_model_would_need(study, capsys, lang, rest):
    main(["check", study, "--lang", lang])
    brief = capsys.readouterr().out
    assert "competence_policy" not in brief
    assert "--models" in brief
    main(["check", study, "--models", "--lang", lang])
    told = capsys.readouterr().out
    assert "competence_policy" in told
    assert "benevolence_policy" in told
    assert f"and 5 {rest}" not in told
    assert "另有" not in told


@pytest.mark.parametrize(("lang", "word"), [("en", "the coding may be turned round"), ("zh", "编码可能颠倒")])
def test_check_doubts_a_coding_that_is_turned_round(study, capsys, lang, word):
    main(["check", study, "--lang", lang])
    seen = capsys.readouterr()
    assert word not in seen.out + seen.err
    book = Path(study).with_name("codebook.yaml")
    turned = book.read_text("utf-8").replace("scale: five, zh: 手提袋", "scale: five, reverse: true, zh: 手提袋")
    book.write_text(turned.replace("scale: five, zh: 无手提袋", "scale: five, reverse: true, zh: 无手提袋"), "utf-8")
    main(["check", study, "--lang", lang])
    seen = capsys.readouterr()
    assert word in seen.out + seen.err


@pytest.mark.parametrize(("lang", "like"), [("en", "1 = I like it"), ("zh", "1 = 喜欢")])
def test_the_coding_of_kano_is_said(tmp_path, capsys, lang, like):
    blank = tmp_path / "blank.yaml"
    assert main(["models", "kano", "--blank", str(blank), "--lang", lang]) == 0
    assert like in capsys.readouterr().out
    assert like in blank.read_text("utf-8")
    assert main(["explain", "kano", "--lang", lang]) == 0
    assert "1 = like" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "en", "zh"),
    [
        (
            "{gapp: yes}",
            'there is no model "gapp" in the library. Did you mean "gap"?',
            "模型库中没有“gapp”。是否应为“gap”？",
        ),
        (
            "{gap: {expekted: Ew}}",
            'unknown key "expekted". Did you mean "expected"?',
            "未知的键“expekted”。是否应为“expected”？",
        ),
        ("{gap: 5}", 'gap is "5"; expected `key: value` pairs.', "gap 的值是“5”，应为“键: 值”的形式。"),
    ],
)
def test_what_models_says_wrongly_is_one_problem(study, capsys, written, en, zh):
    file = Path(study)
    file.write_text(file.read_text("utf-8") + f"models: {written}\n", "utf-8")
    for lang, words in (("en", en), ("zh", zh)):
        file.write_text(file.read_text("utf-8").replace("language: en", f"language: {lang}"), "utf-8")
        assert main(["check", study, "--lang", lang]) == 1
        told = capsys.readouterr().err
        assert words in told
        assert "OptionsForm" not in told
        assert len(told.strip().splitlines()) == 1


def test_models_are_switched_by_yes_and_no(study):
    file = Path(study)
    file.write_text(file.read_text("utf-8") + "models: {kano: yes, nps: no, gap: {expected: Es}}\n", "utf-8")
    read = csi.Study.read(study).models
    assert (read["kano"].given, read["nps"], read["gap"].expected) == ((), None, "Es")


def test_words_of_options_stand_apart_in_chinese(study, capsys):
    assert main(["expectation", study, "--model", "tolerance", "--inconsistent", "x", "--lang", "zh"]) == 1
    assert "“x”不是 drop、swap 或 error" in capsys.readouterr().err


def test_known_names_are_listed_once(capsys):
    assert main(["models", "zzzzzz", "--lang", "en"]) == 1
    told = capsys.readouterr().err
    assert (told.count("Known"), told.count("penalty_reward")) == (1, 1)


@pytest.mark.parametrize(
    ("name", "lang", "word"), [("gap", "en", "is there already"), ("acsi", "zh", "已存在，未作改动")]
)
def test_a_codebook_that_was_filled_in_is_not_written_over(tmp_path, capsys, name, lang, word):
    blank = tmp_path / "mine.yaml"
    blank.write_text("mine", "utf-8")
    assert main(["models", name, "--blank", str(blank), "--lang", lang]) == 1
    assert word in capsys.readouterr().err
    assert blank.read_text("utf-8") == "mine"
