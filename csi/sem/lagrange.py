"""Slopes and information at a solution for any table of parameters: what Lagrange multiplier tests are made of.

    score U = -(N / 2) dF/dtheta,   information I = (N / 2) E[d2F/dtheta2]

Letters: `b` slices, `k` parameters of the wider table, `g` groups, `p` items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from csi.moments.patterns import Patterns
from csi.moments.stack import Array, Ints
from csi.sem import fiml
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.implied import Implied, template
from csi.sem.layout import Block, Layout, layout_of, pairs_of
from csi.sem.least_squares import weighted
from csi.sem.moment_vector import MomentVector, Plan, implied_group, plans_of, vector, vector_jacobian
from csi.sem.normal import Fitting, target_of, terms
from csi.sem.table import Parameter, Table


@dataclass(frozen=True, slots=True, eq=False)
class Wider:
    """A table with more free parameters, and how the fitted one lies in it.

    Attributes:
        layout: of the wider table, in which no two rows share a parameter. spread: (k, K) from fitted to wider
            parameters. origin: (k,) values of what was fixed. extra: wider parameters that were fixed or absent, with
            their rows in the wider table.
    """

    layout: Layout
    spread: Array
    origin: Array
    extra: Ints
    rows: Ints

    def theta(self, theta: Array) -> Array:
        """(b, k) wider parameters at fitted ones (b, K)."""
        return self.origin + theta @ self.spread.T


def widened(table: Table, released: Iterable[int] = (), added: Iterable[Parameter] = ()) -> Wider:
    """A table in which every free row is a parameter of its own, some fixed rows are free and some rows are new.

    Parameters:
        released: numbers of fixed or sampled rows to set free. added: rows that the table does not have; their value
            is 0.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.table import Rules, table_of
        >>> table = table_of(parse_claim("f =~ a*y1 + a*y2 + y3"), Rules())
        >>> widened(table, added=[Parameter("y1", "~~", "y2")]).spread.shape
        (7, 6)
    """
    open_ = set(released)
    new = tuple(replace(row, fixed=None, sampled=False, label="") for row in added)
    rows: list[Parameter] = []
    index: list[int] = []
    origin: list[float] = []
    owner: list[int] = []
    extra: list[tuple[int, int]] = []
    for number, row in enumerate((*table.rows, *new)):
        old = table.index[number] if number < len(table.rows) else -1
        if old < 0 and number < len(table.rows) and number not in open_:
            rows.append(row)
            index.append(-1)
            continue
        if old < 0:
            extra.append((len(origin), number))
        index.append(len(origin))
        origin.append(0.0 if old >= 0 else (row.fixed or 0.0))
        owner.append(old)
        rows.append(replace(row, fixed=None, sampled=False, label=""))
    names = tuple(f"#{i}" for i in range(len(origin)))
    spread = np.zeros((len(owner), len(table.names)))
    for at, old in enumerate(owner):
        if old >= 0:
            spread[at, old] = 1.0
    places = np.array(extra, dtype=np.int64).reshape(-1, 2)
    wide = Table(tuple(rows), table.observed, table.latent, table.exogenous, table.rules, tuple(index), names)
    return Wider(layout_of(wide), spread, np.array(origin), places[:, 0], places[:, 1])


def solution_in(fit: Fitted, wide: Wider) -> Array:
    """(b, k) wider parameters at the solution; released moments of given variables have the sample's values."""
    theta = wide.theta(fit.theta)
    table = fit.layout.table
    for at, number in zip(wide.extra.tolist(), wide.rows.tolist(), strict=True):
        if number < len(table.rows) and table.rows[number].sampled:
            row = table.rows[number]
            group, i = fit.groups[row.group], table.observed.index(row.lhs)
            cov = group.cov if group.vector is None else group.moments.cov
            theta[:, at] = cov[:, i, table.observed.index(row.rhs)] if row.op == "~~" else group.mean[:, i]
    return theta


def flats_of(fit: Fitted, layout: Layout) -> tuple[Array, ...]:
    """Per group, the matrices' fixed values."""
    pairs = zip(layout.blocks, fit.groups, strict=True)
    return tuple(
        template(block, group.cov if group.vector is None else group.moments.cov, group.mean) for block, group in pairs
    )


