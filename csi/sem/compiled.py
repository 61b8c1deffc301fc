"""The compiled search for normal-theory problems, where a compiler was at hand when the package was installed.

`normal.py` and `optimise.py` are the same computation to read; they stand in where `kernel.c` was not compiled, where
parameters are combined by linear equations and, for the search, where they have bounds. Tests hold the two to each
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from csi.moments.stack import Array
from csi.sem.optimise import FLAT, NEAR, QUADRATIC, ROUGH, SETTLED, Optimum

if TYPE_CHECKING:
    from csi.sem.problem import Problem

try:
    from csi.sem import kernel
except ImportError:  # no compiler at installation: numpy does the same
    kernel = None  # type: ignore[assignment]  # kernel.pyi says what is there when it was compiled

AVAILABLE = kernel is not None
"""Whether this installation has the compiled functions."""


def _applies(problem: Problem) -> bool:
    """Whether entries are working parameters one by one."""
    return AVAILABLE and problem.linear.plain


def minimised(problem: Problem, start: Array, rounds: int, *, expected: bool) -> Optimum | None:
    """The minimum of every slice, as `optimise.minimise` finds it; None where the compiled search does not apply.

    Parameters:
        start: (b, r). rounds: at most so many iterations. expected: whether the expected Hessian there is wanted.
    """
    if not _applies(problem):
        return None
    b, r = start.shape
    phi = np.array(start, dtype=np.float64, order="C")
    value, drop, slope, hessian = np.empty(b), np.empty(b), np.empty((b, r)), np.empty((b, r, r))
    iterations, settled = np.empty(b, dtype=np.int64), np.empty(b, dtype=np.int64)
    rules = (SETTLED, NEAR, FLAT, ROUGH, QUADRATIC if expected else ROUGH, rounds)
    kernel.minimise(
        b,
        r,
        _groups(problem),
        _whole(problem.share),
        _whole(problem.total),
        problem.layout.means,
        rules,
        expected,
        phi,
        value,
        slope,
        hessian,
        iterations,
        settled,
        drop,
    )
    return Optimum(phi, value, slope, hessian, iterations, np.isfinite(value) & (settled > 0), drop)


def evaluated(problem: Problem, phi: Array, *, exact: bool) -> tuple[Array, Array, Array] | None:
    """F, gradient and Hessian, as `Problem.evaluate` gives them; None where the compiled ones do not apply."""
    if not _applies(problem):
        return None
    b, r = phi.shape
    value, slope, hessian = np.empty(b), np.empty((b, r)), np.empty((b, r, r))
    kernel.evaluate(
        b,
        r,
        _groups(problem),
        _whole(problem.share),
        _whole(problem.total),
        problem.layout.means,
        exact,
        _whole(phi),
        value,
        slope,
        hessian,
    )
    return value, slope, hessian


def _groups(problem: Problem) -> tuple[kernel.GroupArrays, ...]:
    """The arrays of every group, rows contiguous."""
    out = []
    for block, target, flat in zip(problem.layout.blocks, problem.targets, problem.flats, strict=True):
        e = block.entries
        weight = None if target.weight is None else _whole(target.weight)
        out.append(
            (
                len(block.observed),
                len(block.latent),
                block.depth,
                e.position,
                e.mirror,
                e.u,
                e.v,
                e.c,
                e.parameter,
                e.s,
                _whole(flat),
                _whole(target.cov),
                _whole(target.mean),
                _whole(target.constant),
                weight,
            )
        )
    return tuple(out)


def _whole(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64)
