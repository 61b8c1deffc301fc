"""Constructs of any engine in points of the 0-100 index: weights of their items, and what one deviation is worth.

    s_j = 100 sum_k f_k lambda_k / sum_k f_k (u_k - l_k)

points of construct j's index that go with one standard deviation of j. Composites: the spread of the score (times the
root of rho_a where correlations are disattenuated); factors: f_k = loading_k / error variance_k, as in formula F6.

Letters: `p` items, `q` constructs, `m` slices, `L` levers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from csi.errors import Reason, reason
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.unrolled import unrolled
from csi.measures.performance import hundred, relative_weights, spread
from csi.moments.stack import Array, Ints

Values = npt.NDArray[Any]
"""float64, or complex128 where derivatives are taken by complex steps."""

LEAST = 1e-12
"""Error variance of a standardised item below which it is taken as this (a single item without error)."""


def outer(solution: Solution) -> Array:
    """(m, p) weights on the standardised items: the outer weights, or of factors loading / error variance.

    Example:
        >>> one = np.ones((1, 2))
        >>> found = Solution(("a",), ("x", "y"), np.array([0, 0]), ("A",), None, np.array([[0.8, 0.6]]), None,
        ...                  np.zeros((1, 1, 1)), np.zeros((1, 1)), np.ones((1, 1, 1)))
        >>> outer(found).round(3).tolist()
        [[2.222, 0.938]]
    """
    if solution.weights is not None:
        return solution.weights
    left = 1.0 - solution.loadings**2
    return np.asarray(solution.loadings / np.where(np.abs(left) < LEAST, LEAST, left), dtype=np.float64)


def relative_of(solution: Solution, sd: Array, span: Array) -> Array:
    """(m, p) weights of the 0-100 items, summing to 1 in each construct."""
    return relative_weights(outer(solution), sd, span, solution.block, len(solution.constructs))


def unit_of(solution: Solution, sd: Array, span: Array) -> Array:
    """(m, q) points of the index per standard deviation of the construct.

    Parameters:
        sd: (m, p) spreads of the items. span: (p,) theoretical maximum - minimum.
    """
    q = len(solution.constructs)
    if solution.weights is not None:
        true = 1.0 if solution.rho is None else np.sqrt(np.maximum(solution.rho, 0.0))
        return np.asarray(true * spread(solution.weights, sd, span, solution.block, q), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = outer(solution) / sd
        shared, wide = (
            _sums(factor * solution.loadings * sd, solution.block, q),
            _sums(factor * span, solution.block, q),
        )
        return np.asarray(100.0 * shared / wide, dtype=np.float64)


def _sums(values: Array, block: Ints, q: int) -> Array:
    """(m, q) sums over the items of each construct."""
    return np.stack([values[:, block == j].sum(axis=1) for j in range(q)], axis=1)


def response(paths: Values, levers: Sequence[int], *, held: bool = False) -> Values:
    """What every construct moves by where levers are raised by one: columns of (I - B)^-1.

    Parameters:
        paths: (m, q, q) in the constructs' points, [outcome, predictor]. levers: positions (L).
        held: whether every lever ends exactly where it was put, whatever the others bring it (arrows into levers cut).

    Returns:
        (m, q, L).

    Example:
        >>> B = np.array([[[0.0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]]])
        >>> response(B, [0, 1]).round(2)[0, 2].tolist(), response(B, [0, 1], held=True).round(2)[0, 2].tolist()
        ([0.4, 0.4], [0.2, 0.4])
    """
    kept = paths
    if held:
        kept = paths.copy()
        kept[:, list(levers), :] = 0.0
    return np.asarray(np.linalg.inv(np.eye(paths.shape[-1]) - kept)[:, :, list(levers)])


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose responses: positions of levers (L), constructs told (K) and the target; whether levers are held.

    `items`: of a lever that is an item its position among the solution's items (`levers` and `told` then hold that of
    its construct), else -1; empty where no lever is an item.
    """

    levers: tuple[int, ...]
    told: tuple[int, ...]
    target: int
    held: bool
    items: tuple[int, ...] = ()

    @property
    def of_items(self) -> list[tuple[int, int]]:
        """Numbers of the levers that are items, with the item's position."""
        return [(lever, item) for lever, item in enumerate(self.items) if item >= 0]


