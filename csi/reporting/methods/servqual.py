"""Service quality by dimensions, as a section."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.expectation.forms import FORMS
from csi.expectation.servqual import FIVE, Servqual, servqual
from csi.expectation.servqual_words import HEADINGS, KINDS, MODELS, SHORT
from csi.reporting.drawn import figure
from csi.reporting.figures import Words, pairs
from csi.reporting.methods.method import Method, Need, asked, outcome_label, tabled, texts_of, titled
from csi.reporting.section import Figure, Kind, Section, Table
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SCORES: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count", "weight": "share", "expected": "number", "perceived": "number",
    "score": "number", "conf_low": "number", "conf_high": "number", "p_adjusted": "p",
}  # fmt: skip
TRUSTED: dict[str, Kind] = {
    "form": "text", "dimension": "text", "n": "count", "n_items": "count", "alpha": "coefficient",
    "omega": "coefficient",
}  # fmt: skip
COMPARED: dict[str, Kind] = {
    "model": "text", "n": "count", "predictors": "count", "r2": "coefficient", "r2_adjusted": "coefficient",
    "f": "number", "p_value": "p", "f_classical": "number", "p_classical": "p",
}  # fmt: skip
FITS: dict[str, Kind] = {
    "form": "text", "model": "text", "n": "count", "chi2": "number", "df": "count", "p_value": "p", "cfi": "index",
    "tli": "index", "rmsea": "index", "srmr": "index", "chi2_diff": "number", "df_diff": "count", "p_diff": "p",
}  # fmt: skip
APART: dict[str, Kind] = {
    "form": "text", "dimension": "text", "other": "text", "htmt": "coefficient", "upper": "coefficient",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Gaps by dimension, unweighted and weighted; reliabilities; P against gap against both; factor models; HTMT."""
    found = servqual(
        panel,
        options.expected,
        weights=options.points or None,
        outcome=options.outcome or None,
        seed=study.settings.seed,
        **asked(study, options),
    )
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="servqual",
        title=title,
        subtitle=Text(
            "Score = perceived minus expected (perceived alone where nothing was expected); weights: points of 100",
            "得分 = 感知 − 期望（无期望题项时即感知）；权重来自 100 分分配",
        ),
        paragraphs=more,
        figures=drawn(study, found, title),
        tables=_tables(study, found),
        notes=found.notes,
        data={
            "servqual": found.table, "reliability": found.reliability, "predictive": found.predictive,
            "structure": found.structure, "htmt": found.htmt,
        },
    )  # fmt: skip


def drawn(study: Study, found: Servqual, title: Text) -> tuple[Figure, ...]:
    """Expected and perceived of every dimension; none where there are several cells or no expectations."""
    rows = found.table.filter(kind="dimension").filter(pl.col("score").is_not_null())
    if rows["name"].n_unique() < rows.height or not found.form or not rows.height:
        return ()
    frame = rows.select(
        pl.lit("").alias("heading"),
        pl.col("name").alias("row"),
        pl.col("expected").alias("against"),
        "perceived",
        pl.col("score").alias("number"),
        (pl.col("p_adjusted") < 1 - found.level).alias("sure"),
    )
    scale = next(i.scale for i in study.codebook.items if i.form == "P" and i.construct in found.dimensions)
    words = Words(FORMS[found.form], FORMS["P"], None, Text("gap", "差距"))
    texts = {**texts_of(study), **found.labels}
    bounds = (scale.minimum, scale.maximum)
    return (figure("dimensions", title, partial(pairs, frame, labels=texts, words=words, bounds=bounds), half=True),)


def _tables(study: Study, found: Servqual) -> tuple[Table, ...]:
    """The frames that have rows."""
    texts = {**KINDS, **MODELS, **SHORT, **texts_of(study), **found.labels}
    label = outcome_label(study, found.outcome)
    frames: list[tuple[str, Text, pl.DataFrame, dict[str, Kind]]] = [
        ("servqual", Text("Dimensions and overall", "各维度与总体"), found.table, SCORES),
        ("reliability", Text("Reliability of dimensions", "维度信度"), found.reliability, TRUSTED),
        ("predictive", Text(f"What explains “{label.en}”", f"对“{label.zh}”的解释"), found.predictive, COMPARED),
        ("structure", Text("How many dimensions (MLR)", "维度结构（MLR）"), found.structure, FITS),
        ("htmt", Text("Are dimensions apart?", "维度是否可区分"), found.htmt, APART),
    ]
    made = []
    for name, title, frame, kinds in frames:
        if frame.height:
            there = {c: k for c, k in kinds.items() if c in frame.columns and frame[c].null_count() < frame.height}
            made.append(tabled(name, title, frame, there, HEADINGS, texts))
    return tuple(made)


def _has_dimensions(study: Study, options: Options) -> bool:
    """Whether any of the five dimensions has perceptions."""
    del options
    return any(i.form == "P" and i.construct in FIVE for i in study.codebook.items)


METHOD = Method(
    name="servqual",
    number=3,
    title=Text("SERVQUAL and SERVPERF", "SERVQUAL 与 SERVPERF"),
    needs=(
        Need(
            Text("a dimension of service quality (tangibles ... empathy)", "服务质量维度（tangibles 至 empathy）"),
            _has_dimensions,
            Text(f"name constructs of items {', '.join(FIVE)}", f"将题项的构念命名为 {'、'.join(FIVE)}"),
        ),
    ),
    tell=tell,
    options=("expected", "outcome", "points"),
)
