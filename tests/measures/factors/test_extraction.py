"""Extraction: psych's numbers, the least of what each method makes least, edges."""

from __future__ import annotations

import numpy as np
import pytest

from csi.measures.factors.extraction import LEAST, extract, principal_axis, squared_multiple

CASES = [(name, method) for name in ("bfi", "hs") for method in ("minres", "ml", "pa")]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_loadings_are_psychs(record, matched, name, method):
    r = record(name)
    expected = r["solutions"][f"{method}_none"]
    found = extract(np.array([r["cor"]]), r["factors"], method)
    np.testing.assert_allclose(matched(found.loadings[0], expected["loadings"]), expected["loadings"], atol=1e-4)
    np.testing.assert_allclose(found.uniqueness[0], expected["uniqueness"], atol=1e-4)
    assert found.converged.all()


def test_squared_multiple_correlations(record):
    for name in ("bfi", "hs", "mobi"):
        r = record(name)
        np.testing.assert_allclose(squared_multiple(np.array([r["cor"]]))[0], r["smc"], atol=1e-6)


@pytest.mark.parametrize("method", ["minres", "ml"])
def test_no_uniqueness_nearby_does_better(record, method):
    r = record("hs")
    R = np.array(r["cor"])
    found = extract(R[None], 3, method)

    def objective(psi):
        if method == "minres":
            return 0.5 * (np.linalg.eigvalsh(R - np.diag(psi))[:6] ** 2).sum()
        values = np.linalg.eigvalsh(R / np.sqrt(np.outer(psi, psi)))[:6]
        return (values - np.log(values) - 1).sum()

    psi = found.uniqueness[0]
    least = objective(psi)
    assert least == pytest.approx(found.objective[0], rel=1e-9)
    for i in range(9):
        for step in (1e-4, -1e-4):
            assert objective(psi + step * np.eye(9)[i]) > least


def test_principal_axes_carried_on_are_minres(record):
    R = np.array([record("hs")["cor"]])
    carried = principal_axis(R, 3, tolerance=1e-11, rounds=5_000)
    np.testing.assert_allclose(carried.uniqueness, extract(R, 3).uniqueness, atol=1e-6)


def test_a_stack_is_its_matrices(record):
    R = np.array(record("bfi")["cor"])
    stack = np.stack([R[:9, :9], R[9:18, 9:18], R[16:, 16:]])
    for method in ("minres", "ml", "pa"):
        together = extract(stack, 2, method).loadings
        apart = np.concatenate([extract(one[None], 2, method).loadings for one in stack])
        np.testing.assert_allclose(together, apart, atol=1e-7)


def test_a_heywood_case_is_held_at_the_bound():
    L = np.array([1.05, 0.6, 0.5, 0.4])
    R = np.outer(L, L)
    np.fill_diagonal(R, 1.0)
    for method in ("minres", "ml"):
        found = extract(R[None], 1, method)
        assert found.heywood[0].tolist() == [True, False, False, False]
        assert found.uniqueness[0, 0] == pytest.approx(LEAST)
        assert found.converged.all()


def test_singular_and_absent_matrices():
    twin = np.array([[1.0, 1.0, 0.5, 0.4], [1.0, 1.0, 0.5, 0.4], [0.5, 0.5, 1.0, 0.3], [0.4, 0.4, 0.3, 1.0]])
    absent = np.where(np.eye(4) > 0, 1.0, np.nan)
    stack = np.stack([twin, absent, 0.5 + 0.5 * np.eye(4)])
    assert extract(stack, 1, "ml").converged.tolist() == [False, False, True]
    found = extract(stack, 1, "minres")
    assert found.converged.tolist() == [True, False, True]
    assert np.isfinite(found.loadings[0]).all()
    assert np.isnan(found.loadings[1]).all()
