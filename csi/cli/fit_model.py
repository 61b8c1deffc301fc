"""`csi fit MODEL DATA`: a model in lavaan's language fitted to the rows of a file; no study file needed."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, USAGE, Answer, Grid
from csi.cli.estimators import clashes, composite_of, is_composite
from csi.cli.fit_composites import of_composites
from csi.cli.fit_family import family_blocks, family_notes, family_numbers, family_of
from csi.cli.fit_numbers import both, cells, heading, shown_parameters
from csi.cli.fit_options import is_number, listed
from csi.cli.fit_repeated import is_repeated, repeat_problems, repeated, scales_column
from csi.cli.fit_tables import (
    cells_grid,
    exact_lines,
    finding_lines,
    fit_lines,
    indices_grid,
    parameter_grids,
    r2_grid,
    test_lines,
)
from csi.cli.fit_words import of_notes, of_problems
from csi.cli.imputed import Plan, check_imputations, imputed
from csi.cli.progress import working
from csi.errors import Language, Problem, Problems, Reason, Text, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.protocol import Estimator
from csi.measures.admissible import Diagnosis, verify
from csi.measures.fit_measures import FitMeasures, fit_measures
from csi.measures.modification import modification_indices
from csi.measures.standardised import r2
from csi.models.model import Model
from csi.pls.composed import Ways
from csi.pls.stages import HigherOrder, Interaction
from csi.reporting.record import versions
from csi.reporting.section import SAMPLING_ONLY
from csi.sem.estimator import SEM
from csi.survey.plain_file import PlainFile, read_plain

RESAMPLING = Text("Resampling", "重抽样")
TEXTS = {".lav", ".lavaan", ".txt", ".model", ".mod", ".sem", ".r", ".md", ""}
"""Endings of files that may hold a model."""
SHOWN = 4
"""Cells whose parameters are printed; `--json` has them all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, read: the model and where it came from, the settings, the data and their columns."""

    model: Model
    settings: Estimator
    file: PlainFile
    by: tuple[str, ...]
    where: dict[str, str]


def of_model(args: argparse.Namespace, lang: Language) -> Answer:
    """Fit the model in every cell and print what a person reads of it."""
    try:
        asked = _asked(args, lang)
    except _UsageProblems as error:
        return Answer((), {}, problems=error.problems, code=USAGE)
    frame = asked.file.frame
    try:
        est = fit(
            asked.model, frame, asked.settings, asked.by,
            where=asked.where or None, weight=args.weight, unit=args.unit, stratum=args.stratum,
        )  # fmt: skip
        if args.imputations:
            est = _imputed(asked, args, lang)
        elif is_repeated(args):
            with working(RESAMPLING.say(lang), quiet=args.quiet):
                est = repeated(est, frame, args)
        if is_composite(args.estimator):
            return of_composites(est, asked.file, args, lang)
        return _answer(est, asked, args, lang)
    except Problems as error:
        raise Problems(of_problems(error.problems), lang) from None


def _imputed(asked: Asked, args: argparse.Namespace, lang: Language) -> Estimate:
    """The fits of completed copies as one."""
    check_imputations(args.imputations, args.bootstrap, lang)
    plan = Plan(
        args.imputations, args.bootstrap, args.seed, asked.by, asked.where or None, args.weight, args.unit, args.stratum
    )
    with working(RESAMPLING.say(lang), quiet=args.quiet):
        return imputed(asked.model, asked.file.frame, asked.settings, plan)


class _UsageProblems(Problems):
    """Options that no settings can be made of."""


def _asked(args: argparse.Namespace, lang: Language) -> Asked:
    """Read model, options and data; everything that is wrong with them at once."""
    pairs, by = [_pair(one) for one in args.where or ()], tuple(dict.fromkeys(listed(args.by)))
    where = dict(pairs)
    found = [*_clashes(args.groups, by, pairs), *repeat_problems(args)]
    model, settings = None, None
    try:
        model = read_model(args.study, lang)
    except Problems as error:
        found += error.problems
    try:
        settings = _estimator_of(args, model)
    except Problems as error:
        raise _UsageProblems([*found, *of_problems(error.problems)], lang) from None
    if model is None:
        raise Problems(found, lang)
    items = settings.needs(model)
    found += _items_as("--by", by, items) + _items_as("--weight", [args.weight], items)
    keys = [k for k in (settings.groups, *by, *where, args.unit, args.stratum) if k]
    try:
        weights = [args.weight] if args.weight else []
        numbers = [*items, *weights, *listed(args.replicate_weights), *scales_column(args.rscales)]
        file = read_plain(args.data, numbers, keys, listed(args.na))
    except Problems as error:
        raise Problems([*found, *error.problems], lang) from None
    if found:
        raise Problems(found, lang)
    values = {column: as_written(file.frame[column], value) for column, value in where.items()}
    return Asked(model, settings, file, by, values)


def as_written(column: pl.Series, value: str) -> str:
    """The value as the column says it: exactly, else the same number ("5" for "5.0").

    Example:
        >>> as_written(pl.Series([5.0, 6.0]), "5"), as_written(pl.Series(["2024", "all"]), "2024.0")
        ('5.0', '2024')
    """
    known = column.cast(pl.String).drop_nulls().unique().sort().to_list()
    if value in known:
        return value
    return next((name for name in known if is_number(value) and is_number(name) and float(name) == float(value)), value)


def _clashes(groups: str | None, by: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[Problem]:
    """A column that is asked for in two ways which exclude each other."""
    found = []
    if groups in by:
        en = f'"{groups}" is named by --by and by --groups: every cell would hold a single group.'
        zh = f"“{groups}”同时用于 --by 与 --groups：每个单元只会有一个组。"
        do, do_zh = (
            "Keep --by for a fit per value, or --groups for one fit of all.",
            "逐值拟合请用 --by；多组联合拟合请用 --groups。",
        )
        found.append(problem("E-SETTING", "--by", en, zh, do, do_zh))
    for column in dict.fromkeys(name for name, _ in pairs):
        values = list(dict.fromkeys(value for name, value in pairs if name == column))
        if len(values) > 1:
            en = f'{column} cannot be "{values[0]}" and "{values[1]}" in one row.'
            zh = f"同一行的 {column} 不可能既为“{values[0]}”又为“{values[1]}”。"
            do, do_zh = (
                f"Give one value, or fit all with --by {column}.",
                f"请只写一个取值，或用 --by {column} 逐一拟合。",
            )
            found.append(problem("E-WHERE", "--where", en, zh, do, do_zh))
    return found


def _items_as(option: str, columns: Sequence[str | None], items: Sequence[str]) -> list[Problem]:
    """Items of the model that an option takes for something else."""
    do, do_zh = "Name another column, or leave it out of the model.", "请改用其他列，或将其移出模型。"
    return [
        problem("E-SETTING", option, f'"{c}" is an item of the model.', f"“{c}”是模型中的题项。", do, do_zh)
        for c in columns
        if c in items
    ]


def read_model(path: Path, lang: Language = "en") -> Model:
    """The model in a text file; text that holds an operator is the model itself.

    Raises:
        Problems: no such file, not text, or the problems of the model at their places.

    Example:
        >>> read_model(Path("f =~ x1 + x2 + x3")).items
        ('x1', 'x2', 'x3')
    """
    if "~" in str(path) and not path.exists():
        return Model.parse(str(path), lang=lang)
    if not path.exists():
        if any(sign in str(path) for sign in "=+\n"):
            raise Problems([_no_model(str(path))], lang)
        raise Problems([_no_file(path)], lang)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        en, zh = (
            "is not UTF-8 text; a model in lavaan's language was expected.",
            "不是 UTF-8 文本，应为 lavaan 语言的模型。",
        )
        do, do_zh = "Name the model first and the data second.", "请先写模型文件，再写数据文件。"
        raise Problems([problem("E-FILE", str(path), en, zh, do, do_zh)], lang) from None
    return Model.parse(text, path.name, lang)


def _no_file(path: Path) -> Problem:
    """A model file that is not there: which, in what folder, and the closest text file of that folder."""
    folder = path.absolute().parent
    if not folder.is_dir():
        en, zh = f"there is no folder {folder} to hold the model.", f"存放模型的文件夹 {folder} 不存在。"
        return problem("E-FILE", str(path), en, zh, "Check the path of the model file.", "请检查模型文件的路径。")
    texts = [p.name for p in folder.iterdir() if p.suffix.lower() in TEXTS and p.is_file()]
    close = difflib.get_close_matches(path.name, texts, n=1, cutoff=0.6)
    do, do_zh = "Check its name, or write the model itself in quotes.", "请检查文件名，或用引号直接写出模型。"
    if close:
        near = path.with_name(close[0])
        do, do_zh = f'Did you mean "{near}"?', f"是否应为“{near}”？"
    en, zh = f"there is no model file of this name in {folder}.", f"{folder} 中没有该名称的模型文件。"
    return problem("E-FILE", str(path), en, zh, do, do_zh)


def _no_model(text: str) -> Problem:
    """Text that is no file's name and has no operator."""
    line = " ".join(text.split())
    shown = f"{line[:60]}..." if len(line) > 60 else line
    en, zh = "neither a file nor a model text: `=~` missing?", "既不是文件，也不是模型文本：是否漏写了 `=~`？"
    do, do_zh = 'Write "sat =~ sat1 + sat2 + sat3".', "请写作“sat =~ sat1 + sat2 + sat3”。"
    return problem("E-FILE", f'"{shown}"', en, zh, do, do_zh)


