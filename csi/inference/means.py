"""Replicates of item means alone: all an index needs of a cell whose outer weights come from other cells."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from csi.errors import Problems, problem
from csi.estimate.estimate import Estimate, Replicates
from csi.inference.cell_means import means_of
from csi.inference.replicates import replicates_of
from csi.inference.resample import Kind, Resampling, resampling_of, rows_behind
from csi.moments.pearson import cell_slices
from csi.moments.stack import Array, Ints


def bootstrap_means(
    est: Estimate, n: int = 1000, seed: int = 1, *, resampling: Kind = "multinomial", level: float = 0.95
) -> Estimate:
    """The same estimate with replicates of its item means and no refits.

    The resampling plan is that of `bootstrap`, replicate by replicate, so an index with weights anchored to a base wave
    has the same replicates from either; cells that are only averaged are not fitted again.

    Parameters:
        est: an estimate fitted from rows. n: resamples. seed, resampling, level: as in `bootstrap`.

    Returns:
        Estimate whose `replicates` hold `mean`; parameters have no standard errors.

    Raises:
        Problems: the estimate has no rows to resample.

    Example:
        >>> import polars as pl
        >>> from csi.estimate.fit import fit
        >>> from csi.models.model import Construct, Model, Path, Term
        >>> from csi.pls.estimator import PLS
        >>> x, y = (Construct(c, "=~", (Term(c + "1"),)) for c in "xy")
        >>> frame = pl.DataFrame({"x1": [1, 2, 3, 4, 5], "y1": [1, 3, 2, 4, 5]})
        >>> est = fit(Model((x, y), (Path("y", Term("x")),)), frame, PLS())
        >>> bootstrap_means(est, n=200).replicates.mean.shape
        (200, 1, 2)
    """
    return replace(means_under(est, resampling_of(rows_behind(est), n, seed, resampling)), level=level)


def means_under(est: Estimate, plan: Resampling) -> Estimate:
    """The same estimate with replicates of its item means under any plan; groups of its cells are refitted by it.

    Parameters:
        est: an estimate fitted from rows. plan: how often each unit counts.

    Raises:
        Problems: the estimate has no rows to resample.
    """
    sample = rows_behind(est)
    mean = means_of(plan, sample)
    cells, always = sample.cells.height, np.ones((plan.n, sample.cells.height), dtype=np.bool_)
    units = [np.unique(sample.unit[rows]) for rows in cell_slices(sample)]
    replicates = Replicates(
        n=plan.n,
        seed=plan.seed,
        kind=plan.kind,
        values=np.full((plan.n, cells, est.values.shape[1]), np.nan),
        solution=est.solution,
        mean=mean,
        sd=np.full(mean.shape, np.nan),
        usable=always,
        admissible=always,
        counts=pl.DataFrame(schema={"cell": pl.Int64, "cause": pl.String, "replicates": pl.Int64}),
        over=_refuse,
        acceleration=_refuse,
        units=_sizes(units),
        strata=_sizes([np.unique(sample.stratum[u]) for u in units]),
        again=lambda other, rows: replicates_of(other, rows, plan),
        means=partial(means_of, plan),
    )
    return replace(est, replicates=replicates)


def _sizes(sets: list[Ints]) -> Ints:
    return np.array([s.size for s in sets], dtype=np.int64)


def _refuse(_: object) -> Array:
    """Nothing was refitted, so no other quantity has replicates."""
    en = "these replicates hold item means only; nothing was refitted."
    zh = "这些重抽样只保存题项均值，未重新估计模型。"
    do, do_zh = "Use csi.bootstrap(est) for other quantities.", "其他统计量请使用 csi.bootstrap(est)。"
    raise Problems([problem("E-BOOT", "estimate", en, zh, do, do_zh)])
