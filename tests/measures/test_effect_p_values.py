"""p-values of effects agree with their intervals: of replicates, of copies, by the delta method."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

import csi
from csi.display import text
from csi.errors import Problems

MODEL = "a =~ a1 + a2 + a3; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; m ~ a; y ~ a + m"


def answers(n=150, direct=0.12):
    rng = np.random.default_rng(4)
    a = rng.normal(size=n)
    m = 0.5 * a + rng.normal(size=n)
    y = direct * a + 0.4 * m + rng.normal(size=n)
    rows = np.hstack([v[:, None] + 0.6 * rng.normal(size=(n, 3)) for v in (a, m, y)])
    return pl.DataFrame(rows, schema=[f"{v}{i}" for v in "amy" for i in (1, 2, 3)])


def agrees(frame, level):
    low, high, p = (frame[c].to_numpy() for c in ("conf_low", "conf_high", "p_value"))
    np.testing.assert_array_equal(p < 1 - level, (low > 0) | (high < 0))


@pytest.mark.parametrize("interval", ["percentile", "bc", "t"])
def test_p_of_effects_is_below_alpha_exactly_where_the_interval_excludes_zero(interval) -> None:
    boot = csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS()), 400, seed=1, interval=interval)
    found = csi.effects(boot)
    for frame in (found.table, found.chains, csi.mediation(boot).table):
        agrees(frame, 0.95)
    assert (found.table["p_value"] >= 0.05).any()
    path = boot.table.filter(op="~", lhs="y", rhs="a").row(0, named=True)
    direct = found.table.filter(outcome="y", predictor="a", effect="direct").row(0, named=True)
    assert direct["p_value"] == pytest.approx(path["p_value"], rel=1e-12)
    assert "p_value" not in found.r2.columns


def test_p_of_effects_by_the_delta_method_is_that_of_z() -> None:
    found = csi.effects(csi.fit(MODEL, answers(), csi.SEM())).table
    z = np.abs(found["estimate"].to_numpy() / found["std_error"].to_numpy())
    np.testing.assert_allclose(found["p_value"].to_numpy(), 2 * norm.sf(z), rtol=1e-9)
    agrees(found, 0.95)


def test_p_of_effects_of_copies_agrees_with_their_interval() -> None:
    holes = answers().with_columns(y1=pl.when(pl.int_range(150) < 15).then(None).otherwise("y1"))
    fits = [csi.bootstrap(csi.fit(MODEL, c, csi.PLS()), 100, seed=1) for c in csi.impute(holes, m=3, seed=1)]
    pooled = csi.pool(fits)
    agrees(csi.effects(pooled).table, 0.95)
    with pytest.raises(Problems) as refused:
        csi.simultaneous(pooled)
    assert "csi.family" in refused.value.problems[0].say("en")
    assert "csi.family" in refused.value.problems[0].say("zh")
    counted = [n.say("en") for n in pooled.notes if n.code == "N-REPLICATES"]
    assert all(said.startswith("copy ") for said in counted)


def test_tables_of_effects_print_p_in_both_languages() -> None:
    boot = csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS()), 200, seed=1)
    assert "p_value" in text(csi.effects(boot), "en")
    assert "p 值" in text(csi.effects(boot), "zh")


def test_an_unknown_construct_is_told_to_be_unknown() -> None:
    est = csi.fit(MODEL, answers(), csi.PLS())
    with pytest.raises(Problems) as refused:
        csi.mediation(est, "Foo", "y")
    assert '"Foo" is not a construct' in refused.value.problems[0].say("en")
    assert "没有构念“Foo”" in refused.value.problems[0].say("zh")


def test_known_names_hold_no_products() -> None:
    with pytest.raises(Problems) as refused:
        csi.fit(MODEL + "; y ~ a:Foo", answers(), csi.PLS())
    said = " ".join(p.say("en") for p in refused.value.problems)
    assert "Known names: a, m, y." in said


def test_predictions_need_no_outcome_columns() -> None:
    frame = answers()
    est = csi.fit(MODEL, frame, csi.PLS())
    whole, short = csi.predictions(est, frame), csi.predictions(est, frame.select("a1", "a2", "a3"))
    assert whole.equals(short)
    with pytest.raises(Problems):
        csi.predictions(est, frame.select("a1", "a2"))
    with pytest.raises(Problems):  # scores of mediators predict here
        csi.predictions(est, frame.select("a1", "a2", "a3"), technique="da")


def test_folds_that_are_no_number_say_so() -> None:
    est = csi.fit(MODEL, answers(), csi.PLS())
    with pytest.raises(Problems) as refused:
        csi.predict(est, folds="loo")
    assert "'loo' is no number of folds" in refused.value.problems[0].say("en")
    assert "150 折即逐一留出" in refused.value.problems[0].say("zh")


def test_a_nearly_constant_item_is_named_and_the_rule_is_stated() -> None:
    flat = answers().with_columns(y2=pl.when(pl.int_range(150) < 1).then(8.0).otherwise(7.0))
    found = csi.predict(csi.fit(MODEL, flat, csi.PLS()), repetitions=1)
    note = next(n for n in found.notes if n.code == "N-FOLD-LOST")
    assert "constant item (y2): 1" in note.say("en")
    assert "题项无变异 (y2)：1" in note.say("zh")
    said = next(s for s in found.sentences if "y:" in s.en)
    assert "all are needed" in said.en
    assert "须全部优于均值" in said.zh


def test_redundancy_says_what_is_wrong_with_the_alternative() -> None:
    frame = answers()
    with pytest.raises(Problems) as refused:
        csi.redundancy(csi.fit(MODEL, frame, csi.PLS()), {"a": "y1"}, frame)
    assert "The model has none" in refused.value.problems[0].say("en")
    formed = csi.fit(MODEL.replace("a =~", "a <~"), frame, csi.PLS())
    with pytest.raises(Problems) as refused:
        csi.redundancy(formed, {"a": "a1"}, frame)
    assert "shares items with it: a1" in refused.value.problems[0].say("en")
    assert "共用题项：a1" in refused.value.problems[0].say("zh")


def test_pool_says_what_can_be_pooled() -> None:
    frame = answers().with_columns(g=pl.Series(["x", "y"] * 75))
    one = csi.micom(csi.fit(MODEL, frame, csi.PLS(), by="g"), 99)
    with pytest.raises(Problems) as refused:
        csi.pool([one, one])
    assert "not results of kind Micom" in refused.value.problems[0].say("en")
    assert "不能合并 Micom" in refused.value.problems[0].say("zh")
