"""How soon customers reach a stage that they do not leave: shares after k waves, mean number of waves.

With the shares P of all pairs of waves together, Q of them between stages that are left (t of these) and 1 a vector:

    share after k waves = (P^k) of the absorbing column,      waves until then = (I - Q)^-1 1

Errors by the delta method from what every unit adds to P: d waves_i / d p_kj = N_ik waves_j with N = (I - Q)^-1, and
d P^k = sum_a P^a dP P^(k-1-a). Intervals are t on the logit of shares and on the log of waves.

Source:
    Kemeny & Snell (1976), Finite Markov Chains, ch. 3; delta method for such chains: Craig & Sendi (2002), Health
    Economics 11, 33-42 (estimates), Binder (1983), Int. Statistical Review 51, 279-292 (variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from csi.behaviour.transitions import Moves, flags_of
from csi.errors import Reason, reason
from csi.inference.linearised import between, critical
from csi.moments.stack import Array

NEVER: Final = reason(
    "R-NOBODY-CHURNED",
    "from here nobody can reach the absorbing stage by the moves observed.",
    "按观察到的转移，无法由此到达吸收阶段。",
)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Quantities of every stage that is left.

    Attributes:
        value, std_error, low, high: (t, K + 1) shares absorbed after 1 ... K waves, then mean waves; NaN where unknown.
        reasons: (t,) why there is none.
    """

    value: Array
    std_error: Array
    low: Array
    high: Array
    reasons: tuple[Reason | None, ...]


def ahead(moves: Moves, stages: int, absorbing: int, steps: int, level: float) -> Ahead:
    """Shares absorbed after 1 to `steps` waves and the waves until then, from every stage that is left.

    Parameters:
        moves: those of all pairs of waves. stages: how many. absorbing: which of them is not left.

    Example:
        >>> n = 100
        >>> goal = np.where(np.arange(n) < 20, 1, 0)
        >>> moves = Moves(goal * 0, goal * 0, goal, np.ones(n), np.arange(n), np.zeros(n, dtype=np.int64))
        >>> found = ahead(moves, 2, 1, 2, 0.95)
        >>> found.value.round(4).tolist(), found.std_error.round(4).tolist()
        ([[0.2, 0.36, 5.0]], [[0.0402, 0.0643, 1.005]])
    """
    left = [i for i in range(stages) if i != absorbing]
    here = moves.of(np.isin(moves.origin, left))
    share, total = pooled(here, stages, absorbing)
    unknown = [_unreachable(share, i, absorbing, total) for i in left]
    value = np.full((len(left), steps + 1), np.nan)
    error, low, high = value.copy(), value.copy(), value.copy()
    kept = [i for i, why in zip(left, unknown, strict=True) if why is None]
    if kept:
        rows = [left.index(i) for i in kept]
        value[rows], slopes = _values(share, kept, absorbing, steps)
        error[rows], df = _errors(slopes, here, share, total)
        low[rows], high[rows] = _limits(value[rows], error[rows], df, level)
    return Ahead(value, error, low, high, tuple(unknown))


def pooled(moves: Moves, stages: int, absorbing: int) -> tuple[Array, Array]:
    """(s, s) shares of all pairs together, the absorbing row staying; (s,) weights of moves from each stage."""
    flow = np.zeros((stages, stages))
    np.add.at(flow, (moves.origin, moves.goal), moves.weight)
    total = flow.sum(axis=1)
    share = flow / np.where(total > 0, total, 1.0)[:, None]
    share[absorbing] = np.arange(stages) == absorbing
    return share, total


def _unreachable(share: Array, start: int, absorbing: int, total: Array) -> Reason | None:
    """Why no churn can be told from a stage: someone on the way is not observed to leave, or never gets there."""
    seen, edge = {start}, [start]
    while edge:
        edge = [int(j) for i in edge for j in np.flatnonzero(share[i]) if int(j) not in seen]
        seen.update(edge)
    doomed = {absorbing}
    while more := {i for i in seen - doomed if any(share[i, j] > 0 for j in doomed)}:
        doomed |= more
    stuck = seen - doomed or {i for i in seen if i != absorbing and total[i] == 0}
    return NEVER if stuck else None


def _values(share: Array, kept: list[int], absorbing: int, steps: int) -> tuple[Array, Array]:
    """(t, K + 1) values and their (t, K + 1, s, s) derivatives with respect to the shares."""
    s = len(share)
    powers = [np.linalg.matrix_power(share, k) for k in range(steps + 1)]
    value, slopes = np.zeros((len(kept), steps + 1)), np.zeros((len(kept), steps + 1, s, s))
    for k in range(1, steps + 1):
        value[:, k - 1] = powers[k][kept, absorbing]
        slopes[:, k - 1] = sum(powers[a][kept, :, None] * powers[k - 1 - a][None, None, :, absorbing] for a in range(k))
    inside = np.ix_(kept, kept)
    through = np.linalg.inv(np.eye(len(kept)) - share[inside])
    waves = through.sum(axis=1)
    value[:, steps] = waves
    slopes[:, steps][:, kept, :] = 0.0
    for a, i in enumerate(kept):
        for b, j in enumerate(kept):
            slopes[:, steps, i, j] = through[:, a] * waves[b]
    return value, slopes


def _errors(slopes: Array, moves: Moves, share: Array, total: Array) -> tuple[Array, Array]:
    """(t, K + 1) standard errors, and degrees of freedom of the whole."""
    flat = slopes.reshape(-1, len(share), len(share))
    own = flags_of(moves.goal, len(share)) - share[moves.origin]
    scale = (moves.weight / total[moves.origin])[:, None]
    z = np.einsum("qnj,nj->nq", flat[:, moves.origin, :], own) * scale
    variance, df = between(z, np.ones(z.shape, dtype=bool), moves.unit, moves.stratum)
    return np.sqrt(variance).reshape(slopes.shape[:2]), df.reshape(slopes.shape[:2])


def _limits(value: Array, error: Array, df: Array, level: float) -> tuple[Array, Array]:
    """Limits by t, on the logit of shares and the log of waves; none where the error is 0."""
    point = critical(level, df)
    shares, waves = value[:, :-1], value[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, reach = np.log(shares / (1 - shares)), point[:, :-1] * error[:, :-1] / (shares * (1 - shares))
        ends = [1 / (1 + np.exp(-(centre + side * reach))) for side in (-1, 1)]
        long = [waves * np.exp(side * point[:, -1:] * error[:, -1:] / waves) for side in (-1, 1)]
    low, high = (np.concatenate([a, b], axis=1) for a, b in zip(ends, long, strict=True))
    known = error > 0
    return np.where(known, low, np.nan), np.where(known, high, np.nan)
