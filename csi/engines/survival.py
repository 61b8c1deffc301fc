"""Adapter for statsmodels: Kaplan-Meier, the log-rank test, and generalised linear models of hazards by period."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from csi.errors import MissingPackage
from csi.moments.stack import Array, Ints

Link = Literal["logit", "cloglog"]
"""How a hazard depends on covariates: log odds, or log of minus log of the share that stays."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A Kaplan-Meier curve at the times of events.

    Attributes:
        time, survival, std_error (Greenwood), at_risk, events: (t,).
    """

    time: Array
    survival: Array
    std_error: Array
    at_risk: Array
    events: Array


def kaplan_meier(time: Array, event: Array, entry: Array | None = None) -> Kept:
    """The share to whom an event has not happened yet.

    Parameters:
        time: (n,) of the event or of the end of watching. event: (n,) bool. entry: (n,) from when on each is watched.

    Returns:
        A `Kept`; empty without events.

    Raises:
        MissingPackage: statsmodels is not installed.

    Source:
        Kaplan & Meier (1958), J. American Statistical Association 53, 457-481.

    Example:
        >>> kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1, 1, 0, 0]) == 1).survival.round(6).tolist()
        [0.75, 0.5]
    """
    if not event.any():
        none = np.empty(0)
        return Kept(none, none, none, none, none)
    found = _duration("SurvfuncRight")(time, event.astype(np.int64), entry=entry)
    columns = (found.surv_times, found.surv_prob, found.surv_prob_se, found.n_risk, found.n_events)
    return Kept(*(np.asarray(c, dtype=np.float64) for c in columns))


def log_rank(time: Array, event: Array, group: Ints, entry: Array | None = None) -> tuple[float, int, float]:
    """Chi-square, degrees of freedom and p that no group's events come sooner.

    Example:
        >>> time, event = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.ones(6) == 1
        >>> [round(v, 4) for v in log_rank(time, event, np.array([0, 0, 0, 1, 1, 1]))]
        [5.0517, 1, 0.0246]
    """
    chi2, p = _duration("survdiff")(time, event.astype(np.int64), group, entry=entry)
    return float(chi2), len(np.unique(group)) - 1, float(p)


@dataclass(frozen=True, slots=True)
class PeriodModel:
    """A model of what happens in a period to those it has not happened to yet.

    Attributes:
        slopes: (k,). influence: (n, k) of each row on the slopes. std_error: (k,) by the information. loglik.
    """

    slopes: Array
    influence: Array
    std_error: Array
    loglik: float


def period_model(X: Array, y: Array, weight: Array, link: Link) -> PeriodModel | None:
    """Binomial regression of rows of one person in one period; None where it has no finite maximum.

    Parameters:
        X: (n, k) the first columns for the periods. y: (n,) 1 where it happened. weight: (n,) of the design.

    Source:
        Prentice & Gloeckler (1978), Biometrics 34, 57-67 (complementary log-log); Allison (1982), Sociological
        Methodology 13, 61-98 (logit).

    Example:
        >>> X = np.column_stack([np.ones(8), np.arange(8.0)])
        >>> period_model(X, np.array([0.0, 0, 1, 0, 1, 0, 1, 1]), np.ones(8), "logit").slopes.round(4).tolist()
        [-2.0793, 0.5941]
    """
    size = np.sqrt((X**2).mean(axis=0))
    if not (size > 0).all() or np.ptp(y) == 0 or np.linalg.matrix_rank(X / size) < X.shape[1]:
        return None
    sm = _statsmodels()
    of = {"logit": sm.families.links.Logit, "cloglog": sm.families.links.CLogLog}[link]()
    Z = X / size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sm.GLM(y, Z, family=sm.families.Binomial(of), freq_weights=weight).fit(tol=1e-12, maxiter=100)
    eta = Z @ np.asarray(found.params)
    if not found.converged or np.abs(eta).max() > FAR or not np.isfinite(eta).all():
        return None
    mu, slope = of.inverse(eta), of.inverse_deriv(eta)
    known = weight * slope / (mu * (1 - mu))
    inverse = np.linalg.inv((Z * (known * slope)[:, None]).T @ Z)
    influence = (Z * (known * (y - mu))[:, None]) @ inverse / size
    return PeriodModel(np.asarray(found.params) / size, influence, np.sqrt(np.diag(inverse)) / size, float(found.llf))


FAR = 25.0
"""A linear predictor beyond this says that a column tells what happens without fail."""


def _duration(name: str) -> Callable[..., Any]:
    """A function of `statsmodels.duration.survfunc`."""
    try:
        # statsmodels takes a second to load: only when a curve is asked for
        from statsmodels.duration import survfunc
    except ImportError as error:
        raise MissingPackage("survival curves need statsmodels: pip install statsmodels") from error
    out: Callable[..., Any] = getattr(survfunc, name)
    return out


def _statsmodels() -> Any:  # noqa: ANN401 - a package without types
    """`statsmodels.api`."""
    try:
        # takes a second to load: only when a model is asked for
        import statsmodels.api as sm
    except ImportError as error:
        raise MissingPackage("hazards by period need statsmodels: pip install statsmodels") from error
    return sm
