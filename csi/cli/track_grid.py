"""The tracking table in print: where every cell stands; what changed, and how far it is from its benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import polars as pl

from csi.cli.answer import Grid
from csi.cli.evidence import YES, rank_evidence
from csi.cli.grids import each, grid
from csi.cli.studied import keys_in, names
from csi.errors import Language, Text
from csi.reporting.section import Kind
from csi.reporting.tables import printed, signed
from csi.study import Study
from csi.survey.bases import FLAGS
from csi.tracking.benchmark import MEAN
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.gate_words import evidence_text
from csi.tracking.targets import ATTAINED

HEADINGS = {
    "target": Text("target", "目标"),
    "attained": Text("", ""),
    "event": Text("event", "事件"),
    "statistic_previous": Text("t", "t 值"),
    "statistic_year": Text("t", "t 值"),
    "statistic_benchmark": Text("t", "t 值"),
    "p_holm_benchmark": Text("p", "p 值"),
    "evidence_benchmark": Text("comparable with it", "与其可比性"),
    "interval": Text("interval", "区间"),
    "change_previous": Text("vs previous", "较上期"),
    "p_holm_previous": Text("p", "p 值"),
    "change_year": Text("vs year ago", "较去年同期"),
    "p_holm_year": Text("p", "p 值"),
    "evidence_previous": Text("comparable with previous", "与上期可比性"),
    "evidence_year": Text("comparable with year ago", "与去年同期可比性"),
    "evidence_rank": Text("comparable in wave", "当期可比性"),
    "ranked": Text("rank", "名次"),
    "flag": Text("", ""),
}
LEGEND = Text("* significant at {}; p by Holm's method.", "* 在 {} 水平显著；p 值经 Holm 校正。")
RANKED = Text(" Rank: interval in brackets.", "名次括号内为区间。")
LINKED = Text("linked", "已衔接")
"""The same of a change across a break: a link stands in the place of evidence."""

REFERENCES = ("previous", "year", "benchmark")


def tracking_grid(study: Study, table: pl.DataFrame, construct: str, lang: Language) -> Grid:
    """One row per cell: answers, index, interval, target, rank, flag, and what happened in the wave."""
    texts = {**names(study, lang), **FLAGS, **ATTAINED}
    rows = table.select("rank", "rank_low", "rank_high").iter_rows()
    frame = table.with_columns(
        evidence_rank=pl.Series([rank_evidence(v, lang) for v in table["evidence_rank"]], dtype=pl.String),
        ranked=pl.Series([ranked(*row) for row in rows], dtype=pl.String),
        event=pl.Series(events_of(study, table, lang), dtype=pl.String),
        flag=pl.col("flag").fill_null(""),
    )
    kinds: dict[str, Kind] = {**each(keys_in(frame), "text"), **each(["n"], "count")}
    unlike = (frame["n_effective"] - frame["n"]).abs() > 0.5
    kinds |= each(["n_effective"] if unlike.any() else [], "count")
    kinds |= each(["index", "conf_low", "conf_high"], "score")
    if "target" in frame.columns and frame["target"].count():
        frame = frame.with_columns(pl.col("attained").fill_null(""))
        kinds |= {"target": "score", "attained": "text"}
    kinds |= each(["ranked", "evidence_rank"] if "brand" in keys_in(table) else [], "text")
    kinds |= each([c for c in ("flag", "event") if (frame[c] != "").any()], "text")
    label, formula = texts.get(construct, Text(construct, construct)), formula_of(table)
    title = Text(f"{label.en}: index 0-100{formula.en}", f"{label.zh}：指数（0–100{formula.zh}）")
    return grid(frame, kinds, lang, title, texts, HEADINGS, right=["ranked"])


def change_blocks(
    study: Study, table: pl.DataFrame, construct: str, lang: Language, benchmark: str = MEAN
) -> tuple[Grid, ...]:
    """One row per cell: what it is from the waves before and from its benchmark; a star marks what passes its test.

    Nothing where there is nothing to compare with.
    """
    texts = names(study, lang)
    against = [a for a in REFERENCES if f"{_moved(a)}_{a}" in table.columns and told(table, a)]
    if not against:
        return ()
    moved = {f"{_moved(a)}_{a}": starred(table, a) for a in against}
    known = {f"evidence_{a}": told_evidence(table, a, texts, lang) for a in against}
    frame = table.with_columns(pl.Series(name, cells, dtype=pl.String) for name, cells in (moved | known).items())
    kinds: dict[str, Kind] = each(keys_in(frame), "text")
    for a in against:
        kinds |= {f"{_moved(a)}_{a}": "text", f"statistic_{a}": "number", f"p_holm_{a}": "p", f"evidence_{a}": "text"}
    label = texts.get(construct, Text(construct, construct))
    title = Text(f"{label.en}: changes and differences (points)", f"{label.zh}：变化与差异（分）")
    headings = {**HEADINGS, "difference_benchmark": against_what(benchmark, texts)}
    return (grid(frame, kinds, lang, title, texts, headings, right=[*moved]),)


def formula_of(table: pl.DataFrame) -> Text:
    """The id of the formula behind a heading."""
    ids = table["formula"].drop_nulls().unique(maintain_order=True).to_list() if "formula" in table.columns else []
    return Text(f" ({', '.join(ids)})" if ids else "", f"，{'、'.join(ids)}" if ids else "")


def told(table: pl.DataFrame, against: str) -> bool:
    """Whether there is any comparison, or a reason that there is none."""
    columns = [f"{_moved(against)}_{against}", f"withheld_{against}"]
    return any(table[c].count() for c in columns)


def against_what(benchmark: str, texts: Mapping[str, Text]) -> Text:
    """The heading of the benchmark: the mean, or a brand."""
    name = texts.get(benchmark, Text(benchmark, benchmark))
    return Text("vs mean", "较均值") if benchmark == MEAN else Text(f"vs {name.en}", f"较{name.zh}")


def events_of(study: Study, table: pl.DataFrame, lang: Language) -> list[str]:
    """What happened in the wave of every row."""
    said: dict[str, list[str]] = {}
    for event in study.events:
        said.setdefault(event.wave, []).append(event.text.say(lang))
    waves = table["wave"] if "wave" in table.columns else [""] * table.height
    return ["; ".join(said.get(str(w), [])) for w in waves]


def _moved(against: str) -> str:
    """The column of a comparison: a change between waves, a difference from a benchmark."""
    return "difference" if against == "benchmark" else "change"


def starred(table: pl.DataFrame, against: str) -> list[str | None]:
    """Changes with their sign, a star where significant."""
    pairs = table.select(f"{_moved(against)}_{against}", f"significant_{against}").iter_rows()
    return [None if change is None else signed(change) + (" *" if sure else "  ") for change, sure in pairs]


def told_evidence(table: pl.DataFrame, against: str, texts: Mapping[str, Text], lang: Language) -> list[str | None]:
    """Whether a change is comparable: yes, after which item, or not, with the effect of what differs in points."""
    columns = [f"{n}_{against}" for n in ("evidence", "items", "bias", "adjusted", "link", "withheld")]
    known = table.with_columns(pl.lit(None).alias(c) for c in columns if c not in table.columns)
    rows = known.select(*columns, f"{_moved(against)}_{against}").iter_rows()
    return [_evidence(row, texts, lang) for row in rows]


def _evidence(
    row: tuple[str | None, str | None, float | None, float | None, str | None, str | None, float | None],
    texts: Mapping[str, Text],
    lang: Language,
) -> str | None:
    """One cell: nothing where there is no change to speak of."""
    verdict, items, bias, adjusted, link, why, change = row
    if verdict is None or (change is None and verdict != "not comparable") or (why and verdict == "not tested"):
        return None
    if link is not None:
        return LINKED.say(lang)
    if verdict in YES:
        return YES[verdict].say(lang)
    listed = [texts.get(i, Text(i, i)).say(lang) for i in (items or "").split(", ") if i]
    moved, less = (float("nan") if x is None else x for x in (bias, adjusted))
    return evidence_text(cast("Verdict", verdict), listed, moved, less).say(lang)


def ranked(rank: float | None, low: float | None, high: float | None) -> str | None:
    """A rank with its interval."""
    if rank is None:
        return None
    return printed(rank, "count") if low is None or high is None else f"{rank:.0f} ({low:.0f}–{high:.0f})"
