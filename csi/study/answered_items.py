"""How each item was answered: nonresponse, floor and ceiling."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from csi.survey.disclosure import pooled
from csi.survey.panel import Panel

AT_A_BOUND: Final = 0.15
"""Share of answers at an end of the scale from which an item has a floor or a ceiling: customary, Terwee et al. 2007,
Journal of Clinical Epidemiology 60:34-42 (of scores)."""


def enough(panel: Panel, small: int) -> pl.DataFrame:
    """The rows of cells that may stand in a total beside the cells that are told singly."""
    keys = [k for k in ("brand", "wave") if k in panel.frame.columns]
    if not keys:
        return panel.frame if panel.frame.height >= small else panel.frame.clear()
    counts = panel.frame.group_by(keys, maintain_order=True).len("_n")
    told = counts.filter(pl.Series(pooled(counts["_n"].to_numpy().astype(np.int64), small)))
    return panel.frame.with_columns(pl.Series("_row", np.arange(panel.frame.height))).join(
        told, on=keys, how="semi", nulls_equal=True
    )


def item_table(panel: Panel, small: int) -> pl.DataFrame:
    """A line per item: asked, answers, nonresponse (share of those asked), floor and ceiling (shares of answers), bound
    ("floor", "ceiling", "both" from 15 % on).

    Items that were turned over are at the floor where their turned answer is lowest.

    Source: Terwee et al. (2007), Journal of Clinical Epidemiology 60:34-42.
    """
    rows = enough(panel, small)
    reasons = panel.reasons[rows["_row"].to_list()] if "_row" in rows.columns else panel.reasons[: rows.height]
    lines: list[tuple[object, ...]] = []
    for item in panel.codebook.items:
        if item.name not in rows.columns:
            continue
        answers, why = rows[item.name], reasons[item.name]
        asked = rows.height - int((why == "not_asked").sum())
        n = answers.count()
        if n < small:
            lines.append((item.name, item.construct, asked, n, None, None, None, None))
            continue
        low, high = int((answers <= item.scale.minimum).sum()) / n, int((answers >= item.scale.maximum).sum()) / n
        ends = [w for w, share in (("floor", low), ("ceiling", high)) if share > AT_A_BOUND]
        bound = "both" if len(ends) > 1 else (ends[0] if ends else "")
        lines.append((item.name, item.construct, asked, n, 1 - n / asked if asked else None, low, high, bound))
    schema = {"item": pl.String, "construct": pl.String, "asked": pl.Int64, "n": pl.Int64, "nonresponse": pl.Float64,
              "floor": pl.Float64, "ceiling": pl.Float64, "bound": pl.String}  # fmt: skip
    return pl.DataFrame(lines, schema, orient="row")
