"""`csi nca DATA --x a,b --y c`: which level of a condition no high outcome goes without."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.fit_options import codes, listed
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.errors import Language, Text
from csi.importance.nca import Nca, nca
from csi.importance.nca_words import HEADINGS, SIZES, wide
from csi.reporting.tables import Kind
from csi.survey.plain_file import read_plain

SHUFFLING = Text("Permuting", "置换")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A data file, conditions, the outcome, the test."""
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="CSV, Parquet, Excel or SPSS file")
    add("--x", metavar="COLUMNS", required=True, help="conditions, comma-separated")
    add("--y", metavar="COLUMN", required=True, help="the outcome")
    add("--permutations", type=int, default=10_000, metavar="N", help="shuffles of the test (10000; 0: none)")
    add("--seed", type=int, default=1, metavar="N", help="of the shuffles")
    add("--show", choices=("percent", "actual", "below"), default="percent", help="what the bottleneck tables hold")
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Effect sizes, tests and bottleneck tables."""
    conditions = listed(args.x)
    file = read_plain(args.data, [*conditions, args.y], (), listed(args.na))
    with working(SHUFFLING.say(lang), quiet=args.quiet):
        found = nca(file.frame, conditions, args.y, permutations=args.permutations, seed=args.seed)
    title = f"{file.name} · {args.y}"
    return Answer(
        blocks=(
            title,
            effect_grid(found, lang),
            *(bottleneck_grid(found, kind, args.show, lang) for kind in ("ce_fdh", "cr_fdh")),
            *(s.say(lang) for s in found.sentences),
        ),
        data={
            "data": {"file": file.name, "sha256": file.sha256},
            "outcome": found.outcome,
            "permutations": found.permutations,
            "seed": found.seed,
            "effects": found.table,
            "bottleneck": found.bottleneck,
        },
        notes=(*file.notes, *found.notes),
    )


def effect_grid(found: Nca, lang: Language) -> Grid:
    """Effect sizes with their tests."""
    kinds: dict[str, Kind] = {"condition": "text", "ceiling": "text", "n": "count", "effect": "estimate"}
    kinds |= {"p_value": "p", "size": "text"} if found.permutations else {"size": "text"}
    kinds |= dict.fromkeys(("accuracy", "condition_inefficiency", "outcome_inefficiency"), "coefficient")
    return grid(found.table, kinds, lang, Text("Effect sizes", "效应量"), SIZES, HEADINGS)


def bottleneck_grid(found: Nca, kind: str, show: str, lang: Language) -> Grid:
    """What each level of the outcome needs of every condition."""
    columns = {"percent": "needed_percent", "actual": "needed", "below": "below"}
    what = {
        "percent": Text("percent of the range", "范围的百分比"),
        "actual": Text("in units of the condition", "条件的原始单位"),
        "below": Text("percent of the rows with less", "低于所需水平的行的百分比"),
    }[show]
    frame = wide(found.bottleneck, kind, lang, columns[show])
    names = frame.columns
    level = pl.col(names[0]).map_elements(lambda v: f"{v:g}", return_dtype=pl.String)
    title = Text(f"Bottleneck, {kind}: {what.en}", f"瓶颈表（{kind}）：{what.zh}")
    return grid(frame.with_columns(level), dict.fromkeys(names, "text"), lang, title, right=names)
