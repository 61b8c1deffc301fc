"""`csi track STUDY --view`: rolling and exponentially weighted means, and control limits."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import each, grid
from csi.cli.studied import keys_in, names, only
from csi.errors import Language, Note, Text
from csi.reporting.tables import Kind
from csi.study import Study
from csi.study.breaks import breaks_of
from csi.tracking.index import Index
from csi.tracking.smooth import Control, Smoothed, control, smooth

VIEWS = ("rolling", "ewma", "control", "control-ewma")
HEADINGS = {
    "smoothed": Text("smoothed", "平滑值"),
    "statistic": Text("charted", "图中值"),
    "centre": Text("centre", "中心"),
    "low": Text("lower limit", "下控制限"),
    "high": Text("upper limit", "上控制限"),
    "outside": Text("", ""),
}
TITLES = {
    "rolling": Text("Rolling mean of four waves", "四期滚动均值"),
    "ewma": Text("Exponentially weighted mean", "指数加权均值"),
    "control": Text("Control chart", "控制图"),
    "control-ewma": Text("Control chart of the exponentially weighted mean", "指数加权均值控制图"),
}
OUTSIDE = {"yes": Text("outside", "超出"), "no": Text("", "")}


def view_argument(parser: argparse.ArgumentParser) -> None:
    """A view of the series beside the table."""
    parser.add_argument("--view", choices=VIEWS, metavar="VIEW", help=f"of the series: {', '.join(VIEWS)}")


def viewed(view: str | None, study: Study, found: Index, construct: str) -> Smoothed | Control | None:
    """The series as asked for."""
    breaks = [b for b in breaks_of(study) if b.wave in set(found.cells["wave"].to_list())]
    if view is None:
        return None
    if view.startswith("control"):
        return control(found, construct, "ewma" if view == "control-ewma" else "individuals", breaks=breaks)
    return smooth(found, construct, "ewma" if view == "ewma" else "rolling", breaks=breaks)


def view_notes(seen: Smoothed | Control | None) -> tuple[Note, ...]:
    """What is said of it."""
    return () if seen is None else seen.notes


def view_blocks(
    view: str | None, seen: Smoothed | Control | None, study: Study, cells: Mapping[str, str], lang: Language
) -> tuple[Grid, ...]:
    """One grid of the cells asked for."""
    if seen is None or view is None:
        return ()
    table = only(seen.table, cells)
    columns = ["index", "smoothed", "conf_low", "conf_high", "statistic", "centre", "low", "high"]
    kinds: dict[str, Kind] = {
        **each(keys_in(table), "text"),
        **each([c for c in columns if c in table.columns], "score"),
    }
    if "beyond" in table.columns:
        outside = pl.when("beyond").then(pl.lit("yes")).otherwise(pl.lit("no"))
        table, kinds = table.with_columns(outside.alias("outside")), {**kinds, "outside": "text"}
    return (grid(table, kinds, lang, TITLES[view], {**names(study, lang), **OUTSIDE}, HEADINGS),)
