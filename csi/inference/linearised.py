"""Weighted means of rows with the variance that the design gives them (Taylor linearisation).

Letters: `n` rows, `m` columns, `u` units. With weights w, mean x_ = sum w x / sum w and z_i = w_i (x_i - x_) / sum w:

    var = sum_h u_h / (u_h - 1) sum_{u in h} (z_u - z_h)^2,   z_u the sum of z_i over a unit, z_h its mean in stratum h

Without weights, clusters and strata this is s^2 / n.

Source:
    Lohr (2010), Sampling: design and analysis, 9.1; Binder (1983), Int. Statistical Review 51, 279-292.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

from csi.moments.stack import Array, Ints, Sample


@dataclass(frozen=True, slots=True)
class Means:
    """Weighted means of m columns.

    Attributes:
        n: (m,) rows with a value. mean, std_error: (m,). sd: (m,) of the rows, divisor n - 1. df: (m,) units less
            strata among those rows.
    """

    n: Array
    mean: Array
    std_error: Array
    sd: Array
    df: Array

    @property
    def statistic(self) -> Array:
        """(m,) mean / std_error."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.mean / self.std_error

    @property
    def p_value(self) -> Array:
        """(m,) two-sided, against 0."""
        return p_of_t(self.statistic, self.df)

    def interval(self, level: float) -> tuple[Array, Array]:
        """(m,) bounds by t."""
        reach = critical(level, self.df) * self.std_error
        return self.mean - reach, self.mean + reach


def means(values: Array, weight: Array, unit: Ints, stratum: Ints) -> Means:
    """Means of columns with design-based errors.

    Parameters:
        values: (n, m), NaN where absent. weight: (n,). unit: (n,) resampling unit of each row. stratum: (units,) of
            each unit.

    Returns:
        A `Means`; a stratum with a single unit is compared with the mean of all units.

    Example:
        >>> x = np.array([[1.0], [2.0], [4.0], [5.0]])
        >>> found = means(x, np.ones(4), np.arange(4), np.zeros(4, dtype=np.int64))
        >>> float(found.mean[0]), round(float(found.std_error[0]), 4), float(found.df[0])
        (3.0, 0.9129, 3.0)
    """
    seen = np.isfinite(values)
    x, w = np.where(seen, values, 0.0), weight[:, None] * seen
    total = w.sum(axis=0)
    n = seen.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (w * x).sum(axis=0) / total
        z = w * (x - mean) / total
        spread = (w * (x - mean) ** 2).sum(axis=0) / total
        sd = np.sqrt(spread * n / (n - 1))
    variance, df = between(np.where(seen, z, 0.0), seen, unit, stratum)
    known = df > 0
    return Means(n, mean, np.where(known, np.sqrt(variance), np.nan), np.where(n > 1, sd, np.nan), df)


def means_of_rows(sample: Sample, rows: Ints, values: Array) -> Means:
    """Means of columns over some rows of a sample; of raked weights the margins take their part of the errors.

    With z_i = (x_i - x_) / sum w of these rows, 0 of the others, the residuals of z on the categories of the margins
    stand for z (all rows of the sample take part).

    Parameters:
        rows: (n,) which of the sample's. values: (n, m) of these rows, NaN where absent.

    Source: Deville & Sarndal (1992), JASA 87:376-382.

    Example:
        >>> import polars as pl
        >>> import csi
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"sex": ["f", "f", "m", "m"], "q": [1, 1, 0, 0]})
        >>> sample = sample_of(csi.rake(frame, {"sex": {"f": 0.75, "m": 0.25}}), ["q"])
        >>> found = means_of_rows(sample, np.arange(4), sample.rows)
        >>> round(float(found.mean[0]), 4), round(float(found.std_error[0]), 9)
        (0.75, 0.0)
    """
    found = means(values, sample.weight[rows], sample.unit[rows], sample.stratum)
    if sample.raking is None:
        return found
    place = np.arange(len(sample.rows), dtype=np.int64) if sample.place is None else sample.place
    seen = np.isfinite(values)
    total = (sample.weight[rows][:, None] * seen).sum(axis=0)
    z = np.zeros((len(sample.rows), values.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        z[rows] = np.where(seen, (values - found.mean) / total, 0.0)
    left = sample.raking.residual(z, sample.weight, place) * sample.weight[:, None]
    variance, _ = between(left, np.ones(left.shape, dtype=bool), sample.unit, sample.stratum)
    return replace(found, std_error=np.where(found.df > 0, np.sqrt(variance), np.nan))


def between(z: Array, seen: Array, unit: Ints, stratum: Ints) -> tuple[Array, Array]:
    """(m,) variance of the sum of z and its degrees of freedom.

    Parameters:
        z: (n, m) what each row adds. seen: (n, m) which rows take part. unit, stratum: as in `means`.
    """
    codes, own = np.unique(unit, return_inverse=True)
    sums, there = np.zeros((codes.size, z.shape[1])), np.zeros((codes.size, z.shape[1]), dtype=bool)
    np.add.at(sums, own, z)
    np.logical_or.at(there, own, seen)
    strata, of = np.unique(stratum[codes], return_inverse=True)
    member = (of[:, None] == np.arange(strata.size)).astype(np.float64)
    units = member.T @ there
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.where(units > 1, member.T @ sums / units, 0.0)
        factor = np.where(units > 1, units / (units - 1), 1.0)
    squares = np.where(there, (sums - member @ centre) ** 2, 0.0)
    return (factor * (member.T @ squares)).sum(axis=0), units.sum(axis=0) - (units > 0).sum(axis=0)


def critical(level: float, df: Array) -> Array:
    """(m,) the point of t that leaves (1 - level) / 2 above; NaN without degrees of freedom."""
    return np.where(df > 0, stdtrit(np.where(df > 0, df, 1.0), 0.5 + level / 2), np.nan)


def p_of_t(statistic: Array, df: Array) -> Array:
    """(m,) two-sided p-values."""
    usable = (df > 0) & np.isfinite(statistic)
    t = -np.abs(np.where(usable, statistic, 0.0))
    return np.where(usable, 2 * stdtr(np.where(df > 0, df, 1.0), t), np.nan)
