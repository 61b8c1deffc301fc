"""`csi predict STUDY` or `MODEL DATA`: how well a composite model predicts respondents it has not seen."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer
from csi.cli.estimators import COMPOSITES
from csi.cli.fit_model import read_model
from csi.cli.judged_model import Judged
from csi.cli.source import source_arguments, source_of
from csi.errors import Language, Text
from csi.measures.cvpat import AGAINST, OVERALL, cvpat
from csi.measures.predict import BENCHMARKS, TECHNIQUES, predict
from csi.measures.predictive_power import POWERS
from csi.reporting.section import Kind

CELLS = "apart in every cell of these columns (of a study brand, wave, stage, segment)"
ITEMS = Text("Items", "题项")
CONSTRUCTS = Text("Constructs", "构念")
ABILITY = Text(
    "Predictive ability (CVPAT, mean squared errors of all items)", "预测能力检验（CVPAT，全部题项的均方误差）"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or model and data; folds and what to compare with."""
    source_arguments(parser, COMPOSITES, by=CELLS)
    add = parser.add_argument
    add(
        "--folds",
        type=int,
        default=10,
        metavar="K",
        help="10 unless asked otherwise; the number of rows leaves one out",
    )
    add("--repetitions", type=int, default=10, metavar="R", help="divisions into folds (10)")
    add("--technique", default="ea", choices=("ea", "da"), help="from earliest (ea) or direct antecedents (da)")
    add("--benchmark", choices=("exogenous", "antecedents", "all"), help="whose items the linear model takes")
    add("--against", metavar="MODEL", type=Path, help="another model of the same rows to compare predictions with")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit, cross-validate, tell."""
    source = source_of(args, lang, others=[args.against] if args.against else [])
    judged, rival = Judged(source.fit(), source), read_model(args.against, lang) if args.against else None
    asked = {"technique": args.technique, "benchmark": args.benchmark, "seed": source.seed}
    found = predict(judged.est, args.folds, args.repetitions, **asked)
    tested = cvpat(judged.est, None if rival is None else source.fit(rival), args.folds, args.repetitions, **asked)
    said = {name: text.say(lang) for name, text in POWERS.items()}
    constructs = found.constructs.with_columns(pl.col("power").replace(said))
    against = {name: text.say(lang) for name, text in AGAINST.items()}
    ability = tested.table.filter(construct=OVERALL).with_columns(pl.col("against").replace(against))
    numbers: dict[str, Kind] = dict.fromkeys(("rmse", "mae", "lm_rmse", "lm_mae"), "number")
    items: dict[str, Kind] = {"construct": "text", "item": "text", "q2_predict": "index", **numbers}
    judged_by: dict[str, Kind] = {"construct": "text", "q2_predict": "index", "items": "count", "better": "count"}
    tests: dict[str, Kind] = {"against": "text", "difference": "number", "statistic": "number", "p_value": "p"}
    technique, base = TECHNIQUES[found.technique], BENCHMARKS[found.benchmark]
    how = Text(
        f"{found.folds} x {found.repetitions}, {found.technique}, LM: {found.benchmark}, seed {source.seed}",
        f"{found.folds} 折 × {found.repetitions} 次，{technique.zh}，线性模型：{base.zh}题项，种子 {source.seed}",
    ).say(lang)
    return Answer(
        blocks=source.worded(
            [
                f"{judged.heading} · {how}",
                judged.grid(found.table, items, lang, ITEMS),
                judged.grid(constructs, {**judged_by, "power": "text"}, lang, CONSTRUCTS),
                *(s.say(lang) for s in found.sentences),
                judged.grid(ability, tests, lang, ABILITY),
                *(s.say(lang) for s in tested.sentences),
            ],
            lang,
        ),
        data={
            **source.origin,
            "folds": found.folds,
            "repetitions": found.repetitions,
            "technique": found.technique,
            "benchmark": found.benchmark,
            "seed": source.seed,
            "items": found.table,
            "constructs": found.constructs,
            "cvpat": tested.table,
        },
        notes=(*source.notes, *dict.fromkeys((*found.notes, *tested.notes))),
    )
