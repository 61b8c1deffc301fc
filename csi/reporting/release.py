"""One release, one family of tests: Holm's correction over the changes a report prints, and intervals that agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from scipy import special

from csi.errors import note
from csi.moments.stack import Array
from csi.tracking.changes import Changes
from csi.tracking.contrasts import holm


def holm_within_waves(changes: Changes) -> Changes:
    """The same changes with `p_holm`, `significant` and `half_width` over the tests of each wave in the table.

    `half_width = t_{1 - a/2, df} SE` with a the level of the test's own Holm step: |change| > half_width exactly where
    the change is significant.

    Parameters:
        changes: the changes that are printed, and no others.

    Returns:
        Changes with a column `half_width`; its family is the table's rows of one wave.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    parts = [_corrected(part, changes.level) for part in changes.table.partition_by("wave", maintain_order=True)]
    if not parts:
        return replace(changes, table=changes.table.with_columns(half_width=pl.lit(None, pl.Float64)))
    table = pl.concat(parts)
    size = max(part["p_value"].count() for part in parts)
    en = f"Holm's correction counts the changes printed for one wave together (at most {size})."
    family = note("N-FAMILY", en, f"Holm 校正以同一期公布的变化为一族（最多 {size} 个）。")
    kept = [n for n in changes.notes if n.code != "N-FAMILY"]
    return replace(changes, table=table, notes=(family, *kept))


def _corrected(part: pl.DataFrame, level: float) -> pl.DataFrame:
    """One wave's family."""
    p, se, df = (part[c].fill_null(float("nan")).to_numpy() for c in ("p_value", "std_error", "df"))
    alpha = step_levels(p, 1.0 - level)
    half = special.stdtrit(df, 1.0 - alpha / 2.0) * se
    columns = {"p_holm": holm(p.tolist()), "half_width": half}
    return part.with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in columns.items())
    ).with_columns((pl.col("p_holm") < 1.0 - level).alias("significant"))


def step_levels(p_values: Array, alpha: float) -> Array:
    """The level each p-value is held against by Holm's procedure; NaN stays NaN.

    The i-th smallest of m is held against alpha / (m - i + 1); from the first that is not rejected on, all are held
    against that one's level.

    Example:
        >>> step_levels(np.array([0.01, 0.04, 0.03]), 0.05).round(4).tolist()
        [0.0167, 0.025, 0.025]
    """
    levels = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = alpha / np.arange(order.size, 0, -1)
    rejected = np.cumprod(p_values[order] < steps).astype(bool)
    stop = int(rejected.sum())
    if stop < order.size:
        steps[stop:] = steps[stop]
    levels[order] = steps
    return levels
