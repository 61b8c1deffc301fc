"""Groups with answers enough to be compared; the others are left out by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from csi.errors import Note, Problems, did_you_mean, problem
from csi.moments.assembled import frame_of
from csi.survey.bases import Bases
from csi.survey.panel import Panel

TWO = 2
"""Groups without which there is nothing to compare."""


def large_groups(
    data: object, key: str, where: Mapping[str, str], small: int
) -> tuple[Panel | pl.DataFrame, tuple[Note, ...]]:
    """The answers of groups that have enough of them, and which groups are left out.

    Parameters:
        data: a Panel or a frame. key: the column of the groups; rows without a value leave. where: the rows that are
            looked at. small: answers below which a group is left out.

    Raises:
        Problems: E-ROLE without the column; E-BASE where fewer than two groups have enough answers.

    Example:
        >>> frame = pl.DataFrame({"mode": ["web"] * 3 + ["mail"] * 3 + ["call"]})
        >>> large_groups(frame, "mode", {}, 3)[0].height
        6
    """
    frame = frame_of(data, {})[0]
    if key not in frame.columns:
        hint = did_you_mean(key, frame.columns)
        what = ("the data have no such column.", "数据中没有这一列。")
        raise Problems([problem("E-ROLE", f'column "{key}"', *what, hint.en, hint.zh)])
    here = frame.filter(*(pl.col(k) == v for k, v in where.items())).drop_nulls([key])
    counts = here.group_by(key, maintain_order=True).agg(pl.len().cast(pl.Int64).alias("n")).sort(key)
    enough = counts.filter(pl.col("n") >= small)
    if enough.height < TWO:
        en, zh = f"fewer than two groups have {small} answers.", f"样本量达到 {small} 的分组不足两个。"
        do, do_zh = (
            "Use larger groups, or lower report: {small: ...}.",
            "请使用更大的分组，或调低 report: {small: ...}。",
        )
        raise Problems([problem("E-BASE", key, en, zh, do, do_zh)])
    keep = frame[key].is_in(enough[key].implode()).fill_null(value=False)
    few = Bases(small, 0)
    notes = few.notes(few.withheld(counts), (key,)) if enough.height < counts.height else ()
    if isinstance(data, Panel):
        reasons = data.reasons.filter(keep) if data.reasons.height == frame.height else data.reasons
        return replace(data, frame=frame.filter(keep), reasons=reasons), notes
    return frame.filter(keep), notes
