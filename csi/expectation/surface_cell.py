"""One cell's response surface: the regression, its resamples, the answers behind it.

Letters: `n` rows, `k` columns, `B` replicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl

from csi.expectation.asymmetry import TYPES, asymmetry
from csi.expectation.forms import Matched
from csi.expectation.gap import NUMBERS, of_difference
from csi.expectation.regression import Errors, Regression, regress, slopes_again
from csi.expectation.scores import answered_mean, finite, scores_of
from csi.expectation.surface_judged import claims, coefficients, features
from csi.expectation.surface_shape import hull, slopes_at, terms
from csi.inference.draws import percentiles, standard_error
from csi.inference.linearised import Design
from csi.inference.resample import drawn_weights
from csi.moments.stack import Array, Ints, Sample
from csi.survey.bases import Bases
from csi.survey.codebook import Form

Centre = Literal["midpoint", "pooled"]
"""Where expectation and performance are centred, both at one point: the scale's middle, or the mean of all answers."""

THROUGH: Final = ("expectation_to_performance", "direct", "through_performance", "total")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call asks for; outcome: its name and items."""

    forms: tuple[Form, Form]
    of: str
    outcome: tuple[str, tuple[str, ...]]
    controls: tuple[str, ...]
    centre: Centre
    errors: Errors
    replicates: int
    seed: int
    level: float
    bases: Bases


def cell_of(sample: Sample, pairs: Matched, cell: int, asked: Asked) -> tuple[dict[str, pl.DataFrame], float]:
    """The frames of one cell, and its centre."""
    rows = np.flatnonzero(sample.cell == cell)
    scores, level = scores_of(pairs, sample.rows[rows]), asked.level
    at = scores.place(asked.of)
    E, P = (scores.values[form][:, at] for form in asked.forms)
    y, C = (
        sample.rows[rows][:, [sample.names.index(i) for i in names]] for names in (asked.outcome[1], asked.controls)
    )
    y = answered_mean(y)
    seen = np.isfinite(E) & np.isfinite(P) & np.isfinite(y) & np.isfinite(C).all(axis=1)
    E, P, y, C, rows = E[seen], P[seen], y[seen], C[seen], rows[seen]
    where = _centre(sample, pairs, (E, P), sample.weight[rows], asked.centre)
    C = C - C.mean(axis=0) if len(C) else C
    plan, columns = Design.of(sample, rows), (E - where, P - where, y, C)
    few = len(y) < asked.bases.small
    full = None if few else regress(np.column_stack([terms(E - where, P - where), C]), y, *plan)
    corners = hull(E, P)
    drawn = _drawn(sample, rows, columns, full, (asked.replicates, asked.seed))
    items = [scores.items[form][seen][:, scores.member[at]] for form in asked.forms]
    whole = np.isfinite(items[0]).all(axis=1) & np.isfinite(items[1]).all(axis=1)
    corner = {"corner": np.arange(len(corners)), "expected": corners[:, 0], "perceived": corners[:, 1]}
    return {
        "table": features(
            full, drawn[0], corners - where, asked.errors, level, asked.bases.reason.code if few else None
        ),
        "coefficients": coefficients(full, asked.errors, level, asked.controls),
        "claims": claims(full, columns, plan, len(y), asked.errors),
        "asymmetry": pl.DataFrame([asymmetry(P, E, y, plan, level)], schema_overrides=TYPES),
        "paths": _paths(drawn[1], level),
        "reliability": pl.DataFrame(
            [of_difference(items[1][whole], items[0][whole], sample.weight[rows][whole])],
            schema_overrides=dict.fromkeys(NUMBERS, pl.Float64),
        ),
        "cloud": pl.DataFrame(corner),
    }, where


def _drawn(
    sample: Sample,
    rows: Ints,
    at: tuple[Array, Array, Array, Array],
    full: Regression | None,
    drawing: tuple[int, int],
) -> tuple[Array, tuple[Array, Array]]:
    """(B, 6) coefficients of resamples; (4,) average slopes and (B, 4) of resamples."""
    E, P, y, C = at
    replicates, seed = drawing
    if full is None:
        return np.full((replicates, 6), np.nan), (np.full(4, np.nan), np.full((replicates, 4), np.nan))
    X, first = np.column_stack([terms(E, P), C]), np.column_stack([np.ones(len(E)), E, C])
    w, one = sample.weight[rows], np.ones(len(rows))
    own = one[None]
    point = _through(full.slopes[None], slopes_again(first, P, w, own), _means(E, P, w, own))
    slopes, paths = [], []
    for drawn in drawn_weights(sample, replicates, seed, rows):
        b = slopes_again(X, y, one, drawn)
        slopes.append(b[:, :6])
        paths.append(_through(b, slopes_again(first, P, one, drawn), _means(E, P, one, drawn)))
    return np.concatenate(slopes), (point[0], np.concatenate(paths))


def _means(E: Array, P: Array, weight: Array, multiplicity: Array) -> tuple[Array, Array]:
    """(B,) weighted means of resamples."""
    W = multiplicity * weight
    total = W.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return W @ E / total, W @ P / total


def _through(b: Array, first: Array, at: tuple[Array, Array]) -> Array:
    """(B, 4) slope of performance on expectation, and the average slopes of expectation: direct, through it, in all."""
    direct, performance = slopes_at(b, *at)
    through = first[:, 1] * performance
    return np.column_stack([first[:, 1], direct, through, direct + through])


def _paths(found: tuple[Array, Array], level: float) -> pl.DataFrame:
    """Average slopes with bootstrap errors and bounds."""
    point, drawn = found
    low, high = percentiles(drawn, level)
    columns = {"estimate": point, "std_error": standard_error(drawn), "conf_low": low, "conf_high": high}
    return pl.DataFrame({"effect": THROUGH} | {c: finite(x) for c, x in columns.items()})


def _centre(sample: Sample, pairs: Matched, scores: tuple[Array, Array], weight: Array, centre: Centre) -> float:
    """The point subtracted from both forms."""
    if centre == "pooled":
        total = weight.sum()
        return float(sum(weight @ x for x in scores) / (2 * total)) if total > 0 else 0.0
    at = sample.names.index(next(iter(pairs.items.values()))[0])
    return float((sample.minimum[at] + sample.maximum[at]) / 2)
