"""Higher-order constructs and products by plain models in a row, every stage a stack of moments.

two-stage   the components stand for their construct first; then their scores measure it, all else keeps its items
embedded    first every level at once with the items repeated; then scores measure everything
repeated    every level at once, and that is the result

Letters: `p` items, `v` variables, `q` constructs, `m` parts, `b` slices of a stack.

Source:
    Becker, Klein & Wetzels (2012), Long Range Planning 45(5-6); Sarstedt, Hair, Cheah, Becker & Ringle (2019),
    Australasian Marketing Journal 27(3) (the stages); van Riel, Henseler, Kemeny & Sasovova (2017), Industrial
    Management & Data Systems 117(3) (components that are factors: their corrected correlations are what is weighted).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from csi.estimate.estimate import Estimate
from csi.estimate.later import known
from csi.models.model import Model
from csi.moments.stack import Array, Moments
from csi.pls.ground import Ground, ground_of, repeated, with_scores
from csi.pls.products import with_item_products, with_score_products
from csi.pls.stages import (
    HigherOrder,
    Interaction,
    Levels,
    items_below,
    levels_of,
    repeated_model,
    score_model,
    score_name,
    stage_model,
)

Fit = Callable[[Model, Moments, Estimate | None], Estimate]
"""The plain estimator: a model of items alone, moments, what they are replicates of."""

Columns = Mapping[str, tuple[str, ...]]
"""The variables that measure each product."""


@dataclass(frozen=True, slots=True)
class Climb:
    """What is climbed and how: the model, its levels, the plain estimator, the approach, the original of replicates."""

    model: Model
    levels: Levels
    fit: Fit
    way: HigherOrder
    like: Estimate | None

    def of(self, model: Model, ground: Ground) -> Estimate:
        """A plain model fitted on the ground."""
        return self.fit(model, ground.moments, None if self.like is None else _original(self.like, model))


@dataclass(frozen=True, slots=True)
class Climbed:
    """Every stage, first to last, and the ground the last one stood on."""

    stages: tuple[Estimate, ...]
    ground: Ground
    products: Columns


def climbed(
    model: Model, moments: Moments, fit: Fit, way: HigherOrder, interaction: Interaction, like: Estimate | None
) -> Climbed:
    """All stages of a model with higher-order constructs or products.

    Raises:
        Problems: products without rows to multiply.
    """
    levels = levels_of(model)
    climb = Climb(model, levels, fit, way, like)
    ground = ground_of(moments, tuple(i for c in model.constructs if not _made(c.name, levels) for i in c.items))
    if not levels.products:
        ground, below = _first(climb, ground, {})
        return Climbed((*below, climb.of(_last(climb, {}), ground)), ground, {})
    if interaction == "two-stage":
        ground, below = _first(climb, ground, {})
        main = climb.of(_last(climb, {}), ground)
        ground, columns = with_score_products(ground, moments, main, levels.products)
        return Climbed((*below, main, climb.of(_last(climb, columns), ground)), ground, columns)
    ground, columns = with_item_products(ground, moments, model, levels.products, apart=interaction == "orthogonal")
    ground, below = _first(climb, ground, columns)
    return Climbed((*below, climb.of(_last(climb, columns), ground)), ground, columns)


def _made(name: str, levels: Levels) -> bool:
    return name in levels.components or name in levels.products


def _first(climb: Climb, ground: Ground, columns: Columns) -> tuple[Ground, tuple[Estimate, ...]]:
    """The stages before the last, and the ground with what they froze."""
    if not climb.levels.components:
        return ground, ()
    if climb.way == "two-stage":
        return _disjoint(climb, ground, columns)
    for whole in climb.levels.components:
        ground = repeated(ground, whole, items_below(climb.model, climb.levels, whole))
    if climb.way == "repeated":
        return ground, ()
    est = climb.of(repeated_model(climb.model, climb.levels, columns), ground)
    parts = tuple(p for name in climb.levels.plain for p in climb.levels.components.get(name, ()))
    single = tuple(n for n in climb.levels.plain if n not in climb.levels.components)
    lower = tuple(p for n, ps in climb.levels.components.items() if n not in climb.levels.plain for p in ps)
    names = (*parts, *single, *lower)
    return with_scores(ground, est, names, (*parts, *map(score_name, single), *lower)), (est,)


def _disjoint(climb: Climb, ground: Ground, columns: Columns) -> tuple[Ground, tuple[Estimate, ...]]:
    """Stage by stage: what a higher construct needs in the next stage is frozen in this one."""
    levels, stages = climb.levels, []
    for stage in range(levels.highest):
        est = climb.of(stage_model(climb.model, levels, stage, columns), ground)
        now, then = ({s for name in levels.plain for s in levels.stand_ins(name, k)} for k in (stage, stage + 1))
        names = tuple(n for n in climb.model.names if n in now - then)
        ground = with_scores(ground, est, names, names)
        stages.append(est)
    return ground, tuple(stages)


def _last(climb: Climb, columns: Columns) -> Model:
    """The plain model of the last stage."""
    if not climb.levels.components or climb.way == "two-stage":
        return stage_model(climb.model, climb.levels, climb.levels.highest, columns)
    if climb.way == "repeated":
        return repeated_model(climb.model, climb.levels, columns)
    return score_model(climb.model, climb.levels, columns)


def _original(like: Estimate, model: Model) -> Estimate:
    """The original of replicates, with the weights that a stage's scores shall point along."""
    solution = like.solution
    own: dict[tuple[str, str], Array] = {}
    if solution.weights is not None:
        owners = [solution.constructs[j] for j in solution.block]
        own = {(c, i): solution.weights[0, k] for k, (c, i) in enumerate(zip(owners, solution.items, strict=True))}
    if solution.wide_weights is not None:
        for j, name in enumerate(solution.constructs):
            wide = solution.wide_weights[0, :, j]
            own |= {(name, f"{name}<{item}"): w for item, w in zip(solution.items, wide, strict=True)}
    if solution.part_weights is not None:
        own |= {part: solution.part_weights[0, m] for m, part in enumerate(solution.parts)}
    weights = np.array([[own.get((c.name, i), 1.0) for c in model.constructs for i in c.items]], dtype=np.float64)
    return replace(like, model=model, solved=known(replace(solution, weights=weights)))
