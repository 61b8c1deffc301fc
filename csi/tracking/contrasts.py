"""Differences between cells of an index: joint standard errors, tests with design degrees of freedom, Holm.

Letters: `c` cells, `k` cells of one comparison, `m` tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from csi.errors import Note, Problems, did_you_mean, note, problem
from csi.inference.adjust import adjust
from csi.moments.stack import Array, Ints
from csi.tracking.index import Index
from csi.tracking.index_variance import degrees


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of indices: estimate, standard error, degrees of freedom; NaN where it cannot be computed."""

    estimate: float
    std_error: float
    df: float


@dataclass(frozen=True, slots=True)
class TTest:
    """A t test that a contrast is zero, with its interval."""

    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


def construct_place(index: Index, construct: str) -> int:
    """The column of a construct; upper and lower case are one where that is unambiguous.

    Raises:
        Problems: E-CONSTRUCT for an unknown name.
    """
    if construct in index.constructs:
        return index.constructs.index(construct)
    alike = [j for j, name in enumerate(index.constructs) if name.casefold() == construct.casefold()]
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(construct, index.constructs)
    en, zh = f'the index has no construct "{construct}".', f"指数中没有构念“{construct}”。"
    raise Problems([problem("E-CONSTRUCT", "index", en, zh, hint.en, hint.zh)])


def joint_covariance(index: Index, construct: int, cells: Ints) -> Array:
    """(k, k) covariance of some cells' indices.

    From the replicates that are usable in all of them: shared weights and shared respondents enter by themselves.
    Without replicates, the design-based covariance with the weights held fixed.
    """
    k = cells.size
    if index.replicates is None:
        fixed = index.covariance_fixed
        return np.full((k, k), np.nan) if fixed is None else fixed[construct][np.ix_(cells, cells)]
    drawn = index.replicates[:, cells, construct]
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if drawn.shape[0] < 2:
        return np.full((k, k), np.nan)
    return np.atleast_2d(np.cov(drawn, rowvar=False))


def construct_covariance(index: Index, cell: int, constructs: Ints) -> Array:
    """(k, k) covariance of some constructs' indices in one cell, from the joint replicates; NaN without them."""
    k = constructs.size
    drawn = np.empty((0, k)) if index.replicates is None else index.replicates[:, cell, constructs]
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    return np.full((k, k), np.nan) if drawn.shape[0] < 2 else np.atleast_2d(np.cov(drawn, rowvar=False))


def design_df(index: Index, cells: Ints) -> float:
    """Resampling units minus strata behind some cells together; the sum over cells when the rows are unknown.

    Replicate weights state their own.
    """
    if index.stated_df is not None:
        return index.stated_df
    if index.sample is not None:
        return float(degrees(index.sample, cells))
    return float("nan") if index.degrees_of_freedom is None else float(index.degrees_of_freedom[cells].sum())


def contrast(index: Index, construct: int, cells: Ints, shares: Array) -> Contrast:
    """`L'I`, its standard error `sqrt(L' V L)` and design degrees of freedom.

    Parameters:
        cells: (k,) the cells that enter. shares: (k,) their coefficients L.
    """
    covariance = joint_covariance(index, construct, cells)
    std_error = float(np.sqrt(np.maximum(shares @ covariance @ shares, 0.0)))
    return Contrast(float(shares @ index.values[cells, construct]), std_error, design_df(index, cells))


def t_test(estimate: float, std_error: float, df: float, level: float) -> TTest:
    """Two-sided t test of zero and interval; NaN without a standard error or degrees of freedom.

    Example:
        >>> round(t_test(2.0, 1.0, 60.0, 0.95).p_value, 4)
        0.05
    """
    if not (std_error > 0 and df > 0):
        return TTest(*[float("nan")] * 4)
    statistic = estimate / std_error
    margin = float(special.stdtrit(df, (1.0 + level) / 2.0)) * std_error
    p_value = 2.0 * float(special.stdtr(df, -abs(statistic)))
    return TTest(statistic, p_value, estimate - margin, estimate + margin)


def holm(p_values: Sequence[float]) -> Array:
    """Holm's step-down adjusted p-values; NaN stays NaN and does not count in the family.

    `p~_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))`.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    return adjust(p_values, "holm")


def step_levels(p_values: Array, alpha: float) -> Array:
    """The level each p-value is held against by Holm's procedure; NaN stays NaN.

    The i-th smallest of m is held against alpha / (m - i + 1); from the first that is not rejected on, all are held
    against that one's level.

    Example:
        >>> step_levels(np.array([0.01, 0.04, 0.03]), 0.05).round(4).tolist()
        [0.0167, 0.025, 0.025]
    """
    levels = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = alpha / np.arange(order.size, 0, -1)
    rejected = np.cumprod(p_values[order] < steps).astype(bool)
    stop = int(rejected.sum())
    if stop < order.size:
        steps[stop:] = steps[stop]
    levels[order] = steps
    return levels


def half_widths(p_values: Array, std_errors: Array, df: Array, level: float) -> Array:
    """Half the interval of each difference at the level of its own Holm step, `t_{1 - a/2, df} SE`.

    The difference is larger than its half width exactly where `holm` finds it significant.

    Parameters:
        p_values, std_errors, df: (m,) the tests of one family. level: of the family.

    Example:
        >>> half_widths(np.array([0.01, 0.2]), np.ones(2), np.full(2, 60.0), 0.95).round(3).tolist()
        [2.299, 2.0]
    """
    alpha = step_levels(p_values, 1.0 - level)
    found: Array = special.stdtrit(df, 1.0 - alpha / 2.0) * std_errors
    return found


def smallest_significant(std_error: float, level: float = 0.95) -> float:
    """The smallest difference that is significant: `z_{1 - alpha/2} SE`.

    Example:
        >>> round(smallest_significant(0.9115 * 2**0.5), 2)
        2.53
    """
    return float(special.ndtri((1.0 + level) / 2.0)) * std_error


def minimal_detectable(std_error: float, level: float = 0.95, power: float = 0.80) -> float:
    """The true difference found significant with probability `power`: `(z_{1 - alpha/2} + z_power) SE`.

    Example:
        >>> round(minimal_detectable(0.9115 * 2**0.5), 1)
        3.6
    """
    return float(special.ndtri((1.0 + level) / 2.0) + special.ndtri(power)) * std_error


def basis_note(index: Index) -> Note:
    """How the standard errors of differences were made."""
    if index.replicates is None:
        en = "Standard errors of differences hold the weights fixed (no replicates)."
        return note("N-FIXED-WEIGHTS", en, "差异的标准误将权重视为固定（未做重抽样）。")
    en = f"Standard errors of differences from {index.replicates.shape[0]} joint replicates."
    return note("N-JOINT-REPLICATES", en, f"差异的标准误来自 {index.replicates.shape[0]} 次联合重抽样。")
