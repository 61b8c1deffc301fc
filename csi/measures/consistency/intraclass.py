"""Intraclass correlations from mean squares: every form, with its test, its exact interval, and errors of measurement.

Subjects (rows) are measured by the same k raters, items or occasions (columns):

    one-way     ICC(1)   = (MSB - MSW) / (MSB + (k - 1) MSW)
    agreement   ICC(A,1) = (MSB - MSE) / (MSB + (k - 1) MSE + k (MSJ - MSE) / n)
    consistency ICC(C,1) = (MSB - MSE) / (MSB + (k - 1) MSE)

and of the mean of k the same without the factor k - 1 (and with (MSJ - MSE) / n).

Letters: `n` subjects, `k` raters.

Source:
    Shrout & Fleiss (1979), Psychological Bulletin 86(2), 420-428; McGraw & Wong (1996), Psychological Methods 1(1),
    30-46, tables 4, 7 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import fdtrc, fdtri, ndtri

from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the intraclass correlation.

    Attributes:
        form: Shrout and Fleiss' name. name: McGraw and Wong's. model: "one-way random", "two-way random", "two-way
            mixed". definition: "agreement" or "consistency". unit: "single" or "average" (of k).
    """

    form: str
    name: str
    model: str
    definition: str
    unit: str


FORMS: Final = (
    Form("ICC1", "ICC(1)", "one-way random", "agreement", "single"),
    Form("ICC2", "ICC(A,1)", "two-way random", "agreement", "single"),
    Form("ICC3", "ICC(C,1)", "two-way mixed", "consistency", "single"),
    Form("ICC1k", "ICC(k)", "one-way random", "agreement", "average"),
    Form("ICC2k", "ICC(A,k)", "two-way random", "agreement", "average"),
    Form("ICC3k", "ICC(C,k)", "two-way mixed", "consistency", "average"),
)


@dataclass(frozen=True, slots=True)
class Squares:
    """Mean squares of n subjects by k raters.

    Attributes:
        n, k. between: subjects. within: the rest, raters included. raters, error: its two parts.
    """

    n: int
    k: int
    between: float
    within: float
    raters: float
    error: float

    @property
    def components(self) -> tuple[float, float, float]:
        """Variances of subjects, raters and error; a negative estimate is 0."""
        subjects = max((self.between - self.error) / self.k, 0.0)
        return subjects, max((self.raters - self.error) / self.n, 0.0), self.error


@dataclass(frozen=True, slots=True)
class Intraclass:
    """One form: value, F with its degrees of freedom and p of no correlation, limits, errors of measurement."""

    value: float
    statistic: float
    df1: float
    df2: float
    p_value: float
    conf_low: float
    conf_high: float
    sem: float
    sdc: float


def squares_of(rows: Array) -> Squares:
    """Mean squares of complete rows (n, k).

    Example:
        >>> squares_of(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).raters
        1.5
    """
    n, k = rows.shape
    mean = rows.mean()
    subjects = k * ((rows.mean(axis=1) - mean) ** 2).sum()
    raters = n * ((rows.mean(axis=0) - mean) ** 2).sum()
    rest = ((rows - rows.mean(axis=1, keepdims=True)) ** 2).sum()
    error = ((rows - rows.mean(axis=1, keepdims=True) - rows.mean(axis=0) + mean) ** 2).sum()
    return Squares(
        n,
        k,
        float(subjects / (n - 1)),
        float(rest / (n * (k - 1))),
        float(raters / (k - 1)),
        float(error / ((n - 1) * (k - 1))),
    )


