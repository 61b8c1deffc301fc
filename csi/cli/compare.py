"""`csi compare MODEL DATA`: one model by several estimators, and whether what is read from it depends on them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.estimators import composite_of, covariance_of, is_composite
from csi.cli.fit_model import as_written, read_model
from csi.cli.fit_options import codes, is_number, listed
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.errors import Language, Problem, Problems, Text
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.reporting.record import versions
from csi.reporting.tables import Kind
from csi.survey.plain_file import read_plain
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
    """Model, data, estimators, and how the rows are taken."""
    add = parser.add_argument
    add("model", metavar="MODEL", type=Path, help="a model in lavaan's language: a file, or the text itself")
    add("data", metavar="DATA", type=Path, help="CSV, Parquet, Excel or SPSS file")
    names = "pls, plsc, sum, raw, pca, gsca, or of a covariance model: ml, mlr, mlm, gls, wlsmv, ..."
    add("--estimators", default=USUAL, metavar="NAMES", help=f"the first is the reference ({USUAL}); {names}")
    add("--target", metavar="CONSTRUCT", help="whose drivers and index (the one with the most predictors)")
    add("--scale", metavar="LOW,HIGH", help="theoretical bounds of the answers, such as 1,10: for the index")
    add("--bootstrap", type=int, default=500, metavar="N", help="resamples of the reference, its errors (500; 0: none)")
    add("--seed", type=int, default=1, metavar="N", help="of --bootstrap")
    add("--missing", default="listwise", metavar="HOW", help="listwise, pairwise, mean")
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")
    add("--by", metavar="COLUMNS", help="a fit in every cell of these columns, such as brand")
    add("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")
    add("--weight", metavar="COLUMN", help="sampling weights")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit by every estimator, lay side by side, say whether it matters."""
    names = tuple(dict.fromkeys(n.lower() for n in listed(args.estimators)))
    if len(names) < 2:
        raise UsageError(f"--estimators: two or more, such as {USUAL}")
    scale, where = _scale(args.scale), _where(args.where or ())
    model = read_model(args.model, lang)
    settings = _settings(names, args.missing)
    by = tuple(dict.fromkeys(listed(args.by)))
    items = settings[names[0]].needs(model)
    file = read_plain(args.data, [*items, *([args.weight] if args.weight else [])], [*by, *where], listed(args.na))
    values = {column: as_written(file.frame[column], value) for column, value in where.items()}
    fits: dict[str, Estimate] = {}
    with working(FITTING.say(lang), quiet=args.quiet):
        for name, setting in settings.items():
            fits[name] = fit(
                model, file.frame, setting, by, where=values or None, weight=args.weight, scale=scale
            )  # fmt: skip
        if args.bootstrap:
            fits[names[0]] = bootstrap(fits[names[0]], args.bootstrap, args.seed)
        made = compared(fits, target=args.target)
    sound = all(bool(e.convergence.converged.all()) for e in fits.values())
    heading = f"{'' if '~' in str(args.model) else f'{args.model.name} · '}{file.name}"
    return Answer(
        blocks=(heading, *_blocks(made, lang)),
        data={
            "model": str(model),
            "data": {"file": file.name, "sha256": file.sha256},
            "estimators": {k: {"name": n, "settings": settings[k]} for k, n in made.names.items()},
            "bootstrap": {"n": args.bootstrap, "seed": args.seed},
            "target": made.target,
            "verdict": None if made.verdict is None else {"en": made.verdict.en, "zh": made.verdict.zh},
            "side_by_side": made.side_by_side,
            "parameters": made.table,
            "relations": dict(made.relations),
            "versions": versions(),
        },
        notes=(*file.notes, *made.notes),
        code=FINE if sound else INADMISSIBLE,
    )


def _settings(names: Sequence[str], missing: str) -> dict[str, Estimator]:
    """The settings of every name; what is wrong with any of them at once."""
    made: dict[str, Estimator] = {}
    found: list[Problem] = []
    for name in names:
        try:
            made[name] = composite_of(name, missing) if is_composite(name) else covariance_of(name, missing)
        except Problems as error:
            found += error.problems
    if found:
        raise Problems(dict.fromkeys(found))
    return made


def _scale(text: str | None) -> tuple[float, float] | None:
    """`1,10` as bounds."""
    if text is None:
        return None
    parts = listed(text)
    if len(parts) != 2 or not all(map(is_number, parts)) or float(parts[0]) >= float(parts[1]):
        raise UsageError(f"--scale: {text} (write 1,10)")
    return float(parts[0]), float(parts[1])


def _where(texts: Sequence[str]) -> dict[str, str]:
    """`wave=2024` as column and value."""
    pairs = [text.partition("=") for text in texts]
    wrong = [column for column, sign, _ in pairs if not sign]
    if wrong:
        raise UsageError(f"--where: {wrong[0]}")
    return {column.strip(): value.strip() for column, _, value in pairs}


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
