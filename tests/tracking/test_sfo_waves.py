"""Four real waves of one question: the index and its changes against R's means and Welch's t, from committed moments.

Provenance: tests/reference/sfo/provenance.json.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.estimate.fit import fit
from csi.models.model import Model
from csi.moments.stack import Moments
from csi.pls.estimator import PLS
from csi.tracking.changes import changes
from csi.tracking.index import index

SAVED = json.loads((Path(__file__).parents[1] / "reference/sfo/whole.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def made():
    """One item of interest; a second, standardised one is there because a path model needs two constructs."""
    waves = SAVED["waves"]
    n = np.array([float(w["n_valid"]) for w in waves.values()])
    sd = np.array([w["sd"] for w in waves.values()])
    cov = np.stack([np.array([[s**2, 0.4 * s], [0.4 * s, 1.0]]) for s in sd])
    mean = np.array([[w["mean"], 3.0] for w in waves.values()])
    cells = pl.DataFrame({"wave": list(waves), "n": n.astype(np.int64)})
    low, high = np.full(2, SAVED["minimum"]), np.full(2, SAVED["maximum"])
    moments = Moments(("whole", "safe"), n, n, n, mean, cov, cells, low, high)
    model = Model.parse("satisfaction =~ whole\nsafety =~ safe\nsatisfaction ~ safety")
    return index(fit(model, moments, PLS()), weights="own")


def test_index_of_one_item_is_its_rescaled_mean(made):
    table = made.table.filter(pl.col("construct") == "satisfaction")
    expected = [25 * (w["mean"] - 1) for w in SAVED["waves"].values()]
    np.testing.assert_allclose(table["index"], expected, rtol=1e-12)
    errors = [25 * w["sd"] / np.sqrt(w["n_valid"]) for w in SAVED["waves"].values()]
    np.testing.assert_allclose(table["std_error_fixed"], errors, rtol=1e-12)


def test_changes_are_welch_s(made):
    table = changes(made, "satisfaction", ("previous",), per_year=1).table.drop_nulls("change")
    np.testing.assert_allclose(table["change"], [25 * t["diff"] for t in SAVED["welch"]], rtol=1e-9)
    np.testing.assert_allclose(table["change"] / table["std_error"], [t["t"] for t in SAVED["welch"]], rtol=1e-9)
