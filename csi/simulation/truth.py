"""The truth of a simulation: moments of the discretised, uncontaminated answers, without sampling.

What an estimator should find is the estimator itself applied to these moments, never the parameters behind them: PLS on
a factor population, or on ten-point answers with a ceiling, has its own population value.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from csi.moments.stack import Array, Moments
from csi.simulation.answers import covariance, mean_and_variance
from csi.simulation.blueprint import cells_of, population_of
from csi.simulation.population import Cell, Population, levels
from csi.simulation.recipe import Recipe

EVERYONE = 1e9
"""The n that stands for a whole population."""


def population_moments(recipe: Recipe) -> Moments:
    """Exact moments of every cell of a recipe: the truth that estimates are compared with.

        mean = sum_g pi_g mu_g        cov = sum_g pi_g (C_g + mu_g mu_g') - mean mean'

    with g the groups (stage within segment) at their population shares; C_g by the tetrachoric series.

    Args:
        recipe: a checked recipe.

    Returns:
        `Moments` with one slice per brand and wave; `n` is 1e9 in place of infinity.

    Source: statistics.md 1 of the project's design: truth is the same estimator on population moments.

    Example:
        >>> from csi.simulation import Recipe, population_moments
        >>> one = {"construct": "sat", "mean": 7.6, "sd": 1.8}
        >>> recipe = Recipe(recipe="tiny", seed=1, scales={"ten": {"min": 1, "max": 10}}, constructs={"sat": {}},
        ...     paths={},
        ...     items=({"name": "s1", **one}, {"name": "s2", **one}), brands=({"name": "A"},), waves=("1",),
        ...     cell_size={"least": 100, "most": 100})
        >>> population_moments(recipe).mean.round(6)
        array([[7.6, 7.6]])
    """
    population = population_of(recipe)
    return moments_of_cells(population, cells_of(recipe, population))


def moments_of_cells(population: Population, cells: Iterable[Cell]) -> Moments:
    """Exact moments of `cells` of a population (see `population_moments`)."""
    cells = tuple(cells)
    pairs = [_mixed(population, cell) for cell in cells]
    b = len(cells)
    frame = pl.DataFrame({"brand": [c.brand for c in cells], "wave": [c.wave for c in cells], "n": [EVERYONE] * b})
    everyone = np.full(b, EVERYONE)
    mean, cov = np.array([m for m, _ in pairs]), np.array([c for _, c in pairs])
    low, high = population.minimum, population.maximum
    return Moments(population.items, everyone, everyone, everyone, mean, cov, frame, low, high)


def _mixed(population: Population, cell: Cell) -> tuple[Array, Array]:
    """Mean (p,) and covariance (p, p) of the answers of a cell, over its groups."""
    tau = population.tau - cell.shift[..., None]
    mean, _ = mean_and_variance(tau, population.minimum)
    cov = covariance(tau, population.item_cor)
    overall = cell.share @ mean
    apart = mean - overall
    return overall, np.einsum("g,gab->ab", cell.share, cov + apart[:, :, None] * apart[:, None, :])


def truth_table(population: Population, cells: tuple[Cell, ...]) -> pl.DataFrame:
    """What holds in the population: brand, wave, kind, name, value.

    `kind` is "level" (of a construct: the plain mean of its items' scores, 0-100), "mean" (of an item, scale points),
    and once, with empty brand and wave, "path" (standardised, `outcome~predictor`), "loading" and "r2".
    """
    rows: list[tuple[str, str, str, str, float]] = []
    q = len(population.constructs)
    r2 = np.einsum("jk,kl,jl->j", population.paths, population.construct_cor, population.paths)
    for j in range(q):
        for k in np.flatnonzero(population.paths[j]):
            name = f"{population.constructs[j]}~{population.constructs[k]}"
            rows.append(("", "", "path", name, population.paths[j, k]))
    rows += [("", "", "r2", c, v) for c, v in zip(population.constructs, r2, strict=True) if v > 0]
    rows += [("", "", "loading", i, v) for i, v in zip(population.items, population.loadings, strict=True)]
    for cell in cells:
        level = levels(population, cell.share, cell.shift)
        mean, _ = mean_and_variance(population.tau - cell.shift[..., None], population.minimum)
        rows += [(cell.brand, cell.wave, "level", c, v) for c, v in zip(population.constructs, level, strict=True)]
        rows += [
            (cell.brand, cell.wave, "mean", i, v) for i, v in zip(population.items, cell.share @ mean, strict=True)
        ]
    names = ("brand", "wave", "kind", "name")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"value": pl.Float64}, orient="row")
