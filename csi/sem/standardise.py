"""Standardised parameters, with their derivatives for delta-method standard errors.

std_lv: latents with variance 1. std_all: all variables with variance 1 (a residual covariance becomes a correlation of
residuals, an intercept is divided by its variable's standard deviation), lavaan's std.lv and std.all.

The scale of an ordinal item (`u ~*~ u`) is multiplied by the standard deviation of its latent response. Where nothing
is given that makes 1. Conditional on exogenous predictors a scale is one over the standard deviation of what they leave
of the response, so of a standardised response it is (1 - what they explain)^(-1/2), above 1; lavaan prints 1 there too.

Letters: `p` items, `m` latents, `t` rows of the table, `k` free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from csi.moments.stack import Array, Ints
from csi.sem.implied import Implied, Values, implied, unpacked
from csi.sem.layout import Layout
from csi.sem.moment_vector import implied_group, plans_of
from csi.sem.responses import added_variance, completed, responses, scales, spreads

STEP = 1e-20
Standard = Literal["std_lv", "std_all"]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one group: their numbers and flat places; thresholds and scales: numbers, parameters and fixed values.

    over, under: places of the divisors in [latent sd (m), item sd (p), latent own sd (m), item own sd (p), 1]: a
    standardised row is value * S[over] / (S[under] * S[under2]).
    """

    number: Ints
    place: Ints
    slot: Ints
    parameter: Ints
    fixed: Array
    every: Ints
    over: Ints
    under: Ints
    under2: Ints


@lru_cache(maxsize=64)
def _rows_of(layout: Layout) -> tuple[_Rows, ...]:
    """Index arrays of every group."""
    table = layout.table
    out = []
    for g, block in enumerate(layout.blocks):
        p, m = len(block.observed), len(block.latent)
        at = {n: m + i for i, n in enumerate(block.observed)} | {n: j for j, n in enumerate(block.latent)}
        one, own = 2 * (p + m), p + m
        every = [n for n, r in enumerate(table.rows) if r.group == g]
        factors = []
        for n in every:
            r = table.rows[n]
            a, b = at[r.lhs], at.get(r.rhs, one)
            if r.op == "=~":
                factors.append((a, b, one))
            elif r.op == "~":
                factors.append((b, a, one))
            elif r.op == "~~":
                factors.append((one, a, a) if r.lhs == r.rhs else (one, a + own, b + own))
            else:
                factors.append((a, one, one) if r.op == "~*~" else (one, a, one))
        placed = [n for n in every if n in block.place]
        slots = [n for n in every if n not in block.place]
        columns = np.array(factors, dtype=np.int64).reshape(-1, 3)
        out.append(
            _Rows(
                number=np.array(placed, dtype=np.int64),
                place=np.array([block.place[n][0] for n in placed], dtype=np.int64),
                slot=np.array(slots, dtype=np.int64),
                parameter=np.array([table.index[n] for n in slots], dtype=np.int64),
                fixed=np.array([table.rows[n].fixed or 0.0 for n in slots]),
                every=np.array(every, dtype=np.int64),
                over=columns[:, 0],
                under=columns[:, 1],
                under2=columns[:, 2],
            )
        )
    return tuple(out)


def row_values(layout: Layout, flats: tuple[Array, ...], theta: Values) -> Values:
    """(b, t) unstandardised value of every row.

    Residual variances of ordinal items and their scales are what the parameterisation makes of them.
    """
    out = np.zeros((len(theta), len(layout.table.rows)), dtype=theta.dtype)
    for g, rows in enumerate(_rows_of(layout)):
        full = _filled(layout, g, flats[g], theta)
        _values(layout, g, rows, full, theta, out)
    return out


def standardised(
    layout: Layout,
    flats: tuple[Array, ...],
    theta: Values,
    kind: Standard = "std_all",
    at: tuple[Implied, ...] | None = None,
) -> Values:
    """(b, t) standardised value of every row; analytic in theta.

    Parameters:
        at: the implied moments of every group, where they are known already.

    Example:
        `csi.fit(...).table` has both columns; `csi.standardised` their standard errors.
    """
    out = np.zeros((len(theta), len(layout.table.rows)), dtype=theta.dtype)
    scale = factors(layout, flats, theta, kind, out, at)
    with np.errstate(invalid="ignore"):
        return out * scale


