"""`csi nca STUDY` or `csi nca DATA --x a,b --y c`: which level of a condition no high outcome goes without."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.fit_options import codes, given, listed
from csi.cli.grids import grid
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.source import source_of
from csi.display import least_p
from csi.errors import Language, Text
from csi.importance.nca import PERMUTATIONS, Nca, nca
from csi.importance.nca_words import HEADINGS, SIZES, wide
from csi.measures.effects import chains
from csi.reporting.section import Kind
from csi.survey.plain_file import read_plain

SHUFFLING = Text("Permuting", "置换")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study or a data file, conditions, the outcome, the test."""
    add = parser.add_argument
    add("data", metavar="STUDY|DATA", type=Path, help="the study file, or a CSV, Parquet, Excel or SPSS file")
    how = "conditions, comma-separated: columns of DATA; constructs of a study (all that lead to the outcome)"
    add("--x", metavar="NAMES", help=how)
    add("--y", metavar="NAME", help="the outcome: a column of DATA; a construct of a study (its target)")
    add("--brand", help="of a study: one brand (the focal one by default)")
    add("--wave", help="of a study: one wave (the latest by default)")
    add("--permutations", type=int, default=PERMUTATIONS, metavar="N", help="shuffles of the test (10000; 0: none)")
    add("--seed", type=int, metavar="N", help="of the shuffles (the study's, or 1)")
    add("--show", choices=("percent", "actual", "below"), default="percent", help="what the bottleneck tables hold")
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Effect sizes, tests and bottleneck tables."""
    if args.data.suffix.lower() in {".yaml", ".yml"} or args.data.is_dir():
        return _of_study(args, lang)
    _complete(args)
    conditions = listed(args.x)
    file = read_plain(args.data, [*conditions, args.y], (), listed(args.na))
    asked = {"permutations": args.permutations, "seed": 1 if args.seed is None else args.seed}
    with working(SHUFFLING.say(lang), quiet=args.quiet):
        found = nca(file.frame, conditions, args.y, **asked)
    origin = {"data": {"file": file.name, "sha256": file.sha256}}
    return Answer(_blocks(f"{file.name} · {args.y}", found, args, lang), {**origin, **_data(found)}, file.notes)


def _complete(args: argparse.Namespace) -> None:
    """A file says neither conditions nor outcome, and has no brands."""
    absent = [name for name in ("--x", "--y") if not getattr(args, name[2:])]
    if absent:
        raise UsageError(f"the following arguments are required: {', '.join(absent)}")
    strange = given(args, {"brand": None, "wave": None})
    if strange:
        raise UsageError(f"not for a model text: {', '.join(strange)}")


def _of_study(args: argparse.Namespace, lang: Language) -> Answer:
    """Constructs of a study's model, by their scores in one cell."""
    strange = given(args, {"na": None})
    if strange:
        raise UsageError(f"not for a study: {', '.join(strange)}")
    args.model, args.data = args.data, None
    source = source_of(args, lang)
    est = source.fit()
    outcome = args.y or (source.study.settings.target if source.study else "")
    causes = tuple(dict.fromkeys(c[0] for c in chains(source.model) if c[-1] == outcome))
    with working(SHUFFLING.say(lang), quiet=args.quiet):
        found = nca(est, listed(args.x) or causes, outcome, permutations=args.permutations, seed=source.seed)
    title = f"{source.heading(est)} · {source.texts.get(outcome, Text(outcome, outcome)).say(lang)}"
    blocks = source.worded(_blocks(title, found, args, lang), lang)
    return Answer(blocks, {**source.origin, **_data(found)}, (*source.notes, *est.notes, *found.notes))


def _blocks(title: str, found: Nca, args: argparse.Namespace, lang: Language) -> tuple[str | Grid, ...]:
    """The effects, both bottleneck tables, the sentences."""
    return (
        title,
        effect_grid(found, lang),
        *(bottleneck_grid(found, kind, args.show, lang) for kind in ("ce_fdh", "cr_fdh")),
        *(s.say(lang) for s in found.sentences),
    )


def _data(found: Nca) -> dict[str, object]:
    """Everything in full precision, for machines."""
    return {
        "outcome": found.outcome,
        "permutations": found.permutations,
        "seed": found.seed,
        "effects": found.table,
        "bottleneck": found.bottleneck,
    }


def effect_grid(found: Nca, lang: Language) -> Grid:
    """Effect sizes with their tests."""
    kinds: dict[str, Kind] = {"condition": "text", "ceiling": "text", "n": "count", "effect": "estimate"}
    kinds |= {"p_value": "p", "size": "text"} if found.permutations else {"size": "text"}
    kinds |= dict.fromkeys(("accuracy", "condition_inefficiency", "outcome_inefficiency"), "coefficient")
    return grid(
        found.table, kinds, lang, Text("Effect sizes", "效应量"), SIZES, HEADINGS,
        least={"p_value": (least_p(found.permutations), "")},
    )  # fmt: skip


def bottleneck_grid(found: Nca, kind: str, show: str, lang: Language) -> Grid:
    """What each level of the outcome needs of every condition."""
    columns = {"percent": "needed_percent", "actual": "needed", "below": "below"}
    what = {
        "percent": Text("percent of the range", "范围的百分比"),
        "actual": Text("in units of the condition", "条件的原始单位"),
        "below": Text("percent of the respondents (weighted) with less", "低于所需水平的受访者百分比（加权）"),
    }[show]
    frame = wide(found.bottleneck, kind, lang, columns[show])
    names = frame.columns
    level = pl.col(names[0]).map_elements(lambda v: f"{v:g}", return_dtype=pl.String)
    title = Text(f"Bottleneck, {kind}: {what.en}", f"瓶颈表（{kind}）：{what.zh}")
    return grid(frame.with_columns(level), dict.fromkeys(names, "text"), lang, title, right=names)
