"""What a point of the target costs, and from which worth of a point a cost is met.

cost per point = cost / change;   net = worth x change - cost;   it breaks even where worth = cost / change
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy.special import ndtr

from csi.measures.tidy import tidy
from csi.moments.stack import Array


def costs_of(
    cells: pl.DataFrame, numbers: Mapping[str, Array], draws: Array, money: tuple[int, float | None, float | None]
) -> pl.DataFrame:
    """One row per cell: cost, change, per_point with limits, worth, net with limits, breaks_even.

    Parameters:
        cells: key columns and n. numbers: change, std_error, conf_low, conf_high (b, ...). draws: (B, b) of the change,
            none where there are none. money: place of the target among the numbers, the cost, what a point is worth.
    """
    place, cost, worth = money
    if cost is None:
        return pl.DataFrame()
    change, error, low, high = (numbers[n][:, [place]] for n in ("change", "std_error", "conf_low", "conf_high"))
    told = {"cost": np.full_like(change, cost), "change": change, "per_point": per_point(cost, change)}
    told |= {"per_point_low": per_point(cost, high), "per_point_high": per_point(cost, low)}
    if worth is not None:
        told |= {"worth": np.full_like(change, worth), "net": worth * change - cost}
        told |= {"net_low": worth * low - cost, "net_high": worth * high - cost}
        told["breaks_even"] = breaks_even(change[:, 0], error[:, 0], draws, cost / worth)[:, None]
    return tidy(cells, pl.DataFrame({"what": ["target"]}), told).drop("what")


def per_point(cost: float, change: Array) -> Array:
    """The cost of one point; NaN where nothing is gained.

    Example:
        >>> per_point(1000.0, np.array([2.0, -0.5])).tolist()
        [500.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(change > 0, cost / change, np.nan), dtype=np.float64)


def breaks_even(change: Array, error: Array, draws: Array, needed: float) -> Array:
    """(b,) share of the draws whose change is at least what is needed; by the normal curve where there are no draws.

    Draws of the model's change are moved to that which is left at the ends of the scale.

    Example:
        >>> breaks_even(np.array([2.0]), np.array([0.5]), np.empty((0, 1)), 2.0).tolist()
        [0.5]
    """
    if not len(draws):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(ndtr((change - needed) / error), dtype=np.float64)
    known = np.isfinite(draws)
    moved = draws - np.nanmedian(np.where(known.any(axis=0), draws, 0.0), axis=0) + change
    share = np.where(known, moved >= needed, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(np.isfinite(change), share, np.nan), dtype=np.float64)
