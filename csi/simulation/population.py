"""What is true: a stated population of answers, as arrays.

Two kinds. In a *factor* population an item is `y = loading * eta + error`; in a *composite* population a construct is
`xi = w'y` of its own items, whose correlations within the block are stated. In both, constructs have variance 1 and
are tied by standardised paths. Letters: `p` items, `q` constructs, `g` groups (segment x stage) of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.moments.stack import Array, Ints
from csi.simulation.answers import mean_and_variance

Kind = Literal["factor", "composite"]


@dataclass(frozen=True, slots=True)
class Variant:
    """The constructs' relations in one stage (or in all: stage ""), and the responses' correlations that follow.

    Attributes:
        stage: its name. paths, construct_cor: (q, q). item_cor: (p, p).
    """

    stage: str
    paths: Array
    construct_cor: Array
    item_cor: Array


@dataclass(frozen=True, slots=True)
class Population:
    """A population of answers before any brand, wave or segment moves it.

    Attributes:
        kind: "factor" or "composite". constructs (q), items (p), block: (p,) index of each item's construct.
        loadings: (p,) correlation of the item's response with its construct. paths: (q, q) [outcome, predictor].
        construct_cor: (q, q). item_cor: (p, p) correlations of the normal responses behind the answers.
        tau: (p, j) cut points. spread: (p,) scale points per unit of response. minimum, maximum: (p,).
        variants: the relations a group may live by; the first is the one above, the others are stages with paths of
            their own.
    """

    kind: Kind
    constructs: tuple[str, ...]
    items: tuple[str, ...]
    block: Ints
    loadings: Array
    paths: Array
    construct_cor: Array
    item_cor: Array
    tau: Array
    spread: Array
    minimum: Array
    maximum: Array
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One brand in one wave: its groups (segment x stage), their shares and how far their responses are moved.

    Attributes:
        brand, wave: names. share: (g,) population shares, sum 1. shift: (g, p) in units of the responses. asked: (g, p)
            shares of the groups among those asked an item, sum 1 a column. variant: (g,) place of the group's relations
            in `Population.variants`.
    """

    brand: str
    wave: str
    share: Array
    shift: Array
    asked: Array
    variant: Ints

    def means(self, population: Population) -> Array:
        """(p,) mean answers of those asked."""
        mean, _ = mean_and_variance(population.tau - self.shift[..., None], population.minimum)
        found: Array = (self.asked * mean).sum(axis=0)
        return found


def causal_order(paths: Array) -> list[int]:
    """Constructs so ordered that every predictor stands before its outcomes, exogenous first.

    Parameters:
        paths: (q, q) [outcome, predictor]; what is not zero is an arrow.

    Raises:
        ValueError: the arrows form a cycle.

    Example:
        >>> causal_order(np.array([[0.0, 0.5], [0.0, 0.0]]))
        [1, 0]
    """
    arrows = paths != 0
    order = [int(j) for j in np.flatnonzero(~arrows.any(axis=1))]
    waiting = [j for j in range(len(paths)) if j not in order]
    while waiting:
        ready = [j for j in waiting if set(np.flatnonzero(arrows[j])) <= set(order)]
        if not ready:
            raise ValueError("cycle")
        order += ready
        waiting = [j for j in waiting if j not in ready]
    return order


def construct_correlations(paths: Array, given: Array) -> tuple[Array, Array]:
    """Correlations of the constructs from standardised paths (recursive, uncorrelated disturbances).

        R[j, i] = sum_k B[j, k] R[k, i]   for every construct i before j;   R2_j = b_j' R b_j

    Parameters:
        paths: (q, q) [outcome, predictor].
        given: (q, q) correlations among the exogenous constructs (others ignored).

    Returns:
        R (q, q) and R2 (q,), 0 for exogenous constructs; an R2 of 1 or more says that the paths are impossible.

    Raises:
        ValueError: the arrows form a cycle.

    Example:
        >>> B = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.2, 0.6, 0.0]])
        >>> cor, r2 = construct_correlations(B, np.eye(3))
        >>> cor.round(2)
        array([[1. , 0.5, 0.5],
               [0.5, 1. , 0.7],
               [0.5, 0.7, 1. ]])
        >>> r2.round(2)
        array([0.  , 0.25, 0.52])
    """
    exogenous = ~np.any(paths != 0, axis=1)
    cor = np.where(exogenous[:, None] & exogenous, given, 0.0)
    np.fill_diagonal(cor, 1.0)
    order = causal_order(paths)
    r2 = np.zeros(len(paths))
    for place, j in enumerate(order):
        if exogenous[j]:
            continue
        before = order[:place]
        cor[j, before] = cor[before, j] = paths[j] @ cor[:, before]
        r2[j] = paths[j] @ cor @ paths[j]
    return cor, r2


