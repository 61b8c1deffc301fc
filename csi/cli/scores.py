"""`csi scores STUDY` or `MODEL DATA`: every respondent's score on every construct, of the data or of new rows."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer
from csi.cli.compare import bounds
from csi.cli.estimators import COMPOSITES
from csi.cli.fit_options import listed
from csi.cli.grids import grid
from csi.cli.source import source_arguments, source_of
from csi.errors import Language, Text
from csi.measures.scores import predictions, scores
from csi.reporting.section import Kind
from csi.survey.plain_file import read_plain

SHOWN = 10
"""Rows that are printed; `--out` and `--json` have all."""

TITLES = {
    "standardised": Text("Scores (standardised)", "得分（标准化）"),
    "unstandardised": Text("Scores (on the items' scale)", "得分（题项原始尺度）"),
    "0-100": Text("Scores (0-100)", "得分（0–100）"),
    "predicted": Text("Predicted answers", "预测的回答"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or model and data; new rows, the kind of score."""
    source_arguments(
        parser, COMPOSITES, by="a fit in every cell of these columns; new rows are scored by their own cell"
    )
    add = parser.add_argument
    add("--new", metavar="FILE", type=Path, help="rows to score by that fit (a later wave, say)")
    add("--kind", choices=tuple(TITLES), default="standardised", help="standardised unless asked otherwise")
    how = "theoretical bounds of the items of a file (0-100 needs them), such as 1,10"
    add("--scale", type=bounds, metavar="MIN,MAX", help=how)
    add("--out", metavar="FILE", type=Path, help="write all rows as CSV")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit, score, show the first rows."""
    source = source_of(args, lang, based=False)  # people's own values, which are no aggregate
    est = source.fit()
    items = source.settings.needs(source.model)
    new = None if args.new is None else read_plain(args.new, items, list(source.by), listed(args.na))
    rows = None if new is None else new.frame
    found = predictions(est, rows) if args.kind == "predicted" else scores(est, rows, args.kind)
    if args.out is not None:
        found.write_csv(args.out)
    keys = [c for c, kind in found.schema.items() if kind == pl.String]
    kinds: dict[str, Kind] = {"row": "count", **dict.fromkeys(keys, "text")}
    kinds |= {c: "estimate" for c in found.columns if c not in kinds}
    products = [c.name for c in source.model.constructs if c.product_of]
    lost = found.select(pl.any_horizontal(pl.exclude(products).is_null()).sum()).item()
    more = Text(
        f"{found.height} rows, {lost} of them without some score.",
        f"共 {found.height} 行，其中 {lost} 行缺少某项得分。",
    )
    of = source.name if new is None else new.name
    rows_of = source.origin if new is None else {"data": {"file": new.name, "sha256": new.sha256}}
    return Answer(
        blocks=source.worded(
            [
                f"{of} · {est.settings.name} · n = {found.height}",
                grid(found[:SHOWN], kinds, lang, TITLES[args.kind]),
                more.say(lang),
            ],
            lang,
        ),
        data={**rows_of, "kind": args.kind, "scores": found},
        notes=(*source.notes, *(() if new is None else new.notes), *est.notes),
    )
