"""Difference, score and Wald tests against lavaan 0.6-14: absolute 1e-4 (statistics.md, 3)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.nested import lrt, wald
from csi.measures.score_tests import score_tests
from tests.sem.lavaan_cases import CASES, HOLZINGER, MISSING, SCALAR, fitted, frame_of, numbers, saved_of

STEPS = ("configural", "metric", "scalar", "strict")


def fit_of(folder, record):
    return fitted(next(c for c in CASES if (c.folder, c.record) == (folder, record)))


def same(table, expected, *, scaled=False):
    chi2, df, p = ("Chisq diff", "Df diff", "Pr(>Chisq)")
    for ours, theirs in (("df", "Df"), ("chi2", "Chisq"), ("chi2_diff", chi2), ("df_diff", df), ("p_value", p)):
        np.testing.assert_allclose(
            table[ours].cast(pl.Float64).fill_null(np.nan).to_numpy(), numbers(expected[theirs]), rtol=1e-6, atol=1e-4
        )
    if not scaled:
        for ours, theirs in (("aic", "AIC"), ("bic", "BIC"), ("rmsea", "RMSEA")):
            np.testing.assert_allclose(
                table[ours].cast(pl.Float64).fill_null(np.nan).to_numpy(), numbers(expected[theirs]), rtol=0, atol=1e-4
            )


def test_chi2_differences_of_the_invariance_ladder():
    expected = saved_of("holzinger", "beside_cbsem_hs_multigroup")["lrt_ML"]
    same(lrt(**{s: fit_of("holzinger", f"ML_{s}") for s in STEPS}).table, expected)


@pytest.mark.parametrize("method", ["satorra2001", "satorra2000", "satorra2010"])
def test_scaled_differences(method):
    expected = saved_of("holzinger", "beside_cbsem_hs_multigroup")[f"lrt_MLR_{method}"]
    # lavaan's satorra2000 is scaled and shifted unless told otherwise
    way = "scaled.shifted" if method == "satorra2000" else method
    same(lrt(**{s: fit_of("holzinger", f"MLR_{s}") for s in STEPS}, method=way).table, expected, scaled=True)


def test_scaled_differences_of_ordinal_invariance():
    expected = saved_of("datcat", "beside_ordinal_datcat")["lrt_scaled"]
    steps = ("configural", "threshold", "metric", "scalar", "strict")
    table = lrt(**{s: fit_of("datcat", s) for s in steps}).table
    np.testing.assert_allclose(
        table["chi2_diff"].fill_null(np.nan).to_numpy()[1:], numbers(expected["Chisq diff"])[1:], rtol=0, atol=1e-3
    )
    np.testing.assert_allclose(
        table["p_value"].fill_null(np.nan).to_numpy()[1:], numbers(expected["Pr(>Chisq)"])[1:], rtol=0, atol=1e-4
    )


def test_wider_models_without_a_scaling_factor_at_the_narrower_estimates():
    """lavaan 0.6-14: none by 2001 (negative factor) and 2010 (M10 not positive definite); p = 2.064e-05 by 2000."""
    model, rows = csi.Model.parse("f =~ x1 + x2 + x3"), frame_of("holzinger", HOLZINGER)
    settings = {"estimator": "MLR", "groups": "school"}
    fits = [csi.fit(model, rows, csi.SEM(**settings, equal=equal)) for equal in (("loadings",), SCALAR)]
    for method, code in (("satorra2010", "R-ELSEWHERE"), ("satorra2001", "R-NEGATIVE-FACTOR")):
        found = lrt(*fits, method=method)
        row = found.table.row(1, named=True)
        assert (row["chi2_diff"], row["p_value"], row["reason"]) == (None, None, code)
        assert "satorra2000" in found.reasons[code].say("en")
    assert lrt(*fits, method="scaled.shifted").table["p_value"][1] == pytest.approx(2.064e-05, rel=1e-3)


@pytest.mark.parametrize("method", ["satorra2000", "scaled.shifted"])
def test_traces_of_a_difference_are_not_defined_for_incomplete_rows(method):
    rows, settings = frame_of("holzinger_missing", MISSING), csi.SEM(estimator="MLR", missing="fiml")
    fits = [csi.fit(csi.Model.parse(m), rows, settings) for m in ("f =~ x1+x2+x3+x4", "f =~ x1+a*x2+a*x3+x4")]
    found = lrt(*fits, method=method)
    row = found.table.row(1, named=True)
    assert (row["chi2_diff"], row["p_value"], row["reason"]) == (None, None, "R-INCOMPLETE-ROWS")
    assert "satorra2001" in found.reasons["R-INCOMPLETE-ROWS"].say("en")


def test_equal_loadings_against_free_ones():
    expected = saved_of("democracy", "beside_cbsem_poldem")["lrt"]
    same(lrt(fit_of("democracy", "ML"), fit_of("democracy", "ML_equal_loadings_defined")).table, expected)


@pytest.mark.parametrize(
    ("folder", "record", "beside", "key"),
    [
        ("holzinger", "ML_scalar", "beside_cbsem_hs_multigroup", "score_ML_scalar"),
        ("democracy", "ML_equal_loadings_defined", "beside_cbsem_poldem", "score_test"),
    ],
)
def test_score_tests(folder, record, beside, key):
    expected = saved_of(folder, beside)[key]
    found = score_tests(fit_of(folder, record)).table
    assert found.height == len(expected["X2"])
    np.testing.assert_allclose(found["x2"].to_numpy(), numbers(expected["X2"]), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found["p_value"].to_numpy(), numbers(expected["p.value"]), rtol=0, atol=1e-4)


def test_wald_of_two_paths():
    expected = saved_of("democracy", "beside_cbsem_poldem")["wald_a_eq_b"]
    found = wald(fit_of("democracy", "ML_equal_loadings_defined"), "a == b").row(0, named=True)
    assert found["chi2"] == pytest.approx(expected["stat"], abs=1e-4)
    assert found["df"] == expected["df"]
    assert found["p_value"] == pytest.approx(expected["p.value"], abs=1e-4)
