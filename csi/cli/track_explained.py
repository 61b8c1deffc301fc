"""`csi track STUDY --explain`: why the index changed, by its parts, by class, by item and by driver."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import each, grid, identified
from csi.cli.index import formula_of
from csi.cli.studied import keys_in, names
from csi.errors import Language, Text
from csi.reporting.section import Kind
from csi.study import Study
from csi.study.breaks import breaks_of
from csi.survey.panel import Panel
from csi.tracking.decompose import Decomposition, decompose
from csi.tracking.decompose_words import NAMES
from csi.tracking.gate_lines import told_changes
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index

HEADINGS = {
    "reference": Text("against", "较"),
    "part": Text("part", "部分"),
    "class": Text("class", "类别"),
    "driver": Text("driver", "驱动因素"),
    "share_before": Text("share before", "此前占比"),
    "share_after": Text("share after", "现占比"),
    "own": Text("own change", "自身变化"),
    "total_effect": Text("total effect", "总效应"),
    "p_holm": Text("p", "p 值"),
}
TITLES = {
    "table": Text("Why the index changed (points)", "指数变化的分解（分）"),
    "items": Text("By item", "按题项"),
    "classes": Text("By class", "按类别"),
    "drivers": Text("Through the structural model", "经由结构模型"),
}
DRIVER_PARTS = {
    "driver": Text("driver", "驱动因素"),
    "effects": Text("changed effects", "效应的变化"),
    "remainder": Text("remainder", "余项"),
}


def explain_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether the change is explained, by which classes, and through the model or not."""
    parser.add_argument("--explain", action="store_true", help="split the change: item means, weights, composition")
    parser.add_argument("--by", metavar="COLUMN", help="classes of respondents, such as segment (the study's classes)")
    parser.add_argument("--drivers", action="store_true", help="with --explain: also through the structural model")


def explained(
    args: argparse.Namespace,
    study: Study,
    panel: Panel,
    found: Index,
    cells: Mapping[str, str],
    construct: str,
    gate: Comparable | None = None,
) -> Decomposition | None:
    """The change of the cells asked for by its parts, where the gate lets it; None where nobody asked."""
    if not (args.explain or args.by or args.drivers):
        return None
    settings, columns = study.settings, found.cells.columns
    return decompose(
        found,
        by=args.by or settings.classes or None,
        construct=construct,
        cells={k: v for k, v in cells.items() if k in columns},
        data=panel,
        drivers=study.model if args.drivers else False,
        small=settings.small,
        waves=study.waves or panel.waves,
        breaks=breaks_of(study, found, panel),
        labels={**names(study, "en"), **study.brands},
        gate=gate,
        anyway=args.anyway,
    )


def explained_data(why: Decomposition | None) -> dict[str, object]:
    """The numbers for a machine."""
    if why is None:
        return {}
    return {
        "decomposition": why.table,
        "decomposition_items": why.items,
        "decomposition_classes": why.classes,
        "decomposition_drivers": why.drivers,
    }


def explained_blocks(
    study: Study, why: Decomposition | None, gate: Comparable | None, found: Index, construct: str, lang: Language
) -> tuple[str | Grid, ...]:
    """Sentences, which changes are not simply comparable, then one grid for each table with rows."""
    if why is None:
        return ()
    barred = told_changes(gate, found, construct, why.table.drop_nulls("change"), names(study, lang))
    said = "\n".join(s.say(lang) for s in (*why.sentences, *barred))
    texts = {**names(study, lang), **NAMES, **DRIVER_PARTS, **study.segments, **study.stages}
    tables = {"table": why.table, "classes": why.classes, "items": why.items, "drivers": why.drivers}
    shown = {name: t for name, t in tables.items() if "change" in t.columns and t["change"].count()}
    formula = formula_of(found, construct)
    return (said, *(_grid(name, t, formula, texts, lang) for name, t in shown.items()))


def _grid(name: str, table: pl.DataFrame, formula: str | None, texts: Mapping[str, Text], lang: Language) -> Grid:
    """One table of parts; what is zero by construction has no row, a note says so."""
    held = pl.lit(value=name in {"table", "items", "classes"}) & (pl.col("std_error") == 0)
    rows = table.filter(pl.col("change").is_not_null() & ~held.fill_null(value=False))
    middle = [c for c in ("part", "item", "class", "driver") if c in rows.columns]
    kinds: dict[str, Kind] = {
        **each(keys_in(rows), "text"),
        **each(["reference", *middle], "text"),
        **each(["share_before", "share_after"] if name == "classes" else [], "share"),
        **each(["own", "total_effect"] if name == "drivers" else [], "number"),
        **each(["change"], "change"),
        **each(["std_error"], "number"),
        **each(["conf_low", "conf_high"], "number"),
        **each(["p_holm"] if name == "table" else [], "p"),
    }
    rows = rows.with_columns(pl.col(c).fill_null("") for c in middle)
    return grid(rows, kinds, lang, identified(TITLES[name], [formula]), texts, HEADINGS)
