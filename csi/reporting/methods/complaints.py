"""Complaints, as a section."""

from __future__ import annotations

from csi.behaviour.complaints import complaints
from csi.behaviour.complaints_words import HEADINGS, SAID
from csi.errors import Text
from csi.reporting.methods.method import Method, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import construct, table
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

RATES: dict[str, Kind] = {
    "customers": "count", "n": "count", "complainants": "count", "rate": "share", "conf_low": "share",
    "conf_high": "share",
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "name": "text", "n": "count", "odds": "number", "odds_low": "number", "odds_high": "number", "points": "score",
    "points_low": "score", "points_high": "score", "p_value": "p",
}  # fmt: skip
HANDLED: dict[str, Kind] = {
    "question": "text", "n": "count", "missing": "count", "mean": "number", "conf_low": "number", "conf_high": "number",
}  # fmt: skip
AFTER: dict[str, Kind] = {
    "name": "text", "n": "count", "estimate": "score", "conf_low": "score", "conf_high": "score", "p_value": "p",
}  # fmt: skip
WHO: dict[str, Kind] = {
    "name": "text", "n": "count", "complained": "score", "others": "score", "difference": "score", "conf_low": "score",
    "conf_high": "score", "p_value": "p",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """The rate, who complains, how it was handled, what goes with it."""
    found = complaints(
        panel, study.table("complaints"), satisfaction=options.constructs.get("satisfaction", "satisfaction"),
        drivers=options.drivers, outcome=options.outcome or _loyal(study), hypothetical=options.hypothetical or None,
        **asked(study, options),
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **SAID}
    parts = (
        ("rate", Text(f"Share of answers with a complaint ({100 * found.level:g}% Wilson interval of the share)",
                      f"有投诉的答卷占比（占比的 {100 * found.level:g}% Wilson 区间）"), found.table, RATES),
        ("incidence", Text("Who complains (logistic regression, per 10 points)", "谁会投诉（逻辑回归，每 10 分）"),
         found.incidence, SLOPES),
        ("handling", Text("Handling, as scored", "投诉处理（按原评分）"), found.handling, HANDLED),
        ("after", Text("The outcome of complainants less that of others, and per point of handling",
                       "投诉者的结果变量与其他顾客之差，及处理评分每分的变化"), found.after, AFTER),
        ("selection", Text("Whom handling is told of", "投诉处理所指的人群"), found.selection, WHO),
    )  # fmt: skip
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="complaints",
        title=title,
        subtitle=Text(
            "Two parts: who complains, of all customers; how it was handled, of those who did (missing by design for "
            "others)",
            "两部分：全体顾客中谁会投诉；投诉者中处理得如何（其他顾客按设计不作答）",
        ),
        paragraphs=more,
        tables=tuple(tabled(k, t, f, kinds, HEADINGS, texts) for k, t, f, kinds in parts if f.height),
        notes=found.notes,
        data={k: f for k, _, f, _ in parts},
    )


def _loyal(study: Study) -> str | None:
    """Loyalty, where it was asked."""
    return "loyalty" if study.codebook.items_of("loyalty") else None


METHOD = Method(
    name="complaints",
    number=0,
    title=Text("Complaints and their handling", "投诉及其处理"),
    needs=(table("complaints"), construct("satisfaction", label=Text("satisfaction", "满意度"))),
    tell=tell,
    options=("constructs", "drivers", "outcome", "hypothetical"),
    joins=("complaints",),
)
