"""`csi comparable STUDY --align`: factor means of all cells at once, without equal items in all of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import get_args

import polars as pl

from csi.cli.answer import Grid
from csi.cli.grids import each, grid
from csi.cli.studied import names
from csi.errors import Language, Note, Text, note
from csi.measures.alignment import PARAMETERS, Way, differing
from csi.reporting.section import Kind
from csi.study import Study
from csi.tracking.gate_aligned import AlignedCells, agreement_text

SHOWN = 6
"""Cells in which an item differs are named up to this number."""

HEADINGS = {
    "mean": Text("aligned mean", "对齐均值"),
    "variance": Text("variance", "方差"),
    "parameter": Text("parameter", "参数"),
    "average": Text("average", "平均"),
    "share": Text("differs", "相异比例"),
    "differing": Text("in", "相异单元"),
    "r2": Text("R²", "R²"),
}


def align_argument(parser: argparse.ArgumentParser) -> None:
    """Whether factor means are aligned, and how."""
    parser.add_argument(
        "--align",
        nargs="?",
        const="free",
        choices=get_args(Way),
        metavar="fixed",
        help="also tell factor means of all these cells at once under which the fewest items differ (alignment, for "
        "many cells); fixed: the first cell's mean held at 0, better where hardly anything differs",
    )


def aligned_blocks(study: Study, found: Sequence[AlignedCells], lang: Language) -> tuple[str | Grid, ...]:
    """What was found of every construct: a sentence, the means beside the indices, the items."""
    texts = names(study, lang) | {**study.stages, **study.segments}
    return tuple(block for one in found for block in _blocks(one, texts, lang))


def _blocks(one: AlignedCells, texts: Mapping[str, Text], lang: Language) -> list[str | Grid]:
    label = texts.get(one.construct, Text(one.construct, one.construct))
    if one.found is None:
        why = one.reason.text if one.reason is not None else Text("", "")
        return [Text(f"{label.en}: not aligned: {why.en}", f"{label.zh}：未对齐：{why.zh}").say(lang)]
    counts = {
        item: int((~rows["invariant"]).sum())
        for (item,), rows in one.found.parameters.group_by("item", maintain_order=True)
    }
    said = differing(label, {str(i): n for i, n in counts.items()}, _all(counts, texts), len(one.found.groups))
    order = agreement_text(one).say(lang)
    grids = (means_grid(one, label, texts, lang), items_grid(one, label, texts, lang))
    return [said.say(lang), *grids, *([order] if order else [])]


def _all(keys: Mapping[object, object], texts: Mapping[str, Text]) -> dict[str, Text]:
    """What every name is called."""
    return {str(k): texts.get(str(k), Text(str(k), str(k))) for k in keys}


def cell_of(group: str, texts: Mapping[str, Text], lang: Language) -> str:
    """A cell by its labels."""
    return " · ".join(texts.get(v, Text(v, v)).say(lang) for v in group.split(" · "))


def means_grid(one: AlignedCells, label: Text, texts: Mapping[str, Text], lang: Language) -> Grid:
    """One row per cell: answers, index, aligned mean with its error and interval."""
    kinds: dict[str, Kind] = {**each(one.keys, "text"), "n": "count", "index": "score"}
    kinds |= each(["mean", "std_error", "conf_low", "conf_high", "variance"], "number")
    start = "" if one.found is None else one.found.reference
    en, zh = cell_of(start, texts, "en"), cell_of(start, texts, "zh")
    title = Text(
        f"{label.en}: aligned factor means, in standard deviations from {en}",
        f"{label.zh}：对齐的因子均值（以 {zh} 为参照，单位为其标准差）",
    )
    own = [pl.when(pl.col("group") != start).then(c).alias(c) for c in ("std_error", "conf_low", "conf_high")]
    return grid(one.means.with_columns(own), kinds, lang, title, texts, HEADINGS)


def items_grid(one: AlignedCells, label: Text, texts: Mapping[str, Text], lang: Language) -> Grid:
    """One row per item and parameter: its average, in which cells it differs, what factors account for."""
    frame = pl.DataFrame() if one.found is None else one.found.items
    said = [_cells(cells, texts, lang) for cells in frame["differing"]]
    frame = frame.with_columns(pl.Series("differing", said, dtype=pl.String))
    kinds: dict[str, Kind] = {
        **each(["item", "parameter"], "text"),
        "average": "number",
        "share": "share",
        "r2": "number",
    }
    kinds |= {"differing": "text"} if any(said) else {}
    title = Text(f"{label.en}: items over the cells", f"{label.zh}：题项在各单元间的情况")
    return grid(frame, kinds, lang, title, {**texts, **PARAMETERS}, HEADINGS)


def _cells(listed: str, texts: Mapping[str, Text], lang: Language) -> str:
    """Cells by their labels; of many the first and a count."""
    cells = listed.split(", ") if listed else []
    more = len(cells) - SHOWN
    named = Text(", ", "、").say(lang).join(cell_of(c, texts, lang) for c in cells[:SHOWN])
    return named + (Text(f" and {more} more", f"等 {len(cells)} 个").say(lang) if more > 0 else "")


def aligned_notes(study: Study, found: Sequence[AlignedCells], lang: Language) -> tuple[Note, ...]:
    """Cells that take no part, each with its reason."""
    texts, out = names(study, lang), []
    for one in found:
        for group, why in list(one.left_out.items())[:SHOWN]:
            en, zh = cell_of(group, texts, "en"), cell_of(group, texts, "zh")
            out.append(note("N-ALIGN-LEFT", f"{en}: not aligned, {why.text.en}", f"{zh}：未对齐，{why.text.zh}"))
        rest = len(one.left_out) - SHOWN
        if rest > 0:
            cells = "cell" if rest == 1 else "cells"
            out.append(
                note("N-ALIGN-LEFT", f"{rest} more {cells} could not be aligned.", f"另有 {rest} 个单元无法对齐。")
            )
    return tuple(dict.fromkeys(out))


def aligned_data(found: Sequence[AlignedCells]) -> dict[str, pl.DataFrame]:
    """The tables at full precision: means by cell, items, parameters by cell."""
    made = [one for one in found if one.found is not None]
    if not made:
        return {}
    each_ = [one.found for one in made if one.found is not None]
    return {
        "aligned": pl.concat([one.means for one in made], how="diagonal"),
        "aligned_items": pl.concat([one.items for one in each_]),
        "aligned_parameters": pl.concat([one.parameters for one in each_]),
    }
