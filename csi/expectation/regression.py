"""Least squares with errors that follow the design, and tests of several claims at once.

Letters: `n` rows, `k` columns (the first is 1), `q` restrictions, `u` units, `B` replicates.

"robust": HC2 where every row is a unit of its own, else CR2 over units within strata; t and F (Hotelling's) with the
degrees of freedom that the covariance itself has (Bell & McCaffrey; Pustejovsky & Tipton).
"hc3": HC3 or CR3, t and F = W / q with n - k (units less strata), as R's sandwich and car print them; too wide, and its
joint tests reject too often. "classical": one variance for all rows, as textbooks' F tests have it.

Source:
    MacKinnon & White (1985), J. of Econometrics 29, 305-325; Greene (2012), Econometric Analysis, 5.4;
    Bell & McCaffrey (2002), Survey Methodology 28(2), 169-181; Pustejovsky & Tipton (2018), JBES 36(4), 672-683.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import fdtrc

from csi.inference.linearised import Known, critical, p_of_t
from csi.inference.sandwich import Slopes, robust_slopes
from csi.moments.stack import Array, Ints

Errors = Literal["robust", "hc3", "classical"]

SPARE: Final = 4
"""Rows that must remain beyond the columns."""


@dataclass(frozen=True, slots=True)
class Regression:
    """Slopes of one regression.

    Attributes:
        found: slopes with their covariance by the design. plain: (k, k) with one variance for all rows. df_rows: n - k.
        r2, r2_adjusted. n: rows.
    """

    found: Slopes
    plain: Array
    df_rows: float
    r2: float
    r2_adjusted: float
    n: int

    @property
    def slopes(self) -> Array:
        """(k,)."""
        return self.found.slopes

    def combined(self, L: Array, level: float, errors: Errors = "robust") -> dict[str, Array]:
        """Columns estimate, std_error, statistic, df, p_value, conf_low, conf_high of the combinations L b.

        Parameters:
            L: (m, k).
        """
        V, fixed = self._between(errors)
        df = self.found.df_of(L) if errors == "robust" else np.full(len(L), fixed)
        return judged(L @ self.slopes, np.sqrt(np.einsum("mi,ij,mj->m", L, V, L)), df, level)

    def _between(self, errors: Errors) -> tuple[Array, float]:
        """(k, k) covariance of the slopes and the degrees of freedom that the design gives it."""
        if errors == "classical":
            return self.plain, self.df_rows
        return (self.found.hc3 if errors == "hc3" else self.found.cov), self.found.design_df

    def wald(self, L: Array, errors: Errors = "robust") -> tuple[float, float, float, float]:
        """F, its two degrees of freedom and p of L b = 0; NaN where the restrictions cannot be told apart.

            classical, hc3: F = W / q on (q, n - k),  robust: F = W (df - q + 1) / (q df) on (q, df - q + 1)
            W = (L b)' (L V L')^-1 L b

        The robust form is Hotelling's, as V is itself an estimate with df degrees of freedom (`Slopes.joint_df`).
        Of four true restrictions it rejects 1.9 % at nominal 5 % with 60 rows, 2.7 with 100, 4 to 6 with 250
        (tests/slow/forms_coverage.md): careful where rows are few.

        Parameters:
            L: (q, k).

        Source:
            Korn & Graubard (1990), The American Statistician 44(4), 270-276; Pustejovsky & Tipton (2018).
        """
        if errors == "robust":
            return self.found.joint(L)
        V, df = self._between(errors)
        between, q = L @ V @ L.T, len(L)
        if df <= 0 or np.linalg.matrix_rank(between, hermitian=True) < q:
            return np.nan, float(q), df, np.nan
        away = L @ self.slopes
        value = float(away @ np.linalg.solve(between, away)) / q
        return value, float(q), df, float(fdtrc(q, df, max(value, 0.0)))


def judged(estimate: Array, error: Array, df: Array, level: float) -> dict[str, Array]:
    """Columns estimate, std_error, statistic, df, p_value, conf_low, conf_high by t.

    Example:
        >>> float(judged(np.array([2.0]), np.array([1.0]), np.array([30.0]), 0.95)["p_value"][0].round(4))
        0.0546
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    reach = critical(level, df) * error
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": statistic,
        "df": df,
        "p_value": p_of_t(statistic, df),
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
    }


def regress(
    X: Array, y: Array, weight: Array, unit: Ints, stratum: Ints, known: Known | None = None
) -> Regression | None:
    """Weighted least squares of y on X; None where rows are too few, y is constant or columns are dependent.

    Parameters:
        X: (n, k), complete, the first column 1. y, weight: (n,). unit: (n,) of each row. stratum: (units,).
        known: margins and populations (`Design.of`).

    Example:
        >>> X = np.column_stack([np.ones(8), np.arange(8.0)])
        >>> y = np.array([0.0, 1, 3, 3, 4, 6, 6, 7])
        >>> found = regress(X, y, np.ones(8), np.arange(8), np.zeros(8, dtype=np.int64))
        >>> found.slopes.round(3).tolist(), round(found.r2, 3), found.found.df.round(2).tolist()
        ([0.25, 1.0], 0.966, [2.71, 3.4])
    """
    n, k = X.shape
    if n < k + SPARE or np.ptp(y) == 0 or not _independent(X, weight):
        return None
    found = robust_slopes(X, y, weight, unit, stratum, known)
    residual = y - X @ found.slopes
    centre = weight @ y / weight.sum()
    left, whole = float(weight @ residual**2), float(weight @ (y - centre) ** 2)
    plain = left / (n - k) * np.linalg.inv((X * weight[:, None]).T @ X)
    r2 = 1 - left / whole
    adjusted = 1 - (1 - r2) * (n - 1) / (n - k)
    return Regression(found, plain, float(n - k), r2, adjusted, n)


def _independent(X: Array, weight: Array) -> bool:
    """Whether no column follows from the others, to rounding."""
    root = X * np.sqrt(weight)[:, None]
    size = np.sqrt((root**2).sum(axis=0))
    return bool((size > 0).all()) and np.linalg.matrix_rank(root / size) == X.shape[1]


def slopes_again(X: Array, y: Array, weight: Array, multiplicity: Array) -> Array:
    """(B, k) slopes of resamples; NaN where a resample cannot tell the columns apart.

    Parameters:
        X: (n, k). y, weight: (n,). multiplicity: (B, n) how often each row counts.
    """
    n, k = X.shape
    Z = np.column_stack([X, y])
    cross = (Z[:, :, None] * Z[:, None, :]).reshape(n, -1)
    moments = ((multiplicity * weight) @ cross).reshape(-1, k + 1, k + 1)
    A, b = moments[:, :k, :k], moments[:, :k, k]
    size = np.sqrt(np.einsum("bii->bi", A))
    size = np.where(size > 0, size, 1.0)
    scaled = A / (size[:, :, None] * size[:, None, :])
    whole = np.linalg.cond(scaled) < 1e12
    found = np.full(b.shape, np.nan)
    found[whole] = np.linalg.solve(scaled[whole], (b / size)[whole][:, :, None])[:, :, 0] / size[whole]
    return found
