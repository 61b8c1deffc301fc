"""One resampling plan per panel, keyed by respondent or cluster, shared by all cells.

The plan depends on the units, their strata, the seed and the kind alone: regrouping or selecting cells of the same
sample leaves every unit's multiplicity as it is, so cells, pooled groups and a base wave move together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.errors import Problems, problem
from csi.estimate.estimate import Estimate
from csi.moments.design import GRID
from csi.moments.stack import Array, Ints, Sample

BLOCK = 250
"""Replicates drawn together from one child seed; fixed, because it is part of what a seed means."""

Kind = Literal["multinomial", "bayesian"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How units are weighted in each of `n` replicates.

    Attributes:
        stratum: (units,) stratum of each unit. n, seed, kind.
    """

    stratum: Ints
    n: int
    seed: int
    kind: Kind = "multinomial"

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block."""
        order = np.argsort(self.stratum, kind="stable")
        sizes = np.bincount(self.stratum)[np.unique(self.stratum)]
        for number, start in enumerate(range(0, self.n, BLOCK)):
            count = min(BLOCK, self.n - start)
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, number])))
            drawn = np.empty((BLOCK, self.stratum.size))
            drawn[:, order] = _bayesian(rng, sizes) if self.kind == "bayesian" else _multinomial(rng, sizes)
            yield start, drawn[:count]


def rows_behind(est: Estimate) -> Sample:
    """The rows an estimate was fitted from.

    Raises:
        Problems: it was fitted from moments alone.
    """
    if est.sample is not None:
        return est.sample
    en = "a bootstrap needs the rows; this estimate was fitted from moments alone."
    zh = "自助法需要原始数据行，而该估计仅由矩得到。"
    do, do_zh = "Fit it from a panel or a frame.", "请用面板或数据框拟合。"
    raise Problems([problem("E-ROWS", "estimate", en, zh, do, do_zh)])


def plan_of(sample: Sample, n: int, seed: int, kind: Kind = "multinomial") -> Plan:
    """The plan of a sample.

    "multinomial" draws n_h - 1 of a stratum's n_h units with replacement and rescales by n_h / (n_h - 1); "bayesian"
    gives them n_h Dirichlet weights with concentration (n_h - 2) / n_h each. Either way a weight has mean 1 and
    variance 1, so that the replicates of a mean have the design's variance s^2 / n_h, for two units as for thousands.

    Source: Rao & Wu (1988), JASA 83:231-241; Rubin (1981) and Rust & Rao (1996) for general weights.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> plan = plan_of(sample_of(pl.DataFrame({"q": [1, 2, 3]}), ["q"]), n=10, seed=1)
        >>> [round(float(m.sum(axis=1).max()), 5) for _, m in plan.blocks()]
        [3.0]
    """
    return Plan(sample.stratum, n, seed, kind)


def _multinomial(rng: np.random.Generator, sizes: Ints) -> Array:
    """(BLOCK, units) rescaled counts of n_h - 1 draws within each stratum (units sorted by stratum)."""
    parts = []
    for size in sizes.tolist():
        if size == 1:
            parts.append(np.ones((BLOCK, 1)))
            continue
        picks = rng.integers(0, size, size=(BLOCK, size - 1)) + size * np.arange(BLOCK)[:, None]
        counts = np.bincount(picks.ravel(), minlength=BLOCK * size).reshape(BLOCK, size)
        parts.append(_on_grid(counts * (size / (size - 1))))
    return np.concatenate(parts, axis=1)


def _bayesian(rng: np.random.Generator, sizes: Ints) -> Array:
    """(BLOCK, units) Dirichlet weights with mean 1 and variance 1 within each stratum."""
    parts = []
    for size in sizes.tolist():
        if size < 3:  # concentration 0: all weight on one unit, as the multinomial draws it
            parts.append(_multinomial(rng, np.array([size])))
            continue
        drawn = rng.standard_gamma((size - 2) / size, (BLOCK, size))
        parts.append(_on_grid(drawn / drawn.mean(axis=1, keepdims=True)))
    return np.concatenate(parts, axis=1)


def _on_grid(weights: Array) -> Array:
    return np.round(weights * GRID) / GRID
