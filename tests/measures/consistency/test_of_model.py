"""`csi.omega` of fitted models: semTools' numbers, intervals, what models have and have not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.consistency.categorical import categorical_omega

REFERENCE = Path(__file__).parents[2] / "reference"


def read(folder, name):
    return json.loads((REFERENCE / folder / name).read_text(encoding="utf-8"))


THEIRS = read("reliability", "numbers.json")
FACTORS = "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9"
HIGHER = f"{FACTORS}\ng =~ visual+textual+speed"
BIFACTOR = (
    f"g =~ {'+'.join(f'x{i}' for i in range(1, 10))}\n{FACTORS}\n"
    "g ~~ 0*visual + 0*textual + 0*speed\nvisual ~~ 0*textual + 0*speed\ntextual ~~ 0*speed"
)


def fitted(folder, syntax, **settings):
    m = read(folder, "moments.json")
    return csi.fit(csi.Model.parse(syntax), csi.Moments.of(m["names"], m["cov"], m["n"]), csi.SEM(**settings))


def value(found, construct, coefficient, denominator="observed"):
    row = found.table.filter(construct=construct, coefficient=coefficient, denominator=denominator)
    return row["estimate"].item()


@pytest.fixture(scope="module")
def factors():
    return csi.omega(fitted("holzinger", FACTORS))


def test_correlated_factors_agree_with_semtools(factors):
    theirs = THEIRS["semtools_hs"]
    for i, name in enumerate(("visual", "textual", "speed")):
        assert value(factors, name, "omega_total") == pytest.approx(theirs["compRelSEM"][name], abs=1e-6)
        implied = theirs["reliability"]["values"][1][i]
        assert value(factors, name, "omega_total", "implied") == pytest.approx(implied, abs=1e-6)
    assert value(factors, "", "maximal") == pytest.approx(theirs["maximalRelia"], abs=1e-6)


def test_a_second_order_factor_agrees_with_semtools():
    found, theirs = csi.omega(fitted("holzinger", HIGHER)), THEIRS["semtools_hs_second_order"]
    for name in ("visual", "textual", "speed"):
        assert value(found, name, "omega_total") == pytest.approx(theirs["compRelSEM"][name], abs=1e-6)
    assert value(found, "g", "omega_hierarchical") == pytest.approx(theirs["compRelSEM"]["g"], abs=1e-6)
    level = theirs["reliabilityL2"]
    for coefficient, name in (("omega_hierarchical", "L1"), ("omega_higher", "L2")):
        assert value(found, "g", coefficient, "implied") == pytest.approx(level[f"omega{name}"], abs=1e-6)
    assert value(found, "g", "omega_partial", "implied") == pytest.approx(level["partialOmegaL1"], abs=1e-6)
    assert set(found.table["model"]) == {"higher order"}


def test_a_bifactor_model_agrees_with_semtools_and_its_heywood_case_is_told():
    found, theirs = (
        csi.omega(fitted("holzinger", BIFACTOR, std_lv=True)),
        THEIRS["semtools_hs_bifactor"]["compRelSEM_g"],
    )
    assert value(found, "g", "omega_hierarchical") == pytest.approx(theirs["g"], abs=1e-6)
    assert value(found, "", "omega_total") == pytest.approx(theirs["total"], abs=1e-6)
    for name in ("visual", "textual", "speed"):
        assert value(found, name, "omega_subscale") == pytest.approx(theirs[name], abs=2e-6)
    assert "g, visual" in {n.code: n.say() for n in found.notes}["W-HEYWOOD"].replace("visual, g", "g, visual")


@pytest.mark.parametrize(("folder", "record", "key"), [("mobi", "CFA_ML", "ecsi"), ("democracy", "ML", "democracy")])
def test_other_models_agree_with_semtools(folder, record, key):
    found = csi.omega(fitted(folder, read(folder, f"lavaan/{record}.json")["syntax"]))
    theirs = THEIRS[key].get("compRelSEM", THEIRS[key])
    for name, number in theirs.items():
        assert value(found, name, "omega_total") == pytest.approx(number, abs=1e-9)
    for name, number in THEIRS[key].get("compRelSEM_obs_var_false", {}).items():
        assert value(found, name, "omega_total", "implied") == pytest.approx(number, abs=1e-9)


@pytest.mark.parametrize(("folder", "key"), [("bfi", "ordinal_bfi"), ("bfi_reversed", "ordinal_bfi_reversed")])
def test_categorical_omega_of_lavaans_solution_agrees_with_semtools(folder, key):
    record, theirs = read(folder, "lavaan/WLSMV.json"), THEIRS[key]
    names = record["sample"]["names"]
    cor, (i, j) = np.zeros((25, 25)), np.tril_indices(25)
    cor[i, j] = cor[j, i] = record["sample"]["cov"]
    by_name = dict(zip(record["parameters"]["name"], record["parameters"]["std_all"], strict=True))
    cuts = np.array(record["sample"]["th"]).reshape(25, 5)
    scores = theirs.get("omega_ord_scale", theirs.get("compRelSEM_ord_scale"))
    behind = theirs.get("omega_latent_response", theirs.get("compRelSEM_latent_response"))
    for trait in "ACENO":
        at = [n for n, name in enumerate(names) if name[0] == trait]
        loadings = np.array([by_name[f"{trait} =~ {names[n]}"] for n in at])
        own, common = cor[np.ix_(at, at)], np.outer(loadings, loadings)
        found = categorical_omega(cuts[at], np.ones((5, 5)), common, own)
        assert found.value == pytest.approx(scores[trait], abs=1e-6)
        assert common.sum() / own.sum() == pytest.approx(behind[trait], abs=1e-6)


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(6)
    f = rng.normal(size=(400, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    rows = np.repeat(f, 3, axis=1) + 0.9 * rng.normal(size=(400, 6))
    frame = pl.DataFrame(np.digitize(rows, [-1.0, 0.0, 1.0]).astype(float), schema=[*"abcxyz"])
    return frame.with_columns(sex=pl.Series(["m", "f"] * 200))


def test_errors_of_the_delta_method_are_near_those_of_resamples(answers):
    est = csi.fit("one =~ a+b+c\ntwo =~ x+y+z", answers, csi.SEM(estimator="MLR"))
    plain, boot = csi.omega(est).table, csi.omega(csi.bootstrap(est, 400)).table
    implied = pl.col("denominator") == "implied"
    delta, drawn = plain.filter(implied)["std_error"], boot.filter(implied)["std_error"]
    assert np.allclose(delta, drawn, rtol=0.2)
    assert set(plain.filter(~implied)["reason"]) == {"needs_replicates"}
    assert boot["reason"].null_count() == boot.height
    assert (boot["conf_low"] < boot["estimate"]).all()
    assert set(boot["interval"]) == {"bootstrap percentile"}


def test_ordinal_items_have_both_omegas_and_errors_by_differences(answers):
    est = csi.fit("one =~ a+b+c\ntwo =~ x+y+z", answers, csi.SEM(ordered=tuple("abcxyz")))
    found = csi.omega(est)
    for name in ("one", "two"):
        assert value(found, name, "omega_categorical") < value(found, name, "omega_total")
    rows = found.table.filter(coefficient="omega_categorical", denominator="implied")
    assert (rows["std_error"] > 0.005).all()
    assert (rows["std_error"] < 0.05).all()
    by_rows = csi.consistency(answers, {"one": [*"abc"]}, n=0).table
    alone = by_rows.filter(coefficient="omega_categorical", denominator="implied").row(0, named=True)
    assert rows["estimate"][0] == pytest.approx(alone["estimate"], abs=0.02)
    assert rows["std_error"][0] == pytest.approx(alone["std_error"], rel=0.2)
    assert "分类 ω" in text(found, "zh")


def test_groups_and_single_items_have_their_rows(answers):
    est = csi.fit("one =~ a+b+c\ntwo =~ x", answers, csi.SEM(groups="sex"))
    table = csi.omega(est).table
    assert set(table["group"]) == {"m", "f"}
    assert set(table.filter(construct="two")["reason"]) == {"single_item"}
    assert table.filter(construct="one", denominator="implied")["estimate"].null_count() == 0


def test_composites_have_no_omega(answers):
    est = csi.fit("one =~ a+b+c\ntwo =~ x+y+z\ntwo ~ one", answers, csi.PLS())
    with pytest.raises(csi.Problems, match=r"csi\.SEM"):
        csi.omega(est)
