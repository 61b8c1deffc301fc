"""Is the narrower model worse? Likelihood-ratio and scaled difference tests; Wald tests of constraints.

    standard       T_d = T0 - T1                  satorra2001   T_d = (T0 - T1) / c_d, c_d = (d0 c0 - d1 c1) / (d0 - d1)
    satorra2010    the same with c1 at the estimates of the narrower model, so that c_d is positive
    satorra2000    T_d scaled (and shifted) by the traces of U_d Gamma

Letters: `b` slices, `k` parameters, `r` working parameters, `M` moments, `c` constraints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.linalg import null_space
from scipy.special import chdtrc

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, one_of, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.shown import listing
from csi.measures.tidy import cells_of, tidy
from csi.measures.wald_constraints import formula_of, unreadable
from csi.models.syntax.evaluate import compile_expression, evaluate_definitions
from csi.moments.stack import Array
from csi.sem.elsewhere import carried, pieces_of, scaled_at
from csi.sem.estimator import SEM
from csi.sem.fitted import Fitted, Test, fitted
from csi.sem.robust import apply

Difference = Literal["standard", "satorra2001", "satorra2010", "satorra2000", "scaled.shifted"]
LAVAANS: dict[str, Difference | None] = {
    "default": None,
    "satorra.bentler.2001": "satorra2001",
    "satorra.bentler.2010": "satorra2010",
    "satorra.2000": "scaled.shifted",
}
"""What lavaan calls the methods; its satorra.2000 shifts unless told not to."""
STEP = 1e-20
NEGATIVE = reason(
    "R-NEGATIVE-FACTOR",
    "the scaling factor of the difference is not positive; satorra2010 or satorra2000 may have one.",
    "差异的校正因子非正；可改用 satorra2010 或 satorra2000。",
)

ELSEWHERE = reason(
    "R-ELSEWHERE",
    "at the estimates of the narrower model the wider one has no positive definite information or no positive scaling "
    "factor; satorra2000 needs neither.",
    "在较窄模型的估计值处，较宽模型的信息矩阵非正定或校正因子非正；satorra2000 不需要它们。",
)

WORSE = reason(
    "R-NOT-NESTED",
    "the wider model fits worse than the narrower one: they are not nested, or a search stopped early; no p-value.",
    "较宽模型的拟合反而差于较窄模型：二者并非嵌套，或有一方的搜索提前停止；故不给出 p 值。",
)

UNSETTLED = reason(
    "R-CONVERGE",
    "one of the two models has no solution, so that they cannot be compared.",
    "两个模型之一没有解，无法比较。",
)

ROUNDING = 1e-6
"""A difference of chi2 below 0 by less than this share of 1 + chi2 is rounding."""

INCOMPLETE = reason(
    "R-INCOMPLETE-ROWS",
    "the traces of this difference test are not defined for incomplete rows; satorra2001 and satorra2010 are.",
    "该差异检验所需的迹对含缺失的数据没有定义；可改用 satorra2001 或 satorra2010。",
)


@dataclass(frozen=True, slots=True, repr=False)
class Nested(Shown):
    """Nested models, the widest first.

    Attributes:
        table: the cell's key columns, model, df, chi2 (unscaled), aic, bic, then against the model above: chi2_diff,
            df_diff, p_value, rmsea (of the difference; only unscaled) and reason; no p_value where the wider model has
            the larger chi2, so that they cannot be nested or a search stopped early. aic and bic are null where they do
            not count the same: means or exogenous predictors modelled in some of the models only.
        method: how differences were tested. reasons: code -> Reason. notes.
    """

    table: pl.DataFrame
    method: Difference
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


WAYS: dict[Difference, Text] = {
    "standard": Text("unscaled chi2", "未校正的卡方"),
    "satorra2001": Text("scaled differences, Satorra & Bentler (2001)", "校正的差异，Satorra 与 Bentler（2001）"),
    "satorra2010": Text("scaled differences, Satorra & Bentler (2010)", "校正的差异，Satorra 与 Bentler（2010）"),
    "satorra2000": Text("scaled differences, Satorra (2000)", "校正的差异，Satorra（2000）"),
    "scaled.shifted": Text("scaled and shifted differences, Satorra (2000)", "校正并平移的差异，Satorra（2000）"),
}


@text.register
def _(value: Nested, lang: str = "en") -> str:
    """How differences were tested, one row per model, then why any is absent."""
    title = Text("Nested models, the widest first", "嵌套模型（由宽到窄）").say(lang)
    way = WAYS[value.method].say(lang)
    head = f"{title}; {way}" if lang == "en" else f"{title}；{way}"
    empty = [c for c in ("aic", "bic", "rmsea", "reason") if value.table[c].null_count() == value.table.height]
    told = [f"* {r.say(lang)}" for r in value.reasons.values()] + [f"* {n.say(lang)}" for n in value.notes]
    return "\n".join([head, listing(value.table.drop(empty), lang), *told])


def scaled_factor(df0: int, c0: Array, df1: int, c1: Array) -> Array:
    """Scaling factor of the difference of two scaled tests: (d0 c0 - d1 c1) / (d0 - d1).

    Source:
        Satorra & Bentler (2001), Psychometrika 66:507-514, eq. 9.

    Example:
        >>> scaled_factor(10, np.array([1.2]), 5, np.array([1.1])).round(6).tolist()
        [1.3]
    """
    return np.asarray((df0 * c0 - df1 * c1) / (df0 - df1), dtype=np.float64)


def difference_traces(wide: Fitted, narrow: Fitted, s: int) -> tuple[float, float]:
    """tr(U_d Gamma) and tr((U_d Gamma)^2) of a difference test, for slice `s`.

    U_d = V D P^-1 A' (A P^-1 A')^-1 A P^-1 D' V with P the unit information of the wider model; A holds the
    restrictions, the directions of the wider model that the Jacobian of the narrower one lacks.

    Source:
        Satorra (2000), in Heijmans, Pollock & Satorra (eds.), Innovations in multivariate statistical analysis, eq. 23.
    """
    pieces = pieces_of(wide, s)
    D = [p.jacobian @ wide.along(s) for p in pieces]
    D0 = np.concatenate([p.jacobian @ narrow.along(s) for p in pieces_of(narrow, s)])
    H = np.linalg.lstsq(np.concatenate(D), D0, rcond=None)[0]
    A = null_space(H.T).T
    B = np.zeros((A.shape[1],) * 2)
    for piece, one in zip(pieces, D, strict=True):
        VD = apply(piece.weight, one)
        B += piece.share * VD.T @ piece.gamma @ VD
    inverse = np.linalg.inv(wide.information_along(s))
    across = inverse @ A.T
    UG = across @ np.linalg.solve(A @ across, across.T) @ B
    return float(np.trace(UG)), float(np.trace(UG @ UG))


def lrt(*estimates: Estimate, method: Difference | str | None = None, **named: Estimate) -> Nested:
    """Difference tests of nested models, each against the next wider one.

    Parameters:
        estimates, named: fits by `csi.SEM` to the same data; a keyword names its model, others are "1", "2", ...
        method: None takes "standard" for unscaled fits, "satorra2001" for mean-scaled ones and "scaled.shifted" for
            mean and variance adjusted ones, as lavaan does. "satorra2000" scales by the mean only. lavaan's names
            ("satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000", the last for "scaled.shifted") are known.

    Returns:
        A `Nested`.

    Raises:
        Problems: fewer than two models, models of other data or estimators, none wider than the other; another method.

    Source:
        Satorra & Bentler (2001, 2010), Psychometrika 66 and 75; Satorra (2000). Agrees with lavaan 0.6-14.

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]]
        >>> data = csi.Moments.of("abcd", cov, n=300)
        >>> free, equal = (csi.Model.parse(f"f =~ a + {x} + d") for x in ("b + c", "l*b + l*c"))
        >>> found = lrt(free=csi.fit(free, data, csi.SEM()), equal=csi.fit(equal, data, csi.SEM()))
        >>> found.table.select("model", "df_diff", pl.col("chi2_diff").round(2)).row(1)
        ('equal', 1.0, 2.9)
    """
    asked = _method(method)
    given = {str(i + 1): e for i, e in enumerate(estimates)} | named
    for est in given.values():
        check_estimate(est)
    fits = {name: fitted(e) for name, e in given.items()}
    order = sorted(given, key=lambda name: fits[name].df)
    _check(given, fits, order)
    way = asked or _usual(fits[order[-1]])
    b = len(fits[order[0]].theta)
    blank = np.full(b, np.nan)
    steps = [(blank, blank)]
    steps += [_step(given[one], given[other], way) for one, other in pairwise(order)]
    drop = np.array([0, *(fits[o].df - fits[i].df for i, o in pairwise(order))], dtype=np.float64)
    chi2_diff = np.stack([s[0] for s in steps], axis=1)
    solved = np.stack([given[n].convergence.converged for n in order], axis=1)
    chi2 = np.where(solved, np.stack([fits[n].test.statistic for n in order], axis=1), np.nan)
    deviance = np.stack([-2 * fits[n].loglik for n in order], axis=1)
    npar = np.array([fits[n].npar for n in order])
    worse, lost = _worse(chi2), ~solved
    lost[:, 1:] |= ~solved[:, :-1]
    chi2_diff = np.where(lost, np.nan, chi2_diff)
    df_diff = np.where(drop > 0, np.broadcast_to(drop, chi2_diff.shape), np.nan)
    plain = way == "standard"
    numbers = {
        "df": np.broadcast_to(np.array([float(fits[n].df) for n in order]), chi2_diff.shape),
        "chi2": chi2,
        "aic": np.where(solved, deviance + 2 * npar, np.nan),
        "bic": np.where(solved, deviance + np.log(_rows(fits[order[0]]))[:, None] * npar, np.nan),
        "chi2_diff": chi2_diff,
        "df_diff": df_diff,
        "p_value": np.where(worse | lost, np.nan, chdtrc(df_diff, np.maximum(chi2_diff, 0.0))),
        "rmsea": np.where(worse | (not plain), np.nan, _rmsea(chi2_diff, df_diff, fits[order[0]])),
    }
    apart = _counted_apart([fits[name] for name in order])
    if apart:
        numbers |= dict.fromkeys(("aic", "bic"), np.full_like(chi2_diff, np.nan))
    why = _why(way, fits[order[0]])
    absent = np.select([lost & (drop > 0), worse, np.isnan(chi2_diff) & (drop > 0)], [3, 2, 1]).reshape(-1).tolist()
    codes = [(None, why.code, WORSE.code, UNSETTLED.code)[kind] for kind in absent]
    labels = pl.DataFrame({"model": order}, schema={"model": pl.String})
    reasons = {r.code: r for kind, r in ((1, why), (2, WORSE), (3, UNSETTLED)) if kind in absent}
    return Nested(tidy(cells_of(given[order[0]]), labels, numbers, {"reason": codes}), way, reasons, apart)


def _worse(chi2: Array) -> npt.NDArray[np.bool_]:
    """(b, models) where the model before, which is wider, has a larger chi2 by more than rounding.

    Example:
        >>> _worse(np.array([[3.0, 2.0, 2.0 - 1e-9]])).tolist()
        [[False, True, False]]
    """
    rise = np.diff(chi2, axis=1, prepend=chi2[:, :1])
    return np.asarray(rise < -ROUNDING * (1 + np.abs(chi2)), dtype=bool)


def _counted_apart(fits: Sequence[Fitted]) -> tuple[Note, ...]:
    """A note where AIC and BIC of the models do not count the same parameters and variables."""
    found = []
    if len({fit.layout.means for fit in fits}) > 1:
        found.append(Text("means are modelled in some only (meanstructure)", "仅部分模型包含均值结构（meanstructure）"))
    if len({frozenset(fit.layout.table.exogenous) for fit in fits}) > 1:
        found.append(
            Text(
                "exogenous predictors are given in some and estimated in others (fixed_x)",
                "外生预测变量在部分模型中给定、在其他模型中被估计（fixed_x）",
            )
        )
    if not found or not all(np.isfinite(fit.loglik).any() for fit in fits):
        return ()
    en, zh = " and ".join(t.en for t in found), "，".join(t.zh for t in found)
    note_en = f"AIC and BIC of these models cannot be compared and are left out: {en}."
    return (note("N-CRITERIA", note_en, f"这些模型的 AIC 与 BIC 不可比较，故略去：{zh}。"),)


def _method(method: str | None) -> Difference | None:
    """The method by our name or lavaan's; None for the usual one."""
    ways: tuple[Difference, ...] = get_args(Difference)
    known: dict[str, Difference | None] = {**dict(zip(ways, ways, strict=True)), **LAVAANS}
    if method is not None and method not in known:
        raise Problems(one_of("method", method, known))
    return None if method is None else known[method]


