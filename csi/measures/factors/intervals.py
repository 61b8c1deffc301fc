"""How rotated loadings vary over resamples, factors of each resample put where they stand in the sample.

Letters: `B` resamples, `n` rows, `p` items, `m` factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.inference.resample import drawn_weights
from csi.measures.factors.association import pairwise
from csi.measures.factors.correlations import Correlations
from csi.measures.factors.extraction import Method, extract
from csi.measures.factors.placed import aligned
from csi.measures.factors.turned import Rotation, turned
from csi.moments.expectation import em_moments
from csi.moments.ordinal import polychoric_stack
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Spread:
    """Bootstrap of a rotated solution.

    Attributes:
        loadings: (B, p, m) and phi: (B, m, m), aligned with the sample's. usable: how many of the resamples had a
            solution.
    """

    loadings: Array
    phi: Array
    usable: int


@dataclass(frozen=True, slots=True)
class Way:
    """How a solution was found.

    Attributes:
        m: factors. method: extraction. rotation, gamma, power, aim: as in `turned`.
    """

    m: int
    method: Method
    rotation: Rotation
    gamma: float
    power: int
    aim: Array | None


def spread_of(given: Correlations, way: Way, loadings: Array, replicates: int, seed: int) -> Spread:
    """Resamples respondents (or clusters) within strata, and finds the solution of each anew.

    A resample's rotation starts from one place; its factors then take the order and the signs under which they are
    most congruent with those of the sample.

    Parameters:
        given: correlations with their rows. way: how the sample's solution was found. loadings: (p, m) of the sample.
        replicates: how many. seed: of the draw.

    Source: Ichikawa & Konishi (1995), Psychometrika 60, 77-93 (bootstrap of rotated loadings); alignment: Clarkson
        (1979), Psychometrika 44, 297-314.
    """
    stack = np.concatenate([_stack(given, W) for W in drawn_weights(given.answers.sample, replicates, seed)])
    found = extract(stack, way.m, way.method)
    good = found.converged & np.isfinite(found.loadings).all(axis=(1, 2))
    turn = turned(
        _near(found.loadings[good], loadings, way.rotation),
        way.rotation,
        gamma=way.gamma,
        power=way.power,
        aim=way.aim,
        starts=1,
        seed=seed,
    )
    L, phi = turn.loadings.copy(), turn.phi.copy()
    for b in range(len(L)):
        order, sign = aligned(L[b], loadings)
        L[b] = L[b][:, order] * sign
        phi[b] = phi[b][np.ix_(order, order)] * np.outer(sign, sign)
    return Spread(L[turn.converged], phi[turn.converged], int(turn.converged.sum()))


def _near(A: Array, loadings: Array, rotation: Rotation) -> Array:
    """(B, p, m) unrotated loadings turned rigidly to be near the rotated ones of the sample: a search starts there."""
    if rotation in {"none", "varimax", "promax"}:
        return A
    U, _, V = np.linalg.svd(np.matmul(A.swapaxes(1, 2), loadings))
    return np.asarray(np.matmul(A, np.matmul(U, V)))


def _stack(given: Correlations, W: Array) -> Array:
    """(B, p, p) correlations of the same kind under many weightings; NaN where one has none."""
    rows = given.answers.rows
    if given.kind == "polychoric":
        how = "listwise" if given.missing == "listwise" else "pairwise"
        found = polychoric_stack(rows, W, [True] * rows.shape[1], missing=how, start=given.matrix)
        return np.where(found.usable[:, None, None], found.cov, np.nan)
    if given.missing == "fiml":
        cov = em_moments(rows, W)[1]
        sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        return np.asarray(cov / (sd[:, :, None] * sd[:, None, :]))
    kept = slice(None) if given.missing == "pairwise" else ~np.isnan(rows).any(axis=1)
    return np.stack([pairwise(rows[kept], w[kept]) for w in W])
