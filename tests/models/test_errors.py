"""Errors point at the token, come all at once, and say what to do in both languages."""

import random
import re

import pytest

from csi.errors import Problems
from csi.models.model import Model


def refused(text):
    with pytest.raises(Problems) as caught:
        Model.parse(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("f =~ x1 +", "E-SYNTAX", (1, 10)),
        ("f =~\ng =~ y1", "E-SYNTAX", (1, 5)),
        ("f =~ x1 +\ng =~ y1", "E-SYNTAX", (1, 10)),
        ("f = x1", "E-SYNTAX", (1, 1)),
        ("f =~ x1 x2", "E-SYNTAX", (1, 9)),
        ("f g =~ x1", "E-SYNTAX", (1, 3)),
        ("f =~ 3x", "E-SYNTAX", (1, 6)),
        ("x1 + x2", "E-SYNTAX", (1, 1)),
        ("y ~ 3", "E-SYNTAX", (1, 5)),
        ("f =~ 1", "E-SYNTAX", (1, 6)),
        ("f =~ a:b", "E-SYNTAX", (1, 6)),
        ("level: 1\nf =~ x", "E-SYNTAX", (1, 1)),
        ("f =~ x; f <~ y", "E-SYNTAX", (1, 11)),
        ("y ~ a*x; a*b := 2", "E-SYNTAX", (1, 10)),
        ("y ~ a*x; d := a*", "E-SYNTAX", (1, 17)),
        ("y ~ a*x; d := (a", "E-SYNTAX", (1, 17)),
        ("u1 | t1 + x", "E-SYNTAX", (1, 11)),
        ("u1 | 1", "E-SYNTAX", (1, 6)),
        ("u1 | t0", "E-SYNTAX", (1, 6)),
        ("u1 ~*~ 1*u2", "E-SYNTAX", (1, 10)),
        ("f =~ u1; f | t1", "E-CONSTRUCT", (1, 14)),
        ("u1 | t1 + t1", "E-DUPLICATE", (1, 11)),
        ("f <~ 0; y ~ f", "E-SYNTAX", (1, 6)),
        ("f =~ 0", "E-CONSTRUCT", (1, 1)),
        ("y ~ a*x; a ≤ 1", "E-OPERATOR", (1, 12)),
        ("a -> b", "E-OPERATOR", (1, 3)),
        ("f =~ equal('a')*x", "E-MODIFIER", (1, 6)),
        ("f =~ x1 + equal('f=~x3')*x2", "E-MODIFIER", (1, 11)),
        ("f =~ x1 + x2 + b*equal('f=~x2')*x3", "E-MODIFIER", (1, 18)),
        ("f =~ x1 + b*x2 + x3 + equal('f=~x3')*x2", "E-MODIFIER", (1, 38)),
        ("f =~ efa('b')*x", "E-MODIFIER", (1, 6)),
        ("f =~ lower(a)*x", "E-MODIFIER", (1, 12)),
        ("f =~ lower(0)*x + lower(1)*x", "E-MODIFIER", (1, 28)),
        ("f =~ c(1, )*x", "E-MODIFIER", (1, 11)),
        ("f =~ start(a)*x", "E-MODIFIER", (1, 12)),
        ("f =~ 1*x + 2*x", "E-MODIFIER", (1, 14)),
        ("f =~ NA*x + 1*x", "E-MODIFIER", (1, 15)),
        ("f =~ c(a,b)*x + c(1,1,1)*x", "E-MODIFIER", (1, 26)),
        ("f =~ c(a,b)*x + c(1,1,1)*y", "E-MODIFIER", (1, 26)),
        ("f =~ x + x", "E-DUPLICATE", (1, 10)),
        ("y ~ x\ny ~ z + x", "E-DUPLICATE", (2, 9)),
        ("x ~~ y; y ~~ x", "E-DUPLICATE", (1, 14)),
        ("y ~ x\ny ~ p*x", "E-DUPLICATE", (2, 7)),
        ("y ~ p*x\ny ~ 0.5*x", "E-DUPLICATE", (2, 9)),
        ("f =~ x1 + x2\nf =~ NA*x1", "E-DUPLICATE", (2, 9)),
        ("x ~~ y; y ~~ a*x", "E-DUPLICATE", (1, 16)),
        ("y ~ 1; y ~ a*1", "E-DUPLICATE", (1, 14)),
        ("y ~ a*x; d := a; d := a", "E-DUPLICATE", (1, 18)),
        ("f =~ x; f ~ f", "E-PATH", (1, 13)),
        ("f =~ f + x", "E-CONSTRUCT", (1, 6)),
        ("y ~ a*x; d := a*b", "E-LABEL", (1, 17)),
        ("y ~ x; a == 1", "E-LABEL", (1, 8)),
        ("y ~ a*x; a := 2", "E-LABEL", (1, 10)),
        ("y ~ a*x; a == 1; a == 2", "E-CONSTRAINT", (1, 20)),
        ("y ~ lower(2)*upper(1)*x", "E-CONSTRAINT", (1, 23)),
        ("a =~ b; b =~ a", "E-CYCLE", (1, 1)),
        ("y ~ a*x; d := e + a; e := 2*d", "E-CYCLE", (1, 10)),
        ("y ~ a*x; d := d + a", "E-CYCLE", (1, 10)),
        ("y ~ a*x; d := " + "(" * 60 + "a" + ")" * 60, "E-SYNTAX", (1, 55)),
        ("y ~ a*x; d := a" + "^a" * 60, "E-SYNTAX", (1, 96)),
    ],
)
def test_one_error_one_problem_at_its_place(text, code, place):
    (found,) = refused(text)
    assert found.code == code
    assert found.where == f"model, line {place[0]}, column {place[1]}"


