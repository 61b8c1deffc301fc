"""The families of fit measures, each from a `Fitted`: tests, incremental indices, RMSEA, likelihood.

Letters: `b` slices, `g` groups.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from csi.errors import Reason, reason
from csi.measures.baseline import Baseline, baseline
from csi.measures.closed_form import ABSOLUTE, INCREMENTAL, closed_form, picked
from csi.measures.eigenvalue_tests import recommended
from csi.measures.fit_indices import Number, cfi, incremental, p_exact, rni, tli
from csi.measures.rmsea import below, rmsea, rmsea_interval
from csi.measures.robust_fit import Corrected, complete
from csi.measures.robust_incomplete import incomplete
from csi.measures.robust_ordinal import ordinal
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, Test

NO_DF = reason("no_df", "the model has no degrees of freedom to test.", "模型没有可供检验的自由度。")
NO_CHI_SQUARE = reason(
    "no_chi_square",
    "N F of unweighted least squares has no chi-square distribution; see the scaled test.",
    "未加权最小二乘的 N F 不服从卡方分布，请看校正后的检验。",
)
NOT_NESTED = reason(
    "baseline_not_nested",
    "the model has more degrees of freedom than the independence model.",
    "模型的自由度多于独立模型，该指标没有定义。",
)
NOT_ORDINAL = reason("not_ordinal", "not defined for ordinal items.", "对有序题项没有定义。")
NO_ROBUST = reason(
    "no_robust_index",
    "no robust form is known for constrained thresholds, or for ordinal beside continuous items.",
    "阈值受约束，或有序与连续题项混合时，没有已知的稳健形式。",
)
NEGATIVE_FACTOR = reason(
    "negative_factor",
    "the scaling factor of the test is not positive (few clusters or rows, or a model far off): it has no scaled form.",
    "检验的校正因子非正（群组或样本过少，或模型偏离过大）：没有校正形式。",
)
NEVER_TOGETHER = reason(
    "never_together",
    "it needs the covariance of every pair of items, and some pairs are never answered by the same row.",
    "它需要每一对题项的协方差，而部分题项对从未被同一行同时作答。",
)


def every_measure(fit: Fitted, hypotheses: Mapping[str, float]) -> tuple[dict[str, Array], dict[str, Reason]]:
    """All measures of a fit, (b,) each, and why some are absent.

    Parameters:
        hypotheses: rmsea_level, rmsea_close, rmsea_not_close.
    """
    base = baseline(fit)
    robust = _corrected(fit, base)
    closed = closed_form(fit, base)
    found = _tests(fit, base, closed) | _incremental(fit, base, closed, robust)
    scaled = fit.scaled is not None and base.scaled is not None
    found |= _likelihood(fit, closed)
    found |= _rmsea(fit, fit.test.statistic, fit.df, hypotheses, point=closed["rmsea"])
    if scaled:
        found |= _named(_scaled_rmsea(fit, hypotheses), "scaled")
    if robust is not None:
        found |= _named(_robust_rmsea(fit, robust, hypotheses), "robust")
    found |= picked(closed, ABSOLUTE)
    return found, _reasons(fit, found)


def comparative(fit: Fitted) -> Array:
    """(b,) CFI in its best form: robust, else scaled, else plain; NaN with negative degrees of freedom."""
    if fit.df < 0:
        return np.full(len(fit.theta), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        base = baseline(fit)
        plain = incremental(fit.test.statistic, fit.df, base.chi2, base.df)
        found = _incremental(fit, base, plain, _corrected(fit, base))
    best = found["cfi"]
    for name in ("cfi_scaled", "cfi_robust"):
        if name in found:
            best = np.where(np.isfinite(found[name]), found[name], best)
    return best


def _incremental(
    fit: Fitted, base: Baseline, closed: Mapping[str, Array], robust: Corrected | None
) -> dict[str, Array]:
    """Indices against the independence model, in every form there is."""
    found = picked(closed, INCREMENTAL)
    if fit.scaled is not None and base.scaled is not None:
        found |= _named(
            incremental(fit.scaled.statistic, fit.scaled.df, base.scaled.statistic, base.scaled.df), "scaled"
        )
    if robust is not None:
        found |= _named(_robust_incremental(fit, base, robust), "robust")
    return found


def _corrected(fit: Fitted, base: Baseline) -> Corrected | None:
    """What the robust indices are made of, by the kind of data."""
    if fit.fitting == "FIML":
        return incomplete(fit, base)
    return ordinal(fit, base) if fit.layout.table.rules.ordered else complete(fit, base)


def _named(measures: Mapping[str, Array], form: str) -> dict[str, Array]:
    """Measures with the name of their form at the end."""
    return {f"{name}_{form}": values for name, values in measures.items()}


def _tests(fit: Fitted, base: Baseline, closed: Mapping[str, Array]) -> dict[str, Array]:
    """The tests of the model and of the independence model."""
    one = np.ones(len(fit.theta))
    unknown = fit.fitting == "ULS"
    found = {"npar": fit.npar * one, "fmin": closed["fmin"]}
    for prefix, chi2, df, test in (
        ("", fit.test.statistic, fit.df, fit.scaled),
        ("baseline_", base.chi2, base.df, base.scaled),
    ):
        p = np.full_like(chi2, np.nan) if unknown else p_exact(chi2, df)
        found |= {f"{prefix}chi2": chi2, f"{prefix}df": df * one, f"{prefix}p_value": p}
        if test is not None:
            found |= {f"{prefix}{name}": values for name, values in _scaled_test(test).items()}
    return found | _small_sample(fit, closed) | _eigenvalues(fit)


def _small_sample(fit: Fitted, closed: Mapping[str, Array]) -> dict[str, Array]:
    """Swain's test, where its theory is: ML of the covariances of one group of complete rows."""
    if fit.fitting != "ML" or len(fit.groups) > 1 or fit.layout.means or fit.scaled is not None or fit.df <= 0:
        return {}
    chi2 = closed["chi2_swain"]
    return {"chi2_swain": chi2, "p_value_swain": p_exact(chi2, fit.df)}


