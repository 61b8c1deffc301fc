"""Start values from the moments alone: loadings by instrumental ratios, latent covariances from blocks, regressions
from those. Never from an earlier fit.

Constructs are taken level by level (those measured by items, then those measured by constructs, ...); a level is a few
array operations, whatever the number of its constructs.

Letters: `b` slices, `n` variables known so far (items, then constructs), `j` indicators of a level, `f` its constructs.

Source:
    Hägglund (1982), Psychometrika 47 (instrumental estimators of loadings).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints, Moments
from csi.sem.compiled import started
from csi.sem.layout import Layout
from csi.sem.table import Parameter

Flags = npt.NDArray[np.bool_]

FLOOR = 0.1
"""Smallest share of a variance that a start leaves unexplained."""

CEILING = 0.85
"""Largest correlation of constructs that a start assumes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Constructs measured by what is known already.

    Attributes:
        rows: (j,) rows of the table. item: (j,) places of the indicators. marker: (j,) place of the first indicator of
            the same construct. owner: (j,) construct, numbered within the level. first: (f,) its first row here.
        instrument: (j, n) variables that are neither the indicator nor the marker. together: (j, j) pairs of different
            indicators of one construct. lone: (f,) one indicator only. member: (j, f) 1 where owned.
        unit: (f,) indicator whose fixed loading sets the unit, -1 without one; value: (f,) that loading.
        variance: (f,) fixed variance of the construct, NaN without one. given: (j,) fixed loadings of constructs that
            have only such, NaN elsewhere.
    """

    rows: Ints
    item: Ints
    marker: Ints
    owner: Ints
    first: Ints
    instrument: Array
    together: Array
    lone: Array
    member: Array
    unit: Ints
    value: Array
    variance: Array
    given: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Outcomes:
    """All regressions, o of them with at most x predictors; what is absent is filled up.

    Attributes:
        place: (o,) outcomes. predictors: (o, x) places. present: (o, x) 1 where there is a predictor. absent: (o, x, x)
            1 on the diagonal where there is none. rows, at: rows of the table and their places in o x.
        circular: (o,) whether an outcome leads back to itself: least squares says nothing about its arrows.
    """

    place: Ints
    predictors: Ints
    present: Array
    absent: Array
    rows: Ints
    at: Ints
    circular: Flags


@dataclass(frozen=True, slots=True, eq=False)
class _Scheme:
    """How the starts of one group are made.

    Attributes:
        levels, outcomes: see there. latent: places of constructs.
        variances: (rows, places) of variances; covariances: (rows, i, j) of covariances that start as observed; the
            rest start at 0. means: (rows, items). loadings: (row, item, construct) of every loading, by place.
        stated: (rows, values) of start values in the model.
        plan, numbers, places: the same for the compiled starts (see `_plan`); items and constructs.
    """

    levels: tuple[_Level, ...]
    outcomes: _Outcomes
    latent: Ints
    variances: tuple[Ints, ...]
    covariances: tuple[Ints, ...]
    means: tuple[Ints, ...]
    loadings: tuple[Ints, ...]
    stated: tuple[Ints, Array]
    plan: Ints
    numbers: Array
    places: int


def starts(layout: Layout, covs: Sequence[Array], means: Sequence[Array]) -> Array:
    """(b, k) start values.

    Parameters:
        covs, means: per group (b, p, p) and (b, p), items in the layout's order.
    """
    table = layout.table
    values = np.zeros((len(covs[0]), len(table.rows)))
    for scheme, cov, mean in zip(_schemes(layout), covs, means, strict=True):
        if not started(scheme.plan, scheme.numbers, scheme.places, cov, mean, values):
            _fill(scheme, cov, mean, values)
        at, given = scheme.stated
        if at.size:
            values[:, at] = given
    spread, count = _spread(layout)
    return np.asarray(values @ spread / count)


@lru_cache(maxsize=64)
def _spread(layout: Layout) -> tuple[Array, Array]:
    """(t, k) which row has which parameter, and how many rows share one."""
    index = np.array(layout.table.index)
    spread = np.zeros((len(index), layout.count))
    rows = np.flatnonzero(index >= 0)
    spread[rows, index[rows]] = 1.0
    return spread, spread.sum(axis=0)


def _fill(scheme: _Scheme, cov: Array, mean: Array, values: Array) -> None:
    """The starts of one group, into `values` (b, t)."""
    C = cov
    for level in scheme.levels:
        C = _level(level, C, values)
    C = _moderate(C, scheme.latent)
    left = np.diagonal(C, axis1=1, axis2=2).copy()
    rows, item, construct = scheme.loadings
    if rows.size:
        explained = np.zeros(left.shape)
        np.add.at(explained.T, item, (values[:, rows] ** 2 * left[:, construct]).T)
        left = np.where(explained > 0, np.maximum(left - explained, FLOOR * left), left)
    if scheme.outcomes.place.size:
        _regress(scheme.outcomes, C, left, values)
    at, places = scheme.variances
    values[:, at] = left[:, places]
    at, i, j = scheme.covariances
    values[:, at] = C[:, i, j]
    at, items = scheme.means
    values[:, at] = mean[:, items]


def _level(level: _Level, C: Array, values: Array) -> Array:
    """Loadings of one level into `values`; returns C with its constructs added.

    The loading of indicator i relative to the marker is sum_l s_il s_1l / sum_l s_1l^2 over all other variables l,
    standardised: those of other constructs are instruments too.
    """
    own = np.diagonal(C, axis1=1, axis2=2)
    cross = C / np.sqrt(np.maximum(own, 1e-300))[:, None, :]
    marker = cross[:, level.marker] * level.instrument
    with np.errstate(divide="ignore", invalid="ignore"):
        load = np.einsum("bjn,bjn->bj", cross[:, level.item], marker) / np.einsum("bjn,bjn->bj", marker, marker)
        ratio = np.sqrt(own[:, level.item] / own[:, level.marker])
    load = np.where(np.isfinite(load), load, ratio)
    size = np.minimum(np.maximum(np.abs(load), 0.05 * ratio), 4 * ratio)
    load = np.where(level.item == level.marker, 1.0, np.where(load < 0, -size, size))
    v = _variances(level, C, own, load)
    most = np.sqrt(0.9 * own[:, level.item] / v[:, level.owner])
    load = np.where(np.abs(load) > most, np.sign(load) * most, load) if not level.lone.all() else load
    load, v = _unit(level, load, v)
    values[:, level.rows] = load
    weights = load / np.maximum(load**2 @ level.member, 1e-12)[:, level.owner]
    mixed = weights[:, :, None] * level.member
    cross = (C[:, :, level.item] @ mixed).swapaxes(1, 2)
    return _joined(C, cross, cross[:, :, level.item] @ mixed, v)


def _variances(level: _Level, C: Array, own: Array, load: Array) -> Array:
    """(b, f) variances of the constructs on the marker's scale, from the covariances of their indicators."""
    S = C[:, level.item[:, None], level.item] * level.together
    outer = load[:, :, None] * load[:, None, :] * level.together
    with np.errstate(divide="ignore", invalid="ignore"):
        v = (S * outer).sum(axis=2) @ level.member / ((outer**2).sum(axis=2) @ level.member)
    first = own[:, level.item[level.first]]
    v = np.clip(np.where(np.isfinite(v), v, 0.0), 0.05 * first, 0.9 * first)
    return np.where(level.lone, np.where(first > 0, first, 1.0), v)


