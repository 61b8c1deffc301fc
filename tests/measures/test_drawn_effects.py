"""Effects after a bootstrap of a covariance fit: observed predictors, ordinal items, groups, copies."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi

MODEL = "f =~ a + b + c\ng =~ d + e + h\nf ~ x\ng ~ f"
ITEMS = "abcdeh"
PAIRS = {("f", "x", "direct"), ("g", "f", "direct"), ("g", "x", "indirect")}


def answers(seed=1, n=300):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    f = 0.5 * x + rng.normal(size=n)
    g = 0.6 * f + rng.normal(size=n)
    items = {name: (f if name in "abc" else g) + rng.normal(size=n) for name in ITEMS}
    return pl.DataFrame({"x": 2 * x, **items, "half": ["low", "high"] * (n // 2)})


def ordinal(frame):
    return frame.with_columns(pl.col(list(ITEMS)).round().clip(-1, 1).cast(pl.Int64))


@pytest.mark.parametrize(
    "settings", [{}, {"groups": "half"}, pytest.param({"ordered": tuple(ITEMS)}, marks=pytest.mark.slow)]
)
def test_a_bootstrap_keeps_the_effects_of_observed_predictors(settings):
    rows = ordinal(answers()) if "ordered" in settings else answers()
    est = csi.fit(MODEL, rows, csi.SEM(**settings))
    plain, drawn = csi.effects(est).table, csi.effects(csi.bootstrap(est, 100)).table
    names = [c for c in ("group", "outcome", "predictor", "effect") if c in plain.columns]
    assert drawn.select(names).rows() == plain.select(names).rows()
    assert set(drawn.select("outcome", "predictor", "effect").rows()) >= PAIRS
    np.testing.assert_allclose(drawn["estimate"].to_numpy(), plain["estimate"].to_numpy(), rtol=0, atol=1e-12)
    ratio = drawn["std_error"].to_numpy() / plain["std_error"].to_numpy()
    assert ((ratio > 0.5) & (ratio < 2)).all()
    assert (drawn["conf_low"] < drawn["conf_high"]).all()


def test_the_errors_are_those_of_effects_computed_from_the_parameters_of_each_replicate():
    boot = csi.bootstrap(csi.fit(MODEL, answers(), csi.SEM()), 100)
    at = {(r.lhs, r.op, r.rhs): i for i, r in enumerate(boot.rows)}
    V = {k: boot.replicates.values[:, 0, i] for k, i in at.items()}
    slope, variance = V["f", "~", "x"], V["x", "~~", "x"]
    direct = slope * np.sqrt(variance / (slope**2 * variance + V["f", "~~", "f"]))
    of_f = slope**2 * variance + V["f", "~~", "f"]
    path = V["g", "~", "f"]
    indirect = direct * path * np.sqrt(of_f / (path**2 * of_f + V["g", "~~", "g"]))
    found = csi.effects(boot)
    for draws, effect, outcome in ((direct, "direct", "f"), (indirect, "indirect", "g")):
        row = found.table.filter(outcome=outcome, predictor="x", effect=effect).row(0, named=True)
        assert row["std_error"] == pytest.approx(draws.std(ddof=1), rel=1e-10)
    assert found.chains["chain"].to_list() == ["x -> f -> g"]


def test_effects_among_constructs_are_those_of_the_solution_of_each_replicate():
    boot = csi.bootstrap(csi.fit("f =~ a + b + c\ng =~ d + e + h\ng ~ f", answers(), csi.SEM()), 100)
    row = csi.effects(boot).table.row(0, named=True)
    assert row["std_error"] == pytest.approx(boot.replicates.solution.paths[:, 1, 0].std(ddof=1), rel=1e-9)


@pytest.mark.parametrize("interval", ["bca", "studentised"])
def test_other_intervals_know_observed_predictors(interval):
    boot = csi.bootstrap(csi.fit(MODEL, answers(n=60), csi.SEM()), 100, interval=interval)
    row = csi.effects(boot).table.filter(outcome="f", predictor="x", effect="direct").row(0, named=True)
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_pooled_bootstraps_keep_observed_predictors():
    boots = [csi.bootstrap(csi.fit(MODEL, answers(seed), csi.SEM()), 100) for seed in (1, 2)]
    found = csi.effects(csi.pool(boots)).table.filter(outcome="f", predictor="x", effect="direct").row(0, named=True)
    own = [csi.effects(b).table.filter(outcome="f", predictor="x", effect="direct").row(0, named=True) for b in boots]
    assert found["estimate"] == pytest.approx(np.mean([o["estimate"] for o in own]), abs=1e-12)
    within = np.mean([o["std_error"] ** 2 for o in own])
    between = np.var([o["estimate"] for o in own], ddof=1)
    assert found["std_error"] == pytest.approx(np.sqrt(within + 1.5 * between), rel=1e-9)
