"""Indices of fit on arrays: what a chi-square, its degrees of freedom and those of the independence model say.

Letters: `b` slices; T, df of the model; T0, df0 of the independence (baseline) model; N the multiplier of F.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import chdtrc, chdtri

from csi.moments.stack import Array

Number = Array | float


def ratio(above: Number, below: Number) -> Array:
    """Quotient above / below, NaN where below is 0."""
    if isinstance(below, int | float) and below:
        return np.asarray(above / below)
    down = np.asarray(below, dtype=np.float64)
    return np.asarray(above / np.where(down != 0, down, np.nan))


def with_df(df: Number, found: Array, otherwise: float) -> Array:
    """`found` where there are degrees of freedom, `otherwise` where there are none.

    Example:
        >>> with_df(np.array([2.0, 0.0]), np.array([0.9, 0.5]), 1.0).tolist(), with_df(3, np.array([0.9]), 1.0).tolist()
        ([0.9, 1.0], [0.9])
    """
    if isinstance(df, int | float):
        return np.asarray(found) if df > 0 else np.full_like(found, otherwise)
    return np.where(np.asarray(df) > 0, found, otherwise)


def freedom(df: Number) -> Number:
    """Degrees of freedom, 1 in the place of none."""
    if isinstance(df, int | float):
        return df if df > 0 else 1.0
    return np.where(np.asarray(df) > 0, df, 1.0)


def p_exact(T: Number, df: Number) -> Array:
    """(b,) P(chi-square(df) > T), NaN without degrees of freedom.

    Example:
        >>> p_exact(3.841459, 1).round(6).item()
        0.05
    """
    return with_df(df, chdtrc(freedom(df), np.maximum(T, 0.0)), np.nan)


def swain(p: int, df: Number, N: Number) -> Array:
    """The factor that brings the chi-square of ML to its mean in small samples; NaN without degrees of freedom.

    s = 1 - (p (2 p^2 + 3 p - 1) - q (2 q^2 + 3 q - 1)) / (12 df (N - 1)),   q = (sqrt(1 + 8 t) - 1) / 2

    where t = p (p + 1) / 2 - df parameters describe the covariances of p items.

    Source:
        Swain (1975), Analysis of parametric structures for variance matrices (thesis, Adelaide); in this form Herzog,
        Boomsma & Reinecke (2007), Structural Equation Modeling 14(3), eq. 9.

    Example:
        >>> swain(9, 24, 301).round(5).item(), swain(9, 36, 301).round(5).item()  # with df = 36: independence
        (0.9866, 0.98807)
    """
    df, N = np.asarray(df, dtype=np.float64), np.asarray(N, dtype=np.float64)
    q = (np.sqrt(1 + 8 * (p * (p + 1) / 2 - df)) - 1) / 2
    excess = p * (2 * p**2 + 3 * p - 1) - q * (2 * q**2 + 3 * q - 1)
    return 1 - ratio(excess, 12 * df * (N - 1))


def cfi(T: Number, df: Number, T0: Number, df0: Number) -> Array:
    """1 - max(T - df, 0) / max(T - df, T0 - df0, 0); 1 where nothing is misfitted.

    With c df and c0 df0 for the degrees of freedom this is the robust CFI of Brosseau-Liard & Savalei (2014, eq. 5).

    Source:
        Bentler (1990), Psychological Bulletin 107, eq. 12.

    Example:
        >>> cfi(85.3055, 24, 918.8516, 36).round(4).item()
        0.9306
    """
    own = np.maximum(np.asarray(T) - df, 0.0)
    worst = np.maximum(own, np.asarray(T0) - df0)
    return np.where(own == 0, 1.0, 1 - ratio(own, worst))


def rni(T: Number, df: Number, T0: Number, df0: Number) -> Array:
    """1 - (T - df) / (T0 - df0), the CFI without its bounds.

    Source:
        McDonald & Marsh (1990), Psychological Bulletin 107, eq. 10.
    """
    return 1 - ratio(np.asarray(T) - df, np.asarray(T0) - df0)


def tli(T: Number, df: Number, T0: Number, df0: Number, c: Number = 1.0, c0: Number = 1.0) -> Array:
    """1 - ((T - c df) / df) / ((T0 - c0 df0) / df0); 1 without degrees of freedom.

    c = c0 = 1: (T0 / df0 - T / df) / (T0 / df0 - 1); with scaling factors the robust TLI.

    Source:
        Tucker & Lewis (1973), Psychometrika 38, eq. 27; robust: Brosseau-Liard & Savalei (2014), MBR 49, eq. 9.

    Example:
        >>> tli(85.3055, 24, 918.8516, 36).round(4).item()
        0.8958
    """
    return with_df(df, 1 - ratio(ratio(T - c * df, df), ratio(T0 - c0 * df0, df0)), 1.0)


def nfi(T: Number, df: Number, T0: Number, df0: Number) -> Array:
    """(T0 - T) / T0; NaN where the model has more degrees of freedom than the baseline or fits worse.

    Source:
        Bentler & Bonett (1980), Psychological Bulletin 88, eq. 11.
    """
    return np.where((np.asarray(T) <= T0) & (df <= df0), 1 - ratio(T, T0), np.nan)


def rfi(T: Number, df: Number, T0: Number, df0: Number) -> Array:
    """(T0 / df0 - T / df) / (T0 / df0); 1 without degrees of freedom, NaN where the baseline has fewer than the model.

    Source:
        Bollen (1986), Psychometrika 51, eq. 4.
    """
    found = with_df(df, 1 - ratio(ratio(T, df), ratio(T0, df0)), 1.0)
    return np.where((np.asarray(T) <= T0) & (df <= df0), found, np.nan)


def pnfi(T: Number, df: Number, T0: Number, df0: Number) -> Array:
    """PNFI = df / df0 (T0 - T) / T0.

    Source:
        James, Mulaik & Brett (1982), Causal analysis, ch. 5.
    """
    return ratio(df, df0) * (1 - ratio(T, T0))


def ifi(T: Number, df: Number, T0: Number) -> Array:
    """(T0 - T) / (T0 - df).

    Source:
        Bollen (1989), Sociological Methods & Research 17, eq. 5.
    """
    return ratio(np.asarray(T0) - T, np.asarray(T0) - df)


def incremental(T: Number, df: Number, T0: Number, df0: Number) -> dict[str, Array]:
    """Every index that compares the model with the independence model.

    Example:
        >>> list(incremental(85.3, 24, 918.9, 36))
        ['cfi', 'tli', 'nnfi', 'rfi', 'nfi', 'pnfi', 'ifi', 'rni']
    """
    lewis = tli(T, df, T0, df0)
    return {
        "cfi": cfi(T, df, T0, df0),
        "tli": lewis,
        "nnfi": lewis,
        "rfi": rfi(T, df, T0, df0),
        "nfi": nfi(T, df, T0, df0),
        "pnfi": pnfi(T, df, T0, df0),
        "ifi": ifi(T, df, T0),
        "rni": rni(T, df, T0, df0),
    }


def hoelter(T: Number, df: Number, N: Number, alpha: float) -> Array:
    """Critical N: the smallest sample in which F would be significant at `alpha`; NaN without degrees of freedom.

    CN = crit(df) / (T / N) + 1

    Source:
        Hoelter (1983), Sociological Methods & Research 11, p. 331 (in Bollen's form).

    Example:
        >>> hoelter(85.3055, 24, 301, 0.05).round(2).item()
        129.49
    """
    least = critical(df, alpha) if isinstance(df, int | float) else chdtri(freedom(df), alpha)
    return with_df(df, ratio(least * N, T) + 1, np.nan)


@lru_cache(maxsize=256)
def critical(df: float, alpha: float) -> float:
    """The value that a chi-square exceeds with probability `alpha`; with one degree of freedom where there are none.

    Example:
        >>> round(critical(1, 0.05), 4)
        3.8415
    """
    return float(chdtri(freedom(df), alpha))


def mfi(T: Number, df: Number, N: Number) -> Array:
    """exp(-(T - df) / (2 N)).

    Source:
        McDonald (1989), J. of Classification 6, p. 100.
    """
    return np.exp(-0.5 * (np.asarray(T) - df) / N)


def ecvi(T: Number, npar: Number, N: Number) -> Array:
    """T / N + 2 npar / N.

    Source:
        Browne & Cudeck (1993), Testing structural equation models, p. 147.
    """
    return np.asarray((np.asarray(T) + 2 * np.asarray(npar)) / N)


def wrmr(T: Number, moments: Number) -> Array:
    """sqrt(T / moments), T = N e'We with a diagonal W; of several groups T is the sum and `moments` those of one.

    Source:
        Yu (2002), Evaluating cutoff criteria of model fit indices, eq. 8.
    """
    return np.sqrt(np.asarray(T) / moments)


def information_criteria(loglik: Array, npar: int, n: Array) -> dict[str, Array]:
    """AIC = -2 l + 2 k, BIC = -2 l + k log n, SABIC = -2 l + k log((n + 2) / 24).

    Source:
        Akaike (1974); Schwarz (1978); Sclove (1987), Psychometrika 52, p. 342.
    """
    deviance = -2 * loglik
    return {
        "aic": deviance + 2 * npar,
        "bic": deviance + npar * np.log(n),
        "sabic": deviance + npar * np.log((n + 2) / 24),
    }
