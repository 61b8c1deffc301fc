"""Arrays behind penalty-reward contrasts: cut-points, marks, potentials, classes, and all of it in resamples.

Letters: `n` rows, `m` names, `B` replicates.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from csi.inference.resample import drawn_weights
from csi.moments.stack import Array, Ints, Sample

NOISE: Final = 1e-9
"""Scores (0-100) and shares of the weight closer than this are the same number."""

SINGULAR: Final = 1e-10
"""A resample with a smaller pivot, relative to its column, cannot tell its columns apart."""

Flags = npt.NDArray[np.bool_]


class Rule(Protocol):
    """Where the cut-points are, and how many resamples are taken."""

    @property
    def quantiles(self) -> tuple[float, float]:
        """Shares of the weight at the cut-points."""

    @property
    def replicates(self) -> int:
        """How many."""

    @property
    def seed(self) -> int:
        """Of the resamples."""


def quantiles_of(x: Array, weight: Array, at: tuple[float, float]) -> Array:
    """(2, m) smallest scores at or below which lie these shares of the weight (inverse of the distribution).

    Parameters:
        x: (n, m). weight: (n,).

    Example:
        >>> quantiles_of(np.arange(8.0)[:, None], np.ones(8), (0.25, 0.75)).ravel().tolist()
        [1.0, 5.0]
    """
    found: Array = _quantiles(x, np.argsort(x, axis=0, kind="stable"), weight[None], at)[0]
    return found


def _quantiles(x: Array, order: Ints, weight: Array, at: tuple[float, float]) -> Array:
    """(B, 2, m) the same under B weightings (B, n); order: (n, m) of the scores."""
    out = np.empty((len(weight), 2, x.shape[1]))
    for j in range(x.shape[1]):
        cumulated = np.cumsum(weight[:, order[:, j]], axis=1)
        cumulated /= cumulated[:, -1:]
        for side, share in enumerate(at):
            out[:, side, j] = x[order[:, j], j][(cumulated >= share - NOISE).argmax(axis=1)]
    return out


def marks(x: Array, cuts: Array) -> tuple[Flags, Flags]:
    """(n, m) which scores are at or below the low, at or above the high cut-point.

    Parameters:
        x: (n, m). cuts: (2, m).

    Example:
        >>> low, high = marks(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [3.0]]))
        >>> low.ravel().tolist(), high.ravel().tolist()
        ([True, False, False], [False, False, True])
    """
    return x <= cuts[0] + NOISE, x >= cuts[1] - NOISE


def potentials(penalty: Array, reward: Array) -> dict[str, Array]:
    """RIOCS, SGP, DGP and IA; all but RIOCS are NaN where a sign is wrong or neither counts.

    Parameters:
        penalty, reward: (...), of which the first should be at most 0, the second at least 0.

    Example:
        >>> found = potentials(np.array([-3.0]), np.array([1.0]))
        >>> {k: float(v[0]) for k, v in found.items()}
        {'riocs': 4.0, 'sgp': 0.25, 'dgp': 0.75, 'ia': -0.5}
    """
    whole = np.abs(penalty) + np.abs(reward)
    right = (penalty <= 0) & (reward >= 0) & (whole > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sgp, dgp = (np.where(right, np.abs(part) / whole, np.nan) for part in (reward, penalty))
    return {"riocs": whole, "sgp": sgp, "dgp": dgp, "ia": sgp - dgp}


def impact(penalty: Array, reward: Array) -> Array:
    """IA with contrasts of the wrong sign taken as 0; NaN where both are wrong.

    Example:
        >>> impact(np.array([-3.0, 0.5]), np.array([1.0, 2.0])).tolist()
        [-0.5, 1.0]
    """
    lost, won = np.maximum(-penalty, 0.0), np.maximum(reward, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((won - lost) / (won + lost))


def classes(penalty: Array, reward: Array, limit: float) -> Ints:
    """0 dissatisfier (IA < -limit), 1 hybrid, 2 satisfier (IA > limit), 3 unclassified (wrong sign).

    Example:
        >>> classes(np.array([-3.0, -1.0, -1.0, 0.5]), np.array([1.0, 1.0, 3.0, 2.0]), 0.1).tolist()
        [0, 1, 2, 3]
    """
    ia = potentials(penalty, reward)["ia"]
    kind = 1 + (ia > limit).astype(np.int64) - (ia < -limit).astype(np.int64)
    return np.where(np.isnan(ia), 3, kind)


def again(sample: Sample, rows: tuple[Array, Array, Ints], rule: Rule, cuts: Array | None) -> Array:
    """(B, 2, m) penalties and rewards of resamples of units within strata; NaN where one cannot tell them apart.

    Parameters:
        rows: scores (n, m), outcome (n,), and which rows of the sample they are (n,). cuts: (2, m) fixed cut-points;
            None takes the quantiles of each resample.
    """
    x, y, place = rows
    order = np.argsort(x, axis=0, kind="stable")
    parts = []
    for w in drawn_weights(sample, rule.replicates, rule.seed, place):
        own = _quantiles(x, order, w, rule.quantiles) if cuts is None else np.broadcast_to(cuts, (len(w), *cuts.shape))
        parts += [contrasts(x, y, one, at) for one, at in zip(w, own, strict=True)]
    return np.stack(parts)


def contrasts(x: Array, y: Array, weight: Array, cuts: Array) -> Array:
    """(2, m) slopes on the marks under one weighting."""
    m = x.shape[1]
    there = weight > 0
    X = np.column_stack([np.ones(int(there.sum())), *marks(x[there], cuts)])
    root = X * np.sqrt(weight[there])[:, None]
    A, b = root.T @ root, root.T @ (np.sqrt(weight[there]) * y[there])
    size = np.sqrt(np.diagonal(A))
    if not (size > 0).all():
        return np.full((2, m), np.nan)
    scaled = A / np.outer(size, size)
    values, vectors = np.linalg.eigh(scaled)
    if values[0] < SINGULAR:
        return np.full((2, m), np.nan)
    slopes = vectors @ ((vectors.T @ (b / size)) / values) / size
    return np.asarray(slopes[1:].reshape(2, m))
