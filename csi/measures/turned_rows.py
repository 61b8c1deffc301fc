"""Rows turned until a model holds exactly in them: what the bootstrap of exact fit resamples.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from csi.estimate.estimate import Estimate
from csi.measures.composite_implied import fitted_cor
from csi.moments.patterns import PatternRows, pattern_rows
from csi.moments.pearson import cell_moments
from csi.moments.stack import Array, Sample

CLOSE, ROUNDS = 1e-9, 200
"""Rows with absent answers are turned until their covariances are so close, or given up after so many rounds."""


def turned(est: Estimate, sample: Sample, *, saturated: bool) -> Sample:
    """The rows of every cell turned until their item correlations are those the model implies.

    A cell where that cannot be (no solution, matrices not positive definite) gets constant rows and so no replicates.
    """
    S, Sigma = fitted_cor(est.moments, est.solution, saturated=saturated)
    at = np.array([sample.names.index(name) for name in est.solution.items], dtype=np.int64)
    order = np.array([est.moments.names.index(name) for name in est.solution.items], dtype=np.int64)
    mean, sd = est.moments.mean[:, order], est.moments.sd[:, order]
    rows = sample.rows.copy()
    for s in range(sample.cells.height):
        here = np.flatnonzero(sample.cell == s)
        Z = (rows[np.ix_(here, at)] - mean[s]) / sd[s]
        holes = bool(np.isnan(Z).any())
        held = _incomplete(Z, sample.weight[here], sample.missing, Sigma[s]) if holes else _complete(Z, S[s], Sigma[s])
        rows[np.ix_(here, at)] = 0.0 if held is None else held
    return replace(sample, rows=rows)


def _complete(Z: Array, S: Array, Sigma: Array) -> Array | None:
    """Standardised rows turned at once."""
    turn = _turn(S, Sigma)
    return None if turn is None else Z @ turn


def _incomplete(Z: Array, weight: Array, missing: str, Sigma: Array) -> Array | None:
    """Standardised rows turned in what they answer, over and over until their moments are Sigma; None where never.

    One turn by S leads there exactly without absences, and nearly so with them.
    """
    patterns = pattern_rows(Z)
    for _ in range(ROUNDS):
        mean, S = (moment[0] for moment in cell_moments(Z, weight[None], missing)[3:])
        if not np.isfinite(S).all():
            return None
        if np.abs(S - Sigma).max() < CLOSE:
            return Z
        found = _by_pattern(Z - mean, patterns, S, Sigma)
        if found is None:
            return None
        Z = found
    return None


def _by_pattern(Z: Array, patterns: PatternRows, S: Array, Sigma: Array) -> Array | None:
    """The rows of every pattern turned by the moments of the items it answers."""
    out = Z.copy()
    for number, seen in enumerate(patterns.observed):
        at = patterns.order[patterns.starts[number] : patterns.starts[number + 1]]
        o = np.flatnonzero(seen)
        turn = _turn(S[np.ix_(o, o)], Sigma[np.ix_(o, o)])
        if turn is None:
            return None
        out[np.ix_(at, o)] = Z[np.ix_(at, o)] @ turn
    return out


def _turn(S: Array, Sigma: Array) -> Array | None:
    """S^(-1/2) Sigma^(1/2); None where one of them is not positive definite."""
    if not (np.isfinite(S).all() and np.isfinite(Sigma).all()):
        return None
    (a, u), (c, v) = np.linalg.eigh(S), np.linalg.eigh(Sigma)
    if min(a.min(initial=1.0), c.min(initial=1.0)) <= 0:
        return None
    out: Array = (u / np.sqrt(a)) @ u.T @ (v * np.sqrt(c)) @ v.T
    return out
