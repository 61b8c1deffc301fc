"""`csi robustness STUDY` or `MODEL DATA`: could a path be endogenous, or bent?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.fit_options import listed
from csi.cli.grids import grid
from csi.cli.source import source_arguments, source_of
from csi.cli.studied import resamples
from csi.errors import Language, Note, Problems, Text, note
from csi.estimate.estimate import Estimate
from csi.estimate.shown import least_of
from csi.inference.bootstrap import bootstrap
from csi.inference.resample import Kind as Resampled
from csi.measures.copula import Copula, copula
from csi.measures.copula_words import HEADINGS, VERDICTS
from csi.measures.nonlinear import MORE, Nonlinear, nonlinear
from csi.reporting.section import SAMPLING_ONLY, Kind

NUMBERS: dict[str, Kind] = {
    "estimate": "estimate",
    "std_error": "estimate",
    "conf_low": "estimate",
    "conf_high": "estimate",
    "p_value": "p",
    "p_holm": "p",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or model and data; resamples, the predictors in question."""
    source_arguments(parser)
    add = parser.add_argument
    add("--bootstrap", type=resamples, default=1000, metavar="N", help="resamples (1000; 0: none)")
    add("--endogenous", metavar="CONSTRUCTS", help="predictors in question, comma-separated (all continuous ones)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Gaussian copulas, quadratic terms, RESET."""
    source = source_of(args, lang)
    est, drawn = _resampled(source.with_errors(args.bootstrap, lang, quiet=args.quiet), args.bootstrap, source.seed)
    bends = nonlinear(est)
    terms, why = _copula(est, listed(args.endogenous))
    least = least_of(replace(est, interval="percentile", alternative="two-sided"))
    blocks: list[str | Grid] = [source.heading(est), *_bent_blocks(bends, lang, least), *s_of(bends, lang)]
    data: dict[str, object] = {**source.origin, "quadratic": bends.table, "reset": bends.reset, "seed": source.seed}
    notes = [*source.notes, *est.notes, *drawn, *bends.notes, *why]
    if terms is not None:
        blocks += [*_copula_blocks(terms, lang, least), *s_of(terms, lang)]
        data |= {"copula": terms.table, "checks": terms.checks}
        notes += terms.notes
    return Answer(source.worded(blocks, lang), data, (*notes, *((SAMPLING_ONLY,) if args.bootstrap else ())))


def _resampled(est: Estimate, n: int, seed: int) -> tuple[Estimate, tuple[Note, ...]]:
    """The estimate with resamples of its rows: replicate weights of a study are none, and these checks need them."""
    if est.replicates is None or est.replicates.kind in get_args(Resampled):
        return est, ()
    en = f"Replicate weights are no resamples: errors of these checks come from {n} resamples of the design's units."
    zh = f"重复权重不是重抽样：这些检验的误差来自对设计单元的 {n} 次重抽样。"
    return bootstrap(est, n, seed), (note("N-DRAWN-BESIDE", en, zh),)


def _copula(est: Estimate, asked: Sequence[str]) -> tuple[Copula | None, list[Note]]:
    """The copula terms; where nobody named a predictor, what keeps them from being formed is a note."""
    if asked:
        return copula(est, asked), []
    try:
        return copula(est), []
    except Problems as found:
        return None, [Note(p.code, Text(f"copula: {p.what.en}", f"copula：{p.what.zh}")) for p in found.problems]


def s_of(found: Copula | Nonlinear, lang: Language) -> list[str]:
    """The sentences."""
    return [s.say(lang) for s in found.sentences]


def _bent_blocks(found: Nonlinear, lang: Language, least: float) -> list[Grid]:
    heads = HEADINGS | MORE
    there = {c: k for c, k in NUMBERS.items() if c in found.table.columns}
    kinds: dict[str, Kind] = {
        "predictor": "text",
        "outcome": "text",
        "linear": "coefficient",
        "f2": "estimate",
        **there,
    }
    reset: dict[str, Kind] = {"outcome": "text", "statistic": "number", "df1": "count", "df2": "count", "p_value": "p"}
    return [
        grid(found.table, kinds, lang, Text("Quadratic terms", "二次项"), None, heads, least={"p_value": (least, "")}),
        grid(found.reset, reset, lang, Text("RESET", "RESET"), None, heads),
    ]


def _copula_blocks(found: Copula, lang: Language, least: float) -> list[Grid]:
    checks: dict[str, Kind] = {"regressor": "text", "distinct": "count", "skewness": "coefficient"}
    checks |= {"lilliefors_p": "p", "cramer_von_mises_p": "p", "overlap": "estimate", "verdict": "text"}
    there = {c: k for c, k in NUMBERS.items() if c in found.table.columns}
    kinds: dict[str, Kind] = {"outcome": "text", "endogenous": "text", "term": "text", **there}
    shown = found.table.filter(pl.col("term").str.starts_with("copula("))
    return [
        grid(
            found.checks,
            checks,
            lang,
            Text("Are predictors far from normal?", "解释变量是否明显非正态"),
            VERDICTS,
            HEADINGS,
        ),
        grid(shown, kinds, lang, Text("Copula terms", "copula 项"), None, HEADINGS, least={"p_value": (least, "")}),
    ]
