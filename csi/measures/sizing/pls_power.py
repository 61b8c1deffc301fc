"""People for a path of a composite model: the inverse square root and the gamma-exponential method.

Letters: `n` people, `beta` a path.
"""

from __future__ import annotations

from math import e, exp, sqrt
from typing import Final, Literal, get_args

from scipy.special import ndtr, ndtri

from csi.errors import Note, Text, note, one_of
from csi.measures.sizing.power import Asked, Power, sentence, smallest_effect, smallest_n

Way = Literal["inverse-square-root", "gamma-exponential"]
NAME: Final = Text("path", "路径系数")
WAYS: Final = {
    "inverse-square-root": Text("inverse square root", "平方根倒数法"),
    "gamma-exponential": Text("gamma-exponential", "伽马指数法"),
}


def path_error(n: float, beta: float, method: Way = "inverse-square-root") -> float:
    """Standard error of a standardised path: 1 / sqrt(n), by the gamma-exponential method times exp(-e |b| / sqrt(n)).

    Source:
        Kock & Hadaya (2018), Information Systems Journal 28(1), 227-261.

    Example:
        >>> path_error(100, 0.2), round(path_error(100, 0.2, "gamma-exponential"), 4)
        (0.1, 0.0947)
    """
    plain = 1 / sqrt(n)
    return plain if method == "inverse-square-root" else plain * exp(-e * abs(beta) / sqrt(n))


def path_power(n: float, beta: float, method: Way = "inverse-square-root", significance: float = 0.05) -> float:
    """Power of a one-sided test of a path: P(z > z_(1 - significance) - |beta| / error).

    Example:
        >>> round(path_power(160, 0.197), 3)
        0.802
    """
    return float(ndtr(abs(beta) / path_error(n, beta, method) + ndtri(significance)))


def power_pls(
    path: float | None = None,
    *,
    n: int | None = None,
    power: float | None = None,
    method: Way = "inverse-square-root",
    significance: float = 0.05,
) -> Power:
    """People, power or path of a composite model (PLS): give two of `n`, `power` and `path`.

    The test is one-sided, as its authors have it. Both methods know the path alone: neither the reliability of the
    constructs nor the other predictors; `csi.power_path` and `csi.power_model` do.

    Parameters:
        path: the smallest standardised path that must be found. n: people. power.
        method: "inverse-square-root" (errs on the safe side) or "gamma-exponential". significance: of the test.

    Returns:
        A `Power`; `settings` hold the n of either method where n is asked.

    Raises:
        Problems: not two of three given, a path of 0 or beyond 1.

    Source:
        Kock & Hadaya (2018), Information Systems Journal 28(1), 227-261: 160 and 146 people for a path of .197.

    Example:
        >>> power_pls(0.197, power=0.8).n, power_pls(0.197, power=0.8, method="gamma-exponential").n
        (160, 146)
    """
    size = abs(path) if isinstance(path, int | float) and not isinstance(path, bool) else path
    asked = Asked(n, power, size, "path", 0.0, 1.0, 2, significance)
    asked.problems(*one_of("method", method, get_args(Way)))
    settings: dict[str, object] = {"method": method}
    if n is None and power is not None and isinstance(size, float | int):
        found = {way: _people(way, float(size), power, significance) for way in get_args(Way)}
        settings |= {f"n_{way.replace('-', '_')}": value for way, value in found.items()}
        n = found[method]
    elif size is None and n is not None and power is not None:
        people = n
        size = smallest_effect(lambda beta: path_power(people, beta, method, significance), power, 0.0, 1.0)
    n, beta = int(n or 0), float(str(size))
    reached = path_power(n, beta, method, significance)
    way = WAYS[method]
    test = Text(f"a one-sided test of the path ({way.en})", f"路径的单侧检验（{way.zh}）")
    effect = Text(f"the path is {beta:.3g}", f"路径系数为 {beta:.3g}")
    told = sentence(asked.solved, n, reached, test, effect, NAME)
    return Power("pls", asked.solved, n, reached, beta, NAME, significance, settings, (told,), (ROUGH,))


def _people(method: Way, beta: float, power: float, significance: float) -> int:
    """How many people one method asks for."""
    return smallest_n(lambda n: path_power(n, beta, method, significance), power, 2)


ROUGH: Final[Note] = note(
    "N-POWER-PLS",
    "both methods take every path's error for that of a single predictor measured without error.",
    "两种方法都假定只有一个预测变量且测量无误差。",
)
