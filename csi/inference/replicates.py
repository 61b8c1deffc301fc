"""Refitting a sample under a resampling plan, block by block, as one stack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from csi.estimate.estimate import Estimate, Factors, Replicates, Solution
from csi.inference.cell_means import means_of
from csi.inference.leave_out import STACKED, one_cell, quantity_acceleration, sliced
from csi.inference.nested import nested
from csi.inference.resample import BLOCK, Plan, Raked, Resampling, narrowed, windows
from csi.moments.pearson import cell_slices, cell_stack, interleaved, moments_under, side_by_side
from csi.moments.stack import Array, Ints, Moments, Sample

Flags = npt.NDArray[np.bool_]

Quantity = Callable[[Moments, Solution], Array]
"""A function of a stack: (Moments with m slices, Solution with m slices) -> array (m, ...)."""

KEEP_BYTES = 2**26
"""Replicate moments up to this size stay in memory; larger ones are formed again from the seed when needed."""

WORKERS = min(4, os.cpu_count() or 1)
"""Threads that refit cells; results do not depend on it."""

TOGETHER = 2
"""Blocks refitted in one task: fewer, longer array operations. Results do not depend on it."""


def replicates_of(
    est: Estimate,
    sample: Sample,
    plan: Resampling,
    progress: Callable[[int, int], None] | None = None,
    *,
    improper: str = "keep",
    factors: Factors | None = None,
    executor: Executor | None = None,
) -> Replicates:
    """Refit every cell under every block of the plan; keep the small arrays, replay the rest on demand.

    Cells and blocks are independent tasks shared out over the processor's cores; each gives the same bits wherever it
    runs. An executor takes blocks of a bootstrap with the rows and draws them itself.
    """
    again = partial(_again, plan, improper, factors)
    units, strata = _degrees(sample if isinstance(plan, Raked) else plan.seen(sample))
    sample = plan.seen(sample)
    c = sample.cells.height
    keep = plan.n * c * len(sample.names) ** 2 * 8 <= KEEP_BYTES
    kept: list[Moments] = []
    gathered: dict[str, list[Any]] = {}
    done = 0
    parts = _refits(est, sample, plan, keep=keep)
    if executor is not None and isinstance(plan, Plan):
        parts = _sent(executor, est, sample, plan, keep=keep)
    for part in parts:
        kept += [part.moments] if part.moments is not None else []
        for name in ("values", "solution", "cause", "improper", "mean", "sd"):
            gathered.setdefault(name, []).append(getattr(part, name))
        done += len(part.mean) // c
        if progress is not None:
            progress(done, plan.n)
    flags = gathered.pop("improper")
    wrong = {name: np.concatenate([f[name] for f in flags]).reshape(plan.n, c) for name in flags[0]}
    solution = _joined(gathered.pop("solution"), np.concatenate)
    values, mean, sd, cause = (
        np.concatenate(gathered.pop(name)).reshape(plan.n, c, -1) for name in ("values", "mean", "sd", "cause")
    )
    proper = ~np.any([*wrong.values(), np.zeros((plan.n, c), dtype=bool)], axis=0)
    usable = (cause[:, :, 0] == 0) & (units > 1) & (proper | (improper == "keep"))
    values[~usable] = np.nan
    return Replicates(
        n=plan.n,
        seed=plan.seed,
        kind=plan.kind,
        values=values,
        solution=solution,
        mean=mean,
        sd=sd,
        usable=usable,
        admissible=proper,
        counts=_counts(est, cause[:, :, 0], wrong),
        over=partial(_over, sample, plan, tuple(kept), solution, usable),
        acceleration=partial(quantity_acceleration, est, sample),
        units=units,
        strata=strata,
        improper=improper,
        factors=factors,
        nested=partial(nested, est, sample, plan, improper, WORKERS) if isinstance(plan, Plan) else None,
        again=again,
        means=partial(means_of, plan),
    )


def _again(plan: Resampling, improper: str, factors: Factors | None, est: Estimate, sample: Sample) -> Replicates:
    """The same plan for another estimate of the same rows."""
    return replicates_of(est, sample, plan, improper=improper, factors=factors)


def _refits(est: Estimate, sample: Sample, plan: Resampling, *, keep: bool) -> Iterator[_Part]:
    """All cells under one task's blocks after another, replicate-major."""
    c = sample.cells.height
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS if est.settings.threads else 1) as pool:
        upcoming = windows(narrowed(plan, sample), TOGETHER)
        while window := [*islice(upcoming, WORKERS)]:
            tasks = [(m, number, rows) for m in window for number, rows in enumerate(cell_slices(sample))]
            parts = list(pool.map(partial(_refit, est, sample, keep), *zip(*tasks, strict=True)))
            for first in range(0, len(parts), c):
                yield _side_by_side(parts[first : first + c], sample)


