"""One release, one family of tests: Holm's correction over the changes a report prints, and intervals that agree."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from csi.errors import note
from csi.tracking.changes import Changes
from csi.tracking.contrasts import half_widths, holm


def holm_within_waves(changes: Changes) -> Changes:
    """The same changes with `p_holm`, `significant` and `half_width` over the tests of each wave in the table.

    `half_width = t_{1 - a/2, df} SE` with a the level of the test's own Holm step: |change| > half_width exactly where
    the change is significant.

    Parameters:
        changes: the changes that are printed, and no others.

    Returns:
        Changes; its family is the table's rows of one wave.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    parts = [_corrected(part, changes.level) for part in changes.table.partition_by("wave", maintain_order=True)]
    if not parts:
        return changes
    table = pl.concat(parts)
    size = max(part["p_value"].count() for part in parts)
    en = f"Holm's correction counts the changes printed for one wave together (at most {size})."
    family = note("N-FAMILY", en, f"Holm 校正以同一期公布的变化为一族（最多 {size} 个）。")
    kept = [n for n in changes.notes if n.code != "N-FAMILY"]
    return replace(changes, table=table, notes=(family, *kept) if size else tuple(kept))


def _corrected(part: pl.DataFrame, level: float) -> pl.DataFrame:
    """One wave's family."""
    p, se, df = (part[c].fill_null(float("nan")).to_numpy() for c in ("p_value", "std_error", "df"))
    half = half_widths(p, se, df, level)
    columns = {"p_holm": holm(p.tolist()), "half_width": half}
    return part.with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in columns.items())
    ).with_columns((pl.col("p_holm") < 1.0 - level).alias("significant"))
