"""`csi track STUDY`: the index, its changes with their tests, and ranks, by brand and wave."""

from __future__ import annotations

import argparse

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.grids import each, grid
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
from csi.cli.track_explained import explain_arguments, explained, explained_blocks, explained_data
from csi.errors import Language, Problem, Problems, Text, problem
from csi.reporting.analysis import copies_untold
from csi.reporting.soundness import absent_notes, lost_notes
from csi.reporting.style import share
from csi.reporting.tables import Kind, printed, signed
from csi.reporting.usable import no_waves
from csi.study import Study
from csi.study.breaks import breaks_of
from csi.tracking.track import track

HEADINGS = {
    "interval": Text("interval", "区间"),
    "change_previous": Text("vs previous", "较上期"),
    "p_holm_previous": Text("p", "p 值"),
    "change_year": Text("vs year ago", "较去年同期"),
    "p_holm_year": Text("p", "p 值"),
    "ranked": Text("rank", "名次"),
    "flag": Text("", ""),
}
FLAGS = {"suppressed": Text("too few answers", "样本过少，不公布"), "small": Text("few answers", "样本偏少")}
LEGEND = Text(
    "* significant at {}; p by Holm's method. Rank: interval in brackets.",
    "* 在 {} 水平显著；p 值经 Holm 校正。名次括号内为区间。",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the cells to print, and the construct."""
    cell_arguments(parser)
    parser.add_argument("--construct", help="a construct (the study's target by default)")
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)
    explain_arguments(parser)


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
    tracked = track(
        found,
        args.construct or settings.target,
        waves=study.waves or panel.waves,
        per_year=settings.waves_per_year,
        small=settings.small,
        flagged=settings.flagged,
        breaks=breaks_of(study),
    )
    shown = only(tracked.table, cells)
    missing = (*absent_notes(study, found, shown, tracked.construct), *lost_notes(study, panel, found, cells))
    why = explained(args, study, panel, found, cells, tracked.construct)
    return Answer(
        blocks=(
            tracking_grid(study, shown, tracked.construct, lang),
            LEGEND.say(lang).format(share(1 - found.level, 0)),
            *explained_blocks(study, why, lang),
        ),
        data={
            "construct": tracked.construct,
            "tracking": shown,
            "changes": only(tracked.changes.table, asked),
            **explained_data(why),
        },
        notes=tuple(dict.fromkeys((*panel.notes, *tracked.notes, *(why.notes if why else ()), *missing))),
        code=INADMISSIBLE if missing else FINE,
        record={
            **recorded(study, panel, found),
            "tracking": tracked.table,
            "changes": tracked.changes.table,
            **explained_data(why),
        },
    )


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
    moved = {f"change_{a}": starred(table, a) for a in ("previous", "year") if f"change_{a}" in table.columns}
    frame = table.with_columns(
        *(pl.Series(name, cells, dtype=pl.String) for name, cells in moved.items()),
        pl.Series(
            "ranked",
            [ranked(*row) for row in table.select("rank", "rank_low", "rank_high").iter_rows()],
            dtype=pl.String,
        ),
        pl.col("flag").fill_null(""),
    )
    kinds: dict[str, Kind] = {
        **each(keys_in(frame), "text"),
        **each(["n"], "count"),
        **each(["index", "conf_low", "conf_high"], "score"),
    }
    for name in moved:
        kinds |= {name: "text", name.replace("change", "p_holm"): "p"}
    kinds |= each(["ranked"] if "brand" in keys_in(table) else [], "text")
    if (frame["flag"] != "").any():
        kinds |= each(["flag"], "text")
    label = texts.get(construct, Text(construct, construct))
    title = Text(f"{label.en}: index 0-100 and its changes", f"{label.zh}：指数（0–100）及其变化")
    return grid(frame, kinds, lang, title, texts, HEADINGS, right=[*moved, "ranked"])


def starred(table: pl.DataFrame, against: str) -> list[str | None]:
    """Changes with their sign, a star where significant."""
    pairs = table.select(f"change_{against}", f"significant_{against}").iter_rows()
    return [None if change is None else signed(change) + (" *" if sure else "  ") for change, sure in pairs]


def ranked(rank: float | None, low: float | None, high: float | None) -> str | None:
    """A rank with its interval."""
    if rank is None:
        return None
    return printed(rank, "count") if low is None or high is None else f"{rank:.0f} ({low:.0f}–{high:.0f})"