def _eigenvalues(fit: Fitted) -> dict[str, Array]:
    """Browne's statistic with the p-value of penalised eigenvalue block averaging, of robust maximum likelihood."""
    told = recommended(fit)
    return {} if told is None else {"chi2_rls": told[0], "p_value_peba4": told[1]}


def _scaled_test(test: Test) -> dict[str, Array]:
    """A scaled test's numbers."""
    found = {
        "chi2_scaled": test.statistic,
        "df_scaled": test.df,
        "p_value_scaled": p_exact(test.statistic, test.df),
        "scaling_factor": test.factor,
    }
    return found | ({"shift": test.shift} if test.name == "scaled.shifted" else {})


def _robust_incremental(fit: Fitted, base: Baseline, robust: Corrected) -> dict[str, Array]:
    """Robust CFI, TLI and RNI."""
    noise = (robust.T, robust.c * fit.df, robust.T0, robust.c0 * base.df)
    lewis = tli(robust.T, fit.df, robust.T0, base.df, robust.c, robust.c0)
    return {"cfi": cfi(*noise), "tli": lewis, "nnfi": lewis, "rni": rni(*noise)}


def _likelihood(fit: Fitted, closed: Mapping[str, Array]) -> dict[str, Array]:
    """Log-likelihoods and information criteria, where there is a likelihood."""
    if fit.fitting not in {"ML", "FIML"}:
        return {}
    n = np.asarray(sum(g.n for g in fit.groups))
    found = {
        "logl": fit.loglik,
        "logl_unrestricted": fit.saturated,
        "aic": closed["aic"],
        "bic": closed["bic"],
        "n": n,
        "sabic": closed["sabic"],
    }
    if fit.scaled is not None and fit.scaled.name.startswith("yuan"):
        found |= {f"scaling_factor_{h}": fit.scaled.traces[f"{h}_factor"] for h in ("h1", "h0")}
    return found


def _rmsea(
    fit: Fitted, T: Array, df: Number, at: Mapping[str, float], c: Number = 1.0, point: Array | None = None
) -> dict[str, Array]:
    """RMSEA, its interval and its tests. The parts of `rmsea` that a robust form replaces are replaced by it."""
    g, N = len(fit.groups), fit.total
    low, high = rmsea_interval(T, df, N, g, c, at["rmsea_level"])
    points = np.array([[at["rmsea_close"]], [at["rmsea_not_close"]]])
    close, not_close = below(T, df, N, points, g, c)
    return {
        "rmsea": rmsea(T, df, N, g) if point is None else point,
        "rmsea_conf_low": low,
        "rmsea_conf_high": high,
        "rmsea_p_close": 1 - close,
        "rmsea_p_not_close": not_close,
    }


def _scaled_rmsea(fit: Fitted, at: Mapping[str, float]) -> dict[str, Array]:
    """RMSEA from the scaled statistic: T on tr(U Gamma) degrees of freedom, or the shifted statistic on its own."""
    test = fit.scaled
    if test is None:
        return {}
    if test.name == "scaled.shifted":
        return _rmsea(fit, test.statistic, fit.df, at)
    found = _rmsea(fit, fit.test.statistic, test.traces["first"], at)
    return {name: np.where(np.isfinite(test.statistic), values, np.nan) for name, values in found.items()}


def _robust_rmsea(fit: Fitted, robust: Corrected, at: Mapping[str, float]) -> dict[str, Array]:
    """RMSEA from T - c df, its interval from the scaled statistic."""
    found = _rmsea(fit, robust.tested, fit.df, at, robust.factor)
    return found | {"rmsea": rmsea(robust.T, fit.df, fit.total, len(fit.groups), robust.c)}


def _reasons(fit: Fitted, found: Mapping[str, Array]) -> dict[str, Reason]:
    """Why each measure that some cell lacks is absent there."""
    if np.isfinite(np.concatenate(list(found.values()))).all():
        return {}
    absent = [name for name, values in found.items() if not np.isfinite(values).all()]
    out = {}
    unscaled = fit.scaled is not None and bool((fit.scaled.factor <= 0).any())
    for name in absent:
        if unscaled and name.endswith(("_scaled", "_robust")):
            out[name] = NEGATIVE_FACTOR
        elif name.endswith("_robust"):
            out[name] = NEVER_TOGETHER if fit.fitting == "FIML" else NO_ROBUST
        elif name.startswith("srmr_mplus"):
            out[name] = NOT_ORDINAL
        elif fit.df == 0:
            out[name] = NO_DF
        elif name in {"p_value", "baseline_p_value"}:
            out[name] = NO_CHI_SQUARE
        elif name.startswith(("nfi", "rfi")):
            out[name] = NOT_NESTED
    return out
