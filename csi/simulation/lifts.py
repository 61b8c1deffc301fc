"""Points that something adds to a construct or an item, as a movement of the normal responses behind the answers."""

from __future__ import annotations

import numpy as np

from csi.moments.stack import Array
from csi.simulation.answers import mean_and_variance
from csi.simulation.population import Population


def lift_of(population: Population, shift: Array, name: str, points: float) -> Array:
    """What moves the level of a construct (or item) by exactly `points` in every group.

        find d with  level(shift + w d) = level(shift) + points,   w the loadings of the construct's items (or 1)

    Parameters:
        population: what is true. shift: (g, p) where the groups stand, in units of the responses. name: a construct or
            an item. points: on 0-100.

    Returns:
        (g, p) to be added to `shift`; 0 but for the items named.

    Example:
        >>> from csi.simulation import Recipe, population_of
        >>> one = {"construct": "sat", "mean": 6.0, "sd": 1.8}
        >>> recipe = Recipe(recipe="tiny", seed=1, scales={"ten": {"min": 1, "max": 10}}, constructs={"sat": {}},
        ...     paths={}, items=({"name": "s1", **one}, {"name": "s2", **one}), brands=({"name": "A"},), waves=("1",),
        ...     cell_size={"least": 100, "most": 100})
        >>> population = population_of(recipe)
        >>> moved = lift_of(population, np.zeros((1, 2)), "sat", 9.0)
        >>> mean, _ = mean_and_variance(population.tau - moved[..., None], population.minimum)
        >>> mean.round(4).tolist()
        [[6.81, 6.81]]
    """
    columns, weight = _moved(population, name)
    start = _level(population, shift, columns)
    low, high = np.full(len(shift), -8.0), np.full(len(shift), 8.0)
    for _ in range(50):
        middle = (low + high) / 2
        below = _level(population, shift + middle[:, None] * weight, columns) < start + points
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found: Array = ((low + high) / 2)[:, None] * weight
    return found


def _moved(population: Population, name: str) -> tuple[np.ndarray, Array]:
    """Which items make the level, and how far each goes with it."""
    if name in population.constructs:
        own = population.block == population.constructs.index(name)
        return own, np.where(own, population.loadings, 0.0)
    own = np.array([item == name for item in population.items])
    return own, own.astype(np.float64)


def _level(population: Population, shift: Array, columns: np.ndarray) -> Array:
    """(g,) the mean score of some items."""
    low, high = population.minimum[columns], population.maximum[columns]
    mean, _ = mean_and_variance(population.tau[columns] - shift[:, columns, None], low)
    found: Array = (100 * (mean - low) / (high - low)).mean(axis=1)
    return found
