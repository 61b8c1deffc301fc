"""Who is asked what: questions for one stage, segment or wave, who complained, or answered a question in one way."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Ints
from csi.simulation.blueprint import Group
from csi.simulation.recipe import Recipe

Flags = npt.NDArray[np.bool_]

HAPPENED: Final = "complained"
"""What happened to respondents and may decide who is asked."""


def unasked(
    recipe: Recipe,
    groups: tuple[Group, ...],
    group: Ints,
    codes: Ints,
    wave: str = "",
    complained: Flags | None = None,
) -> Flags:
    """(n, k) which questions a respondent is not asked; routes are followed in their order.

    A question that was not asked answers no condition: who is not asked whether they complained is not asked how the
    complaint was handled.

    Parameters:
        recipe: its routes. groups: stages and segments. group: (n,) of each respondent. codes: (n, k) answers to all
            questions, as the export shows them. wave: the wave at hand. complained: (n,) who complained in it, where
            the recipe has complaints.
    """
    questions = recipe.asked
    out = np.zeros(codes.shape, dtype=bool)
    for route in recipe.routes:
        columns = recipe.places(route.ask)
        met = np.ones(len(codes), dtype=bool)
        for name, values in route.when.items():
            if name in ("stage", "segment"):
                met &= np.array([getattr(g, name) in values for g in groups])[group]
            elif name == "wave":
                met &= wave in values
            elif name == HAPPENED and complained is not None:
                met &= np.isin(complained.astype(np.int64), [int(v) for v in values])
            else:
                k = next(k for k, q in enumerate(questions) if q.name == name)
                met &= np.isin(codes[:, k], [int(v) for v in values]) & ~out[:, k]
        out[:, columns] |= ~met[:, None]
    return out


def blanks(recipe: Recipe) -> Flags:
    """(k,) questions whose cells stay empty where they are not asked.

    Parameters:
        recipe: its routes.
    """
    out = np.zeros(len(recipe.asked), dtype=bool)
    for route in recipe.routes:
        if route.blank:
            out[recipe.places(route.ask)] = True
    return out


def asked_in(recipe: Recipe, wave: str) -> frozenset[str]:
    """The questions that a wave asks of somebody.

    Parameters:
        recipe: its routes. wave: its name.
    """
    questions = recipe.asked
    gone = {k for r in recipe.routes if wave not in r.when.get("wave", (wave,)) for k in recipe.places(r.ask)}
    return frozenset(q.name for k, q in enumerate(questions) if k not in gone)