def _unit(level: _Level, load: Array, v: Array) -> tuple[Array, Array]:
    """The same constructs on the unit that fixed values set."""
    with np.errstate(invalid="ignore"):
        by_loading = load[:, np.maximum(level.unit, 0)] / level.value
        by_variance = np.sqrt(level.variance / v)
    scale = np.where(level.unit >= 0, by_loading, np.where(np.isfinite(by_variance), by_variance, 1.0))
    scaled = load / scale[:, level.owner]
    return np.where(np.isfinite(level.given), level.given, scaled), v * scale**2


def _joined(C: Array, cross: Array, among: Array, v: Array) -> Array:
    """Covariances with the constructs of a level added: cross (b, f, n) with all others, among (b, f, f), v (b, f)."""
    b, n, _ = C.shape
    f = v.shape[1]
    out = np.empty((b, n + f, n + f))
    out[:, :n, :n] = C
    out[:, n:, :n] = cross
    out[:, :n, n:] = cross.swapaxes(1, 2)
    out[:, n:, n:] = 0.5 * (among + among.swapaxes(1, 2))
    out[:, np.arange(n, n + f), np.arange(n, n + f)] = v
    return out


def _moderate(C: Array, latent: Ints) -> Array:
    """Correlations of constructs at most CEILING."""
    if not latent.size:
        return C
    inner = C[:, latent[:, None], latent]
    sd = np.sqrt(np.maximum(np.diagonal(inner, axis1=1, axis2=2), 1e-8))
    limit = (CEILING + (1 - CEILING) * np.eye(latent.size)) * sd[:, :, None] * sd[:, None, :]
    out = C.copy()
    out[:, latent[:, None], latent] = np.clip(inner, -limit, limit)
    return out


