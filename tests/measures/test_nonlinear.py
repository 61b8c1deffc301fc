"""Bent relations: RESET against lmtest, squares by hand, planted bends, refusals."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.nonlinear import reset_test
from csi.measures.score_rows import score_rows

HERE = Path(__file__).parents[1] / "reference" / "robustness"
MODEL = "A =~ a0 + a1\nB =~ b0 + b1\nY =~ y0 + y1\nZ =~ z0\nY ~ A + B\nZ ~ Y"


def answers(n=300, bend=0.3, seed=8):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n))
    y = 0.4 * a + bend * a**2 + 0.3 * b + 0.6 * rng.normal(size=n)
    parts = {"a": a, "b": b, "y": y, "z": 0.5 * y + rng.normal(size=n)}
    return pl.DataFrame({f"{k}{i}": v + 0.2 * rng.normal(size=n) for k, v in parts.items() for i in range(2)})


@pytest.mark.parametrize(("record", "powers"), [("reset", (2, 3)), ("reset_square", (2,))])
def test_reset_is_that_of_lmtest(record, powers):
    expected = json.loads((HERE / "checks.json").read_text("utf-8"))[record]
    spec = importlib.util.spec_from_file_location("robustness_population", HERE / "population.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = module.rows()
    assert reset_test(rows[:, 6], rows[:, 4:6], np.ones(150), powers) == pytest.approx(expected, rel=1e-8)


@pytest.fixture(scope="module")
def est():
    return csi.bootstrap(csi.fit(MODEL, answers(), csi.PLS()), 200, seed=4)


@pytest.fixture(scope="module")
def found(est):
    return csi.nonlinear(est)


def test_squares_are_those_of_a_regression_on_the_scores(est, found):
    Z = score_rows(est, "test").scores
    for row in found.table.iter_rows(named=True):
        names = list(est.solution.constructs)
        at = [names.index(x) for x in names if x in est.model.predictors(row["outcome"])]
        x, y = names.index(row["predictor"]), names.index(row["outcome"])
        one = np.column_stack([np.ones(300), Z[:, at]])
        full = np.column_stack([one, Z[:, x] ** 2])
        slopes, after = np.linalg.lstsq(full, Z[:, y], rcond=None)[:2]
        before = np.linalg.lstsq(one, Z[:, y], rcond=None)[1]
        assert row["estimate"] == pytest.approx(slopes[-1])
        assert row["linear"] == pytest.approx(slopes[1 + at.index(x)])
        assert row["f2"] == pytest.approx(((before - after) / after)[0])


def test_a_planted_bend_is_found_where_it_is(found):
    p = {(y, x): p for y, x, p in found.table.select("outcome", "predictor", "p_value").rows()}
    assert p["Y", "A"] < 0.02
    assert p["Y", "B"] > 0.05
    assert dict(found.reset.select("outcome", "p_value").rows())["Y"] < 0.001
    assert "squares that differ from 0: A" in found.sentences[0].en


def test_straight_relations_give_no_sign():
    made = csi.nonlinear(csi.bootstrap(csi.fit(MODEL, answers(bend=0.0), csi.PLS()), 200, seed=1))
    assert all("no sign" in s.en for s in made.sentences)


def test_without_replicates_squares_have_no_errors():
    made = csi.nonlinear(csi.fit(MODEL, answers(), csi.PLS()))
    assert [n.code for n in made.notes] == ["N-NONLINEAR-BOOT"]
    assert "std_error" not in made.table.columns


def test_a_square_that_the_model_has_is_not_tested_again():
    est = csi.fit(MODEL.replace("A + B", "A + B + A:A"), answers(), csi.PLS())
    made = csi.nonlinear(est)
    assert made.table.select("outcome", "predictor").rows() == [("Y", "B"), ("Z", "Y")]
    y = list(est.solution.constructs).index("Y")
    Z = score_rows(est, "test").scores
    at = [k for k, c in enumerate(est.solution.constructs) if c in est.model.predictors("Y")]
    slopes = np.linalg.lstsq(Z[:, at], Z[:, y], rcond=None)[0]
    assert slopes == pytest.approx(est.solution.paths[0, y, at], abs=1e-4)


def test_weighted_rows_are_told():
    frame = answers().with_columns(w=pl.Series(np.tile([0.5, 1.5], 150)))
    made = csi.nonlinear(csi.fit(MODEL, frame, csi.PLS(), weight="w"))
    assert "N-RESET-WEIGHTS" in [n.code for n in made.notes]


def test_what_it_prints_in_both_languages(found):
    assert "RESET p < 0.001" in text(found)
    assert "p = 0.000" not in text(found) + text(found, "zh")
    assert "非线性" in text(found, "zh")


def codes_of(call):
    with pytest.raises(Problems) as caught:
        call()
    return [p.code for p in caught.value.problems]


def test_replicates_that_are_no_resamples_are_refused(est):
    odd = replace(est, replicates=replace(est.replicates, kind="jackknife"))
    assert codes_of(lambda: csi.nonlinear(odd)) == ["E-BOOT"]


def test_what_cannot_be_tested_is_refused(est):
    assert codes_of(lambda: csi.nonlinear(est, powers=(1,))) == ["E-SETTING"]
    few = csi.fit("A =~ a0\nB =~ b0\nB ~ A", answers(5), csi.PLS())
    assert codes_of(lambda: csi.nonlinear(few)) == ["E-FEW"]


def test_adjusted_p_is_holms_of_t_with_the_replicates_standard_error(found):
    t = (found.table["estimate"] / found.table["std_error"]).abs().to_numpy()
    by_hand = csi.adjust(2 * stats.t.sf(t, 299), "holm")
    assert found.table["p_holm"].to_numpy() == pytest.approx(by_hand, rel=1e-9)
    said = [name for s in found.sentences for name in s.en.partition("differ from 0: ")[2].rstrip(".").split(", ")]
    assert [s for s in said if s] == found.table.filter(pl.col("p_holm") < 0.05)["predictor"].to_list()
