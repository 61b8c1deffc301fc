from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.engines.ram import parameters_of
from csi.engines.semopy import Semopy
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.models.model import Model
from csi.moments.stack import Moments

REFERENCE = Path(__file__).parents[1] / "reference"
CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"


def moments_of(folder, scale=None, slices=1):
    m = json.loads((REFERENCE / folder / "moments.json").read_text(encoding="utf-8"))
    unit = np.ones(len(m["names"])) if scale is None else np.asarray(scale)
    n = np.full(slices, float(m["n"]))
    mean = np.repeat((np.array(m["mean"]) * unit)[None], slices, axis=0)
    cov = np.repeat((np.array(m["cov"]) * np.outer(unit, unit))[None], slices, axis=0)
    unknown = np.full(len(unit), np.nan)
    return Moments(tuple(m["names"]), n, n, n, mean, cov, pl.DataFrame({"n": [m["n"]] * slices}), unknown, unknown)


def expected_of(folder):
    e = json.loads((REFERENCE / folder / "ml.json").read_text(encoding="utf-8"))
    keys = zip(e["lhs"], e["op"], e["rhs"], strict=True)
    return {k: (a, se, s) for k, a, se, s in zip(keys, e["est"], e["se"], e["std_all"], strict=True)}


@pytest.mark.parametrize("folder", ["holzinger", "democracy", "airlinesat"])
def test_estimates_agree_with_lavaan(folder):
    est = Semopy().solve(
        Model.parse((REFERENCE / folder / "model.txt").read_text(encoding="utf-8")), moments_of(folder)
    )
    expected = expected_of(folder)
    assert est.convergence.converged.all()
    for i, row in enumerate(est.rows):
        key = (row.lhs, row.op, row.rhs)
        value, error, std = expected.pop(key if key in expected else key[::-1])
        assert est.values[0, i] == pytest.approx(value, rel=1e-4), key
        assert est.std_all[0, i] == pytest.approx(std, rel=1e-4), key
        assert np.nan_to_num(est.std_error[0, i]) == pytest.approx(error, rel=1e-3), key
    assert not expected


def test_solution_is_standardised():
    est = Semopy().solve(
        Model.parse((REFERENCE / "democracy/model.txt").read_text(encoding="utf-8")), moments_of("democracy")
    )
    solution, expected = est.solution, expected_of("democracy")
    at = {n: i for i, n in enumerate(solution.constructs)}
    assert solution.weights is None
    assert solution.loadings[0, solution.items.index("y1")] == pytest.approx(expected["dem60", "=~", "y1"][2], rel=1e-4)
    assert solution.paths[0, at["dem65"], at["dem60"]] == pytest.approx(expected["dem65", "~", "dem60"][2], rel=1e-4)
    assert solution.r2[0, at["dem65"]] == pytest.approx(1 - expected["dem65", "~~", "dem65"][2], rel=1e-4)
    assert np.isnan(solution.r2[0, at["ind60"]])


def test_units_do_not_matter():
    plain = Semopy().solve(Model.parse(CFA), moments_of("holzinger"))
    scale = np.ones(9)
    scale[[0, 4]] = 0.001, 1000.0
    scaled = Semopy().solve(Model.parse(CFA), moments_of("holzinger", scale))
    assert np.abs(plain.std_all - scaled.std_all).max() < 1e-6
    x2 = [(r.lhs, r.op, r.rhs) for r in plain.rows].index(("visual", "=~", "x2"))
    assert scaled.values[0, x2] == pytest.approx(1000 * plain.values[0, x2], rel=1e-5)


def test_equal_labels_give_equal_loadings():
    est = Semopy().solve(Model.parse("f =~ x1 + a*x2 + a*x3 + x4"), moments_of("holzinger"))
    loading = {r.rhs: v for r, v in zip(est.rows, est.values[0], strict=True) if r.op == "=~"}
    assert loading["x2"] == pytest.approx(loading["x3"], abs=1e-12)


