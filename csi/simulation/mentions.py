"""Interviews: which attributes were named, unaided or when aided, with what valence, as several people coded them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import polars as pl

from csi.moments.stack import Array
from csi.simulation.draw import uniforms
from csi.simulation.parts import MentionPart, MentionsPart
from csi.simulation.population import Cell
from csi.simulation.recipe import Recipe

VALENCE: Final = (-1, 0, 1)
"""Critical, neutral, favourable."""

SCHEMA: Final = {
    "id": pl.String, "attribute": pl.String, "aided": pl.Int64, "valence": pl.Int64, "coder": pl.String,
}  # fmt: skip


def mentions_of(recipe: Recipe, cells: tuple[Cell, ...], frame: pl.DataFrame, seed: int) -> pl.DataFrame | None:
    """Coded mentions of the first respondents of every cell: id, attribute, aided (0 or 1), valence, coder; or None.

    Every coder notes the true valence with probability `agreement`, else one of the other two; whether an attribute
    was named, and whether aid was needed, all coders see alike.

    Parameters:
        recipe: its `mentions`. cells, seed: as drawn. frame: the panel, whose respondents speak.
    """
    part = recipe.mentions
    if part is None:
        return None
    rows: list[tuple[str, str, int, int, str]] = []
    for cell in cells:
        mine = frame.filter(
            (pl.col(recipe.column("brand")) == cell.brand) & (pl.col(recipe.column("wave")) == cell.wave)
        )
        ids = mine[recipe.column("respondent")].head(part.respondents).to_list()

        def draw(*shape: int, at: Cell = cell) -> Array:
            return uniforms(seed, at.wave, at.brand, "mentions", shape)

        rows += _cell(part, ids, draw)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _cell(part: MentionsPart, ids: list[str], draw: Callable[..., Array]) -> Iterator[tuple[str, str, int, int, str]]:
    """The mentions of one cell's respondents."""
    u = draw(len(ids), len(part.attributes), 3 + len(part.coders))
    for row, name in enumerate(ids):
        for k, (attribute, said) in enumerate(part.attributes.items()):
            how, whether, tone, *errors = u[row, k]
            unaided = how < said.unaided
            if unaided or whether < said.aided:
                truth = _true(said, tone)
                for coder, error in zip(part.coders, errors, strict=True):
                    yield name, attribute, int(not unaided), _coded(truth, error, part.agreement), coder


def _true(said: MentionPart, uniform: float) -> int:
    """Place of the true valence."""
    edges = np.cumsum(said.valence)
    return int(min(np.searchsorted(edges, uniform * edges[-1], side="right"), 2))


def _coded(place: int, uniform: float, agreement: float) -> int:
    """The valence a coder notes: the true one, or one of the other two alike often."""
    if uniform < agreement:
        return VALENCE[place]
    others = VALENCE[:place] + VALENCE[place + 1 :]
    return others[int((uniform - agreement) / (1 - agreement) * 2)]