def intraclass(of: Squares, form: str, level: float = 0.95) -> Intraclass:
    """One form of the intraclass correlation.

    Errors of measurement: SEM is the standard deviation of one measurement (or of the mean of k) around its subject's
    true value, raters included where they disagree; SDC = z sqrt(2) SEM is the smallest change of a subject that is
    not error.

    Parameters:
        form: "ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k" or "ICC3k". level: of the interval and of SDC.

    Source:
        Shrout & Fleiss (1979); McGraw & Wong (1996); SEM and SDC: de Vet, Terwee, Knol & Bouter (2006), Journal of
        Clinical Epidemiology 59(10), 1033-1039.

    Example:
        >>> judges = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])
        >>> [round(intraclass(squares_of(judges), form).value, 2) for form in ("ICC1", "ICC2", "ICC3", "ICC3k")]
        [0.17, 0.29, 0.71, 0.91]
    """
    n, k = of.n, of.k
    oneway, average = form.startswith("ICC1"), form.endswith("k")
    rest, df2 = (of.within, n * (k - 1)) if oneway else (of.error, (n - 1) * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.float64(of.between) / rest
        single = _single(of, form.rstrip("k"))
        low, high = _limits(of, form.rstrip("k"), single, level, (float(statistic), df2))
        value, low, high = (k * v / (1 + (k - 1) * v) if average else v for v in (single, low, high))
    noise = of.within if oneway else of.error + (of.components[1] if form.startswith("ICC2") else 0.0)
    sem = float(np.sqrt(noise / (k if average else 1)))
    z = float(ndtri((1 + level) / 2))
    p = float(fdtrc(n - 1, df2, statistic)) if np.isfinite(statistic) else float("nan")
    return Intraclass(
        float(value), float(statistic), n - 1, df2, p, float(low), float(high), sem, z * np.sqrt(2.0) * sem
    )


def _single(of: Squares, form: str) -> np.float64:
    """The correlation of single measurements."""
    b, k = np.float64(of.between), of.k
    if form == "ICC1":
        return (b - of.within) / (b + (k - 1) * of.within)
    if form == "ICC3":
        return (b - of.error) / (b + (k - 1) * of.error)
    return (b - of.error) / (b + (k - 1) * of.error + k * (of.raters - of.error) / of.n)


def _limits(
    of: Squares, form: str, value: np.float64, level: float, test: tuple[float, int]
) -> tuple[np.float64, np.float64]:
    """Limits of the correlation of single measurements: exact, by Satterthwaite where raters are random."""
    n, k, tail, (statistic, df2) = of.n, of.k, (1 - level) / 2, test
    if form != "ICC2":
        low = np.float64(statistic) / fdtri(n - 1, df2, 1 - tail)
        high = np.float64(statistic) * fdtri(df2, n - 1, 1 - tail)
        return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)
    ratio = of.raters / np.float64(of.error)
    first, second = k * value * ratio, n * (1 + (k - 1) * value) - k * value
    df = (k - 1) * (n - 1) * (first + second) ** 2 / ((n - 1) * first**2 + second**2)
    above, below = fdtri(n - 1, df, 1 - tail), fdtri(df, n - 1, 1 - tail)
    both = k * of.raters + (k * n - k - n) * of.error
    low = n * (of.between - above * of.error) / (above * both + n * of.between)
    return low, n * (below * of.between - of.error) / (both + n * below * of.between)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bland and Altman's limits of agreement of two measurements: mean difference and what 95 % of differences keep to.

    Attributes:
        difference, sd: mean and standard deviation of second less first. low, high: limits. errors: standard errors of
            the mean difference and of a limit.
    """

    n: int
    difference: float
    sd: float
    low: float
    high: float
    errors: tuple[float, float]


def limits_of_agreement(first: Array, second: Array, level: float = 0.95) -> Limits:
    """Limits of agreement: d -+ z s, with error s sqrt(1 / n + z^2 / (2 (n - 1))).

    Parameters:
        first, second: (n,) measurements of the same subjects. level: share of differences within.

    Source:
        Bland & Altman (1986), The Lancet 327, 307-310; (1999), Statistical Methods in Medical Research 8(2), 135-160.

    Example:
        >>> found = limits_of_agreement(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 4.0]))
        >>> round(found.difference, 4), round(found.low, 4), round(found.high, 4)
        (0.6667, -0.4649, 1.7983)
    """
    d = second - first
    n, sd, z = d.size, float(d.std(ddof=1)), float(ndtri((1 + level) / 2))
    mean = float(d.mean())
    errors = sd / np.sqrt(n), sd * np.sqrt(1 / n + z**2 / (2 * (n - 1)))
    return Limits(n, mean, sd, mean - z * sd, mean + z * sd, (float(errors[0]), float(errors[1])))
