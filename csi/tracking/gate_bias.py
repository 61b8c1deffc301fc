"""The effect of non-invariance on a comparison, in points of the index.

    E_g = sum_k c_k m_k(tau_kg; kappa_g, psi_g)      what the index measures, items differing
    F_g = sum_k c_k m_k(tau_k;  kappa_g, psi_g)      what it would measure, items alike (tau_k their mean over cells)
    b_g = E_g - F_g,   bias of g against h = b_g - b_h

with m_k the model's mean of item k, nu + lambda kappa (ordinal items: of their categories), and c_k the points of the
index per unit of item k. Of items that do not differ nothing is left, so an intercept that differs by d answers c_k d.

Letters: `g` cells, `p` items, `k` free parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from csi.estimate.estimate import Estimate
from csi.moments.stack import Array
from csi.sem.fitted import fitted
from csi.sem.table import Table

STEP = 1e-5
"""Relative step of the numerical derivative."""


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """By how many points non-invariance moves the index of every cell, about an origin that is common to all.

    Attributes:
        value: (g,). covariance: (g, g), of the fit; the weights of the index are held fixed.
    """

    value: Array
    covariance: Array

    def bias(self, i: int, j: int) -> tuple[float, float]:
        """The bias of cell i against cell j, and its standard error."""
        v = self.covariance
        variance = v[i, i] + v[j, j] - 2.0 * v[i, j]
        return float(self.value[i] - self.value[j]), float(np.sqrt(max(variance, 0.0)))


def shifts(est: Estimate, items: Sequence[str], points: Array) -> Shifts:
    """The shift of every cell by what differs in a partly invariant fit, with its covariance (delta method).

    Parameters:
        est: one factor over g groups. items: p names. points: (p,) index points per unit of each item's answers.

    Source:
        Millsap & Olivera-Aguilar (2012), in Hoyle (ed.), Handbook of Structural Equation Modeling, ch. 23 (effect of
        non-invariance on observed differences); Nye & Drasgow (2011), J. of Applied Psychology 96(5):966-980.
    """
    fit = fitted(est)
    table, theta, vcov = fit.layout.table, fit.theta[0], fit.vcov[0]
    shares = np.array([float(group.n[0]) for group in fit.groups])
    places = Places.of(table, items)
    levels = _levels(fit.layout.table, est, items)

    def at(values: Array) -> Array:
        return _shift(places.read(values), points, shares / shares.sum(), levels)

    step = STEP * (1.0 + np.abs(theta))
    jacobian = ((at(theta + np.diag(step)) - at(theta - np.diag(step))) / (2.0 * step)[:, None]).T
    return Shifts(at(theta), np.asarray(jacobian @ vcov @ jacobian.T))


def jacobian_of(of: Callable[[Array], Array], theta: Array) -> Array:
    """(g, k) central differences of what takes one set of parameters at a time."""
    columns = []
    for i in range(theta.size):
        step = np.zeros_like(theta)
        step[i] = STEP * (1.0 + abs(theta[i]))
        columns.append((of(theta + step) - of(theta - step)) / (2.0 * step[i]))
    return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What every cell measures: loadings, intercepts and residual variances (g, p), thresholds (g, p, t; NaN where
    there are none), means and variances of the factor (g,). A stack of parameters puts its axis in front.
    """

    loading: Array
    intercept: Array
    residual: Array
    threshold: Array
    mean: Array
    variance: Array


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """For each entry of `Measured` its free parameter, -1 where fixed, and the fixed value."""

    index: Mapping[str, npt.NDArray[np.int64]]
    fixed: Mapping[str, Array]

    @classmethod
    def of(cls, table: Table, items: Sequence[str]) -> Places:
        """The places in a table of one factor over groups."""
        g, p = table.count, len(items)
        depth = max((count for _, count in table.rules.ordered), default=0)
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("loading", "intercept", "residual"), (g, p))
        shapes |= {"threshold": (g, p, depth), "mean": (g,), "variance": (g,)}
        index = {n: np.full(s, -1, dtype=np.int64) for n, s in shapes.items()}
        fixed = {n: np.full(s, np.nan if n == "threshold" else 0.0) for n, s in shapes.items()}
        for number, row in enumerate(table.rows):
            found = _place(row.lhs, row.op, row.rhs, items)
            if found is None:
                continue
            name, where = found
            index[name][(row.group, *where)] = table.index[number]
            fixed[name][(row.group, *where)] = np.nan if row.fixed is None else row.fixed
        return cls(index, fixed)

    def read(self, theta: Array) -> Measured:
        """The entries at `theta`."""
        parts = {n: np.where(i >= 0, theta[..., np.maximum(i, 0)], self.fixed[n]) for n, i in self.index.items()}
        return Measured(**parts)


def _place(lhs: str, op: str, rhs: str, items: Sequence[str]) -> tuple[str, tuple[int, ...]] | None:
    """Which entry a row of the table is."""
    if op == "=~":
        return "loading", (items.index(rhs),)
    if op == "~1":
        return ("intercept", (items.index(lhs),)) if lhs in items else ("mean", ())
    if op == "~~" and lhs == rhs:
        return ("residual", (items.index(lhs),)) if lhs in items else ("variance", ())
    if op == "|":
        return "threshold", (items.index(lhs), int(rhs.removeprefix("t")) - 1)
    return None


def _levels(table: Table, est: Estimate, items: Sequence[str]) -> dict[int, Array]:
    """Of every ordinal item (its number) the answers that its categories stand for."""
    ordered = dict(table.rules.ordered)
    sample, found = est.sample, {}
    for k, item in enumerate(items):
        if item in ordered and sample is not None:
            known = sample.rows[:, sample.names.index(item)]
            found[k] = np.unique(known[np.isfinite(known)])
    return found


def _shift(m: Measured, points: Array, shares: Array, levels: Mapping[int, Array]) -> Array:
    """(..., g) b_g = E_g - F_g."""
    alike = Measured(
        loading=_pooled(m.loading, shares, -2),
        intercept=_pooled(m.intercept, shares, -2),
        residual=_pooled(m.residual, shares, -2),
        threshold=_pooled(m.threshold, shares, -3),
        mean=m.mean,
        variance=m.variance,
    )
    out: Array = (_means(m, levels) - _means(alike, levels)) @ points
    return out


def _pooled(values: Array, shares: Array, axis: int) -> Array:
    """The mean over cells (an axis), given to every cell."""
    weights = shares.reshape(-1, *[1] * (-axis - 1))
    return np.broadcast_to((values * weights).sum(axis=axis, keepdims=True), values.shape)


def _means(m: Measured, levels: Mapping[int, Array]) -> Array:
    """(..., g, p) means of the items, `nu + lambda kappa`; ordinal `x_1 + sum_t (x_{t+1} - x_t) P(y* > tau_t)`."""
    out = m.intercept + m.loading * m.mean[..., None]
    for k, values in levels.items():
        spread = np.sqrt(m.loading[..., k] ** 2 * m.variance + m.residual[..., k])
        above = ndtr((out[..., k, None] - m.threshold[..., k, : values.size - 1]) / spread[..., None])
        out[..., k] = values[0] + above @ np.array([b - a for a, b in pairwise(values)])
    return out
