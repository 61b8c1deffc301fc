"""Fit of composites against cSEM 0.6.1 and ADANCO 2.2, by hand, and its bootstrap test."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.inference.replicates import replicates_of
from csi.inference.resample import plan_of
from csi.measures.composite_fit import DISTANCES, degrees, distances
from csi.measures.composite_implied import fitted_cor, relative_eigenvalues
from csi.measures.exact_fit import exact_fit
from csi.measures.turned_rows import turned
from csi.moments.pearson import moments_of as moments_of_rows

REFERENCE = Path(__file__).parents[1] / "reference"
SHARED = os.environ.get("CSI_REFERENCE_DIR")
EXACT = {"tolerance": 1e-12, "max_iterations": 3000}
CASES = list(product(("mobi", "satisfaction"), ("path", "factorial", "centroid"), ("A", "B", "PLSc")))


def saved(folder):
    return json.loads((REFERENCE / folder / "composite_fit.json").read_text("utf-8"))


def moments(folder):
    m = json.loads((REFERENCE / folder / "moments.json").read_text("utf-8"))
    return csi.Moments.of(m["names"], m["cov"], m["n"], m["mean"])


def model(folder, kind):
    text = (REFERENCE / folder / "model.txt").read_text("utf-8")
    return csi.Model.parse(text.replace("=~", "<~") if kind == "B" else text)


def estimate(folder, scheme, kind, data=None):
    settings = csi.PLS(weighting=scheme, consistent=kind == "PLSc", **EXACT)
    return csi.fit(model(folder, kind), moments(folder) if data is None else data, settings)


@pytest.mark.parametrize(("folder", "scheme", "kind"), CASES)
def test_agrees_with_csem(folder, scheme, kind):
    est = estimate(folder, scheme, kind)
    found, expected = csi.fit_measures(est), dict(saved(folder)["csem"][scheme][kind])
    theirs = expected.pop("gfi_elementwise")
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
    S, Sigma = fitted_cor(est.moments, est.solution, saturated=False)
    product_ = np.linalg.solve(Sigma[0], S[0])
    elementwise = 1 - ((product_ - np.eye(len(product_))) ** 2).sum() / (product_**2).sum()
    assert elementwise == pytest.approx(theirs, abs=1e-6)  # cSEM's GFI; ours is Jöreskog and Sörbom's
    assert found["gfi"] > theirs


@pytest.mark.parametrize("kind", ["B", "PLSc"])
def test_agrees_with_adanco(kind):
    found = csi.fit_measures(estimate("satisfaction", "centroid", kind))
    for name_of, form in (("estimated", ""), ("saturated", "_saturated")):
        for name, (value, *_) in saved("satisfaction")["adanco"][kind][name_of].items():
            assert found[name + form] == pytest.approx(value, abs=1e-6), (name, form)


def test_omf_statistic_is_ours():
    found = csi.fit_measures(estimate("satisfaction", "path", "PLSc"))
    expected = saved("satisfaction")["test_omf"]["statistic"]
    for theirs, ours in {"dG": "d_g", "SRMR": "srmr", "dL": "d_uls", "dML": "d_ml"}.items():
        assert found[ours] == pytest.approx(expected[theirs], abs=1e-6)


def two_blocks(n=400, seed=2, cross=0.0, by=None):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(n)
    b = 0.5 * a + rng.standard_normal(n)
    rows = np.column_stack([a, a, a, b, b, b]) + 0.8 * rng.standard_normal((n, 6))
    rows[:, 0] += cross * rng.standard_normal(n)
    rows[:, 3] += cross * (rows[:, 0] - a)
    frame = pl.DataFrame(rows, schema=["a1", "a2", "a3", "b1", "b2", "b3"])
    return frame if by is None else frame.with_columns(wave=pl.Series([str(i % by) for i in range(n)]))


TWO = "A =~ a1 + a2 + a3; B =~ b1 + b2 + b3; B ~ A"


def test_by_hand():
    """Two blocks of two items: between the blocks lambda r lambda, within them the observed correlation."""
    R = np.array([[1, 0.6, 0.3, 0.2], [0.6, 1, 0.25, 0.35], [0.3, 0.25, 1, 0.5], [0.2, 0.35, 0.5, 1]])
    est = csi.fit("A =~ a1 + a2; B =~ b1 + b2; B ~ A", csi.Moments.of(["a1", "a2", "b1", "b2"], R, n=100), csi.PLS())
    lam, r = est.solution.loadings[0], est.solution.paths[0, 1, 0]
    Sigma = R.copy()
    Sigma[:2, 2:] = r * np.outer(lam[:2], lam[2:])
    Sigma[2:, :2] = Sigma[:2, 2:].T
    residual = R - Sigma
    found = csi.fit_measures(est)
    assert found["srmr"] == pytest.approx(np.sqrt((residual[np.tril_indices(4)] ** 2).mean()), abs=1e-12)
    assert found["d_uls"] == pytest.approx((residual[:2, 2:] ** 2).sum(), abs=1e-12)
    values = np.linalg.eigvals(np.linalg.solve(R, Sigma)).real
    assert found["d_g"] == pytest.approx(0.5 * (np.log10(values) ** 2).sum(), abs=1e-12)
    ml = np.linalg.slogdet(Sigma)[1] - np.linalg.slogdet(R)[1] + np.trace(R @ np.linalg.inv(Sigma)) - 4
    assert found["chi2"] == pytest.approx(99 * ml, abs=1e-10)
    assert found["df"] == degrees(est, saturated=False) == 6 - 2 * 2 - 1
    assert found["srmr"] == pytest.approx(found["srmr_saturated"], abs=1e-12)  # one path: nothing is left out


def test_distances_are_told_in_both_languages():
    found = csi.fit_measures(estimate("mobi", "path", "A"))
    assert "d_uls" in str(found)
    assert "saturated" in str(found)
    assert "not positive definite" not in str(found)
    table = found.table
    assert set(table["measure"]) >= {"srmr", "srmr_saturated", "rms_theta"}
    with pytest.raises(Problems):
        found["cfii"]


def test_singular_correlations_have_a_reason():
    frame = two_blocks().head(5)
    est = csi.fit(TWO, frame, csi.PLS())
    found = csi.fit_measures(est)
    assert np.isnan(found["d_g"])
    assert np.isfinite(found["srmr"])
    assert found.table.filter(pl.col("measure") == "d_g")["reason"].to_list() == ["not_definite"]
    assert np.isnan(relative_eigenvalues(np.ones((1, 2, 2)), np.eye(2)[None])).all()


def test_turned_rows_hold_the_model():
    est = csi.fit(TWO, two_blocks(by=2), csi.PLS(consistent=True), by="wave")
    for saturated in (True, False):
        held = moments_of_rows(turned(est, est.sample, saturated=saturated))
        Sigma = fitted_cor(est.moments, est.solution, saturated=saturated)[1]
        np.testing.assert_allclose(held.cor, Sigma, atol=1e-10)


def test_true_model_stays_and_a_wrong_one_goes():
    kept = exact_fit(csi.fit(TWO, two_blocks(), csi.PLS(consistent=True)), n=300)
    assert kept.table["p_value"].min() > 0.05
    assert "not rejected" in kept.sentences[0].en
    assert "未被拒绝" in kept.sentences[0].zh
    gone = exact_fit(csi.fit(TWO, two_blocks(cross=1.5), csi.PLS(consistent=True)), n=300)
    assert gone.table["p_value"].max() < 0.05
    assert "rejected at 5 %" in str(gone)


def test_same_seed_same_bits_and_cells_apart():
    frame = two_blocks(by=2)
    est = csi.fit(TWO, frame, csi.PLS(), by="wave")
    one, again = exact_fit(est, n=200, seed=3), exact_fit(est, n=200, seed=3)
    assert one.table.equals(again.table)
    shuffled = csi.fit(TWO, frame.sample(fraction=1.0, shuffle=True, seed=1), csi.PLS(), by="wave")
    assert exact_fit(shuffled, n=200, seed=3).table["q95"].to_list() == pytest.approx(one.table["q95"].to_list())
    assert one.table.height == 2 * 2 * len(DISTANCES)
    assert len(one.sentences) == 4


def test_bad_input():
    with pytest.raises(Problems, match="composite"):
        exact_fit(csi.fit("A =~ a1 + a2 + a3", two_blocks(), csi.SEM()))
    with pytest.raises(Problems, match="100"):
        exact_fit(csi.fit(TWO, two_blocks(), csi.PLS()), n=10)
    with pytest.raises(Problems, match="rows"):
        exact_fit(estimate("mobi", "path", "A"))


def holed(frame):
    """A tenth of the answers absent."""
    rng = np.random.default_rng(5)
    return frame.with_columns(
        pl.when(pl.Series(rng.random(frame.height) < 0.1)).then(None).otherwise(pl.col(c)).alias(c)
        for c in frame.columns
    )


@pytest.mark.parametrize("missing", ["em", "pairwise", "mean"])
def test_turned_rows_with_absent_answers_hold_the_model(missing):
    """After turning, the fit's own treatment of absences gives the correlations that the model implies."""
    est = csi.fit(TWO, holed(two_blocks()), csi.PLS(consistent=True, missing=missing))
    for saturated in (True, False):
        held = turned(est, est.sample, saturated=saturated)
        assert (np.isnan(held.rows) == np.isnan(est.sample.rows)).all()
        Sigma = fitted_cor(est.moments, est.solution, saturated=saturated)[1]
        np.testing.assert_allclose(moments_of_rows(held).cor, Sigma, atol=1e-8)


