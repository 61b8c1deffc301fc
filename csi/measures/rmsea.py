"""RMSEA with its interval and tests, from a noncentral chi-square.

Letters: `b` slices, `g` groups, N the multiplier of F, c the scaling factor of a robust form (1 otherwise).
"""

from __future__ import annotations

import numpy as np
from scipy.special import chndtr, chndtrinc

from csi.measures.fit_indices import Number, freedom, with_df
from csi.moments.stack import Array


def rmsea(T: Number, df: Number, N: Number, g: int = 1, c: Number = 1.0) -> Array:
    """sqrt(g max(T - c df, 0) / (N df)); 0 without degrees of freedom.

    Source:
        Steiger & Lind (1980); several groups: Steiger (1998), SEM 5, eq. 13; robust: Brosseau-Liard, Savalei & Li
        (2012), MBR 47, eq. 9.

    Example:
        >>> rmsea(85.3055, 24, 301).round(4).item()
        0.0921
    """
    return with_df(df, np.sqrt(g * np.maximum(T - c * df, 0.0) / (N * freedom(df))), 0.0)


def noncentrality(T: Number, df: Number, p: Number) -> Array:
    """(b,) lambda with P(chi-square(df, lambda) <= T) = p, 0 where even lambda = 0 has less.

    Example:
        >>> noncentrality(np.array([85.3055, 5.0]), 24.0, 0.95).round(3).tolist()
        [36.847, 0.0]
    """
    T = np.asarray(T, dtype=np.float64)
    usable = (T > 0) & np.isfinite(T) & (df > 0)
    x, v = np.where(usable, T, 1.0), freedom(df)
    found = chndtrinc(x, v, p)
    found = np.where(usable & (chndtr(x, v, 0.0) > p) & np.isfinite(found), found, 0.0)
    return np.where(np.isfinite(T), found, np.nan)


def rmsea_interval(
    T: Number, df: Number, N: Number, g: int = 1, c: Number = 1.0, level: float = 0.90
) -> tuple[Array, Array]:
    """sqrt(g c lambda / (N df)) at the two lambdas for which T is the upper or lower (1 - level) / 2 point.

    Source:
        Browne & Cudeck (1993), Testing structural equation models, p. 143; robust: Li & Bentler (2006).

    Example:
        >>> [bound.round(4).item() for bound in rmsea_interval(85.3055, 24, 301)]
        [0.0714, 0.1137]
    """
    tail = (1 - level) / 2
    points = np.array([1 - tail, tail]).reshape(2, *np.ones(np.ndim(T), dtype=int))
    low, high = np.sqrt(g * c / (N * freedom(df)) * noncentrality(T, df, points))
    return low, high


def below(T: Number, df: Number, N: Number, h0: Number, g: int = 1, c: Number = 1.0) -> Array:
    """(b,) P(chi-square(df, N df h0^2 / (g c)) <= T): the p-value of RMSEA >= h0; 1 - it is that of RMSEA <= h0.

    NaN without degrees of freedom.

    Source:
        Browne & Cudeck (1993), p. 146 (close fit); MacCallum, Browne & Sugawara (1996), Psych. Methods 1 (not close).

    Example:
        >>> below(85.3055, 24, 301, 0.08).round(4).item()
        0.8396
    """
    T = np.asarray(T, dtype=np.float64)
    finite = np.isfinite(T)
    found = chndtr(np.where(finite, np.maximum(T, 0.0), 1.0), freedom(df), N * df / c * h0**2 / g)
    return with_df(df, np.where(finite, found, np.nan), np.nan)
