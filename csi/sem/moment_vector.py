"""The vector of moments that least squares fits, what the model implies for it, and the derivatives.

Continuous items: [means,] vech(Sigma). With ordinal items (latent responses y*, thresholds tau, scales Delta):

    threshold of item i:   Delta_i (tau_ik - mu_i)           covariance:   Delta_i Delta_j Sigma_ij

Under the delta parameterisation Delta is a parameter (1 by default); under theta Delta_i = Sigma_ii^(-1/2).

Source:
    Muthén (1984), Psychometrika 49:115-132; Muthén & Asparouhov (2002), Mplus web note 4 (delta and theta).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from csi.moments.stack import Array, Ints
from csi.sem.implied import Implied, Values, jacobian, vech
from csi.sem.layout import Layout


@dataclass(frozen=True, slots=True)
class MomentVector:
    """Sample moments of one group as least squares sees them.

    Attributes:
        s: (b, M) sample moments. gamma: (b, M, M) asymptotic covariance of sqrt(n) s, or None.
        weight: (b, M, M), or (b, M) where it is diagonal.
    """

    s: Array
    gamma: Array | None
    weight: Array


@dataclass(frozen=True, slots=True)
class Plan:
    """How a group's vector is made.

    Attributes:
        ordinal: (p,) flags, all False for continuous items. means: whether means are in the vector.
        th_item, th_parameter, th_value: (T,) item of each threshold slot, its free parameter (-1 where fixed) and fixed
            value; slots of continuous items have parameter -2 (they carry minus the mean).
        scale_item, scale_parameter, scale_value: of each ordinal item's scale. theta: parameterisation.
    """

    ordinal: tuple[bool, ...]
    means: bool
    th_item: Ints
    th_parameter: Ints
    th_value: Array
    scale_item: Ints
    scale_parameter: Ints
    scale_value: Array
    theta: bool

    @property
    def any_ordinal(self) -> bool:
        """Whether any item is ordinal."""
        return any(self.ordinal)


@lru_cache(maxsize=64)
def modelled(layout: Layout) -> Ints:
    """Places, in [means,] vech, of the moments that are not those of given variables alone.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> modelled(layout_of(table_of(parse_claim("y ~ x"), Rules(means=True)))).tolist()
        [0, 2, 3]
    """
    given = np.zeros(len(layout.table.observed), dtype=bool)
    given[list(layout.table.given)] = True
    i, j = np.triu_indices(given.size)
    both = given[i] & given[j]
    return np.flatnonzero(~np.concatenate([given, both] if layout.means else [both]))


@lru_cache(maxsize=64)
def plans_of(layout: Layout) -> tuple[Plan, ...]:
    """The plan of every group."""
    table = layout.table
    counts = dict(table.rules.ordered)
    plans = []
    for g in range(table.count):
        rows = [(n, r) for n, r in enumerate(table.rows) if r.group == g]
        slots: list[tuple[int, int, float]] = []
        for i, name in enumerate(table.observed):
            if name not in counts:
                slots.append((i, -2, 0.0))
                continue
            for t in range(counts[name]):
                number, row = next((n, r) for n, r in rows if r.op == "|" and r.lhs == name and r.rhs == f"t{t + 1}")
                slots.append((i, table.index[number], row.fixed or 0.0))
        scales = [
            (table.observed.index(r.lhs), table.index[n], 1.0 if r.fixed is None else r.fixed)
            for n, r in rows
            if r.op == "~*~"
        ]
        plans.append(
            Plan(
                ordinal=tuple(n in counts for n in table.observed),
                means=layout.means,
                th_item=np.array([s[0] for s in slots], dtype=np.int64),
                th_parameter=np.array([s[1] for s in slots], dtype=np.int64),
                th_value=np.array([s[2] for s in slots], dtype=np.float64),
                scale_item=np.array([s[0] for s in scales], dtype=np.int64),
                scale_parameter=np.array([s[1] for s in scales], dtype=np.int64),
                scale_value=np.array([s[2] for s in scales], dtype=np.float64),
                theta=table.rules.theta,
            )
        )
    return tuple(plans)


def taken(parameter: Ints, value: Array, theta: Values) -> Values:
    """(b, ...) values of slots that are parameters or fixed."""
    return np.where(parameter >= 0, theta[:, np.maximum(parameter, 0)], value)


def scales(plan: Plan, at: Implied, theta: Values) -> Values:
    """(b, p) Delta of every item, 1 for continuous ones."""
    out = np.ones(at.mu.shape, dtype=at.Sigma.dtype)
    flags = np.array(plan.ordinal)
    if plan.theta:
        own = np.diagonal(at.Sigma, axis1=1, axis2=2)
        return np.where(flags, 1 / np.sqrt(np.where(flags, own, 1.0)), 1.0)
    out[:, plan.scale_item] = taken(plan.scale_parameter, plan.scale_value, theta)
    return out


def vector(plan: Plan, at: Implied, theta: Values) -> Values:
    """(b, M) implied moments in the order of the sample's."""
    if not plan.any_ordinal:
        covs = vech(at.Sigma)
        return np.concatenate([at.mu, covs], axis=1) if plan.means else covs
    delta = scales(plan, at, theta)
    i = plan.th_item
    tau = taken(plan.th_parameter, plan.th_value, theta)
    th = delta[:, i] * (tau - at.mu[:, i])
    full = delta[:, :, None] * delta[:, None, :] * at.Sigma
    own = [j for j, flag in enumerate(plan.ordinal) if not flag]
    low = _strict(len(plan.ordinal))
    return np.concatenate([th, full[:, own, own], full[:, low[0], low[1]]], axis=1)


