"""What the retail report says: units, one word for one thing, options in place of functions, the reference told."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import csi
from csi.behaviour.buying import day_notes
from csi.errors import Text
from csi.reporting.build import LEADING, _short
from csi.reporting.figures.moves import moves
from csi.reporting.sections import method_section
from csi.survey.events import read_events

STUDY = Path(__file__).parents[2] / "data" / "retail" / "study.yaml"


@pytest.fixture(scope="module")
def analysis():
    study = csi.Study.read(STUDY)
    return SimpleNamespace(study=study, panel=study.panel(), wave="2026Q3")


def words(section, lang):
    said = (section.title, section.subtitle, *section.paragraphs, *(n.text for n in section.notes))
    return " ".join(t.say(lang) for t in said)


def test_change_says_points_of_which_scale_and_per_wave(analysis):
    told = method_section("change", analysis)
    assert "Customer expectations fell by" in told.title.en
    assert "points of 1–10 a wave on average" in told.title.en
    assert "平均每期下降" in told.title.zh
    assert "分（1–10 分制）" in told.title.zh
    assert "unit of time" not in words(told, "en")
    assert "以分（1–10 分制）计" in told.subtitle.zh


def test_an_intervention_is_told_in_points(analysis):
    told = method_section("intervention", analysis)
    assert " points of 1–10 (95% interval" in told.title.en
    assert "分（1–10 分制）（95% 区间" in told.title.zh


@pytest.mark.slow
def test_pages_say_customers_in_one_word_and_name_options(analysis):
    for name in ("bgnbd", "repurchase", "churn", "attitude", "lifecycle", "journey", "emotion_waves", "text"):
        told = method_section(name, analysis)
        zh, en = words(told, "zh"), words(told, "en")
        assert "客户" not in zh + told.kicker.zh, name
        assert "lexicon 给出" not in zh
        assert "asked={" not in zh + en
        assert "steps=" not in zh + en
    assert "原模式" in words(method_section("emotion_waves", analysis), "zh")
    assert "--asked 2026Q1=DAY" in words(method_section("attitude", analysis), "en")
    assert "--steps" in words(method_section("journey", analysis), "zh")


def test_comments_tell_the_base_of_both_groups(analysis):
    table = next(t for t in method_section("text", analysis).tables if t.name == "selection")
    heads = {c.name: c.heading.en for c in table.columns}
    assert len(set(heads.values())) == len(heads)
    row = table.frame.row(0, named=True)
    assert row["n_writers"] + row["n_others"] == analysis.panel.frame.filter(wave="2026Q3").height


def test_an_event_study_shows_its_reference(analysis):
    table = next(t for t in method_section("programme", analysis).tables if t.name == "events")
    row = table.frame.filter(k=-1).row(0, named=True)
    assert (row["difference"], row["conf_low"], row["p_value"]) == (0.0, None, None)
    assert table.frame["k"].is_sorted()


def test_the_headline_is_about_expectations():
    assert LEADING.index("gap") < LEADING.index("change")


def test_the_headline_leaves_the_interval_to_its_section():
    en = "Expectation falls by 0.35 points (of 1-10) a wave (95% interval -0.4 to -0.3)."
    long = Text(en, "下降 0.35 分（1–10 分制）（95% 区间 a）。")
    assert _short(long) == Text("Expectation falls by 0.35 points (of 1-10) a wave", "下降 0.35 分（1–10 分制）")
    assert _short(Text("No (new) customer left.", "无（新）顾客流失。")) == Text(
        "No (new) customer left", "无（新）顾客流失"
    )


def test_names_of_stages_stand_whole_over_their_columns():
    labels = {"a": Text("mixed (both strong)", "混合型（两者皆强）"), "b": Text("weak in both", "两者皆不强型")}
    frame = pl.DataFrame([{"origin": o, "goal": g, "share": 0.5, "conf_low": 0.4, "conf_high": 0.6, "n": 200}
                          for o in labels for g in (*labels, "c", "d")])  # fmt: skip
    for width in (508, 360):
        for lang in ("zh", "en"):
            assert "…" not in moves(frame, lang=lang, labels=labels, width=width)


def test_purchases_of_one_day_are_told():
    one = pl.DataFrame({"id": [*"abcdefgh"], "date": ["2026-01-05"] * 6 + ["2026-02-01", "2026-03-01"]})
    (said,) = day_notes(read_events(one, "purchases"))
    assert said.text.en.startswith("6 of 8 purchases (75%) are on 2026-01-05")
    assert "6 次（75%）" in said.text.zh
    assert not day_notes(read_events(one.tail(4), "purchases"))


def test_comments_in_two_languages_are_counted_in_a_note():
    said = pl.DataFrame(
        {"id": ["a", "b", "c"], "text": ["delivery 很慢 and the app crashed 太差了", "很好", "very good"]}
    )
    found = csi.comments(said, small=0)
    (mixed,) = [n.text for n in found.notes if n.code == "N-TEXT-MIXED"]
    assert mixed.en.startswith("1 of 3 comments mix Chinese and English")
    assert "中英混写" in mixed.zh
