"""The truth of a simulation: moments of the discretised, uncontaminated answers, without sampling.

What an estimator should find is the estimator itself applied to these moments, never the parameters behind them: PLS on
a factor population, or on ten-point answers with a ceiling, has its own population value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.moments.stack import Array, Moments
from csi.simulation.answers import covariance, mean_and_variance
from csi.simulation.blueprint import cells_of, population_of
from csi.simulation.population import Cell, Population, levels
from csi.simulation.recipe import Recipe

EVERYONE = 1e9
"""The n that stands for a whole population."""


def population_moments(recipe: Recipe, by: Sequence[str] = ("brand", "wave")) -> Moments:
    """Exact moments of every cell of a recipe: the truth that estimates are compared with.

        mean = sum_g pi_g mu_g        cov = sum_g pi_g (C_g + mu_g mu_g') - mean mean'

    with g the groups (stage within segment) at their population shares; C_g by the tetrachoric series.

    Parameters:
        recipe: a checked recipe.
        by: key columns that make the slices; cells that share them are mixed at equal shares, as their samples are of
            equal expected size.

    Returns:
        `Moments` with one slice per brand and wave (or what `by` says); `n` is 1e9 in place of infinity.

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
    return pooled(moments_of_cells(population, cells_of(recipe, population)), by)


def pooled(moments: Moments, by: Sequence[str]) -> Moments:
    """Cells that share the key columns `by`, mixed at equal shares.

        mean = average of mean_c        cov = average of (cov_c + mean_c mean_c') - mean mean'

    Parameters:
        moments: (b, ...) population moments of cells.
        by: the key columns to keep.

    Example:
        >>> m = Moments(("a",), np.ones(2), np.ones(2), np.ones(2), np.array([[1.0], [3.0]]), np.ones((2, 1, 1)),
        ...     pl.DataFrame({"wave": ["1", "1"], "n": [1.0, 1.0]}), np.zeros(1), np.ones(1))
        >>> pooled(m, ["wave"]).cov.ravel()
        array([2.])
    """
    keys = [tuple(row) for row in moments.cells.select(list(by)).iter_rows()] if by else [()] * len(moments.n)
    names = list(dict.fromkeys(keys))
    share = np.array([[key == name for key in keys] for name in names], dtype=np.float64)
    share /= share.sum(axis=1, keepdims=True)
    mean = share @ moments.mean
    apart = moments.mean - mean[:, None, :]
    between = np.einsum("gb,gbi,gbj->gij", share, apart, apart)
    cov = np.einsum("gb,bij->gij", share, moments.cov) + between
    n = np.full(len(names), EVERYONE)
    columns = {k: [name[i] for name in names] for i, k in enumerate(by)}
    return replace(moments, n=n, sum_w=n, sum_w2=n, mean=mean, cov=cov, cells=pl.DataFrame({**columns, "n": n}))


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
