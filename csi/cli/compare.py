"""`csi compare STUDY` or `MODEL DATA`: one model by several estimators, and whether what is read depends on them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import get_args

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.estimators import composite_of, covariance_of, is_composite
from csi.cli.fit_options import is_number, listed
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.source import Source, source_arguments, source_of
from csi.cli.studied import resamples
from csi.errors import Language, Problems, Text, one_of
from csi.estimate.estimate import Estimate
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.reporting.record import versions
from csi.reporting.section import Kind
from csi.study.estimator import rivals_of
from csi.study.schema_estimate import EstimatorName
from csi.tracking.compare import Comparison, compared

FITTING = Text("Fitting", "拟合")
USUAL = "pls,plsc,mlr,sum,gsca"

PARTS: dict[str, tuple[Text, Kind]] = {
    "path": (Text("Paths (standardised)", "路径系数（标准化）"), "coefficient"),
    "total effect": (Text("Total effects on {}", "对 {} 的总效应"), "coefficient"),
    "driver rank": (Text("Order of the drivers of {}", "{} 的驱动因素次序"), "count"),
    "index": (Text("Index", "指数"), "score"),
    "rank": (Text("Ranks by the index of {}", "按 {} 指数的名次"), "count"),
}
"""What the rows of a comparison are: the title of their grid, and how their values are printed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or model and data; estimators."""
    source_arguments(parser, by="a fit in every cell of these columns, such as brand")
    add = parser.add_argument
    names = "pls, plsc, sum, raw, pca, gsca, or of a covariance model: ml, mlr, mlm, gls, wlsmv, ..."
    add("--estimators", metavar="NAMES", help=f"the first is the reference (a study's rivals, or {USUAL}); {names}")
    add("--target", metavar="CONSTRUCT", help="whose drivers and index (the one with the most predictors)")
    how = "theoretical bounds of the answers of a file, such as 1,10: for the index"
    add("--scale", type=bounds, metavar="LOW,HIGH", help=how)
    add(
        "--bootstrap",
        type=resamples,
        default=500,
        metavar="N",
        help="resamples of the reference, its errors (500; 0: none)",
    )


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit by every estimator, lay side by side, say whether it matters."""
    names = tuple(dict.fromkeys(n.lower() for n in listed(args.estimators)))
    if names and len(names) < 2:
        raise UsageError(f"--estimators: two or more, such as {USUAL}")
    source = source_of(args, lang)
    settings = _settings(source, names, args.missing)
    fits: dict[str, Estimate] = {}
    with working(FITTING.say(lang), quiet=args.quiet):
        for name, setting in settings.items():
            fits[name] = source.fit(settings=setting)
        first = next(iter(fits))
        if args.bootstrap:
            fits[first] = bootstrap(fits[first], args.bootstrap, source.seed)
        made = compared(fits, target=_target(args, source))
    sound = all(bool(e.convergence.converged.all()) for e in fits.values())
    return Answer(
        blocks=source.worded([source.name, *_blocks(made, lang)], lang),
        data={
            **source.origin,
            "estimators": {k: {"name": n, "settings": settings[k]} for k, n in made.names.items()},
            "bootstrap": {"n": args.bootstrap, "seed": source.seed},
            "target": made.target,
            "verdict": None if made.verdict is None else {"en": made.verdict.en, "zh": made.verdict.zh},
            "side_by_side": made.side_by_side,
            "parameters": made.table,
            "relations": dict(made.relations),
            "versions": versions(),
        },
        notes=(*source.notes, *made.notes),
        code=FINE if sound else INADMISSIBLE,
    )


def _settings(source: Source, names: Sequence[str], missing: str) -> dict[str, Estimator]:
    """The settings of every name; what is wrong with any of them at once."""
    if source.study is not None:
        return rivals_of(source.study.settings, names or source.study.settings.telling.rivals)
    found = [p for name in names for p in one_of("--estimators", name, get_args(EstimatorName))]
    if found:
        raise Problems(found)
    made: dict[str, Estimator] = {}
    for name in names or listed(USUAL):
        try:
            made[name] = composite_of(name, missing) if is_composite(name) else covariance_of(name, missing)
        except Problems as error:
            found += error.problems
    if found:
        raise Problems(dict.fromkeys(found))
    return made


def _target(args: argparse.Namespace, source: Source) -> str | None:
    """The construct named, else the study's."""
    return args.target or (None if source.study is None else source.study.settings.target)


def bounds(text: str) -> tuple[float, float]:
    """`1,10` as bounds, the smaller first.

    Example:
        >>> bounds("1,10")
        (1.0, 10.0)
    """
    parts = listed(text)
    if len(parts) != 2 or not all(map(is_number, parts)) or float(parts[0]) >= float(parts[1]):
        raise argparse.ArgumentTypeError(f"two numbers, the smaller first, such as 1,10, not {text}")
    return float(parts[0]), float(parts[1])


def _blocks(made: Comparison, lang: Language) -> list[str | Grid]:
    """The verdict, a grid per part, and how the estimators relate."""
    blocks: list[str | Grid] = [] if made.verdict is None else [made.verdict.say(lang)]
    for part, (title, kind) in PARTS.items():
        rows = made.side_by_side.filter(pl.col("part") == part) if made.side_by_side.height else made.side_by_side
        if rows.height:
            blocks.append(
                _part_grid(rows, made, Text(*(t.format(made.target) for t in (title.en, title.zh))), kind, lang)
            )
    return [*blocks, "", *(s.say(lang) for s in made.sentences)]


def _part_grid(rows: pl.DataFrame, made: Comparison, title: Text, kind: Kind, lang: Language) -> Grid:
    """One part: a column per estimator, the standard error, and a mark where it is exceeded twice."""
    keys = rows.columns[: rows.columns.index("part")]
    values = [f"value_{k}" for k in made.names]
    mark = Text("differs", "有别").say(lang)
    marked = rows.with_columns(differs=pl.when(pl.col("differs")).then(pl.lit(mark)).otherwise(pl.lit("")))
    kinds: dict[str, Kind] = {**dict.fromkeys(keys, "text"), "name": "text", **dict.fromkeys(values, kind)}
    kinds |= {} if rows["std_error"].null_count() == rows.height else {"std_error": kind}
    heads = {f"value_{k}": Text(k, k) for k in made.names} | {"name": Text("", ""), "differs": Text("", "")}
    return grid(marked, {**kinds, "differs": "text"}, lang, title, headings=heads)
