"""Another start for fits that ended where they should not: improper, or not settled. The lower minimum is kept.

The first start reads loadings and covariances off the moments; where these say little it may lie on the wrong side of a
ridge. The others know next to nothing: equal communalities, no covariances among constructs, no regressions.

A search that runs away because the loading of a marker, which is fixed to 1, wants to be 0 or negative goes on beyond
infinity: there the construct is turned round.

Letters: `b` slices, `k` parameters, `r` working parameters, `t` rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array, Ints
from csi.sem.compiled import minimised
from csi.sem.improper import NEGLIGIBLE
from csi.sem.layout import Layout
from csi.sem.normal import target_of
from csi.sem.optimise import Optimum, minimise
from csi.sem.prepare import Prepared
from csi.sem.problem import Problem
from csi.sem.start_means import with_means

Flags = npt.NDArray[np.bool_]

SHARES = (0.05, 0.45)
"""Share of a marker's variance that a construct starts with."""

WEAK = 0.06
"""A marker with a smaller standardised loading may want to have the other sign."""

FEW = 40
"""Iterations at most from another start where the first one settled."""

LOWER = 1e-9
"""A minimum counts as lower by this share of 1 + F."""


def improved(prepared: Prepared, problem: Problem, best: Optimum, beyond: Flags, rounds: int) -> Optimum:
    """The same optimum, with lower minima from other starts in slices that are improper or have not settled.

    Parameters:
        beyond: (b,) where latent covariances at `best` cannot be. rounds: iterations at most.
    """
    lost = ~best.settled
    doubtful = beyond | negative(prepared.layout, problem.theta(best.phi))
    bad = doubtful & ~lost
    if not (doubtful | lost).any() or prepared.layout.table.rules.composites:
        return best
    out = replace(best, **{n: getattr(best, n).copy() for n in Optimum.__slots__})
    for few, most in ((np.flatnonzero(lost), rounds), (np.flatnonzero(bad), min(rounds, FEW))):
        if few.size:
            _better(prepared, problem.take(few), out, few, most)
    return out


def _better(prepared: Prepared, some: Problem, out: Optimum, few: Ints, rounds: int) -> None:
    """Lower minima of slices `few`, which `some` holds, into `out`."""
    turned = _turned(prepared.layout, some, out.phi[few])
    for start in (*turned, *_starts(prepared, some, rounds)):
        found = _searched(some, start, rounds)
        reach = LOWER * (1 + np.abs(out.value[few]))
        near = np.where(out.settled[few], -reach, reach)
        better = np.flatnonzero(found.settled & (found.value < out.value[few] + near))
        for name in Optimum.__slots__:
            getattr(out, name)[few[better]] = getattr(found, name)[better]


def negative(layout: Layout, theta: Array) -> Flags:
    """(b,) slices with a negative variance."""
    with np.errstate(invalid="ignore"):
        return np.asarray((theta[:, _variances(layout)] < -NEGLIGIBLE).any(axis=1), dtype=bool)


@lru_cache(maxsize=64)
def _variances(layout: Layout) -> Ints:
    """Parameters that are variances."""
    pairs = zip(layout.table.rows, layout.table.index, strict=True)
    return np.array(sorted({i for r, i in pairs if r.op == "~~" and r.lhs == r.rhs and i >= 0}), dtype=np.int64)


def _searched(problem: Problem, start: Array, rounds: int) -> Optimum:
    """The minimum from a start (b, r)."""
    linear = problem.linear
    if not (linear.plain and linear.bounded):
        found = minimised(problem, start, rounds, expected=True)
        if found is not None:
            return found
    free = np.full(start.shape[1], np.inf)
    lower, upper = (linear.lower, linear.upper) if linear.plain else (-free, free)
    return minimise(problem, start, lower, upper, rounds=rounds)


