"""The compiled PLS algorithm and its reading version in numpy give the same weights, paths and endings."""

from __future__ import annotations

import numpy as np
import pytest

import csi
from csi.models.model import Model
from csi.pls import compiled
from csi.pls.algorithm import Solved, solve_stack
from csi.pls.blueprint import design_of
from csi.pls.consistent import Corrected, corrected

built = pytest.mark.skipif(not compiled.AVAILABLE, reason="csi.pls.kernel was not compiled in this installation")

TEXT = """
image =~ i1 + i2 + i3 + i4; quality =~ q1 + q2 + q3; value =~ v1 + v2; satisfaction =~ s1 + s2 + s3; complaints =~ c1
quality ~ image; value ~ image + quality; satisfaction ~ image + quality + value; complaints ~ satisfaction
"""
MODEL = Model.parse(TEXT)
MODES = {"image": "B", "value": "B", "complaints": "B"}


def correlations(b: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Correlations and standard deviations of small samples."""
    rng, p = np.random.default_rng(7), len(MODEL.items)
    rows = rng.normal(size=(b, 60, 1)) + rng.normal(size=(b, 60, p))
    cov = np.stack([np.cov(x, rowvar=False) for x in rows]) * np.arange(1, p + 1) * np.arange(1, p + 1)[:, None]
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return cov / (sd[:, :, None] * sd[:, None, :]), sd


def both(monkeypatch, *args, **kwargs) -> tuple[Solved, Solved]:
    fast = solve_stack(*args, **kwargs)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    return fast, solve_stack(*args, **kwargs)


def assert_alike(fast: Solved, wanted: Solved) -> None:
    for name in Solved.__slots__:
        found, other = getattr(fast, name), getattr(wanted, name)
        assert found.dtype == other.dtype
        np.testing.assert_allclose(found, other, rtol=0, atol=1e-12, err_msg=name)


@built
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("modes", [{}, MODES], ids=["A", "A and B"])
@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
def test_solution_is_that_of_numpy(scheme, modes, raw, monkeypatch):
    R, sd = correlations()
    assert_alike(*both(monkeypatch, R, design_of(MODEL, modes), scheme, 1e-9, 300, sd=sd if raw else None))


@built
def test_endings_are_those_of_numpy(monkeypatch):
    R, _ = correlations(6)
    R[1, 2, 3] = np.nan
    R[2, :4, :4] = 1.0
    R[3, 4:7, 4:7] = 1.0
    assert_alike(*both(monkeypatch, R, design_of(MODEL, MODES), "path", 1e-9, 4))


@built
@pytest.mark.parametrize("shift", [0.0, -0.35])
def test_correction_is_that_of_numpy(shift, monkeypatch):
    R, _ = correlations()
    R[::3, :4, :4] += shift * (1 - np.eye(4))
    design = design_of(MODEL, {"image": "A"}, consistent=True)
    solved = solve_stack(R, design, "path", 1e-9, 300)
    fast = corrected(solved, R, design)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    wanted = corrected(solved, R, design)
    for name in Corrected.__slots__:
        found, other = getattr(fast, name), getattr(wanted, name)
        np.testing.assert_allclose(found, other, rtol=1e-9, atol=1e-12, err_msg=name)
    assert np.isnan(fast.C).any() == (shift < 0)


@built
def test_scores_point_where_the_reference_does(monkeypatch):
    R, _ = correlations(5)
    reference = np.where(np.arange(R.shape[1]) < 4, -1.0, 1.0)
    fast, wanted = both(monkeypatch, R, design_of(MODEL), "path", 1e-9, 300, reference)
    assert_alike(fast, wanted)
    assert (fast.cross[:, 0, 0] < 0).all()


@built
def test_whole_estimates_agree(monkeypatch):
    R, sd = correlations(1)
    moments = csi.Moments.of(MODEL.items[::-1], (R * sd[:, :, None] * sd[:, None, :])[0][::-1, ::-1], n=60)
    fast = csi.fit(MODEL, moments, csi.PLS(consistent=True))
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = csi.fit(MODEL, moments, csi.PLS(consistent=True))
    np.testing.assert_allclose(fast.values, slow.values, rtol=0, atol=1e-12)


@built
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"starts": np.array([1, 4, 7, 9, 12, 13])}, IndexError),
        ({"starts": np.array([0, 4, 3, 9, 12, 13])}, IndexError),
        ({"starts": np.array([0, 4, 7, 9, 13])}, ValueError),
        ({"arrows": np.zeros((4, 5), dtype=np.int64)}, ValueError),
        ({"arrows": np.zeros((5, 5), dtype=np.int8)}, ValueError),
        ({"b": -1}, ValueError),
        ({"R": np.eye(13)[:, ::2]}, (ValueError, BufferError)),
        ({"w": np.empty(12)}, ValueError),
    ],
)
def test_arrays_of_another_size_are_refused(change, error):
    p, q = 13, 5
    good = {
        "b": 1,
        "p": p,
        "q": q,
        "starts": np.array([0, 4, 7, 9, 12, 13]),
        "arrows": np.zeros((q, q), dtype=np.int64),
        "mode_b": np.zeros(q, dtype=np.int64),
        "scheme": 0,
        "tolerance": 1e-7,
        "rounds": 10,
        "R": np.eye(p),
        "sd": None,
        "reference": None,
        "w": np.empty(p),
        "cross": np.empty((p, q)),
        "C": np.empty((q, q)),
        "paths": np.empty((q, q)),
        "r2": np.empty(q),
        "iterations": np.empty(1, dtype=np.int64),
        "change": np.empty(1),
        "converged": np.empty(1, dtype=np.int64),
    }
    with pytest.raises(error):
        compiled.kernel.solve(*(good | change).values())
