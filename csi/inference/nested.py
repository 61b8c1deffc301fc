"""Resampling the resamples: the standard error of each replicate, and how far its own resamples lie from the estimate.

Letters: `B` replicates, `M` resamples of each, `b` cells, `u` units. Only two numbers per replicate and quantity stay.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from scipy.special import ndtr
from threadpoolctl import threadpool_limits

from csi.estimate.estimate import Estimate
from csi.inference.draws import shares_at, standard_error
from csi.inference.leave_out import one_cell
from csi.inference.resample import Plan
from csi.moments.pearson import cell_slices, cell_stack
from csi.moments.stack import Array, Sample

INNER = 50
"""Resamples of each replicate: the standard error of a replicate is then known within about 10 %."""

SLICES = 500
"""Refits of one cell in one call. Results do not depend on it."""

CELLS = 2**22
"""Multiplicities held at a time in each thread."""

Measure = Callable[[Estimate], Array]
"""A stack of fits -> (m, ...)."""


def nested(
    est: Estimate, sample: Sample, plan: Plan, improper: str, workers: int, measure: Measure, value: Array
) -> tuple[Array, Array]:
    """Standard error of each replicate, and the share of its own resamples below the value: (B, b, ...) each.

    Every replicate is resampled `INNER` times by the plan's own rule, as if it were the data, and refitted. Standard
    errors are raised by sqrt((M - 1) / (M - 3)), so that what is divided by them has the variance that it would have if
    they were known exactly.

    Parameters:
        est, sample, plan: what was resampled and how. improper: "drop" leaves improper solutions out here too.
        workers: threads. measure: what to compute of every fit. value: (b, ...) the measure of the estimate.

    Source: Efron & Tibshirani (1993), 12.5; Beran (1987), Biometrika 74:457-468; Davison & Hinkley (1997), 5.6.
    """
    together = max(1, min(SLICES // INNER, CELLS // (INNER * sample.stratum.size)))
    one = partial(_resampled, est, sample, plan, improper, measure, value)
    found: list[tuple[Array, Array]] = []
    with threadpool_limits(1), ThreadPoolExecutor(workers if est.settings.threads else 1) as pool:
        for start, drawn in plan.blocks():
            firsts = range(0, len(drawn), together)
            numbers, few = [start + f for f in firsts], [drawn[f : f + together] for f in firsts]
            found += pool.map(one, numbers, few)
    errors, ranks = zip(*found, strict=True)
    return np.concatenate(errors), np.concatenate(ranks)


def _resampled(
    est: Estimate,
    sample: Sample,
    plan: Plan,
    improper: str,
    measure: Measure,
    value: Array,
    first: int,
    drawn: Array,
) -> tuple[Array, Array]:
    """The two numbers for a few replicates."""
    again = np.concatenate([plan.within(first + i, weights, INNER) for i, weights in enumerate(drawn)])
    errors, ranks = [], []
    for number, rows in enumerate(cell_slices(sample)):
        with np.errstate(divide="ignore", invalid="ignore"):  # a resample may leave an item without variance
            fit = est.settings.solve(est.model, cell_stack(sample, number, rows, again), one_cell(est, number))
            values = measure(fit).astype(np.float64)
        values[_useless(fit, improper)] = np.nan
        own = np.moveaxis(values.reshape(len(drawn), INNER, *values.shape[1:]), 1, 0)
        error = standard_error(own)
        errors.append(error * widened(own))
        ranks.append(rank(own, value[number], error))
    return np.stack(errors, axis=1), np.stack(ranks, axis=1)


def widened(own: Array) -> Array:
    """sqrt((M - 1) / (M - 3)): what is divided by a standard error of M draws spreads as Student's t with M - 1 df."""
    count = np.maximum(np.isfinite(own).sum(axis=0), 4)
    widened: Array = np.sqrt((count - 1) / (count - 3))
    return widened


def rank(own: Array, value: Array, error: Array) -> Array:
    """The share of M draws below a value, uniform where the value is as likely in any gap as in another.

    (k + f) / (M + 1) between the k-th and the next draw, f how far into the gap; beyond all draws the normal tail,
    where it is smaller than 1 / (M + 1).

    Parameters:
        own: (M, ...) draws, NaN left out. value: the value, of a shape that fits. error: (...) the draws' deviation.

    Example:
        >>> rank(np.array([[1.0], [2.0], [4.0]]), np.array([3.0]), np.array([1.5])).tolist()
        [0.625]
    """
    count = np.isfinite(own).sum(axis=0)
    at = np.broadcast_to(value, own.shape[1:])
    low, high = shares_at(np.sort(own, axis=0), at)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = (0.5 * (low + high) * (count - 1) + 1) / (count + 1)
        tail = ndtr((at - np.nansum(own, axis=0) / count) / error)
    least = 1 / (count + 1)
    below, above = (own < at).sum(axis=0), (own > at).sum(axis=0)
    found = np.where(
        above == count, np.minimum(least, tail), np.where(below == count, np.maximum(1 - least, tail), inside)
    )
    return np.where(count > 1, found, np.nan)


def _useless(fit: Estimate, improper: str) -> Array:
    """(m,) True for fits without a solution, and for improper ones where these are dropped."""
    cause = fit.convergence.cause
    lost = np.zeros(len(fit.values), dtype=bool) if cause is None else cause != 0
    if improper == "drop":
        for flags in fit.convergence.improper.values():
            lost |= flags
    return lost
