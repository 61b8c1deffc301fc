"""How respondents use the scale, whatever the questions are about: agreement, ends, middle, one answer throughout.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from csi.moments.stack import Array, Ints

FEW = 3
"""Answers a respondent must have given to be described."""


def as_asked(rows: Array, low: Array, high: Array, reversed_: np.ndarray) -> Array:
    """(n, p) answers as they were ticked, from 0 to 1: items that were turned over are turned back.

    Parameters:
        rows: (n, p). low, high: (p,) ends of the scales. reversed_: (p,) which were turned over.

    Example:
        >>> as_asked(np.array([[5.0, 4.0]]), np.ones(2), np.full(2, 5.0), np.array([False, True])).tolist()
        [[1.0, 0.25]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (rows - low) / np.where(high > low, high - low, np.nan)
    return np.asarray(np.where(reversed_, 1 - share, share))


def acquiescence(asked: Array, pairs: Sequence[tuple[Ints, Ints]]) -> Array:
    """(n,) how much more than half a respondent agrees, over constructs asked in both directions.

    The mean over constructs of (mean of items worded one way + mean of items worded the other way) / 2 - 1/2: what is
    measured cancels out, what remains is saying yes (above 0) or no (below).

    Parameters:
        asked: (n, p) from `as_asked`. pairs: per construct, the places of its items of each direction.

    Source:
        Billiet & McClendon (2000), Structural Equation Modeling 7(4), 608-628: balanced sets.

    Example:
        >>> acquiescence(np.array([[1.0, 1.0], [1.0, 0.0]]), [(np.array([0]), np.array([1]))]).tolist()
        [0.5, 0.0]
    """
    sides = [0.5 * (_mean(asked[:, one]) + _mean(asked[:, other])) for one, other in pairs]
    return _mean(np.stack(sides, axis=1)) - 0.5


def habits(asked: Array) -> Mapping[str, Array]:
    """(n,) per respondent with three answers or more: share of end points and of midpoints, spread, one answer only.

    Parameters:
        asked: (n, p) from 0 to 1.

    Returns:
        "extreme", "middle", "spread" (standard deviation), "straight" (1 where all answers are the same), "agreement"
        (mean answer less 1/2); NaN for respondents with fewer answers.

    Example:
        >>> found = habits(np.array([[1.0, 1.0, 0.5, 0.5]]))
        >>> [float(found[name][0]) for name in ("extreme", "middle", "straight", "agreement", "spread")]
        [0.5, 0.5, 0.0, 0.25, 0.25]
    """
    here = ~np.isnan(asked)
    count = here.sum(axis=1)
    told = count >= FEW
    share = np.where(told, 1 / np.maximum(count, 1), np.nan)
    mean = np.nansum(asked, axis=1) * share
    spread = np.sqrt(np.where(here, (asked - mean[:, None]) ** 2, 0.0).sum(axis=1) * share)
    high = np.where(here, asked, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(here, asked, np.inf).min(axis=1, initial=np.inf)
    return {
        "extreme": ((asked == 0) | (asked == 1)).sum(axis=1) * share,
        "middle": (asked == 0.5).sum(axis=1) * share,
        "spread": spread,
        "straight": np.where(told, high <= low + 1e-12, np.nan),
        "agreement": mean - 0.5,
    }


def summary(values: Array, weight: Array) -> dict[str, float]:
    """Weighted n, mean, sd and quantiles (p10, median, p90) of a number per respondent.

    Quantiles are the smallest values with at least that share of the weight at or below them.

    Example:
        >>> summary(np.array([1.0, 2.0, 3.0, np.nan]), np.ones(4))["median"]
        2.0
    """
    here = np.isfinite(values)
    x, w = values[here], weight[here]
    if not x.size or w.sum() <= 0:
        return {"n": 0, **dict.fromkeys(("mean", "sd", "p10", "median", "p90"), np.nan)}
    mean = float(np.average(x, weights=w))
    variance = float(np.average((x - mean) ** 2, weights=w))
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(w[order]) / w.sum()
    at = np.minimum(np.searchsorted(reached, [0.1 - 1e-12, 0.5 - 1e-12, 0.9 - 1e-12]), x.size - 1)
    low, middle, high = x[order][at].tolist()
    sd = float(np.sqrt(variance * x.size / (x.size - 1))) if x.size > 1 else np.nan
    return {"n": x.size, "mean": mean, "sd": sd, "p10": low, "median": middle, "p90": high}


def _mean(part: Array) -> Array:
    """(n,) mean of the answers there are; NaN without any."""
    here = ~np.isnan(part)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nansum(part, axis=1) / np.where(here.any(axis=1), here.sum(axis=1), np.nan))
