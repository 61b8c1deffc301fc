"""Why answers are absent, counted by item: in all cells together and in each; reasons of few people are not told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.survey.disclosure import apart


def absent_reasons(
    frame: pl.DataFrame, reasons: pl.DataFrame | None, keys: Sequence[str], may: np.ndarray, small: int
) -> tuple[pl.DataFrame, int]:
    """A line per item and reason of all cells (null keys), then per cell of enough rows; and how many are not told.

    People who gave a reason are a cell of their own: numbers of fewer than `small` are not told, nor those that would
    tell them, beside the answers that an item lacks or beside the line of all cells. Of all cells they are null, as
    where nobody gave the reason; of single cells there is no line.

    Parameters:
        frame: the keys. reasons: a column per item, null where it is answered; None where they are not known.
        may: (n,) rows that enter the line of all cells. small: people below which nothing is told.

    Example:
        >>> keys = pl.DataFrame({"brand": ["a"] * 6})
        >>> why = pl.DataFrame({"q": ["refused", "skipped", "skipped", "skipped", None, None]})
        >>> found, left = absent_reasons(keys, why, ["brand"], np.ones(6, dtype=bool), 3)
        >>> found.rows(), left
        ([(None, 'q', 'refused', 6, None, None), (None, 'q', 'skipped', 6, None, None)], 4)
        >>> absent_reasons(keys, why, ["brand"], np.ones(6, dtype=bool), 1)[0].filter(brand="a")["absent"].to_list()
        [1, 3]
    """
    schema: dict[str, Any] = {**dict.fromkeys(keys, pl.String), "item": pl.String, "reason": pl.String}
    schema |= {"rows": pl.Int64, "absent": pl.Int64, "share": pl.Float64}
    if reasons is None:
        return pl.DataFrame(schema=schema), 0
    both = pl.concat([frame.select(pl.col(k).cast(pl.String) for k in keys), reasons], how="horizontal")
    each = _counted(both, reasons.columns, keys).filter(pl.col("rows") >= small)
    every = _counted(both.filter(pl.Series(may)), reasons.columns, ()) if keys else each
    none = [pl.lit(None, pl.String).alias(k) for k in keys]
    counts = pl.concat([every.with_columns(none).select(each.columns), each]) if keys else each
    told = _told(counts, keys, small)
    found = counts.filter(pl.Series(told, dtype=pl.Boolean))
    whole, cells = found[: told[: every.height].sum()], found[told[: every.height].sum() :]
    kinds = every.select("item", "rows").unique(maintain_order=True)
    kinds = kinds.join(every.select("reason").unique(maintain_order=True), how="cross", maintain_order="left_right")
    known = whole.select("item", "reason", "absent")
    listed = kinds.join(known, on=["item", "reason"], how="left", maintain_order="left").with_columns(none)
    both = pl.concat([listed.select(each.columns), cells]).with_columns(share=pl.col("absent") / pl.col("rows"))
    return both.select(list(schema)), int((~told).sum())


def _counted(both: pl.DataFrame, items: Sequence[str], keys: Sequence[str]) -> pl.DataFrame:
    """Keys, item, reason, rows of the cell, answers absent."""
    long = both.unpivot(items, index=list(keys) or None, variable_name="item", value_name="reason")
    by = [*keys, "item"]
    size = long.group_by(by, maintain_order=True).agg(pl.len().cast(pl.Int64).alias("rows"))
    some = long.drop_nulls("reason").group_by([*by, "reason"], maintain_order=True)
    found = some.agg(pl.len().cast(pl.Int64).alias("absent"))
    joined = found.join(size, on=by, how="left", nulls_equal=True, maintain_order="left")
    return joined.select(*keys, "item", "reason", "rows", "absent")


def _told(counts: pl.DataFrame, keys: Sequence[str], small: int) -> np.ndarray:
    """(k,) which lines may be told: neither they nor those they stand beside are of few people."""
    n = counts["absent"].to_numpy().astype(np.int64)
    whole: npt.NDArray[np.bool_] = np.ones(n.shape, dtype=bool) if keys else np.zeros(n.shape, dtype=bool)
    for key in keys:
        whole &= counts[key].is_null().to_numpy()
    beside = _groups(counts, [*keys, "item"])
    across = _groups(counts, ["item", "reason"]) if keys else []
    told = n >= small
    while True:
        before = told.copy()
        for rows in beside:
            told[rows] = apart(n[rows], small, told=told[rows])
        for rows in across:
            all_, each = rows[whole[rows]], rows[~whole[rows]]
            if not told[all_].all():
                told[each] = False
            elif each.size:
                told[each] = apart(n[each], small, int(n[all_].sum() - n[each].sum()), told=told[each])
        if (told == before).all():
            return told


def _groups(counts: pl.DataFrame, by: Sequence[str]) -> list[np.ndarray]:
    """Rows of each group."""
    parts = counts.with_row_index("_row").group_by(by, maintain_order=True).agg("_row")["_row"].to_list()
    return [np.array(rows, dtype=np.int64) for rows in parts]