def _sent(executor: Executor, est: Estimate, sample: Sample, plan: Plan, *, keep: bool) -> Iterator[_Part]:
    """The same, each task's blocks by a process of an executor, wherever it runs."""
    light = replace(est, sample=None, moments=est.moments.without_rows(), replicates=None)
    firsts = range(0, -(-plan.n // BLOCK), TOGETHER)
    return iter(executor.map(partial(_blocks, light, sample, plan, keep), firsts))


def _blocks(est: Estimate, sample: Sample, plan: Plan, keep: bool, first: int) -> _Part:
    """All cells under the blocks of one task."""
    with threadpool_limits(1):
        _, multiplicity = next(plan.blocks(first, first + TOGETHER, TOGETHER))
        cells = enumerate(cell_slices(sample))
        return _side_by_side([_refit(est, sample, keep, multiplicity, number, rows) for number, rows in cells], sample)


@dataclass(frozen=True, slots=True)
class _Part:
    """What stays of refits: arrays with one row per slice; the moments only where they are small enough to keep."""

    values: Array
    solution: Solution
    cause: Ints
    improper: dict[str, Flags]
    mean: Array
    sd: Array
    moments: Moments | None


def _refit(est: Estimate, sample: Sample, keep: bool, multiplicity: Array, number: int, rows: slice) -> _Part:
    """One cell under one block of weightings, its scores pointing where the cell's own estimate points them."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample may leave an item without variance
        fit = est.settings.solve(est.model, cell_stack(sample, number, rows, multiplicity), one_cell(est, number))
    cause = fit.convergence.cause
    return _Part(
        values=fit.values,
        solution=replace(fit.solution, cross_loadings=None),
        cause=np.zeros(fit.values.shape[0], dtype=np.int64) if cause is None else cause,
        improper=dict(fit.convergence.improper),
        mean=fit.moments.mean,
        sd=fit.moments.sd,
        moments=fit.moments.without_rows() if keep else None,
    )


def _side_by_side(cells: list[_Part], sample: Sample) -> _Part:
    """The cells of one block as one part, replicate-major."""
    stacks = [p.moments for p in cells if p.moments is not None]
    return _Part(
        values=interleaved([p.values for p in cells]),
        solution=_joined([p.solution for p in cells], interleaved),
        cause=np.stack([p.cause for p in cells], axis=1).reshape(-1),
        improper={n: np.stack([p.improper[n] for p in cells], axis=1).reshape(-1) for n in cells[0].improper},
        mean=interleaved([p.mean for p in cells]),
        sd=interleaved([p.sd for p in cells]),
        moments=side_by_side(stacks, sample.cells) if stacks else None,
    )


def _over(
    sample: Sample, plan: Resampling, kept: tuple[Moments, ...], solution: Solution, usable: Flags, quantity: Quantity
) -> Array:
    """(B, b, ...) a quantity on every replicate; NaN where the replicate has no usable solution."""
    stored = iter(kept) if kept else (moments_under(sample, m) for m in windows(narrowed(plan, sample), 1))
    parts, start = [], 0
    for moments in stored:
        stop = start + moments.n.size
        parts.append(quantity(moments, sliced(solution, slice(start, stop))))
        start = stop
    joined = np.concatenate(parts).astype(np.float64)
    values = joined.reshape(plan.n, sample.cells.height, *joined.shape[1:])
    values[~usable] = np.nan
    return values


def _joined(parts: list[Solution], join: Callable[[list[Array]], Array]) -> Solution:
    """One solution from several."""
    present = [name for name in STACKED if getattr(parts[0], name) is not None]
    arrays: dict[str, Any] = {name: join([getattr(part, name) for part in parts]) for name in present}
    return replace(parts[0], **arrays)


def _degrees(sample: Sample) -> tuple[Ints, Ints]:
    """Units and strata behind each cell."""
    units = [np.unique(sample.unit[rows]) for rows in cell_slices(sample)]
    strata = [np.unique(sample.stratum[u]).size for u in units]
    return np.array([u.size for u in units], dtype=np.int64), np.array(strata, dtype=np.int64)


def _counts(est: Estimate, cause: Ints, improper: dict[str, Flags]) -> pl.DataFrame:
    """How many replicates of each cell ended how (columns: cell, cause, replicates); improper ones may count twice."""
    ends = {name: cause == code for code, name in enumerate(est.settings.causes) if code}
    ends |= {name: flags & (cause == 0) for name, flags in improper.items()}
    rows = [
        {"cell": cell, "cause": name, "replicates": int(flags[:, cell].sum())}
        for name, flags in ends.items()
        for cell in range(cause.shape[1])
    ]
    frame = pl.DataFrame(rows, schema={"cell": pl.Int64, "cause": pl.String, "replicates": pl.Int64})
    return frame.filter(pl.col("replicates") > 0)
