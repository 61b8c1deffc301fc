"""Damped Fisher scoring over a stack, in chunks that fit the cache; Newton steps where scoring is slow.

A slice is settled when one more step would move no parameter by more than a millionth of its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints

CHUNK_BYTES, LEAST, MOST = 2**22, 16, 256
"""Slices solved together: their Hessians take about 4 MB; long array operations let threads run at once."""

SETTLED = 1e-12
"""Expected drop of the log-likelihood (half a squared standard error) at which a slice is done."""

FIRST = 12
"""Rounds after which a slice that is not done joins the slow ones."""

QUADRATIC = 1e-18
"""The same for the step after this one, which exact Hessians let foresee."""

ROUGH = 1e-8
"""The same for replicates: a ten-thousandth of a standard error."""

NEAR = 3.0
"""Expected drop of the log-likelihood below which exact Hessians (Newton steps) are used where they are usable."""


FLAT = 1e-9
"""A last, tiny step may raise F by this share (rounding); where it raises F more, the Hessian is singular and the point
before it stays."""


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


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a step too far has no value and is taken back
def minimise(
    problem: Objective, start: Array, lower: Array, upper: Array, *, rounds: int = 200, expected: bool = True
) -> Optimum:
    """The minimum of every slice.

    Slices are solved in chunks; those that need more than a few rounds are put together in chunks of their own, so that
    one slow slice does not keep a whole chunk waiting. What a slice becomes does not depend on its neighbours.

    Parameters:
        problem: b functions. start: (b, r). lower, upper: (r,) or (b, r) bounds. rounds: at most so many iterations.
        expected: whether the expected Hessian at the optimum is wanted; else it is whatever the last round used.

    Returns:
        Optimum; slices that did not settle say so.

    Source:
        Fisher scoring for covariance structures: Jennrich & Sampson (1976); damping: Marquardt (1963).
    """
    b, r = start.shape
    low, high = np.broadcast_to(lower, (b, r)), np.broadcast_to(upper, (b, r))
    limit = QUADRATIC if expected else ROUGH
    bounded = bool(np.isfinite(low).any() or np.isfinite(high).any())
    if b == 1 and not bounded and expected:
        plain = _undamped(problem, start, min(rounds, FIRST))
        if plain is not None:
            return plain
    states = []
    for at in _chunks(b, r):
        some = problem if at.stop - at.start == b else problem.take(at)
        limits = (low[at], high[at]) if bounded else None
        states.append(_advance(some, _begin(some, start[at], limits), limits, min(rounds, FIRST), limit))
    state = states[0] if len(states) == 1 else _joined(states)
    slow = np.flatnonzero(~state.done)
    if slow.size and rounds > FIRST:
        for part in _chunks(slow.size, r):
            few = slow[part]
            limits = (low[few], high[few]) if bounded else None
            _put(state, few, _advance(problem.take(few), _some(state, few), limits, rounds - FIRST, limit))
    stale = np.flatnonzero(state.exact) if expected else state.iterations[:0]
    for part in _chunks(stale.size, r):
        few = stale[part]
        some = problem if few.size == b else problem.take(few)
        state.value[few], state.slope[few], state.hessian[few] = some.evaluate(state.phi[few])
    good = np.isfinite(state.value) & state.settled
    return Optimum(state.phi, state.value, state.slope, state.hessian, state.iterations, good, state.drop)


@dataclass(slots=True)
class _State:
    """Where a few slices stand: phi, F, gradient, Hessian, damping, and whether that Hessian is exact."""

    phi: Array
    value: Array
    slope: Array
    hessian: Array
    damping: Array
    drop: Array
    iterations: Ints
    exact: npt.NDArray[np.bool_]
    settled: npt.NDArray[np.bool_]
    done: npt.NDArray[np.bool_]


def _chunks(b: int, r: int) -> list[slice]:
    """Slices of a stack of b problems with r parameters, a few at a time and much the same number each time."""
    most = min(MOST, max(LEAST, CHUNK_BYTES // (8 * r * r)))
    size = -(-b // max(1, -(-b // most)))
    return [slice(first, min(first + size, b)) for first in range(0, b, max(1, size))]


def _joined(states: list[_State]) -> _State:
    """Several states as one."""
    return _State(*(np.concatenate([getattr(s, n) for s in states]) for n in _State.__slots__))


def _some(state: _State, at: Ints) -> _State:
    """Some slices of a state."""
    return _State(*(getattr(state, n)[at] for n in _State.__slots__))


def _put(state: _State, at: Ints, some: _State) -> None:
    """Some slices back where they came from."""
    for name in _State.__slots__:
        getattr(state, name)[at] = getattr(some, name)


def _begin(problem: Objective, start: Array, limits: tuple[Array, Array] | None) -> _State:
    """The state before the first step; slices without a value are done."""
    phi = start.copy() if limits is None else np.clip(start, *limits)
    value, slope, H = problem.evaluate(phi)
    b = len(phi)
    return _State(
        phi,
        value,
        slope,
        H,
        damping=np.zeros(b),
        drop=np.full(b, np.inf),
        iterations=np.zeros(b, dtype=np.int64),
        exact=np.zeros(b, dtype=bool),
        settled=np.zeros(b, dtype=bool),
        done=~np.isfinite(value),
    )


def _undamped(problem: Objective, start: Array, rounds: int) -> Optimum | None:
    """One slice without bounds, as `_advance` finds it when no step needs damping; None when one does."""
    phi, total = start, float(problem.total[0])
    value, slope, H = problem.evaluate(phi)
    exact, before = False, np.inf
    for number in range(1, rounds + 1):
        if not np.isfinite(value[0]) or (exact and not _positive(H)[0]):
            return None
        try:
            step = -np.linalg.solve(H[0], slope[0])
        except np.linalg.LinAlgError:
            return None
        gain = 0.25 * total * abs(float(step @ (H[0] @ step)))
        last = exact and bool(_last(np.array(gain), np.array(before), QUADRATIC))
        tiny = gain < SETTLED or last
        near = gain < NEAR and not tiny
        found = problem.evaluate(phi + step, exact=near)
        rise = FLAT if tiny else 1e-13
        if not float(found[0][0]) <= float(value[0]) + rise * max(1.0, abs(float(value[0]))):
            return None
        phi, before, exact = phi + step, gain, near
        value, slope, H = found
        if tiny:
            one = np.array([True])
            return Optimum(phi, value, slope, H, np.array([number]), one, np.array([gain]))
    return None


def _advance(
    problem: Objective, state: _State, limits: tuple[Array, Array] | None, rounds: int, limit: float
) -> _State:
    """At most so many rounds; slices that are done leave the work."""
    b = len(state.phi)
    for _ in range(rounds):
        active = np.flatnonzero(~state.done)
        if not active.size:
            break
        whole = active.size == b
        now = state if whole else _some(state, active)
        _round(problem if whole else problem.take(active), now, None if limits is None else _cut(limits, active), limit)
        if not whole:
            _put(state, active, now)
    return state


def _cut(limits: tuple[Array, Array], at: Ints) -> tuple[Array, Array]:
    return limits[0][at], limits[1][at]


def _round(problem: Objective, now: _State, limits: tuple[Array, Array] | None, limit: float) -> None:
    """One damped step of every slice, kept where F does not rise.

    An exact Hessian must be positive definite, or the expected one takes its place; replicates look at it along the
    step and once more where they settle, other fits in every round.
    """
    held = None
    if limits is not None:
        held = np.asarray(
            ((now.phi <= limits[0]) & (now.slope > 0)) | ((now.phi >= limits[1]) & (now.slope < 0)), dtype=bool
        )
    if limit < ROUGH:
        _no_saddle(problem, now, now.exact.copy())
    step = _step(now.hessian, now.slope, now.damping, held)
    bent = _curve(now, step)
    uphill = np.flatnonzero(now.exact & ~(bent > 0))
    if uphill.size:
        _expect(problem, now, uphill)
        step[uphill] = _step(
            now.hessian[uphill], now.slope[uphill], now.damping[uphill], None if held is None else held[uphill]
        )
        bent = _curve(now, step)
    trial = now.phi + step
    if limits is not None:
        trial = np.clip(trial, *limits)
        step = trial - now.phi
        bent = _curve(now, step)
    gain = 0.25 * problem.total * np.abs(bent)
    tiny = (gain < SETTLED) | (now.exact & _last(gain, now.drop, limit))
    tiny &= now.damping <= 1e-8
    _no_saddle(problem, now, tiny)
    value, slope, H, exact = _looked(problem, trial, (gain < NEAR) & ~tiny)
    better = value <= now.value + 1e-13 * np.maximum(1.0, np.abs(now.value))
    keep = better | (tiny & (value <= now.value + FLAT * np.maximum(1.0, np.abs(now.value))))
    every = bool(keep.all())
    for mine, found in ((now.phi, trial), (now.value, value), (now.slope, slope), (now.hessian, H), (now.exact, exact)):
        mine[...] = found if every else np.where(keep.reshape(-1, *[1] * (found.ndim - 1)), found, mine)
    now.iterations += 1
    now.drop[...] = gain
    now.settled[...] = tiny
    eased = np.where(now.damping > 1e-7, now.damping * 0.1, 0.0)
    now.damping[...] = np.where(better, eased, np.maximum(1e-3, now.damping * 8))
    now.done[...] = tiny | (now.damping > 1e12)


def _curve(now: _State, step: Array) -> Array:
    """(b,) step' H step."""
    return np.asarray(((now.hessian @ step[:, :, None])[:, :, 0] * step).sum(axis=1))


