"""The answers of an item one by one: who gave each, and whether a higher one goes with a higher rest of the scale.

Letters: `n` rows, `k` items of a construct, `m` answers of an item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array, Ints

MOST = 25
"""Different answers above which an item is a measurement, not a choice among categories."""

SURE = 1.6448536269514722
"""Standard errors of a step down that is taken for more than chance (one-sided 5 %)."""


@dataclass(frozen=True, slots=True)
class Categories:
    """(m,) each: value, n (unweighted), share (weighted), rest (mean rest score; NaN below the base), error (SE)."""

    value: Array
    n: Ints
    share: Array
    rest: Array
    error: Array


def rest_scores(rows: Array) -> Array:
    """(n, k) mean of the other answers of the construct that a respondent gave; NaN without any.

    Example:
        >>> rest_scores(np.array([[1.0, 2.0, 6.0], [1.0, np.nan, np.nan]])).tolist()
        [[4.0, 3.5, 1.5], [nan, 1.0, 1.0]]
    """
    here = ~np.isnan(rows)
    z = np.nan_to_num(rows)
    count = here.sum(axis=1, keepdims=True) - here
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(count > 0, (z.sum(axis=1, keepdims=True) - z) / count, np.nan))


def possible(answers: Array, low: float, high: float) -> Array | None:
    """The answers an item offers: whole numbers from low to high where known (and answers are whole), else those given.

    None for an item with more than 25 of them.

    Example:
        >>> possible(np.array([1.0, 3.0]), 1, 4).tolist(), possible(np.array([1.0, 3.0]), np.nan, np.nan).tolist()
        ([1.0, 2.0, 3.0, 4.0], [1.0, 3.0])
    """
    given = np.unique(answers[~np.isnan(answers)])
    if np.isfinite(low) and np.isfinite(high) and (given == np.round(given)).all() and low == round(low):
        given = np.union1d(given, np.arange(low, high + 1)) if high - low < 10 * MOST else given
    return given if given.size <= MOST else None


def categories_of(answers: Array, rest: Array, weight: Array, values: Array, base: int) -> Categories:
    """Every category with its answers and the mean rest score of those who gave it.

    Parameters:
        answers, rest, weight: (n,). values: (m,) increasing. base: answers below which no mean rest score is given.

    Example:
        >>> x, rest = np.array([1.0, 1.0, 2.0, 2.0]), np.array([1.0, 3.0, 4.0, 6.0])
        >>> found = categories_of(x, rest, np.ones(4), np.array([1.0, 2.0, 3.0]), 2)
        >>> found.n.tolist(), found.share.tolist(), found.rest.tolist(), found.error.tolist()
        ([2, 2, 0], [0.5, 0.5, 0.0], [2.0, 5.0, nan], [1.0, 1.0, nan])
    """
    here = ~np.isnan(answers)
    code = np.searchsorted(values, answers[here])
    w, m = weight[here], values.size
    n = np.bincount(code, minlength=m)
    mass = np.bincount(code, w, minlength=m)
    known = ~np.isnan(rest[here])
    code, w, y = code[known], w[known], rest[here][known]
    with np.errstate(divide="ignore", invalid="ignore"):
        count = np.bincount(code, minlength=m)
        sum_w, sum_w2 = np.bincount(code, w, minlength=m), np.bincount(code, w * w, minlength=m)
        mean = np.bincount(code, w * y, minlength=m) / sum_w
        square = np.bincount(code, w * (y - mean[code]) ** 2, minlength=m) / sum_w * count / (count - 1)
        error = np.sqrt(square * sum_w2) / sum_w
        share = mass / mass.sum()
    told = count >= max(base, 1)
    return Categories(values, n, share, np.where(told, mean, np.nan), np.where(told & (count > 1), error, np.nan))


def steps(found: Categories) -> tuple[Ints, Ints, Array]:
    """Neighbours among the categories with a mean rest score: places of the lower and upper ones, and the steps' z.

    z = (rest of the upper - rest of the lower) / sqrt(sum of their squared SEs); below 0 the order is reversed.

    Example:
        >>> two = Categories(np.array([1.0, 2.0]), np.array([9, 9]), np.array([0.5, 0.5]), np.array([3.0, 2.0]),
        ...     np.array([0.3, 0.4]))
        >>> [part.tolist() for part in steps(two)]
        [[0], [1], [-2.0]]
    """
    at = np.flatnonzero(np.isfinite(found.rest))
    low, high = at[:-1], at[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(found.error[low] ** 2 + found.error[high] ** 2)
        rise = found.rest[high] - found.rest[low]
        z = np.where(error > 0, rise / error, np.where(np.isnan(rise), np.nan, np.sign(rise) * np.inf))
    return low, high, np.where(rise == 0, 0.0, z)
