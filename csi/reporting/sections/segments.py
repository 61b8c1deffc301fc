"""The focal brand's groups of customers: the target with intervals, and which groups really differ."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Figure, Section
from csi.reporting.sections.drawn import few, formula_id, percent
from csi.reporting.sections.stages import GROUP_TITLES, group_notes, group_table
from csi.reporting.tables import printed
from csi.tracking.index import Index
from csi.tracking.league import League, pairwise

KEYS = {"stage": Text("stages", "客户阶段"), "segment": Text("segments", "客群")}


def segments(a: Analysis) -> Section:
    """Dot rows by stage and by segment; groups significantly below another in colour (Holm over the pairs)."""
    leagues = {key: pairwise(i, construct=a.target, small=a.study.settings.small) for key, i in a.groups.items()}
    said = [finding(a, key, league) for key, league in leagues.items()]
    title = words.sentence(*said) if said else Text("There are no groups to compare", "没有可比较的分组")
    brand, level = a.brand_labels[a.focal], percent(a.index.level)
    formula = formula_id(a)
    return Section(
        key="segments",
        title=title,
        subtitle=Text(
            f"{brand.en}: {a.label(a.target).en} (0–100{formula.en}) with {level} intervals; coloured: significantly "
            f"below another group (Holm); brackets join groups not significantly different; {few(a)} stays empty",
            f"{brand.zh}：{a.label(a.target).zh}（0–100{formula.zh}）与 {level} 区间；"
            f"着色为显著低于另一组（Holm 校正）；括线内差异不显著；{few(a)} 留空",
        ),
        figures=tuple(_figure(a, key, a.groups[key], league) for key, league in leagues.items()),
        tables=tuple(group_table(a, key, index) for key, index in a.groups.items()),
        notes=group_notes(a),
        data={f"pairs_{key}": league.pairs for key, league in leagues.items()},
    )


def finding(a: Analysis, key: str, league: League) -> Text:
    """Which groups of a key differ, furthest first; that none does; that there are too few to tell."""
    name = KEYS[key]
    if league.table.height < 2:
        return Text(f"too few {name.en} may be published to be compared", f"可公布的{name.zh}不足两个，无从比较")
    differ = league.pairs.filter(pl.col("significant")).sort("difference", descending=True, maintain_order=True)
    if not differ.height:
        return Text(f"no {name.en} differ significantly", f"各{name.zh}之间差异不显著")
    row, rest = differ.row(0, named=True), differ.height - 1
    low, high = (a.group_labels.get(row[k], Text(row[k], row[k])) for k in ("below", "above"))
    more = Text(f", as {'does 1 other pair' if rest == 1 else f'do {rest} other pairs'}", f"，另有 {rest} 对差异显著")
    gap = printed(row["difference"], "score")
    return Text(
        f"{low.en} is {gap} points below {words.lowered(high).en}{more.en if rest else ''}",
        f"{low.zh}比{high.zh}低 {gap} 分{more.zh if rest else ''}",
    )


def _figure(a: Analysis, key: str, index: Index, league: League) -> Figure:
    """The groups of a key from best to worst."""
    mine = index.table.filter(pl.col("construct") == a.target)
    told = mine["n"] >= a.study.settings.small
    frame = mine.select(
        pl.col(key).alias("brand"),
        *(pl.when(told).then(pl.col(c)).alias(c) for c in ("index", "conf_low", "conf_high")),
        pl.when(told).then(pl.lit("×")).otherwise(pl.lit(few(a))).alias("index_reason"),
    ).sort("index", descending=True, nulls_last=True, maintain_order=True)
    lower = league.pairs.filter(pl.col("significant")).sort("difference", descending=True, maintain_order=True)
    draw = partial(
        figures.league,
        frame,
        labels={v: a.group_labels.get(v, Text(v, v)) for v in frame["brand"].to_list()},
        focal=lower["below"][0] if lower.height else "",
        same=[g for g in league.groups if len(g) > 1],
    )
    title = GROUP_TITLES[key]
    spoken = words.sentence(finding(a, key, league))
    return figure(
        f"by_{key}", Text(f"{title.en.capitalize()}: {spoken.en}", f"{title.zh}：{spoken.zh}"), draw, half=True
    )
