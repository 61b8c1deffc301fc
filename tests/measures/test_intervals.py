from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from csi.errors import reason
from csi.estimate.fit import fit
from csi.importance.drivers import drivers
from csi.inference.bootstrap import bootstrap
from csi.inference.intervals import bca, percentile
from csi.measures import effects, reliability, validity
from csi.measures.effects import total_effects
from csi.measures.validity import htmt_of
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


def test_the_upper_bound_of_htmt_is_of_the_same_kind_as_its_interval(accelerated):
    table = validity(accelerated).table.drop_nulls("upper")
    quantity = htmt_of()
    draws = accelerated.replicates.over(quantity)
    plain, kept = percentile(draws, 0.90)[1], accelerated.replicates.acceleration(quantity)
    corrected = bca(quantity(accelerated.moments, accelerated.solution), draws, 0.90, kept)[1]
    found = table.filter(brand="A", construct="use", other="price")["upper"].item()
    assert found == pytest.approx(corrected[0, 1, 0])
    assert abs(found - plain[0, 1, 0]) > 1e-4
    assert (table["upper"] <= table["conf_high"]).all()


def test_a_cell_without_a_solution_has_reasons_in_place_of_numbers(booted):
    """Brand A did not converge: what comes from its solution is withheld, alpha and HTMT come from its answers."""
    why = reason("R-CONVERGE", "no convergence after 300 iterations.", "迭代 300 次仍未收敛。")
    ended = replace(booted.convergence, converged=np.array([False, True]), reasons={0: why})
    est = replace(booted, convergence=ended)
    reliable, valid, effect, driver = reliability(est), validity(est), effects(est), drivers(est, "joy")
    frames = {
        "rho_a": reliable.table.filter(pl.col("construct") != "joy"),
        "value": valid.fornell_larcker,
        "loading": valid.cross_loadings,
        "vif": valid.vif_inner,
        "estimate": effect.table,
        "r2": effect.r2,
        "f2": effect.f2,
        "importance_std": driver.table,
        "gain": driver.table,
    }
    for name, frame in frames.items():
        failed, fine = frame.filter(brand="A"), frame.filter(brand="B")
        assert failed[name].null_count() == failed.height > 0, name
        assert set(failed["reason"]) == {"R-CONVERGE"}, name
        assert fine[name].null_count() == 0, name
        assert fine["reason"].null_count() == fine.height, name
    assert effect.table.filter(brand="A")["conf_low"].null_count() == effect.table.filter(brand="A").height
    assert frames["rho_a"]["alpha"].null_count() == valid.table["htmt"].null_count() == 0
    assert all(found.reasons["R-CONVERGE"] == why for found in (reliable, valid, effect, driver))


def test_cells_that_failed_for_different_causes_share_general_words(booted):
    first, second = (reason("R-CONVERGE", f"{n} iterations.", f"{n} 次。") for n in (100, 200))
    both = replace(booted.convergence, converged=np.zeros(2, bool), reasons={0: first, 1: second})
    assert "several cells" in effects(replace(booted, convergence=both)).reasons["R-CONVERGE"].say()
