"""Models of change as text, in lavaan's language: measurement over waves, difference, growth, dual change, lags.

A series is what is followed: its levels are `A1` ... `AW`, columns where it is one item, factors where it is several
(loadings and intercepts equal over waves but those set free). Letters: `W` waves.

Source:
    McArdle (2009), Annual Review of Psychology 60, 577-605; Hamaker, Kuiper & Grasman (2015), Psychological Methods 20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Literal

from csi.expectation.wide import named

Step = Literal["configural", "metric", "scalar"]


@dataclass(frozen=True, slots=True)
class Series:
    """What is followed over waves.

    Attributes:
        letter: of its levels. items: columns without their wave, the first sets the scale of a factor. waves: W.
        released: item -> "loading" or "intercept": which of its equalities over waves do not hold (a free loading
            goes with a free intercept). step: how far its measurement is held equal.
    """

    letter: str
    items: tuple[str, ...]
    waves: int
    released: Mapping[str, Literal["loading", "intercept"]] = field(default_factory=dict)
    step: Step = "scalar"

    @property
    def single(self) -> bool:
        """Whether it is one item."""
        return len(self.items) == 1

    @property
    def levels(self) -> tuple[str, ...]:
        """(W,) what stands for it in each wave."""
        if self.single:
            return tuple(named(self.items[0], t) for t in range(1, self.waves + 1))
        return tuple(f"{self.letter}{t}" for t in range(1, self.waves + 1))

    @property
    def span(self) -> range:
        """The waves, counted from 1."""
        return range(1, self.waves + 1)


def measured(series: Series) -> list[str]:
    """How the factors of a series are measured in every wave; nothing for a single item.

    "configural": loadings and intercepts of each wave are its own; "metric": loadings equal; "scalar": both. Residuals
    of one item go together over waves. Up to "metric" factors have mean 0; from "scalar" on their means are free where
    the model says so, and the intercept of the first item is 0.

    Example:
        >>> print(*measured(Series("A", ("x", "y"), 2)), sep=chr(10))
        A1 =~ 1*x_1 + lA2*y_1
        A2 =~ 1*x_2 + lA2*y_2
        x_1 ~ 0*1
        y_1 ~ nA2*1
        x_2 ~ 0*1
        y_2 ~ nA2*1
        x_1 ~~ x_2
        y_1 ~~ y_2
    """
    if series.single:
        return []
    lines = [f"{level} =~ " + _loadings(series, t) for t, level in zip(series.span, series.levels, strict=True)]
    lines += [_intercept(series, k, t) for t in series.span for k in range(len(series.items))]
    if series.step != "scalar":
        lines += [f"{level} ~ 0*1" for level in series.levels]
    pairs = product(series.items, combinations(series.span, 2))
    return [*lines, *(f"{named(item, s)} ~~ {named(item, t)}" for item, (s, t) in pairs)]


def _loadings(series: Series, wave: int) -> str:
    """The items of a factor with their loadings."""
    terms = [f"1*{named(series.items[0], wave)}"]
    for k, item in enumerate(series.items[1:], start=2):
        free = series.step == "configural" or series.released.get(item) == "loading"
        terms.append(named(item, wave) if free else f"l{series.letter}{k}*{named(item, wave)}")
    return " + ".join(terms)


def _intercept(series: Series, k: int, wave: int) -> str:
    """The intercept of the k-th item in a wave."""
    item = series.items[k]
    if series.step != "scalar" or item in series.released:
        return f"{named(item, wave)} ~ 1"
    return f"{named(item, wave)} ~ " + ("0*1" if k == 0 else f"n{series.letter}{k + 1}*1")


def difference(series: Series) -> list[str]:
    """Two waves: the second level is the first and a change, A2 = A1 + dA.

    Example:
        >>> print(*difference(Series("A", ("x",), 2)), sep=chr(10))
        dA =~ 1*x_2
        x_2 ~ 1*x_1
        x_2 ~~ 0*x_2
        x_2 ~ 0*1
        x_1 ~ 1
        dA ~ 1
        x_1 ~~ dA
    """
    one, two = series.levels
    d = f"d{series.letter}"
    lines = [f"{d} =~ 1*{two}", f"{two} ~ 1*{one}", f"{two} ~~ 0*{two}", f"{two} ~ 0*1"]
    return [*measured(series), *lines, f"{one} ~ 1", f"{d} ~ 1", f"{one} ~~ {d}"]


def growth(series: Series, times: Sequence[float]) -> list[str]:
    """Three waves or more: A_t = i + s time_t + e_t.

    Example:
        >>> print(*growth(Series("A", ("x",), 3), (0, 1, 2))[:3], sep=chr(10))
        iA =~ 1*x_1 + 1*x_2 + 1*x_3
        sA =~ 0*x_1 + 1*x_2 + 2*x_3
        x_1 ~ 0*1
    """
    i, s = f"i{series.letter}", f"s{series.letter}"
    lines = [f"{i} =~ " + " + ".join(f"1*{level}" for level in series.levels)]
    lines += [f"{s} =~ " + " + ".join(f"{time:g}*{level}" for time, level in zip(times, series.levels, strict=True))]
    lines += [f"{level} ~ 0*1" for level in series.levels]
    return [*measured(series), *lines, f"{i} ~ 1", f"{s} ~ 1", f"{i} ~~ {s}"]


def dual(series: Series) -> list[str]:
    """Four waves or more: dA_t = S + b A_(t-1); of a single item with equal error variances eA.

    Example:
        >>> print(*dual(Series("A", ("x",), 2)), sep=chr(10))
        A1 =~ 1*x_1
        x_1 ~~ eA*x_1
        x_1 ~ 0*1
        A2 =~ 1*x_2
        x_2 ~~ eA*x_2
        x_2 ~ 0*1
        SA =~ 1*dA2
        A1 ~ 1
        SA ~ 1
        A1 ~~ SA
        A2 ~ 1*A1
        dA2 =~ 1*A2
        A2 ~~ 0*A2
        dA2 ~~ 0*dA2
        A2 ~ 0*1
        dA2 ~ 0*1
        dA2 ~ bA*A1
    """
    letter = series.letter
    lines = [line for t in series.span for line in _error(series, t)] if series.single else measured(series)
    lines += [f"S{letter} =~ " + " + ".join(f"1*d{letter}{t}" for t in series.span[1:])]
    lines += [f"{letter}1 ~ 1", f"S{letter} ~ 1", f"{letter}1 ~~ S{letter}"]
    for t in series.span[1:]:
        now, before, d = f"{letter}{t}", f"{letter}{t - 1}", f"d{letter}{t}"
        lines += [f"{now} ~ 1*{before}", f"{d} =~ 1*{now}", f"{now} ~~ 0*{now}", f"{d} ~~ 0*{d}"]
        lines += [f"{now} ~ 0*1", f"{d} ~ 0*1", f"{d} ~ b{letter}*{before}"]
    return lines


def _error(series: Series, wave: int) -> list[str]:
    """The factor of a single item, with an error variance that all waves share."""
    column = named(series.items[0], wave)
    return [
        f"{series.letter}{wave} =~ 1*{column}", f"{column} ~~ e{series.letter}*{column}", f"{column} ~ 0*1",
    ]  # fmt: skip


def coupled(one: Series, other: Series) -> list[str]:
    """Dual change of two series; the level of the other goes with the next change of the one, dA_t = ... + xi B_(t-1).

    Errors of single items of one wave share a covariance.
    """
    a, b = one.letter, other.letter
    lines = [*dual(one), *dual(other), *(f"d{a}{t} ~ xi*{b}{t - 1}" for t in one.span[1:])]
    if one.single and other.single:
        lines += [f"{named(one.items[0], t)} ~~ exy*{named(other.items[0], t)}" for t in one.span]
    return [*lines, f"{a}1 ~~ {b}1", f"S{a} ~~ S{b}", f"{a}1 ~~ S{b}", f"{b}1 ~~ S{a}"]


def lagged(one: Series, other: Series) -> list[str]:
    """Cross-lagged panel model, slopes equal over waves: a = A on A, b = A on B, c = B on A, d = B on B.

    Example:
        >>> print(*lagged(Series("A", ("x",), 2), Series("B", ("y",), 2)), sep=chr(10))
        x_2 ~ a*x_1 + b*y_1
        y_2 ~ c*x_1 + d*y_1
        x_1 ~~ y_1
        x_2 ~~ y_2
    """
    return [*measured(one), *measured(other), *_lags(one.levels, other.levels), *_means(one), *_means(other)]


def within(one: Series, other: Series) -> list[str]:
    """Random-intercept cross-lagged panel model: the lags run between departures from each person's own mean."""
    lines = [*measured(one), *measured(other)]
    for series in (one, other):
        r = f"r{series.letter}"
        lines += [f"{r} =~ " + " + ".join(f"1*{level}" for level in series.levels)]
        for t, level in zip(series.span, series.levels, strict=True):
            lines += [f"w{series.letter}{t} =~ 1*{level}", f"{level} ~~ 0*{level}"]
        lines += _means(series)
    a, b = (tuple(f"w{s.letter}{t}" for t in s.span) for s in (one, other))
    apart = [f"r{s.letter} ~~ 0*{w}" for s in (one, other) for w in (a[0], b[0])]
    return [*lines, *_lags(a, b), f"r{one.letter} ~~ r{other.letter}", *apart]


def _lags(a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Each level on both levels before, and what two levels of one wave share besides."""
    lines = []
    for t in range(1, len(a)):
        lines += [f"{a[t]} ~ a*{a[t - 1]} + b*{b[t - 1]}", f"{b[t]} ~ c*{a[t - 1]} + d*{b[t - 1]}"]
    return [*lines, *(f"{x} ~~ {y}" for x, y in zip(a, b, strict=True))]


def _means(series: Series) -> list[str]:
    """Free means of factors; those of columns are free anyway."""
    return [] if series.single or series.step != "scalar" else [f"{level} ~ 1" for level in series.levels]
