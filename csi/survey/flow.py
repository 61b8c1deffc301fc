"""Where rows went: from read to kept, rule by rule, in every brand and wave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from csi.survey.panel import Dropped, Panel, RuleEffect

READ, KEPT = "read", "kept"


def flow_of(
    keys: pl.DataFrame, effects: Sequence[RuleEffect], marks: Sequence[pl.DataFrame], position: str
) -> pl.DataFrame:
    """Rows read, touched by each rule, and kept, one line per cell and step.

    Parameters:
        keys: every row read, with `position` and those of the keys brand and wave that the panel has.
        effects: what each rule did, in order. marks: of rows dropped and flagged (`position`, `rule`).

    Returns:
        Columns brand, wave (those there are), rule ("read", the rules, "kept"), action, rows.
    """
    cells = [k for k in ("brand", "wave") if k in keys.columns]
    every = pl.concat(marks) if marks else pl.DataFrame(schema={position: pl.UInt32, "rule": pl.String})
    every = every.cast({position: keys.schema[position]})
    known = keys.select(cells).unique(maintain_order=True) if cells else pl.DataFrame({"": [0]})
    steps = [effect for effect in effects if effect.action in ("drop", "flag")]
    parts = [_counted(keys, cells, known, READ, "")]
    for step in steps:
        hit = keys.join(every.filter(pl.col("rule") == step.rule), on=position, how="semi")
        parts.append(_counted(hit, cells, known, step.rule, step.action))
    gone = [step.rule for step in steps if step.action == "drop"]
    left = keys.join(every.filter(pl.col("rule").is_in(gone)), on=position, how="anti")
    return pl.concat([*parts, _counted(left, cells, known, KEPT, "")])


def _counted(rows: pl.DataFrame, cells: Sequence[str], known: pl.DataFrame, rule: str, action: str) -> pl.DataFrame:
    """The rows of each cell, 0 where there is none."""
    if cells:
        counts = rows.group_by(cells).agg(pl.len().cast(pl.Int64).alias("rows"))
        found = known.join(counts, on=cells, how="left", nulls_equal=True, maintain_order="left")
    else:
        found = pl.DataFrame({"rows": [rows.height]}, schema={"rows": pl.Int64})
    return found.select(*cells, pl.lit(rule).alias("rule"), pl.lit(action).alias("action"), pl.col("rows").fill_null(0))


def ruled_until(panel: Panel, waves: Sequence[str], keep: pl.Series) -> dict[str, Any]:
    """What rules did to the rows of these waves: the fields `hits`, `dropped` and `flow` of a panel.

    Parameters:
        keep: the rows of `panel.frame` that stay.
    """
    hits, dropped, flow = panel.hits, panel.dropped, panel.flow
    if hits is not None and hits.height == panel.frame.height:
        hits = hits.filter(keep)
    if dropped is not None and "wave" in dropped.frame.columns:
        mine = dropped.frame["wave"].is_in(list(waves))
        dropped = Dropped(dropped.frame.filter(mine), dropped.hits.filter(mine)) if mine.any() else None
    if flow is not None and "wave" in flow.columns:
        flow = flow.filter(pl.col("wave").is_in(list(waves)))
    return {"hits": hits, "dropped": dropped, "flow": flow}
