"""`csi track STUDY`: changes of the index against the previous and the year-ago wave, with their tests."""

from __future__ import annotations

import argparse

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import each, grid
from csi.cli.index import RESAMPLING, published, recorded
from csi.cli.progress import working
from csi.cli.studied import cell_arguments, chosen, keys_in, names, only, opened, with_resamples
from csi.errors import Language, Text
from csi.reporting.tables import Kind, signed
from csi.study import Study
from csi.tracking.changes import changes

AGAINST = {"previous": Text("previous wave", "上期"), "year": Text("year ago", "去年同期")}
HEADINGS = {
    "against": Text("against", "对比"),
    "reference": Text("wave", "期次"),
    "p_holm": Text("p (Holm)", "p（Holm）"),
    "verdict": Text("", ""),
    "smallest_significant": Text("needed", "显著所需"),
}
CHANGED = {True: Text("significant", "显著"), False: Text("not significant", "不显著"), None: Text("", "")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the cells to print, and the construct."""
    cell_arguments(parser)
    parser.add_argument("--construct", help="a construct (the study's target by default)")
    parser.add_argument("--bootstrap", type=int, metavar="N", help="resamples for the standard errors (0: none)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Changes up to the wave asked for (the latest by default)."""
    study, panel = opened(args.study)
    asked = chosen(panel, study.brands, args.brand, args.wave)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        found = published(with_resamples(study, args.bootstrap), panel)
    construct = args.construct or study.settings.target
    settings = study.settings
    result = changes(found, construct, waves=study.waves, per_year=settings.waves_per_year, small=settings.small)
    asked.setdefault("wave", panel.waves[-1])
    table = only(result.table, asked)
    return Answer(
        blocks=(change_grid(study, table, construct, lang),),
        data={"construct": construct, "changes": table, "index": only(found.table, asked)},
        notes=(*panel.notes, *found.notes, *result.notes),
        record={**recorded(study, found), "changes": result.table},
    )


def change_grid(study: Study, table: pl.DataFrame, construct: str, lang: Language) -> Grid:
    """One row per brand and reference wave: the change, its error, and whether it passes the test."""
    texts = names(study, lang)
    shown = table.with_columns(
        pl.Series("change", [None if v is None else signed(v) for v in table["change"]], dtype=pl.String),
        pl.Series("change_reason", table["reason_zh" if lang == "zh" else "reason"], dtype=pl.String),
        pl.Series("against", [AGAINST[a].say(lang) for a in table["against"]], dtype=pl.String),
        pl.Series("verdict", [CHANGED[s].say(lang) for s in table["significant"]], dtype=pl.String),
    )
    kinds: dict[str, Kind] = {
        **each(keys_in(shown), "text"),
        "against": "text",
        "reference": "text",
        "change": "text",
        "std_error": "number",
        "p_value": "p",
        "p_holm": "p",
        "smallest_significant": "score",
        "verdict": "text",
    }
    label = texts.get(construct, Text(construct, construct))
    title = Text(f"{label.en}: change in index points", f"{label.zh}：指数变化（点）")
    return grid(shown, kinds, lang, title, texts, HEADINGS, right=("change",))
