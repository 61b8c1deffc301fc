"""Measures of pooled estimates: variance inside the copies and between them, on the scale that suits each."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.inference.rubin import rubin

MODEL = csi.Model.parse("x =~ x1 + x2 + x3\nm =~ m1 + m2\ny =~ y1 + y2 + y3\nm ~ x\ny ~ m + x")
M = 4


def answers(n=250, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    m = 0.6 * x + 0.8 * rng.standard_normal(n)
    y = 0.4 * m + 0.2 * x + 0.8 * rng.standard_normal(n)
    columns = {f"x{i}": 5 + 0.8 * x + 0.6 * rng.standard_normal(n) for i in (1, 2, 3)}
    columns |= {f"m{i}": 5 + 0.8 * m + 0.6 * rng.standard_normal(n) for i in (1, 2)}
    columns |= {f"y{i}": 5 + 0.8 * y + 0.6 * rng.standard_normal(n) for i in (1, 2, 3)}
    frame = pl.DataFrame(columns)
    return frame.with_columns(
        pl.when(pl.col("x1") > 5.2).then(None).otherwise(pl.col(c)).alias(c) for c in ("y3", "m2")
    )


@pytest.fixture(scope="module")
def copies():
    return csi.impute(answers(), m=M, seed=4)


@pytest.fixture(scope="module")
def fits(copies):
    return [csi.bootstrap(csi.fit(MODEL, c, csi.PLS(), scale=(0, 10)), n=200, seed=1) for c in copies]


@pytest.fixture(scope="module")
def both(fits):
    return csi.pool(fits)


def by_rule(values, errors, df):
    """Rubin (1987) and Barnard & Rubin (1999), one quantity, written out apart from the package."""
    m = len(values)
    value, within, between = np.mean(values), np.mean(np.square(errors)), np.var(values, ddof=1)
    total = within + (1 + 1 / m) * between
    lam = (1 + 1 / m) * between / total
    old, seen = (m - 1) / lam**2, (df + 1) / (df + 3) * df * (1 - lam)
    return value, np.sqrt(total), old * seen / (old + seen)


def test_rubins_rules_give_the_published_table():
    # SAS/STAT 9.22 User's Guide, example "Reading Means and Standard Errors" of PROC MIANALYZE (EDF=30): the means and
    # standard errors of five completed sets are printed with 4 to 5 digits; printed df of the combined means
    oxygen = np.array([47.0120, 47.2407, 47.4995, 47.1485, 47.0042])
    error = np.array([0.95984, 0.93540, 1.00766, 0.95439, 0.96528])
    found = rubin(oxygen, error, complete=30)
    assert found.within == pytest.approx(0.930853, abs=2e-5)
    assert found.std_error**2 == pytest.approx(0.980626, abs=2e-5)
    assert found.df == pytest.approx(26.298, abs=1e-3)


def test_indirect_effects_are_the_copies_combined(fits, both):
    each = [csi.effects(f).table.filter(effect="indirect").row(0, named=True) for f in fits]
    row = csi.effects(both).table.filter(effect="indirect").row(0, named=True)
    value, error, df = by_rule([r["estimate"] for r in each], [r["std_error"] for r in each], 249)
    assert row["estimate"] == pytest.approx(value, rel=1e-12)
    assert row["std_error"] == pytest.approx(error, rel=1e-12)
    assert row["conf_low"] == pytest.approx(value - stats.t.ppf(0.975, df) * error, rel=1e-9)
    assert row["std_error"] > np.sqrt(np.mean([r["std_error"] ** 2 for r in each]))


def test_r2_is_combined_as_fishers_z_of_its_root(fits, both):
    at = fits[0].solution.constructs.index("y")
    points = [np.arctanh(np.sqrt(f.solution.r2[0, at])) for f in fits]
    errors = [np.std(np.arctanh(np.sqrt(f.replicates.solution.r2[:, at])), ddof=1) for f in fits]
    value, error, df = by_rule(points, errors, 249)
    t = stats.t.ppf(0.975, df)
    row = csi.effects(both).r2.filter(construct="y").row(0, named=True)
    wanted = [np.tanh(z) ** 2 for z in (value, value - t * error, value + t * error)]
    assert [row[c] for c in ("r2", "conf_low", "conf_high")] == pytest.approx(wanted, rel=1e-9)
    assert row["r2_adjusted"] == pytest.approx(1 - (1 - row["r2"]) * 249 / 247)


def test_htmt_is_combined_as_its_logarithm(fits, both):
    each = [csi.validity(f).htmt[0, 2, 0] for f in fits]
    table = csi.validity(both).table.filter(construct="y", other="x")
    row = table.row(0, named=True)
    assert row["htmt"] == pytest.approx(np.exp(np.mean(np.log(each))), rel=1e-12)
    assert 0 < row["conf_low"] < row["htmt"] < row["upper"] < row["conf_high"]
    assert row["htmt"] ** 2 == pytest.approx(row["conf_low"] * row["conf_high"], rel=1e-9)


def test_f2_never_falls_below_zero(both):
    frame = csi.effects(both).f2
    assert (frame["conf_low"] >= 0).all()
    assert (frame["conf_low"] <= frame["f2"]).all()
    assert (frame["f2"] <= frame["conf_high"]).all()


def test_mediation_reliability_and_drivers_have_intervals(both):
    assert csi.mediation(both).table.filter(effect="specific")["kind"][0] in ("complementary", "indirect-only")
    assert not any(n.code == "N-NO-REPLICATES" for n in csi.mediation(both).notes)
    assert csi.reliability(both).table["alpha_conf_low"].null_count() == 0
    table = csi.drivers(both, "y").table
    assert table["importance_conf_low"].null_count() == 0
    assert (table["importance_conf_low"] < table["importance"]).all()


def test_effects_of_pooled_covariance_fits(copies):
    fits = [csi.fit(MODEL, c, csi.SEM()) for c in copies]
    each = [csi.effects(f).table.filter(effect="total", outcome="y", predictor="x").row(0, named=True) for f in fits]
    row = csi.effects(csi.pool(fits)).table.filter(effect="total", outcome="y", predictor="x").row(0, named=True)
    value, error, df = by_rule([r["estimate"] for r in each], [r["std_error"] for r in each], 1e12)
    assert row["estimate"] == pytest.approx(value, rel=1e-12)
    assert row["std_error"] == pytest.approx(error, rel=1e-12)
    assert row["conf_high"] == pytest.approx(value + stats.t.ppf(0.975, df) * error, rel=1e-9)


def test_copies_without_absences_give_the_bootstrap_back(fits):
    one = csi.effects(fits[0]).table
    same = csi.effects(csi.pool([fits[0], fits[0]])).table
    assert same["estimate"].to_list() == pytest.approx(one["estimate"].to_list())
    assert same["std_error"].to_list() == pytest.approx(one["std_error"].to_list())


def test_simple_slopes_are_pooled():
    rng = np.random.default_rng(1)
    x, z, e = rng.standard_normal((3, 200))
    frame = pl.DataFrame({"x1": x, "z1": z, "y1": 0.5 * x + 0.4 * x * z + e})
    holes = frame.with_columns(y1=pl.when(pl.col("x1") > 1.3).then(None).otherwise("y1"))
    model = csi.Model.parse("x =~ x1; z =~ z1; y =~ y1; y ~ x + z + x:z")
    fits = [csi.bootstrap(csi.fit(model, c, csi.PLS()), 100) for c in csi.impute(holes, m=3, seed=2)]
    found = csi.simple_slopes(csi.pool(fits))
    assert found.table["std_error"].null_count() == 0
    assert not any(n.code == "N-NO-REPLICATES" for n in found.notes)
    mean = np.mean([csi.simple_slopes(f).table["estimate"].to_numpy() for f in fits], axis=0)
    assert found.table["estimate"].to_list() == pytest.approx(mean.tolist())
    region = csi.johnson_neyman(csi.pool(fits)).curve.filter(at=0)
    assert region["std_error"][0] == pytest.approx(found.table.filter(at=0)["std_error"][0], rel=1e-9)


def test_the_index_of_a_pooled_estimate_says_what_it_lacks(fits, both):
    alone, pooled = csi.index(both), csi.pool([csi.index(f) for f in fits])
    assert any(n.code == "W-INDEX-POOLED" for n in alone.notes)
    assert not any(n.code == "W-INDEX-POOLED" for n in pooled.notes)
    assert (pooled.table["std_error"] > alone.table["std_error"]).all()


@pytest.fixture(scope="module")
def covariance(copies):
    return csi.pool([csi.fit(MODEL, copy, csi.SEM()) for copy in copies])


@pytest.mark.parametrize("kind", ["composites", "covariance"])
def test_r2_of_a_pooled_estimate_is_that_of_its_copies(kind, both, covariance):
    pooled = both if kind == "composites" else covariance
    each = [csi.r2(copy) for copy in pooled.extra["pooling"].copies]
    found = csi.r2(pooled)
    assert found.drop("r2").equals(each[0].drop("r2"))
    z = np.mean([np.arctanh(np.sqrt(one["r2"].to_numpy())) for one in each], axis=0)
    np.testing.assert_allclose(found["r2"], np.tanh(z) ** 2, rtol=1e-12)
    if kind == "composites":
        own = csi.effects(both).r2
        np.testing.assert_allclose(found["r2"], own["r2"], rtol=1e-12)


def test_r2_is_whole_for_an_only_item_and_absent_where_a_copy_has_none():
    frames = [answers(n=200, seed=s).select("x1", "x2", "x3").drop_nulls() for s in (1, 2)]
    single = csi.pool([csi.fit("f =~ x1\ng =~ x2\ng ~ f", frame, csi.SEM()) for frame in frames])
    assert csi.r2(single).filter(variable="x1")["r2"].to_list() == [1.0]
    sick = frames[1].with_columns(x3=0.3 * pl.col("x3") + 3 * pl.col("x2"))
    fits = [csi.fit("f =~ x1 + x2 + x3", frame, csi.SEM()) for frame in (frames[0], sick)]
    assert [csi.r2(one).filter(variable="x3")["r2"].null_count() for one in fits] == [0, 1]
    row = csi.r2(csi.pool(fits)).filter(variable="x3").row(0, named=True)
    assert (row["r2"], row["reason"]) == (None, "R-NEGATIVE-VARIANCE")


MEASURES = ("standardised", "fit_measures", "implied", "residuals", "modification_indices", "factor_scores")


@pytest.mark.parametrize("measure", [*MEASURES, "eigenvalue_tests", "score_tests"])
def test_what_belongs_to_one_fit_says_that_the_estimate_is_pooled(measure, covariance):
    with pytest.raises(csi.Problems) as raised:
        getattr(csi, measure)(covariance)
    (found,) = raised.value.problems
    assert found.code == "E-POOLED"
    assert f"pooled over {M} imputations" in found.say("en")
    assert 'est.extra["pooling"].copies' in found.say("en")
    assert f"{M} 份插补数据" in found.say("zh")
    assert 'est.extra["pooling"].copies' in found.say("zh")
    assert len(csi.fit_measures(covariance.extra["pooling"].copies[0]).table)


def test_a_difference_test_of_pooled_estimates_says_so(covariance):
    with pytest.raises(csi.Problems, match="pooled over"):
        csi.lrt(covariance, covariance)


def test_pooled_fits_of_another_engine_are_told_that_they_are_no_covariance_fits(copies):
    one = csi.fit("x =~ x1 + x2 + x3\nm =~ m1 + m2\nm ~ x", copies[0], csi.SEM())
    other = csi.pool([csi.bootstrap(csi.fit(MODEL, c, csi.GSCA()), n=100, seed=1) for c in copies[:2]])
    with pytest.raises(csi.Problems) as raised:
        csi.lrt(one, other)
    assert [p.code for p in raised.value.problems] == ["E-NOT-SEM"]


@pytest.mark.parametrize("name", ["scores", "predict", "copula", "nonlinear", "bootstrap", "cta", "exact_fit"])
def test_what_needs_rows_points_to_the_copies(name: str) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(80, 1))
    frame = pl.DataFrame(a + rng.normal(size=(80, 4)), schema=["a1", "a2", "b1", "b2"])
    holes = frame.with_columns(b2=pl.when(pl.col("a1") > 1).then(None).otherwise("b2"))
    fits = [csi.fit("A =~ a1 + a2; B =~ b1 + b2; B ~ A", copy, csi.PLS()) for copy in csi.impute(holes, 2, 1)]
    both = csi.pool([csi.bootstrap(est, 100) for est in fits])
    with pytest.raises(csi.Problems, match="pooled over completed copies") as found:
        getattr(csi, name)(both)
    assert "copies" in found.value.problems[0].remedy.en
    assert len(both.extra["pooling"].copies) == 2
