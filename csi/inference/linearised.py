"""Weighted means of rows with the variance that the design gives them (Taylor linearisation).

Letters: `n` rows, `m` columns, `u` units. With weights w, mean x_ = sum w x / sum w and z_i = w_i (x_i - x_) / sum w:

    var = sum_h u_h / (u_h - 1) sum_{u in h} (z_u - z_h)^2,   z_u the sum of z_i over a unit, z_h its mean in stratum h

Without weights, clusters and strata this is s^2 / n.

Of raked weights, what the margins leave of z_i / w_i stands in its place, over all rows of the panel; of finite
populations a share 1 - f_h of each stratum's variance remains.

Source:
    Lohr (2010), Sampling: design and analysis, 9.1; Binder (1983), Int. Statistical Review 51, 279-292;
    Deville & Sarndal (1992), JASA 87:376-382.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from csi.moments.stack import Array, Ints, Reraking, Sample


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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the population beside the answers: margins that weights are raked to, and its size.

    Attributes:
        raking: of the whole data; None where weights are not raked. place: (n,) which rows of the data these are;
            one may stand for several.
        fraction: (n,) share of the population of each row's stratum that was drawn; None for unlimited ones.
    """

    raking: Reraking | None
    place: Ints
    fraction: Array | None

    def sums(self, z: Array) -> Array:
        """(units of the data, m) what units add, S with S'S the covariance of sum w z; of raked weights alone.

        Parameters:
            z: (n, m) influence of these rows before weighting; that of all others is 0.
        """
        if self.raking is None:
            raise TypeError("without margins there is nothing to hold fixed")
        weight, whole = self.raking.weight, np.zeros((self.raking.weight.size, z.shape[1]))
        np.add.at(whole, self.place, z)
        left = self.raking.residual(whole, weight, np.arange(weight.size, dtype=np.int64)) * weight[:, None]
        stratum, out = self.raking.stratum, np.zeros((self.raking.stratum.size, z.shape[1]))
        np.add.at(out, self.raking.unit, left)
        drawn = 0.0 if self.raking.fraction is None else self.raking.fraction[stratum]
        left_over = np.sqrt(np.clip(1 - np.broadcast_to(drawn, stratum.shape), 0.0, 1.0))
        return np.asarray(centred(out, stratum) * left_over[:, None])

    def at(self, rows: Ints | npt.NDArray[np.bool_]) -> Known:
        """That of some of these rows."""
        return Known(self.raking, self.place[rows], None if self.fraction is None else self.fraction[rows])

    def finite(self, own: Ints) -> Array:
        """(u,) share of each unit's variance that a finite population leaves.

        Parameters:
            own: (n,) which unit each row is.
        """
        left = np.ones(int(own.max(initial=-1)) + 1)
        if self.fraction is not None:
            left[own] = np.clip(1 - self.fraction, 0.0, 1.0)
        return left


class Design(NamedTuple):
    """The design of some rows of a sample, as what takes a design wants it: `means(values, *design)`.

    Attributes:
        weight, unit: (n,). stratum: (units,) of each unit. known: margins and populations; None where there are none.
    """

    weight: Array
    unit: Ints
    stratum: Ints
    known: Known | None = None

    @classmethod
    def of(cls, sample: Sample, rows: Ints) -> Design:
        """That of rows of a sample.

        Parameters:
            rows: (n,) which of them.
        """
        known = None
        if sample.raking is not None or sample.fraction is not None:
            place = np.arange(len(sample.rows), dtype=np.int64) if sample.place is None else sample.place
            of = sample.stratum[sample.unit[rows]]
            known = Known(sample.raking, place[rows], None if sample.fraction is None else sample.fraction[of])
        return cls(sample.weight[rows], sample.unit[rows], sample.stratum, known)

    def at(self, rows: Ints | npt.NDArray[np.bool_]) -> Design:
        """That of some of these rows."""
        known = None if self.known is None else self.known.at(rows)
        return Design(self.weight[rows], self.unit[rows], self.stratum, known)