def both(paths: Values, asked: Asked) -> Values:
    """(m, K + 1, L) responses of the constructs told, and last those of the target to each lever alone."""
    together = response(paths, asked.levers, held=asked.held)[:, list(asked.told)]
    return np.concatenate([together, response(paths, asked.levers)[:, [asked.target]]], axis=1)


def by_items(responses: Values, relative: Values, asked: Asked) -> Values:
    """The same with levers that are items: a point of an item is as many points of its construct as it weighs.

    What is told of such a lever is the item, which moves by what was asked of it alone.

    Parameters:
        responses: (m, K + 1, L) as of `both`. relative: (m, p) weights of the 0-100 items.

    Example:
        >>> asked = Asked((0,), (0, 1), 1, held=False, items=(1,))
        >>> by_items(np.array([[[1.0], [0.5], [0.5]]]), np.array([[0.8, 0.2, 1.0]]), asked)[0, :, 0].tolist()
        [1.0, 0.1, 0.1]
    """
    if not asked.of_items:
        return responses
    out = responses.copy()
    for lever, item in asked.of_items:
        out[:, :, lever] *= relative[:, [item]]
    for lever, _ in asked.of_items:
        out[:, lever] = np.eye(len(asked.levers))[lever]
    return out


def in_points(paths: Array, unit: Array) -> Array:
    """(m, q, q) paths in points per point: B_yx s_y / s_x; a construct without points keeps its standard deviation.

    Example:
        >>> in_points(np.array([[[0.0, 0.0], [0.5, 0.0]]]), np.array([[20.0, 10.0]])).tolist()
        [[[0.0, 0.0], [0.25, 0.0]]]
    """
    with np.errstate(invalid="ignore"):
        known = np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)
    return np.asarray(paths * known[:, :, None] / known[:, None, :], dtype=np.float64)


def bounds_of(est: Estimate) -> tuple[Array, Array]:
    """(p,) theoretical minimum and maximum of the solution's items."""
    at = places_of(est)
    return est.moments.minimum[at], est.moments.maximum[at]


def places_of(est: Estimate) -> list[int]:
    """Positions of the solution's items among those of the moments."""
    return [est.moments.names.index(i) for i in est.solution.items]


def score_rows(est: Estimate, relative: Array) -> Array | None:
    """(n, q) 0-100 scores of respondents by the weights of their cell; NaN with an absent answer; None without rows.

    Parameters:
        relative: (b, p) as of `relative_of`.
    """
    sample = est.sample
    if sample is None:
        return None
    solution = unrolled(est.solution)
    at = [sample.names.index(i) for i in solution.items]
    points = hundred(sample.rows[:, at], sample.minimum[at], sample.maximum[at]) * relative[sample.cell]
    sums = np.stack([points[:, solution.block == k].sum(axis=1) for k in range(len(solution.constructs))], axis=1)
    return np.where(np.isin(np.arange(len(solution.constructs)), solution.block), sums, np.nan)


def obstacle(est: Estimate, cell: int, name: str) -> Reason | None:
    """Why a construct has no points in a cell; None where it has."""
    solution = est.solution
    mine = solution.block == solution.constructs.index(name)
    low, high = bounds_of(est)
    label, zh = est.model.label(name), est.model.label(name, "zh")
    if not mine.any():
        en = f'"{label}" has no items of its own here, so it has no 0-100 value.'
        return reason("no_items", en, f"“{zh}”在此没有自己的题项，无法换算为 0-100 分。")
    if not (high > low)[mine].all():
        items = ", ".join(i for i, m, ok in zip(solution.items, mine, high > low, strict=True) if m and not ok)
        en = f"the theoretical bounds of {items} are unknown; declare the scale in the codebook (scale= for a frame)."
        return reason("no_bounds", en, f"{items} 的理论上下限未知，请在编码簿中声明量表（数据框用 scale=）。")
    weights = outer(solution)[cell, mine]
    if np.isfinite(weights).all() and (weights >= 0).all():
        return None
    items = ", ".join(i for i, w in zip(np.array(solution.items)[mine], weights, strict=True) if not w >= 0)
    en = f'"{label}" has a weight that is not positive ({items}), so it has no 0-100 value.'
    return reason("negative_weight", en, f"“{zh}”的权重不为正（{items}），无法换算为 0-100 分。")
