"""How well so many factors reproduce correlations.

Letters: `p` items, `m` factors, `n` rows.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from csi.measures.factors.retained import freedom
from csi.measures.rmsea import rmsea_interval
from csi.moments.stack import Array


def fit_of(R: Array, L: Array, phi: Array, uniqueness: Array, n: int, pair_n: Array) -> dict[str, float]:
    """Tests and indices of a factor solution, defined as R's psych defines them.

    With F = log|S| - log|R| + tr(R S^-1) - p of S = L phi L' + Psi: chi2 = (n - 1 - (2 p + 5) / 6 - 2 m / 3) F;
    rmsea = sqrt(max(chi2 / (df n) - 1 / (n - 1), 0)); cfi and tli with the same multiplier of -log|R|;
    bic = chi2 - df log n. Of residuals r: chi2_residual = sum_(i != j) n_ij r_ij^2, rms = sqrt(mean_(i != j) r_ij^2),
    crms = rms with 2 df in place of the number of pairs, srmr = rms with the diagonal counted (as lavaan's).

    Parameters:
        R: (p, p). L: (p, m) pattern. phi: (m, m). uniqueness: (p,). n: rows. pair_n: (p, p) rows behind each
            correlation.

    Returns:
        chi2, df, p_value, rmsea, rmsea_low, rmsea_high (90 %), cfi, tli, bic, objective, chi2_residual, rms, crms,
        srmr; NaN where R is not positive definite or there are no degrees of freedom.

    Source: Bartlett (1951), Biometrika 38, 337-344; Steiger & Lind (1980); Tucker & Lewis (1973), Psychometrika 38,
        1-10; Bentler (1990), Psychological Bulletin 107, 238-246.

    Example:
        >>> R, L = np.full((4, 4), 0.49) + 0.51 * np.eye(4), np.full((4, 1), 0.7)
        >>> found = fit_of(R, L, np.eye(1), np.full(4, 0.51), 100, np.full((4, 4), 100))
        >>> found["df"], round(found["chi2"], 6), round(found["srmr"], 6)
        (2, 0.0, 0.0)
    """
    p, m = L.shape
    df = freedom(p, m)
    common = L @ phi @ L.T
    residual = (R - common) * (1 - np.eye(p))
    off = float((residual**2).sum())
    sizes = {
        "chi2_residual": float((pair_n * residual**2).sum()),
        "rms": float(np.sqrt(off / (p * (p - 1)))),
        "crms": float(np.sqrt(off / (2 * df))) if df > 0 else np.nan,
        "srmr": float(np.sqrt(off / (p * (p + 1)))),
    }
    return {**_tests(R, common + np.diag(uniqueness), (n, m, df)), **sizes}


def _tests(R: Array, implied: Array, size: tuple[int, int, int]) -> dict[str, float]:
    """What rests on the discrepancy of maximum likelihood."""
    (n, m, df), p = size, len(R)
    (sign, log_R), (good, log_S) = np.linalg.slogdet(R), np.linalg.slogdet(implied)
    names = ("chi2", "df", "p_value", "rmsea", "rmsea_low", "rmsea_high", "cfi", "tli", "bic", "objective")
    if sign <= 0 or good <= 0 or np.linalg.eigvalsh(R)[0] <= 1e-10:
        return dict.fromkeys(names, np.nan) | {"df": df}
    objective = max(float(log_S - log_R + np.trace(np.linalg.solve(implied, R)) - p), 0.0)
    multiplier = n - 1 - (2 * p + 5) / 6 - 2 * m / 3
    chi2, nothing = multiplier * objective, -multiplier * float(log_R)
    found = dict.fromkeys(names, np.nan) | {"chi2": chi2, "df": df, "objective": objective}
    if df > 0:
        low, high = rmsea_interval(np.array([chi2]), df, n - 1)
        free = p * (p - 1) / 2
        null, worst = nothing / free, max(nothing - free, chi2 - df, 0.0)
        found |= {
            "p_value": float(chdtrc(df, max(chi2, 0.0))),
            "rmsea": float(np.sqrt(max(chi2 / (df * n) - 1 / (n - 1), 0.0))),
            "rmsea_low": float(low[0]),
            "rmsea_high": float(high[0]),
            "cfi": 1 - max(chi2 - df, 0.0) / worst if worst > 0 else 1.0,
            "tli": (null - chi2 / df) / (null - 1),
            "bic": chi2 - df * float(np.log(n)),
        }
    return found
