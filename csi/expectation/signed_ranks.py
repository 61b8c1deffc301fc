"""Wilcoxon's signed-rank test of paired differences, beside the t test of their mean.

    W+ = sum of the ranks of |d| with d > 0,   r = (W+ - W-) / (W+ + W-)

Differences of 0 are left out, ties get their mean rank. p counts the signs of up to 50 differences one by one; of more,
it is from the normal distribution with mean T / 2 and variance sum rank^2 / 4, T the sum of the ranks. Ranks know no
weights and take rows as independent.

Letters: `n` rows, `m` columns of differences.

Source:
    Wilcoxon (1945), Biometrics Bulletin 1(6), 80-83; Pratt & Gibbons (1981), Concepts of nonparametric theory, ch. 3;
    r: Kerby (2014), Comprehensive Psychology 3(1).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtr

from csi.errors import Reason, reason
from csi.moments.stack import Array, Ints

PLACES: Final = 9
"""Decimals to which differences are ties: means of the same answers differ by rounding alone."""

COUNTED: Final = 50
"""Up to so many differences the distribution of W+ is counted out."""

WEIGHTED: Final = reason(
    "R-SIGNED-RANK",
    "no signed-rank test: ranks know neither weights nor several rows of one unit; the t tests follow the design.",
    "不给出符号秩检验：秩次无法计入权重，也不适用于同一单位有多行的数据；t 检验已按抽样设计计算。",
)
"""Why weighted or clustered answers have no signed-rank test."""

ALIKE: Final = reason(
    "R-NO-DIFFERENCE",
    "no signed-rank test where the two answers never differ.",
    "两种形式的回答完全相同，无法进行符号秩检验。",
)
"""Why differences that are all 0 have none."""

COLUMNS: Final = ("signed_rank", "rank_biserial", "p_signed_rank")
"""What there is of each column of differences."""


def apply_ranks(weight: Array, unit: Ints) -> bool:
    """Whether rows are of one weight and each is a unit of its own.

    Example:
        >>> apply_ranks(np.ones(3), np.arange(3)), apply_ranks(np.array([1.0, 2.0]), np.arange(2))
        (True, False)
    """
    alike = weight.size == 0 or bool(np.ptp(weight) <= 1e-9 * np.abs(weight).max())
    return alike and np.unique(unit).size == unit.size


def signed_ranks(differences: Array, weight: Array, unit: Ints) -> tuple[pl.DataFrame, tuple[Reason, ...]]:
    """W+, the matched-pairs rank correlation and the two-sided p-value of each column, and why some are not there.

    Parameters:
        differences: (n, m), NaN where a pair is incomplete. weight: (n,). unit: (n,) resampling unit of each row.

    Returns:
        m rows of signed_rank (W+), rank_biserial (-1 to 1), p_signed_rank, null where ranks do not apply (`WEIGHTED`)
        or no pair differs (`ALIKE`); these reasons.

    Example:
        >>> d = np.array([[-1.0], [-2.0], [-3.0], [4.0], [-5.0]])
        >>> [round(v, 4) for v in signed_ranks(d, np.ones(5), np.arange(5))[0].row(0)]
        [4.0, -0.4667, 0.4375]
    """
    usable = apply_ranks(weight, unit)
    columns = [np.round(d[np.isfinite(d)], PLACES) for d in differences.T]
    rows = [_tested(d[d != 0]) if usable else (None, None, None) for d in columns]
    none = [d.size > 0 and not d.any() for d in columns]
    why = (ALIKE,) if any(none) else ()
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.Float64), orient="row"), why if usable else (WEIGHTED,)


def _tested(d: Array) -> tuple[float | None, float | None, float | None]:
    """One column without zeros."""
    if not d.size:
        return None, None, None
    _, at, many = np.unique(np.abs(d), return_inverse=True, return_counts=True)
    rank = (np.cumsum(many) - (many - 1) / 2)[at]
    plus, total = float(rank[d > 0].sum()), float(rank.sum())
    if d.size <= COUNTED:
        p = counted(rank, plus)
    else:
        p = 2 * float(ndtr(-abs(plus - total / 2) / np.sqrt((rank**2).sum() / 4)))
    return plus, 2 * plus / total - 1, min(p, 1.0)


def counted(rank: Array, plus: float) -> float:
    """Share of all signs of the ranks whose W+ lies as far from its mean, or further; ties are kept.

    Parameters:
        rank: (n,) mean ranks of |d|. plus: W+.

    Example:
        >>> counted(np.array([1.0, 2.0, 3.0]), 6.0)
        0.25
    """
    doubled = np.round(2 * rank).astype(np.int64)
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for one in doubled:
        ways[one:] += ways[:-one].copy()
    off = np.abs(2 * np.arange(ways.size) - doubled.sum())
    return float(ways[off >= abs(round(4 * plus) - doubled.sum())].sum() / ways.sum())
