"""Tables of shorter forms: the forms, the items they pick, and the cells whose differences they keep.

Letters: `n` rows, `p` items, `c` cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from csi.measures.answered import Answered
from csi.measures.item_analysis.form_measures import expected_alpha
from csi.measures.item_analysis.form_request import Request
from csi.measures.item_analysis.form_search import Length
from csi.measures.item_analysis.item_rest import alpha_of
from csi.measures.item_analysis.subsets import Flags
from csi.measures.pairwise import pairwise_moments
from csi.moments.stack import Array, Ints

_NUMBERS = (
    "alpha", "alpha_low", "alpha_high", "alpha_full", "alpha_expected", "r", "r_low", "r_high", "r_uncorrected",
    "r_share", "differences_kept", "largest_gap", "level_shift", "held_alpha", "held_r", "held_differences",
    "optimism_alpha", "optimism_r", "picked_alike",
)  # fmt: skip
TABLE: dict[str, Any] = {
    "construct": pl.String,
    "k": pl.Int64,
    "of": pl.Int64,
    "items": pl.String,
    "search": pl.String,
    "chosen": pl.Boolean,
    **dict.fromkeys(_NUMBERS, pl.Float64),
    "reason": pl.String,
}
_PICKS: dict[str, Any] = {
    "construct": pl.String,
    "k": pl.Int64,
    "item": pl.String,
    "in_form": pl.Boolean,
    "picked": pl.Float64,
    "rule": pl.String,
}
Bounds = tuple[tuple[Array, Array], tuple[Array, Array]]


def cells_of(found: Answered, small: int) -> tuple[Ints, pl.DataFrame]:
    """(n,) cell of each row from 0, -1 for cells of fewer than `small` rows or without keys; the keys of each cell."""
    none = np.full(len(found.rows), -1, dtype=np.int64)
    if not found.keys.width:
        return none, pl.DataFrame()
    rows = found.keys.with_row_index("_row").drop_nulls()
    counted = rows.group_by(found.keys.columns, maintain_order=True).len("n").filter(pl.col("n") >= small)
    labels = counted.sort(found.keys.columns).with_row_index("_cell")
    placed = rows.join(labels, on=found.keys.columns, how="inner")
    none[placed["_row"].to_numpy()] = placed["_cell"].cast(pl.Int64).to_numpy()
    return none, labels.drop("_cell")


def rows_of_table(
    found: Answered,
    construct: str,
    rows: Array,
    forms: Mapping[int, Length],
    bounds: Bounds | None,
    cell: Ints,
) -> pl.DataFrame:
    """A row per length of one construct."""
    names = np.array(found.scales[construct], dtype=object)
    cov = pairwise_moments(rows, found.weight[None])[1][0]
    at = np.flatnonzero(np.diag(cov) > 0)
    full = float(alpha_of(cov[np.ix_(at, at)]))
    means = cell_means(rows, found.weight, cell)
    level = cell_means(rows, found.weight, np.zeros(len(rows), dtype=np.int64), 1)[0]
    told = []
    for place, (k, one) in enumerate(forms.items()):
        told.append(
            {
                "construct": construct,
                "k": k,
                "of": rows.shape[1],
                "items": ", ".join(names[one.form]),
                "search": one.how,
                "chosen": False,
                "alpha_full": full,
                "alpha_expected": expected_alpha(full, at.size, k),
                **_numbers(one),
                "r_share": _mean(one.held.r) / full,
                "largest_gap": _largest_gap(means, one.form),
                "level_shift": float(level[one.form].mean() - level.mean()),
            }
        )
        if bounds is not None:
            ends = ("alpha_low", "alpha_high"), ("r_low", "r_high")
            for names_of, of in zip(ends, bounds, strict=True):
                told[-1] |= {name: float(end[place]) for name, end in zip(names_of, of, strict=True)}
    return pl.DataFrame(told, schema=TABLE).with_columns(pl.col(pl.Float64).fill_nan(None))


def _numbers(one: Length) -> dict[str, float]:
    """The worth of one length's forms: here, held out, and the difference."""
    here, held, trained = one.here, one.held, one.trained
    return {
        "alpha": float(here.alpha[0, 0]),
        "r": float(here.r[0, 0]),
        "r_uncorrected": float(here.raw[0, 0]),
        "differences_kept": float(here.kept[0, 0]),
        "held_alpha": _mean(held.alpha),
        "held_r": _mean(held.r),
        "held_differences": _mean(held.kept),
        "optimism_alpha": _mean(trained.alpha) - _mean(held.alpha),
        "optimism_r": _mean(trained.r) - _mean(held.r),
        "picked_alike": float((one.picks == one.form).all(axis=1).mean()),
    }


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def cell_means(rows: Array, weight: Array, cell: Ints, least: int = 2) -> Array:
    """(c, p) weighted mean of every item in every cell; no rows of fewer than `least` cells.

    Example:
        >>> cell_means(np.array([[1.0], [3.0], [9.0]]), np.ones(3), np.array([0, 0, 1])).tolist()
        [[2.0], [9.0]]
    """
    c = int(cell.max(initial=-1)) + 1
    if c < least:
        return np.zeros((0, rows.shape[1]))
    inside = (cell == np.arange(c)[:, None]) * weight
    here = (~np.isnan(rows)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(inside @ np.nan_to_num(rows) / (inside @ here))


def _largest_gap(means: Array, form: Flags) -> float:
    """How much the difference between two cells changes at most."""
    if not len(means):
        return np.nan
    return float(np.ptp(means[:, form].mean(axis=1) - means.mean(axis=1)))


def picks_frame(found: Answered, construct: str, forms: Mapping[int, Length], request: Request) -> pl.DataFrame:
    """How often each item is in the form that a training set picks, length by length."""
    rows = []
    for k, one in forms.items():
        picked = one.picks.mean(axis=0)
        for j, item in enumerate(found.scales[construct]):
            rule = "keep" if item in request.keep else "drop" if item in request.drop else None
            rows.append((construct, k, item, bool(one.form[j]), float(picked[j]), rule))
    return pl.DataFrame(rows, schema=_PICKS, orient="row")


def cells_frame(
    found: Answered, construct: str, rows: Array, form: Flags, k: int, cell: Ints, labels: pl.DataFrame
) -> pl.DataFrame:
    """Full and short means of every cell, and how far they are apart; no rows without two cells."""
    means = cell_means(rows, found.weight, cell)
    if not len(means):
        return pl.DataFrame()
    full, short = means.mean(axis=1), means[:, form].mean(axis=1)
    said = pl.DataFrame({"construct": [construct] * len(full), "k": [k] * len(full)})
    return pl.concat([said, labels], how="horizontal").with_columns(full=full, short=short, gap=short - full)
