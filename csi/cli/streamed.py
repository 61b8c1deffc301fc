"""`csi index STUDY` and `csi fit STUDY` where no row of the answers is held: numbers from moments alone."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from csi.claims.based import based, bases_of, gone
from csi.cli.answer import FINE, INADMISSIBLE, Answer
from csi.cli.evidence import NOT_ASKED, SWITCHED_OFF
from csi.cli.progress import working
from csi.cli.studied import names, only, place
from csi.cli.to_tables import with_files
from csi.errors import Language, Note, Problems, Text, did_you_mean, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.moments.streamed import Streamed
from csi.reporting.record import codebook_hash, versions
from csi.reporting.soundness import absent_notes, cell_notes, estimate_notes, explained, settled, suppressed, unweighed
from csi.reporting.soundness import bases_of as study_bases
from csi.study import Study, read_study
from csi.study.estimator import estimator_of
from csi.study.fitted import CELLS, indexed
from csi.study.streams import rule_notes, streamed, streams
from csi.survey.bases import Bases
from csi.tracking.index import Index
from csi.tracking.waves import wave_order

READING = Text("Reading", "读取数据")
UNTESTED = Text(
    "Comparability: not tested: the tests of loadings and intercepts (scaled differences) and MICOM need rows, and a"
    " stream keeps none; read some of the cells whole (without stream) and ask with csi comparable STUDY.",
    "可比性：未检验：载荷与截距的检验（校正差异）及 MICOM 需要原始数据行，而流式读取不保留；"
    "可整体读取部分单元（不写 stream），再运行 csi comparable STUDY。",
)


def stream_of(path: Path) -> Study | None:
    """The study where its answers are streamed; None where a panel of them is to be read."""
    file = path / "study.yaml" if path.is_dir() else path
    try:
        said = file.read_bytes()
    except OSError:
        return None
    if b"stream" not in said and b"spark" not in said:
        return None
    study = read_study(path)
    return study if streams(study) else None


def index_of_stream(study: Study, args: argparse.Namespace, lang: Language) -> Answer:
    """The index of all cells from moments, printed for those asked for."""
    from csi.cli.index import construct_grid, target_grid, with_fixed  # it imports this file

    _check_asked(study, args)
    est, rows = estimated(study, args, lang)
    asked, cells = _asked(study, est, args)
    found = published(study, est, cells)
    table, printed = with_fixed(only(found.measured, asked)), only(found.measured, cells)
    missing = absent_notes(study, found, printed, study.settings.target)
    answer = Answer(
        blocks=(
            *(t.say(lang) for t in study_bases(study).sentences(printed)),
            target_grid(study, printed, lang),
            *_comparability(study, found, args, lang),
            construct_grid(study, printed, lang),
        ),
        data={"rule": found.rule, "base": found.base, "scheme": found.scheme, "index": table, "weights": found.weights},
        notes=tuple(dict.fromkeys((*found.notes, *missing, *left_out(study, rows)))),
        code=INADMISSIBLE if missing else FINE,
        record={
            **recorded(study, rows, est),
            "scheme": found.scheme,
            "rule": found.rule,
            "base": found.base,
            "index": found.measured,
            "weights": found.weights,
        },
    )
    return with_files(answer, args.to, study, lang)


def fit_of_stream(study: Study, args: argparse.Namespace, lang: Language) -> Answer:
    """The model in every cell from moments; one cell's parameters, without intervals."""
    from csi.cli.fit import cells as cells_of  # it imports this file
    from csi.cli.fit import grid_of_cells, parameters  # likewise

    est, rows = estimated(study, args, lang)
    asked, shown = _asked(study, est, args)
    one = _one(study, est, {**shown, **asked})
    at = est.moments.cells.with_row_index("at").filter(*(pl.col(k) == v for k, v in one.items()))["at"][0]
    cell = fit(study.model, est.moments.of_slice(at), estimator_of(study.settings))
    bases = Bases(study.settings.small, study.settings.flagged)
    sizes, frame, held = bases_of(est, bases), cells_of(study, est), bases_of(cell, bases)
    good, total = int(est.convergence.converged.sum()), est.moments.cells.height
    said = Text(f"{good} of {total} cells converged.", f"{total} 个单元中有 {good} 个收敛。")
    texts = names(study, lang)
    return Answer(
        blocks=(
            grid_of_cells(study, based(frame, sizes, bases.reason), asked or shown, lang),
            said.say(lang),
            place(one, texts, lang),
            *((bases.sentences(held)[0].say(lang),) if gone(held) else parameters(cell, lang, texts)),
        ),
        data={
            "engine": est.settings.name,
            "cells": based(frame, sizes, bases.reason),
            "estimates": based(est.table, sizes, bases.reason),
            "shown": based(cell.table, held, bases.reason),
        },
        notes=(
            *(n for n in estimate_notes(est) if n.code != "W-BASE"),
            *cell_notes(study, est),
            *left_out(study, rows),
        ),
        code=FINE if bool(est.convergence.converged.all()) and all(settled(cell)) else INADMISSIBLE,
        record={
            **recorded(study, rows, est),
            "estimator": est.settings,
            "estimates": based(est.table, sizes, bases.reason),
        },
    )


