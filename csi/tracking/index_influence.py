"""The index's linearised uncertainty: what every unit adds to every cell's index, through means and through weights.

    z_uc = sum_k a_k IF_u(xbar*_kc) + sum_k (xbar*_kc - I_c) IF_u(a_k)

The first part is that of the cell's own rows. The second comes from the rows that estimated the weights: the cell
itself under "own" (then both are one number per unit), a base wave, a brand or everybody elsewhere; it is kept as
`load` (xbar*_kc - I_c, few columns) times `weight` (IF_u(a_k)), so that no matrix of cells by cells is ever formed.

Letters: `u` units, `c` cells, `r` weights of all groups, `k` cells asked for, `m` contrasts.

Source: practice of Taylor linearisation, Wolter (2007), chapter 6; Binder (1983), Int. Statistical Review 51, 279-292.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import sparse

from csi.estimate.estimate import Estimate
from csi.estimate.later import Later
from csi.measures.performance import hundred
from csi.moments.stack import Array, Ints, Moments, Sample
from csi.tracking.index_fit import Weights, item_bounds, item_places
from csi.tracking.index_variance import Sparse, kish_n
from csi.tracking.weight_influence import has_influence, row_influence

BLOCK = 8192
"""Contrasts whose variance is worked out together. Results do not depend on it."""

FEWER, OFTEN = 1024, 3
"""Contrasts together where products of cells are at hand; how often cells must come back for these to be made."""


@dataclass(frozen=True, slots=True)
class Strata:
    """How units add up: variance = sum_u factor_u z_u^2 - sum_h share_h (sum_{u in h} z_u)^2.

    Attributes:
        layer: (u,) stratum of each unit, from 0. factor: (h,) n_h / (n_h - 1), 1 for a unit alone. share: (h,)
            factor / n_h, 0 for a unit alone.

    Source:
        Wolter (2007), 6.2; Lohr (2010), Sampling: Design and Analysis, 9.1.
    """

    layer: Ints
    factor: Array
    share: Array

    @classmethod
    def of(cls, stratum: Ints, fraction: Array | None = None) -> Strata:
        """From the stratum of every unit; `fraction` (h,) of each population was drawn, by default none.

        Example:
            >>> Strata.of(np.array([0, 0, 1])).factor.tolist()
            [2.0, 1.0]
        """
        codes, layer = np.unique(stratum, return_inverse=True)
        size = np.bincount(layer).astype(np.float64)
        factor = np.where(size > 1, size / np.maximum(size - 1.0, 1.0), 1.0)
        factor = factor if fraction is None else factor * (1 - fraction[codes])
        return cls(layer.astype(np.int64), factor, np.where(size > 1, factor / size, 0.0))

    def product(self, left: Sparse, right: Sparse) -> Sparse:
        """(k, l) sparse covariances of the statistics in the columns of two (u, k), (u, l) sparse matrices."""
        one, other, layer = self._touched(left, right)
        codes, sums = _by_layer(layer)
        a, b = sums @ one, sums @ other
        return one.T @ _scaled(other, self.factor[layer]) - a.T @ _scaled(b, self.share[codes])

    def squares(self, columns: Sparse) -> Array:
        """(k,) variances of the statistics in the columns."""
        one, _, layer = self._touched(columns, columns[:, :0])
        codes, sums = _by_layer(layer)
        total = sums @ one
        whole = np.asarray(one.multiply(one).T @ self.factor[layer]).ravel()
        return np.asarray(whole - np.asarray(total.multiply(total).T @ self.share[codes]).ravel())

    def of_rows(self, values: Array, unit: Ints) -> Array:
        """(m,) variances of statistics from the influence of some rows (n, m), summed over their units."""
        units, place = np.unique(unit, return_inverse=True)
        one = units.size == unit.size
        z, layer = (values, self.layer[unit]) if one else (_sums(place, values, units.size), self.layer[units])
        codes, at = np.unique(layer, return_inverse=True)
        total = _sums(at, z, codes.size)
        return np.asarray(np.maximum(self.factor[layer] @ z**2 - self.share[codes] @ total**2, 0.0))

    def _touched(self, left: Sparse, right: Sparse) -> tuple[Sparse, Sparse, Ints]:
        """Two matrices by the units that occur in either, and the strata of those."""
        left, right = sparse.csc_matrix(left), sparse.csc_matrix(right)
        if 2 * (left.nnz + right.nnz) > self.layer.size:  # most units: not worth renumbering
            return left, right, self.layer
        units = np.unique(np.concatenate([left.indices, right.indices]))
        return _at(left, units), _at(right, units), self.layer[units]


def _at(matrix: Sparse, units: Ints) -> Sparse:
    """The rows of a matrix that occur, renumbered."""
    shape = (units.size, matrix.shape[1])
    return sparse.csc_matrix((matrix.data, np.searchsorted(units, matrix.indices), matrix.indptr), shape=shape)


def _by_layer(layer: Ints) -> tuple[Ints, Sparse]:
    """The strata that occur, and the matrix that sums their units."""
    codes, at = np.unique(layer, return_inverse=True)
    shape = (codes.size, layer.size)
    return codes, sparse.csr_matrix((np.ones(layer.size), (at, np.arange(layer.size))), shape=shape)


def _sums(group: Ints, values: Array, groups: int) -> Array:
    """(groups, m) sums of the columns of `values` (n, m) within groups."""
    return np.stack([np.bincount(group, column, groups) for column in values.T], axis=1)


def _scaled(matrix: Sparse, factor: Array) -> Sparse:
    return sparse.diags(factor) @ matrix


@dataclass(frozen=True, slots=True)
class Products:
    """What the variance of any weighted sum of columns takes: `y W y' - sum_h share_h (y t_h)^2`.

    Attributes:
        whole: (k, k) sparse, `W = sum_u factor_u x_u' x_u`. sums: (k, h) sparse, sums of the columns within strata.
        share: (h,).
    """

    whole: Sparse
    sums: Sparse
    share: Array

    @classmethod
    def of(cls, strata: Strata, columns: Sparse) -> Products:
        """Of the columns of a (u, k) sparse matrix."""
        codes, sums = _by_layer(strata.layer)
        whole = sparse.csr_matrix(columns.T @ _scaled(columns, strata.factor[strata.layer]))
        return cls(whole, sparse.csr_matrix((sums @ columns).T), strata.share[codes])

    def variances(self, shares: Sparse) -> Array:
        """(m,) variances of the sums `shares` (m, k).

        Example:
            >>> made = Products.of(Strata.of(np.zeros(3, dtype=int)), sparse.csc_matrix([[1.0], [2.0], [3.0]]))
            >>> made.variances(sparse.csr_matrix([[2.0]])).round(9).tolist()
            [12.0]
        """
        shares = sparse.csr_matrix(shares)
        total = shares @ self.sums
        found = _rowwise(shares @ self.whole, shares) - np.asarray(total.multiply(total) @ self.share).ravel()
        return np.asarray(np.maximum(found, 0.0))


@dataclass(frozen=True, slots=True)
class Part:
    """Influence on one construct's indices: `z = own + weight load'`.

    Attributes:
        own: (u, c) sparse. weight: (u, r) sparse and load: (c, r) sparse, or None. known: (c,) True where there is a
            variance: at least two units and weights.
    """

    own: Sparse
    known: npt.NDArray[np.bool_]
    weight: Sparse | None = None
    load: Sparse | None = None

    def covariance(self, strata: Strata, cells: Ints) -> Array:
        """(k, k) covariance of some cells; NaN where unknown."""
        columns, mix = self.own[:, cells], None
        if self.weight is not None and self.load is not None:
            load = self.load[cells]
            used = np.unique(load.indices)
            columns = sparse.hstack([columns, self.weight[:, used]], format="csc")
            mix = sparse.hstack([sparse.identity(cells.size), load[:, used]], format="csr")
        found = strata.product(columns, columns)
        dense = np.asarray((found if mix is None else mix @ found @ mix.T).todense(), dtype=np.float64)
        unknown = ~self.known[cells]
        dense[unknown | unknown[:, None]] = np.nan
        return dense

    def variances(self, strata: Strata, shares: Sparse) -> Array:
        """(m,) variances of contrasts `shares` (m, c) sparse; NaN where one of their cells is unknown."""
        shares = sparse.csr_matrix(shares)
        found = np.zeros(shares.shape[0])
        by_cells = self._by_cells(strata, shares)
        for start in range(0, shares.shape[0], BLOCK if by_cells is None else FEWER):
            some = shares[start : start + (BLOCK if by_cells is None else FEWER)]
            load = None if self.load is None else sparse.csr_matrix(some @ self.load)
            if by_cells is not None:
                found[start : start + FEWER] = by_cells.variances(some if load is None else sparse.hstack([some, load]))
                continue
            found[start : start + BLOCK] = self._variances(strata, sparse.csc_matrix(self.own @ some.T), load)
        found[np.asarray(abs(shares) @ (~self.known).astype(np.float64)).ravel() > 0] = np.nan
        return found

    def _by_cells(self, strata: Strata, shares: Sparse) -> Products | None:
        """Products of the columns, where these are less work than the units behind every contrast."""
        behind = np.diff(self.own.indptr)[shares.indices].sum()
        if behind < OFTEN * self.own.nnz:
            return None
        columns = self.own if self.weight is None else sparse.hstack([self.own, self.weight], format="csc")
        of_unit = np.bincount(columns.indices, minlength=columns.shape[0]).astype(np.float64)
        return Products.of(strata, columns) if OFTEN * (of_unit @ of_unit) < behind else None

    def of_cells(self, strata: Strata) -> Array:
        """(c,) variances of all cells; NaN where unknown."""
        return np.where(self.known, self._variances(strata, self.own, self.load), np.nan)

    def _variances(self, strata: Strata, own: Sparse, load: Sparse | None) -> Array:
        """(m,) variances of `own + weight load'`, columns of (u, m) and rows of (m, r)."""
        found = strata.squares(own)
        if self.weight is not None and load is not None:
            used = np.unique(load.indices)
            mixed, weight = load[:, used], self.weight[:, used]
            among = mixed @ strata.product(weight, weight)
            found += 2.0 * _rowwise(strata.product(own, weight), mixed) + _rowwise(among, mixed)
        return np.asarray(np.maximum(found, 0.0))


