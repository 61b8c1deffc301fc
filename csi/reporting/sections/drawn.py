"""What every section needs: labels, and frames of one wave."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting.analysis import Analysis
from csi.reporting.soundness import NUMBERS


def percent(level: float) -> str:
    """A confidence level in words.

    Example:
        >>> percent(0.95)
        '95%'
    """
    return f"{100 * level:.10g}%"


MOST_BRANDS: Final = 12
"""Brands that one figure has room for."""


def drawn_brands(a: Analysis) -> tuple[str, ...]:
    """The brands of a figure, in their order: the focal one, and those with the highest index of the target."""
    if len(a.brands) <= MOST_BRANDS:
        return a.brands
    ranked = here(a, a.target).filter(pl.col("brand") != a.focal).sort("index", descending=True, nulls_last=True)
    kept = {a.focal, *ranked["brand"].head(MOST_BRANDS - 1)}
    return tuple(b for b in a.brands if b in kept)


def not_drawn(a: Analysis) -> tuple[Note, ...]:
    """That a figure leaves brands out."""
    if len(a.brands) <= MOST_BRANDS:
        return ()
    focal, many = a.brand_labels[a.focal], MOST_BRANDS - 1
    en = f"Drawn are {focal.en} and the {many} brands with the highest index; all {len(a.brands)} stand in the tables."
    zh = f"图中为{focal.zh}与指数最高的 {many} 个品牌；全部 {len(a.brands)} 个品牌见表。"
    return (note("N-BRANDS-DRAWN", en, zh),)


def here(a: Analysis, construct: str | None = None) -> pl.DataFrame:
    """The index table at the report's wave (of one construct), published cells only: small ones lose their numbers."""
    return published(a, construct).filter(pl.col("wave") == a.wave)


def published(a: Analysis, construct: str | None = None) -> pl.DataFrame:
    """The index table with brands in the study's order and waves oldest first; small cells lose their numbers.

    A cell below the study's minimum keeps its row: its numbers are null and `index_reason` says "n < 30".
    """
    table = a.index.table if construct is None else a.index.table.filter(pl.col("construct") == construct)
    small = pl.col("n") < a.study.settings.small
    numbers = [c for c in NUMBERS if c in table.columns]
    hidden = [pl.when(~small).then(pl.col(c)).alias(c) for c in numbers]
    why = pl.when(small).then(pl.lit(few(a))).when(pl.col("index").is_null()).then(pl.col("reason"))
    return (
        table.with_columns(*hidden, why.alias("index_reason"))
        .with_columns(_brand=rank("brand", a.brands), _wave=rank("wave", a.waves))
        .sort("_brand", "_wave", maintain_order=True)
        .drop("_brand", "_wave")
    )


def sector_means(a: Analysis, construct: str) -> pl.DataFrame:
    """The sector's mean of a construct by wave: wave, index; no rows where no brand has an index."""
    table = a.sectors[construct].table
    return table.select("wave", "index") if table.width else pl.DataFrame(schema=SECTOR)


def sector_now(a: Analysis, construct: str) -> float | None:
    """The sector's mean of a construct at the report's wave."""
    found: list[float] = sector_means(a, construct).filter(pl.col("wave") == a.wave)["index"].to_list()
    return found[0] if found else None


SECTOR = {"wave": pl.String, "index": pl.Float64}


def reasons(a: Analysis) -> dict[str, Text]:
    """`index_reason` -> the reason in both languages, for tables and figures that print it."""
    table = a.index.table.filter(pl.col("reason").is_not_null())
    return {en: Text(en, zh) for en, zh in table.select("reason", "reason_zh").unique(maintain_order=True).rows()}


def why_absent(a: Analysis) -> tuple[Note, ...]:
    """Why constructs have no index at the wave, each reason once."""
    table = a.index.table.filter((pl.col("wave") == a.wave) & pl.col("reason").is_not_null())
    pairs = table.select("reason", "reason_zh").unique(maintain_order=True).rows()
    return tuple(note("E-INDEX", en, zh) for en, zh in pairs)


def rank(column: str, order: tuple[str, ...]) -> pl.Expr:
    """The place of each value in `order`."""
    return pl.col(column).replace_strict({v: i for i, v in enumerate(order)}, default=len(order), return_dtype=pl.Int64)


def few(a: Analysis) -> str:
    """What stands in a suppressed cell."""
    return f"n < {a.study.settings.small}"


def formula_id(a: Analysis, constructs: Collection[str] = ()) -> Text:
    """The ids of the formulas behind the indices of some constructs (the target), for a heading: ", formula F1"."""
    table = a.index.table.filter(pl.col("construct").is_in(list(constructs) or [a.target]))
    ids = table["formula"].drop_nulls().unique(maintain_order=True).to_list() if "formula" in table.columns else []
    return Text(f", formula {', '.join(ids)}" if ids else "", f"，公式 {'、'.join(ids)}" if ids else "")
