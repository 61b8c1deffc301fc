"""People for alpha and for an intraclass correlation: to test one, or to know it closely.

Letters: `n` people, `k` items or ratings of each.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, log, sqrt
from typing import Final

from scipy.special import fdtr, fdtrc, fdtri, ndtr, ndtri

from csi.errors import Problem, Problems, Text
from csi.measures.sizing.power import (
    Asked,
    Power,
    impossible,
    number,
    sentence,
    size,
    smallest_effect,
    smallest_n,
    widths,
)

ALPHA: Final = Text("alpha", "alpha 系数")
ICC: Final = Text("ICC", "组内相关（ICC）")
HIGH: Final = 0.7
"""ICC of two ratings from which the width's formula asks for 5 icc people too few (Bonett, 2002)."""

Test = Callable[[float, int, float, float, float], float]
"""Power of n people, k items or ratings, a null and a true coefficient, at a significance."""


def alpha_power(n: float, k: int, null: float, true: float, significance: float = 0.05) -> float:
    """Power of a two-sided test of alpha: |log ((1 - null) / (1 - true))| sqrt((n - 2) (k - 1) / (2 k)) - z.

    Source:
        Bonett (2002), J. of Educational and Behavioral Statistics 27(4), 335-340, eq. 2 and 6.

    Example:
        >>> round(alpha_power(122, 5, 0.7, 0.8), 3)
        0.802
    """
    distance = abs(log((1 - null) / (1 - true)))
    return float(ndtr(distance * sqrt(max(n - 2, 0) * (k - 1) / (2 * k)) + ndtri(significance / 2)))


def alpha_width(n: float, k: int, true: float, level: float = 0.95) -> float:
    """Width of the interval of an alpha found to be `true`: (1 - true) (exp(b + z s) - exp(b - z s)).

    b = log(n / (n - 1)), s = sqrt(2 k / ((k - 1) (n - 2)))

    Source:
        Bonett (2002), J. of Educational and Behavioral Statistics 27(4), eq. 4.

    Example:
        >>> round(alpha_width(100, 5, 0.8), 3)
        0.129
    """
    reach = float(ndtri(0.5 + level / 2)) * sqrt(2 * k / ((k - 1) * (n - 2)))
    return (1 - true) * (n / (n - 1)) * (exp(reach) - exp(-reach))


def power_alpha(
    items: int,
    *,
    alpha: float | None = None,
    n: int | None = None,
    power: float | None = None,
    null: float = 0.7,
    width: float | None = None,
    significance: float = 0.05,
) -> Power:
    """People for Cronbach's alpha: give two of `n`, `power` and `alpha`, or `alpha` with the `width` of its interval.

    Parameters:
        items: how many. alpha: the true one. n: people. power: of a two-sided test against `null`. null.
        width: of the 1 - significance interval wanted; no test is then sized. significance: of the test.

    Returns:
        A `Power`; `settings` hold the width of the interval to expect.

    Raises:
        Problems: not two of three given, an alpha that is the null, one item.

    Source:
        Bonett (2002), J. of Educational and Behavioral Statistics 27(4), 335-340.

    Example:
        >>> power_alpha(5, alpha=0.8, power=0.8).n, power_alpha(5, alpha=0.8, width=0.1).n
        (122, 161)
    """
    several = size(items, 2, "items", Text("alpha is of several items", "alpha 针对多个题项"))
    found = [*several, *number("null", null, -1e6, 1), *_distance("alpha", alpha, null, width)]
    if width is not None:
        _wide("alpha", alpha, n, power, width, significance, found)
        true, level = float(alpha or 0.0), 1 - significance
        n = smallest_n(lambda m: -alpha_width(m, items, true, level), -width, 3)
        return _interval("alpha", ALPHA, n, true, items, alpha_width(n, items, true, level), significance)
    asked = Asked(n, power, alpha, "alpha", -1e6, 1.0, 3, significance)
    asked.problems(*found)
    n, alpha = _tested(alpha_power, items, asked, null, 3, significance)
    reached = alpha_power(n, items, null, alpha, significance)
    test = Text(f"a test that alpha is {null:g} ({items} items)", f"“alpha 等于 {null:g}”的检验（{items} 题）")
    told = sentence(asked.solved, n, reached, test, Text(f"alpha is {alpha:.3g}", f"alpha 为 {alpha:.3g}"), ALPHA)
    settings = {"items": items, "null": float(null), "width": alpha_width(n, items, alpha, 1 - significance)}
    return Power("alpha", asked.solved, n, reached, alpha, ALPHA, significance, settings, (told,))


def icc_power(n: float, k: int, null: float, true: float, significance: float = 0.05) -> float:
    """Power of a one-sided test of the ICC of k ratings: sqrt((n - 1) (k - 1) / (2 k)) |log C| - z.

    C = (1 + k t0) / (1 + k t1), t = icc / (1 - icc)

    Source:
        Walter, Eliasziw & Donner (1998), Statistics in Medicine 17, 101-110, eq. 3.

    Example:
        >>> round(icc_power(40, 2, 0.6, 0.8), 3)
        0.813
    """
    t0, t1 = (r / (1 - r) for r in (null, true))
    distance = abs(log((1 + k * t0) / (1 + k * t1)))
    return float(ndtr(distance * sqrt((n - 1) * (k - 1) / (2 * k)) + ndtri(significance)))


def icc_power_exact(n: float, k: int, null: float, true: float, significance: float = 0.05) -> float:
    """The same by the F distribution of a one-way analysis of variance.

    Source:
        Donner & Eliasziw (1987), Statistics in Medicine 6, 441-448.

    Example:
        >>> round(icc_power_exact(40, 2, 0.6, 0.8), 3)
        0.81
    """
    c0, c1 = (1 + k * r / (1 - r) for r in (null, true))
    above, below = n - 1, n * (k - 1)
    if true > null:
        return float(fdtrc(above, below, fdtri(above, below, 1 - significance) * c0 / c1))
    return float(fdtr(above, below, fdtri(above, below, significance) * c0 / c1))


