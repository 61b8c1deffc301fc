"""Expectation from wave to wave: statsmodels, planted weights and gains, claims, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import csi
from csi.errors import Problems, Text
from csi.expectation.dynamic_equations import equations, gains, judged_claim
from csi.expectation.followed import Followed
from csi.survey.codebook import Codebook, Item, Scale
from tests.expectation.changing import long_panel

CONSTRUCTS = {"expectation": ["e"], "performance": ["p"], "should": ["o"], "rivals": ["c"]}
STAGES = ("never", "first", "long")
A, C, D, U, E, F = 0.6, 0.7, 0.2, 0.1, 0.5, 0.3


def columns(n=300, waves=3, seed=1, keeps=A, by_stage=(), stage=None):
    """Boulding's equations with the weights above; `by_stage` gains take the place of 1 - a."""
    rng = np.random.default_rng(seed)
    gain = np.full(n, 1 - keeps) if stage is None else np.array(by_stage)[stage]
    will, should, seen, rival = (np.empty((n, waves)) for _ in range(4))
    for t in range(waves):
        noise = rng.normal(size=(4, n))
        if t == 0:
            will[:, t], should[:, t] = noise[0], 1 + noise[1]
        else:
            short = seen[:, t - 1] - will[:, t - 1]
            will[:, t] = 0.1 * t + will[:, t - 1] + gain * short + 0.4 * noise[0]
            above = np.maximum(seen[:, t - 1] - should[:, t - 1], 0)
            should[:, t] = 0.3 + C * should[:, t - 1] + D * rival[:, t - 1] + U * above + 0.4 * noise[1]
        seen[:, t] = 0.2 * t + E * will[:, t] - F * should[:, t] + 0.8 * noise[2]
        rival[:, t] = noise[3]
    return {"e": will, "o": should, "p": seen, "c": rival}


def followed(made, n):
    """The series without a panel around them."""
    values = {k: made[v] for k, v in (("A", "e"), ("B", "p"), ("S", "o"), ("C", "c"))}
    waves = tuple(f"w{t}" for t in range(made["e"].shape[1]))
    return Followed(values, waves, np.ones(n), np.arange(n), np.zeros(n, dtype=np.int64), pl.DataFrame(), ())


def told(call=None, **more):
    panel = long_panel(columns(**more), CONSTRUCTS)
    asked = {"should": "should", "competing": "rivals", "replicates": 200, **(call or {})}
    return csi.dynamic_expectation(panel, "expectation", "performance", **asked)


def staged(n=600, seed=1, by_stage=(0.7, 0.4, 0.2), waves=2, **call):
    stage = np.arange(n) % 3
    made = columns(n, waves, seed, by_stage=by_stage, stage=stage)
    panel = long_panel({k: made[k] for k in "ep"}, {k: CONSTRUCTS[k] for k in ("expectation", "performance")},
                       stage=np.array(STAGES)[stage])  # fmt: skip
    asked = {"stages": STAGES, "replicates": 200, **call}
    return csi.dynamic_expectation(panel, "expectation", "performance", **asked)


def row(found, equation, coefficient):
    where = (pl.col("equation") == equation) & (pl.col("coefficient") == coefficient)
    return found.table.row(by_predicate=where, named=True)


def test_slopes_and_errors_are_statsmodels():
    """Pooled least squares with wave dummies; with one pair of waves a person is a row, and errors are HC2."""
    made, found = columns(120, 2), told(n=120, waves=2)
    X = np.column_stack([made["e"][:, 0] - made["p"][:, 0], np.ones(120)])
    theirs = sm.OLS(made["e"][:, 1] - made["p"][:, 0], X).fit(cov_type="HC2")
    assert row(found, "will", "a")["estimate"] == pytest.approx(theirs.params[0], rel=1e-9)
    assert row(found, "will", "a")["std_error"] == pytest.approx(theirs.bse[0], rel=1e-9)
    made = columns(80, 4)
    past, seen = made["e"][:, :-1].T.ravel(), made["p"][:, :-1].T.ravel()
    X = np.column_stack([past, seen, np.kron(np.eye(3), np.ones((80, 1)))])
    theirs = sm.OLS(made["e"][:, 1:].T.ravel(), X).fit()
    found = told(n=80, waves=4)
    assert row(found, "free", "a")["estimate"] == pytest.approx(theirs.params[0], rel=1e-9)
    assert row(found, "free", "g")["estimate"] == pytest.approx(theirs.params[1], rel=1e-9)
    assert row(found, "free", "sum")["estimate"] == pytest.approx(theirs.params[:2].sum() - 1, rel=1e-7)
    assert (row(found, "free", "a")["people"], row(found, "free", "a")["n"]) == (80, 240)


