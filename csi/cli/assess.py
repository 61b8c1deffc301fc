"""`csi assess STUDY` or `MODEL DATA`: fit of a composite model, its regressions, its measurement."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.estimators import COMPOSITES
from csi.cli.judged_model import Judged
from csi.cli.predict import CELLS
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.source import source_arguments, source_of
from csi.errors import Language, Note, Text
from csi.measures.blindfold import blindfolding, cannot_be_omitted
from csi.measures.collinearity import vif
from csi.measures.effects import effects
from csi.measures.exact_fit import MODELS, can_be_tested, exact_fit
from csi.measures.fit_measures import OF_COMPOSITES, fit_measures
from csi.measures.redundancy import redundancy
from csi.measures.selection import selection
from csi.measures.shown import WORDS
from csi.measures.tetrads import cta
from csi.pls.estimator import PLS
from csi.reporting.section import Kind

FIT = Text("Fit of the estimated and the saturated model", "估计模型与饱和模型的拟合")
EXACT = Text("Exact fit", "精确拟合检验")
REGRESSIONS = Text("Regressions", "回归")
EFFECTS = Text("Effect sizes and collinearity of predictors", "预测构念的效应量与共线性")
FORMATIVE = Text("Items of mode B", "模式 B 题项")
REDUNDANCY = Text("Redundancy analysis (mode B with mode A)", "冗余分析（模式 B 与模式 A）")
TETRADS = Text("Can the items have one common factor?", "题项能否有单一公因子")
RESAMPLING = Text("Resampling", "重抽样")
REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """One part of the assessment: what is printed, what a machine gets, what is doubtful."""

    blocks: tuple[str | Grid, ...] = ()
    data: Mapping[str, object] | None = None
    notes: tuple[Note, ...] = ()


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or model and data; replicates."""
    source_arguments(parser, COMPOSITES, by=CELLS)
    parser.add_argument(
        "--bootstrap", type=int, default=REPLICATES, metavar="N", help="replicates of the tests (1000); 0: none"
    )
    parser.add_argument("--distance", type=int, default=7, metavar="D", help="omission distance of Q2 (7)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit, judge part by part."""
    if args.bootstrap and args.bootstrap < 100:
        raise UsageError(f"--bootstrap: {args.bootstrap}; 0, or 100 and more")
    source = source_of(args, lang)
    judged = Judged(source.fit(), source)
    omittable = not cannot_be_omitted(judged.est)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        parts = [
            _fit(judged, lang),
            _exact(judged, args, lang) if args.bootstrap and can_be_tested(judged.est) else Told(),
            _regressions(judged, args, lang, omittable=omittable),
            _formative(judged, lang),
            _tetrads(judged, args, lang) if args.bootstrap else Told(),
        ]
    return Answer(
        blocks=source.worded([judged.heading, *(block for p in parts for block in p.blocks)], lang),
        data=source.origin | {name: value for p in parts for name, value in (p.data or {}).items()},
        notes=(*source.notes, *dict.fromkeys(n for p in parts for n in p.notes)),
    )


def _worded(frame: pl.DataFrame, lang: Language) -> pl.DataFrame:
    """Verdicts in `lang`."""
    said = {word: text.say(lang) for word, text in WORDS.items()}
    return frame.with_columns(pl.col("verdict").replace(said))


def _fit(judged: Judged, lang: Language) -> Told:
    """Distances of the estimated and the saturated model."""
    found = fit_measures(judged.est)
    table = found.table
    beside = table.with_columns(pl.col("measure").str.strip_suffix("_saturated")).filter(
        table["measure"].str.ends_with("_saturated")
    )
    keys = [*judged.by, "measure"]
    wide = table.filter(pl.col("measure").is_in(OF_COMPOSITES)).join(
        beside.select(*keys, saturated="value"), on=keys, how="left", maintain_order="left"
    )
    kinds: dict[str, Kind] = {"measure": "text", "value": "index", "saturated": "index"}
    return Told((judged.grid(wide, kinds, lang, FIT),), {"fit_measures": table}, found.notes)


def _exact(judged: Judged, args: argparse.Namespace, lang: Language) -> Told:
    """The bootstrap test of exact fit."""
    found = exact_fit(judged.est, args.bootstrap, judged.source.seed)
    shown = found.table.with_columns(pl.col("model").replace({k: t.say(lang) for k, t in MODELS.items()}))
    kinds: dict[str, Kind] = {"model": "text", "measure": "text", "value": "index", "q95": "index", "q99": "index"}
    grid = judged.grid(shown, {**kinds, "p_value": "p"}, lang, EXACT, found.least)
    return Told((grid, *(s.say(lang) for s in found.sentences)), {"exact_fit": found.table}, found.notes)


def _regressions(judged: Judged, args: argparse.Namespace, lang: Language, *, omittable: bool) -> Told:
    """R2, criteria, Q2 of every construct; f2, q2, VIF of its predictors."""
    chosen, sizes, inflation = selection(judged.est), effects(judged.est).f2, vif(judged.est)
    inner = inflation.table.filter(kind="antecedent").rename({"of": "outcome", "name": "predictor"})
    pair, one = [*judged.by, "outcome", "predictor"], [*judged.by, "construct"]
    sizes = sizes.drop("reason").join(inner.select(*pair, "vif"), on=pair, how="left", maintain_order="left")
    table, notes = chosen.table, (*chosen.notes, *inflation.notes)
    data: dict[str, object] = {"selection": table, "vif": inflation.table}
    outer: dict[str, Kind] = {"construct": "text", "r2": "index", "r2_adjusted": "index"}
    between: dict[str, Kind] = {"predictor": "text", "outcome": "text", "f2": "index", "vif": "number"}
    if omittable:
        blind = blindfolding(judged.est, args.distance)
        table = table.join(blind.table.select(*one, "q2"), on=one, how="left", maintain_order="left")
        sizes = sizes.join(blind.effects.select(*pair, "q2_effect"), on=pair, how="left", maintain_order="left")
        outer, between = {**outer, "q2": "index"}, {**between, "q2_effect": "index"}
        data |= {"blindfolding": blind.table, "q2_effects": blind.effects}
        notes = (*notes, *blind.notes)
    outer |= {"bic": "number", "gm": "number"}
    blocks = (judged.grid(table, outer, lang, REGRESSIONS), judged.grid(sizes, between, lang, EFFECTS))
    return Told((*blocks, *(s.say(lang) for s in inflation.sentences)), {**data, "f2": sizes}, notes)


def _formative(judged: Judged, lang: Language) -> Told:
    """VIF of mode B items and redundancy analysis, where there are any."""
    if not isinstance(judged.est.settings, PLS) or "B" not in judged.est.solution.modes:
        return Told()
    found = redundancy(judged.est)
    items = vif(judged.est).table.filter(kind="item", mode="B").rename({"of": "construct", "name": "item"})
    kinds: dict[str, Kind] = {"construct": "text", "item": "text", "vif": "number", "verdict": "text"}
    paths: dict[str, Kind] = {"construct": "text", "path": "index", "r2": "index", "verdict": "text"}
    blocks = (
        judged.grid(_worded(items, lang), kinds, lang, FORMATIVE),
        judged.grid(_worded(found.table, lang), paths, lang, REDUNDANCY),
    )
    return Told(blocks, {"redundancy": found.table}, found.notes)


def _tetrads(judged: Judged, args: argparse.Namespace, lang: Language) -> Told:
    """Confirmatory tetrad analysis of the blocks that have four items."""
    found = cta(judged.est, args.bootstrap, judged.source.seed)
    tested = found.constructs.drop_nulls("verdict")
    if not tested.height:
        return Told()
    kinds: dict[str, Kind] = {"construct": "text", "tetrads": "count", "away": "count", "verdict": "text"}
    said = [s.say(lang) for s in found.sentences]
    told = judged.grid(_worded(tested, lang), kinds, lang, TETRADS)
    return Told((told, *said), {"tetrads": found.table, "cta": found.constructs}, ())
