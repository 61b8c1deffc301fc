"""The compiled starts, search and sums of normal theory, where a compiler was at hand when the package was installed.

`starts.py`, `normal.py`, `optimise.py`, `measures/residual_size.py` and `measures/fit_indices.py` are the same
computation to read; they stand in where `kernel.c` was not compiled and, for the search, where parameters are combined
by linear equations or have bounds. Tests hold the two to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints
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


def implied_moments(problem: Problem, theta: Array) -> tuple[tuple[Array, ...], ...] | None:
    """A, Phi, K, Sigma, mu and reach of every group, as `implied.Implied` names them; None where nothing is compiled.

    Parameters:
        theta: (b, k).
    """
    if not AVAILABLE or theta.dtype != np.float64:
        return None
    b, k = theta.shape
    means, outs = problem.layout.means, []
    for block in problem.layout.blocks:
        p, m = len(block.observed), len(block.latent)
        shapes = ((b, m, m), (b, m, m), (b, p, p + 2 * m), (b, p, p), (b, p), (b, m + 2))
        outs.append(tuple(np.empty(shape) for shape in shapes))
    found = tuple(outs)
    share, total = _whole(problem.share), _whole(problem.total)
    kernel.imply(b, k, _groups(problem), share, total, means, _whole(theta), found)
    return found


def started(plan: Ints, numbers: Array, places: int, cov: Array, mean: Array, values: Array) -> bool:
    """The starts of one group into `values` (b, t), as `starts.py` finds them; False where nothing is compiled.

    Parameters:
        plan, numbers: how they are made, as `starts.py` writes it. places: items and constructs. cov: (b, p, p).
        mean: (b, p).
    """
    if not AVAILABLE:
        return False
    b, p = mean.shape
    kernel.start(b, p, places, values.shape[1], plan, numbers, _whole(cov), _whole(mean), values)
    return True


def inverted(stack: Array) -> Array | None:
    """Inverses of positive definite matrices (b, n, n); None where one of them is not, or nothing is compiled.

    Example:
        >>> found = inverted(np.array([[[2.0, 1.0], [1.0, 2.0]]]))
        >>> found is None or (3 * found[0]).round(9).tolist() == [[2.0, -1.0], [-1.0, 2.0]]
        True
    """
    if not AVAILABLE:
        return None
    b, n, _ = stack.shape
    out = np.empty((b, n, n))
    return out if kernel.invert(b, n, _whole(stack), out) == b else None


def determined(stack: Array) -> tuple[Array, npt.NDArray[np.bool_]] | None:
    """(b,) log-determinants, -inf where a matrix is not positive definite, and (b,) whether its correlations are.

    None where nothing is compiled; `csi.sem.reasons.positive` is the reading version of the flags.

    Example:
        >>> found = determined(np.array([[[4.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]]))
        >>> found is None or (found[0].round(4).tolist(), found[1].tolist()) == ([1.3863, -np.inf], [True, False])
        True
    """
    if not AVAILABLE:
        return None
    b, n, _ = stack.shape
    logdet, sound = np.empty(b), np.empty(b, dtype=np.int64)
    kernel.definite(b, n, _whole(stack), logdet, sound)
    return logdet, sound > 0


def residual_sums(
    S: Array, m: Array, Sigma: Array, mu: Array, given: npt.NDArray[np.bool_], *, means: bool
) -> tuple[Array, Array] | None:
    """Sums of squared residuals (b, 7) and weighted by Sigma^-1 (b, 2), as `csi.measures.residual_size` has them.

    None where nothing is compiled, or a Sigma is not positive definite.

    Parameters:
        S, Sigma: (b, p, p). m, mu: (b, p). given: (p,) True for items whose moments are not modelled.
    """
    if not AVAILABLE:
        return None
    b, p = m.shape
    sums, parts = np.empty((b, 7)), np.empty((b, 2))
    at = np.ascontiguousarray(given, dtype=np.int64)
    good = kernel.residuals(b, p, _whole(S), _whole(m), _whole(Sigma), _whole(mu), at, means, sums, parts)
    return (sums, parts) if good == b else None


INDICES = (
    *("fmin", "chi2_swain", "cfi", "tli", "rfi", "nfi", "pnfi", "ifi", "rni", "aic", "bic", "sabic", "rmsea"),
    *("rmr", "rmr_nomean", "srmr_bentler", "srmr_bentler_nomean", "crmr", "crmr_nomean"),
    *("srmr_mplus", "srmr_mplus_nomean", "cn_05", "cn_01", "gfi", "agfi", "pgfi", "mfi", "ecvi"),
)
"""What `indices` finds, in the order of `kernel_indices.h`."""


def indices(
    S: Array,
    m: Array,
    Sigma: Array,
    mu: Array,
    given: npt.NDArray[np.bool_],
    counts: tuple[float, float, float, float, float, float],
    numbers: Sequence[Array],
    *,
    means: bool,
) -> dict[str, Array] | None:
    """Fit measures in closed form of every slice of one group, (b,) each, as `csi.measures.fit_families` has them.

    None where nothing is compiled, or a Sigma is not positive definite.

    Parameters:
        S, m, Sigma, mu, given, means: as in `residual_sums`. counts: df, df of independence, free parameters, moments,
            critical values of chi-square at 5 and 1 %. numbers: (b,) chi-square, that of independence, multiplier N,
            rows, F, log-likelihood.
    """
    if not AVAILABLE:
        return None
    b, p = m.shape
    out, at = np.empty((len(INDICES), b)), np.ascontiguousarray(given, dtype=np.int64)
    known = np.array(numbers, dtype=np.float64)
    good = kernel.indices(b, p, _whole(S), _whole(m), _whole(Sigma), _whole(mu), at, means, counts, known, out)
    return dict(zip(INDICES, out, strict=True)) if good == b else None


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
