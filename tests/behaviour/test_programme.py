"""Programmes: planted changes come back, two-way fixed effects by statsmodels, no "effect" without a design, "
"refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.stats import ttest_ind

import csi
from csi.behaviour.programme_change import changes, two_way
from csi.behaviour.programme_panel import NEVER, Spending
from csi.display import text
from csi.errors import Problems


def assert_refused(call, code, en, zh):
    with pytest.raises(Problems) as got:
        call()
    said = " ".join(p.say("en") for p in got.value.problems)
    assert code in [p.code for p in got.value.problems]
    assert en in said
    assert zh in " ".join(p.say("zh") for p in got.value.problems)


def spending_of(n=250, seed=0, gain=10.0, t=12):
    """Members spend more anyway, join in several periods at a purchase, and gain `gain` a period afterwards."""
    rng = np.random.default_rng(seed)
    base = rng.gamma(4, 10, n)
    member = rng.random(n) < 1 / (1 + np.exp(0.8 - 0.03 * (base - 40)))
    g = rng.integers(4, 9, n)
    y = base[:, None] + 2 * np.arange(t) + 10 * rng.normal(size=(n, t))
    y += gain * (member[:, None] & (np.arange(t) > g[:, None]))
    y[np.arange(n), g] += np.where(member, 25, 0)
    names = tuple(str(i) for i in range(n))
    return Spending(names, tuple(map(str, range(t))), y, np.where(member, g, NEVER), np.full(n, -1), counted=False)


def tables(n=300, seed=0, gain=10.0, *, before=True, t=10):
    """The same as tables; `before=False`: everybody joined with the first purchase."""
    data = spending_of(n, seed, gain, t)
    y = np.maximum(data.spent + 30, 1)
    joined = np.where(data.joined == NEVER, NEVER, np.minimum(data.joined, t - 3) if before else 0)
    rows = [(str(i), f"2025-{p + 1:02d}-{day:02d}", y[i, p] / 2) for i in range(n) for p in range(t) for day in (1, 28)]
    rows.append(("0", f"2025-{t:02d}-28", 0.0))
    log = pl.DataFrame(rows, schema=["id", "date", "amount"], orient="row")
    who = [(str(i), f"2025-{joined[i] + 1:02d}-01") for i in range(n) if joined[i] != NEVER]
    return pl.DataFrame(who, schema=["id", "joined"], orient="row"), log


@pytest.mark.slow
def test_a_planted_gain_comes_back_on_average_and_the_naive_difference_does_not():
    got = []
    for seed in range(200):
        data, row = spending_of(seed=seed), []
        for weighted in (False, True):
            found = changes(data, weighted=weighted, widest=6)
            share = np.where(found.lags > 0, found.members, 0)
            row.append(found.value @ share / share.sum())
        row.append(two_way(data)[0])
        never = data.joined == NEVER
        row.append(data.spent[~never].mean() - data.spent[never].mean())
        got.append(row)
    mean, error = np.mean(got, axis=0), np.std(got, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(mean[:3] - 10) < 4 * error[:3]).all(), (mean, error)
    assert mean[3] > 14


def test_two_way_fixed_effects_are_those_of_dummies_in_statsmodels():
    data = spending_of(n=60, seed=3)
    b, error, _, members, others = two_way(data)
    i, p = np.divmod(np.arange(data.spent.size), data.spent.shape[1])
    here = p != data.joined[i]
    d = ((data.joined[i] != NEVER) & (p > data.joined[i])).astype(float)
    X = np.column_stack([d, i[:, None] == np.arange(60), p[:, None] == np.arange(1, data.spent.shape[1])]).astype(float)
    fit = sm.OLS(data.spent.ravel()[here], X[here]).fit(
        cov_type="cluster", cov_kwds={"groups": i[here], "use_correction": False}
    )
    assert (members, others) == ((data.joined != NEVER).sum(), (data.joined == NEVER).sum())
    assert b == pytest.approx(fit.params[0], abs=1e-7)
    assert error == pytest.approx(fit.bse[0] * np.sqrt(60 / 59), abs=1e-7)


def test_one_cohort_is_the_difference_of_two_means():
    data = spending_of(n=120, seed=5)
    joined = np.where(data.joined == NEVER, NEVER, 6)
    found = changes(
        Spending(data.ids, data.starts, data.spent, joined, data.since, counted=False), weighted=False, widest=3
    )
    change = data.spent[:, 8] - data.spent[:, 5]
    a, b = change[joined == 6], change[joined == NEVER]
    j = list(found.lags).index(2)
    assert found.value[j] == pytest.approx(a.mean() - b.mean())
    error, _ = found.error(np.eye(len(found.value))[[j]])
    assert error[0] == pytest.approx(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)), rel=0.01)


def test_effect_is_said_where_it_is_earned():
    found = csi.programme(*tables())
    assert found.earned
    assert "the effect of joining is" in found.sentences[0].en
    assert found.table.filter(way="cohorts")["conf_low"][0] < 10 < found.table.filter(way="cohorts")["conf_high"][0]
    assert {"naive", "two-way", "cohorts", "weighted"} == set(found.table["way"])
    assert "粗略差异" in text(found, "zh")
    assert found.sentences[1].en.startswith("Naive difference")


@pytest.mark.parametrize("seed", range(20))
def test_without_a_period_before_nothing_is_called_an_effect(seed):
    found = csi.programme(*tables(n=120, seed=seed, before=False))
    assert not found.earned
    assert found.table["way"].to_list() == ["naive"]
    assert found.notes[0].code == "E-CAUSAL"
    assert not any("effect" in s.en or "效应" in s.zh for s in found.sentences)


def test_members_who_joined_before_the_purchases_begin_are_counted_in_a_note():
    who, log = tables(n=120)
    first = who["id"][:15].to_list()
    early = who.with_columns(pl.when(pl.col("id").is_in(first)).then(pl.lit("2020-05-01")).otherwise("joined")
                             .alias("joined"))  # fmt: skip
    (said,) = [n for n in csi.programme(early, log).notes if n.code == "N-PROGRAMME-EARLY"]
    assert said.say("en").startswith("15 members joined before 2025-01-01")
    assert "15 名会员" in said.say("zh")
    assert not [n for n in csi.programme(who, log).notes if n.code == "N-PROGRAMME-EARLY"]


def test_trends_that_part_before_joining_make_it_a_difference():
    who, log = tables()
    drift = who.with_columns(pl.lit(6.0).alias("drift"))
    month = pl.col("date").str.slice(5, 2).cast(pl.Float64)
    parted = log.join(drift.select("id", "drift"), on="id", how="left").with_columns(
        amount=pl.col("amount") + month * pl.col("drift").fill_null(0)
    )
    found = csi.programme(who, parted.drop("drift"))
    assert not found.earned
    assert "W-PRETREND" in [n.code for n in found.notes]
    assert not any("effect" in s.en for s in found.sentences)


def test_members_below_the_base_are_not_told():
    who, log = tables(n=100)
    found = csi.programme(who.head(20), log)
    assert found.table["difference"].null_count() == found.table.height
    assert found.events["difference"].null_count() == found.events.height
    assert found.sentences[0].en.startswith("Too few")


def test_refusals():
    who, log = tables(n=60)
    bad = log.with_columns(amount=pl.lit(-1.0))
    assert_refused(lambda: csi.programme(who, bad), "E-EVENT", "below 0", "金额为负")
    one = log.filter(pl.col("id") == "0")
    assert_refused(lambda: csi.programme(who, one), "E-EVENT", "one customer", "只有一名顾客")
    assert_refused(
        lambda: csi.programme(who.with_columns(id="x" + pl.col("id")), log), "E-EVENT", "ever bought", "没有任何会员"
    )
    assert_refused(lambda: csi.programme(log.select("id").unique().with_columns(joined=pl.lit("2025-05-01")), log),
            "E-EVENT", "every customer is a member", "所有顾客都是会员")  # fmt: skip
    assert_refused(
        lambda: csi.programme(who.with_columns(joined=pl.lit("2027-05-01")), log),
        "E-EVENT",
        "nobody joined",
        "无人入会",
    )
    left = who.with_columns(left=pl.lit("2020-01-01"))
    assert_refused(lambda: csi.programme(left, log), "E-EVENT", "left before joined", "早于")
    assert_refused(
        lambda: csi.programme(who, log.filter(pl.col("date") < "2025-03")), "E-EVENT", "too few", "无法区分前后"
    )
    assert_refused(
        lambda: csi.programme(*tables(n=60, before=False), design="effect"), "E-CAUSAL", "no pre-period", "入会前"
    )
    assert_refused(lambda: csi.programme(who, log, period="year"), "E-SETTING", "year", "year")


def test_one_cohort_and_period_is_welchs_test_in_scipy():
    data = spending_of(n=120, seed=4)
    data = replace(data, joined=np.where(data.joined == NEVER, NEVER, 5))
    found = changes(data, weighted=False, widest=2)
    k = int(np.flatnonzero(found.lags == 2)[0])
    error, df = found.error(np.eye(len(found.value))[[k]])
    change = data.spent[:, 7] - data.spent[:, 4]
    theirs = ttest_ind(change[data.joined == 5], change[data.joined == NEVER], equal_var=False)
    assert found.value[k] / error[0] == pytest.approx(theirs.statistic, rel=1e-10)
    assert df[0] == pytest.approx(theirs.df, rel=1e-10)
    F, q, left, p = found.joint(np.array([k]))
    assert (F, q, left) == (pytest.approx(theirs.statistic**2, rel=1e-10), 1, pytest.approx(theirs.df, rel=1e-10))
    assert p == pytest.approx(theirs.pvalue, rel=1e-8)


def test_few_others_are_not_told_by_wave_either():
    """Twelve customers never joined: what the events or the overlap say would be theirs."""
    who, log = tables(n=100, t=9)
    others = sorted(set(log["id"].unique()) - set(who["id"]))[12:]
    found = csi.programme(who, log.filter(~pl.col("id").is_in(others)), small=20, flagged=20)
    assert found.events["difference"].null_count() == found.events.height
    assert not found.overlap.height
    assert not found.trend.height
    assert not found.earned
