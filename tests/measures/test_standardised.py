"""Standardised parameters, R2 and delta-method effects: identities and hand-checked standard errors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.measures.effects import effects
from csi.measures.standardised import deviation, r2, standardised

FOUR = np.array([[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]])
PATHS = "m ~ a*x\ny ~ b*m + c*x\nindirect := a*b\ntotal := c + a*b"


def observed(model=PATHS, n=200):
    cov = [[2.0, 0.8, 0.9], [0.8, 1.5, 0.7], [0.9, 0.7, 3.0]]
    return csi.fit(csi.Model.parse(model), csi.Moments.of(["x", "m", "y"], cov, n=n), csi.SEM())


def four(model):
    return csi.fit(csi.Model.parse(model), csi.Moments.of("abcd", FOUR, n=300), csi.SEM())


def test_deviation_is_the_root_of_the_quadratic_form():
    V = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert deviation(np.array([[1.0], [2.0]]), V).tolist() == pytest.approx([np.sqrt(2 + 2 * 2 * 0.5 + 4)])


def test_squared_standardised_loadings_are_the_items_r2():
    est = four("f =~ a + b + c + d")
    loads = standardised(est).filter(op="=~")
    share = r2(est)
    assert share["variable"].to_list() == list("abcd")
    np.testing.assert_allclose(loads["estimate"].to_numpy() ** 2, share["r2"].to_numpy(), rtol=1e-10)


def test_what_cannot_vary_has_no_error():
    est = four("f =~ a + b + c + d")
    row = standardised(est, "std_lv").filter(lhs="f", op="~~").row(0, named=True)
    assert row["estimate"] == pytest.approx(1.0)
    assert row["std_error"] == 0.0
    assert row["statistic"] is None


def test_std_lv_of_a_model_in_that_metric_is_the_model_itself():
    cov = csi.Moments.of("abcd", FOUR, n=300)
    est = csi.fit(csi.Model.parse("f =~ a + b + c + d"), cov, csi.SEM(std_lv=True))
    found = standardised(est, "std_lv").filter(op="=~")
    own = est.table.filter(op="=~")
    for column in ("estimate", "std_error", "conf_low"):
        np.testing.assert_allclose(found[column].to_numpy(), own[column].to_numpy(), rtol=1e-9)


def test_definitions_use_standardised_values():
    est = observed()
    table = standardised(est)
    value = {label: table.filter(label=label)["estimate"][0] for label in ("a", "b", "indirect")}
    assert value["indirect"] == pytest.approx(value["a"] * value["b"], rel=1e-12)


def test_r2_of_a_regression():
    est = observed("y ~ m + x")
    # r' R^-1 r with the covariances above
    S, s = np.array([[1.5, 0.8], [0.8, 2.0]]), np.array([0.7, 0.9])
    assert r2(est)["r2"][0] == pytest.approx(s @ np.linalg.solve(S, s) / 3.0, rel=1e-10)


def test_a_negative_residual_variance_has_a_reason_instead_of_an_r2():
    cov = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, 0.7], [0.9, 0.7, 1.0]])
    est = csi.fit(csi.Model.parse("f =~ a + b + c"), csi.Moments.of("abc", cov, n=100), csi.SEM())
    row = r2(est).filter(variable="a").row(0, named=True)
    # one factor fits exactly with loading^2 = .9 * .9 / .7 > 1
    assert row["r2"] is None
    assert row["reason"] == "R-NEGATIVE-VARIANCE"


def test_indirect_effects_have_sobels_standard_error():
    est = observed()
    own = {r["label"]: r for r in est.table.filter(pl.col("label") != "").iter_rows(named=True)}
    found = effects(est, standardised=False)
    row = found.table.filter(outcome="y", predictor="x", effect="indirect").row(0, named=True)
    a, b = own["a"], own["b"]
    # a and b come from different equations of a recursive model: their estimates are uncorrelated
    sobel = np.sqrt((a["estimate"] * b["std_error"]) ** 2 + (b["estimate"] * a["std_error"]) ** 2)
    assert row["estimate"] == pytest.approx(a["estimate"] * b["estimate"], rel=1e-12)
    assert row["std_error"] == pytest.approx(sobel, rel=1e-8)
    total = found.table.filter(outcome="y", predictor="x", effect="total").row(0, named=True)
    assert total["std_error"] == pytest.approx(own["total"]["std_error"], rel=1e-10)
    assert found.chains["chain"].to_list() == ["x -> m -> y"]


def test_standardised_effects_agree_with_standardised_definitions():
    est = observed()
    row = effects(est).table.filter(outcome="y", predictor="x", effect="indirect").row(0, named=True)
    same = standardised(est).filter(label="indirect").row(0, named=True)
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        assert row[column] == pytest.approx(same[column], rel=1e-9)


def test_groups_have_their_own_effects():
    one = csi.Moments.of(["x", "m", "y"], [[2.0, 0.8, 0.9], [0.8, 1.5, 0.7], [0.9, 0.7, 3.0]], n=200)
    two = csi.Moments.of(["x", "m", "y"], [[2.0, 0.4, 0.9], [0.4, 1.5, 0.7], [0.9, 0.7, 3.0]], n=200)
    est = csi.fit(csi.Model.parse("m ~ x\ny ~ m"), csi.Moments.grouped({"A": one, "B": two}), csi.SEM(groups="g"))
    table = effects(est, standardised=False).table.filter(outcome="m", effect="direct")
    assert table["group"].to_list() == ["A", "B"]
    np.testing.assert_allclose(table["estimate"].to_numpy(), [0.4, 0.2], atol=1e-6)


def test_a_model_without_paths_has_no_effects():
    found = effects(four("f =~ a + b + c + d"))
    assert found.table.height == 0
    assert "effect" in found.table.columns


def test_units_of_pls_effects_are_standardised():
    answers = pl.DataFrame({"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]})
    est = csi.fit(csi.Model.parse("a =~ a1 + a2\nb =~ b1 + b2\nb ~ a"), answers, csi.PLS(), scale=(1, 10))
    with pytest.raises(Problems, match=r"csi\.SEM"):
        effects(est, standardised=False)