def implied_at(fit: Fitted, layout: Layout, theta: Array) -> tuple[Implied, ...]:
    """Implied moments of every group at the parameters of another layout of the same items."""
    return tuple(implied_group(layout, g, flat, theta) for g, flat in enumerate(flats_of(fit, layout)))


def score(fit: Fitted, layout: Layout, theta: Array) -> tuple[Array, Array]:
    """Score U (b, k) and expected information I (b, k, k) of the whole sample, by the parameters of `layout`.

    Parameters:
        fit: what was fitted. layout: of a wider table, no two rows sharing a parameter. theta: (b, k).

    Source:
        Sörbom (1989), Psychometrika 54:371-384, eq. 9.
    """
    b, k = theta.shape
    U, info = np.zeros((b, k)), np.zeros((b, k, k))
    at = implied_at(fit, layout, theta)
    for g, group in enumerate(fit.groups):
        if group.vector is not None:
            slope, H = _by_vector(layout, g, plans_of(layout)[g], group.vector, at[g], theta)
        elif fit.fitting == "FIML":
            slope, H = _by_rows(layout, g, group, at[g], k)
        else:
            slope, H = _by_moments(layout, g, group, at[g], fit.fitting, k)
        # as lavaan has it: slopes of least squares count n - 1 rows as chi2 does, all else n
        rows = np.ones(b) if fit.fitting == "FIML" else group.n
        counted = rows if fit.fitting in {"ML", "FIML"} else fit.total * group.share
        U -= 0.5 * counted[:, None] * slope
        info += 0.5 * rows[:, None, None] * H
    return U, info


def _by_vector(
    layout: Layout, g: int, plan: Plan, sample: MomentVector, at: Implied, theta: Array
) -> tuple[Array, Array]:
    """Slope and Gauss-Newton Hessian of a group's F of least squares."""
    e = sample.s - vector(plan, at, theta)
    D = vector_jacobian(layout, g, plan, at, theta)
    WD = weighted(sample.weight, D)
    return -2 * (WD.swapaxes(1, 2) @ e[:, :, None])[:, :, 0], 2 * (D.swapaxes(1, 2) @ WD)


def _by_moments(layout: Layout, g: int, group: GroupFit, at: Implied, fitting: str, k: int) -> tuple[Array, Array]:
    """Slope and expected Hessian of a group's normal-theory F."""
    block = layout.blocks[g]
    form: Fitting = "GLS" if fitting == "GLS" else "ULS" if fitting == "ULS" else "ML"
    part = terms(block, pairs_of(block), target_of(group.cov, group.mean, form), at, means=layout.means)
    return _placed(block, part.gradient, part.hessian, k)


def _by_rows(layout: Layout, g: int, group: GroupFit, at: Implied, k: int) -> tuple[Array, Array]:
    """Slope and expected Hessian of a group's -2 log-likelihood of rows with absent answers, given their patterns."""
    block = layout.blocks[g]
    e = block.entries

    def found(patterns: Patterns, mu: Array, Sigma: Array, K: Array, c: Array) -> tuple[Array, ...]:
        return fiml.terms(patterns, mu, Sigma, K, e.u, e.v, e.s, c)

    rows = group.moments.rows
    if rows is None:
        nothing = np.full((len(at.mu), e.u.size), np.nan)
        return _placed(block, nothing, np.repeat(nothing[:, :, None], e.u.size, axis=2), k)
    _, slope, half, *_ = fiml.Incomplete.of(rows).over(found, at.mu, at.Sigma, at.K, at.reach[:, e.c])
    return _placed(block, slope, 2 * half, k)


def _placed(block: Block, slope: Array, H: Array, k: int) -> tuple[Array, Array]:
    """From the entries of a group to parameters, each entry being a parameter of its own."""
    at = block.entries.parameter
    U, info = np.zeros((len(slope), k)), np.zeros((len(slope), k, k))
    U[:, at] = slope
    info[:, at[:, None], at[None, :]] = H
    return U, info
