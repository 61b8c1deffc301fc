"""Coefficients without a factor: psych's numbers, cases by hand, what theory says of their order."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.measures.blocks import correlations
from csi.measures.consistency.classical import alpha_error, feldt_interval, lambdas, tenberge
from csi.measures.consistency.lower_bound import greatest_lower_bound
from csi.measures.consistency.splits import EVERY, SAMPLED, spearman_brown, split_reliability, splits
from csi.measures.pairwise import covariances
from csi.measures.reliability import alpha

REFERENCE = Path(__file__).parents[2] / "reference"
DATA = os.environ.get("CSI_REFERENCE_DIR")
TURNED = ("A1", "C4", "C5", "E1", "E2", "O2", "O5")


def read(folder, name):
    return json.loads((REFERENCE / folder / name).read_text(encoding="utf-8"))


THEIRS = read("reliability", "numbers.json")


def cov_of(folder, start):
    m = read(folder, "moments.json")
    at = [i for i, name in enumerate(m["names"]) if name.startswith(start)]
    return np.array(m["cov"])[np.ix_(at, at)], m["n"]


def agrees(cov, n, theirs):
    k = len(cov)
    assert alpha(cov, np.ones((k, 1)))[0] == pytest.approx(theirs["alpha"], abs=1e-10)
    assert alpha(correlations(cov), np.ones((k, 1)))[0] == pytest.approx(theirs["alpha_std"], abs=1e-10)
    assert lambdas(correlations(cov))["lambda6"] == pytest.approx(theirs["lambda6"], abs=1e-10)
    assert alpha_error(cov, n) == pytest.approx(theirs["ase"], abs=1e-10)
    assert feldt_interval(np.array(theirs["alpha"]), n, k) == pytest.approx(tuple(theirs["feldt"]), abs=1e-10)


@pytest.mark.parametrize("scale", THEIRS["alpha_mobi"])
def test_alpha_of_mobi_agrees_with_psych(scale):
    agrees(*cov_of("mobi", scale), THEIRS["alpha_mobi"][scale])


def test_alpha_of_the_bank_and_of_holzinger_agrees_with_psych():
    agrees(*cov_of("satisfaction", "qual"), THEIRS["alpha_satisfaction_QUAL"])
    agrees(*cov_of("holzinger", "x"), THEIRS["alpha_hs9"])


@pytest.mark.skipif(not DATA, reason="row-level data: set CSI_REFERENCE_DIR")
@pytest.mark.parametrize("trait", THEIRS["alpha_bfi_reversed_missing"])
def test_pairwise_covariances_of_rows_with_absent_answers_agree_with_psych(trait):
    frame = pl.read_csv(Path(DATA) / "data/bfi/bfi.csv", null_values=["NA"])
    items = [f"{trait[0].upper()}{i}" for i in range(1, 6)]
    turned = frame.with_columns((7 - pl.col(i)).alias(i) for i in items if i in TURNED)
    cov = covariances(turned.select(items).to_numpy().astype(float), np.ones((1, frame.height)))[0]
    agrees(cov, frame.height, THEIRS["alpha_bfi_reversed_missing"][trait])
    if trait == "agree":
        plain = covariances(frame.select(items).to_numpy().astype(float), np.ones((1, frame.height)))[0]
        agrees(plain, frame.height, THEIRS["alpha_bfi_unreversed_A"])


def test_listwise_and_weighted_covariances_by_hand():
    rows = np.array([[1.0, 2], [2, 1], [4, 5], [np.nan, 3]])
    full = np.cov(rows[:3], rowvar=False)
    assert np.allclose(covariances(rows, np.ones((1, 4)), "listwise")[0], full)
    pairwise = covariances(rows, np.ones((1, 4)))[0]
    assert pairwise[1, 1] == pytest.approx(np.var(rows[:, 1], ddof=1))
    assert pairwise[0, 1] == pytest.approx(full[0, 1])
    twice = covariances(rows[:3], np.array([[2.0, 1, 1]]))[0]
    assert np.allclose(twice, np.cov(rows[[0, 0, 1, 2]], rowvar=False, ddof=0) * 3 / 2)


def test_lambdas_and_mu_agree_with_psych():
    cor = correlations(cov_of("holzinger", "x")[0])
    theirs, ours = THEIRS["guttman_hs9"], lambdas(cor)
    for i in (1, 2, 3, 5, 6):
        assert ours[f"lambda{i}"] == pytest.approx(theirs[f"lambda.{i}"], abs=1e-10)
    assert tenberge(cor) == pytest.approx(tuple(theirs["tenberge"].values()), abs=1e-10)
    perq = correlations(cov_of("mobi", "PERQ")[0])
    assert tenberge(perq) == pytest.approx(tuple(THEIRS["tenberge_perq"].values()), abs=1e-10)


def test_every_split_is_looked_at_where_psych_looks_at_some():
    """Its best and worst splits are among ours, which reach further."""
    ours = split_reliability(correlations(cov_of("holzinger", "x")[0]), splits(9))
    theirs = THEIRS["split_half_hs9"]
    assert len(ours) == 126
    for name in ("maxrb", "minrb"):
        assert np.abs(ours - theirs[name]).min() < 1e-8
    assert ours.max() > theirs["maxrb"]
    assert ours.min() < theirs["minrb"]


def test_splits_of_an_even_number_of_items_average_to_alpha():
    cov = cov_of("satisfaction", "val")[0]
    assert split_reliability(cov, splits(4)).mean() == pytest.approx(alpha(cov, np.ones((4, 1)))[0])
    equal = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    assert np.allclose(split_reliability(equal, splits(4)), spearman_brown(equal, splits(4)))


def test_splits_of_long_scales_are_drawn_and_repeat():
    drawn = splits(EVERY + 1, seed=3)
    assert drawn.shape == (SAMPLED, EVERY + 1)
    assert set((drawn > 0).sum(axis=1)) == {EVERY // 2}
    assert np.array_equal(drawn, splits(EVERY + 1, seed=3))
    assert len(splits(EVERY)) == 6435


def every_split(k):
    """Every split in two parts, of whatever sizes."""
    parts = [part for size in range(1, k // 2 + 1) for part in combinations(range(k), size)]
    return np.array([np.where(np.isin(np.arange(k), part), 1.0, -1.0) for part in parts])


@pytest.mark.parametrize("standardised", [True, False])
def test_the_greatest_lower_bound_lies_between_its_certificates_above_all_others(standardised):
    cov = cov_of("holzinger", "x")[0]
    cov = correlations(cov) if standardised else cov
    found = greatest_lower_bound(cov[None])
    assert found.value[0] - found.floor[0] < 1e-8
    feasible = cov - np.diag(found.errors[0])
    assert np.linalg.eigvalsh(feasible)[0] > -1e-9
    assert found.errors.min() >= 0
    assert found.value[0] == pytest.approx(1 - found.errors[0].sum() / cov.sum(), abs=1e-12)
    lengths = np.linalg.norm(found.rows[0], axis=1)
    assert lengths.min() > 1 - 1e-9
    assert (cov * (found.rows[0] @ found.rows[0].T)).sum() == pytest.approx(found.errors.sum(), abs=1e-7)
    assert found.floor[0] > split_reliability(cov, every_split(9)).max()
    assert found.floor[0] > tenberge(cov).max()
    assert found.value[0] < 1


def test_the_greatest_lower_bound_by_hand():
    """One factor: (sum l)^2 / 1'V1 where no loading exceeds the others' sum, else the split of that item alone."""
    for loadings, expected in (
        ([0.8, 0.7, 0.6], 2.1**2),
        ([0.5, 0.6, 0.7, 0.8], 2.6**2),
        ([0.9, 0.3, 0.3], 4 * 0.9 * 0.6),
    ):
        one = np.array(loadings)
        cov = np.outer(one, one) + np.diag(1 - one**2)
        assert greatest_lower_bound(cov[None]).value[0] == pytest.approx(expected / cov.sum(), abs=1e-7)
    parallel = np.full((1, 5, 5), 0.4) + 0.6 * np.eye(5)
    assert greatest_lower_bound(parallel).value[0] == pytest.approx(alpha(parallel, np.ones((5, 1)))[0, 0], abs=1e-9)


def test_psychs_bounds_are_no_greatest_lower_bound():
    found = greatest_lower_bound(correlations(cov_of("holzinger", "x")[0])[None]).floor[0]
    assert found > THEIRS["glb_hs9"]["glb.max"]
    assert found > THEIRS["glb_fa_hs9"]["glb"]
