"""`irt(data, scales, model)`: item response models by marginal maximum likelihood, one per scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, one_of, problem, whole
from csi.measures.answered import answered
from csi.measures.response.irt_frames import (
    boundaries,
    curves,
    fits,
    item_rows,
    modes,
    probabilities,
    scored,
    tests,
)
from csi.measures.response.irt_words import lines_of
from csi.measures.response.scale_fit import Errors, fit_scale
from csi.measures.response.specified import Kind

Scoring = Literal["eap", "map"]


@dataclass(frozen=True, slots=True, repr=False)
class Irt(Shown):
    """Item response models of scales.

    Theta has standard deviation 1 in models with a slope per item; in pcm, rsm and rasch it is in logits, slopes are 1
    and `fit` has its standard deviation.

    Attributes:
        table: a row per item: construct, item, n (answers), categories, a and its error, location (mean threshold),
            loading (grm, 2pl: a / D / sqrt(1 + (a / D)^2), D = 1.702, nearly the factor loading of a probit model),
            highest information and where, s_x2 with df, p, rmsea or its reason, infit and outfit (pcm, rsm, rasch),
            reason.
        thresholds: construct, item, step, category (the answer from which on), b and its error, threshold (grm, 2pl: b
            times loading), ordered (pcm, gpcm, rsm: not below the one before; null elsewhere).
        categories: construct, item, category, modal (whether it is the likeliest answer anywhere), low, high (of theta
            where it is).
        fit: a row per scale: model, n, items, patterns, loglik, parameters, aic, bic, deviation of theta, marginal and
            empirical reliability, M2 (kind, df, p, rmsea, or its reason), iterations, converged, reason.
        information: construct, item, theta, information. test: construct, theta, information, std_error, reliability.
        curves: construct, item, category, theta, probability.
        scores: row (position in the data), construct, answered, theta, std_error, lz.
        model, errors: how standard errors were made. notes.
    """

    table: pl.DataFrame
    thresholds: pl.DataFrame
    categories: pl.DataFrame
    fit: pl.DataFrame
    information: pl.DataFrame
    test: pl.DataFrame
    curves: pl.DataFrame
    scores: pl.DataFrame
    model: Kind
    errors: str
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Irt, lang: str = "en") -> str:
    """Scales, items, thresholds, notes."""
    return lines_of(value.fit, value.table, value.thresholds, value.categories, value.notes, lang)


def irt(
    data: object,
    scales: object = None,
    model: Kind = "grm",
    *,
    points: int = 61,
    se: Errors | None = None,
    scoring: Scoring = "eap",
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Irt:
    """Item response models of each scale: items, thresholds, information, scores and fit.

        grm    P(Y >= c) = F(a (theta - b_c)), F logistic; 2pl the same with two categories
        gpcm   P(Y = c) proportional to exp(sum_{l <= c} a (theta - b_l)); pcm with a = 1 for all items
        rsm    pcm with b_l = location + step_l, steps shared by the items; rasch: pcm with two categories

    Theta is normal in the population and integrated out over equally spaced points from -6 to 6. Absent answers are
    left out of a person's likelihood (missing at random). Two items share one slope. Weights enter the likelihood.

    Parameters:
        data, scales, na, scale, weight, unit, stratum, where: a Panel or frame and its scales, as in `csi.items`.
        model: one of the six. points: of theta. se: "observed" information, its "cross-product" estimate, or the
            "sandwich" of both with units and strata (by default where rows have weights or share units). scoring: of
            persons, "eap" (expected a posteriori) or "map" (mode).

    Returns:
        An `Irt`.

    Raises:
        Problems: no scales, unknown items, an unknown model.

    Source:
        Samejima (1969); Masters (1982), Psychometrika 47; Andrich (1978), Psychometrika 43; Muraki (1992), Applied
        Psychological Measurement 16; Bock & Aitkin (1981), Psychometrika 46.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)
        >>> theta = rng.normal(size=(400, 1))
        >>> rows = (rng.logistic(size=(400, 4)) < 1.5 * theta - [-1, 0, 0.5, 1]).astype(float)
        >>> found = irt(pl.DataFrame(rows, schema=list("abcd")), {"skill": list("abcd")}, "2pl")
        >>> found.fit.select("construct", "items", "converged").rows()
        [('skill', 4, True)]
    """
    _check(model, points, se, scoring)
    rows = answered(data, scales, na=na, scale=scale, weight=weight, unit=unit, stratum=stratum, where=where)
    told = [fit_scale(rows, construct, model, points, se) for construct in rows.scales]
    ways = [s.solved.errors for s in told if s.solved]
    notes = dict.fromkeys([*rows.notes, *(n for s in told for n in s.notes)])
    return Irt(
        item_rows(told, rows, model),
        boundaries(told),
        modes(told),
        fits(told, model),
        curves(told),
        tests(told),
        probabilities(told),
        scored(told, rows, scoring),
        model,
        ways[0] if ways else (se or "observed"),
        tuple(notes),
    )


def _check(model: str, points: object, se: str | None, scoring: str) -> None:
    found: list[Problem] = one_of("model", model, get_args(Kind))
    found += whole("points", points)
    if isinstance(points, int) and not 15 <= points <= 501:
        en, zh = f"{points} points of theta; 15 to 501 are possible.", f"theta 的点数为 {points}；可取 15 到 501。"
        found.append(problem("E-SETTING", "points", en, zh, "Use points=61, say.", "例如 points=61。"))
    found += one_of("scoring", scoring, get_args(Scoring))
    if se is not None:
        found += one_of("se", se, get_args(Errors))
    if found:
        raise Problems(found)
