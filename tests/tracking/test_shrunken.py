"""Small cells drawn toward their parent's mean: REML against metafor and a direct maximum, the error by hand."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import optimize

import csi
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.pls.estimator import PLS
from csi.tracking.contrasts import joint_covariance
from csi.tracking.fay_herriot import fay_herriot, likelihood, reml
from csi.tracking.index import index
from csi.tracking.league import gap_changes
from csi.tracking.sector import sector
from csi.tracking.shrunken import shrunken

from .conftest import REFERENCE

BRANDS = ("A", "B", "C", "D", "E")


@pytest.fixture(scope="module")
def made(model, survey):
    frame = survey(brands=BRANDS, waves=("w1", "w2"), shift=0.3, n=40)
    return index(fit(model, frame, PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"))


@pytest.mark.parametrize("name", ["bcg", "cells", "flat"])
def test_the_fit_agrees_with_metafor(name):
    """metafor's error of a predicted level has no term for the estimation of the variance."""
    folder = REFERENCE / "shrunken"
    known = json.loads((folder / "metafor.json").read_text(encoding="utf-8"))[name]
    tolerance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["sources"]["metafor.json"]
    y, v = np.array(known["y"]), np.array(known["v"])
    found = fay_herriot(y, v)
    weight = 1 / (found.between + v)
    estimation = 2 * v**2 * weight**3 * 2 / (weight**2).sum()
    close = {"rtol": tolerance["tolerance"], "atol": 1e-12}
    np.testing.assert_allclose(found.between, known["tau2"], **close)
    np.testing.assert_allclose([found.mean, found.mean_error], [known["mean"], known["mean_error"]], **close)
    np.testing.assert_allclose(found.shrunken, known["blup"], **close)
    np.testing.assert_allclose(np.sqrt(found.mse - estimation), known["blup_error"], **close)


def test_the_variance_maximises_the_likelihood_of_contrasts():
    """The density of K'y, K an orthonormal basis of contrasts, written out with its matrices and searched directly."""
    rng = np.random.default_rng(3)
    D = rng.uniform(1, 9, size=9)
    y = 70 + 3 * rng.normal(size=9) + np.sqrt(D) * rng.normal(size=9)
    K = np.linalg.svd(np.ones((9, 1)))[0][:, 1:]

    def minus(A):
        V = K.T @ np.diag(A + D) @ K
        return 0.5 * (np.linalg.slogdet(V)[1] + (K.T @ y) @ np.linalg.solve(V, K.T @ y))

    best = optimize.minimize_scalar(minus, bounds=(0, 200), method="bounded", options={"xatol": 1e-9})
    assert reml(y, D) == pytest.approx(best.x, rel=1e-5)
    trials = np.array([0.5, 4.0, 30.0])
    ours = likelihood(trials, y, D)
    np.testing.assert_allclose(np.diff(ours), np.diff([-minus(a) for a in trials]), rtol=1e-10)


def test_equal_errors_have_a_closed_form():
    """With one D: A = s2 - D, and the three terms of the error by hand."""
    y, D = np.array([62.0, 70.0, 75.0, 81.0, 66.0]), 16.0
    A = y.var(ddof=1) - D
    found = fay_herriot(y, np.full(5, D))
    assert found.between == pytest.approx(A, rel=1e-10)
    g = A / (A + D)
    np.testing.assert_allclose(found.shrunken, y.mean() + g * (y - y.mean()), rtol=1e-12)
    expected = g * D + (1 - g) ** 2 * (A + D) / 5 + 2 * (D**2 / (A + D) ** 3) * 2 * (A + D) ** 2 / 5
    np.testing.assert_allclose(found.mse, expected, rtol=1e-10)


def test_raw_and_shrunken_stand_side_by_side(made):
    found = shrunken(made, "Joy", small=30, flagged=100)
    table = found.table
    assert table.columns[:4] == ["brand", "wave", "construct", "parent"]
    assert table["parent"].to_list() == table["wave"].to_list()
    np.testing.assert_array_equal(table["index"], made.values[:, 1])
    assert table["flag"].to_list() == ["small"] * 10
    for wave in ("w1", "w2"):
        cells = np.flatnonzero((made.cells["wave"] == wave).to_numpy())
        variance = np.diagonal(joint_covariance(made, 1, cells))
        own = table.filter(wave=wave)
        np.testing.assert_allclose(own["std_error"], np.sqrt(variance))
        np.testing.assert_allclose(own["shrunken"], fay_herriot(made.values[cells, 1], variance).shrunken)
        inside = (own["shrunken"] - own["parent_index"]).abs() <= (own["index"] - own["parent_index"]).abs()
        assert inside.all()
        assert own["share"].is_between(0, 1).all()
    assert "N-SHRUNKEN" in {n.code for n in found.notes}
    assert len(found.sentences) == 2
    assert found.sentences[0].en.startswith("w1: the levels of 5 cells")
    assert "真实水平" in found.sentences[0].zh
    assert "shrunken" in str(found)