def factor_correlations(loadings: Array, block: Ints, construct_cor: Array) -> Array:
    """Correlations of the responses in a factor population: `l_a l_b R[block a, block b]`, diagonal 1.

    Example:
        >>> factor_correlations(np.array([0.8, 0.5]), np.array([0, 0]), np.eye(1))
        array([[1. , 0.4],
               [0.4, 1. ]])
    """
    cor = loadings[:, None] * loadings * construct_cor[np.ix_(block, block)]
    np.fill_diagonal(cor, 1.0)
    return cor


def composite_correlations(weights: Array, within: Array, block: Ints, construct_cor: Array) -> tuple[Array, Array]:
    """Correlations of the responses in a composite population, and the loadings that follow.

        w scaled to w'Ww = 1,   l = W w,   Sigma_ab = R[a, b] l_a l_b' between blocks, W within

    Parameters:
        weights: (p,) relative.
        within: (q,) correlation between the items of each block.
        block: (p,) index of each item's construct.
        construct_cor: (q, q).

    Returns:
        item correlations (p, p) and loadings (p,).

    Source: Dijkstra (2017), A perfect match between a model and a mode, eq. 4-8.

    Example:
        >>> cor, loadings = composite_correlations(np.ones(2), np.array([0.28]), np.array([0, 0]), np.eye(1))
        >>> loadings.round(3)
        array([0.8, 0.8])
    """
    same = block[:, None] == block
    inside = np.where(same, within[block][:, None], 0.0)
    np.fill_diagonal(inside, 1.0)
    scale = np.sqrt(np.bincount(block, weights * (inside @ weights)))
    loadings = inside @ (weights / scale[block])
    between = loadings[:, None] * loadings * construct_cor[np.ix_(block, block)]
    return np.where(same, inside, between), loadings


def levels(population: Population, asked: Array, shift: Array) -> Array:
    """Construct levels (q,) of a cell, 0-100: the plain mean of its items' scores among those asked.

    Parameters:
        population: what is true before the shift.
        asked: (g, p) shares of the groups among those asked.
        shift: (g, p) in units of the responses.
    """
    mean, _ = mean_and_variance(population.tau - shift[..., None], population.minimum)
    score = 100 * ((asked * mean).sum(axis=0) - population.minimum) / (population.maximum - population.minimum)
    count = np.bincount(population.block)
    return np.bincount(population.block, weights=score) / count


def shift_to_level(population: Population, asked: Array, shift: Array, target: Array) -> Array:
    """Move the constructs of a cell until their levels are `target` (bisection; one number per construct).

    Parameters:
        population: what is true.
        asked: (g, p) shares of the groups among those asked.
        shift: (g, p) what groups and single items add, in units of the responses.
        target: (q,) levels 0-100; NaN leaves a construct where it is.

    Returns:
        (g, p) the shift with the construct's movement `loading * delta` added.
    """
    low, high = np.full(len(target), -6.0), np.full(len(target), 6.0)
    stated = np.isfinite(target)
    for _ in range(60):
        middle = (low + high) / 2
        moved = shift + population.loadings * middle[population.block]
        below = levels(population, asked, moved) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    delta = np.where(stated, (low + high) / 2, 0.0)
    return shift + population.loadings * delta[population.block]


def points_per_unit(population: Population) -> tuple[Array, Array]:
    """Index points that one unit moves at the reference: of each construct (q,) and of each item's response (p,)."""
    step = 1e-4
    up, _ = mean_and_variance(population.tau - step, population.minimum)
    down, _ = mean_and_variance(population.tau + step, population.minimum)
    item = 100 * (up - down) / (2 * step) / (population.maximum - population.minimum)
    count = np.bincount(population.block)
    return np.bincount(population.block, weights=item * population.loadings) / count, item
