"""`csi scores MODEL DATA`: every respondent's score on every construct, of the data themselves or of new rows."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer
from csi.cli.estimators import COMPOSITES, composite_of
from csi.cli.fit_model import read_model
from csi.cli.fit_options import codes, listed
from csi.cli.grids import grid
from csi.errors import Language, Text
from csi.estimate.fit import fit
from csi.measures.scores import predictions, scores
from csi.reporting.tables import Kind
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
    """Model, data, new rows, the kind of score."""
    add = parser.add_argument
    add("model", metavar="MODEL", type=Path, help="a model in lavaan's language: a file, or the text itself")
    add("data", metavar="DATA", type=Path, help="CSV, Parquet, Excel or SPSS file the model is fitted to")
    add("--new", metavar="FILE", type=Path, help="rows to score by that fit (a later wave, say)")
    add("--kind", choices=tuple(TITLES), default="standardised", help="standardised unless asked otherwise")
    add(
        "--scale",
        type=bounds,
        metavar="MIN,MAX",
        help="theoretical bounds of the items (0-100 needs them), such as 1,10",
    )
    add("--estimator", default="pls", choices=COMPOSITES, help="pls unless asked otherwise")
    add("--missing", default="listwise", metavar="HOW", help="listwise, pairwise, mean, em")
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")
    add("--by", metavar="COLUMNS", help="a fit in every cell of these columns; new rows are scored by their own cell")
    add("--weight", metavar="COLUMN", help="sampling weights")
    add("--out", metavar="FILE", type=Path, help="write all rows as CSV")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit, score, show the first rows."""
    model, settings = read_model(args.model, lang), composite_of(args.estimator, args.missing)
    by, items = listed(args.by), settings.needs(model)
    file = read_plain(args.data, [*items, *([args.weight] if args.weight else [])], list(by), listed(args.na))
    est = fit(model, file.frame, settings, by, weight=args.weight, scale=args.scale)
    new = None if args.new is None else read_plain(args.new, items, list(by), listed(args.na))
    rows = None if new is None else new.frame
    found = predictions(est, rows) if args.kind == "predicted" else scores(est, rows, args.kind)
    if args.out is not None:
        found.write_csv(args.out)
    keys = [c for c, kind in found.schema.items() if kind == pl.String]
    kinds: dict[str, Kind] = {"row": "count", **dict.fromkeys(keys, "text")}
    kinds |= {c: "estimate" for c in found.columns if c not in kinds}
    lost = found.select(pl.any_horizontal(pl.all().is_null()).sum()).item()
    more = Text(
        f"{found.height} rows, {lost} of them without some score.",
        f"共 {found.height} 行，其中 {lost} 行缺少某项得分。",
    )
    of = file if new is None else new
    return Answer(
        blocks=(
            f"{of.name} · {settings.name} · n = {found.height}",
            grid(found[:SHOWN], kinds, lang, TITLES[args.kind]),
            more.say(lang),
        ),
        data={"data": {"file": of.name, "sha256": of.sha256}, "kind": args.kind, "scores": found},
        notes=(*file.notes, *(() if new is None else new.notes), *est.notes),
    )


def bounds(text: str) -> tuple[float, float]:
    """`1,10` as two numbers, the smaller first.

    Example:
        >>> bounds("1,10")
        (1.0, 10.0)
    """
    values = [float(v) for v in listed(codes(text))]
    if len(values) != 2 or not values[0] < values[1]:
        raise argparse.ArgumentTypeError(f"two numbers, the smaller first, such as 1,10, not {text}")
    return values[0], values[1]
