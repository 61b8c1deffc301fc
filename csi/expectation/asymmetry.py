"""Whether falling short counts for more than exceeding: one slope on each side of what was expected.

    y = b0 + b_over max(P - E, 0) + b_short min(P - E, 0) + b_P P

b_short = b_over is what a plain difference assumes; b_short > b_over is the pattern of losses that loom larger.

Source:
    Mittal, Ross & Baldasare (1998), J. of Marketing 62(1), 33-47; Edwards (2002), in Drasgow & Schmitt (eds.),
    Measuring and analyzing behavior in organizations, 350-400 (piecewise differences).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from csi.expectation.regression import Regression, regress
from csi.expectation.scores import apart
from csi.inference.linearised import Design
from csi.moments.stack import Array

CONTRASTS: Final = {
    "b_short": (0.0, 0.0, 1.0, 0.0),
    "b_over": (0.0, 1.0, 0.0, 0.0),
    "b_perceived": (0.0, 0.0, 0.0, 1.0),
    "difference": (0.0, -1.0, 1.0, 0.0),
}
"""What is told of the slopes; difference = b_short - b_over."""

COLUMNS: Final = (*(f"{c}{s}" for c in CONTRASTS for s in ("", "_low", "_high", "_p")), "r2")
TYPES: Final = dict.fromkeys(COLUMNS, pl.Float64)
"""Of a frame with a row per test."""
LEAST: Final = 10
"""Respondents needed on either side of what was expected."""


def pieces(P: Array, E: Array) -> Array:
    """(n, 4) columns 1, what is beyond, what is short (below 0), P.

    Example:
        >>> pieces(np.array([3.0, 6.0]), np.array([5.0, 5.0])).tolist()
        [[1.0, 0.0, -2.0, 3.0], [1.0, 1.0, 0.0, 6.0]]
    """
    d = apart(P, E)
    return np.column_stack([np.ones(len(P)), np.maximum(d, 0.0), np.minimum(d, 0.0), P])


def asymmetry(P: Array, E: Array, y: Array, design: Design, level: float) -> dict[str, float | int | None]:
    """n, n_short, n_over, and slopes with bounds and p; null where either side has fewer than 10 respondents.

    Parameters:
        P, E, y: (n,), NaN where absent. design: weights and units of the rows, strata of the units.
    """
    seen = np.isfinite(P) & np.isfinite(E) & np.isfinite(y)
    d = apart(P[seen], E[seen])
    sides = int((d < 0).sum()), int((d > 0).sum())
    head = {"n": int(seen.sum()), "n_short": sides[0], "n_over": sides[1]}
    fitted = None
    if min(sides) >= LEAST:
        fitted = regress(pieces(P[seen], E[seen]), y[seen], *design.at(seen))
    return {**head, **(dict.fromkeys(COLUMNS) if fitted is None else _told(fitted, level))}


def _told(fitted: Regression, level: float) -> dict[str, float | None]:
    """Slopes, their difference, R2."""
    found = fitted.combined(np.array(list(CONTRASTS.values())), level)
    out: dict[str, float | None] = {}
    for number, name in enumerate(CONTRASTS):
        for column, suffix in (("estimate", ""), ("conf_low", "_low"), ("conf_high", "_high"), ("p_value", "_p")):
            value = float(found[column][number])
            out[name + suffix] = value if np.isfinite(value) else None
    return out | {"r2": fitted.r2}
