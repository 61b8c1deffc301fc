"""Answers beyond the items of the population: Kano pairs, points shared out, and what follows from other answers.

Letters: `n` respondents, `p` items, `k` further answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from scipy.special import expit, ndtri

from csi.moments.stack import Array, Ints
from csi.simulation.parts import KanoPart, OutcomePart, PointsPart, ScorePart
from csi.simulation.recipe import Recipe

PAIRS: Final = {
    "M": ((2, 5), (3, 5), (4, 5)),
    "O": ((1, 5),),
    "A": ((1, 2), (1, 3), (1, 4)),
    "I": ((2, 2), (2, 3), (2, 4), (3, 2), (3, 3), (3, 4), (4, 2), (4, 3), (4, 4)),
    "R": ((5, 1), (5, 2), (5, 3), (5, 4), (2, 1), (3, 1), (4, 1)),
    "Q": ((1, 1), (5, 5)),
}
"""What respondents of a class answer: (if it were there, if it were not), 1 like, 2 must be, 3 neutral, 4 live with it,
5 dislike; all pairs of a class equally often."""

Draw = Callable[..., Array]

TERMS: Final = ("contact_mean", "contact_peak", "contact_end")
"""Scores of a wave's contacts (0-100) that outcomes may name."""


def further_answers(recipe: Recipe, answers: Ints, draw: Draw, terms: Mapping[str, Array] | None = None) -> Ints:
    """(n, k) answers to all questions behind the items, in the order of `recipe.asked`.

    Parameters:
        recipe: what is asked. answers: (n, p) to the items, as respondents gave them. draw: uniform numbers (0, 1) of a
            purpose and shape. terms: scores beside those of the recipe, of what happened to respondents.
    """
    n = len(answers)
    parts: list[Ints] = [np.zeros((n, 0), dtype=np.int64)]
    if recipe.kano:
        u = draw("kano", n, len(recipe.kano), 2)
        parts += [kano_pair(part, u[:, k]) for k, part in enumerate(recipe.kano)]
    if recipe.points:
        most = max(part.total // part.step for part in recipe.points)
        u = draw("points", n, len(recipe.points), most)
        parts += [points_shared(part, u[:, k]) for k, part in enumerate(recipe.points)]
    if recipe.outcomes:
        scores = {**scores_of(recipe, answers), **dict.fromkeys(TERMS, np.zeros(n)), **(terms or {})}
        u = draw("outcomes", n, len(recipe.outcomes))
        parts += [outcome(recipe, part, scores, u[:, k])[:, None] for k, part in enumerate(recipe.outcomes)]
    return np.concatenate(parts, axis=1)


def kano_pair(part: KanoPart, uniform: Array) -> Ints:
    """(n, 2) answers to a Kano pair: the class by its share, then one of the class's pairs.

    Parameters:
        part: shares of the classes. uniform: (n, 2) in (0, 1).

    Example:
        >>> must = KanoPart(name="claims", scale="kano", classes={"M": 1.0})
        >>> kano_pair(must, np.array([[0.5, 0.1], [0.5, 0.9]])).tolist()
        [[2, 5], [4, 5]]
    """
    edges = np.cumsum(list(part.classes.values()))
    mine = np.minimum(np.searchsorted(edges, uniform[:, 0] * edges[-1], side="right"), len(edges) - 1)
    out = np.zeros((len(uniform), 2), dtype=np.int64)
    for place, letter in enumerate(part.classes):
        pairs = np.array(PAIRS[letter])
        rows = mine == place
        out[rows] = pairs[(uniform[rows, 1] * len(pairs)).astype(np.int64)]
    return out


def points_shared(part: PointsPart, uniform: Array) -> Ints:
    """(n, k) points that sum to the total; step by step, by Polya's urn.

        P(next step to j) = (concentration share_j + steps_j) / (concentration + steps so far)

    Parameters:
        part: total, step, shares. uniform: (n, steps or more) in (0, 1).

    Example:
        >>> part = PointsPart(scale="hundred", shares={"a": 0.5, "b": 0.5}, step=50)
        >>> points_shared(part, np.array([[0.1, 0.1], [0.1, 0.9]])).tolist()
        [[100, 0], [50, 50]]
    """
    share = np.array(list(part.shares.values()))
    share = share / share.sum()
    count = np.zeros((len(uniform), len(share)), dtype=np.int64)
    rows = np.arange(len(uniform))
    for step in range(part.total // part.step):
        edges = np.cumsum(part.concentration * share + count, axis=1)
        ahead = uniform[:, step : step + 1] * edges[:, -1:] >= edges
        count[rows, np.minimum(ahead.sum(axis=1), len(share) - 1)] += 1
    return count * part.step


def scores_of(recipe: Recipe, answers: Ints) -> dict[str, Array]:
    """The scores a recipe names: name -> (n,) mean over constructs of the mean answer to their items, less the centre.

    Parameters:
        recipe: names and items. answers: (n, p) to the items.
    """
    return {name: _score(recipe, part, answers) for name, part in recipe.scores.items()}


def _score(recipe: Recipe, part: ScorePart, answers: Ints) -> Array:
    columns = ([k for k, i in enumerate(recipe.rated) if i.of == name] for name in part.constructs)
    means = [answers[:, own].mean(axis=1) for own in columns]
    found: Array = np.mean(means, axis=0) - part.centre
    return found


def outcome(recipe: Recipe, part: OutcomePart, scores: dict[str, Array], uniform: Array) -> Ints:
    """(n,) answers that follow from scores: rounded into the scale, or 1 with the probability of a logit.

    Parameters:
        recipe: for the scale. part: constant, slopes of scores and of products ("a * b"). scores: name -> (n,).
        uniform: (n,) in (0, 1).
    """
    x = np.full(len(uniform), part.constant)
    for term, slope in part.slopes.items():
        x += slope * np.prod([scores[name] for name in factors(term)], axis=0)
    if part.link == "logit":
        chosen: Ints = (uniform < expit(x)).astype(np.int64)
        return chosen
    scale = recipe.scale_of(part)
    found: Ints = np.clip(np.rint(x + part.sd * ndtri(uniform)), scale.min, scale.max).astype(np.int64)
    return found


def factors(term: str) -> tuple[str, ...]:
    """The scores that a term multiplies.

    Example:
        >>> factors("expected * perceived")
        ('expected', 'perceived')
    """
    return tuple(part.strip() for part in term.split("*"))
