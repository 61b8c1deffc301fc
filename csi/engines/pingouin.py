"""Adapter for pingouin: Cronbach's alpha and Feldt's interval as a second opinion."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from csi.errors import MissingPackage
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class SecondAlpha:
    """Raw alpha and its interval as pingouin gives them (the interval has three decimals)."""

    alpha: float
    conf_low: float
    conf_high: float
    level: float


def cronbach_alpha(rows: Array, level: float = 0.95) -> SecondAlpha:
    """Raw alpha of one block with Feldt's interval; incomplete rows are left out.

    Parameters:
        rows: (n, k) answers to the k items of one construct. level: of the interval.

    Returns:
        A `SecondAlpha`.

    Raises:
        MissingPackage: pingouin is not installed.

    Source:
        Feldt, Woodruff & Salih (1987), Applied Psychological Measurement 11.

    Example:
        >>> round(cronbach_alpha(np.array([[1.0, 2], [2, 2], [3, 4], [4, 4], [5, 5]])).alpha, 6)
        0.963855
    """
    try:
        # pingouin takes seconds to load and brings pandas: only when a second opinion is asked for
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas as pd
            import pingouin
    except ImportError as error:
        raise MissingPackage("a second opinion on alpha needs pingouin: pip install pingouin") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alpha, bounds = pingouin.cronbach_alpha(pd.DataFrame(rows), nan_policy="listwise", ci=level)
    low, high = np.asarray(bounds, dtype=np.float64)
    return SecondAlpha(float(alpha), float(low), float(high), level)
