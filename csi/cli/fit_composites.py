"""`csi fit MODEL DATA --estimator pls`: what a person reads of a composite model."""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl

from csi.cli.answer import FINE, INADMISSIBLE, Answer, Grid
from csi.cli.fit import parameters
from csi.cli.fit_family import family_blocks, family_notes, family_numbers, family_of
from csi.cli.fit_numbers import both, cells, heading, shown_parameters
from csi.cli.fit_repeated import is_repeated
from csi.cli.fit_tables import finding_lines
from csi.cli.fit_words import of_notes
from csi.cli.grids import grid
from csi.errors import Language, Text
from csi.estimate.estimate import Estimate
from csi.measures.admissible import verify
from csi.measures.fit_measures import FitMeasures, fit_measures
from csi.measures.reliability import reliability
from csi.measures.shown import WORDS
from csi.measures.validity import validity
from csi.reporting.record import versions
from csi.reporting.section import SAMPLING_ONLY, Kind
from csi.reporting.tables import printed
from csi.survey.plain_file import PlainFile

SHOWN = 4
"""Cells whose parameters are printed; `--json` has them all."""

HEADINGS = {
    "n_items": Text("items", "题数"),
    "loadings": Text("loadings", "载荷"),
    "alpha": Text("α", "α"),
    "rho_a": Text("ρA", "ρA"),
    "rho_c": Text("ρC", "ρC"),
    "ave": Text("AVE", "AVE"),
    "r2": Text("R²", "R²"),
}


def of_composites(est: Estimate, file: PlainFile, args: argparse.Namespace, lang: Language) -> Answer:
    """The printed blocks and the numbers in full precision."""
    measures, diagnosis, reliable = fit_measures(est), verify(est), reliability(est)
    withheld = {} if args.show_anyway else diagnosis.withheld
    blocks: list[str | Grid] = [heading(est, file.name, args.study, lang)]
    blocks += _ended(est, measures, lang) if len(est.values) == 1 else [_cells_grid(est, lang)]
    blocks += finding_lines(diagnosis, lang)
    for cell in range(min(len(est.values), SHOWN)):
        blocks += _cell_blocks(est, cell, shown_parameters(est, withheld), reliable.table, lang)
    tests = family_of(est, args, withheld)
    blocks += family_blocks(tests, lang)
    data = {
        "model": str(est.model),
        "data": {"file": file.name, "sha256": file.sha256},
        "estimator": est.settings.name,
        "settings": est.settings,
        "cells": cells(est),
        "parameters": shown_parameters(est, withheld),
        "r2": _r2(est),
        "reliability": reliable.table,
        "htmt": validity(est).table,
        **family_numbers(tests),
        "fit_measures": measures.table,
        "findings": diagnosis.table,
        "withheld": [{"cell": cell, "code": r.code, **both(r.text)} for cell, r in withheld.items()],
        "versions": versions(),
    }
    notes = (
        *file.notes,
        *est.notes,
        *reliable.notes,
        *family_notes(tests),
        *((SAMPLING_ONLY,) if is_repeated(args) else ()),
    )
    sound = bool(est.convergence.converged.all()) and diagnosis.usable
    return Answer(tuple(blocks), data, of_notes(notes), code=FINE if sound else INADMISSIBLE)


def _ended(est: Estimate, measures: FitMeasures, lang: Language) -> list[str | Grid]:
    """n, how the search ended, and how well the model reproduces the correlations."""
    rounds = int(est.convergence.iterations[0])
    settled = Text(f"converged after {rounds} iterations", f"迭代 {rounds} 次后收敛")
    ended = Text("nothing to iterate", "无需迭代") if rounds == 0 else settled
    if not est.convergence.converged[0]:
        ended = est.convergence.reasons[0].text
    size = printed(float(est.moments.n[0]), "count")
    lines: list[str | Grid] = [f"n = {size} · {ended.say(lang)}"]
    shown = [("SRMR", "srmr"), ("d_ULS", "d_uls"), ("d_G", "d_g"), ("NFI", "nfi")]
    found = [(n, float(np.atleast_1d(measures[m])[0])) for n, m in shown if m in measures]
    told = " · ".join(f"{n} {printed(v, 'index', lang)}" for n, v in found if np.isfinite(v))
    return [*lines, told] if told else lines


def _r2(est: Estimate) -> pl.DataFrame:
    """R2 of every explained construct in every cell."""
    names = est.solution.constructs
    keys = [c for c in est.moments.cells.columns if c != "n"]
    rows = [k for k, name in enumerate(names) if any(x in names for x in est.model.predictors(name))]
    frame = pl.DataFrame({names[k]: est.solution.r2[:, k] for k in rows})
    joined = pl.concat([est.moments.cells.select(keys), frame], how="horizontal") if keys else frame
    return joined.unpivot(index=keys, variable_name="construct", value_name="r2").with_columns(
        pl.col("r2").fill_nan(None)
    )


def _cells_grid(est: Estimate, lang: Language) -> Grid:
    """One line per cell: its keys, n, iterations, convergence, R2 of every explained construct."""
    keys = [c for c in est.moments.cells.columns if c != "n"]
    wide = _r2(est).pivot("construct", index=keys, values="r2", maintain_order=True)
    frame = est.moments.cells.with_columns(
        pl.Series("converged", ["✓" if ok else "✗" for ok in est.convergence.converged])
    ).join(wide, on=keys, how="left", maintain_order="left")
    explained = [c for c in wide.columns if c not in keys]
    kinds: dict[str, Kind] = {**dict.fromkeys(keys, "text"), "n": "count", "converged": "text"}
    kinds |= dict.fromkeys(explained, "index")
    heads = {c: Text(f"R² {c}", f"R² {c}") for c in explained} | {"converged": Text("converged", "收敛")}
    return grid(frame, kinds, lang, Text("Cells", "单元"), headings=heads)


def _cell_blocks(
    est: Estimate, cell: int, table: pl.DataFrame, reliable: pl.DataFrame, lang: Language
) -> list[str | Grid]:
    """Paths, items and constructs of one cell."""
    k, q = len(est.rows), len(est.solution.constructs)
    rows, own = table[cell * k : (cell + 1) * k], reliable[cell * q : (cell + 1) * q]
    keys = [c for c in est.moments.cells.columns if c != "n"]
    place = " · ".join(str(rows[key][0]) for key in keys)
    texts = {name: Text(est.model.label(name), est.model.label(name, "zh")) for name in est.solution.constructs}
    r2 = pl.Series("r2", est.solution.r2[cell]).fill_nan(None)
    kinds: dict[str, Kind] = {"construct": "text", "n_items": "count", "loadings": "text"}
    kinds |= dict.fromkeys(("alpha", "rho_a", "rho_c", "ave", "r2"), "index")
    constructs = grid(own.with_columns(r2), kinds, lang, Text("Constructs", "构念"), {**texts, **WORDS}, HEADINGS)
    return [*([f"\n{place}"] if place else []), *parameters(est, lang, texts, rows), constructs]