def _why(way: Difference, fit: Fitted) -> Reason:
    """Why a difference has no value."""
    if _by_traces(way) and fit.fitting == "FIML":
        return INCOMPLETE
    return ELSEWHERE if way == "satorra2010" else NEGATIVE


def _by_traces(way: Difference) -> bool:
    """Whether a method takes the traces of U_d Gamma."""
    return way in {"satorra2000", "scaled.shifted"}


def _usual(fit: Fitted) -> Difference:
    """The method that goes with a fit's own test."""
    if fit.scaled is None:
        return "standard"
    return "scaled.shifted" if fit.scaled.name in {"scaled.shifted", "mean.var.adjusted"} else "satorra2001"


def _rows(fit: Fitted) -> Array:
    """(b,) rows of all groups."""
    return np.asarray(np.sum([g.n for g in fit.groups], axis=0), dtype=np.float64)


def _rmsea(chi2: Array, df: Array, fit: Fitted) -> Array:
    """RMSEA of the difference.

    Source: Browne & Du Toit (1992), Multivariate Behavioral Research 27; sqrt(g) for groups: Steiger (1998).
    """
    with np.errstate(invalid="ignore"):
        excess = np.maximum(chi2 - df, 0.0) / (df * _rows(fit)[:, None])
    return np.asarray(np.sqrt(excess * len(fit.groups)), dtype=np.float64)


