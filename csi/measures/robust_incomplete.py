"""Robust fit of models fitted to rows with absent answers: the discrepancy that complete answers would have had.

    T = N F_ML(saturated moments, implied moments),  c df = its expectation given how the moments were estimated

The saturated moments have the covariance of observed information, the parameters that of the information of the fit.

Letters: `b` slices, `p` items, `M` moments, `g` groups.

Source:
    Zhang & Savalei (2023), New computations for RMSEA and CFI following FIML and TS estimation with missing data,
    Psychological Methods 28:263-283 (saturated estimates, observed information).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from csi.measures.baseline import Baseline, slots_of
from csi.measures.baseline_exogenous import Flags, correlated_of, free_exogenous, part_of
from csi.measures.incomplete_rows import saturated_gamma, saturated_weight, source_of
from csi.measures.robust_fit import Corrected, Parts, from_noise, noise
from csi.moments.patterns import Patterns
from csi.moments.saturated import available
from csi.moments.stack import Array, Ints
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.moment_vector import plans_of, vector_jacobian
from csi.sem.normal import discrepancy, target_of
from csi.sem.robust import normal_weight


def incomplete(fit: Fitted, base: Baseline) -> Corrected:
    """The corrections of a full-information fit; NaN where some pair of items is never answered together, since its
    saturated covariance, on which T hangs, is then whatever the search began with.
    """
    exogenous, b = correlated_of(fit), len(fit.theta)
    slots = slots_of(fit)
    keep = np.sort(np.concatenate([slots.held, slots.free]))
    select = (keep[:, None] == np.sort(slots.free)).astype(np.float64)
    groups = [_group(fit, g, keep) for g in range(len(fit.groups))]
    count = len(groups)
    free = [np.kron(np.eye(count)[g : g + 1], select) for g in range(count)]
    T, T0 = np.zeros(b), np.zeros(b)
    for g in fit.groups:
        T += np.where(apart(g), np.nan, g.n) * discrepancy(target_of(g.cov, g.mean, "ML"), g.at, means=True)[0]
        T0 += g.n * _independence(g, exogenous, free_exogenous(fit))
    efficient = fit.scaled is None
    alone = [[replace(one, jacobian=D) for one in parts] for parts, D in zip(groups, free, strict=True)]
    expected, expected0 = (
        np.array([noise([parts[s] for parts in each], efficient=efficient) for s in range(b)])
        for each in (groups, alone)
    )
    return from_noise(T, expected, fit.df, T0, expected0, base.df)


def apart(group: GroupFit) -> Flags:
    """(b,) whether some pair of items is never answered together."""

    def look(patterns: Patterns) -> tuple[Array]:
        return ((patterns.coverage == 0).any(axis=(1, 2)).astype(np.float64),)

    return np.asarray(source_of(group).over(look)[0] > 0)


def _independence(group: GroupFit, exogenous: Flags, free: Flags) -> Array:
    """(b,) normal discrepancy of the saturated moments from independence, as the answers there are estimate it."""
    mean, variance = source_of(group).over(available)
    Sigma = np.where(np.eye(exogenous.size, dtype=bool), variance[:, :, None], 0.0)
    both = exogenous[:, None] & exogenous
    Sigma = np.where(both, group.cov, Sigma)
    level = np.where(exogenous, group.mean, mean)
    if free.any():
        part = part_of(group, free)[0]
        at = np.flatnonzero(free)
        Sigma[:, at[:, None], at], level[:, at] = part.cov, part.mean
    d = group.mean - level
    W = np.linalg.inv(Sigma)
    logs = np.linalg.slogdet(np.stack([Sigma, group.cov]))[1]
    spread = np.einsum("bij,bji->b", W, group.cov) - exogenous.size
    return np.asarray(logs[0] - logs[1] + spread + np.einsum("bi,bij,bj->b", d, W, d))


def _group(fit: Fitted, g: int, keep: Ints) -> list[Parts]:
    """What `noise` needs of a group, slice by slice; moments of exogenous variables leave."""
    group = fit.groups[g]
    H = saturated_weight(group)
    D = vector_jacobian(fit.layout, g, plans_of(fit.layout)[g], group.at, fit.theta)
    robust = fit.scaled is not None
    informing = saturated_weight(group, observed=False) if fit.method.information == "expected" else None
    out = []
    square = np.ix_(keep, keep)
    for s in range(len(H)):
        own = H[s][square]
        G = saturated_gamma(H[s], group, s, keep, robust=robust)
        V = normal_weight(group.cov[s], means=True)[square]
        inner = None if informing is None else informing[s][square]
        out.append(Parts(D[s][keep] @ fit.along(s), V, own, G, float(group.share[s]), inner))
    return out
