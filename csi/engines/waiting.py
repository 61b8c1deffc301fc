"""Adapter for statsmodels: how long half of what is waited for takes, where some have not come to an end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.errors import MissingPackage
from csi.moments.stack import Array

HALF = 0.5 + 1e-12
"""The share that the median leaves, a rounding error allowed."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The median of a time that is in part still running.

    Attributes:
        n: times. ended: those that came to an end. median, low, high: in the unit of the times; NaN where fewer than
            half have ended, or a limit lies beyond what was observed.
    """

    n: int
    ended: int
    median: float
    low: float
    high: float


def median_wait(times: Array, ended: Array, level: float = 0.95) -> Wait:
    """The Kaplan-Meier median with the interval of Brookmeyer and Crowley on the scale log(-log S).

    Parameters:
        times: (n,) how long each has taken so far. ended: (n,) 1 where it came to an end, 0 where it still runs.
        level: of the interval.

    Returns:
        A `Wait`.

    Raises:
        MissingPackage: statsmodels is not installed.

    Source:
        Kaplan & Meier (1958), JASA 53, 457-481; Brookmeyer & Crowley (1982), Biometrics 38, 29-41.

    Example:
        >>> median_wait(np.array([3.0, 5.0, 8.0, 9.0]), np.array([1.0, 1.0, 1.0, 0.0])).median
        5.0
    """
    n, count = len(times), int(ended.sum())
    if not count:
        return Wait(n, 0, np.nan, np.nan, np.nan)
    try:
        # statsmodels takes a second to load: only when times are told
        from statsmodels.duration.survfunc import SurvfuncRight
    except ImportError as error:
        raise MissingPackage("times to close need statsmodels: pip install statsmodels") from error
    found = SurvfuncRight(times, ended)
    with np.errstate(all="ignore"):
        low, high = found.quantile_ci(0.5, alpha=1 - level, method="cloglog")
    reached = np.flatnonzero(found.surv_prob <= HALF)
    median = float(found.surv_times[reached[0]]) if reached.size else np.nan
    return Wait(n, count, median, _told(low), _told(high))


def _told(limit: float) -> float:
    """A limit; NaN where it lies beyond what was observed."""
    return float(limit) if np.isfinite(limit) else np.nan
