"""A frame of answers with its design as a `Sample`: weights on the grid, units and strata numbered, rows sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, problem
from csi.moments.design import GRID, design_of_rows, fraction_of, layers_of, streams_of
from csi.moments.stack import Array, Missing, Sample
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars
from csi.survey.weighing import Weighted

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

FRACTION = "population"
"""The column of a panel with the size of the population that each row's stratum was drawn from."""


def frame_of(data: object, given: Mapping[str, str | None]) -> tuple[pl.DataFrame, dict[str, str]]:
    """The polars frame and the columns of its design roles: those named in the call, else a panel's own."""
    named = {role: column for role, column in given.items() if column}
    if isinstance(data, Panel):
        has = data.frame.columns
        unit_column = "cluster" if "cluster" in has else "respondent"
        roles = {"weight": "weight", "unit": unit_column, "stratum": "stratum", "fraction": FRACTION}
        return data.frame, {role: column for role, column in roles.items() if column in has} | named
    if isinstance(data, Weighted):
        return data.frame, {"weight": "weight"} | named
    return data if isinstance(data, pl.DataFrame) else to_polars(cast("IntoFrame", data), "data"), named


def check_columns(frame: pl.DataFrame, items: Sequence[str], keys: Sequence[str], weight: str = "") -> None:
    """Every named column exists; items and the column of weights are numeric."""
    problems: list[Problem] = []
    for name in dict.fromkeys([*items, *keys]):
        if name not in frame.columns:
            remedy = did_you_mean(name, frame.columns)
            problems.append(
                problem(
                    "E-ROLE",
                    f'column "{name}"',
                    "the data have no such column.",
                    "数据中没有这一列。",
                    remedy.en,
                    remedy.zh,
                )
            )
        elif (
            (name in items or name == weight) and not frame.schema[name].is_numeric() and frame.schema[name] != pl.Null
        ):
            what, what_zh = ("an item", "题项") if name in items else ("a weight", "权重")
            problems.append(
                problem(
                    "E-TYPE",
                    f'column "{name}"',
                    f"{what} must be numeric, this column is {frame.schema[name]}.",
                    f"{what_zh}必须为数值，此列类型为 {frame.schema[name]}。",
                    "Recode it, or read the file with a codebook.",
                    "请先重新编码，或配合编码簿读取文件。",
                )
            )
    if problems:
        raise Problems(problems)


def with_design(frame: pl.DataFrame, roles: Mapping[str, str]) -> pl.DataFrame:
    """Columns `_weight` (mean near 1, on the grid), `_unit`, `_stratum`, `_fraction`.

    Weights are divided by the power of two nearest to their mean, and nothing here depends on more of the scale: so a
    wave has the same weights, to the bit, whichever other waves are read.
    """
    weight = pl.col(roles["weight"]).cast(pl.Float64) if "weight" in roles else pl.lit(1.0)
    frame = frame.with_columns(
        weight.alias("_weight"),
        (pl.col(roles["unit"]).cast(pl.String) if "unit" in roles else pl.lit(None, dtype=pl.String)).alias("_unit"),
        (pl.col(roles["stratum"]).cast(pl.String) if "stratum" in roles else pl.lit(None, dtype=pl.String)).alias(
            "_stratum"
        ),
        (pl.col(roles["fraction"]) if "fraction" in roles else pl.lit(None)).cast(pl.Float64).alias("_fraction"),
    )
    bad = frame.filter(~(pl.col("_weight") > 0) | pl.col("_weight").is_null() | ~pl.col("_weight").is_finite()).height
    if bad:
        raise Problems(
            [
                problem(
                    "E-WEIGHT",
                    f'column "{roles["weight"]}"',
                    f"{bad} of {frame.height} weights are zero, negative or absent; weights must be positive.",
                    f"{frame.height} 个权重中有 {bad} 个为零、负数或缺失；权重必须为正数。",
                    "Correct them, or remove these rows.",
                    "请更正这些权重，或删除相应的行。",
                )
            ]
        )
    scaled = pl.col("_weight") / 2.0 ** pl.col("_weight").mean().log(2).round()  # halving moves no digit of a weight
    on_grid = ((scaled * GRID).round() / GRID).clip(lower_bound=1 / GRID)
    return frame.with_columns(on_grid.alias("_weight"), _rounded=(on_grid / scaled - 1).abs())


