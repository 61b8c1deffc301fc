"""Whatever units the items are measured in, a fit settles in the same place: Holzinger's items times powers of 10."""

import json
from pathlib import Path

import numpy as np
import pytest

import csi
from csi.sem.normal import inverse

SYNTAX = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nspeed ~ visual + textual"
SAVED = json.loads((Path(__file__).parents[1] / "reference" / "holzinger" / "moments.json").read_text("utf-8"))


def fitted(unit, **settings):
    u = unit * np.ones(len(SAVED["names"]))
    moments = csi.Moments.of(SAVED["names"], np.array(SAVED["cov"]) * np.outer(u, u), SAVED["n"])
    return csi.fit(csi.Model.parse(SYNTAX), moments, csi.SEM(**settings))


@pytest.mark.parametrize("unit", [1e-6, 1e-2, 1e6])
def test_unweighted_least_squares_in_another_unit(unit):
    one, other = fitted(1.0, estimator="ULS"), fitted(unit, estimator="ULS")
    assert other.convergence.converged.all()
    power = np.array([{"~~": 2, "=~": 0, "~": 0}[r.op] for r in one.rows])
    np.testing.assert_allclose(other.values, one.values * unit**power, rtol=1e-6)
    chi2 = [e.extra["sem"].test.statistic[0] for e in (one, other)]
    assert chi2[1] == pytest.approx(chi2[0] * unit**4, rel=1e-9)


@pytest.mark.parametrize("estimator", ["ML", "GLS"])
def test_every_item_in_a_unit_of_its_own(estimator):
    unit = 10.0 ** np.array([1.6, -2.8, -5.5, -5.8, 3.8, 5.0, 1.3, 2.8, 0.5])
    one, other = (fitted(u, estimator=estimator, std_lv=True) for u in (1.0, unit))
    assert other.convergence.converged.all()
    names = list(SAVED["names"])
    scale = np.array(
        [
            (unit[names.index(r.rhs)] if r.rhs in names else 1.0) * (unit[names.index(r.lhs)] if r.lhs in names else 1)
            for r in one.rows
        ]
    )
    np.testing.assert_allclose(other.values, one.values * scale, rtol=1e-6)
    np.testing.assert_allclose(other.std_error, one.std_error * scale, rtol=1e-6)


def test_inverses_of_matrices_with_unlike_units():
    d = 10.0 ** np.array([-9, 0, 8, -3, 5])
    R = 0.3 + 0.7 * np.eye(5)
    found = inverse((R * np.outer(d, d))[None])[0] * np.outer(d, d)
    np.testing.assert_allclose(found, np.linalg.inv(R), rtol=1e-12)
    singular = np.array([[1e12, 1.0], [1.0, 1e-12]])
    assert not np.isfinite(inverse(np.stack([singular, np.eye(2)]))[0]).any()
    assert np.array_equal(inverse(np.stack([singular, np.eye(2)]))[1], np.eye(2))