def _regress(outcomes: _Outcomes, C: Array, left: Array, values: Array) -> None:
    """Slopes of every outcome into `values`, the variance it keeps into `left`; 0 where it leads back to itself."""
    place, x = outcomes.place, outcomes.predictors
    own = C[:, place, place]
    c = C[:, x, place[:, None]] * outcomes.present
    both = outcomes.present[:, :, None] * outcomes.present[:, None, :]
    P = C[:, x[:, :, None], x[:, None, :]] * (both * (1 + 0.02 * np.eye(x.shape[1]))) + outcomes.absent
    slopes = np.linalg.solve(P, c[..., None])[..., 0]
    slopes[:, outcomes.circular] = 0.0
    explained = (slopes * c).sum(axis=2)
    shrink = np.where(explained > 0.8 * own, 0.8 * own / np.maximum(explained, 1e-12), 1.0)
    values[:, outcomes.rows] = (slopes * shrink[:, :, None]).reshape(len(C), -1)[:, outcomes.at]
    left[:, place] = np.where(outcomes.circular, own, np.maximum(own - explained * shrink, FLOOR * own))


@lru_cache(maxsize=64)
def _schemes(layout: Layout) -> tuple[_Scheme, ...]:
    """The scheme of every group."""
    rows = [(n, r) for n, r in enumerate(layout.table.rows)]
    return tuple(_scheme(layout, [(n, r) for n, r in rows if r.group == g]) for g in range(len(layout.blocks)))


def _scheme(layout: Layout, rows: Sequence[tuple[int, Parameter]]) -> _Scheme:
    """The scheme of one group."""
    table = layout.table
    place = {name: i for i, name in enumerate(table.observed)}
    variance = {r.lhs: r.fixed for _, r in rows if r.op == "~~" and r.lhs == r.rhs and r.fixed is not None}
    measured: dict[str, list[tuple[int, Parameter]]] = {}
    for number, row in rows:
        if row.op == "=~":
            measured.setdefault(row.lhs, []).append((number, row))
    levels, waiting = [], [c for c in table.latent if c in measured]
    while waiting:
        ready = [c for c in waiting if all(r.rhs in place for _, r in measured[c])]
        if not ready:
            break
        levels.append(_level_of([measured[c] for c in ready], place, variance))
        place |= {c: len(place) + i for i, c in enumerate(ready)}
        waiting = [c for c in waiting if c not in ready]
    known = [(n, r) for n, r in rows if r.lhs in place and (r.rhs in place or r.op == "~1")]
    loads = [(n, place[r.rhs], place[r.lhs]) for n, r in known if r.op == "=~"]
    inner = {r.lhs for _, r in known if r.op == "~"} | {r.rhs for _, r in known if r.op == "=~"}
    pairs = [(n, place[r.lhs], place[r.rhs]) for n, r in known if r.op == "~~" and r.lhs != r.rhs]
    free = [(n, i, j) for (n, i, j) in pairs if not {table.rows[n].lhs, table.rows[n].rhs} & inner]
    stated = [(n, r.start) for n, r in rows if r.start is not None]
    outcomes = _outcomes(known, place)
    latent = _ints([place[c] for c in table.latent if c in place])
    variances = _columns([(n, place[r.lhs]) for n, r in known if r.op == "~~" and r.lhs == r.rhs], 2)
    means = _columns([(n, place[r.lhs]) for n, r in known if r.op == "~1" and r.lhs in table.observed], 2)
    ends = (variances, _columns(free, 3), means)
    loadings = _columns(loads, 3)
    plan, numbers = _plan(levels, latent, loadings, outcomes, ends)
    return _Scheme(
        levels=tuple(levels),
        outcomes=outcomes,
        latent=latent,
        variances=variances,
        covariances=ends[1],
        means=means,
        loadings=loadings,
        stated=(_ints([n for n, _ in stated]), np.array([s for _, s in stated], dtype=np.float64)),
        plan=plan,
        numbers=numbers,
        places=len(place),
    )


