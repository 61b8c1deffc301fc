"""A decomposition as rows of tidy tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from csi.errors import Reason
from csi.moments.stack import Array
from csi.tracking.cell_pairs import Pair
from csi.tracking.contrasts import Contrast, holm, t_test
from csi.tracking.decompose_numbers import Numbers, Setting, places
from csi.tracking.index import Index
from csi.tracking.shapley import PARTS

Row = dict[str, object]

TESTED = ("std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
"""The columns of one tested number."""


def head(setting: Setting, pair: Pair) -> Row:
    """The key columns of a change."""
    keys = [k for k in setting.index.cells.columns if k != "n"]
    row: Row = {k: setting.index.cells[k][pair.cell] for k in keys}
    return {**row, "reference": pair.reference, "construct": setting.name}


def judged(value: float, std_error: float, df: float, level: float) -> Row:
    """A number with its standard error, test and interval; a number without error has none."""
    test = t_test(value, std_error, df, level)
    return {
        "change": value,
        "std_error": std_error,
        "statistic": test.statistic,
        "df": df,
        "p_value": test.p_value,
        "conf_low": test.conf_low,
        "conf_high": test.conf_high,
    }


def part_rows(setting: Setting, pair: Pair, found: Numbers | Reason, change: Contrast) -> list[Row]:
    """The total and its parts; one row with the reason where there are none.

    Parameters:
        change: through a link, the total that stands without parts.
    """
    start, level = head(setting, pair), setting.index.level
    if isinstance(found, Reason):
        empty: Row = dict.fromkeys(("change", *TESTED, "p_holm", "held", "leads"))
        if pair.link is not None:
            empty |= judged(change.estimate, change.std_error, change.df, level)
        return [{**start, "part": "total", **empty, "reason": found.text.en, "reason_zh": found.text.zh}]
    rows: list[Row] = [{**start, "part": "total", **judged(found.total, found.total_error, found.df, level)}]
    parts = [judged(float(found.value[i]), found.error(i), found.df, level) for i in range(len(PARTS))]
    p_values = [
        np.nan if part in found.held else _number(row["p_value"]) for part, row in zip(PARTS, parts, strict=True)
    ]
    adjusted, first = holm(p_values), leading(found)
    for i, part in enumerate(PARTS):
        fixed: Row = dict.fromkeys(TESTED, None) | {"std_error": 0.0} if part in found.held else {}
        numbers = parts[i] | fixed
        told: Row = {"p_holm": float(adjusted[i]), "held": part in found.held, "leads": part == first}
        rows.append({**start, "part": part, **numbers, **told})
    return rows


def leading(found: Numbers) -> str:
    """The part that is largest in size."""
    return PARTS[int(np.argmax(np.abs(found.value[: len(PARTS)])))]


def item_rows(setting: Setting, pair: Pair, found: Numbers | Reason) -> list[Row]:
    """Means and weights by item."""
    if isinstance(found, Reason):
        return []
    at, start = places(setting), head(setting, pair)
    old, new = ((s.shares * s.means).sum(axis=0) for s in (found.old, found.new))
    rows = []
    for part, first in (("means", at["items"]), ("weights", at["weights"])):
        before, after = (old, new) if part == "means" else (found.old.weights, found.new.weights)
        for k, item in enumerate(setting.shape.names):
            row: Row = {**start, "part": part, "item": item, "before": float(before[k]), "after": float(after[k])}
            rows.append(row | _numbers(setting, found, part, first + k))
    return rows


def few_in_class(setting: Setting, pair: Pair, small: int) -> bool:
    """Whether a class has fewer than `small` answers, but some, in either wave of a change."""
    cells = [c for c in (pair.cell, pair.earlier) if c is not None]
    codes = (setting.classes.code[setting.sample.cell == cell] for cell in cells)
    counts = (np.bincount(code, minlength=len(setting.classes.labels)) for code in codes)
    return any(bool(((n > 0) & (n < small)).any()) for n in counts)


def class_rows(setting: Setting, pair: Pair, found: Numbers | Reason, small: int) -> list[Row]:
    """Means and composition by class, with the share and the index of the class in both waves.

    A change with a class of fewer than `small` answers has no rows: what stood there would follow from the others.
    """
    if isinstance(found, Reason) or not setting.classes.name or few_in_class(setting, pair, small):
        return []
    at, start = places(setting), head(setting, pair)
    shares = [(s.shares * s.weights).sum(axis=1) for s in (found.old, found.new)]
    levels = [(s.means * s.weights).sum(axis=1) for s in (found.old, found.new)]
    rows = []
    for part, first in (("means", at["classes"]), ("composition", at["composition"])):
        for g, label in enumerate(setting.classes.labels):
            if shares[0][g] == 0 and shares[1][g] == 0:
                continue
            row: Row = {**start, "part": part, "class": label, **_both(shares, levels, g)}
            rows.append(row | _numbers(setting, found, part, first + g))
    return rows


def _both(shares: Sequence[Array], levels: Sequence[Array], g: int) -> Row:
    """Share and index of a class in the earlier and the later wave."""
    return {
        "share_before": float(shares[0][g]),
        "share_after": float(shares[1][g]),
        "index_before": float(levels[0][g]),
        "index_after": float(levels[1][g]),
    }


def _numbers(setting: Setting, found: Numbers, part: str, at: int) -> Row:
    """One number of the vector, tested unless its part is zero by construction."""
    value = float(found.value[at])
    if part in found.held:
        return {"change": value, "std_error": 0.0}
    return judged(value, found.error(at), found.df, setting.index.level)


def _number(value: object) -> float:
    return value if isinstance(value, float) else float("nan")


def framed(index: Index, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a table, absent numbers null, columns of reasons last."""
    if not rows:
        return pl.DataFrame()
    columns = list(dict.fromkeys(c for row in rows for c in row))
    last = ("reason", "reason_zh")
    columns = [*(c for c in columns if c not in last), *(c for c in last if c in columns)]
    texts = {"reference", "construct", "part", "item", "class", "driver", "evidence", "reason", "reason_zh"}
    flags = {"held", "leads"}
    keys = index.cells.schema
    schema: dict[str, pl.DataType] = {
        c: keys[c] if c in keys else pl.String() if c in texts else pl.Boolean() if c in flags else pl.Float64()
        for c in columns
    }
    table = pl.DataFrame([[row.get(c) for c in columns] for row in rows], schema=schema, orient="row")
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))
