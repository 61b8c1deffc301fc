"""Recovery: planted contrasts come back, adjusted where it matters; the paradox by outcome; refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import csi
from csi.display import text
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale

HUNDRED = Scale("hundred", 0, 100)
TOP, FAILED = 4.0, -12.0


def panel_of(columns, **keys):
    items = tuple(Item(f"{n}1", n, HUNDRED, Text(n.title(), f"题{n}")) for n in columns)
    book = Codebook(items, {n: Text(n.title(), f"构念{n}") for n in columns}, {})
    size = len(next(iter(columns.values())))
    keys = {"respondent": [str(i) for i in range(size)], **keys}
    frame = pl.DataFrame(keys | {f"{n}1": np.asarray(v, dtype=float) for n, v in columns.items()})
    waves = tuple(dict.fromkeys(frame["wave"])) if "wave" in frame.columns else ()
    return csi.Panel(frame, book, frame.select(f"{n}1" for n in columns).cast(pl.String), waves=waves)


def assert_refused(call, code, en, zh):
    with pytest.raises(Problems) as got:
        call()
    said = " ".join(p.say("en") for p in got.value.problems)
    assert code in [p.code for p in got.value.problems]
    assert en in said
    assert zh in " ".join(p.say("zh") for p in got.value.problems)


def drawn(n=500, seed=0, paradox=TOP):
    """Unhappy customers fail more often; severe failures are recovered less often; repurchase knows no paradox."""
    rng = np.random.default_rng(seed)
    prior, tenure = 55 + 10 * rng.normal(size=n), rng.exponential(5, n)
    fail = rng.random(n) < 1 / (1 + np.exp(0.4 + 0.04 * (prior - 55)))
    severity = rng.integers(1, 6, n).astype(float)
    top = fail & (rng.random(n) < 1 / (1 + np.exp(0.4 * (severity - 3))))
    shift = np.where(top, paradox, np.where(fail, FAILED, 0.0)) - np.where(fail, 2 * (severity - 3), 0)
    y = np.clip(10 + 0.8 * prior + 0.3 * tenure + shift + 6 * rng.normal(size=n), 0, 100)
    again = np.clip(10 + 0.8 * prior + np.where(fail, -5, 0) + 6 * rng.normal(size=n), 0, 100)
    panel = panel_of({"satisfaction": y, "repurchase": again, "prior": prior}, tenure=tenure)
    table = pl.DataFrame({"id": np.arange(n), "failure": fail.astype(int), "severity": severity,
                          "recovery": np.where(top, "full", "part")})  # fmt: skip
    only = pl.col("failure") == 1
    return panel, table.with_columns(pl.when(only).then(pl.col(c)).alias(c) for c in ("severity", "recovery"))


def contrast(found, outcome, way, which="recovered - none"):
    return found.table.filter(outcome=outcome, way=way, contrast=which).row(0, named=True)


@pytest.mark.slow
def test_planted_contrasts_come_back_adjusted_and_not_unadjusted():
    got = []
    for seed in range(200):
        found = csi.recovery(*drawn(seed=seed), prior="prior", adjust_for=["tenure"])
        pairs = (("recovered - none", TOP), ("failed - none", FAILED))
        got.append([contrast(found, "satisfaction", way, c)["difference"] - truth for c, truth in pairs
                    for way in ("plain", "regression", "weighting")])  # fmt: skip
    mean, error = np.mean(got, axis=0), np.std(got, axis=0, ddof=1) / np.sqrt(200)
    adjusted = [1, 2, 4, 5]
    assert (np.abs(mean[adjusted]) < 4 * error[adjusted] + 0.15).all(), (mean, error)
    assert (np.abs(mean[[0, 3]]) > 10 * error[[0, 3]]).all()


def test_the_plain_contrast_is_the_difference_of_means_by_welch():
    panel, table = drawn()
    found = csi.recovery(panel, table, prior="prior")
    y = panel.frame["satisfaction1"].to_numpy()
    none, top = (table["failure"] == 0).to_numpy(), (table["recovery"] == "full").fill_null(value=False).to_numpy()
    row = contrast(found, "satisfaction", "plain")
    assert row["difference"] == pytest.approx(y[top].mean() - y[none].mean())
    error = np.sqrt(y[top].var(ddof=1) / top.sum() + y[none].var(ddof=1) / none.sum())
    assert row["std_error"] == pytest.approx(error)


def test_the_paradox_is_told_by_outcome_and_never_as_an_effect():
    found = csi.recovery(*drawn(n=900), prior="prior", adjust_for=["tenure"])
    said = [s.en for s in found.sentences]
    assert said[0].endswith(": a recovery paradox.")
    assert said[1].endswith("no recovery paradox: they stay below.")
    assert "Repurchase" in said[1]
    assert not any("effect" in s or "cause" in s for s in said)
    assert found.sentences[0].zh.endswith("呈补救悖论。")
    assert found.overlap["after"].abs().max() < found.overlap["before"].abs().max()
    assert "回归调整" in text(found, "zh")


@pytest.mark.slow
def test_people_with_a_wave_before_are_compared_with_themselves():
    """Prior differences between people cancel: planted 4 and -12 on 200 panels of 300."""
    got = []
    for seed in range(200):
        panel, table = drawn(n=300, seed=seed)
        now = panel.frame["satisfaction1"].to_numpy()
        rng = np.random.default_rng([seed, 1])
        then = np.clip(10 + 0.8 * panel.frame["prior1"].to_numpy() + 6 * rng.normal(size=300), 0, 100)
        both = panel_of({"satisfaction": np.concatenate([then, now])}, respondent=[str(i) for i in range(300)] * 2,
                        wave=["w1"] * 300 + ["w2"] * 300)  # fmt: skip
        found = csi.recovery(both, table.drop("severity"), before="w1", where={"wave": "w2"})
        got.append([contrast(found, "satisfaction", "within", c)["difference"] for c in
                    ("recovered - none", "failed - none")])  # fmt: skip
    mean = np.mean(got, axis=0)
    # severity is part of the change: E[2 (s - 3) | recovered, failed] in the population of `drawn`
    s = np.arange(1, 6)
    p = 1 / (1 + np.exp(0.4 * (s - 3)))
    truth = TOP - 2 * (p @ (s - 3)) / p.sum(), FAILED - 2 * ((1 - p) @ (s - 3)) / (1 - p).sum()
    assert np.abs(mean - truth).max() < 0.35, (mean, truth)


def test_the_wave_after_is_the_next_one_where_none_is_chosen():
    panel, table = drawn(n=300)
    s = panel.frame["satisfaction1"].to_numpy()
    ids = [str(i) for i in range(300)]
    three = panel_of({"satisfaction": np.concatenate([s, s - 1, s - 2])}, respondent=ids * 3,
                     wave=["w1"] * 300 + ["w2"] * 300 + ["w3"] * 300)  # fmt: skip
    table = table.with_columns(wave=pl.lit("w2"))
    log = table.filter(failure=1)
    found = csi.recovery(three, log, before="w1")
    assert found.table.equals(csi.recovery(three, log, before="w1", where={"wave": "w2"}).table)
    (said,) = [n for n in found.notes if n.code == "N-RECOVERY-WAVE"]
    assert said.say("en").startswith("customers of w2, the wave after w1")
    assert "下一期 w2" in said.say("zh")
    assert_refused(lambda: csi.recovery(three, log, before="w3"), "E-WAVE", "--wave (where=)", "更晚的一期")
    assert_refused(lambda: csi.recovery(three, log, before="w1", where={"wave": "w1"}), "E-WAVE", "another", "另一期")
    assert_refused(lambda: csi.recovery(three, log.drop("wave")), "E-EVENT", "--wave (where=)", "--wave")


def test_without_what_came_before_the_contrast_is_plain_and_says_so():
    panel, table = drawn()
    found = csi.recovery(panel, table.drop("severity"), ["satisfaction"])
    assert set(found.table["way"]) == {"plain"}
    (said,) = [n for n in found.notes if n.code == "N-RECOVERY"]
    assert said.say("en").startswith("unadjusted")
    assert said.say("zh").startswith("未调整")


def test_no_group_below_the_base_is_told():
    panel, table = drawn(n=100)
    found = csi.recovery(panel, table, ["satisfaction"])
    small = found.table.filter(pl.col("n") < 30)
    assert small.height
    assert small["difference"].null_count() == small.height
    assert found.groups.filter(pl.col("n") < 30)["mean"].drop_nulls().is_empty()


def test_refusals():
    panel, table = drawn(n=200)
    none = table.with_columns(failure=pl.lit(0), recovery=pl.lit(None, pl.String), severity=pl.lit(None, pl.Float64))
    assert_refused(lambda: csi.recovery(panel, none), "E-EVENT", "no recovery is known", "补救记录")
    everybody = table.with_columns(failure=pl.lit(1), recovery=pl.lit("full"))
    assert_refused(lambda: csi.recovery(panel, everybody), "E-EVENT", "everybody", "所有受访者")
    filled = table.with_columns(recovery=pl.lit("full"))
    assert_refused(lambda: csi.recovery(panel, filled), "E-DESIGN", "recovery present for", "却有 recovery")
    assert_refused(lambda: csi.recovery(panel, table, top="best"), "E-SETTING", "best", "best")
    words = table.with_columns(pl.col("recovery").replace({"full": "gift", "part": "letter"}))
    assert_refused(lambda: csi.recovery(panel, words), "E-SETTING", "gift, letter", "完全补救")
    assert_refused(lambda: csi.recovery(panel, table, before="w0"), "E-WAVE", "no wave", "没有")
    assert_refused(
        lambda: csi.recovery(panel, table.with_columns(id=pl.lit("x"))), "E-EVENT", "no event is of", "没有任何事件"
    )


def test_the_error_of_a_contrast_at_mean_severity_allows_for_that_mean():
    panel, table = drawn(400, seed=2)
    row = contrast(csi.recovery(panel, table, prior="prior"), "satisfaction", "regression")
    y, prior = panel.frame["satisfaction1"].to_numpy(), panel.frame["prior1"].to_numpy()
    fails = (table["failure"] == 1).to_numpy()
    top = fails & (table["recovery"] == "full").fill_null(value=False).to_numpy()
    severity = table["severity"].fill_null(0).to_numpy()
    away = np.where(fails, severity - severity[fails].mean(), 0.0)
    X = np.column_stack([np.ones(400), top, fails & ~top, prior, away]).astype(float)
    other = sm.OLS(y, X).fit(cov_type="HC2")
    centre = severity[fails].var(ddof=1) / fails.sum()
    assert row["difference"] == pytest.approx(other.params[1])
    assert row["std_error"] == pytest.approx(np.sqrt(other.bse[1] ** 2 + other.params[4] ** 2 * centre), rel=1e-8)
    plain = contrast(csi.recovery(panel, table, prior="prior"), "satisfaction", "regression", "recovered - failed")
    gap = np.array([0, 1, -1, 0, 0])
    assert plain["std_error"] == pytest.approx(np.sqrt(gap @ other.cov_params() @ gap), rel=1e-8)
