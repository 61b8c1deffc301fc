"""LMG: golden numbers of the SQ data, all orders written out, an outside package, intervals, refusals."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.importance.lmg import MOST, explained, lmg, sampled
from csi.importance.shares import johnson

SQ = json.loads((Path(__file__).parents[1] / "reference/sq/lmg.json").read_text(encoding="utf-8"))
COV = np.array(json.loads((Path(__file__).parents[1] / "reference/sq/relative_weights.json").read_text())["cov"])


def correlations(cov):
    sd = np.sqrt(np.diagonal(cov))
    cor = cov / np.outer(sd, sd)
    return cor[1:, 1:], cor[1:, 0]


def r2(R, r, subset):
    at = list(subset)
    return r[at] @ np.linalg.solve(R[np.ix_(at, at)], r[at]) if at else 0.0


def some(k, seed=1, n=200):
    X = np.random.default_rng(seed).normal(size=(n, k + 2))
    cov = np.cov((X[:, :-1] + X[:, -1:]).T)
    return correlations(cov)


def test_sq_has_the_golden_numbers():
    found = lmg(*correlations(COV))
    assert found == pytest.approx(SQ["lmg_printed"], abs=5e-5)
    assert found == pytest.approx(SQ["lmg"], abs=1e-9)
    assert found.sum() == pytest.approx(SQ["r2"], abs=1e-9)


def test_it_is_the_mean_gain_over_all_orders():
    R, r = some(4)
    gains = np.zeros(4)
    for order in permutations(range(4)):
        for place, j in enumerate(order):
            gains[j] += (r2(R, r, order[: place + 1]) - r2(R, r, order[:place])) / 24
    assert lmg(R, r) == pytest.approx(gains, abs=1e-12)


def test_every_subset_has_its_own_r2():
    R, r = some(5)
    found = explained(R[None], r[None])[0]
    for place in range(32):
        assert found[place] == pytest.approx(r2(R, r, [j for j in range(5) if place >> j & 1]), abs=1e-12)


def test_pingouin_gives_the_same_to_four_digits():
    pingouin = pytest.importorskip("pingouin")
    rng = np.random.default_rng(2)
    X = rng.normal(size=(150, 4)) + rng.normal(size=(150, 1))
    y = X @ [0.5, 0.2, -0.3, 0.0] + rng.normal(size=150)
    theirs = pingouin.linear_regression(X, y, relimp=True)["relimp"].to_numpy()[1:]
    assert lmg(*correlations(np.cov(np.column_stack([y, X]).T))) == pytest.approx(theirs, abs=5e-5)


def test_two_predictors_have_johnsons_weights_and_slices_are_apart():
    pairs = [some(2, seed) for seed in range(3)]
    R, r = np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])
    assert lmg(R, r) == pytest.approx(johnson(R, r), abs=1e-12)
    assert lmg(R, r)[1] == pytest.approx(lmg(*pairs[1]), abs=1e-15)


def test_twelve_predictors_add_up_to_r2():
    R, r = some(12)
    assert lmg(R, r).sum() == pytest.approx(r2(R, r, range(12)), abs=1e-10)


def test_sampled_orders_come_near_all_of_them():
    R, r = some(7, n=40)
    value, error = sampled(R[None], r[None], orders=2000)
    assert np.abs(value[0] - lmg(R, r)).max() < 5 * error.max()
    assert error.max() < 0.002
    assert value.sum() == pytest.approx(r2(R, r, range(7)), abs=1e-10)
    more = some(MOST + 1)
    assert lmg(*more).sum() == pytest.approx(r2(*more, range(MOST + 1)), abs=1e-10)


@pytest.fixture(scope="module")
def est():
    rng = np.random.default_rng(3)
    a = rng.normal(size=(300, 3)) + rng.normal(size=(300, 1))
    frame = {f"x{j}": a[:, j] for j in range(3)} | {"y1": a @ [0.6, 0.3, 0.0] + rng.normal(size=300)}
    model = csi.Model.parse("; ".join([*(f"c{j} =~ x{j}" for j in range(3)), "y =~ y1", "y ~ c0 + c1 + c2"]))
    return csi.fit(model, pl.DataFrame(frame), csi.PLS())


def test_driver_shares_by_lmg_with_intervals(est):
    cor = est.solution.construct_cor[0]
    found = csi.driver_shares(csi.bootstrap(est, 100, seed=1), "y", method="lmg")
    table = found.table
    assert table["weight"].to_numpy() == pytest.approx(lmg(cor[:3, :3], cor[:3, 3]), abs=1e-12)
    assert table["weight"].sum() == pytest.approx(est.solution.r2[0, 3], abs=1e-12)
    assert table["share"].sum() == pytest.approx(1)
    assert ((table["weight_conf_low"] < table["weight"]) & (table["weight"] < table["weight_conf_high"])).all()
    assert table["total_effect"].equals(csi.driver_shares(est, "y").table["total_effect"])
    assert not table["weight"].equals(csi.driver_shares(est, "y").table["weight"])
    assert "LMG" in text(found, "en")
    assert "次序" in text(found, "zh")


def test_what_is_refused(est):
    with pytest.raises(Problems) as found:
        csi.driver_shares(est, "y", method="shap")
    assert found.value.problems[0].code == "E-SETTING"


def test_many_predictors_are_told_to_be_sampled():
    k = MOST + 1
    frame = pl.DataFrame(np.random.default_rng(1).normal(size=(100, k + 1)), schema=[f"x{j}" for j in range(k + 1)])
    parts = [*(f"c{j} =~ x{j}" for j in range(k + 1)), f"c{k} ~ " + " + ".join(f"c{j}" for j in range(k))]
    many = csi.driver_shares(csi.fit(csi.Model.parse("; ".join(parts)), frame, csi.PLS()), f"c{k}", method="lmg")
    assert many.table.height == k
    assert "N-LMG-SAMPLED" in [n.code for n in many.notes]
