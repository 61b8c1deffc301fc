"""What stands over a card's section is what came of the claim that the card is about."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.claims.absence import absence, absence_sentences, wald
from csi.models.card import Card
from csi.models.cards import card_names, read_card
from csi.reporting.methods.card_finding import finding, wins
from csi.reporting.methods.library import run_method, told_in
from csi.simulation import recipe_of_card, simulate

STUDY = csi.Study.read(Path(__file__).parents[2] / "data" / "insurance" / "study.yaml")
CARDS = [n for n in told_in(STUDY) if n.removesuffix("_card") in card_names() and n not in ("edt_inferred", "servqual")]


@functools.cache
def panel():
    return STUDY.panel()


@functools.cache
def title(name):
    return run_method(STUDY, panel(), name).title


@functools.cache
def run(name, replicates=200):
    return csi.run_card(name, panel(), replicates=replicates)


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("acsi", "All 8 expected signs hold; 54% of customer satisfaction", "8 个预期符号全部成立"),
        ("ccsi", "11 of 12 expected signs hold, not Brand image → Perceived value", "品牌形象 → 感知价值未定"),
        ("ecm", "Perceived usefulness (performance) carries part of what", "承载了期望确认与顾客满意关联的一部分"),
        ("edt", "Perceived performance carries more to satisfaction than", "感知绩效大于不一致：差值 0.12"),
        ("emotion", "Positive emotion and negative emotion carry about as much", "积极情感与消极情感差别不明确"),
        ("perval", "Emotional value comes first in perceived value (31%), but not clearly", "情感价值占比居首（31%）"),
        ("servqual_card", "“Service quality (second order)” fits as well with 9", "“服务质量（二阶）”以少 9 个参数"),
        ("kmv", "The model holds against “no mediation", "模型优于“无中介（所有前因直接作用）”"),
        ("trust_consumer", "counts no differently from excelling", "低于均值与高于均值的作用未见差异"),
    ],
)
def test_a_card_is_headed_by_what_it_is_about(name, en, zh):
    assert en in title(name).en
    assert zh in title(name).zh


@pytest.mark.slow
def test_no_two_cards_are_headed_alike():
    said = [title(name) for name in CARDS]
    assert len({t.en for t in said}) == len({t.zh for t in said}) == len(CARDS)
    assert not any("5 points higher" in t.en or "每高 5 分" in t.zh for t in said)


def test_a_reversed_sign_comes_first():
    own = run("perval")
    row = pl.col("outcome") == "satisfaction"
    turned = own.table.with_columns(
        verdict=pl.when(row).then(pl.lit("against")).otherwise("verdict"),
        estimate=pl.when(row).then(pl.lit(-0.4)).otherwise("estimate"),
        conf_low=pl.when(row).then(pl.lit(-0.5)).otherwise("conf_low"),
        conf_high=pl.when(row).then(pl.lit(-0.3)).otherwise("conf_high"),
    )
    said = finding(replace(own, table=turned))
    assert said.en == "Against the model, more perceived value goes with less satisfaction (-0.40 [-0.50, -0.30])"
    assert said.zh == "与模型相反：感知价值越高，顾客满意越低（-0.40 [-0.50, -0.30]）"


@pytest.mark.parametrize(
    ("change", "en"),
    [
        ({"chi2_diff": 90.0, "p_value": 1e-9, "df": 15.0, "df_diff": 4.0}, "The rival “loyalty as one factor” fits be"),
        ({"chi2_diff": 2.0, "p_value": 0.6}, "“Loyalty as one factor” fits as well with 3 parameters fewer"),
    ],
)
def test_a_rival_that_wins_is_named(change, en):
    own = run("loyalty")
    card, rival = own.rivals.to_dicts()
    if "df" in change:
        card["df"] = change["df"] + 4
    rows = pl.DataFrame([card, {**rival, **change}], schema=own.rivals.schema)
    assert finding(replace(own, rivals=rows)).en.startswith(en)


def test_who_wins_by_the_difference_test():
    test = {"df": 20.0, "p_value": 0.01, "df_diff": 2.0}
    assert wins({"df": 22.0}, test) == "rival"
    assert wins({"df": 18.0}, test) == "card"
    assert wins({"df": 18.0}, {**test, "p_value": None}) is None


@pytest.mark.parametrize(
    ("kind", "low", "en"),
    [
        ("competitive", 0.1, "in opposite ways"),
        ("indirect-only", 0.1, "all that is seen to link"),
        ("direct-only", -0.1, "nothing is seen to go through"),
        ("no-effect", -0.1, "No link from"),
        (None, 0.1, "Perceived usefulness (performance) links"),
        (None, -0.1, "is not seen to link"),
    ],
)
def test_every_kind_of_mediation_has_its_words(kind, low, en):
    own = run("ecm")
    rows = own.hypotheses[:1].with_columns(kind=pl.lit(kind, dtype=pl.String), conf_low=pl.lit(low))
    assert en in finding(replace(own, hypotheses=rows)).en


def test_several_cells_are_told_by_their_signs():
    whole = csi.run_card("ecm", panel(), by="brand", replicates=100)
    assert finding(whole).en.startswith("All 15 expected signs hold")


def claiming(n: int, replicates: int) -> csi.claims.card_run.CardRun:
    """Expectation-confirmation theory, on as many of its own respondents."""
    made = simulate(recipe_of_card(read_card("ect"), n=n, seed=4))
    return csi.run_card("ect", csi.read_panel(made.frame, made.codebook), replicates=replicates)


def test_absence_is_shown_by_equivalence_and_not_by_a_wide_interval():
    many, few = claiming(4000, 100), claiming(120, 200)
    zero = pl.col("expected") == "0"
    shown, wide = (r.table.filter(zero).row(0, named=True) for r in (many, few))
    assert shown["p_equivalence"] < 0.05
    assert shown["verdict"] == "as expected"
    assert wide["conf_low"] < 0 < wide["conf_high"]
    assert wide["p_equivalence"] > 0.05
    assert wide["verdict"] == "open"
    assert "is left open" in finding(few).en
    assert any("absence is not shown" in s.en and "不足以证明其不存在" in s.zh for s in few.sentences)
    assert "does not go with" in finding(many).en


def test_tests_of_absence_by_hand():
    """z = 0.05 / 0.03 = 1.6667 and (0.10 - 0.05) / 0.03 = 1.6667: p = .0956 and .0478 (normal tables)."""
    p, same = wald(0.05, 0.03)
    assert (p, same) == pytest.approx((0.09558, 0.04779), abs=5e-6)
    assert wald(-0.05, 0.03) == pytest.approx((p, same))
    assert absence(p, same) == "as expected"
    assert absence(*wald(0.3, 0.03)) == "against"
    assert absence(*wald(np.nan, 0.0)) is None


def test_a_claim_of_absence_that_fails_is_told():
    row = {
        "outcome": ["y"], "predictor": ["x"], "expected": ["0"], "estimate": [0.3], "conf_low": [0.2],
        "conf_high": [0.4], "verdict": ["against"], "p_value": [0.0001], "p_equivalence": [1.0],
    }  # fmt: skip
    said = absence_sentences(pl.DataFrame(row), csi.Model(()))[0]
    assert said.en == "x goes with y, which the card claims it does not: the path is 0.30 [0.20, 0.40] (p < 0.001)."
    assert "与模型卡的主张不符" in said.zh


def test_a_card_of_nothing_but_arrows_counts_its_signs():
    card: Card = replace(read_card("promise"), hypotheses={})
    found = csi.run_card(card, panel(), replicates=100)
    assert finding(found).en.startswith("All ")
