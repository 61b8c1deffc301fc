"""A card of one's own: no layout needed; what is wrong is told by line, in both languages, all at once."""

import pytest

from csi.cli import main
from csi.errors import Problems
from csi.models.cards import card_from
from csi.reporting.figures.diagram import card_diagram

PLAIN = """id: mine
title: {zh: 我的, en: Mine}
year: 2026
cite: [me]
constructs:
  use: {zh: 使用, en: Use}
  joy: {zh: 愉悦, en: Joy}
paths: {joy: [+use]}
index: {target: joy}
"""


def test_a_card_without_a_layout_is_layered_along_its_arrows():
    card = card_from(PLAIN, "mine.yaml")
    assert card.layout == {}
    assert "Joy" in card_diagram(card, lang="en")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_is_told_at_once_with_its_line(lang):
    wrong = (
        PLAIN.replace("year: 2026", "year: soon").replace("index:", "indx:").replace("en: Joy}", "en: Joy, mode: C}")
    )
    with pytest.raises(Problems) as caught:
        card_from(wrong, "mine.yaml", lang)
    told = {p.where: p for p in caught.value.problems}
    assert set(told) == {"mine.yaml:1", "mine.yaml:3", "mine.yaml:7", "mine.yaml:9"}
    assert told["mine.yaml:3"].what.en == 'year is "soon"; expected a whole number.'
    assert told["mine.yaml:3"].what.zh == "year 的值是“soon”，应为整数。"
    assert told["mine.yaml:9"].what.zh == "未知的键“indx”。"
    assert told["mine.yaml:9"].remedy.en == 'Did you mean "index"?'
    assert told["mine.yaml:1"].what.en == 'the key "index" is missing.'
    assert "expected one of A, B" in told["mine.yaml:7"].what.en
    assert "Input should" not in str(caught.value)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_faults_of_meaning_are_told_with_those_of_form_each_with_its_line(lang):
    wrong = (
        PLAIN.replace("year: 2026", "year: soon")
        .replace("paths: {joy: [+use]}", "paths:\n  joy: [+use, -usee, +!]\n  fun: [+joy]")
        .replace("index:", "hypothesis: {h: use > joy}\ncontrasts: {k: h - g}\nindex:")
    )
    with pytest.raises(Problems) as caught:
        card_from(wrong, "mine.yaml", lang)
    told = [(p.where, p.what.say(lang), p.remedy.en) for p in caught.value.problems]
    places = [where for where, _, _ in told]
    assert places == ["mine.yaml:3", "mine.yaml:9", "mine.yaml:9", "mine.yaml:10", "mine.yaml:11"]
    both = " ".join(what for _, what, _ in told)
    assert {"en": "this card: usee", "zh": "构念：usee"}[lang] in both
    assert {"en": 'not an arrow: "+!"', "zh": "不是路径：“+!”"}[lang] in both
    assert 'Did you mean "use"?' in [do for _, _, do in told]


def test_contrasts_of_misspelt_hypotheses_are_judged_by_what_was_meant():
    wrong = PLAIN.replace("index:", "hypothesis: {h: use > joy}\ncontrasts: {k: h - g}\nindex:")
    with pytest.raises(Problems) as caught:
        card_from(wrong, "mine.yaml")
    assert [p.where for p in caught.value.problems] == ["mine.yaml:9", "mine.yaml:10"]
    assert caught.value.problems[1].what.en == "contrast k names what is no hypothesis of this card: g."


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("index:", "zeros: {use: [fun]}\nindex:"), 9),
        (("index:", "layout: {use: [0, 0]}\nindex:"), 9),
        (("index:", "rivals:\n  r:\n    zh: 敌\n    en: x\n    among: [use, fun]\nindex:"), 13),
        (("en: Use}", "en: Use, scale: six}"), 6),
        (("index:", "simulated:\n  joy: {fun: 0.3}\nindex:"), 10),
    ],
)
def test_a_fault_of_meaning_has_its_line(change, line):
    with pytest.raises(Problems) as caught:
        card_from(PLAIN.replace(*change), "mine.yaml")
    assert f"mine.yaml:{line}" in {p.where for p in caught.value.problems}


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "id: [x\n", "constructs: 3\nindex: {target: [a]}\n", "paths: {1: 2}"]
)
def test_a_file_that_is_hardly_a_card_is_told_without_a_traceback(text):
    with pytest.raises(Problems) as caught:
        card_from(text, "mine.yaml")
    assert all(p.code == "E-CARD" for p in caught.value.problems)


@pytest.mark.parametrize(("lang", "said"), [("en", "there is no model or card"), ("zh", "没有模型或模型卡")])
def test_an_unknown_name_lists_all(lang, said, capsys):
    assert main(["models", "gapp", "--lang", lang]) != 0
    told = capsys.readouterr()
    both = told.out + told.err
    assert said in both
    assert all(name in both for name in ("gap", "kano", "acsi", "trust_sss"))
