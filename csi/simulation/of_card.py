"""A population to try a model card on: its constructs, arrows of its signs, as many items as its authors use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from csi.models.card import Card
from csi.models.card_text import SCALES
from csi.moments.stack import Array
from csi.simulation.parts import BrandPart, ConstructPart, GroupPart, ItemPart, ScalePart, SizePart
from csi.simulation.population import Kind, construct_correlations
from csi.simulation.recipe import Recipe

LOADING = 0.85
"""Loading of every item in a factor population."""

PART = 0.8
"""Loading of the parts of a construct made of constructs."""

EXPLAINED = 0.55
"""Largest share of an outcome's variance that default paths explain."""

UNSIGNED = 0.1
"""Default path where the card takes no side, before shares are held down."""

ITEMS = 3
"""Items of a construct whose card does not say how many."""

STAGES = ("first", "repeat")
"""Stages, of equal size, of a card about stages that names none itself."""

EXOGENOUS = 0.3
"""Default correlation of constructs that nothing leads to."""


def recipe_of_card(
    card: Card,
    n: int = 500,
    *,
    seed: int = 1,
    population: Kind = "factor",
    paths: Mapping[str, Mapping[str, float]] | None = None,
) -> Recipe:
    """The recipe of a population in which a card holds.

    The population has the correlations that the card's standardised paths imply: those the card states (`simulated:`)
    or `paths`, else of equal size per outcome, in the card's signs, explaining at most 55 % of it. Constructs that
    nothing leads to correlate .3, and 0 where the card claims so. A construct made of constructs loads .8 on each; it
    has no answers of its own.

    Parameters:
        card: a card. n: respondents. seed: of the answers. population: "factor" or "composite" (weights equal).
        paths: {outcome: {predictor: standardised path}} in place of the card's own numbers; of an outcome that is
            named, predictors that are not are 0.

    Returns:
        A `Recipe` with one brand and one wave; of a card about lifecycle stages, with its stages, alike in all.

    Example:
        >>> from csi.models.cards import read_card
        >>> recipe = recipe_of_card(read_card("perval"), paths={"satisfaction": {"value": 0.7}})
        >>> round(recipe.correlations["satisfaction"]["price_value"], 2)
        0.56
    """
    names = [*card.constructs]
    cor = correlations_of(card, paths or {})
    measured = [k for k, name in enumerate(names) if not card.constructs[name].of]
    pairs = {names[i]: {names[j]: float(cor[i, j]) for j in measured if j < i and cor[i, j] != 0} for i in measured}
    scales = dict.fromkeys(card.constructs[names[k]].scale for k in measured)
    return Recipe(
        recipe=card.id,
        seed=seed,
        population=population,
        scales={s: ScalePart(min=int(SCALES[s][0]), max=int(SCALES[s][1])) for s in scales},
        constructs={names[k]: _construct(card, names[k]) for k in measured},
        paths={},
        correlations={name: row for name, row in pairs.items() if row},
        items=tuple(item for k in measured for item in _items(card, names[k])),
        brands=(BrandPart(name="A"),),
        waves=("1",),
        cell_size=SizePart(least=n, most=n),
        stages=_stages(card),
    )


def _stages(card: Card) -> tuple[GroupPart, ...]:
    """The stages a card compares, equally frequent; none where it compares none."""
    names = (card.requires.levels or STAGES) if card.requires.group == "stage" else ()
    return tuple(GroupPart(name=name, share=1 / len(names), zh=name, en=name) for name in names)


def correlations_of(card: Card, paths: Mapping[str, Mapping[str, float]]) -> Array:
    """(q, q) correlations of the constructs of a card, those made of constructs too."""
    names = [*card.constructs]
    given = {y: dict(row) for y, row in {**card.simulated, **paths}.items()}
    B = np.zeros((len(names), len(names)))
    for whole, block in card.constructs.items():
        for part in block.of:
            B[names.index(part), names.index(whole)] = given.get(part, {}).get(whole, PART)
    arrows = {y: [a for a in card.arrows if a.outcome == y] for y in card.paths}
    start = np.where(np.eye(len(names), dtype=bool), 1.0, EXOGENOUS)
    for y, xs in card.zeros.items():
        at = [names.index(x) for x in xs]
        start[names.index(y), at] = start[at, names.index(y)] = 0.0
    for y in _downwards(card):
        row = names.index(y)
        for arrow in arrows.get(y, ()):
            sign = {"+": 1.0, "-": -1.0, "": UNSIGNED}[arrow.sign]
            B[row, names.index(arrow.predictor)] = given[y].get(arrow.predictor, 0.0) if y in given else sign
        if y in given or not arrows.get(y):
            continue
        others = B.copy()
        others[row] = 0.0
        cor, _ = construct_correlations(others, start)
        share = float(B[row] @ cor @ B[row])
        B[row] *= min(0.6, np.sqrt(EXPLAINED / share)) if share > 0 else 0.6
    cor, _ = construct_correlations(B, start)
    return cor


def _downwards(card: Card) -> list[str]:
    """Outcomes so ordered that what leads to one stands before it, as far as arrows say."""
    before = {y: {a.predictor for a in card.arrows if a.outcome == y} for y in card.paths}
    before |= {part: before.get(part, set()) | {whole} for whole, b in card.constructs.items() for part in b.of}
    done: list[str] = []
    waiting = [*card.constructs]
    while waiting:
        ready = [n for n in waiting if before.get(n, set()) <= set(done)] or waiting
        done += ready
        waiting = [n for n in waiting if n not in ready]
    return [n for n in done if n in card.paths]


def _construct(card: Card, name: str) -> ConstructPart:
    """Labels of a construct; its items correlate as the default loading makes them."""
    return ConstructPart(zh=card.constructs[name].zh, en=card.constructs[name].en, within=LOADING**2)


def _items(card: Card, name: str) -> list[ItemPart]:
    """Items of a construct: as many as its authors use at most, a little above the middle of their scale."""
    block = card.constructs[name]
    low, high = (float(v) for v in SCALES[block.scale][:2])
    many = block.items[1] if block.items else ITEMS
    mean, sd = low + 0.6 * (high - low), 0.2 * (high - low)
    if block.scale == "binary":
        mean, sd = 0.4, float(np.sqrt(0.24))
    return [
        ItemPart.model_validate(
            {
                "name": f"{name}{k}",
                "construct": name,
                "form": block.form,
                "scale": block.scale,
                "zh": f"{block.zh} {k}",
                "en": f"{block.en} {k}",
                "loading": LOADING if many > 1 else 1.0,
                "mean": mean,
                "sd": sd,
            }
        )
        for k in range(1, many + 1)
    ]
