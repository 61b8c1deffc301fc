"""Interviews: which attributes were named, unaided or when aided, with what valence, as several people coded them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import polars as pl

from csi.moments.stack import Array
from csi.simulation.parts import MentionPart, MentionsPart
from csi.simulation.population import Cell
from csi.simulation.recipe import Recipe
from csi.simulation.streams import uniforms

VALENCE: Final = (-1, 0, 1)
"""Critical, neutral, favourable."""

Row = tuple[str, str | None, int | None, int | None, str]
"""id, attribute, aided, valence, coder."""

SCHEMA: Final = {
    "id": pl.String, "attribute": pl.String, "aided": pl.Int64, "valence": pl.Int64, "coder": pl.String,
}  # fmt: skip


def mentions_of(recipe: Recipe, cells: tuple[Cell, ...], frame: pl.DataFrame, seed: int) -> pl.DataFrame | None:
    """Coded mentions of the first respondents of every cell: id, attribute, aided (0 or 1), valence, coder; or None.

    Every coder sees a mention with probability `notice`, and notes its true valence with probability `agreement`, else
    one of the other two; whether aid was needed all see alike. An interview in which a coder saw nothing is a row
    without an attribute.

    Parameters:
        recipe: its `mentions`. cells, seed: as drawn. frame: the panel, whose respondents speak.
    """
    part = recipe.mentions
    if part is None:
        return None
    rows: list[Row] = []
    for cell in cells:
        mine = frame.filter(
            (pl.col(recipe.column("brand")) == cell.brand) & (pl.col(recipe.column("wave")) == cell.wave)
        )
        ids = mine[recipe.column("respondent")].head(part.respondents).to_list()

        def draw(*shape: int, at: Cell = cell) -> Array:
            return uniforms(seed, at.wave, at.brand, "mentions", shape)

        rows += _cell(part, ids, draw)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _cell(part: MentionsPart, ids: list[str], draw: Callable[..., Array]) -> Iterator[Row]:
    """The mentions of one cell's respondents."""
    coders = len(part.coders)
    u = draw(len(ids), len(part.attributes), 3 + 2 * coders)
    for name, own in zip(ids, u, strict=True):
        seen = set()
        for (attribute, said), (how, whether, tone, *rest) in zip(part.attributes.items(), own, strict=True):
            unaided = how < said.unaided
            if not (unaided or whether < said.aided):
                continue
            truth = _true(said, tone)
            for coder, error, sight in zip(part.coders, rest[:coders], rest[coders:], strict=True):
                if sight < part.notice:
                    seen.add(coder)
                    yield name, attribute, int(not unaided), _coded(truth, error, part.agreement), coder
        yield from ((name, None, None, None, coder) for coder in part.coders if coder not in seen)


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
