"""`csi fit STUDY`: the model in every brand and wave, and one cell's parameters with their intervals.

`csi fit MODEL DATA` fits a model text to a data file without a study: see `csi.cli.fit_model`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from csi.claims.based import based, bases_of, gone
from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.fit_options import ONLY_MODEL, ONLY_STUDY, given, model_arguments
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.streamed import fit_of_stream, stream_of
from csi.cli.studied import (
    bootstrap_argument,
    cell_arguments,
    check_cells,
    chosen,
    estimated,
    keys_in,
    names,
    only,
    opened,
    place,
    provenance,
    shown,
)
from csi.errors import Language, Text
from csi.estimate.estimate import Estimate
from csi.reporting.scaled import scale_notes, scaled
from csi.reporting.section import SAMPLING_ONLY, Kind
from csi.reporting.soundness import cell_notes, estimate_notes, settled
from csi.study import Study
from csi.survey.bases import Bases
from csi.survey.panel import Panel

CELLS = Text("Cells", "单元")
PATHS = Text("Paths (standardised)", "路径系数（标准化）")
ITEMS = Text("Items", "题项")
R2 = Text("R²", "R²")
ITERATIONS = Text("iterations", "迭代次数")
RESAMPLING = Text("Resampling", "重抽样")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study and the cells to estimate, or a model text with a data file and its options."""
    cell_arguments(parser, "STUDY|MODEL", "the study file, or a model in lavaan's language beside DATA")
    parser.add_argument(
        "data", metavar="DATA", nargs="?", type=Path, help="CSV, Parquet, Excel or SPSS file of a MODEL"
    )
    bootstrap_argument(parser, "the intervals")
    model_arguments(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """A study's model in its cells, or a model text fitted to a data file."""
    is_study = args.study.suffix.lower() in {".yaml", ".yml"} or args.study.is_dir()
    if args.data is not None and str(args.study) == ".":
        raise UsageError("the model text is empty")
    if is_study and args.data is not None:
        raise UsageError("a study names its own data; DATA goes with a model text")
    if not is_study and args.data is None:
        raise UsageError("the following arguments are required: DATA")
    strange = given(args, ONLY_MODEL if is_study else ONLY_STUDY)
    if strange:
        raise UsageError(f"not for {'a study' if is_study else 'a model text'}: {', '.join(strange)}")
    if is_study:
        return of_study(args, lang)
    from csi.cli.fit_model import of_model  # a study does not load the covariance engine

    return of_model(args, lang)


def of_study(args: argparse.Namespace, lang: Language) -> Answer:
    """Estimate every cell asked for; show one with intervals."""
    if (stream := stream_of(args.study)) is not None:
        return fit_of_stream(stream, args, lang)
    study, panel = opened(args.study, args.bootstrap)
    asked = chosen(study, panel, args.brand, args.wave)
    one = shown(study, panel, asked)
    check_cells(study, panel, one, anchored=False)
    est = estimated(study, panel, asked)
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        cell = one_cell(study, panel, one)
    texts, bases = names(study, lang), Bases(study.settings.small, study.settings.flagged)
    sizes, frame = bases_of(est, bases), cells(study, est)
    keys = sizes.columns[: sizes.columns.index("n")]
    held = bases_of(cell, bases)
    few = gone(held)
    good = int(est.convergence.converged.sum())
    total = est.moments.cells.height
    said = Text(f"{good} of {total} cells converged.", f"{total} 个单元中有 {good} 个收敛。")
    return Answer(
        blocks=(
            grid_of_cells(study, based(frame, sizes, bases.reason), asked or {"wave": panel.waves[-1]}, lang),
            said.say(lang),
            place(one, texts, lang),
            *((bases.sentences(held)[0].say(lang),) if few else parameters(cell, lang, texts)),
        ),
        data={
            "engine": est.settings.name,
            "cells": based(frame, sizes, bases.reason),
            "estimates": based(est.table, sizes, bases.reason),
            "shown": based(cell.table, held, bases.reason),
        },
        notes=(
            *panel.notes,
            *(n for n in estimate_notes(est) if n.code != "W-BASE"),
            *bases.notes(sizes, keys),
            *cell_notes(study, est),
            *(n for n in estimate_notes(cell) if n.code != "W-BASE"),
            *scale_notes(cell),
            *((SAMPLING_ONLY,) if cell.conf_low is not None else ()),
        ),
        code=FINE if bool(est.convergence.converged.all()) and all(settled(cell)) else INADMISSIBLE,
        record={
            **provenance(study, panel),
            "estimator": est.settings,
            "estimates": based(est.table, sizes, bases.reason),
        },
    )


def one_cell(study: Study, panel: Panel, where: Mapping[str, str]) -> Estimate:
    """The model in one cell, resampled unless the study asks for no resamples."""
    return estimated(study, panel, where, errors=True)


def cells(study: Study, est: Estimate) -> pl.DataFrame:
    """One row per cell: n, iterations, R2 of the target, and why a cell has no solution."""
    target = study.settings.target
    names_ = est.solution.constructs
    r2 = est.solution.r2[:, names_.index(target)] if target in names_ else np.full(len(est.values), np.nan)
    why = est.convergence.reasons
    return est.moments.cells.with_columns(
        pl.Series("iterations", est.convergence.iterations),
        pl.Series("converged", est.convergence.converged),
        pl.Series("r2", r2).fill_nan(None),
        pl.Series("reason", [why[i].text.en if i in why else None for i in range(len(r2))], dtype=pl.String),
        pl.Series("reason_zh", [why[i].text.zh if i in why else None for i in range(len(r2))], dtype=pl.String),
    )


def grid_of_cells(study: Study, found: pl.DataFrame, asked: Mapping[str, str], lang: Language) -> Grid:
    """The cells asked for (those of the latest wave by default) as a person reads them."""
    frame, texts = only(found, asked), names(study, lang)
    reason = "reason_zh" if lang == "zh" else "reason"
    kinds: dict[str, Kind] = {**each(keys_in(frame), "text"), "n": "count", "iterations": "count", "r2": "coefficient"}
    if frame[reason].null_count() < frame.height:
        frame, kinds = frame.with_columns(pl.col(reason).fill_null("")), {**kinds, reason: "text"}
    r2 = Text(f"R² {study.settings.target}", f"R² {study.codebook.label(study.settings.target, 'zh')}")
    extra = {"iterations": ITERATIONS, "r2": r2, "reason_zh": Text("reason", "原因")}
    return grid(frame, kinds, lang, CELLS, texts, extra)


def parameters(
    est: Estimate, lang: Language, texts: Mapping[str, Text], rows: pl.DataFrame | None = None
) -> tuple[Grid, Grid]:
    """Paths with their intervals; items with loading and weight (of the rows given, else of the whole table)."""
    table = scaled(est) if rows is None else rows
    paths = table.filter(pl.col("op") == "~").rename({"lhs": "outcome", "rhs": "predictor"})
    numbers: dict[str, Kind] = {
        "estimate": "coefficient",
        "std_error": "coefficient",
        "conf_low": "coefficient",
        "conf_high": "coefficient",
    }
    has_errors = est.std_error is not None
    kinds: dict[str, Kind] = {
        "predictor": "text",
        "outcome": "text",
        **(numbers if has_errors else {"estimate": "coefficient"}),
    }
    loadings = table.filter(pl.col("op") == "=~").select(construct="lhs", item="rhs", loading="estimate")
    weights = table.filter(pl.col("op") == "<~").select(item="rhs", weight="estimate")
    items = loadings.join(weights, on="item", how="left", maintain_order="left").with_columns(label=pl.col("item"))
    printed: dict[str, Kind] = {
        "construct": "text",
        "item": "text",
        "label": "text",
        "loading": "coefficient",
        "weight": "coefficient",
    }
    if not any(item in texts for item in items["item"]):
        printed.pop("label")
    plain = {k: v for k, v in texts.items() if k not in set(items["item"])}
    named = items.with_columns(pl.col("label").replace_strict({k: v.say(lang) for k, v in texts.items()}, default=""))
    return grid(paths, kinds, lang, PATHS, texts), grid(named, printed, lang, ITEMS, plain)
