"""Orders of influence: iris as R's gorica prints it, projections against scipy, penalties in closed form, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

import csi
from csi.errors import Problems
from csi.inference.gorica import complement, fitted, projected, simulated, unconstrained
from csi.inference.hypothesis import hypotheses_of
from csi.inference.order import holds

IRIS = json.loads((Path(__file__).parents[1] / "reference/iris/gorica.json").read_text(encoding="utf-8"))


def random_covariance(k, seed):
    root = np.random.default_rng(seed).normal(size=(k, k))
    return root @ root.T + 0.3 * np.eye(k)


def test_iris_is_as_r_prints_it():
    values = dict(zip(IRIS["names"], IRIS["means"], strict=True))
    covariance = np.eye(3) * IRIS["residual_variance"] / IRIS["n"]
    found = csi.order(values, ["setosa < versicolor = virginica", "setosa < versicolor < virginica"], covariance).table
    np.testing.assert_allclose(found["loglik"], IRIS["loglik"], atol=5e-4)
    np.testing.assert_allclose(found["penalty"], IRIS["penalty"], atol=5e-3)
    np.testing.assert_allclose(found["gorica"], IRIS["gorica"], atol=0.01)
    np.testing.assert_allclose(found["weight"], IRIS["weights"], atol=0.002)


@pytest.mark.parametrize("text", ["a > b > c", "a > b & c > 0", "a = b > c", "a > b > c > d", "a < d & b = 0"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_projection_is_the_nearest_point_by_quadratic_programming(text, seed):
    V = random_covariance(4, seed)
    claim = hypotheses_of(text, "abcd")[0]
    inverse = np.linalg.inv(V)
    points = np.random.default_rng(seed + 10).normal(size=(6, 4)) * 2
    far, _ = projected(claim, points, V)
    for x, ours in zip(points, far, strict=True):
        limits = [{"type": "ineq", "fun": lambda z: claim.above @ z}] if len(claim.above) else []
        limits += [{"type": "eq", "fun": lambda z: claim.equal @ z}] if len(claim.equal) else []
        theirs = minimize(
            lambda z, x=x: (z - x) @ inverse @ (z - x), np.zeros(4), constraints=limits, method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )  # fmt: skip
        assert ours == pytest.approx(theirs.fun, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "expected"), [(2, 1.5), (3, 1 + 1 / 2 + 1 / 3), (4, 1 + 1 / 2 + 1 / 3 + 1 / 4), (5, 137 / 60)]
)
def test_the_penalty_of_a_full_chain_of_equal_independent_estimates_is_harmonic(k, expected):
    """Level probabilities are Stirling numbers / k!, so the expected dimension is sum 1 / j (Miles 1959)."""
    names = "abcde"[:k]
    claim = hypotheses_of(" > ".join(names), names)[0]
    noise = simulated(np.eye(k), 60_000, seed=3)
    assert fitted(claim, np.zeros(k), np.eye(k), noise).penalty == pytest.approx(expected, abs=0.015)


def test_the_penalty_of_one_inequality_is_a_half_less_whatever_the_covariance():
    V = random_covariance(3, 5)
    claim = hypotheses_of("a > b", "abc")[0]
    noise = simulated(V, 60_000, seed=3)
    assert fitted(claim, np.zeros(3), V, noise).penalty == pytest.approx(2.5, abs=0.01)
    assert complement(claim, np.zeros(3), V, noise).penalty == pytest.approx(2.5, abs=0.01)


def test_the_complement_ends_at_the_nearest_border():
    claim, V = hypotheses_of("a > b > c", "abc")[0], np.diag([1.0, 2.0, 3.0])
    noise = simulated(V, 2000, seed=1)
    inside = complement(claim, np.array([4.0, 1.0, 0.0]), V, noise)
    assert inside.loglik == pytest.approx(unconstrained(V).loglik - 0.5 * min(9 / 3, 1 / 5))
    outside = complement(claim, np.array([0.0, 1.0, 2.0]), V, noise)
    assert outside.loglik == unconstrained(V).loglik


def test_support_and_ranking_count_draws():
    draws = np.array([[3.0, 2, 1]] * 6 + [[2.0, 3, 1]] * 3 + [[1.0, 2, 3]] + [[np.nan, 1, 1]])
    found = csi.order({"a": 3.0, "b": 2.5, "c": 1.0}, "a > b > c; b > a", np.eye(3), draws)
    assert found.draws == 10
    assert found.table["support"].to_list() == [0.6, 0.4, None]
    assert found.ranking.height == 6
    assert found.ranking["order"][:2].to_list() == ["a > b > c", "b > a > c"]
    assert found.ranking["support"].sum() == pytest.approx(1.0)
    assert found.ranking.filter("preferred")["order"].to_list() == ["a > b > c"]
    assert holds(hypotheses_of("a = b", "abc")[0], draws) is None


def test_many_quantities_list_the_orders_seen():
    draws = np.random.default_rng(1).normal(size=(500, 7))
    found = csi.order(dict(zip("abcdefg", range(7), strict=True)), "g > a", draws=draws)
    assert 20 <= found.ranking.height <= 21
    assert found.ranking.filter("preferred").height == 1
    np.testing.assert_allclose(found.covariance, np.cov(draws.T))


def test_a_planted_order_wins_and_chance_does_not():
    rng = np.random.default_rng(4)
    true, V = np.array([0.5, 0.3, 0.1]), np.eye(3) * 0.03**2
    weights = [
        csi.order(dict(zip("abc", rng.multivariate_normal(true, V), strict=True)), "a > b > c", V, simulations=2000)
        .table["weight_complement"][0]
        for _ in range(40)
    ]  # fmt: skip
    assert np.mean(np.array(weights) > 0.9) > 0.9
    level = [
        csi.order(dict(zip("abc", rng.multivariate_normal(np.zeros(3), V), strict=True)), "a > b > c", V,
                  simulations=2000).table["weight_complement"][0]
        for _ in range(100)
    ]  # fmt: skip
    assert np.mean(np.array(level) > 0.9) < 0.1


def test_the_same_seed_gives_the_same_bits_and_is_recorded():
    first, again = (csi.order({"a": 1.0, "b": 0.0}, "a > b", np.eye(2), seed=7) for _ in range(2))
    assert first.table.equals(again.table)
    assert first.seed == 7
    assert any("seed 7" in n.text.en for n in first.notes)


@pytest.mark.parametrize(("lang", "words"), [("en", "The data prefer a > b"), ("zh", "数据偏好 a > b")])
def test_what_it_says(lang, words):
    shown = csi.display.text(csi.order({"a": 1.0, "b": 0.0}, "a > b", np.eye(2) / 100), lang)
    assert words in shown
    assert {"en": "For a > b: GORICA weight", "zh": "支持 a > b"}[lang] in shown


@pytest.mark.parametrize(
    ("arguments", "words", "zh"),
    [
        ({"hypotheses": ""}, "no hypothesis is given", "没有给出假设"),
        ({"hypotheses": "a"}, "compares nothing", "没有比较任何内容"),
        ({"hypotheses": "a > x"}, '"x" is none of a, b', "“x”不在 a、b 之中"),
        ({"hypotheses": "a > a"}, "with itself", "与自身比较"),
        ({"hypotheses": " & ".join(["a > b"] * 9)}, "at most 8", "最多同时检验 8 个"),
        ({"covariance": None}, "neither is given", "两者均未给出"),
        ({"covariance": [[1, 1], [1, 1]]}, "no positive definite 2 x 2", "正定协方差"),
        ({"covariance": None, "draws": np.ones((5, 3))}, "a column for each of 2", "各一列"),
        ({"simulations": 10}, "too few for a penalty", "不足以得到惩罚项"),
        ({"seed": -1}, "a seed is a whole number", "种子应为非负整数"),
    ],
)
def test_refusals_in_both_languages(arguments, words, zh):
    given = {"values": {"a": 1.0, "b": 0.0}, "hypotheses": "a > b", "covariance": np.eye(2)} | arguments
    with pytest.raises(Problems) as raised:
        csi.order(**given)
    assert words in str(raised.value)
    assert any(zh in p.say("zh") for p in raised.value.problems)
