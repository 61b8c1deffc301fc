"""Growth models with loadings that are free: the means say what the covariances cannot.

lavaan 0.6-14, growth() of bfi.csv: A =~ A1 + ... + A5 has chi-square 1031.5385 (df 9; missing = "fiml" 1038.5308), with
N =~ N1 + ... + N5 and N ~ A 1873.2668 (df 42). A1 goes against the others, and all means are positive.
"""

import os
from pathlib import Path

import polars as pl
import pytest

import csi

ONE = "A =~ A1 + A2 + A3 + A4 + A5"
TWO = f"{ONE}\nN =~ N1 + N2 + N3 + N4 + N5\nN ~ A"


@pytest.fixture(scope="module")
def bfi() -> pl.DataFrame:
    place = os.environ.get("CSI_REFERENCE_DIR")
    if place is None:
        pytest.skip("CSI_REFERENCE_DIR is not set: these models need the rows")
    return pl.read_csv(Path(place) / "data/bfi/bfi.csv", null_values=["NA", ""])


@pytest.mark.parametrize(
    ("text", "missing", "chi2", "df"),
    [(ONE, "listwise", 1031.5385, 9), (ONE, "fiml", 1038.5308, 9), (TWO, "listwise", 1873.2668, 42)],
)
def test_the_minimum_is_found(bfi, text, missing, chi2, df) -> None:
    est = csi.fit(text, bfi, csi.SEM(growth=True, missing=missing))
    assert est.convergence.converged.all()
    found = csi.fit_measures(est)
    assert found["chi2"] == pytest.approx(chi2, rel=1e-6)
    assert found["df"] == df


def test_the_estimates_are_lavaans(bfi) -> None:
    table = csi.fit(ONE, bfi, csi.SEM(growth=True)).table
    rows = {(r["lhs"], r["op"], r["rhs"]): (r["estimate"], r["std_error"]) for r in table.iter_rows(named=True)}
    assert rows["A", "=~", "A2"] == pytest.approx((2.08446813, 0.02751984), rel=1e-5)
    assert rows["A", "~1", ""] == pytest.approx((2.300, 0.030), abs=5e-4)
    assert rows["A", "~~", "A"] == pytest.approx((0.14345251, 0.00664879), rel=1e-5)
