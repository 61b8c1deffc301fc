"""Fit measures: formulas by hand and against lavaan 0.6-14's printed numbers (tests/reference/*/lavaan)."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import chndtr

import csi
from csi.errors import Problems
from csi.estimate.later import known
from csi.measures.baseline import Slots, independence_ls, independence_ml, independence_trace
from csi.measures.fit_indices import cfi, hoelter, incremental, information_criteria, nfi, p_exact, rfi, rni, tli
from csi.measures.fit_names import LAVAAN
from csi.measures.residual_size import adjusted, gfi_normal, residual_sizes
from csi.measures.rmsea import below, noncentrality, rmsea, rmsea_interval
from csi.measures.robust_fit import Parts, noise
from csi.measures.robust_ordinal import correlations_of, discrepancy
from csi.moments.fourth import gamma
from csi.sem.robust import Pieces, normal_weight, residual_traces

REFERENCE = Path(__file__).parents[1] / "reference"
CONSTANT = {"rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0"}


def saved_of(folder, record):
    return json.loads((REFERENCE / folder / "lavaan" / f"{record}.json").read_text("utf-8"))


def moments_of(folder, file="moments"):
    saved = json.loads((REFERENCE / folder / f"{file}.json").read_text("utf-8"))
    names = saved["names"]
    if "groups" not in saved:
        return csi.Moments.of(names, saved["cov"], saved["n"], saved["mean"])
    return csi.Moments.grouped(
        {g: csi.Moments.of(names, m["cov"], m["n"], m["mean"]) for g, m in saved["groups"].items()}
    )


def measured(folder, record, file="moments", **settings):
    saved = saved_of(folder, record)
    est = csi.fit(csi.Model.parse(saved["syntax"]), moments_of(folder, file), csi.SEM(**settings))
    return csi.fit_measures(est), saved["fit"]


@pytest.fixture(scope="module")
def holzinger():
    return measured("holzinger", "ML")[0]


CASES = [
    ("holzinger", "ML", "moments", {}),
    ("holzinger", "ML_mean", "moments", {"meanstructure": True}),
    ("holzinger", "GLS", "moments", {"estimator": "GLS"}),
    ("holzinger", "ULS", "moments", {"estimator": "ULS"}),
    ("growth", "growth", "moments", {"growth": True}),
    ("tal_or", "tal_or_ML", "moments", {}),
    ("holzinger", "ML_scalar", "by_school", {"groups": "school", "equal": ("loadings", "intercepts")}),
    ("satisfaction", "SEM_ML_by_gender", "by_gender", {"groups": "gender"}),
]


@pytest.mark.parametrize(("folder", "record", "file", "settings"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_every_measure_is_lavaans(folder, record, file, settings):
    ours, theirs = measured(folder, record, file, **settings)
    for name, value in theirs.items():
        if value is None:
            assert math.isnan(ours[name]), name
        else:
            assert ours[name] == pytest.approx(value, abs=1e-4, rel=1e-6), name


def test_robust_indices_follow_from_lavaans_printed_tests():
    f = saved_of("holzinger", "MLM")["fit"]
    T, df, c, T0, df0, c0 = (
        f[n]
        for n in (
            *("chisq", "df", "chisq.scaling.factor"),
            *("baseline.chisq", "baseline.df", "baseline.chisq.scaling.factor"),
        )
    )
    assert cfi(T, c * df, T0, c0 * df0) == pytest.approx(f["cfi.robust"], abs=1e-10)
    assert tli(T, df, T0, df0, c, c0) == pytest.approx(f["tli.robust"], abs=1e-10)
    assert rni(T, c * df, T0, c0 * df0) == pytest.approx(f["rni.robust"], abs=1e-10)
    assert rmsea(T, df, 301, c=c) == pytest.approx(f["rmsea.robust"], abs=1e-10)
    low, high = rmsea_interval(f["chisq.scaled"], df, 301, c=c)
    assert low == pytest.approx(f["rmsea.ci.lower.robust"], abs=1e-5)
    assert high == pytest.approx(f["rmsea.ci.upper.robust"], abs=1e-5)
    assert 1 - below(f["chisq.scaled"], df, 301, 0.05, c=c) == pytest.approx(f["rmsea.pvalue.robust"], abs=1e-9)


def test_mean_and_variance_adjusted_tests_count_their_own_degrees_of_freedom():
    f = saved_of("holzinger", "MLMVS")["fit"]
    found = incremental(f["chisq.scaled"], f["df.scaled"], f["baseline.chisq.scaled"], f["baseline.df.scaled"])
    for name in ("cfi", "tli", "pnfi", "ifi", "rni"):
        assert found[name] == pytest.approx(f[f"{name}.scaled"], abs=1e-10), name
    assert math.isnan(found["nfi"])
    assert math.isnan(found["rfi"])


def test_a_model_without_misfit_has_cfi_one_and_one_without_numbers_has_none():
    assert cfi(10.0, 12, 100.0, 20) == 1
    assert cfi(10.0, 12, 5.0, 20) == 1
    assert np.isnan(cfi(np.array([np.nan]), 12, 5.0, 20)).all()
    assert tli(0.0, 0, 50.0, 3) == 1
    assert nfi(30.0, 5, 20.0, 9) == pytest.approx(math.nan, nan_ok=True)
    assert rfi(np.array([8.0]), 4, np.array([80.0]), 10).item() == pytest.approx(1 - 2 / 8)


def test_noncentrality_inverts_the_noncentral_chi_square():
    T, df = np.array([30.0, 85.3, 6055.9, 20000.0]), np.array([5.0, 24.0, 265.0, 300.0])
    for p in (0.95, 0.05):
        assert chndtr(T, df, noncentrality(T, df, p)) == pytest.approx(p, abs=1e-10)
    assert noncentrality(np.array([5.0, np.nan]), 24.0, 0.95)[0] == 0
    assert np.isnan(noncentrality(np.array([np.nan]), 24.0, 0.95)).all()


def test_several_groups_widen_rmsea_by_the_root_of_their_number():
    assert rmsea(60.0, 30, 200, g=2) == pytest.approx(math.sqrt(2) * rmsea(60.0, 30, 200))
    assert rmsea_interval(60.0, 30, 200, 2)[1] == pytest.approx(math.sqrt(2) * rmsea_interval(60.0, 30, 200)[1])


def test_p_values_at_the_ends():
    assert p_exact(np.array([0.0, np.nan]), 3)[0] == 1
    assert np.isnan(p_exact(np.array([5.0]), 0)).all()
    assert np.isnan(hoelter(np.array([5.0]), 0, 100, 0.05)).all()
    assert information_criteria(np.array([-100.0]), 5, np.array([100.0]))["aic"] == 210


def test_residual_sizes_by_hand():
    S, Sigma = np.array([[[4.0, 1.0], [1.0, 1.0]]]), np.array([[[4.0, 0.5], [0.5, 2.0]]])
    m, mu = np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])
    sizes = {k: v.item() for k, v in residual_sizes(S, m, Sigma, mu, means=True).items()}
    assert sizes["rmr_nomean"] == pytest.approx(math.sqrt((0.25 + 1) / 3))
    assert sizes["rmr"] == pytest.approx(math.sqrt((0.25 + 1 + 1) / 5))
    assert sizes["srmr_bentler_nomean"] == pytest.approx(math.sqrt((0.0625 + 1) / 3))
    assert sizes["crmr_nomean"] == pytest.approx(0.5 - 0.5 / math.sqrt(8))
    assert sizes["srmr_mplus_nomean"] == pytest.approx(math.sqrt(((0.5 - 0.5 / math.sqrt(8)) ** 2 + 1) / 3))


def test_goodness_of_fit_without_its_weight_matrix():
    S, Sigma = np.array([[2.0, 0.7], [0.7, 1.0]]), np.array([[2.1, 0.4], [0.4, 1.0]])
    m, mu = np.array([0.3, 0.1]), np.array([0.2, 0.1])
    W, none = np.linalg.inv(Sigma), np.zeros(2, dtype=bool)
    e, s = gfi_normal(S[None], m[None], Sigma[None], mu[None], W[None], none, means=True)
    V = normal_weight(Sigma, means=True)
    whole = np.concatenate([m, [2.0, 0.7, 1.0]])
    residual = whole - np.concatenate([mu, [2.1, 0.4, 1.0]])
    assert e.item() == pytest.approx(residual @ V @ residual)
    assert s.item() == pytest.approx(whole @ V @ whole)
    assert adjusted(np.array([0.9]), 10, 0)[0] == 0.9


def test_the_independence_model_of_least_squares_leaves_the_free_moments_alone():
    rng = np.random.default_rng(7)
    A = rng.normal(size=(5, 5))
    W, s = A @ A.T, rng.normal(size=5)
    at = Slots(np.array([1, 3]), np.array([0, 2, 4]))
    best = np.zeros(5)
    best[at.held] = s[at.held]
    F = np.eye(5)[:, at.free]
    best[at.free] = -np.linalg.solve(F.T @ W @ F, F.T @ W @ best)
    assert independence_ls(s[None], W[None], at).item() == pytest.approx(best @ W @ best)
    assert independence_ls(s[None], np.diag(W)[None], at).item() == pytest.approx((s**2 * np.diag(W))[at.held].sum())


def test_exogenous_variables_keep_their_covariances():
    S = np.array([[[1.0, 0.3, 0.2], [0.3, 1.0, 0.5], [0.2, 0.5, 1.0]]])
    x = np.array([False, True, True])
    Sigma = np.array([[1.0, 0, 0], [0, 1.0, 0.5], [0, 0.5, 1.0]])
    F = np.linalg.slogdet(Sigma)[1] - np.linalg.slogdet(S[0])[1] + np.trace(np.linalg.solve(Sigma, S[0])) - 3
    assert independence_ml(S, x).item() == pytest.approx(F)


def test_the_independence_trace_is_that_of_gamma():
    rows = np.random.default_rng(3).gamma(2.0, size=(60, 3))
    none = np.zeros(3, dtype=bool)
    found = independence_trace(rows, np.ones(60), np.arange(60), none, means=False)
    G, v = gamma(rows, np.ones(60), means=False), rows.var(axis=0)
    diagonal = [0, 3, 5]
    assert found == pytest.approx(sum(G[d, d] / (2 * v[i] ** 2) for i, d in enumerate(diagonal)))
    gap = rows.copy()
    gap[:5, 0] = np.nan
    assert independence_trace(gap, np.ones(60), np.arange(60), none, means=True) > 3


def test_noise_is_the_trace_of_the_scaled_test_where_one_weight_does_both():
    rng = np.random.default_rng(5)
    A, B, D = rng.normal(size=(6, 6)), rng.normal(size=(6, 6)), rng.normal(size=(6, 2))
    V, G = A @ A.T, B @ B.T
    first, _ = residual_traces([Pieces(D, V, G, 0.4), Pieces(D, V, 2 * G, 0.6)], np.eye(2))
    assert noise([Parts(D, V, V, G, 0.4), Parts(D, V, V, 2 * G, 0.6)]) == pytest.approx(first)


def test_ordinal_discrepancy_of_correlations_that_are_not_positive_definite_is_absent():
    R = correlations_of(np.array([0.9, 0.9, -0.9]), 3)
    assert math.isnan(discrepancy(R, np.eye(3)))
    assert discrepancy(np.eye(3), np.eye(3)) == pytest.approx(0)


def test_lavaans_names_are_known_and_absent_measures_are_not(holzinger):
    assert holzinger["rmsea.ci.lower"] == holzinger["rmsea_conf_low"]
    assert "cfi" in holzinger
    assert "cfi.robust" not in holzinger
    assert holzinger["rmsea.ci.level"] == 0.90
    assert set(LAVAAN.values()) >= {"chi2", "p_value", "sabic", "rmsea_p_close_scaled"}
    with pytest.raises(KeyError):
        holzinger["wrmr"]


def test_the_table_has_every_measure_and_says_why_one_is_absent():
    found, _ = measured("tal_or", "tal_or_ML")
    row = found.table.filter(pl.col("measure") == "p_value")
    assert row["value"].to_list() == [None]
    assert row["reason"].to_list() == ["no_df"]
    assert set(found.why) == {"no_df"}
    assert found.table.height == len(found)


def test_unweighted_least_squares_has_no_p_value_of_its_own():
    found, _ = measured("holzinger", "ULS", estimator="ULS")
    assert found.reasons["p_value"].code == "no_chi_square"


def test_several_cells_give_arrays_and_a_row_each():
    one = moments_of("holzinger")
    cells = pl.DataFrame({"wave": ["1", "2"], "n": [301, 301]})
    two = {n: np.repeat(getattr(one, n), 2, axis=0) for n in ("n", "sum_w", "sum_w2", "mean", "cov")}
    est = csi.fit(csi.Model.parse(saved_of("holzinger", "ML")["syntax"]), replace(one, **two, cells=cells), csi.SEM())
    found = csi.fit_measures(est)
    assert found["cfi"].shape == (2,)
    assert found["cfi"] == pytest.approx(measured("holzinger", "ML")[0]["cfi"])
    assert found.table["wave"].to_list() == ["1"] * len(found) + ["2"] * len(found)
    assert "wave" in repr(found)


def test_it_shows_its_headline(holzinger):
    lines = repr(holzinger).splitlines()
    assert lines[0] == "Fit measures"
    assert any(line.split() == ["cfi", "0.9306"] for line in lines)


def test_fits_of_neither_kind_have_no_fit_measures(estimate_of):
    """A third-party engine's solution has no weights and is no fit of `csi.SEM`."""
    est = estimate_of("mobi")
    with pytest.raises(Problems, match=r"csi\.SEM"):
        csi.fit_measures(replace(est, solved=known(replace(est.solution, weights=None))))


def test_an_unknown_measure_is_named_and_stays_a_key_error(holzinger):
    assert "cfii" not in holzinger
    assert holzinger.get("cfi.robust") is None
    with pytest.raises(KeyError, match='Did you mean "cfi"') as found:
        holzinger["cfii"]
    assert isinstance(found.value, Problems)
    with pytest.raises(Problems, match="this fit has no robust test, so cfi has no robust form"):
        holzinger["cfi.robust"]
