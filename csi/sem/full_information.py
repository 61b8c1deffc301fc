"""Full information maximum likelihood as a stack of functions of the working parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from csi.errors import Note, note
from csi.moments.patterns import Patterns, coverage_notes
from csi.moments.saturated import Saturated, saturated
from csi.moments.stack import Array, Ints, Moments, RowPass
from csi.sem.constraints import Linear
from csi.sem.fiml import Incomplete, casewise, information, saturated_directions, terms
from csi.sem.implied import Implied, Values, implied, matrices, template
from csi.sem.layout import Block, Entries, Layout, Pairs, pairs_of
from csi.sem.normal import curvature
from csi.sem.prepare import Prepared
from csi.sem.robust import cross_product
from csi.sem.vectors import needs_rows

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FullInformation:
    """Everything a pattern-wise fit needs; attributes as in `csi.sem.problem.Problem`.

    Attributes:
        sources: rows of each group by pattern. base: (b,) f of the saturated moments, all groups.
        expected: whether the Hessian that is not exact leaves out what the observed answers say.
    """

    layout: Layout
    sources: tuple[Incomplete, ...]
    base: Array
    flats: tuple[Array, ...]
    share: Array
    total: Array
    linear: Linear
    spread: tuple[Array, ...]
    pairs: tuple[Pairs, ...]

    def take(self, at: Ints | slice) -> FullInformation:
        """Some slices."""
        return replace(
            self,
            sources=tuple(source.take(at) for source in self.sources),
            base=self.base[at],
            flats=tuple(f[at] for f in self.flats),
            share=self.share[at],
            total=self.total[at],
        )

    def theta(self, phi: Values) -> Values:
        """(b, k) parameters."""
        return self.linear.theta(phi)

    def implied(self, theta: Values) -> tuple[Implied, ...]:
        """Implied moments of every group."""
        pairs = zip(self.layout.blocks, self.flats, strict=True)
        return tuple(implied(block, matrices(block, flat, theta)) for block, flat in pairs)

    @property
    def informing(self) -> Array:
        """(b, g) weights of the groups' information, n_g / N."""
        return self.share

    @property
    def counts(self) -> Array:
        """(b, g) multipliers of each group's F, whose sum is chi2."""
        return np.asarray(self.share * self.total[:, None])

    def chi2(self, phi: Array) -> Array:
        """(b,) twice the log-likelihood ratio to the saturated moments."""
        return np.asarray(self.total * self.evaluate(phi)[0])

    def evaluate(self, phi: Array, *, exact: bool = False, observed: bool = False) -> tuple[Array, Array, Array]:
        """F (b,), its gradient (b, r) and Hessian (b, r, r).

        Parameters:
            exact: the Hessian itself; else the information given the patterns (expected, or `observed` without the
                curvature of the moments).
        """
        at = self.implied(self.theta(phi))
        b, r = phi.shape
        value, slope, H = -self.base, np.zeros((b, r)), np.zeros((b, r, r))
        for g, block in enumerate(self.layout.blocks):
            e, one = block.entries, at[g]
            c = one.reach[:, e.c]

            look = partial(_terms, e, exact or observed)
            f, gradient, curve, mean_slope, cov_slope = self.sources[g].over(look, one.mu, one.Sigma, one.K, c)
            curve = 2 * curve
            if exact:
                Kt = one.K.swapaxes(1, 2)
                X = (Kt @ cov_slope @ one.K).reshape(b, -1)
                h = -0.5 * (Kt @ mean_slope[:, :, None])[:, :, 0]
                curve = curve + curvature(block, self.pairs[g], one, X, h)
            J = self.spread[g]
            value = value + f
            slope += gradient @ J
            H += J.T @ curve @ J
        n = self.total
        value = np.where(np.isfinite(value), value / n, np.inf)
        return value, slope / n[:, None], H / n[:, None, None]


