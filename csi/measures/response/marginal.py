"""Marginal maximum likelihood of one scale: theta is integrated out over a fixed grid.

    log L = sum_r w_r log sum_q g_q prod_i P_i(x_ri | theta_q)

An EM of Bock & Aitkin (1981), accelerated by squared extrapolation (Varadhan & Roland, 2008), goes near the maximum;
Newton steps with the exact observed information (Louis, 1982) end there.

Letters: `r` answer patterns, `i` items, `Q` points, `C = K + 1` categories at most, `k` free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.measures.response.curves import Family, complete, log_curves, scores_of
from csi.measures.response.ordered import start_cuts
from csi.moments.stack import Array, Ints

Bools = npt.NDArray[np.bool_]

POINTS, REACH = 61, 6.0
"""Points of theta and how far they reach in standard deviations, equally spaced."""

EM, NEWTON = 400, 30
NEAR, GRADIENT = 2e-3, 1e-8
"""Where Newton takes over (largest step of EM), and where it ends (largest gradient per respondent)."""

NEGLIGIBLE = 1e-14
"""Posterior mass of a point that no answer pattern reaches."""

STEEP = 30.0
"""A slope beyond this has no finite estimate."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Points of theta (Q,) and the log of their weights (Q,), which sum to 1 over a standard normal.

    Example:
        >>> float(np.round(np.exp(grid().log_weight) @ grid().theta**2, 6))
        1.0
    """

    theta: Array
    log_weight: Array


def grid(points: int = POINTS, reach: float = REACH) -> Grid:
    """Equally spaced points from -reach to reach: the trapezium rule, exact to rounding for smooth integrands."""
    theta = np.linspace(-reach, reach, points)
    log_weight = -(theta**2) / 2
    return Grid(theta, log_weight - np.log(np.exp(log_weight).sum()))


@dataclass(frozen=True, slots=True)
class Patterns:
    """Distinct rows of answers.

    Attributes:
        answer: (r, i) category from 0, -1 where there is no answer. given: (r, i C) ones at what was answered.
        weight: (r,) sum of the weights of the rows. row: (n,) pattern of each row. categories: (i,).
    """

    answer: Ints
    given: Array
    weight: Array
    row: Ints
    categories: Ints


def patterns(answer: Ints, weight: Array, categories: Ints) -> Patterns:
    """Rows of categories (n, i), -1 for no answer, as distinct patterns.

    Example:
        >>> told = patterns(np.array([[0, 1], [0, 1], [1, -1]]), np.ones(3), np.array([2, 2]))
        >>> told.weight.tolist(), told.given.tolist()
        ([2.0, 1.0], [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]])
    """
    small = np.ascontiguousarray(answer.astype(np.int8))
    _, first, row = np.unique(small.view(f"V{small.shape[1]}").ravel(), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(first.size, np.int64)
    rank[order] = np.arange(first.size)
    kept = answer[first[order]]
    wide = int(categories.max())
    given = (kept[:, :, None] == np.arange(wide)).astype(np.float64).reshape(len(kept), -1)
    row = rank[row]
    return Patterns(kept, given, np.asarray(np.bincount(row, weight, first.size), dtype=np.float64), row, categories)


@dataclass(frozen=True, slots=True)
class Shape:
    """How free parameters make the items' own.

    Attributes:
        family: of the curves. design: (i, 1 + K, k). used: (i, 1 + K) which of an item's own parameters there are.
    """

    family: Family
    design: Array
    used: Bools

    def own(self, free: Array) -> Array:
        """(i, 1 + K) of free parameters (k,); -inf where an item has no category."""
        return np.where(self.used, self.design @ free, -np.inf)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an E-step tells: loglik, posterior (r, Q), counts (i, Q, C), each (r,) log-likelihood of one respondent."""

    loglik: float
    posterior: Array
    counts: Array
    each: Array


@dataclass(frozen=True, slots=True)
class Marginal:
    """A fitted scale.

    Attributes:
        shape, free (k,), loglik. information: (k, k) observed. scores: (r, k) of one respondent of each pattern.
        posterior: (r, Q). counts: (i, Q, C) expected answers. each: (r,) log-likelihood of one respondent. gradient:
            largest per respondent. iterations: of EM and Newton. converged. grid. patterns.
    """

    shape: Shape
    free: Array
    loglik: float
    information: Array
    scores: Array
    posterior: Array
    counts: Array
    each: Array
    gradient: float
    iterations: tuple[int, int]
    converged: bool
    grid: Grid
    patterns: Patterns

    @property
    def own(self) -> Array:
        """(i, 1 + K)."""
        return self.shape.own(self.free)


