"""What a recipe states beside its population, as rows of the truth."""

from __future__ import annotations

from collections.abc import Iterator

from csi.simulation.recipe import Recipe

Row = tuple[str, str, str, str, float]
"""brand, wave, kind, name, value."""


def stated(recipe: Recipe) -> Iterator[Row]:
    """Rows with empty brand and wave.

    kinds: "class" (`feature: class`, share of respondents), "points" (mean of `name_I`), "slope" (`outcome~term`, with
    term 1 for the constant; of the log-odds where the link is logit), "unaided" and "aided" (share of respondents who
    name an attribute, each of all), "notice" and "agreement" (probability that a coder sees a mention, and notes its
    true valence).

    Example:
        >>> list(stated(Recipe.model_construct()))
        []
    """
    for feature in recipe.kano:
        total = sum(feature.classes.values())
        for letter, share in feature.classes.items():
            yield "", "", "class", f"{feature.name}: {letter}", share / total
    for part in recipe.points:
        whole = sum(part.shares.values())
        for name, share in part.shares.items():
            yield "", "", "points", f"{name}_I", part.total * share / whole
    for outcome in recipe.outcomes:
        for term, slope in {"1": outcome.constant, **outcome.slopes}.items():
            yield "", "", "slope", f"{outcome.name}~{term.replace(' ', '')}", slope
    if recipe.mentions is not None:
        for name, said in recipe.mentions.attributes.items():
            yield "", "", "unaided", name, said.unaided
            yield "", "", "aided", name, (1 - said.unaided) * said.aided
        yield "", "", "notice", "mention", recipe.mentions.notice
        yield "", "", "agreement", "valence", recipe.mentions.agreement
