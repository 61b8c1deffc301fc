"""Differences of Net Promoter Scores between cells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl

from csi.display import fixed
from csi.errors import Text
from csi.inference.adjust import adjust
from csi.inference.linearised import Design, critical, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.moments.stack import Array, Sample

CLEAR: Final = 0.05
"""A difference with a smaller p-value (Holm over the pairs) is called one."""

MANY: Final = 30
"""Cells beyond which pairs are not compared."""

NUMBERS: Final = ("difference", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted")
SCHEMA: Final = {"first": pl.String, "second": pl.String} | dict.fromkeys(NUMBERS, pl.Float64)


def differences(sample: Sample, sign: Array, names: Mapping[int, str], level: float) -> pl.DataFrame:
    """Score of one cell less that of another, for every pair of up to 30 cells.

    Two means in one regression: errors by the design (HC2, CR2 by clusters that may have rows in both cells), t with
    degrees of freedom of their own; without a design Welch's errors.

    Parameters:
        sample: the rows. sign: (n,) 1, 0 or -1. names: cell -> its name. level: of the intervals.

    Returns:
        first, second, difference (points), std_error, df, conf_low, conf_high, p_value, p_adjusted (Holm); null where
        a cell has a single answer or answers are all alike.
    """
    rows = [_one(sample, sign, pair) for pair in combinations(names, 2)] if len(names) <= MANY else []
    if not rows:
        return pl.DataFrame(schema=SCHEMA)
    value, error, df = np.array(rows).T
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_of_t(value / error, df)
    reach = critical(level, df) * error
    columns = (100 * value, 100 * error, df, 100 * (value - reach), 100 * (value + reach), p, adjust(p, "holm"))
    pairs = list(combinations(names.values(), 2))
    head = {"first": [a for a, _ in pairs], "second": [b for _, b in pairs]}
    return pl.DataFrame(head | dict(zip(NUMBERS, columns, strict=True)), schema=SCHEMA).with_columns(
        pl.col(NUMBERS).fill_nan(None)
    )


def _one(sample: Sample, sign: Array, pair: tuple[int, int]) -> tuple[float, float, float]:
    """Difference, error, degrees of freedom of two cells."""
    rows = np.flatnonzero(np.isin(sample.cell, pair))
    X = (sample.cell[rows][:, None] == np.array(pair)).astype(np.float64)
    own = Design.of(sample, rows)
    found = robust_slopes(X, sign[rows], own.weight, own.unit, sample.layer, own.known)
    apart = np.array([1.0, -1.0])
    error, df = float(np.sqrt(apart @ found.cov @ apart)), found.joint_df(apart[None])
    known = df > 0 and error > 0
    return float(apart @ found.slopes), error if known else np.nan, df if known else np.nan


def difference_sentences(frame: pl.DataFrame, level: float) -> tuple[Text, ...]:
    """The one difference there is, or how many of several are clear."""
    known = frame.filter(pl.col("p_adjusted").is_not_null())
    if not known.height:
        return ()
    if frame.height > 1:
        clear = known.filter(pl.col("p_adjusted") < CLEAR).height
        en = f"{clear} of {frame.height} differences between groups are clear of 0 (Holm, {CLEAR:.0%})."
        return (Text(en, f"{frame.height} 对组间差异中有 {clear} 对显著（Holm，{CLEAR:.0%}）。"),)
    row = known.row(0, named=True)
    shown = f"{fixed(row['difference'], 1)}", f"{fixed(row['conf_low'], 1)}", f"{fixed(row['conf_high'], 1)}"
    seen = row["p_value"] < CLEAR
    en = f"{row['first']} less {row['second']}: {shown[0]} points, {100 * level:g}% interval {shown[1]} to {shown[2]}"
    zh = f"{row['first']}减{row['second']}：{shown[0]} 分，{100 * level:g}% 区间 {shown[1]} 至 {shown[2]}"
    end, end_zh = ("a clear difference", "差异显著") if seen else ("no difference is shown", "未见差异")
    return (Text(f"{en}; {end}.", f"{zh}；{end_zh}。"),)
