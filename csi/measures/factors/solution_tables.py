"""Tidy frames of a factor solution.

Letters: `p` items, `m` factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from csi.measures.factors.correlations import Correlations
from csi.measures.factors.intervals import Spread
from csi.measures.factors.placing import Placed, Placing
from csi.measures.factors.turned import accounted
from csi.moments.stack import Array

STRONG, OTHER, BETWEEN = 0.40, 0.30, 0.20
"""An item is clear with this much on one factor, less than this on any other, and this much between them."""


def items_table(
    given: Correlations, placing: Placing, placed: Placed, L: Array, phi: Array, uniqueness: Array
) -> pl.DataFrame:
    """One row per item: where it loads, where it was meant to, and what that says.

    Source: Howard (2016) for the cut-offs; Hofmann (1978), Multivariate Behavioral Research 13, 247-250, complexity.
    """
    p, m = L.shape
    names = _names(placed, m)
    rows = np.arange(p)
    first = placed.factor
    size = np.abs(L).copy()
    size[rows, first] = -1.0
    if names[0] == "general":
        size[:, 0] = -1.0
    second = np.argmax(size, axis=1) if m - (names[0] == "general") > 1 else np.full(p, -1)
    other = np.where(second >= 0, L[rows, second], np.nan)
    squares = L * L
    several = len(placing.constructs) > 1
    frame = pl.DataFrame(
        {
            "item": list(given.names),
            "intended": [placing.constructs[k] if several else None for k in placing.intended.tolist()],
            "factor": [names[k] for k in first.tolist()],
            "stands_for": [placed.stands_for.get(names[k]) for k in first.tolist()],
            "loading": L[rows, first],
            "other": [names[k] if k >= 0 else None for k in second.tolist()],
            "other_loading": other,
            "communality": np.einsum("pj,jk,pk->p", L, phi, L),
            "uniqueness": uniqueness,
            "complexity": squares.sum(axis=1) ** 2 / np.maximum((squares * squares).sum(axis=1), 1e-300),
        },
        schema_overrides={"intended": pl.String, "stands_for": pl.String, "other": pl.String},
    )
    words = [
        verdict(a, b, away=several and own != f)
        for a, b, own, f in zip(
            np.abs(L[rows, first]).tolist(), np.abs(other).tolist(), placed.own.tolist(), first.tolist(), strict=True
        )
    ]
    if not several:
        words = ["clear" if w == "as intended" else w for w in words]
    return frame.with_columns(pl.col("other_loading").fill_nan(None), pl.Series("verdict", words))


def _names(placed: Placed, m: int) -> list[str]:
    """Names of the factors as the similarity frame has them; F1, F2, ... without one."""
    told = placed.similarity["factor"].unique(maintain_order=True).to_list()
    if not told:
        general = int(placed.factor.min() > 0 and m > 1)
        told = [f"F{k}" for k in range(1, m + 1 - general)]
    return ["general", *told] if len(told) < m else told


def verdict(loading: float, other: float, *, away: bool) -> str:
    """What an item's loadings say of it.

    Parameters:
        loading, other: greatest and next, absolute (NaN where there is no other). away: whether its greatest is on
            another factor than its construct's.

    Example:
        >>> verdict(0.6, 0.1, away=False), verdict(0.6, 0.45, away=False), verdict(0.3, 0.1, away=True)
        ('as intended', 'cross-loading', 'weak')
    """
    if loading < STRONG:
        return "weak"
    if other >= OTHER or loading - other < BETWEEN:
        return "cross-loading"
    return "elsewhere" if away else "as intended"


def loadings_table(
    items: Sequence[str], factors: Sequence[str], L: Array, structure: Array, spread: Spread | None, level: float
) -> pl.DataFrame:
    """One row per item and factor; errors and percentile intervals where there are resamples."""
    p, m = L.shape
    frame = pl.DataFrame(
        {
            "item": np.repeat(np.array(items), m).tolist(),
            "factor": list(factors) * p,
            "loading": L.ravel(),
            "structure": structure.ravel(),
        }
    )
    if spread is None or spread.usable < 2:
        empty = [pl.lit(None, pl.Float64).alias(c) for c in ("std_error", "conf_low", "conf_high")]
        return frame.with_columns(empty)
    tail = (1 - level) / 2
    low, high = np.quantile(spread.loadings, [tail, 1 - tail], axis=0)
    return frame.with_columns(
        pl.Series("std_error", spread.loadings.std(axis=0, ddof=1).ravel()),
        pl.Series("conf_low", low.ravel()),
        pl.Series("conf_high", high.ravel()),
    )


def variance_table(factors: Sequence[str], stands_for: Mapping[str, str], L: Array, phi: Array) -> pl.DataFrame:
    """What each factor accounts for, of the variance of all items."""
    size = accounted(L[None], phi[None])[0]
    return pl.DataFrame(
        {
            "factor": list(factors),
            "stands_for": [stands_for.get(f) for f in factors],
            "ss_loadings": size,
            "proportion": size / len(L),
            "cumulative": np.cumsum(size) / len(L),
        },
        schema_overrides={"stands_for": pl.String},
    )
