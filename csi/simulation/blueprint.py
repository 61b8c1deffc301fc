"""From a recipe to arrays: the population, the groups inside a cell, and every cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from csi.errors import Problem, Problems, Text, problem
from csi.models.model import Construct, Model, Path, Term
from csi.moments.stack import Array, Ints
from csi.simulation.answers import calibrate, cut_points
from csi.simulation.parts import GroupPart
from csi.simulation.population import (
    Cell,
    Population,
    Variant,
    composite_correlations,
    construct_correlations,
    factor_correlations,
    points_per_unit,
    shift_to_level,
)
from csi.simulation.recipe import Recipe
from csi.survey.codebook import Codebook, Item, Scale


@dataclass(frozen=True, slots=True)
class Group:
    """A stage within a segment: names ("" where the recipe has none), shares in the population and in the sample."""

    stage: str
    segment: str
    share: float
    sample: float
    shift: dict[str, float]


def population_of(recipe: Recipe) -> Population:
    """The population a recipe states.

    Raises:
        Problems: paths with a cycle or an R2 of 1 or more, an answer shape the scale cannot have, correlations that
            cannot exist together.
    """
    names = tuple(recipe.constructs)
    block = np.array([names.index(i.of) for i in recipe.rated])
    stages = [("", recipe.paths), *((s.name, {**recipe.paths, **s.paths}) for s in recipe.stages if s.paths)]
    told = [_variant(recipe, block, stage, paths) for stage, paths in stages]
    mean, sd, skew, low, high = (np.array(v, dtype=float) for v in zip(*_shapes(recipe), strict=True))
    location, spread, miss = calibrate(mean, sd, skew, low, high)
    found = [*(one for variant, r2, _ in told for one in _impossible(names, variant, r2)), *_shapeless(recipe, miss)]
    if found:
        raise Problems(found)
    tau = cut_points(location, spread, skew, low, high)
    first, _, loadings = told[0]
    items, variants = tuple(i.name for i in recipe.rated), tuple(v for v, _, _ in told)
    relations = (first.paths, first.construct_cor, first.item_cor)
    return Population(recipe.population, names, items, block, loadings, *relations, tau, spread, low, high, variants)


def _variant(
    recipe: Recipe, block: Ints, stage: str, table: dict[str, dict[str, float]]
) -> tuple[Variant, Array, Array]:
    """The relations that some paths state, R2 of the constructs (q,), loadings of the items (p,)."""
    names = tuple(recipe.constructs)
    paths, given = _matrix(names, table), _matrix(names, recipe.correlations)
    try:
        cor, r2 = construct_correlations(paths, given + given.T)
    except ValueError:
        what = Text("the paths form a cycle.", "路径构成循环。")
        at = f"stages, {stage}, paths" if stage else "paths"
        raise Problems([Problem("E-CYCLE", at, what, Text("Remove one arrow.", "请删除其中一条。"))]) from None
    if recipe.population == "factor":
        loadings = np.array([i.loading for i in recipe.rated])
        item_cor = factor_correlations(loadings, block, cor)
    else:
        weights = np.array([i.weight for i in recipe.rated])
        within = np.array([c.within for c in recipe.constructs.values()])
        item_cor, loadings = composite_correlations(weights, within, block, cor)
    return Variant(stage, paths, cor, item_cor), r2, loadings


def _matrix(names: tuple[str, ...], table: dict[str, dict[str, float]]) -> Array:
    """(q, q) [row name, column name] from a nested mapping."""
    out = np.zeros((len(names), len(names)))
    for row, entries in table.items():
        for column, value in entries.items():
            out[names.index(row), names.index(column)] = value
    return out


def _shapes(recipe: Recipe) -> list[tuple[float, float, float, float, float]]:
    """Mean, sd, skew, minimum and maximum of every item."""
    return [(i.mean, i.sd, i.skew, recipe.scale_of(i).min, recipe.scale_of(i).max) for i in recipe.rated]


def _impossible(names: tuple[str, ...], variant: Variant, r2: Array) -> list[Problem]:
    """Constructs explained by more than all their variance; correlations that cannot exist together."""
    found = []
    at = f"stages, {variant.stage}, " if variant.stage else ""
    for name, value in zip(names, r2, strict=True):
        if value >= 1:
            what = (f'"{name}" has R2 = {value:.3f}.', f"“{name}”的 R² = {value:.3f}。")
            found.append(problem("E-R2", f"{at}paths, {name}", *what, "Lower its paths.", "请减小其路径系数。"))
    if not found and np.linalg.eigvalsh(variant.item_cor)[0] <= 1e-10:
        what = ("the item correlations are not positive definite.", "题项相关矩阵不是正定的。")
        remedy = ("Lower loadings, paths or `within`.", "请减小载荷、路径或 within。")
        found.append(problem("E-CORRELATION", f"{at}items", *what, *remedy))
    return found


def _shapeless(recipe: Recipe, miss: Array) -> list[Problem]:
    """Items whose mean, sd and skew cannot go together on their scale."""
    found = []
    for item, wrong in zip(recipe.rated, miss, strict=True):
        if wrong > 1e-6:
            what = (
                f"mean {item.mean:g} with sd {item.sd:g} cannot be had on this scale.",
                f"该量表上不可能同时达到均值 {item.mean:g} 与标准差 {item.sd:g}。",
            )
            remedy = ("Lower the sd or move the mean inwards.", "请减小标准差，或让均值离端点远一些。")
            found.append(problem("E-SHAPE", f"items, {item.name}", *what, *remedy))
    return found


def groups_of(recipe: Recipe) -> tuple[Group, ...]:
    """Every stage within every segment."""
    everyone = (GroupPart(name="", share=1.0),)
    return tuple(
        Group(
            stage.name,
            segment.name,
            stage.share * segment.share,
            (stage.sample or stage.share) * (segment.sample or segment.share),
            {k: stage.shift.get(k, 0.0) + segment.shift.get(k, 0.0) for k in {**stage.shift, **segment.shift}},
        )
        for stage, segment in product(recipe.stages or everyone, recipe.segments or everyone)
    )


def cells_of(recipe: Recipe, population: Population) -> tuple[Cell, ...]:
    """Every brand in every wave, waves first; the constructs are moved to their stated levels exactly."""
    groups = groups_of(recipe)
    stages = [v.stage for v in population.variants]
    variant = np.array([stages.index(g.stage) if g.stage in stages else 0 for g in groups])
    per_construct, per_item = points_per_unit(population)
    moved = np.array([[g.shift.get(c, 0.0) for c in population.constructs] for g in groups]) / per_construct
    of_groups = moved[:, population.block] * population.loadings
    cells = []
    for t, wave in enumerate(recipe.waves):
        share = shares_at(recipe, groups, t)
        asked = asked_of(recipe, groups, share)
        for brand in recipe.brands:
            extra = _numbers(recipe.item_shifts.get(brand.name, {}), population.items, t, 0.0) / per_item
            target = _numbers(recipe.levels.get(brand.name, {}), population.constructs, t, np.nan)
            shift = shift_to_level(population, asked, of_groups + extra, target)
            cells.append(Cell(brand.name, wave, share, shift, asked, variant))
    return tuple(cells)


def moved_shares(recipe: Recipe, groups: tuple[Group, ...]) -> Array:
    """(g, g) chance of being in a group a wave later: the moves of stages; segments stay."""
    moves = recipe.panel.moves if recipe.panel else {}
    out = np.zeros((len(groups), len(groups)))
    for i, a in enumerate(groups):
        for j, b in enumerate(groups):
            stay = 1.0 if a.stage == b.stage else 0.0
            out[i, j] = (moves[a.stage].get(b.stage, 0.0) if a.stage in moves else stay) * (a.segment == b.segment)
    return out


def shares_at(recipe: Recipe, groups: tuple[Group, ...], wave: int) -> Array:
    """(g,) shares of the groups in the population at a wave (from 0)."""
    share = np.array([g.share for g in groups])
    if recipe.panel is None or not recipe.panel.moves:
        return share
    found: Array = share @ np.linalg.matrix_power(moved_shares(recipe, groups), wave)
    return found


def asked_of(recipe: Recipe, groups: tuple[Group, ...], share: Array) -> Array:
    """(g, p) shares of the groups among those asked an item: routes by stage and segment, not those by an answer.

    An item that no group is asked keeps the groups' shares in the population.

    Parameters:
        recipe: its routes. groups: g. share: (g,) of the groups in the population.
    """
    out = np.repeat(share[:, None], len(recipe.rated), axis=1)
    for route in recipe.routes:
        for role in ("stage", "segment"):
            if role in route.when:
                left_out = [getattr(g, role) not in route.when[role] for g in groups]
                columns = [k for k in recipe.places(route.ask) if k < len(recipe.rated)]
                out[np.ix_(left_out, columns)] = 0.0
    total = out.sum(axis=0)
    found: Array = np.where(total > 0, out / np.where(total > 0, total, 1.0), share[:, None] / share.sum())
    return found


def _numbers(table: dict[str, float | tuple[float, ...]], names: tuple[str, ...], t: int, absent: float) -> Array:
    """The numbers of wave `t` in the order of `names`."""
    values = [table.get(n, absent) for n in names]
    return np.array([v[t] if isinstance(v, tuple) else v for v in values])


def model_of(recipe: Recipe) -> Model:
    """The model a recipe simulates: its constructs with their items (mode A) and its paths.

    Parameters:
        recipe: a checked recipe.
    """
    constructs = tuple(
        Construct(name, "=~", tuple(Term(i.name) for i in recipe.rated if i.of == name)) for name in recipe.constructs
    )
    paths = tuple(Path(y, Term(x)) for y, row in recipe.paths.items() for x in row)
    labels = {name: Text(c.en, c.zh) for name, c in recipe.constructs.items()}
    return Model(constructs, paths, labels=labels)


def codebook_of(recipe: Recipe) -> Codebook:
    """The codebook of the simulated answers.

    Parameters:
        recipe: a checked recipe.
    """
    scales = {n: Scale(n, float(s.min), float(s.max), dict(s.missing)) for n, s in recipe.scales.items()}
    first = next(iter(scales))
    items = tuple(
        Item(
            i.name, recipe.listed(i.of), scales[i.scale or first], Text(i.en, i.zh), i.attribute, i.form, i.reverse,
            i.column, i.facet,
        )
        for i in recipe.asked
    )  # fmt: skip
    return Codebook(items, headings(recipe), dict(recipe.columns))


def headings(recipe: Recipe) -> dict[str, Text]:
    """Labels of what the codebook lists items under: constructs (but for those listed under another), topics."""
    own = [name for name, part in recipe.constructs.items() if not part.listed]
    return {name: recipe.label(name) for name in (*own, *recipe.topics)}
