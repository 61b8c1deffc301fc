"""Residuals against lavaan 0.6-14's `resid()` (tests/reference/*/lavaan) and by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.residual_covariance import Known, residual_acov
from csi.measures.residuals import residuals

REFERENCE = Path(__file__).parents[1] / "reference"


def fitted(folder, record, file="moments", **settings):
    saved = json.loads((REFERENCE / folder / "lavaan" / f"{record}.json").read_text("utf-8"))
    m = json.loads((REFERENCE / folder / f"{file}.json").read_text("utf-8"))
    names = m["names"]
    if "groups" in m:
        parts = {g: csi.Moments.of(names, x["cov"], x["n"], x["mean"]) for g, x in m["groups"].items()}
        moments = csi.Moments.grouped(parts)
    else:
        moments = csi.Moments.of(names, m["cov"], m["n"], m["mean"])
    return csi.fit(csi.Model.parse(saved["syntax"]), moments, csi.SEM(**settings)), saved


def square(flat, p):
    out = np.zeros((p, p))
    i, j = np.tril_indices(p)
    out[i, j] = out[j, i] = flat
    return out


CASES = [
    ("holzinger", "ML", "moments", {}),
    ("holzinger", "ML_observed", "moments", {"information": "observed"}),
    ("holzinger", "GLS", "moments", {"estimator": "GLS"}),
    ("growth", "growth", "moments", {"growth": True}),
    ("holzinger", "ML_scalar", "by_school", {"groups": "school", "equal": ("loadings", "intercepts")}),
]


@pytest.mark.parametrize(("folder", "record", "file", "settings"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
@pytest.mark.parametrize(("part", "kind"), [("residuals", "cor"), ("residuals_z", "standardised")])
def test_residuals_are_lavaans(folder, record, file, settings, part, kind):
    est, saved = fitted(folder, record, file, **settings)
    theirs, ours = saved[part], residuals(est, kind)
    at = [ours.items.index(name) for name in theirs["names"]]
    for number, label in enumerate(saved.get("groups") or [""]):
        g = ours.groups.index(label)
        cov = theirs["cov"][number] if label else theirs["cov"]
        assert ours.cov[g, 0][np.ix_(at, at)] == pytest.approx(square(cov, len(at)), abs=1e-4)
        if "mean" in theirs:
            mean = theirs["mean"][number] if label else theirs["mean"]
            assert ours.mean[g, 0][at] == pytest.approx(np.array(mean), abs=1e-4)


def test_raw_and_bentler_residuals_are_what_srmr_is_made_of():
    est, saved = fitted("holzinger", "ML")
    i, j = np.tril_indices(9)
    bentler, raw = residuals(est, "bentler"), residuals(est, "raw")
    assert np.sqrt((bentler.cov[0, 0][i, j] ** 2).mean()) == pytest.approx(saved["fit"]["srmr"], abs=1e-6)
    assert np.sqrt((raw.cov[0, 0][i, j] ** 2).mean()) == pytest.approx(saved["fit"]["rmr"], abs=1e-6)
    assert bentler.mean is None


def test_normalised_residuals_have_the_larger_standard_error():
    est, _ = fitted("holzinger", "ML")
    z, normal = residuals(est, "standardised").cov[0, 0], residuals(est, "normalised").cov[0, 0]
    off = ~np.eye(9, dtype=bool)
    assert (np.abs(normal[off]) <= np.abs(z[off]) + 1e-12).all()


def test_a_saturated_direction_leaves_no_residual_variance():
    rng = np.random.default_rng(1)
    A, G = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    one = Known(np.eye(3), A @ A.T, G @ G.T, 50.0, 1.0)
    assert residual_acov([one], 0) == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_the_table_names_every_moment_once():
    est, _ = fitted("holzinger", "ML_scalar", "by_school", groups="school", equal=("loadings", "intercepts"))
    table = residuals(est).table
    assert table.height == 2 * (45 + 9)
    assert table.select("group", "lhs", "op", "rhs").is_unique().all()


def test_another_kind_is_named():
    est, _ = fitted("holzinger", "ML")
    with pytest.raises(Problems, match="standardised"):
        residuals(est, "standard")


@pytest.mark.parametrize(
    ("other", "ours"), [("correlation", "cor"), ("standardized", "standardised"), ("normalized", "normalised")]
)
def test_a_kind_has_other_spellings(other, ours):
    est, _ = fitted("holzinger", "ML")
    assert residuals(est, other).kind == ours
    assert residuals(est, other).table.equals(residuals(est, ours).table)


def test_residuals_read_in_both_languages():
    est, _ = fitted("holzinger", "ML_scalar", "by_school", groups="school", equal=("loadings", "intercepts"))
    found = residuals(est)
    assert repr(found).startswith("Residual correlations\ngroup ")
    assert text(found, "zh").startswith("残差相关\n组 ")
    assert repr(found).count("\nx9 ") == 2
