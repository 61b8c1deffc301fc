"""Two items that no row answers together (a split questionnaire): lavaan, and what cannot be told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.sem.normal import informed

PLACE = Path(__file__).parents[1] / "reference/holzinger/never_together.json"
LAVAAN = json.loads(PLACE.read_text(encoding="utf-8"))
MODEL = LAVAAN["model"]


@pytest.fixture(scope="module")
def split() -> pl.DataFrame:
    """x1 asked of every other row, x6 of the rows between."""
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: these models need the rows")
    odd = pl.int_range(pl.len()) % 2 == 1
    return pl.read_csv(Path(place) / "data/holzinger_swineford/holzinger_swineford.csv").with_columns(
        x1=pl.when(~odd).then("x1"), x6=pl.when(odd).then("x6"), half=pl.int_range(pl.len()) // 2 % 2
    )


@pytest.fixture(scope="module")
def one_cell(split: pl.DataFrame) -> pl.DataFrame:
    """The same in one half; the other half answered both items, made from what is there."""
    other = pl.col("x2") / 4 + pl.col("x5") / 3
    filled = [pl.when(half_of("half", 1)).then(x).otherwise(pl.coalesce(x, other)).alias(x) for x in ("x1", "x6")]
    return split.with_columns(filled)


def half_of(column: str, value: int) -> pl.Expr:
    return pl.col(column) == value


def test_fit_as_lavaan(split) -> None:
    est = csi.fit(MODEL, split, csi.SEM("MLR", missing="fiml"))
    found = csi.fit_measures(est)
    for name, value in LAVAAN["fit"].items():
        assert found[name] == pytest.approx(value, rel=5e-5), name
    for item, (value, error) in LAVAAN["loadings"].items():
        row = est.table.filter((pl.col("op") == "=~") & (pl.col("rhs") == item)).row(0, named=True)
        assert (row["estimate"], row["std_error"]) == pytest.approx((value, error), rel=5e-5)


def test_the_pair_is_named_and_robust_indices_have_a_reason(split) -> None:
    est = csi.fit(MODEL, split, csi.SEM("MLR", missing="fiml"))
    note = next(n for n in est.notes if n.code == "W-COVERAGE")
    assert "x1 and x6" in note.text.en
    assert "x1 与 x6" in note.text.zh
    found = csi.fit_measures(est)
    reasons = dict(found.table.select("measure", "reason").iter_rows())
    assert reasons["cfi_robust"] == reasons["rmsea_robust"] == "never_together"
    assert reasons["cfi"] is None
    assert reasons["cfi_scaled"] is None
    assert "从未被同一行同时作答" in found.why["never_together"].say("zh")


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_standardised_residuals(split, estimator) -> None:
    est = csi.fit(MODEL, split, csi.SEM(estimator, missing="fiml"))
    table = csi.residuals(est, "standardised").table
    assert np.isfinite(table["value"].to_numpy()).all()
    if estimator == "ML":
        z = {frozenset((r["lhs"], r["rhs"])): r["value"] for r in table.iter_rows(named=True) if r["lhs"] != r["rhs"]}
        i, j = np.triu_indices(6, 1)
        mine = [z[frozenset((f"x{a + 1}", f"x{b + 1}"))] for a, b in zip(i, j, strict=True)]
        np.testing.assert_allclose(mine, LAVAAN["z"], atol=1e-3)


def test_one_such_cell_leaves_the_others_as_they_are(one_cell) -> None:
    both = csi.fit_measures(csi.fit(MODEL, one_cell, csi.SEM("MLR", missing="fiml"), by="half"))
    alone = csi.fit_measures(csi.fit(MODEL, one_cell.filter(half_of("half", 0)), csi.SEM("MLR", missing="fiml")))
    for name in ("chi2", "chi2_scaled", "cfi", "cfi_robust", "rmsea_robust"):
        assert both[name][0] == pytest.approx(alone[name], rel=1e-6), name
    assert np.isfinite(both["chi2_scaled"][1])
    assert np.isnan(both["cfi_robust"][1])


def test_invariance_over_groups_is_tested(one_cell) -> None:
    found = csi.invariance(MODEL, one_cell, "half", csi.SEM("MLR", missing="fiml"))
    assert np.isfinite(found.table["chi2"].to_numpy()).all()


def test_two_stages_are_refused_by_the_pair(split, one_cell) -> None:
    with pytest.raises(csi.Problems) as caught:
        csi.fit(MODEL, split, csi.SEM("MLR", missing="two-stage"))
    assert [p.code for p in caught.value.problems] == ["E-PAIR"]
    assert "x1 – x6" in str(caught.value)
    assert "x1 – x6" in caught.value.problems[0].what.zh
    with pytest.raises(csi.Problems, match="group 1: no two rows answer both items of x1 – x6"):
        csi.fit(MODEL, one_cell, csi.SEM(missing="two-stage", groups="half"))


def test_a_cell_of_two_stages_has_a_reason(one_cell) -> None:
    est = csi.fit(MODEL, one_cell, csi.SEM("MLR", missing="two-stage"), by="half")
    assert est.convergence.converged.tolist() == [True, False]
    assert est.convergence.reasons[1].code == "R-PAIR"
    assert "x1 – x6" in est.convergence.reasons[1].say("zh")


def test_information_that_is_singular_otherwise_has_the_generalised_inverse() -> None:
    H = np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    G = informed(H)
    np.testing.assert_allclose(H @ G @ H, H, atol=1e-12)
    np.testing.assert_allclose(G[:2, :2], 0.125)
