"""On 200 saved samples chi-square and standard errors equal lavaan's, by ML and by MLR (one stack each)."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi

FOLDER = Path(__file__).parents[1] / "reference/simulated"
TOLERANCE = 1e-4
KEPT = (("qua", "=~", "qua2"), ("val", "~", "qua"), ("sat", "~", "qua"), ("sat", "~", "val"), ("loy", "~", "sat"))


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("saved_samples_recipe", FOLDER / "recipe.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def theirs():
    return json.loads((FOLDER / "saved_samples.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def frame(recipe):
    rows = recipe.samples()
    number = np.repeat(np.arange(recipe.SAMPLES), recipe.ROWS)
    keys = pl.Series("sample", number).cast(pl.String).str.zfill(3)
    return pl.DataFrame(rows.reshape(-1, rows.shape[2]), schema=list(recipe.ITEMS)).with_columns(keys)


def test_the_rows_are_those_that_lavaan_read(recipe, theirs):
    first = recipe.samples()[0].mean(axis=0).tolist()
    assert first == pytest.approx(theirs["first_mean"], abs=1e-9)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_chi_square_and_standard_errors_are_lavaans(recipe, theirs, frame, estimator):
    est = csi.fit(csi.Model.parse(recipe.TEXT), frame, csi.SEM(estimator=estimator), by=["sample"])
    assert est.convergence.converged.all()
    fit = est.extra["sem"]
    chi2 = (fit.test if fit.scaled is None else fit.scaled).statistic
    at = [next(i for i, r in enumerate(est.rows) if (r.lhs, r.op, r.rhs) == key) for key in KEPT]
    found = np.column_stack([chi2, est.std_error[:, at]])
    expected = np.array(theirs[estimator])
    assert found.shape == expected.shape == (200, 6)
    assert np.abs(found / expected - 1).max() < TOLERANCE
