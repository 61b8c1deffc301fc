"""The item statistics of one construct, as arrays, with the reason of every value that cannot be.

Letters: `n` rows, `k` items of the construct, `v` of them that vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.measures.blocks import correlations
from csi.measures.consistency.one_factor import minres, omega_standardised
from csi.measures.item_analysis.item_rest import (
    alpha_if_dropped,
    alpha_if_reversed,
    alpha_of,
    corrected_total,
    item_rest,
    item_total,
    left_out,
    standardised_total,
    without_each,
)
from csi.measures.item_analysis.left_over import about_their_mean, residual_correlations
from csi.moments.stack import Array

DEPENDENT = 4
"""Items from which a factor leaves residuals that say something: three fit one factor exactly."""


@dataclass(frozen=True, slots=True)
class OfConstruct:
    """What the items of one construct are to each other.

    Attributes:
        item_rest, item_total, item_total_std, item_total_smc, loading, alpha_if_dropped, omega_if_dropped,
            alpha_if_reversed: (k,), NaN where absent. reasons: (k,) codes of why, in one text with spaces between.
        alpha, alpha_std, omega, mean_r: of the items that vary; why: code of what is absent among them, else "".
        q3, q3_adjusted: (k, k) residual correlations after one factor, as they are and less their mean. q3_reason.
    """

    item_rest: Array
    item_total: Array
    item_total_std: Array
    item_total_smc: Array
    loading: Array
    alpha_if_dropped: Array
    omega_if_dropped: Array
    alpha_if_reversed: Array
    reasons: tuple[str, ...]
    alpha: float
    alpha_std: float
    omega: float
    mean_r: float
    why: str
    q3: Array
    q3_adjusted: Array
    q3_reason: str


def of_construct(rows: Array, weight: Array, cov: Array) -> OfConstruct:
    """Item statistics of one construct; items without variance leave the scale and bear their reason.

    Parameters:
        rows: (n, k) answers, NaN where absent. weight: (n,). cov: (k, k) from the rows that answer both of a pair.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
        >>> rows = np.stack([x, x[[1, 0, 2, 4, 3]]], axis=1)
        >>> found = of_construct(rows, np.ones(5), np.cov(rows.T))
        >>> round(found.alpha, 4), found.reasons
        (0.8889, ('R-TWO-ITEMS', 'R-TWO-ITEMS'))
    """
    at = np.flatnonzero(np.diag(cov) > 0)
    k, v, inner = len(cov), at.size, cov[np.ix_(at, at)]
    told = np.full(k, "R-CONSTANT", dtype=object)
    told[np.isnan(rows).all(axis=0) & ~(np.diag(cov) >= 0)] = "R-NO-ANSWERS"
    if v < 2 or not np.isfinite(inner).all():
        why = ("R-CONSTANT", "R-ONE-ITEM")[v] if v < 2 else "R-PAIR"
        told[at] = why
        return _nothing(k, tuple(str(code) for code in told), why)
    cor, sd = correlations(inner), np.sqrt(np.diag(inner))
    loading = minres(cor[None])
    settled = bool(np.isfinite(loading).all())
    without = _omega_without(cor, sd)
    omega = float(omega_standardised(loading[0], sd))
    found = {
        "item_rest": item_rest(inner),
        "item_total": item_total(rows[:, at], weight),
        "item_total_std": standardised_total(cor),
        "item_total_smc": corrected_total(cor),
        "loading": loading[0],
        "alpha_if_dropped": alpha_if_dropped(inner),
        "omega_if_dropped": without,
        "alpha_if_reversed": alpha_if_reversed(inner),
    }
    singular = not np.isfinite(found["item_total_smc"]).all()
    told[at] = [_why(v, one, settled=settled, singular=singular) for one in without]
    q3, adjusted, why_q3 = _dependence(cor, loading, settled=settled)
    return OfConstruct(
        **{name: _spread(value, at, k) for name, value in found.items()},
        reasons=tuple(str(code) for code in told),
        alpha=float(alpha_of(inner)),
        alpha_std=float(alpha_of(cor)),
        omega=omega,
        mean_r=float(cor[np.triu_indices(v, 1)].mean()),
        why="R-TWO-ITEMS" if v < 3 else "" if np.isfinite(omega) else "R-HEYWOOD",
        q3=_square(q3, at, k),
        q3_adjusted=_square(adjusted, at, k),
        q3_reason=why_q3,
    )


def _nothing(k: int, reasons: tuple[str, ...], why: str) -> OfConstruct:
    """Of items that cannot be compared with each other."""
    absent, square = np.full(k, np.nan), np.full((k, k), np.nan)
    last = "R-PAIR" if why == "R-PAIR" else "R-Q3-ITEMS"
    return OfConstruct(
        absent, absent, absent, absent, absent, absent, absent, absent, reasons,
        np.nan, np.nan, np.nan, np.nan, why, square, square, last,
    )  # fmt: skip


def _omega_without(cor: Array, sd: Array) -> Array:
    """(v,) omega of the others without each item; NaN for fewer than three others, or a loading beyond 1."""
    v = len(sd)
    if v < 4:
        return np.full(v, np.nan)
    return omega_standardised(minres(left_out(cor)), sd[without_each(v)])


def _dependence(cor: Array, loading: Array, *, settled: bool) -> tuple[Array, Array, str]:
    """Residual correlations after one factor, less their mean too; the code of why there are none."""
    absent = np.full(cor.shape, np.nan)
    if len(cor) < DEPENDENT:
        return absent, absent, "R-Q3-ITEMS"
    if not settled or (np.abs(loading[0]) >= 1).any():
        return absent, absent, "R-HEYWOOD"
    q3 = residual_correlations(cor[None], loading)
    return q3[0], about_their_mean(q3)[0], ""


def _why(v: int, omega: float, *, settled: bool, singular: bool) -> str:
    """Codes of what is absent for an item of v that vary, whose others have this omega."""
    told = {2: ["R-TWO-ITEMS"], 3: ["R-THREE-ITEMS"]}.get(v, [] if np.isfinite(omega) else ["R-HEYWOOD"])
    told += ["R-HEYWOOD"] if v > 2 and not settled else []
    told += ["R-SINGULAR"] if singular else []
    return " ".join(dict.fromkeys(told))


def _spread(values: Array, at: np.ndarray, k: int) -> Array:
    full = np.full(k, np.nan)
    full[at] = values
    return full


def _square(values: Array, at: np.ndarray, k: int) -> Array:
    full = np.full((k, k), np.nan)
    full[np.ix_(at, at)] = values
    return full
