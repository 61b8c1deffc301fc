"""Intervals that simulations found not to hold say so where they are used, and nowhere else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.inference.cautions import heaviness

MODEL = "x =~ x1 + x2 + x3; z =~ z1 + z2 + z3; y =~ y1 + y2 + y3; y ~ x + z"


def answers(n: int = 240, noise: bool = False, seed: int = 1) -> pl.DataFrame:
    """Two predictors; z is unrelated to y where `noise`."""
    rng = np.random.default_rng(seed)
    x, z, e = rng.normal(size=(3, n))
    y = 0.5 * x + (0.0 if noise else 0.4) * z + 0.3 * x * z + 0.7 * e
    factors = np.repeat([x, z, y], 3, axis=0)
    names = [f"{c}{i}" for c in "xzy" for i in (1, 2, 3)]
    frame = pl.DataFrame((0.8 * factors + 0.6 * rng.normal(size=(9, n))).T, schema=names)
    keys = {"school": np.arange(n) // 6, "pair": np.arange(n) // 12, "w": 1 + rng.random(n)}
    return frame.with_columns(pl.Series(k, v) for k, v in keys.items())


def codes(est: csi.Estimate) -> set[str]:
    return {n.code for n in est.notes}


def test_mode_b_without_support_is_careful() -> None:
    formed = csi.PLS(modes={"z": "B"})
    said = csi.bootstrap(csi.fit(MODEL, answers(noise=True), formed), 200)
    note = next(n for n in said.notes if n.code == "N-MODE-B")
    low, high = (said.table.filter(op="~", rhs="z")[c][0] for c in ("conf_low", "conf_high"))
    assert low <= 0 <= high
    assert note.text.en.startswith("y ~ z: mode B")
    assert "模式 B" in note.text.zh
    assert "N-MODE-B" not in codes(csi.bootstrap(csi.fit(MODEL, answers(), formed), 200))
    assert "N-MODE-B" not in codes(csi.bootstrap(csi.fit(MODEL, answers(noise=True), csi.PLS()), 200))


def test_bias_corrected_limits_of_product_items_warn() -> None:
    text = f"{MODEL} + x:z"
    made = csi.fit(text, answers(), csi.PLS(interaction="product"))
    assert "W-BC-PRODUCTS" in codes(csi.bootstrap(made, 200, interval="bc"))
    assert "W-BC-PRODUCTS" not in codes(csi.bootstrap(made, 200))
    staged = csi.fit(text, answers(), csi.PLS())
    assert "W-BC-PRODUCTS" not in codes(csi.bootstrap(staged, 200, interval="bc"))


def test_a_few_dozen_clusters_with_unequal_weights_are_for_t() -> None:
    est = csi.fit(MODEL, answers(), csi.PLS(), unit="school", weight="w")
    assert "39 degrees" in next(n for n in csi.bootstrap(est, 200).notes if n.code == "N-CLUSTERS-T").text.en
    assert "N-CLUSTERS-T" not in codes(csi.bootstrap(est, 200, interval="t"))
    assert "N-CLUSTERS-T" not in codes(csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS(), unit="school"), 200))
    assert "N-CLUSTERS-T" not in codes(csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS(), weight="w"), 200))


def test_the_jackknife_of_pairs_says_that_its_errors_are_small() -> None:
    frame = answers()
    pairs = csi.fit(MODEL, frame, csi.PLS(), unit="school", stratum="pair")
    assert "N-JACKKNIFE-PAIRS" in codes(csi.jackknife(pairs))
    assert "N-JACKKNIFE-PAIRS" not in codes(csi.bootstrap(pairs, 200))
    assert "N-JACKKNIFE-PAIRS" not in codes(csi.jackknife(csi.fit(MODEL, frame, csi.PLS(), unit="school")))
    weights = 1 + 0.5 * np.random.default_rng(2).choice([-1.0, 1.0], size=(frame.height, 20))
    est = csi.fit(MODEL, frame, csi.PLS())
    assert "N-JACKKNIFE-PAIRS" in codes(csi.replicate_weights(est, weights, kind="jk2"))
    assert "N-JACKKNIFE-PAIRS" not in codes(csi.replicate_weights(est, weights, kind="brr"))
    halves = np.full(20, 0.5)
    assert "N-JACKKNIFE-PAIRS" in codes(csi.replicate_weights(est, weights, kind="jkn", rscales=halves))
    assert "N-JACKKNIFE-PAIRS" not in codes(csi.replicate_weights(est, weights, kind="jkn", rscales=halves + 0.2))


def test_what_a_few_draws_decide_is_measured() -> None:
    draws = np.random.default_rng(3).standard_normal((4000, 2))
    draws[:4, 1] = 200.0
    plain, heavy = heaviness(draws)
    assert plain == pytest.approx(1, abs=0.05)
    assert heavy == pytest.approx(np.std(draws[:, 1], ddof=1), rel=0.05)
    assert np.isnan(heaviness(draws[:150])).all()
    draws[100:, 0] = np.nan
    assert np.isnan(heaviness(draws)[0])


def test_nearly_collinear_predictors_of_plsc_are_named() -> None:
    rng = np.random.default_rng(11)
    x = rng.normal(size=120)
    z = 0.93 * x + 0.37 * rng.normal(size=120)
    y = 0.5 * x + 0.8 * rng.normal(size=120)
    items = 0.7 * np.repeat([x, z, y], 3, axis=0) + 0.71 * rng.normal(size=(9, 120))
    frame = pl.DataFrame(items.T, schema=[f"{c}{i}" for c in "xzy" for i in (1, 2, 3)])
    said = csi.bootstrap(csi.fit(MODEL, frame, csi.PLS(consistent=True)), 400)
    note = next(n for n in said.notes if n.code == "W-TAILS")
    assert "y ~ x" in note.text.en
    assert "y ~ z" in note.text.zh
    assert "W-TAILS" not in codes(csi.bootstrap(csi.fit(MODEL, frame, csi.PLS()), 400))
