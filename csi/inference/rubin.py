"""Rubin's rules on arrays: what several completed data sets say together.

Letters: `m` imputations along axis 0; every other axis is a quantity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from csi.inference.intervals import Alternative
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Combined:
    """One array per quantity.

    Attributes:
        value: mean over the imputations. std_error: root of the total variance. df: degrees of freedom of its t.
        within, between: variances inside and between imputations. missing: fraction of missing information.
    """

    value: Array
    std_error: Array
    df: Array
    within: Array
    between: Array
    missing: Array

    def interval(self, level: float, alternative: Alternative = "two-sided") -> tuple[Array, Array]:
        """Limits of the t interval at `level`; one-sided ones are open at one end."""
        if alternative == "two-sided":
            reach = stdtrit(self.df, (1 + level) / 2) * self.std_error
            return self.value - reach, self.value + reach
        reach, open_ = stdtrit(self.df, level) * self.std_error, np.full_like(self.value, np.inf)
        return (self.value - reach, open_) if alternative == "greater" else (-open_, self.value + reach)

    def p_value(self, alternative: Alternative = "two-sided") -> Array:
        """The p of the quantity being 0, or of its being no greater or no less."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.value / self.std_error
            if alternative == "two-sided":
                return np.asarray(2 * stdtr(self.df, -np.abs(t)))
            return np.asarray(stdtr(self.df, -t if alternative == "greater" else t))


def rubin(values: Array, errors: Array, complete: Array | float = np.inf) -> Combined:
    """Estimates and standard errors of m completed data sets combined.

    T = W + (1 + 1/m) B;   lambda = (1 + 1/m) B / T;   1 / df = lambda^2 / (m - 1) + 1 / df_obs,
    df_obs = df_c (df_c + 1) / (df_c + 3) (1 - lambda);   missing = (r + 2 / (df + 3)) / (r + 1), r = (1 + 1/m) B / W

    Parameters:
        values, errors: (m, ...) estimates and standard errors. complete: degrees of freedom df_c that complete data
            would have.

    Source:
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys, ch. 3; Barnard & Rubin (1999), Biometrika 86.

    Example:
        >>> found = rubin(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
        >>> found.value.item(), round(found.std_error.item() ** 2, 6), round(found.df.item(), 3)
        (2.0, 2.333333, 6.125)
    """
    m = len(values)
    value, within = values.mean(axis=0), (errors**2).mean(axis=0)
    between = values.var(axis=0, ddof=1)
    extra = (1 + 1 / m) * between
    total = within + extra
    with np.errstate(divide="ignore", invalid="ignore"):
        share, r = extra / total, extra / within
        slow = share**2 / (m - 1)
        full = np.broadcast_to(np.asarray(complete, dtype=np.float64), value.shape)
        seen = np.where(np.isinf(full), np.inf, (full + 1) / (full + 3) * full * (1 - share))
        df = 1 / (slow + 1 / seen)
        missing = (r + 2 / (df + 3)) / (r + 1)
    return Combined(value, np.sqrt(total), df, within, between, missing)
