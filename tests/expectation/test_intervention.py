"""Difference in differences: fixed effects by statsmodels, planted effects, the word effect, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf

import csi
from csi.errors import Problems
from tests.expectation.changing import long_panel

CONSTRUCTS = {"expectation": ["e"], "training": ["z"]}


def columns(n=300, waves=2, seed=1, effect=0.5, start=1, treated=0.5, trend=0.0):
    """Those treated begin 0.6 higher; everybody gains 0.2 a wave; from `start` on the treated gain `effect`."""
    rng = np.random.default_rng(seed)
    had = np.arange(n) < treated * n
    time = np.arange(waves)
    y = 5 + rng.normal(size=(n, 1)) + 0.6 * had[:, None] + (0.2 + trend * had[:, None]) * time
    y = y + 0.5 * rng.normal(size=(n, waves)) + effect * (had[:, None] & (time >= start))
    return {"e": y, "z": (had[:, None] & (time >= start)).astype(float)}


def told(call=None, **more):
    return csi.intervention(long_panel(columns(**more), CONSTRUCTS), "expectation", "z", **(call or {}))


def last(found):
    return found.table.row(-1, named=True)


def test_two_waves_are_fixed_effects_of_persons_and_waves_in_statsmodels():
    data = columns(60)
    frame = pd.DataFrame({
        "y": np.ravel(data["e"], order="F"), "z": np.ravel(data["z"], order="F"), "i": np.tile(np.arange(60), 2),
        "w": np.repeat([0, 1], 60),
    })  # fmt: skip
    theirs = smf.ols("y ~ z + C(i) + C(w)", frame).fit()
    change = pd.DataFrame({"d": data["e"][:, 1] - data["e"][:, 0], "t": data["z"][:, 1]})
    errors = smf.ols("d ~ t", change).fit(cov_type="HC2")
    found = last(told(n=60))
    assert found["estimate"] == pytest.approx(theirs.params["z"], rel=1e-10)
    assert found["std_error"] == pytest.approx(errors.bse["t"], rel=1e-10)


@pytest.mark.slow
def test_planted_effects_are_recovered_and_their_intervals_hold():
    """400 panels of 80 people: mean estimate 0.5, about 95 % of intervals hold it."""
    rows = [last(told(n=80, seed=s)) for s in range(400)]
    values = np.array([r["estimate"] for r in rows])
    assert abs(values.mean() - 0.5) < 4 * values.std(ddof=1) / 20
    inside = np.mean([r["conf_low"] <= 0.5 <= r["conf_high"] for r in rows])
    assert 0.92 <= inside <= 0.98


def test_the_word_effect_needs_the_design():
    """No false alarm of the word on 200 panels without a control group or a wave before."""
    found = told()
    assert (found.kind, found.effect) == ("did", True)
    assert found.sentences[0].en.startswith("Effect of Z on Expectation")
    assert "效应（双重差分）" in found.sentences[0].zh
    for seed in range(100):
        for lesser in (told(n=60, seed=seed, treated=1.0), told(n=60, seed=seed, start=0)):
            said = " ".join(s.en + s.zh for s in lesser.sentences)
            assert not lesser.effect
            assert "ffect" not in said
            assert "效应" not in said
            assert any(n.code == "E-CAUSAL" and "not effect" in n.text.en for n in lesser.notes)


def test_lesser_designs_tell_what_they_can():
    data = columns(200, treated=1.0)
    found = last(told(n=200, treated=1.0))
    assert found["estimate"] == pytest.approx((data["e"][:, 1] - data["e"][:, 0]).mean())
    data = columns(200, start=0)
    had, late = data["z"][:, 0] > 0, data["e"].mean(axis=1)
    assert last(told(n=200, start=0))["estimate"] == pytest.approx(late[had].mean() - late[~had].mean())


def test_trends_that_differed_before_take_the_word_away():
    found = told(n=400, waves=5, start=3, trend=0.3)
    assert not found.effect
    assert found.events.filter(period="before").height == 2
    assert "change of Expectation differs" in found.sentences[0].en
    assert any("trends differed before" in n.text.en for n in found.notes)
    alike = told(n=400, waves=5, start=3)
    assert alike.effect
    after = alike.events.filter(period="after")["estimate"].to_numpy()
    assert after == pytest.approx(0.5, abs=0.3)


def test_a_group_marked_in_every_wave_needs_since():
    data = columns(200)
    data["z"][:, 0] = data["z"][:, 1]
    panel = long_panel(data, CONSTRUCTS)
    assert csi.intervention(panel, "e", "z").kind == "after_only"
    found = csi.intervention(panel, "e", "z", since="w2")
    assert (found.kind, found.before, found.after) == ("did", ("w1",), ("w2",))
    assert last(found)["estimate"] == pytest.approx(last(told(n=200))["estimate"])


def test_later_starters_are_left_out_and_counted():
    data = columns(300, waves=3)
    data["z"][:30, 1] = 0  # flagged a wave later than the others
    found = csi.intervention(long_panel(data, CONSTRUCTS), "e", "z")
    assert any(n.code == "N-INTERVENTION-LEFT" and n.text.en.startswith("30 people") for n in found.notes)
    assert last(found)["n"] == 120  # of the smaller group: 150 had it, 30 of them later
    assert found.table.filter(pl.col("quantity").str.starts_with("change_"))["n"].to_list() == [120, 150]


def test_people_who_are_not_known_to_have_gone_without_are_left_out_and_counted():
    """Of 150 who had it not the flag of 40 is absent in the second wave, where it began; 10 did not come again."""
    data = columns(300)
    data["z"][150:190, 1] = np.nan
    data["z"][190:200, 1] = data["e"][190:200, 1] = np.nan
    found = csi.intervention(long_panel(data, CONSTRUCTS), "e", "z")
    (said,) = [n for n in found.notes if n.code == "N-INTERVENTION-UNKNOWN"]
    assert said.say("en").startswith("50 people are left out: their answer to Z is absent")
    assert said.say("zh").startswith("有 50 名受访者")
    kept = {k: np.delete(v, np.s_[150:200], axis=0) for k, v in data.items()}
    assert found.table.equals(csi.intervention(long_panel(kept, CONSTRUCTS), "e", "z").table)


def test_a_flag_asked_once_is_known_of_later_waves():
    data = columns(300, waves=3)
    once = data | {"z": np.column_stack([data["z"][:, :2], np.full(300, np.nan)])}
    found, every = (csi.intervention(long_panel(x, CONSTRUCTS), "e", "z") for x in (once, data))
    assert found.table.equals(every.table)
    later = data | {"z": data["z"].copy()}
    later["z"][150:160, 2] = np.nan  # asked again, not answered: perhaps they had it by then
    notes = csi.intervention(long_panel(later, CONSTRUCTS), "e", "z").notes
    assert any(n.code == "N-INTERVENTION-UNKNOWN" and n.text.en.startswith("10 people") for n in notes)


def test_errors_are_by_cluster():
    data = columns(300)
    place = np.array([f"c{i // 10:02d}" for i in range(300)])
    shock = np.repeat(np.random.default_rng(2).normal(size=30), 10)
    data["e"][:, 1] += shock
    alone, joint = (
        last(csi.intervention(long_panel(data, CONSTRUCTS, **keys), "e", "z")) for keys in ({}, {"cluster": place})
    )
    assert joint["estimate"] == pytest.approx(alone["estimate"])
    assert joint["std_error"] > 1.5 * alone["std_error"]
    assert joint["df"] < 30


def test_few_people_are_withheld():
    found = told(n=40)
    assert found.table.filter(quantity="before_treated")["estimate"].null_count() == 1
    assert not found.events.height
    few = told(n=100, treated=0.1)  # ten had it: with the change of the others, the difference would tell theirs
    assert last(few)["flag"] == "suppressed"
    assert last(few)["estimate"] is None
    assert not few.effect
    assert few.table.filter(quantity="change_control")["estimate"].null_count() == 0


def test_a_wave_that_few_answered_is_withheld():
    data = columns(200, waves=4, start=2)
    data["e"][:80, 3] = np.nan  # of 100 who had it, 20 are left
    found = csi.intervention(long_panel(data, CONSTRUCTS), "e", "z")
    rows = found.events.filter(wave="w4")
    assert (rows["n"].item(), rows["estimate"].item(), rows["flag"].item()) == (20, None, "suppressed")


def test_people_who_lack_waves_do_not_bring_in_what_a_wave_adds():
    """Three fifths of the treated are not in the last wave, in which everybody is higher by 2; 100 panels."""
    found = []
    for seed in range(100):
        data = columns(120, waves=4, start=2, seed=seed)
        data["e"][:, 3] += 2
        data["e"][:60, 3][np.random.default_rng(seed).random(60) < 0.6] = np.nan
        told_ = csi.intervention(long_panel(data, CONSTRUCTS), "e", "z")
        changes = told_.table.filter(pl.col("quantity").str.starts_with("change_"))["estimate"]
        found.append([last(told_)["estimate"], changes[0] - changes[1]])
    assert any(n.code == "N-INTERVENTION-GAPS" for n in told_.notes)
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / 10
    assert abs(mean[0] - 0.5) < 4 * error[0]
    assert mean[1] < 0.1  # what the two changes would have said


def test_changes_are_told_to_be_of_those_who_answered_before_and_after():
    data = columns(200)
    data["e"][:40, 1] = np.nan
    found = csi.intervention(long_panel(data, CONSTRUCTS), "e", "z")
    notes = {n.code: n.text for n in found.notes}
    assert notes["N-INTERVENTION-PAIRS"].en.startswith("160 of 200 people answered both before and after")
    assert "200 名受访者中有 160 名" in notes["N-INTERVENTION-PAIRS"].zh
    assert last(found)["n"] == 60  # of 100 who had it
    data["z"][:40, 1] = np.nan  # away in the second wave altogether: whether they had it is known of the first
    away = csi.intervention(long_panel(data, CONSTRUCTS), "e", "z")
    assert not any("FIML" in n.text.en + n.text.zh for n in away.notes)
    assert not {"N-RETURNING", "N-INTERVENTION-PAIRS"} & {n.code for n in told().notes}


def test_waves_that_cannot_be_told_from_having_it_give_no_difference():
    data = columns(120, waves=3, start=2)
    data["e"][:60, 0], data["e"][60:, 1] = np.nan, np.nan  # the treated are seen in w2, the others in w1
    assert last(csi.intervention(long_panel(data, CONSTRUCTS), "e", "z"))["estimate"] is None


def refused(code, words, call=None, panel=None, **more):
    panel = panel or long_panel(columns(**{"n": 100, **more}), CONSTRUCTS)
    with pytest.raises(Problems) as error:
        csi.intervention(panel, "e", **{"flag": "z", **(call or {})})
    found = next(p for p in error.value.problems if p.code == code)
    assert words[0] in found.say("en")
    assert words[1] in found.say("zh")


def test_refusals():
    refused("E-CAUSAL", ("no control group", "没有对照组"), {"effect": True}, treated=1.0)
    refused("E-CAUSAL", ("no pre-period", "没有干预前的期次"), {"effect": True}, start=0)
    refused("E-CAUSAL", ("nothing to compare with", "无可比较"), treated=1.0, start=0)
    refused("E-CAUSAL", ("nobody is flagged", "没有人被"), treated=0.0)
    refused("E-WAVE", ('no wave "w7"', "没有“w7”"), {"since": "w7"})
    refused("E-ROLE", ("no item of its own", "不是单独的题项"), {"flag": "e"})
    strangers = long_panel(columns(100), CONSTRUCTS)
    ids = [f"q{i}" for i in range(strangers.frame.height)]
    fresh = csi.Panel(strangers.frame.with_columns(respondent=pl.Series(ids)), strangers.codebook, strangers.reasons,
                      strangers.waves)  # fmt: skip
    refused("E-WAVE", ("intervention: 2 waves but only 0% of ids", "重复横截面"), panel=fresh)


def test_it_reads_in_both_languages():
    found = told()
    en, zh = csi.display.text(found), csi.display.text(found, "zh")
    assert "change, had it" in en
    assert "变化（干预组）" in zh
    assert "had it" not in zh