def test_planted_weights_are_recovered_and_their_intervals_hold():
    """200 panels of 100 people in three waves: six weights on average; 95 % intervals of a, e, f."""
    values, inside = [], []
    for seed in range(200):
        solved = equations(followed(columns(100, 3, seed), 100))
        slopes = [solved[q].found.slopes[1 + i] for q, i in (("will", 0), ("should", 0), ("should", 1), ("should", 2),
                                                             ("experience", 0), ("experience", 1))]  # fmt: skip
        values.append(slopes)
        for q, i, true in (("will", 1, A), ("experience", 1, E), ("experience", 2, F)):
            told_ = solved[q].found.combined(np.eye(solved[q].found.slopes.size)[[i]], 0.95)
            inside.append(told_["conf_low"][0] <= true <= told_["conf_high"][0])
    found = np.array(values)
    error = found.std(axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(found.mean(axis=0) - [A, C, D, U, E, F]) < 4 * error).all()
    assert 0.92 <= np.mean(inside) <= 0.98


def test_planted_gains_are_recovered_on_average():
    """200 panels of 150 people in two waves: gains 0.7, 0.4, 0.2."""
    stage = np.tile((np.arange(150) % 3)[:, None], 2).astype(float)
    values = []
    for seed in range(200):
        made = columns(150, 2, seed, by_stage=(0.7, 0.4, 0.2), stage=np.arange(150) % 3)
        found = gains(followed(made, 150), stage, STAGES, np.ones((2, 150)))
        values.append(found.solved.found.slopes[found.places])
    error = np.std(values, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(np.mean(values, axis=0) - [0.7, 0.4, 0.2]) < 4 * error).all()


def test_claims_are_found_contradicted_or_open():
    found = told()
    verdicts = {c: row(found, q, c)["found"] for q, c in (("will", "a"), ("experience", "e"), ("experience", "f"))}
    assert verdicts == {"a": "found", "e": "found", "f": "found"}
    assert row(found, "should", "c")["found"] == ""
    assert found.sentences[0].en.startswith("Expectation kept a weight of 0.")
    assert "得到支持" in found.sentences[0].zh
    beyond = told(keeps=1.4)
    assert row(beyond, "will", "a")["found"] == "contradicted"
    assert judged_claim("between", 0.95, 0.1, 100)[1] == "open"
    assert judged_claim("above", 0.0, 0.0, 100)[1] == ""


def test_without_should_expectations_the_smaller_model_says_so():
    found = told({"should": None, "competing": None})
    assert set(found.table["equation"]) == {"will", "free", "experience"}
    assert "f" not in found.table["coefficient"].to_list()
    assert any(n.code == "N-DYNAMIC-SMALL" and "未询问应有水平" in n.text.zh for n in found.notes)
    assert not any(n.code == "N-DYNAMIC-SMALL" for n in told().notes)


def test_forms_of_one_construct_are_will_should_and_experience():
    made = columns()
    panel = long_panel(
        {k: made[k] for k in "epo"}, {k: CONSTRUCTS[k] for k in ("expectation", "performance", "should")}
    )
    wide = Scale("wide", -99, 99)
    items = [Item(i, "service", wide, Text(i, i), form=f) for i, f in (("e", "Ew"), ("p", "P"), ("o", "Es"))]
    book = Codebook(tuple(items), {"service": Text("Service", "服务")}, {})
    found = csi.dynamic_expectation(replace(panel, codebook=book), "service", "service", replicates=200)
    assert row(found, "experience", "f")["estimate"] == pytest.approx(row(told(), "experience", "f")["estimate"])


