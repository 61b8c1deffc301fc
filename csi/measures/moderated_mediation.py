"""Mediation whose arrows are moderated: specific effects along the moderator, and the index of their change.

An arrow x -> m that w moderates is worth p + g w at w; the specific effect is the product of what its arrows are worth.
Where w moderates one arrow of the chain, the effect is a line in w and its slope is the index.

Letters: `b` slices of a stack, `m` effects.

Source:
    Hayes (2015), An index and test of linear moderated mediation, Multivariate Behavioral Research 50(1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from csi.estimate.estimate import Estimate, Solution
from csi.measures.slopes import AT, Moderation, base, bend, moderations
from csi.measures.tidy import cell_codes, cells_of, solved_only, tidy, uncertain
from csi.models.model import Model
from csi.moments.stack import Array, Moments

Chain = tuple[str, ...]


def moderators(model: Model, chain: Chain) -> tuple[str, ...]:
    """Constructs that moderate an arrow of a chain; a quadratic term is no moderator of its own arrow here.

    Example:
        >>> text = "x =~ x1; m =~ m1; y =~ y1; w =~ w1; m ~ x + w + x:w; y ~ m"
        >>> moderators(Model.parse(text), ("x", "m", "y"))
        ('w',)
    """
    arrows = set(pairwise(chain))
    found = []
    for m in moderations(model):
        for predictor, moderator in ((m.predictor, m.moderator), (m.moderator, m.predictor)):
            if (predictor, m.outcome) in arrows and moderator not in chain:
                found.append(moderator)
    return tuple(dict.fromkeys(found))


def worth(model: Model, solution: Solution, chain: Chain, moderator: str, at: float) -> Array:
    """(b,) the specific effect where the moderator stands `at` standard deviations from its mean."""
    total = np.ones(len(solution.paths))
    for x, y in pairwise(chain):
        arrow = Moderation(y, x, moderator)
        total = total * (base(solution, arrow) + at * bend(model, solution, arrow))
    return np.asarray(total, dtype=np.float64)


def moderated_arrows(model: Model, chain: Chain, moderator: str) -> int:
    """How many arrows of the chain the moderator bends."""
    pairs = {(m.outcome, frozenset((m.predictor, m.moderator))) for m in moderations(model)}
    return sum((y, frozenset((x, moderator))) in pairs for x, y in pairwise(chain))


def moderated(est: Estimate, chains: Sequence[Chain]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Specific effects along their moderators, and the indices of moderated mediation."""
    pairs = [(c, w) for c in chains for w in moderators(est.model, c)] if est.solution.spread is not None else []
    lines = [(c, w) for c, w in pairs if moderated_arrows(est.model, c, w) == 1]

    def conditional(_: Moments, solution: Solution) -> Array:
        columns = [worth(est.model, solution, c, w, z) for c, w in pairs for z in AT]
        return np.stack(columns, axis=1) if columns else np.empty((len(solution.paths), 0))

    def index(_: Moments, solution: Solution) -> Array:
        one, none = ([worth(est.model, solution, c, w, z) for c, w in lines] for z in (1.0, 0.0))
        columns = [a - b for a, b in zip(one, none, strict=True)]
        return np.stack(columns, axis=1) if columns else np.empty((len(solution.paths), 0))

    along = [(c[-1], c[0], " -> ".join(c), w, z) for c, w in pairs for z in AT]
    changes = [(c[-1], c[0], " -> ".join(c), w) for c, w in lines]
    return (
        _framed(est, pl.DataFrame(along, schema={**_NAMES, "at": pl.Float64}, orient="row"), conditional),
        _framed(est, pl.DataFrame(changes, schema=_NAMES, orient="row"), index),
    )


_NAMES = {"outcome": pl.String, "predictor": pl.String, "chain": pl.String, "moderator": pl.String}


def _framed(est: Estimate, labels: pl.DataFrame, quantity: Callable[[Moments, Solution], Array]) -> pl.DataFrame:
    """Values with their uncertainty."""
    found = uncertain(est, quantity, kept=True) if labels.height else None
    numbers = {"estimate": quantity(est.moments, est.solution) if found is None else found.value}
    if found is not None:
        numbers |= {"std_error": found.std_error, "p_value": found.p_value}
        numbers |= {"conf_low": found.conf_low, "conf_high": found.conf_high}
    return tidy(cells_of(est), labels, solved_only(est, numbers), {"reason": cell_codes(est, labels.height)})
