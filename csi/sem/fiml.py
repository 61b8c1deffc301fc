"""Full information maximum likelihood: the normal likelihood of rows with absent answers, for structured moments.

    f = -2 log L = sum_j n_j (p_j log 2 pi + log|Sigma_j| + tr W_j T_j) over missing patterns j

F = (f - f_saturated) / N is the discrepancy whose multiple by N is chi2; lavaan prints F / 2 as `fmin`.
Derivatives by parameters come from dSigma = s (K_u K_v' + K_v K_u'), dmu = c K_u.

Letters: `J` patterns, `p` items, `k` parameters (or entries), `r` columns of K, `b` slices, `n` rows.

Source:
    Arbuckle (1996), in Marcoulides & Schumacker (eds.), Advanced SEM; Savalei (2010), Psychol. Methods 15:352-367.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from csi.moments.incomplete import expand, pattern_inverses, places, saturated_information
from csi.moments.patterns import PatternRows, Patterns, pattern_rows
from csi.moments.stack import Array, Ints, RowPass

READY_BYTES = 2**25
"""Patterns of a group up to this size are formed once; larger ones when a few slices are taken for fitting."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The rows of one group behind b slices, by missing pattern.

    Attributes:
        rows: per cell, its rows sorted by pattern. weights: per cell (B, n_c).
        cell, replicate: (b,) whose slice it is. ready: (positions among the b slices, their patterns) per cell; None
            while there are too many slices to form at once.
    """

    rows: tuple[PatternRows, ...]
    weights: tuple[Array, ...]
    cell: Ints
    replicate: Ints
    ready: tuple[tuple[Ints, Patterns], ...] | None = None

    @classmethod
    def of(cls, rows: RowPass) -> Incomplete:
        """The rows of a stack of moments.

        Example:
            >>> from csi.moments.stack import RowPass
            >>> rows = RowPass((np.array([[1.0, np.nan], [0.0, 1.0]]),), (np.ones((3, 2)),), (np.arange(2),))
            >>> Incomplete.of(rows).total.tolist()
            [2.0, 2.0, 2.0]
        """
        number = np.arange(len(rows.rows) * len(rows.weights[0]))
        replicate, cell = np.divmod(number, len(rows.rows))
        return _formed(cls(tuple(pattern_rows(x) for x in rows.rows), rows.weights, cell, replicate))

    def take(self, at: Ints | slice) -> Incomplete:
        """Some slices; their patterns are formed when they are few."""
        some = replace(self, cell=self.cell[at], replicate=self.replicate[at], ready=None)
        return _formed(some) if self.ready is None else replace(some, ready=_cut(self.ready, at, self.cell.size))

    @property
    def total(self) -> Array:
        """(b,) sum of weights N."""
        sums = [W.sum(axis=1) for W in self.weights]
        return np.array([sums[c][r] for c, r in zip(self.cell.tolist(), self.replicate.tolist(), strict=True)])

    def parts(self) -> tuple[tuple[Ints, Patterns], ...]:
        """(positions, patterns) of each cell that has slices."""
        if self.ready is not None:
            return self.ready
        found = []
        for cell in np.unique(self.cell).tolist():
            at = np.flatnonzero(self.cell == cell)
            found.append((at, self.rows[cell].under(self.weights[cell][self.replicate[at]])))
        return tuple(found)

    def over(self, function: Callable[..., tuple[Array, ...]], *stacks: Array) -> tuple[Array, ...]:
        """A function of patterns and (b, ...) arrays, applied cell by cell; its results in the order of the slices.

        Example:
            >>> from csi.moments.stack import RowPass
            >>> rows = RowPass((np.array([[1.0], [-1.0]]),), (np.ones((1, 2)),), (np.arange(2),))
            >>> value, *_ = Incomplete.of(rows).over(discrepancy, np.zeros((1, 1)), np.ones((1, 1, 1)))
            >>> round(float(value[0] - 2 * np.log(2 * np.pi)), 9)
            2.0
        """
        parts = self.parts()
        results = [function(patterns, *(x[at] for x in stacks)) for at, patterns in parts]
        if len(parts) == 1:
            return results[0]
        order = np.argsort(np.concatenate([at for at, _ in parts]))
        return tuple(np.concatenate(pieces)[order] for pieces in zip(*results, strict=True))


def _formed(target: Incomplete) -> Incomplete:
    """With its patterns, where they are small."""
    size = sum(target.rows[c].bytes_of_one * int(k) for c, k in enumerate(np.bincount(target.cell)))
    return replace(target, ready=target.parts()) if size <= READY_BYTES or target.cell.size == 1 else target


def _cut(ready: tuple[tuple[Ints, Patterns], ...], at: Ints | slice, b: int) -> tuple[tuple[Ints, Patterns], ...]:
    """The patterns of some of b slices, cell by cell."""
    kept = np.arange(b)[at]
    position = np.full(b, -1)
    position[kept] = np.arange(kept.size)
    found = []
    for slices, patterns in ready:
        mine = np.flatnonzero(position[slices] >= 0)
        if mine.size:
            found.append((position[slices[mine]], patterns.take(mine)))
    return tuple(found)


def discrepancy(patterns: Patterns, mu: Array, Sigma: Array) -> tuple[Array, Array, Array]:
    """The value f (b,), its slope by mu (b, p) and G (b, p, p), with df = slope' dmu + tr(G dSigma).

    The value is inf where Sigma is not positive definite.

    Parameters:
        patterns: b weightings. mu: (b, p). Sigma: (b, p, p), as the model implies them.

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> found = patterns_of(np.array([[3.0], [1.0]]))
        >>> [x.tolist() for x in discrepancy(found, np.array([[1.0]]), np.array([[[2.0]]]))[1:]]
        [[[-2.0]], [[[0.0]]]]
    """
    at = expand(patterns, mu, Sigma)
    return at.value, at.mean_slope, at.cov_slope


def loglik(patterns: Patterns, mu: Array, Sigma: Array) -> Array:
    """(b,) log-likelihood, with its constant.

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> found = patterns_of(np.array([[0.0]]))
        >>> round(float(loglik(found, np.zeros((1, 1)), np.ones((1, 1, 1)))[0]), 6)
        -0.918939
    """
    found: Array = -0.5 * expand(patterns, mu, Sigma).value
    return found


def directions(K: Array, u: Ints, v: Ints, s: Array, c: Array) -> Array:
    """(b, M, k) derivatives of [mu, vech Sigma] by the parameters.

    Parameters:
        K: (b, p, r). u, v: (k,) columns of K. s: (k,). c: (k,) or (b, k).

    Example:
        >>> K = np.array([[[1.0], [2.0]]])
        >>> directions(K, np.array([0]), np.array([0]), np.array([0.5]), np.array([0.0]))[0, :, 0].tolist()
        [0.0, 0.0, 1.0, 2.0, 4.0]
    """
    place = places(K.shape[1])
    U, V = K[:, :, u], K[:, :, v]
    cov = s * (U[:, place.row] * V[:, place.column] + V[:, place.row] * U[:, place.column])
    return np.concatenate([U * np.atleast_2d(c)[:, None, :], cov], axis=1)


def saturated_directions(p: int) -> tuple[Ints, Ints, Array, Array]:
    """u, v, s, c that make the moments themselves the parameters, with K = I: means first, then vech(Sigma).

    Example:
        >>> u, v, s, c = saturated_directions(1)
        >>> u.tolist(), v.tolist(), s.tolist(), c.tolist()
        ([0, 0], [0, 0], [0.0, 0.5], [1.0, 0.0])
    """
    place, items = places(p), np.arange(p)
    u, v = np.concatenate([items, place.row]), np.concatenate([items, place.column])
    return u, v, np.concatenate([np.zeros(p), place.share]), np.repeat([1.0, 0.0], [p, place.row.size])


def information(
    patterns: Patterns,
    mu: Array,
    Sigma: Array,
    K: Array,
    u: Ints,
    v: Ints,
    s: Array,
    c: Array,
    observed: bool = True,
) -> Array:
    """(b, k, k) Delta' H Delta, with H the information of the saturated moments at (mu, Sigma).

    H is the observed information, or the expected one given the patterns; half the Hessian of f but for the curvature
    of the moments.

    Parameters:
        K: (b, p, r). u, v, s: (k,). c: (k,) or (b, k).

    Source:
        Savalei (2010), Psychol. Methods 15:352-367.

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> found = patterns_of(np.array([[1.0], [-1.0]]))
        >>> one = np.ones((1, 1, 1))
        >>> information(found, np.zeros((1, 1)), one, one, *saturated_directions(1))[0].tolist()
        [[2.0, 0.0], [0.0, 1.0]]
    """
    return terms(patterns, mu, Sigma, K, u, v, s, np.broadcast_to(c, (len(mu), len(u))), observed=observed)[2]


def terms(
    patterns: Patterns,
    mu: Array,
    Sigma: Array,
    K: Array,
    u: Ints,
    v: Ints,
    s: Array,
    c: Array,
    *,
    observed: bool = False,
) -> tuple[Array, Array, Array, Array, Array]:
    """Everything a step needs in one pass: f (b,), its gradient (b, k), the information (b, k, k), and the slopes of f
    by mu (b, p) and Sigma (b, p, p), which multiply the moments' curvature.

    The Hessian of f is twice the observed information plus that curvature.

    Parameters:
        as `information`.

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> found = patterns_of(np.array([[1.0], [-1.0]]))
        >>> one, two = np.ones((1, 1, 1)), np.full((1, 1, 1), 2.0)
        >>> [x.tolist() for x in terms(found, np.zeros((1, 1)), two, one, *saturated_directions(1))[1:3]]
        [[[0.0, 0.5]], [[[1.0, 0.0], [0.0, 0.25]]]]
    """
    at = expand(patterns, mu, Sigma)
    D = directions(K, u, v, s, c)
    place = places(mu.shape[1])
    mean_slope, cov_slope = at.mean_slope, at.cov_slope
    slope = np.concatenate([mean_slope, 2 * place.share * cov_slope[:, place.row, place.column]], axis=1)
    gradient = (slope[:, None, :] @ D)[:, 0]
    H = D.swapaxes(1, 2) @ saturated_information(at, observed=observed) @ D
    return at.value, gradient, H, mean_slope, cov_slope


def casewise(rows: PatternRows, mu: Array, Sigma: Array, K: Array, u: Ints, v: Ints, s: Array, c: Array) -> Array:
    """(n, k) derivatives of every row's log-likelihood by the parameters, in the rows' own order, without weights.

    With y = K' W_j (x - mu): c y_u + s (y_u y_v - K_u' W_j K_v).

    Parameters:
        rows: n rows by pattern (`pattern_rows`). mu: (p,). Sigma: (p, p). K: (p, r). u, v, s, c: (k,).

    Source:
        Yuan & Bentler (2000), Sociol. Methodol. 30:165-200 (their outer products are the meat of MLR's sandwich).

    Example:
        >>> rows = pattern_rows(np.array([[2.0], [0.0]]))
        >>> casewise(rows, np.zeros(1), np.eye(1), np.eye(1), *saturated_directions(1)).tolist()
        [[2.0, 1.5], [0.0, -0.5]]
    """
    W = pattern_inverses(Sigma[None], rows.observed)[0][0]
    y = _projected(rows, mu, W) @ K
    between = ((W @ K)[:, :, u] * K[:, v]).sum(axis=1)
    scores = np.empty((len(y), len(u)))
    member = rows.member[rows.order]
    scores[rows.order] = c * y[:, u] + s * (y[:, u] * y[:, v] - between[member])
    return scores


def _projected(rows: PatternRows, mu: Array, W: Array) -> Array:
    """(n, p) W_j (x - mu) of the rows sorted by pattern."""
    z = rows.answers + np.where(rows.observed, rows.centre - mu, 0.0)[rows.member[rows.order]]
    for j, (first, last) in enumerate(zip(rows.starts[:-1].tolist(), rows.starts[1:].tolist(), strict=True)):
        z[first:last] = z[first:last] @ W[j]
    return z
