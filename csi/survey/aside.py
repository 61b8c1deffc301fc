"""Cells of a survey whose answers cannot be used as they are, left aside so that the others can be read."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.errors import Problem
from csi.survey.cells import REASON, cell_problems, clean, number
from csi.survey.codebook import Codebook
from csi.survey.columns import Picked
from csi.survey.keys import weight_problems
from csi.survey.panel import Aside
from csi.survey.ruled import POSITION, twice
from csi.survey.rules import Rules, duplicates

_NUMBER = "number of the cell"


def set_aside(
    frame: pl.DataFrame,
    raw: pl.DataFrame,
    picked: Sequence[Picked],
    codebook: Codebook,
    rules: Rules,
    keys: Sequence[str],
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[Aside, ...]]:
    """Typed rows and rows as read, both without the cells that hold what the rules say stop at.

    That is: text or numbers outside the scale, a respondent twice, weights that are no positive numbers.

    Parameters:
        frame: typed rows with their position. raw: the same rows as read. keys: those that make cells.

    Returns:
        Both as they were where nothing stops, or where no cell would be left.
    """
    keys = [k for k in keys if k in frame.columns]
    bad = frame.select(*keys, _bad(frame, codebook, rules).alias("bad")).filter("bad").drop_nulls(keys)
    if bad.is_empty() or not keys:
        return frame, raw, ()
    cells = bad.select(keys).unique(maintain_order=True)
    at = frame.select(keys).join(
        cells.with_row_index(_NUMBER), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )[_NUMBER]
    kept = at.is_null()
    if not kept.any():
        return frame, raw, ()
    found = []
    for c, cell in enumerate(cells.iter_rows(named=True)):
        mine = (at == c).fill_null(value=False)
        some = frame.filter(mine)
        wrong = (*cell_problems(some, raw.filter(mine), picked, codebook, rules), *_others(some, rules))
        found.append(Aside(cell, some.height, wrong))
    left = frame.filter(kept).drop(POSITION).with_row_index(POSITION)
    return left, raw.filter(kept), tuple(found)


def _bad(frame: pl.DataFrame, codebook: Codebook, rules: Rules) -> pl.Expr:
    """Rows that hold something to stop at."""
    stops = [reason for reason in ("not_a_number", "out_of_range") if getattr(rules, reason) == "stop"]
    found = [pl.col(n + REASON).is_in(stops).fill_null(value=False) for n in codebook.names if stops]
    if "weight" in frame.columns:
        value = number(clean(pl.col("weight")))
        found.append((value.is_null() | (value <= 0)).fill_null(value=True))
    twofold = _twofold(frame, rules)
    return pl.any_horizontal(
        *found, *([] if twofold is None else [twofold.fill_null(value=False)]), pl.lit(value=False)
    )


def _twofold(frame: pl.DataFrame, rules: Rules) -> pl.Expr | None:
    """Respondents who occur more than once, where the rules say stop."""
    keys = [k for k in ("respondent", "brand", "wave") if k in frame.columns]
    if rules.duplicates != "stop" or "respondent" not in keys:
        return None
    return duplicates(rules, keys).hits


def _others(some: pl.DataFrame, rules: Rules) -> list[Problem]:
    """Weights and doubled respondents of one cell."""
    found = list(weight_problems(some)) if "weight" in some.columns else []
    twofold = _twofold(some, rules)
    return found if twofold is None else [*found, *twice(some.filter(twofold))]
