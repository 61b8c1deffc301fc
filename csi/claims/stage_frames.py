"""Frames of slopes by stage and of their trends, and the gates before them.

Letters: `S` stages, `k` paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.claims.stage_asked import Trend
from csi.errors import Note, Text
from csi.inference.adjust import adjust
from csi.moments.stack import Array

NUMBERS: Final = ("estimate", "std_error", "conf_low", "conf_high")
TABLE: Final = {
    "stage": pl.String, "outcome": pl.String, "predictor": pl.String, "n": pl.Int64,
    **dict.fromkeys(NUMBERS, pl.Float64), "reason": pl.String, "reason_zh": pl.String,
}  # fmt: skip
TRENDS: Final = {
    "outcome": pl.String, "predictor": pl.String, **dict.fromkeys(NUMBERS, pl.Float64), "p_value": pl.Float64,
    "p_adjusted": pl.Float64, "claimed": pl.String, "found": pl.String, "reason": pl.String, "reason_zh": pl.String,
}  # fmt: skip
GATE: Final = {
    "step": pl.String, "about": pl.String, "first": pl.String, "second": pl.String, "value": pl.Float64,
    "df": pl.Float64, "p_value": pl.Float64, "verdict": pl.String, "p_plain": pl.Float64,
}  # fmt: skip

ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Numbers:
    """Slopes of all stages and their trends.

    Attributes:
        paths: k (outcome, predictor). values, errors, lows, highs: (S, k). trend, trend_error, trend_low, trend_high,
            p: (k,). why: path -> why nothing is told of it.
    """

    paths: tuple[tuple[str, str], ...]
    values: Array
    errors: Array
    lows: Array
    highs: Array
    trend: Array
    trend_error: Array
    trend_low: Array
    trend_high: Array
    p: Array
    why: Mapping[tuple[str, str], Text]


@dataclass(frozen=True, slots=True)
class Route:
    """What one way of comparing stages gives.

    Attributes:
        numbers: None where the gate withholds all. gate: step by step. why: what the gate found, of all and by item.
        notes. least: the least p that the permutations can give; 0 without permutations.
    """

    numbers: Numbers | None
    gate: pl.DataFrame
    why: tuple[Text, ...]
    notes: tuple[Note, ...]
    least: float = 0.0


def contrast(count: int) -> Array:
    """(S,) weights of the least-squares line through the slopes of the stages: the change of a slope per stage.

        c_s = (s - mean) / sum (s - mean)^2

    Example:
        >>> contrast(3).tolist()
        [-0.5, 0.0, 0.5]
    """
    c = np.arange(count) - (count - 1) / 2
    return np.asarray(c / (c @ c))


def frames_of(
    numbers: Numbers | None,
    stages: Sequence[str],
    sizes: Mapping[str, int],
    claims: Mapping[tuple[str, str], Trend],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Slopes by stage, and trends with what is claimed and found; p by Holm over the paths that are told."""
    if numbers is None:
        return pl.DataFrame(schema=TABLE), pl.DataFrame(schema=TRENDS)
    why = [numbers.why.get(p) for p in numbers.paths]
    said = [(None, None) if w is None else (w.en, w.zh) for w in why]
    hidden = np.array([w is not None for w in why])
    adjusted = np.full(len(why), np.nan)
    usable = ~hidden & np.isfinite(numbers.p)
    adjusted[usable] = adjust(numbers.p[usable], "holm") if usable.any() else []
    every = (numbers.values, numbers.errors, numbers.lows, numbers.highs)
    rows = [
        (stage, y, x, sizes[stage], *(np.nan if hidden[j] else float(v[s, j]) for v in every), *said[j])
        for j, (y, x) in enumerate(numbers.paths)
        for s, stage in enumerate(stages)
    ]
    ends = (numbers.trend, numbers.trend_error, numbers.trend_low, numbers.trend_high, numbers.p)
    trends = [
        (
            y, x, *(np.nan if hidden[j] else float(v[j]) for v in ends), float(adjusted[j]), claims.get((y, x), ""),
            found_of(float(numbers.trend[j]), float(adjusted[j])), *said[j],
        )
        for j, (y, x) in enumerate(numbers.paths)
    ]  # fmt: skip
    one, two = pl.DataFrame(rows, schema=TABLE, orient="row"), pl.DataFrame(trends, schema=TRENDS, orient="row")
    return one.fill_nan(None), two.fill_nan(None)


def found_of(trend: float, p: float) -> str:
    """What a slope does along the stages; "" where that is not told.

    Example:
        >>> found_of(-0.2, 0.01), found_of(0.2, 0.2), found_of(0.2, float("nan"))
        ('falls', 'open', '')
    """
    if not np.isfinite(p):
        return ""
    return "open" if p >= ALPHA else "rises" if trend > 0 else "falls"
