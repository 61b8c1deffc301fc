"""Columns of replicate weights: found in the data, checked, and matched to the rows of the estimate."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.moments.stack import Array, Sample
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame


def weights_in(data: object, columns: Sequence[str] | str | None, sample: Sample) -> Array:
    """(R, rows of the data) replicate weights.

    Parameters:
        data: a Panel, a frame or an array (rows, R). columns: names, with * for any characters; all columns if None.
        sample: the rows of the estimate, which the weights must be of.

    Raises:
        Problems: E-ROLE, E-TYPE, E-REPWEIGHTS; all at once.
    """
    frame = _frame(data)
    names, found = _named(columns, frame)
    schema = frame.schema
    strange = [c for c in names if not schema[c].is_numeric()]
    for column in strange[:5]:
        en = f"a weight must be numeric, this column is {schema[column]}."
        found.append(problem("E-TYPE", f'column "{column}"', en, f"权重必须为数值，此列类型为 {schema[column]}。"))
    if found:
        raise Problems(found)
    weights = frame.select(pl.col(names).cast(pl.Float64)).to_numpy().T
    found = _of_rows(frame, sample) or _of_values(weights, names, sample)
    if found:
        raise Problems(found)
    return np.ascontiguousarray(weights)


def _frame(data: object) -> pl.DataFrame:
    """The columns of a panel, a frame or an array."""
    if isinstance(data, Panel):
        return data.frame
    if isinstance(data, np.ndarray):
        many = np.atleast_2d(data)
        return pl.DataFrame(many, schema=[f"weight_{i + 1}" for i in range(many.shape[1])])
    return data if isinstance(data, pl.DataFrame) else to_polars(cast("IntoFrame", data), "data")


def _named(columns: Sequence[str] | str | None, frame: pl.DataFrame) -> tuple[list[str], list[Problem]]:
    """The columns meant, and those that do not exist."""
    if columns is None:
        return frame.columns, []
    names, found = [], []
    for asked in [columns] if isinstance(columns, str) else columns:
        hits = (
            [asked] if asked in frame.columns else [c for c in frame.columns if "*" in asked and fnmatchcase(c, asked)]
        )
        names += hits
        if not hits:
            hint = did_you_mean(asked, frame.columns)
            en, zh = "the data have no such column.", "数据中没有这一列。"
            found.append(problem("E-ROLE", f'column "{asked}"', en, zh, hint.en, hint.zh))
    return list(dict.fromkeys(names)), found


def _of_rows(frame: pl.DataFrame, sample: Sample) -> list[Problem]:
    """Whether these can be the rows of the estimate: as many of them, and the same answers where there are any."""
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    least = int(place.max()) + 1
    if frame.height < least:
        en = f"there are weights for {frame.height} rows, but the estimate was fitted from at least {least}."
        zh = f"权重只有 {frame.height} 行，而估计所用数据至少有 {least} 行。"
        return [problem("E-REPWEIGHTS", "data", en, zh, *_REMEDY)]
    for number, item in enumerate(sample.names):
        if item in frame.columns and frame.schema[item].is_numeric():
            theirs, ours = frame[item].cast(pl.Float64).to_numpy()[place], sample.rows[:, number]
            if bool((np.isfinite(ours) & (ours != theirs)).any()):
                en, zh = f"the answers to {item} are not those of the estimate.", f"{item} 的回答与估计所用数据不一致。"
                return [problem("E-REPWEIGHTS", "data", en, zh, *_REMEDY)]
    return []


def _of_values(weights: Array, names: Sequence[str], sample: Sample) -> list[Problem]:
    """Weights that cannot be: too few of them, absent, negative, or zero in every row."""
    if len(weights) < 2:
        en, zh = f"{len(weights)} replicate weight gives no variance.", f"{len(weights)} 个重复权重无法给出方差。"
        return [problem("E-REPWEIGHTS", "columns", en, zh, "Name all of them, as in rw*.", "请写明全部列，例如 rw*。")]
    here = weights[:, np.arange(len(sample.rows)) if sample.place is None else sample.place]
    bad = (~np.isfinite(here) | (here < 0)).sum(axis=1)
    said = [(f"{b} weights are negative or absent.", f"有 {b} 个权重为负或缺失。") if b else _ZERO for b in bad]
    wrong = np.flatnonzero((bad > 0) | ~(np.nansum(here, axis=1) > 0))
    return [
        problem("E-REPWEIGHTS", f'column "{names[r]}"', said[r][0], said[r][1], *_CORRECT) for r in wrong[:5].tolist()
    ]


_ZERO = ("every weight is zero.", "所有权重均为零。")
_REMEDY = (
    "Give the data that the model was fitted to, with all its rows in their order.",
    "请给出拟合所用的数据，行数与顺序保持不变。",
)
_CORRECT = ("Correct them, or leave out the column.", "请更正，或去掉该列。")