def bounds_of(data: object, items: Sequence[str], scale: tuple[float, float] | None) -> tuple[Array, Array]:
    """Theoretical bounds of the items: the codebook's, the given scale, else NaN."""
    if isinstance(data, Panel):
        known = set(data.codebook.names)
        pairs = [data.codebook.bounds([i]) if i in known else ((np.nan,), (np.nan,)) for i in items]
        return np.array([low[0] for low, _ in pairs]), np.array([high[0] for _, high in pairs])
    low, high = scale or (np.nan, np.nan)
    return np.full(len(items), float(low)), np.full(len(items), float(high))


def assemble(
    frame: pl.DataFrame,
    items: tuple[str, ...],
    by: tuple[str, ...],
    missing: Missing,
    notes: list[Note],
    bounds: tuple[Array, Array],
    data: object,
) -> Sample:
    """Sort by cell, group and unit; number cells, units and strata."""
    ranks = key_ranks(frame, by, data)
    keys = [f"_rank_{k}" for k in by]
    frame = frame.with_columns(ranks).sort([*keys, "_group", "_unit", *items, "_weight"])
    cells = (
        frame.group_by(keys, maintain_order=True).agg(
            [pl.col(k).first().cast(pl.String) for k in by] + [pl.len().alias("n")]
        )
        if by
        else pl.DataFrame({"n": [frame.height]})
    )
    cells = cells.with_columns(pl.col("n").cast(pl.Int64))
    cell = np.repeat(np.arange(cells.height), cells["n"].to_numpy())
    group = frame["_group"].to_numpy().astype(np.int64)
    nested = isinstance(data, Panel) and "cluster" in frame.columns
    unit, stratum, doubts = design_of_rows(frame, cell, nested=nested, group=group)
    place = frame["_place"].to_numpy().astype(np.int64)
    return Sample(
        names=items,
        rows=answers_of(frame, items),
        weight=frame["_weight"].to_numpy().copy(),
        cell=cell.astype(np.int64),
        unit=unit,
        stratum=stratum,
        cells=cells.select([*by, "n"]),
        minimum=bounds[0],
        maximum=bounds[1],
        missing=missing,
        notes=(*notes, *doubts),
        group=group,
        place=place,
        layer=layers_of(frame["_stratum"], unit),
        stream=streams_of(frame, stratum[unit], by, group),
        fraction=fraction_of(frame["_fraction"], stratum[unit]),
    )


def answers_of(frame: pl.DataFrame, items: Sequence[str]) -> Array:
    """(n, p) answers, NaN where absent; column by column, so that they stand in memory once."""
    rows = np.empty((frame.height, len(items)))
    for k, item in enumerate(items):
        rows[:, k] = frame[item].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return rows


def key_ranks(frame: pl.DataFrame, by: Sequence[str], data: object) -> list[pl.Expr]:
    """Sort ranks of the key columns: the panel's wave and brand order, else alphabetical."""
    orders = {"wave": data.waves, "brand": data.brands} if isinstance(data, Panel) else {}
    expressions = []
    for key in by:
        known = list(orders.get(key, ()))
        found = frame[key].cast(pl.String).unique().drop_nulls().sort().to_list()
        order = known + [v for v in found if v not in known]
        rank = (
            pl.col(key)
            .cast(pl.String)
            .replace_strict(order, list(range(len(order))), default=len(order), return_dtype=pl.Int64)
        )
        expressions.append(rank.alias(f"_rank_{key}"))
    return expressions
