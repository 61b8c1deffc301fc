"""`csi plan STUDY --lever perceived_quality=5:20,10:60 --budget 80`: which levels of levers a budget buys best."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import grid
from csi.cli.levers import called, cell_of, change_grids, levels, number, once
from csi.cli.studied import bootstrap_argument, cell_arguments, names
from csi.errors import Language, Text
from csi.importance.plan import Plan, plan
from csi.importance.plan_words import BEST, CHOSEN, HEADINGS, TITLES, plans_named, sentences_of
from csi.importance.what_if_words import quoted
from csi.reporting.section import Kind
from csi.study import Study

WORTH = "what one point of the target is worth, in the unit of the costs: the plan with the largest net is chosen"


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, one cell, levels with their costs, a budget, the target."""
    cell_arguments(parser)
    add = parser.add_argument
    what = (
        "a construct or item, its levels and what they cost: points:cost, such as perceived_quality=5:20,10:60;"
        " may be repeated"
    )
    add("--lever", dest="levers", action="append", type=levels, required=True, metavar="NAME=LEVELS", help=what)
    add("--budget", type=number, required=True, metavar="N", help="what may be spent, in the unit of the costs")
    add("--worth", type=number, metavar="N", help=WORTH)
    add("--target", help="a construct (the study's target by default)")
    bootstrap_argument(parser, "the intervals")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The best plan in one cell (the focal brand's latest wave by default)."""
    cell = cell_of(args, lang)
    study, model = cell.study, cell.est.model
    levers = once("--lever", [(called(model, study, name), costs) for name, costs in args.levers])
    target = args.target or study.settings.target
    found = plan(cell.est, levers, args.budget, target, worth=args.worth, seed=study.settings.seed)
    texts = names(study, lang)
    labels = quoted({c: texts.get(c, t) for c, t in found.labels.items()}, model)
    said = sentences_of(found, labels)
    data = {
        "target": target,
        "budget": found.budget,
        "worth": found.worth,
        "chosen": found.chosen,
        "cost": found.cost,
        "gain": found.gain,
        "best_share": found.best_share,
        "levels": found.levels,
        "plans": found.plans,
        **({} if found.result is None else {"changes": found.result.table, "costs": found.result.costs}),
        "sentences": [{"en": s.en, "zh": s.zh} for s in said],
    }
    grids = [] if found.result is None else change_grids(study, found.result, lang)
    moved = [*grids[:1], *grids[-1:]]
    blocks: list[str | Grid] = [*(s.say(lang) for s in said), *plan_grids(study, found, labels, lang), *moved]
    return cell.answer(lang, blocks, data, found.notes)


def plan_grids(study: Study, found: Plan, labels: Mapping[str, Text], lang: Language) -> list[Grid]:
    """Levels, and the plans that are best most often."""
    yes = {k: v.say(lang) for k, v in CHOSEN.items()}
    levels_ = found.levels.with_columns(pl.col("chosen").replace_strict(yes, return_dtype=pl.String))
    kinds: dict[str, Kind] = {
        "lever": "text", "points": "score", "reached": "score", "cost": "number", "gain": "coefficient",
        "conf_low": "coefficient", "conf_high": "coefficient", "per_point": "number", "net": "number",
        "chosen": "text", "share": "share",
    }  # fmt: skip
    kinds = {c: kind for c, kind in kinds.items() if levels_[c].null_count() < levels_.height}
    out = [grid(levels_, kinds, lang, TITLES[0], names(study, lang), HEADINGS)]
    if found.plans["share"].count():
        named = plans_named(found, labels, lang)
        kinds = {"plan": "text", "cost": "number", "gain": "coefficient", "net": "number", "share": "share"}
        kinds = {c: kind for c, kind in kinds.items() if c in named.columns}
        out.append(grid(named, kinds, lang, TITLES[1], None, {**HEADINGS, **BEST}))
    return out
