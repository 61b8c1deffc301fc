"""The truth of a simulation: moments of the discretised, uncontaminated answers, without sampling.

What an estimator should find is the estimator itself applied to these moments, never the parameters behind them: PLS on
a factor population, or on ten-point answers with a ceiling, has its own population value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.moments.stack import Array, Moments
from csi.simulation.answers import covariance, mean_and_variance
from csi.simulation.blueprint import cells_of, groups_of, population_of
from csi.simulation.population import Cell, Population, Variant, levels
from csi.simulation.recipe import Recipe
from csi.simulation.routes import asked_in
from csi.simulation.stated import Row, stated
from csi.simulation.stated_events import stated_events

EVERYONE = 1e9
"""The n that stands for a whole population."""


def population_moments(
    recipe: Recipe, by: Sequence[str] = ("brand", "wave"), *, stages: Sequence[str] | None = None
) -> Moments:
    """Exact moments of every cell of a recipe: the truth that estimates are compared with.

        mean = sum_g pi_g mu_g        cov = sum_g pi_g (C_g + mu_g mu_g') - mean mean'

    with g the groups (stage within segment) at their population shares; C_g by the tetrachoric series.

    Parameters:
        recipe: a checked recipe.
        by: key columns that make the slices; cells that share them are mixed at equal shares, as their samples are of
            equal expected size.
        stages: only these; None for everyone. Answers are taken as if everyone in them had been asked, and routes by an
            answer or a careless respondent play no part.

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
    cells = cells_of(recipe, population)
    if stages is not None:
        kept = np.array([g.stage in stages for g in groups_of(recipe)])
        cells = tuple(replace(c, share=c.share * kept / (c.share * kept).sum()) for c in cells)
    return pooled(moments_of_cells(population, cells), by)


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
    cov = np.zeros((*mean.shape, mean.shape[-1]))
    for place, variant in enumerate(population.variants):
        mine = (cell.variant == place) & (cell.share > 0)
        if mine.any():
            cov[mine] = covariance(tau[mine], variant.item_cor)
    overall = cell.share @ mean
    apart = mean - overall
    return overall, np.einsum("g,gab->ab", cell.share, cov + apart[:, :, None] * apart[:, None, :])


def truth_table(recipe: Recipe, population: Population, cells: tuple[Cell, ...]) -> pl.DataFrame:
    """What holds in the population: brand, wave, kind, name, value.

    `kind` is "level" (of a construct: the plain mean of its items' scores, 0-100), "mean" (of an item, scale points;
    both among those asked, in waves that ask it), and once, with empty brand and wave, "path" (standardised,
    `outcome~predictor`; with `stage: ` before it where a stage has its own), "loading", "r2", and what `stated` and
    `stated_events` add. Levels and means are those before anything happens to respondents.
    """
    rows: list[Row] = [row for variant in population.variants for row in _relations(population, variant)]
    rows += [("", "", "loading", i, v) for i, v in zip(population.items, population.loadings, strict=True)]
    rows += [*stated(recipe), *stated_events(recipe)]
    for cell in cells:
        items = asked_in(recipe, cell.wave)
        of = {i.of for i in recipe.rated if i.name in items}
        level = dict(zip(population.constructs, levels(population, cell.asked, cell.shift), strict=True))
        rows += [(cell.brand, cell.wave, "level", c, v) for c, v in level.items() if c in of]
        means = dict(zip(population.items, cell.means(population), strict=True))
        rows += [(cell.brand, cell.wave, "mean", i, v) for i, v in means.items() if i in items]
    names = ("brand", "wave", "kind", "name")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"value": pl.Float64}, orient="row")


def _relations(population: Population, variant: Variant) -> Iterator[Row]:
    """Paths and R2; of a stage only the outcomes whose paths are its own."""
    r2 = np.einsum("jk,kl,jl->j", variant.paths, variant.construct_cor, variant.paths)
    own = (variant.paths != population.paths).any(axis=1) if variant.stage else r2 > 0
    label = f"{variant.stage}: " if variant.stage else ""
    names = population.constructs
    for j in np.flatnonzero(own):
        for k in np.flatnonzero(variant.paths[j]):
            yield "", "", "path", f"{label}{names[j]}~{names[k]}", float(variant.paths[j, k])
    for j in np.flatnonzero(own & (r2 > 0)):
        yield "", "", "r2", f"{label}{names[j]}", float(r2[j])
