"""`csi track STUDY`: the index, its changes with their tests, and ranks, by brand and wave."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import cast

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.grids import counted, each, grid
from csi.cli.index import RESAMPLING, published, recorded
from csi.cli.progress import working
from csi.cli.studied import (
    bootstrap_argument,
    cell_arguments,
    check_cells,
    chosen,
    errors_argument,
    keys_in,
    names,
    only,
    opened,
)
from csi.cli.track_detectable import detectable
from csi.cli.track_explained import explain_arguments, explained, explained_blocks, explained_data
from csi.cli.track_views import view_argument, view_blocks, view_notes, viewed
from csi.errors import Language, Note, Problem, Problems, Text, problem
from csi.reporting.analysis import copies_untold
from csi.reporting.soundness import absent_notes, lost_notes
from csi.reporting.style import share
from csi.reporting.tables import Kind, printed, signed
from csi.reporting.usable import no_waves
from csi.study import Study
from csi.study.breaks import breaks_of
from csi.study.gate import gated
from csi.survey.bases import FLAGS
from csi.tracking.alerts import Alerts, alerts
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Verdict
from csi.tracking.gate_words import VERDICTS, evidence_text
from csi.tracking.index import Index
from csi.tracking.track import track

HEADINGS = {
    "interval": Text("interval", "区间"),
    "change_previous": Text("vs previous", "较上期"),
    "p_holm_previous": Text("p", "p 值"),
    "change_year": Text("vs year ago", "较去年同期"),
    "p_holm_year": Text("p", "p 值"),
    "evidence_previous": Text("comparable", "可比性"),
    "evidence_year": Text("comparable", "可比性"),
    "evidence_rank": Text("comparable", "可比性"),
    "ranked": Text("rank", "名次"),
    "flag": Text("", ""),
}
LEGEND = Text(
    "* significant at {}; p by Holm's method. Rank: interval in brackets.",
    "* 在 {} 水平显著；p 值经 Holm 校正。名次括号内为区间。",
)
GATING = Text("Testing comparability", "检验可比性")
YES = {"comparable": Text("yes", "可比"), "not tested": Text("not tested", "未检验")}
"""The evidence in a column headed `comparable`."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the cells to print, and the construct."""
    cell_arguments(parser)
    parser.add_argument("--construct", help="a construct (the study's target by default)")
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)
    explain_arguments(parser)
    view_argument(parser)
    gate_arguments(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """One wave of every brand (the latest by default), or every wave of one brand."""
    study, panel = opened(args.study, args.bootstrap, args.errors)
    asked = chosen(study, panel, args.brand, args.wave)
    if no_waves(study):
        raise Problems([needs_waves(study)])
    if study.settings.imputations:
        raise Problems([copies_untold(study)])
    settings, cells = study.settings, asked or {"wave": panel.waves[-1]}
    check_cells(study, panel, cells)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        found = published(study, panel, cells)
    name = construct_of(found, args.construct or settings.target)
    gate, told = evidence(study, found, args, name, lang)
    tracked = track(
        found,
        name,
        waves=study.waves or panel.waves,
        per_year=settings.waves_per_year,
        small=settings.small,
        flagged=settings.flagged,
        breaks=breaks_of(study),
        gate=gate,
        anyway=args.anyway,
    )
    shown = only(tracked.table, cells)
    alarms = alerts(tracked, study.alerts, cells)
    missing = (*absent_notes(study, found, shown, tracked.construct), *lost_notes(study, panel, found, cells))
    seen = viewed(args.view, study, found, tracked.construct)
    why = explained(args, study, panel, found, cells, tracked.construct)
    beside = (*(why.notes if why else ()), *view_notes(seen))
    return Answer(
        blocks=(
            tracking_grid(study, shown, tracked.construct, lang),
            LEGEND.say(lang).format(share(1 - found.level, 0)),
            *detectable(shown, found.level, lang),
            *alert_blocks(study, alarms, lang),
            *explained_blocks(study, why, lang),
            *view_blocks(args.view, seen, study, cells, lang),
        ),
        data={
            "construct": tracked.construct,
            "tracking": shown,
            "changes": only(tracked.changes.table, asked),
            **({"alerts": alarms.table} if study.alerts else {}),
            **explained_data(why),
            **({} if seen is None else {"view": only(seen.table, asked)}),
        },
        notes=tuple(dict.fromkeys((*panel.notes, *tracked.notes, *told, *beside, *missing))),
        code=INADMISSIBLE if missing else FINE,
        record={
            **recorded(study, panel, found),
            "tracking": tracked.table,
            "changes": tracked.changes.table,
            **explained_data(why),
            **({} if gate is None else {"comparability": gate.sets}),
        },
    )


def alert_blocks(study: Study, found: Alerts, lang: Language) -> tuple[str, ...]:
    """What the study's alerts say of the cells printed; nothing where it has none."""
    if not study.alerts:
        return ()
    head = Text("Alerts:", "预警：") if found.sentences else Text("No alert.", "没有预警。")
    return (head.say(lang), *(f"  ! {t.say(lang)}" for t in found.sentences))


def needs_waves(study: Study) -> Problem:
    """Why there is nothing to track."""
    en = "the study has no waves, and a change needs two of them."
    zh = "该研究没有期次，而变化至少需要两期。"
    do = "Name the column of the wave under keys (or give each file its wave); csi index gives the index."
    do_zh = "请在 keys 中写明期次所在的列（或为每个数据文件注明 wave）；指数可用 csi index 查看。"
    return problem("E-WAVE", str(study.path), en, zh, do, do_zh)


def tracking_grid(study: Study, table: pl.DataFrame, construct: str, lang: Language) -> Grid:
    """One row per cell; a star marks a change that passes its test."""
    texts = {**names(study, lang), **FLAGS}
    against = [a for a in ("previous", "year") if f"change_{a}" in table.columns]
    moved = {f"change_{a}": starred(table, a) for a in against}
    known = {f"evidence_{a}": told_evidence(table, a, texts, lang) for a in against}
    frame = table.with_columns(
        *(pl.Series(name, cells, dtype=pl.String) for name, cells in (moved | known).items()),
        evidence_rank=pl.Series([_rank_evidence(v, lang) for v in table["evidence_rank"]], dtype=pl.String),
    ).with_columns(
        pl.Series(
            "ranked",
            [ranked(*row) for row in table.select("rank", "rank_low", "rank_high").iter_rows()],
            dtype=pl.String,
        ),
        pl.col("flag").fill_null(""),
    )
    kinds: dict[str, Kind] = {
        **each(keys_in(frame), "text"),
        **counted(frame),
        **each(["index", "conf_low", "conf_high"], "score"),
    }
    for name in moved:
        kinds |= {name: "text", name.replace("change", "p_holm"): "p", name.replace("change", "evidence"): "text"}
    kinds |= each(["ranked", "evidence_rank"] if "brand" in keys_in(table) else [], "text")
    if (frame["flag"] != "").any():
        kinds |= each(["flag"], "text")
    label = texts.get(construct, Text(construct, construct))
    title = Text(f"{label.en}: index 0-100 and its changes", f"{label.zh}：指数（0–100）及其变化")
    return grid(frame, kinds, lang, title, texts, HEADINGS, right=[*moved, "ranked"])


def starred(table: pl.DataFrame, against: str) -> list[str | None]:
    """Changes with their sign, a star where significant."""
    pairs = table.select(f"change_{against}", f"significant_{against}").iter_rows()
    return [None if change is None else signed(change) + (" *" if sure else "  ") for change, sure in pairs]


def told_evidence(table: pl.DataFrame, against: str, texts: Mapping[str, Text], lang: Language) -> list[str | None]:
    """Whether a change is comparable: yes, after which item, or not, with the effect of what differs in points."""
    names_ = ("evidence", "items", "bias")
    rows = table.select(*(f"{n}_{against}" for n in names_), f"withheld_{against}", f"change_{against}").iter_rows()
    return [_evidence(row, texts, lang) for row in rows]


def _evidence(
    row: tuple[str | None, str | None, float | None, str | None, float | None],
    texts: Mapping[str, Text],
    lang: Language,
) -> str | None:
    """One cell: nothing where there is no change to speak of."""
    verdict, items, bias, why, change = row
    if verdict is None or (change is None and verdict != "not comparable") or (why and verdict == "not tested"):
        return None
    if verdict in YES:
        return YES[verdict].say(lang)
    listed = [texts.get(i, Text(i, i)).say(lang) for i in (items or "").split(", ")]
    return evidence_text(cast("Verdict", verdict), listed, float("nan") if bias is None else bias).say(lang)


def _rank_evidence(verdict: str | None, lang: Language) -> str | None:
    """The least favourable evidence of a brand's differences within the wave."""
    return None if verdict is None else (YES | VERDICTS | PARTLY)[verdict].say(lang)


PARTLY = {
    "after freeing": Text("in part", "部分"),
    "not comparable": Text("not with all", "与部分品牌不可比"),
}
"""The evidence of several differences together."""


def gate_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether comparability is tested, and what becomes of what fails."""
    parser.add_argument("--no-gate", action="store_true", help="print differences without testing comparability")
    parser.add_argument("--anyway", action="store_true", help="print differences that are not comparable, too")


def evidence(
    study: Study, found: Index, args: argparse.Namespace, construct: str, lang: Language
) -> tuple[Comparable | None, tuple[Note, ...]]:
    """The gate of the construct that is tracked, unless the study or the call switches it off."""
    if args.no_gate:
        return None, ()
    with working(GATING.say(lang), quiet=args.quiet):
        return gated(study, found, [construct])


def construct_of(found: Index, name: str) -> str:
    """The construct as the index names it.

    Raises:
        Problems: E-CONSTRUCT.
    """
    return found.constructs[construct_place(found, name)]


def ranked(rank: float | None, low: float | None, high: float | None) -> str | None:
    """A rank with its interval."""
    if rank is None:
        return None
    return printed(rank, "count") if low is None or high is None else f"{rank:.0f} ({low:.0f}–{high:.0f})"
