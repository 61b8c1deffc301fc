"""Who writes: respondents with comments beside those without, on satisfaction and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import scored
from csi.inference.adjust import adjust
from csi.inference.linearised import Design, critical, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.keyed import GROUPING
from csi.survey.panel import Panel

NUMBERS: Final = ("writers", "others", "difference", "std_error", "conf_low", "conf_high", "p_value", "p_adjusted")
SCHEMA: Final = {
    "variable": pl.String, "value": pl.String, "n": pl.Int64, "n_writers": pl.Int64, "n_others": pl.Int64,
    **dict.fromkeys(NUMBERS, pl.Float64),
}  # fmt: skip
MANY: Final = 30
"""Values of a key beyond which it is not compared."""


def selection_table(panel: Panel, rows: pl.DataFrame, outcomes: Sequence[str], level: float) -> pl.DataFrame:
    """Mean score (0-100) of outcomes and share (0-100) of each key's values, of writers and of others.

    Differences are slopes of one regression with the design's errors (HC2, CR2 by clusters), Holm over all.

    Parameters:
        rows: comments, with `id` and the waves and brands they say. outcomes: constructs or items.

    Returns:
        variable, value (of a key, else ""), n (the fewer of writers and others), n_writers, n_others, writers,
        others, difference, std_error, conf_low, conf_high, p_value, p_adjusted.
    """
    marks = _marks(panel, rows)
    found: list[tuple[object, ...]] = []
    numbers: list[Array] = []
    sample: Sample | None = None
    for name in outcomes:
        read = scored(panel, [name], (), None, level)
        sample = read.sample
        _add(found, numbers, (name, ""), read.scores[:, 0], sample, marks)
    sample = sample or sample_of(panel, [panel.codebook.names[0]], (), missing="pairwise")
    for key in [k for k in GROUPING if k in panel.frame.columns]:
        own = panel.frame[key].cast(pl.String)
        values = own.drop_nulls().unique().sort().to_list()
        for value in values if 1 < len(values) <= MANY else ():
            is_it = (own == value).fill_null(value=False).to_numpy()[_place(sample)].astype(np.float64)
            _add(found, numbers, (key, value), 100 * is_it, sample, marks)
    if not found:
        return pl.DataFrame(schema=SCHEMA)
    columns = np.array(numbers).T
    difference, error, df = columns[2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_of_t(difference / error, df)
    reach = critical(level, df) * error
    every = (*columns[:4], difference - reach, difference + reach, p, adjust(p, "holm"))
    head = dict(zip(("variable", "value", "n", "n_writers", "n_others"), zip(*found, strict=True), strict=True))
    frame = pl.DataFrame({k: list(v) for k, v in head.items()} | dict(zip(NUMBERS, every, strict=True)), schema=SCHEMA)
    return frame.with_columns(pl.col(NUMBERS).fill_nan(None))


def _marks(panel: Panel, rows: pl.DataFrame) -> Array:
    """(rows of the panel,) whether who answered wrote something, there where the comments say when."""
    on = [k for k in ("wave", "brand") if k in rows.columns and k in panel.frame.columns and rows[k].null_count() == 0]
    wrote = rows.select(pl.col("id").alias("respondent"), *on).unique().with_columns(pl.lit(value=True).alias("_wrote"))
    keys = panel.frame.select(pl.col("respondent").cast(pl.String), *(pl.col(k).cast(pl.String) for k in on))
    joined = keys.join(wrote, on=["respondent", *on], how="left", maintain_order="left")
    return joined["_wrote"].fill_null(value=False).to_numpy()


def _place(sample: Sample) -> Ints:
    """(n,) rows of the panel."""
    return np.arange(len(sample.rows), dtype=np.int64) if sample.place is None else sample.place


def _add(
    found: list[tuple[object, ...]], numbers: list[Array], name: tuple[str, str], y: Array, sample: Sample, marks: Array
) -> None:
    """One comparison, where both sides have somebody."""
    seen = np.isfinite(y)
    wrote = marks[_place(sample)][seen].astype(bool)
    counts = int(wrote.sum()), int((~wrote).sum())
    if not min(counts):
        return
    X = np.column_stack([wrote, ~wrote]).astype(np.float64)
    own = Design.of(sample, np.flatnonzero(seen))
    fit = robust_slopes(X, y[seen], own.weight, own.unit, sample.layer, own.known)
    apart = np.array([1.0, -1.0])
    error, df = float(np.sqrt(max(apart @ fit.cov @ apart, 0.0))), fit.joint_df(apart[None])
    known = df > 0 and error > 0
    found.append((*name, min(counts), *counts))
    numbers.append(np.array([*fit.slopes, apart @ fit.slopes, error if known else np.nan, df if known else np.nan]))