def _estimator_of(args: argparse.Namespace, model: Model | None) -> Estimator:
    """The estimator of the options.

    Raises:
        Problems: options it does not take, values that are none of a setting.
    """
    found = clashes(args)
    if found:
        raise Problems(found)
    if is_composite(args.estimator):
        ways = Ways(cast("HigherOrder", args.higher_order), cast("Interaction", args.interaction or "two-stage"))
        return composite_of(args.estimator, args.missing, args.weighting, args.modes, ways)
    return _settings(args, model)


def _settings(args: argparse.Namespace, model: Model | None) -> SEM:
    """The estimator of the options; `--ordered all` names every item."""
    ordered = listed(args.ordered)
    if ordered == ("all",) and (model is None or "all" not in model.items):
        ordered = model.items if model is not None else ()
    names = ("estimator", "missing", "groups", "std_lv", "meanstructure", "growth", "bounds", "parameterization")
    more = ("se", "test", "information", "likelihood", "interaction", "pairs", "conditional_x")
    same = {name: getattr(args, name) for name in (*names, *more)}
    same["interaction"] = same["interaction"] or "double-mean-centred"
    fixed_x = True if args.fixed_x else False if args.random_x else None
    return SEM(**same, ordered=ordered, equal=listed(args.equal), free=listed(args.free), fixed_x=fixed_x)


