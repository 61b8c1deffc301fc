"""Power of tests of fit by RMSEA, and of nested models by the RMSEA of both.

Letters: `n` people, `df` degrees of freedom, `e` an RMSEA.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from scipy.special import chdtri, chndtr, chndtrix

from csi.errors import Problem, Text, one_of
from csi.measures.sizing.power import Asked, Power, impossible, number, sentence, size, smallest_effect, smallest_n

Fit = Literal["close", "not-close", "exact"]
NULLS: Final[dict[str, float]] = {"close": 0.05, "not-close": 0.05, "exact": 0.0}
TESTS: Final = {
    "close": Text("a test of close fit (RMSEA of {} or less)", "近似拟合检验（零假设：RMSEA 不超过 {}）"),
    "not-close": Text("a test of not-close fit (RMSEA of {} or more)", "非近似拟合检验（零假设：RMSEA 不低于 {}）"),
    "exact": Text("the chi-square test of exact fit", "精确拟合的卡方检验"),
}
NAME: Final = Text("RMSEA", "RMSEA")


def fit_power(n: float, df: float, null: float, true: float, significance: float = 0.05) -> float:
    """Power of a test of RMSEA: chi-square(df, (n - 1) df e^2) beyond the point where the null is rejected.

    Rejects in the upper tail where the true RMSEA is above the null, in the lower tail where it is below.

    Source:
        MacCallum, Browne & Sugawara (1996), Psychological Methods 1(2), eq. 10-12.

    Example:
        >>> round(fit_power(100, 5, 0.05, 0.08), 3), round(fit_power(100, 5, 0.05, 0.01), 3)
        (0.127, 0.081)
    """
    l0, l1 = ((n - 1) * df * e**2 for e in (null, true))
    upper = true > null
    tail = 1 - significance if upper else significance
    cut = chndtrix(tail, df, l0) if l0 else chdtri(df, 1 - tail)
    below = float(chndtr(cut, df, l1))
    return 1 - below if upper else below


def power_rmsea(
    df: float,
    *,
    rmsea: float | None = None,
    n: int | None = None,
    power: float | None = None,
    test: Fit = "close",
    null: float | None = None,
    significance: float = 0.05,
) -> Power:
    """People, power or RMSEA of a test of fit: give two of `n`, `power` and `rmsea`.

    Parameters:
        df: degrees of freedom of the model. rmsea: the true one. n: people. power.
        test: "close" (rejects an RMSEA of `null` or less), "not-close" (rejects one of `null` or more), "exact" (0).
        null: 0.05; 0 for exact fit. significance: of the test.

    Returns:
        A `Power`.

    Raises:
        Problems: not two of three given, an RMSEA on the wrong side of the null, degrees of freedom below 1.

    Source:
        MacCallum, Browne & Sugawara (1996), Psychological Methods 1(2), 130-149: Table 2 agrees to its printed digits,
        the sample sizes of Table 4 have the power asked for within 0.001.

    Example:
        >>> power_rmsea(10, rmsea=0.08, power=0.8).n, round(power_rmsea(5, rmsea=0.08, n=200).power, 3)
        (782, 0.199)
    """
    found: list[Problem] = [*number("df", df, 0, 1e6), *one_of("test", test, get_args(Fit))]
    if null is not None:
        found += number("null", null, -1e-12, 1)
    against = NULLS.get(str(test), 0.05) if null is None or found else float(null)
    down = test == "not-close"
    low, high = (-1e-12, against) if down else (against, 1.0)
    if test == "exact" and against:
        en, zh = "exact fit is an RMSEA of 0.", "精确拟合即 RMSEA 为 0。"
        found.append(impossible("null", en, zh, 'Leave it out, or use test="close".', '请删去，或用 test="close"。'))
    asked = Asked(n, power, rmsea, "rmsea", low, high, 2, significance)
    asked.problems(*found)
    far = 0.0 if down else 1.0
    if n is None and power is not None and rmsea is not None:
        true = rmsea
        n = smallest_n(lambda m: fit_power(m, df, against, true, significance), power, 2)
    elif rmsea is None and n is not None and power is not None:
        people = n
        rmsea = smallest_effect(lambda e: fit_power(people, df, against, e, significance), power, against, far)
    n, rmsea = int(n or 0), float(rmsea or 0.0)
    reached = fit_power(n, df, against, rmsea, significance)
    words = TESTS[test]
    said = Text(words.en.format(f"{against:g}"), words.zh.format(f"{against:g}"))
    effect = Text(f"the RMSEA is {rmsea:.3g} (df = {df:g})", f"RMSEA 为 {rmsea:.3g}（df = {df:g}）")
    told = sentence(asked.solved, n, reached, said, effect, NAME)
    settings = {"df": float(df), "test": test, "null": against}
    return Power("rmsea", asked.solved, n, reached, rmsea, NAME, significance, settings, (told,))


def nested_power(
    n: float, df: tuple[float, float], rmsea: tuple[float, float], groups: int = 1, significance: float = 0.05
) -> float:
    """Power of the difference test of two nested models with known RMSEA: lambda = (n - g) (d0 e0^2 - d1 e1^2) / g.

    Parameters:
        df, rmsea: of the constrained model and of the free one.

    Source:
        MacCallum, Browne & Cai (2006), Psychological Methods 11(1), eq. 8 and 10; several groups: Steiger (1998).

    Example:
        >>> round(nested_power(200, (22, 20), (0.06, 0.04)), 3)
        0.789
    """
    noncentral = max(n - groups, 0) * (df[0] * rmsea[0] ** 2 - df[1] * rmsea[1] ** 2) / groups
    more = df[0] - df[1]
    return 1 - float(chndtr(chdtri(more, significance), more, noncentral))


def power_invariance(
    df: float,
    df_constrained: float,
    *,
    rmsea: float = 0.05,
    rmsea_constrained: float | None = None,
    n: int | None = None,
    power: float | None = None,
    groups: int = 2,
    significance: float = 0.05,
) -> Power:
    """People, power or RMSEA of a step of an invariance ladder: give two of `n`, `power` and `rmsea_constrained`.

    Parameters:
        df, df_constrained: degrees of freedom before and after the parameters are held equal.
        rmsea, rmsea_constrained: of the two models in the population. n: people in all groups together. power.
        groups: 1 for any two nested models of one group. significance: of the difference test.

    Returns:
        A `Power`.

    Raises:
        Problems: not two of three given; a constrained model with no more degrees of freedom, or with no more misfit.

    Source:
        MacCallum, Browne & Cai (2006), Psychological Methods 11(1), 19-35; Steiger (1998), SEM 5 (several groups).

    Example:
        >>> power_invariance(20, 22, rmsea=0.04, rmsea_constrained=0.06, power=0.8, groups=1).n
        206
    """
    found = [*number("df", df, -1e-12, 1e6), *number("df_constrained", df_constrained, 0, 1e6)]
    found += [*number("rmsea", rmsea, -1e-12, 1), *size(groups, 1, "groups")]
    if not found and df_constrained <= df:
        en, zh = "equal parameters add degrees of freedom.", "等值约束会增加自由度。"
        found.append(impossible("df_constrained", en, zh, "Write one above df.", "请写大于 df 的值。"))
    if found:
        Asked(n, power, rmsea_constrained, "rmsea_constrained", 0, 1, 2, significance).problems(*found)
    least = rmsea * (df / df_constrained) ** 0.5
    asked = Asked(n, power, rmsea_constrained, "rmsea_constrained", least, 1.0, groups + 1, significance)
    asked.problems()
    both = (float(df_constrained), float(df))

    def at(people: float, e: float) -> float:
        return nested_power(people, both, (e, rmsea), groups, significance)

    if n is None and power is not None and rmsea_constrained is not None:
        own = rmsea_constrained
        n = smallest_n(lambda m: at(m, own), power, groups + 1)
    elif rmsea_constrained is None and n is not None and power is not None:
        people = n
        rmsea_constrained = smallest_effect(lambda e: at(people, e), power, least, 1.0)
    n, e = int(n or 0), float(rmsea_constrained or 0.0)
    reached = at(n, e)
    more = df_constrained - df
    test = Text(
        f"the difference test ({more:g} degrees of freedom, {groups} group{'s' * (groups > 1)})",
        f"差异检验（自由度 {more:g}，{groups} 组）",
    )
    effect = Text(
        f"the RMSEA goes from {rmsea:.3g} (df = {df:g}) to {e:.3g} (df = {df_constrained:g})",
        f"RMSEA 由 {rmsea:.3g}（df = {df:g}）变为 {e:.3g}（df = {df_constrained:g}）",
    )
    told = sentence(asked.solved, n, reached, test, effect, NAME)
    settings = {"df": float(df), "df_constrained": float(df_constrained), "rmsea": float(rmsea), "groups": groups}
    return Power("invariance", asked.solved, n, reached, e, NAME, significance, settings, (told,))