def _rowwise(left: Sparse, right: Sparse) -> Array:
    return np.asarray(sparse.csr_matrix(left).multiply(right).sum(axis=1), dtype=np.float64).ravel()


@dataclass(frozen=True, slots=True)
class Influence:
    """What units add to indices, construct by construct; worked out when it is first asked for.

    Attributes:
        strata: how units add up. full, fixed: one `Part` per construct, with the weights' uncertainty and with the
            weights held fixed; `full` is None where weights have no influence function. weights: (g, p) standard errors
            of the relative weights, None without.
    """

    strata: Strata
    fixed: tuple[Later[Part], ...]
    full: tuple[Later[Part], ...] | None = None
    weights: Later[Array] | None = None

    @property
    def parts(self) -> tuple[Later[Part], ...]:
        """The fullest there is."""
        return self.fixed if self.full is None else self.full

    def stretched(self, construct: int, factor: Array) -> Influence:
        """The same with one construct's indices in other points: each cell's influence times its factor (c,)."""
        fixed = _replaced(self.fixed, construct, factor)
        return replace(self, fixed=fixed, full=None if self.full is None else _replaced(self.full, construct, factor))

    def errors(self, parts: tuple[Later[Part], ...]) -> Array:
        """(c, q) standard errors of every index by its `full` or `fixed` parts."""
        return np.sqrt(np.stack([part.value.of_cells(self.strata) for part in parts], axis=1))

    def covariance(self, construct: int, cells: Ints) -> Array:
        """(k, k) covariance of some cells' indices of one construct."""
        return self.parts[construct].value.covariance(self.strata, cells)

    def variances(self, construct: int, shares: Sparse) -> Array:
        """(m,) variances of contrasts between cells, `shares` (m, c) sparse."""
        return self.parts[construct].value.variances(self.strata, shares)

    def among(self, cell: int, constructs: Ints) -> Array:
        """(k, k) covariance of some constructs' indices in one cell."""
        z = [_column(self.parts[j].value, cell) for j in constructs.tolist()]
        columns = sparse.hstack(z, format="csc")
        dense = np.asarray(self.strata.product(columns, columns).todense(), dtype=np.float64)
        unknown = np.array([not self.parts[j].value.known[cell] for j in constructs.tolist()])
        dense[unknown | unknown[:, None]] = np.nan
        return dense


