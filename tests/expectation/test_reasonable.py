"""Reasonable or not: hand cases, Wilson, the limit beyond the scale, every refusal."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

import csi
from csi.errors import Problems, Text
from csi.expectation.reasonable import limit_of
from csi.survey.codebook import Codebook, Item, Scale

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parent / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)
TEN = Scale("ten", 1, 10)
LABELS = {"speed": "理赔速度", "advice": "咨询", "clear": "透明"}


def expecting(n=200, seed=1, form="Es", keys=None):
    """Expectations near 9 (speed), 6 (advice), 7 (clear)."""
    rng = np.random.default_rng(seed)
    columns = {a: np.clip(np.round(rng.normal(m, 1, n)), 1, 10) for a, m in (("speed", 9), ("advice", 6), ("clear", 7))}
    items = [Item(a, "service", TEN, Text(a.title(), zh), a, form) for a, zh in LABELS.items()]
    return forming.panel_of(columns, items, keys)


def bench(**changed):
    """Benchmarks of the three attributes."""
    columns = {
        "attribute": ["speed", "advice", "clear"], "mean": [5.0, 6.0, 6.5], "sd": [1.2, 1.5, 1.5], "n": [300, 300, 40],
        "feasible": ["yes", "yes", "no"], "date": [None, None, "2027-06"],
    }  # fmt: skip
    return pl.DataFrame(columns | changed)


def test_limit_share_and_interval_by_hand():
    panel = expecting()
    row = csi.reasonable(panel, bench()).table.row(0, named=True)
    limit = 5 + 1.6448536269514722 * 1.2 * np.sqrt(1 + 1 / 300)
    count = int((panel.frame["speed"] > limit).sum())
    assert row["limit"] == pytest.approx(limit, abs=1e-12)
    assert row["unreasonable"] == count / 200
    assert row["z"] == pytest.approx((panel.frame["speed"].mean() - 5) / (1.2 * np.sqrt(1 + 1 / 300)))
    low, high = proportion_confint(count, 200, method="wilson")
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high), abs=0.002)  # t instead of z


def test_the_limit_leaves_alpha_of_the_industry_above_it():
    """A prediction limit: a new value beside n known ones exceeds it with chance near alpha."""
    rng = np.random.default_rng(3)
    drawn = rng.normal(5, 1.5, (4000, 51))
    limits = limit_of(drawn[:, :50].mean(axis=1), drawn[:, :50].std(axis=1, ddof=1), np.full(4000, 50.0), 0.05)
    assert np.mean(drawn[:, 50] > limits) == pytest.approx(0.05, abs=0.012)


def test_actions_follow_reason_and_feasibility():
    found = csi.reasonable(expecting(), bench())
    assert dict(found.table.select("attribute", "advice").rows()) == {
        "speed": "explain_alternative", "advice": "meet", "clear": "explain_date"
    }  # fmt: skip
    part = found.actions.filter(attribute="clear")
    assert part["action"].to_list() == ["explain_date", "explain_alternative"]
    assert part["share"].sum() == pytest.approx(1.0)
    assert part["date"][0] == "2027-06"
    assert "Meet it: Advice; explain, with a date: Clear; explain, offer alternatives: Speed." in found.sentences[1].en
    assert "解释并提供替代方案：理赔速度" in found.sentences[1].zh


def test_three_limits_show_how_far_the_rule_decides():
    found = csi.reasonable(expecting(), bench()).sensitivity.filter(attribute="speed")
    assert found["alpha"].to_list() == [0.10, 0.05, 0.01]
    assert (found["unreasonable"].diff().drop_nulls() <= 0).all()


def test_a_limit_beyond_the_scale_gives_way_to_the_percentile():
    wide = bench(sd=[1.2, 1.5, 4.0], p90=[None, None, 8.0])
    found = csi.reasonable(expecting(), wide)
    row = found.table.row(2, named=True)
    assert (row["rule"], row["limit"]) == ("percentile", 8.0)
    assert found.sensitivity.filter(attribute="clear")["unreasonable"].null_count() == 3
    assert found.sensitivity.filter(attribute="clear")["reason_zh"].to_list() == ["无法给出占比：界限超出量表。"] * 3
    assert found.sensitivity.filter(attribute="speed")["reason"].null_count() == 3
    assert "beyond the scale" in csi.display.text(found, "en")
    assert csi.reasonable(expecting()).sensitivity["reason"].unique().to_list() == ["no benchmark."]
    assert any(n.code == "W-BENCH" and "Clear" in n.text.en for n in found.notes)


def test_a_percentile_at_the_top_of_the_scale_is_no_limit():
    """Nobody can expect more than the scale's top: 0 % would say nothing about expectations."""
    found = csi.reasonable(expecting(), bench(sd=[4.0, 1.5, 1.5], p90=[10.0, None, None]))
    row = found.table.row(0, named=True)
    assert (row["limit"], row["unreasonable"], row["conf_high"], row["advice"]) == (None, None, None, None)
    assert row["reason"].startswith("no share: the industry's 90th percentile is the top of the scale")
    assert row["reason_zh"].startswith("无法给出占比：行业基准的 90 分位数即量表上限")
    assert "speed" not in found.actions["attribute"].to_list()
    assert not any("Speed" in s.en.partition(";")[0] or "Meet it: Speed" in s.en for s in found.sentences)
    (told,) = (n for n in found.notes if n.code == "W-BENCH")
    assert "beyond the scale for Speed: no share" in told.text.en
    assert "理赔速度 的 m + z·s 超出量表：无法给出占比" in told.text.zh


