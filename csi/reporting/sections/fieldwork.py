"""What came in, what each rule did, and what was kept."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.answering import (
    absent_table,
    chance,
    closed,
    effects_table,
    flow_table,
    quality_of,
    sentence_of,
)
from csi.reporting.sections.drawn import here
from csi.reporting.sections.waves import wave_notes, wave_tables
from csi.reporting.words.rules import detail
from csi.survey.panel import Panel
from csi.survey.rule_words import RULE_WORDS

RULES = {
    **{name: rule.label for name, rule in RULE_WORDS.items()},
    "reverse": Text("reversed items", "反向题"),
    "full_width_digits": Text("full-width digits", "全角数字"),
    "words": Text("answers in words", "文字作答"),
    "out_of_range": Text("outside the scale", "超出量表范围"),
    "not_a_number": Text("not a number", "非数值"),
    "skipped": Text("skipped", "跳过"),
    "dont_know": Text("don't know", "不知道"),
    "refused": Text("refused", "拒答"),
    "not_asked": Text("not asked", "未询问"),
    "empty": Text("left blank", "空白"),
}
ACTIONS = {
    "drop": Text("dropped", "剔除"),
    "flag": Text("flagged, kept", "标记，保留"),
    "missing": Text("set to missing", "记为缺失"),
    "stop": Text("none found", "未发现"),
    "turned over": Text("turned over", "反向计分"),
    "read as numbers": Text("read as numbers", "按数字读取"),
    "read as codes": Text("read as codes", "按代码读取"),
}


def fieldwork(a: Analysis) -> Section:
    """Every rule with what it touched, and the sources."""
    audit, sources = audit_frame(a.panel), sources_frame(a.panel)
    found = quality_of(a)
    more = (flow_table(a, found), effects_table(a, found), absent_table(a))
    told = [s for s in (sentence_of(a, found), chance(a)) if s.en]
    return Section(
        key="fieldwork",
        title=fieldwork_finding(a.panel),
        subtitle=Text(
            "All waves read; what each rule of the study file did", "全部读入期次；研究文件中各条规则的处理结果"
        ),
        tables=(
            *files_table(a.panel),
            audit_table(audit),
            _cells_table(a),
            *(t for t in more if t is not None),
            *wave_tables(a),
        ),
        paragraphs=tuple(closed(s) for s in told),
        notes=(*a.panel.notes, *wave_notes(a)),
        data={"audit": audit, "sources": sources, "effects": found.effects, "flow": found.flow},
    )


def audit_frame(panel: Panel) -> pl.DataFrame:
    """What each rule did: rule, action, rows, cells, detail."""
    return pl.DataFrame(
        [(e.rule, e.action, e.rows, e.cells, e.detail) for e in panel.audit],
        schema={"rule": pl.String, "action": pl.String, "rows": pl.Int64, "cells": pl.Int64, "detail": pl.String},
        orient="row",
    )


def sources_frame(panel: Panel) -> pl.DataFrame:
    """The files: file, rows, sha256, used, unused."""
    return pl.DataFrame(
        [(s.name, s.rows, s.sha256, len(s.used), len(s.unused)) for s in panel.sources],
        schema={"file": pl.String, "rows": pl.Int64, "sha256": pl.String, "used": pl.Int64, "unused": pl.Int64},
        orient="row",
    )


def fieldwork_finding(panel: Panel) -> Text:
    """How many answer sheets came in, were dropped and flagged."""
    dropped = 0 if panel.excluded is None else panel.excluded.height
    flagged = sum(e.rows for e in panel.audit if e.action == "flag")
    read = sum(s.rows for s in panel.sources) or panel.frame.height + dropped
    return words.fieldwork(read, dropped, flagged)


def files_table(panel: Panel) -> tuple[Table, ...]:
    """The exports that were recognised: as what, what was taken, and what became missing; none of plain tables."""
    if all(s.platform is None for s in panel.sources):
        return ()
    rows = [
        (s.name, s.platform.name if s.platform else "", s.rows, len(s.used), len(s.unused), len(s.personal),
         ", ".join(f"{c.code} {c.cells}" for c in s.coded))
        for s in panel.sources
    ]  # fmt: skip
    schema = {"file": pl.String, "platform": pl.String, "rows": pl.Int64, "used": pl.Int64, "unused": pl.Int64,
              "personal": pl.Int64, "coded": pl.String}  # fmt: skip
    columns = (
        Column("file", Text("File", "文件")),
        Column("platform", Text("Recognised as", "识别为")),
        Column("rows", Text("Rows", "行数"), "count"),
        Column("used", Text("Columns used", "使用列数"), "count"),
        Column("unused", Text("Unused", "未使用"), "count"),
        Column("personal", Text("Left behind (people)", "未读取（个人信息）"), "count"),
        Column("coded", Text("Codes that became missing", "记为缺失的代码")),
    )
    labels = {s.platform.name: s.platform.label for s in panel.sources if s.platform} | {"": Text("–", "–")}
    title = Text("Files and what they were recognised as", "数据文件及其识别结果")
    return (Table("files", title, pl.DataFrame(rows, schema, orient="row"), columns, texts=labels),)


def audit_table(audit: pl.DataFrame) -> Table:
    """What each rule did, in words."""
    columns = (
        Column("rule", Text("Rule", "规则")),
        Column("action", Text("What was done", "处理")),
        Column("rows", Text("Rows", "份数"), "count"),
        Column("cells", Text("Answers", "答案数"), "count"),
        Column("detail", Text("Detail", "说明")),
    )
    details = {d: detail(d) for d in audit["detail"].to_list()}
    title = Text("Rules and their effect", "规则及其结果")
    return Table("audit", title, audit, columns, texts={**details, **RULES, **ACTIONS})


def _cells_table(a: Analysis) -> Table:
    """Answers per brand: kept at the wave, usable in the model, and how many they are worth under the design."""
    kept = (
        a.panel.frame.filter(pl.col("wave") == a.wave)
        .group_by("brand", maintain_order=True)
        .agg(pl.len().alias("kept"))
    )
    table = here(a, a.target)
    frame = pl.DataFrame({"brand": list(a.brands)}).join(kept, on="brand", how="left", maintain_order="left")
    told = table.select("brand", "n", "n_effective", "design_effect")
    frame = frame.join(told, on="brand", how="left", maintain_order="left")
    columns = (
        Column("brand", Text("Brand", "品牌")),
        Column("kept", Text("Kept", "保留"), "count"),
        Column("n", Text("Usable", "有效"), "count"),
        Column("n_effective", Text("Effective n", "有效样本量"), "count"),
        Column("design_effect", Text("Design effect", "设计效应"), "number"),
    )
    wave = words.wave_name(a.wave)
    title = Text(f"Answers in {wave.en}" if a.wave else "Answers", f"{wave.zh}答卷")
    worth = tuple(n for n in a.index.notes if n.code == "N-EFFECTIVE")
    return Table("answers", title, frame, columns, texts=a.brand_labels, notes=worth)
