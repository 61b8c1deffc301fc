"""Robust fit indices: the population's index estimated from a statistic and the expectation of its noise.

    T - c df estimates N F0, where T has the expectation c df in a model that holds

Complete continuous answers: T of the fit and c of its scaled test. Absent answers and ordinal items: T is the normal
discrepancy of the estimated moments, c follows from how they and the parameters were estimated.

Letters: `b` slices, `M` moments, `k` parameters, `r` working parameters, `g` groups.

Source:
    Brosseau-Liard, Savalei & Li (2012), MBR 47; Brosseau-Liard & Savalei (2014), MBR 49; Savalei (2018), MBR 53;
    ordinal: Savalei (2021), MBR 56; absent answers: Zhang & Savalei (2023), Psychological Methods 28.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.measures.baseline import Baseline
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, Test
from csi.sem.robust import apply


@dataclass(frozen=True, slots=True)
class Corrected:
    """What robust indices are made of.

    Attributes:
        T, c: (b,) statistic of the model and its scaling factor; T0, c0: of the independence model.
        tested, factor: (b,) statistic and factor that the interval of RMSEA is made of.
    """

    T: Array
    c: Array
    T0: Array
    c0: Array
    tested: Array
    factor: Array


@dataclass(frozen=True, slots=True)
class Parts:
    """One group of one slice.

    Attributes:
        jacobian: (M, r). judged: (M, M) weight of the discrepancy that judges. fitted: (M, M) or (M,) weight that the
            estimates minimise. gamma: (M, M) covariance of sqrt(N_g) s. share: N_g / N.
        informing: (M, M) information that standard errors invert, where it is not `fitted`.
    """

    jacobian: Array
    judged: Array
    fitted: Array
    gamma: Array
    share: float
    informing: Array | None = None


def noise(parts: Sequence[Parts], *, efficient: bool = False) -> float:
    """Expectation of e'Ve: tr V (Gamma - 2 Gamma H D X D' + D C D'), X = (D'ID)^-1, over all groups.

    V judges, H is the weight that the estimates minimise, I the information (H unless `informing` says otherwise) and
    C = X D'H Gamma H D X the covariance of the parameters. With V = H = I it is tr(U Gamma).

    Parameters:
        efficient: the parameters are taken to have the covariance C = X of their information.

    Source:
        Savalei (2021), MBR 56, eq. 13.

    Example:
        >>> one = Parts(np.array([[1.0], [0.0]]), np.eye(2), np.ones(2), np.diag([5.0, 3.0]), 1.0)
        >>> noise([one])
        3.0
    """
    r = parts[0].jacobian.shape[1]
    X, cross, judged, spread = (np.zeros((r, r)) for _ in range(4))
    first = 0.0
    for p in parts:
        D, HD = p.jacobian, apply(p.fitted, p.jacobian)
        VD = p.judged @ D
        first += float(np.sum(p.judged * p.gamma))
        X += p.share * D.T @ (HD if p.informing is None else p.informing @ D)
        cross += p.share * HD.T @ (p.gamma @ VD)
        judged += p.share * D.T @ VD
        spread += p.share * HD.T @ (p.gamma @ HD)
    inner = np.linalg.inv(X)
    spread = X if efficient else spread
    return first - 2 * float(np.trace(inner @ cross)) + float(np.trace(inner @ judged @ inner @ spread))


def scaling(test: Test, df: int) -> Array:
    """(b,) mean scaling factor tr(U Gamma) / df, whatever the form of the test; NaN where it has no statistic."""
    return np.where(np.isfinite(test.statistic), test.traces["first"] / max(df, 1), np.nan)


def complete(fit: Fitted, base: Baseline) -> Corrected | None:
    """The corrections of a fit to complete continuous answers; None where no robust index is defined.

    Agrees with lavaan 0.6-14, except the CFI and TLI of WLSM, and of WLSMV with covariates: it prints the unscaled ones
    as robust there (Holzinger, WLSM: .976; .961 for WLSMV, which is the same fit, and by the formula), beside an RMSEA
    that is robust. T - c df is noise of mean 0 in a model that holds; T - df is not (tests/measures).
    """
    scaled, scaled0 = fit.scaled, base.scaled
    if scaled is None or scaled0 is None or scaled.name == "mean.var.adjusted":
        return None
    c, c0 = scaling(scaled, fit.df), scaling(scaled0, base.df)
    return Corrected(fit.test.statistic, c, base.chi2, c0, scaled.statistic, scaled.factor)


def from_noise(T: Array, expected: Array, df: int, T0: Array, expected0: Array, df0: int) -> Corrected:
    """Corrections from statistics and their expectations in models that hold."""
    c = expected / max(df, 1)
    return Corrected(T, c, T0, expected0 / max(df0, 1), T / c, c)