@pytest.mark.parametrize("missing", ["em", "mean"])
def test_absent_answers_neither_make_nor_unmake_fit(missing):
    kept = exact_fit(csi.fit(TWO, holed(two_blocks()), csi.PLS(consistent=True, missing=missing)), n=100)
    assert kept.table["p_value"].min() > 0.05
    assert any(n.code == "W-EXACT-MEAN" for n in kept.notes) == (missing == "mean")
    gone = exact_fit(csi.fit(TWO, holed(two_blocks(cross=1.5)), csi.PLS(consistent=True, missing=missing)), n=100)
    assert gone.table["p_value"].max() < 0.05


@pytest.mark.skipif(SHARED is None, reason="needs the rows in CSI_REFERENCE_DIR")
@pytest.mark.parametrize("kind", ["B", pytest.param("PLSc", marks=pytest.mark.slow)])
def test_quantiles_agree_with_adanco_within_monte_carlo_error(kind):
    """HI95 and HI99 of ADANCO (999 draws or more) within four standard errors of both quantiles."""
    rows = pl.read_csv(Path(SHARED) / "data" / "satisfaction" / "satisfaction.csv")
    found = exact_fit(estimate("satisfaction", "centroid", kind, rows), n=2000)
    for form, values in saved("satisfaction")["adanco"][kind].items():
        for name, (_, *quantiles) in values.items():
            draws = found.draws[form][:, 0, DISTANCES.index(name)]
            draws = draws[np.isfinite(found.draws[form][:, 0]).all(axis=1)]
            for share, expected in zip((0.95, 0.99), quantiles, strict=True):
                assert abs(np.quantile(draws, share) - expected) < 4 * spread(draws, share), (form, name, share)


