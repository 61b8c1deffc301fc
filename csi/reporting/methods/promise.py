"""Promises kept, broken and exceeded, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Text
from csi.expectation.gap_words import KINDS
from csi.expectation.promise import Promise, promise
from csi.expectation.promise_words import HEADINGS
from csi.reporting.drawn import figure
from csi.reporting.figures import parts
from csi.reporting.methods.method import Method, asked, outcome_label, tabled, texts_of, titled
from csi.reporting.methods.needs import forms
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHARES: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count",
    **{f"{s}{e}": "share" for s in ("broken", "exceeded") for e in ("", "_low", "_high")},
    "kept": "share", "net": "share", "p_adjusted": "p",
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "kind": "text", "name": "text", "n_short": "count", "n_over": "count", "b_short": "coefficient",
    "b_over": "coefficient", "difference": "coefficient", "difference_low": "coefficient",
    "difference_high": "coefficient", "p_adjusted": "p",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Shares who got less, what, and more than promised; whether a breach counts for more than over-delivery."""
    found = promise(
        panel,
        options.expected or "Ew",
        options.perceived or "P",
        outcome=options.outcome or None,
        band=options.band,
        **asked(study, options),
    )
    texts = {**texts_of(study), **found.labels, **KINDS}
    tables = [tabled("promise", Text("Shares of respondents", "受访者占比"), found.table, SHARES, HEADINGS, texts)]
    told = found.slopes.filter(found.slopes["difference"].is_not_null()) if found.slopes.height else found.slopes
    if told.height:
        label = outcome_label(study, found.outcome)
        heading = Text(f"{label.en}: a breach against over-delivery", f"{label.zh}：违背承诺与超额兑现")
        tables.append(tabled("slopes", heading, told, SLOPES, HEADINGS, texts))
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="promise",
        title=title,
        subtitle=Text(
            "Less, as much, or more than what was understood as promised; net = more minus less",
            "所得低于、符合或高于所理解的承诺；净值 = 高于 − 低于",
        ),
        paragraphs=more,
        figures=drawn(study, found, texts, title),
        tables=tuple(tables),
        notes=found.notes,
        data={"promise": found.table, "slopes": found.slopes},
    )


def drawn(study: Study, found: Promise, texts: Mapping[str, Text], title: Text) -> tuple[Figure, ...]:
    """The three shares of every attribute under its dimension; none where there are several cells."""
    rows = found.table.filter(kind="attribute").filter(pl.col("net").is_not_null())
    if rows["name"].n_unique() < rows.height or not rows.height:
        return ()
    items = {i.attribute or i.name: i for i in study.codebook.items if i.form == found.perceived}
    frame = rows.select(
        pl.col("name").replace_strict({n: i.construct for n, i in items.items()}, default="").alias("heading"),
        pl.col("name").alias("row"),
        pl.col("broken").alias("low"),
        pl.col("kept").alias("middle"),
        pl.col("exceeded").alias("high"),
    )
    words = [HEADINGS[c] for c in ("broken", "kept", "exceeded")]
    return (figure("promises", title, partial(parts, frame, labels=texts, words=words)),)


METHOD = Method(
    name="promise",
    number=0,
    title=Text("Promise kept", "承诺兑现"),
    needs=(forms("P", "Ew", option=("perceived", "expected")),),
    tell=tell,
    options=("expected", "perceived", "outcome", "band"),
)
