"""What measures each construct: its items, or for a higher-order construct the scores of its components.

Letters: `p` items, `q` constructs, `v` indicators, `b` slices of a stack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.estimate.estimate import Solution
from csi.measures.blocks import correlations, item_cov, membership
from csi.moments.stack import Array, Ints, Moments


@dataclass(frozen=True, slots=True)
class Indicators:
    """Items, then the components of higher-order constructs.

    Attributes:
        names (v), owner: (v,) construct that each measures. weights: (b, v) or None. loadings: (b, v).
        cov: (b, v, v), the scores of components standardised. true_cor: (b, v, v) the correlations with those of
            components corrected for unreliability where the estimator does so.
    """

    names: tuple[str, ...]
    owner: Ints
    weights: Array | None
    loadings: Array
    cov: Array
    true_cor: Array


def components(solution: Solution) -> list[tuple[int, str, str]]:
    """Place among the parts, higher-order construct, component."""
    return [(m, whole, part) for m, (whole, part) in enumerate(solution.parts) if part in solution.constructs]


def owners(solution: Solution) -> Ints:
    """(v,) the construct that each indicator measures.

    Example:
        >>> one = np.ones((1, 1))
        >>> owners(Solution(("a",), ("x",), np.array([0]), ("A",), one, one, None, one[None], one, one[None])).tolist()
        [0]
    """
    wholes = [solution.constructs.index(whole) for _, whole, _ in components(solution)]
    if not wholes:
        return solution.block
    return np.concatenate([solution.block, np.array(wholes, dtype=np.int64)])


def members(solution: Solution) -> Array:
    """(v, q) with 1 where the indicator measures the construct."""
    return membership(owners(solution), len(solution.constructs))


def indicators(moments: Moments, solution: Solution) -> Indicators:
    """The indicators of a stack."""
    cov = item_cov(moments, solution.items)
    made = components(solution)
    if not made or solution.wide_weights is None:
        return Indicators(solution.items, solution.block, solution.weights, solution.loadings, cov, correlations(cov))
    at = [m for m, _, _ in made]
    own = [solution.constructs.index(part) for _, _, part in made]
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        A = solution.wide_weights[:, :, own] / sd[:, :, None]
        beside = cov @ A
    among = A.swapaxes(1, 2) @ beside
    whole = np.concatenate(
        [np.concatenate([cov, beside], axis=2), np.concatenate([beside.swapaxes(1, 2), among], axis=2)], axis=1
    )
    true = correlations(whole)
    p = len(solution.items)
    true[:, p:, p:] = solution.construct_cor[:, np.array(own)[:, None], own]
    weights, part_weights = solution.weights, solution.part_weights
    if weights is not None and part_weights is not None:
        weights = np.concatenate([weights, part_weights[:, at]], axis=1)
    loadings = solution.loadings
    if solution.part_loadings is not None:
        loadings = np.concatenate([loadings, solution.part_loadings[:, at]], axis=1)
    return Indicators(indicator_names(solution), owners(solution), weights, loadings, whole, true)


def indicator_names(solution: Solution) -> tuple[str, ...]:
    """(v) names of the indicators: items, then components of higher-order constructs."""
    return (*solution.items, *(part for _, _, part in components(solution)))


def indicator_cov(moments: Moments, solution: Solution) -> Array:
    """(b, v, v) covariances of the indicators, the scores of components standardised."""
    if components(solution):
        return indicators(moments, solution).cov
    return item_cov(moments, solution.items)


def indicator_cor(moments: Moments, solution: Solution) -> Array:
    """(b, v, v) correlations of the indicators themselves, nothing corrected."""
    return correlations(indicator_cov(moments, solution))


def within(solution: Solution, one: int, other: int) -> bool:
    """Whether one of two constructs is made of the other, directly or through others."""
    return _below(solution, one, other) or _below(solution, other, one)


def _below(solution: Solution, whole: int, part: int) -> bool:
    names = solution.constructs
    direct = [names.index(p) for w, p in solution.parts if w == names[whole] and p in names]
    return part in direct or any(_below(solution, d, part) for d in direct)
