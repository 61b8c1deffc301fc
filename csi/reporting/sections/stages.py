"""Constructs by brand and by stage or segment: where the weak places are."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.drawn import drawn_brands, few, formula_id, here, not_drawn, sector_now
from csi.reporting.words import Named
from csi.survey.disclosure import beside
from csi.tracking.index import Index
from csi.tracking.league import pairwise

GROUP_TITLES = {
    "brand": Text("Brands", "各品牌"),
    "stage": Text("by stage", "按客户阶段"),
    "segment": Text("by segment", "按客群"),
}


def stages(a: Analysis) -> Section:
    """A heat table: every construct by brand, and by the focal brand's stages and segments; small cells are empty."""
    frame = _frame(a)
    kept = [f"brand:{b}" for b in drawn_brands(a)]
    drawn = frame.filter(~pl.col("column").str.starts_with("brand:") | pl.col("column").is_in(kept))
    columns, labels = _columns(a, drawn), _labels(a, drawn)
    title = words.stages(*_tested(a), level=_level(a)) if a.groups else _lowest(a)
    draw = partial(
        figures.heat_table,
        drawn.select("row", "column", "value", "reference", "n"),
        labels=labels,
        focal=f"brand:{a.focal}",
        groups=columns,
        small=a.study.settings.small,
    )
    formula = formula_id(a, a.index.constructs)
    return Section(
        key="stages",
        title=title,
        subtitle=Text(
            f"Index (0–100{formula.en}) of each construct; colour is the difference from the sector mean; "
            f"{few(a)} stays empty",
            f"各构念指数（0–100{formula.zh}），颜色为与行业均值之差；{few(a)} 的单元留空",
        ),
        figures=(figure("stages", title, draw),),
        notes=(*not_drawn(a), *group_notes(a)),
        data={"cells": frame},
    )


def _frame(a: Analysis) -> pl.DataFrame:
    """Rows: row (construct), column ("brand:A", "stage:first"), value, reference (sector mean), n; full precision."""
    brands = here(a).select(
        pl.col("construct").alias("row"),
        pl.concat_str(pl.lit("brand:"), "brand").alias("column"),
        pl.col("index").alias("value"),
        pl.col("n").cast(pl.Int64),
    )
    parts = [brands]
    for key, index in a.groups.items():
        part = index.table.select(
            pl.col("construct").alias("row"),
            pl.concat_str(pl.lit(f"{key}:"), key).alias("column"),
            pl.when(pl.col("n") >= a.study.settings.small).then(pl.col("index")).alias("value"),
            pl.col("n").cast(pl.Int64),
        )
        parts.append(part)
    means = [(c, sector_now(a, c)) for c in a.index.constructs]
    reference = pl.DataFrame(means, schema={"row": pl.String, "reference": pl.Float64}, orient="row")
    joined = pl.concat(parts).join(reference, on="row", how="left", maintain_order="left")
    return joined.select("row", "column", "value", "reference", "n")


def _columns(a: Analysis, frame: pl.DataFrame) -> list[tuple[Text, tuple[str, ...]]]:
    """The blocks of columns with their titles."""
    have = frame["column"].unique(maintain_order=True).to_list()
    blocks = [(GROUP_TITLES["brand"], tuple(c for c in have if c.startswith("brand:")))]
    focal = a.brand_labels[a.focal]
    for key in a.groups:
        title = GROUP_TITLES[key]
        mine = tuple(f"{key}:{value}" for value in group_values(a, key))
        blocks.append((Text(f"{focal.en}: {title.en}", f"{focal.zh}：{title.zh}"), mine))
    return blocks


def group_values(a: Analysis, key: str) -> list[str]:
    """The values of a grouping key: the study's order, then the rest by name."""
    names = list(a.study.stages if key == "stage" else a.study.segments)
    place = {name: i for i, name in enumerate(names)}
    return sorted(a.groups[key].cells[key].to_list(), key=lambda v: (place.get(v, len(place)), v))


def _labels(a: Analysis, frame: pl.DataFrame) -> dict[str, Text]:
    labels = dict(a.construct_labels)
    for column in frame["column"].unique().to_list():
        key, value = column.split(":", 1)
        own = a.brand_labels if key == "brand" else a.group_labels
        labels[column] = own.get(value, Text(value, value))
    return labels


