"""Covariance models of method variance: one factor, a method factor on all items, a marker factor.

Letters: `p` items, `q` constructs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from csi.errors import Problems, Reason, reason
from csi.estimate.estimate import Estimate
from csi.measures.fit_measures import fit_measures
from csi.measures.nested import lrt
from csi.measures.separation.factors import refitted
from csi.measures.tidy import unsolved
from csi.models.model import Model
from csi.models.nouns import Construct, Covariance, Modifier, Term

METHOD: Final = "method_"
"""The name of the method factor; free in every model we know."""

LABEL: Final = "method_loading"
NOT_FITTED = reason(
    "R-METHOD-MODEL",
    "this model of method variance could not be fitted to these answers.",
    "该方法变异模型无法拟合这些数据。",
)
IMPROPER = reason(
    "R-METHOD-IMPROPER",
    "the solution is improper (a negative variance, or correlations that cannot be); its numbers are no evidence.",
    "解不恰当（方差为负或相关矩阵不可能成立），其数值不能作为依据。",
)


@dataclass(frozen=True, slots=True)
class Fit:
    """One of the models.

    Attributes:
        name, estimate (None where it could not be fitted). against: the model it is compared with. chi2, df, cfi,
        rmsea; chi2_diff, df_diff, p_value against that model. method: item -> standardised method loading. own: item ->
        standardised loading on its construct. correlation: pair of constructs -> factor correlation. reason: why its
        numbers are absent or no evidence.
    """

    name: str
    estimate: Estimate | None
    against: str = ""
    chi2: float = np.nan
    df: float = np.nan
    cfi: float = np.nan
    rmsea: float = np.nan
    chi2_diff: float = np.nan
    df_diff: float = np.nan
    p_value: float = np.nan
    method: Mapping[str, float] | None = None
    own: Mapping[str, float] | None = None
    correlation: Mapping[tuple[str, str], float] | None = None
    reason: Reason | None = None

    @property
    def share(self) -> float:
        """Share of the items' variance that the method factor explains: the mean squared standardised loading."""
        return float(np.mean([v**2 for v in self.method.values()])) if self.method else np.nan


def one_factor(model: Model) -> Model:
    """Every item measures one construct.

    Example:
        >>> print(one_factor(Model.parse("a =~ x1 + x2; b =~ y1 + y2")))
        method_ =~ x1 + x2 + y1 + y2
    """
    return Model((Construct(METHOD, "=~", tuple(Term(i) for i in model.items)),))


def method_factor(model: Model, items: Iterable[str] | None = None, *, equal: bool) -> Model:
    """A method factor beside the constructs, not correlated with them.

    Parameters:
        items: of the method factor; all by default. equal: whether its loadings are one number.

    Example:
        >>> print(method_factor(Model.parse("a =~ x1 + x2 + x3"), equal=True))
        a =~ x1 + x2 + x3
        method_ =~ method_loading*x1 + method_loading*x2 + method_loading*x3
        a ~~ 0*method_
    """
    own = (Modifier(label=LABEL),) if equal else ()
    factor = Construct(METHOD, "=~", tuple(Term(i, own) for i in (items or model.items)))
    apart = tuple(Covariance(c.name, Term(METHOD, _fixed(0.0))) for c in model.constructs)
    return replace(model, constructs=(*model.constructs, factor), covariances=(*model.covariances, *apart))


def marker_models(est: Estimate, marker: str) -> dict[str, Model]:
    """The models of the marker technique, from the fit of all constructs and the marker.

    Baseline: the marker's loadings and residuals as estimated, its correlations 0. Equal and free: it also loads on all
    items of the constructs.

    Parameters:
        est: all constructs and the marker, factors with variance 1. marker: its name.

    Source:
        Williams, Hartman & Cavazotte (2010), Organizational Research Methods 13(3), 477-514.
    """
    value = {(r.lhs, r.op, r.rhs): float(v) for r, v in zip(est.rows, est.values[0], strict=True)}
    own = est.model[marker].items
    substantive = tuple(c for c in est.model.constructs if c.name != marker)
    items = [i for c in substantive for i in c.items]
    held = tuple(Term(i, _fixed(value[marker, "=~", i])) for i in own)
    residuals = tuple(Covariance(i, Term(i, _fixed(value[i, "~~", i]))) for i in own)
    apart = tuple(Covariance(c.name, Term(marker, _fixed(0.0))) for c in substantive)
    base = (*(c for c in est.model.covariances if not {c.lhs, c.rhs.name} & {marker}), *residuals, *apart)
    made = {}
    for name, label in (("marker_baseline", None), ("marker_equal", LABEL), ("marker_free", "")):
        extra = () if label is None else tuple(Term(i, (Modifier(label=label),) if label else ()) for i in items)
        factor = Construct(marker, "=~", (*held, *extra))
        made[name] = replace(est.model, constructs=(*substantive, factor), covariances=base)
    return made


def with_correlations(model: Model, fixed: Mapping[tuple[str, str], float]) -> Model:
    """The model with correlations of constructs held at values."""
    held = tuple(Covariance(a, Term(b, _fixed(v))) for (a, b), v in fixed.items())
    return replace(model, covariances=(*model.covariances, *held))


def _fixed(value: float) -> tuple[Modifier, ...]:
    return (Modifier(fixed=value),)


def fitted_beside(
    first: Estimate, name: str, model: Model, against: Fit, constructs: tuple[str, ...], method: str
) -> Fit:
    """A model fitted to the same answers, compared with another.

    Parameters:
        first: the estimate whose answers are used. constructs: whose loadings and correlations are told. method: the
            factor that stands for the method.
    """
    try:
        est = refitted(first, model)
    except Problems:
        return Fit(name, None, against.name, reason=NOT_FITTED)
    return judged(name, est, against, constructs, method)


def judged(name: str, est: Estimate, against: Fit | None, constructs: tuple[str, ...], method: str) -> Fit:
    """What a fit says, and how it compares."""
    why = unsolved(est)[0]
    if why is not None:
        return Fit(name, None, against.name if against else "", reason=why)
    measures = fit_measures(est)
    chi2, df, cfi, rmsea = (float(np.asarray(measures[k]).reshape(-1)[0]) for k in ("chi2", "df", "cfi", "rmsea"))
    drop = (np.nan, np.nan, np.nan)
    if against is not None and against.estimate is not None:
        row = lrt(against.estimate, est).table.row(1, named=True)
        drop = _number(row["chi2_diff"]), _number(row["df_diff"]), _number(row["p_value"])
    standard = est.std_all[0] if est.std_all is not None else est.values[0]
    own: dict[str, float] = {}
    by_method: dict[str, float] = {}
    between: dict[tuple[str, str], float] = {}
    for r, v in zip(est.rows, standard.tolist(), strict=True):
        if r.op == "=~" and r.lhs == method:
            by_method[r.rhs] = float(v)
        elif r.op == "=~" and r.lhs in constructs:
            own[r.rhs] = float(v)
        elif r.op == "~~" and r.lhs != r.rhs and r.lhs in constructs and r.rhs in constructs:
            between[r.lhs, r.rhs] = float(v)
    shared = {i: v for i, v in by_method.items() if i in own} if own else by_method
    improper = any(bool(flags[0]) for flags in est.convergence.improper.values())
    return Fit(
        name,
        est,
        against.name if against else "",
        chi2,
        df,
        cfi,
        rmsea,
        *drop,
        method=shared,
        own=own,
        correlation=between,
        reason=IMPROPER if improper else None,
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