def test_gains_fall_with_the_stage():
    found = staged()
    assert found.gains["estimate"].to_list() == sorted(found.gains["estimate"], reverse=True)
    assert found.steps["found"].to_list() == ["found", "found"]
    assert found.order.table["support"][0] > 0.95
    assert "GORICA" in found.sentences[-1].en
    assert "逐阶段下降" in found.sentences[-1].zh
    assert "得到支持" in csi.display.text(found, "zh")
    turned = staged(by_stage=(0.2, 0.4, 0.7))
    assert "contradicted" in turned.steps["found"].to_list()
    assert "is contradicted" in turned.sentences[-1].en
    few = staged(n=60)
    assert few.order is None
    assert few.gains["estimate"].null_count() == 3
    assert any(n.code == "N-DYNAMIC-STAGES" and "too few people" in n.text.en for n in few.notes)


def test_expectation_that_only_falls_back_to_its_mean_is_no_learning():
    """Of 0.5 E + noise experience is no part: the average is rejected, and no gain is made of falling back."""
    made, stage = columns(600, 2), np.arange(600) % 3
    made["e"][:, 1] = 0.5 * made["e"][:, 0] + np.random.default_rng(9).normal(size=600)
    panel = long_panel({k: made[k] for k in "ep"}, {k: CONSTRUCTS[k] for k in ("expectation", "performance")},
                       stage=np.array(STAGES)[stage])  # fmt: skip
    found = csi.dynamic_expectation(panel, "expectation", "performance", stages=STAGES, replicates=200)
    assert row(found, "will", "a")["found"] == "void"
    assert row(found, "free", "g")["found"] != "found"
    assert "do not add up to 1" in found.sentences[0].en
    assert "权重之和不为 1" in found.sentences[0].zh
    assert found.order is None
    assert not found.steps.height
    assert (found.gains["by_experience"].abs() < 0.25).all()
    assert found.sentences[-1].en.startswith("Gains of the stages are not compared")
    assert "权重不相等" in found.sentences[-1].zh


def test_a_true_gain_is_rarely_rejected():
    """200 panels of 150 people: both weights alike is rejected in about 5 %."""
    stage = np.tile((np.arange(150) % 3)[:, None], 2).astype(float)
    p = []
    for seed in range(200):
        made = columns(150, 2, seed, by_stage=(0.7, 0.4, 0.2), stage=np.arange(150) % 3)
        p.append(gains(followed(made, 150), stage, STAGES, np.ones((1, 150))).p_equal)
    assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.10


def refused(words, call=None, panel=None, of="expectation", beside="performance", **more):
    panel = panel or long_panel(columns(**{"n": 60, "waves": 2, **more}), CONSTRUCTS)
    with pytest.raises(Problems) as error:
        csi.dynamic_expectation(panel, of, beside, **(call or {}))
    said = [(p.code, p.say("en"), p.say("zh")) for p in error.value.problems]
    assert any(words[0] in en and words[1] in zh for _, en, zh in said)
    return [code for code, *_ in said]


def test_refusals():
    panel = long_panel(columns(60, 2), CONSTRUCTS)
    ids = pl.Series([f"q{i}" for i in range(panel.frame.height)])
    fresh = replace(panel, frame=panel.frame.with_columns(respondent=ids))
    assert refused(("only 0% of ids", "重复横截面"), panel=fresh) == ["E-WAVE"]
    assert refused(("1 wave (w1)", "仅有 1 期"), panel=replace(panel, frame=panel.frame.filter(wave="w1"))) == [
        "E-WAVE"
    ]
    assert refused(("no column in the role stage", "没有角色为 stage 的列"), {"stages": STAGES}) == ["E-STAGE"]
    one = replace(panel, frame=panel.frame.with_columns(stage=pl.lit("never")))
    assert refused(("one stage (never)", "只有一个阶段"), {"stages": ("never",)}, panel=one) == ["E-STAGE"]
    assert refused(("stages name first", "不在面板中"), {"stages": ("never", "first")}, panel=one) == ["E-STAGE"]
    assert refused(('"mood" is no construct', "“mood”不是构念"), beside="mood") == ["E-ROLE"]
    assert refused(("70 are needed", "至少需要 70 人"), {"small": 70}) == ["E-BASE"]
    book = Codebook(tuple(replace(i, scale=Scale("s", 0, 10)) if i.name == "p" else i for i in panel.codebook.items),
                    panel.codebook.constructs, {})  # fmt: skip
    assert refused(("on one scale", "同一量表"), panel=replace(panel, codebook=book)) == ["E-SCALE"]
