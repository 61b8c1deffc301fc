"""Numbers of an adjusted expectation: what it explains beside the initial one, its slopes, and paths from a flag.

Letters: `n` people, `B` replicates.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import polars as pl

from csi.expectation.adjustment_asked import Occasions
from csi.expectation.foresight import difference, explained, foreseen, regressed, unseen
from csi.expectation.regression import judged, regress, slopes_again
from csi.inference.draws import percentiles, standard_error
from csi.inference.linearised import means
from csi.moments.stack import Array

Shape = Literal["alone", "linear", "polynomial"]
"""An expectation by itself, with experience beside it, with the squares and the product of both."""

MODELS: Final = {
    "shape": pl.String, "expectation": pl.String, "n": pl.Int64, "terms": pl.Int64, "r2": pl.Float64,
    "loo_r2": pl.Float64,
}  # fmt: skip
NUMBERS: Final = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
COMPARED: Final = {"shape": pl.String, "n": pl.Int64, **dict.fromkeys(NUMBERS, pl.Float64)}
TABLE: Final = {"quantity": pl.String, "n": pl.Int64, **dict.fromkeys(NUMBERS, pl.Float64)}


def shapes_of(rows: Occasions) -> tuple[Shape, ...]:
    """The regressions that can be compared."""
    return ("alone",) if rows.experience is None else ("alone", "linear", "polynomial")


def columns_of(expectation: Array, experience: Array | None, shape: Shape) -> Array:
    """(n, k) columns of a regression; both are put around their pooled mean, which changes no fit.

    Example:
        >>> columns_of(np.array([1.0, 3.0]), np.array([2.0, 2.0]), "polynomial").tolist()
        [[1.0, -1.0, 0.0, 1.0, -0.0, 0.0], [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]]
    """
    ones = np.ones(len(expectation))
    if shape == "alone" or experience is None:
        return np.column_stack([ones, expectation - expectation.mean()])
    e, p = (x - np.concatenate([expectation, experience]).mean() for x in (expectation, experience))
    if shape == "linear":
        return np.column_stack([ones, e, p])
    return np.column_stack([ones, e, p, e * e, e * p, p * p])


def compared(rows: Occasions, level: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """R2 of every regression, and how much better the adjusted expectation foresees in each shape."""
    n, w, y = len(rows.outcome), rows.weight, rows.outcome
    alone = unseen(np.ones((n, 1)), y, w, rows.unit)
    models: list[list[object]] = []
    found: list[list[object]] = []
    if rows.experience is not None:
        models.append(_explained("linear", "none", np.column_stack([np.ones(n), rows.experience]), rows, alone)[0])
    for shape in shapes_of(rows):
        errors = []
        for name, values in (("initial", rows.initial), ("adjusted", rows.adjusted)):
            row, own = _explained(shape, name, columns_of(values, rows.experience, shape), rows, alone)
            models.append(row)
            errors.append(own)
        told = difference(errors[0], errors[1], alone, w, rows.unit, rows.stratum, level)
        found.append([shape, n, *(told[c] for c in NUMBERS)])
    frames = ((models, MODELS), (found, COMPARED))
    one, two = (pl.DataFrame(r, schema=s, orient="row").fill_nan(None) for r, s in frames)
    return one, two


def _explained(shape: str, name: str, X: Array, rows: Occasions, alone: Array) -> tuple[list[object], Array]:
    """A row of the table of models, and the errors of unseen people."""
    w, y = rows.weight, rows.outcome
    errors = unseen(X, y, w, rows.unit)
    return [shape, name, len(y), X.shape[1] - 1, explained(X, y, w), foreseen(errors, alone, w)], errors


def moved(rows: Occasions, level: float) -> list[list[object]]:
    """Means of both expectations and of the change; slopes of the outcome on the adjusted one and experience."""
    values = np.column_stack([rows.initial, rows.adjusted, rows.adjusted - rows.initial])
    found = means(values, *rows.design)
    told = judged(found.mean, found.std_error, np.asarray(found.df, dtype=np.float64), level)
    n = len(values)
    names = ("mean_initial", "mean_adjusted", "mean_change")
    out: list[list[object]] = [[name, n, *(float(told[c][i]) for c in NUMBERS)] for i, name in enumerate(names)]
    shape: Shape = "alone" if rows.experience is None else "linear"
    slopes = ("slope_adjusted",) if rows.experience is None else ("slope_adjusted", "slope_experience")
    return [*out, *_slopes(columns_of(rows.adjusted, rows.experience, shape), rows.outcome, rows, slopes, level)]


def paths(rows: Occasions, z: Array, level: float) -> list[list[object]]:
    """From the flag to the change of expectation, from that change to the outcome, and through both.

    dE = a0 + a z,   y = b0 + c z + b dE + d E1 (+ g P);   through the change: a b, by percentiles of resamples

    Parameters:
        z: (n,) the flag, known of everyone.
    """
    n, change, nan = len(rows.outcome), rows.adjusted - rows.initial, float("nan")
    first = np.column_stack([np.ones(n), z])
    besides = [rows.initial] if rows.experience is None else [rows.initial, rows.experience]
    second = np.column_stack([np.ones(n), z, change, *besides])
    to_change = _slopes(first, change, rows, ("flag_change",), level)
    direct, onward = _slopes(second, rows.outcome, rows, ("flag_direct", "change_outcome"), level)
    weight, drawn = rows.weight, rows.drawn
    a, b = slopes_again(first, change, weight, drawn), slopes_again(second, rows.outcome, weight, drawn)
    through = a[:, 1:2] * b[:, 2:3]
    low, high = percentiles(through, level)
    value = regressed(first, change, weight)[1] * regressed(second, rows.outcome, weight)[2]
    last = [float(value), float(standard_error(through)[0]), nan, nan, nan, float(low[0]), float(high[0])]
    return [*to_change, onward, direct, ["indirect", n, *last]]


def _slopes(X: Array, y: Array, rows: Occasions, names: tuple[str, ...], level: float) -> list[list[object]]:
    """Rows of the first slopes after the intercept."""
    found = regress(X, y, *rows.design)
    if found is None:
        return [[name, len(y), *[float("nan")] * len(NUMBERS)] for name in names]
    told = found.combined(np.eye(X.shape[1])[1 : 1 + len(names)], level)
    return [[name, len(y), *(float(told[c][i]) for c in NUMBERS)] for i, name in enumerate(names)]