def _step(wide: Estimate, narrow: Estimate, way: Difference) -> tuple[Array, Array]:
    """chi2 of the difference (b,) and its scaling factor (b,)."""
    one, other = fitted(wide), fitted(narrow)
    raw = other.test.statistic - one.test.statistic
    m = other.df - one.df
    if way == "standard":
        return raw, np.ones_like(raw)
    if _by_traces(way) and one.fitting == "FIML":
        return np.full_like(raw, np.nan), np.full_like(raw, np.nan)
    if _by_traces(way):
        traces = np.array([difference_traces(one, other, s) for s in range(len(raw))])
        first, second = traces[:, 0], traces[:, 1]
        if way == "satorra2000":
            return raw * m / first, first / m
        a = np.sqrt(m / second)
        return raw * a + m - a * first, 1 / a
    wider, usable = one.scaled, np.ones(len(raw), dtype=bool)
    if way == "satorra2010" and isinstance(wide.settings, SEM):
        wider, definite = scaled_at(wide, wide.settings, one.df, carried(other, one))
        usable = definite & (_factor(wider, raw) > 0)
    factor = scaled_factor(other.df, _factor(other.scaled, raw), one.df, _factor(wider, raw))
    factor = np.where(usable, factor, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(factor > 0, raw / factor, np.nan), factor


def _factor(test: Test | None, like: Array) -> Array:
    """(b,) scaling factor; 1 for a model without degrees of freedom."""
    return np.ones_like(like) if test is None else np.where(np.isfinite(test.factor), test.factor, 1.0)


def _check(given: Mapping[str, Estimate], fits: Mapping[str, Fitted], order: Sequence[str]) -> None:
    """The same data, the same estimator, and each model wider than the next."""
    found: list[Problem] = []
    if len(order) < 2:
        en, zh = (
            f"a difference test needs two models or more, not {len(order)}.",
            f"差异检验至少需要两个模型，现有 {len(order)} 个。",
        )
        raise Problems([_problem("estimates", en, zh)])
    first = fits[order[0]]
    for wide, narrow in pairwise(order):
        place = f'models "{wide}" and "{narrow}"'
        if fits[wide].df == fits[narrow].df:
            found.append(
                _problem(
                    place,
                    f"both have {fits[wide].df} degrees of freedom: neither is nested in the other.",
                    f"二者的自由度同为 {fits[wide].df}：互不嵌套。",
                )
            )
        if not _same_data(first, fits[narrow]):
            found.append(
                _problem(place, "they were fitted to different items or rows.", "二者拟合所用的题项或数据行不同。")
            )
        if first.layout.table.rules.conditional != fits[narrow].layout.table.rules.conditional:
            found.append(
                _problem(
                    place,
                    "one is conditional on its exogenous predictors, the other models them jointly (conditional_x).",
                    "一方以外生预测变量为条件，另一方与其联合建模（conditional_x）。",
                )
            )
        if given[wide].settings.name != given[narrow].settings.name:
            found.append(_problem(place, "they were fitted by different estimators.", "二者使用的估计方法不同。"))
    if found:
        raise Problems(found)


def _same_data(one: Fitted, other: Fitted) -> bool:
    """The same items and as many rows in every group."""
    same = set(one.layout.table.observed) == set(other.layout.table.observed) and len(one.groups) == len(other.groups)
    return same and all(np.array_equal(a.n, b.n) for a, b in zip(one.groups, other.groups, strict=True))


def _problem(place: str, en: str, zh: str) -> Problem:
    do = "Compare models of the same items, rows and estimator, one a restriction of the other."
    do_zh = "请比较题项、数据行与估计方法均相同、且一方为另一方特例的模型。"
    return problem("E-NESTED", place, en, zh, do, do_zh)


def wald(est: Estimate, *constraints: str) -> pl.DataFrame:
    """Wald test that constraints on labels hold together: h' (J V J')^-1 h, with h = lhs - rhs and J its slopes.

    Parameters:
        est: a fit by `csi.SEM`. constraints: such as "a == b" or "a*b == 0"; labels and `:=` names of the model.

    Returns:
        frame: the cell's key columns, chi2, df, p_value. A constraint that follows from the others, or from the model,
        adds nothing to df.

    Raises:
        Problems: the estimate is not of `csi.SEM`; a constraint without `==`, or with an unknown label; constraints
            that contradict each other, or that hold in the model already.

    Source:
        Wald (1943), Trans. Amer. Math. Soc. 54:426-482. Agrees with lavaan 0.6-14, lavTestWald.

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + x*b + y*c + d"), csi.Moments.of("abcd", cov, n=300), csi.SEM())
        >>> wald(est, "x == y").select(pl.col("chi2").round(2), "df").row(0)
        (3.67, 1.0)
    """
    check_estimate(est)
    fit = fitted(est)
    labels, fixed = _labels(fit)
    formulas = [formula_of(text, {*labels, *fixed, *(d.name for d in est.model.defined)}) for text in constraints]
    wrong = [f for f in formulas if isinstance(f, Problem)]
    if wrong or not formulas:
        raise Problems(wrong or [unreadable("", "no constraint was given.", "没有给出约束。")])
    b, k = fit.theta.shape
    h, J = np.empty((b, len(formulas))), np.zeros((b, len(formulas), k))
    for i, difference in enumerate(f for f in formulas if isinstance(f, str)):
        h[:, i] = _value(est, difference, labels, fixed, fit.theta).real
        for at in set(labels.values()):
            moved = fit.theta + 1j * STEP * (np.arange(k) == at)
            J[:, i, at] = _value(est, difference, labels, fixed, moved).imag / STEP
    numbers = np.array([quadratic_form(*one) for one in zip(h, J, fit.vcov, strict=True)])
    chi2, df, left = numbers[:, :1], numbers[:, 1:2], numbers[:, 2]
    if (left > STRAIN).any():
        raise Problems([_contradiction(constraints)])
    if (df == 0).any():
        raise Problems([_by_the_model(constraints)])
    test = pl.DataFrame({"test": ["wald"]})
    return tidy(cells_of(est), test, {"chi2": chi2, "df": df, "p_value": chdtrc(df, chi2)}).drop("test")


def quadratic_form(h: Array, J: Array, V: Array) -> tuple[float, float, float]:
    """chi2 = h' (J V J')^- h, its rank, and how far (in standard errors) h lies outside of what J V J' spans.

    Parameters:
        h: (c,) what the constraints leave. J: (c, k) their slopes. V: (k, k) covariance of the parameters.

    Example:
        >>> [x.round(6).item() for x in np.array(quadratic_form(np.array([2.0, 4]), np.array([[1.0], [2]]), np.eye(1)))]
        [4.0, 1.0, 0.0]
    """
    size = np.sqrt(np.maximum(J**2 @ np.diagonal(V), 0.0))
    if not (np.isfinite(size).all() and np.isfinite(V).all() and np.isfinite(h).all()):
        return np.nan, np.nan, np.nan
    size[size == 0] = 1.0
    A = J / size[:, None]
    values, vectors = np.linalg.eigh(A @ V @ A.T)
    turned = vectors.T @ (h / size)
    there = values > INDEPENDENT
    left = np.abs(turned[~there]).max(initial=0.0)
    return float(np.sum(turned[there] ** 2 / values[there])), float(there.sum()), float(left)


INDEPENDENT = 1e-9
"""Constraints whose standardised covariance has an eigenvalue below this depend on each other."""

STRAIN = 1e-4
"""So many standard errors a constraint that depends on others may miss what they say."""


def _contradiction(constraints: Sequence[str]) -> Problem:
    """No parameters of the model satisfy all constraints."""
    en = "no parameters near the estimates satisfy all of them: they contradict each other or the model."
    zh = "估计值附近没有参数能同时满足这些约束：它们彼此矛盾或与模型矛盾。"
    do, do_zh = "Leave one of them out, or test them one at a time.", "请去掉其中之一，或逐个检验。"
    return problem("E-WALD-CONTRADICTION", _place(constraints), en, zh, do, do_zh)


def _by_the_model(constraints: Sequence[str]) -> Problem:
    """Nothing is left to test."""
    en, zh = "the model itself says so: there is nothing to test.", "模型本身已设定如此，没有可检验的内容。"
    do = "Fit the model without that constraint, then test it."
    return problem("E-WALD", _place(constraints), en, zh, do, "请先去掉模型中的该约束再拟合，然后检验。")


def _place(constraints: Sequence[str]) -> str:
    """The constraints, as given."""
    return "constraints " + ", ".join(f'"{one}"' for one in constraints)


def _labels(fit: Fitted) -> tuple[dict[str, int], dict[str, float]]:
    """Labels of free parameters and of fixed values."""
    rows = list(zip(fit.layout.table.rows, fit.layout.table.index, strict=True))
    free = {r.label: at for r, at in rows if at >= 0 and r.label}
    return free, {r.label: r.fixed for r, at in rows if at < 0 and r.label and r.fixed is not None}


def _value(est: Estimate, text: str, labels: dict[str, int], fixed: dict[str, float], theta: Array) -> Array:
    """(b,) value of an expression of labels."""
    values = {n: theta[:, at] for n, at in labels.items()} | {n: np.full(len(theta), v) for n, v in fixed.items()}
    values |= evaluate_definitions(est.model.defined, values)
    return compile_expression(text).evaluate(values)
