"""How `csi fit MODEL DATA` repeats a fit: bootstrap, jackknife, or replicate weights from columns of the data."""

from __future__ import annotations

import argparse
from typing import cast, get_args

import polars as pl

from csi.cli.fit_options import is_number, listed
from csi.errors import Problem, one_of, problem
from csi.estimate.estimate import Estimate
from csi.inference.adjust import Method
from csi.inference.bootstrap import bootstrap
from csi.inference.intervals import Alternative
from csi.inference.jackknife import jackknife
from csi.inference.replicate_weights import replicate_weights
from csi.inference.settings import Weighting


def is_repeated(args: argparse.Namespace) -> bool:
    """Whether standard errors were asked for that come from repeating the fit."""
    return bool(args.bootstrap or args.jackknife or args.replicate_weights)


def repeated(est: Estimate, frame: pl.DataFrame, args: argparse.Namespace) -> Estimate:
    """The estimate with the standard errors, intervals and p-values that were asked for.

    Parameters:
        est: fitted to `frame`. args: as typed.
    """
    side = cast("Alternative", args.one_sided or "two-sided")
    if args.jackknife:
        return jackknife(est, alternative=side)
    if args.replicate_weights:
        kind, columns = cast("Weighting", args.replicate_kind), listed(args.replicate_weights)
        each = scales_of(args.rscales, frame)
        return replicate_weights(est, frame, columns, kind=kind, rho=args.rho, rscales=each, alternative=side)
    interval, policy = args.interval, args.improper
    return bootstrap(est, args.bootstrap, args.seed, interval=interval, alternative=side, improper=policy)


def scales_column(text: str | None) -> list[str]:
    """The column that --rscales names; none where it lists numbers.

    Example:
        >>> scales_column("0.5,0.5"), scales_column("rscale")
        ([], ['rscale'])
    """
    return [text] if text and not all(map(is_number, listed(text))) else []


def scales_of(text: str | None, frame: pl.DataFrame) -> list[float] | None:
    """A factor of each replicate: the numbers listed, or those that stand first in a column of the data.

    Example:
        >>> scales_of("rs", pl.DataFrame({"rs": [0.5, 0.75, None]})), scales_of("0.5,1", pl.DataFrame())
        ([0.5, 0.75], [0.5, 1.0])
    """
    if not text:
        return None
    named = scales_column(text)
    return frame[named[0]].drop_nulls().to_list() if named else [float(x) for x in listed(text)]


def repeat_problems(args: argparse.Namespace) -> list[Problem]:
    """Ways of repeating that exclude each other, or a kind of weights that is not named."""
    ways = {"--bootstrap": args.bootstrap, "--jackknife": args.jackknife, "--replicate-weights": args.replicate_weights}
    named = [option for option, value in ways.items() if value]
    found = []
    if len(named) > 1:
        en, zh = f"{' and '.join(named)} exclude each other.", f"{' 与 '.join(named)} 不能同时使用。"
        found.append(problem("E-SETTING", named[-1], en, zh, "Keep one of them.", "请只保留其一。"))
    if args.replicate_weights and not args.replicate_kind:
        en, zh = "the kind of the replicate weights is not named.", "没有写明重复权重的类型。"
        do, do_zh = "Add --replicate-kind brr, say.", "例如加上 --replicate-kind brr。"
        found.append(problem("E-SETTING", "--replicate-weights", en, zh, do, do_zh))
    if args.rscales and not args.replicate_weights:
        en, zh = "factors of replicates go with replicate weights.", "重复样本的系数需与重复权重同用。"
        do, do_zh = "Add --replicate-weights, or leave --rscales out.", "请加上 --replicate-weights，或省略 --rscales。"
        found.append(problem("E-SETTING", "--rscales", en, zh, do, do_zh))
    found += [] if args.adjust is None else one_of("--adjust", args.adjust, get_args(Method))
    if args.one_sided and not named:
        en, zh = "one-sided intervals come from repeated fits.", "单侧区间来自重复拟合。"
        do, do_zh = "Add --bootstrap 1000, say.", "例如加上 --bootstrap 1000。"
        found.append(problem("E-SETTING", "--one-sided", en, zh, do, do_zh))
    if args.interval != "percentile" and not args.bootstrap:
        en, zh = "kinds of intervals are made of bootstrap draws.", "区间的种类取自自助样本。"
        do, do_zh = (
            "Add --bootstrap 1000, say, or leave --interval out.",
            "例如加上 --bootstrap 1000，或省略 --interval。",
        )
        found.append(problem("E-SETTING", "--interval", en, zh, do, do_zh))
    return found
