"""Emotion over waves, as a section."""

from __future__ import annotations

from csi.behaviour.emotion_waves import GROUPS, HEADINGS, OUTCOMES, emotion_waves
from csi.behaviour.lifecycle_words import ALL
from csi.behaviour.lifecycle_words import HEADINGS as OF_MOVES
from csi.errors import Text
from csi.reporting.methods.lifecycle import MOVES, SIZES, drawn
from csi.reporting.methods.method import Method, tabled, texts_of, titled
from csi.reporting.methods.needs import again, construct, key
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

TURNED: dict[str, Kind] = {
    "group": "text", "outcome": "text", "n": "count", "count": "count", "share": "share", "conf_low": "share",
    "conf_high": "share",
}  # fmt: skip
GAP: dict[str, Kind] = {"outcome": "text", "difference": "share", "conf_low": "share", "conf_high": "share"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Negative emotion a wave later by what became of the complaint; moves between patterns."""
    positive, negative = (options.constructs.get(n, n) for n in ("positive", "negative"))
    settings = study.settings
    item = options.item or next(iter(study.codebook.items_of("handled")), "")
    found = emotion_waves(
        panel, positive, negative, handled=item, complaints=None if item else study.table("complaints"),
        where=options.where, seed=settings.seed, level=settings.level, small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **found.patterns.labels, **GROUPS, **OUTCOMES, "all": ALL}
    heads = {**OF_MOVES, "stage": Text("pattern", "模式"), "origin": Text("from pattern", "起始模式")}
    heads |= {"goal": Text("to pattern", "到达模式")}
    title, more = titled(found.sentences, METHOD.title)
    tables = []
    if found.table.height:
        turned = Text("Customers with strong negative emotion, a wave later", "消极情感强烈的顾客：下一期")
        gap = Text("Complaint handled against not handled", "投诉已处理与未处理之差")
        tables.append(tabled("turned", turned, found.table, TURNED, HEADINGS, texts))
        tables += [tabled("difference", gap, found.difference, GAP, HEADINGS, texts)] if found.difference.height else []
    sizes, moved = Text("Patterns by wave", "各期情感模式"), Text("Moves between patterns", "模式之间的转移")
    tables.append(tabled("patterns", sizes, found.patterns.table, SIZES, heads, texts))
    tables.append(tabled("pattern_moves", moved, found.patterns.transitions, MOVES, heads, texts))
    return Section(
        key="emotion_waves",
        title=title,
        subtitle=Text(
            "Scores above 50 are high; handling is not assigned by lot, so differences are associations",
            "得分高于 50 为高；处理并非随机分配，差异只是关联",
        ),
        paragraphs=more,
        figures=drawn(found.patterns, title),
        tables=tuple(tables),
        notes=(*found.notes, *found.patterns.notes),
        data={
            "turned": found.table, "difference": found.difference, "patterns": found.patterns.table,
            "moves": found.patterns.transitions, "tests": found.patterns.tests,
        },
    )  # fmt: skip


METHOD = Method(
    name="emotion_waves",
    number=8,
    title=Text("Emotion over waves", "情感的跨期变化"),
    needs=(
        construct("positive", label=Text("positive emotion", "积极情感")),
        construct("negative", label=Text("negative emotion", "消极情感")),
        key("respondent", Text("the respondent", "受访者")),
        key("wave", Text("the wave", "期次")),
        again(),
    ),
    tell=tell,
    options=("constructs", "item"),
    cells=("where",),
    panel=True,
)
