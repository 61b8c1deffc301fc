"""Reasonable expectations and what to do about each attribute, as a section."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.expectation.reasonable import BEYOND, reasonable
from csi.expectation.reasonable_words import ACTIONS, HEADINGS, RULES
from csi.reporting import style
from csi.reporting.figures.actions import action_matrix
from csi.reporting.methods.method import Method, Need, asked, tabled, texts_of, titled
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHOWN: dict[str, Kind] = {
    "attribute": "text", "n": "count", "expected": "number", "benchmark": "number", "rule": "text", "limit": "number",
    "z": "number", "unreasonable": "share", "conf_low": "share", "conf_high": "share", "date": "text", "advice": "text",
}  # fmt: skip
THREE: dict[str, Kind] = {
    "attribute": "text", "alpha": "share", "limit": "number", "unreasonable": "share", "conf_low": "share",
    "conf_high": "share",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Shares above the industry's limit, three limits, and the matrix of actions."""
    found = reasonable(
        panel, options.benchmarks, expected=options.expected, industry=options.industry, attributes=None,
        **asked(study, options),
    )  # fmt: skip
    told = found.table.filter(pl.col("unreasonable").is_not_null())
    texts = {**texts_of(study), **found.labels, **RULES, **ACTIONS}
    title, more = titled(found.sentences, METHOD.title)
    shown = {c: k for c, k in SHOWN.items() if found.table[c].null_count() < found.table.height}
    heading = Text("Expected beside what the industry delivers", "期望与行业实际交付")
    tables = [tabled("reasonable", heading, found.table, shown, HEADINGS, texts)]
    figures: tuple[Figure, ...] = ()
    if options.benchmarks is not None:
        heading = Text("Three limits", "三个界限下的结果")
        tables.append(tabled("limits", heading, _limits(found.sensitivity), THREE, HEADINGS, {**texts, **ABSENT}))
        if not [k for k in options.by if k in found.table.columns] and told.height:
            figures = (_figure(found.actions, told, texts, title),)
    return Section(
        key="reasonable",
        title=title,
        subtitle=Text(
            "Unreasonable: above the limit that the industry's delivered performance sets; reasonable and feasible: "
            "meet; reasonable, not now: explain with a date; unreasonable: explain, offer alternatives",
            "不合理：高于行业实际交付水平设定的界限；合理且可行：满足；合理但暂不可行：说明并给出时间；不合理：解释并提供替代方案",
        ),
        figures=figures,
        paragraphs=more,
        tables=tuple(tables),
        notes=found.notes,
        data={"reasonable": found.table, "actions": found.actions, "limits": found.sensitivity},
    )


ABSENT = {
    "limit beyond": Text("beyond the scale", "超出量表"),
    "limit other": Text("no answers", "无人作答"),
}
"""What stands in place of a share above a limit that cannot be told."""


def _limits(sensitivity: pl.DataFrame) -> pl.DataFrame:
    """The three limits, with why a share is absent in its place."""
    beyond, absent = pl.col("reason") == BEYOND.text.en, pl.col("reason").is_not_null()
    why = pl.when(beyond).then(pl.lit("limit beyond")).when(absent).then(pl.lit("limit other"))
    return sensitivity.with_columns(why.alias("unreasonable_reason"))


def _figure(actions: pl.DataFrame, table: pl.DataFrame, texts: dict[str, Text], finding: Text) -> Figure:
    """The matrix of actions, wide and narrow."""
    advice = table.select("attribute", "advice")
    frame = actions.join(advice, on="attribute", maintain_order="left")
    frame = frame.with_columns((pl.col("action") == pl.col("advice")).alias("advised"))
    columns = [a for a in ACTIONS if a in frame["action"]]

    def draw(lang: str) -> str:
        return action_matrix(frame, columns, lang=lang, labels=texts, finding=finding.say(lang))

    def narrow(lang: str) -> str:
        return action_matrix(frame, columns, lang=lang, labels=texts, finding=finding.say(lang), width=style.PHONE)

    return Figure("reasonable", draw, finding, narrow=narrow)


def _expected(study: Study, options: Options) -> bool:
    """Whether a level is asked."""
    wanted = {options.expected} if options.expected else {"Es", "Ed"}
    return any(i.form in wanted for i in study.codebook.items)


METHOD = Method(
    name="reasonable",
    number=0,
    title=Text("Reasonable expectations", "期望是否合理"),
    needs=(
        Need(
            Text("items of what should be or is desired (form Es or Ed)", "“应当”或“期望得到”的题项（form: Es 或 Ed）"),
            _expected,
            Text("add items of form Es or Ed", "补充 form: Es 或 Ed 的题项"),
        ),
    ),
    tell=tell,
    options=("expected", "industry", "benchmarks"),
)
