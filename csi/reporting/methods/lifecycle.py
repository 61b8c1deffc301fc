"""The customer lifecycle, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.behaviour.lifecycle import Lifecycle, lifecycle
from csi.behaviour.lifecycle_words import ALL, HEADINGS, WORDS
from csi.errors import Text
from csi.reporting.drawn import figure
from csi.reporting.figures import moves, trend
from csi.reporting.methods.method import Method, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import key
from csi.reporting.section import Figure, Kind, Section, Table
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SIZES: dict[str, Kind] = {
    "stage": "text", "n": "count", "count": "count", "share": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
MOVES: dict[str, Kind] = {
    "from_wave": "text", "to_wave": "text", "origin": "text", "goal": "text", "n": "count", "count": "count",
    "share": "share", "conf_low": "share", "conf_high": "share", "expected": "number",
}  # fmt: skip
TESTS: dict[str, Kind] = {
    "origin": "text", "n": "count", "pairs": "count", "x2": "number", "g2": "number", "df": "count", "p_value": "p",
    "p_g2": "p", "how": "text",
}  # fmt: skip
GONE: dict[str, Kind] = {
    "origin": "text", "at_risk": "count", "after": "text", "value": "number", "conf_low": "number",
    "conf_high": "number",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Stages by wave, moves between them with their test, who is gone when."""
    found = lifecycle(
        panel, tuple(study.stages), absorbing=options.absorbing, only=split(options.only), labels=study.stages,
        seed=study.settings.seed, **asked(study, options),
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **WORDS, "all": ALL}
    title, more = titled(found.sentences, METHOD.title)
    lines = _over_waves(found)
    tables = [_sizes(found, texts, drawn=bool(lines))]
    if found.transitions.height:
        moved = Text("Moves from wave to wave", "相邻两期之间的转移")
        tests = Text("Are moves alike in all waves?", "各期转移是否同质")
        tables.append(tabled("moves", moved, found.transitions, MOVES, HEADINGS, texts))
        tables.append(tabled("tests", tests, found.tests, TESTS, HEADINGS, texts))
    if found.ahead.height:
        ahead, after = _ahead(found.ahead)
        heads = {**HEADINGS, "after": Text("quantity", "指标")}
        gone = Text("Until customers are gone (shares in %, time in waves)", "流失前瞻（占比以 % 计，时间以期计）")
        tables.append(tabled("ahead", gone, ahead, GONE, heads, {**texts, **after}))
    return Section(
        key="lifecycle",
        title=title,
        subtitle=_subtitle(found, weighted="weight" in panel.frame.columns),
        paragraphs=more,
        figures=(*lines, *drawn(found, title)),
        tables=tuple(tables),
        notes=found.notes,
        data={"sizes": found.table, "moves": found.transitions, "tests": found.tests, "ahead": found.ahead},
    )


def _subtitle(found: Lifecycle, *, weighted: bool) -> Text:
    """What the shares are of, and the moves where there are any."""
    en, zh = "Shares of customers by stage", "各阶段顾客占比"
    if weighted:
        en, zh = f"{en}, weighted (n and customers are counts of answers)", f"{zh}，已加权（样本量与人数为答卷数）"
    if found.transitions.height:
        en, zh = f"{en}; moves are of customers seen in both waves", f"{zh}；转移按两期均有记录的顾客计算"
    return Text(en, zh)


def split(only: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The stages at which each name can be asked, written with a plus.

    Example:
        >>> split({"use1": "first+long"})
        {'use1': ('first', 'long')}
    """
    return {name: tuple(p.strip() for p in said.split("+") if p.strip()) for name, said in only.items()}


def _ahead(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Text]]:
    """Shares in percent and times in one column, named."""
    gone = pl.col("quantity") == "absorbed"
    scale = pl.when(gone).then(100.0).otherwise(1.0)
    name = pl.when(gone).then(pl.format("gone {}", "waves")).otherwise(pl.lit("time")).alias("after")
    told = frame.with_columns(pl.col("value", "conf_low", "conf_high") * scale, name)
    words = {f"gone {k}": Text(f"% gone after {k}", f"{k} 期后流失 %") for k in frame["waves"].unique() if k}
    return told, words


def _sizes(found: Lifecycle, texts: Mapping[str, Text], *, drawn: bool) -> Table:
    """Stages by wave; beside a picture of all waves the latest ones."""
    heading, frame = Text("Stages by wave", "各期阶段规模"), found.table
    if drawn and len(found.waves) > LATEST:
        k = len(found.waves)
        heading = Text(f"{heading.en} (the latest {LATEST} of {k})", f"{heading.zh}（共 {k} 期，列最近 {LATEST} 期）")
        frame = frame.filter(pl.col("wave").is_in(found.waves[-LATEST:]))
    return tabled("sizes", heading, frame, SIZES, HEADINGS, texts)


LATEST = 4
"""Waves whose sizes are printed under a picture of all; the workbook has all."""


def _over_waves(found: Lifecycle) -> tuple[Figure, ...]:
    """Shares of customers by stage over the waves; none of one wave or where there are several cells."""
    frame = found.table.filter(pl.col("share").is_not_null())
    if frame["wave"].n_unique() < 2 or frame.select("wave", "stage").is_duplicated().any():
        return ()
    low, high = (pl.col(end) * 100 for end in ("conf_low", "conf_high"))
    lines = frame.select("wave", brand="stage", index=pl.col("share") * 100, conf_low=low, conf_high=high)
    last = lines.filter(wave=lines["wave"][-1]).sort("index")["brand"][-1]
    draw = partial(trend, lines, labels=found.labels, focal=last, caption=SHARES)
    return (figure("sizes", SHARES, draw),)


SHARES = Text("Share of customers, %", "顾客占比（%）")


def drawn(found: Lifecycle, title: Text) -> tuple[Figure, ...]:
    """Moves of all waves together; none where there are several cells, or nobody can be followed."""
    frame = found.transitions.filter(from_wave="all")
    if not frame.height or frame["share"].is_null().all() or frame.select("origin", "goal").is_duplicated().any():
        return ()
    return (figure("moves", title, partial(moves, frame, labels=found.labels), half=True),)


METHOD = Method(
    name="lifecycle",
    number=7,
    title=Text("Customer lifecycle", "顾客生命周期"),
    needs=(
        key("respondent", Text("the respondent", "受访者")),
        key("wave", Text("the wave", "期次")),
        key("stage", Text("the customer's stage", "顾客阶段")),
    ),
    tell=tell,
    options=("absorbing", "only"),
    whole=True,
)
