"""The feedback loop, as a section."""

from __future__ import annotations

from functools import partial
from typing import Final, cast

import polars as pl

from csi.behaviour.feedback import Feedback, Period, feedback
from csi.behaviour.feedback_words import GROUPS_SAID, HEADINGS
from csi.errors import Text
from csi.reporting.drawn import figure
from csi.reporting.figures import forest
from csi.reporting.methods.method import Method, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Figure, Kind, Section, Table
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

STATUS: dict[str, Kind] = {
    "attribute": "text", "wave": "text", "open_before": "count", "opened": "count", "reopened": "count",
    "closed": "count", "open": "count", "age": "count",
}  # fmt: skip
SPEED: dict[str, Kind] = {
    "n": "count", "people": "count", "reopened": "count", "closed": "count", "open": "count", "oldest": "count",
    "median": "count", "conf_low": "count", "conf_high": "count",
}  # fmt: skip
STANDING: dict[str, Kind] = {
    "attribute": "text", "group": "text", "n": "count", "mean": "score", "conf_low": "score", "conf_high": "score",
}  # fmt: skip
CHANGES: dict[str, Kind] = {
    "attribute": "text", "group": "text", "n": "count", "before": "score", "after": "score", "change": "change",
    "conf_low": "change", "conf_high": "change",
}  # fmt: skip
GAPS: dict[str, Kind] = {
    "attribute": "text", "group": "text", "other": "text", "adjusted": "text", "n": "count", "difference": "change",
    "conf_low": "change", "conf_high": "change", "p_value": "p",
}  # fmt: skip
MET: dict[str, Kind] = {
    "touchpoint": "text", "n": "count", "contacts": "count", "mean": "number", "others": "number",
    "difference": "number", "conf_low": "number", "conf_high": "number",
}  # fmt: skip
SAID = {"yes": Text("yes", "是"), "no": Text("no", "否")}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """What is open, how fast it is closed, what goes with closing."""
    said = asked(study, options)
    found = feedback(
        study.table("cases"), panel, study.table("contacts"), ends=options.ends,
        period=cast("Period", options.period or "quarter"), where=said["where"],
        level=said["level"], small=said["small"], flagged=said["flagged"],
    )  # fmt: skip
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="feedback",
        title=title,
        subtitle=Text(
            "Cases as the firm logged them; joined to answers by customer and by the last day of each wave",
            "问题单按企业登记计数；按顾客与各期期末日与答卷关联",
        ),
        paragraphs=more,
        figures=drawn(found, study),
        tables=_tables(found, study),
        notes=found.notes,
        data={
            "status": found.table, "speed": found.speed, "sources": found.sources, "standing": found.standing,
            "changes": found.changes, "differences": found.differences, "touchpoints": found.touchpoints,
        },
    )  # fmt: skip


CHANGED: Final = Text("Change of the attribute's score from wave to wave, by what became of cases",
                      "该属性相邻两期得分的变化（按问题去向）")  # fmt: skip


def drawn(found: Feedback, study: Study) -> tuple[Figure, ...]:
    """Changes of scores by what became of cases, with their intervals; none where fewer than two groups are told."""
    rows = found.changes.filter(pl.col("conf_low").is_not_null())
    rows = rows.filter(pl.len().over("attribute") > 1)
    if not rows.height:
        return ()
    frame = rows.select(
        pl.col("attribute").replace({"": "all"}).alias("heading"), pl.col("group").alias("row"),
        pl.col("change").alias("value_a"), "conf_low", "conf_high",
        ((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).alias("significant"),
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **GROUPS_SAID, "all": found.labels[""]}
    return (figure("changes", CHANGED, partial(forest, frame, labels=texts, series={"a": Text("change", "变化")})),)


def _tables(found: Feedback, study: Study) -> tuple[Table, ...]:
    """Those that have rows."""
    texts = {**texts_of(study), **found.labels, **GROUPS_SAID, **SAID}
    yes = pl.col("adjusted").replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    groups = {**HEADINGS, "n": Text("customers", "顾客数")}
    closing = {**groups, "closed": HEADINGS["closed"]}
    times = {**HEADINGS, "n": Text("cases", "问题数"), "open": Text("open", "未关闭")}
    parts: tuple[tuple[str, Text, pl.DataFrame, dict[str, Kind], dict[str, Text]], ...] = (
        ("status", Text("Open issues by attribute and wave", "各属性各期的未关闭问题"), found.table, STATUS, HEADINGS),
        ("speed", Text("How long closing takes (Kaplan-Meier)", "关闭时长（Kaplan–Meier）"), found.speed,
         {"attribute": "text", **SPEED}, times),
        ("sources", Text("Where cases came in", "问题来源"), found.sources, {"source": "text", **SPEED}, times),
        ("standing", Text("Scores at the end of a wave, by cases", "期末得分（按问题状态）"), found.standing, STANDING,
         groups),
        ("changes", Text("Scores from wave to wave, by what became of cases", "相邻两期得分（按问题去向）"),
         found.changes, CHANGES, closing),
        ("differences", Text("How far changes differ (associations)", "变化之差（关联）"),
         found.differences.with_columns(yes), GAPS, groups),
        ("touchpoints", Text("Contacts while a case is open", "问题处理期间的接触"), found.touchpoints, MET, groups),
    )  # fmt: skip
    return tuple(tabled(k, t, f, kinds, heads, texts) for k, t, f, kinds, heads in parts if f.height)


METHOD = Method(
    name="feedback",
    number=0,
    title=Text("Feedback loop: issues and their closing", "反馈闭环：问题与关闭"),
    needs=(table("cases", "id", "closed"),),
    tell=tell,
    options=("ends", "period"),
    cells=("where",),
    whole=True,
    joins=("cases",),
)