def expect(shape: Shape, free: Array, told: Patterns, at: Grid) -> Expected:
    """The E-step at free parameters."""
    logs = log_curves(shape.family, shape.own(free), at.theta)
    joint = told.given @ logs.transpose(0, 2, 1).reshape(-1, at.theta.size) + at.log_weight
    top = joint.max(axis=1, keepdims=True)
    np.exp(joint - top, out=joint)
    total = joint.sum(axis=1, keepdims=True)
    joint /= total
    each = (np.log(total) + top)[:, 0]
    counts = told.given.T @ (told.weight[:, None] * joint)
    counts = counts.reshape(logs.shape[0], logs.shape[2], -1).transpose(0, 2, 1)
    return Expected(float(told.weight @ each), joint, counts, each)


def fit_marginal(shape: Shape, told: Patterns, at: Grid, start: Array | None = None) -> Marginal:
    """The maximum of the marginal likelihood.

    Source:
        Bock & Aitkin (1981), Psychometrika 46; Louis (1982), JRSS B 44; Varadhan & Roland (2008), Scandinavian Journal
        of Statistics 35.
    """
    free, rounds = _climb(shape, _start(shape, told) if start is None else start, told, at)
    return _finish(shape, free, told, at, rounds)


def _start(shape: Shape, told: Patterns) -> Array:
    """Slopes of 1 and intercepts by the marginal shares, projected on the free parameters."""
    i, width = shape.used.shape
    share = told.weight @ told.given
    cuts = start_cuts(share.reshape(i, 1, width))
    own = np.ones((i, width))
    if shape.family == "cumulative":
        own[:, 1:] = np.where(shape.used[:, 1:], cuts, 0) * 1.2
    else:
        counts = share.reshape(i, width) + 0.5
        own[:, 1:] = np.log(counts[:, 1:]) - np.log(counts[:, :1])
    used = shape.used.reshape(-1)
    design = shape.design.reshape(used.size, -1)[used]
    return np.asarray(np.linalg.lstsq(design, own.reshape(-1)[used], rcond=None)[0], dtype=np.float64)


def _improve(shape: Shape, free: Array, counts: Array, at: Grid, steps: int = 3) -> Array:
    """The M-step: Newton on the expected complete log-likelihood, which is concave."""
    value, slope, info = _complete(shape, free, counts, at)
    for _ in range(steps):
        step = np.linalg.solve(info + 1e-9 * np.eye(free.size), slope)
        rise = float(step @ slope)
        for _ in range(30):
            told = _complete(shape, free + step, counts, at)
            if told[0] >= value:
                break
            step = step / 2
        else:
            return free
        free, (value, slope, info) = free + step, told
        if rise < 1e-8 * max(1.0, abs(value)):
            break
    return free


def _complete(shape: Shape, free: Array, counts: Array, at: Grid) -> tuple[float, Array, Array]:
    value, slope, info = complete(shape.family, shape.own(free), at.theta, counts)
    slope = np.where(shape.used, slope, 0)
    flat = shape.design.reshape(-1, free.size)
    full = (info @ shape.design).reshape(flat.shape) if info.size else flat
    return float(value.sum()), flat.T @ slope.reshape(-1), flat.T @ full


def _climb(shape: Shape, free: Array, told: Patterns, at: Grid) -> tuple[Array, int]:
    """EM with squared extrapolation, until its steps are small."""
    now = expect(shape, free, told, at)
    for used in range(1, EM + 1):
        one = _improve(shape, free, now.counts, at)
        first = expect(shape, one, told, at)
        two = _improve(shape, one, first.counts, at)
        r, v = one - free, two - 2 * one + free
        moved = float(np.abs(two - one).max())
        if moved < NEAR or _runaway(two):
            return two, 2 * used
        length = -np.sqrt(float(r @ r) / max(float(v @ v), 1e-300))
        tried = free - 2 * length * r + length**2 * v if length < -1 else two
        later = _safe(shape, tried, told, at)
        if later is None or later.loglik < first.loglik:
            tried, later = two, expect(shape, two, told, at)
        free, now = tried, later
    return free, 2 * EM


