"""Rotations: psych's and GPArotation's numbers, slopes by finite differences, starts, order, Schmid-Leiman."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from csi.measures.factors import criteria
from csi.measures.factors.extraction import extract
from csi.measures.factors.rotation import projected, random_starts, varimax
from csi.measures.factors.schmid_leiman import schmid_leiman
from csi.measures.factors.turned import accounted, turned

NAMES = {"oblimin": "oblimin", "varimax": "varimax", "promax": "promax", "geominQ": "geomin", "bifactor": "bifactor"}
CASES = [
    (data, method, theirs)
    for data in ("bfi", "hs")
    for method, kinds in (("minres", NAMES), ("ml", ("varimax", "promax", "oblimin")), ("pa", ("promax", "oblimin")))
    for theirs in kinds
]
SIX = [("mobi", "minres", "oblimin"), ("mobi", "ml", "promax"), ("mobi", "pa", "varimax")]


def _identity_or(phi, m):
    return np.eye(m) if phi is None else phi


@pytest.mark.parametrize(("data", "method", "theirs"), CASES + SIX)
def test_rotated_loadings_are_psychs(record, matched, data, method, theirs):
    r = record(data)
    expected = r["solutions"][f"{method}_{theirs}"]
    unrotated = extract(np.array([r["cor"]]), r["factors"], method)
    found = turned(unrotated.loadings, NAMES[theirs], starts=3 if theirs in ("geominQ", "bifactor") else None)
    L, phi = matched(found.loadings[0], expected["loadings"], found.phi[0])
    np.testing.assert_allclose(L, expected["loadings"], atol=1e-4)
    np.testing.assert_allclose(phi, _identity_or(expected["phi"], r["factors"]), atol=1e-4)
    np.testing.assert_allclose(
        found.loadings[0] @ found.phi[0] @ found.loadings[0].T,
        unrotated.loadings[0] @ unrotated.loadings[0].T,
        atol=1e-9,
    )
    assert found.converged.all()


def test_factanal_and_principal_components(record, matched):
    r = record("hs")
    A = extract(np.array([r["cor"]]), 3, "ml").loadings
    np.testing.assert_allclose(
        matched(turned(A, "varimax").loadings[0], r["factanal3_varimax"]), r["factanal3_varimax"], atol=1e-4
    )
    values, vectors = np.linalg.eigh(np.array(r["cor"]))
    components = vectors[:, -3:] * np.sqrt(values[-3:])
    found = turned(components[None], "varimax").loadings[0]
    np.testing.assert_allclose(matched(found, r["pca3_varimax"]), r["pca3_varimax"], atol=1e-4)


@pytest.mark.parametrize(
    "criterion",
    [
        criteria.oblimin,
        partial(criteria.oblimin, gamma=-0.5),
        criteria.geomin,
        criteria.bifactor,
        criteria.bigeomin,
        partial(criteria.target, aim=np.where(np.arange(18).reshape(6, 3) % 2, np.nan, 0.3)),
    ],
)
def test_slopes(criterion):
    L = np.random.default_rng(3).normal(size=(2, 6, 3))
    _, slope = criterion(L)
    numeric = np.empty_like(L)
    for place in np.ndindex(6, 3):
        step = np.zeros((6, 3))
        step[place] = 1e-6
        numeric[:, *place] = (criterion(L + step)[0] - criterion(L - step)[0]) / 2e-6
    np.testing.assert_allclose(slope, numeric, atol=1e-7)


def test_several_minima_are_counted_and_the_least_is_kept():
    L = np.zeros((9, 3))
    L[np.arange(9), np.arange(9) // 3] = np.linspace(0.4, 0.8, 9)
    L += np.random.default_rng(0).normal(scale=0.3, size=L.shape)
    found = turned(L[None], "geomin", starts=5)
    _, values, _ = projected(np.repeat(L[None], 5, 0), random_starts(3, 5, 1), criteria.geomin, oblique=True)
    assert found.value[0] == pytest.approx(values.min(), rel=1e-9)
    assert found.minima[0] > 1
    assert 0 < found.share[0] < 1


def test_symmetric_loadings_are_no_trap():
    """Where loadings are the same in size on both factors, the identity is a saddle of both criteria."""
    A = np.array([[[0.6, 0.6], [0.5, 0.5], [0.6, -0.6], [0.5, -0.5]]])
    for rotation in ("oblimin", "varimax", "geomin"):
        np.testing.assert_allclose(np.abs(turned(A, rotation).loadings[0]).min(axis=1), 0, atol=1e-3)


def test_varimax_carried_on_is_higher_than_the_custom(record):
    A = extract(np.array([record("bfi")["cor"]]), 5).loadings
    X = A / np.sqrt((A * A).sum(axis=2, keepdims=True))
    early, late = (((X @ varimax(A, tolerance=t)) ** 2).var(axis=1).sum() for t in (1e-5, 1e-13))
    assert late > early


def test_factors_stand_by_what_they_account_for(record):
    A = extract(np.array([record("bfi")["cor"]]), 5).loadings
    for rotation in ("oblimin", "varimax", "promax"):
        found = turned(A, rotation)
        assert (np.diff(accounted(found.loadings, found.phi)[0]) < 0).all()
        assert (found.loadings.sum(axis=1) > 0).all()
    whole = accounted(found.loadings, found.phi)[0]
    np.testing.assert_allclose(whole, record("bfi")["solutions"]["minres_promax"]["accounted"], atol=1e-3)


def test_schmid_leiman_is_psychs(record):
    """psych 2.2.9 (R 4.2.2): omega(x1..x9, nfactors = 3, fm = "minres", rotate = "oblimin"), its loadings."""
    found = schmid_leiman(np.array([record("hs")["cor"]]))
    general = [0.485502147864009, 0.291061929260224, 0.406832550357618, 0.448270591988308, 0.417331699312269]
    general += [0.458510277246527, 0.232534731099923, 0.346076849054148, 0.445962148515269]
    group = [0.16850805651361, 0.0368617523950391, -0.0534356191354376, 0.725796304261406, 0.759606725909934]
    group += [0.690758322041373, 0.0375636661684677, -0.0291719136402099, 0.0273085558527759]
    np.testing.assert_allclose(found.general[0], general, atol=1e-4)
    np.testing.assert_allclose(found.group[0, :, 0], group, atol=1e-4)
    np.testing.assert_allclose(found.communality + found.uniqueness, 1.0, atol=1e-6)


@pytest.mark.parametrize(("pair", "second"), [("equal", [0.7, 0.7]), ("first", [1.0, 0.49]), ("second", [0.49, 1.0])])
def test_two_factors_share_their_correlation_as_asked(pair, second):
    L = np.kron(np.eye(2), np.array([[0.9], [0.8], [0.7]]))
    R = L @ np.array([[1.0, 0.49], [0.49, 1.0]]) @ L.T
    np.fill_diagonal(R, 1.0)
    np.testing.assert_allclose(schmid_leiman(R[None], 2, pair=pair).second[0], second, atol=1e-5)
    assert schmid_leiman(R[None], 1).group.tolist() == np.zeros((1, 6, 1)).tolist()
