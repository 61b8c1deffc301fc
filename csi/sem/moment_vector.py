"""The vector of moments that least squares fits, what the model implies for it, and the derivatives.

Continuous items: [means,] vech(Sigma). With ordinal items (latent responses y*, thresholds tau, scales Delta):

    threshold of item i:   Delta_i (tau_ik - mu_i)           covariance:   Delta_i Delta_j Sigma_ij

Under the delta parameterisation Delta is a parameter (1 by default); under theta Delta_i = Sigma_ii^(-1/2).

Given exogenous variables x, mu and Sigma are those of the responses at x = 0 and of what x leaves of them,

    Pi = [Lambda A]_x,  mu - Pi mu_x,  Sigma - Pi Sigma_xx Pi',

and the vector has slopes Delta_i Pi_ix between thresholds and covariances.

Source:
    Muthén (1984), Psychometrika 49:115-132; Muthén & Asparouhov (2002), Mplus web note 4 (delta and theta).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from csi.moments.stack import Array, Ints
from csi.sem.implied import Implied, Values, implied, jacobian, matrices, vech
from csi.sem.layout import Block, Layout
from csi.sem.responses import (
    Responses,
    by_parameter,
    completed,
    completed_derivatives,
    given_derivatives,
    responses,
    scales_of,
    taken,
)
from csi.sem.table import Table


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


def ordinal_size(table: Table) -> int:
    """How many moments an ordinal model explains: thresholds, means and variances of continuous items, slopes on given
    variables, covariances.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.table import Rules, table_of
        >>> ordinal_size(table_of(parse_claim("f =~ a + b + c"), Rules(ordered=(("a", 4), ("b", 1)))))
        10
    """
    ordered, x = table.rules.ordered, len(table.exogenous)
    y = len(table.observed) - x
    return sum(count for _, count in ordered) + 2 * (y - len(ordered)) + y * x + y * (y - 1) // 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How a group's vector is made.

    Attributes:
        ordinal: (p,) flags, all False for continuous items. means: whether means are in the vector.
        th_item, th_parameter, th_value: (T,) item of each threshold slot, its free parameter (-1 where fixed) and fixed
            value; slots of continuous items have parameter -2 (they carry minus the mean).
        latent, latent_item: ordinal items that are latents too (in regressions), whose residual variance follows from
            the rest (delta): places among latents and items.
        kept: items of the vector, all but given ones. given: places of given variables among the latents.
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
    kept: Ints
    given: Ints
    latent: Ints
    latent_item: Ints

    @property
    def own(self) -> Ints:
        """Continuous items of the vector."""
        return np.asarray(self.kept[~np.array(self.ordinal)[self.kept]])

    @property
    def measured(self) -> int:
        """Where (co)variances begin in the vector: after thresholds and slopes."""
        return self.th_item.size + self.kept.size * self.given.size

    @property
    def off(self) -> tuple[Ints, Ints]:
        """Items of the covariances, strictly lower triangle column by column."""
        i, j = np.triu_indices(self.kept.size, 1)
        return self.kept[j], self.kept[i]

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
        given = table.given if table.rules.conditional else ()
        inner = layout.blocks[g].latent
        slots: list[tuple[int, int, float]] = []
        for i, name in enumerate(table.observed):
            if i in given:
                continue
            if name not in counts:
                slots.append((i, -2, 0.0))
                continue
            for t in range(counts[name]):
                number, row = next((n, r) for n, r in rows if r.op == "|" and r.lhs == name and r.rhs == f"t{t + 1}")
                slots.append((i, table.index[number], row.fixed or 0.0))
        derived = {
            r.lhs for _, r in rows if r.op == "~~" and r.lhs == r.rhs and r.fixed is not None and not table.rules.theta
        }
        both = [name for name in table.observed if name in counts and name in inner and name in derived]
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
                kept=np.array([i for i in range(len(table.observed)) if i not in given], dtype=np.int64),
                latent=np.array([inner.index(name) for name in both], dtype=np.int64),
                latent_item=np.array([table.observed.index(name) for name in both], dtype=np.int64),
                given=np.array([inner.index(table.observed[i]) for i in given], dtype=np.int64),
            )
        )
    return tuple(plans)


def implied_group(layout: Layout, g: int, flat: Values, theta: Values) -> Implied:
    """Implied moments of a group, residual variances of ordinal items completed.

    Parameters:
        flat: (b, size) fixed values of its matrices. theta: (b, k).
    """
    block = layout.blocks[g]
    at = implied(block, matrices(block, flat, theta))
    return completed(plans_of(layout)[g], at, theta) if layout.table.rules.ordered else at


def vector(plan: Plan, at: Implied, theta: Values) -> Values:
    """(b, M) implied moments in the order of the sample's."""
    if not plan.any_ordinal:
        covs = vech(at.Sigma)
        return np.concatenate([at.mu, covs], axis=1) if plan.means else covs
    inner = responses(plan, at)
    delta = scales_of(plan, inner, theta)
    i = plan.th_item
    tau = taken(plan.th_parameter, plan.th_value, theta)
    th = delta[:, i] * (tau - inner.mu[:, i])
    slopes = (delta[:, :, None] * inner.Pi)[:, plan.kept].swapaxes(1, 2).reshape(len(th), -1)
    full = delta[:, :, None] * delta[:, None, :] * inner.Sigma
    own, low = plan.own, plan.off
    return np.concatenate([th, slopes, full[:, own, own], full[:, low[0], low[1]]], axis=1)