def _safe(shape: Shape, free: Array, told: Patterns, at: Grid) -> Expected | None:
    """The E-step; None where cuts are out of order."""
    own = shape.own(free)
    gaps = np.where(shape.used[:, 2:], own[:, 1:-1] - np.where(shape.used[:, 2:], own[:, 2:], 0), 1.0)
    if shape.family == "cumulative" and (gaps <= 0).any():
        return None
    return expect(shape, free, told, at)


def _runaway(free: Array) -> bool:
    return bool(np.abs(free).max() > 4 * STEEP)


def _finish(shape: Shape, free: Array, told: Patterns, at: Grid, rounds: int) -> Marginal:
    """Newton with the observed information; where that is not positive definite, steps of EM instead."""
    now, used = expect(shape, free, told, at), 0
    scores, info = louis(shape, free, now, told, at)
    size = max(float(told.weight.sum()), 1.0)
    slope = told.weight @ scores
    while used < NEWTON and np.abs(slope).max() > GRADIENT * size and not _runaway(free):
        used += 1
        later = _newton(shape, free, now, slope, info, told, at)
        if later is None:
            tried = _improve(shape, free, now.counts, at)
            later = tried, expect(shape, tried, told, at)
        free, now = later
        scores, info = louis(shape, free, now, told, at)
        slope = told.weight @ scores
    gradient = float(np.abs(slope).max()) / size
    own = shape.own(free)
    good = gradient <= 100 * GRADIENT and float(np.abs(own[:, 0]).max()) < STEEP
    return Marginal(
        shape,
        free,
        now.loglik,
        info,
        scores,
        now.posterior,
        now.counts,
        now.each,
        gradient,
        (rounds, used),
        good,
        at,
        told,
    )


def _newton(
    shape: Shape, free: Array, now: Expected, slope: Array, info: Array, told: Patterns, at: Grid
) -> tuple[Array, Expected] | None:
    """A step that does not lower the likelihood; None where there is none."""
    try:
        np.linalg.cholesky(info)
    except np.linalg.LinAlgError:
        return None
    step = np.linalg.solve(info, slope)
    for _ in range(6):
        tried = free + step
        later = _safe(shape, tried, told, at)
        if later is not None and later.loglik >= now.loglik - 1e-10 * abs(now.loglik):
            return tried, later
        step = step / 2
    return None


def louis(shape: Shape, free: Array, now: Expected, told: Patterns, at: Grid) -> tuple[Array, Array]:
    """Scores (r, k) of one respondent of each pattern, and the observed information (k, k) of all.

    I = sum_r w_r (E[-H | x_r] - E[s s' | x_r] + E[s | x_r] E[s | x_r]'), s the score of answers and theta together.

    Source:
        Louis (1982), JRSS B 44, 226-233.
    """
    own = shape.own(free)
    flat = shape.design.reshape(-1, free.size)
    inner, table = complete(shape.family, own, at.theta, now.counts)[2], scores_of(shape.family, own, at.theta)
    items, _, kinds, width = table.shape
    scores = np.zeros((len(told.answer), items, width))
    for i in range(items):
        for c in range(int(told.categories[i])):
            rows = told.answer[:, i] == c
            scores[rows, i] = now.posterior[rows] @ table[i, :, c]
    spread, place = np.zeros((flat.shape[0],) * 2), np.arange(items)
    for q in range(at.theta.size):
        known = np.flatnonzero(now.posterior[:, q] > NEGLIGIBLE)
        each = told.given[known] * np.sqrt(told.weight[known] * now.posterior[known, q])[:, None]
        block = np.zeros((items, kinds, items, width))
        block[place, :, place] = table[:, q]
        wide = block.reshape(items * kinds, items * width)
        spread += wide.T @ (each.T @ each) @ wide
    scores = scores.reshape(len(scores), -1) @ flat
    weighed = scores * np.sqrt(told.weight)[:, None]
    full = flat.T @ (np.where(shape.used[:, :, None], inner @ shape.design, 0)).reshape(flat.shape)
    return scores, full - flat.T @ spread @ flat + weighed.T @ weighed