def _starts(prepared: Prepared, problem: Problem, rounds: int) -> Iterator[Array]:
    """(b, r) other starts: of GLS the minimum of ML; then constructs with little and with much of their markers."""
    covs, means = [t.cov for t in problem.targets], [t.mean for t in problem.targets]
    growth = prepared.layout.table.rules.growth
    kinds = [*((share, True) for share in SHARES if growth), *((share, False) for share in SHARES)]
    for share, of_means in kinds:
        theta = plain_starts(prepared.layout, covs, means, share, growth=of_means)
        phi = problem.linear.phi(theta)
        yield phi
        if prepared.method.fitting == "GLS":
            by_ml = replace(problem, targets=tuple(target_of(t.cov, t.mean, "ML") for t in problem.targets))
            yield _searched(by_ml, phi, rounds).phi


def _turned(layout: Layout, problem: Problem, phi: Array) -> Iterator[Array]:
    """(b, r) the same parameters with the constructs whose marker is weak turned round, beyond infinity: all of them,
    and each alone.
    """
    theta = problem.theta(phi)
    signs = [sign for c in layout.table.latent if ((sign := _signs(layout, problem, theta, c)) < 0).any()]
    for sign in [np.prod(signs, axis=0), *signs] if len(signs) > 1 else signs:
        yield problem.linear.phi(theta * sign)


def _signs(layout: Layout, problem: Problem, theta: Array, construct: str) -> Array:
    """(b, k) -1 for the loadings, covariances, regressions and mean of a construct where its marker is weak, else 1."""
    table = layout.table
    own = [(n, r) for n, r in enumerate(table.rows) if construct in {r.lhs, r.rhs} and (r.lhs, r.op) != (r.rhs, "~~")]
    weak = np.stack([_weak(layout, problem, theta, construct, g) for g in range(table.count)], axis=1)
    first, rest = ({table.index[n] for n, r in own if (r.group == 0) is here} for here in (True, False))
    if (first & rest) - {-1}:
        weak |= weak.any(axis=1, keepdims=True)
    sign = np.ones(theta.shape)
    for n, r in own:
        if table.index[n] >= 0:
            sign[:, table.index[n]] = np.where(weak[:, r.group], -1.0, 1.0)
    return sign


def _weak(layout: Layout, problem: Problem, theta: Array, construct: str, group: int) -> Flags:
    """(b,) whether a construct explains little of the item whose loading is fixed."""
    table = layout.table
    rows = [r for r in table.rows if r.group == group and r.op == "=~" and r.lhs == construct and r.fixed]
    if not rows or rows[0].rhs not in table.observed or construct not in layout.blocks[group].latent:
        return np.zeros(len(theta), dtype=bool)
    i, f = table.observed.index(rows[0].rhs), layout.blocks[group].latent.index(construct)
    Phi = problem.implied(theta)[group].Phi[:, f, f]
    share = (rows[0].fixed or 1.0) ** 2 * np.abs(Phi) / problem.targets[group].cov[:, i, i]
    return np.asarray(share < WEAK**2, dtype=bool)


def plain_starts(
    layout: Layout, covs: Sequence[Array], means: Sequence[Array], share: float, *, growth: bool = False
) -> Array:
    """(b, k) starts that know the items' variances, the signs of their covariances and their means.

    Parameters:
        covs, means: per group (b, p, p) and (b, p). share: of a marker's variance that its construct has. growth:
            loadings as the means of the items to that of the marker, which a construct explains where items have no
            intercepts.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> layout = layout_of(table_of(parse_claim("f =~ a + b"), Rules()))
        >>> S = np.array([[[4.0, -1.0], [-1.0, 1.0]]])
        >>> dict(zip(layout.table.names, plain_starts(layout, [S], [np.zeros((1, 2))], 0.5)[0].tolist()))
        {'f =~ b': -0.5, 'a ~~ a': 2.0, 'b ~~ b': 0.5, 'f ~~ f': 2.0}
    """
    table = layout.table
    total, seen = np.zeros((len(covs[0]), layout.count)), np.zeros(layout.count)
    for number, (row, at) in enumerate(zip(table.rows, table.index, strict=True)):
        if at >= 0:
            ratio = _of_means(layout, number, means[row.group]) if growth else None
            own = _value(layout, number, covs[row.group], means[row.group], share) if ratio is None else ratio
            total[:, at] += own
            seen[at] += 1
    begin = np.asarray(total / np.maximum(seen, 1))
    return with_means(layout, covs, means, begin) if layout.means else begin


