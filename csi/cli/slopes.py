"""`csi slopes STUDY` or `MODEL DATA`: moderated arrows at low, middle and high values, and where they differ from 0."""

from __future__ import annotations

import argparse

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.grids import grid
from csi.cli.moderated import arguments_of, fitted_of
from csi.errors import Language, Text
from csi.estimate.shown import least_of
from csi.measures.johnson_neyman import KINDS, johnson_neyman
from csi.measures.shown import HEADINGS
from csi.measures.slopes import AT, simple_slopes
from csi.reporting.section import Kind


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study whose model has products, or a model text and a data file; which arrow; at which values."""
    arguments_of(parser, ("pls", "plsc"))
    add = parser.add_argument
    add("--predictor", metavar="CONSTRUCT", help="whose slope (the first factor of each product by default)")
    add("--moderator", metavar="CONSTRUCT", help="what moderates it")
    add("--outcome", metavar="CONSTRUCT", help="of which construct")
    add("--at", type=float, nargs="+", default=list(AT), metavar="SD", help="values of the moderator (-1 0 1)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Slopes, their change, regions, sentences."""
    est, source, draws = fitted_of(args, lang)
    which = (args.predictor, args.moderator, args.outcome)
    found = simple_slopes(est, *which, at=args.at)
    regions = johnson_neyman(est, *which) if args.bootstrap else None
    title = Text("Change of the slope per standard deviation of the moderator", "调节变量每变化一个标准差时斜率的变化")
    grids = [
        _grid(found.table, Text("Simple slopes", "简单斜率"), lang, least_of(est)),
        _grid(found.interaction, title, lang, least_of(est)),
    ]
    if regions is not None:
        region = Text("Where the slope differs from 0 (Johnson-Neyman)", "斜率显著区域（Johnson-Neyman）")
        grids.append(_grid(regions.table, region, lang, least_of(est)))
    said = (*found.sentences, *(() if regions is None else regions.sentences))
    return Answer(
        blocks=source.worded([source.heading(est), *grids, *(s.say(lang) for s in said)], lang),
        data={
            **source.origin,
            "settings": est.settings,
            "bootstrap": draws,
            "slopes": found.table,
            "interaction": found.interaction,
            "regions": None if regions is None else regions.table,
            "curve": None if regions is None else regions.curve,
            "sentences": [{"en": s.en, "zh": s.zh} for s in said],
        },
        notes=(*source.notes, *found.notes),
        code=FINE if est.convergence.converged.all() else INADMISSIBLE,
    )


def _grid(frame: pl.DataFrame, title: Text, lang: Language, least: float) -> Grid:
    """One frame; `least`: the least p that the draws can give."""
    kinds: dict[str, Kind] = dict.fromkeys(
        ("at", "estimate", "std_error", "conf_low", "conf_high", "low", "high", "share"), "estimate"
    )
    kinds |= {"p_value": "p"}
    kept = frame.drop("reason", strict=False)
    kept = kept.select(c for c in kept.columns if kept[c].null_count() < kept.height)
    return grid(
        kept,
        {c: kinds.get(c, "text") for c in kept.columns},
        lang,
        title,
        KINDS,
        HEADINGS,
        least={"p_value": (least, "")},
    )
