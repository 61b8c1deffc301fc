"""`csi predict MODEL DATA`: how well a composite model predicts respondents it has not seen."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer
from csi.cli.judged_model import judged_arguments, judged_model
from csi.errors import Language, Text
from csi.measures.cvpat import AGAINST, OVERALL, cvpat
from csi.measures.predict import BENCHMARKS, TECHNIQUES, predict
from csi.measures.predictive_power import POWERS
from csi.reporting.tables import Kind

ITEMS = Text("Items", "题项")
CONSTRUCTS = Text("Constructs", "构念")
ABILITY = Text(
    "Predictive ability (CVPAT, mean squared errors of all items)", "预测能力检验（CVPAT，全部题项的均方误差）"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Model, data, folds and what to compare with."""
    judged_arguments(parser)
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
    judged, rivals = judged_model(args, lang, *([args.against] if args.against else []))
    asked = {"technique": args.technique, "benchmark": args.benchmark, "seed": args.seed}
    found = predict(judged.est, args.folds, args.repetitions, **asked)
    tested = cvpat(judged.est, rivals[0] if rivals else None, args.folds, args.repetitions, **asked)
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
        f"{found.folds} x {found.repetitions}, {found.technique}, LM: {found.benchmark}, seed {args.seed}",
        f"{found.folds} 折 × {found.repetitions} 次，{technique.zh}，线性模型：{base.zh}题项，种子 {args.seed}",
    ).say(lang)
    return Answer(
        blocks=(
            f"{judged.heading} · {how}",
            judged.grid(found.table, items, lang, ITEMS),
            judged.grid(constructs, {**judged_by, "power": "text"}, lang, CONSTRUCTS),
            *(s.say(lang) for s in found.sentences),
            judged.grid(ability, tests, lang, ABILITY),
            *(s.say(lang) for s in tested.sentences),
        ),
        data={
            "folds": found.folds,
            "repetitions": found.repetitions,
            "technique": found.technique,
            "benchmark": found.benchmark,
            "seed": args.seed,
            "items": found.table,
            "constructs": found.constructs,
            "cvpat": tested.table,
        },
        notes=(*judged.file.notes, *dict.fromkeys((*found.notes, *tested.notes))),
    )
