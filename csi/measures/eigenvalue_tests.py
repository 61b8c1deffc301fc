"""Tests of exact fit whose level holds without normality: `eigenvalue_tests(est)`.

Under the model a test statistic is distributed as sum_i l_i z_i^2. Estimated eigenvalues l are too spread out; what
stands in for them decides the level: their mean (Satorra-Bentler), means of blocks (EBA), or values drawn halfway
towards the mean (pEBA, pALL, pOLS).

Letters: `b` cells, `d` degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.shown import listing, told
from csi.measures.spectrum import OF_ROWS, Spectrum, spectrum
from csi.measures.tidy import cells_of, said_once, tidy, unsolved
from csi.measures.weighted_chi2 import weighted_tail
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, fitted

ALPHA = 0.05


def block_means(values: Array, blocks: int) -> Array:
    """(b, d) eigenvalues replaced by the mean of their block; blocks of ceil(d / blocks), the last may be smaller.

    Parameters:
        values: (b, d), largest first.

    Source:
        Foldnes & Grønneberg (2018), Structural Equation Modeling 25(1), 101-114.

    Example:
        >>> block_means(np.array([[5.0, 3.0, 2.0, 1.0, 0.5]]), 2).tolist()
        [[3.3333333333333335, 3.3333333333333335, 3.3333333333333335, 0.75, 0.75]]
    """
    size = -(-values.shape[1] // blocks)
    out = np.empty_like(values)
    for first in range(0, values.shape[1], size):
        out[:, first : first + size] = values[:, first : first + size].mean(axis=1, keepdims=True)
    return out


def halfway(values: Array) -> Array:
    """(b, d) values halfway between themselves and their mean.

    Source:
        Foldnes, Moss & Grønneberg (2025), Structural Equation Modeling 32(1), 1-13.

    Example:
        >>> halfway(np.array([[3.0, 1.0]])).tolist()
        [[2.5, 1.5]]
    """
    return np.asarray(0.5 * (values + values.mean(axis=1, keepdims=True)))


def trend(values: Array, penalty: float) -> Array:
    """(b, d) the straight line through the eigenvalues in their order, its slope divided by `penalty`; at least 0.

    Source:
        Foldnes, Moss & Grønneberg (2025), Structural Equation Modeling 32(1), 1-13.

    Example:
        >>> trend(np.array([[4.0, 2.0, 0.0]]), 2.0).tolist()
        [[3.0, 2.0, 1.0]]
    """
    at = np.arange(values.shape[1]) - 0.5 * (values.shape[1] - 1)
    slope = (values @ at / max(float(at @ at), 1.0))[:, None]
    return np.asarray(np.maximum(values.mean(axis=1, keepdims=True) + slope * at / penalty, 0.0))


def peba(values: Array, blocks: int) -> Array:
    """(b, d) block means drawn halfway towards the mean of all.

    Example:
        >>> peba(np.array([[4.0, 2.0, 1.0, 1.0]]), 2).tolist()
        [[2.5, 2.5, 1.5, 1.5]]
    """
    return halfway(block_means(values, blocks))


TESTS: Final[dict[str, Callable[[Array], Array]]] = {
    "peba4": partial(peba, blocks=4),
    "peba2": partial(peba, blocks=2),
    "peba6": partial(peba, blocks=6),
    "pall": halfway,
    "pols2": partial(trend, penalty=2.0),
    "eba2": partial(block_means, blocks=2),
    "eba4": partial(block_means, blocks=4),
    "all": np.asarray,
    "sb": partial(block_means, blocks=1),
}
"""What stands for the eigenvalues; the first is the recommended one. "all" are themselves, "sb" their mean."""

UNBIASED = reason(
    "R-UNBIASED-GAMMA",
    "an unbiased fourth-moment matrix is known for independent complete rows of equal weight without given covariates.",
    "无偏四阶矩矩阵只适用于等权、独立、完整且无给定协变量的数据行。",
)

LONE = reason(
    "R-CLUSTERS-ONE",
    "all rows come from one unit (cluster); fourth moments that know units need two or more.",
    "所有行同属一个抽样单元（聚类）；考虑聚类的四阶矩至少需要两个聚类。",
)


@dataclass(frozen=True, slots=True, repr=False)
class EigenvalueTests(Shown):
    """What `eigenvalue_tests` found.

    Attributes:
        table: key columns, base ("rls": Browne's reweighted least squares; "ml", "dwls", ...: the estimator's own),
            gamma ("biased": as the sample has it; "unbiased"), test, statistic, df, p_value, reason.
        eigenvalues: (b, d) of U Gamma, largest first. notes. reasons: code -> Reason.
    """

    table: pl.DataFrame
    eigenvalues: Array
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """One sentence per cell: whether the recommended test rejects exact fit at 5 %."""
        keys = self.table.columns[: self.table.columns.index("base")]
        first = {c: self.table[c][0] for c in ("base", "gamma", "test")}
        kept = self.table.filter(*(pl.col(c) == value for c, value in first.items())).drop_nulls("p_value")
        found = []
        for row in kept.iter_rows(named=True):
            place = " ".join(str(row[k]) for k in keys)
            en, zh = (f"{place}: ", f"{place}：") if place else ("", "")
            p, label = row["p_value"], f"pEBA4, {row['base'].upper()}"
            told_p = "p < .001" if p < 0.001 else f"p = {p:.3f}"
            verdict = ("is rejected", "被拒绝") if p < ALPHA else ("is not rejected", "未被拒绝")
            found.append(
                Text(
                    f"{en}exact fit {verdict[0]} at 5 % ({label}: {told_p}).",
                    f"{zh}精确拟合在 5% 水平{verdict[1]}（{label}：{told_p}）。",
                )
            )
        return tuple(found)


@text.register
def _(value: EigenvalueTests, lang: str = "en") -> str:
    """One row per statistic, Gamma and test; the sentence of the recommended one."""
    title = Text("Tests of exact fit by eigenvalues", "基于特征值的精确拟合检验").say(lang)
    shown = value.table.filter(pl.col("reason").ne_missing(UNBIASED.code))
    shown = shown.drop("reason") if shown["reason"].null_count() == shown.height else shown
    said = [s.say(lang) for s in value.sentences]
    return "\n".join([title, listing(shown, lang), *said, *told(value.reasons.values(), value.notes, lang)])


def eigenvalue_tests(est: Estimate) -> EigenvalueTests:
    """Tests of exact fit for answers that are not normal: P(sum_i l_i z_i^2 > T).

    T is Browne's reweighted least squares statistic (maximum likelihood only) or the estimator's own; l are the
    eigenvalues of U Gamma, of the sample's fourth moments or of their unbiased estimates, themselves ("all") or
    replaced: "sb" their mean, "eba2", "eba4" means of blocks, "peba2", "peba4", "peba6" block means halfway towards
    the mean of all, "pall" themselves halfway, "pols2" a straight line with half its slope. The authors recommend
    "peba4" with "rls" and the sample's own fourth moments: the first row, `p_value_peba4` of `csi.fit_measures`.
    Fourth moments of ML, GLS and ULS know rows that share a unit (`unit=`); those of DWLS, WLS and ordinal items do
    not.

    Parameters:
        est: a fit by `csi.SEM` to complete rows; ML in any form, GLS, ULS, DWLS or WLS, ordinal items too.

    Returns:
        An `EigenvalueTests`.

    Raises:
        Problems: not a covariance fit, no rows, absent answers, no degrees of freedom.

    Source:
        Foldnes & Grønneberg (2018), Structural Equation Modeling 25(1); Foldnes, Moss & Grønneberg (2025), Improved
        goodness of fit procedures for structural equation models, Structural Equation Modeling 32(1); unbiased: Du &
        Bentler (2022). Agrees with semTests' published numbers within 2e-5 of them (tests/measures); level: tests/slow.

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> rows = rng.standard_exponential((200, 1)) + rng.standard_normal((200, 4))
        >>> frame = pl.DataFrame(rows, schema=list("abcd"))
        >>> found = eigenvalue_tests(csi.fit(csi.Model.parse("f =~ a + b + c + d"), frame, csi.SEM(estimator="MLM")))
        >>> found.table.head(2).select("base", "gamma", "test", "df").rows()
        [('rls', 'biased', 'peba4', 2), ('rls', 'biased', 'peba2', 2)]
    """
    check_estimate(est)
    fit = fitted(est)
    spectra = spectrum(fit)
    if spectra is None:
        raise Problems([_refused(fit)])
    labels, statistics, p = _every(fit, spectra)
    usable = np.array([r is None for r in unsolved(est)], dtype=bool)[:, None]
    p = np.where(usable, p, np.nan)
    absent = [UNBIASED.code if kind == "unbiased" else LONE.code for kind in labels["gamma"]]
    codes = [
        None if np.isfinite(value) else code if why is None else why.code
        for why, row in zip(unsolved(est), p, strict=True)
        for value, code in zip(row, absent, strict=True)
    ]
    df = pl.lit(fit.df).alias("df")
    table = tidy(cells_of(est), labels, {"statistic": np.where(usable, statistics, np.nan), "p_value": p})
    table = table.with_columns(df, pl.Series("reason", codes, dtype=pl.String))
    keys = [c for c in table.columns if c not in _COLUMNS]
    why = said_once([*(r for r in (UNBIASED, LONE) if r.code in codes), *unsolved(est)])
    return EigenvalueTests(table.select(*keys, *_COLUMNS), spectra.biased, est.notes, why)


_COLUMNS: Final = ("base", "gamma", "test", "statistic", "df", "p_value", "reason")


def recommended(fit: Fitted) -> tuple[Array, Array] | None:
    """(b,) T_RLS and the p-value of pEBA4, of a fit by robust maximum likelihood; None for others."""
    if fit.fitting != "ML" or fit.scaled is None:
        return None
    spectra = spectrum(fit)
    return None if spectra is None else (spectra.rls, weighted_tail(spectra.rls, peba(spectra.biased, 4)))


def _every(fit: Fitted, spectra: Spectrum) -> tuple[pl.DataFrame, Array, Array]:
    """Labels, statistics and p-values (b, rows) of every combination."""
    own = {fit.fitting.lower(): fit.test.statistic}
    bases = {"rls": spectra.rls, **own} if fit.fitting == "ML" else own
    gammas = {"biased": spectra.biased}
    if not fit.layout.table.rules.ordered:
        gammas["unbiased"] = spectra.unbiased
    labels, statistics, p = [], [], []
    for base, T in bases.items():
        for kind, values in gammas.items():
            for name, replaced in TESTS.items():
                labels.append((base, kind, name))
                statistics.append(T)
                p.append(weighted_tail(T, replaced(values)))
    frame = pl.DataFrame(labels, schema=["base", "gamma", "test"], orient="row")
    return frame, np.stack(statistics, axis=1), np.stack(p, axis=1)


def _refused(fit: Fitted) -> Problem:
    """Why a fit has no such test."""
    if fit.df <= 0:
        en, zh = "the model has no degrees of freedom to test.", "模型没有可供检验的自由度。"
        do, do_zh = "Leave a parameter out, or judge it by its estimates.", "请减少参数，或依据估计值判断。"
        return problem("E-EIGEN", "estimate", en, zh, do, do_zh)
    if fit.fitting not in OF_ROWS or "two.stage" in fit.method.se:
        en, zh = "these tests are for complete rows.", "这些检验只适用于完整的数据行。"
        do = 'Read the scaled test of the fit, or fit with missing="listwise".'
        do_zh = '请看该拟合的校正检验，或用 missing="listwise" 拟合。'
        return problem("E-EIGEN", "estimate", en, zh, do, do_zh)
    en, zh = "these tests need fourth moments of the rows.", "这些检验需要数据行的四阶矩。"
    do = 'Fit from a panel or a frame, with estimator="MLM", "MLR" or a scaled form such as "ULSMV".'
    do_zh = '请用面板或数据框拟合，并使用 estimator="MLM"、"MLR" 或 "ULSMV" 等校正形式。'
    return problem("E-EIGEN", "estimate", en, zh, do, do_zh)
