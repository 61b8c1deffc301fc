"""What is left of rises of every lever over a range of points: what a what-if simulator needs, computed once.

Letters: `n` respondents, `L` levers, `G` points of the grid, `B` draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.errors import Problem, Problems, Text, problem
from csi.estimate.estimate import Estimate
from csi.estimate.unrolled import on_items
from csi.importance.lever_effects import draws_of, judged
from csi.importance.lever_shifts import ENOUGH, TOP, stopped
from csi.importance.levers import obstacles
from csi.importance.points import Asked, bounds_of, places_of, relative_of, score_rows
from csi.measures.performance import hundred, performance
from csi.moments.stack import Array

CLOSE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class LeverGrid:
    """One cell's levers and its target over a range of points.

    Attributes:
        levers: constructs (L). target. points: (G,) asked, in steps. now: (L,) means on 0-100. rise: (L, G) mean rise
            that is left of what was asked, where respondents stop at 0 and 100. at_end: (L, G) share of respondents
            there. response: (L,) points of the target per point of the lever; draws: (B, L) the same of every resample
            (or of a normal distribution, where there are none). target_now, level.
    """

    levers: tuple[str, ...]
    target: str
    points: Array
    now: Array
    rise: Array
    at_end: Array
    response: Array
    draws: Array
    target_now: float
    level: float

    def told(self, asked: Sequence[int]) -> tuple[float, float, float]:
        """Change of the target and its interval when each lever is put at a place of the grid.

        Example:
            >>> one = LeverGrid(("a",), "b", np.array([0.0, 5]), np.array([60.0]), np.array([[0, 4.0]]),
            ...                 np.zeros((1, 2)), np.array([0.5]), np.array([[0.4], [0.6]]), 98.5, 0.95)
            >>> [round(x, 2) for x in one.told([1])]
            [1.5, 1.5, 1.5]
        """
        rise = self.rise[np.arange(len(self.levers)), list(asked)]
        drawn = np.quantile(self.draws @ rise, [(1 - self.level) / 2, (1 + self.level) / 2])
        change, low, high = stopped(np.full(3, self.target_now), np.array([float(self.response @ rise), *drawn]))
        return float(change), float(low), float(high)


def lever_grid(est: Estimate, levers: Sequence[str], target: str, points: npt.ArrayLike, *, seed: int) -> LeverGrid:
    """The grid of an estimate of one cell.

    Parameters:
        est: a fit with one slice. levers: constructs that lead to the target. points: (G,) asked. seed: of draws where
            the estimate has no replicates.

    Raises:
        Problems: E-WHATIF where the fit may not be read; E-ROWS where no respondents can be moved.

    Source:
        As `csi.whatif`.

    Example:
        >>> import csi, polars as pl
        >>> rows = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(rows), csi.PLS(), scale=(1, 10))
        >>> lever_grid(est, ["a"], "b", [0, 50], seed=1).rise.round(1).tolist()
        [[0.0, 37.7]]
    """
    est, asked_points = on_items(est), np.asarray(points, dtype=np.float64)
    obstacles(est, [*levers, target])
    at = [est.solution.constructs.index(c) for c in (*levers, target)]
    asked, L = Asked(tuple(at[:-1]), (at[-1],), at[-1], held=False), len(levers)
    places, (low, high) = places_of(est), bounds_of(est)
    relative = relative_of(est.solution, est.moments.sd[:, places], high - low)
    mean = hundred(est.moments.mean[:, places], low, high)
    now = performance(relative, mean, est.solution.block, len(est.solution.constructs))[0, at]
    score, weight = _rows(est, relative, at[:-1])
    change = stopped(score[:, :, None], asked_points)
    after = score[:, :, None] + change
    ends = (after >= TOP - CLOSE) | (after <= CLOSE)
    drawn, _ = draws_of(est, asked, seed=seed)
    return LeverGrid(
        levers=tuple(levers),
        target=target,
        points=asked_points,
        now=now[:-1],
        rise=np.tensordot(weight, change, axes=1),
        at_end=np.tensordot(weight, ends.astype(np.float64), axes=1),
        response=judged(est, asked, np.ones((1, L))).value[0, -L:],
        draws=drawn[np.isfinite(drawn).all(axis=1)],
        target_now=float(now[-1]),
        level=est.level,
    )


def _rows(est: Estimate, relative: Array, at: Sequence[int]) -> tuple[Array, Array]:
    """(n, L) scores of respondents with all levers, (n,) weights that sum to 1."""
    scores, sample = score_rows(est, relative), est.sample
    if scores is not None and sample is not None:
        rows = np.isfinite(scores[:, list(at)]).all(axis=1)
        if rows.sum() >= ENOUGH:
            return scores[rows][:, list(at)], sample.weight[rows] / sample.weight[rows].sum()
    raise Problems([_no_rows()])


def _no_rows() -> Problem:
    what = Text("there are no respondents whose levers could be moved.", "没有可供调整的受访者得分。")
    do = Text("Fit the model from answers, not from moments.", "请用原始答卷而非矩拟合模型。")
    return problem("E-ROWS", "levers", what.en, what.zh, do.en, do.zh)