def test_the_sentence_names_the_limit_and_how_many_of_the_industry_exceed_it():
    found = csi.reasonable(expecting(), bench())
    row = found.table.row(0, named=True)
    assert f"expect more of Speed than {row['limit']:.2f}, which 5% of the industry's deliveries exceed" in (
        found.sentences[0].en
    )
    assert f"对“理赔速度”的期望高于 {row['limit']:.2f}（行业交付水平中仅 5% 超过）" in found.sentences[0].zh
    first = csi.reasonable(expecting(), bench(sd=[4.0, 5.0, 5.0], p90=[6.0, 9.0, 9.0])).sentences[0]
    assert "expect more of Speed than 6.00, which 10% of the industry's deliveries exceed" in first.en
    assert "期望高于 6.00（行业交付水平中仅 10% 超过）" in first.zh


def test_another_limit_that_puts_another_attribute_first_is_told():
    """Limits at .05: 3.4 + 1.645 x 2.5 = 7.51 and 7.94; at .01: 9.22 and 8.15, so that which is first turns."""
    rng = np.random.default_rng(2)
    columns = {a: np.clip(np.round(rng.normal(8, 1, 300)), 1, 10) for a in ("speed", "advice")}
    items = [Item(a, "service", TEN, Text(a.title(), LABELS[a]), a, "Es") for a in columns]
    table = bench().head(2).with_columns(mean=pl.Series([3.4, 7.45]), sd=pl.Series([2.5, 0.3]), n=pl.lit(10**6))
    found = csi.reasonable(forming.panel_of(columns, items), table)
    firsts = {
        alpha: part.sort("unreasonable", descending=True)["attribute"][0]
        for (alpha,), part in found.sensitivity.group_by("alpha")
    }
    other = found.sensitivity.filter(alpha=0.01).sort("unreasonable", descending=True).row(0, named=True)
    assert (firsts[0.05], firsts[0.01]) == ("speed", "advice")
    assert f"; Advice ({100 * other['unreasonable']:.1f}%) at the limit that 1% exceed" in found.sentences[0].en
    assert "若界限取行业 1% 超过的水平则为“咨询”" in found.sentences[0].zh


def test_without_benchmarks_the_samples_own_percentile_is_labelled_so():
    panel = expecting()
    found = csi.reasonable(panel)
    assert found.table["rule"].unique().to_list() == ["within-sample"]
    ordered = np.sort(panel.frame["advice"].to_numpy())
    assert found.table["limit"][1] == ordered[179]
    assert (found.table["unreasonable"] <= 0.10).all()
    assert "own 90th percentile" in found.sentences[0].en
    assert any("not what is reasonable" in n.text.en for n in found.notes)