def _tested(a: Analysis) -> tuple[list[Named], list[tuple[Text, Text, float]]]:
    """The target by the first grouping, and every pair of groups that differs (Holm over all pairs)."""
    key, index = next(iter(a.groups.items()))
    league = pairwise(index, construct=a.target, small=a.study.settings.small)

    def name(value: str) -> Text:
        return a.group_labels.get(value, Text(value, value))

    pairs = league.pairs.filter(pl.col("significant")).select("below", "above", "difference").rows()
    cells = [Named(name(value), number) for value, number in league.table.select(key, "index").rows()]
    return cells, [(name(low), name(high), gap) for low, high, gap in pairs]


def _level(a: Analysis) -> Text:
    """What to say where no pair of the first grouping differs: whose groups and which construct were tested."""
    focal, target, by = a.brand_labels[a.focal], a.label(a.target), next(iter(a.groups))
    groups = {"stage": Text("customer stages", "客户阶段"), "segment": Text("segments", "客群")}[by]
    return Text(
        f"{focal.en}: no significant difference in {words.lowered(target).en} between {groups.en}",
        f"{focal.zh}各{groups.zh}的{target.zh}差异不显著",
    )


def _lowest(a: Analysis) -> Text:
    """Without stages: the lowest construct of the focal brand."""
    mine = here(a).filter((pl.col("brand") == a.focal) & pl.col("index").is_not_null()).sort("index").head(1)
    if mine.is_empty():
        return Text("Every construct by brand", "各品牌各构念得分")
    label = a.label(mine["construct"][0])
    focal = a.brand_labels[a.focal]
    return Text(f"{focal.en} scores lowest on {words.lowered(label).en}", f"{focal.zh}得分最低的是{label.zh}")


def group_table(a: Analysis, key: str, index: Index) -> Table:
    """The target by the values of one key, with intervals (weights held fixed)."""
    small = pl.col("n") < a.study.settings.small
    hidden = [pl.when(~small).then(pl.col(c)).alias(c) for c in ("index", "conf_low", "conf_high")]
    order = group_values(a, key)
    frame = (
        index.table.filter(pl.col("construct") == a.target)
        .with_columns(
            *hidden, pl.when(small).then(pl.lit(few(a))).when(_beside(a)).then(pl.lit("×")).alias("index_reason")
        )
        .with_columns(_place=pl.col(key).replace_strict({v: i for i, v in enumerate(order)}, return_dtype=pl.Int64))
        .sort("_place")
        .select(key, "index", "index_reason", "conf_low", "conf_high", "n")
    )
    columns = (
        Column(key, GROUP_HEADINGS[key]),
        Column("index", a.label(a.target), "score"),
        Column("conf_low", Text("from", "下限"), "score"),
        Column("conf_high", Text("to", "上限"), "score"),
        Column("n", Text("n", "样本量"), "count"),
    )
    focal, title = a.brand_labels[a.focal], GROUP_TITLES[key]
    return Table(
        f"by_{key}", Text(f"{focal.en} {title.en}", f"{focal.zh}{title.zh}"), frame, columns, texts=a.group_labels
    )


def _beside(a: Analysis) -> pl.Expr:
    """Whether a group has no number, of enough answers, for what it would give away."""
    return (pl.col("n") >= a.study.settings.small) & (pl.col("reason") == beside(a.study.settings.small).en)


GROUP_HEADINGS = {"stage": Text("Stage", "阶段"), "segment": Text("Segment", "客群")}


def group_notes(a: Analysis) -> tuple[Note, ...]:
    """Small cells counted; what the intervals of groups leave out."""
    hidden = [
        a.group_labels.get(str(v), Text(str(v), str(v)))
        for key, index in a.groups.items()
        for v, n in index.cells.select(key, "n").iter_rows()
        if n < a.study.settings.small
    ]
    notes = []
    if a.groups:
        notes.append(
            note(
                "N-GROUPS",
                "Groups use the published weights; their intervals hold them fixed.",
                "分组得分沿用公布的权重，其区间将权重视为固定。",
            )
        )
    if hidden:
        names = words.listed(hidden)
        count = len(hidden)
        en = f"{count} {'group' if count == 1 else 'groups'} suppressed, {few(a)}: {names.en}."
        notes.append(note("E-BASE", en, f"{count} 个分组因 {few(a)} 不公布：{names.zh}。"))
    besides = [
        a.group_labels.get(str(v), Text(str(v), str(v)))
        for key, index in a.groups.items()
        for v in index.table.filter((pl.col("construct") == a.target) & _beside(a))[key]
    ]
    if besides:
        names, focal = words.listed(besides), a.brand_labels[a.focal]
        en = f"× withheld besides: {names.en}; with it the index of {focal.en} would give away the group of {few(a)}."
        notes.append(note("E-BASE", en, f"× 另不公布：{names.zh}；否则可由{focal.zh}的指数推算出 {few(a)} 的分组。"))
    return tuple(notes)