def icc_width(n: float, k: int, true: float, level: float = 0.95) -> float:
    """Approximate width of the interval of an ICC: 2 z (1 - r) (1 + (k - 1) r) sqrt(2 / (k (k - 1) (n - 1))).

    Source:
        Bonett (2002), Statistics in Medicine 21, 1331-1335, eq. 3.

    Example:
        >>> round(icc_width(51, 2, 0.8), 3)
        0.2
    """
    z = float(ndtri(0.5 + level / 2))
    return 2 * z * (1 - true) * (1 + (k - 1) * true) * sqrt(2 / (k * (k - 1) * (n - 1)))


def power_icc(
    ratings: int,
    *,
    icc: float | None = None,
    n: int | None = None,
    power: float | None = None,
    null: float = 0.6,
    width: float | None = None,
    significance: float = 0.05,
) -> Power:
    """People for an intraclass correlation: give two of `n`, `power` and `icc`, or `icc` with its interval's `width`.

    Parameters:
        ratings: of each person: waves of a retest, or raters. icc: the true one. n: people.
        power: of a one-sided test against `null`. null. width: of the 1 - significance interval wanted; no test is then
            sized. significance: of the test.

    Returns:
        A `Power`; `settings` hold the exact power (F distribution) and the width of the interval to expect.

    Raises:
        Problems: not two of three given, an ICC that is the null, one rating.

    Source:
        Walter, Eliasziw & Donner (1998), Statistics in Medicine 17, 101-110; Bonett (2002), Statistics in Medicine 21,
        1331-1335 (his correction 5 icc for two ratings of an ICC of .7 or more included).

    Example:
        >>> power_icc(2, icc=0.8, power=0.8).n, power_icc(2, icc=0.8, width=0.2).n
        (39, 55)
    """
    several = size(ratings, 2, "ratings", Text("agreement is between ratings", "一致性是评分之间的一致性"))
    found = [*several, *number("null", null, -1e-12, 1), *_distance("icc", icc, null, width)]
    if width is not None:
        _wide("icc", icc, n, power, width, significance, found)
        true, level = float(icc or 0.0), 1 - significance
        n = smallest_n(lambda m: -icc_width(m, ratings, true, level), -width, 2)
        n += ceil(5 * true - 1e-9) if ratings == 2 and true >= HIGH else 0
        return _interval("icc", ICC, n, true, ratings, icc_width(n, ratings, true, level), significance)
    asked = Asked(n, power, icc, "icc", -1e-12, 1.0, 3, significance)
    asked.problems(*found)
    n, icc = _tested(icc_power, ratings, asked, null, 3, significance)
    reached = icc_power(n, ratings, null, icc, significance)
    more, more_zh = ("less", "不高于") if icc > null else ("more", "不低于")
    test = Text(
        f"a test that the ICC is {null:g} or {more} ({ratings} ratings)",
        f"“ICC {more_zh} {null:g}”的检验（{ratings} 次评分）",
    )
    told = sentence(asked.solved, n, reached, test, Text(f"the ICC is {icc:.3g}", f"ICC 为 {icc:.3g}"), ICC)
    exact = icc_power_exact(n, ratings, null, icc, significance)
    settings = {
        "ratings": ratings,
        "null": float(null),
        "power_exact": exact,
        "width": icc_width(n, ratings, icc, 1 - significance),
    }
    return Power("icc", asked.solved, n, reached, icc, ICC, significance, settings, (told,))


def _distance(name: str, true: object, null: object, width: object) -> list[Problem]:
    """A problem where the coefficient is the one tested against."""
    if width is not None or true is None or true != null:
        return []
    en, zh = "it is what is tested against: there is nothing to find.", "它与零假设值相同，没有可检验的差异。"
    return [impossible(name, en, zh, f"Write another {name} or null.", f"请改写 {name} 或 null。")]


def _wide(
    name: str, true: object, n: object, power: object, width: object, significance: object, found: list[Problem]
) -> None:
    """Check a question of the width of an interval.

    Raises:
        Problems: E-POWER.
    """
    problems = [*found, *number("significance", significance, 0, 1), *number("width", width, 0, 2)]
    problems += number(name, true, -1e-12, 1)
    if n is not None or power is not None:
        en, zh = "a width is asked, which finds n and has no power.", "给出 width 时只求 n，与功效无关。"
        problems.append(impossible("n, power", en, zh, "Leave n and power out.", "请省略 n 与 power。"))
    if problems:
        raise Problems(problems)


def _tested(of: Test, k: int, asked: Asked, null: float, least: int, significance: float) -> tuple[int, float]:
    """People and the true coefficient, one of them found."""
    n, power, true = asked.n, asked.power, asked.effect
    if isinstance(power, int | float) and isinstance(true, int | float):
        return smallest_n(lambda m: of(m, k, null, float(true), significance), float(power), least), float(true)
    people = int(str(n))
    if isinstance(power, int | float):
        return people, smallest_effect(lambda r: of(people, k, null, r, significance), float(power), null, 1.0)
    return people, float(str(true))


def _interval(what: str, name: Text, n: int, true: float, k: int, width: float, significance: float) -> Power:
    """The answer where an interval is sized."""
    of = Text(f"an {name.en} of {true:.3g}", f"{true:.3g} 的{name.zh}")
    told = widths("n", n, 1 - significance, of, width)
    settings = {"items" if what == "alpha" else "ratings": k, "width": width}
    return Power(what, "n", n, None, true, name, significance, settings, (told,))
