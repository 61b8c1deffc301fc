"""Compiled rows in order and compiled moments are those of numpy."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from csi.moments import compiled
from csi.moments.bare import bare_rows, sorting
from csi.moments.expectation import em_moments
from csi.moments.linear import is_definite, solve
from csi.moments.patterns import pattern_rows
from csi.moments.pearson import cell_moments
from csi.moments.saturated import saturated

INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
built = pytest.mark.skipif(not compiled.AVAILABLE, reason="csi.moments.kernel was not compiled in this installation")


def rows(n: int = 120, p: int = 6, share: float = 0.15, seed: int = 3) -> np.ndarray:
    """Correlated answers far from zero, some absent, one row without any."""
    rng = np.random.default_rng(seed)
    found = 100 + np.arange(p) * (rng.normal(size=(n, 1)) + rng.normal(size=(n, p))) + rng.normal(size=(n, p))
    found[rng.random(found.shape) < share] = np.nan
    found[7] = np.nan
    return found


def weights(n: int, b: int = 8) -> np.ndarray:
    """Ones, then resamples."""
    return np.vstack([np.ones(n), np.random.default_rng(5).multinomial(n, np.full(n, 1 / n), size=b - 1)]).astype(float)


@built
@pytest.mark.parametrize("definite", [False, True])
@pytest.mark.parametrize(("b", "k", "m"), [(1, 1, 1), (40, 3, 1), (7, 12, 4), (5, 0, 1), (0, 3, 2)])
def test_small_systems_are_solved_to_the_same_bits(b, k, m, definite, monkeypatch):
    rng = np.random.default_rng(2)
    A = rng.normal(size=(b, k, k))
    A = A @ A.transpose(0, 2, 1) - 0.8 * np.eye(k)
    A[3:5, :, : k // 2] = A[3:5, : k // 2] = 0.0
    Y = rng.normal(size=(m, k, b)).transpose(2, 1, 0)
    before = A.copy(), Y.copy()
    fast, good = solve(A, Y, definite=definite), is_definite(A)
    np.testing.assert_array_equal(A, before[0])
    np.testing.assert_array_equal(Y, before[1])
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    np.testing.assert_array_equal(fast, solve(A, Y, definite=definite))
    np.testing.assert_array_equal(good, is_definite(A))


@built
@pytest.mark.parametrize("b", [1, 8])
def test_patterns_are_those_of_numpy(b, monkeypatch):
    X = rows()
    sorted_rows, W = pattern_rows(X), weights(len(X), b)
    fast = sorted_rows.under(W)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = sorted_rows.under(W)
    for name in ("n", "mean", "cov"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-12, atol=1e-10, err_msg=name)


@built
@pytest.mark.parametrize(
    ("n", "p", "share"), [(120, 6, 0.15), (400, 3, 0.3), pytest.param(60, 12, 0.1, marks=pytest.mark.slow)]
)
def test_maximum_is_that_of_numpy(n, p, share, monkeypatch):
    X = rows(n, p, share)
    patterns = pattern_rows(X).under(weights(n))
    fast = saturated(patterns)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = saturated(patterns)
    assert fast.converged.tolist() == slow.converged.tolist()
    assert slow.converged[:2].all()
    fast, slow = (type(s)(*(getattr(s, name)[slow.converged] for name in s.__slots__)) for s in (fast, slow))
    sd = np.sqrt(np.diagonal(slow.cov, axis1=1, axis2=2))
    np.testing.assert_allclose(fast.loglik, slow.loglik, rtol=1e-11)
    np.testing.assert_allclose(fast.mean / sd, slow.mean / sd, rtol=0, atol=1e-8)
    scale = sd[:, :, None] * sd[:, None, :]
    np.testing.assert_allclose(fast.cov / scale, slow.cov / scale, rtol=0, atol=1e-8)


@built
def test_what_has_no_unique_maximum_ends_as_in_numpy(monkeypatch):
    X = rows(60, 4)
    X[:30, 0] = X[30:, 1] = np.nan
    patterns = pattern_rows(X).under(weights(60, 3))
    fast = saturated(patterns)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    slow = saturated(patterns)
    np.testing.assert_allclose(fast.cov, slow.cov, rtol=1e-9)
    assert fast.converged.tolist() == slow.converged.tolist()


@built
def test_fewer_rows_than_items_have_no_solution():
    X = rows(8, 10, 0.1)
    mean, cov = em_moments(X, np.ones((1, 8)))
    assert np.isnan(mean).all()
    assert np.isnan(cov).all()


@built
def test_a_weighting_does_not_depend_on_those_beside_it():
    X = rows()
    W = weights(len(X))
    together = em_moments(X, W)
    alone = [em_moments(X, w[None]) for w in W]
    for at in (0, 1):
        np.testing.assert_array_equal(together[at], np.concatenate([one[at] for one in alone]))


@built
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"n": np.ones(3)}, ValueError),
        ({"observed": np.ones((2, 2), dtype=np.int8)}, ValueError),
        ({"cov": np.zeros((2, 2, 2))[:, :, ::2]}, (ValueError, BufferError)),
        ({"J": 0}, ValueError),
    ],
)
def test_arrays_of_another_size_are_refused(change, error):
    good = {
        "b": 1,
        "J": 2,
        "p": 2,
        "observed": np.ones((2, 2), dtype=np.int64),
        "n": np.ones(2),
        "mean": np.zeros((2, 2)),
        "cov": np.zeros((2, 2, 2)),
        "tolerance": 1e-9,
        "rounds": 10,
        "mu": np.empty(2),
        "Sigma": np.empty((2, 2)),
        "value": np.empty(1),
        "iterations": np.empty(1, dtype=np.int64),
        "settled": np.empty(1, dtype=np.int64),
    }
    with pytest.raises(error):
        compiled.kernel.settle(*(good | change).values())


@built
@pytest.mark.parametrize("starts", [np.array([0, 4]), np.array([0, -1]), np.array([0.0, 3.0, 3.0])])
def test_places_outside_the_rows_are_refused(starts):
    arrays = np.zeros((3, 2)), np.ones((1, 3)), np.empty(1), np.empty(2), np.empty((2, 2))
    with pytest.raises((IndexError, ValueError)):
        compiled.kernel.gather(1, 1, 2, 3, starts, np.arange(3), *arrays)


def answers_of(kind: str, n: int, p: int) -> list[np.ndarray]:
    """Columns of answers with ties, among them two zeros; whole numbers, floats or both."""
    rng = np.random.default_rng(n + p)
    found = [rng.integers(-2, 3, size=n) for _ in range(p)]
    return [
        c if kind == "whole" or (kind == "both" and j % 2) else np.where(c == 0, -0.0, c + 0.0) * 1.5
        for j, c in enumerate(found)
    ]


@built
@pytest.mark.parametrize("kind", ["whole", "floats", "both"])
@pytest.mark.parametrize(("n", "p"), [(1, 1), (7, 2), (8, 3), (9, 2), (250, 3), (1000, 24), (4097, 2)])
def test_rows_are_arranged_as_numpy_arranges_them(kind, n, p):
    columns = answers_of(kind, n, p)
    rows, order, ends = compiled.arranged(*framed(columns))
    read = bare_rows(columns)
    expected = sorting(read)
    np.testing.assert_array_equal(order, expected)
    np.testing.assert_array_equal(rows, read[expected])
    np.testing.assert_array_equal(np.signbit(rows), np.signbit(read[expected]))
    np.testing.assert_array_equal(ends, [read.min(axis=0), read.max(axis=0)])


def framed(columns: list[np.ndarray]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """A frame with some columns that are not asked for, and the names of those that are, in another order."""
    names = tuple(f"q{j}" for j in range(len(columns)))
    beside = pl.DataFrame({"who": ["x"] * len(columns[0]), "none": [None] * len(columns[0])})
    return beside.with_columns(**dict(zip(reversed(names), reversed(columns), strict=True))), names


@built
@pytest.mark.parametrize("kind", [*INTEGERS, pl.Float32])
def test_numbers_of_every_size_are_read(kind):
    frame = pl.DataFrame({"a": [3, 1, 2], "b": [7, 7, 100]}, schema_overrides={"a": kind})
    rows, order, _ = compiled.arranged(frame, ("b", "a"))
    assert rows.tolist() == [[7.0, 1.0], [7.0, 3.0], [100.0, 2.0]]
    assert order.tolist() == [1, 0, 2]


@built
def test_frames_of_several_pieces_are_read_whole():
    frame = pl.DataFrame({"a": [5, 4, 3, 2, 1, 0]})
    parts = pl.concat([frame.slice(4), frame.slice(1, 3)], rechunk=False)
    uneven = parts.with_columns(b=pl.Series([0.5, 1.5, 2.5, 3.5, 4.5]))
    assert parts.n_chunks() == 2
    assert compiled.arranged(parts, ("a",))[1].tolist() == [1, 0, 4, 3, 2]
    assert compiled.arranged(uneven, ("b", "a"))[0].tolist() == [[0.5, 1], [1.5, 0], [2.5, 4], [3.5, 3], [4.5, 2]]


class Thing:
    """What no table can hold."""


@built
@pytest.mark.parametrize(
    "odd",
    [
        pl.Series([1.0, None, 3.0]),
        pl.Series([None] * 3),
        pl.Series([1.0, np.nan, 3.0]),
        pl.Series([1.0, -np.inf, 3.0]),
        pl.Series([True, False, True]),
        pl.Series(["a", "b", "c"]),
        pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        pl.Series(["1", "2", "3"]).cast(pl.Decimal(10, 0)),
        pl.Series([1, 2, 3], dtype=pl.Int128),
        pl.Series([1, 2, 3]).cast(pl.Date),
        pl.Series([1, 2, 3]).cast(pl.Duration),
        pl.Series([[1], [2], [3]]),
        pl.Series([Thing(), Thing(), Thing()], dtype=pl.Object),
    ],
    ids=lambda odd: str(odd.dtype),
)
def test_what_is_not_complete_or_no_plain_number_is_left_to_numpy(odd):
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0]}).with_columns(odd=odd)
    assert compiled.arranged(frame, ("a", "odd")) is None
    assert compiled.arranged(frame, ("odd", "a")) is None
    assert compiled.arranged(frame, ("a",))[0].tolist() == [[1.0], [2.0], [3.0]]
    assert compiled.arranged(frame, ("a", "absent")) is None


@built
def test_no_other_capsule_and_no_other_size_is_read():
    frame, room = pl.DataFrame({"a": [1.0, 2.0]}), (np.empty((2, 1)), np.empty(2, dtype=np.int64), np.empty((2, 1)))
    with pytest.raises(ValueError, match="Capsule"):
        compiled.kernel.arrange(2, 1, frame, ("a",), *room)
    with pytest.raises(ValueError, match="as many"):
        compiled.kernel.arrange(2, 2, frame.__arrow_c_stream__(), ("a",), *room)
    with pytest.raises(ValueError, match="size"):
        compiled.kernel.arrange(3, 1, frame.__arrow_c_stream__(), ("a",), *room)
    assert not compiled.kernel.arrange(2, 1, frame.vstack(frame).__arrow_c_stream__(), ("a",), *room)
    assert not compiled.kernel.arrange(2, 1, frame.head(1).__arrow_c_stream__(), ("a",), *room)


@built
@pytest.mark.parametrize("kind", ["ones", "weights", "zeros"])
@pytest.mark.parametrize(("n", "p"), [(1, 2), (2, 1), (3, 4), (5, 3), (250, 17), (333, 24)])
def test_moments_of_complete_rows_are_those_of_numpy(n, p, kind, monkeypatch):
    X = 100 + np.random.default_rng(n * p).normal(size=(n, p)) * np.arange(1, p + 1)
    W = {"ones": np.ones(n), "weights": np.random.default_rng(1).random(n), "zeros": np.zeros(n)}[kind][None]
    with np.errstate(invalid="ignore"):
        fast = cell_moments(X, W)
        monkeypatch.setattr(compiled, "AVAILABLE", False)
        slow = cell_moments(X, W)
    for ours, theirs in zip(fast, slow, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-11)
    np.testing.assert_array_equal(fast[-1], fast[-1].transpose(0, 2, 1))


@built
def test_moments_of_whole_answers_are_those_of_numpy_to_the_bit(monkeypatch):
    X, W = np.random.default_rng(4).integers(1, 11, size=(250, 24)).astype(float), np.ones((1, 250))
    fast = cell_moments(X, W)
    monkeypatch.setattr(compiled, "AVAILABLE", False)
    for ours, theirs in zip(fast, cell_moments(X, W), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@built
def test_rows_with_absent_answers_are_left_to_numpy():
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    assert compiled.weighed(X, np.ones((1, 2))) is None
    assert compiled.weighed(np.ones((2, 2)), np.ones((2, 2))) is None
