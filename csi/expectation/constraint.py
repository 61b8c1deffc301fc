"""What a difference hides: expectation and perception as two predictors, instead of one minus the other.

y = b0 + b_E E + b_P P against y = c0 + c (P - E). Errors are robust: HC2 over rows, CR2 over units
where rows share one.

Source:
    Edwards (2001), Organizational Research Methods 4(3), 265-287; MacKinnon & White (1985), J. of Econometrics 29.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from csi.inference.linearised import Design, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.moments.stack import Array


def constraint_rows(names: Sequence[str], P: Array, E: Array, y: Array, design: Design) -> pl.DataFrame:
    """One row per pair of columns of P and E.

    Parameters:
        names: (m,). P, E: (n, m), NaN where absent. y: (n,). design: of the rows.

    Returns:
        name, n, b_expected, b_perceived, std_error_expected, std_error_perceived, p_value_expected, p_value_perceived,
        p_difference, r2, r2_difference; null where rows are too few or a predictor does not vary.
    """
    rows = []
    for j, name in enumerate(names):
        seen = np.isfinite(P[:, j]) & np.isfinite(E[:, j]) & np.isfinite(y)
        found = _one(P[seen, j], E[seen, j], y[seen], design.at(seen))
        rows.append({"name": name, "n": int(seen.sum()), **found})
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(COLUMNS, pl.Float64))


COLUMNS = (
    "b_expected", "b_perceived", "std_error_expected", "std_error_perceived", "p_value_expected", "p_value_perceived",
    "p_difference", "r2", "r2_difference",
)  # fmt: skip
LEAST = 10
"""Rows below which no regression is made."""


def _one(P: Array, E: Array, y: Array, design: Design) -> dict[str, float | None]:
    """The test for one pair."""
    nothing: dict[str, float | None] = dict.fromkeys(COLUMNS)
    X = np.column_stack([np.ones(len(y)), E, P])
    if len(y) < LEAST or np.linalg.matrix_rank(X) < X.shape[1] or np.ptp(y) == 0:
        return nothing
    found = robust_slopes(X, y, *design)
    b, se = found.slopes, found.std_error
    L = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    spread = np.sqrt(np.einsum("mi,ij,mj->m", L, found.cov, L))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_of_t(L @ b / spread, found.df_of(L))
    apart, joined = _r2(X, y, design.weight), _r2(np.column_stack([np.ones(len(y)), P - E]), y, design.weight)
    numbers = (b[1], b[2], se[1], se[2], *p, apart, joined)
    return {name: float(v) if np.isfinite(v) else None for name, v in zip(COLUMNS, numbers, strict=True)}


def _r2(X: Array, y: Array, weight: Array) -> float:
    """Weighted share of variance explained."""
    root = np.sqrt(weight)
    b = np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0]
    centre = (weight * y).sum() / weight.sum()
    return float(1 - (weight * (y - X @ b) ** 2).sum() / (weight * (y - centre) ** 2).sum())
