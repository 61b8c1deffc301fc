"""The zone of tolerance, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Text
from csi.expectation.forms import FORMS
from csi.expectation.gap_words import KINDS
from csi.expectation.tolerance import Tolerance, tolerance
from csi.expectation.tolerance_words import HEADINGS
from csi.reporting.drawn import figure
from csi.reporting.figures import Words, pairs
from csi.reporting.methods.method import Method, Need, asked, outcome_label, tabled, texts_of, titled
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

LEVELS: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count", "adequate": "number", "perceived": "number", "desired": "number",
    "width": "number", "position": "coefficient", "position_low": "coefficient", "position_high": "coefficient",
}  # fmt: skip
GAPS: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count", "msa": "number", "msa_low": "number", "msa_high": "number",
    "msa_p_adjusted": "p", "mss": "number", "mss_low": "number", "mss_high": "number", "mss_p_adjusted": "p",
}  # fmt: skip
SHARES: dict[str, Kind] = {
    "kind": "text", "name": "text", "n": "count",
    **{f"{s}{e}": "share" for s in ("below", "within", "above") for e in ("", "_low", "_high")},
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "kind": "text", "name": "text", "n_below": "count", "n_within": "count", "n_above": "count",
    "b_below": "coefficient", "b_below_p": "p", "b_within": "coefficient", "b_within_p": "p",
    "b_above": "coefficient", "b_above_p": "p", "p_equal": "p", "r2": "coefficient",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Both gaps, the zone's width, the position in it, shares below, within and above, slopes in each part."""
    found = tolerance(
        panel,
        options.adequate or "Ea",
        options.desired or "Ed",
        options.perceived or "P",
        outcome=options.outcome or None,
        on_inconsistent=options.inconsistent or None,
        **asked(study, options),
    )
    texts = {**texts_of(study), **found.labels, **KINDS}
    there = [c for c in found.table.columns if found.table[c].null_count() < found.table.height]
    levels, gaps, shares = ({c: k for c, k in kinds.items() if c in there} for kinds in (LEVELS, GAPS, SHARES))
    tables = [
        tabled("tolerance", Text("Levels and the zone", "各水平与容忍区间"), found.table, levels, HEADINGS, texts),
        tabled("gaps", Text("Adequacy and superiority", "充分度与优越度"), found.table, gaps, HEADINGS, texts),
        tabled("zone", Text("Shares of respondents", "受访者占比"), found.table, shares, HEADINGS, texts),
    ]
    told = found.slopes.filter(found.slopes["p_equal"].is_not_null()) if found.slopes.height else found.slopes
    if told.height:
        label = outcome_label(study, found.outcome)
        heading = Text(
            f"{label.en}: slopes below, within and above the zone", f"{label.zh}：区间下方、区间内与上方的斜率"
        )
        tables.append(tabled("slopes", heading, told, SLOPES, HEADINGS, texts))
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="tolerance",
        title=title,
        subtitle=Text(
            "Bar: from adequate to desired; dot: perceived. MSA = P - Ea (adequacy), MSS = P - Ed (superiority)",
            "横条：从可接受到理想；圆点：感知。MSA = P − Ea（充分度），MSS = P − Ed（优越度）",
        ),
        paragraphs=more,
        figures=drawn(study, found, texts, title),
        tables=tuple(tables),
        notes=found.notes,
        data={"tolerance": found.table, "slopes": found.slopes},
    )


def drawn(study: Study, found: Tolerance, texts: Mapping[str, Text], title: Text) -> tuple[Figure, ...]:
    """The zone of every attribute and where experience lies; none where there are several cells or no zone."""
    rows = found.table.filter(kind="attribute").filter(pl.col("position").is_not_null())
    if rows["name"].n_unique() < rows.height or not (found.adequate and found.desired and rows.height):
        return ()
    items = {i.attribute or i.name: i for i in study.codebook.items if i.form == found.perceived}
    frame = rows.select(
        pl.col("name").replace_strict({n: i.construct for n, i in items.items()}, default="").alias("heading"),
        pl.col("name").alias("row"),
        pl.col("adequate").alias("against"),
        pl.col("desired").alias("upper"),
        "perceived",
        pl.col("msa").alias("number"),
        (pl.col("msa_p_adjusted") < 1 - found.level).alias("sure"),
    )
    scale = items[rows["name"][0]].scale
    words = Words(FORMS[found.adequate], FORMS[found.perceived], FORMS[found.desired], Text("MSA", "MSA"))
    bounds = (scale.minimum, scale.maximum)
    return (figure("zones", title, partial(pairs, frame, labels=texts, words=words, bounds=bounds)),)


def _asked(study: Study, options: Options) -> bool:
    """Whether an attribute is asked as perceived and as adequate or desired."""
    ends = {options.adequate or "Ea", options.desired or "Ed"}
    have: dict[str, set[str]] = {}
    for item in study.codebook.items:
        have.setdefault(item.attribute or item.name, set()).add(item.form)
    return any((options.perceived or "P") in forms and forms & ends for forms in have.values())


METHOD = Method(
    name="tolerance",
    number=0,
    title=Text("Zone of tolerance", "容忍区间"),
    needs=(
        Need(
            Text("an attribute asked as P and as Ea or Ed", "同一属性以 P 并以 Ea 或 Ed 提问"),
            _asked,
            Text(
                "give the items of one attribute the same attribute: and the forms P, Ea, Ed",
                "为同一属性的题项写同一 attribute:，并分别写 form: P、Ea、Ed",
            ),
        ),
    ),
    tell=tell,
    options=("perceived", "adequate", "desired", "outcome", "inconsistent"),
)
