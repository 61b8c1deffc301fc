"""Weighted means of a sample's columns in every cell, under any resampling plan."""

from __future__ import annotations

import numpy as np

from csi.inference.resample import Resampling
from csi.moments.pearson import cell_slices
from csi.moments.stack import Array, Sample


def cell_means(sample: Sample, multiplicity: Array) -> Array:
    """(B, c, p) weighted item means of every cell for every replicate, over the answers there are.

    Parameters:
        multiplicity: (B, units) how often each unit counts.
    """
    means = []
    for rows in cell_slices(sample):
        W = multiplicity[:, sample.unit[rows]] * sample.weight[rows]
        answers = sample.rows[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            means.append((W @ np.nan_to_num(answers)) / (W @ np.isfinite(answers).astype(np.float64)))
    return np.stack(means, axis=1)


def means_of(plan: Resampling, sample: Sample) -> Array:
    """(B, c, p) weighted means of every cell of rows that the plan resamples, whatever their columns.

    Example:
        >>> from csi.inference.resample import Drawn
        >>> from csi.moments.sample import sample_of
        >>> import polars as pl
        >>> sample = sample_of(pl.DataFrame({"a": [1.0, 4.0]}), ["a"])
        >>> means_of(Drawn(np.array([[1.0, 1.0], [2.0, 0.0]])), sample).ravel().tolist()
        [2.5, 1.0]
    """
    seen = plan.seen(sample)
    return np.concatenate([cell_means(seen, multiplicity) for _, multiplicity in plan.blocks()])
