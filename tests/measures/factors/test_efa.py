"""csi.efa: psych's fit and loadings, agreement with what was intended, errors, models for csi.fit, bad input."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.factors.extraction import extract
from csi.measures.factors.placed import adjusted_rand, aligned, congruence, matched
from csi.measures.factors.solution_fit import fit_of
from csi.measures.factors.solution_tables import verdict
from csi.measures.factors.turned import turned

SHARED = os.environ.get("CSI_REFERENCE_DIR")
needs_rows = pytest.mark.skipif(not SHARED, reason="the answers themselves are not committed")


def of(k, seed=1, n=300, size=4, phi=0.3):
    """Answers of k related factors with `size` items each, and the scales."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, k)) @ np.linalg.cholesky(np.full((k, k), phi) + (1 - phi) * np.eye(k)).T
    x = np.repeat(f, size, axis=1) * 0.75 + 0.66 * rng.normal(size=(n, k * size))
    names = [f"{'abcdef'[c]}{i}" for c in range(k) for i in range(1, size + 1)]
    scales = {"abcdef"[c].upper(): names[c * size : (c + 1) * size] for c in range(k)}
    return pl.DataFrame(x, schema=names), scales


@pytest.fixture(scope="module")
def three():
    return of(3)


@pytest.fixture(scope="module")
def solved(three):
    frame, scales = three
    return csi.efa(frame, items=scales)


@pytest.mark.parametrize(("name", "key"), [("hs", "minres_oblimin"), ("hs", "ml_varimax"), ("bfi", "minres_oblimin")])
def test_fit_is_psychs(record, name, key):
    r = record(name)
    R, m = np.array(r["cor"]), r["factors"]
    theirs = r["solutions"][key]
    found = extract(R[None], m, key.split("_", maxsplit=1)[0])
    turn = turned(found.loadings, key.split("_")[1])
    pairs = np.full(R.shape, r["n"])
    fit = fit_of(R, turn.loadings[0], turn.phi[0], found.uniqueness[0], r["n"], pairs)
    for mine, other in (("chi2", "STATISTIC"), ("bic", "BIC")):
        assert fit[mine] == pytest.approx(theirs[other], abs=2e-3)
    for mine, other in (("objective", "objective"), ("tli", "TLI"), ("rms", "rms"), ("crms", "crms")):
        assert fit[mine] == pytest.approx(theirs[other], abs=1e-4 if other != "TLI" else 3e-4)
    assert fit["df"] == theirs["dof"]
    for mine, other in (("rmsea", "RMSEA"), ("rmsea_low", "lower"), ("rmsea_high", "upper")):
        assert fit[mine] == pytest.approx(theirs["RMSEA"][other], abs=1e-4)
    if name == "hs":
        assert fit["chi2_residual"] == pytest.approx(theirs["chi"], abs=1e-4)
        assert fit["p_value"] == pytest.approx(theirs["PVAL"], abs=1e-5)


def test_one_factor_by_maximum_likelihood_fits_as_the_confirmatory_model(record):
    """The same discrepancy; Bartlett's multiplier differs from n by 1 %, which CFI, a ratio, hardly feels."""
    r = record("hs")
    R = np.array(r["cor"])
    one = extract(R[None], 1, "ml")
    fit = fit_of(R, one.loadings[0], np.eye(1), one.uniqueness[0], r["n"], np.full(R.shape, r["n"]))
    est = csi.SEM().solve(csi.Model.parse(f"g =~ {' + '.join(r['names'])}"), csi.Moments.of(r["names"], R, r["n"]))
    assert fit["cfi"] == pytest.approx(csi.fit_measures(est)["cfi"], abs=2e-3)
    assert fit["df"] == csi.fit_measures(est)["df"]


@needs_rows
def test_five_factors_of_bfi(record, matched):
    frame = pl.read_csv(Path(SHARED) / "data/bfi/bfi.csv", null_values=["NA", ""]).select(record("bfi")["names"])
    scales = {c: [n for n in frame.columns if n[0] == c] for c in "ACENO"}
    found = csi.efa(frame, items=scales, kind="pearson")
    theirs = record("bfi")["solutions"]["minres_oblimin"]
    L, phi = matched(found.pattern, theirs["loadings"], found.phi)
    np.testing.assert_allclose(L, theirs["loadings"], atol=1e-4)
    np.testing.assert_allclose(phi, theirs["phi"], atol=1e-4)
    assert found.fit["chi2_residual"] == pytest.approx(theirs["chi"], abs=0.01)
    np.testing.assert_allclose(found.table["complexity"], theirs["complexity"], atol=1e-3)
    assert (found.as_intended, found.adjusted_rand) == (1.0, 1.0)
    ordinal = csi.efa(frame, items=scales, missing="listwise")
    five = record("polychoric")["five"]
    np.testing.assert_allclose(matched(ordinal.pattern, five["loadings"]), five["loadings"], atol=1e-4)
    assert ordinal.fit["tli"] == pytest.approx(five["TLI"], abs=1e-4)
    assert ordinal.fit["rmsea"] == pytest.approx(record("polychoric")["five_rmsea"]["RMSEA"], abs=1e-4)
    assert "N-FACTOR-POLYCHORIC" in {n.code for n in ordinal.notes}


