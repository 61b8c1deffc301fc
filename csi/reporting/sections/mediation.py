"""What goes through what: indirect effects with their intervals, and the kind of each mediation."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.mediation import KINDS, mediation
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.model import cell_of, outcomes

MOST = 12
"""So many chains are drawn and tabled; `numbers.json` has all."""


def mediation_section(a: Analysis) -> Section:
    """The largest specific indirect effects on the target and the last outcomes; totals beside direct effects."""
    cell = cell_of(a)
    found = mediation(cell.estimate)
    wanted = outcomes(a)
    chains = found.table.filter(pl.col("outcome").is_in(wanted) & (pl.col("effect") == "specific"))
    firm = _excludes_zero(chains)
    chains = chains.with_columns(pl.Series("significant", firm))
    top = chains.sort(pl.col("estimate").abs(), descending=True, maintain_order=True).head(MOST)
    labels = a.construct_labels
    texts = {**labels, **{c: words.arrows(c, labels) for c in chains["chain"].to_list()}}
    drawn = top.with_columns(
        _order=pl.col("outcome").replace_strict({y: i for i, y in enumerate(wanted)}, return_dtype=pl.Int64)
    )
    drawn = drawn.sort("_order", maintain_order=True).select(
        heading="outcome", row="chain", value_effect="estimate", conf_low="conf_low", conf_high="conf_high",
        significant="significant",
    )  # fmt: skip
    title = _title(chains, top, texts)
    draw = partial(figures.forest, drawn, labels=texts, series={"effect": Text("indirect effect", "间接效应")})
    level = percent(cell.estimate.level)
    brand = a.brand_labels[a.focal]
    return Section(
        key="mediation",
        title=title,
        subtitle=Text(
            f"{brand.en}: the {top.height} largest, standardised, with {level} intervals; hollow: zero inside",
            f"{brand.zh}：标准化特定间接效应与 {level} 区间，取最大的 {top.height} 条；空心为区间含零",
        ),
        figures=(figure("mediation", title, draw),),
        tables=(_chains(top, texts), _totals(a, found.table, wanted)),
        notes=tuple(n for n in found.notes if n.code != "N-VAF"),
        data={"mediation": found.table, "moderated": found.moderated},
    )


def _excludes_zero(frame: pl.DataFrame) -> list[bool]:
    if "conf_low" not in frame.columns:
        return [True] * frame.height
    pairs = frame.select("conf_low", "conf_high").iter_rows()
    return [low is not None and high is not None and (low > 0 or high < 0) for low, high in pairs]


def _title(chains: pl.DataFrame, top: pl.DataFrame, texts: dict[str, Text]) -> Text:
    """How many chains carry something, and which most."""
    firm, many = int(chains["significant"].sum()), chains.height
    counted = Text(f"{firm} of {many} indirect effects exclude zero", f"{many} 条间接路径中有 {firm} 条显著")
    best = top.filter("significant").head(1)
    if not best.height:
        return words.sentence(counted)
    said = texts[best["chain"][0]]
    return words.sentence(counted, Text(f"the largest runs {said.en}", f"最大的为{said.zh}"))


def _chains(top: pl.DataFrame, texts: dict[str, Text]) -> Table:
    columns = (
        Column("chain", Text("Chain", "路径链")),
        Column("estimate", Text("Effect", "效应"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
        Column("kind", Text("Kind (Zhao)", "类型（Zhao）")),
    )
    shown = tuple(c for c in columns if c.name in top.columns)
    return Table("mediation", Text("Specific indirect effects", "特定间接效应"), top, shown, texts={**texts, **KINDS})


def _totals(a: Analysis, table: pl.DataFrame, wanted: list[str]) -> Table:
    """Direct, indirect and total effect of every predictor on the wanted outcomes."""
    rows = []
    for y in wanted:
        part = table.filter(pl.col("outcome") == y)
        for x in part["predictor"].unique(maintain_order=True).to_list():
            row: dict[str, object] = {"outcome": y, "predictor": x}
            for kind in ("direct", "indirect", "total"):
                one = part.filter((pl.col("predictor") == x) & (pl.col("effect") == kind))
                row[kind] = one["estimate"][0] if one.height else None
                if kind == "total" and one.height and "conf_low" in one.columns:
                    row |= {"conf_low": one["conf_low"][0], "conf_high": one["conf_high"][0]}
            rows.append(row)
    names = ["direct", "indirect", "total", "conf_low", "conf_high"]
    frame = pl.DataFrame(
        rows, schema={"outcome": pl.String, "predictor": pl.String, **dict.fromkeys(names, pl.Float64)}
    )
    columns = (
        Column("outcome", Text("On", "结果")),
        Column("predictor", Text("From", "来源")),
        Column("direct", Text("Direct", "直接"), "coefficient"),
        Column("indirect", Text("Indirect", "间接"), "coefficient"),
        Column("total", Text("Total", "总效应"), "coefficient"),
        Column("conf_low", Text("from", "下限"), "coefficient"),
        Column("conf_high", Text("to", "上限"), "coefficient"),
    )
    title = Text("Direct, indirect and total effects", "直接、间接与总效应")
    return Table("effects_split", title, frame, columns, texts=a.construct_labels)