def vector_jacobian(layout: Layout, g: int, plan: Plan, at: Implied, theta: Array) -> Array:
    """(b, M, k) derivatives of the implied moments by the parameters."""
    own, mine = own_jacobian(layout, g, plan, at, theta)
    D = np.zeros((*own.shape[:2], layout.count))
    D[:, :, mine] = own
    return D


def own_jacobian(layout: Layout, g: int, plan: Plan, at: Implied, theta: Array) -> tuple[Array, Ints]:
    """(b, M, r) derivatives by the parameters that a group's moments depend on, and (r,) which of all these are.

    Of several groups most parameters belong to one, and of ordinal items most are thresholds, which move a row each.
    """
    block = layout.blocks[g]
    slot = np.flatnonzero(plan.th_parameter >= 0)
    scales = plan.scale_parameter[plan.scale_parameter >= 0]
    shaped = np.unique(np.concatenate([block.entries.parameter, scales]))
    mine = np.unique(np.concatenate([shaped, plan.th_parameter[slot]]))
    place = np.searchsorted(shaped, block.entries.parameter)
    raw = by_parameter(place, jacobian(block, at, means=plan.means or plan.any_ordinal), shaped.size)
    if not plan.any_ordinal:
        return raw, shaped
    inner = responses(plan, at)
    delta = scales_of(plan, inner, theta)
    shape = _shaped_jacobian(block, plan, at, (inner, delta, raw), (place, shaped), theta)
    D = np.zeros((*shape.shape[:2], mine.size))
    D[:, :, np.searchsorted(mine, shaped)] = shape
    D[:, slot, np.searchsorted(mine, plan.th_parameter[slot])] += delta[:, plan.th_item[slot]]
    return D, mine


def _shaped_jacobian(
    block: Block,
    plan: Plan,
    at: Implied,
    found: tuple[Responses, Array, Array],
    columns: tuple[Ints, Ints],
    theta: Array,
) -> Array:
    """(b, M, r) derivatives by all but the thresholds themselves."""
    (inner, delta, raw), (place, shaped) = found, columns
    p, (b, _, k) = len(block.observed), raw.shape
    dmu, dcov = raw[:, :p], np.zeros((b, p, p, k))
    i, j = np.triu_indices(p)
    dcov[:, i, j] = dcov[:, j, i] = raw[:, p:]
    dmu, dcov, dPi = given_derivatives(block, place, plan, at, inner, dmu, dcov)
    ddelta = _scale_derivatives(plan, inner, dcov, shaped)
    dcov = dcov + completed_derivatives(plan, at, dcov, delta, ddelta)
    item = plan.th_item
    tau = taken(plan.th_parameter, plan.th_value, theta)
    dth = -delta[:, item, None] * dmu[:, item] + (tau - inner.mu[:, item])[:, :, None] * ddelta[:, item]
    dslopes = delta[:, :, None, None] * dPi + inner.Pi[:, :, :, None] * ddelta[:, :, None, :]
    dslopes = dslopes[:, plan.kept].swapaxes(1, 2).reshape(b, -1, k)
    own, (a, c) = plan.own, plan.off
    da, dc = delta[:, a, None], delta[:, c, None]
    off = da * dc * dcov[:, a, c] + inner.Sigma[:, a, c, None] * (dc * ddelta[:, a] + da * ddelta[:, c])
    return np.concatenate([dth, dslopes, dcov[:, own, own], off], axis=1)


def _scale_derivatives(plan: Plan, at: Responses, dcov: Array, shaped: Ints) -> Array:
    """(b, p, r) derivatives of Delta by the parameters `shaped`."""
    b, p = at.mu.shape
    out = np.zeros((b, p, shaped.size))
    if plan.theta:
        flags = np.flatnonzero(plan.ordinal)
        own = at.Sigma[:, flags, flags]
        out[:, flags] = -0.5 * own[:, :, None] ** -1.5 * dcov[:, flags, flags]
        return out
    free = plan.scale_parameter >= 0
    out[:, plan.scale_item[free], np.searchsorted(shaped, plan.scale_parameter[free])] = 1.0
    return out
