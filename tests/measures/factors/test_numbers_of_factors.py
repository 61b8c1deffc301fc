"""Adequacy and the number of factors: psych's numbers, eigenvalues by chance, the hull, bad input."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

import csi
from csi.display import text
from csi.measures.factors.adequacy import bartlett, kmo
from csi.measures.factors.extraction import extract
from csi.measures.factors.parallel import both_values, one_factor, random_normal, random_ordinal, random_rows
from csi.measures.factors.retained import empirical_kaiser, hull, leading, partial_squares
from csi.moments.ordinal import ordinal_moments

DATA = ("bfi", "hs", "mobi")


@pytest.mark.parametrize("name", DATA)
def test_adequacy_is_psychs(record, name):
    r = record(name)
    R = np.array(r["cor"])
    whole, each = kmo(R)
    assert whole == pytest.approx(r["kmo"], abs=1e-9)
    np.testing.assert_allclose(each, r["kmo_item"], atol=1e-9)
    assert bartlett(R, r["n"]) == pytest.approx(r["bartlett"]["chisq"], rel=1e-10)
    assert np.linalg.det(R) == pytest.approx(r["determinant"], abs=1e-12)


@pytest.mark.parametrize("name", DATA)
def test_partial_squares_are_psychs(record, name):
    r = record(name)
    theirs = np.array(r["map"], dtype=float)
    found = partial_squares(np.array(r["cor"]))[1 : theirs.size + 1]
    np.testing.assert_allclose(found, theirs[: found.size], atol=1e-9)


@pytest.mark.parametrize("name", DATA)
def test_parallel_analysis_is_psychs(record, name):
    """Observed eigenvalues exactly, those by chance within the error of 200 draws, the numbers kept the same."""
    r = record(name)
    theirs, p = r["parallel"], len(r["names"])
    observed = both_values(np.array([r["cor"]]))
    components, common = both_values(random_normal(r["n"], p, 300, seed=1))
    np.testing.assert_allclose(observed[0][0], theirs["pc_values"], atol=1e-9)
    np.testing.assert_allclose(observed[1][0], theirs["fa_values"], atol=1e-5)
    for mine, other in ((components, theirs["pc_sim_mean"]), (common, theirs["fa_sim_mean"])):
        error = mine.std(axis=0) * np.sqrt(1 / 300 + 1 / theirs["n_iter"])
        assert (np.abs(mine.mean(axis=0) - other) < 4.5 * error + 1e-3).all()
    assert leading(observed[0][0] > np.quantile(components, 0.95, axis=0)) == theirs["ncomp"]
    assert leading(observed[1][0] > np.quantile(common, 0.95, axis=0)) == theirs["nfact"]


def test_wishart_draws_are_those_of_rows():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(150, 40, 5))
    drawn = np.stack([np.corrcoef(one, rowvar=False) for one in rows])
    for mine, other in zip(both_values(random_normal(40, 5, 150, seed=2)), both_values(drawn), strict=True):
        error = np.sqrt(mine.var(axis=0) / 75)
        assert (np.abs(mine.mean(axis=0) - other.mean(axis=0)) < 4.5 * error).all()


def test_one_factor_is_minres():
    R = random_normal(300, 8, 50, seed=5) * 0.7 + 0.3
    theirs = extract(R, 1).loadings[:, :, 0]
    np.testing.assert_allclose(one_factor(R, np.full((50, 8), 0.5)), theirs, atol=1e-3)


@pytest.mark.parametrize("n", [150, 1000])
def test_shuffled_categories_have_the_polychorics_of_full_likelihood(n):
    cuts = ndtri(np.array([0.1, 0.3, 0.7]))
    answers = np.repeat(np.arange(4.0), np.diff(np.round(n * np.array([0, 0.1, 0.3, 0.7, 1]))).astype(int))
    rng = np.random.default_rng(3)
    full = [
        ordinal_moments(rng.permuted(np.tile(answers, (4, 1)), axis=1).T, np.ones(n), list("abcd"), [True] * 4).cov
        for _ in range(12)
    ]
    mine = both_values(random_ordinal(dict.fromkeys("abcd", tuple(cuts)), n, 300, seed=1))[0]
    theirs = both_values(np.array(full))[0]
    error = theirs.std(axis=0) / np.sqrt(12)
    assert (np.abs(mine.mean(axis=0) - theirs.mean(axis=0)) < 4.5 * error).all()


def test_shuffling_keeps_columns():
    R = random_rows(np.random.default_rng(1).normal(size=(50, 3)), 5, seed=1)
    assert np.unique(R[:, 0, 1]).size == 5
    np.testing.assert_allclose(R[:, 0, 0], 1.0)


def test_empirical_kaiser_by_hand():
    reference = empirical_kaiser(np.array([3.0, 1.2, 0.5, 0.3]), 100)
    np.testing.assert_allclose(reference, [1.44, 1.0, 1.0, 1.0])


def test_the_hull_leaves_what_lies_below_it():
    found = hull(np.array([0.0, 0.3, 0.9, 0.91, 0.95, 0.96]), 20)
    assert found.on.tolist() == [True, False, True, False, True, True]
    assert found.best == 2
    assert hull(np.array([0.5, 0.4]), 5).best is None


@pytest.fixture(scope="module")
def two():
    rng = np.random.default_rng(1)
    f = np.repeat(rng.normal(size=(400, 2)), 4, axis=1)
    return pl.DataFrame(f + rng.normal(size=(400, 8)), schema=[f"q{k}" for k in range(1, 9)])


def test_every_rule_finds_two(two):
    found = csi.n_factors(two, {"a": two.columns[:4], "b": two.columns[4:]}, resamples=200)
    told = dict(found.table.select("method", "factors").rows())
    for rule in ("parallel_components", "parallel_common", "map", "map4", "ekc", "kaiser"):
        assert told[rule] == 2
    assert (found.suggested, found.intended) == (2, 2)
    assert found.table.filter(method="kaiser")["counted"].to_list() == [False]
    assert found.scree.height == 8
    assert csi.n_factors(two, two.columns, resamples=200).scree.equals(found.scree)
    assert "因子" in text(found, "zh")


def test_ordinal_parallel_analysis(two):
    coded = pl.DataFrame(np.digitize(two.to_numpy(), [-1.0, 0.5]).astype(float), schema=two.columns)
    found = csi.n_factors(coded, coded.columns, resamples=200)
    assert found.kind == "polychoric"
    assert found.suggested == 2
    assert found.table.filter(method="hull_cfi")["reason"].to_list() == ["R-NO-LIKELIHOOD"]


def test_unrelated_items_have_no_factor():
    x = pl.DataFrame(np.random.default_rng(6).normal(size=(300, 6)), schema=list("abcdef"))
    found = csi.n_factors(x, x.columns, resamples=300)
    assert dict(found.table.select("method", "factors").rows())["parallel_components"] == 0
    assert "W-NO-FACTOR" in {n.code for n in found.notes}


def test_items_that_say_the_same(two):
    doubled = two.with_columns(again=pl.col("q1"))
    found = csi.adequacy(doubled, doubled.columns)
    assert found.kmo is None
    assert found.reason.code == "R-SINGULAR"
    assert found.determinant == pytest.approx(0, abs=1e-9)
    assert "R-SINGULAR" in set(found.table["reason"])
    assert "无 KMO" in text(found, "zh")
    assert csi.n_factors(doubled, doubled.columns, resamples=100).scree["eigenvalue"][-1] == pytest.approx(0, abs=1e-9)


def test_two_items(two):
    found = csi.n_factors(two, ["q1", "q2"], resamples=100)
    assert found.table.filter(method="hull_caf")["reason"].to_list() == ["R-NO-ELBOW"]
    assert csi.adequacy(two, ["q1", "q2"]).kmo == pytest.approx(0.5)


def test_settings_are_told_together(two):
    with pytest.raises(csi.Problems) as found:
        csi.n_factors(two, two.columns, resamples=5, quantile=95)
    assert len(found.value.problems) == 2