def factors(
    layout: Layout,
    flats: tuple[Array, ...],
    theta: Values,
    kind: Standard = "std_all",
    values: Values | None = None,
    at: tuple[Implied, ...] | None = None,
) -> Values:
    """(b, t) what each row's value is multiplied by to be standardised.

    Parameters:
        values: (b, t), filled with the unstandardised rows when given. at: as in `standardised`.
    """
    out = np.zeros((len(theta), len(layout.table.rows)), dtype=theta.dtype) if values is None else values
    scale = np.ones(out.shape, dtype=theta.dtype)
    for g, rows in enumerate(_rows_of(layout)):
        full = _filled(layout, g, flats[g], theta)
        here = implied_group(layout, g, flats[g], theta) if at is None else at[g]
        _values(layout, g, rows, full, theta, out)
        S = _divisors(layout, g, full, here, theta, kind, out)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale[:, rows.every] = S[:, rows.over] / (S[:, rows.under] * S[:, rows.under2])
    return scale


def _values(layout: Layout, g: int, rows: _Rows, full: Values, theta: Values, out: Values) -> None:
    """Fill in the unstandardised rows of a group."""
    out[:, rows.number] = full[:, rows.place]
    if rows.slot.size:
        out[:, rows.slot] = np.where(rows.parameter >= 0, theta[:, np.maximum(rows.parameter, 0)], rows.fixed)
    if plans_of(layout)[g].any_ordinal:
        _latent_responses(layout, g, full, theta, out)


def _filled(layout: Layout, g: int, flat: Array, theta: Values) -> Values:
    """The flat matrices of a group at theta."""
    e = layout.blocks[g].entries
    full = flat.astype(theta.dtype)
    full[:, e.position] = theta[:, e.parameter]
    full[:, e.mirror] = theta[:, e.parameter]
    return full


def _latent_responses(layout: Layout, g: int, full: Values, theta: Values, out: Values) -> None:
    """Residual variances (delta) or scales (theta) of ordinal items, which follow from the rest."""
    block, plan, table = layout.blocks[g], plans_of(layout)[g], layout.table
    raw = implied(block, unpacked(block, full))
    at = completed(plan, raw, theta)
    inner = dict(zip(plan.latent_item.tolist(), added_variance(plan, raw, theta).T, strict=True))
    own = np.diagonal(responses(plan, at).Sigma, axis1=1, axis2=2)
    delta = scales(plan, at, theta)
    for number in _rows_of(layout)[g].every.tolist():
        row = table.rows[number]
        if row.lhs not in table.observed or not plan.ordinal[table.observed.index(row.lhs)]:
            continue
        i = table.observed.index(row.lhs)
        if row.op == "~*~" and plan.theta:
            out[:, number] = delta[:, i]
        if row.op == "~~" and row.lhs == row.rhs and not plan.theta and row.fixed is not None:
            rest = 1 / delta[:, i] ** 2 - own[:, i]
            out[:, number] += inner.get(i, rest)


def _divisors(
    layout: Layout, g: int, full: Values, at: Implied, theta: Values, kind: Standard, values: Values
) -> Values:
    """(b, 2(p + m) + 1) standard deviations and own (residual) standard deviations; 1 where nothing is divided."""
    block, plan = layout.blocks[g], plans_of(layout)[g]
    parts = unpacked(block, full)
    b, m, q = len(full), len(block.latent), block.q
    with np.errstate(invalid="ignore"):
        latent = np.sqrt(np.diagonal(at.Phi, axis1=1, axis2=2))
        own = np.sqrt(np.diagonal(parts.Psi, axis1=1, axis2=2))
        if kind == "std_lv":
            ones = np.ones((b, m - q), dtype=latent.dtype)
            items = np.ones(at.mu.shape, dtype=latent.dtype)
            latent, own = np.concatenate([latent[:, :q], ones], axis=1), np.concatenate([own[:, :q], ones], axis=1)
            residual = items
        else:
            items = spreads(plan, at, theta)
            residual = np.sqrt(np.diagonal(parts.Theta, axis1=1, axis2=2))
            if plan.any_ordinal:
                for number in _rows_of(layout)[g].every.tolist():
                    row = layout.table.rows[number]
                    if row.op == "~~" and row.lhs == row.rhs and row.lhs in block.observed:
                        residual[:, block.observed.index(row.lhs)] = np.sqrt(values[:, number])
                        if row.lhs in block.latent:
                            own[:, block.latent.index(row.lhs)] = residual[:, block.observed.index(row.lhs)]
    return np.concatenate([latent, items, own, residual, np.ones((b, 1), dtype=latent.dtype)], axis=1)


def standardised_jacobian(layout: Layout, flats: tuple[Array, ...], theta: Array, kind: Standard = "std_all") -> Array:
    """(b, t, k) derivatives of the standardised rows by the free parameters, by complex steps."""
    b, k = theta.shape
    out = np.empty((b, len(layout.table.rows), k))
    for s in range(b):
        moved = theta[s] + 1j * STEP * np.eye(k)
        held = tuple(np.broadcast_to(f[s], (k, f.shape[1])) for f in flats)
        out[s] = standardised(layout, held, moved, kind).imag.T / STEP
    return out
