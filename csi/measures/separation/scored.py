"""Scores of scales for validity by something else: means of complete answers, their alpha, and errors by design.

Letters: `n` rows, `k` items of one scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.inference.linearised import Design, between
from csi.measures.answered import Answered
from csi.moments.stack import Array, Sample

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """One scale's score.

    Attributes:
        score: (n,) mean of the items, NaN where any is absent. alpha: NaN for a single item or without variance.
        influence: (n,) what each row moves alpha by, per unit of weight; 0 where the score is absent. items: how many.
    """

    score: Array
    alpha: float
    influence: Array
    items: int


def scored(answers: Answered, scale: str) -> Scored:
    """The score of one scale, and its alpha with what every row does to it.

    alpha = k / (k - 1) (1 - tr(S) / 1'S1), over rows with all answers, by their weights
    """
    X = answers.of(scale)
    return scored_rows(X, answers.weight)


def scored_rows(X: Array, weight: Array) -> Scored:
    """The same of answers (n, k) and weights (n,).

    Example:
        >>> X = np.array([[1.0, 2], [2, 2], [3, 4], [4, np.nan]])
        >>> found = scored_rows(X, np.ones(4))
        >>> found.score.tolist(), round(found.alpha, 4)
        ([1.5, 2.0, 3.5, nan], 0.9231)
    """
    whole = np.asarray(np.isfinite(X).all(axis=1))
    score = np.where(whole, np.nan_to_num(X).mean(axis=1), np.nan)
    k = X.shape[1]
    nothing = np.zeros(len(X))
    w = np.where(whole, weight, 0.0)
    total = w.sum()
    if k < 2 or total <= 0:
        return Scored(score, np.nan, nothing, k)
    away = np.where(whole[:, None], X - (w @ np.nan_to_num(X)) / total, 0.0)
    own, summed = (away**2).sum(axis=1), away.sum(axis=1) ** 2
    trace, spread = float(w @ own) / total, float(w @ summed) / total
    if not spread > 0:
        return Scored(score, np.nan, nothing, k)
    ratio = k / (k - 1)
    moved = -ratio * (own - trace * summed / spread) / spread / total
    return Scored(score, float(ratio * (1 - trace / spread)), np.where(whole, moved, 0.0), k)


def error_of(z: Array, sample: Sample, seen: Bools) -> tuple[float, float]:
    """Standard error of a number and its degrees of freedom, from what each row moves it by.

    Parameters:
        z: (n,) influence per unit of weight, 0 where a row takes no part. seen: (n,) which take part.
    """
    design = Design.of(sample, np.arange(len(z), dtype=np.int64))
    column = np.where(seen, z, 0.0)[:, None]
    weighed = design.weight[:, None] * column
    variance, df = between(weighed, seen[:, None].astype(np.float64), design.unit, design.stratum, design.known)
    if design.known is not None and design.known.raking is not None:
        variance = (design.known.sums(column) ** 2).sum(axis=0)
    return float(np.sqrt(variance[0])), float(df[0])


def plain(sample: Sample) -> bool:
    """Whether rows are a simple random sample: equal weights, every row a unit of its own, one stratum."""
    own = np.unique(sample.unit).size == len(sample.unit)
    even = bool(np.ptp(sample.weight) <= 1e-12 * sample.weight.max())
    return own and even and np.unique(sample.stratum).size == 1 and sample.raking is None and sample.fraction is None
