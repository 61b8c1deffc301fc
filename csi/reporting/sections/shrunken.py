"""Values of small brands drawn toward the wave's mean, the raw index beside; no league, change or test takes them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from csi.errors import Problems, Text, note
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.drawn import formula_id
from csi.survey.bases import FLAGS
from csi.tracking.shrunken import Shrunken, shrunken


def shrunken_section(a: Analysis) -> Section:
    """Raw index and error, shrunken value and its error, what each brand keeps of its distance from the mean."""
    settings, name = a.study.settings, a.label(a.target)
    try:
        made = shrunken(a.index, a.target, None, settings.small, settings.flagged)
    except Problems as found:
        told = tuple(note(p.code, f"{p.what.en} {p.remedy.en}", f"{p.what.zh}{p.remedy.zh}") for p in found.problems)
        title = Text("No index is drawn toward the mean", "没有可收缩的指数")
        return Section(key="shrunken", title=title, subtitle=Text("", ""), notes=told)
    formula = formula_id(a)
    here = replace(made, table=made.table.filter(pl.col("wave") == a.wave))
    return Section(
        key="shrunken",
        title=_title(a, here),
        subtitle=Text(
            f"{name.en} index (0–100{formula.en}) beside its empirical-Bayes value (Fay–Herriot); a reading only: "
            "ranks, changes and tests use the raw index",
            f"{name.zh}指数（0–100{formula.zh}）及其经验贝叶斯收缩值（Fay–Herriot）；仅供对照，名次、变化与检验均用原始指数",
        ),
        tables=(_table(a, here),),
        notes=here.notes,
        data={"shrunken": made.table.drop("reason", "reason_zh")},
    )


def _title(a: Analysis, here: Shrunken) -> Text:
    """Whose value is drawn most in the report's wave, with the raw one."""
    known = here.table.filter(pl.col("shrunken").is_not_null())
    wave = words.wave_name(a.wave)
    if not known.height:
        return Text(f"No index is drawn toward the mean in {wave.en}", f"{wave.zh}没有可收缩的指数")
    row = known.sort((pl.col("shrunken") - pl.col("index")).abs(), descending=True).row(0, named=True)
    who, raw, drawn = a.brand_labels[row["brand"]], f"{row['index']:.1f}", f"{row['shrunken']:.1f}"
    if raw == drawn:
        return Text("Drawn toward the mean, no brand's index moves by 0.1", "向均值收缩后，各品牌指数的变动均不足 0.1")
    return Text(
        f"Drawn toward the wave's mean, {who.en} moves most: from {raw} to {drawn}",
        f"向本期均值收缩后，{who.zh}变动最大：由 {raw} 至 {drawn}",
    )


def _table(a: Analysis, here: Shrunken) -> Table:
    """One row per brand."""
    frame = here.table.sort("index", descending=True, nulls_last=True, maintain_order=True)
    few = pl.when(pl.col("flag") == "suppressed").then(pl.lit(f"n < {a.study.settings.small}"))
    frame = frame.with_columns(index_reason=few, flag=pl.col("flag").fill_null(""))
    columns = (
        Column("brand", Text("Brand", "品牌")),
        Column("n", Text("n", "样本量"), "count"),
        Column("index", Text("Index (raw)", "指数（原始）"), "score"),
        Column("std_error", Text("SE", "标准误"), "number"),
        Column("shrunken", Text("Shrunken", "收缩值"), "score"),
        Column("rmse", Text("RMSE", "均方根误差"), "number"),
        Column("share", Text("Kept", "保留比例"), "number"),
        *((Column("flag", Text("Base", "样本量提示")),) if (frame["flag"] != "").any() else ()),
    )
    title = Text("Raw index and shrunken value", "原始指数与收缩值")
    return Table("shrunken", title, frame, columns, texts={**a.brand_labels, **FLAGS})
