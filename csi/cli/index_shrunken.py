"""`csi index STUDY --shrunken`: values of small cells drawn toward the mean of their wave, beside the raw ones."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import each, grid, identified
from csi.cli.studied import keys_in, names, only
from csi.errors import Language, Note, Problems, Text, note
from csi.reporting.section import Kind
from csi.study import Study
from csi.survey.bases import FLAGS
from csi.tracking.index import Index
from csi.tracking.shrunken import Shrunken, shrunken

HEADINGS = {
    "shrunken": Text("shrunken", "收缩值"),
    "rmse": Text("rmse", "均方根误差"),
    "share": Text("kept", "保留比例"),
    "flag": Text("base", "样本量提示"),
}


def shrunken_argument(parser: argparse.ArgumentParser) -> None:
    """Whether values of small cells are drawn toward each other."""
    parser.add_argument(
        "--shrunken",
        action="store_true",
        help="print the target's index drawn toward its wave's mean (empirical Bayes) beside the raw one",
    )


def shrunken_of(study: Study, found: Index) -> tuple[Shrunken | None, tuple[Note, ...]]:
    """The target's index by the study's limits on answers; a study without waves has one parent.

    Returns:
        None, and why, where nothing can be drawn toward a mean: the raw index stands all the same.

    Raises:
        Problems: as `csi.shrunken`, but for E-SHRUNKEN.
    """
    settings = study.settings
    try:
        return shrunken(found, settings.target, None, settings.small, settings.flagged), ()
    except Problems as refused:
        if any(p.code != "E-SHRUNKEN" for p in refused.problems):
            raise
        why = refused.problems[0].what
        en = f"No index is drawn toward a mean: {why.en.rstrip('.')}; the raw index stands."
        zh = f"没有可向均值收缩的指数：{why.zh.rstrip('。')}；以原始指数为准。"
        return None, (note("N-SHRUNKEN-NONE", en, zh),)


def shrunken_blocks(
    study: Study, made: Shrunken, cells: Mapping[str, str], lang: Language, formula: str | None = None
) -> tuple[str | Grid, ...]:
    """One row per cell and the sentences of the cells' parents."""
    texts, frame = names(study, lang), only(made.table, cells)
    whole = only(made.table, {k: v for k, v in cells.items() if k in made.toward})
    labels = {b: texts[b].say(lang) for b in study.brands}
    said = replace(made, table=whole.with_columns(pl.col("brand").replace(labels))).sentences
    return (shrunken_grid(study, frame, made.construct, lang, formula), *(s.say(lang) for s in said))


def shrunken_notes(made: Shrunken, cells: Mapping[str, str]) -> tuple[Note, ...]:
    """What is to be known of the cells printed."""
    return replace(made, table=only(made.table, cells)).notes


def shrunken_grid(
    study: Study, frame: pl.DataFrame, construct: str, lang: Language, formula: str | None = None
) -> Grid:
    """Raw index and standard error, shrunken value and its error, what the cell keeps of its distance."""
    texts = {**names(study, lang), **FLAGS}
    kinds: dict[str, Kind] = {
        **each(keys_in(frame), "text"),
        "n": "count",
        "index": "score",
        "std_error": "number",
        "shrunken": "score",
        "rmse": "number",
        "share": "number",
    }
    if frame["flag"].null_count() < frame.height:
        kinds["flag"] = "text"
    label = texts.get(construct, Text(construct, construct))
    plain = Text(f"{label.en}: raw index and shrunken value", f"{label.zh}：原始指数与收缩值")
    title = identified(plain, [formula])
    return grid(frame.with_columns(pl.col("flag").fill_null("")), kinds, lang, title, texts, HEADINGS)
