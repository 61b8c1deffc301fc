"""Initial and adjusted expectation: leave-one-out errors by refits, planted paths, the word effect, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import csi
from csi.errors import Problems, Text
from csi.expectation.adjustment_asked import Occasions
from csi.expectation.adjustment_numbers import columns_of, compared, paths
from csi.expectation.foresight import unseen
from csi.survey.codebook import Codebook, Item, Scale
from tests.expectation.changing import long_panel

CONSTRUCTS = {"expectation": ["e"], "performance": ["p"], "satisfaction": ["s"], "training": ["z"]}
BESIDE = {"beside": "performance"}


def columns(n=200, seed=1, a=-0.8, b=-0.5, start=1, treated=0.5, waves=2):
    """Half are trained, which lowers expectation by 0.8; satisfaction falls by 0.5 a point of what is then expected."""
    rng = np.random.default_rng(seed)
    had = (np.arange(n) < treated * n).astype(float)
    first = rng.normal(size=n)
    last = 0.5 * first + a * had + 0.7 * rng.normal(size=n)
    seen = 0.3 * last + rng.normal(size=n)
    felt = b * last + 0.6 * seen + 0.7 * rng.normal(size=n)
    pairs = {"e": (first, last), "p": (rng.normal(size=n), seen), "s": (rng.normal(size=n), felt)}
    flags = had if start == 0 else np.zeros(n)
    middle = waves - 2
    return {k: np.column_stack([x, *[x] * middle, y]) + 5 for k, (x, y) in pairs.items()} | {
        "z": np.column_stack([flags, *[flags] * middle, had])
    }


def told(call=None, **more):
    panel = long_panel(columns(**more), CONSTRUCTS)
    return csi.adjustment(panel, "expectation", **{**BESIDE, "replicates": 200, **(call or {})})


def value(found, quantity):
    return found.table.row(by_predicate=pl.col("quantity") == quantity, named=True)


def occasions(seed, n=100, B=100, **more):
    """The rows of `columns` without a panel around them."""
    made, rng = columns(n, seed, **more), np.random.default_rng(seed)
    drawn = rng.multinomial(n - 1, np.full(n, 1 / n), size=B) * (n / (n - 1))
    e, p, s, z = (made[k] for k in "epsz")
    return Occasions(
        e[:, 0], e[:, 1], s[:, 1], p[:, 1], z[:, 1], np.ones(n), np.arange(n), np.zeros(n, dtype=np.int64), drawn,
        ("w1", "w2"), n, pl.DataFrame(), (),
    )  # fmt: skip


def test_unseen_errors_are_statsmodels_press_residuals():
    made = columns(80)
    X = columns_of(made["e"][:, 1], made["p"][:, 1], "polynomial")
    y = made["s"][:, 1]
    theirs = sm.OLS(y, X).fit().get_influence().resid_press
    assert unseen(X, y, np.ones(80), np.arange(80)) == pytest.approx(theirs, rel=1e-9)
    found = told(n=80)
    row = found.models.row(
        by_predicate=(pl.col("shape") == "polynomial") & (pl.col("expectation") == "adjusted"), named=True
    )
    alone = sm.OLS(y, np.ones(80)).fit().get_influence().resid_press
    assert row["loo_r2"] == pytest.approx(1 - (theirs @ theirs) / (alone @ alone), rel=1e-9)
    assert row["r2"] == pytest.approx(sm.OLS(y, X).fit().rsquared, rel=1e-9)


def test_units_of_several_rows_leave_together_and_weights_count():
    made, rng = columns(40), np.random.default_rng(3)
    X, y = columns_of(made["e"][:, 1], made["p"][:, 1], "linear"), made["s"][:, 1]
    weight, unit = rng.uniform(0.5, 2, size=40), np.repeat(np.arange(20), 2)
    expected = []
    for i in range(40):
        kept = unit != unit[i]
        fitted = sm.WLS(y[kept], X[kept], weights=weight[kept]).fit()
        expected.append(y[i] - X[i] @ fitted.params)
    assert unseen(X, y, weight, unit) == pytest.approx(expected, rel=1e-9)


def test_the_error_of_the_difference_is_the_jackknifes():
    """Each person left out in turn, all sums made again: within a tenth of the linearised error."""
    rows = occasions(1, 60)
    found = compared(rows, 0.95)[1].row(1, named=True)
    ones, X = np.ones((60, 1)), [columns_of(e, rows.experience, "linear") for e in (rows.initial, rows.adjusted)]
    values = []
    for i in range(60):
        k = np.arange(60) != i
        one, two, alone = (unseen(x[k], rows.outcome[k], np.ones(59), np.arange(59)) for x in (*X, ones))
        values.append((one @ one - two @ two) / (alone @ alone))
    drawn = np.array(values)
    error = np.sqrt(59 / 60 * ((drawn - drawn.mean()) ** 2).sum())
    assert found["std_error"] == pytest.approx(error, rel=0.1)


@pytest.mark.slow
def test_planted_paths_and_the_better_expectation_are_found_on_average():
    """200 panels of 100 people: a = -0.8, b = -0.5, through the change 0.4; intervals of it hold about 95 %."""
    numbers, inside, gains = [], [], []
    for seed in range(200):
        rows = occasions(seed, B=200)
        own = paths(rows, rows.flag, 0.95)
        numbers.append([r[2] for r in own])
        inside.append(own[-1][-2] <= 0.4 <= own[-1][-1])
        gains.append(compared(rows, 0.95)[1]["estimate"].to_numpy())
    values = np.array(numbers)
    error = values.std(axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(values.mean(axis=0) - [-0.8, -0.5, 0.0, 0.4]) < 4 * error).all()
    assert 0.90 <= np.mean(inside) <= 0.98
    assert (np.mean(gains, axis=0)[1:] > 0.15).all()  # 0.163 in 400,000 people


def test_who_answered_what_is_told_and_read():
    found = told({"flag": "z"})
    assert found.sentences[0].en.startswith("The adjusted expectation foresees Satisfaction better")
    assert "调整后期望比初始期望更能预测" in found.sentences[0].zh
    assert value(found, "mean_change")["estimate"] < 0
    assert value(found, "slope_adjusted")["conf_high"] < 0
    assert value(found, "indirect")["estimate"] == pytest.approx(
        value(found, "flag_change")["estimate"] * value(found, "change_outcome")["estimate"]
    )
    did = csi.intervention(long_panel(columns(), CONSTRUCTS), "expectation", "z").table.row(-1, named=True)
    assert value(found, "flag_change")["estimate"] == pytest.approx(did["estimate"])
    assert value(found, "flag_change")["std_error"] == pytest.approx(did["std_error"])
    zh = csi.display.text(found, "zh")
    assert "经由期望变化" in zh
    assert "polynomial" not in zh
    again = told({"flag": "z"})
    assert again.table.equals(found.table)


def test_without_experience_expectations_are_compared_alone():
    found = told({"beside": None})
    assert found.comparison["shape"].to_list() == ["alone"]
    assert any(n.code == "N-ADJUSTMENT-ALONE" for n in found.notes)


def test_forms_of_one_construct_are_expectation_and_experience():
    panel = long_panel(columns(), CONSTRUCTS)
    wide = Scale("wide", -99, 99)
    items = [("e", "service", "Ew"), ("p", "service", "P"), ("s", "satisfaction", "P"), ("z", "training", "P")]
    book = Codebook(tuple(Item(i, c, wide, Text(i, i), form=f) for i, c, f in items), {}, {})
    found = csi.adjustment(csi.Panel(panel.frame, book, panel.reasons, panel.waves), "service", replicates=200)
    assert found.comparison.equals(told().comparison)


def test_the_word_effect_needs_the_design():
    """Not one alarm in 50 panels without a wave before the intervention."""
    found = told({"flag": "z"})
    assert found.effect
    assert any(s.en.startswith("Indirect effect of Z on Satisfaction") for s in found.sentences)
    assert any("间接效应" in s.zh for s in found.sentences)
    for seed in range(50):
        lesser = told({"flag": "z", "replicates": 100}, seed=seed, start=0, n=60)
        said = " ".join(s.en + s.zh for s in lesser.sentences)
        assert not lesser.effect
        assert "ffect" not in said
        assert "效应" not in said
        assert "is associated with" in said


def test_an_intervention_that_began_before_both_waves_is_no_effect():
    made = columns(waves=3)
    made["z"][:, 1] = made["z"][:, 2]  # flagged from the second wave on
    panel, call = long_panel(made, CONSTRUCTS), {"flag": "z", "replicates": 100, **BESIDE}
    assert csi.adjustment(panel, "expectation", **call).effect
    assert not csi.adjustment(panel, "expectation", waves=("w2", "w3"), **call).effect


def test_incomplete_people_leave_and_are_counted():
    made = columns()
    made["e"][:20, 0] = np.nan
    made["z"][20:25] = np.nan
    found = csi.adjustment(long_panel(made, CONSTRUCTS), "expectation", flag="z", replicates=100, **BESIDE)
    assert found.comparison["n"].to_list() == [180] * 3
    assert value(found, "indirect")["n"] == 175
    assert {"N-FOLLOWED", "N-FLAG"} <= {n.code for n in found.notes}


def refused(code, words, call=None, panel=None, outcome="satisfaction", **more):
    panel = panel or long_panel(columns(**{"n": 100, **more}), CONSTRUCTS)
    with pytest.raises(Problems) as error:
        csi.adjustment(panel, "expectation", outcome, **{**BESIDE, **(call or {})})
    found = next(p for p in error.value.problems if p.code == code)
    assert words[0] in found.say("en")
    assert words[1] in found.say("zh")


def test_refusals():
    panel = long_panel(columns(100), CONSTRUCTS)
    ids = pl.Series([f"q{i}" for i in range(panel.frame.height)])
    fresh = csi.Panel(panel.frame.with_columns(respondent=ids), panel.codebook, panel.reasons, panel.waves)
    refused("E-WAVE", ("only 0% of ids", "重复横截面"), panel=fresh)
    once = csi.Panel(panel.frame.filter(wave="w1"), panel.codebook, panel.reasons[:100], panel.waves)
    refused("E-WAVE", ("1 wave (w1)", "仅有 1 期"), panel=once)
    refused("E-WAVE", ("3 waves are named", "指定了 3 期"), {"waves": ("w1", "w2", "w3")})
    refused("E-ROLE", ('"mood" is no construct', "“mood”不是构念"), outcome="mood")
    refused("E-ROLE", ("the experience itself", "体验本身"), outcome="performance")
    refused("E-BASE", ("100 are needed", "至少需要 100 人"), {"small": 100}, n=90)
    refused("E-CAUSAL", ("nothing to compare with", "无可比较"), {"flag": "z"}, treated=1.0)
    refused("E-SETTING", ("too few", "过少"), {"replicates": 10})
