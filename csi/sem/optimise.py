"""Damped Fisher scoring over a stack, in chunks that fit the cache; Newton steps where scoring is slow.

A slice is settled when one more step would move no parameter by more than a millionth of its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints

CHUNK = 16
"""Slices solved together: their p x p stacks stay in the processor's cache."""

SETTLED = 1e-12
"""Expected drop of the log-likelihood (half a squared standard error) at which a slice is done."""

NEAR = 3.0
"""Expected drop of the log-likelihood below which exact Hessians (Newton steps) are used where they are usable."""


class Objective(Protocol):
    """What can be minimised: a stack of functions of (b, r) parameters."""

    @property
    def total(self) -> Array:
        """(b,) multiplier that turns F into minus twice a log-likelihood."""

    def take(self, at: Ints | slice) -> Self:
        """Some slices."""

    def evaluate(self, phi: Array, *, exact: bool = False) -> tuple[Array, Array, Array]:
        """F (b,), gradient (b, r), expected or exact Hessian (b, r, r)."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """phi (b, r), F (b,), gradient (b, r), expected Hessian (b, r, r), iterations (b,), settled (b,), drop (b,): the
    expected further drop of the log-likelihood.
    """

    phi: Array
    value: Array
    gradient: Array
    hessian: Array
    iterations: Ints
    settled: npt.NDArray[np.bool_]
    drop: Array


def minimise(
    problem: Objective, start: Array, lower: Array, upper: Array, *, rounds: int = 200, settled: float = SETTLED
) -> Optimum:
    """The minimum of every slice.

    Parameters:
        problem: b functions. start: (b, r). lower, upper: (r,) or (b, r) bounds. rounds: at most so many iterations.

    Returns:
        Optimum; slices that did not settle say so.

    Source:
        Fisher scoring for covariance structures: Jennrich & Sampson (1976); damping: Marquardt (1963).
    """
    b, r = start.shape
    low, high = np.broadcast_to(lower, (b, r)), np.broadcast_to(upper, (b, r))
    if b <= CHUNK:
        return _chunk(problem, start, low, high, rounds, settled)
    parts = []
    for first in range(0, b, CHUNK):
        some = slice(first, first + CHUNK)
        parts.append(_chunk(problem.take(some), start[some], low[some], high[some], rounds, settled))
    names = Optimum.__slots__
    return Optimum(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def _chunk(problem: Objective, start: Array, low: Array, high: Array, rounds: int, settled: float) -> Optimum:
    """The minimum of a few slices; those that are done leave the work."""
    b = len(start)
    phi = np.clip(start, low, high)
    value, slope, H = problem.evaluate(phi)
    iterations = np.zeros(b, dtype=np.int64)
    damping = np.where(np.isfinite(value), 0.0, 1.0)
    done = ~np.isfinite(value)
    drop = np.full(b, np.inf)
    bounded = bool(np.isfinite(low).any() or np.isfinite(high).any())
    for _ in range(rounds):
        active = np.flatnonzero(~done)
        if not active.size:
            break
        whole = active.size == b
        some = problem if whole else problem.take(active)
        at = slice(None) if whole else active
        here, g, curve = phi[at], slope[at], H[at]
        held = np.asarray(((here <= low[at]) & (g > 0)) | ((here >= high[at]) & (g < 0))) if bounded else None
        step = _step(curve, g, damping[at], held)
        trial = here + step
        if bounded:
            trial = np.clip(trial, low[at], high[at])
            step = trial - here
        expected = 0.25 * some.total * np.abs(np.einsum("bi,bij,bj->b", step, curve, step))
        tiny = expected < settled
        found = _looked(some, trial, exact=bool((expected < NEAR).all()))
        better = found[0] <= value[at] + 1e-13 * np.maximum(1.0, np.abs(value[at]))
        keep = better | (tiny & np.isfinite(found[0]))
        moved = active[keep]
        phi[moved], value[moved] = trial[keep], found[0][keep]
        slope[moved], H[moved] = found[1][keep], found[2][keep]
        iterations[active] += 1
        drop[active] = expected
        done[active] = tiny & (damping[active] <= 1e-8)
        damping[active] = np.where(better, damping[at] * 0.1 * (damping[at] > 1e-7), np.maximum(1e-3, damping[at] * 8))
        done[active[damping[active] > 1e12]] = True
        drop[active[damping[active] > 1e12]] = np.inf
    value, slope, H = problem.evaluate(phi)
    return Optimum(phi, value, slope, H, iterations, np.isfinite(value) & (drop < settled), drop)


def _looked(problem: Objective, phi: Array, *, exact: bool) -> tuple[Array, Array, Array]:
    """Value, gradient and a positive definite Hessian: the exact one where it is, else the expected one."""
    found = problem.evaluate(phi, exact=exact)
    if not exact:
        return found
    try:
        np.linalg.cholesky(found[2])
    except np.linalg.LinAlgError:
        expected = problem.evaluate(phi)[2]
        finite = np.isfinite(found[2]).all(axis=(1, 2))
        lowest = np.asarray(np.linalg.eigvalsh(np.where(finite[:, None, None], found[2], 0.0)))[:, 0]
        usable = np.flatnonzero(lowest > 0)
        expected[usable] = found[2][usable]
        return found[0], found[1], expected
    return found


def _step(H: Array, slope: Array, damping: Array, held: npt.NDArray[np.bool_] | None) -> Array:
    """-(H + damping diag H)^-1 slope, 0 for parameters held at their bounds."""
    diagonal = np.einsum("bii->bi", H)
    if held is not None and held.any():
        open_ = ~held
        H = H * (open_[:, :, None] & open_[:, None, :])
        slope = np.where(held, 0.0, slope)
        H = H + held[:, :, None] * np.eye(H.shape[1])
        diagonal = np.einsum("bii->bi", H)
    if damping.any():
        H = H + (damping[:, None] * np.maximum(diagonal, 1e-12))[:, :, None] * np.eye(H.shape[1])
    try:
        return np.asarray(-np.linalg.solve(H, slope[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        ridge = 1e-8 * np.maximum(diagonal.max(axis=1), 1e-12)
        return np.asarray(-np.linalg.solve(H + ridge[:, None, None] * np.eye(H.shape[1]), slope[:, :, None])[:, :, 0])
