"""`csi expectation STUDY --model NAME`: expectation compared with experience, by the model named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import grid
from csi.cli.studied import cell_arguments, chosen, keys_in, names, opened, provenance
from csi.errors import Language, Text
from csi.expectation.gap import Gap, gap
from csi.expectation.gap_words import HEADINGS, KINDS
from csi.reporting.tables import Kind
from csi.study import Study
from csi.survey.panel import Panel

Made = Callable[[argparse.Namespace, Study, Panel, Mapping[str, str], Language], Answer]


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the model, its forms, the cells."""
    cell_arguments(parser)
    add = parser.add_argument
    add("--model", required=True, choices=tuple(MODELS), help="gap")
    add("--expected", default="Ew", metavar="FORM", help="form of the expectations: Ew, Es, Ed, Ei or Ea (Ew)")
    add("--perceived", default="P", metavar="FORM", help="form of the perceptions (P)")
    add("--by", metavar="KEYS", default="", help="cells, such as brand,wave (default: one)")
    add("--outcome", metavar="NAME", help="a construct or item that both are to explain (satisfaction)")
    add("--band", type=float, default=0.0, metavar="X", help="gaps at most this large count as met (0)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The model's tables and sentences, of all answers or of the brand and wave asked for."""
    study, panel = opened(args.study)
    asked = chosen(study, panel, args.brand, args.wave)
    return MODELS[args.model](args, study, panel, asked, lang)


def _gap(args: argparse.Namespace, study: Study, panel: Panel, asked: Mapping[str, str], lang: Language) -> Answer:
    """Gaps of attributes, dimensions, overall; their reliability; the two side by side."""
    by = [k.strip() for k in args.by.split(",") if k.strip()]
    level = study.settings.level
    found = gap(
        panel,
        args.expected,
        args.perceived,
        by=by,
        outcome=args.outcome,
        band=args.band,
        level=level,
        where=dict(asked),
    )
    grids = (gap_grid(study, found, lang), reliability_grid(study, found, lang), constraint_grid(study, found, lang))
    return Answer(
        blocks=(*(s.say(lang) for s in found.sentences), *(g for g in grids if g is not None)),
        data={"gap": found.table, "reliability": found.reliability, "constraint": found.constraint, "level": level},
        notes=(*panel.notes, *found.notes),
        record={**provenance(study, panel), "gap": found.table},
    )


def gap_grid(study: Study, found: Gap, lang: Language) -> Grid:
    """Means, gaps with intervals, shares."""
    kinds: dict[str, Kind] = {"kind": "text", "name": "text", "n": "count", "expected": "number", "perceived": "number"}
    kinds |= {"gap": "number", "conf_low": "number", "conf_high": "number", "p_adjusted": "p", "dz": "number"}
    kinds |= {"short": "share", "met": "share", "exceeded": "share", "ceiling": "share"}
    title = Text("Perceived minus expected", "感知减期望")
    return _grid(study, found, found.table, kinds, title, lang)


def reliability_grid(study: Study, found: Gap, lang: Language) -> Grid | None:
    """How far differences can be trusted."""
    frame = found.reliability.filter(pl.col("reliability").is_not_null())
    kinds: dict[str, Kind] = {"kind": "text", "name": "text", "n": "count"}
    kinds |= dict.fromkeys(("r_expected", "r_perceived", "correlation", "reliability"), "coefficient")
    title = Text("Reliability of the differences (errors uncorrelated)", "差值的信度（假定误差不相关）")
    return _grid(study, found, frame, kinds, title, lang) if frame.height else None


def constraint_grid(study: Study, found: Gap, lang: Language) -> Grid | None:
    """Expectation and perception as two predictors."""
    if not found.constraint.height:
        return None
    kinds: dict[str, Kind] = {"name": "text", "n": "count"}
    kinds |= dict.fromkeys(("b_expected", "std_error_expected", "b_perceived", "std_error_perceived"), "coefficient")
    kinds |= {"p_difference": "p", "r2": "coefficient", "r2_difference": "coefficient"}
    label = names(study, lang).get(found.outcome, Text(found.outcome, found.outcome))
    en, zh = f"{label.en} on expectation and perception, side by side", f"{label.zh}对期望与感知的回归（分列）"
    return _grid(study, found, found.constraint, kinds, Text(en, zh), lang)


def _grid(
    study: Study, found: Gap, frame: pl.DataFrame, kinds: Mapping[str, Kind], title: Text, lang: Language
) -> Grid:
    """A frame with its key columns first and names in words."""
    words = {n: t.say(lang) or n for n, t in found.labels.items()}
    frame = frame.with_columns(pl.col("name").replace(words))
    if "kind" in frame.columns:
        frame = frame.with_columns(pl.col("kind").replace({k: t.say(lang) for k, t in KINDS.items()}))
    own: dict[str, Kind] = dict.fromkeys(keys_in(frame), "text")
    return grid(frame, own | dict(kinds), lang, title, names(study, lang), HEADINGS)


MODELS: Final[Mapping[str, Made]] = {"gap": _gap}
"""Name of a model -> what answers for it."""
