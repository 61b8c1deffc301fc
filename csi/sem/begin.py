"""Start values of a whole model: composites by their first canonical variates, latent means from their items, the rest
as `csi.sem.starts` finds them.

A composite starts as an observed variable: the model without its block is started from moments that have it.

Letters: `b` slices, `k` parameters, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from csi.models.nouns import Claim
from csi.moments.stack import Array
from csi.sem.composites import Composite, start_weights
from csi.sem.layout import Layout, layout_of
from csi.sem.start_means import with_means
from csi.sem.starts import starts
from csi.sem.table import table_of

Weights = Sequence[Mapping[str, Array]]
"""Per group, composite -> (b, j) weights in the order of its items, the first one 1."""


def begin(
    claim: Claim, layout: Layout, covs: Sequence[Array], means: Sequence[Array], weights: Weights | None = None
) -> Array:
    """(b, k) start values.

    Parameters:
        claim: what the layout was made of. covs, means: per group (b, p, p) and (b, p), items in the layout's order.
        weights: of composites that are to start from these.
    """
    made = layout.table.rules.composites
    if made and {i for c in made for i in c.items} <= set(layout.table.observed):
        found = _with_composites(claim, layout, covs, means, weights or [{} for _ in covs])
    else:
        found = starts(layout, covs, means)
    return with_means(layout, covs, means, found) if layout.means else found


def _with_composites(
    claim: Claim, layout: Layout, covs: Sequence[Array], means: Sequence[Array], weights: Weights
) -> Array:
    """Starts of a model with composites of items."""
    table, made = layout.table, layout.table.rules.composites
    small = _reduced(claim, layout)
    parts = enumerate(zip(covs, means, weights, strict=True))
    wide = [_widened(layout, g, cov, mean, known) for g, (cov, mean, known) in parts]
    names = small.table.observed
    at = [(*table.observed, *(c.name for c in made)).index(n) for n in names]
    inner = starts(small, [C[:, at][:, :, at] for C, _, _ in wide], [m[:, at] for _, m, _ in wide])
    known = {(r.key, r.group): i for r, i in zip(small.table.rows, small.table.index, strict=True) if i >= 0}
    blocks = [{} if not made else _blocks(layout, cov, w) for cov, (_, _, w) in zip(covs, wide, strict=True)]
    total, seen = np.zeros((len(covs[0]), layout.count)), np.zeros(layout.count)
    for row, i in zip(table.rows, table.index, strict=True):
        if i < 0:
            continue
        own = blocks[row.group].get(row.key)
        if row.start is not None:
            own = np.full(len(total), row.start)
        elif own is None and (row.key, row.group) in known:
            own = inner[:, known[row.key, row.group]]
        elif own is None and row.op == "~1" and row.lhs in table.observed:
            own = means[row.group][:, table.observed.index(row.lhs)]
        if own is not None:
            total[:, i] += own
            seen[i] += 1
    return total / np.maximum(seen, 1)


@lru_cache(maxsize=64)
def _reduced(claim: Claim, layout: Layout) -> Layout:
    """The model in which composites are observed variables."""
    made = layout.table.rules.composites
    gone = {n for c in made for n in (c.name, *c.rests)}
    inside = gone | {i for c in made for i in c.items}
    kept = replace(
        claim,
        constructs=tuple(c for c in claim.constructs if c.name not in gone),
        covariances=tuple(
            c
            for c in claim.covariances
            if c.lhs not in inside
            or (c.lhs in {m.name for m in made} and c.rhs.name not in {n for m in made for n in m.rests})
        ),
        intercepts=tuple(i for i in claim.intercepts if i.lhs not in inside),
    )
    return layout_of(table_of(kept, replace(layout.table.rules, composites=(), fixed_x=False)))


def _widened(
    layout: Layout, g: int, cov: Array, mean: Array, known: Mapping[str, Array]
) -> tuple[Array, Array, dict[str, Array]]:
    """Moments of the items and of the composites after them, and the weights that made these."""
    table = layout.table
    p = len(table.observed)
    T = np.broadcast_to(np.eye(p), cov.shape).copy()
    weights = {}
    for c in table.rules.composites:
        at = [table.observed.index(i) for i in c.items]
        w = known.get(c.name)
        w = start_weights(cov, at, [i for i in range(p) if i not in at]) if w is None else w.copy()
        weights[c.name] = w = _as_stated(layout, g, c, w) * c.unit
        row = np.zeros((len(cov), 1, p))
        row[:, 0, at] = w
        T = np.concatenate([T, row], axis=1)
    return T @ cov @ T.swapaxes(1, 2), (T @ mean[:, :, None])[:, :, 0], weights


def _as_stated(layout: Layout, g: int, c: Composite, w: Array) -> Array:
    """Weights with those the model fixes or starts."""
    own = {r.lhs: r for r in layout.table.rows if r.group == g and r.op == "=~" and r.rhs == c.items[0]}
    for j, rest in enumerate(c.rests, start=1):
        value = own[rest].fixed if own[rest].fixed is not None else own[rest].start
        if value is not None:
            w[:, j] = value
    return w


def _blocks(layout: Layout, cov: Array, weights: dict[str, Array]) -> dict[tuple[str, str, str], Array]:
    """Starts of the rows of composite blocks in one group."""
    out = {}
    for c in layout.table.rules.composites:
        at = [layout.table.observed.index(i) for i in c.items]
        S, w = cov[:, at][:, :, at], weights[c.name]
        shared = np.einsum("bij,bj->bi", S, w)
        v = np.einsum("bi,bi->b", shared, w)
        left = S - shared[:, :, None] * shared[:, None, :] / v[:, None, None]
        for j, a in enumerate(c.rests, start=1):
            out[a, "=~", c.items[0]] = w[:, j] / c.unit
            out[c.name, "=~", a] = -shared[:, j] / v
            out |= {(a, "~~", b): left[:, j, i] for i, b in enumerate(c.rests, start=1)}
    return out
