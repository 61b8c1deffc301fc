"""Who is asked what: questions for one stage, one segment, or those who answered another question in one way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Ints
from csi.simulation.blueprint import Group
from csi.simulation.recipe import Recipe

Flags = npt.NDArray[np.bool_]


def unasked(recipe: Recipe, groups: tuple[Group, ...], group: Ints, codes: Ints) -> Flags:
    """(n, k) which questions a respondent is not asked; routes are followed in their order.

    A question that was not asked answers no condition: who is not asked whether they complained is not asked how the
    complaint was handled.

    Parameters:
        recipe: its routes. groups: stages and segments. group: (n,) of each respondent. codes: (n, k) answers to all
            questions, as the export shows them.
    """
    questions = recipe.asked
    out = np.zeros(codes.shape, dtype=bool)
    for route in recipe.routes:
        columns = recipe.places(route.ask)
        met = np.ones(len(codes), dtype=bool)
        for name, values in route.when.items():
            if name in ("stage", "segment"):
                met &= np.array([getattr(g, name) in values for g in groups])[group]
            else:
                k = next(k for k, q in enumerate(questions) if q.name == name)
                met &= np.isin(codes[:, k], [int(v) for v in values]) & ~out[:, k]
        out[:, columns] |= ~met[:, None]
    return out
