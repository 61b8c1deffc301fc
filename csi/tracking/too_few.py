"""Cells with too few answers to be told: who they are, and what is said where no cell has enough."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Note, Problems, Text, problem
from csi.survey.bases import Bases
from csi.tracking.index import Index


def base_notes(cells: pl.DataFrame, bases: Bases, labels: Mapping[str, Text] | None = None) -> tuple[Note, ...]:
    """Which cells are withheld (E-BASE) and which are marked (W-BASE).

    Parameters:
        cells: key columns and n. labels: what their values are called.

    Example:
        >>> [n.say() for n in base_notes(pl.DataFrame({"brand": ["A", "B"], "n": [12, 240]}), Bases())]
        ['fewer than 30 answers, withheld: A (n = 12).']
    """
    keys = [k for k in cells.columns if k != "n"]
    return bases.notes(bases.withheld(cells.select(*keys, "n")), keys, labels)


def left_out(index: Index, construct: int, small: int) -> tuple[Note, ...]:
    """The cells that take no part for their few answers."""
    return base_notes(index.cells_of(construct), Bases(small, 0))


def check_base(index: Index, construct: int, small: int) -> None:
    """Raise where no cell has enough answers.

    Raises:
        Problems: E-BASE.
    """
    most = int(index.n_of(construct).max(initial=0))
    if most >= small:
        return
    en = f"every cell has fewer than {small} answers (the largest has {most})."
    zh = f"各单元样本量均不足 {small}（最多 {most}）。"
    do, do_zh = "Use larger cells, or lower `small` knowingly.", "请使用更大的单元，或有意识地调低 small。"
    raise Problems([problem("E-BASE", "index", en, zh, do, do_zh)])