def estimated(study: Study, args: argparse.Namespace, lang: Language) -> tuple[Estimate, Streamed]:
    """The study's model in every brand and wave, from one pass."""
    rows = streamed(study)
    with working(READING.say(lang), quiet=args.quiet):
        est = fit(study.model, rows, estimator_of(study.settings), [k for k in CELLS if k in rows.rows.roles])
    return est, rows


def published(study: Study, est: Estimate, cells: Mapping[str, str]) -> Index:
    """The index by the study's rule; its table shows no number of a cell below the study's smallest base."""
    settings = study.settings
    if settings.index_weights == "base" and "wave" not in est.moments.cells.columns:
        study = replace(study, settings=replace(settings, index_weights="pooled", base_wave=""))
    made = explained(indexed(study, est))
    weights = unweighed(made.weights, made.cells, settings.small)
    notes = (
        *(n for n in (*estimate_notes(est), *made.notes) if n.code != "W-BASE"),
        *cell_notes(study, est, cells, made),
    )
    return replace(made, table=suppressed(made.table, study_bases(study)), weights=weights, notes=notes)


def recorded(study: Study, rows: Streamed, est: Estimate) -> dict[str, object]:
    """Where the numbers come from: hashes of the files, the cells, settings, versions."""
    return {
        "study": {"name": study.name, "sha256": study.sha256},
        "hashes": {
            "codebook": codebook_hash(study.codebook),
            "files": {one.name: one.sha256 for one in rows.rows.origins()},
        },
        "rows": int(est.moments.n.sum()),
        "cells": est.moments.cells,
        "seed": study.settings.seed,
        "settings": study.settings,
        "versions": versions(),
    }


def _check_asked(study: Study, args: argparse.Namespace) -> None:
    """Raise for errors and intervals that were asked for and need rows.

    Raises:
        Problems: E-STREAM.
    """
    held = study.settings.index_errors
    asked = {
        f"--errors {args.errors}": args.errors in {"bootstrap", "linearised"},
        "index: errors: linearised": held == "linearised" and args.errors is None,
        f"--bootstrap {args.bootstrap}": bool(args.bootstrap),
        f"--interval {args.interval}": args.interval != "t",
        "--shrunken": args.shrunken,
    }
    en = (
        "it needs rows, and a stream keeps none: its standard errors come from the moments of each cell, with the outer"
    )
    en += " weights held fixed."
    zh = "此项需要原始数据行，而流式读取不保留：标准误由各单元的矩得出，外部权重视为固定。"
    do, do_zh = (
        "Leave it out (or use --errors fixed), or read the file whole (without stream).",
        "请删去（或用 --errors fixed），或整体读取文件（不写 stream）。",
    )
    found = [problem("E-STREAM", place, en, zh, do, do_zh) for place, is_asked in asked.items() if is_asked]
    if found:
        raise Problems(found, study.language)


def left_out(study: Study, rows: Streamed) -> tuple[Note, ...]:
    """What a panel would also show."""
    en = "Resampling and rates need rows and are left out; a covariance of moments gives the errors."
    zh = "重抽样与比率须有原始数据行，故未计算；标准误由各单元的协方差得出。"
    told = [note("N-STREAM-ROWS", en, zh), *rule_notes(study.rules, rows.rows.roles)]
    if study.settings.imputations:
        told.append(note("N-STREAM-ROWS", "Nothing is imputed in a stream.", "流式读取不作插补。"))
    return tuple(told)


def _comparability(study: Study, found: Index, args: argparse.Namespace, lang: Language) -> tuple[str, ...]:
    """That cells stand side by side untested; nothing where there is one."""
    if found.cells.height < 2:
        return ()
    switched = SWITCHED_OFF if args.no_gate else None if study.settings.gating.gate else NOT_ASKED
    return ((switched or UNTESTED).say(lang),)


def _asked(study: Study, est: Estimate, args: argparse.Namespace) -> tuple[dict[str, str], dict[str, str]]:
    """The cells that were named, and those to print: the latest wave where none was.

    Raises:
        Problems: E-BRAND, E-WAVE.
    """
    cells, found = est.moments.cells, []
    labels = {label: name for name, text in study.brands.items() for label in (text.en, text.zh)}
    asked: dict[str, str] = {}
    for key, value in (("brand", args.brand), ("wave", args.wave)):
        if value is None:
            continue
        have = cells[key].unique().to_list() if key in cells.columns else []
        asked[key] = value if value in have else labels.get(value, value)
        if asked[key] not in have:
            hint = did_you_mean(value, have)
            en, zh = f'there is no {key} "{value}" in the data.', f"数据中没有 {key}“{value}”。"
            found.append(problem(f"E-{key.upper()}", f"--{key}", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)
    return asked, asked or ({"wave": wave_order(cells)[-1]} if "wave" in cells.columns else {})


def _one(study: Study, est: Estimate, asked: Mapping[str, str]) -> dict[str, str]:
    """One cell: what was asked, completed by the focal brand and its latest wave."""
    rows = only(est.moments.cells, asked)
    if "brand" in rows.columns and study.focal in rows["brand"].to_list() and "brand" not in asked:
        rows = rows.filter(brand=study.focal)
    if not rows.height:
        rows = est.moments.cells
    keys = [k for k in CELLS if k in rows.columns]
    return {k: str(rows[k][-1]) for k in keys}
