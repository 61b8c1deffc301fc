"""Adapter for pingouin: Cronbach's alpha and intraclass correlations, with intervals, as a second opinion."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType

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
    pd, pingouin = _loaded("alpha")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alpha, bounds = pingouin.cronbach_alpha(pd.DataFrame(rows), nan_policy="listwise", ci=level)
    low, high = np.asarray(bounds, dtype=np.float64)
    return SecondAlpha(float(alpha), float(low), float(high), level)


@dataclass(frozen=True, slots=True)
class SecondIcc:
    """Intraclass correlations as pingouin gives them, by Shrout and Fleiss' names: ICC1 to ICC3 and ICC1k to ICC3k.

    Attributes:
        value, statistic, p_value: by name. limits: by name, 95 %, with two decimals in some versions.
    """

    value: dict[str, float]
    statistic: dict[str, float]
    p_value: dict[str, float]
    limits: dict[str, tuple[float, float]]


def intraclass_corr(rows: Array) -> SecondIcc:
    """Every form of the intraclass correlation; incomplete subjects are left out.

    Parameters:
        rows: (n, k) measurements of n subjects by k raters.

    Raises:
        MissingPackage: pingouin is not installed.

    Source:
        Shrout & Fleiss (1979), Psychological Bulletin 86(2), 420-428.

    Example:
        >>> round(intraclass_corr(np.array([[1.0, 2], [2, 2], [3, 4], [4, 4], [5, 5]])).value["ICC3"], 6)
        0.930233
    """
    pd, pingouin = _loaded("intraclass correlations")
    kept = rows[np.isfinite(rows).all(axis=1)]
    n, k = kept.shape
    long = pd.DataFrame(
        {"subject": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n), "score": kept.ravel()}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pingouin.intraclass_corr(long, targets="subject", raters="rater", ratings="score")
    lines = found.to_dict("records")
    named = dict(zip(_FORMS, lines, strict=True))
    limits = "CI95" if "CI95" in found.columns else "CI95%"
    return SecondIcc(
        {form: float(line["ICC"]) for form, line in named.items()},
        {form: float(line["F"]) for form, line in named.items()},
        {form: float(line["pval"]) for form, line in named.items()},
        {form: (float(line[limits][0]), float(line[limits][1])) for form, line in named.items()},
    )


_FORMS = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
"""In the order of pingouin's lines, whatever it calls them."""


def _loaded(what: str) -> tuple[ModuleType, ModuleType]:
    """Pandas and pingouin.

    Raises:
        MissingPackage: pingouin is not installed.
    """
    try:
        # pingouin takes seconds to load and brings pandas: only when a second opinion is asked for
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas as pd
            import pingouin
    except ImportError as error:
        raise MissingPackage(f"a second opinion on {what} needs pingouin: pip install pingouin") from error
    return pd, pingouin