def test_the_caret_stands_under_the_token_wide_characters_counted_twice():
    (found,) = refused("忠诚 ~ 满意 价值")
    line, caret = found.what.zh.splitlines()[1:3]
    assert line == "    忠诚 ~ 满意 价值"
    assert caret == "    " + " " * 12 + "^^^^"


def test_an_unknown_construct_is_met_with_the_name_that_was_meant():
    (found,) = refused("satisfaction =~ s1\nloyalty =~ l1\nloyalty ~ satisfation")
    assert (found.code, found.where) == ("E-CONSTRUCT", "model, line 3, column 11")
    assert found.remedy.en == 'Did you mean "satisfaction"?'
    assert "satisfaction" in found.remedy.zh


def test_case_counts_and_is_explained():
    (found,) = refused("Sat =~ s1\nLoy =~ l1\nLoy ~ sat")
    assert found.remedy.en == 'Did you mean "Sat"?'


def test_a_dotted_product_is_explained():
    (found,) = refused("Image =~ i1; Value =~ v1; Sat =~ s1; Sat ~ Image + Value + Image.Value")
    assert found.remedy.en == 'An interaction is written "Image:Value".'


@pytest.mark.parametrize("name", ["price_level", "satisfaction2", "age", "satisfied_before"])
def test_an_observed_variable_is_not_taken_for_a_slip(name):
    assert Model.parse(f"satisfaction =~ s1\nprice =~ p1\nsatisfaction ~ price + {name}").predictors("satisfaction")


def test_full_width_characters_are_explained_with_the_line_to_write():
    (found,) = refused("忠诚 =~ l1\n满意 ＝～ ｑ１＋q2\n忠诚 ~ 满意")
    assert (found.code, found.where) == ("E-FULLWIDTH", "model, line 2, column 4")
    assert found.remedy.say("zh") == "请写成：满意 =~ q1+q2"
    assert "＝ ～ ｑ １ ＋" in found.what.zh
    assert "= ~ q 1 +" in found.what.en


def test_a_full_width_semicolon_still_parts_statements():
    assert [p.code for p in refused("f =~ x；g =~ y")] == ["E-FULLWIDTH"]


def test_a_full_width_colon_in_a_definition():
    (found,) = refused("y ~ a*x\nd ：= a")
    assert (found.code, found.remedy.en) == ("E-FULLWIDTH", "Write: d := a")


def test_all_errors_come_at_once_and_good_lines_do_not_hide_them():
    problems = refused("f =~ x1 +\nok ~ f\nu -> t1\ny ~ 3\ng ＝~ y1")
    assert [(p.code, p.where.split(", ")[1]) for p in problems] == [
        ("E-SYNTAX", "line 1"),
        ("E-OPERATOR", "line 3"),
        ("E-SYNTAX", "line 4"),
        ("E-FULLWIDTH", "line 5"),
    ]


@pytest.mark.parametrize("text", ["", "  \n# nothing\n", ";;"])
def test_an_empty_text(text):
    (found,) = refused(text)
    assert (found.code, found.where) == ("E-EMPTY", "model")


def test_messages_speak_both_languages():
    for found in refused(
        "f =~ x1 +\nu | x\nu ~*~ x\nf =~ efa('a')*x\nf =~ lower(a)*x\ny ~ 3\nx1\n3 ~ y\na b ~ y\ny ~ a:\ny ~ q*\n"
    ):
        assert re.search(r"[\u4e00-\u9fff]", found.what.zh.splitlines()[0])
        assert re.search(r"[\u4e00-\u9fff]", found.remedy.zh)
        assert not re.search(r"[\u4e00-\u9fff]", found.what.en.splitlines()[0] + found.remedy.en)


def test_lang_chooses_the_language_of_the_exception():
    with pytest.raises(Problems, match="请删去其中一处"):
        Model.parse("y ~ x + x", lang="zh")


@pytest.mark.parametrize(
    "text", ["((((", "~", "a ~ ~ b", "*", "f =~ c(", "\x00", 'f =~ "', "a:=b:=c", "+ + +", "NA ~ NA", "1 ~ 1"]
)
def test_nonsense_gives_problems_and_nothing_else(text):
    assert refused(text)


def test_damaged_texts_give_a_model_or_problems_and_nothing_else():
    draw = random.Random(7)  # noqa: S311 - texts, not secrets
    good = (
        "满意 =~ c(1, NA)*s1 + a*s2; 忠诚 <~ l1\n忠诚 ~ 满意 + 满意:x # note\nd := a^2*(1 - a)\na > 0; s1 ~ 0*1\n"
        "l1 | t1 + lower(1)*t2 + equal('满意=~s2')*t3; l1 ~*~ 0.5?l1"
    )
    for _ in range(400):
        text = list(good)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(len(text))
            text[place : place + draw.randint(0, 2)] = draw.choice(
                ["", "(", ")", "~", "=", "+", "*", '"', "：", "＋", "\n", "|", "1", "x"]
            )
        damaged = "".join(text)
        try:
            model = Model.parse(damaged)
        except Problems as found:
            assert all(p.where.startswith("model") and p.remedy.zh for p in found.problems)  # noqa: PT017 - both ways are right
        else:
            assert Model.parse(str(model)) == model
