"""A `Fitted` told as an `Estimate`: rows, standard errors, standardised values, the arrays other measures read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from csi.errors import Note, note
from csi.estimate.estimate import Convergence, Estimate, Row, Solution
from csi.estimate.later import Later
from csi.models.model import Model
from csi.models.nouns import Defined
from csi.models.syntax.evaluate import evaluate_definitions
from csi.moments.stack import Array, Ints, Moments
from csi.sem.fitted import Fitted
from csi.sem.implied import Values, matrices
from csi.sem.improper import improper_of, variances_of
from csi.sem.layout import Layout
from csi.sem.moment_vector import plans_of
from csi.sem.prepare import Prepared, label_values
from csi.sem.responses import spreads
from csi.sem.standardise import Standard, row_values, standardised
from csi.sem.table import Table
from csi.sem.view import standardised_labels, standardised_view, view_of

if TYPE_CHECKING:
    from csi.sem.estimator import SEM

Flags = npt.NDArray[np.bool_]
STEP = 1e-20
LEVEL = 0.95


@lru_cache(maxsize=64)
def rows_of(table: Table, defined: tuple[Defined, ...] = ()) -> tuple[Row, ...]:
    """Names of all rows shown, definitions last."""
    return (*view_of(table).rows, *(Row(d.name, ":=", d.expression, None, d.name) for d in defined))


@lru_cache(maxsize=64)
def _variances(table: Table, defined: tuple[Defined, ...]) -> Ints:
    """Places of the variances among the rows shown."""
    return variances_of(rows_of(table, defined))


def values_of(prepared: Prepared, flats: tuple[Array, ...], theta: Values) -> Values:
    """(b, t + d) every row shown and definition."""
    values = view_of(prepared.layout.table).values(row_values(prepared.layout, flats, theta))
    return np.concatenate([values, defined_values(prepared, theta)], axis=1) if prepared.claim.defined else values


def defined_values(prepared: Prepared, theta: Values) -> Values:
    """(b, d) values of the `:=` definitions."""
    found = evaluate_definitions(prepared.claim.defined, label_values(prepared, theta))
    columns = [np.broadcast_to(found[d.name], (len(theta),)) for d in prepared.claim.defined]
    return np.stack(columns, axis=1)


def undefined(defined: Sequence[Defined], values: Array, converged: Flags) -> tuple[Note, ...]:
    """A note for each definition without a value where the model has a solution; `values` (b, ... + d).

    Example:
        >>> undefined([Defined("d", "log(-a)")], np.array([[0.5, np.nan]]), np.array([True]))[0].text.en
        'd := log(-a) has no finite value (division by 0, or logarithm, root or power of a negative number).'
    """
    absent = (~np.isfinite(values[:, values.shape[1] - len(defined) :]) & converged[:, None]).sum(axis=0)
    notes = []
    for d, count in zip(defined, absent.tolist(), strict=True):
        if count:
            cells, cells_zh = (f" in {count} of {len(values)} cells", f"在 {len(values)} 个单元中的 {count} 个里")
            place, place_zh = (cells, cells_zh) if len(values) > 1 else ("", "")
            en = f"{d.name} := {d.expression} has no finite value{place} "
            zh = f"{d.name} := {d.expression} {place_zh}没有有效取值"
            en += "(division by 0, or logarithm, root or power of a negative number)."
            notes.append(note("N-UNDEFINED", en, f"{zh}（除以 0，或对负数取对数、开方或乘幂）。"))
    return tuple(notes)


@lru_cache(maxsize=64)
def _shown(table: Table) -> Ints:
    """Parameter of each row shown, negative for those that are fixed."""
    return np.array(table.index, dtype=np.int64)[view_of(table).take]


def errors_of(prepared: Prepared, flats: tuple[Array, ...], theta: Array, vcov: Array) -> Array:
    """(b, t + d) standard errors; NaN for what is fixed. Definitions and derived rows by the delta method."""
    view = view_of(prepared.layout.table)
    index = _shown(prepared.layout.table)
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diagonal(vcov, axis1=1, axis2=2))
    se = np.where(se > 1e-12 * np.abs(theta), se, np.nan)  # a bound of the model that binds leaves no error
    if not se.shape[1]:  # every parameter is fixed
        return np.full((len(theta), index.size + len(prepared.claim.defined)), np.nan)
    errors = np.where(index >= 0, se[:, np.maximum(index, 0)] * np.abs(view.factor), np.nan)
    derived = len(view.added) + len(prepared.claim.defined)
    if not derived:
        return errors
    b, k = theta.shape
    out = np.empty((b, derived))
    for s in range(b):
        moved = theta[s] + 1j * STEP * np.eye(k)
        held = tuple(np.broadcast_to(f[s], (k, f.shape[1])) for f in flats)
        found = values_of(prepared, held, moved)[:, len(view.take) :]
        J = np.where(np.isfinite(found.real), found.imag / STEP, np.nan)
        with np.errstate(invalid="ignore"):
            out[s] = np.sqrt(np.einsum("kd,kl,ld->d", J, vcov[s], J))
    return np.concatenate([errors, out], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where the parts of a `Solution` stand in the matrices of the first group."""

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    block: Ints
    at: Ints
    latent: Ints
    inner: bool
    composite: Flags
    endogenous: Flags


