"""`csi diff RECORD_A RECORD_B`: what changed between two runs, in data, settings and numbers."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import each, grid
from csi.cli.to import check_to, to_argument, write_to
from csi.display import fixed
from csi.errors import Language, Text
from csi.reporting.diff import ROWS, Diff, diff
from csi.reporting.diff_causes import CAUSES
from csi.reporting.diff_words import DECIMALS, PARTS, QUANTITIES
from csi.reporting.style import ABSENT
from csi.tracking.gate_words import minus

HEADINGS = {
    "before": Text("before", "之前"),
    "after": Text("after", "之后"),
    "difference": Text("difference", "差异"),
    "quantity": Text("number", "数值"),
    "part": Text("part", "部分"),
    "setting": Text("setting", "设置"),
    "package": Text("package", "软件包"),
    "against": Text("against", "对照"),
    "node": Text("node", "节点"),
    "what": Text("what", "变化"),
    "cause": Text("cause", "原因"),
}
WHAT = {
    "rows": Text("rows", "样本量"),
    "new": Text("new", "新增"),
    "gone": Text("gone", "消失"),
    "answers": Text("answers", "答卷"),
    "design weights": Text("design weights", "设计权重"),
}
STATUS = {
    "changed": Text("changed", "改变"),
    "rounding": Text("rounding", "舍入差异"),
    "same": Text("same", "相同"),
}
TITLE = Text("What changed between two runs", "两次运行之间的变化")
AGAINST = {"previous": Text("previous", "上期"), "year": Text("year ago", "去年同期")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Two records."""
    what = "a file written by --record, or the folder of a report or of a batch"
    parser.add_argument("before", metavar="RECORD_A", type=Path, help=what)
    parser.add_argument("after", metavar="RECORD_B", type=Path, help=what)
    to_argument(parser)
    parser.add_argument("--all", action="store_true", help="print every number that changed")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The sentences, then tables of what differs."""
    check_to(args.to)
    found = diff(args.before, args.after)
    frames = {name: (PARTS[name], frame) for name, frame in found.frames.items()}
    texts = {**QUANTITIES, **AGAINST, **WHAT, **STATUS, **_causes(found.changed)}
    files = write_to(args.to, TITLE, frames, lang, HEADINGS, texts)
    return Answer(
        blocks=(*(t.say(lang) for t in found.sentences), *grids(found, lang, None if args.all else ROWS), *files),
        data={
            "same": found.same,
            "data": found.data,
            "cells": found.cells,
            "names": [{"before": a, "after": b} for a, b in found.names],
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
        texts = {**QUANTITIES, **AGAINST, **WHAT, **_causes(frame)}
        out.append(grid(frame.head(most or frame.height), kinds, lang, PARTS[name], texts, HEADINGS, right=right))
        rest = frame.height - (most or frame.height)
        if rest > 0:
            out.append(Text(f"... and {rest} more (--all)", f"……另有 {rest} 行（--all）").say(lang))
    return out


def _causes(frame: pl.DataFrame) -> dict[str, Text]:
    """Causes as they are printed."""
    names = frame["cause"].drop_nulls().unique().to_list() if "cause" in frame.columns else []
    parts = {name: [CAUSES[c] for c in name.split("+")] for name in names}
    joined = {k: Text(", ".join(t.en for t in v), "、".join(t.zh for t in v)) for k, v in parts.items()}
    return {**CAUSES, **joined}


def _printed(found: Diff) -> pl.DataFrame:
    """The changed numbers, each with the digits of its kind."""
    rows = found.changed
    cells = [
        [_cell(name, value) for name, value in zip(rows["quantity"], rows[column], strict=True)]
        for column in ("before", "after", "difference")
    ]
    signed = [d if d.startswith(("−", ABSENT)) else f"+{d}" for d in cells[2]]
    named = zip(("before", "after", "difference"), (*cells[:2], signed), strict=True)
    return rows.drop("status").with_columns(pl.Series(k, v, dtype=pl.String) for k, v in named)


def _short(data: pl.DataFrame) -> pl.DataFrame:
    """Hashes by their first characters."""
    return data.with_columns(pl.col("before", "after").str.head(12))


def _cell(name: str, value: float | None) -> str:
    """One number with the digits it is printed with elsewhere."""
    return ABSENT if value is None else minus(fixed(value, DECIMALS.get(name, 1)))
