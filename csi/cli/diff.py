"""`csi diff RECORD_A RECORD_B`: what changed between two runs, in data, settings and numbers."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import each, grid
from csi.display import fixed
from csi.errors import Language, Text
from csi.reporting.diff import ROWS, Diff, diff
from csi.reporting.diff_words import DECIMALS, PARTS, QUANTITIES

HEADINGS = {
    "before": Text("before", "之前"),
    "after": Text("after", "之后"),
    "difference": Text("difference", "差异"),
    "quantity": Text("number", "数值"),
    "part": Text("part", "部分"),
    "setting": Text("setting", "设置"),
    "package": Text("package", "软件包"),
    "against": Text("against", "对照"),
}
AGAINST = {"previous": Text("previous", "上期"), "year": Text("year ago", "去年同期")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Two records."""
    what = "a file written by --record, or the folder of a report"
    parser.add_argument("before", metavar="RECORD_A", type=Path, help=what)
    parser.add_argument("after", metavar="RECORD_B", type=Path, help=what)
    parser.add_argument("--all", action="store_true", help="print every number that changed")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The sentences, then tables of what differs."""
    found = diff(args.before, args.after)
    return Answer(
        blocks=(*(t.say(lang) for t in found.sentences), *grids(found, lang, None if args.all else ROWS)),
        data={
            "same": found.same,
            "data": found.data,
            "cells": found.cells,
            "settings": found.settings,
            "versions": found.versions,
            "numbers": found.table.filter(pl.col("status") != "same"),
            "sentences": [t.say(lang) for t in found.sentences],
        },
        notes=found.notes,
    )


def grids(found: Diff, lang: Language, most: int | None) -> list[str | Grid]:
    """A grid for every part that differs."""
    out: list[str | Grid] = []
    parts = {"data": _short(found.data), "cells": found.cells, "settings": found.settings, "numbers": _printed(found)}
    for name, frame in parts.items():
        if frame.is_empty():
            continue
        kinds = each(frame.columns, "text")
        if name == "cells":
            kinds |= each(["before", "after"], "count")
        right = ("before", "after", "difference") if name == "numbers" else ()
        texts = {**QUANTITIES, **AGAINST}
        out.append(grid(frame.head(most or frame.height), kinds, lang, PARTS[name], texts, HEADINGS, right=right))
        rest = frame.height - (most or frame.height)
        if rest > 0:
            out.append(Text(f"... and {rest} more (--all)", f"……另有 {rest} 行（--all）").say(lang))
    return out


def _printed(found: Diff) -> pl.DataFrame:
    """The changed numbers, each with the digits of its kind."""
    rows = found.changed
    cells = [
        [_cell(name, value) for name, value in zip(rows["quantity"], rows[column], strict=True)]
        for column in ("before", "after", "difference")
    ]
    signed = [d if d.startswith("-") else f"+{d}" for d in cells[2]]
    named = zip(("before", "after", "difference"), (*cells[:2], signed), strict=True)
    return rows.drop("status").with_columns(pl.Series(k, v, dtype=pl.String) for k, v in named)


def _short(data: pl.DataFrame) -> pl.DataFrame:
    """Hashes by their first characters."""
    return data.with_columns(pl.col("before", "after").str.head(12))


def _cell(name: str, value: float | None) -> str:
    """One number with the digits it is printed with elsewhere."""
    return fixed(value, DECIMALS.get(name, 1))
