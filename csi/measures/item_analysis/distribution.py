"""How each item was answered: weighted mean, spread, shape, and shares at the ends of its scale.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array, Ints


@dataclass(frozen=True, slots=True)
class Distribution:
    """(p,) each: n answers, mean, sd, skew, kurtosis (in excess of 3), floor and ceiling (shares at low and high)."""

    n: Ints
    mean: Array
    sd: Array
    skew: Array
    kurtosis: Array
    floor: Array
    ceiling: Array


def distribution(rows: Array, weight: Array, low: Array, high: Array) -> Distribution:
    """Moments of every item over the rows that answer it.

    With m_r = sum w (x - mean)^r / sum w: sd = sqrt(m_2 n / (n - 1)), skew = m_3 / m_2^1.5, kurtosis = m_4 / m_2^2 - 3
    (type 1 of Joanes and Gill: no correction for n).

    Parameters:
        rows: (n, p), NaN where absent. weight: (n,). low, high: (p,) ends of the scales.

    Returns:
        `Distribution`; NaN where nothing can be computed (no answers; no variance for skew and kurtosis).

    Source:
        Joanes & Gill (1998), The Statistician 47(1), 183-189.

    Example:
        >>> rows = np.array([[1.0], [1.0], [1.0], [5.0]])
        >>> d = distribution(rows, np.ones(4), np.array([1.0]), np.array([5.0]))
        >>> [float(v[0].round(4)) for v in (d.mean, d.sd, d.skew, d.kurtosis, d.floor, d.ceiling)]
        [2.0, 2.0, 1.1547, -0.6667, 0.75, 0.25]
    """
    here = ~np.isnan(rows)
    n = here.sum(axis=0)
    w = here * weight[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        w /= w.sum(axis=0)
        mean = np.where(n > 0, np.nansum(w * rows, axis=0), np.nan)
        d = np.where(here, rows - mean, 0.0)
        square = d * d
        m2, m3, m4 = ((w * part).sum(axis=0) for part in (square, square * d, square * square))
        varies = np.nanmax(np.where(here, rows, -np.inf), axis=0) > np.nanmin(np.where(here, rows, np.inf), axis=0)
        spread = np.where(varies, m2, np.nan)
        return Distribution(
            n=np.asarray(n, dtype=np.int64),
            mean=mean,
            sd=np.where(n > 1, np.sqrt(np.where(varies, m2, 0.0) * n / (n - 1)), np.nan),
            skew=m3 / spread**1.5,
            kurtosis=m4 / spread**2 - 3,
            floor=np.where(n > 0, (w * (rows == low)).sum(axis=0), np.nan),
            ceiling=np.where(n > 0, (w * (rows == high)).sum(axis=0), np.nan),
        )
