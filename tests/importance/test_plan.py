"""Plans under a budget: every plan written out, the solver against the list, shares of draws, refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.importance.plan import Shares
from csi.importance.programme import Programme, best, every_plan
from tests.importance.test_what_if import MODEL, answers

LEVELS = {"a": {5: 20, 10: 60}, "b": {5: 25, 10: 45}}


@pytest.fixture(scope="module")
def est():
    return csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS(), scale=(1, 10)), 200, seed=1)


@pytest.fixture(scope="module")
def found(est):
    return csi.plan(est, LEVELS, 80, "c")


def some(seed, levers=4, levels=2):
    rng = np.random.default_rng(seed)
    x = levers * levels
    lever = tuple(f"l{k // levels}" for k in range(x))
    return Programme(lever, np.ones(x), np.ones(x), rng.integers(1, 40, x).astype(float), rng.uniform(0.1, 3, x))


@pytest.mark.parametrize("seed", range(4))
def test_the_solver_finds_the_best_of_all_plans(seed):
    one, budget = some(seed), 50.0
    top = 0.0
    for pick in product((None, 0, 1), repeat=4):
        own = [2 * lever + level for lever, level in enumerate(pick) if level is not None]
        if one.cost[own].sum() <= budget:
            top = max(top, float(one.gain[own].sum()))
    chosen = best(one, budget)
    assert one.gain[list(chosen)].sum() == pytest.approx(top, abs=1e-6)
    assert every_plan(one, budget).best_of(one.gain[None])[0] == chosen


def test_the_plan_and_its_gain(est, found):
    table = found.levels
    picked = table.filter("chosen")
    assert found.cost == picked["cost"].sum() <= 80
    assert found.gain == pytest.approx(picked["gain"].sum())
    weight = dict(csi.drivers(est, "c").table.select("construct", "importance").rows())
    expected = [weight[r["lever"]] * r["reached"] for r in table.iter_rows(named=True)]
    assert table["gain"].to_list() == pytest.approx(expected, abs=1e-9)
    assert ((table["conf_low"] < table["gain"]) & (table["gain"] < table["conf_high"])).all()
    assert 0 < found.best_share <= 1
    assert found.result.asked == found.chosen
    assert found.plans["share"].sum() <= 1 + 1e-12


def test_many_plans_are_solved_draw_by_draw():
    one = some(9, levers=9, levels=2)
    gains = one.gain + np.random.default_rng(2).normal(0, 0.3, (4, 18))
    shares = Shares.of(one, gains, best(one, 60.0), 60.0)
    assert every_plan(one, 60.0) is None
    assert not shares.exact
    assert shares.levels.max() <= 1
    assert {p for p, _ in shares.plans} == {best(one, 60.0, g) for g in gains}


def test_draws_of_a_covariance_fit_are_normal():
    sem = csi.fit(MODEL, answers(), csi.SEM(), scale=(1, 10))
    found = csi.plan(sem, LEVELS, 80, "c")
    low, high = found.levels.row(0, named=True)["conf_low"], found.levels.row(0, named=True)["conf_high"]
    delta = csi.whatif(sem, {"a": 5}, "c").table.row(-1, named=True)
    assert high - low == pytest.approx(delta["conf_high"] - delta["conf_low"], rel=0.15)
    assert "N-PLAN-NORMAL" in [n.code for n in found.notes]


def test_a_worth_leaves_out_what_does_not_pay_at_the_margin():
    """Image +5 nets 40 x 1.60 - 15 = 49; value +6 costs 70 for 1.22 points, worth 48.8."""
    gain = np.array([1.60, 1.22])
    one = Programme(("image", "value"), np.array([5.0, 6.0]), np.ones(2), np.array([15.0, 70.0]), gain)
    priced = replace(one, worth=40.0)
    assert priced.value(gain).tolist() == pytest.approx([49, -21.2])
    assert (best(one, 100.0), best(priced, 100.0), best(replace(one, worth=9.0), 100.0)) == ((0, 1), (0,), ())
    draws = np.array([gain, [1.60, 1.80], [0.3, 0.2]])
    shares = Shares.of(priced, draws, (0,), 100.0)
    assert dict(shares.plans) == pytest.approx({(0,): 1 / 3, (0, 1): 1 / 3, (): 1 / 3})


def test_a_plan_with_a_worth_nets_most(est, found):
    dear = csi.plan(est, LEVELS, 80, "c", worth=1.0)
    assert dear.chosen == {}
    assert "nets above 0, so nothing is chosen" in dear.sentences[0].en
    assert dear.sentences[0].zh.startswith("按c每分 1 计")
    rich = csi.plan(est, LEVELS, 80, "c", worth=30.0)
    assert rich.levels["net"].to_list() == pytest.approx((30 * rich.levels["gain"] - rich.levels["cost"]).to_list())
    assert sum(max(v, 0) for v in rich.plans["net"][:1]) == pytest.approx(30 * rich.gain - rich.cost)
    assert found.levels["net"].null_count() == found.levels.height


def test_a_budget_that_buys_nothing(est):
    found = csi.plan(est, LEVELS, 10, "c", worth=30.0)
    assert (found.chosen, found.cost, found.result, found.best_share) == ({}, 0.0, None, None)
    assert "No level is affordable within a budget of 10: the cheapest, a +5, costs 20." in found.sentences[0].en
    assert "At 30 a point" in found.sentences[1].en
    assert not found.plans.height
    assert "100%" not in text(found)


@pytest.mark.parametrize(
    ("levers", "budget", "said"),
    [
        ({"a": {5: 20}}, 0, "a budget is"),
        ({"a": {5: -2}}, 9, "is no cost of"),
        ({"a": 5}, 9, "levels with their costs"),
        ({"c": {5: 2}}, 9, "is the target itself"),
        ({}, 9, "no levers"),
    ],
)
def test_odd_plans_are_told(est, levers, budget, said):
    with pytest.raises(Problems, match=said):
        csi.plan(est, levers, budget, "c")


def test_it_reads_in_both_languages(found):
    assert "the best plan is" in text(found, "en")
    assert "最优方案" in text(found, "zh")
