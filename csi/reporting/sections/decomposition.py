"""Why the index changed: the focal brand's change as steps, and the parts of every brand's."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.reporting import figures, style
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.comparability import evidence_notes, gate_labels
from csi.reporting.sections.drawn import formula_id, percent
from csi.study.breaks import breaks_of
from csi.tracking.decompose import Decomposition, decompose
from csi.tracking.decompose_words import NAMES
from csi.tracking.gate_lines import told_changes
from csi.tracking.shapley import PARTS

PALE = Text("a pale bar is within sampling error", "浅色条未超出抽样误差")
UNTESTED = Text(
    "no bar is tested, as the change is comparable after freeing only", "该变化放开题项后才可比，各条均不作检验"
)
"""What a pale bar means."""


def decomposition(a: Analysis) -> Section:
    """Steps from the previous index to this one: items, weights, composition; a table of all brands."""
    found = _split(a)
    mine = found.table.filter(pl.col("brand") == a.focal)
    steps = _steps(a, found, mine)
    title = _title(a, found, mine)
    level, formula = percent(found.level), formula_id(a)
    pale = UNTESTED if "after freeing" in mine["evidence"] else PALE
    drawn = (
        ()
        if steps.is_empty()
        else (figure("waterfall", title, partial(figures.waterfall, labels=_labels(a), frame=steps)),)
    )
    return Section(
        key="decomposition",
        title=title,
        subtitle=Text(
            f"Index points (0–100{formula.en}) by part; lines are {level} confidence intervals; {pale.en}",
            f"各部分的贡献（指数分，0–100{formula.zh}），横线为 {level} 置信区间；{pale.zh}",
        ),
        figures=drawn,
        tables=(_table(a, found),) if found.table["change"].count() else (),
        paragraphs=(*found.sentences, *_told(a, found)),
        notes=(
            *evidence_notes(a, {"wave": a.wave}),
            *(n for n in found.notes if n not in a.index.notes),
        ),
        data={"parts": found.table, "items": found.items, "classes": found.classes},
    )


def _told(a: Analysis, found: Decomposition) -> tuple[Text, ...]:
    """The changes that are given though they are not simply comparable."""
    return told_changes(a.gate, a.index, a.target, found.table.drop_nulls("change"), gate_labels(a))


def _split(a: Analysis) -> Decomposition:
    """The change of every brand since the previous wave."""
    settings = a.study.settings
    return decompose(
        a.index,
        between=(a.previous or "", a.wave),
        by=settings.classes or None,
        construct=a.target,
        data=a.panel,
        small=settings.small,
        waves=a.waves,
        breaks=[b for b in breaks_of(a.study, a.index, a.panel) if b.wave in a.waves],
        labels={**gate_labels(a), **a.brand_labels, a.target: a.label(a.target)},
        gate=a.gate,
    )


def _steps(a: Analysis, found: Decomposition, mine: pl.DataFrame) -> pl.DataFrame:
    """Rows of the figure: the level before, each item's means, weights and composition, the level now."""
    if mine["change"].null_count() or not mine["leads"].any():
        return pl.DataFrame()
    items = found.items.filter((pl.col("brand") == a.focal) & (pl.col("part") == "means"))
    parts = mine.filter(pl.col("part").is_in(PARTS[1:]) & ~pl.col("held"))
    alpha = 1.0 - found.level
    columns = (pl.col("change").alias("value"), pl.col("conf_low").alias("low"), pl.col("conf_high").alias("high"))
    steps = pl.concat(
        [
            items.select(pl.col("item").alias("name"), *columns, (pl.col("p_value") < alpha).alias("sure")),
            parts.select(pl.col("part").alias("name"), *columns, (pl.col("p_holm") < alpha).alias("sure")),
        ]
    ).with_columns(kind=pl.lit("step"))
    place = {row: i for i, row in enumerate(a.index.cells.select("brand", "wave").iter_rows())}
    j = a.index.constructs.index(a.target)
    ends = [(str(w), float(a.index.values[place[a.focal, w], j])) for w in (a.previous, a.wave)]
    level = [
        pl.DataFrame({"name": [name], "value": [value], "kind": ["level"]}).select(
            "name", "value", pl.lit(None, pl.Float64).alias("low"), pl.lit(None, pl.Float64).alias("high"),
            pl.lit(None, pl.Boolean).alias("sure"), "kind",
        )
        for name, value in ends
    ]  # fmt: skip
    return pl.concat([level[0], steps.select(level[0].columns), level[1]])


def _labels(a: Analysis) -> dict[str, Text]:
    """Names of items and parts."""
    book = a.study.codebook
    parts = {name: Text(said.en.capitalize(), said.zh) for name, said in NAMES.items()}
    return {**{i: Text(book.label(i, "en"), book.label(i, "zh")) for i in book.names}, **parts}


def _title(a: Analysis, found: Decomposition, mine: pl.DataFrame) -> Text:
    """How much, what leads, and whether that is more than sampling error."""
    name = a.label(a.target)
    if mine.is_empty() or mine["change"].null_count():
        return _why_not(a, found)
    total = mine.filter(pl.col("part") == "total")["change"][0]
    if not mine["leads"].any():
        moved, why, why_zh = style.change(total), mine["reason"][0], mine["reason_zh"][0]
        en = f"{name.en} {moved} since {a.previous}, through a link, and not split: {why}"
        return Text(en, f"{name.zh}较 {a.previous} 期 {moved} 分（经衔接），未作分解：{why_zh}")
    lead = mine.filter(pl.col("leads")).row(0, named=True)
    part, size = NAMES[lead["part"]], style.change(lead["change"])
    sure = lead["p_holm"] is not None and lead["p_holm"] < 1.0 - found.level
    end = Text("beyond sampling error", "超出抽样误差") if sure else Text("within sampling error", "未超出抽样误差")
    if lead["evidence"] == "after freeing":
        end = Text("comparable after freeing only, not tested", "放开题项后才可比，不作检验")
    moved = style.change(total)
    en = f"{name.en} {moved} since {a.previous}: largest part {part.en} ({size}), {end.en}"
    return Text(en, f"{name.zh}较 {a.previous} 期 {moved} 分：{part.zh}居首（{size}），{end.zh}")


def _why_not(a: Analysis, found: Decomposition) -> Text:
    """Why the focal brand's change is not split: its own sentence, where it has one."""
    brands = found.table.unique(["brand", "wave", "reference"], maintain_order=True)["brand"].to_list()
    said = dict(zip(brands, found.sentences, strict=True))
    return said.get(a.focal) or next(iter(found.sentences), Text("No change to split", "没有可分解的变化"))


def _table(a: Analysis, found: Decomposition) -> Table:
    """One row per brand: the change and its parts."""
    kept = found.table.filter(pl.col("change").is_not_null())
    wide = kept.pivot(on="part", index="brand", values="change") if kept.height else pl.DataFrame({"brand": []})
    moved = set(kept.filter(~pl.col("held"))["part"])  # the others are zero by construction, as a note says
    parts = [p for p in ("total", *PARTS) if p in wide.columns and (p in moved or p == "total")]
    columns = (Column("brand", Text("Brand", "品牌")), *(Column(p, NAMES[p], "change") for p in parts))
    title = Text("Change by part, every brand (points)", "各品牌变化的分解（分）")
    return Table("decomposition", title, wide, columns, texts=a.brand_labels)
