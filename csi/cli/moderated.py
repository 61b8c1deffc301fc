"""What `csi mediation` and `csi slopes` share: a model text with products, a data file, resamples."""

from __future__ import annotations

import argparse
from pathlib import Path

from csi.cli.fit_model import as_written, read_model
from csi.cli.fit_options import codes, listed
from csi.cli.imputed import Plan, check_imputations, imputed
from csi.cli.progress import working
from csi.errors import Language, Problems, Text, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.sem.estimator import SEM
from csi.survey.plain_file import PlainFile, read_plain

RESAMPLING = Text("Resampling", "重抽样")
ESTIMATORS = ("pls", "plsc", "sem")


def arguments_of(parser: argparse.ArgumentParser, estimators: tuple[str, ...]) -> None:
    """A model text, a data file, the estimator, resamples, rows."""
    add = parser.add_argument
    add("model", metavar="MODEL", type=Path, help="a model in lavaan's language: a file, or the text itself")
    add("data", metavar="DATA", type=Path, help="CSV, Parquet, Excel or SPSS file")
    add(
        "--estimator",
        default="pls",
        choices=estimators,
        help="pls, plsc (consistent)" + ", sem" * ("sem" in estimators),
    )
    add("--interaction", default="two-stage", metavar="HOW", help="of products: two-stage, product or orthogonal")
    add("--higher-order", default="two-stage", metavar="HOW", help="two-stage, embedded or repeated")
    add("--missing", default="listwise", metavar="HOW", help="listwise, pairwise, mean or em")
    add("--bootstrap", type=int, default=1000, metavar="N", help="resamples behind the intervals (1000; 0: none)")
    add("--imputations", type=int, default=0, metavar="M", help="pool so many imputed copies")
    add("--seed", type=int, default=1, metavar="N", help="of the resamples")
    add(
        "--interval",
        default="percentile",
        metavar="KIND",
        help="percentile, basic, normal, t, bc, bca, studentised or double",
    )
    add("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98 (--na=-9)")
    add("--weight", metavar="COLUMN", help="sampling weights")
    add("--unit", "--cluster", metavar="COLUMN", help="respondents or clusters")
    add("--stratum", metavar="COLUMN", help="strata, for resampling")
    add("--by", metavar="COLUMNS", help="in every cell of these columns")
    add("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")


def fitted_of(args: argparse.Namespace, lang: Language) -> tuple[Estimate, PlainFile]:
    """The estimate with its replicates, and the file behind it."""
    model = read_model(args.model, lang)
    pls = PLS(
        consistent=args.estimator == "plsc",
        missing=args.missing,
        interaction=args.interaction,
        higher_order=args.higher_order,
    )
    settings = SEM(missing=args.missing) if args.estimator == "sem" else pls
    where, by = dict(_pair(one) for one in args.where or ()), tuple(dict.fromkeys(listed(args.by)))
    keys = [k for k in (*by, *where, args.unit, args.stratum) if k]
    items = settings.needs(model)
    file = read_plain(args.data, [*items, *([args.weight] if args.weight else [])], keys, listed(args.na))
    where = {column: as_written(file.frame[column], value) for column, value in where.items()}
    design = (args.weight, args.unit, args.stratum)
    if args.imputations:
        check_imputations(args.imputations, args.bootstrap, lang)
        plan = Plan(args.imputations, args.bootstrap, args.seed, by, where or None, *design)
        with working(RESAMPLING.say(lang), quiet=args.quiet):
            return imputed(model, file.frame, settings, plan), file
    est = fit(
        model, file.frame, settings, by,
        where=where or None, weight=args.weight, unit=args.unit, stratum=args.stratum,
    )  # fmt: skip
    if args.bootstrap:
        with working(RESAMPLING.say(lang), quiet=args.quiet):
            est = bootstrap(est, args.bootstrap, args.seed, interval=args.interval)
    return est, file


def heading(args: argparse.Namespace, file: PlainFile, est: Estimate) -> str:
    """Model, data, estimator."""
    name = [] if "~" in str(args.model) else [args.model.name]
    return " · ".join([*name, file.name, est.settings.name])


def _pair(text: str) -> tuple[str, str]:
    """Column and value of `--where`."""
    column, sign, value = text.partition("=")
    if not sign:
        en, zh = f'"{text}" names no value.', f"“{text}”没有写明取值。"
        do, do_zh = "Write --where wave=2024.", "请写作 --where wave=2024。"
        raise Problems([problem("E-WHERE", "--where", en, zh, do, do_zh)])
    return column.strip(), value.strip()
