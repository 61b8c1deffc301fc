"""Levers: chains by hand, one line with the map of drivers, ends of the scale, covariance fits, costs, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.importance.lever_costs import breaks_even
from csi.importance.lever_shifts import shifted

MODEL = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2 + c3; b ~ a; c ~ a + b"


def answers(n=300, seed=3, top=7.0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 0.5 * a + rng.normal(size=n)
    c = 0.3 * a + 0.6 * b + rng.normal(size=n)
    noise = {f"{m}{k}": v + 0.6 * rng.normal(size=n) for m, v in zip("abc", (a, b, c), strict=True) for k in (1, 2, 3)}
    return pl.DataFrame({k: np.clip(np.round(top + 1.5 * v), 1, 10) for k, v in noise.items()})


@pytest.fixture(scope="module")
def pls():
    return csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS(), scale=(1, 10)), 200, seed=1)


@pytest.fixture(scope="module")
def sem():
    return csi.fit(MODEL, answers(), csi.SEM(), scale=(1, 10))


def target(found):
    return found.table.row(-1, named=True)


def test_one_lever_is_its_importance_times_what_is_left_of_the_points(pls):
    found = csi.whatif(pls, {"a": 5}, "c")
    lever, _, row = found.table.to_dicts()
    weight = csi.drivers(pls, "c").table.filter(construct="a")["importance"][0]
    rows = pls.sample.rows
    assert lever["change"] < 5
    at_ten = (rows[:, [pls.sample.names.index(f"a{k}") for k in (1, 2, 3)]] == 10).all(axis=1).mean()
    assert lever["at_end"] >= at_ten > 0
    assert row["change"] == pytest.approx(weight * lever["change"], abs=1e-9)
    assert row["conf_low"] < row["change"] < row["conf_high"]


def test_where_nobody_is_near_the_end_it_is_linear():
    est = csi.fit(MODEL, answers(top=5.0).with_columns(pl.all().clip(3, 7)), csi.PLS(), scale=(1, 10))
    found, known = csi.whatif(est, {"a": 5}, "c"), csi.drivers(est, "c").table
    assert target(found)["change"] == pytest.approx(known.filter(construct="a")["gain"][0], abs=1e-9)
    assert found.table["change"][0] == pytest.approx(5, abs=1e-12)
    both = csi.whatif(est, {"a": 5, "b": -4}, "c")
    gains = dict(known.select("construct", "importance").rows())
    assert target(both)["change"] == pytest.approx(5 * gains["a"] - 4 * gains["b"], abs=1e-9)
    assert both.alone["change"].to_list() == pytest.approx([5 * gains["a"], -4 * gains["b"]], abs=1e-9)


def test_held_levers_end_where_they_were_put():
    est = csi.fit(MODEL, answers(top=5.0).with_columns(pl.all().clip(3, 7)), csi.PLS(), scale=(1, 10))
    added, held = (csi.whatif(est, {"a": 5, "b": 3}, "c", held=h) for h in (False, True))
    assert added.table["change"][1] > 3
    assert held.table["change"].to_list()[:2] == pytest.approx([5, 3], abs=1e-12)
    paths, names = est.solution.paths[0], est.solution.constructs
    sd = np.array([csi.drivers(est, "c").table.filter(construct=x)["importance"][0] for x in "ab"])
    total = paths[2] + np.array([paths[2, 1] * paths[1, 0], 0, 0])
    assert names == ("a", "b", "c")
    direct_of_a = sd[0] * paths[2, 0] / total[0]
    assert target(held)["change"] == pytest.approx(5 * direct_of_a + 3 * sd[1], abs=1e-9)


def test_a_covariance_fit_has_points_by_its_factor_weights(sem):
    """Written out from unstandardised parameters; its levels are those of the index."""
    found = csi.whatif(sem, {"a": 5}, "c")
    est = {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in sem.table.iter_rows(named=True)}

    def unit(name):
        load = np.array([est[name, "=~", f"{name}{k}"] for k in (1, 2, 3)])
        error = np.array([est[f"{name}{k}", "~~", f"{name}{k}"] for k in (1, 2, 3)])
        return 100 * (load**2 / error).sum() / (9 * (load / error).sum())

    total = est["c", "~", "a"] + est["c", "~", "b"] * est["b", "~", "a"]
    expected = total * unit("c") / unit("a")
    lever, row = found.table.row(0, named=True), target(found)
    assert row["change"] / lever["change"] == pytest.approx(expected, rel=1e-6)
    assert found.table["now"].to_list() == pytest.approx(csi.index(sem).table["index"].to_list(), abs=1e-6)


def test_delta_intervals_are_near_those_of_the_bootstrap(sem):
    delta = target(csi.whatif(sem, {"a": 5, "b": 3}, "c"))
    drawn = target(csi.whatif(csi.bootstrap(sem, 200, seed=1), {"a": 5, "b": 3}, "c"))
    assert delta["change"] == pytest.approx(drawn["change"], abs=1e-9)
    assert delta["std_error"] == pytest.approx(drawn["std_error"], rel=0.25)
    assert delta["conf_low"] < delta["change"] < delta["conf_high"]


def test_costs_break_even_where_worth_is_cost_per_point(pls):
    found = csi.whatif(pls, {"a": 5}, "c", cost=100, worth=40)
    row, change = found.costs.row(0, named=True), target(found)["change"]
    assert row["per_point"] == pytest.approx(100 / change)
    assert row["net"] == pytest.approx(40 * change - 100)
    assert row["per_point_low"] < row["per_point"] < row["per_point_high"]
    even = csi.whatif(pls, {"a": 5}, "c", cost=100, worth=row["per_point"]).costs.row(0, named=True)
    assert even["breaks_even"] == pytest.approx(0.5, abs=0.01)
    assert breaks_even(np.array([1.0]), np.array([0.5]), np.array([[0.5], [1.5], [np.nan]]), 1.2).tolist() == [0.5]


def test_cells_are_apart_and_a_failed_one_has_a_reason():
    two = pl.concat([answers(150).with_columns(brand=pl.lit("x")), answers(150, 8).with_columns(brand=pl.lit("y"))])
    est = csi.fit(MODEL, two, csi.PLS(), by=["brand"], scale=(1, 10))
    found = csi.whatif(est, {"a": 5}, "c")
    alone = csi.whatif(csi.fit(MODEL, answers(150, 8), csi.PLS(), scale=(1, 10)), {"a": 5}, "c")
    assert target(found)["change"] == pytest.approx(target(alone)["change"], abs=1e-7)
    assert found.sentences[0].en.startswith("x: 5 points more a")
    bad = two.with_columns(a1=pl.when(pl.col("brand") == "y").then(5.0).otherwise("a1"))
    partly = csi.whatif(csi.fit(MODEL, bad, csi.PLS(), by=["brand"], scale=(1, 10)), {"a": 5}, "c").table
    assert partly["change"].is_null().to_list() == [False] * 3 + [True] * 3
    assert partly["reason"].null_count() == 3


def test_moments_without_rows_stop_means_only():
    pls = csi.fit(MODEL, answers(), csi.PLS(), scale=(1, 10))
    m = pls.moments
    est = csi.fit(MODEL, csi.Moments.of(m.names, m.cov[0], n=300, mean=m.mean[0], scale=(1, 10)), csi.PLS())
    found = csi.whatif(est, {"a": 60}, "c")
    assert found.table["after"][0] == pytest.approx(100)
    assert "W-LEVERS-NO-ROWS" in [n.code for n in found.notes]


def test_what_cannot_be_told_apart_is_refused():
    rng = np.random.default_rng(1)
    f = rng.normal(size=300)
    frame = {f"{m}{k}": np.clip(np.round(6 + 2 * f + rng.normal(size=300)), 1, 10) for m in "abc" for k in (1, 2, 3)}
    with pytest.raises(Problems, match="nothing is told of levers") as found:
        csi.whatif(csi.fit(MODEL, pl.DataFrame(frame), csi.SEM(), scale=(1, 10)), {"a": 5}, "c")
    assert found.value.problems[0].code == "E-WHATIF"
    with pytest.raises(Problems, match="nothing is told of levers"):
        csi.plan(csi.fit(MODEL, pl.DataFrame(frame), csi.SEM(), scale=(1, 10)), {"a": {5: 1}}, 3, "c")


def test_what_is_not_identified_or_has_no_scale_is_refused(sem):
    loose = csi.fit(f"{MODEL}; a ~ c", answers(), csi.SEM(), scale=(1, 10))
    with pytest.raises(Problems, match="nothing is told of levers"):
        csi.whatif(loose, {"a": 5}, "c")
    with pytest.raises(Problems, match="theoretical bounds"):
        csi.whatif(csi.fit(MODEL, answers(), csi.PLS()), {"a": 5}, "c")
    assert sem.convergence.converged.all()


@pytest.mark.parametrize(
    ("levers", "more", "said"),
    [
        ({}, {}, "no levers"),
        ("a", {}, "no levers"),
        ({"c": 5}, {}, "is the target itself"),
        ({"c1": 5}, {}, "does not lead"),
        ({"foo": 5}, {}, 'no construct or item "foo"'),
        ({"a": 0}, {}, "no number of points"),
        ({"a": 101}, {}, "no number of points"),
        ({"a": float("nan")}, {}, "no number of points"),
        ({"a": "5"}, {}, "no number of points"),
        ({"a": 5}, {"cost": -1}, "a cost is"),
        ({"a": 5}, {"worth": 3}, "needs a cost"),
    ],
)
def test_odd_levers_are_told(pls, levers, more, said):
    with pytest.raises(Problems, match=said) as found:
        csi.whatif(pls, levers, "c", **more)
    assert found.value.problems[0].what.zh


def test_it_reads_in_both_languages(pls):
    found = csi.whatif(pls, {"a": 5, "b": -3}, "c", cost=1000)
    assert "5 points more a and 3 points less b together are associated with" in text(found, "en")
    assert "相应" in text(found, "zh")
    assert "effect" not in text(found, "en")
    tiny = csi.whatif(pls, {"b": -0.005}, "c")
    assert "less than 0.01 points less c" in text(tiny, "en")
    assert "−0.005" in text(tiny, "en")
    assert "相应低不足 0.01 分" in text(tiny, "zh")


def test_shifts_of_single_respondents(pls):
    """Scores of 50 and 98 raised by 5 give 5 and 2."""
    frame = pl.DataFrame({"x": [50.0, 98, 20], "y": [10.0, 20, 5]})
    found = shifted(csi.fit("a =~ x; b =~ y; b ~ a", frame, csi.PLS(), scale=(0, 100)), [0, 1], np.array([5.0]))
    assert found.rise[0, 0] == pytest.approx((5 + 2 + 5) / 3)
    assert found.at_end[0, 0] == pytest.approx(1 / 3)
    assert found.left([1], np.array([[4.0]]))[0, 0] == pytest.approx(4.0)
    assert found.left([1], np.array([[-99.0]]))[0, 0] == pytest.approx(-found.now[0, 1])
