"""What to improve first: importance-performance maps and the ranked list with expected gains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import polars as pl

from csi.errors import Text, note
from csi.importance.drivers import GAIN, item_quadrant_shares, largest_gain, quadrants
from csi.importance.drivers_words import QUADRANTS
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.chain import chain_frame, single
from csi.reporting.sections.drawn import here, percent
from csi.reporting.sections.model import cell_of
from csi.tracking.sector import from_own_mean


def priorities(a: Analysis) -> Section:
    """Two maps (constructs, items) and the drivers ranked by what five points more of each would go with."""
    cell = cell_of(a)
    drivers, items = driver_frame(a), item_frame(a)
    weak, faults = improve_first(drivers, "construct"), improve_first(items, "item")
    named = {i: a.study.codebook[i].label for i in faults}
    sure = surely(items, faults)
    doubted = [t for i, t in named.items() if i not in sure]
    title = words.priorities([a.label(c) for c in weak], drivers.height, [named[i] for i in sure], doubted)
    labels = {**a.construct_labels, **{i: a.study.codebook[i].label for i in items["item"].to_list()}}
    minor = ~pl.col("quadrant").is_in(["improve", "keep"])
    target = a.label(a.target)
    maps = [
        ("map", drivers.rename({"construct": "name"})),
        ("map_items", items.rename({"item": "name"}).with_columns(quiet=minor)),
    ]
    drawn = tuple(
        figure(
            name,
            title,
            partial(figures.importance_map, _map(frame), labels=labels, target=target),
            half=True,
        )
        for name, frame in maps
    )
    level = percent(cell.estimate.level)
    return Section(
        key="priorities",
        title=title,
        subtitle=Text(
            f"{a.brand_labels[a.focal].en}: first constructs, then items; across: total effect on {a.target_name.en} "
            f"per point, up: performance (0–100); crosses are {level} intervals, dotted lines the means; items of "
            "little importance are not named",
            f"{a.brand_labels[a.focal].zh}：先构念，后题项；横轴为每 1 分对{target.zh}的总效应，"
            f"纵轴为表现（0–100）；十字为 {level} 区间，虚线为均值；重要性低的题项不标名称",
        ),
        figures=drawn,
        tables=(_driver_table(a, drivers), _item_table(a, items)),
        notes=(*cell.drivers.notes, _PERFORMANCE),
        data={"drivers": drivers, "items": items},
    )


_PERFORMANCE = note(
    "N-PERFORMANCE",
    "Performance of constructs is the published index, of items the weighted mean (0–100) of the rows that enter the "
    "model; gains are associations scaled to five points, not forecasts.",
    "构念的表现取自公布的指数，题项的表现为进入模型的答卷的加权均值（0–100）；预期增益由关联按 5 分换算，并非预测。",
)


SURE = 0.95
"""The share of draws from which the title names an item without "may be"."""


def driver_frame(a: Analysis) -> pl.DataFrame:
    """Drivers by expected gain: importance, the published index as performance, gain, quadrant."""
    table = cell_of(a).drivers.table
    mine = (
        here(a)
        .filter(brand=a.focal)
        .select(
            "construct",
            pl.col("index").alias("performance"),
            pl.col("conf_low").alias("performance_conf_low"),
            pl.col("conf_high").alias("performance_conf_high"),
        )
    )
    wanted = [
        c
        for c in table.columns
        if not c.startswith("performance") and c not in {"quadrant", "quadrant_share", "brand", "wave"}
    ]
    return _placed(table.select(wanted).join(mine, on="construct", how="left", maintain_order="left"))


def item_frame(a: Analysis) -> pl.DataFrame:
    """Items of the drivers by expected gain; the target's own items are not drivers."""
    table = cell_of(a).drivers.items.drop("brand", "wave", strict=False)
    gains = {
        c.replace("importance", "gain"): GAIN * table[c]
        for c in ("importance", "importance_conf_low", "importance_conf_high")
        if c in table.columns
    }
    placed = _placed(table.with_columns(**gains))
    cell = cell_of(a)
    shares = (
        item_quadrant_shares(cell.estimate, cell.drivers.target, placed["item"].to_list(), placed["quadrant"].to_list())
        if placed.height
        else []
    )
    return placed.with_columns(pl.Series("quadrant_share", shares, dtype=pl.Float64))


def improve_first(frame: pl.DataFrame, column: str) -> list[str]:
    """What lies in the quadrant of the important and weak, the most rewarding first."""
    return frame.filter(pl.col("quadrant") == "improve")[column].to_list()


