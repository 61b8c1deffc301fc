"""`csi track STUDY --view`: rolling and exponentially weighted means, and control limits."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import each, grid, identified
from csi.cli.studied import keys_in, names, only
from csi.errors import Language, Note, Text
from csi.reporting.section import Kind
from csi.study import Study
from csi.tracking.breaks import Break
from csi.tracking.contrasts import construct_place
from csi.tracking.index import Index
from csi.tracking.smooth import Control, Smoothed
from csi.tracking.views import VIEWS, Views, view_of

HEADINGS = {
    "smoothed": Text("smoothed", "平滑值"),
    "statistic": Text("charted", "图中值"),
    "centre": Text("centre", "中心"),
    "low": Text("lower limit", "下控制限"),
    "high": Text("upper limit", "上控制限"),
    "outside": Text("", ""),
}
OUTSIDE = {"yes": Text("outside", "超出"), "no": Text("", "")}

Seen = Mapping[str, Smoothed | Control]
"""The views that are told, by name."""


def view_argument(parser: argparse.ArgumentParser) -> None:
    """Views of the series beside the table, and their settings in place of the study's."""
    add = parser.add_argument
    known = ", ".join(VIEWS)
    add("--view", choices=VIEWS, metavar="VIEW", action="append", help=f"of the series: {known} (the study's)")
    add("--window", type=int, metavar="WAVES", help="with --view rolling: waves of the mean (4)")
    add("--weight", type=float, metavar="W", help="of the newest wave: of ewma (0.3), of control-ewma (0.2)")
    add("--limit", type=float, metavar="K", help="of control charts: standard deviations to a limit (3)")
    add("--baseline", metavar="WAVES", help="of control charts: waves that set the centre, such as 2023Q4,2024Q1")


def asked_views(args: argparse.Namespace, study: Study) -> Views:
    """The study's views with what the command line says in their place."""
    said = {
        "show": tuple(args.view) if args.view else None,
        "window": args.window,
        "weight": args.weight,
        "limit": args.limit,
        "baseline": tuple(w.strip() for w in args.baseline.split(",")) if args.baseline else None,
    }
    given = {name: value for name, value in said.items() if value is not None}
    return replace(study.settings.views, **given)


def viewed(views: Views, study: Study, breaks: Sequence[Break], found: Index, construct: str) -> Seen:
    """The series as asked for; none where every cell has too few answers."""
    small, order = study.settings.small, study.waves or None
    if int(found.n_of(construct_place(found, construct)).max(initial=0)) < small:
        return {}
    return {v: view_of(found, construct, v, views, waves=order, breaks=breaks, small=small) for v in views.show}


def view_notes(seen: Seen) -> tuple[Note, ...]:
    """What is said of them."""
    return tuple(dict.fromkeys(n for one in seen.values() for n in one.notes))


def view_data(seen: Seen, asked: Mapping[str, str]) -> dict[str, object]:
    """The numbers for a machine: all views below each other, named."""
    if not seen:
        return {}
    tables = [only(one.table, asked).with_columns(view=pl.lit(name)) for name, one in seen.items()]
    return {"view": pl.concat(tables, how="diagonal")}


def view_blocks(views: Views, seen: Seen, study: Study, cells: Mapping[str, str], lang: Language) -> tuple[Grid, ...]:
    """One grid for each view, of the cells asked for."""
    made = [(views.title(v), seen[v]) for v in views.show if v in seen]
    return tuple(_grid(identified(t, one.table["formula"]), one.table, study, cells, lang) for t, one in made)


def _grid(title: Text, whole: pl.DataFrame, study: Study, cells: Mapping[str, str], lang: Language) -> Grid:
    """One view."""
    table = only(whole, cells)
    columns = ["index", "smoothed", "conf_low", "conf_high", "statistic", "centre", "low", "high"]
    kinds: dict[str, Kind] = {
        **each(keys_in(table), "text"),
        **each([c for c in columns if c in table.columns], "score"),
    }
    if "beyond" in table.columns:
        outside = pl.col("beyond").replace_strict({True: "yes", False: "no"}, default=None, return_dtype=pl.String)
        table, kinds = table.with_columns(outside.alias("outside")), {**kinds, "outside": "text"}
    return grid(table, kinds, lang, title, {**names(study, lang), **OUTSIDE}, HEADINGS)
