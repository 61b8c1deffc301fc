"""Compiled small systems, rows in order, moments of rows and measures of a point fit, where a compiler was at hand.

`linear.py`, `bare.py`, `pearson.py`, `patterns.py` and `saturated.py` (and `validity.py` and `effects.py` of the
measures) are the same computation to read; they stand in where `kernel.c` was not compiled. Tests hold the two to each
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from csi.moments.stack import Array, Ints

if TYPE_CHECKING:
    import polars as pl

    from csi.moments.patterns import Flags, PatternRows, Patterns

try:
    from csi.moments import kernel
except ImportError:  # no compiler at installation: numpy does the same
    kernel = None  # type: ignore[assignment]  # kernel.pyi says what is there when it was compiled

AVAILABLE = kernel is not None
"""Whether this installation has the compiled functions."""


def solved(A: Array, Y: Array, *, definite: bool) -> Array | None:
    """X (b, k, m) with A X = Y, as `csi.moments.linear.solve` finds it to the bit; None where not compiled."""
    if not AVAILABLE:
        return None
    b, k, m = Y.shape
    X = np.array(Y, dtype=np.float64, order="C")
    kernel.solve(b, k, m, np.array(A, dtype=np.float64, order="C"), X, definite)
    return X


def are_definite(A: Array) -> Flags | None:
    """Whether every slice of A (b, k, k) is positive definite; None where not compiled."""
    if not AVAILABLE:
        return None
    found = np.empty(len(A), dtype=np.int64)
    kernel.definite(len(A), A.shape[1], np.array(A, dtype=np.float64, order="C"), found)
    return found.astype(np.bool_)


def arranged(frame: pl.DataFrame, items: tuple[str, ...]) -> tuple[Array, Ints, Array] | None:
    """Sorted rows (n, p) of complete columns, the order (n,) that sorts them, least and most of each column (2, p).

    None where nothing is compiled, or a column is absent, holds no plain numbers, or something absent or not finite:
    `csi.moments.bare` reads those.

    Parameters:
        frame: n rows. items: p columns.
    """
    if not AVAILABLE or not items:
        return None
    n, p = frame.height, len(items)
    rows, order, ends = np.empty((n, p)), np.empty(n, dtype=np.int64), np.empty((2, p))
    known = kernel.arrange(n, p, frame.__arrow_c_stream__(), items, rows, order, ends)
    return (rows, order, ends) if known else None


def weighed(rows: Array, W: Array) -> tuple[Array, Array, Array, Array, Array] | None:
    """`csi.moments.pearson.cell_moments` of complete rows under one weighting; None elsewhere and where not compiled.

    Parameters:
        rows: (n, p). W: (1, n).
    """
    if not AVAILABLE or len(W) != 1:
        return None
    n, p = rows.shape
    sums, mean, cov = np.empty(2), np.empty((1, p)), np.empty((1, p, p))
    if not kernel.weigh(n, p, _whole(rows), _whole(W[0]), sums, mean, cov):
        return None
    return np.array([float(n)]), sums[:1], sums[1:], mean, cov


def htmt(cov: Array, owner: Ints, constructs: int, *, signed: bool) -> Array | None:
    """`csi.measures.validity.htmt` (b, q, q) of item covariances; None where not compiled.

    Parameters:
        cov: (b, p, p). owner: (p,) construct of each item, -1 for none. constructs: q. signed: keep the signs.
    """
    if not AVAILABLE:
        return None
    b, p = cov.shape[:2]
    found = np.empty((b, constructs, constructs))
    kernel.htmt(b, p, constructs, _whole(cov), np.ascontiguousarray(owner, dtype=np.int64), signed, found)
    return found


def total_effects(paths: Array) -> Array | None:
    """`csi.measures.effects.total_effects` of recursive models; None of others, and where not compiled.

    Parameters:
        paths: (..., q, q).
    """
    q = paths.shape[-1]
    if not AVAILABLE or not q:
        return None
    found = np.empty(paths.shape)
    return found if kernel.total(found.size // (q * q), q, _whole(paths), found) else None


def gathered(rows: PatternRows, W: Array) -> tuple[Array, Array, Array] | None:
    """The patterns' n (b, J), mean (b, J, p) about the rows' centre, cov (b, J, p, p); None where not compiled.

    Parameters:
        W: (b, n) weights of the rows, in their own order.
    """
    if not AVAILABLE:
        return None
    (J, p), (b, count) = rows.observed.shape, W.shape
    n, mean, cov = np.empty((b, J)), np.empty((b, J, p)), np.empty((b, J, p, p))
    kernel.gather(b, J, p, count, rows.starts, rows.order, _whole(rows.answers), _whole(W), n, mean, cov)
    return n, mean, cov


def settled(patterns: Patterns, rounds: int, tolerance: float) -> tuple[Array, Array, Array, Ints, Flags] | None:
    """Maximum likelihood moments where the search settles: mean, cov, -2 log L, steps, flags; None where not compiled.

    Weightings in which some pair of items goes unanswered are left out: what they end at depends on the way.

    Parameters:
        rounds: at most so many steps of EM. tolerance: largest change of a standardised moment in a step that counts
            as settled.
    """
    if not AVAILABLE:
        return None
    b, (J, p) = len(patterns.n), patterns.observed.shape
    mean, cov, value = np.empty((b, p)), np.empty((b, p, p)), np.empty(b)
    iterations, done = np.empty(b, dtype=np.int64), np.empty(b, dtype=np.int64)
    kernel.settle(
        b,
        J,
        p,
        patterns.observed.astype(np.int64),
        _whole(patterns.n),
        _whole(patterns.mean),
        _whole(patterns.cov),
        tolerance,
        rounds,
        mean,
        cov,
        value,
        iterations,
        done,
    )
    return mean, cov, value, iterations, done.astype(np.bool_)


def _whole(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64)
