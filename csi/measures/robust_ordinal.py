"""Robust fit of ordinal models: the normal discrepancy of polychoric correlations at the least squares estimates.

Letters: `b` slices, `p` items, `M` moments (thresholds, then correlations), `g` groups.

Source:
    Savalei (2021), Improving fit indices in SEM with categorical data, MBR 56:390-407.
"""

from __future__ import annotations

import numpy as np

from csi.measures.baseline import Baseline
from csi.measures.robust_fit import Corrected, Parts, from_noise, noise
from csi.moments.stack import Array
from csi.sem.fitted import Fitted
from csi.sem.moment_vector import plans_of, vector, vector_jacobian
from csi.sem.robust import normal_weight


def ordinal(fit: Fitted, base: Baseline) -> Corrected | None:
    """The corrections of an ordinal fit; NaN where thresholds are constrained, items are mixed, variables given, or the
    correlations not positive definite. None without a scaled test.
    """
    if fit.scaled is None or fit.scaled.name == "mean.var.adjusted":
        return None
    b = len(fit.theta)
    if not unconstrained_thresholds(fit):
        nothing = np.full(b, np.nan)
        return Corrected(*([nothing] * 6))
    groups = [_group(fit, g) for g in range(len(fit.groups))]
    T = np.sum([g.n * [one[0] for one in each] for g, each in zip(fit.groups, groups, strict=True)], axis=0)
    T0 = np.sum([g.n * [one[1] for one in each] for g, each in zip(fit.groups, groups, strict=True)], axis=0)
    expected0 = np.sum([[one[2] for one in each] for each in groups], axis=0)
    usable = np.isfinite(T)
    expected = np.array([noise([each[s][3] for each in groups]) if usable[s] else np.nan for s in range(b)])
    return from_noise(T, expected, fit.df, T0, expected0, base.df)


def unconstrained_thresholds(fit: Fitted) -> bool:
    """Whether all items are ordinal, none given, and every threshold is a parameter of its own, scales being fixed."""
    seen: list[int] = []
    for plan in plans_of(fit.layout):
        if plan.given.size or not all(plan.ordinal) or (plan.th_parameter < 0).any():
            return False
        seen += plan.th_parameter.tolist()
    if len(set(seen)) < len(seen):
        return False
    N = fit.linear.N[seen]
    return fit.linear.plain or bool(np.allclose(N @ N.T, np.eye(len(seen)), atol=1e-9))


def correlations_of(vech: Array, p: int) -> Array:
    """(p, p) correlations from their strictly lower triangle, column by column."""
    out = np.eye(p)
    i, j = np.triu_indices(p, 1)
    out[i, j] = out[j, i] = vech
    return out


def off_diagonal_weight(P: Array) -> Array:
    """Normal-theory weight of the correlations alone (the diagonal is known to be 1)."""
    i, j = np.triu_indices(len(P))
    off = np.flatnonzero(i != j)
    weight: Array = normal_weight(P, means=False)[np.ix_(off, off)]
    return weight


def discrepancy(R: Array, P: Array) -> float:
    """log|P| - log|R| + tr(P^-1 R) - p, NaN where one of them is not positive definite."""
    signs, logs = np.linalg.slogdet(np.stack([R, P]))
    if not (signs > 0).all() or np.linalg.eigvalsh(R)[0] <= 0:
        return np.nan
    return float(logs[1] - logs[0] + np.trace(np.linalg.solve(P, R)) - len(R))


def _group(fit: Fitted, g: int) -> list[tuple[float, float, float, Parts]]:
    """F, that of the independence model, the expectation of its N F, and the parts of `noise`, slice by slice."""
    group, plan = fit.groups[g], plans_of(fit.layout)[g]
    sample = group.vector
    if sample is None or sample.gamma is None:
        raise LookupError("ordinal items are fitted through their moment vector")
    p = len(plan.ordinal)
    q = p * (p - 1) // 2
    implied = vector(plan, group.at, fit.theta)
    D = vector_jacobian(fit.layout, g, plan, group.at, fit.theta)
    out = []
    for s, G in enumerate(sample.gamma):
        R, P = correlations_of(sample.s[s, -q:], p), correlations_of(implied[s, -q:], p)
        V = np.zeros(G.shape)
        V[-q:, -q:] = off_diagonal_weight(P)
        parts = Parts(D[s] @ fit.along(s), V, sample.weight[s], G, float(group.share[s]))
        out.append((discrepancy(R, P), discrepancy(R, np.eye(p)), float(np.trace(G[-q:, -q:])), parts))
    return out
