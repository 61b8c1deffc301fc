"""Moderated arrows: their lines at low, middle and high values of the moderator, and where they differ from 0."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.johnson_neyman import KINDS, johnson_neyman
from csi.measures.slopes import simple_slopes
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.model import cell_of

ARROW = ("outcome", "predictor", "moderator")


def slopes_section(a: Analysis) -> Section:
    """A figure per moderated arrow, and the tables of slopes and regions."""
    est = cell_of(a).estimate
    found = simple_slopes(est)
    regions = johnson_neyman(est) if est.replicates is not None else None
    labels = a.construct_labels
    said = found.sentences if regions is None else (*found.sentences, *regions.sentences)
    title = _bare(words.named(said[0], labels)) if said else Text("Simple slopes", "简单斜率")
    drawn = []
    for number, part in enumerate(found.table.partition_by(ARROW, maintain_order=True)):
        curve = pl.DataFrame()
        if regions is not None:
            mine = regions.curve.join(part.select(ARROW).unique(), on=ARROW, how="semi")
            curve = mine.with_columns(significant=(pl.col("conf_low") > 0) | (pl.col("conf_high") < 0))
        draw = partial(figures.slope_lines, part, curve, labels=labels)
        drawn.append(figure(f"slopes{number or ''}", title, draw))
    level, brand = percent(est.level), a.brand_labels[a.focal]
    tables = [_table("slopes", Text("Simple slopes", "简单斜率"), found.table, labels)]
    if regions is not None:
        name = Text("Where the slope differs from 0 (Johnson-Neyman)", "斜率显著区域（Johnson-Neyman）")
        tables.append(_table("regions", name, regions.table, {**labels, **KINDS}))
    return Section(
        key="slopes",
        title=title,
        subtitle=Text(
            f"{brand.en}: lines from −1 to +1 SD of the predictor; band: {level} interval, dark where zero is outside",
            f"{brand.zh}：预测变量 −1 至 +1 个标准差；带状为 {level} 区间，深色处不含零",
        ),
        figures=tuple(drawn),
        tables=tuple(tables),
        paragraphs=tuple(words.named(s, labels) for s in said[1:]),
        notes=found.notes,
        data={"slopes": found.table, "interaction": found.interaction}
        | ({} if regions is None else {"regions": regions.table, "curve": regions.curve}),
    )


def _bare(said: Text) -> Text:
    """A sentence as a title: without its full stop."""
    return Text(said.en.rstrip("."), said.zh.rstrip("。"))


HEADS = {
    "outcome": Text("On", "结果"), "predictor": Text("From", "来源"), "moderator": Text("Moderator", "调节变量"),
    "at": Text("at (SD)", "取值（SD）"), "estimate": Text("Slope", "斜率"), "conf_low": Text("from", "下限"),
    "conf_high": Text("to", "上限"), "kind": Text("Where", "何处显著"), "low": Text("lower bound", "下界点"),
    "high": Text("upper bound", "上界点"), "share": Text("Share of rows", "占比"),
}  # fmt: skip


def _table(name: str, title: Text, frame: pl.DataFrame, texts: dict[str, Text]) -> Table:
    """The known columns of a frame that hold something."""
    shown = [c for c in HEADS if c in frame.columns and frame[c].null_count() < frame.height]
    columns = tuple(
        Column(c, HEADS[c], "text" if frame.schema[c] == pl.String else "share" if c == "share" else "number")
        for c in shown
    )
    return Table(name, title, frame, columns, texts=texts)
