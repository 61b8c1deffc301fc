"""`csi weigh STUDY`: margins before and after raking, how it ended and its cost; `--to` writes the answers."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import grid
from csi.cli.studied import opened, study_argument
from csi.errors import Language, Problem, Problems, Text, problem
from csi.reporting.tables import Kind, printed
from csi.reporting.weighed import HEADINGS, bases_told, ended, told_margins
from csi.study import Study
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
    what = "write the answers with their weights (keys, items, weight, base_weight): .csv or .parquet"
    parser.add_argument("--to", metavar="FILE", type=Path, help=what)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Weigh the study's answers and say what came of it."""
    _check_to(args.to)
    study, panel = opened(args.study)
    record = panel.weighing
    if record is None:
        raise Problems([_nothing(study, panel)])
    written = () if args.to is None else (_written(panel.frame, args.to),)
    return Answer(
        blocks=(*blocks(record, study, lang), *written),
        data={
            "weights": {
                "margins": told_margins(record, study.settings.small),
                "groups": bases_told(record, study.settings.small),
                "iterations": record.iterations,
                "tolerance": record.tolerance,
                "converged": record.converged,
                "by": record.by,
                "base": record.base,
                "trim": record.bounds,
            }
        },
        notes=record.notes,
    )


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
    do = "Add to the study file: weights: {rake: {gender: {f: 0.51, m: 0.49}}, by: [wave]}."
    do_zh = "请在研究文件中加入：weights: {rake: {gender: {f: 0.51, m: 0.49}}, by: [wave]}。"
    return problem("E-MARGIN", study.path.name, en, zh, do, do_zh)