@lru_cache(maxsize=64)
def _places(layout: Layout) -> _Places:
    """Index arrays of `solution_of`."""
    table, block = layout.table, layout.blocks[0]
    made = table.rules.composites
    home = {item: c.name for c in made for item in c.items}
    for row in table.rows:
        if row.op == "=~" and row.rhs in block.observed:
            home.setdefault(row.rhs, row.lhs)
    names = [n for n in block.latent[: block.q] if n not in {rest for c in made for rest in c.rests}]
    items = tuple(n for n in block.observed if n in home)
    outcomes = {r.lhs for r in table.rows if r.op == "~"} | {r.rhs for r in table.rows if r.op == "=~"}
    return _Places(
        constructs=tuple(names),
        items=items,
        block=np.array([names.index(home[i]) for i in items], dtype=np.int64),
        at=np.array([block.observed.index(i) for i in items], dtype=np.int64),
        latent=np.array([block.latent.index(n) for n in names], dtype=np.int64),
        inner=bool(set(items) & set(block.latent)),
        composite=np.array([home[i] in {c.name for c in made} for i in items], dtype=bool),
        endogenous=np.array([n in outcomes for n in names], dtype=bool),
    )


def solution_of(model: Model, fit: Fitted, flat: Array) -> Solution:
    """Standardised loadings, paths, r2 and construct correlations of the first group."""
    where, block, at = _places(fit.layout), fit.layout.blocks[0], fit.groups[0].at
    inside = matrices(block, flat, fit.theta)
    j = where.latent
    home = j[where.block]
    raw = inside.Lambda[:, where.at, home]
    for position, item in enumerate(where.items) if where.inner else ():
        if item in block.latent:
            raw[:, position] = inside.Beta[:, block.latent.index(item), home[position]]
    with np.errstate(divide="ignore", invalid="ignore"):
        Phi = at.Phi[:, j][:, :, j]
        own = np.diagonal(Phi, axis1=1, axis2=2)
        sd = np.sqrt(own)
        if where.composite.any():
            shared = at.K[:, where.at, len(block.observed) + len(block.latent) + home] / own[:, where.block]
            raw = np.where(where.composite, shared, raw)
        items = spreads(plans_of(fit.layout)[0], at, fit.theta)[:, where.at]
        psi = np.diagonal(inside.Psi, axis1=1, axis2=2)[:, j]
        return Solution(
            constructs=where.constructs,
            items=where.items,
            block=where.block,
            modes=tuple(c.mode for c in model.constructs),
            weights=None,
            loadings=raw * sd[:, where.block] / items,
            cross_loadings=None,
            paths=inside.Beta[:, j][:, :, j] * sd[:, None, :] / sd[:, :, None],
            r2=np.where(where.endogenous, 1 - psi / own, np.nan),
            construct_cor=Phi / (sd[:, :, None] * sd[:, None, :]),
        )


def _standardised_definitions(prepared: Prepared, rows: Array, raw: Array) -> Array:
    """(b, d) the definitions computed from standardised values, of rows shown where they are shown."""
    defined = prepared.claim.defined
    if not defined:
        return np.empty((len(raw), 0))
    found = evaluate_definitions(defined, standardised_labels(prepared.layout.table, rows, raw))
    return np.stack([np.broadcast_to(found[d.name], (len(raw),)) for d in defined], axis=1)


def _standard(prepared: Prepared, fit: Fitted, flats: tuple[Array, ...], values: Array) -> tuple[Array, Array]:
    """std_lv and std_all of every row shown and definition."""
    at, shown = tuple(g.at for g in fit.groups), values[:, : values.shape[1] - len(prepared.claim.defined)]

    def column(kind: Standard) -> Array:
        raw = standardised(fit.layout, flats, fit.theta, kind, at)
        view = standardised_view(fit.layout, at, shown, raw, items=kind == "std_all")
        return np.concatenate([view, _standardised_definitions(prepared, view, raw)], axis=1)

    return column("std_lv"), column("std_all")


def normal_columns(values: Array, errors: Array) -> dict[str, Any]:
    """Standard errors with the statistic, p-value and interval of normal theory, (b, t) each, by name of column.

    Example:
        >>> normal_columns(np.array([[1.96]]), np.array([[1.0]]))["p_value"].round(3).tolist()
        [[0.05]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = values / errors
    reach = float(ndtri(0.5 + LEVEL / 2)) * errors
    return {
        "std_error": errors,
        "statistic": statistic,
        "p_value": 2 * ndtr(-np.abs(statistic)),
        "conf_low": values - reach,
        "conf_high": values + reach,
    }


def estimate_of(
    settings: SEM,
    model: Model,
    moments: Moments,
    prepared: Prepared,
    fit: Fitted,
    flats: tuple[Array, ...],
    convergence: Convergence,
    beyond: Flags,
    *,
    bare: bool,
    notes: tuple[Note, ...],
) -> Estimate:
    """The estimate; `bare` leaves out standard errors and standardised columns (replicates need neither).

    Parameters:
        beyond: (b,) where latent covariances cannot be.
    """
    theta = fit.theta
    values = values_of(prepared, flats, theta)
    rows = rows_of(fit.layout.table, prepared.claim.defined)
    improper = improper_of(_variances(fit.layout.table, prepared.claim.defined), values, beyond)
    common = {
        "model": model,
        "settings": settings,
        "moments": moments,
        "sample": None,
        "rows": rows,
        "values": values,
        "solved": Later(lambda: solution_of(model, fit, flats[0])),
        "convergence": replace(convergence, improper=improper),
        "extra": {"sem": fit},
    }
    if bare:
        return Estimate(**common)  # type: ignore[arg-type]  # the fields are named above
    errors = errors_of(prepared, flats, theta, fit.vcov)
    return Estimate(
        **common,  # type: ignore[arg-type]  # the fields are named above
        **normal_columns(values, errors),
        standard=Later(lambda: _standard(prepared, fit, flats, values)),
        interval="normal",
        notes=(*notes, *undefined(prepared.claim.defined, values, convergence.converged)),
    )
