"""Start values from the moments alone: loadings by instrumental ratios, latent covariances from blocks, regressions
from those. Never from an earlier fit.

Source:
    Hägglund (1982), Psychometrika 47 (instrumental estimators of loadings).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from csi.moments.stack import Array
from csi.sem.composites import Composite, start_weights
from csi.sem.layout import Block, Layout
from csi.sem.start_means import with_latent_means
from csi.sem.table import Parameter

FLOOR = 0.1
"""Smallest share of a variance that a start leaves unexplained."""


def starts(layout: Layout, covs: Sequence[Array], means: Sequence[Array]) -> Array:
    """(b, k) start values.

    Parameters:
        covs, means: per group (b, p, p) and (b, p), items in the layout's order.
    """
    b = len(covs[0])
    total, seen = np.zeros((b, layout.count)), np.zeros(layout.count)
    made = {c.name: c for c in layout.table.rules.composites}
    for g, block in enumerate(layout.blocks):
        rows = [(n, r) for n, r in enumerate(layout.table.rows) if r.group == g]
        found = _group(block, rows, covs[g], means[g], made)
        for number, row in rows:
            at = layout.table.index[number]
            if at < 0 or number not in found:
                continue
            total[:, at] += found[number] if row.start is None else row.start
            seen[at] += 1
    begin = total / np.maximum(seen, 1)
    return with_latent_means(layout, covs, means, begin) if layout.means else begin


def _group(
    block: Block, rows: Sequence[tuple[int, Parameter]], S: Array, mean: Array, made: Mapping[str, Composite]
) -> dict[int, Array]:
    """A start for every row of one group."""
    b = len(S)
    constructs = block.latent[: block.q]
    by_lhs: dict[str, list[tuple[int, Parameter]]] = {}
    variance: dict[str, Parameter] = {}
    for number, row in rows:
        if row.op == "=~":
            by_lhs.setdefault(row.lhs, []).append((number, row))
        if row.op == "~~" and row.lhs == row.rhs:
            variance[row.lhs] = row
    names, C = list(block.observed), S
    out: dict[int, Array] = {}
    loading: dict[tuple[str, str], Array] = {}
    rests = {n for c in made.values() for n in c.rests}
    waiting = [c for c in constructs if c in by_lhs and c not in rests]
    while waiting:
        ready = [c for c in waiting if all(n in names for n in _below(by_lhs[c], made.get(c)))] or waiting[:1]
        for c in ready:
            waiting.remove(c)
            if c in made:
                names, C = _composite(made[c], rows, names, C, out)
                continue
            indicators = [(n, r) for n, r in by_lhs[c] if r.rhs in names]
            at = [names.index(r.rhs) for _, r in indicators]
            load, scores, v = _factor(C, at, [r for _, r in indicators], variance.get(c))
            for j, (n, r) in enumerate(indicators):
                out[n] = load[:, j]
                loading[r.rhs, c] = load[:, j]
            C = _joined(C, np.einsum("bxi,bi->bx", C[:, :, at], scores), v)
            names.append(c)
    at_ = {n: i for i, n in enumerate(names)}
    sd = np.sqrt(np.maximum(np.diagonal(C, axis1=1, axis2=2), 1e-8))
    limit = 0.85 * sd[:, :, None] * sd[:, None, :] * (1 - np.eye(len(names))) + (sd**2)[:, :, None] * np.eye(len(names))
    latents = [i for n, i in at_.items() if n in constructs]
    inner = np.ix_(np.arange(b), np.array(latents, dtype=np.int64), np.array(latents, dtype=np.int64))
    C[inner] = np.clip(C[inner], -limit[inner], limit[inner])
    left = _regressions(rows, at_, C, out)
    for number, row in rows:
        out.setdefault(number, _other(row, block, at_, C, left, loading, mean, b))
    return out


def _below(rows: Sequence[tuple[int, Parameter]], made: Composite | None) -> tuple[str, ...]:
    """What must be known before a construct is."""
    return made.items if made is not None else tuple(r.rhs for _, r in rows)


def _composite(
    made: Composite, rows: Sequence[tuple[int, Parameter]], names: list[str], C: Array, out: dict[int, Array]
) -> tuple[list[str], Array]:
    """Start rows of a composite block; names and covariances with the composite and its n_j added."""
    at = [names.index(i) for i in made.items]
    known = {r.lhs for _, r in rows if r.op == "=~"} - {made.name}
    w = start_weights(C, at, [i for i, n in enumerate(names) if i not in at and n not in known])
    own = {r.lhs: r for _, r in rows if r.op == "=~" and r.rhs == made.items[0]}
    for j, rest in enumerate(made.rests, start=1):
        held = own[rest]
        if held.fixed is not None or held.start is not None:
            w[:, j] = held.fixed if held.fixed is not None else held.start
    w = w * made.unit
    cross = np.einsum("bxi,bi->bx", C[:, :, at], w)
    v = np.einsum("bi,bi->b", cross[:, at], w)
    C = _joined(C, cross, v)
    load = cross[:, at] / v[:, None]
    place = {rest: j for j, rest in enumerate(made.rests, start=1)}
    for number, row in rows:
        if row.op == "=~" and row.lhs in place and row.rhs == made.items[0]:
            out[number] = w[:, place[row.lhs]] / made.unit
        elif row.op == "=~" and row.lhs == made.name and row.rhs in place:
            out[number] = -load[:, place[row.rhs]]
        elif row.op == "~~" and row.lhs in place and row.rhs in place:
            i, j = place[row.lhs], place[row.rhs]
            out[number] = C[:, at[i], at[j]] - load[:, i] * load[:, j] * v
    return [*names, made.name], C


def _factor(
    C: Array, at: Sequence[int], rows: Sequence[Parameter], variance: Parameter | None
) -> tuple[Array, Array, Array]:
    """Loadings (b, j), weights of the factor's covariances (b, j) and its variance (b,) from its indicators.

    The loading of indicator i relative to the marker is sum_l s_il s_1l / sum_l s_1l^2 over all other variables l,
    those of other constructs included: they are instruments too.

    Parameters:
        C: (b, n, n) covariances of all variables so far. at: places of the indicators.
    """
    S = C[:, at][:, :, at]
    b, j, _ = S.shape
    own = np.diagonal(S, axis1=1, axis2=2)
    if j == 1:
        load, v = np.ones((b, 1)), np.where(own[:, 0] > 0, own[:, 0], 1.0)
    else:
        ratio = np.sqrt(own / np.maximum(own[:, :1], 1e-300))
        load = _ratios(C, at)
        load = np.where(np.isfinite(load), np.clip(load, -4 * ratio, 4 * ratio), ratio)
        load = np.where(np.abs(load) < 0.05 * ratio, 0.05 * ratio, load)
        apart = 1 - np.eye(j)
        outer = load[:, :, None] * load[:, None, :] * apart
        v = (S * outer).sum(axis=(1, 2)) / (outer**2).sum(axis=(1, 2))
        v = np.clip(np.where(np.isfinite(v), v, 0.0), 0.05 * own[:, 0], 0.9 * own[:, 0])
        most = 0.9 * own / np.maximum(v[:, None], 1e-12)
        load = np.where(load**2 > most, np.sign(load) * np.sqrt(most), load)
    load, v = _scaled(load, v, rows, variance)
    weights = load / np.maximum((load**2).sum(axis=1), 1e-12)[:, None]
    return load, weights, v


def _ratios(C: Array, at: Sequence[int]) -> Array:
    """(b, j) loadings relative to the first indicator; every other variable, standardised, is an instrument."""
    sd = np.sqrt(np.maximum(np.diagonal(C, axis1=1, axis2=2), 1e-300))
    cross = C[:, at] / sd[:, None, :]
    usable = np.ones((len(at), C.shape[1]))
    usable[:, at[0]] = 0.0
    usable[np.arange(len(at)), list(at)] = 0.0
    first = cross[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        load = (cross * first * usable).sum(axis=2) / (first * first * usable).sum(axis=2)
    load[:, 0] = 1.0
    return np.asarray(load)


def _scaled(load: Array, v: Array, rows: Sequence[Parameter], variance: Parameter | None) -> tuple[Array, Array]:
    """The same factor on the unit that the fixed values set."""
    fixed = [(i, r.fixed) for i, r in enumerate(rows) if r.fixed]
    if len(fixed) == len(rows) and len(rows) > 1:
        return np.broadcast_to(np.array([f for _, f in fixed]), load.shape).astype(np.float64), v
    if fixed:
        i, value = fixed[0]
        scale = load[:, i] / value
    elif variance is not None and variance.fixed:
        scale = np.sqrt(variance.fixed / v)
    else:
        return load, v
    return load / scale[:, None], v * scale**2


def _joined(C: Array, cross: Array, v: Array) -> Array:
    """Covariances with one variable more."""
    b, n, _ = C.shape
    out = np.empty((b, n + 1, n + 1))
    out[:, :n, :n] = C
    out[:, n, :n] = out[:, :n, n] = cross
    out[:, n, n] = v
    return out


def _regressions(
    rows: Sequence[tuple[int, Parameter]], at: dict[str, int], C: Array, out: dict[int, Array]
) -> dict[str, Array]:
    """Starts of regressions; returns the variance each outcome keeps."""
    left: dict[str, Array] = {}
    outcomes: dict[str, list[tuple[int, str]]] = {}
    for number, row in rows:
        if row.op == "~" and row.lhs in at and row.rhs in at:
            outcomes.setdefault(row.lhs, []).append((number, row.rhs))
    around = _in_circles({name: [p for _, p in predictors] for name, predictors in outcomes.items()})
    for name, predictors in outcomes.items():
        if name in around:
            left[name] = C[:, at[name], at[name]]
            for number, _ in predictors:
                out[number] = np.zeros(len(C))
            continue
        x = [at[p] for _, p in predictors]
        P, c = C[:, x][:, :, x], C[:, x, at[name]]
        P = P + 0.02 * np.einsum("bii->bi", P)[:, :, None] * np.eye(len(x))
        slopes = np.linalg.solve(P, c[:, :, None])[:, :, 0]
        own = C[:, at[name], at[name]]
        explained = np.einsum("bi,bi->b", slopes, c)
        shrink = np.where(explained > 0.8 * own, 0.8 * own / np.maximum(explained, 1e-12), 1.0)
        slopes = slopes * shrink[:, None]
        left[name] = np.maximum(own - explained * shrink, FLOOR * own)
        for j, (number, _) in enumerate(predictors):
            out[number] = slopes[:, j]
    return left


def _in_circles(arrows: dict[str, list[str]]) -> set[str]:
    """Outcomes that lead back to themselves: least squares says nothing about their arrows."""

    def reached(name: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(arrows.get(name, ()))
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += arrows.get(one, ())
        return seen

    return {name for name in arrows if name in reached(name)}


def _other(
    row: Parameter,
    block: Block,
    at: dict[str, int],
    C: Array,
    left: dict[str, Array],
    loading: dict[tuple[str, str], Array],
    mean: Array,
    b: int,
) -> Array:
    """Variances, covariances and means."""
    if row.op == "~1":
        return mean[:, at[row.lhs]] if row.lhs in block.observed else np.zeros(b)
    if row.op != "~~" or row.lhs not in at or row.rhs not in at:
        return np.zeros(b)
    i, j = at[row.lhs], at[row.rhs]
    if row.lhs == row.rhs:
        if row.lhs in left:
            return left[row.lhs]
        causes = [f for (x, f) in loading if x == row.lhs]
        if not causes:
            return C[:, i, i]
        explained = sum((loading[row.lhs, f] ** 2 * C[:, at[f], at[f]] for f in causes), np.zeros(b))
        return np.maximum(C[:, i, i] - explained, FLOOR * C[:, i, i])
    free = row.lhs in left or row.rhs in left or any(x in (row.lhs, row.rhs) for x, _ in loading)
    return np.zeros(b) if free else C[:, i, j]


def ordinal_starts(layout: Layout, vectors: Sequence[Array]) -> Array:
    """(b, k) start values for ordinal items: latent correlations as covariances, thresholds as observed.

    Parameters:
        vectors: per group (b, M) sample moments in the order of `moment_vector`.
    """
    table = layout.table
    moments = [_latent_moments(layout, s) for s in vectors]
    begin = starts(layout, [cov for cov, _ in moments], [mean for _, mean in moments])
    seen = np.zeros(layout.count)
    for g, s in enumerate(vectors):
        for number, slot in _threshold_slots(layout, g):
            k, stated = table.index[number], table.rows[number].start
            if k >= 0:
                value = s[:, slot] if stated is None else stated
                begin[:, k] = (begin[:, k] * seen[k] + value) / (seen[k] + 1)
                seen[k] += 1
    for row, k in zip(table.rows, table.index, strict=True):
        if k >= 0 and row.start is None and (row.op == "~*~" or (row.op == "~1" and row.lhs in table.latent)):
            begin[:, k] = 1.0 if row.op == "~*~" else 0.0
    return begin


def _threshold_slots(layout: Layout, g: int) -> list[tuple[int, int]]:
    """(row of the table, place in the moment vector) of every threshold of group `g`."""
    table = layout.table
    rows = {(r.lhs, r.rhs): n for n, r in enumerate(table.rows) if r.op == "|" and r.group == g}
    counts, out, at = dict(table.rules.ordered), [], 0
    for name in table.observed:
        out += [(rows[name, f"t{t + 1}"], at + t) for t in range(counts.get(name, 0))]
        at += counts.get(name, 1)
    return out


def _latent_moments(layout: Layout, s: Array) -> tuple[Array, Array]:
    """Covariances (b, p, p) and means (b, p) of latent responses and continuous items from the moment vector."""
    table, counts = layout.table, dict(layout.table.rules.ordered)
    p, b = len(table.observed), len(s)
    j, i = np.triu_indices(p, 1)
    own = [a for a, name in enumerate(table.observed) if name not in counts]
    cov = np.broadcast_to(np.eye(p), (b, p, p)).copy()
    cov[:, i, j] = cov[:, j, i] = s[:, s.shape[1] - len(i) :]
    first = s.shape[1] - len(i) - len(own)
    cov[:, own, own] = s[:, first : first + len(own)]
    mean, at = np.zeros((b, p)), 0
    for a, name in enumerate(table.observed):
        if name not in counts:
            mean[:, a] = -s[:, at]
        at += counts.get(name, 1)
    return cov, mean
