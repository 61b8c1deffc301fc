"""From a raked panel to what raking again takes; from finite populations to sampling fractions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.errors import Note, Problems, problem
from csi.moments.assembled import check_columns, frame_of, with_design
from csi.moments.design import design_of_rows, fraction_of, streams_of
from csi.moments.raking import Raking, joint_cells
from csi.moments.stack import Ints, Sample
from csi.survey.panel import Panel
from csi.survey.weighing import Weighing, Weighted

APART = "(absent)"
"""The category of absent values that are a category of their own."""


def raking_of(weighing: Weighing, frame: pl.DataFrame, by: Sequence[str], sample: Sample, *, nested: bool) -> Raking:
    """What raking again in every replicate takes, of all rows of a panel: one plan, whatever an analysis uses.

    Parameters:
        frame: every row of the data in its order, with `_place`, `_weight`, `_unit`, `_stratum`, `_fraction`. by: the
            cells of the analysis. sample: its rows. nested: as in `design_of_rows`.
    """
    made, _, _ = _drawable(weighing, frame, by, nested=nested)
    if sample.place is None or not sample.place.size:
        return made
    ratio = sample.weight.sum() / made.weight[sample.place].sum()  # both on one scale: powers of two apart
    return replace(made, weight=made.weight * 2.0 ** round(float(np.log2(ratio))))


def designed(data: object, given: Mapping[str, str | None]) -> tuple[Raking, tuple[str, ...], tuple[Note, ...]]:
    """The design of all rows of a panel or frame (with its margins where it is raked), names of strata, notes.

    Parameters:
        given: role (weight, unit, stratum, fraction) -> column; a panel has its own.
    """
    weighing = data.weighing if isinstance(data, Panel | Weighted) else None
    frame, roles = frame_of(data, given)
    check_columns(frame, (), list(roles.values()), roles.get("weight", ""))
    nested = isinstance(data, Panel) and "cluster" in frame.columns
    whole = with_design(drawn_fractions(frame.with_row_index("_place"), roles), roles)
    by = [k for k in ("brand", "wave") if isinstance(data, Panel) and k in frame.columns]
    return _drawable(weighing, whole, by, nested=nested)


def _drawable(
    weighing: Weighing | None, frame: pl.DataFrame, by: Sequence[str], *, nested: bool
) -> tuple[Raking, tuple[str, ...], tuple[Note, ...]]:
    """Units, strata and margins of every row; the names of the strata; notes."""
    cell = _codes(frame, by)
    order = frame.with_columns(_cell=pl.Series(cell)).sort("_cell", "_unit", "_weight", "_place")
    at = order["_place"].to_numpy().astype(np.int64)
    unit, stratum, told = design_of_rows(order, cell[at], nested=nested)
    own = np.empty_like(unit)
    own[at] = unit
    weight = np.empty(at.size)
    weight[at] = order["_weight"].to_numpy()
    none = np.zeros(at.size, dtype=np.int64)
    kinds = [] if weighing is None else [_categories(frame, weighing, v) for v in weighing.variables]
    joint, of = joint_cells(kinds) if kinds else (none, [])
    first = np.unique(stratum[unit], return_index=True)[1]
    named = order["_stratum"].fill_null("").to_numpy()[first]
    names = tuple(str(name) or f"number {h + 1}" for h, name in enumerate(named))
    made = Raking(
        weight=weight,
        unit=own,
        stratum=stratum,
        cell=joint,
        of=tuple(of),
        stream=streams_of(order, stratum[unit], by, none),
        fraction=fraction_of(order["_fraction"], stratum[unit]),
    )
    return made, names, told


def _categories(frame: pl.DataFrame, weighing: Weighing, variables: Sequence[str]) -> Ints:
    """(n,) category of each row in one margin: of its own cell of `by`."""
    texts = [pl.col(v).cast(pl.String).fill_null(weighing.stands.get(v, APART)) for v in variables]
    keys = [pl.col(b).cast(pl.String).fill_null("") for b in weighing.by]
    named = frame.select(pl.concat_str([*keys, *texts], separator="\x1f"))
    return np.asarray(np.unique(named.to_series().to_numpy().astype(str), return_inverse=True)[1], dtype=np.int64)


def _codes(frame: pl.DataFrame, by: Sequence[str]) -> Ints:
    """(n,) the cell of each row."""
    if not by:
        return np.zeros(frame.height, dtype=np.int64)
    named = frame.select(pl.concat_str([pl.col(b).cast(pl.String).fill_null("") for b in by], separator="\x1f"))
    return np.asarray(np.unique(named.to_series().to_numpy().astype(str), return_inverse=True)[1], dtype=np.int64)


def drawn_fractions(frame: pl.DataFrame, roles: Mapping[str, str]) -> pl.DataFrame:
    """The frame with the column of finite populations turned into the fraction of them that was drawn.

    Numbers up to 1 are fractions; larger ones are the units (clusters where there are any, else people) of the
    population of the row's stratum, in its wave and brand.

    Raises:
        Problems: E-FPC for numbers that are not positive, or a population smaller than its sample.

    Example:
        >>> rows = pl.DataFrame({"s": ["a", "a", "b"], "N": [10, 10, 4]})
        >>> drawn_fractions(rows, {"stratum": "s", "fraction": "N"})["N"].to_list()
        [0.2, 0.2, 0.25]
    """
    column = roles.get("fraction")
    if not column or column not in frame.columns:
        return frame
    size = pl.col(column).cast(pl.Float64)
    keys = [c for c in (roles.get("stratum"), "wave", "brand") if c and c in frame.columns]
    unit = pl.col(roles["unit"]) if "unit" in roles else pl.int_range(pl.len())
    units = unit.n_unique().over(keys) if keys else unit.n_unique()
    with_units = frame.with_columns(size.alias("_size"), units.cast(pl.Float64).alias("_units"))
    told = with_units.select(*keys, "_size", "_units").unique(maintain_order=True)
    found = []
    for row in (
        told.filter(~(pl.col("_size") > 0) | ((pl.col("_size") > 1) & (pl.col("_size") < pl.col("_units"))))
        .head(5)
        .iter_rows(named=True)
    ):
        of = " ".join(str(row[k]) for k in keys)
        en = f"the population of {of or 'the survey'} is {row['_size']:g}, but {row['_units']:g} units of it answered."
        zh = f"{of or '总体'}的规模为 {row['_size']:g}，而已有 {row['_units']:g} 个单元作答。"
        do = "Give the number of units (clusters where there are any, else people) that the stratum has."
        do_zh = "请给出该层的单元总数（有聚类时为聚类数，否则为人数）。"
        found.append(problem("E-FPC", f'column "{column}"', en, zh, do, do_zh))
    if found:
        raise Problems(found)
    share = pl.when(pl.col("_size") > 1).then(pl.col("_units") / pl.col("_size")).otherwise(pl.col("_size"))
    return with_units.with_columns(share.alias(column)).drop("_size", "_units")