def test_all_cells_may_have_one_parent(made):
    found = shrunken(made, "Joy", toward=[], small=0)
    assert found.table["parent"].unique().to_list() == ["all"]
    assert found.table["parent_index"].n_unique() == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda s: csi.pairwise(s, "w1", "Joy"),
        lambda s: csi.rank_probabilities(s, "w1", "Joy"),
        lambda s: csi.changes(s, "Joy"),
        lambda s: csi.track(s, "Joy"),
        lambda s: csi.smooth(s, "Joy"),
        lambda s: csi.control(s, "Joy"),
        lambda s: csi.decompose(s, "Joy"),
        lambda s: csi.comparable(s, construct="Joy"),
        lambda s: csi.shrunken(s, "Joy"),
        lambda s: sector(s, "Joy"),
        lambda s: gap_changes(s, "A", "w2", "w1", "Joy"),
    ],
)
def test_rankings_and_tests_refuse_shrunken_values(made, use):
    with pytest.raises(Problems) as told:
        use(shrunken(made, "Joy"))
    assert [p.code for p in told.value.problems] == ["E-SHRUNKEN"]
    assert "not tested" in told.value.problems[0].say()


def test_cells_under_the_base_stay_out(model, survey):
    frame = pl.concat(
        [survey(brands=BRANDS[:4], waves=("w1",), n=60), survey(brands=("Z",), waves=("w1",), n=12, seed=9)]
    )
    made = index(fit(model, frame, PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"))
    found = shrunken(made, "Joy")
    last = found.table.filter(brand="Z").row(0, named=True)
    assert last["index"] is None
    assert last["shrunken"] is None
    assert last["flag"] == "suppressed"
    assert "E-BASE" in {n.code for n in found.notes}
    every = shrunken(made, "Joy", small=0).table
    assert every["shrunken"].null_count() == 0
    assert every.filter(brand="Z")["share"][0] == every["share"].min()


def test_no_variance_between_cells_is_noted(model, survey):
    """Brands drawn alike: every value is the mean."""
    frame = survey(brands=BRANDS, waves=("w1",), shift=0.0, n=40, seed=2)
    made = index(fit(model, frame, PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"))
    found = shrunken(made, "Joy")
    assert (found.table["between"] == 0).all()
    assert found.table["shrunken"].n_unique() == 1
    assert (found.table["share"] == 0).all()
    assert "W-NO-BETWEEN" in {n.code for n in found.notes}
    assert "no more than sampling error" in found.sentences[0].en


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"toward": ["region"]}, "E-BY", "region"),
        ({"toward": ["brand"]}, "E-SHRUNKEN", "no parent has 3 cells"),
        ({"small": 500}, "E-SHRUNKEN", "0 of 10 cells"),
        ({"construct": "Luck"}, "E-CONSTRUCT", "Luck"),
        ({"small": -1}, "E-SETTING", "negative"),
    ],
)
def test_what_cannot_be_shrunken_is_told(made, settings, code, words):
    with pytest.raises(Problems) as told:
        shrunken(made, **({"construct": "Joy"} | settings))
    assert told.value.problems[0].code == code
    assert words in told.value.problems[0].say()


def test_without_standard_errors_it_is_refused(made):
    table = made.table.with_columns(std_error=pl.lit(None, dtype=pl.Float64))
    bare = replace(made, table=table, influence=None, replicates=None, sample=None)
    with pytest.raises(Problems) as told:
        shrunken(bare, "Joy")
    assert "0 of 10 cells have a standard error" in told.value.problems[0].say()
    assert "标准误" in told.value.problems[0].say("zh")


def test_waves_of_one_series_are_not_drawn_together(model, survey):
    frame = survey(brands=("A",), waves=("w1", "w2", "w3"), n=60)
    made = index(fit(model, frame, PLS(), by=["wave"], scale=(1, 10), unit="id"))
    with pytest.raises(Problems) as told:
        shrunken(made, "Joy")
    assert "one series" in told.value.problems[0].say()
    assert shrunken(made, "Joy", toward=[]).table["shrunken"].null_count() == 0


def test_a_parent_with_few_cells_keeps_raw_values(model, survey):
    frame = pl.concat(
        [survey(brands=BRANDS[:4], waves=("w1",), n=50), survey(brands=("A", "B"), waves=("w2",), n=50, seed=3)]
    )
    made = index(fit(model, frame, PLS(), by=["brand", "wave"], scale=(1, 10), unit="id"))
    table = shrunken(made, "Joy").table
    few = table.filter(wave="w2")
    assert few["shrunken"].null_count() == 2
    assert few["index"].null_count() == 0
    assert few["reason"].str.contains("fewer than 3 usable cells").all()
    assert table.filter(wave="w1")["shrunken"].null_count() == 0


def test_pooled_indices_have_their_own_errors(made):
    """The pooled error of each cell enters, and how cells correlate over copies is told."""
    pooled = csi.pool([made, made])
    found = shrunken(pooled, "Joy")
    np.testing.assert_allclose(found.table["std_error"], pooled.table.filter(construct="Joy")["std_error"])
    np.testing.assert_allclose(found.table["shrunken"], shrunken(made, "Joy").table["shrunken"], rtol=1e-6)
    assert "(their largest correlation is 0.00)" in found.notes[0].say()
