"""`csi expectation STUDY --model NAME`: expectation compared with experience, by the model named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from csi.behaviour.nps import HEADINGS as SCORE
from csi.behaviour.nps import nps
from csi.cli.answer import Answer, Grid
from csi.cli.grids import grid
from csi.cli.studied import cell_arguments, chosen, keys_in, names, opened, provenance
from csi.errors import Language, Text
from csi.expectation.gap import Gap, gap
from csi.expectation.gap_words import HEADINGS, KINDS
from csi.expectation.kano import kano
from csi.expectation.kano_words import HEADINGS as KANO
from csi.expectation.kano_words import in_words
from csi.reporting.tables import Kind
from csi.study import Study
from csi.survey.panel import Panel

Made = Callable[[argparse.Namespace, Study, Panel, Mapping[str, str], Language], Answer]


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, the model, its forms, the cells."""
    cell_arguments(parser)
    add = parser.add_argument
    add("--model", required=True, choices=tuple(MODELS), help=", ".join(MODELS))
    add("--expected", default="Ew", metavar="FORM", help="form of the expectations: Ew, Es, Ed, Ei or Ea (Ew)")
    add("--perceived", default="P", metavar="FORM", help="form of the perceptions (P)")
    add("--by", metavar="KEYS", default="", help="cells, such as brand,wave (default: one)")
    add("--outcome", metavar="NAME", help="a construct or item that both are to explain (satisfaction)")
    add("--item", metavar="NAME", help="the 0-10 question of nps")
    add("--band", type=float, default=0.0, metavar="X", help="gaps at most this large count as met (0)")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The model's tables and sentences, of all answers or of the brand and wave asked for."""
    study, panel = opened(args.study)
    asked = chosen(study, panel, args.brand, args.wave)
    return MODELS[args.model](args, study, panel, asked, lang)


def _gap(args: argparse.Namespace, study: Study, panel: Panel, asked: Mapping[str, str], lang: Language) -> Answer:
    """Gaps of attributes, dimensions, overall; their reliability; the two side by side."""
    level = study.settings.level
    found = gap(
        panel,
        args.expected,
        args.perceived,
        by=_cells(args),
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


def _kano(args: argparse.Namespace, study: Study, panel: Panel, asked: Mapping[str, str], lang: Language) -> Answer:
    """Kano's classes."""
    settings = study.settings
    found = kano(
        panel, by=_cells(args), where=dict(asked), replicates=max(settings.replicates, 1000), seed=settings.seed,
        level=settings.level,
    )  # fmt: skip
    kinds: dict[str, Kind] = dict.fromkeys(keys_in(found.table), "text")
    kinds |= {"attribute": "text", "n": "count", "category": "text", "support": "share"}
    kinds |= dict.fromkeys(("cs_plus", "cs_plus_low", "cs_plus_high"), "coefficient")
    kinds |= dict.fromkeys(("cs_minus", "cs_minus_low", "cs_minus_high"), "coefficient")
    kinds |= dict.fromkeys("MOAIRQ", "count")
    frame = in_words(found.table, found.labels, lang)
    title = Text("Kano's classes", "Kano 分类")
    return Answer(
        blocks=(*(s.say(lang) for s in found.sentences), grid(frame, kinds, lang, title, names(study, lang), KANO)),
        data={"kano": found.table, "replicates": found.replicates, "seed": found.seed, "level": found.level},
        notes=(*panel.notes, *found.notes),
        record={**provenance(study, panel), "kano": found.table},
    )


def _nps(args: argparse.Namespace, study: Study, panel: Panel, asked: Mapping[str, str], lang: Language) -> Answer:
    """Net Promoter Scores."""
    level = study.settings.level
    found = nps(panel, args.item or "", by=_cells(args), where=dict(asked), level=level)
    keys: dict[str, Kind] = dict.fromkeys(keys_in(found.table), "text")
    kinds: dict[str, Kind] = {**keys, "n": "count", "nps": "score", "std_error": "score", "conf_low": "score"}
    kinds |= {"conf_high": "score", "promoters": "share", "passives": "share", "detractors": "share", "mean": "number"}
    shares: dict[str, Kind] = {**keys, "answer": "count", "count": "count", "share": "share"}
    texts, title = names(study, lang), Text("Net Promoter Score, adjusted Wald interval", "净推荐值（调整 Wald 区间）")
    return Answer(
        blocks=(
            *(s.say(lang) for s in found.sentences),
            grid(found.table, kinds, lang, title, texts, SCORE),
            grid(found.distribution, shares, lang, Text("All answers", "全部回答分布"), texts, SCORE),
        ),
        data={"nps": found.table, "distribution": found.distribution, "level": level},
        notes=(*panel.notes, *found.notes),
        record={**provenance(study, panel), "nps": found.table},
    )


def _cells(args: argparse.Namespace) -> list[str]:
    """The key columns of --by."""
    return [k.strip() for k in args.by.split(",") if k.strip()]


MODELS: Final[Mapping[str, Made]] = {"gap": _gap, "kano": _kano, "nps": _nps}
"""Name of a model -> what answers for it."""