def test_segments_and_weights_have_their_own_shares():
    keys = {"segment": ["a", "b"] * 100, "weight": np.tile([1.0, 1.0, 3.0, 3.0], 50)}
    found = csi.reasonable(expecting(keys=keys), bench(), by=["segment"])
    panel = expecting(keys=keys)
    own = panel.frame.filter(segment="a")
    limit = found.table["limit"][0]
    share = float(np.average(own["speed"].to_numpy() > limit, weights=own["weight"].to_numpy()))
    assert found.table.filter(segment="a", attribute="speed")["unreasonable"].item() == pytest.approx(share)


def test_desired_level_stands_in_and_an_industry_is_chosen():
    both = pl.concat(
        [
            bench().with_columns(industry=pl.lit("life")),
            bench(mean=[8.0, 6.0, 6.5]).with_columns(industry=pl.lit("car")),
        ]
    )
    found = csi.reasonable(expecting(form="Ed"), both, industry="car")
    assert found.expected == "Ed"
    assert found.table["benchmark"][0] == 8.0


def test_feasibility_may_be_given_by_hand():
    found = csi.reasonable(expecting(), bench(), feasible={"advice": False})
    assert found.table["advice"].to_list() == ["explain_alternative", "explain_date", "meet_or_explain"]


@pytest.mark.parametrize(("lang", "word"), [("en", "unreasonable"), ("zh", "不合理占比")])
def test_it_shows_itself(lang, word):
    assert word in csi.display.text(csi.reasonable(expecting(), bench()), lang)


TWO = pl.concat([bench().with_columns(industry=pl.lit(i)) for i in ("life", "car")])
FEW = TWO.filter(pl.col("attribute") != "clear")


@pytest.mark.parametrize(
    ("table", "arguments", "code", "words", "zh"),
    [
        (bench().head(2), {}, "E-BENCH", "no benchmark for clear", "缺少 clear 的基准"),
        (FEW, {"industry": "car"}, "E-BENCH", "no benchmark for (car, clear)", "缺少 (car, clear)"),
        (TWO, {}, "E-BENCH", "benchmarks are of life, car", "基准所属行业"),
        (pl.concat([bench(), bench()]), {}, "E-BENCH", "several benchmarks for speed", "有多个基准"),
        (bench(mean=[72.0, 6.0, 6.5]), {}, "E-BENCH", "speed: mean 72", "均值应在该属性的量程内"),
        (bench(sd=[1.2, 1.5, 4.0]), {}, "E-BENCH", "beyond the scale for clear, and no p90", "未给出 p90"),
        (bench().drop("sd"), {}, "E-BENCH", "no column sd", "缺少列 sd"),
        (bench(mean=["five", "6", "6"]), {}, "E-BENCH", "1 cell is not a number", "不是数值"),
        (bench(), {"alpha": 0.7}, "E-SETTING", "not between 0 and 0.5", "不在 0 与 0.5 之间"),
        (bench(), {"attributes": ["spede"]}, "E-FORM", 'no item asks about "spede"', "没有题项"),
        (bench(), {"expected": "Ei"}, "E-FORM", "no item has form Ei", "没有形式为 Ei"),
    ],
)  # fmt: skip
def test_refusals_in_both_languages(table, arguments, code, words, zh):
    with pytest.raises(Problems) as raised:
        csi.reasonable(expecting(), table, **arguments)
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert zh in "\n".join(p.say("zh") for p in raised.value.problems)


@pytest.mark.parametrize("p90", [14.0, 2.0])
def test_a_percentile_off_the_scale_or_below_the_mean_is_refused(p90):
    item = Item("s1", "service", Scale("ten", 1, 10), Text("Claims speed", "理赔速度"), "speed", "Es")
    frame = pl.DataFrame({"s1": [6.0, 7, 9, 10]})
    answers = csi.Panel(frame, Codebook((item,), {}, {}), frame.cast(pl.String))
    bench = pl.DataFrame({"attribute": ["speed"], "mean": [8.0], "sd": [1.5], "n": [200], "p90": [p90]})
    with pytest.raises(Problems) as raised:
        csi.reasonable(answers, bench)
    (told,) = raised.value.problems
    assert (told.code, f"p90 {p90:g}" in told.what.en, f"p90 为 {p90:g}" in told.what.zh) == ("E-BENCH", True, True)
