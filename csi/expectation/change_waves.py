"""Means of a series in each wave, as answered: what repeated cross-sections would tell too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.expectation.wide import Wide, named
from csi.inference.linearised import Design, Known, means

SCHEMA = {
    "wave": pl.String, "series": pl.String, "n": pl.Int64, "mean": pl.Float64, "std_error": pl.Float64,
    "conf_low": pl.Float64, "conf_high": pl.Float64,
}  # fmt: skip


def design_of(data: Wide) -> Design:
    """Weights of mean 1, units, their strata, and what margins know of them."""
    frame = data.frame
    weight = frame["weight"].to_numpy().astype(np.float64) if "weight" in frame.columns else np.ones(frame.height)
    codes, first, unit = np.unique(frame["unit"].to_numpy(), return_index=True, return_inverse=True)
    strata = np.zeros(codes.size, dtype=np.int64)
    if "stratum" in frame.columns:
        strata = np.unique(frame["stratum"].cast(pl.String).to_numpy()[first], return_inverse=True)[1].astype(np.int64)
    weight, known = weight / weight.mean(), None
    if data.raking is not None:
        place = frame["_first"].to_numpy().astype(np.int64)
        full = data.raking.weight * (weight.sum() / data.raking.weight[place].sum())
        known = Known(replace(data.raking, weight=full), place, None)
    return Design(weight, unit.astype(np.int64), strata, known)


def wave_means(data: Wide, series: Mapping[str, Sequence[str]], level: float) -> pl.DataFrame:
    """Mean over people of the mean of a person's answered items, by wave and series.

    Parameters:
        data: a row per person. series: letter -> items. level: of intervals.
    """
    design = design_of(data)
    rows = []
    for letter, items in series.items():
        columns = [[named(i, t) for i in items] for t in range(1, len(data.waves) + 1)]
        scores = np.column_stack([data.frame.select(pl.mean_horizontal(c)).to_series().to_numpy() for c in columns])
        found = means(scores.astype(np.float64), *design)
        low, high = found.interval(level)
        numbers = zip(data.waves, found.n, found.mean, found.std_error, low, high, strict=True)
        rows += [[wave, letter, int(n), *(float(v) for v in values)] for wave, n, *values in numbers]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").fill_nan(None)
