"""Refitting a sample under a resampling plan, block by block, as one stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.estimate.estimate import Estimate, Replicates, Solution
from csi.inference.intervals import acceleration
from csi.inference.resample import Plan
from csi.moments.pearson import cell_moments, cell_slices, moments_under
from csi.moments.stack import Array, Ints, Moments, Sample

Flags = npt.NDArray[np.bool_]

Quantity = Callable[[Moments, Solution], Array]
"""A function of a stack: (Moments with m slices, Solution with m slices) -> array (m, ...)."""

KEEP_BYTES = 2**26
"""Replicate moments up to this size stay in memory; larger ones are formed again from the seed when needed."""

_STACKED = ("weights", "loadings", "cross_loadings", "paths", "r2", "construct_cor")


def replicates_of(
    est: Estimate, sample: Sample, plan: Plan, progress: Callable[[int, int], None] | None = None
) -> Replicates:
    """Refit every block of the plan; keep the arrays that are small, replay the rest on demand."""
    c = sample.cells.height
    keep = plan.n * c * len(sample.names) ** 2 * 8 <= KEEP_BYTES
    kept: list[Moments] = []
    fits: list[Estimate] = []
    for start, multiplicity in plan.blocks():
        fit = est.settings.solve(est.model, moments_under(sample, multiplicity), est)
        if keep:
            kept.append(fit.moments)
        fits.append(_slim(fit))
        if progress is not None:
            progress(start + multiplicity.shape[0], plan.n)
    solution = _joined([f.solution for f in fits])
    cause = np.concatenate([_cause(f) for f in fits]).reshape(plan.n, c)
    units, strata = _degrees(sample)
    usable = (cause == 0) & (units > 1)
    admissible = _admissible(solution).reshape(plan.n, c)
    values, mean, sd = (
        np.concatenate(arrays).reshape(plan.n, c, -1)
        for arrays in ([f.values for f in fits], [f.moments.mean for f in fits], [f.extra["sd"] for f in fits])
    )
    return Replicates(
        n=plan.n,
        seed=plan.seed,
        kind=plan.kind,
        values=np.where(usable[:, :, None], values, np.nan),
        solution=solution,
        mean=mean,
        sd=sd,
        usable=usable,
        admissible=admissible,
        counts=_counts(est, cause, admissible),
        over=partial(_over, sample, plan, tuple(kept), solution, usable),
        acceleration=partial(_acceleration, est, sample),
        units=units,
        strata=strata,
    )


def leave_one_out(est: Estimate, sample: Sample) -> Iterator[tuple[Moments, Solution] | None]:
    """For each cell, the stack of its fits without each of its units; None where it has fewer than three units."""
    for number, rows in enumerate(cell_slices(sample)):
        units, position = np.unique(sample.unit[rows], return_inverse=True)
        if units.size < 3:
            yield None
            continue
        W = (1.0 - np.eye(units.size))[:, position] * sample.weight[rows]
        n, sum_w, sum_w2, mean, cov = cell_moments(sample.rows[rows], W, sample.missing)
        cell = sample.cells[number : number + 1]
        moments = replace(est.moments, n=n, sum_w=sum_w, sum_w2=sum_w2, mean=mean, cov=cov, cells=cell)
        yield moments, est.settings.solve(est.model, moments, est).solution


def _slim(fit: Estimate) -> Estimate:
    """A replicate block without its large arrays."""
    moments = replace(fit.moments, cov=np.empty((0, 0, 0)))
    return replace(
        fit, moments=moments, solution=replace(fit.solution, cross_loadings=None), extra={"sd": fit.moments.sd}
    )


def _cause(fit: Estimate) -> Ints:
    cause = fit.convergence.cause
    return np.zeros(fit.values.shape[0], dtype=np.int64) if cause is None else cause


def _admissible(solution: Solution) -> Flags:
    """True where no outer weight is negative."""
    if solution.weights is None:
        return np.ones(solution.paths.shape[0], dtype=bool)
    admissible: Flags = ~np.any(solution.weights < 0, axis=1)
    return admissible


def _over(
    sample: Sample, plan: Plan, kept: tuple[Moments, ...], solution: Solution, usable: Flags, quantity: Quantity
) -> Array:
    """(B, b, ...) a quantity on every replicate; NaN where the replicate has no usable solution."""
    stored = iter(kept) if kept else (moments_under(sample, m) for _, m in plan.blocks())
    parts, start = [], 0
    for moments in stored:
        stop = start + moments.n.size
        parts.append(quantity(moments, _sliced(solution, slice(start, stop))))
        start = stop
    joined = np.concatenate(parts).astype(np.float64)
    values = joined.reshape(plan.n, sample.cells.height, *joined.shape[1:])
    values[~usable] = np.nan
    return values


def _acceleration(est: Estimate, sample: Sample, quantity: Quantity) -> Array:
    """(b, ...) jackknife acceleration of a quantity, leaving out one unit at a time within each cell."""
    point = quantity(est.moments, est.solution)
    values = [
        np.zeros_like(point[number]) if left is None else acceleration(quantity(*left))
        for number, left in enumerate(leave_one_out(est, sample))
    ]
    return np.stack(values)


def _joined(parts: list[Solution]) -> Solution:
    """One solution from the solutions of the blocks."""
    present = [name for name in _STACKED if getattr(parts[0], name) is not None]
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in present}
    return replace(parts[0], **arrays)


def _sliced(solution: Solution, rows: slice) -> Solution:
    """Some slices of a solution."""
    arrays: dict[str, Any] = {
        name: getattr(solution, name)[rows] for name in _STACKED if getattr(solution, name) is not None
    }
    return replace(solution, **arrays)


def _degrees(sample: Sample) -> tuple[Ints, Ints]:
    """Units and strata behind each cell."""
    units = [np.unique(sample.unit[rows]) for rows in cell_slices(sample)]
    strata = [np.unique(sample.stratum[u]).size for u in units]
    return np.array([u.size for u in units], dtype=np.int64), np.array(strata, dtype=np.int64)


def _counts(est: Estimate, cause: Ints, admissible: Flags) -> pl.DataFrame:
    """How many replicates of each cell ended how (columns: cell, cause, replicates)."""
    rows = [
        {"cell": cell, "cause": name, "replicates": int((cause[:, cell] == code).sum())}
        for cell in range(cause.shape[1])
        for code, name in enumerate(est.settings.causes)
        if code
    ]
    negative = (~admissible & (cause == 0)).sum(axis=0)
    rows += [{"cell": i, "cause": "negative weight", "replicates": int(k)} for i, k in enumerate(negative)]
    frame = pl.DataFrame(rows, schema={"cell": pl.Int64, "cause": pl.String, "replicates": pl.Int64})
    return frame.filter(pl.col("replicates") > 0)
