"""Stakeholders and requirements: hand cases, before and after, every refusal."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
import csi.inference.linearised
from csi.errors import Problems, Text
from csi.survey.codebook import Item

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parent / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)


def people(**changed):
    """Three stakeholders of two roles on marks of 1 to 5."""
    columns = {
        "id": ["Li", "Wang", "Zhao"], "role": ["customer", "customer", "agent"], "power": [5, 2, 2],
        "interest": [4, 5, 1], "legitimacy": [4, 5, 1], "urgency": [5, 1, 5],
    }  # fmt: skip
    return pl.DataFrame(columns | changed)


NOBODY = {"power": [5, 2, 0], "legitimacy": [4, 5, 0], "urgency": [5, 1, 0]}


def test_salience_weights_quadrants_and_classes_by_hand():
    found = csi.stakeholders(people())
    assert found.table["salience"].to_list() == [14.0, 8.0, 8.0]
    np.testing.assert_allclose(found.table["weight"], [14 / 22, 8 / 22, 1.0])
    np.testing.assert_allclose(found.table["overall"], [7 / 22, 4 / 22, 0.5])
    assert found.table["overall"].sum() == pytest.approx(1.0)
    assert found.table["quadrant"].to_list() == ["manage", "inform", "monitor"]
    assert found.table["kind"].to_list() == ["definitive", "discretionary", "demanding"]
    np.testing.assert_allclose(found.roles["share"], [22 / 30, 8 / 30])
    assert found.sentences[0].en == "To be managed closely: Li."
    assert found.sentences[0].zh == "需重点管理：Li。"


@pytest.mark.parametrize(("lang", "word"), [("en", "manage closely"), ("zh", "重点管理")])
def test_stakeholders_show_themselves(lang, word):
    assert word in csi.display.text(csi.stakeholders(people()), lang)


@pytest.mark.parametrize(
    ("table", "arguments", "words", "zh"),
    [
        (people().drop("power"), {}, "no column power", "缺少列 power"),
        (people(power=[9, 2, 2]), {}, "1 marks are outside 1 to 5 (Li: 9)", "超出 1–5"),
        (people(id=["Li", "Li", "Zhao"]), {}, "several rows for Li", "Li 有多行"),
        (people(power=["x", "1", "1"]), {}, "not a number (row 1: 'x')", "不是数值"),
        (people(**NOBODY), {"scale": (0, 5)}, "no salience", "显著性总和为 0"),
    ],
)  # fmt: skip
def test_stakeholders_refuse_in_both_languages(table, arguments, words, zh):
    with pytest.raises(Problems) as raised:
        csi.stakeholders(table, **arguments)
    assert {p.code for p in raised.value.problems} == {"E-STAKE"}
    assert words in str(raised.value)
    assert zh in "\n".join(p.say("zh") for p in raised.value.problems)


def answering():
    """Ten people at two stages who expect two attributes, weighted."""
    rng = np.random.default_rng(8)
    columns = {"a1": rng.integers(3, 8, 10).astype(float), "a2": rng.integers(1, 8, 10).astype(float)}
    columns["a1"][9] = np.nan
    items = [Item(f"a{i}", "service", forming.SEVEN, Text(f"A{i}", f"甲{i}"), f"at{i}", "Ew") for i in (1, 2)]
    keys = {"stage": ["old"] * 6 + ["new"] * 4, "weight": np.linspace(0.5, 1.5, 10)}
    return forming.panel_of(columns, items, keys)


def test_what_roles_expect_by_hand():
    panel = answering()
    table = people(role=["customer"] * 3).with_columns(respondents=pl.Series(["stage=old", "stage=new", None]))
    found = csi.stakeholders(table, panel=panel, small=0)
    rows = {(r["id"], r["name"]): r for r in found.expectations.iter_rows(named=True)}
    w = panel.frame["weight"].to_numpy()
    x = panel.frame["a2"].to_numpy()
    old, new = np.arange(10) < 6, np.arange(10) >= 6
    one, two = (np.average(x[m], weights=w[m]) for m in (old, new))
    assert rows["Li", "at2"]["mean"] == pytest.approx(one)
    assert rows["Wang", "at2"]["mean"] == pytest.approx(two)
    v = np.array([14, 8]) / 22  # salience of Li and Wang; Zhao has no respondents
    assert rows[None, "at2"]["mean"] == pytest.approx(v @ [one, two])
    # linearised by hand: what each row adds to the role's mean, within the two domains
    z = v[0] * np.where(old, w * (x - one) / w[old].sum(), 0) + v[1] * np.where(new, w * (x - two) / w[new].sum(), 0)
    variance = 6 / 5 * (z[old] ** 2).sum() + 4 / 3 * (z[new] ** 2).sum()
    assert rows[None, "at2"]["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-6)
    single = csi.stakeholders(
        table.with_columns(respondents=pl.Series(["stage=old|new", None, None])), panel=panel, small=0
    )
    alone = {r["name"]: r for r in single.expectations.filter(pl.col("id").is_null()).iter_rows(named=True)}
    plain = csi.inference.linearised.means(x[:, None], w, np.arange(10), np.zeros(10, dtype=np.int64))
    assert alone["at2"]["mean"] == pytest.approx(plain.mean[0])
    assert alone["at2"]["std_error"] == pytest.approx(plain.std_error[0], rel=1e-6)  # weights stand on a grid
    assert alone["at1"]["n"] == 9  # an absent answer
    assert found.sentences[1].en.startswith("Expected overall, by role: customer ")
    assert found.sentences[1].zh.startswith("各角色的总体期望：customer ")
    assert "A2" not in csi.display.text(found, "en")  # attributes stay in the frame
    assert "service" in csi.display.text(found, "en")


def test_means_of_few_answers_are_withheld_or_marked():
    table = people(role=["customer"] * 3).with_columns(respondents=pl.Series(["stage=old", "stage=new", None]))
    found = csi.stakeholders(table, panel=answering(), small=5, flagged=9)
    rows = {(r["id"], r["name"]): r for r in found.expectations.iter_rows(named=True)}
    assert (rows["Wang", "at2"]["n"], rows["Wang", "at2"]["mean"], rows["Wang", "at2"]["flag"]) == (
        4,
        None,
        "suppressed",
    )
    assert rows["Wang", "at2"]["reason_zh"] == "样本量不足 5，不予发布。"
    assert rows["Li", "at2"]["flag"] == "small"
    assert rows["Li", "at2"]["mean"] is not None
    assert rows[None, "at2"]["flag"] is None
    told = {n.code: n.text for n in found.notes}
    assert "Wang" in told["E-BASE"].en
    assert "Li" not in told["E-BASE"].en
    assert "Li" in told["W-BASE"].zh
    assert "too few answers" in csi.display.text(found, "en")
    assert "不公布" in csi.display.text(found, "zh")


def test_roles_without_respondents_are_told():
    table = people().with_columns(respondents=pl.Series(["stage=old", "stage=new", None]))
    found = csi.stakeholders(table, panel=answering())
    (said,) = [n.text for n in found.notes if "respondents" in n.text.en]
    assert said.en == "no respondents stand for agent: what they expect is not known here."
    assert "agent没有对应的受访者" in said.zh
    assert csi.stakeholders(table).expectations.height == 0


@pytest.mark.parametrize(
    ("rule", "words", "zh"),
    [
        ("stage", '"stage" cannot be read', "无法识别“stage”"),
        ("branch=x", 'no key column "branch" (they have stage)', "没有关键列“branch”"),
        ("stage=gone", "nobody answers to stage=gone", "没有受访者符合 stage=gone"),
    ],
)
def test_respondents_that_cannot_be_found_are_refused(rule, words, zh):
    table = people().with_columns(respondents=pl.Series([rule, None, None]))
    with pytest.raises(Problems) as raised:
        csi.stakeholders(table, panel=answering())
    (one,) = raised.value.problems
    assert one.code == "E-STAKE"
    assert words in one.say("en")
    assert zh in one.say("zh")


def wanted(**changed):
    """Three requirements."""
    columns = {
        "requirement": ["r1", "r2", "r3"], "attribute": ["speed", "advice", "clear"], "importance": [5, 3, 4],
        "current": [2, 3, 4], "target": [4, 4, 4], "sales_point": [1.5, 1.2, 1.0], "kano": ["M", "O", "A"],
    }  # fmt: skip
    return pl.DataFrame(columns | changed)


RELATIONS = pl.DataFrame(
    {
        "requirement": ["r1", "r1", "r2", "r3"],
        "characteristic": ["staff", "system", "staff", "forms"],
        "strength": [9, 3, 1, 9],
    }
)
WRONG = RELATIONS.with_columns(strength=pl.lit(5))


def test_weights_by_hand():
    found = csi.requirements(wanted()).table
    np.testing.assert_allclose(found["weight"], [5 * 2 * 1.5, 3 * 4 / 3 * 1.2, 4.0])
    np.testing.assert_allclose(found["percent"], np.array([15, 4.8, 4]) / 23.8 * 100)
    assert found["rank"].to_list() == [1, 2, 3]
    np.testing.assert_allclose(found["distance"], [10.0, 3.0, 0.0])


def test_kano_raises_the_ratio():
    found = csi.requirements(wanted(current=[2, 3, 1]), kano=True).table
    np.testing.assert_allclose(found["improvement"], [(4 / 2) ** 2, 4 / 3, (4 / 1) ** 0.5])
    given = csi.requirements(wanted(current=[2, 3, 1]), kano={"speed": "O", "advice": "O", "clear": "O"}).table
    np.testing.assert_allclose(given["improvement"], [2, 4 / 3, 4])


def test_characteristics_and_statuses_have_names_in_both_languages():
    called = RELATIONS.with_columns(en=pl.col("characteristic").str.to_uppercase(), zh=pl.lit("特性"))
    states = pl.DataFrame({"requirement": ["r1"], "wave": ["w1"], "status": ["o"], "en": ["Open"], "zh": ["未启动"]})
    found = csi.requirements(wanted(), relations=called, status=states)
    assert "served best through STAFF" in found.sentences[1].en
    assert "“特性”最关键" in found.sentences[1].zh
    assert "Open" in csi.display.text(found, "en")
    assert "未启动" in csi.display.text(found, "zh")


def test_technical_weights_by_hand():
    found = csi.requirements(wanted(), relations=RELATIONS)
    weight = dict(found.technical.select("characteristic", "weight").rows())
    assert weight == pytest.approx({"staff": 9 * 15 + 4.8, "system": 45.0, "forms": 36.0})
    assert found.technical["percent"].sum() == pytest.approx(100)
    assert "served best through staff" in found.sentences[1].en


def test_importance_may_be_derived():
    found = csi.requirements(wanted().drop("importance"), importance={"speed": 0.5, "advice": 0.3, "clear": 0.2})
    assert found.table["importance"].to_list() == [0.5, 0.3, 0.2]
    assert len([n for n in found.notes if n.code == "N-REQUIRE"]) == 1


def waves():
    """Perceived speed rises by one between two waves, advice does not."""
    rng = np.random.default_rng(1)
    n = 200
    columns = {}
    for name, rise in (("speed", 1.0), ("advice", 0.0)):
        after = np.repeat([0.0, rise], n)
        columns[f"p_{name}"] = np.clip(np.round(4 + after + rng.normal(size=2 * n)), 1, 7)
        columns[f"e_{name}"] = np.clip(np.round(5.5 + rng.normal(size=2 * n)), 1, 7)
    items = [
        Item(f"{f}_{a}", "service", forming.SEVEN, Text(a, a), a, form)
        for a in ("speed", "advice") for f, form in (("p", "P"), ("e", "Ew"))
    ]  # fmt: skip
    return replace(forming.panel_of(columns, items, {"wave": ["w1"] * n + ["w2"] * n}), waves=("w1", "w2"))


STATUS = pl.DataFrame(
    {
        "requirement": ["r1", "r1", "r2", "r2"],
        "wave": ["w2", "w1", "w1", "w2"],
        "status": ["done", "open", "open", "open"],
    }
)


def test_before_and_after_stand_beside_the_gap():
    panel = waves()
    found = csi.requirements(wanted(), status=STATUS, panel=panel)
    gaps = csi.gap(panel, by=["wave"]).table.filter(name="speed")["gap"]
    own = found.status.filter(requirement="r1")
    assert own["wave"].to_list() == ["w1", "w2"]
    assert own["gap"].to_list() == gaps.to_list()
    assert own["change"][1] == pytest.approx(gaps[1] - gaps[0])
    assert own["change"][0] is None
    assert "r1 (open -> done): the gap of speed went from" in found.sentences[1].en
    assert len(found.sentences) == 2  # r2 did not change its status
    plain = csi.requirements(wanted(), status=STATUS)
    assert plain.status["gap"].null_count() == 4


@pytest.mark.parametrize(("lang", "word"), [("en", "sales point"), ("zh", "卖点")])
def test_requirements_show_themselves(lang, word):
    assert word in csi.display.text(csi.requirements(wanted(), relations=RELATIONS), lang)


@pytest.mark.parametrize(
    ("table", "arguments", "words", "zh"),
    [
        (wanted().drop("target"), {}, "no column target", "缺少列 target"),
        (wanted(current=[0, 3, 4]), {}, "current is absent or not above 0 for r1", "r1 的 current 缺失或不大于 0"),
        (wanted(requirement=["r1", "r1", "r3"]), {}, "several rows for r1", "r1 有多行"),
        (wanted(kano=["M", "I", None]), {"kano": True}, "no exponent for these classes", "没有指数"),
        (wanted(), {"importance": {"speed": 1.0}}, "importance is absent or not above 0 for r2, r3", "importance 缺失"),
        (wanted(), {"relations": WRONG}, "strengths are 0, 1, 3 or 9, not 5", "关联强度"),
        (wanted().head(2), {"relations": RELATIONS}, "unknown requirements: r3", "未知的需求：r3"),
        (wanted(), {"status": STATUS.with_columns(wave=pl.lit("w9")), "panel": waves()}, "no wave w9", "没有期次 w9"),
    ],
)  # fmt: skip
def test_requirements_refuse_in_both_languages(table, arguments, words, zh):
    with pytest.raises(Problems) as raised:
        csi.requirements(table, **arguments)
    assert {p.code for p in raised.value.problems} == {"E-REQUIRE"}
    assert words in str(raised.value)
    assert zh in "\n".join(p.say("zh") for p in raised.value.problems)


def test_a_pair_related_twice_is_refused():
    needs = {"requirement": ["r1"], "attribute": ["s"], "importance": [5], "current": [2], "target": [4]}
    twice = {"requirement": ["r1", "r1"], "characteristic": ["c", "c"], "strength": [9, 3]}
    with pytest.raises(Problems) as raised:
        csi.requirements(pl.DataFrame(needs), relations=pl.DataFrame(twice))
    (told,) = raised.value.problems
    assert (told.code, told.what.en, told.what.zh) == ("E-REQUIRE", "several rows for r1 and c.", "r1 与 c 有多行。")


def test_stakeholders_without_respondents_are_told_with_their_weight():
    frame = pl.DataFrame({
        "id": ["buyer", "claimant", "agent"], "role": ["customer", "customer", "staff"], "power": [3, 3, 3],
        "interest": [3, 3, 3], "legitimacy": [4, 2, 3], "urgency": [3, 1, 3],
        "respondents": ["stage=old", None, "stage=new"],
    })  # fmt: skip
    found = csi.stakeholders(frame, panel=answering(), small=0)
    (said,) = [n for n in found.notes if n.code == "W-STAKE"]
    assert said.say("en").startswith("claimant (37.5% of the weight of customer) have no respondents")
    assert said.say("zh").startswith("claimant（占customer权重的 37.5%）没有受访者")