@pytest.mark.skipif(SHARED is None, reason="needs the rows in CSI_REFERENCE_DIR")
def test_critical_values_of_csem_lie_between_all_and_admissible_replicates():
    """cSEM leaves inadmissible replicates out by rules of its own; ours keeps every replicate with a solution."""
    rows = pl.read_csv(Path(SHARED) / "data" / "satisfaction" / "satisfaction.csv")
    est = estimate("satisfaction", "path", "PLSc", rows)
    held = turned(est, est.sample, saturated=False)
    again = replicates_of(replace(est, sample=held), held, plan_of(held, 2000, 1))
    draws = again.over(partial(distances, saturated=False))[:, 0]
    usable = np.isfinite(draws).all(axis=1)
    proper = usable & again.admissible[:, 0]
    for theirs, expected in saved("satisfaction")["test_omf"]["q95"].items():
        column = DISTANCES.index({"dG": "d_g", "SRMR": "srmr", "dL": "d_uls", "dML": "d_ml"}[theirs])
        high, low = (np.quantile(draws[kept, column], 0.95) for kept in (usable, proper))
        error = 4 * spread(draws[proper, column][:499], 0.95)
        assert low - error < expected < high + error, theirs


def spread(draws, share):
    """Standard error of the difference of two such quantiles, of 999 draws each, by the bootstrap."""
    rng = np.random.default_rng(0)
    return np.sqrt(2) * np.std([np.quantile(rng.choice(draws, 999), share) for _ in range(200)])


SECOND = """Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Value =~ PERV1 + PERV2
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Complaints =~ CUSCO
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Satisfaction =~ Image + Value
Satisfaction ~ Expectation + Quality
Complaints ~ Satisfaction
Loyalty ~ Satisfaction
"""


def test_components_reach_the_others_by_way_of_their_construct():
    """Degrees of freedom are cSEM's (150); a component's correlations are its loading times its construct's."""
    est = csi.fit(SECOND, moments("mobi"), csi.PLS(**EXACT))
    found = csi.fit_measures(est)
    assert found["df"] == 150
    assert found["df_saturated"] == 150 + 4 + 1 - 10  # four paths and a correlation become ten correlations
    s = est.solution
    R, Sigma = fitted_cor(est.moments, s, saturated=True)
    at = {c: k for k, c in enumerate(s.constructs)}
    column = s.parts.index(("Satisfaction", "Image"))
    i, j = s.items.index("IMAG1"), s.items.index("CUSL2")
    reach = s.part_loadings[0, column] * s.construct_cor[0, at["Satisfaction"], at["Loyalty"]]
    assert Sigma[0, i, j] == pytest.approx(s.loadings[0, i] * reach * s.loadings[0, j])
    k = s.items.index("PERV1")
    between = s.construct_cor[0, at["Image"], at["Value"]]
    assert Sigma[0, i, k] == pytest.approx(s.loadings[0, i] * between * s.loadings[0, k])
    assert Sigma[0, i, i + 1] == R[0, i, i + 1]