def test_fixed_values_hold_in_the_items_units():
    est = Semopy().solve(Model.parse("f =~ x1 + 0.7*x2 + x3 + x4"), moments_of("holzinger"))
    assert est.values[0, 1] == pytest.approx(0.7, abs=1e-12)


def test_a_single_item_measures_without_error():
    est = Semopy().solve(Model.parse("v =~ x1 + x2 + x3\none =~ x9\none ~ v"), moments_of("holzinger"))
    values = {(r.lhs, r.op, r.rhs): v for r, v in zip(est.rows, est.values[0], strict=True)}
    assert values["x9", "~~", "x9"] == 0
    assert values["one", "=~", "x9"] == 1
    assert est.solution.loadings[0, -1] == pytest.approx(1.0)
    assert est.convergence.converged.all()


def test_constructs_that_data_cannot_separate_get_a_note():
    est = Semopy().solve(Model.parse((REFERENCE / "mobi/model.txt").read_text(encoding="utf-8")), moments_of("mobi"))
    assert "W-COLLINEAR" in {n.code for n in est.notes}


def test_a_constant_item_is_a_reason_in_its_slice_only():
    moments = moments_of("holzinger", slices=2)
    moments.cov[1, 0, :] = moments.cov[1, :, 0] = 0.0
    est = fit(Model.parse(CFA), moments, Semopy())
    assert est.convergence.converged.tolist() == [True, False]
    assert "x1" in est.convergence.reasons[1].say("en")
    assert np.isnan(est.values[1]).all()


def test_identical_items_raise_one_problem():
    moments = moments_of("holzinger")
    moments.cov[0, 1] = moments.cov[0, 0]
    moments.cov[0, :, 1] = moments.cov[0, :, 0]
    with pytest.raises(Problems) as caught:
        fit(Model.parse(CFA), moments, Semopy())
    assert [p.code for p in caught.value.problems] == ["E-COLLINEAR"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("f <~ x1 + x2\ng =~ x3 + x4 + x5\ng ~ f", "E-SEMOPY"),
        ("f =~ x1 + a*x2 + b*x3\nc := a*b", "E-SEMOPY"),
        ("f =~ x1 + x2 + x3\nx1 ~ 1", "E-SEMOPY"),
        ("f =~ x1 + x2 + nope", "E-ROLE"),
        ("f =~ NA*x1 + x2 + x3\nf ~~ 1*f", "E-SCALE"),
        ("f =~ x1 + x2", "E-DF"),
    ],
)
def test_what_it_cannot_fit_is_a_problem_in_two_languages(text, code):
    with pytest.raises(Problems) as caught:
        Semopy().solve(Model.parse(text), moments_of("holzinger"))
    assert code in {p.code for p in caught.value.problems}
    assert all(p.what.zh and p.remedy.zh for p in caught.value.problems)


def test_rows_with_absences_are_not_its_business():
    with pytest.raises(Problems, match="listwise"):
        Semopy(missing="fiml")
    assert Semopy().needs(Model.parse("f =~ x1 + x2 + x3\nf ~ z")) == ("x1", "x2", "x3", "z")


def test_defaults_are_lavaans():
    rows = {
        (p.lhs, p.op, p.rhs): p.fixed
        for p in parameters_of(Model.parse("a =~ x1\nb =~ x2 + x3\nc =~ x4 + x5\nb ~ a\nc ~ a"))
    }
    assert rows["x1", "~~", "x1"] == 0.0
    assert ("b", "~~", "c") in rows
    assert ("a", "~~", "b") not in rows


@pytest.mark.parametrize("text", ["f =~ a + b + c; g =~ 0; f ~ g", "f =~ a + b + lower(0)*c"])
def test_parts_of_the_language_it_does_not_know_are_refused(text):
    moments = Moments.of(list("abc"), 0.3 + 0.7 * np.eye(3), n=100)
    with pytest.raises(Problems) as error:
        fit(Model.parse(text), moments, Semopy())
    assert {p.code for p in error.value.problems} == {"E-SEMOPY"}