def surely(items: pl.DataFrame, named: Sequence[str]) -> list[str]:
    """Of these items, those that stand in their quadrant in SURE of the draws or more.

    Example:
        >>> surely(pl.DataFrame({"item": ["p1", "p2"], "quadrant_share": [0.97, 0.6]}), ["p1", "p2"])
        ['p1']
    """
    if "quadrant_share" not in items.columns:
        return []
    often = set(items.filter(pl.col("quadrant_share") >= SURE)["item"].to_list())
    return [i for i in named if i in often]


def weak_points(a: Analysis) -> list[str]:
    """Drivers to improve first that are tested to be weak: a quadrant alone holds some driver by chance too.

    Weak is below the sector mean of the construct; without another brand, below the mean of the drivers' performances.
    """
    first = [] if a.cell is None else improve_first(driver_frame(a), "construct")
    if a.cell is None or not first:
        return []
    if single(a):
        cells = a.index.cells.with_row_index("_cell")
        mine = cells.filter((pl.col("brand") == a.focal) & (pl.col("wave") == a.wave))["_cell"][0]
        tests = from_own_mean(a.index, mine, a.cell.drivers.table["construct"].to_list())
        low = tests.filter(pl.col("significant") & (pl.col("difference") < 0))
    else:
        low = chain_frame(a).filter(pl.col("differs") & (pl.col("difference") < 0))
    tested = set(low["construct"].to_list())
    return [c for c in first if c in tested]


def most_to_gain(a: Analysis) -> Text | None:
    """The driver whose expected gain is larger than every other's by more than sampling error; None where none is."""
    found = None if a.cell is None else largest_gain(a.cell.estimate, a.target)
    return None if found is None else a.label(found)


def _placed(frame: pl.DataFrame) -> pl.DataFrame:
    """The quadrant of each row, and rows by expected gain."""
    values = [frame[c].fill_null(float("nan")).to_numpy() for c in ("importance", "performance")]
    place = quadrants(np.asarray(values[0])[None, :], np.asarray(values[1])[None, :])[0]
    return frame.with_columns(pl.Series("quadrant", place, dtype=pl.String)).sort(
        "gain", descending=True, nulls_last=True, maintain_order=True
    )


def _map(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns the map draws."""
    pairs = {
        f"{what}_{side}": f"{what}_conf_{side}" for what in ("importance", "performance") for side in ("low", "high")
    }
    columns = [
        pl.col(source).alias(name) if source in frame.columns else pl.lit(None, pl.Float64).alias(name)
        for name, source in pairs.items()
    ]
    return frame.filter(pl.col("importance").is_not_null() & pl.col("performance").is_not_null()).select(
        "name", "importance", "performance", *columns, *(["quiet"] if "quiet" in frame.columns else [])
    )


def _gain_columns(a: Analysis) -> tuple[Column, ...]:
    name = a.label(a.target)
    return (
        Column("importance", Text("Points per point", "每分效应"), "number"),
        Column("performance", Text("Performance", "表现"), "score"),
        Column("gain", Text(f"{words.capital(name.en)}, +5 points", f"+5 分时{name.zh}"), "number"),
        Column("gain_conf_low", Text("from", "下限"), "number"),
        Column("gain_conf_high", Text("to", "上限"), "number"),
        Column("quadrant", Text("Place", "位置")),
        Column("quadrant_share", Text("In the draws", "抽样占比"), "share"),
    )


def _driver_table(a: Analysis, frame: pl.DataFrame) -> Table:
    columns = tuple(
        c for c in (Column("construct", Text("Driver", "驱动因素")), *_gain_columns(a)) if c.name in frame.columns
    )
    title = Text("Drivers by expected gain", "按预期增益排序的驱动因素")
    return Table("drivers", title, frame, columns, _warn(frame), {**a.construct_labels, **QUADRANTS})


def _item_table(a: Analysis, frame: pl.DataFrame) -> Table:
    """The items to work on: the eight with the largest gain."""
    first = (Column("item", Text("Item", "题项")), Column("construct", Text("Of", "所属构念")))
    columns = tuple(c for c in (*first, *_gain_columns(a)) if c.name in frame.columns)
    top = frame.head(8)
    texts = {**a.construct_labels, **QUADRANTS, **{i.name: i.label for i in a.study.codebook.items}}
    part = frame.height > top.height
    title = Text(
        f"Items by expected gain{f', the first {top.height}' if part else ''}",
        f"按预期增益排序的题项{f'（前 {top.height} 题）' if part else ''}",
    )
    return Table("items", title, top, columns, _warn(top), texts)


def _warn(frame: pl.DataFrame) -> Emphasis:
    return {(i, "quadrant"): "warn" for i, q in enumerate(frame["quadrant"].to_list()) if q == "improve"}