def _strict(p: int) -> tuple[Ints, Ints]:
    """Rows and columns of the strictly lower triangle, column by column."""
    i, j = np.triu_indices(p, 1)
    return j, i


def vector_jacobian(layout: Layout, g: int, plan: Plan, at: Implied, theta: Array) -> Array:
    """(b, M, k) derivatives of the implied moments by the parameters."""
    block = layout.blocks[g]
    p, k = len(block.observed), layout.count
    with_means = plan.means or plan.any_ordinal
    raw = jacobian(block, at, means=with_means)
    base = np.zeros((len(raw), raw.shape[1], k))
    if np.unique(block.entries.parameter).size == block.entries.parameter.size:
        base[:, :, block.entries.parameter] = raw
    else:
        np.add.at(np.moveaxis(base, 2, 0), block.entries.parameter, np.moveaxis(raw, 2, 0))
    if not plan.any_ordinal:
        return base
    dmu, dcov = base[:, :p], np.zeros((len(raw), p, p, k))
    i, j = np.triu_indices(p)
    dcov[:, i, j] = dcov[:, j, i] = base[:, p:]
    delta = scales(plan, at, theta)
    ddelta = _scale_derivatives(plan, at, dcov, k)
    item = plan.th_item
    tau = taken(plan.th_parameter, plan.th_value, theta)
    dth = -delta[:, item, None] * dmu[:, item] + (tau - at.mu[:, item])[:, :, None] * ddelta[:, item]
    slot = np.flatnonzero(plan.th_parameter >= 0)
    dth[:, slot, plan.th_parameter[slot]] += delta[:, item[slot]]
    own = [x for x, flag in enumerate(plan.ordinal) if not flag]
    a, b = _strict(p)
    da, db = delta[:, a, None], delta[:, b, None]
    off = da * db * dcov[:, a, b] + at.Sigma[:, a, b, None] * (db * ddelta[:, a] + da * ddelta[:, b])
    return np.concatenate([dth, dcov[:, own, own], off], axis=1)


def _scale_derivatives(plan: Plan, at: Implied, dcov: Array, k: int) -> Array:
    """(b, p, k) derivatives of Delta."""
    b, p = at.mu.shape
    out = np.zeros((b, p, k))
    if plan.theta:
        flags = np.flatnonzero(plan.ordinal)
        own = at.Sigma[:, flags, flags]
        out[:, flags] = -0.5 * own[:, :, None] ** -1.5 * dcov[:, flags, flags]
        return out
    free = plan.scale_parameter >= 0
    out[:, plan.scale_item[free], plan.scale_parameter[free]] = 1.0
    return out
