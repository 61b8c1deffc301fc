"""Measures of models with higher-order constructs and products: against seminr, populations and hand counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.importance.robust import robust_drivers
from csi.measures.composite_fit import degrees
from tests.pls.test_higher_order import CASES, HIGHER, THIRD, ecsi, population, rows
from tests.pls.test_parity import moments_case

REFERENCE = Path(__file__).parent.parent / "reference/composed"
STRENGTH = np.array([0.9, 0.8, 0.7])


def reference(case: str) -> Any:
    return json.loads((REFERENCE / "higher_order.json").read_text("utf-8"))[case]


def exact() -> csi.Moments:
    among = np.outer(STRENGTH, STRENGTH)
    np.fill_diagonal(among, 1.0)
    return population(STRENGTH, among)


@pytest.mark.parametrize("case", CASES)
def test_reliability_and_validity_agree_with_seminr(case: str) -> None:
    expected = reference(case)
    est = csi.fit(ecsi(*CASES[case]), moments_case("mobi"), csi.PLS())
    found = csi.reliability(est)
    for ours, theirs in (("alpha_std", "alpha"), ("rho_a", "rhoA"), ("rho_c", "rhoC"), ("ave", "AVE")):
        for k, name in enumerate(found.constructs):
            if name == "Complaints" or (ours == "rho_a" and est.solution.modes[k] == "B"):
                continue
            assert found.values[ours][0, k] == pytest.approx(expected["reliability"][f"{name}|{theirs}"], abs=1e-6)
    table = csi.validity(est).table
    for row in table.iter_rows(named=True):
        key = f"{row['construct']}|{row['other']}"
        value = expected["htmt"].get(key, expected["htmt"].get("|".join(reversed(key.split("|")))))
        if row["htmt"] is not None:
            assert row["htmt"] == pytest.approx(value, abs=1e-6), key
    assert set(table.filter(reason="part_of")["other"]) <= {"Image", "Value", "Satisfaction"}
    for row in csi.validity(est).vif_outer.iter_rows(named=True):
        assert row["vif"] == pytest.approx(expected["vif_items"][row["construct"]][row["item"]], abs=1e-6)


def test_a_second_order_factor_fits_its_own_population() -> None:
    """On exact moments every distance is 0; degrees of freedom are those of the factor model (counted by hand: 85)."""
    settings = csi.PLS(consistent=True, tolerance=1e-12, max_iterations=2000)
    est = csi.fit(HIGHER.format(higher="=~"), exact(), settings)
    found = csi.fit_measures(est)
    assert found["srmr"] == pytest.approx(0, abs=1e-7)
    assert found["d_g"] == pytest.approx(0, abs=1e-12)
    assert degrees(est, saturated=False) == 15 * 14 // 2 - 15 - 3 - 2
    assert degrees(est, saturated=True) == 15 * 14 // 2 - 15 - 3 - 3
    plain = csi.fit(HIGHER.format(higher="=~"), exact(), csi.PLS())
    assert csi.fit_measures(plain)["srmr"] > 0.01


def test_the_index_of_a_whole_is_that_of_its_scores() -> None:
    """The 0-100 index of a higher-order construct from rows: scores on raw items, weights made to sum to 1."""
    frame = rows()
    est = csi.fit(HIGHER.format(higher="=~"), frame, csi.PLS(), scale=(1, 10))
    table = csi.index(est).table
    W = est.solution.item_weights
    assert W is not None
    raw = frame.select(est.solution.items).to_numpy()
    a = W[0][:, -1] / raw.std(axis=0, ddof=1)
    by_hand = 100 * ((raw - 1) / 9).mean(axis=0) @ a / a.sum()
    assert table.filter(construct="top")["index"][0] == pytest.approx(by_hand, abs=1e-9)
    assert table["index"].null_count() == 0
    weights = csi.index(est).weights.filter(construct="top")
    assert weights["item"].to_list() == [f"{k}{i}" for k in "abc" for i in (1, 2, 3)]
    assert weights["weight"].sum() == pytest.approx(1)


def test_the_index_has_its_standard_error_in_cells_and_waves() -> None:
    frame = pl.concat([rows(seed=s).with_columns(wave=pl.lit(str(s))) for s in (1, 2)])
    boot = csi.bootstrap(csi.fit(HIGHER.format(higher="<~"), frame, csi.PLS(), by="wave", scale=(1, 10)), 100)
    for rule in ("own", "base", "pooled"):
        table = csi.index(boot, weights=rule).table.filter(construct="top")
        assert table["std_error"].is_between(0.3, 4).all()
        assert table["std_error_fixed"].is_between(0.3, 4).all()


@pytest.mark.parametrize("interval", ["percentile", "bca"])
def test_everything_downstream_takes_a_higher_order_construct(interval: Any) -> None:
    est = csi.fit(HIGHER.format(higher="=~"), rows(), csi.PLS(), scale=(1, 10))
    boot = csi.bootstrap(est, 100, interval=interval)
    found = csi.drivers(boot, "y")
    top = found.table.filter(construct="top")
    assert np.isfinite(top["importance_conf_high"][0])
    assert found.items.filter(construct="top").height == 9
    share = found.items.filter(construct="top")["importance"].sum()
    assert share == pytest.approx(top["importance"][0], abs=1e-9)
    effects = csi.effects(boot)
    assert "x -> top -> y" in effects.chains["chain"].to_list()
    assert effects.table["conf_low"].null_count() == 0
    for said in (str(boot), str(csi.reliability(boot)), str(csi.validity(boot)), str(csi.index(boot)), str(effects)):
        assert "top" in said
    assert robust_drivers(est, "y").table["huber"].null_count() == 0
    side = csi.compare(est, csi.fit(HIGHER.format(higher="=~"), rows(), csi.SumScores()))
    assert "top" in str(side)
    assert csi.verify(est) is not None
    assert csi.exact_fit(est, 100).table["p_value"].null_count() == 0


def test_third_order_downstream() -> None:
    est = csi.fit(THIRD, moments_case("mobi"), csi.PLS())
    assert csi.reliability(est).table.filter(construct="Top")["n_items"][0] == 2
    table = csi.validity(est).table
    kin = table.filter(reason="part_of")
    assert ("Top", "A") in set(kin.select("construct", "other").rows())
    assert csi.index(est).table.filter(construct="Top")["index"][0] > 50
    assert csi.index(est).weights.filter(construct="Top").height == 10
    assert np.isfinite(csi.fit_measures(est)["srmr"])


PRODUCT = "x =~ x1 + x2 + x3; y =~ y1 + y2 + y3; z =~ a1 + a2 + a3; y ~ x + z + x:z"


def test_products_downstream() -> None:
    """A product has no items: no index, no reliability, no driver of its own; the rest is as ever."""
    est = csi.fit(PRODUCT, rows(), csi.PLS(), scale=(1, 10))
    boot = csi.bootstrap(est, 100)
    assert csi.reliability(boot).table.filter(construct="x:z")["reason"][0] == "no_items"
    found = csi.drivers(boot, "y")
    assert found.table["construct"].to_list() == ["x", "z"]
    assert any("mean of its moderator" in n.say("en") for n in found.notes)
    table = csi.index(boot).table
    assert table.filter(construct="x:z")["index"][0] is None
    assert table.filter(construct="x")["index"][0] > 0
    assert csi.effects(boot).table.filter(predictor="x:z")["estimate"].len() > 0
    assert robust_drivers(est, "y").table["predictor"].to_list() == ["x", "z"]
    measures = csi.fit_measures(est)
    assert np.isnan(measures["srmr"])
    assert measures.reasons["srmr"].code == "products"
    plain = csi.fit_measures(csi.fit(PRODUCT.replace(" + x:z", ""), rows(), csi.PLS()))
    assert measures["srmr_saturated"] == pytest.approx(plain["srmr_saturated"], abs=1e-3)  # the product has no items
    assert measures["df_saturated"] == plain["df_saturated"]
    assert csi.exact_fit(est, 100).table["model"].unique().to_list() == ["saturated"]
    with pytest.raises(Problems) as caught:
        csi.exact_fit(csi.fit(PRODUCT, rows(), csi.PLS(interaction="product")), 100)
    assert caught.value.problems[0].code == "E-BOOT"
    side = csi.compare(est, csi.fit(PRODUCT, rows(), csi.SumScores()))
    assert side.table.filter(pl.col("rhs") == "x:z").height == 1
    assert "x:z" in str(est)
