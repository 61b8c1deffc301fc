"""Adapter for statsmodels: robust regression as a second opinion on a structural equation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from csi.errors import MissingPackage, Note, note
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class RobustRegression:
    """Slopes of one regression by two methods that trust different things.

    Attributes:
        ols: (k,) least squares slopes; ols_error: (k,) HC3 standard errors (valid under unequal variances).
        huber: (k,) Huber M-estimates (outliers count less); huber_error: (k,).
        intercepts: of the two fits. n: rows used. r2: of least squares. notes: what is doubtful.
    """

    ols: Array
    ols_error: Array
    huber: Array
    huber_error: Array
    intercepts: tuple[float, float]
    n: int
    r2: float
    notes: tuple[Note, ...] = ()

    def interval(self, level: float = 0.95) -> tuple[Array, Array, Array, Array]:
        """Normal intervals: low and high of least squares, low and high of Huber."""
        z = float(ndtri((1 + level) / 2))
        return (
            self.ols - z * self.ols_error,
            self.ols + z * self.ols_error,
            self.huber - z * self.huber_error,
            self.huber + z * self.huber_error,
        )


def robust_regression(y: Array, X: Array, weight: Array | None = None) -> RobustRegression:
    """Regress y on X with an intercept: (weighted) least squares with HC3 errors, and Huber's M-estimator (k = 1.345).

    The M-estimator takes no design weights; with unequal weights a note says that Huber's slopes are unweighted.

    Parameters:
        y: (n,). X: (n, k). weight: (n,) design weights or None.

    Returns:
        A `RobustRegression`.

    Raises:
        MissingPackage: statsmodels is not installed.

    Source:
        MacKinnon & White (1985), J. of Econometrics 29 (HC3); Huber (1964), Ann. of Mathematical Statistics 35.

    Example:
        >>> x = np.arange(8.0)[:, None]
        >>> fit = robust_regression(2.0 + 3.0 * x[:, 0] + np.array([0.1, -0.1] * 4), x)
        >>> fit.ols.round(2).tolist()
        [2.99]
    """
    try:
        # statsmodels takes a second to load: only when a second opinion is asked for
        import statsmodels.api as sm
    except ImportError as error:
        raise MissingPackage("robust regression needs statsmodels: pip install statsmodels") from error
    design = np.column_stack([np.ones(len(y)), X])
    notes: list[Note] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights = np.ones(len(y)) if weight is None else weight
        least = sm.WLS(y, design, weights=weights).fit(cov_type="HC3")
        huber = sm.RLM(y, design, M=sm.robust.norms.HuberT()).fit()
    if caught:
        told = "; ".join(sorted({str(w.message) for w in caught}))
        notes.append(note("statsmodels", f"statsmodels says: {told}", f"statsmodels 提示：{told}"))
    if weight is not None and np.ptp(weight) > 0:
        en = "Huber's slopes ignore the design weights (statsmodels has no weighted M-estimator)."
        notes.append(note("unweighted", en, "Huber 估计未使用设计权重（statsmodels 没有加权的 M 估计）。"))
    return RobustRegression(
        ols=np.asarray(least.params, dtype=np.float64)[1:],
        ols_error=np.asarray(least.bse, dtype=np.float64)[1:],
        huber=np.asarray(huber.params, dtype=np.float64)[1:],
        huber_error=np.asarray(huber.bse, dtype=np.float64)[1:],
        intercepts=(float(least.params[0]), float(huber.params[0])),
        n=len(y),
        r2=float(least.rsquared),
        notes=tuple(notes),
    )
