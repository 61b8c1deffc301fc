"""How answers were given, for the section on fieldwork: where rows went, what rules move, why answers are absent."""

from __future__ import annotations

from math import isfinite

import polars as pl

from csi.errors import Text
from csi.moments.little import little
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Kind, Table
from csi.reporting.words import answering as said
from csi.reporting.words.phrases import begun_heading
from csi.study.quality import ALL, Quality, judged
from csi.study.weighing import weighing
from csi.survey.disclosure import pooled

EVERY = Text("All brands and waves", "全部品牌与期次")


def quality_of(a: Analysis) -> Quality:
    """What the study's rules found and moved, by the weights of the published index."""
    how = weighing(a.study, a.panel, a.target, a.index)
    return judged(a.panel, how, None, a.study.settings.small, a.index.level)


def sentence_of(a: Analysis, found: Quality) -> Text:
    """What the rules that run move together, of all cells; empty where it is not told."""
    whole = found.effects.filter(pl.col("rule") == ALL).tail(1)
    if not whole.height or not whole["rows"][0]:
        return Text("", "")
    effect, low, high = whole.select("effect", "conf_low", "conf_high").row(0)
    return said.together(effect, low, high, a.target_name)


def closed(said_: Text) -> Text:
    """A clause as a sentence."""
    return Text(f"{said_.en[0].upper()}{said_.en[1:]}.", f"{said_.zh}。")


def flow_table(a: Analysis, found: Quality) -> Table | None:
    """Rows read, touched and kept at the wave: a line per brand."""
    if "brand" not in found.flow.columns:
        return None
    here = found.flow.filter(pl.col("wave") == a.wave) if "wave" in found.flow.columns else found.flow
    if here.is_empty():
        return None
    wide = here.pivot("rule", index="brand", values="rows", maintain_order=True)
    order = pl.DataFrame({"brand": list(a.brands)})
    wide = order.join(wide, on="brand", how="left", maintain_order="left")
    steps = [c for c in wide.columns if c != "brand"]
    heads = (Column(s, said.LABELS.get(s, Text(s, s)), "count") for s in steps)
    wave = words.wave_name(a.wave)
    title = Text(f"{said.FLOW.en}, {wave.en}", f"{wave.zh}：{said.FLOW.zh}") if a.wave else said.FLOW
    return Table("flow", title, wide, (Column("brand", Text("Brand", "品牌")), *heads), texts=a.brand_labels)


def effects_table(a: Analysis, found: Quality) -> Table | None:
    """What leaving the rows of a rule out moves the index by: all cells together, and the brands of the wave."""
    keys = [k for k in ("brand", "wave") if k in found.effects.columns]
    every = pl.all_horizontal(pl.col(k).is_null() for k in keys) if keys else pl.lit(value=True)
    here = pl.col("wave") == a.wave if "wave" in keys else pl.lit(value=False)
    told = found.effects.filter((every | here) & pl.col("effect").is_not_null() & (pl.col("rows") > 0))
    if told.is_empty() or "brand" not in keys:
        return None
    kinds: dict[str, Kind] = {"brand": "text", **said.EFFECT_KINDS}
    heads = {"brand": Text("Brand", "品牌"), "n": Text("n", "样本量"), "std_error": Text("SE", "标准误")}
    heads |= {"conf_low": Text("from", "下限"), "conf_high": Text("to", "上限")}
    columns = tuple(Column(c, heads.get(c) or begun_heading(said.HEADINGS[c]), k) for c, k in kinds.items())
    frame = told.with_columns(pl.col("brand").fill_null("*"))
    texts = {**said.LABELS, **a.brand_labels, "*": EVERY}
    return Table("effects", said.EFFECTS, frame.select(*kinds), columns, texts=texts)


def absent_table(a: Analysis) -> Table | None:
    """Why answers to the model's items are absent at the wave: shares of all answers, per brand of enough rows."""
    items = [i for i in a.model.observed if i in a.panel.reasons.columns]
    if not items or a.panel.reasons.height != a.panel.frame.height or "brand" not in a.panel.frame.columns:
        return None
    keys = a.panel.frame.select("brand", "wave")
    here = pl.concat([keys, a.panel.reasons.select(items)], how="horizontal").filter(pl.col("wave") == a.wave)
    long = here.unpivot(items, index="brand", value_name="reason")
    sizes = here.group_by("brand").len("rows").filter(pl.col("rows") >= a.study.settings.small)
    found = long.drop_nulls("reason").group_by("brand", "reason").len("absent").join(sizes, on="brand")
    if found.is_empty():
        return None
    share = pl.col("absent") / (pl.col("rows") * len(items))
    wide = found.with_columns(share.alias("share")).sort("reason").pivot("reason", index="brand", values="share")
    order = pl.DataFrame({"brand": [b for b in a.brands if b in sizes["brand"]]})
    wide = order.join(wide, on="brand", how="left", maintain_order="left").fill_null(0.0)
    heads = (Column(r, said.REASONS.get(r, Text(r, r)), "share") for r in wide.columns if r != "brand")
    columns = (Column("brand", Text("Brand", "品牌")), *heads)
    wave = words.wave_name(a.wave)
    en, zh = "Absent answers to the model's items, by reason", "模型题项的缺失回答及原因"
    title = Text(f"{en}, {wave.en}", f"{wave.zh}{zh}") if a.wave else Text(en, zh)
    return Table("absent", title, wide, columns, texts=a.brand_labels)


def chance(a: Analysis) -> Text:
    """What Little's test says of the model's items in the cells that may stand in a total; empty without absences."""
    asked = a.panel.reasons
    items = [i for i in a.model.observed if i in asked.columns and not (asked[i] == "not_asked").any()]
    counts = a.panel.frame.group_by("brand", "wave", maintain_order=True).len("rows")
    told = counts.filter(pl.Series(pooled(counts["rows"].to_numpy(), a.study.settings.small)))
    frame = a.panel.frame.join(told, on=["brand", "wave"], how="semi", nulls_equal=True).select(items)
    if len(items) < 2 or not frame.height or not sum(frame.null_count().row(0)):
        return Text("", "")
    p = little(frame.fill_null(float("nan")).to_numpy()).p_value
    return said.by_chance(p if isfinite(p) else None)