def test_items_are_where_they_were_meant_to_be(solved):
    assert (solved.as_intended, solved.adjusted_rand) == (1.0, 1.0)
    assert set(solved.table["verdict"]) == {"as intended"}
    assert set(solved.stands_for.values()) == {"A", "B", "C"}
    assert solved.table["stands_for"].to_list() == solved.table["intended"].to_list()
    own = solved.similarity.filter(pl.col("factor").replace_strict(solved.stands_for) == pl.col("construct"))
    assert own["congruence"].min() > 0.95
    np.testing.assert_allclose(solved.table["communality"] + solved.table["uniqueness"], 1.0, atol=1e-6)
    np.testing.assert_allclose(solved.variance["ss_loadings"].sum(), solved.table["communality"].sum())


def test_a_swapped_item_is_named(three):
    frame, scales = three
    swapped = {"A": [*scales["A"][1:], "b1"], "B": [*scales["B"][1:], "a1"], "C": scales["C"]}
    found = csi.efa(frame, items=swapped)
    told = dict(found.table.select("item", "verdict").rows())
    assert {i for i, word in told.items() if word == "elsewhere"} == {"a1", "b1"}
    assert found.as_intended == pytest.approx(10 / 12)
    assert found.adjusted_rand < 1
    assert "elsewhere" in text(found)
    assert "归入他处" in text(found, "zh")


@pytest.mark.parametrize("rotation", ["none", "varimax", "promax", "geomin", "bifactor", "bigeomin", "target"])
def test_every_rotation_reproduces_the_same(three, solved, rotation):
    frame, scales = three
    found = csi.efa(frame, items=scales, rotation=rotation, starts=1)
    common = found.pattern @ found.phi @ found.pattern.T
    np.testing.assert_allclose(common, solved.pattern @ solved.phi @ solved.pattern.T, atol=1e-6)
    assert found.settled
    assert found.fit["chi2"] == pytest.approx(solved.fit["chi2"])
    assert found.factors[0] == ("general" if rotation.startswith("bi") else "F1")


def test_a_target_stands_as_the_constructs_do(three):
    frame, scales = three
    found = csi.efa(frame, items=scales, rotation="target", method="ml")
    assert found.stands_for == {"F1": "A", "F2": "B", "F3": "C"}
    off = found.pattern[np.repeat(np.arange(3), 4)[:, None] != np.arange(3)]
    oblimin = csi.efa(frame, items=scales, method="ml")
    order = [list(oblimin.stands_for.values()).index(c) for c in "ABC"]
    names = [list(oblimin.stands_for)[k] for k in order]
    other = oblimin.pattern[:, [oblimin.factors.index(n) for n in names]]
    assert (off**2).sum() <= (other[np.repeat(np.arange(3), 4)[:, None] != np.arange(3)] ** 2).sum()


def test_a_general_factor():
    rng = np.random.default_rng(3)
    g, f = rng.normal(size=(600, 1)), rng.normal(size=(600, 3))
    x = 0.6 * g + 0.5 * np.repeat(f, 4, axis=1) + 0.6 * rng.normal(size=(600, 12))
    frame = pl.DataFrame(x, schema=[f"q{k}" for k in range(12)])
    scales = {c: frame.columns[4 * k : 4 * k + 4] for k, c in enumerate("ABC")}
    found = csi.efa(frame, 4, items=scales, rotation="bifactor", starts=10)
    assert (found.pattern[:, 0] > 0.4).all()
    assert found.as_intended == 1.0
    assert set(found.stands_for) == {"F1", "F2", "F3"}


def test_models_for_a_confirmatory_fit(three, solved):
    frame, _ = three
    intended, placed = solved.model("intended"), solved.model("placed")
    assert {tuple(c.items) for c in intended.constructs} == {tuple(c.items) for c in placed.constructs}
    two = csi.fit(solved.model("bifactor"), frame, csi.SEM())
    plain = csi.fit(intended, frame, csi.SEM())
    less, more = (csi.fit_measures(e).table.filter(measure="chi2")["value"][0] for e in (two, plain))
    assert less <= more


def test_resamples_give_errors_near_theory():
    """Of one factor of four equal loadings, the spread over samples and the bootstrap's error agree."""
    frame, _ = of(1, seed=5, n=200)
    found = csi.efa(frame, 1, items=frame.columns, replicates=100, seed=2)
    assert found.replicates == 100
    R = np.stack([np.corrcoef(of(1, seed=s, n=200)[0].to_numpy(), rowvar=False) for s in range(100, 300)])
    spread = extract(R, 1).loadings[:, :, 0].std(axis=0).mean()
    assert found.loadings["std_error"].mean() == pytest.approx(spread, rel=0.25)
    assert (found.loadings["conf_low"] < found.loadings["loading"]).all()
    assert csi.efa(frame, 1, items=frame.columns, replicates=100, seed=2).loadings.equals(found.loadings)


