"""Gaussian copulas: against R, by resampling the rows for real, on planted endogeneity, and where they must refuse."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.copula import copula_term
from csi.measures.normality import cramer_von_mises, lilliefors
from csi.measures.score_rows import over_scores, score_rows

HERE = Path(__file__).parents[1] / "reference" / "robustness"
MODEL = "A =~ a0 + a1\nB =~ b0 + b1\nY =~ y0 + y1\nY ~ A + B"


@pytest.fixture(scope="module")
def expected():
    return json.loads((HERE / "checks.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows():
    spec = importlib.util.spec_from_file_location("robustness_population", HERE / "population.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(zip(module.COLUMNS, module.rows().T, strict=True))


def answers(n=600, entangled=0.6, seed=3):
    """A is skewed and correlated with the error of Y; B is skewed and is not."""
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, n))
    a = np.exp(u) / 2
    b = rng.exponential(size=n)
    y = 0.3 * (a - a.mean()) / a.std() + 0.3 * b + entangled * u + np.sqrt(1 - entangled**2) * v
    parts = {"a": a, "b": b, "y": y}
    return pl.DataFrame({f"{k}{i}": x + 0.02 * rng.normal(size=n) for k, x in parts.items() for i in range(2)})


@pytest.mark.parametrize("name", ["normal", "skewed", "flat", "heavy"])
def test_normality_tests_are_those_of_nortest(expected, rows, name):
    for n, record in zip((40, 150), expected["normality"][name], strict=True):
        made = [*lilliefors(rows[name][:n]), *cramer_von_mises(rows[name][:n])]
        assert made == pytest.approx(record, rel=1e-8)


@pytest.mark.parametrize("distribution", ["adjusted", "original"])
def test_copula_regressions_are_those_of_r(expected, rows, distribution):
    x1, x2, y = (rows[c] for c in ("x1", "x2", "y"))
    p1, p2 = (copula_term(x, np.ones(150), distribution) for x in (x1, x2))
    one = np.linalg.lstsq(np.column_stack([np.ones(150), x1, x2, p1]), y, rcond=None)[0][1:]
    two = np.linalg.lstsq(np.column_stack([np.ones(150), x1, x2, p1, p2]), y, rcond=None)[0][1:]
    assert [*one, *two] == pytest.approx(expected[distribution], rel=1e-8)


def test_a_weight_of_two_is_two_rows():
    x, w = np.array([1.0, 5.0, 2.0, 2.0]), np.array([2.0, 1.0, 1.0, 1.0])
    copied = copula_term(np.array([1.0, 1, 5, 2, 2]), np.ones(5), "original")
    assert copula_term(x, w, "original")[[0, 1, 2]] == pytest.approx(copied[[0, 2, 3]])


@pytest.fixture(scope="module")
def est():
    return csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS()), 300, seed=4)


@pytest.fixture(scope="module")
def found(est):
    return csi.copula(est)


def row_of(found, endogenous, term):
    return found.table.row(by_predicate=(pl.col("endogenous") == endogenous) & (pl.col("term") == term), named=True)


def test_the_model_as_it_is_comes_first_with_its_own_paths(est, found):
    y = est.solution.constructs.index("Y")
    mine = found.table.filter(endogenous="")
    assert mine["estimate"].to_list() == pytest.approx(est.solution.paths[0, y, [0, 1]].tolist(), abs=1e-10)
    boot = est.table.filter(op="~")
    assert mine["std_error"].to_list() == pytest.approx(boot["std_error"].to_list(), rel=1e-8)
    assert mine["conf_low"].to_list() == pytest.approx(boot["conf_low"].to_list(), rel=1e-8)


def test_every_combination_is_there(found):
    assert found.table["endogenous"].unique(maintain_order=True).to_list() == ["", "A", "B", "A + B"]
    assert found.table.filter(endogenous="A + B")["term"].to_list() == ["A", "B", "copula(A)", "copula(B)"]


def test_planted_endogeneity_is_found_and_its_path_comes_down(found):
    before, after = row_of(found, "", "A")["estimate"], row_of(found, "A", "A")["estimate"]
    assert row_of(found, "A", "copula(A)")["p_value"] < 0.01
    assert row_of(found, "B", "copula(B)")["p_value"] > 0.05
    assert after < before - 0.15
    assert "A looks endogenous" in found.sentences[0].en


def test_replicates_form_scores_and_terms_anew(est):
    rows = score_rows(est, "test")

    def averages(Z, w):
        return np.array([np.average(copula_term(Z[:, 0], w) * Z[:, 2], weights=w), np.average(Z[:, 0] ** 2, weights=w)])

    drawn = over_scores(est, rows, averages, lambda drawn: drawn).draws
    assert drawn.shape == (300, 2)
    assert drawn[:, 1] == pytest.approx(np.full(300, 599 / 600), abs=1e-9)  # scores of each replicate have variance 1
    assert drawn[:, 0].std() > 0.005


def test_without_endogeneity_nothing_is_claimed():
    est = csi.bootstrap(csi.fit(MODEL, answers(entangled=0.0), csi.PLS()), 200, seed=2)
    made = csi.copula(est)
    assert "no sign of endogenous predictors" in made.sentences[0].en
    assert row_of(made, "A", "A")["conf_low"] < row_of(made, "", "A")["estimate"] < row_of(made, "A", "A")["conf_high"]


def test_weak_ground_is_told():
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({k: rng.normal(size=120) for k in ("a0", "a1", "b0", "b1", "y0", "y1")})
    made = csi.copula(csi.fit(MODEL, frame, csi.PLS()))
    assert [n.code for n in made.notes] == ["N-COPULA-BOOT", "W-COPULA-N", "W-COPULA-NORMAL"]
    assert set(made.checks["verdict"]) == {"near normal"}
    assert made.sentences == ()
    assert "p_value" not in made.table.columns


def test_adjusted_p_is_holms_of_t_with_the_replicates_standard_error(found):
    alone = found.table.filter(pl.col("term") == "copula(" + pl.col("endogenous") + ")")
    assert found.table["p_holm"].count() == alone.height
    for _, family in alone.group_by("outcome"):
        t = (family["estimate"] / family["std_error"]).abs().to_numpy()
        by_hand = csi.adjust(2 * stats.t.sf(t, 599), "holm")
        assert family["p_holm"].to_numpy() == pytest.approx(by_hand, rel=1e-9)


def test_what_it_prints_in_both_languages(found):
    assert "copula(A)" in text(found)
    assert "疑似内生" in text(found, "zh")


def codes_of(call):
    with pytest.raises(Problems) as caught:
        call()
    return [p.code for p in caught.value.problems]


def test_a_discrete_regressor_is_refused_when_named_and_left_out_when_not():
    frame = answers().with_columns(a0=pl.col("a0").clip(0, 4).round())
    est = csi.fit("A =~ a0\nB =~ b0 + b1\nY =~ y0 + y1\nY ~ A + B", frame, csi.PLS())
    assert codes_of(lambda: csi.copula(est, ["A"])) == ["E-COPULA"]
    assert set(csi.copula(est).table["endogenous"]) == {"", "B"}
    alone = csi.fit("A =~ a0\nY =~ y0 + y1\nY ~ A", frame, csi.PLS())
    assert codes_of(lambda: csi.copula(alone)) == ["E-COPULA"]


def test_names_and_settings_are_checked(est):
    assert codes_of(lambda: csi.copula(est, ["Y"])) == ["E-COPULA"]
    assert codes_of(lambda: csi.copula(est, ["A"], distribution="adj")) == ["E-SETTING"]


def test_absent_answers_leave_with_a_note():
    frame = answers(200).with_columns(a0=pl.when(pl.int_range(200) < 5).then(None).otherwise("a0"))
    made = csi.copula(csi.bootstrap(csi.fit(MODEL, frame, csi.PLS(missing="pairwise")), 100))
    assert made.checks["n"].to_list() == [195, 195]
    assert made.table["std_error"].null_count() == 0
    assert made.table["std_error"].is_nan().sum() == 0
