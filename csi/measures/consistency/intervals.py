"""From an estimate with its error, or with replicates, to an interval, on the logit scale where it can.

Letters: `B` replicates.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtri

from csi.inference.draws import percentiles, standard_error
from csi.moments.stack import Array

Limits = Literal["logit", "percentile"]
"""Estimate and standard error on the logit scale, or quantiles of the replicates."""


class Bounds(NamedTuple):
    """Standard error, limits, and what kind of limits they are; None where there are none."""

    std_error: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    interval: str | None = None


def by_error(value: float, error: float, level: float, way: str) -> Bounds:
    """Limits of a coefficient: logit(r) -+ z se / (r (1 - r)); r -+ z se where r lies outside 0 to 1.

    Parameters:
        way: where the error is from, which names the interval: "rows" -> "rows logit".

    Source:
        Raykov & Marcoulides (2011), Introduction to psychometric theory, 7.7; Kelley & Pornprasertmanit (2016),
        Psychological Methods 21(1), 69-92.

    Example:
        >>> [round(v, 4) for v in by_error(0.8, 0.05, 0.95, "rows")[1:3]]
        [0.6843, 0.8807]
    """
    if not np.isfinite(value) or not np.isfinite(error):
        return Bounds()
    z = float(ndtri((1 + level) / 2))
    if error <= 0 or not 0 < value < 1:
        return Bounds(error, value - z * error, value + z * error, f"{way} normal")
    middle, wide = float(logit(value)), z * error / (value * (1 - value))
    return Bounds(error, float(expit(middle - wide)), float(expit(middle + wide)), f"{way} logit")


def by_draws(value: float, draws: Array, level: float, limits: Limits, way: str = "bootstrap") -> Bounds:
    """Limits of a coefficient from its replicates (B,); those without a value are left out.

    Example:
        >>> round(by_draws(0.5, np.linspace(0.4, 0.6, 101), 0.9, "percentile").conf_low, 6)
        0.41
    """
    error = float(standard_error(draws[:, None])[0])
    if limits == "logit" or not np.isfinite(error):
        return by_error(value, error, level, way)
    low, high = percentiles(draws[:, None], level)
    return Bounds(error, float(low[0]), float(high[0]), f"{way} percentile")
