"""Consistent PLS: what is corrected, what is not, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.inference.lost import outside
from csi.measures.reliability import reliability
from csi.moments.stack import Moments
from csi.pls.estimator import PLS

CHAIN = "x =~ x1 + x2 + x3\nm =~ m1 + m2\ny =~ y1 + y2 + y3\nm ~ x\ny ~ x + m"
LOADINGS = np.array([0.8, 0.7, 0.6, 0.9, 0.7, 0.75, 0.65, 0.85])
BLOCK = np.array([0, 0, 0, 1, 1, 2, 2, 2])
FACTORS = np.array([[1.0, 0.5, 0.55], [0.5, 1.0, 0.6], [0.55, 0.6, 1.0]])
ITEMS = ("x1", "x2", "x3", "m1", "m2", "y1", "y2", "y3")


def population(factors: np.ndarray = FACTORS) -> Moments:
    """Exact moments of a factor model."""
    R = np.outer(LOADINGS, LOADINGS) * factors[np.ix_(BLOCK, BLOCK)]
    np.fill_diagonal(R, 1.0)
    return Moments.of(ITEMS, R, n=1000)


def test_a_factor_population_is_recovered() -> None:
    """On exact factor moments PLSc is the factor model (Dijkstra & Henseler 2015); plain PLS is attenuated."""
    solution = fit(CHAIN, population(), PLS(consistent=True, tolerance=1e-12)).solution
    np.testing.assert_allclose(solution.loadings[0], LOADINGS, atol=1e-9)
    np.testing.assert_allclose(solution.construct_cor[0], FACTORS, atol=1e-9)
    slopes = np.linalg.solve(FACTORS[:2, :2], FACTORS[:2, 2])
    np.testing.assert_allclose(solution.paths[0, 2, :2], slopes, atol=1e-9)
    np.testing.assert_allclose(solution.r2[0, 2], slopes @ FACTORS[:2, 2], atol=1e-9)
    plain = fit(CHAIN, population(), PLS(tolerance=1e-12)).solution
    np.testing.assert_array_equal(solution.score_cor, plain.construct_cor)
    np.testing.assert_array_equal(solution.cross_loadings, plain.cross_loadings)
    assert np.abs(plain.construct_cor[0][np.triu_indices(3, 1)]).max() < 0.55


def test_composites_and_single_items_are_not_corrected() -> None:
    text = "x <~ x1 + x2 + x3\nm =~ m1\ny =~ y1 + y2 + y3\nm ~ x\ny ~ x + m"
    solution = fit(text, population(), PLS(consistent=True)).solution
    assert solution.rho is not None
    np.testing.assert_array_equal(solution.rho[0, :2], [1.0, 1.0])
    assert solution.rho[0, 2] < 1
    np.testing.assert_array_equal(solution.construct_cor[0, 0, 1], solution.score_cor[0, 0, 1])
    ratio = solution.construct_cor[0, 0, 2] / solution.score_cor[0, 0, 2]
    assert ratio == pytest.approx(1 / np.sqrt(solution.rho[0, 2]), rel=1e-12)


def test_a_mode_of_the_settings_is_that_of_the_model() -> None:
    formed = fit(CHAIN.replace("x =~", "x <~"), population(), PLS(consistent=True))
    asked = fit(CHAIN, population(), PLS(consistent=True, modes={"x": "B"}))
    np.testing.assert_array_equal(formed.values, asked.values)
    assert asked.solution.modes == ("B", "A", "A")


def test_settings_that_name_nothing() -> None:
    with pytest.raises(Problems) as caught:
        PLS(modes={"x": "C"})  # type: ignore[dict-item]
    assert caught.value.problems[0].code == "E-SETTING"
    with pytest.raises(Problems) as caught:
        fit(CHAIN, population(), PLS(modes={"xx": "B"}))
    assert caught.value.problems[0].code == "E-CONSTRUCT"


def test_negative_rho_a_is_a_reason_not_a_number() -> None:
    R = population().cov[0].copy()
    R[3, 4] = R[4, 3] = -0.3
    one = Moments.of(ITEMS, R, n=500)
    with pytest.raises(Problems) as caught:
        fit(CHAIN, one, PLS(consistent=True))
    assert caught.value.problems[0].code == "E-RHO"
    assert "m (" in caught.value.problems[0].say("en")
    assert fit(CHAIN, one, PLS()).convergence.converged.all()


def test_correlations_beyond_one_are_kept_and_told() -> None:
    high = FACTORS.copy()
    high[0, 1] = high[1, 0] = 1.08
    est = fit(CHAIN, population(high), PLS(consistent=True))
    assert est.convergence.converged.all()
    assert np.isfinite(est.values).all()
    assert est.solution.construct_cor[0, 0, 1] == pytest.approx(1.08, abs=1e-6)
    assert est.convergence.improper["construct correlation above 1"].all()
    assert est.convergence.improper["construct correlations not positive definite"].all()
    assert "x - m" in next(n for n in est.notes if n.code == "W-COR").say("en")


def test_impossible_shares_are_reasons_and_the_doctor_says_so() -> None:
    """R2 of m is 1.08^2: no share of variance, in any table; negative where predictors cannot correlate so."""
    high = FACTORS.copy()
    high[0, 1] = high[1, 0] = 1.08
    est = fit(CHAIN, population(high), PLS(consistent=True))
    assert est.solution.r2[0, 1] == pytest.approx(1.08**2, abs=1e-6)
    found = csi.effects(est)
    for table, column in ((found.r2, "construct"), (csi.r2(est), "variable"), (found.f2, "outcome")):
        row = table.row(by_predicate=pl.col(column) == "m", named=True)
        assert row["reason"] == "R-R2"
        assert row.get("r2", row.get("f2")) is None
    assert csi.r2(est).filter(variable="y")["r2"].item() == pytest.approx(est.solution.r2[0, 2])
    assert {n.code for n in found.notes} == {"W-COR"}
    assert next(n for n in est.notes if n.code == "W-COR").say("en") in text(found, "en")
    diagnosis = csi.verify(est)
    assert "W-COR" in diagnosis.codes
    assert "% of their variance" not in text(diagnosis, "en")


def test_an_impossible_matrix_without_a_correlation_beyond_one_is_found() -> None:
    bent = np.array([[1.0, 0.9, -0.3], [0.9, 1.0, 0.4], [-0.3, 0.4, 1.0]])
    est = fit(CHAIN, population(bent), PLS(consistent=True))
    assert np.abs(est.solution.construct_cor).max() < 1 + 1e-9
    assert "W-COR" in csi.verify(est).codes
    assert "not positive definite" in text(csi.effects(est), "en")
    assert csi.effects(est).r2.filter(construct="y")["reason"].item() == "R-R2"


def test_a_construct_and_what_it_is_made_of_are_not_called_indistinct() -> None:
    among = np.full((3, 3), 0.85) + 0.15 * np.eye(3)
    model = "x =~ x1 + x2 + x3; m =~ m1 + m2 ; H <~ x + m; y =~ y1 + y2 + y3; y ~ H"
    found = csi.verify(fit(csi.Model.parse(model), population(among), PLS()))
    assert not [f for f in found.findings if f.code == "W-COLL" and set(f.parameters) in ({"H", "x"}, {"H", "m"})]


def test_an_interval_without_its_estimate_is_told() -> None:
    told = outside(["a", "b", "c"], np.array([0.5, 0.2, 0.3]), np.array([0.6, 0.1, np.nan]), np.array([0.9, 0.3, 1.0]))
    assert [n.code for n in told] == ["W-INTERVAL"]
    assert told[0].say("en").count(": a.") == 1
    noise = pl.DataFrame(np.random.default_rng(0).standard_normal((35, 8)), schema=list(ITEMS))
    est = fit(CHAIN, noise, PLS())  # weights fitted to noise: resamples are centred elsewhere
    boot = csi.bootstrap(est, 100, seed=2, level=0.5)
    table = boot.table.filter(~pl.col("estimate").is_between("conf_low", "conf_high"))
    said = [n.say("en") for n in boot.notes if n.code == "W-INTERVAL"]
    assert table.height > 0
    assert len(said) == 1
    first = table.row(0, named=True)
    assert f"{first['lhs']} {first['op']} {first['rhs']}" in said[0]
    off = csi.effects(boot).table.filter(~pl.col("estimate").is_between("conf_low", "conf_high"))
    assert off.height > 0
    assert "W-INTERVAL" in {n.code for n in csi.effects(boot).notes}


def test_rho_a_above_one_is_kept_and_told() -> None:
    R = population().cov[0].copy()
    R[3, 4] = R[4, 3] = 0.2
    R[3, :3] = R[:3, 3] = R[3, 5:] = R[5:, 3] = 0.55
    R[4, :3] = R[:3, 4] = R[4, 5:] = R[5:, 4] = 0.05
    est = fit(CHAIN, Moments.of(ITEMS, R, n=500), PLS(consistent=True))
    assert est.solution.rho is not None
    assert est.solution.rho[0, 1] > 1
    assert est.convergence.improper["rho_a above 1"].all()
    assert "m" in next(n for n in est.notes if n.code == "W-RHO").say("en")


def test_replicates_count_what_is_improper() -> None:
    rng = np.random.default_rng(8)
    rows = rng.multivariate_normal(np.zeros(8), population().cov[0], size=35)
    boot = bootstrap(fit(CHAIN, pl.DataFrame(rows, schema=list(ITEMS)), PLS(consistent=True)), 200, seed=1)
    assert boot.replicates is not None
    counts = dict(boot.replicates.counts.select("cause", "replicates").iter_rows())
    assert counts["rho_a above 1"] > 0
    proper = boot.replicates.admissible[:, 0]
    rho = boot.replicates.solution.rho
    assert rho is not None
    assert (rho[proper] <= 1 + 1e-9).all()
    told = [n.say("en") for n in boot.notes if n.code == "N-REPLICATES"]
    assert any("rho_a above 1 (kept)" in said for said in told)
    assert any("negative rho_a (left out)" in said for said in told)
    assert (~boot.replicates.usable).sum() == counts["negative rho_a"] > 0


def test_reliability_says_whose_loadings_it_used() -> None:
    """AVE of PLSc and of composites are different numbers under one name (mobi: 0.353 and 0.478)."""
    text = CHAIN.replace("x =~", "x <~")
    mixed = reliability(fit(text, population(), PLS(consistent=True, modes={"x": "A"})))
    assert mixed.table["loadings"].to_list() == ["composite", "factor", "factor"]
    assert [n.code for n in mixed.notes] == ["composite_loadings"]
    assert " of x " in mixed.notes[0].say("en")
    whole = reliability(fit(CHAIN, population(), PLS(consistent=True)))
    assert [n.code for n in whole.notes] == ["factor_loadings"]
    np.testing.assert_allclose(whole.table["ave"], [np.mean(LOADINGS[k == BLOCK] ** 2) for k in range(3)], atol=1e-6)
    plain = reliability(fit(CHAIN, population(), PLS()))
    assert set(plain.table["loadings"]) == {"composite"}
    assert (plain.table["ave"] > whole.table["ave"]).all()


def test_consistent_pls_centres_on_the_factor_values() -> None:
    """600 normal panels of n = 500 in one call: mean paths and loadings within 3 Monte Carlo errors and 0.003 of small
    sample bias; plain PLS is below by a fifth.
    """
    draws, n, rng = 600, 500, np.random.default_rng(1)
    root = np.linalg.cholesky(population().cov[0])
    cov = np.stack([np.cov(rng.normal(size=(n, 8)) @ root.T, rowvar=False) for _ in range(draws)])
    size = np.full(draws, float(n))
    cells = pl.DataFrame({"draw": range(draws), "n": [n] * draws})
    stack = replace(population(), n=size, sum_w=size, sum_w2=size, mean=np.zeros((draws, 8)), cov=cov, cells=cells)
    found = fit(CHAIN, stack, PLS(consistent=True)).solution
    slopes = np.linalg.solve(FACTORS[:2, :2], FACTORS[:2, 2])
    truth = np.array([0.5, *slopes, *LOADINGS])
    ours = np.column_stack([found.paths[:, [1, 2, 2], [0, 0, 1]], found.loadings])
    error = ours.std(axis=0, ddof=1) / np.sqrt(draws)
    assert (np.abs(ours.mean(axis=0) - truth) < 3 * error + 0.003).all()
    plain = fit(CHAIN, stack, PLS()).solution.paths[:, 1, 0].mean()
    assert plain < 0.42


def bent() -> Moments:
    """Moments whose correction gives m1 a loading above 1."""
    R = population().cov[0].copy()
    R[3, 4] = R[4, 3] = 0.5
    R[3, :3] = R[:3, 3] = R[3, 5:] = R[5:, 3] = 0.5
    R[4, :3] = R[:3, 4] = R[4, 5:] = R[5:, 4] = 0.15
    return Moments.of(ITEMS, R, n=500)


@pytest.mark.parametrize("compiled_too", [True, False])
def test_a_loading_above_one_is_told_at_the_fit_and_by_the_diagnosis(compiled_too, monkeypatch) -> None:
    if not compiled_too:
        monkeypatch.setattr("csi.pls.compiled.AVAILABLE", False)
    est = fit(CHAIN, bent(), PLS(consistent=True))
    assert est.solution.loadings[0, 3] > 1
    assert est.convergence.improper["negative variance"].all()
    told = next(n for n in est.notes if n.code == "W-HEYWOOD")
    assert "m - m1" in told.say("en")
    assert "m - m1" in told.say("zh")
    finding = next(f for f in csi.verify(est).findings if f.code == "W-HEYWOOD")
    assert finding.parameters == ("m1",)
    assert "误差方差为负" in finding.what.zh
    fine = fit(CHAIN, population(), PLS(consistent=True))
    assert not fine.convergence.improper["negative variance"].any()
    plain = fit(CHAIN, bent(), PLS())
    assert "W-HEYWOOD" not in {n.code for n in plain.notes}


def test_replicates_with_a_loading_above_one_are_counted_and_may_be_dropped() -> None:
    rng = np.random.default_rng(3)
    rows = rng.multivariate_normal(np.zeros(8), population().cov[0], size=60)
    est = fit(CHAIN, pl.DataFrame(rows, schema=list(ITEMS)), PLS(consistent=True))
    boot = bootstrap(est, 200, seed=1)
    assert boot.replicates is not None
    high = (np.abs(boot.replicates.solution.loadings) > 1 + 1e-9).any(axis=1)
    counts = dict(boot.replicates.counts.select("cause", "replicates").iter_rows())
    assert counts["negative variance"] == high.sum() > 0
    dropped = bootstrap(est, 200, seed=1, improper="drop")
    highs = dropped.table.filter(op="=~")["conf_high"].to_list()
    assert max(highs) <= 1 < max(boot.table.filter(op="=~")["conf_high"].to_list())


def test_a_loading_above_one_inside_a_component_is_told() -> None:
    model = CHAIN.replace("m ~ x\ny ~ x + m", "h =~ x + m\ny ~ h")
    est = fit(csi.Model.parse(model), bent(), PLS(consistent=True))
    assert est.convergence.improper["negative variance"].all()
    assert "W-HEYWOOD" in {n.code for n in est.notes} & set(csi.verify(est).codes)


@pytest.mark.parametrize("top", ["h <~ x + m; y ~ h", "g =~ x + y; h =~ g + m; z ~ h"])
def test_components_that_correlate_beyond_one_are_named_not_called_collinear(top) -> None:
    loadings = np.array([0.6, 0.5, 0.6, 0.5, 0.55, 0.6, 0.7, 0.7, 0.7, 0.7])
    block = np.repeat([0, 1, 2, 3], [3, 3, 2, 2])
    factors = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    factors[0, 1] = factors[1, 0] = 1.3
    R = np.outer(loadings, loadings) * factors[np.ix_(block, block)]
    np.fill_diagonal(R, 1.0)
    items = ("x1", "x2", "x3", "m1", "m2", "m3", "y1", "y2", "z1", "z2")
    text_ = "x =~ x1 + x2 + x3; m =~ m1 + m2 + m3; y =~ y1 + y2; z =~ z1 + z2; z ~ y; " + top
    if "g" in top:
        text_ = text_.replace("z ~ y; ", "").replace("g =~", "g <~").replace("h =~", "h <~")
    with pytest.raises(Problems) as refused:
        fit(csi.Model.parse(text_), Moments.of(items, R, n=300), PLS(consistent=True))
    (found,) = refused.value.problems
    assert "correlation beyond 1 after correction for unreliability: x - m" in found.say("en")
    assert "大于 1：x - m" in found.say("zh")
    assert "Merge" in found.say("en")
    assert "collinear" not in found.say("en")
