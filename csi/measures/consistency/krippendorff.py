"""Agreement between coders: Krippendorff's alpha.

    alpha = 1 - D_o / D_e,   D_o = sum_ck o_ck d_ck / n,   D_e = sum_ck n_c n_k d_ck / (n (n - 1))

o_ck counts pairs of values c and k that two coders gave to one unit, each unit's pairs divided by (coders - 1); n is
the number of values in units with two or more; d is 0 or 1 (nominal), the squared difference (interval) or the squared
distance in ranks (ordinal).

Letters: `c` coders, `u` units, `v` distinct values, `B` replicates.

Source:
    Krippendorff (2011), Computing Krippendorff's alpha-reliability, Annenberg School; Hayes & Krippendorff (2007),
    Communication Methods and Measures 1(1), 77-89 (bootstrap of units).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from csi.moments.stack import Array

Level = Literal["nominal", "ordinal", "interval"]
"""How values may be compared."""


def coincidences(values: Array) -> tuple[Array, Array]:
    """Pairs of values within each unit.

    Parameters:
        values: (c, u), NaN where a coder did not code a unit.

    Returns:
        (v,) distinct values in order; (u, v, v) pairs of each unit, divided by its coders - 1.

    Example:
        >>> distinct, pairs = coincidences(np.array([[1.0, 1.0], [1.0, 2.0]]))
        >>> distinct.tolist(), pairs.sum(axis=0).tolist()
        ([1.0, 2.0], [[2.0, 1.0], [1.0, 0.0]])
    """
    distinct = np.unique(values[np.isfinite(values)])
    counts = (values[:, :, None] == distinct).sum(axis=0).astype(np.float64)
    coders = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(distinct.size)
    usable = coders > 1
    return distinct, np.where(usable[:, None, None], pairs / np.where(usable, coders - 1, 1.0)[:, None, None], 0.0)


def alpha_of(distinct: Array, pairs: Array, level: Level = "nominal") -> Array:
    """(...) alpha from pairs (..., v, v) summed over units; NaN where all values are one.

    Parameters:
        distinct: (v,) values. pairs: (..., v, v). level: how values differ.
    """
    own = pairs.sum(axis=-1)
    n = own.sum(axis=-1)
    far = _distance(distinct, own, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = (pairs * far).sum(axis=(-2, -1)) / n
        chance = (own[..., :, None] * own[..., None, :] * far).sum(axis=(-2, -1)) / (n * (n - 1))
        return np.asarray(np.where(chance > 0, 1 - observed / chance, np.nan))


def krippendorff(values: Array, level: Level = "nominal") -> float:
    """Alpha of coders by units.

    Parameters:
        values: (c, u), NaN where a coder did not code a unit. level: "nominal", "ordinal" or "interval".

    Returns:
        1 where all agree, 0 where they agree as by chance; NaN where there is nothing to agree on.

    Example:
        >>> round(krippendorff(np.array([[1.0, 1, 2, 2], [1.0, 1, 2, 1]])), 4)
        0.5333
    """
    distinct, pairs = coincidences(values)
    return float(alpha_of(distinct, pairs.sum(axis=0), level)) if distinct.size > 1 else float("nan")


def _distance(distinct: Array, own: Array, level: Level) -> Array:
    """(..., v, v) how far values are apart."""
    if level == "nominal":
        return 1.0 - np.eye(distinct.size)
    if level == "interval":
        return np.asarray((distinct[:, None] - distinct) ** 2)
    middle = np.cumsum(own, axis=-1) - own / 2
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2)
