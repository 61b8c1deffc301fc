"""The compiled PLS algorithm, where a compiler was at hand when the package was installed.

`algorithm.py` and `consistent.py` are the same computation to read; they stand in where `kernel.c` was not compiled.
Tests hold the two to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints
from csi.pls.inner import Scheme

if TYPE_CHECKING:
    from csi.pls.algorithm import Design, Solved

try:
    from csi.pls import kernel
except ImportError:  # no compiler at installation: numpy does the same
    kernel = None  # type: ignore[assignment]  # kernel.pyi says what is there when it was compiled

AVAILABLE = kernel is not None
"""Whether this installation has the compiled functions."""

Flags = npt.NDArray[np.bool_]

Fields = tuple[Array, Array, Array, Array, Array, Ints, Array, Flags]

CorrectedFields = tuple[Array, Array, Array, Array, Array, Flags, Flags, Flags, Flags, Flags]

SCHEMES = get_args(Scheme)
"""Inner schemes in the order of the compiled function's numbers."""


def solved(
    R: Array,
    design: Design,
    scheme: Scheme,
    tolerance: float,
    max_iterations: int,
    reference: Array | None,
    sd: Array | None,
) -> Fields | None:
    """The fields of `csi.pls.algorithm.Solved`, in order; None where nothing was compiled. Parameters: as there."""
    if not AVAILABLE:
        return None
    (b, p), q = R.shape[:2], len(design.starts)
    w, cross, C, paths, r2 = (np.empty((b, *shape)) for shape in ((p,), (p, q), (q, q), (q, q), (q,)))
    iterations, change, converged = np.empty(b, dtype=np.int64), np.empty(b), np.empty(b, dtype=np.int64)
    kernel.solve(
        b,
        p,
        q,
        design.ends,
        design.arrow_codes,
        design.mode_codes,
        SCHEMES.index(scheme),
        tolerance,
        max_iterations,
        _whole(R),
        None if sd is None else _whole(sd),
        None if reference is None else _whole(reference),
        w,
        cross,
        C,
        paths,
        r2,
        iterations,
        change,
        converged,
    )
    return w, cross, C, paths, r2, iterations, change, converged.astype(np.bool_)


def corrected(solved: Solved, R: Array, design: Design) -> CorrectedFields | None:
    """The fields of `csi.pls.consistent.Corrected`, in order; None where nothing was compiled. Parameters: as there."""
    if not AVAILABLE:
        return None
    (b, p), q = R.shape[:2], len(design.starts)
    rho, loadings, C, paths, r2 = (np.empty((b, *shape)) for shape in ((q,), (p,), (q, q), (q, q), (q,)))
    doubts = np.empty((5, b), dtype=np.int64)
    kernel.correct(
        b,
        p,
        q,
        design.ends,
        design.arrow_codes,
        design.factor_codes,
        _whole(R),
        _whole(solved.weights),
        _whole(solved.cross),
        _whole(solved.C),
        rho,
        loadings,
        C,
        paths,
        r2,
        doubts,
    )
    above, beyond, definite, finite, heywood = doubts.astype(np.bool_)
    return rho, loadings, C, paths, r2, above, beyond, definite, finite, heywood


def _whole(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64)
