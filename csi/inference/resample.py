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
from csi.moments.sample import GRID
from csi.moments.stack import Array, Ints, Sample

BLOCK = 250
"""Replicates drawn together from one child seed; fixed, because it is part of what a seed means."""

Kind = Literal["multinomial", "bayesian"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How units are weighted in each of `n` replicates.

    Attributes:
        stratum: (units,) stratum of each unit. n, seed, kind. rao_wu: draw n_h - 1 units of each stratum and rescale.
    """

    stratum: Ints
    n: int
    seed: int
    kind: Kind = "multinomial"
    rao_wu: bool = False

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """First replicate and (B_block, units) multiplicities of each block."""
        order = np.argsort(self.stratum, kind="stable")
        sizes = np.bincount(self.stratum)[np.unique(self.stratum)]
        for number, start in enumerate(range(0, self.n, BLOCK)):
            count = min(BLOCK, self.n - start)
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, number])))
            drawn = np.empty((BLOCK, self.stratum.size))
            drawn[:, order] = (
                _bayesian(rng, sizes) if self.kind == "bayesian" else _multinomial(rng, sizes, self.rao_wu)
            )
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
    """The plan of a sample: Rao and Wu's rescaling where strata or clusters were declared, plain resampling else.

    Source: Efron (1979); Rao & Wu (1988) for declared designs; Rubin (1981) for the Bayesian bootstrap.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> plan = plan_of(sample_of(pl.DataFrame({"q": [1, 2, 3]}), ["q"]), n=10, seed=1)
        >>> [m.sum(axis=1).max() for _, m in plan.blocks()] == [3.0]
        True
    """
    return Plan(sample.stratum, n, seed, kind, sample.designed and kind == "multinomial")


def _multinomial(rng: np.random.Generator, sizes: Ints, rao_wu: bool) -> Array:
    """(BLOCK, units) counts, drawn with replacement within each stratum (units sorted by stratum)."""
    parts = []
    for size in sizes.tolist():
        draws = size - 1 if rao_wu else size
        if size == 1 or draws == 0:
            parts.append(np.ones((BLOCK, size)))
            continue
        picks = rng.integers(0, size, size=(BLOCK, draws)) + size * np.arange(BLOCK)[:, None]
        counts = np.bincount(picks.ravel(), minlength=BLOCK * size).reshape(BLOCK, size).astype(np.float64)
        parts.append(np.round(counts * (size / draws) * GRID) / GRID if rao_wu else counts)
    return np.concatenate(parts, axis=1)


def _bayesian(rng: np.random.Generator, sizes: Ints) -> Array:
    """(BLOCK, units) Dirichlet weights with mean 1 within each stratum, on the grid of exact sums."""
    parts = []
    for size in sizes.tolist():
        drawn = rng.standard_exponential((BLOCK, size))
        parts.append(np.round(drawn / drawn.mean(axis=1, keepdims=True) * GRID) / GRID)
    return np.concatenate(parts, axis=1)