def _plan(
    levels: Sequence[_Level],
    latent: Ints,
    loadings: tuple[Ints, ...],
    outcomes: _Outcomes,
    ends: Sequence[tuple[Ints, ...]],
) -> tuple[Ints, Array]:
    """A scheme as the compiled starts read it: whole numbers from the front, and the fixed values of the levels.

    The number of levels; of each the number of its indicators and constructs, then rows, item, marker, owner, unit. The
    number of constructs and their places. Loadings. The number of outcomes; of each its place, whether it is circular,
    the number of its predictors, their places and rows. Variances, covariances, means. Tuples of columns have their
    length before them.
    """
    parts: list[Ints] = [_ints([len(levels)])]
    for one in levels:
        parts += [_ints([one.rows.size, one.first.size]), one.rows, one.item, one.marker, one.owner, one.unit]
    parts += [_ints([latent.size]), latent, _ints([loadings[0].size]), *loadings, _ints([outcomes.place.size])]
    wide = outcomes.predictors.shape[1]
    for o, (place, circular) in enumerate(zip(outcomes.place.tolist(), outcomes.circular.tolist(), strict=True)):
        own = outcomes.at // max(wide, 1) == o
        parts += [_ints([place, circular, int(own.sum())]), outcomes.predictors.ravel()[outcomes.at[own]]]
        parts.append(outcomes.rows[own])
    for columns in ends:
        parts += [_ints([columns[0].size]), *columns]
    numbers = [a for one in levels for a in (one.value, one.variance, one.given)]
    return np.concatenate(parts), np.concatenate([np.empty(0), *numbers])


def _level_of(
    constructs: Sequence[Sequence[tuple[int, Parameter]]], place: dict[str, int], variance: Mapping[str, float | None]
) -> _Level:
    """Index arrays of constructs that can be started now."""
    every = [(f, n, r) for f, rows in enumerate(constructs) for n, r in rows]
    owner, item = _ints([f for f, _, _ in every]), _ints([place[r.rhs] for _, _, r in every])
    first = _ints([[f for f, _, _ in every].index(f) for f in range(len(constructs))])
    marker = item[first][owner]
    instrument = np.ones((len(every), len(place)))
    instrument[np.arange(len(every)), item] = 0.0
    instrument[np.arange(len(every)), marker] = 0.0
    same = (owner[:, None] == owner) & ~np.eye(len(every), dtype=bool)
    held = [all(r.fixed is not None for _, r in rows) and len(rows) > 1 for rows in constructs]
    units = [_unit_of(rows, int(first[f])) if not held[f] else (-1, 1.0) for f, rows in enumerate(constructs)]
    fixed = [variance.get(rows[0][1].lhs) for rows in constructs]
    return _Level(
        rows=_ints([n for _, n, _ in every]),
        item=item,
        marker=marker,
        owner=owner,
        first=first,
        instrument=instrument,
        together=same.astype(np.float64),
        lone=np.array([len(rows) == 1 for rows in constructs], dtype=bool),
        member=(owner[:, None] == np.arange(len(constructs))).astype(np.float64),
        unit=_ints([u for u, _ in units]),
        value=np.array([v for _, v in units]),
        variance=np.array([np.nan if not v or held[f] else v for f, v in enumerate(fixed)]),
        given=np.array([r.fixed if held[f] and r.fixed is not None else np.nan for f, _, r in every]),
    )


def _unit_of(rows: Sequence[tuple[int, Parameter]], first: int) -> tuple[int, float]:
    """The indicator whose fixed loading sets the unit, and that loading; -1 without one."""
    found = [(first + i, r.fixed) for i, (_, r) in enumerate(rows) if r.fixed]
    return found[0] if found else (-1, 1.0)


