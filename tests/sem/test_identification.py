"""Models that the moments do not identify: fitted all the same, named, and sound in the part that is identified."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.models.syntax.build import parse_claim
from csi.sem.constraints import reduced
from csi.sem.identification import determined, generic_rank, null_space, rank_at, unidentified
from csi.sem.layout import layout_of
from csi.sem.table import Rules, table_of

REFERENCE = Path(__file__).parents[1] / "reference"


def moments():
    saved = json.loads((REFERENCE / "holzinger" / "moments.json").read_text("utf-8"))
    return csi.Moments.of(saved["names"], saved["cov"], saved["n"], saved["mean"])


def layout(syntax, **rules):
    return layout_of(table_of(parse_claim(syntax), Rules(**rules)))


def rows(n=300):
    rng = np.random.default_rng(11)
    f = rng.normal(size=(n, 1))
    return pl.DataFrame(0.8 * f + 0.6 * rng.normal(size=(n, 5)), schema=["a", "b", "c", "d", "e"])


UNIT = "f =~ NA*a + b + c + d"
SPLIT = "f =~ a + b + c\ng =~ d\nd ~~ NA*d\ng ~ f"
OVER = "f =~ a + b + c\na ~~ b"


def test_counts_of_the_rank():
    rank = generic_rank(layout("f =~ NA*a + b + c + d"))
    assert (rank.moments, rank.parameters, rank.rank) == (10, 9, 8)
    assert rank.directions.shape == (9, 1)
    assert not rank.identified


def test_a_constraint_identifies():
    free = layout("f =~ NA*a + b + c + d")
    R = np.zeros((1, 9))
    R[0, free.table.names.index("f =~ a")] = 1.0
    assert unidentified(free, reduced(R, np.array([1.0]))) == ()


def test_equal_thresholds_free_latent_means_and_scales():
    ordered = (("a", 2), ("b", 2), ("c", 2), ("d", 2))
    rules = {"groups": ("x", "y"), "equal": ("loadings", "thresholds"), "means": True, "ordered": ordered}
    assert unidentified(layout("f =~ a + b + c + d", **rules)) == ()


def test_the_null_space_of_a_wide_matrix():
    null, smallest, rank = null_space(np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
    assert rank == 2
    assert smallest == 0
    np.testing.assert_allclose(np.abs(null.ravel()), [0, 0, 1], atol=1e-15)


def test_directions_that_the_information_sees():
    information = np.array([[[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 5.0]]])
    R = determined(information, 2)
    inside = R.swapaxes(1, 2) @ information @ R
    V = R @ np.linalg.inv(inside) @ R.swapaxes(1, 2)
    assert V[0, 2, 2] == pytest.approx(0.2)
    assert np.ones(3) @ V[0] @ np.ones(3) == pytest.approx(0.5 + 0.2)  # the sum of the first two is estimable


def test_the_rank_at_a_solution_is_that_of_the_model():
    fit = csi.fit(csi.Model.parse("f =~ x1 + x2 + x3 + x4"), moments(), csi.SEM()).extra["sem"]
    (rank,) = rank_at(fit.layout, fit.linear, fit.flats, fit.theta)
    assert rank.identified
    assert rank.rank == fit.npar == 8


@pytest.mark.parametrize("syntax", [UNIT, SPLIT, OVER])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"estimator": "GLS"},
        {"estimator": "MLM"},
        {"estimator": "MLR"},
        {"estimator": "MLF"},
        {"estimator": "WLS"},
        {"estimator": "WLSMV"},
        {"estimator": "ULSMV"},
        {"missing": "fiml"},
        {"missing": "two-stage"},
        {"information": "observed"},
    ],
    ids=lambda s: "-".join(s.values()) or "ML",
)
@pytest.mark.filterwarnings("error")
def test_unidentified_models_are_fitted_with_a_note_by_every_estimator(syntax, settings):
    est = csi.fit(csi.Model.parse(syntax), rows(), csi.SEM(**settings))
    told = [n.text for n in est.notes if n.code == "W-IDENT"]
    assert len(told) == 1
    names = unidentified(est.extra["sem"].layout)
    assert names[0] in told[0].en
    assert "模型不可识别" in told[0].zh
    errors = {f"{r.lhs} {r.op} {r.rhs}".strip(): se for r, se in zip(est.rows, est.std_error[0], strict=True)}
    assert all(np.isnan(errors[name]) for name in names)


@pytest.mark.parametrize("estimator", ["ML", "MLR", "MLM", "WLSMV"])
def test_what_is_identified_keeps_its_standard_errors(estimator):
    half = csi.fit(csi.Model.parse(SPLIT), rows(), csi.SEM(estimator=estimator))
    whole = csi.fit(csi.Model.parse("f =~ a + b + c\nd ~ f"), rows(), csi.SEM(estimator=estimator))
    assert half.extra["sem"].test.statistic == pytest.approx(whole.extra["sem"].test.statistic, abs=1e-6)
    for est in (half, whole):
        assert np.isfinite(est.extra["sem"].theta).all()
    se = {(r.lhs, r.op, r.rhs): s for r, s in zip(half.rows, half.std_error[0], strict=True)}
    for r, s in zip(whole.rows, whole.std_error[0], strict=True):
        key = ("g", "~", "f") if r.op == "~" else (r.lhs, r.op, r.rhs)
        if key in se and r.lhs != "d" and np.isfinite(s):
            assert se[key] == pytest.approx(s, rel=1e-5)


def test_more_parameters_than_moments_reach_the_perfect_fit():
    est = csi.fit(csi.Model.parse("f =~ x1 + x2 + x3\nx1 ~~ x2"), moments(), csi.SEM())
    assert est.extra["sem"].df == -1
    assert est.extra["sem"].test.statistic[0] == pytest.approx(0, abs=1e-8)
    assert "(df = -1): 6 moments determine 6 of 7 parameters" in est.notes[0].text.en