def _terms(
    e: Entries, observed: bool, patterns: Patterns, mu: Array, Sigma: Array, K: Array, c: Array
) -> tuple[Array, ...]:
    """What `Incomplete.over` asks of each cell."""
    return terms(patterns, mu, Sigma, K, e.u, e.v, e.s, c, observed=observed)


def full_information(prepared: Prepared) -> tuple[FullInformation, tuple[Moments, ...], Array, tuple[Note, ...]]:
    """The problem, the saturated moments of each group, their log-likelihood (b,), and what is doubtful.

    Raises:
        Problems: there are no rows.
    """
    sources, found, notes = sources_of(prepared)
    groups = tuple(with_moments(m, s) for m, s in zip(prepared.groups, found, strict=True))
    loglik = np.sum([s.loglik for s in found], axis=0)
    counts = np.stack([source.total for source in sources], axis=1)
    total = counts.sum(axis=1)
    layout, linear = prepared.layout, prepared.linear
    problem = FullInformation(
        layout=layout,
        sources=sources,
        base=-2 * loglik,
        flats=tuple(template(b, s.cov, s.mean) for b, s in zip(layout.blocks, found, strict=True)),
        share=counts / total[:, None],
        total=total,
        linear=linear,
        spread=tuple(linear.N[block.entries.parameter] for block in layout.blocks),
        pairs=tuple(pairs_of(block) for block in layout.blocks),
    )
    return problem, groups, loglik, notes


def with_given(prepared: Prepared) -> tuple[Prepared, tuple[Note, ...]]:
    """The same without rows that lack an exogenous observed variable: what is taken as given must be there."""
    table = prepared.layout.table
    at = [table.observed.index(name) for name in table.exogenous]
    if not at:
        return prepared, ()
    groups, left = [], 0
    for group in prepared.groups:
        if group.rows is None:
            groups.append(group)
            continue
        keep: list[Flags] = [np.asarray(~np.isnan(rows[:, at]).any(axis=1)) for rows in group.rows.rows]
        left += sum(int((~k).sum()) for k in keep)
        rows = kept_rows(group.rows, keep)
        n = np.array([float(len(rows.of(s)[0])) for s in range(len(group.n))])
        groups.append(replace(group, rows=rows, n=n))
    if not left:
        return prepared, ()
    listed = ", ".join(table.exogenous)
    en = f"{left} rows lack an exogenous predictor ({listed}) and are left out; fixed_x=False would model it instead."
    zh = f"{left} 行缺少外生预测变量（{listed}），已删除；若要一并建模，请用 fixed_x=False。"
    return replace(prepared, groups=tuple(groups)), (note("N-X-ABSENT", en, zh),)


def kept_rows(rows: RowPass, keep: Sequence[Flags]) -> RowPass:
    """Some rows of each cell."""
    return RowPass(
        tuple(x[k] for x, k in zip(rows.rows, keep, strict=True)),
        tuple(w[:, k] for w, k in zip(rows.weights, keep, strict=True)),
        tuple(u[k] for u, k in zip(rows.units, keep, strict=True)),
    )


def sources_of(prepared: Prepared) -> tuple[tuple[Incomplete, ...], list[Saturated], tuple[Note, ...]]:
    """Rows by pattern and saturated moments of every group."""
    sources: list[Incomplete] = []
    if any(group.rows is None for group in prepared.groups):
        raise needs_rows("maximum likelihood with missing answers", "缺失数据下的极大似然估计")
    sizes = np.sum([g.n for g in prepared.groups], axis=0)
    factor = sizes / np.sum([_weights(g) for g in prepared.groups], axis=0)
    notes: list[Note] = []
    for group in prepared.groups:
        if group.rows is not None:
            sources.append(Incomplete.of(_summing(group.rows, factor)))
        for _, patterns in sources[-1].parts():
            notes += coverage_notes(patterns.take(slice(0, 1)), group.names)
    return tuple(sources), [saturated_of(source) for source in sources], tuple(dict.fromkeys(notes))


