"""Robust fit indices: the population's index estimated from a test statistic and the expectation of its noise.

    T - c df estimates N F0 where T has the expectation c df in a model that holds

Source:
    Brosseau-Liard, Savalei & Li (2012), MBR 47; Brosseau-Liard & Savalei (2014), MBR 49; Savalei (2018), MBR 53.
"""

from __future__ import annotations

from dataclasses import dataclass

from csi.measures.baseline import Baseline
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, Test


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


def scaling(test: Test, df: int) -> Array:
    """(b,) mean scaling factor tr(U Gamma) / df, whatever the form of the test."""
    return test.traces["first"] / max(df, 1)


def corrected(fit: Fitted, base: Baseline) -> Corrected | None:
    """The corrections of a fit to complete continuous answers; None where no robust index is defined."""
    scaled, scaled0 = fit.scaled, base.scaled
    if scaled is None or scaled0 is None or scaled.name == "mean.var.adjusted":
        return None
    c, c0 = scaling(scaled, fit.df), scaling(scaled0, base.df)
    return Corrected(fit.test.statistic, c, base.chi2, c0, scaled.statistic, scaled.factor)
