"""Tests of exact fit by eigenvalues: against lavaan's eigenvalues, Davies' tails and semTests' printed p-values."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

import csi
from csi.errors import Problems
from csi.measures.eigenvalue_tests import TESTS, block_means, peba, trend
from csi.measures.spectrum import spectrum
from csi.measures.weighted_chi2 import weighted_tail
from csi.moments.fourth import gamma_unbiased
from csi.sem.fitted import fitted

EXPECTED = json.loads((Path(__file__).parents[1] / "reference/eigenvalues/expected.json").read_text("utf-8"))
FILES = {"holzinger": "holzinger_swineford/holzinger_swineford.csv", "bfi": "bfi/bfi.csv"}
CASES = sorted(FILES)


def rows_of(name):
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    frame = pl.read_csv(Path(place) / "data" / FILES[name], null_values=["", "NA"])
    return frame.head(200).select(pl.col("^[AC][1-5]$")) if name == "bfi" else frame


def fit_of(name, **settings):
    return csi.fit(csi.Model.parse(EXPECTED["cases"][name]["model"]), rows_of(name), csi.SEM(**settings))


@pytest.mark.parametrize("d", [1, 2, 3, 10, 200])
def test_equal_weights_are_a_chi_square_far_into_the_tail(d):
    p = np.array([1e-250, 1e-60, 1e-12, 1e-4, 0.05, 0.5, 0.95, 0.9999])
    x = chi2.isf(p, d)
    assert weighted_tail(2.5 * x, np.full((p.size, d), 2.5)) == pytest.approx(chi2.sf(x, d), rel=1e-11)


def test_pairs_of_weights_are_a_sum_of_exponentials():
    rates = np.array([0.4, 1.1, 2.7])
    x = np.array([0.01, 1.0, 7.0, 40.0])
    share = [np.prod([r / (r - o) for o in rates if o != r]) for r in rates]
    exact = sum(a * np.exp(-x / (2 * r)) for a, r in zip(share, rates, strict=True))
    assert weighted_tail(x, np.tile(np.repeat(rates, 2), (4, 1))) == pytest.approx(exact, rel=1e-11)


def test_a_difference_of_exponentials_has_weights_of_both_signs():
    x = np.array([0.5, 3.0, 30.0])
    assert weighted_tail(x, np.tile([2.0, 2.0, -1.0, -1.0], (3, 1))) == pytest.approx(2 / 3 * np.exp(-x / 4), rel=1e-11)


def test_what_has_no_tail():
    found = weighted_tail(np.array([np.nan, 1.0, 0.0, 2.0]), np.array([[1.0], [np.nan], [1.0], [-1.0]]))
    assert np.isnan(found[:2]).all()
    assert found[2:].tolist() == [1.0, 0.0]
    assert np.isnan(weighted_tail(np.ones(2), np.empty((2, 0)))).all()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["biased", "unbiased"])
def test_tails_agree_with_davies_method(name, kind):
    case = EXPECTED["cases"][name]
    values = np.tile(case[kind]["eigenvalues"], (5, 1))
    assert weighted_tail(np.array(case["x"]), values) == pytest.approx(case[kind]["all"], abs=1e-8)
    assert weighted_tail(np.array(case["x"]), peba(values, 4)) == pytest.approx(case[kind]["peba4"], abs=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_eigenvalues_agree_with_lavaan(name):
    case, fit = EXPECTED["cases"][name], fitted(fit_of(name, estimator="MLM"))
    found = spectrum(fit)
    assert found.biased[0] == pytest.approx(case["biased"]["eigenvalues"], rel=1e-5)
    assert found.unbiased[0] == pytest.approx(case["unbiased"]["eigenvalues"], rel=1e-5)
    assert found.rls[0] == pytest.approx(case["rls"], abs=1e-4)
    assert fit.test.statistic[0] == pytest.approx(case["chi2"], abs=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_p_values_agree_with_the_published_ones(name):
    table = csi.eigenvalue_tests(fit_of(name, estimator="MLM")).table
    for key, printed in EXPECTED["published"][name].items():
        test, base = key.split("_")
        (row,) = table.filter(base=base, gamma="biased", test=test).iter_rows(named=True)
        assert row["p_value"] == pytest.approx(printed, rel=2e-5)


def test_the_unbiased_matrix_has_the_right_mean_over_all_samples():
    points, chance, n = np.array([[0.0, 1.0], [2.0, 0.0], [5.0, 3.0]]), np.array([0.2, 0.5, 0.3]), 5
    samples = [points[list(c)] for c in itertools.product(range(3), repeat=n)]
    weight = np.array([np.prod(chance[list(c)]) for c in itertools.product(range(3), repeat=n)])
    mean = sum(w * gamma_unbiased(rows, means=True) for w, rows in zip(weight, samples, strict=True))
    moments = np.array([[*r.mean(axis=0), *np.cov(r.T)[[0, 0, 1], [0, 1, 1]]] for r in samples])
    away = moments - weight @ moments
    scale = np.sqrt([n, n, n - 1, n - 1, n - 1])
    true = (away * weight[:, None]).T @ away * np.outer(scale, scale)
    true[:2, 2:] *= np.sqrt(n / (n - 1))
    true[2:, :2] *= np.sqrt(n / (n - 1))
    assert mean == pytest.approx(true, abs=1e-9)


def test_what_stands_for_the_eigenvalues_keeps_their_sum():
    values = np.sort(np.random.default_rng(3).chisquare(2, (4, 11)))[:, ::-1]
    for name, replaced in TESTS.items():
        assert replaced(values).sum(axis=1) == pytest.approx(values.sum(axis=1)), name
    assert block_means(values, 4)[0, 9:] == pytest.approx(values[0, 9:].mean())
    assert trend(np.array([[9.0, 0.0, 0.0]]), 1.0)[0] == pytest.approx([7.5, 3.0, 0.0])


def simulated(n=150):
    rng = np.random.default_rng(5)
    a, x = rng.standard_exponential(n), rng.standard_normal(n)
    noise = rng.standard_t(6, (n, 5))
    frame = pl.DataFrame(a[:, None] + 0.4 * x[:, None] + noise, schema=list("abcde"))
    return frame.with_columns(x=x, g=pl.Series(rng.integers(0, 2, n)).cast(pl.String), w=rng.uniform(1, 2, n))


SETTINGS = [
    {"estimator": "MLM"},
    {"estimator": "MLMV", "groups": "g", "equal": ("loadings", "intercepts")},
    {"estimator": "WLSM", "groups": "g"},
    {"estimator": "ULSMV"},
    {"estimator": "MLM", "likelihood": "wishart"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_eigenvalues_sum_to_the_trace_of_the_scaled_test(settings):
    for model in ("f =~ a + b + c + d + e", "f =~ a + b + c + d + e; f ~ x"):
        fit = fitted(csi.fit(csi.Model.parse(model), simulated(), csi.SEM(**settings)))
        found = spectrum(fit).biased
        assert found.shape == (1, fit.df)
        assert found.sum() == pytest.approx(fit.scaled.traces["first"][0], rel=1e-9)
        assert (found**2).sum() == pytest.approx(fit.scaled.traces["second"][0], rel=1e-9)


def test_the_reweighted_statistic_is_the_weighted_length_of_the_residuals():
    fit = fitted(csi.fit(csi.Model.parse("f =~ a + b + c + d + e"), simulated(), csi.SEM(estimator="MLM")))
    S, Sigma = fit.groups[0].cov[0], fit.groups[0].at.Sigma[0]
    away = np.linalg.solve(Sigma, S - Sigma)
    assert spectrum(fit).rls[0] == pytest.approx(150 * 0.5 * np.trace(away @ away), rel=1e-6)


def test_fit_measures_of_robust_ml_have_the_recommended_test_and_others_do_not():
    model = csi.Model.parse("f =~ a + b + c + d + e")
    for estimator in ("MLM", "MLMV", "MLR"):
        est = csi.fit(model, simulated(), csi.SEM(estimator=estimator))
        found, first = csi.fit_measures(est), csi.eigenvalue_tests(est).table.row(0, named=True)
        assert (first["base"], first["gamma"], first["test"]) == ("rls", "biased", "peba4")
        assert found["p_value_peba4"] == first["p_value"]
        assert found["chi2_rls"] == first["statistic"]
        assert "p_value_peba4" in repr(found)
    assert "p_value_peba4" not in csi.fit_measures(csi.fit(model, simulated(), csi.SEM()))
    assert "p_value_peba4" not in csi.fit_measures(csi.fit(model, simulated(), csi.SEM(estimator="ULSMV")))


def test_cells_and_languages():
    est = csi.fit(csi.Model.parse("f =~ a + b + c + d + e"), simulated(), csi.SEM(estimator="MLR"), by=["g"])
    found = csi.eigenvalue_tests(est)
    assert found.table.height == 2 * 36
    assert [s.en[:3] for s in found.sentences] == ["0: ", "1: "]
    assert "精确拟合" in found.sentences[0].zh
    alone = csi.fit(est.model, simulated().filter(g="1"), csi.SEM(estimator="MLR"))
    one = csi.eigenvalue_tests(alone).table
    assert found.table.filter(g="1")["p_value"].to_list() == pytest.approx(one["p_value"].to_list(), rel=1e-6)


def test_no_unbiased_matrix_with_weights_or_given_variables():
    model = csi.Model.parse("f =~ a + b + c + d + e")
    weighted = csi.fit(model, simulated(), csi.SEM(estimator="MLM"), weight="w")
    given = csi.fit(csi.Model.parse("f =~ a + b + c + d + e; f ~ x"), simulated(), csi.SEM(estimator="MLM"))
    for est in (weighted, given):
        found = csi.eigenvalue_tests(est)
        kinds = found.table.group_by("gamma").agg(pl.col("p_value").count(), pl.col("reason").n_unique()).sort("gamma")
        assert kinds.rows() == [("biased", 18, 1), ("unbiased", 0, 1)]
        assert list(found.reasons) == ["R-UNBIASED-GAMMA"]


@pytest.mark.parametrize(
    ("model", "settings", "word"),
    [
        ("f =~ a + b + c", {"estimator": "MLM"}, "degrees of freedom"),
        ("f =~ a + b + c + d", {"missing": "fiml"}, "complete rows"),
        ("f =~ a + b + c + d", {"estimator": "ULS"}, "fourth moments"),
    ],
)
def test_what_has_no_such_test_is_refused(model, settings, word):
    est = csi.fit(csi.Model.parse(model), simulated(), csi.SEM(**settings))
    with pytest.raises(Problems, match=word) as caught:
        csi.eigenvalue_tests(est)
    assert caught.value.problems[0].code == "E-EIGEN"


def test_moments_alone_do_not_carry_them():
    cov = 0.5 * np.eye(4) + 0.5
    est = csi.fit(csi.Model.parse("f =~ a + b + c + d"), csi.Moments.of("abcd", cov, n=100), csi.SEM())
    with pytest.raises(Problems, match="fourth moments"):
        csi.eigenvalue_tests(est)


@pytest.mark.parametrize("settings", [{}, {"meanstructure": True}])
def test_rows_that_share_a_unit_are_counted_once(settings):
    """Every row four times in one unit: T is fourfold, so are the eigenvalues, and p is that of the rows themselves."""
    rng = np.random.default_rng(4)
    own = pl.DataFrame(rng.standard_exponential((300, 1)) + rng.standard_normal((300, 5)), schema=list("abcde"))
    own = own.with_columns(unit=pl.arange(300, eager=True))
    model, mlr = "f =~ a + b + c + d\ne ~ f", csi.SEM(estimator="MLR", **settings)
    one, four = csi.fit(model, own, mlr), csi.fit(model, pl.concat([own] * 4), mlr, unit="unit")
    C = 300 / 299
    first, second = csi.eigenvalue_tests(one), csi.eigenvalue_tests(four)
    np.testing.assert_allclose(second.eigenvalues, 4 * C * first.eigenvalues, rtol=1e-5)
    p1, p4 = (csi.fit_measures(e).table.filter(measure="p_value_peba4")["value"].item() for e in (one, four))
    assert p4 == pytest.approx(p1, abs=0.01)
    assert (
        csi.fit_measures(csi.fit(model, pl.concat([own] * 4), mlr))
        .table.filter(measure="p_value_peba4")["value"]
        .item()
        < p1 / 2
    )


def test_a_difference_by_traces_knows_units():
    rng = np.random.default_rng(4)
    own = pl.DataFrame(rng.standard_exponential((300, 1)) + rng.standard_normal((300, 4)), schema=list("abcd"))
    own = own.with_columns(unit=pl.arange(300, eager=True))
    mlr, models = csi.SEM(estimator="MLR"), ("f =~ a + b + c + d", "f =~ a + l*b + l*c + d")
    one = csi.lrt(*(csi.fit(m, own, mlr) for m in models), method="satorra2000").table
    four = csi.lrt(*(csi.fit(m, pl.concat([own] * 4), mlr, unit="unit") for m in models), method="satorra2000").table
    assert four["chi2_diff"][1] == pytest.approx(one["chi2_diff"][1] * 299 / 300, rel=1e-3)


def test_a_single_unit_has_no_such_test():
    rng = np.random.default_rng(4)
    frame = pl.DataFrame(rng.standard_normal((100, 1)) + rng.standard_normal((100, 4)), schema=list("abcd"))
    est = csi.fit("f =~ a + b + c + d", frame.with_columns(unit=pl.lit(1)), csi.SEM(estimator="MLM"), unit="unit")
    found = csi.eigenvalue_tests(est).table
    assert found["p_value"].null_count() == found.height
    assert found.filter(gamma="biased")["reason"].unique().to_list() == ["R-CLUSTERS-ONE"]
