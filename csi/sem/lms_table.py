"""A maximum of the likelihood with products of latents told as rows: values, errors, standardised values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.estimate.estimate import Row, Solution
from csi.models.model import Model
from csi.models.nouns import Construct, Path
from csi.models.syntax.evaluate import evaluate_definitions
from csi.moments.stack import Array
from csi.sem.implied import Values, matrices
from csi.sem.layout import Layout
from csi.sem.lms import STEP, Terms
from csi.sem.prepare import Prepared


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A model split into its linear part and its products."""

    prepared: Prepared
    products: tuple[Construct, ...]
    paths: tuple[Path, ...]
    terms: Terms


@dataclass(frozen=True, slots=True)
class Maximum:
    """One slice: theta (k,), log-likelihood, vcov (k, k), steps, whether it settled, expected further rise, latent and
    item covariances, number of nodes.
    """

    theta: Array
    loglik: float
    vcov: Array
    iterations: int
    settled: bool
    drop: float
    flat: Array
    Phi: Array
    Sigma: Array
    nodes: int


def rows_of(model: Model, task: Task) -> tuple[tuple[Row, ...], list[int]]:
    """Names of all rows, products after the other paths; and the places of their values."""
    table = task.prepared.layout.table
    t = len(table.rows)
    named = [Row(r.lhs, r.op, r.rhs, None, r.label) for r in table.rows]
    labels = [next((m.label for m in p.predictor.modifiers if m.label), "") or "" for p in task.paths]
    named += [Row(p.outcome, "~", p.predictor.name, None, label) for p, label in zip(task.paths, labels, strict=True)]
    named += [Row(d.name, ":=", d.expression, None, d.name) for d in model.defined]
    last = max(n for n, r in enumerate(table.rows) if r.op == "~") + 1
    g = len(task.paths)
    place = [*range(last), *range(t, t + g), *range(last, t), *range(t + g, t + g + len(model.defined))]
    return tuple(named[i] for i in place), place


def values_of(model: Model, task: Task, flat: Array, theta: Values) -> Values:
    """(b, t + g + d) table rows, products, definitions."""
    layout = task.prepared.layout
    block, k = layout.blocks[0], layout.count
    full = np.broadcast_to(flat, (len(theta), flat.size)).astype(theta.dtype)
    e = block.entries
    full[:, e.position] = full[:, e.mirror] = theta[:, e.parameter]
    own = full[:, [block.place[n][0] for n in range(len(layout.table.rows))]]
    parts = [own, theta[:, k:]]
    if model.defined:
        known = {name: theta[:, at] for name, at in task.prepared.labels.items()}
        known |= {name: np.full(len(theta), v, dtype=theta.dtype) for name, v in task.prepared.fixed.items()}
        for j, path in enumerate(task.paths):
            known |= {m.label: theta[:, k + j] for m in path.predictor.modifiers if m.label}
        found = evaluate_definitions(model.defined, known)
        parts.append(np.stack([np.broadcast_to(found[d.name], (len(theta),)) for d in model.defined], axis=1))
    return np.concatenate(parts, axis=1)


def errors_of(model: Model, task: Task, fit: Maximum) -> Array:
    """(t + g + d,) standard errors by the delta method; NaN for what is fixed."""
    J = values_of(model, task, fit.flat, fit.theta + 1j * STEP * np.eye(fit.theta.size)).imag / STEP
    with np.errstate(invalid="ignore"):
        se: Array = np.sqrt(np.einsum("kt,kl,lt->t", J, fit.vcov, J))
    return np.where(np.abs(J).sum(axis=0) > 0, se, np.nan)


def standardised_of(task: Task, fit: Maximum, *, items: bool) -> Array:
    """(t + g,) standardised rows; a product by the standard deviations of its parts.

    Source: Wen, Marsh & Hau (2010), Structural Equation Modeling 17(1):1-22 (the appropriate standardised solution).
    """
    layout = task.prepared.layout
    block = layout.blocks[0]
    sd = {n: np.sqrt(fit.Sigma[i, i]) if items else 1.0 for i, n in enumerate(block.observed)}
    sd |= {n: np.sqrt(fit.Phi[j, j]) for j, n in enumerate(block.latent) if items or j < block.q}
    raw = values_of(Model(()), task, fit.flat, fit.theta[None])[0]
    own = {
        r.lhs: np.sqrt(abs(v)) for r, v in zip(layout.table.rows, raw, strict=False) if r.op == "~~" and r.lhs == r.rhs
    }
    out = []
    for r, v in zip(layout.table.rows, raw, strict=False):
        if r.op == "=~":
            out.append(v * sd[r.lhs] / sd[r.rhs])
        elif r.op == "~":
            out.append(v * sd[r.rhs] / sd[r.lhs])
        elif r.op == "~~":
            free = items or (r.lhs in block.latent[: block.q])
            below = sd[r.lhs] ** 2 if r.lhs == r.rhs else own[r.lhs] * own[r.rhs]
            out.append(v / below if free and below else v)
        else:
            out.append(v / sd[r.lhs])
    known = {c.name: c for c in task.products}
    for path, v in zip(task.paths, raw[len(layout.table.rows) :], strict=True):
        a, b = known[path.predictor.name].product_of
        out.append(v * sd[a] * sd[b] / sd[path.outcome])
    return np.array(out)


def solution_of(model: Model, layout: Layout, fits: list[Maximum]) -> Solution:
    """Standardised loadings, paths without products, r2 and correlations of the latents."""
    block = layout.blocks[0]
    names, q = block.latent[: block.q], block.q
    home: dict[str, int] = {}
    for row in layout.table.rows:
        if row.op == "=~" and row.rhs in block.observed:
            home.setdefault(row.rhs, names.index(row.lhs))
    items = tuple(home)
    at, own = [block.observed.index(i) for i in items], list(home.values())
    loadings, paths, r2, cors = [], [], [], []
    outcomes = {r.lhs for r in layout.table.rows if r.op == "~"}
    for f in fits:
        inside = matrices(block, f.flat[None], f.theta[None])
        sd, item = np.sqrt(np.diagonal(f.Phi)), np.sqrt(np.diagonal(f.Sigma))
        loadings.append(inside.Lambda[0][at, own] * sd[own] / item[at])
        paths.append(inside.Beta[0, :q, :q] * sd[None, :q] / sd[:q, None])
        left = 1 - np.diagonal(inside.Psi[0])[:q] / sd[:q] ** 2
        r2.append(np.where([n in outcomes for n in names], left, np.nan))
        cors.append((f.Phi / np.outer(sd, sd))[:q, :q])
    return Solution(
        constructs=names,
        items=items,
        block=np.array(own, dtype=np.int64),
        modes=tuple(c.mode for c in model.constructs if not c.product_of),
        weights=None,
        loadings=np.stack(loadings),
        cross_loadings=None,
        paths=np.stack(paths),
        r2=np.stack(r2),
        construct_cor=np.stack(cors),
    )
