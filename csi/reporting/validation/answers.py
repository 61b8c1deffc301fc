"""What came in, what each rule did to it, where rows went, and how long answering took."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.measures.questionnaire.validate import Validation
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.fieldwork import (
    ACTIONS,
    RULES,
    audit_frame,
    audit_table,
    fieldwork_finding,
    files_table,
    sources_frame,
)
from csi.survey.panel import Panel

STEPS = {"read": Text("read", "读入"), "kept": Text("kept", "保留")}


def answers_section(panel: Panel, v: Validation) -> Section:
    """Files, rules and their effect, rows from read to kept, response times."""
    audit = audit_frame(panel)
    tables = [*files_table(panel), audit_table(audit), *_flow(panel), *_times(v)]
    data = {"audit": audit, "sources": sources_frame(panel)}
    if panel.flow is not None:
        data["flow"] = panel.flow
    return Section(
        key="v_answers",
        title=fieldwork_finding(panel),
        subtitle=Text(
            "All answers read; what each rule of the study file did", "全部读入答卷；研究文件中各条规则的处理结果"
        ),
        tables=tuple(t for t in tables if t.frame.height),
        notes=panel.notes,
        data=data,
    )


def _flow(panel: Panel) -> tuple[Table, ...]:
    """Rows from read to kept, all brands and waves together."""
    if panel.flow is None or not panel.flow.height:
        return ()
    frame = panel.flow.group_by("rule", "action", maintain_order=True).agg(pl.col("rows").sum())
    columns = (
        Column("rule", Text("Step", "步骤")),
        Column("action", Text("What was done", "处理")),
        Column("rows", Text("Rows", "份数"), "count"),
    )
    title = Text("From read to kept", "从读入到保留")
    return (Table("v_flow", title, frame, columns, texts={**RULES, **ACTIONS, **STEPS, "": Text("", "")}),)


def _times(v: Validation) -> tuple[Table, ...]:
    """How long answering took, where the data say so."""
    if v.items is None or not v.items.time.height:
        return ()
    frame = v.items.time
    columns = [Column(frame.columns[0], Text("Of", "对象"))]
    heads = {"n": Text("n", "n"), "median": Text("Median", "中位数"), "p10": Text("10%", "10%"),
             "p90": Text("90%", "90%"), "fast": Text("Fast", "过快")}  # fmt: skip
    for name, heading in heads.items():
        if name in frame.columns:
            columns.append(Column(name, heading, {"n": "count", "fast": "share"}.get(name, "score")))  # type: ignore[arg-type]  # a kind
    title = Text("Response times (fast: less than half the median)", "作答时间（过快：不足中位数的一半）")
    return (Table("v_times", title, frame, tuple(columns), texts={"all": Text("questionnaire", "全卷")}),)
