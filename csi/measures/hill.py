"""Hill climbing over partitions: rows move to the segment whose model predicts them better, while explained variance
rises.

Letters: `n` rows, `p` items, `q` constructs, `k` segments, `S` partitions evaluated together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.estimate.estimate import Estimate
from csi.measures.score_rows import item_weights, scored
from csi.moments.pearson import weighted_cell
from csi.moments.stack import Array, Ints, Sample

TOGETHER = 48
"""Single moves evaluated as one stack; the best of them is made."""

GAIN = 1e-9
"""A rise of the objective that counts as none."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What is climbed.

    Attributes:
        est: the model of everybody, and its settings. sample: its rows. least: rows a segment must keep.
        targets: positions of the constructs whose R2 is summed.
    """

    est: Estimate
    sample: Sample
    least: int
    targets: tuple[int, ...]

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.sample.rows)


@dataclass(frozen=True, slots=True)
class Models:
    """What is kept of the segments' models: mean, sd (k, p), weights (k, p, q), paths (k, q, q), r2 (k, q)."""

    mean: Array
    sd: Array
    weights: Array
    paths: Array
    r2: Array

    def part(self, rows: slice) -> Models:
        """Some segments."""
        return Models(self.mean[rows], self.sd[rows], self.weights[rows], self.paths[rows], self.r2[rows])


@dataclass(frozen=True, slots=True)
class Partition:
    """labels: (n,) segment of each row. objective: weighted sum of R2. models: of the segments. moves: made so far."""

    labels: Ints
    objective: float
    models: Models
    moves: int = 0


def evaluated(slope: Slope, labels: Ints, segments: int) -> tuple[Array, Models]:
    """(S,) objectives of S partitions (S, n) and the models of their segments, partition by partition.

    objective = sum_g (w_g / w) sum_targets R2_g; minus infinity where a segment has too few rows or no solution.
    """
    inside = labels[:, None, :] == np.arange(segments)[:, None]
    W = inside * slope.sample.weight
    whole = slice(0, slope.n)
    small = inside.sum(axis=2) < slope.least
    W = np.where(small[:, :, None], slope.sample.weight, W).reshape(-1, slope.n)
    fit = slope.est.settings.solve(slope.est.model, weighted_cell(slope.sample, 0, whole, W), slope.est)
    r2 = fit.solution.r2[:, list(slope.targets)].sum(axis=1)
    failed = ~(fit.convergence.converged & np.isfinite(r2))
    share = (inside * slope.sample.weight).sum(axis=2) / slope.sample.weight.sum()
    value = (share * np.where(failed, -np.inf, r2).reshape(small.shape)).sum(axis=1)
    at = [fit.moments.names.index(i) for i in fit.solution.items]
    solution = fit.solution
    models = Models(fit.moments.mean[:, at], fit.moments.sd[:, at], item_weights(solution), solution.paths, solution.r2)
    return np.where(small.any(axis=1), -np.inf, value), models


def distances(slope: Slope, models: Models) -> Array:
    """(n, k) how far each row is from what each segment's model predicts: sum over targets of |e| / sqrt(1 - R2).

    Source:
        Becker, Rai, Ringle & Völckner (2013), MIS Quarterly 37, 665-694, who divide by the root of the segment's sum of
        squared residuals; its mean keeps a segment from being near because it is large.
    """
    targets, columns = list(slope.targets), []
    for g in range(len(models.r2)):
        Z = scored(slope.sample, slope.est, models.mean[g], models.sd[g], models.weights[g])
        e = np.abs(Z - Z @ models.paths[g].T)[:, targets]
        columns.append(e / np.sqrt(np.maximum(1 - models.r2[g, targets], 1e-6)))
    return np.asarray(np.stack(columns, axis=1).sum(axis=2), dtype=np.float64)


def climb(slope: Slope, labels: Ints, segments: int, most: int) -> Partition | None:
    """Climb from a partition until no move raises the objective; None where the beginning has no solution.

    Each round orders the rows by how much nearer another segment is. First whole batches of the foremost move (all,
    half, a quarter, ...), the best of them; where none helps, single rows do, tried from the foremost on.

    Parameters:
        most: rounds.
    """
    value, models = evaluated(slope, labels[None], segments)
    if not np.isfinite(value[0]):
        return None
    now = Partition(labels, float(value[0]), models)
    for _ in range(most):
        D = distances(slope, now.models)
        own = D[np.arange(slope.n), now.labels]
        nearest = D.argmin(axis=1)
        nearer = own - D.min(axis=1)
        order = np.argsort(-nearer, kind="stable")
        order = order[nearer[order] > 0]
        following = _batches(slope, now, order, nearest, segments) or _singles(slope, now, order, nearest, segments)
        if following is None:
            break
        now = following
    return now


def _batches(slope: Slope, now: Partition, order: Ints, nearest: Ints, segments: int) -> Partition | None:
    """The best of moving the foremost rows: all, half, a quarter ... down to two."""
    sizes = [size for size in (order.size // 2**j for j in range(12)) if size > 1]
    if not sizes:
        return None
    labels = np.repeat(now.labels[None], len(sizes), axis=0)
    for row, size in zip(labels, sizes, strict=True):
        row[order[:size]] = nearest[order[:size]]
    return _best(slope, now, labels, segments)


def _singles(slope: Slope, now: Partition, order: Ints, nearest: Ints, segments: int) -> Partition | None:
    """The best single move among the first handful that has one."""
    for start in range(0, order.size, TOGETHER):
        some = order[start : start + TOGETHER]
        labels = np.repeat(now.labels[None], some.size, axis=0)
        labels[np.arange(some.size), some] = nearest[some]
        found = _best(slope, now, labels, segments)
        if found is not None:
            return found
    return None


def _best(slope: Slope, now: Partition, labels: Ints, segments: int) -> Partition | None:
    """The partition with the highest objective, where that is a rise."""
    values, models = evaluated(slope, labels, segments)
    best = int(np.argmax(values))
    if not values[best] > now.objective + GAIN:
        return None
    mine = slice(best * segments, (best + 1) * segments)
    return Partition(labels[best], float(values[best]), models.part(mine), now.moves + 1)
