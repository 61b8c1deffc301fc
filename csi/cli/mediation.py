"""`csi mediation STUDY` or `MODEL DATA`: indirect effects with intervals, kinds of mediation, what moderates it."""

from __future__ import annotations

import argparse

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.grids import grid
from csi.cli.moderated import ESTIMATORS, arguments_of, fitted_of
from csi.errors import Language, Text
from csi.estimate.shown import least_of
from csi.measures.mediation import EFFECTS, KINDS, Mediation, mediation
from csi.measures.shown import HEADINGS
from csi.reporting.section import Kind


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or a model text with a data file; which pairs."""
    arguments_of(parser, ESTIMATORS)
    parser.add_argument("--from", dest="predictor", metavar="CONSTRUCT", help="only effects that start here")
    parser.add_argument("--to", dest="outcome", metavar="CONSTRUCT", help="only effects that end here")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Tables of effects, then what they say."""
    est, source, draws = fitted_of(args, lang)
    found = mediation(est, args.predictor, args.outcome)
    return Answer(
        blocks=source.worded(
            [source.heading(est), *_grids(found, lang, least_of(est)), *(s.say(lang) for s in found.sentences)], lang
        ),
        data={
            **source.origin,
            "settings": est.settings,
            "bootstrap": draws,
            "effects": found.table,
            "conditional": found.conditional,
            "moderated": found.moderated,
            "sentences": [{"en": s.en, "zh": s.zh} for s in found.sentences],
        },
        notes=(*source.notes, *est.notes, *found.notes),
        code=FINE if est.convergence.converged.all() else INADMISSIBLE,
    )


def _grids(found: Mediation, lang: Language, least: float) -> list[Grid]:
    """Effects, effects along moderators, indices of moderated mediation; `least`: the least p of the draws."""
    floor = {"p_value": (least, "")}
    numbers: dict[str, Kind] = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), "estimate")
    numbers["p_value"] = "p"
    names: dict[str, Kind] = dict.fromkeys(("outcome", "predictor", "effect", "chain", "moderator", "kind"), "text")
    made = []
    for frame, title in (
        (found.table, Text("Mediation", "中介效应")),
        (found.conditional, Text("Specific effects along the moderator", "不同调节水平下的特定间接效应")),
        (found.moderated, Text("Index of moderated mediation", "有调节的中介指数")),
    ):
        kept = frame.drop("vaf", "reason", strict=False)
        if kept.height:
            kinds: dict[str, Kind] = {c: (names | numbers | {"at": "estimate"}).get(c, "text") for c in kept.columns}
            made.append(grid(kept, kinds, lang, title, {**KINDS, **EFFECTS}, HEADINGS, least=floor))
    return made
