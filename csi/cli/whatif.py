"""`csi whatif STUDY --raise perceived_quality=5`: index points of the target that go with points of its drivers."""

from __future__ import annotations

import argparse

from csi.cli.answer import Answer
from csi.cli.levers import called, cell_of, change_grids, number, once, points
from csi.cli.studied import bootstrap_argument, cell_arguments, names
from csi.errors import Language
from csi.importance.what_if import whatif
from csi.importance.what_if_words import quoted, sentences_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, one cell, levers, the target, what it costs."""
    cell_arguments(parser)
    add = parser.add_argument
    what = (
        "a construct or item and the points it is raised by (0-100 scale), such as perceived_quality=5; may be repeated"
    )
    add("--raise", dest="levers", action="append", type=points, required=True, metavar="NAME=POINTS", help=what)
    add("--target", help="a construct (the study's target by default)")
    add("--held", action="store_true", help="each lever ends where it was put, whatever the others bring it")
    add("--cost", type=number, metavar="N", help="what all of it costs: cost of a point, break-even")
    add("--worth", type=number, metavar="N", help="what one point of the target is worth, in the unit of --cost")
    bootstrap_argument(parser, "the intervals")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """What is associated with the levers in one cell (the focal brand's latest wave by default)."""
    cell = cell_of(args, lang)
    study, model = cell.study, cell.est.model
    levers = once("--raise", [(called(model, study, name), value) for name, value in args.levers])
    target = args.target or study.settings.target
    found = whatif(cell.est, levers, target, held=args.held, cost=args.cost, worth=args.worth)
    texts = names(study, lang)
    labels = quoted({c: texts.get(c, t) for c, t in found.labels.items()}, model)
    said = sentences_of(found.table, found.costs, labels, found.level, study.brands)
    data = {
        "target": target,
        "levers": levers,
        "held": found.held,
        "changes": found.table,
        "alone": found.alone,
        "costs": found.costs,
        "sentences": [{"en": s.en, "zh": s.zh} for s in said],
    }
    return cell.answer(lang, (*(s.say(lang) for s in said), *change_grids(study, found, lang)), data, found.notes)