def _pair(text: str) -> tuple[str, str]:
    """Column and value of `--where`."""
    column, sign, value = text.partition("=")
    if not sign:
        do = Text("Write --where wave=2024.", "请写作 --where wave=2024。")
        what = Text(f'"{text}" names no value.', f"“{text}”没有写明取值。")
        raise Problems([Problem("E-WHERE", "--where", what, do)])
    return column.strip(), value.strip()


def _answer(est: Estimate, asked: Asked, args: argparse.Namespace, lang: Language) -> Answer:
    """The printed blocks and the numbers in full precision."""
    measures = fit_measures(est)
    diagnosis = verify(est)
    withheld = {} if args.show_anyway else diagnosis.withheld
    changes = modification_indices(est) if args.modification else None
    converged = bool(est.convergence.converged.all())
    one = len(est.values) == 1
    blocks: list[str | Grid] = [heading(est, asked.file.name, args.study, lang)]
    said = [*test_lines(est, lang), *exact_lines(measures, lang), *fit_lines(measures, lang)]
    blocks += said if one else [cells_grid(est, measures, lang)]
    blocks += finding_lines(diagnosis, lang)
    for cell in range(min(len(est.values), SHOWN)):
        blocks += parameter_grids(est, cell, lang, withheld.get(cell))
    if one:
        blocks += r2_grid(est, lang)
    tests = family_of(est, args, withheld)
    blocks += family_blocks(tests, lang)
    if changes is not None:
        blocks.append(indices_grid(changes, args.modification, lang))
    told = any(g.code == "E-IDENT" for g in diagnosis.gathered)
    of_fit = [n for n in (*est.notes, *measures.notes) if not (told and n.code == "W-IDENT")]
    notes = (*asked.file.notes, *of_fit, *family_notes(tests), *((SAMPLING_ONLY,) if is_repeated(args) else ()))
    data = {**_numbers(est, asked, measures, diagnosis, withheld, changes), **family_numbers(tests)}
    return Answer(tuple(blocks), data, of_notes(notes), code=FINE if converged and diagnosis.usable else INADMISSIBLE)


def _numbers(
    est: Estimate,
    asked: Asked,
    measures: FitMeasures,
    diagnosis: Diagnosis,
    withheld: Mapping[int, Reason],
    changes: pl.DataFrame | None,
) -> dict[str, object]:
    """Everything in full precision, for machines."""
    settings = cast("SEM", est.settings)
    return {
        "model": str(asked.model),
        "data": {"file": asked.file.name, "sha256": asked.file.sha256},
        "settings": replace(settings, estimator=_estimator(settings)),
        "cells": cells(est),
        "parameters": shown_parameters(est, withheld),
        "fit_measures": measures.table,
        "r2": r2(est),
        "findings": diagnosis.table,
        "withheld": [{"cell": cell, "code": r.code, **both(r.text)} for cell, r in withheld.items()],
        **({} if changes is None else {"modification_indices": changes}),
        "versions": versions(),
    }


def _estimator(settings: SEM) -> str:
    """The estimator's name, also where it was left to the items."""
    return settings.estimator or ("WLSMV" if settings.ordered else "ML")