def test_resamples_of_ordinal_answers_are_aligned():
    frame, scales = of(2, n=250)
    coded = pl.DataFrame(np.digitize(frame.to_numpy(), [-0.8, 0.4]).astype(float), schema=frame.columns)
    found = csi.efa(coded, items=scales, replicates=100)
    assert found.correlations.kind == "polychoric"
    assert found.replicates > 90
    assert found.loadings["std_error"].max() < 0.2


def test_congruence_with_another_solution(three, solved):
    frame, scales = three
    other = csi.efa(of(3, seed=9)[0], items={"C": scales["C"], "A": scales["A"], "B": scales["B"]})
    told = solved.congruence(other)
    assert told["congruence"].min() > 0.97
    assert [solved.stands_for[f] for f in told["factor"]] == [other.stands_for[f] for f in told["other"]]
    with pytest.raises(csi.Problems, match="different items"):
        solved.congruence(csi.efa(frame, items={"A": scales["A"]}))


def test_arrays_by_hand():
    assert adjusted_rand(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 2, 2, 2])) == pytest.approx(
        (2 - 3 * 4 / 15) / ((3 + 4) / 2 - 3 * 4 / 15)
    )
    A = np.array([[0.8, 0.1], [0.7, 0.0], [0.1, 0.6]])
    np.testing.assert_allclose(np.diagonal(congruence(A, A)), 1.0)
    order, sign = aligned(A[:, ::-1] * [1, -1], A)
    np.testing.assert_allclose((A[:, ::-1] * [1, -1])[:, order] * sign, A)
    assert matched(A, np.array([1, 1, 0]), 2).tolist() == [1, 0]
    assert verdict(0.5, 0.35, away=False) == "cross-loading"
    assert verdict(0.45, 0.28, away=True) == "cross-loading"
    assert verdict(0.6, np.nan, away=False) == "as intended"


def test_more_factors_than_items_can_tell(three):
    frame, _ = three
    with pytest.raises(csi.Problems, match=r"2 factors of 4 items leave no degrees of freedom; 1 can be told"):
        csi.efa(frame, 2, items=frame.columns[:4])
    with pytest.raises(csi.Problems, match="0 can be told"):
        csi.efa(frame, 1, items=frame.columns[:2])


def test_perfectly_correlated_items(three):
    frame, scales = three
    doubled = frame.with_columns(again=pl.col("a1"))
    found = csi.efa(doubled, 1, items=[*scales["A"], "again"])
    assert np.isfinite(found.pattern).all()
    assert "W-NOT-DEFINITE" in {n.code for n in found.notes}
    assert np.isnan(found.fit["chi2"])
    assert found.fit["srmr"] < 0.1
    with pytest.raises(csi.Problems, match="maximum likelihood needs positive definite"):
        csi.efa(doubled, 1, items=[*scales["A"], "again"], method="ml")
    mended = csi.correlations(doubled, [*scales["A"], "again"], repair="shrink")
    assert csi.efa(mended, 1, method="ml").settled


def test_a_heywood_case_is_told():
    """Answers whose correlations are those of loadings 1.02, .6, .5 and .4."""
    L = np.array([1.02, 0.6, 0.5, 0.4])
    R = np.outer(L, L)
    np.fill_diagonal(R, 1.0)
    x = np.random.default_rng(1).normal(size=(100, 4))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False)).T) @ np.linalg.cholesky(R).T
    found = csi.efa(pl.DataFrame(x, schema=list("abcd")), 1, items=list("abcd"))
    assert found.heywood == ("a",)
    (said,) = (n for n in found.notes if n.code == "W-FACTOR-HEYWOOD")
    assert "of item a (held at .005)" in said.text.en
    assert found.table["verdict"].to_list() == ["clear"] * 4


def test_a_single_scale_gets_what_parallel_analysis_keeps(three):
    frame, scales = three
    assert len(csi.efa(frame, items=scales["A"]).factors) == 1
    assert len(csi.efa(frame, items=frame.columns).factors) == 3


def test_settings_are_told_together(three):
    frame, scales = three
    with pytest.raises(csi.Problems) as found:
        csi.efa(frame, 0, items=scales, method="gls", rotation="equamax", replicates=7, level=95, starts=0)
    assert {p.where for p in found.value.problems} == {
        "n_factors",
        "method",
        "rotation",
        "replicates",
        "level",
        "starts",
    }
    with pytest.raises(csi.Problems, match="needs as many factors"):
        csi.efa(frame, 2, items=scales, rotation="target")


def test_principal_axes_say_where_they_stop(three):
    frame, scales = three
    found = csi.efa(frame, items=scales, method="pa")
    assert "N-FACTOR-PA" in {n.code for n in found.notes}
    assert replace(found, notes=()).settled
