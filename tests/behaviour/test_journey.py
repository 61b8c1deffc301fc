"""Customer journeys: counts by hand, slopes against statsmodels and planted truth, and what is refused."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import csi
from csi.errors import Problems, Text
from csi.survey.panel import Panel

_spec = importlib.util.spec_from_file_location("contacting", Path(__file__).parent / "contacting.py")
contacting = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(contacting)

HAN = re.compile(r"[\u4e00-\u9fff]")

# four customers: a search, shop, app; b search, shop; c shop, shop; d nothing
HAND = pl.DataFrame(
    {
        "id": ["0", "0", "0", "1", "1", "2", "2"],
        "touchpoint": ["search", "shop", "app", "search", "shop", "shop", "shop"],
        "seq": [1, 2, 3, 1, 2, 1, 2],
        "score": [10, 4, 7, 9, 1, 2, None],
        "stage": ["before", "buy", "use", "before", "buy", "buy", "use"],
    }
)


def hand(**options):
    panel = contacting.answered([50, 60, 70, 80])
    return csi.journey(HAND, panel, "", scores=(1, 10), small=0, **options)


def row(frame, **keys):
    return frame.filter(*(pl.col(k) == v for k, v in keys.items())).row(0, named=True)


def test_reach_is_of_everybody_who_answered_and_scores_of_those_given():
    found = hand().table
    assert found.select("touchpoint", "base", "met", "reach", "contacts", "n").rows() == [
        ("shop", 4, 3, 0.75, 4, 3),
        ("search", 4, 2, 0.5, 2, 2),
        ("app", 4, 1, 0.25, 1, 1),
    ]
    shop = row(found, touchpoint="shop")
    assert shop["mean_raw"] == pytest.approx((4 + 1 + 2) / 3)
    assert shop["mean"] == pytest.approx(100 * (7 / 3 - 1) / 9)
    assert (shop["top2"], shop["bottom2"]) == (0.0, pytest.approx(2 / 3))
    search = row(found, touchpoint="search")
    assert (search["top2"], search["bottom2"]) == (1.0, 0.0)


def test_reach_follows_the_weights_of_the_panel():
    panel = contacting.answered([50, 60, 70, 80], weight=[1.0, 1.0, 1.0, 3.0])
    found = csi.journey(HAND, panel, "", scores=(1, 10), small=0).table
    assert found["reach"].to_list() == pytest.approx([3 / 6, 2 / 6, 1 / 6], abs=1e-6)
    # mean over the scores given, each with its customer's weight, as a ratio: (4 + 1 + 2) / 3
    assert row(found, touchpoint="shop")["mean_raw"] == pytest.approx(7 / 3)


def test_error_of_a_mean_takes_contacts_of_one_customer_together():
    """Ratio of totals: sum over customers of (sum of scores - mean x count), squared; u / (u - 1) / contacts^2."""
    met = pl.DataFrame({"id": list("aabbbc"), "touchpoint": ["x"] * 6, "seq": range(6), "score": [1, 2, 6, 7, 8, 4]})
    found = row(csi.journey(met, scores=(0, 10), small=0).table, touchpoint="x")
    mean = 28 / 6
    away = [3 - 2 * mean, 21 - 3 * mean, 4 - mean]
    by_hand = np.sqrt(3 / 2 * sum(a**2 for a in away)) / 6
    assert found["std_error"] == pytest.approx(10 * by_hand, rel=1e-12)


def test_transitions_and_ends_by_hand():
    moved = hand().transitions
    share = {(r["touchpoint"], r["next"]): r["share"] for r in moved.iter_rows(named=True)}
    assert share["search", "shop"] == 1.0
    assert share["shop", "app"] == 0.25
    assert share["shop", "shop"] == 0.25
    assert share["shop", "(end)"] == 0.5
    assert share["app", "(end)"] == 1.0
    assert moved.group_by("touchpoint").agg(pl.sum("share"))["share"].to_list() == pytest.approx([1, 1, 1])
    assert row(moved, touchpoint="shop", next="app")["n"] == 3
    assert row(moved, touchpoint="shop", next="app")["contacts"] == 4


def test_drop_off_by_hand_counted_and_named():
    counted = hand().steps
    assert counted.select("step", "base", "n", "reach").rows() == [
        ("1", 4, 3, 0.75),
        ("2", 4, 3, 0.75),
        ("3", 4, 1, 0.25),
    ]
    assert counted["drop_off"].to_list()[:2] == pytest.approx([0, 2 / 3])
    assert counted["drop_off"][2] is None
    named = hand(steps=("search", "shop", "app")).steps
    assert named.select("n", "reach").rows() == [(2, 0.5), (2, 0.5), (1, 0.25)]
    assert named["drop_off"].to_list()[:2] == pytest.approx([0, 0.5])
    staged = hand(steps=("before", "buy", "use")).steps
    assert staged["n"].to_list() == [2, 2, 1]


def test_touchpoint_by_stage_by_hand_in_the_usual_order():
    found = hand()
    assert found.stage_order == ("before", "buy", "use")
    shop = found.stages.filter(pl.col("touchpoint") == "shop")
    assert shop.select("stage", "met", "reach", "n").rows() == [("buy", 3, 0.75, 3), ("use", 1, 0.25, 0)]
    assert shop["mean"].to_list()[0] == pytest.approx(100 * (7 / 3 - 1) / 9)
    assert shop["mean"].to_list()[1] is None


def test_order_of_rows_does_not_matter():
    shuffled = HAND.sample(fraction=1, shuffle=True, seed=3)
    panel = contacting.answered([50, 60, 70, 80])
    other = csi.journey(shuffled, panel, "", scores=(1, 10), small=0)
    for name in ("table", "transitions", "steps", "stages"):
        assert getattr(other, name).equals(getattr(hand(), name))


def test_peak_end_model_is_least_squares_with_hc2_errors():
    rng = np.random.default_rng(7)
    contacts = contacting.walks(rng, 200)
    y = contacting.remembered(rng, contacts, 200, (5, 0.3, 0.2, 0.3))
    found = csi.journey(contacts, contacting.answered(y.clip(0, 100)), "overall", scores=(0, 100))
    terms = contacts.group_by("id").agg(
        a=pl.mean("score"), b=pl.max("score"), c=pl.col("score").sort_by("seq").last(), d=pl.min("score"),
        e=(pl.cov("seq", "score") / pl.var("seq")),
    ).sort(pl.col("id").cast(pl.Int64)).drop("id").to_numpy()  # fmt: skip
    for model, k in (("mean", 1), ("peak_end", 3), ("full", 5)):
        fit = sm.OLS(y.clip(0, 100), sm.add_constant(terms[:, :k])).fit(cov_type="HC2")
        own = found.peak_end.filter(pl.col("model") == model)
        assert own["estimate"].to_list() == pytest.approx(fit.params[1:].tolist(), rel=1e-8)
        assert own["std_error"].to_list() == pytest.approx(fit.bse[1:].tolist(), rel=1e-8)
        assert row(found.fits, model=model)["r2"] == pytest.approx(fit.rsquared, rel=1e-10)
    test = row(found.fits, model="peak_end")
    fit = sm.OLS(y.clip(0, 100), sm.add_constant(terms[:, :3])).fit(cov_type="HC2")
    wald = fit.f_test(np.eye(4)[2:])
    # Hotelling's F is the same Wald statistic / q times (df - q + 1) / df, df - q + 1 = df2
    assert test["df1"] == 2
    assert test["f"] == pytest.approx(float(wald.fvalue) * test["df2"] / (test["df2"] + 1), rel=1e-8)
    assert test["df2"] < 199


@pytest.mark.slow
def test_planted_weights_of_mean_peak_and_end_are_found_again():
    """Mean of 200 panels of 150 within 4 Monte Carlo errors of what was planted."""
    truth = (10, 0.25, 0.15, 0.35)
    found = []
    for seed in range(200):
        rng = np.random.default_rng([11, seed])
        contacts = contacting.walks(rng, 150)
        y = contacting.remembered(rng, contacts, 150, truth, noise=4.0)
        assert y.min() > 0
        assert y.max() < 100
        one = csi.journey(contacts, contacting.answered(y), "overall", scores=(0, 100), small=0)
        found.append(one.peak_end.filter(pl.col("model") == "peak_end")["estimate"].to_list())
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(200)
    assert np.abs(mean - truth[1:]).max() < 0.02
    assert (np.abs(mean - truth[1:]) < 4 * error).all()


def test_touchpoint_slopes_are_one_regression_without_anything_filled_in():
    rng = np.random.default_rng(5)
    contacts, y = contacting.touched(rng, 400, (0.4, 0.2, 0.0, 0.3, 0.1, 0.5), (2, 0, -3, 4, 0, 1))
    found = csi.journey(contacts, contacting.answered(y), "overall", scores=(-20, 140)).drivers
    score = 100 * (contacts["score"].to_numpy() + 20) / 160
    centre, columns = score.mean(), []
    for name in contacting.TOUCHPOINTS:
        slope, met = np.zeros(400), np.zeros(400)
        own = contacts["touchpoint"].to_numpy() == name
        who = contacts["id"].cast(pl.Int64).to_numpy()[own]
        slope[who], met[who] = score[own] - centre, 1
        columns.append((slope, met))
    X = np.column_stack([np.ones(400), *(s for s, _ in columns), *(m for _, m in columns)])
    fit = sm.OLS(y, X).fit(cov_type="HC2")
    for k, name in enumerate(contacting.TOUCHPOINTS):
        own = row(found, touchpoint=name)
        assert own["estimate"] == pytest.approx(fit.params[1 + k], rel=1e-8)
        assert own["std_error"] == pytest.approx(fit.bse[1 + k], rel=1e-8)
        assert own["met_estimate"] == pytest.approx(fit.params[7 + k], rel=1e-7)
        assert own["met_std_error"] == pytest.approx(fit.bse[7 + k], rel=1e-8)


@pytest.mark.slow
def test_planted_slopes_of_touchpoints_are_found_again():
    slopes, meets, found = (0.4, 0.2, 0.0, 0.3, 0.1, 0.5), (2, 0, -3, 4, 0, 1), []
    for seed in range(200):
        rng = np.random.default_rng([12, seed])
        contacts, y = contacting.touched(rng, 150, slopes, meets)
        one = csi.journey(contacts, contacting.answered(y), "overall", scores=(-50, 150), small=0).drivers
        found.append(one.sort("touchpoint")["estimate"].to_numpy() / 2)  # scores on 0-100 are halved by the bounds
    order = np.argsort(contacting.TOUCHPOINTS)
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(mean - np.array(slopes)[order]) < 4 * error).all()


def test_touchpoints_that_few_scored_stand_together_and_none_below_the_base_is_told():
    rng = np.random.default_rng(6)
    contacts, y = contacting.touched(rng, 300, (0.4, 0.2, 0.0, 0.3, 0.1, 0.5), (0,) * 6)
    rare = pl.DataFrame({"id": [str(k) for k in range(20)], "touchpoint": ["rare"] * 20, "seq": range(9000, 9020),
                         "score": [50.0] * 10 + [70.0] * 10})  # fmt: skip
    found = csi.journey(pl.concat([contacts, rare], how="vertical_relaxed"), contacting.answered(y), "overall")
    own = row(found.table, touchpoint="rare")
    assert own["flag"] == "suppressed"
    assert [own[c] for c in ("reach", "contacts", "mean", "top2", "conf_low")] == [None] * 5
    assert "rare" not in found.drivers["touchpoint"].to_list()
    others = row(found.drivers, touchpoint="(others)")
    assert (others["n"], others["flag"], others["estimate"]) == (20, "suppressed", None)
    gone = found.transitions.filter(pl.col("touchpoint") == "rare")
    assert gone["share"].is_null().all()
    assert {"E-BASE", "W-JOURNEY-FEW"} <= {n.code for n in found.notes}
    assert any("rare" in n.text.en for n in found.notes if n.code == "E-BASE")


def test_contacts_of_several_waves_belong_to_the_answer_of_their_wave():
    frame = pl.DataFrame({"respondent": ["0", "0", "1", "1"], "wave": ["w1", "w2"] * 2, "overall": [10.0, 20, 30, 40]})
    panel = contacting.answered([1.0])
    panel = Panel(frame, panel.codebook, frame.select("overall").cast(pl.String), waves=("w1", "w2"))
    met = pl.DataFrame({"id": [0, 1, 1], "touchpoint": ["a", "a", "b"], "seq": [1, 1, 2], "score": [1, 2, 3]})
    with pytest.raises(Problems) as refused:
        csi.journey(met, panel, "overall", small=0)
    assert refused.value.problems[0].code == "E-ROLE"
    assert "wave" in refused.value.problems[0].remedy.zh
    one = csi.journey(met, panel, "overall", where={"wave": "w1"}, small=0)
    assert row(one.table, touchpoint="b")["reach"] == 0.5
    both = csi.journey(met.with_columns(wave=pl.Series(["w1", "w2", "w2"])), panel, "overall", small=0)
    assert row(both.table, touchpoint="a")["reach"] == 0.5
    assert row(both.table, touchpoint="b")["reach"] == 0.25


def codes(found):
    return [n.code for n in found.notes]


def refused(found, word_en, word_zh):
    return [n for n in found.notes if n.code == "E-ROLE" and word_en in n.text.en and word_zh in n.text.zh]


def test_without_seq_or_time_peak_and_end_are_refused_and_reach_is_given():
    panel = contacting.answered([50, 60, 70, 80])
    found = csi.journey(HAND.drop("seq"), panel, "overall", scores=(1, 10), small=0)
    assert refused(found, "neither seq nor time", "既无 seq 也无 time")
    assert found.table["reach"].to_list() == [0.75, 0.5, 0.25]
    assert not any(f.height for f in (found.peak_end, found.fits, found.steps, found.transitions))


def test_without_scores_without_outcome_and_with_one_touchpoint_the_rest_is_refused_and_said():
    panel = contacting.answered([50, 60, 70, 80])
    bare = csi.journey(HAND.drop("score"), panel, "overall", small=0)
    assert refused(bare, "no scores", "没有评分")
    assert bare.table["mean"].is_null().all()
    assert not any("slopes are associations" in n.text.en for n in bare.notes)
    assert bare.transitions.height
    assert not bare.drivers.height
    assert not bare.peak_end.height
    without = hand()
    assert refused(without, "no overall judgement", "未指定总体评价")
    assert not without.peak_end.height
    one = csi.journey(HAND.filter(pl.col("touchpoint") == "shop"), panel, "overall", scores=(1, 10), small=0)
    assert refused(one, "one touchpoint only", "只有一个触点")
    assert not one.transitions.height
    assert not one.drivers.height
    assert one.table["reach"].to_list() == [0.75]


def test_ids_that_do_not_join_are_refused_and_strangers_counted():
    panel = contacting.answered([50, 60])
    with pytest.raises(Problems) as none:
        csi.journey(HAND.with_columns(id=pl.lit("x") + pl.col("id")), panel)
    assert none.value.problems[0].code == "E-EVENT"
    found = csi.journey(HAND, panel, "", scores=(1, 10), small=0)
    assert "N-EVENT-JOIN" in codes(found)
    assert found.table["base"].to_list() == [2, 2, 2]


def test_contacts_without_a_known_order_are_left_out_of_what_needs_it():
    tied = HAND.with_columns(seq=pl.when(pl.col("id") == "0").then(1).otherwise(pl.col("seq")))
    found = csi.journey(tied, contacting.answered([50, 60, 70, 80]), "", scores=(1, 10), small=0)
    assert "W-JOURNEY-ORDER" in codes(found)
    assert found.steps["base"].to_list() == [3, 3]
    assert "app" not in found.transitions["touchpoint"].to_list()
    assert found.table["reach"].to_list() == [0.75, 0.5, 0.25]


def test_contacts_of_which_every_one_is_there_twice_have_no_order():
    panel = contacting.answered([50, 60, 70, 80])
    found = csi.journey(pl.concat([HAND, HAND]), panel, "overall", scores=(1, 10), small=0)
    assert [found.transitions.height, found.steps.height, found.peak_end.height] == [0, 0, 0]
    assert found.table["reach"].to_list() == [0.75, 0.5, 0.25]
    assert "W-JOURNEY-ORDER" in [n.code for n in found.notes]


def test_times_stand_in_for_seq():
    days = HAND.with_columns(time=pl.format("2026-01-0{}", "seq")).drop("seq")
    found = csi.journey(days, contacting.answered([50, 60, 70, 80]), "", scores=(1, 10), small=0)
    assert found.transitions.equals(hand().transitions)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"scores": (1, 5)}, "E-SCALE"),
        ({"scores": (5, 1)}, "E-SCALE"),
        ({"steps": ("shop", "shopp")}, "E-ROLE"),
        ({"steps": ("shop", "buy")}, "E-ROLE"),
        ({"level": 1.5}, "E-SETTING"),
        ({"overall": "nothing"}, "E-ROLE"),
        ({"small": -1}, "E-SETTING"),
    ],
)
def test_bad_settings_are_refused_in_both_languages(options, code):
    with pytest.raises(Problems) as refused:
        csi.journey(HAND, contacting.answered([50, 60, 70, 80]), **options)
    for one in refused.value.problems:
        assert one.code == code
        assert one.what.en
        assert HAN.search(one.what.zh)


def test_scores_all_alike_need_their_bounds():
    same = HAND.with_columns(score=pl.lit(5))
    panel = contacting.answered([50, 60, 70, 80])
    with pytest.raises(Problems) as refused:
        csi.journey(same, panel, "")
    assert refused.value.problems[0].code == "E-SCALE"
    found = csi.journey(same, panel, "overall", scores=(1, 10), small=0)
    assert found.table["mean"].to_list() == pytest.approx([100 * 4 / 9] * 3)
    assert found.drivers["estimate"].is_null().all()


def test_few_customers_are_not_told():
    found = csi.journey(HAND, contacting.answered([50, 60, 70, 80]), "overall", scores=(1, 10))
    assert found.table["reach"].is_null().all()
    assert "E-BASE" in codes(found)
    assert "Too few answers" in found.sentences[0].en


def test_no_note_tells_the_scores_of_few_customers():
    """Ten customers of forty scored: neither their mean, nor the R2 of their regression, nor their extremes."""
    rng = np.random.default_rng(3)
    few = contacting.walks(rng, 10)
    found = csi.journey(few, contacting.answered(60 + rng.normal(size=40)), "overall")
    said = " ".join(n.say(lang) for n in found.notes for lang in ("en", "zh"))
    low, high = few["score"].min(), few["score"].max()
    mean = (few["score"].mean() - low) / (high - low) * 100
    assert f"{mean:.1f}" not in said
    assert f"to {high:g}" not in said
    assert "from the lowest to the highest seen" in said
    lone = csi.journey(few.filter(id="0"), contacting.answered([60.0]), "overall")
    assert not any("R2" in n.text.en for n in lone.notes)


def test_the_mean_scores_are_counted_from_leaves_out_what_it_would_give_away():
    """Of three touchpoints one is scored by 12 of 100: with the means of the others, that of all would tell its own."""
    rng = np.random.default_rng(4)
    ids = [str(i) for i in range(100)]
    met = pl.DataFrame({"id": [*ids, *ids, *ids[:12]], "touchpoint": ["app"] * 100 + ["shop"] * 100 + ["call"] * 12,
                        "seq": [1] * 100 + [2] * 100 + [3] * 12, "score": rng.integers(1, 11, 212)})  # fmt: skip
    panel = contacting.answered(60 + rng.normal(size=100))
    found = csi.journey(met, panel, "overall", scores=(1, 10))
    (said,) = [n.say("en") for n in found.notes if n.code == "N-JOURNEY-TOUCH"]
    told = 100 * (met.filter(pl.col("touchpoint") != "call")["score"].mean() - 1) / 9
    assert f"from their mean {told:.1f} " in said
    assert "R2" in said


def test_reach_that_is_told_has_no_sentence_that_all_is_too_few():
    met = pl.DataFrame({"id": [str(i) for i in range(50)], "touchpoint": ["app", "shop"] * 25, "seq": [1] * 50})
    found = csi.journey(met, contacting.answered([60.0] * 60), "")
    assert found.table["reach"].null_count() == 2
    met = pl.concat([met, met.with_columns(touchpoint=pl.lit("call"), seq=pl.col("seq") + 1)])
    found = csi.journey(met, contacting.answered([60.0] * 60), "")
    assert found.sentences[0].en.startswith("call reaches most customers")
    assert not any("n = 0" in n.text.en for n in found.notes)


def test_a_stage_is_not_told_by_what_is_left_of_its_touchpoint():
    rng = np.random.default_rng(5)
    ids = [str(i) for i in range(100)]
    met = pl.DataFrame({"id": ids, "touchpoint": ["shop"] * 100, "score": rng.integers(1, 11, 100),
                        "stage": ["buy"] * 55 + ["use"] * 35 + ["before"] * 10})  # fmt: skip
    panel = contacting.answered(60 + rng.normal(size=100))
    told = {r["stage"]: r for r in csi.journey(met, panel, "", scores=(1, 10)).stages.iter_rows(named=True)}
    assert told["buy"]["mean"] is not None
    assert (told["use"]["mean"], told["before"]["mean"]) == (None, None)
    assert told["use"]["reason"].startswith("withheld: with the total")
    assert told["use"]["reason_zh"].startswith("不予发布")


def test_everything_said_is_in_both_languages_and_no_effect_is_claimed():
    rng = np.random.default_rng(8)
    contacts = contacting.walks(rng, 300)
    y = contacting.remembered(rng, contacts, 300, (5, 0.3, 0.2, 0.3)).clip(0, 100)
    found = csi.journey(contacts, contacting.answered(y))
    assert found.overall == "satisfaction"
    assert len(found.sentences) == 4
    for said in (*found.sentences, *(n.text for n in found.notes)):
        assert said.en
        assert HAN.search(said.zh)
        assert not re.search(r"\b(effect|cause|impact)", said.en)
        assert "影响" not in said.zh
    for lang, word in (("en", "reach"), ("zh", "触达率")):
        shown = csi.display.text(found, lang)
        assert word in shown
        assert "None" not in shown


def test_waves_without_contacts_are_no_base_and_names_come_from_the_codebook():
    """Contacts of one of two waves: reach is of the answers of that wave, said in a note; labels in both languages."""
    panel = contacting.answered([50, 60, 70, 80] * 2, respondent=list("0123") * 2, wave=["1"] * 4 + ["2"] * 4)
    book = replace(panel.codebook, constructs={"shop": Text("The shop", "门店")})
    panel = replace(panel, codebook=book)
    found = csi.journey(HAND.with_columns(wave=pl.lit("2")), panel, "", scores=(1, 10), small=0)
    assert row(found.table, touchpoint="shop")["base"] == 4
    assert any("no contact is of 1" in n.text.en for n in found.notes)
    assert found.sentences[0].en.startswith("The shop reaches most customers")
    assert found.sentences[0].zh.startswith("门店")
