"""Failure and recovery, as a section."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.behaviour.recovery import OUTCOMES, Recovery, recovery
from csi.behaviour.recovery_words import HEADINGS, SAID
from csi.errors import Text
from csi.reporting.drawn import figure
from csi.reporting.figures.forest import forest
from csi.reporting.methods.method import Method, Need, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

DIFFERENCES: dict[str, Kind] = {
    "outcome": "text", "contrast": "text", "way": "text", "n": "count", "difference": "score", "conf_low": "score",
    "conf_high": "score", "p_adjusted": "p",
}  # fmt: skip
MEANS: dict[str, Kind] = {
    "group": "text", "outcome": "text", "n": "count", "mean": "score", "conf_low": "score", "conf_high": "score",
}  # fmt: skip
ALIKE: dict[str, Kind] = {
    "name": "text", "group": "text", "n": "count", "n_effective": "count", "lowest": "number", "before": "number",
    "after": "number",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Contrasts by outcome, means of the groups, how alike they are."""
    found = recovery(
        panel, study.table("complaints"), options.outcomes, prior=options.prior or None, before=options.before or None,
        adjust_for=options.adjust_for, top=options.top or None, **asked(study, options),
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **SAID}
    parts = (
        ("contrasts", Text("Differences by outcome (0-100)", "各结果变量的差异（0–100）"), found.table, DIFFERENCES),
        ("groups", Text("Means (0-100)", "均值（0–100）"), found.groups, MEANS),
        ("overlap", Text("How alike the groups are", "各组的相似程度"), found.overlap, ALIKE),
    )
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="recovery",
        title=title,
        subtitle=Text(
            "Customers after a failure against customers without one; a recovery paradox where the recovered stand "
            "above",
            "经历失误者与无失误者之比较；已补救者高于无失误者即为补救悖论",
        ),
        paragraphs=more,
        figures=drawn(found, title, texts),
        tables=tuple(tabled(k, t, f, kinds, HEADINGS, texts) for k, t, f, kinds in parts if f.height),
        notes=found.notes,
        data={k: f for k, _, f, _ in parts},
    )


def drawn(found: Recovery, title: Text, texts: dict[str, Text]) -> tuple[Figure, ...]:
    """The adjusted differences with their intervals; none where there are several cells."""
    ways = found.table["way"].unique().to_list()
    way = next((w for w in ("within", "regression", "plain") if w in ways), "plain")
    rows = found.table.filter(pl.col("way") == way, pl.col("conf_low").is_not_null())
    if not rows.height or {"brand", "wave", "stage", "segment"} & set(rows.columns):
        return ()
    frame = rows.select(
        pl.col("contrast").alias("heading"), pl.col("outcome").alias("row"), pl.col("difference").alias("value_a"),
        "conf_low", "conf_high", ((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).alias("significant"),
    ).sort(pl.col("heading").replace({"recovered - none": "0", "failed - none": "1", "recovered - failed": "2"}),
           maintain_order=True)  # fmt: skip
    return (figure("contrasts", title, partial(forest, frame, labels=texts, series={"a": SAID[way]})),)


def _compared() -> Need:
    """An outcome that is usual, or one that is named."""

    def met(study: Study, options: Options) -> bool:
        return bool(options.outcomes) or any(study.codebook.items_of(o) for o in OUTCOMES)

    return Need(
        Text("an outcome (satisfaction, repurchase, recommendation, loyalty)", "结果变量（满意、再购、推荐、忠诚）"),
        met,
        Text("add items with construct: satisfaction, or name outcomes: [...]",
             "补充 construct: satisfaction 的题项，或写 outcomes: [...]"),
    )  # fmt: skip


METHOD = Method(
    name="recovery",
    number=0,
    title=Text("Failure and recovery", "失误与补救"),
    needs=(table("complaints", "failure", "recovery"), _compared()),
    tell=tell,
    options=("outcomes", "prior", "before", "adjust_for", "top"),
    joins=("complaints",),
)