def agreeing(layout: Layout, covs: Sequence[Array], means: Sequence[Array], begin: Array) -> Array:
    """(b, k) starts of a growth model in which no loading has another sign than the means ask for: where one had, all
    start from the means.

    Parameters:
        covs, means: as in `plain_starts`. begin: (b, k) the first starts.
    """
    against = np.zeros(len(begin), dtype=bool)
    for number, (row, at) in enumerate(zip(layout.table.rows, layout.table.index, strict=True)):
        ratio = _of_means(layout, number, means[row.group]) if at >= 0 else None
        if ratio is not None:
            against |= begin[:, at] * ratio < 0
    other = plain_starts(layout, covs, means, SHARES[0], growth=True)
    return np.where(against[:, None], other, begin)


def _of_means(layout: Layout, number: int, mean: Array) -> Array | None:
    """(b,) mean of an item by the mean of its construct's marker; None for rows that are no free loading of an item."""
    table = layout.table
    row, marker = table.rows[number], _marker(layout, table.rows[number].lhs, table.rows[number].group)
    if row.op != "=~" or row.start is not None or row.rhs not in table.observed or marker < 0:
        return None
    own, other = mean[:, table.observed.index(row.rhs)], mean[:, marker]
    return np.where(other != 0, own / np.where(other != 0, other, 1.0), 1.0)


def _value(layout: Layout, number: int, cov: Array, mean: Array, share: float) -> Array | float:
    """Start of one row, (b,) or the same for all."""
    table = layout.table
    row, items = table.rows[number], table.observed
    if row.start is not None:
        return row.start
    if row.op == "~1":
        return mean[:, items.index(row.lhs)] if row.lhs in items else 0.0
    if row.op == "=~":
        return _loading(layout, number, cov, share)
    if row.op == "~~" and row.lhs == row.rhs:
        return _variance(layout, row.lhs, row.group, cov, share)
    if row.op == "~~" and row.lhs in table.exogenous and row.rhs in table.exogenous:
        return cov[:, items.index(row.lhs), items.index(row.rhs)]
    return 0.0


def _marker(layout: Layout, construct: str, group: int) -> int:
    """Place of the first item of a construct, -1 where it has none."""
    items = layout.table.observed
    own = [r for r in layout.table.rows if r.op == "=~" and r.lhs == construct and r.group == group and r.rhs in items]
    held = [r for r in own if r.fixed]
    return items.index((held or own)[0].rhs) if own else -1


def _loading(layout: Layout, number: int, cov: Array, share: float) -> Array | float:
    """Ratio of standard deviations with the sign of the covariance with the marker; in the construct's unit."""
    table = layout.table
    row = table.rows[number]
    marker = _marker(layout, row.lhs, row.group)
    if row.rhs not in table.observed or marker < 0:
        return 1.0
    i = table.observed.index(row.rhs)
    unit = [
        r.fixed for r in table.rows if r.op == "~~" and r.lhs == r.rhs == row.lhs and r.group == row.group and r.fixed
    ]
    ratio = np.sqrt(cov[:, i, i] / cov[:, marker, marker]) * np.where(cov[:, i, marker] < 0, -1.0, 1.0)
    return ratio * np.sqrt(share * cov[:, marker, marker] / abs(float(unit[0] or 1.0))) if unit else ratio


def _variance(layout: Layout, name: str, group: int, cov: Array, share: float) -> Array | float:
    """All of an item that nothing explains, half of any other, a share of the marker's of a construct."""
    table = layout.table
    if name in table.observed:
        i = table.observed.index(name)
        explained = any(r.group == group and (r.op, name) in {("=~", r.rhs), ("~", r.lhs)} for r in table.rows)
        return cov[:, i, i] * (0.5 if explained else 1.0)
    marker = _marker(layout, name, group)
    return share * cov[:, marker, marker] if marker >= 0 else share
