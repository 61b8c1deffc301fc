"""Moves between stages from one wave to the next: shares of each row with intervals, counted or by the design.

Letters: `n` moves (a customer seen in two successive waves), `s` stages, `u` units, `T` pairs of waves.

    p_ij = sum of weights of moves i -> j / sum of weights of moves from i        (ML where weights are equal)

The interval of a share is Wilson's. Without weights, clusters or repeated customers it takes the moves and z; else the
effective number p (1 - p) / var (linearised; at most the moves) and t with the design's degrees of freedom.

Source:
    Anderson & Goodman (1957), Annals of Mathematical Statistics 28, 89-110 (ML of transition probabilities); Wilson
    (1927), JASA 22, 209-212; effective numbers: Korn & Graubard (1998), Survey Methodology 24, 193-201.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.inference.linearised import critical, means
from csi.moments.stack import Array, Ints

DESIGN = ("weight", "cluster", "stratum", "respondent", "brand")
"""Columns of the design that a move keeps, those of its first wave."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Customers seen in two successive waves.

    Attributes:
        pair: (n,) which pair of waves. origin, goal: (n,) stages. weight: (n,) of the first of both waves. unit: (n,)
            cluster or respondent. stratum: (u,) of each unit.
    """

    pair: Ints
    origin: Ints
    goal: Ints
    weight: Array
    unit: Ints
    stratum: Ints

    @property
    def plain(self) -> bool:
        """Whether every customer is drawn alone and counts alike (they may move several times)."""
        alone = np.unique(np.stack([self.pair, self.unit]), axis=1).shape[1] == self.pair.size
        return bool(alone and np.ptp(self.weight) == 0 and np.ptp(self.stratum) == 0) if self.pair.size else True

    def of(self, chosen: np.ndarray) -> Moves:
        """The moves chosen by a mask or places."""
        kept = (self.pair[chosen], self.origin[chosen], self.goal[chosen], self.weight[chosen], self.unit[chosen])
        return Moves(*kept, self.stratum)


def moves_of(frame: pl.DataFrame, waves: Sequence[str], stages: Sequence[str]) -> Moves:
    """Every customer of a wave who is there in the next.

    Parameters:
        frame: wave, stage, respondent, perhaps brand, weight, cluster, stratum; a customer once in a wave. waves:
            oldest first. stages: in their order.

    Example:
        >>> rows = {"respondent": ["a", "b", "a", "b"], "wave": ["1", "1", "2", "2"], "stage": ["x", "x", "x", "y"]}
        >>> found = moves_of(pl.DataFrame(rows), ["1", "2"], ["x", "y"])
        >>> found.origin.tolist(), found.goal.tolist()
        ([0, 0], [0, 1])
    """
    who = [c for c in ("respondent", "brand") if c in frame.columns]
    kept = frame.select(c for c in ("wave", "stage", *DESIGN) if c in frame.columns)
    parts = []
    for k, (first, second) in enumerate(pairwise(waves)):
        later = kept.filter(wave=second).select(*who, pl.col("stage").alias("goal"))
        both = kept.filter(wave=first).join(later, on=who, how="inner", maintain_order="left")
        parts.append(both.with_columns(pl.lit(k).alias("pair")))
    every = pl.concat(parts) if parts else kept.clear().with_columns(goal=pl.lit(""), pair=pl.lit(0))
    weight, unit, stratum = design_of(every)
    code = {s: i for i, s in enumerate(stages)}
    origin, goal = (np.array([code[v] for v in every[c]], dtype=np.int64) for c in ("stage", "goal"))
    return Moves(every["pair"].to_numpy().astype(np.int64), origin, goal, weight, unit, stratum)


def design_of(frame: pl.DataFrame) -> tuple[Array, Ints, Ints]:
    """Weights (mean 1), units (the cluster within its stratum, else the respondent, else the row), strata of units."""
    n = frame.height
    weight = frame["weight"].to_numpy().astype(np.float64) if "weight" in frame.columns else np.ones(n)
    names: list[str] = [
        c for c in ("stratum", "cluster" if "cluster" in frame.columns else "respondent") if c in frame.columns
    ]
    if names[-1:] not in (["cluster"], ["respondent"]):
        frame, names = frame.with_row_index("_row"), [*names, "_row"]
    text = [pl.col(c).cast(pl.String).fill_null("") for c in names]
    unit = _ranked(frame.select(pl.concat_str(text, separator="\x1f")).to_series())
    stratum = _ranked(frame["stratum"].cast(pl.String).fill_null("")) if "stratum" in frame.columns else unit * 0
    first = np.unique(unit, return_index=True)[1]
    return weight / weight.mean() if n else weight, unit, stratum[first]


def _ranked(values: pl.Series) -> Ints:
    """The rank of each value among the distinct ones."""
    return np.asarray(np.unique(values.to_numpy().astype(str), return_inverse=True)[1], dtype=np.int64).reshape(-1)


def flags_of(codes: Ints, count: int) -> Array:
    """(n, s) 1 where a row is of a stage."""
    return np.asarray(codes[:, None] == np.arange(count), dtype=np.float64)


def counts_of(moves: Moves, pairs: int, stages: int) -> Ints:
    """(T, s, s) customers by pair of waves, origin and goal."""
    table = np.zeros((pairs, stages, stages), dtype=np.int64)
    np.add.at(table, (moves.pair, moves.origin, moves.goal), 1)
    return table


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of some rows by stage: (s,) each; NaN limits where the design gives no degrees of freedom."""

    count: Ints
    share: Array
    std_error: Array
    low: Array
    high: Array


