"""Agreement on categories beyond chance: Cohen's kappa, weighted kappa, Fleiss' kappa.

Letters: `v` categories, `u` units, `c` raters, `B` replicates.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from csi.moments.stack import Array

Weights = Literal["none", "linear", "quadratic"]
"""How much of an agreement two different categories are."""


class Kappa(NamedTuple):
    """Kappa with its large-sample standard error, and the shares of agreement: found and by chance."""

    value: float
    std_error: float
    found: float
    chance: float


def agreement_weights(v: int, weights: Weights) -> Array:
    """(v, v) 1 on the diagonal; off it 0, 1 - |i - j| / (v - 1), or 1 - (i - j)^2 / (v - 1)^2.

    Example:
        >>> agreement_weights(3, "linear").tolist()
        [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    apart = np.abs(np.arange(v)[:, None] - np.arange(v)) / max(v - 1, 1)
    return np.asarray({"none": (apart == 0) * 1.0, "linear": 1 - apart, "quadratic": 1 - apart**2}[weights])


def cohen(table: Array, weights: Weights = "none") -> Kappa:
    """Cohen's (weighted) kappa of a table of two raters.

    kappa = (po - pe) / (1 - pe), po = sum w_ij p_ij, pe = sum w_ij p_i. p_.j

    Parameters:
        table: (v, v) counts, categories in order. weights: "none", "linear" or "quadratic".

    Returns:
        NaN where chance alone agrees throughout (one category).

    Source:
        Cohen (1960), Educational and Psychological Measurement 20(1), 37-46; (1968), Psychological Bulletin 70(4),
        213-220; errors: Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72(5), 323-327.

    Example:
        >>> found = cohen(np.array([[20.0, 5.0], [10.0, 15.0]]))
        >>> round(found.value, 4), round(found.std_error, 4)
        (0.4, 0.127)
    """
    n = table.sum()
    w = agreement_weights(len(table), weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = table / n
        rows, columns = p.sum(axis=1), p.sum(axis=0)
        found, chance = float((w * p).sum()), float(rows @ w @ columns)
        if not chance < 1:
            return Kappa(float("nan"), float("nan"), found, chance)
        ends = (w @ columns)[:, None] + (rows @ w)[None, :]
        inner = (p * (w * (1 - chance) - ends * (1 - found)) ** 2).sum()
        rest = (found * chance - 2 * chance + found) ** 2
        error = np.sqrt(max(inner - rest, 0.0) / n) / (1 - chance) ** 2
    return Kappa((found - chance) / (1 - chance), float(error), found, chance)


def fleiss(counts: Array) -> float:
    """Fleiss' kappa of units that the same number of raters sorted.

    Parameters:
        counts: (u, v) how many raters gave each unit each category.

    Returns:
        NaN where one category is all there is.

    Source:
        Fleiss (1971), Psychological Bulletin 76(5), 378-382.

    Example:
        >>> round(fleiss(np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])), 4)
        0.3333
    """
    return float(fleiss_weighted(counts, np.ones(len(counts))))


def fleiss_weighted(counts: Array, weight: Array) -> Array:
    """(...) Fleiss' kappa of units (u, v) that count `weight` (..., u) times: of resamples of units."""
    raters = counts.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = ((counts**2).sum(axis=-1) - raters) / (raters * (raters - 1))
        total = weight.sum(axis=-1)
        found = (weight @ alike) / total
        share = (weight @ (counts / raters[:, None])) / total[..., None]
        chance = (share**2).sum(axis=-1)
        return np.asarray(np.where(chance < 1, (found - chance) / (1 - chance), np.nan))
