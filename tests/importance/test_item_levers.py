"""Items as levers: weights by hand, items and constructs at once, ends of the scale, intervals, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

MODEL = "a =~ a1 + a2; b =~ b1 + b2; c =~ c1; b ~ a; c ~ a + b"


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(6)
    a = rng.normal(size=250)
    b = 0.5 * a + rng.normal(size=250)
    c = 0.3 * a + 0.6 * b + rng.normal(size=250)
    made = {f"{m}{k}": 5 + v + 0.6 * rng.normal(size=250) for m, v in (("a", a), ("b", b)) for k in (1, 2)}
    return pl.DataFrame({k: np.clip(np.round(v), 3, 8) for k, v in (made | {"c1": 5 + c}).items()})


@pytest.fixture(scope="module")
def pls(rows):
    return csi.bootstrap(csi.fit(MODEL, rows, csi.PLS(), scale=(1, 10)), 200, seed=1)


@pytest.fixture(scope="module")
def sem(rows):
    rng = np.random.default_rng(7)
    more = rows.with_columns(pl.Series(f"c{k}", rows["c1"].to_numpy() + rng.normal(size=rows.height)) for k in (2, 3))
    return csi.fit(
        MODEL.replace("c =~ c1", "c =~ c1 + c2 + c3"), more.with_columns(pl.all().clip(1, 10)), csi.SEM(), scale=(1, 10)
    )


def target(found):
    return found.table.row(-1, named=True)


def test_two_items_of_equal_weight_bring_half_each_by_hand():
    x = np.array([2.0, 4, 6, 8, 3, 7, 5, 5])
    frame = pl.DataFrame({"x1": x, "x2": [3.0, 4, 6, 7, 2, 8, 5, 5], "y1": [3.0, 4, 5, 6, 6, 7, 2, 8]})
    est = csi.fit("x =~ x1 + x2; y =~ y1; y ~ x", frame, csi.SumScores(), scale=(1, 10))
    slope = csi.drivers(est, "y").table["importance"][0]
    found = csi.whatif(est, {"x1": 6}, "y")
    assert found.table["construct"].to_list() == ["x1", "x", "y"]
    assert found.table["change"].to_list() == pytest.approx([6, 3, 3 * slope], abs=1e-9)
    assert found.table["now"][0] == pytest.approx(100 * (x.mean() - 1) / 9)
    up = csi.whatif(est, {"x1": 40}, "y").table.row(0, named=True)
    left = np.minimum(100 * (x - 1) / 9 + 40, 100) - 100 * (x - 1) / 9
    assert up["change"] == pytest.approx(left.mean())
    assert up["at_end"] == pytest.approx((x >= 6.4).mean())


@pytest.mark.parametrize("kind", ["pls", "sem"])
def test_all_items_of_a_construct_are_the_construct(kind, request):
    est = request.getfixturevalue(kind)
    whole, parts = csi.whatif(est, {"a": 3}, "c"), csi.whatif(est, {"a1": 3, "a2": 3}, "c")
    for name in ("change", "std_error", "conf_low", "conf_high"):
        assert target(parts)[name] == pytest.approx(target(whole)[name], abs=1e-6)
    assert sum(parts.alone["change"]) == pytest.approx(target(whole)["change"], abs=1e-9)
    assert parts.table.filter(construct="a")["change"][0] == pytest.approx(3, abs=1e-9)


def test_items_and_constructs_add_up_with_an_interval(pls):
    one, two, both = (csi.whatif(pls, given, "c") for given in ({"a1": 3}, {"b": 2}, {"a1": 3, "b": 2}))
    assert target(both)["change"] == pytest.approx(target(one)["change"] + target(two)["change"], abs=1e-9)
    weight = csi.drivers(pls, "c").items.filter(item="a1")["importance"][0]
    assert target(one)["change"] == pytest.approx(3 * weight, abs=1e-9)
    drawn = csi.drivers(pls, "c").items.filter(item="a1").row(0, named=True)
    assert target(one)["conf_low"] == pytest.approx(3 * drawn["importance_conf_low"], abs=1e-9)
    assert "3 points more “a1” and 2 points more b together" in both.sentences[0].en


def test_what_is_no_lever_or_moved_twice_is_refused(pls):
    for levers, said in (
        ({"a1": 3, "a": 5}, "only one of them"),
        ({"c1": 2}, "does not lead"),
        ({"a9": 2}, 'no construct or item "a9"'),
    ):
        with pytest.raises(Problems, match=said):
            csi.whatif(pls, levers, "c")
    with pytest.raises(Problems, match="only one of them"):
        csi.plan(pls, {"a1": {3: 5}, "a": {3: 9}}, 20, "c")


def test_a_plan_buys_items_and_says_from_which_worth_it_pays(pls):
    found = csi.plan(pls, {"a1": {5: 10}, "b": {5: 30}}, 12, "c", worth=20.0)
    assert found.chosen == {"a1": 5.0}
    alone = target(csi.whatif(pls, {"a1": 5}, "c"))["change"]
    assert found.gain == pytest.approx(alone, abs=1e-9)
    money = found.result.costs.row(0, named=True)
    assert money["per_point"] == pytest.approx(10 / alone)
    assert money["net"] == pytest.approx(20 * alone - 10)
    assert "it breaks even where a point is worth that much. At 20 a point it breaks even" in found.sentences[-1].en
    with pytest.raises(Problems, match="above 0"):
        csi.plan(pls, {"a1": {5: 10}}, 12, "c", worth=0.0)
