"""The fit measures that are formulas of a few numbers: compiled in one go where that applies, else one by one.

Letters: `b` slices, `g` groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from csi.measures.absolute import absolute, compiled_sums
from csi.measures.baseline import Baseline, fit_length
from csi.measures.baseline_exogenous import exogenous_of
from csi.measures.fit_indices import critical, incremental, information_criteria, swain
from csi.measures.rmsea import rmsea
from csi.moments.stack import Array
from csi.sem.compiled import indices
from csi.sem.fitted import Fitted
from csi.sem.normal import discrepancy, target_of

INCREMENTAL = ("cfi", "tli", "nnfi", "rfi", "nfi", "pnfi", "ifi", "rni")
ABSOLUTE = (
    *("srmr", "rmr", "rmr_nomean", "srmr_bentler", "srmr_bentler_nomean", "crmr", "crmr_nomean"),
    *("srmr_mplus", "srmr_mplus_nomean", "cn_05", "cn_01", "gfi", "agfi", "pgfi", "mfi", "wrmr", "ecvi"),
)


def closed_form(fit: Fitted, base: Baseline) -> dict[str, Array]:
    """The minimum of F, Swain's chi-square, incremental and absolute indices, information criteria, RMSEA: (b,) each.

    Swain's chi-square and the criteria only where there is a likelihood.
    """
    known = _compiled(fit, base)
    return one_by_one(fit, base) if known is None else known


def _compiled(fit: Fitted, base: Baseline) -> dict[str, Array] | None:
    """All of them for one group of continuous items fitted by ML; None elsewhere."""
    group = fit.groups[0]
    if len(fit.groups) > 1 or not compiled_sums(fit, group):
        return None
    at, df = group.at, fit.df
    counts = (df, base.df, fit.npar, fit_length(fit), critical(df, 0.05), critical(df, 0.01))
    numbers = (fit.test.statistic, base.chi2, fit.total, group.n, fit.value, fit.loglik)
    means = fit.layout.means
    found = indices(group.cov, group.mean, at.Sigma, at.mu, exogenous_of(fit), counts, numbers, means=means)
    return None if found is None else found | {"nnfi": found["tli"], "srmr": found["srmr_bentler"]}


def one_by_one(fit: Fitted, base: Baseline) -> dict[str, Array]:
    """The same of any fit."""
    T, df, g = fit.test.statistic, fit.df, len(fit.groups)
    found = {"fmin": minimum(fit), **incremental(T, df, base.chi2, base.df), "rmsea": rmsea(T, df, fit.total, g)}
    if fit.fitting in {"ML", "FIML"}:
        found |= information_criteria(fit.loglik, fit.npar, np.sum([group.n for group in fit.groups], axis=0))
        found["chi2_swain"] = T * swain(len(fit.layout.table.observed), df, fit.groups[0].n)
    return found | absolute(fit)


def picked(found: Mapping[str, Array], names: Iterable[str]) -> dict[str, Array]:
    """Those of `names` that were found, in their order.

    Example:
        >>> picked({"b": np.array([1.0]), "a": np.array([2.0])}, ("a", "b", "c"))
        {'a': array([2.]), 'b': array([1.])}
    """
    return {name: found[name] for name in names if name in found}


def minimum(fit: Fitted) -> Array:
    """(b,) half the discrepancy, groups weighted by their rows: lavaan's fmin."""
    n = np.stack([g.n for g in fit.groups])
    if fit.fitting != "ML" or len(fit.groups) == 1 or (fit.total == n.sum(axis=0)).all():
        rows = n.sum(axis=0) if fit.fitting not in {"ML", "FIML"} else fit.total
        return np.asarray(0.5 * fit.total * fit.value / rows)
    each = [discrepancy(target_of(g.cov, g.mean, "ML"), g.at, means=fit.layout.means)[0] for g in fit.groups]
    return np.asarray(0.5 * (n / n.sum(axis=0) * np.stack(each)).sum(axis=0))