def _replaced(parts: tuple[Later[Part], ...], construct: int, factor: Array) -> tuple[Later[Part], ...]:
    """The parts with one of them stretched when it is asked for."""
    later = Later(partial(_stretched, parts[construct], factor))
    return (*parts[:construct], later, *parts[construct + 1 :])


def _stretched(part: Later[Part], factor: Array) -> Part:
    found = part.value
    load = None if found.load is None else sparse.csr_matrix(sparse.diags(factor) @ found.load)
    return replace(found, own=sparse.csc_matrix(found.own @ sparse.diags(factor)), load=load)


def _column(part: Part, cell: int) -> Sparse:
    """(u, 1) influence on one cell."""
    own = part.own[:, [cell]]
    if part.weight is None or part.load is None:
        return own
    return own + part.weight @ part.load[[cell]].T


def own_influence(sample: Sample, columns: Ints, gradient: Array) -> Array:
    """(n,) what each row adds to the index of its cell with the weights held fixed.

    `z_i = sum_k g_ck d_i m_ik (x_ik - xbar_ck) / sum_i d_i m_ik`, m = 1 where answered.

    Parameters:
        columns: (p,) items of the construct. gradient: (c, p) change of the index per unit of an item's mean.

    Source:
        Wolter (2007), Introduction to Variance Estimation, chapter 6 (Taylor series, ratio mean).
    """
    found = np.zeros(len(sample.rows))
    cells = sample.cells.height
    for k, column in enumerate(columns.tolist()):
        x = sample.rows[:, column]
        answered = np.isfinite(x)
        weight = sample.weight if answered.all() else sample.weight * answered
        x = x if answered.all() else np.nan_to_num(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.bincount(sample.cell, weight, cells)
            mean = np.bincount(sample.cell, weight * x, cells) / total
            slope = np.nan_to_num(gradient[:, k] / total)  # cells without answers or weights have no variance
            mean = np.nan_to_num(mean)
        found += weight * slope[sample.cell] * (x - mean[sample.cell])
    return found


def by_unit(sample: Sample, rows: Array) -> Sparse:
    """(u, c) sparse sums of a row quantity over units within cells; of raked weights, what the margins leave of it."""
    rows = beside_margins(sample, rows)
    shape = (sample.stratum.size, sample.cells.height)
    made = sparse.csc_matrix((np.nan_to_num(rows), (sample.unit, sample.cell)), shape=shape)
    made.sum_duplicates()
    return made


def beside_margins(sample: Sample, rows: Array) -> Array:
    """A row quantity w_i z_i less what raked margins hold fixed; as it is where a margin spans several cells.

    There (margins of a wave, cells of its brands) what margins save is not counted, and variances err on the safe side.

    Parameters:
        rows: (n,).
    """
    if sample.raking is None or sample.place is None:
        return rows
    category = sample.raking.of[0][sample.raking.cell[sample.place]]
    if np.unique(np.stack([category, sample.cell]), axis=1).shape[1] > np.unique(category).size:
        return rows
    z = np.nan_to_num(rows) / sample.weight
    found: Array = sample.raking.residual(z[:, None], sample.weight, sample.place)[:, 0] * sample.weight
    return found


def lonely(sample: Sample) -> npt.NDArray[np.bool_]:
    """(c,) True for cells with fewer than two units: they have no variance."""
    pairs = sample.cell * sample.stratum.size + sample.unit
    pairs = pairs if (np.diff(pairs) > 0).all() else np.unique(pairs)
    return np.asarray(np.bincount(pairs // sample.stratum.size, minlength=sample.cells.height) < 2)


def fixed_part(sample: Sample, columns: Ints, gradient: Array, alone: npt.NDArray[np.bool_]) -> Part:
    """Influence on one construct with the weights held fixed.

    Parameters:
        columns: (p,) items of the construct in the rows. gradient: (c, p) change of the index per unit of their means,
            `100 a_ck / (u_k - l_k)`. alone: (c,) cells of a single unit.
    """
    known = ~alone & np.isfinite(gradient).all(axis=1) & (columns.size > 0)
    return Part(by_unit(sample, own_influence(sample, columns, gradient)), known)


def fixed_influence(sample: Sample, places: Ints, gradient: Array, blocks: Sequence[Ints]) -> Influence:
    """The influence on weighted sums of item means whose weights are known.

    Parameters:
        places: (p,) columns of the entries in the rows. gradient: (c, p) change of its sum per unit of an entry's mean.
        blocks: the entries of each of the q sums.
    """
    alone = lonely(sample)
    parts = (partial(fixed_part, sample, places[mine], gradient[:, mine], alone) for mine in blocks)
    return Influence(Strata.of(sample.stratum, sample.fraction), tuple(Later(part) for part in parts))


def influence_of(cells: Estimate, weights: Weights, values: Array) -> Influence:
    """The influence on every construct's indices.

    Parameters:
        cells: the fit of the index's cells. weights: its relative weights and the fit behind them. values: (c, q).
    """
    low, high = item_bounds(cells)
    sol, places, sample = cells.solution, item_places(cells), cells.sample
    relative = weights.values[weights.groups.of_index]
    gradient = 100.0 * relative / (high - low)
    if sample is None:
        return _of_moments(cells.moments, places, gradient, sol.block, len(sol.constructs))
    blocks = [np.flatnonzero(sol.block == j) for j in range(len(sol.constructs))]
    held, source = fixed_influence(sample, places, gradient, blocks), weights.source
    if source is None or not has_influence(source):
        return held
    strata, fixed = held.strata, held.fixed
    away = np.nan_to_num(hundred(cells.moments.mean[:, places], low, high) - values[:, sol.block])
    if source is cells:
        found = Later(partial(_own_weights, cells, strata, away, blocks))
        full = tuple(Later(partial(_added, cells, found, j, one)) for j, one in enumerate(fixed))
        return Influence(strata, fixed, full, Later(partial(_errors_of, found)))
    of = weights.groups.of_index
    full = tuple(Later(partial(_beside, source, of, away, mine, one)) for mine, one in zip(blocks, fixed, strict=True))
    return Influence(strata, fixed, full, Later(partial(_shared_errors, strata, full, weights.values.shape, blocks)))


def _own_weights(cells: Estimate, strata: Strata, away: Array, blocks: list[Ints]) -> tuple[Array, Array]:
    """What rows add to indices through the weights of their own cell (n, q); standard errors of the weights (c, p)."""
    sample, p = _rows_of(cells), away.shape[1]
    rows_, errors = np.empty((len(sample.rows), len(blocks))), np.empty((len(away), p))
    for c, (rows, found) in enumerate(row_influence(cells, np.arange(p))):
        for j, mine in enumerate(blocks):
            rows_[rows, j] = found[:, mine] @ away[c, mine]
        errors[c] = np.sqrt(strata.of_rows(found, sample.unit[rows]))
    return rows_, errors


def _errors_of(found: Later[tuple[Array, Array]]) -> Array:
    return found.value[1]


def _added(cells: Estimate, found: Later[tuple[Array, Array]], j: int, fixed: Later[Part]) -> Part:
    """Means and weights together: both come from the cell's own rows."""
    part = fixed.value
    return replace(part, own=part.own + by_unit(_rows_of(cells), found.value[0][:, j]))


def _beside(source: Estimate, of: Ints, away: Array, mine: Ints, fixed: Later[Part]) -> Part:
    """The part of the means, with the weights' part beside it: their influence, and how far each mean lies off."""
    sample, part, k = _rows_of(source), fixed.value, mine.size
    if k < 2:  # a single item has weight 1
        return part
    found = np.empty((len(sample.rows), k))
    for rows, values in row_influence(source, mine):
        found[rows] = np.nan_to_num(values)
    width = len(source.values) * k
    at, into = np.repeat(sample.unit, k), (sample.cell[:, None] * k + np.arange(k)).ravel()
    weight = sparse.csc_matrix((found.ravel(), (at, into)), shape=(sample.stratum.size, width))
    cell, column = np.repeat(np.arange(of.size), k), (of[:, None] * k + np.arange(k)).ravel()
    load = sparse.csr_matrix((away[:, mine].ravel(), (cell, column)), shape=(of.size, width))
    return replace(part, weight=weight, load=load)


def _shared_errors(strata: Strata, full: tuple[Later[Part], ...], shape: tuple[int, ...], blocks: list[Ints]) -> Array:
    """(g, p) standard errors of the weights of groups; 0 for a single item."""
    found = np.zeros(shape)
    for mine, part in zip(blocks, full, strict=True):
        if part.value.weight is not None:
            found[:, mine] = np.sqrt(strata.squares(part.value.weight)).reshape(-1, mine.size)
    return found


def _of_moments(moments: Moments, places: Ints, gradient: Array, block: Ints, constructs: int) -> Influence:
    """From moments alone: independent cells, simple random sampling with unequal weights (Kish), weights fixed.

    `V_c = g' S g / n_effective`, held as one unit per cell.
    """
    n, parts = kish_n(moments), []
    for j in range(constructs):
        mine = np.flatnonzero(block == j)
        g, at = gradient[:, mine], places[mine]
        error = np.sqrt(np.einsum("ck,ckl,cl->c", g, moments.cov[:, at[:, None], at], g) / n)
        known = np.isfinite(error) & (mine.size > 0)
        parts.append(Part(sparse.diags(np.nan_to_num(error), format="csc"), known))
    return Influence(Strata.of(np.arange(n.size)), tuple(Later(partial(_itself, part)) for part in parts))


def _itself(part: Part) -> Part:
    return part


def _rows_of(source: Estimate) -> Sample:
    if source.sample is None:
        raise ValueError("influence needs rows")
    return source.sample
