"""Factor correlations, their intervals and tests against lavaan; HTMT2 against semTools; causes that were planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.blocks import membership
from csi.measures.separation.discriminant import Discriminant, discriminant
from csi.measures.separation.heterotrait import htmt2
from csi.measures.separation.latent_ratios import _slopes, latent_ratios
from csi.measures.validity import htmt
from csi.moments.ordinal import polychoric_stack
from csi.moments.sample import sample_of

REFERENCE = Path(__file__).parents[2] / "reference"
PRINTED = json.loads((REFERENCE / "distinct.json").read_text(encoding="utf-8"))["cases"]


def moments(case: str) -> csi.Moments:
    m = json.loads((REFERENCE / case / "moments.json").read_text(encoding="utf-8"))
    return csi.Moments.of(m["names"], m["cov"], m["n"])


def model(case: str) -> str:
    return next(row["model"] for row in PRINTED if row["case"] == case)


@pytest.fixture(scope="module")
def found() -> dict[str, Discriminant]:
    return {case: discriminant(model(case), moments(case)) for case in ("holzinger", "democracy")}


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row['construct']}-{row['other']}")
def test_correlations_intervals_and_tests_agree_with_lavaan(row: dict, found: dict[str, Discriminant]) -> None:
    ours = found[row["case"]].table.filter(construct=row["construct"], other=row["other"]).row(0, named=True)
    for name in ("correlation", "std_error", "conf_low", "conf_high"):
        assert ours[name] == pytest.approx(row[name], abs=1e-5)
    assert ours["chi2_one"] == pytest.approx(row["chi2_1"], abs=1e-4)
    assert ours["chi2_cutoff"] == pytest.approx(row["chi2_0.9"], abs=1e-4)


def test_htmt2_agrees_with_semtools(found: dict[str, Discriminant]) -> None:
    """semTools 0.5-6 on PoliticalDemocracy: cbsem_poldem.json, htmt2."""
    theirs = {"ind60 dem60": 0.42093437236164, "ind60 dem65": 0.549916197068206, "dem60 dem65": 0.980709419252308}
    table = found["democracy"].table
    ours = {f"{a} {b}": v for a, b, v in table.select("construct", "other", "htmt2").rows()}
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_htmt_agrees_with_csem() -> None:
    """cSEM 0.6.1.9000, satisfaction: testHTMT (pls_csem_satisfaction.json)."""
    text = "EXPE =~ expe1 + expe2 + expe3 + expe4 + expe5\nQUAL =~ qual1 + qual2 + qual3 + qual4 + qual5"
    ours = discriminant(text, moments("satisfaction")).table["htmt"].item()
    assert ours == pytest.approx(0.981902559620551, abs=1e-6)


def test_the_interval_classes_a_pair(found: dict[str, Discriminant]) -> None:
    assert found["holzinger"].table["problem"].to_list() == ["none"] * 3
    worst = found["democracy"].table.filter(problem="severe")
    assert worst.select("construct", "other").rows() == [("dem60", "dem65")]
    sentence = found["democracy"].sentences[1]
    assert "y2 and y6" in sentence.en
    assert "y2" in sentence.zh
    assert "严重" in sentence.zh


def answers(n: int = 300, shared: float = 0.0, seed: int = 3) -> pl.DataFrame:
    """Two constructs that correlate .3; `shared` is the share of a's factor in b1."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    g = 0.3 * f + np.sqrt(1 - 0.09) * rng.normal(size=n)
    h = 0.3 * f + np.sqrt(1 - 0.09) * rng.normal(size=n)
    made = {f"{c}{i}": v + 0.7 * rng.normal(size=n) for c, v in (("a", f), ("b", g), ("c", h)) for i in (1, 2, 3)}
    made["b1"] = made["b1"] + shared * f
    return pl.DataFrame({**made, "single": h + 0.5 * rng.normal(size=n)})


TEXT = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2 + c3"


@pytest.fixture(scope="module")
def planted() -> Discriminant:
    return discriminant(TEXT + "; d =~ single", answers(shared=1.2), replicates=100)


