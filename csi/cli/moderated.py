"""What `csi mediation` and `csi slopes` share: resamples and ways of products behind a study or a model text."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import cast

import polars as pl

from csi.cli.imputed import Plan, check_imputations, imputed
from csi.cli.progress import working
from csi.cli.source import RESAMPLING, Source, source_arguments, source_of
from csi.errors import Language
from csi.estimate.estimate import Estimate

ESTIMATORS = ("pls", "plsc", "sem")
USUAL = 1000


def arguments_of(parser: argparse.ArgumentParser, estimators: Sequence[str]) -> None:
    """A study, or a model text and a data file; the estimator, resamples, rows."""
    source_arguments(parser, estimators, by="in every cell of these columns")
    add = parser.add_argument
    add("--interaction", default="two-stage", metavar="HOW", help="of products: two-stage, product or orthogonal")
    add("--higher-order", default="two-stage", metavar="HOW", help="two-stage, embedded or repeated")
    add("--bootstrap", type=int, metavar="N", help=f"resamples behind the intervals (a study's, or {USUAL}; 0: none)")
    add("--imputations", type=int, default=0, metavar="M", help="of a model text: pool so many imputed copies")
    kinds = "percentile, basic, normal, t, bc, bca, studentised or double"
    add("--interval", metavar="KIND", help=f"{kinds} (a study's, or percentile)")


def fitted_of(args: argparse.Namespace, lang: Language) -> tuple[Estimate, Source, dict[str, object]]:
    """The estimate with its replicates, where it comes from, and how it was resampled."""
    source = source_of(args, lang)
    n = USUAL if source.study is None else source.study.settings.replicates
    n = n if args.bootstrap is None else args.bootstrap
    if args.imputations:
        check_imputations(args.imputations, n, lang)
        plan = Plan(args.imputations, n, source.seed, source.by, dict(source.where) or None, *source.design)
        with working(RESAMPLING.say(lang), quiet=args.quiet):
            est = imputed(source.model, cast("pl.DataFrame", source.data), source.settings, plan)
    else:
        est = source.with_errors(n, lang, quiet=args.quiet)
    return est, source, {"n": n, "seed": source.seed, "interval": est.interval if n else source.interval}
