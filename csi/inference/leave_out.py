"""Fits without each unit: what the acceleration of a BCa interval asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from csi.estimate.estimate import Estimate, Solution
from csi.estimate.later import known
from csi.inference.draws import acceleration
from csi.moments.pearson import cell_slices, weighted_cell
from csi.moments.stack import Array, Moments, Sample

STACKED = (
    "weights",
    "loadings",
    "cross_loadings",
    "paths",
    "r2",
    "construct_cor",
    "rho",
    "proxy_cor",
    "part_weights",
    "part_loadings",
    "wide_weights",
    "spread",
)
"""The array fields of `Solution` with a leading slice axis."""


def leave_one_out(est: Estimate, sample: Sample) -> Iterator[Estimate | None]:
    """For each cell, the stack of its fits without each of its units; None where it has fewer than three units."""
    for number, rows in enumerate(cell_slices(sample)):
        units, position = np.unique(sample.unit[rows], return_inverse=True)
        if units.size < 3:
            yield None
            continue
        W = (1.0 - np.eye(units.size))[:, position] * sample.weight[rows]
        yield est.settings.solve(est.model, weighted_cell(sample, number, rows, W), one_cell(est, number))


def parameter_acceleration(est: Estimate, sample: Sample) -> Array:
    """(b, k) jackknife acceleration of the parameters."""
    return measured_acceleration(est, sample, lambda fit: fit.values)


def measured_acceleration(est: Estimate, sample: Sample, measure: Callable[[Estimate], Array]) -> Array:
    """(b, ...) jackknife acceleration of a measure of fits, leaving out one unit at a time within each cell."""
    point = measure(est)
    lefts = enumerate(leave_one_out(est, sample))
    return np.stack([np.zeros_like(point[i]) if left is None else acceleration(measure(left)) for i, left in lefts])


def quantity_acceleration(est: Estimate, sample: Sample, quantity: Callable[[Moments, Solution], Array]) -> Array:
    """(b, ...) jackknife acceleration of a quantity, leaving out one unit at a time within each cell."""
    point = quantity(est.moments, est.solution)
    values = [
        np.zeros_like(point[number]) if left is None else acceleration(quantity(left.moments, left.solution))
        for number, left in enumerate(leave_one_out(est, sample))
    ]
    return np.stack(values)


def one_cell(est: Estimate, number: int) -> Estimate:
    """The estimate with the solution of one cell alone."""
    return replace(est, solved=known(sliced(est.solution, slice(number, number + 1))))


def sliced(solution: Solution, rows: slice) -> Solution:
    """Some slices of a solution."""
    arrays: dict[str, Any] = {
        name: getattr(solution, name)[rows] for name in STACKED if getattr(solution, name) is not None
    }
    return replace(solution, **arrays)
