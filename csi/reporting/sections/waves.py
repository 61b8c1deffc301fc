"""The waves in a report's fieldwork: what kind of samples, what changed in the questionnaire, who stayed."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Table
from csi.reporting.waves import FOLLOWED, change_frame, design_sentences, grouped, study_changes
from csi.survey.repeats import KINDS
from csi.survey.wave_changes import COLUMNS, WHAT
from csi.tracking.attrition import attrition
from csi.tracking.overlap import overlap


def wave_tables(a: Analysis) -> tuple[Table, ...]:
    """Changes of the questionnaire; of a panel who stayed, how leavers differ, what overlap saves."""
    tables = [*_changes(a)]
    if a.repeats.kind in FOLLOWED:
        tables += _followed(a)
    return tuple(tables)


def wave_notes(a: Analysis) -> tuple[Note, ...]:
    """The design of the waves in a note; none of a single wave."""
    if a.repeats.kind == "single":
        return ()
    what, then = design_sentences(a.repeats)
    return (note("N-WAVES", f"{what.en} {then.en}", f"{what.zh}{then.zh}"),)


def wave_rows(a: Analysis) -> list[tuple[Text, Text]]:
    """The line of the method box."""
    kind = KINDS[a.repeats.kind]
    return [] if a.repeats.kind == "single" else [(Text("Waves", "各期样本"), kind)]


def _changes(a: Analysis) -> list[Table]:
    """What changed but for names of columns."""
    frame = change_frame([c for c in study_changes(a.study, a.panel) if c.what not in COLUMNS])
    if not frame.height:
        return []
    shown = grouped(frame, "en")
    words = dict(zip(shown["evidence"].to_list(), shown["evidence_zh"].to_list(), strict=True))
    items = dict(zip(shown["item"].to_list(), grouped(frame, "zh")["item"].to_list(), strict=True))
    declared = {"yes": Text("yes", "是"), "no": Text("no", "否")}
    shown = shown.with_columns(pl.when("declared").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("declared"))
    columns = (
        Column("wave", Text("Wave", "期次")),
        Column("what", Text("Change", "变化")),
        Column("item", Text("Items", "题项")),
        Column("was", Text("Was", "原为")),
        Column("now", Text("Is", "现为")),
        Column("declared", Text("Declared", "已声明")),
        Column("evidence", Text("Shown by", "依据")),
    )
    texts = {en: Text(en, zh) for en, zh in {**words, **items}.items()} | {**WHAT, **declared}
    title = Text("Changes of the questionnaire", "问卷的变化")
    return [Table("questionnaire", title, shown, columns, texts=texts)]


def _followed(a: Analysis) -> list[Table]:
    """Attrition, leavers beside stayers, overlap."""
    small = a.study.settings.small
    left = attrition(a.panel, a.index, a.target, small)
    shared = overlap(a.index, a.target, a.waves, small)
    texts = {**a.brand_labels, "": Text("all", "全体")}
    counted = (*((n, t, "count") for n, t in COUNTED),)
    people = _table("attrition", Text("People in the waves", "各期人员"), left.table, texts)
    people = replace(
        people,
        columns=(
            *_keys(left.table, "wave"),
            *(Column(n, t, "count") for n, t, _ in counted),
            Column("retention", Text("Retention", "留存率"), "share"),
        ),
    )
    tables = [people]
    if left.leavers["difference"].count():
        columns = (
            *_keys(left.leavers, "wave"),
            Column("n_stayed", Text("Stayed", "留存"), "count"),
            Column("n_left", Text("Left", "流失"), "count"),
            Column("stayed", Text("Index, stayed", "留存者指数"), "score"),
            Column("left", Text("Index, left", "流失者指数"), "score"),
            Column("difference", Text("Difference", "差异"), "change"),
            Column("std_error", Text("SE", "标准误"), "number"),
            Column("p_holm", Text("p (Holm)", "p 值（Holm）"), "p"),
        )
        title = Text("Leavers and stayers in the last wave of both", "流失者与留存者（双方均作答的最后一期）")
        tables.append(replace(_table("leavers", title, left.leavers, texts), columns=columns, notes=left.notes))
    if shared.table["saved"].count():
        columns = (
            *_keys(shared.table, "wave"),
            Column("reference", Text("Against", "对照期")),
            Column("common", Text("In both", "两期均有"), "count"),
            Column("correlation", Text("Correlation", "相关"), "coefficient"),
            Column("std_error", Text("SE of the change", "变化的标准误"), "number"),
            Column("std_error_apart", Text("SE if independent", "独立时的标准误"), "number"),
            Column("saved", Text("Variance saved", "方差节省"), "share"),
        )
        title = Text("What people in both waves save", "共同受访者带来的节省")
        tables.append(replace(_table("overlap", title, shared.table, texts), columns=columns, notes=shared.notes))
    return tables


COUNTED = (
    ("n", Text("People", "人数")),
    ("entered", Text("Entered", "新进")),
    ("stayed", Text("Stayed", "留存")),
    ("came_back", Text("Came back", "返回")),
    ("left", Text("Left", "流失")),
)
"""The counts of the table of people."""


def _table(name: str, title: Text, frame: pl.DataFrame, texts: dict[str, Text]) -> Table:
    return Table(name, title, frame, (), texts=texts)


def _keys(frame: pl.DataFrame, *names: str) -> tuple[Column, ...]:
    """The key columns that say something."""
    known = {"brand": Text("Brand", "品牌"), "wave": Text("Wave", "期次")}
    many = ["brand"] if "brand" in frame.columns and frame["brand"].n_unique() > 1 else []
    return tuple(Column(n, known[n]) for n in (*many, *names))
