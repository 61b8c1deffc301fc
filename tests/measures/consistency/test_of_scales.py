"""`csi.consistency`: rows of the table, what absent numbers say, weights, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.consistency.coefficients import HIERARCHICAL, of_stack, split_stack
from csi.measures.pairwise import covariances
from csi.measures.reliability import alpha

REFERENCE = Path(__file__).parents[2] / "reference"
NUMBERS = "reliability/numbers.json"
ITEMS = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(7)
    rows = np.clip(np.round(5 + 1.5 * rng.normal(size=(150, 1)) + rng.normal(size=(150, 5))), 1, 10)
    frame = pl.DataFrame(rows, schema=[*ITEMS, "e"])
    return frame.with_columns(
        same=pl.col("a"),
        turned=11 - pl.col("b"),
        fixed=pl.lit(3.0),
        weight=pl.Series(np.exp(0.5 * rng.normal(size=150))),
        team=pl.Series(np.arange(150) // 5),
    )


@pytest.fixture(scope="module")
def found(answers):
    return csi.consistency(answers, {"trust": ITEMS, "pair": ["a", "b"], "one": ["e"]}, n=200)


def row(found, construct, coefficient, denominator=None):
    some = found.table.filter(construct=construct, coefficient=coefficient)
    some = some if denominator is None else some.filter(denominator=denominator)
    return some.row(some.height - 1, named=True)


def test_every_coefficient_has_its_model_its_denominator_and_an_interval(found):
    every = found.table.filter(construct="trust")
    assert set(every["reason"].drop_nulls()) == {"few_for_general"}
    whole = every.filter(pl.col("reason").is_null())
    assert whole["reason"].null_count() == whole.height
    assert (whole["conf_low"] < whole["estimate"]).all()
    assert (whole["estimate"] < whole["conf_high"]).all()
    assert whole.filter(coefficient="alpha")["interval"].to_list() == ["feldt", "duhachek-iacobucci", "bootstrap logit"]
    assert whole.filter(coefficient="omega_total")["denominator"].to_list() == ["implied", "observed"]
    assert whole["model"].null_count() == 0
    assert len(whole.select("coefficient", "denominator", "interval").unique()) == whole.height


def test_coefficients_keep_the_order_of_theory(found):
    value = {name: found.value("trust", name) for name in found.table["coefficient"].unique()}
    assert value["lambda1"] < value["lambda3"] == pytest.approx(value["alpha"], abs=1e-12)
    assert value["mu0"] <= value["mu1"] <= value["mu2"] <= value["mu3"] <= value["glb"]
    assert value["split_half_min"] < value["split_half_mean"] == pytest.approx(value["alpha"])
    assert value["split_half_max"] == value["lambda4"] <= value["glb"]
    assert value["maximal"] > value["omega_total"]


def test_two_items_and_one_item_have_reasons(found):
    pair, one = (found.table.filter(construct=c) for c in ("pair", "one"))
    assert row(found, "pair", "alpha")["estimate"] is not None
    for name in ("omega_total", "omega_categorical", "rho_a", "rho_c", "maximal"):
        assert "two_items" in set(pair.filter(coefficient=name)["reason"])
    assert row(found, "pair", "glb")["estimate"] == pytest.approx(row(found, "pair", "alpha_std")["estimate"], abs=0.02)
    assert one["estimate"].null_count() == one.height
    assert set(one["reason"]) == {"single_item"}
    assert set(found.reasons) == {"two_items", "single_item", "few_for_general"}


def test_what_is_printed_names_things_in_both_languages(found):
    assert "not the sum score's reliability" in text(found)
    assert "不是总分的信度" in text(found, "zh")
    assert "单因子（ML）" in text(found, "zh")
    assert "bootstrap of 200 resamples" in text(found)


def test_a_constant_item_alike_items_and_a_turned_item(answers):
    scales = {"flat": ["a", "b", "fixed"], "twins": ["a", "same", "c"], "against": ["a", "c", "d", "turned"]}
    found = csi.consistency(answers, scales, n=100)
    assert set(found.table.filter(construct="flat")["reason"]) == {"zero_variance"}
    assert row(found, "twins", "alpha")["estimate"] > 0.7
    assert row(found, "twins", "lambda6")["reason"] == "singular"
    assert row(found, "twins", "omega_total", "implied")["reason"] == "singular"
    told = {n.code: n.say() for n in found.notes}
    assert "a and same" in told["W-ITEM-TWIN"]
    assert "turned goes against" in told["W-ITEM-AGAINST"]
    assert row(found, "against", "alpha")["estimate"] < 0.5


def test_fewer_rows_than_items_and_a_heywood_case(answers):
    few = csi.consistency(answers.head(4), {"trust": [*ITEMS, "e"]}, n=0)
    assert row(few, "trust", "alpha")["estimate"] is not None
    assert row(few, "trust", "alpha")["interval"] != "bootstrap logit"
    for name in ("omega_total", "lambda6", "rho_c"):
        assert "few_rows" in set(few.table.filter(coefficient=name)["reason"])
    cov = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.3], [0.8, 0.3, 1.0]])
    rng = np.random.default_rng(1)
    z = rng.normal(size=(100, 3))
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T @ np.linalg.cholesky(cov).T
    heywood = csi.consistency(pl.DataFrame(z, schema=["x", "y", "z"]), ["x", "y", "z"], n=100)
    assert row(heywood, "scale", "omega_total", "implied")["reason"] == "improper"
    assert row(heywood, "scale", "alpha_ordinal")["reason"] == "not_ordinal"
    assert row(heywood, "scale", "alpha")["estimate"] == pytest.approx(alpha(cov, np.ones((3, 1)))[0])


def test_nobody_answers_a_scale(answers):
    empty = answers.with_columns(x=pl.lit(None, pl.Float64), y=pl.lit(None, pl.Float64))
    found = csi.consistency(empty, {"trust": ITEMS, "none": ["x", "y"]}, n=0)
    assert set(found.table.filter(construct="none")["reason"]) == {"no_rows"}


def test_weights_and_clusters_enter_and_formulas_of_simple_samples_say_so(answers):
    plain = csi.consistency(answers, ITEMS, n=100)
    weighed = csi.consistency(answers, ITEMS, n=100, weight="weight", unit="team")
    w = answers["weight"].to_numpy()
    cov = covariances(answers.select(ITEMS).to_numpy(), w[None])[0]
    assert row(weighed, "scale", "alpha")["estimate"] == pytest.approx(alpha(cov, np.ones((4, 1)))[0])
    assert row(weighed, "scale", "alpha")["std_error"] != row(plain, "scale", "alpha")["std_error"]
    for name in ("alpha_ordinal", "omega_categorical"):
        assert row(weighed, "scale", name)["std_error"] != row(plain, "scale", name)["std_error"]
    formulas = weighed.table.filter(coefficient="alpha").head(2)
    assert formulas["reason"].to_list() == ["of_simple_samples"] * 2
    assert formulas["conf_low"].null_count() == 2


def test_the_bootstrap_repeats_and_percentiles_are_percentiles(answers):
    one, again = (csi.consistency(answers, ITEMS, n=100, interval="percentile") for _ in range(2))
    assert one.table.equals(again.table)
    assert "bootstrap percentile" in one.table["interval"].to_list()
    other = csi.consistency(answers, ITEMS, n=100, interval="percentile", seed=2)
    assert not one.table.equals(other.table)


def test_standardised_sums_are_those_of_correlations(answers):
    found = csi.consistency(answers, ITEMS, n=0, standardised=True)
    assert found.value("scale", "lambda3") == pytest.approx(found.value("scale", "alpha_std"))


def test_long_scales_have_some_of_their_splits():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(80, 17)) + rng.normal(size=(80, 1))
    frame = pl.DataFrame(rows, schema=[f"q{i}" for i in range(17)])
    found = csi.consistency(frame, frame.columns, n=0)
    some = split_stack(np.stack([np.cov(rows[a:], rowvar=False) for a in (0, 0, 9)]), 1)
    assert some[0][0] == some[0][1] == pytest.approx(found.value("scale", "lambda4"))
    assert some[1][0] == some[1][1]
    assert some[0][2] != some[0][0]
    assert "N-SPLITS" in {n.code for n in found.notes}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"n": 5}, "E-BOOT"),
        ({"level": 2}, "E-SETTING"),
        ({"interval": "bca"}, "E-SETTING"),
        ({"missing": "em"}, "E-SETTING"),
        ({"seed": -1}, "E-SETTING"),
        ({"weight": "nobody"}, "E-ROLE"),
    ],
)
def test_settings_that_cannot_be_are_told(answers, given, code):
    with pytest.raises(csi.Problems) as error:
        csi.consistency(answers, ITEMS, **given)
    assert code in {p.code for p in error.value.problems}


def test_omega_hierarchical_of_nine_items_agrees_with_psych():
    m, theirs = (json.loads((REFERENCE / f).read_text(encoding="utf-8")) for f in ("holzinger/moments.json", NUMBERS))
    found = of_stack(np.array(m["cov"])[None], m["n"], standardised=True)
    for kind, name in zip(HIERARCHICAL, ("omega_h", "omega_tot"), strict=True):
        assert found[kind][0] == pytest.approx(theirs["omega_hs9_3f_oblimin"][name], abs=1e-5)
    m = json.loads((REFERENCE / "mobi/moments.json").read_text(encoding="utf-8"))
    at = [i for i, name in enumerate(m["names"]) if name.startswith("PERQ")]
    found = of_stack(np.array(m["cov"])[None][:, at][:, :, at], m["n"], standardised=True)
    for kind, name in zip(HIERARCHICAL, ("omega_h", "omega_tot"), strict=True):
        assert found[kind][0] == pytest.approx(theirs["omega_perq_3f"][name], abs=1e-5)


def test_resamples_without_a_proper_factor_are_left_out_and_told():
    rng = np.random.default_rng(0)
    z = 0.7 * rng.normal(size=(40, 1)) + rng.normal(size=(40, 3))
    found = csi.consistency(pl.DataFrame(z, schema=[*"xyz"]), [*"xyz"], n=100)
    assert "44 % of the resamples" in {n.code: n.say() for n in found.notes}["W-REPLICATES"]
    line = row(found, "scale", "omega_total", "implied")
    assert line["conf_low"] < line["estimate"] < line["conf_high"]