def _expect(problem: Objective, now: _State, at: Ints) -> None:
    """Expected Hessians in the place of exact ones."""
    now.hessian[at] = problem.take(at).evaluate(now.phi[at])[2]
    now.exact[at] = False


def _no_saddle(problem: Objective, now: _State, tiny: npt.NDArray[np.bool_]) -> None:
    """Slices whose exact Hessian is not positive definite have not settled, however small their step."""
    at = np.flatnonzero(tiny & now.exact)
    bad = at[~_positive(now.hessian[at])] if at.size else at
    if bad.size:
        tiny[bad] = False
        _expect(problem, now, bad)


def _last(gain: Array, before: Array, limit: float) -> npt.NDArray[np.bool_]:
    """Whether the step after this one would be nothing: Newton's gains fall as g, C g^2, C (C g^2)^2."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray((gain < np.sqrt(limit)) | ((gain < 1e-2) & (gain * (gain / before) ** 2 < limit)))


def _looked(
    problem: Objective, phi: Array, near: npt.NDArray[np.bool_]
) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    """Value, gradient, Hessian, and whether it is exact: so for slices near their optimum."""
    if near.all() or not near.any():
        return *problem.evaluate(phi, exact=bool(near.any())), near
    out = [np.empty(len(phi)), np.empty(phi.shape), np.empty((*phi.shape, phi.shape[1]))]
    for exact in (False, True):
        some = np.flatnonzero(near == exact)
        for whole, part in zip(out, problem.take(some).evaluate(phi[some], exact=exact), strict=True):
            whole[some] = part
    return out[0], out[1], out[2], near


def _positive(H: Array) -> npt.NDArray[np.bool_]:
    """(b,) whether a matrix has a Cholesky factor."""
    try:
        np.linalg.cholesky(H)
    except np.linalg.LinAlgError:
        if len(H) == 1:
            return np.zeros(1, dtype=bool)
        return np.concatenate([_positive(part) for part in np.array_split(H, min(len(H), 4))])
    return np.ones(len(H), dtype=bool)


def _step(H: Array, slope: Array, damping: Array, held: npt.NDArray[np.bool_] | None) -> Array:
    """-(H + damping diag H)^-1 slope, 0 for parameters held at their bounds."""
    scale = level(H)
    H, slope = scale[:, :, None] * H * scale[:, None, :], scale * slope
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
        return np.asarray(-scale * np.linalg.solve(H, slope[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        ridge = 1e-8 * np.maximum(diagonal.max(axis=1), 1e-12)
        return np.asarray(
            -scale * np.linalg.solve(H + ridge[:, None, None] * np.eye(H.shape[1]), slope[:, :, None])[:, :, 0]
        )


def level(H: Array) -> Array:
    """(b, r) powers of 2 that bring the diagonal of H to between 1/2 and 2, so that nothing hangs on units.

    Example:
        >>> level(np.array([[[1e12, 0.0], [0.0, 4.0]]])).tolist()
        [[9.5367431640625e-07, 0.5]]
    """
    own = np.abs(np.einsum("bii->bi", H))
    return np.exp2(-np.round(0.5 * np.log2(np.where(np.isfinite(own) & (own > 0), own, 1.0))))
