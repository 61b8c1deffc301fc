"""Formative constructs: whether they go with another measure, how collinear their items are, which weights hold."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.measures.redundancy import ENOUGH, redundancy
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.scaled import scaled
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.measurement import loading_frame
from csi.reporting.sections.model import cell_of

COLLINEAR = 5.0
"""Hair et al. (2019), EBR 31(1): VIF below 5, better below 3."""


def formative_section(a: Analysis) -> Section:
    """Redundancy, VIF, outer weights with intervals, and loadings of items whose weight holds zero."""
    cell = cell_of(a)
    found = redundancy(cell.estimate)
    names = found.table["construct"].to_list()
    weights = (
        scaled(cell.estimate)
        .filter(pl.col("op") == "<~")
        .select(construct="lhs", item="rhs", low="conf_low", high="conf_high", p_value="p_value")
    )
    frame = loading_frame(cell).filter(pl.col("construct").is_in(names)).drop("conf_low", "conf_high")
    frame = frame.join(weights, on=["construct", "item"], how="left", maintain_order="left")
    holds = ((pl.col("low") > 0) | (pl.col("high") < 0)).fill_null(value=False)
    frame = frame.with_columns(significant=holds)
    weak, many = frame.filter(~pl.col("significant")).height, frame.height
    bad = [a.label(c) for c in found.table.filter(pl.col("verdict") == "fail")["construct"].to_list()]
    goes = Text("each formative construct goes with its other measure", "各形成型构念与其替代测量相符")
    if bad:
        some = words.listed([words.lowered(b) for b in bad])
        goes = Text(
            f"{some.en} {'does' if len(bad) == 1 else 'do'} not go with the other measure", f"{some.zh}与其替代测量不符"
        )
    counted = Text(f"{weak} of {many} weights hold zero", f"{many} 个权重中有 {weak} 个区间含零")
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("item", Text("Item", "题项")),
        Column("weight", Text("Weight", "权重"), "coefficient"),
        Column("low", Text("from", "下限"), "coefficient"),
        Column("high", Text("to", "上限"), "coefficient"),
        Column("loading", Text("Loading", "载荷"), "coefficient"),
        Column("vif", Text("VIF", "VIF"), "number"),
    )
    emphasis: Emphasis = {
        (i, "vif"): "warn" for i, v in enumerate(frame["vif"].to_list()) if v is not None and v >= COLLINEAR
    }
    emphasis |= {(i, "weight"): "warn" for i, ok in enumerate(frame["significant"].to_list()) if not ok}
    first = (
        Column("construct", Text("Construct", "构念")),
        Column("path", Text("Correlation", "相关"), "coefficient"),
        Column("r2", Text("R²", "R²"), "coefficient"),
    )
    low: Emphasis = {
        (i, "path"): "warn" for i, v in enumerate(found.table["path"].to_list()) if v is not None and v < ENOUGH
    }
    return Section(
        key="formative",
        title=words.sentence(goes, counted),
        subtitle=Text(
            "Redundancy with the same items in mode A, at least .70; VIF below 5; coloured: a weight with zero inside",
            "与同一批题项模式 A 得分的相关应不低于 0.70；VIF 低于 5；着色为区间含零的权重",
        ),
        tables=(
            Table("redundancy", Text("Redundancy analysis", "冗余分析"), found.table, first, low, a.construct_labels),
            Table("outer_weights", Text("Outer weights", "外部权重"), frame, columns, emphasis, a.construct_labels),
        ),
        notes=(),
        data={"redundancy": found.table, "weights": frame},
    )
