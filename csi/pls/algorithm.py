"""The PLS algorithm on correlation matrices, for a whole stack at once.

One iteration on R (b, p, p) with outer weights w: covariances R W of items and scores, correlations C of the scores,
inner weights E, proxies' covariances with their own items, new outer weights (mode A: those covariances; mode B: their
regression). A slice is frozen the moment it has converged, so its result does not depend on the rest of the stack.

Source: Wold (1982); Lohmöller (1989); Dijkstra & Henseler (2015) for the covariance form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from csi.moments.linear import inverse
from csi.moments.stack import Array, Ints
from csi.pls import compiled
from csi.pls.inner import Arrows, Scheme, inner_weights, regressions

BATCH = 512
"""Slices worked on together; a batch of 24 x 24 matrices then stays near the processor. Results do not depend on it."""


@dataclass(frozen=True, slots=True)
class Design:
    """The model as indices: block (p,) construct of each item (items sorted by construct), arrows (q, q)
    [outcome, predictor], mode_b (q,), factor (q,) True where the construct is a common factor of several items.

    Attributes:
        starts: first item of each block. ends: the same, and p. spans: first and one-past-last item of each block.
        member: (p, q) 1 where the item belongs to the construct. neighbours: of each construct, what an arrow joins
            it to. arrow_codes, mode_codes, factor_codes: arrows, mode_b and factor as 0 and 1.
    """

    block: Ints
    arrows: Arrows
    mode_b: npt.NDArray[np.bool_]
    factor: npt.NDArray[np.bool_]
    starts: Ints = field(init=False, repr=False, compare=False)
    ends: Ints = field(init=False, repr=False, compare=False)
    spans: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    member: Array = field(init=False, repr=False, compare=False)
    neighbours: tuple[Ints, ...] = field(init=False, repr=False, compare=False)
    arrow_codes: Ints = field(init=False, repr=False, compare=False)
    mode_codes: Ints = field(init=False, repr=False, compare=False)
    factor_codes: Ints = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What follows from the indices, once."""
        q = np.arange(self.arrows.shape[0])
        starts = np.searchsorted(self.block, q).astype(np.int64)
        ends = np.append(starts, self.block.size)
        joined = self.arrows | self.arrows.T
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "spans", tuple(pairwise(ends.tolist())))
        object.__setattr__(self, "member", (self.block[:, None] == q).astype(np.float64))
        object.__setattr__(self, "neighbours", tuple(np.flatnonzero(row) for row in joined))
        for codes, flags in (("arrow_codes", self.arrows), ("mode_codes", self.mode_b), ("factor_codes", self.factor)):
            object.__setattr__(self, codes, flags.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Solved:
    """weights (b, p), cross (b, p, q) item-score correlations, C (b, q, q), paths (b, q, q), r2 (b, q), iterations
    (b,), change (b,), converged (b,).
    """

    weights: Array
    cross: Array
    C: Array
    paths: Array
    r2: Array
    iterations: Ints
    change: Array
    converged: npt.NDArray[np.bool_]


State = tuple[Array, Array, Array]
"""Weights giving scores of variance 1 (b, p), their item covariances R W (b, p, q), score correlations C (b, q, q)."""

Ending = tuple[Ints, Array, npt.NDArray[np.bool_]]
"""Iterations, last change and whether settled: (b,) each."""

Kept = dict[int, Array]
"""What a step needs of each slice beside its correlations, by construct."""

Step = Callable[[State, Array, Kept], Array]
"""One round: (state, R, kept) -> (b, p) new outer weights, not yet normalised."""


def solve_stack(
    R: Array,
    design: Design,
    scheme: Scheme,
    tolerance: float,
    max_iterations: int,
    reference: Array | None = None,
    *,
    sd: Array | None = None,
) -> Solved:
    """Outer weights, paths and correlations of every slice.

    Parameters:
        R: (b, p, p) item correlations in the order of `design.block`.
        tolerance: largest change of a standardised outer weight that counts as settled.
        reference: (p,) weights that fix the orientation of each score (it must correlate positively with the score
            these weights would give); equal weights when None. A bootstrap passes its estimate's weights: orientation
            is decided by the measurement alone, so no distribution of paths is folded at zero.
        sd: (b, p) item standard deviations where mode A regresses items in their own units; None for standardised.

    Returns:
        Solved; NaN in slices that cannot be solved (a constant item, collinear predictors).
    """
    fast = compiled.solved(R, design, scheme, tolerance, max_iterations, reference, sd)
    if fast is not None:
        return Solved(*fast)

    def keep(R: Array, sd: Array | None) -> Kept:
        return block_inverses(R, design, design.mode_b) | ({} if sd is None else {UNITS: sd})

    def step(state: State, _: Array, kept: Kept) -> Array:
        return _outer_weights(state, design, scheme, kept)

    return iterate(R, design, step, keep, tolerance, max_iterations, reference, sd)


UNITS = -1
"""The key of item standard deviations in `Kept`."""


def iterate(
    R: Array,
    design: Design,
    step: Step,
    keep: Callable[[Array, Array | None], Kept],
    tolerance: float,
    max_iterations: int,
    reference: Array | None = None,
    start: Array | None = None,
) -> Solved:
    """Repeat a step in every slice until its weights settle.

    Parameters:
        keep: what the step needs of the slices, of their R and start weights. start: (b, p) first weights; equal
            weights when None. The others: see `solve_stack`.
    """
    parts = []
    for i in range(0, R.shape[0], BATCH):
        first = None if start is None else start[i : i + BATCH]
        part = R[i : i + BATCH]
        w, ending = _iterate_batch(part, design, step, keep, tolerance, max_iterations, first)
        parts.append(scored(w, part, design, reference, ending))
    return Solved(*(np.concatenate([getattr(p, name) for p in parts]) for name in Solved.__slots__))


def _iterate_batch(
    R: Array,
    design: Design,
    step: Step,
    keep: Callable[[Array, Array | None], Kept],
    tolerance: float,
    max_iterations: int,
    start: Array | None,
) -> tuple[Array, Ending]:
    """Weights, and iterations, last change and whether settled; a slice is frozen once it has."""
    b, p = R.shape[:2]
    out_w, iterations = np.full((b, p), np.nan), np.full(b, max_iterations, dtype=np.int64)
    out_change, converged = np.full(b, np.nan), np.zeros(b, dtype=bool)
    active = np.flatnonzero(np.isfinite(R).all(axis=(1, 2)))
    R_now = R if active.size == b else R[active]
    first = None if start is None else start[active]
    kept = keep(R_now, first)
    state = normalised(np.ones((active.size, p)) if first is None else first, R_now, design)
    for iteration in range(1, max_iterations + 1):
        if not active.size:
            break
        following = normalised(step(state, R_now, kept), R_now, design)
        change = _change(following[0], state[0], design)
        settled = ~(change >= tolerance) if iteration < max_iterations else np.ones(active.size, dtype=bool)
        if settled.any():
            rows = active[settled]
            out_w[rows], out_change[rows], iterations[rows] = following[0][settled], change[settled], iteration
            converged[rows] = change[settled] < tolerance
            left = ~settled
            active, R_now = active[left], R_now[left]
            following = (following[0][left], following[1][left], following[2][left])
            kept = {j: m[left] for j, m in kept.items()}
        state = following
    return out_w, (iterations, out_change, converged)


def _outer_weights(state: State, design: Design, scheme: Scheme, kept: Kept) -> Array:
    """(b, p) new outer weights, not yet normalised: covariances of items and proxies, regressed for mode B."""
    _, RW, C = state
    E = inner_weights(C, design.arrows, scheme)
    new = np.empty(RW.shape[:2])
    for j, (start, stop) in enumerate(design.spans):
        neighbours = design.neighbours[j]
        new[:, start:stop] = np.einsum("bpk,bk->bp", RW[:, start:stop, neighbours], E[:, j, neighbours])
        if j in kept:
            new[:, start:stop] = np.einsum("bik,bk->bi", kept[j], new[:, start:stop])
        elif UNITS in kept:
            new[:, start:stop] *= kept[UNITS][:, start:stop] ** 2
    return new


def _change(new: Array, old: Array, design: Design) -> Array:
    """(b,) largest change of a weight, whichever way each score points."""
    same = np.maximum.reduceat(np.abs(new - old), design.starts, axis=1)
    flipped = np.maximum.reduceat(np.abs(new + old), design.starts, axis=1)
    change: Array = np.minimum(same, flipped).max(axis=1)
    return change


def normalised(w: Array, R: Array, design: Design) -> State:
    """Weights giving scores of variance 1, with their item covariances R W and score correlations C."""
    W = w[:, :, None] * design.member
    RW = R @ W
    C = W.transpose(0, 2, 1) @ RW
    with np.errstate(divide="ignore", invalid="ignore"):
        s = 1.0 / np.sqrt(np.einsum("bjj->bj", C))
        return w * s[:, design.block], RW * s[:, None, :], C * s[:, :, None] * s[:, None, :]


def block_inverses(R: Array, design: Design, chosen: npt.NDArray[np.bool_]) -> Kept:
    """Inverse of the correlations of each chosen block of several items."""
    found = {}
    for j, (start, stop) in enumerate(design.spans):
        if chosen[j] and stop - start > 1:
            found[j] = inverse(R[:, start:stop, start:stop])
    return found


def scored(w: Array, R: Array, design: Design, reference: Array | None, ending: Ending) -> Solved:
    """Orient the scores of weights `w` (b, p) and compute everything that follows from them.

    Parameters:
        reference: as in `solve_stack`.
    """
    w, RW, C = normalised(w, R, design)
    anchor = np.ones(w.shape[1]) if reference is None else reference
    agreement = np.add.reduceat(anchor * _own(RW, design), design.starts, axis=1)
    sign = np.where(agreement < 0, -1.0, 1.0)
    w, RW, C = w * sign[:, design.block], RW * sign[:, None, :], C * sign[:, :, None] * sign[:, None, :]
    paths = regressions(C, design.arrows)
    r2 = np.where(design.arrows.any(axis=1), np.einsum("bjk,bjk->bj", paths, C), np.nan)
    return Solved(w, RW, C, paths, r2, *ending)


def _own(RW: Array, design: Design) -> Array:
    """(b, p) covariance of each item with its own score."""
    return RW[:, np.arange(design.block.size), design.block]
