"""Sampling weights and clusters: estimates, standard errors and scaled tests are lavaan's MLR.

The rows come from a formula that `tests/reference/design/design.R` repeats, so none are stored.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

import csi

SAVED = json.loads((Path(__file__).parents[1] / "reference/design/design.json").read_text(encoding="utf-8"))
GROUPS = ("q", "p")
WEIGHTS, CLUSTERS = {"weight": "w"}, {"unit": "cluster"}
FIML = {"missing": "fiml"}
MEANS = {"meanstructure": True}
CASES = {
    "weights": ({}, WEIGHTS),
    "clusters": (MEANS, CLUSTERS),
    "both": (MEANS, WEIGHTS | CLUSTERS),
    "groups": ({"groups": "school"}, WEIGHTS | CLUSTERS),
    "equal": ({"groups": "school", "equal": ("loadings", "intercepts")}, WEIGHTS | CLUSTERS),
    "fiml_weights": (FIML, WEIGHTS),
    "fiml_clusters": (FIML, CLUSTERS),
    "fiml_both": (FIML, WEIGHTS | CLUSTERS),
}


def even(k, prime):
    """Numbers spread evenly over (0, 1)."""
    return (k * np.sqrt(prime)) % 1


def panel() -> pl.DataFrame:
    """480 rows in 60 clusters, as in design.R."""
    i = np.arange(1, 481)
    cluster = (i - 1) // 8 + 1
    u, v = ndtri(even(cluster, 2)), ndtri(even(cluster, 3))
    f = 0.5 * u + ndtri(even(i, 5))
    g = 0.5 * f + 0.4 * v + ndtri(even(i, 7))
    blocks = zip((f, f, f, g, g, g), (1, 0.8, 0.9, 1, 0.7, 1.1), (11, 13, 17, 19, 23, 29), strict=True)
    items = [np.round(load * own - np.log(even(i, prime)) - 1 + 0.3 * u, 3) for own, load, prime in blocks]
    columns = {f"x{j + 1}": x for j, x in enumerate(items)}
    school = np.where(cluster % 2 == 0, "p", "q")
    return pl.DataFrame({**columns, "cluster": cluster, "w": 1 + (7 * i) % 5, "school": school})


def holed(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with absent answers."""
    i = pl.int_range(1, pl.len() + 1)
    gone = {"x2": i % 7 == 0, "x5": (pl.col("x4") > 2) & (i % 3 == 0)}
    return frame.with_columns(pl.when(~lost).then(pl.col(name)).alias(name) for name, lost in gone.items())


def fitted(name: str) -> csi.Estimate:
    settings, design = CASES[name]
    rows = holed(panel()) if name.startswith("fiml") else panel()
    return csi.fit(csi.Model.parse(SAVED["model"]), rows, csi.SEM(estimator="MLR", **settings), **design)


def test_the_rows_are_those_of_the_script():
    rows, check = panel(), SAVED["check"]
    assert rows["x1"].sum() == pytest.approx(check["sum_x1"], abs=1e-9)
    assert rows["x6"].sum() == pytest.approx(check["sum_x6"], abs=1e-9)
    assert sum(holed(rows).null_count().row(0)) == check["holes"]


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_errors(name):
    saved, table = SAVED["cases"][name], fitted(name).table
    ours = {
        (f"{lhs} {op} {rhs}".strip(), GROUPS.index(group) + 1 if group else 1): (value, error)
        for lhs, op, rhs, group, value, error in table.select(
            "lhs", "op", "rhs", "group", "estimate", "std_error"
        ).iter_rows()
    }
    for row, group, value, error in zip(
        *(saved[k] if isinstance(saved[k], list) else [saved[k]] * len(saved["name"]) for k in ("name", "group")),
        saved["est"],
        saved["se"],
        strict=True,
    ):
        mine = ours[row.strip(), group]
        assert mine[0] == pytest.approx(value, abs=SAVED["tolerance"]), (row, group)
        assert (mine[1] or 0.0) == pytest.approx(error, rel=1e-4), (row, group)


@pytest.mark.parametrize("name", CASES)
def test_scaled_tests_and_indices(name):
    ours = csi.fit_measures(fitted(name))
    for measure, value in SAVED["cases"][name]["fit"].items():
        assert ours[measure] == pytest.approx(value, rel=1e-5, abs=1e-5), measure


def test_weights_in_any_unit_give_the_same():
    frame = panel()
    model = csi.Model.parse(SAVED["model"])
    first, second = (
        csi.fit(model, frame.with_columns(w=pl.col("w") * scale), csi.SEM(estimator="MLR"), weight="w")
        for scale in (1.0, 250.0)
    )
    np.testing.assert_allclose(second.std_error, first.std_error, rtol=1e-6)


def test_standard_errors_that_ignore_weights_are_told():
    est = csi.fit(csi.Model.parse(SAVED["model"]), panel(), csi.SEM(), weight="w")
    assert "N-WEIGHTS" in [n.code for n in est.notes]
