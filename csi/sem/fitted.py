"""What a covariance fit knows beyond its `Estimate`: the arrays that fit measures, residuals and tests are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from csi.display import significant
from csi.errors import Problems, Text, problem
from csi.estimate.estimate import Estimate
from csi.estimate.shown import p_text
from csi.moments.stack import Array, Moments
from csi.sem.constraints import Linear
from csi.sem.implied import Implied
from csi.sem.layout import Layout
from csi.sem.method import Method
from csi.sem.moment_vector import MomentVector

ROUNDING = 1e-8
"""A statistic below this is printed as 0."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test of exact fit: statistic (b,), df, p (b,), and how it was scaled.

    Attributes:
        factor: (b,) scaling factor c of a scaled statistic T / c (+ shift). shift: (b,) of the scaled-shifted test.
        df: (b,) degrees of freedom (not whole for the mean and variance adjusted test). traces: what made the factor.
    """

    __test__: ClassVar[bool] = False  # no test of pytest's

    name: str
    statistic: Array
    df: Array
    p_value: Array
    factor: Array
    shift: Array
    traces: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupFit:
    """One group: what was observed and what the model implies.

    Attributes:
        name: its label, "" for one group. n: (b,) rows. share: (b,) its weight in F, summing to 1 over groups.
        count: (b,) the multiplier of its F in chi2.
        cov: (b, p, p) sample covariances with the divisor of the likelihood (latent-response correlations for ordinal
            items; EM estimates under FIML). mean: (b, p). at: the implied moments.
        vector: the moment vector of least squares (None for ML, GLS, ULS on continuous items).
        moments: the stack it was fitted to.
    """

    name: str
    n: Array
    share: Array
    count: Array
    cov: Array
    mean: Array
    at: Implied
    vector: MomentVector | None
    moments: Moments


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fit of a stack.

    Attributes:
        layout: the parameters' places. linear: equality constraints. theta: (b, k) free parameters.
        value: (b,) F at the optimum; total: (b,) its multiplier N, so that chi2 = N F.
        df: degrees of freedom. npar: free parameters, equality constraints taken off (active bounds are not).
        groups: one per group.
        information: (b, k, k) unit information that standard errors came from. vcov: (b, k, k).
        fitting: "ML", "GLS", "ULS", "WLS", "DWLS" or "FIML". test: of exact fit; scaled: its scaled form or None.
        loglik: (b,) log-likelihood of the model and saturated: (b,) of the unrestricted one (NaN where not ML).
        flats: per group (b, size), the fixed values of the matrices. method: estimator, errors, test and information.
        gradient: (b,) expected further drop of the log-likelihood when the search stopped.
        tangents: one per slice, the constraints as they are at its solution; () where `linear` holds for all of them.
    """

    layout: Layout
    linear: Linear
    theta: Array
    value: Array
    total: Array
    df: int
    npar: int
    groups: tuple[GroupFit, ...]
    information: Array
    vcov: Array
    fitting: str
    test: Test
    scaled: Test | None
    loglik: Array
    saturated: Array
    flats: tuple[Array, ...]
    method: Method
    gradient: Array
    tangents: tuple[Linear, ...] = ()

    def tangent(self, s: int) -> Linear:
        """The constraints at the solution of slice `s`."""
        return self.tangents[s] if self.tangents else self.linear

    def along(self, s: int) -> Array:
        """(k, r) directions along the constraints at the solution of slice `s`."""
        return self.tangent(s).N

    def information_along(self, s: int) -> Array:
        """(r, r) unit information along the constraints at the solution of slice `s`."""
        N = self.along(s)
        own = self.information[s]
        return np.asarray(N.T @ own @ N) if self.tangents else own

    def headline(self, cell: int) -> Text:
        """The test of exact fit of slice `cell`, scaled where it is."""
        if self.df < 0:
            return Text("no test of fit: fewer moments than free parameters", "没有拟合检验：矩的个数少于自由参数")
        tests = [t for t in (self.test, self.scaled) if t is not None]
        said = [
            (
                t.name,
                significant(0.0 if abs(t.statistic[cell]) <= ROUNDING else float(t.statistic[cell])),
                significant(float(t.df[cell])),
                p_text(float(t.p_value[cell])),
            )
            for t in tests
        ]
        en = [f"{'chi-square' if name == 'standard' else name} {x2}, df {df}, p {p}" for name, x2, df, p in said]
        zh = [f"{'卡方' if name == 'standard' else name} {x2}，df {df}，p {p}" for name, x2, df, p in said]
        return Text("; ".join(en), "；".join(zh))

    def at_bounds(self, cell: int) -> tuple[str, ...]:
        """Names of the parameters of slice `cell` that stopped at one of their bounds."""
        if not self.linear.bounded:
            return ()
        theta = self.theta[cell]
        near = 1e-9 * (1.0 + np.abs(theta))
        held = (theta - self.linear.lower <= near) | (self.linear.upper - theta <= near)
        return tuple(self.layout.table.names[int(i)] for i in np.flatnonzero(held))


def fitted(est: Estimate) -> Fitted:
    """The covariance fit behind an estimate.

    Raises:
        Problems: the estimate is not of `csi.SEM`; or it is pooled over imputations and has no fit of its own.
    """
    found = est.extra.get("sem")
    if isinstance(found, Fitted):
        return found
    if "pooling" in est.extra:
        raise _pooled(est)
    if "lms" in est.extra:
        en = "LMS fits a likelihood of rows; it has no chi-square, implied covariances or factor scores."
        zh = "LMS 拟合的是逐行似然，没有卡方、隐含协方差或因子得分。"
        do = 'Read est.extra["lms"] (log-likelihoods and their test), or use interaction="double-mean-centred".'
        do_zh = '请看 est.extra["lms"]（对数似然及其检验），或改用 interaction="double-mean-centred"。'
        raise Problems([problem("E-NOT-SEM", "estimate", en, zh, do, do_zh)])
    raise Problems(
        [
            problem(
                "E-NOT-SEM",
                "estimate",
                f"this needs a covariance fit by csi.SEM; the estimate is by {est.settings.name}.",
                f"此功能需要由 csi.SEM 得到的协方差拟合，而该估计来自 {est.settings.name}。",
                "Fit the model with csi.fit(model, data, csi.SEM()).",
                "请用 csi.fit(model, data, csi.SEM()) 拟合模型。",
            )
        ]
    )


def _pooled(est: Estimate) -> Problems:
    """Why a pooled estimate has no covariance fit: its copies have; or theirs, where they have none either."""
    copies: tuple[Estimate, ...] = getattr(est.extra["pooling"], "copies", ())
    try:
        for copy in copies:
            fitted(copy)
    except Problems as error:
        return error
    en = (
        f"it is pooled over {len(copies)} imputations; fit, residuals, scores and the like are of one fit, not of their"
    )
    zh = f"该估计由 {len(copies)} 份插补数据合并而成；拟合指标、残差、得分等属于单次拟合，而不属于合并结果。"
    do = 'Call it on each copy: they are in est.extra["pooling"].copies.'
    do_zh = '请对每份数据的估计分别调用，它们位于 est.extra["pooling"].copies。'
    return Problems([problem("E-POOLED", "estimate", f"{en} mean.", zh, do, do_zh)])
