"""What joining a programme goes with, as a section."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.behaviour.programme import Programme, programme
from csi.behaviour.programme_words import HEADINGS, PERIODS, SAID
from csi.errors import Text
from csi.reporting.drawn import figure
from csi.reporting.figures.event_study import event_study
from csi.reporting.methods.method import Method, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

WAYS: dict[str, Kind] = {
    "way": "text", "members": "count", "others": "count", "difference": "number", "std_error": "number",
    "conf_low": "number", "conf_high": "number", "p_value": "p",
}  # fmt: skip
EVENTS: dict[str, Kind] = {
    "k": "count", "n": "count", "difference": "number", "conf_low": "number", "conf_high": "number", "p_value": "p",
}  # fmt: skip
ALIKE: dict[str, Kind] = {
    "name": "text", "n": "count", "others": "count", "n_effective": "count", "before": "number", "after": "number",
    "highest_member": "number", "highest_other": "number",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """The differences, the event study, overlap."""
    del panel
    settings = study.settings
    found = programme(
        study.table("members"), study.table("purchases"), period=options.period or "month", level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **SAID}
    per = PERIODS[found.period]
    parts = (
        ("programme", Text(f"A customer a {per.en}, after joining", f"入会后每人每{per.zh}"), found.table, WAYS),
        ("events", Text("Before and after joining", "入会前后"), with_reference(found.events), EVENTS),
        ("overlap", Text("How alike weighted others are", "加权后非会员的相似程度"), found.overlap, ALIKE),
    )
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="programme",
        title=title,
        subtitle=Text(
            "Members against customers who never joined; differences in differences where there is a period before",
            "会员与从未入会者之比较；有入会前时期时采用双重差分",
        ),
        paragraphs=more,
        figures=drawn(found, title),
        tables=tuple(tabled(k, t, f, kinds, HEADINGS, texts) for k, t, f, kinds in parts if f.height),
        notes=found.notes,
        data={k: f for k, _, f, _ in parts},
    )


def with_reference(events: pl.DataFrame) -> pl.DataFrame:
    """The event study with the period that its differences are against: 0, without an interval.

    Example:
        >>> with_reference(pl.DataFrame({"k": [-2, 0], "n": [30, 30], "difference": [0.5, 2.0]})).rows()[1]
        (-1, None, 0.0)
    """
    if not events.height or (events["k"] == -1).any():
        return events
    row = pl.DataFrame({"k": [-1], "difference": [0.0]}).cast({"k": events.schema["k"]})
    return pl.concat([events, row], how="diagonal").sort("k")


def drawn(found: Programme, title: Text) -> tuple[Figure, ...]:
    """The event study, of at least three periods that are told."""
    rows = found.events.drop_nulls("conf_low")
    if rows.height < 3:
        return ()
    return (figure("events", title, partial(event_study, rows, per=PERIODS[found.period])),)


METHOD = Method(
    name="programme",
    number=11,
    title=Text("Programme for members", "会员计划"),
    needs=(table("members"), table("purchases")),
    tell=tell,
    options=("period",),
    cells=(),
)