def _outcomes(known: Sequence[tuple[int, Parameter]], place: dict[str, int]) -> _Outcomes:
    """Index arrays of the regressions."""
    arrows: dict[str, list[tuple[int, str]]] = {}
    for number, row in known:
        if row.op == "~":
            arrows.setdefault(row.lhs, []).append((number, row.rhs))
    around = _in_circles({name: [p for _, p in found] for name, found in arrows.items()})
    o, x = len(arrows), max((len(found) for found in arrows.values()), default=0)
    predictors, present = np.zeros((o, x), dtype=np.int64), np.zeros((o, x))
    rows, at = [], []
    for i, found in enumerate(arrows.values()):
        for j, (number, name) in enumerate(found):
            predictors[i, j], present[i, j] = place[name], 1.0
            rows.append(number)
            at.append(i * x + j)
    return _Outcomes(
        place=_ints([place[name] for name in arrows]),
        predictors=predictors,
        present=present,
        absent=np.eye(x) * (1 - present)[:, :, None],
        rows=_ints(rows),
        at=_ints(at),
        circular=np.array([name in around for name in arrows], dtype=bool),
    )


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


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> tuple[Ints, ...]:
    """Tuples as columns of whole numbers."""
    return tuple(_ints([r[i] for r in rows]) for i in range(width))


def ordinal_starts(layout: Layout, vectors: Sequence[Array], groups: Sequence[Moments]) -> Array:
    """(b, k) start values for ordinal items: latent correlations as covariances, thresholds as observed.

    Parameters:
        vectors: per group (b, M) sample moments in the order of `moment_vector`. groups: of the codes.
    """
    table = layout.table
    moments = [_latent_moments(layout, s, group) for s, group in zip(vectors, groups, strict=True)]
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
    for name in _in_vector(layout):
        out += [(rows[name, f"t{t + 1}"], at + t) for t in range(counts.get(name, 0))]
        at += counts.get(name, 1)
    return out


def _in_vector(layout: Layout) -> list[str]:
    """Items of the moment vector: all but those it is conditional on."""
    table = layout.table
    gone = table.exogenous if table.rules.conditional else ()
    return [name for name in table.observed if name not in gone]


def _latent_moments(layout: Layout, s: Array, group: Moments) -> tuple[Array, Array]:
    """Covariances (b, p, p) and means (b, p) of latent responses and continuous items from the moment vector.

    Where it is given x: Sigma + Pi Sxx Pi' and Pi Sxx; the means are those at x = 0, as intercepts are.
    """
    table, counts = layout.table, dict(layout.table.rules.ordered)
    names = _in_vector(layout)
    y = np.array([table.observed.index(name) for name in names], dtype=np.int64)
    x = np.array([i for i in range(len(table.observed)) if i not in y], dtype=np.int64)
    p, b = len(table.observed), len(s)
    cov, mean = np.broadcast_to(np.eye(p), (b, p, p)).copy(), np.zeros((b, p))
    j, i = np.triu_indices(y.size, 1)
    own = np.array([a for a, name in zip(y.tolist(), names, strict=True) if name not in counts], dtype=np.int64)
    cov[:, y[i], y[j]] = cov[:, y[j], y[i]] = s[:, s.shape[1] - len(i) :]
    first = s.shape[1] - len(i) - len(own)
    cov[:, own, own] = s[:, first : first + len(own)]
    at = 0
    for a, name in zip(y.tolist(), names, strict=True):
        if name not in counts:
            mean[:, a] = -s[:, at]
        at += counts.get(name, 1)
    if x.size:
        _with_given(cov, s[:, at:first].reshape(b, x.size, y.size).swapaxes(1, 2), y, x, group)
        mean[:, x] = group.mean[:, x]
    return cov, mean


def _with_given(cov: Array, Pi: Array, y: Ints, x: Ints, group: Moments) -> None:
    """Covariances (b, p, p) given x made those of everything, in place; Pi (b, y, x) slopes."""
    inner = group.cov[:, x[:, None], x]
    cross = Pi @ inner
    cov[:, y[:, None], y] += cross @ Pi.swapaxes(1, 2)
    cov[:, y[:, None], x], cov[:, x[:, None], y] = cross, cross.swapaxes(1, 2)
    cov[:, x[:, None], x] = inner
