from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.inference.intervals import percentile
from csi.measures import effects, reliability, validity
from csi.measures.effects import total_effects
from csi.models.model import Model
from csi.pls.estimator import PLS

MODEL = "price =~ p0 + p1\nuse =~ u0 + u1 + u2\njoy =~ j0\nuse ~ price\njoy ~ use + price"


@pytest.fixture(scope="module")
def plain():
    rng = np.random.default_rng(3)
    price = rng.normal(size=240)
    use = 0.5 * price + 0.8 * rng.normal(size=240)
    joy = 0.6 * use + 0.7 * rng.normal(size=240)
    parts = {"p0": price, "p1": price, "u0": use, "u1": use, "u2": use, "j0": joy}
    frame = pl.DataFrame(
        {k: np.clip(np.round(6 + 1.5 * (v + 0.5 * rng.normal(size=240))), 1, 10) for k, v in parts.items()}
    )
    frame = frame.with_columns(brand=pl.Series(["A", "B"] * 120))
    return fit(Model.parse(MODEL), frame, PLS(), by=["brand"], scale=(1, 10))


@pytest.fixture(scope="module")
def booted(plain):
    return bootstrap(plain, n=300, seed=9)


@pytest.fixture(scope="module")
def accelerated(plain):
    return bootstrap(plain, n=300, seed=9, interval="bca")


def test_intervals_hold_the_estimates(booted):
    table = reliability(booted).table.filter(pl.col("n_items") > 1)
    for name in ("alpha", "alpha_std", "rho_c", "ave"):
        assert (table[f"{name}_conf_low"] < table[name]).all(), name
        assert (table[name] < table[f"{name}_conf_high"]).all(), name


def test_withheld_values_have_no_intervals(booted):
    table = reliability(booted).table.filter(construct="joy")
    assert table["alpha_conf_low"].null_count() == table.height == 2


def test_htmt_upper_bound_is_one_sided(booted):
    table = validity(booted).table
    assert table.columns[:3] == ["brand", "construct", "other"]
    assert (table["upper"] < table["conf_high"]).all()
    assert (table["htmt"] < table["upper"]).all()


def test_total_effects_follow_the_replicates_paths(booted):
    table = effects(booted).table.filter(brand="B", outcome="joy", predictor="price", effect="total")
    paths = booted.replicates.solution.paths.reshape(300, 2, 3, 3)[:, 1]
    low, high = percentile(total_effects(paths)[:, 2, 0], 0.95)
    assert table["conf_low"].item() == pytest.approx(float(low))
    assert table["conf_high"].item() == pytest.approx(float(high))


def test_direct_effects_repeat_the_bootstrap(booted):
    ours = effects(booted).table.filter(effect="direct").sort("brand", "outcome", "predictor")
    theirs = booted.table.filter(op="~").sort("brand", "lhs", "rhs")
    assert ours["std_error"].to_list() == pytest.approx(theirs["std_error"].to_list())
    assert ours["conf_low"].to_list() == pytest.approx(theirs["conf_low"].to_list())


def test_bca_is_used_when_the_bootstrap_says_so(booted, accelerated):
    for judge in (lambda e: reliability(e).table["ave_conf_low"], lambda e: effects(e).table["conf_low"]):
        percentiles, corrected = judge(booted).drop_nulls().to_numpy(), judge(accelerated).drop_nulls().to_numpy()
        assert np.abs(percentiles - corrected).max() > 1e-4
        assert np.abs(percentiles - corrected).max() < 0.2