def shares(flags: Array, weight: Array, unit: Ints, stratum: Ints, level: float) -> Shares:
    """Weighted shares with Wilson intervals.

    Parameters:
        flags: (n, s) of 0 and 1. weight: (n,). unit: (n,). stratum: (u,).

    Example:
        >>> flags = flags_of(np.repeat([0, 1], [8, 2]), 2)
        >>> found = shares(flags, np.ones(10), np.arange(10), np.zeros(10, dtype=np.int64), 0.95)
        >>> found.low.round(4).tolist(), found.high.round(4).tolist()
        ([0.4902, 0.0567], [0.9433, 0.5098])
    """
    n, s = flags.shape
    counts = flags.sum(axis=0).astype(np.int64)
    if not n:
        nothing = np.full(s, np.nan)
        return Shares(counts, nothing, nothing, nothing, nothing)
    found = means(flags, weight, unit, stratum)
    alone = n > 1 and bool(found.df[0] == n - 1) and bool(np.ptp(weight) == 0)
    error = found.std_error * np.sqrt((n - 1) / n) if alone else found.std_error
    point = np.full(s, ndtri(0.5 + level / 2)) if alone else critical(level, found.df)
    low, high = wilson(found.mean, np.full(s, float(n)) if alone else effective(found.mean, error, weight), point)
    return Shares(counts, found.mean, error, low, high)


def effective(share: Array, error: Array, weight: Array) -> Array:
    """(s,) answers of a simple random sample with the same errors, at most as many as there are.

    Shares of 0 and 1, whose linearised error is 0, take the design effect of the row's other shares together (Kish's
    where there are none).
    """
    plain = share * (1 - share)
    n = float(weight.size)
    kish = float(weight.sum() ** 2 / (weight**2).sum())
    whole = plain.sum() / np.square(error).sum() if np.square(error).sum() > 0 else kish
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where((plain > 0) & (error > 0), plain / np.square(error), whole)
    return np.minimum(own, n)


def wilson(share: Array, size: Array, point: Array) -> tuple[Array, Array]:
    """Wilson's limits of shares.

    Example:
        >>> low, high = wilson(np.array([0.0, 0.5]), np.array([10.0, 100.0]), np.array([1.959964, 1.959964]))
        >>> low.round(4).tolist(), high.round(4).tolist()
        ([0.0, 0.4038], [0.2775, 0.5962])
    """
    square = point**2 / size
    centre = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    low, high = np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)
    return np.where(share <= 0, 0.0 * point, low), np.where(share >= 1, 1.0 + 0.0 * point, high)