def centred(sums: Array, of: Ints) -> Array:
    """(u, m) sums of units less their stratum's mean, times the root of u / (u - 1); a single unit stays as it is.

    Parameters:
        sums: (u, m). of: (u,) the stratum of each.
    """
    u = np.bincount(of)
    centre = np.zeros((u.size, sums.shape[1]))
    np.add.at(centre, of, sums)
    away = sums - np.where(u > 1, 1 / np.maximum(u, 1), 0.0)[of, None] * centre[of]
    return np.asarray(away * np.sqrt(np.where(u > 1, u / np.maximum(u - 1, 1), 1.0))[of, None])


def means(values: Array, weight: Array, unit: Ints, stratum: Ints, known: Known | None = None) -> Means:
    """Means of columns with design-based errors; of raked weights the margins take their part of them.

    Parameters:
        values: (n, m), NaN where absent. weight: (n,). unit: (n,) resampling unit of each row. stratum: (units,) of
            each unit. known: margins and populations (`Design.of`).

    Returns:
        A `Means`; a stratum with a single unit is compared with the mean of all units.

    Example:
        >>> x = np.array([[1.0], [2.0], [4.0], [5.0]])
        >>> found = means(x, np.ones(4), np.arange(4), np.zeros(4, dtype=np.int64))
        >>> float(found.mean[0]), round(float(found.std_error[0]), 4), float(found.df[0])
        (3.0, 0.9129, 3.0)
        >>> import polars as pl
        >>> import csi
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"sex": ["f", "f", "m", "m"], "q": [1, 1, 0, 0]})
        >>> sample = sample_of(csi.rake(frame, {"sex": {"f": 0.75, "m": 0.25}}), ["q"])
        >>> found = means(sample.rows, *Design.of(sample, np.arange(4)))
        >>> round(float(found.mean[0]), 4), round(float(found.std_error[0]), 9)
        (0.75, 0.0)
    """
    seen = np.isfinite(values)
    x, w = np.where(seen, values, 0.0), weight[:, None] * seen
    total = w.sum(axis=0)
    n = seen.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (w * x).sum(axis=0) / total
        z = np.where(seen, (x - mean) / total, 0.0)
        spread = (w * (x - mean) ** 2).sum(axis=0) / total
        sd = np.sqrt(spread * n / (n - 1))
    variance, df = between(w * z, seen, unit, stratum, known)
    if known is not None and known.raking is not None:
        variance = (known.sums(z) ** 2).sum(axis=0)
    return Means(n, mean, np.where(df > 0, np.sqrt(variance), np.nan), np.where(n > 1, sd, np.nan), df)


def between(z: Array, seen: Array, unit: Ints, stratum: Ints, known: Known | None = None) -> tuple[Array, Array]:
    """(m,) variance of the sum of z and its degrees of freedom.

    Parameters:
        z: (n, m) what each row adds. seen: (n, m) which rows take part. unit, stratum: as in `means`.
        known: the size of populations; margins are not looked at (see `means`).
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
    squares *= 1.0 if known is None else known.finite(own)[:, None]
    return (factor * (member.T @ squares)).sum(axis=0), units.sum(axis=0) - (units > 0).sum(axis=0)


def critical(level: float, df: Array) -> Array:
    """(m,) the point of t that leaves (1 - level) / 2 above; NaN without degrees of freedom."""
    return np.where(df > 0, stdtrit(np.where(df > 0, df, 1.0), 0.5 + level / 2), np.nan)


def p_of_t(statistic: Array, df: Array) -> Array:
    """(m,) two-sided p-values."""
    usable = (df > 0) & np.isfinite(statistic)
    t = -np.abs(np.where(usable, statistic, 0.0))
    return np.where(usable, 2 * stdtr(np.where(df > 0, df, 1.0), t), np.nan)
