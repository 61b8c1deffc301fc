"""`csi weigh STUDY`: margins before and after raking, how it ended, its cost; replicate weights that the study makes.

`--to` writes the answers with their weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.grids import grid
from csi.cli.studied import opened, study_argument
from csi.errors import Language, Problem, Problems, Text, problem
from csi.inference.make_replicates import MadeWeights
from csi.reporting.section import Kind
from csi.reporting.tables import printed
from csi.reporting.weighed import HEADINGS, bases_told, ended, made_said, told_margins
from csi.study import Study
from csi.study.replicated import made_weights
from csi.survey.panel import Panel
from csi.survey.weighing import Weighing

MARGINS = Text("Margins: share of the weights", "边际：占权重的比例")
GROUPS = Text("What weighting costs", "加权的代价")
KINDS: dict[str, Kind] = {
    "margin": "text", "category": "text", "n": "count", "target": "share", "before": "share", "after": "share"
}  # fmt: skip
COSTS: dict[str, Kind] = {
    "n": "count", "design_effect": "number", "effective_n": "count", "smallest": "number", "largest": "number",
    "trimmed": "share", "sum": "count",
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, and where the weighed answers go."""
    study_argument(parser)
    what = "write the answers with their weights (keys, items, weight, base_weight, rw1 ...): .csv or .parquet"
    parser.add_argument("--to", metavar="FILE", type=Path, help=what)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Weigh the study's answers and say what came of it."""
    _check_to(args.to)
    study, panel = opened(args.study)
    record, made = panel.weighing, made_weights(study, panel)
    if record is None and made is None:
        raise Problems([_nothing(study, panel)])
    frame = panel.frame if made is None else panel.frame.hstack(made.weights)
    lines: list[str | Grid] = [] if record is None else blocks(record, study, lang)
    lines += [] if made is None else [made_said(made).say(lang)]
    lines += [] if args.to is None else [_written(frame, args.to)]
    data = {} if record is None else {"weights": _weights(record, study)}
    data |= {} if made is None else {"replicate_weights": _replicates(made)}
    notes = (() if record is None else record.notes) + (() if made is None else made.notes)
    code = FINE if record is None or record.converged else INADMISSIBLE
    return Answer(blocks=tuple(lines), data=data, notes=tuple(dict.fromkeys(notes)), code=code)


def _weights(record: Weighing, study: Study) -> dict[str, object]:
    """How the weights were raked, for a machine."""
    return {
        "margins": told_margins(record, study.settings.small),
        "groups": bases_told(record, study.settings.small),
        "iterations": record.iterations,
        "tolerance": record.tolerance,
        "converged": record.converged,
        "by": record.by,
        "base": record.base,
        "trim": record.bounds,
    }


def _replicates(made: MadeWeights) -> dict[str, object]:
    """How replicate weights were made, for a machine: what reading them elsewhere takes."""
    return {
        "kind": made.kind,
        "replicates": made.weights.width,
        "rho": made.rho,
        "scale": made.scale,
        "rscales": made.rscales,
        "df": made.df,
    }


def blocks(record: Weighing, study: Study, lang: Language) -> list[str | Grid]:
    """How raking ended, its margins, its costs; small categories are not told."""
    keys: dict[str, Kind] = dict.fromkeys(record.by, "text")
    brands = dict(study.brands)
    margins, groups = told_margins(record, study.settings.small), bases_told(record, study.settings.small)
    return [
        ended(record).say(lang),
        grid(margins, {**keys, **KINDS}, lang, MARGINS, brands, HEADINGS),
        grid(groups, {**keys, **COSTS}, lang, GROUPS, brands, HEADINGS),
    ]


def _check_to(path: Path | None) -> None:
    """The file is of a kind that is written, before any work is done."""
    if path is not None and path.suffix.lower() not in (".csv", ".parquet"):
        en, zh = f'"{path.name}" is neither .csv nor .parquet.', f"“{path.name}”不是 .csv 或 .parquet 文件。"
        do, do_zh = "Use --to weighted.csv or weighted.parquet.", "请使用 --to weighted.csv 或 weighted.parquet。"
        raise Problems([problem("E-OUT", "--to", en, zh, do, do_zh)])


def _written(frame: pl.DataFrame, path: Path) -> str:
    """The answers with their weights, in a file; its name.

    Raises:
        Problems: E-OUT.
    """
    try:
        if path.suffix.lower() == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    except OSError as error:
        en, zh = f"the file cannot be written ({error.strerror}).", f"无法写入该文件（{error.strerror}）。"
        raise Problems([problem("E-OUT", str(path), en, zh, "Choose another folder.", "请选择其他文件夹。")]) from error
    return f"{path} ({printed(frame.height, 'count')})"


def _nothing(study: Study, panel: Panel) -> Problem:
    en, zh = "the study rakes no weights: it has no margins.", "该研究没有边际，未进行边际加权。"
    if "weight" in panel.frame.columns:
        en, zh = "the study takes its weights as they are: it has no margins.", "该研究直接使用已有权重，没有边际。"
    do = "Add to the study file: weights: {rake: {gender: {f: 0.51, m: 0.49}}, by: [wave]}, "
    do += "or replicate_weights: {make: bootstrap} for replicate weights of its design."
    do_zh = "请在研究文件中加入：weights: {rake: {gender: {f: 0.51, m: 0.49}}, by: [wave]}；"
    do_zh += "需要重复权重时加入 replicate_weights: {make: bootstrap}。"
    return problem("E-MARGIN", study.path.name, en, zh, do, do_zh)