def test_the_item_that_draws_a_pair_together_is_named(planted: Discriminant) -> None:
    causes = planted.causes.filter(construct="a", other="b")
    cross = causes.filter(kind="cross-loading").row(0, named=True)
    assert (cross["item"], cross["partner"]) == ("b1", "a")
    removed = causes.filter(kind="item").row(0, named=True)
    own = planted.table.filter(construct="a", other="b")["htmt"].item()
    assert removed["item"] == "b1"
    assert removed["htmt_without"] < own


def test_a_construct_of_one_item_has_a_reason_and_its_htmt(planted: Discriminant) -> None:
    rows = planted.table.filter(other="d")
    assert rows["correlation"].null_count() == rows.height == 3
    assert set(rows["reason"]) == {"single_item"}
    assert rows["htmt"].null_count() == 0
    assert "single_item" in planted.reasons


def test_htmt_has_intervals_from_the_rows(planted: Discriminant) -> None:
    table = planted.table
    assert (table["htmt_low"] < table["htmt"]).all()
    assert (table["htmt2"] < table["htmt2_high"]).all()
    alone = discriminant(TEXT, answers(), replicates=0).table
    assert "htmt_low" not in alone.columns


def test_an_estimate_with_arrows_and_cells_is_judged_by_its_factors() -> None:
    frame = pl.concat([answers(seed=s).with_columns(brand=pl.lit(b)) for s, b in ((3, "A"), (4, "B"))])
    est = csi.fit(TEXT + "; b ~ a; c ~ b", frame, csi.SEM(), by=["brand"])
    table = discriminant(est, replicates=0).table
    assert table["brand"].to_list() == ["A"] * 3 + ["B"] * 3
    alone = discriminant(TEXT, answers(seed=4), replicates=0).table
    ours, theirs = table.filter(brand="B")["chi2_one"].to_numpy(), alone["chi2_one"].to_numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_constructs_that_are_one_are_told() -> None:
    """The correlation is 1 or beyond: severe, told, and not different from 1."""
    rng = np.random.default_rng(5)
    f = rng.normal(size=250)
    frame = pl.DataFrame({f"{c}{i}": f + 0.8 * rng.normal(size=250) for c in "ab" for i in (1, 2, 3)})
    found = discriminant("a =~ a1 + a2 + a3; b =~ b1 + b2 + b3", frame, replicates=0)
    row = found.table.row(0, named=True)
    assert row["problem"] == "severe"
    assert row["p_one"] > 0.05
    assert row["boundary"] is (abs(row["correlation"]) >= 1)
    assert "N-BOUNDARY" in {n.code for n in found.notes}


def test_a_negative_correlation_is_tested_against_its_own_sign() -> None:
    frame = answers().with_columns((-pl.col(f"a{i}")).alias(f"a{i}") for i in (1, 2, 3))
    plain, turned = (discriminant(TEXT, f, replicates=0).table for f in (answers(), frame))
    np.testing.assert_allclose(turned["chi2_one"].to_numpy(), plain["chi2_one"].to_numpy(), rtol=1e-6)
    assert turned["correlation"][0] == pytest.approx(-plain["correlation"][0], abs=1e-6)


def test_htmt2_by_hand_and_without_a_correlation() -> None:
    cor = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.4], [0.0, 0.4, 1.0]])
    assert htmt2(cor, np.array([[1.0, 0], [1, 0], [0, 1]]))[0, 1] == 0.0


def test_faults_are_told_together() -> None:
    with pytest.raises(csi.Problems) as caught:
        discriminant(TEXT, answers(), cutoff=1.5, replicates=2.5, estimator=csi.PLS())
    assert {p.where for p in caught.value.problems} == {"cutoff", "replicates", "estimator"}
    with pytest.raises(csi.Problems, match="two reflective constructs"):
        discriminant("a =~ a1 + a2 + a3; d =~ single; d ~ a", answers())
    with pytest.raises(csi.Problems, match="needs answers"):
        discriminant(TEXT)
    with pytest.raises(csi.Problems, match="a1"):
        discriminant(TEXT, answers().with_columns(a1=pl.lit(3.0)), replicates=0)


