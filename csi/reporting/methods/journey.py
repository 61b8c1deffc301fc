"""The customer journey, as a section."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.behaviour.journey import Journey, journey
from csi.behaviour.journey_words import HEADINGS
from csi.errors import Problems, Text, problem
from csi.reporting.drawn import figure
from csi.reporting.figures import heat_table, touchpoint_map
from csi.reporting.methods.method import Method, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Figure, Kind, Section, Table
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

TOUCHPOINTS: dict[str, Kind] = {
    "touchpoint": "text", "base": "count", "met": "count", "reach": "share", "reach_low": "share",
    "reach_high": "share", "n": "count", "mean": "score", "conf_low": "score", "conf_high": "score",
    "top2": "share", "bottom2": "share",
}  # fmt: skip
STEPS: dict[str, Kind] = {
    "step": "text", "n": "count", "reach": "share", "drop_off": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
MOVES: dict[str, Kind] = {
    "touchpoint": "text", "next": "text", "n": "count", "share": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
STAGES: dict[str, Kind] = {
    "touchpoint": "text", "stage": "text", "met": "count", "reach": "share", "n": "count", "mean": "score",
    "conf_low": "score", "conf_high": "score",
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "model": "text", "term": "text", "n": "count", "estimate": "coefficient", "std_error": "coefficient",
    "conf_low": "coefficient", "conf_high": "coefficient", "p_value": "p",
}  # fmt: skip
FITS: dict[str, Kind] = {
    "model": "text", "n": "count", "r2": "index", "r2_adjusted": "index", "f": "number", "df1": "number",
    "df2": "number", "p_value": "p",
}  # fmt: skip
DRIVERS: dict[str, Kind] = {
    "touchpoint": "text", "n": "count", "estimate": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "p_adjusted": "p", "met_estimate": "change", "met_conf_low": "change",
    "met_conf_high": "change", "met_p_adjusted": "p",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Where customers are met, how it is scored, what goes with the overall judgement, where they stop."""
    events = study.table("contacts")
    if events is None:
        what = Text("the study names no table of contacts.", "研究文件未写明接触表。")
        do = Text("Write tables: {contacts: contacts.csv}.", "请写 tables: {contacts: contacts.csv}。")
        raise Problems([problem("E-ROLE", "journey", what.en, what.zh, do.en, do.zh)])
    said = asked(study, options)
    found = journey(
        events,
        panel,
        options.outcome or None,
        steps=options.steps,
        scores=options.scores,
        where=said["where"],
        level=said["level"],
        small=said["small"],
        flagged=said["flagged"],
    )
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="journey",
        title=title,
        subtitle=Text(
            "Reach: share of customers with a contact there; scores on 0-100; touchpoints not met are missing by "
            "design, nothing stands in for them",
            "触达率：在该触点有接触的顾客占比；评分换算为 0–100；未接触的触点属设计性缺失，不作填补",
        ),
        paragraphs=more,
        figures=drawn(found, title, said["small"]),
        tables=tuple(_tables(found, study)),
        notes=found.notes,
        data={
            "journey": found.table,
            **{
                name: frame
                for name, frame in (
                    ("stages", found.stages),
                    ("steps", found.steps),
                    ("transitions", found.transitions),
                    ("peak_end", found.peak_end),
                    ("fits", found.fits),
                    ("drivers", found.drivers),
                )
                if frame.height
            },
        },
    )


def _tables(found: Journey, study: Study) -> list[Table]:
    """Touchpoints, drivers, peak and end, steps, what follows what, stages."""
    texts = {**texts_of(study), **found.labels}
    moved = found.transitions
    if moved.height:
        moved = moved.filter((pl.col("share") > 0) | pl.col("share").is_null())
        first = pl.struct("touchpoint").is_first_distinct()
        moved = moved.filter(pl.col("share").is_not_null() | first)
    frames = (
        ("touchpoints", Text("Touchpoints", "触点"), found.table, TOUCHPOINTS),
        (
            "drivers",
            Text("Touchpoints and the overall judgement", "触点与总体评价"),
            found.drivers,
            DRIVERS,
        ),
        ("peak_end", Text("Mean, peak and end", "均值、峰值与终点"), found.peak_end, SLOPES),
        ("fits", Text("What each model adds to the one before", "各模型相对前一模型的增量"), found.fits, FITS),
        ("steps", Text("Drop-off between steps", "各步流失"), found.steps, STEPS),
        ("transitions", Text("What comes next", "下一触点"), moved, MOVES),
        ("stages", Text("Touchpoints by stage", "触点与阶段"), found.stages, STAGES),
    )
    heads = {**HEADINGS, "reach_low": HEADINGS["conf_low"], "reach_high": HEADINGS["conf_high"]}
    return [tabled(name, title, frame, kinds, heads, texts) for name, title, frame, kinds in frames if frame.height]


def drawn(found: Journey, title: Text, small: int) -> tuple[Figure, ...]:
    """The map of touchpoints; the heat table of touchpoints and stages."""
    out: list[Figure] = []
    told = found.table.filter(pl.col("reach").is_not_null() & pl.col("mean").is_not_null())
    if told.height > 1:
        out.append(figure("touchpoints", title, partial(touchpoint_map, told, labels=found.labels), half=True))
    if found.stages.height and found.stages["mean"].is_not_null().any():
        order = found.table["touchpoint"].to_list()
        frame = found.stages.select(
            pl.col("touchpoint").alias("row"),
            pl.col("stage").alias("column"),
            pl.col("mean").alias("value"),
            pl.col("mean").mean().alias("reference"),
            "n",
        )
        place = {s: k for k, s in enumerate(found.stage_order)}
        frame = frame.sort(pl.col("row").replace_strict({t: k for k, t in enumerate(order)}), maintain_order=True)
        groups = ((Text("", ""), sorted(place, key=place.__getitem__)),)
        said = Text("Mean score by touchpoint and stage", "各触点与阶段的平均评分")
        half = len(place) <= 3
        out.append(
            figure(
                "stages", said, partial(heat_table, frame, labels=found.labels, groups=groups, small=small), half=half
            )
        )
    return tuple(out)


METHOD = Method(
    name="journey",
    number=5,
    title=Text("Customer journey", "顾客旅程"),
    needs=(table("contacts", "score", "seq"),),
    tell=tell,
    options=("outcome", "steps", "scores"),
    cells=("where",),
    joins=("contacts",),
)
