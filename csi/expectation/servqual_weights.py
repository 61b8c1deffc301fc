"""Points of 100 that respondents give the dimensions of service quality, and scores weighted by them.

Letters: `n` rows, `d` dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from csi.errors import Problems, problem
from csi.moments.stack import Array
from csi.survey.panel import Panel

Flags = npt.NDArray[np.bool_]
WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Points:
    """Where the weights come from.

    Attributes:
        source: "respondents", "given" or "" (none). items: (d,) of the respondents' points. given: (d,) sums to 1.
        given_sum: what the given points summed to.
    """

    source: str
    items: tuple[str, ...] = ()
    given: Array | None = None
    given_sum: float = WHOLE


@dataclass(frozen=True, slots=True)
class Weighted:
    """Weighted scores of one cell as columns whose weighted mean is the estimate and whose linearised variance its.

    Attributes:
        score, perceived, expected: (n,). weight: (d,) mean share of the points. sd: of respondents' weighted scores.
        n: respondents with a score. normalised: respondents whose points do not sum to 100. borrowed: respondents who
            take the mean of the others' points.
    """

    score: Array
    perceived: Array
    expected: Array
    weight: Array
    sd: float
    n: int
    normalised: int
    borrowed: int


def points_of(panel: Panel, dimensions: Sequence[str], given: Mapping[str, float] | None) -> Points:
    """The weights of a call: those given, else the items of form I named after the dimensions, else none.

    Raises:
        Problems: E-POINTS (points of other dimensions, negative, or all 0; items for some dimensions only).
    """
    if given is not None:
        _check(given, dimensions)
        points = np.array([float(given[d]) for d in dimensions])
        return Points("given", given=points / points.sum(), given_sum=float(points.sum()))
    asked = {i.attribute: i.name for i in panel.codebook.items if i.form == "I" and i.attribute in dimensions}
    lacking = [d for d in dimensions if d not in asked]
    if asked and lacking:
        en = f"points are asked for {', '.join(asked)}, but not for {', '.join(lacking)}."
        zh = f"已询问 {'、'.join(asked)} 的分配分数，但缺少 {'、'.join(lacking)}。"
        do = "Add an item of form I with attribute: NAME for each dimension, or give weights=."
        do_zh = "请为每个维度补充 form: I、attribute: 维度名 的题项，或直接给出 weights=。"
        raise Problems([problem("E-POINTS", "servqual", en, zh, do, do_zh)])
    return Points("respondents", tuple(asked[d] for d in dimensions)) if asked else Points("")


def _check(given: Mapping[str, float], dimensions: Sequence[str]) -> None:
    """Refuse points that do not belong to the dimensions or make no weights."""
    strange, lacking = [d for d in given if d not in dimensions], [d for d in dimensions if d not in given]
    do = f"Give points for {', '.join(dimensions)}, none negative, such as 100 in all."
    do_zh = f"请为 {'、'.join(dimensions)} 给出非负的分数，例如合计 100。"
    found = []
    if strange or lacking:
        en = f"weights are of {', '.join(given)}; the dimensions are {', '.join(dimensions)}."
        zh = f"权重对应 {'、'.join(given)}；维度为 {'、'.join(dimensions)}。"
        found.append(problem("E-POINTS", "weights", en, zh, do, do_zh))
    numbers = list(given.values())
    if any(not np.isfinite(v) or v < 0 for v in numbers) or sum(numbers) <= 0:
        found.append(
            problem("E-POINTS", "weights", "points are negative or sum to 0.", "分数为负或合计为 0。", do, do_zh)
        )
    if found:
        raise Problems(found)


def weighted(value: Array, P: Array, E: Array, points: Points, answers: Array, weight: Array) -> Weighted:
    """Scores weighted by points.

    Respondents without points take the mean of the others'; what that mean varies is added to their scores' variance:

        theta = sum_G v u / V_G,  u_r = w_r g_r or w_mean g_r,  z_r = (u_r - theta) V / V_G + (w_r - w_mean) M V / V_H

    with G the rows with scores, H those with points, V the sums of design weights v, M = sum over rows of G without
    points of v g / V_G.

    Parameters:
        value, P, E: (n, d) scores, perceptions, expectations. answers: (n, d) points, as answered. weight: (n,).

    Example:
        >>> g = np.array([[-1.0, 0.0], [-2.0, 1.0]])
        >>> found = weighted(g, g, g, Points("given", given=np.array([0.75, 0.25])), np.empty((2, 0)), np.ones(2))
        >>> found.score.tolist(), found.n
        ([-0.75, -1.25], 2)
    """
    n, d = value.shape
    if not points.source:
        blank = np.full(n, np.nan)
        return Weighted(blank, blank, blank, np.full(d, np.nan), np.nan, 0, 0, 0)
    w, have, normalised = _shares(points, answers, n)
    total = weight[have].sum()
    mean = (
        points.given
        if points.given is not None
        else (weight[have] @ w[have] / total if total > 0 else np.full(d, np.nan))
    )
    w = np.where(have[:, None], w, mean)
    scored = np.asarray(np.isfinite(np.hstack([value, w])).all(axis=1), dtype=np.bool_)
    sets = (value, P, E)
    own = [np.where(scored, (w * x).sum(axis=1), np.nan) for x in sets]
    columns = [_spread(u, x, w, mean, have, scored, weight) for u, x in zip(own, sets, strict=True)]
    u = own[0][scored]
    sd = float(np.sqrt(np.cov(u, aweights=weight[scored]))) if scored.sum() > 1 else np.nan
    score, perceived, expected = columns
    return Weighted(score, perceived, expected, mean, sd, int(scored.sum()), normalised, int((scored & ~have).sum()))


def _shares(points: Points, answers: Array, n: int) -> tuple[Array, Flags, int]:
    """(n, d) shares of the points, (n,) who gave them, how many had to be normalised."""
    if points.given is not None:
        return np.tile(points.given, (n, 1)), np.ones(n, dtype=np.bool_), 0
    whole = np.isfinite(answers).all(axis=1) & (np.nan_to_num(answers) >= 0).all(axis=1)
    total = np.where(whole, np.nan_to_num(answers).sum(axis=1), 0.0)
    have = whole & (total > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(have[:, None], answers / total[:, None], np.nan)
    return shares, have, int((have & (np.abs(total - WHOLE) > 1e-6)).sum())


def _spread(u: Array, x: Array, w: Array, mean: Array, have: Flags, scored: Flags, weight: Array) -> Array:
    """(n,) column whose weighted mean is that of u, and which varies as the estimate does."""
    if not scored.any() or not np.isfinite(u[scored]).all():
        return np.full(len(u), np.nan)
    part, lent = scored | have, scored & ~have
    V, V_G, V_H = (weight[rows].sum() for rows in (part, scored, have))
    theta = weight[scored] @ u[scored] / V_G
    z = np.where(scored, np.where(scored, u, 0.0) - theta, 0.0) * V / V_G
    if lent.any() and V_H > 0:
        M = weight[lent] @ x[lent] / V_G
        z = z + np.where(have, (np.where(have[:, None], w, 0.0) - mean) @ M, 0.0) * V / V_H
    elif not lent.any():
        return u
    return np.where(part, theta + z, np.nan)