@pytest.fixture(scope="module")
def ordinal() -> pl.DataFrame:
    rng = np.random.default_rng(6)
    common = rng.normal(size=(500, 1))
    latent = np.hstack([common + 0.5 * rng.normal(size=(500, 1)), common + rng.normal(size=(500, 1)), common])
    rows = np.digitize(np.repeat(latent, 2, axis=1) + rng.normal(size=(500, 6)), [-1.0, 0.5, 2.0]).astype(float)
    rows[:25, 0] = np.nan
    return pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2", "c1", "c2"])


def test_htmt_of_ordinal_items_is_that_of_their_polychoric_correlations(ordinal: pl.DataFrame) -> None:
    scales = {c: [f"{c}1", f"{c}2"] for c in "abc"}
    settings = csi.SEM(estimator="WLSMV", ordered=tuple(ordinal.columns), missing="pairwise")
    est = csi.fit("a =~ a1 + a2; b =~ b1 + b2; c =~ c1 + c2", ordinal, settings)
    of = discriminant(est, tests="close", replicates=0)
    cor = csi.correlations(ordinal, scales, kind="polychoric").matrix
    assert of.table["htmt"].to_list() == pytest.approx(
        [htmt(cor, membership(np.repeat(range(3), 2), 3))[i, j] for i, j in ((0, 1), (0, 2), (1, 2))], abs=1e-6
    )
    assert {"N-HTMT-LATENT"} <= {n.code for n in of.notes}


def test_limits_of_latent_ratios_are_as_wide_as_those_of_resamples(ordinal: pl.DataFrame) -> None:
    sample = sample_of(ordinal, ordinal.columns, missing="pairwise")
    scales = {c: [f"{c}1", f"{c}2"] for c in "ab"}
    value, low, high = latent_ratios(sample, scales, 0.95)
    error = np.log(high / low)[0, :, 0, 1] / (2 * 1.959964)
    rows = ordinal.select("a1", "a2", "b1", "b2").to_numpy()
    W = np.random.default_rng(2).multinomial(500, np.full(500, 1 / 500), size=300).astype(float)
    cor = polychoric_stack(rows, W, [True] * 4, missing="pairwise").cov
    member = membership(np.array([0, 0, 1, 1]), 2)
    drawn = np.log([htmt(cor, member)[:, 0, 1], htmt2(cor, member)[:, 0, 1]]).std(axis=1)
    assert error == pytest.approx(drawn, rel=0.12)
    assert np.log([low, high]).mean(axis=0)[0, 0, 0, 1] == pytest.approx(np.log(value[0, 0, 0, 1]))


def test_slopes_of_the_log_ratios_are_those_of_differences() -> None:
    loading = np.array([0.8, 0.7, 0.6, 0.75, 0.5])
    cor = np.outer(loading, loading) + np.diag(1 - loading**2)
    cor[0, 3] = cor[3, 0] = -0.2
    block = np.array([0, 0, 1, 1, 2])
    member, e = membership(block, 3), 1e-6
    for slope, ratio in zip(_slopes(cor, block, 0, 1), (htmt, htmt2), strict=True):
        for i, j in ((0, 1), (0, 3), (2, 3), (0, 4)):
            move = np.zeros((5, 5))
            move[i, j] = move[j, i] = e
            up, down = (np.log(ratio(cor + sign * move, member)[0, 1]) for sign in (1, -1))
            assert slope[i, j] == pytest.approx((up - down) / (2 * e), abs=1e-6)


def test_tests_of_close_pairs_are_those_of_all_pairs(found: dict[str, Discriminant]) -> None:
    every = found["democracy"].table
    some = discriminant(model("democracy"), moments("democracy"), tests="close")
    close = some.table.filter(pl.col("p_one").is_not_null())
    assert 0 < close.height < every.height
    tested = every.join(close.select("construct", "other"), on=["construct", "other"], how="semi")
    assert close["chi2_one"].to_list() == pytest.approx(tested["chi2_one"].to_list(), abs=1e-9)
    far = some.table.filter(pl.col("p_one").is_null())
    assert set(far["reason"]) == {"R-FAR-APART"}
    assert (far["conf_high"] < 0.8).all()
    with pytest.raises(csi.Problems, match="tests"):
        discriminant(model("democracy"), moments("democracy"), tests="some")
