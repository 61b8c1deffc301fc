"""Compiled HTMT and total effects are those of numpy, in odd cases too."""

from __future__ import annotations

import numpy as np
import pytest

import csi
from csi.measures.blocks import correlations, membership
from csi.measures.effects import total_effects
from csi.measures.validity import htmt
from csi.moments import compiled

built = pytest.mark.skipif(not compiled.AVAILABLE, reason="csi.moments.kernel was not compiled in this installation")


def covariances(b: int = 20, p: int = 9) -> np.ndarray:
    """Of small samples, some correlations negative."""
    rng = np.random.default_rng(3)
    rows = (rng.normal(size=(b, 15, 1)) + rng.normal(size=(b, 15, p))) * np.where(np.arange(p), 2.0, -1.0)
    return np.stack([np.cov(x, rowvar=False) for x in rows])


@built
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "owner", [[0, 0, 0, 1, 1, 2, 3, 3, 3], [2, 0, 2, 0, 1, 1, 2, 0, 1], [0, 0, 1, -1, 1, 3, 3, -1, 3]]
)
def test_htmt_is_that_of_numpy(owner, signed):
    cov, owner = covariances(), np.array(owner)
    cov[1, 2] = cov[1, :, 2] = 0.0
    cov[2, 4, 4] = np.nan
    cov[3, 5, 5] = -1.0
    with np.errstate(invalid="ignore"):
        wanted = htmt(correlations(cov), membership(owner, 4), signed=signed)
    found = compiled.htmt(cov, owner, 4, signed=signed)
    assert np.isnan(found[1:4, 0, 1]).all()
    assert np.isfinite(found[4:]).sum() > found[4:, 0].size
    np.testing.assert_allclose(found, wanted, rtol=1e-10 if signed else 1e-13, atol=0)
    np.testing.assert_array_equal(compiled.htmt(cov[7:8], owner, 4, signed=signed)[0], found[7])


@built
def test_validity_agrees_without_a_compiler(mobi, monkeypatch):
    fast, direct = csi.validity(mobi).htmt, csi.effects(mobi).total
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    np.testing.assert_allclose(fast, csi.validity(mobi).htmt, rtol=1e-13, atol=0)
    np.testing.assert_allclose(direct, csi.effects(mobi).total, rtol=0, atol=1e-14)


@built
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"owner": np.array([0, 1, 2])}, IndexError),
        ({"owner": np.array([0, -2, 1])}, IndexError),
        ({"owner": np.array([0, 1])}, ValueError),
        ({"cov": np.eye(2)}, ValueError),
        ({"found": np.empty((3, 3))}, ValueError),
        ({"b": -1}, ValueError),
    ],
)
def test_arrays_of_another_size_are_refused(change, error):
    good = {"b": 1, "p": 3, "q": 2, "cov": np.eye(3), "owner": np.array([0, 1, 1]), "signed": False}
    with pytest.raises(error):
        compiled.kernel.htmt(*(good | {"found": np.empty((2, 2))} | change).values())


@built
@pytest.mark.parametrize(("q", "b"), [(1, 1), (2, 3), (7, 40)])
def test_total_effects_of_recursive_models_are_those_of_numpy(q, b, monkeypatch):
    rng = np.random.default_rng(q)
    order = rng.permutation(q)
    paths = np.tril(rng.normal(size=(b, q, q)), -1)[:, order[:, None], order]
    fast, one = total_effects(paths), total_effects(paths[0])
    assert compiled.total_effects(paths) is not None
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    np.testing.assert_allclose(fast, total_effects(paths), rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(one, fast[0])


@built
@pytest.mark.parametrize("odd", [0.5, np.nan])
def test_total_effects_of_other_models_are_left_to_numpy(odd):
    paths = np.tril(np.full((2, 3, 3), 0.4), -1)
    paths[1, 0, 2] = odd
    assert compiled.total_effects(paths) is None
    np.testing.assert_array_equal(total_effects(paths), np.linalg.inv(np.eye(3) - paths) - np.eye(3))
