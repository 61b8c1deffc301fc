"""Gaps between expectation and perception, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Note, Text
from csi.expectation.forms import FORMS
from csi.expectation.gap import Gap, gap
from csi.expectation.gap_words import HEADINGS, KINDS
from csi.reporting.drawn import figure
from csi.reporting.figures import Words, pairs
from csi.reporting.methods.method import Method, asked, outcome_label, tabled, texts_of, titled
from csi.reporting.methods.needs import forms
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

GAPS: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count", "expected": "number", "perceived": "number", "gap": "number",
    "conf_low": "number", "conf_high": "number", "p_adjusted": "p", "p_signed_rank_adjusted": "p", "dz": "number",
    "short": "share", "met": "share", "exceeded": "share", "ceiling": "share",
}  # fmt: skip
TRUSTED: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count", "r_expected": "coefficient", "r_perceived": "coefficient",
    "correlation": "coefficient", "reliability": "coefficient",
}  # fmt: skip
APART: dict[str, Kind] = {
    "name": "text", "n": "count", "b_expected": "coefficient", "std_error_expected": "coefficient",
    "b_perceived": "coefficient", "std_error_perceived": "coefficient", "p_difference": "p", "r2": "coefficient",
    "r2_difference": "coefficient",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Paired gaps by attribute, dimension and overall; their reliability; the two predictors side by side."""
    found = gap(
        panel,
        options.expected or "Ew",
        options.perceived or "P",
        outcome=options.outcome or None,
        band=options.band,
        **asked(study, options),
    )
    texts = {**texts_of(study), **found.labels, **KINDS}
    label = outcome_label(study, found.outcome)
    trusted = found.reliability.filter(found.reliability["reliability"].is_not_null())
    ranked = found.table["p_signed_rank_adjusted"].null_count() < found.table.height
    shown = {c: k for c, k in GAPS.items() if ranked or c != "p_signed_rank_adjusted"}
    tables = [tabled("gap", Text("Perceived minus expected", "感知减期望"), found.table, shown, HEADINGS, texts)]
    if trusted.height:
        heading = Text("Reliability of the differences (errors uncorrelated)", "差值的信度（假定误差不相关）")
        tables.append(tabled("reliability", heading, trusted, TRUSTED, HEADINGS, texts))
    if found.constraint.height:
        heading = Text(
            f"{label.en} on expectation and perception, side by side", f"{label.zh}对期望与感知的回归（分列）"
        )
        tables.append(tabled("constraint", heading, found.constraint, APART, HEADINGS, texts))
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="gap",
        title=title,
        figures=drawn(study, found, texts, title),
        subtitle=Text(
            "Gap = perceived minus expected: a display. What follows from the two is read off the last table",
            "差距 = 感知 − 期望，仅作展示；推断见最后一表（期望与感知分列）",
        ),
        paragraphs=more,
        tables=tuple(tables),
        notes=(*found.notes, *(Note(r.code, r.text) for r in found.reasons.values())),
        data={"gap": found.table, "reliability": found.reliability, "constraint": found.constraint},
    )


def drawn(study: Study, found: Gap, texts: Mapping[str, Text], title: Text) -> tuple[Figure, ...]:
    """Expected and perceived of every attribute under its dimension; none where there are several cells."""
    rows = found.table.filter(kind="attribute").filter(pl.col("gap").is_not_null())
    if rows["name"].n_unique() < rows.height or not rows.height:
        return ()
    items = {i.attribute or i.name: i for i in study.codebook.items if i.form == found.perceived}
    frame = rows.select(
        pl.col("name").replace_strict({n: i.construct for n, i in items.items()}, default="").alias("heading"),
        pl.col("name").alias("row"),
        pl.col("expected").alias("against"),
        "perceived",
        pl.col("gap").alias("number"),
        (pl.col("p_adjusted") < 1 - found.level).alias("sure"),
    )
    scale = items[rows["name"][0]].scale
    words = Words(FORMS[found.expected], FORMS[found.perceived], None, Text("gap", "差距"))
    bounds = (scale.minimum, scale.maximum)
    return (figure("gaps", title, partial(pairs, frame, labels=texts, words=words, bounds=bounds)),)


METHOD = Method(
    name="gap",
    number=1,
    title=Text("Expectation-perception gap", "期望—感知差距模型"),
    needs=(forms("P", "Ew", option=("perceived", "expected")),),
    tell=tell,
    options=("expected", "perceived", "outcome", "band"),
)