def _weights(group: Moments) -> Array:
    """(b,) sums of the weights behind a group's slices."""
    return np.array([0.0 if group.rows is None else group.rows.of(s)[1].sum() for s in range(len(group.n))])


def _summing(rows: RowPass, factor: Array) -> RowPass:
    """Weights times a factor (b,) of each slice: over all groups they sum to the number of rows."""
    cells = len(rows.rows)
    weights = tuple(W * factor[cell::cells, None] for cell, W in enumerate(rows.weights))
    return RowPass(rows.rows, weights, rows.units)


def saturated_of(source: Incomplete) -> Saturated:
    """Saturated moments of every slice."""

    def found(patterns: Patterns) -> tuple[Array, ...]:
        s = saturated(patterns)
        return s.mean, s.cov, s.loglik, s.iterations.astype(np.float64), s.converged.astype(np.float64)

    mean, cov, loglik, iterations, converged = source.over(found)
    return Saturated(mean, cov, loglik, iterations.astype(np.int64), converged > 0)


def with_moments(moments: Moments, found: Saturated) -> Moments:
    """Moments with the saturated means and covariances (divisor n - 1)."""
    n = moments.n
    return replace(moments, mean=found.mean, cov=found.cov * (n / (n - 1))[:, None, None])


def meat(prepared: Prepared, problem: FullInformation, at: Sequence[Implied], s: int) -> Array:
    """(k, k) mean cross-product of the casewise scores of slice `s`."""
    layout = prepared.layout
    B = np.zeros((layout.count, layout.count))
    for g, block in enumerate(layout.blocks):
        e, one = block.entries, at[g]
        raw, w, units = _casewise(prepared, problem, g, s, one.mu[s], one.Sigma[s], one.K[s], block, one.reach[s, e.c])
        scores = np.zeros((len(raw), layout.count))
        np.add.at(scores.T, e.parameter, raw.T)
        B += cross_product(scores, w, units)
    return np.asarray(B / problem.total[s])


def _casewise(
    prepared: Prepared,
    problem: FullInformation,
    g: int,
    s: int,
    mu: Array,
    Sigma: Array,
    K: Array,
    block: Block,
    c: Array,
) -> tuple[Array, Array, Ints]:
    """Scores by the entries, weights and units of one group's rows."""
    source, e = problem.sources[g], block.entries
    rows = source.rows[int(source.cell[s])]
    weights = source.weights[int(source.cell[s])][int(source.replicate[s])]
    scores = casewise(rows, mu, Sigma, K, e.u, e.v, e.s, c)
    passed = prepared.groups[g].rows
    units = np.arange(len(weights)) if passed is None else passed.of(s)[2]
    return scores, weights, units


def saturated_pieces(
    prepared: Prepared,
    sources: Sequence[Incomplete],
    groups: Sequence[Moments],
    s: int,
    g: int,
    *,
    observed: bool = True,
) -> tuple[Array, Array]:
    """A1 and B1 (M, M) of the unrestricted model of one group: information and cross-product of scores, per row."""
    source = sources[g]
    moments = groups[g]
    n = float(moments.n[s])
    mean, cov = moments.mean[s], moments.cov[s] * ((n - 1) / n)
    u, v, share, c = saturated_directions(len(mean))
    eye = np.eye(len(mean))
    one = source.take(np.array([s]))
    total = float(one.total[0])

    def look(patterns: Patterns) -> tuple[Array, ...]:
        at = (mean[None], cov[None], eye[None])
        return (information(patterns, *at, u, v, share, c, observed=observed),)

    A = one.over(look)[0][0] / total
    rows = source.rows[int(source.cell[s])]
    weights = source.weights[int(source.cell[s])][int(source.replicate[s])]
    passed = prepared.groups[g].rows
    units = np.arange(len(weights)) if passed is None else passed.of(s)[2]
    B = cross_product(casewise(rows, mean, cov, eye, u, v, share, c), weights, units) / total
    return A, B
