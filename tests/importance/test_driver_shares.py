"""Relative weights of a target's predictors in a fitted model."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems

MODEL = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; c =~ c1 + c2; b ~ a; c ~ a + b")


@pytest.fixture(scope="module")
def est():
    rng = np.random.default_rng(3)
    a = rng.normal(size=400)
    b = 0.5 * a + rng.normal(size=400)
    c = 0.3 * a + 0.6 * b + rng.normal(size=400)
    items = {f"{n}{k}": v + rng.normal(size=400) for n, v in zip("abc", (a, b, c), strict=True) for k in (1, 2)}
    return csi.fit(MODEL, pl.DataFrame(items), csi.PLS())


def test_weights_are_johnsons_of_the_scores(est):
    """(L o L)(b o b) with the symmetric root of the correlations, written out."""
    found = csi.driver_shares(est, "c").table
    R = est.solution.construct_cor[0][:2, :2]
    r = est.solution.construct_cor[0][:2, 2]
    root = np.array([[np.sqrt(1 + R[0, 1]) + np.sqrt(1 - R[0, 1]), np.sqrt(1 + R[0, 1]) - np.sqrt(1 - R[0, 1])]]) / 2
    L = np.array([root[0], root[0][::-1]])
    expected = (L**2) @ np.linalg.solve(L, r) ** 2
    assert found["weight"].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert found["weight"].sum() == pytest.approx(est.solution.r2[0, 2], abs=1e-12)
    assert found["share"].sum() == pytest.approx(1)


def test_total_effects_go_through_all_arrows(est):
    paths = est.solution.paths[0]
    found = csi.driver_shares(est, "c").table
    assert found["total_effect"].to_list() == pytest.approx([paths[2, 0] + paths[1, 0] * paths[2, 1], paths[2, 1]])


def test_intervals_come_with_replicates(est):
    found = csi.driver_shares(csi.bootstrap(est, 200, seed=1), "c").table
    assert (found["share_conf_low"] < found["share"]).all()
    assert (found["share"] < found["share_conf_high"]).all()


def test_which_is_first_is_told_where_every_difference_is_clear(est):
    """The population's shares are .1 and .9, then .5 and .5, of 200 respondents."""
    assert csi.driver_shares(est, "c").clear == (None,)
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 200))
    model = csi.Model.parse("a =~ a1; b =~ b1; c =~ c1; c ~ a + b")

    def told(slope):
        frame = pl.DataFrame({"a1": a, "b1": b, "c1": a + slope * b + rng.normal(size=200)})
        return csi.driver_shares(csi.bootstrap(csi.fit(model, frame, csi.PLS()), 200, seed=1), "c")

    clear, even = told(3), told(1)
    assert clear.clear == (True,)
    assert clear.sentences[0].en.startswith("b accounts for")
    assert even.clear == (False,)
    assert even.sentences[0].en.endswith("which of them accounts for most cannot be told.")
    assert even.sentences[0].zh.endswith("居前，孰大尚不能区分。")


def test_a_cell_with_collinear_predictors_has_no_shares():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=200), rng.normal(size=200)
    b[100:] = 2 * a[100:]
    model = csi.Model.parse("a =~ a1; b =~ b1; c =~ c1; c ~ a + b")
    frame = pl.DataFrame({"a1": a, "b1": b, "c1": a + rng.normal(size=200), "brand": ["x"] * 100 + ["y"] * 100})
    found = csi.driver_shares(csi.fit(model, frame, csi.PLS(), by=["brand"]), "c")
    assert found.table["share"].is_null().to_list() == [False, False, True, True]
    assert [n.code for n in found.notes][-1] == "W-COLLINEAR"


def test_a_target_nothing_leads_to(est):
    with pytest.raises(Problems, match="nothing leads"):
        csi.driver_shares(est, "a")


def test_what_is_no_estimate():
    with pytest.raises(Problems, match="an estimate was expected"):
        csi.driver_shares("a")


def test_it_prints_in_both_languages(est):
    found = csi.driver_shares(est, "c")
    assert "accounts for" in text(found, "en")
    assert "份额" in text(found, "zh")
