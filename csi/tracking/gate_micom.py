"""One set of cells by MICOM: is the construct composed alike in all of them? And what its weights do to a difference.

    T = sum_{g<h} (1 - c_gh),   c_gh = w_g' R w_h / sqrt(w_g' R w_g  w_h' R w_h),   p = (k + 1) / (B + 1)

Letters: `g` cells of a set, `m` its pairs, `p` items of a construct, `B` permutations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from csi.errors import Problems, Reason, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.inference.permutation import Permuted, permutation
from csi.measures.micom import composed, composition, weights_of
from csi.moments.sample import select
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_bias import Shifts
from csi.tracking.gate_sets import Cells
from csi.tracking.index import Index, index
from csi.tracking.index_influence import Part

UNSETTLED = reason("R-GATE-COMPOSITE", "the composite model has no solution here.", "合成模型在此无解。")
FEW = reason(
    "R-GATE-FEW",
    "so few different exchanges of rows are usable that no composition could be rejected.",
    "可用的置换方式过少，任何构成差异都不可能被拒绝。",
)


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """A set's cells and their exchanges.

    Attributes:
        est: the composite model in the set's cells. run: all cells exchanged together. at: number of the construct in
            it. p_value: of the set. least: the smallest c of its pairs. turned: (item, cell) that load against the sign
            of the pooled data. floor: the least p that could be found.
    """

    est: Estimate
    run: Permuted
    at: int
    p_value: float
    least: float
    turned: tuple[tuple[str, str], ...]
    floor: float


@dataclass(frozen=True, slots=True, eq=False)
class Composer:
    """What sets are composed by: the engine's model and settings, the rows, the permutations; every set is run once.

    Attributes:
        source: a fit with the model and the settings. sample: the rows by the index's cells. n, seed: permutations.
    """

    source: Estimate
    sample: Sample
    n: int
    seed: int
    known: dict[tuple[int, ...], tuple[Estimate, Permuted] | Reason] = field(default_factory=dict)

    def compose(self, one: Cells) -> tuple[Cells, Composed] | Reason:
        """The set, less cells without a solution, with its exchanges; or why they could not be tested."""
        one = self._solved(one)
        if len(one.labels) < 2:
            return UNSETTLED
        found = self._run(tuple(one.cells.tolist()))
        return found if isinstance(found, Reason) else _composed(one, *found)

    def pair(self, one: Cells, i: int, j: int) -> Array:
        """(q,) p of two cells of a set exchanged as if there were no others; NaN where they could not be."""
        found = self._run((int(one.cells[i]), int(one.cells[j])))
        return np.full(1, np.nan) if isinstance(found, Reason) else _together(found[1])

    def _solved(self, one: Cells) -> Cells:
        """The set without the cells in which the model has no solution."""
        good = self._fit(one.cells).convergence.converged
        if good.all():
            return one
        lost = {label: UNSETTLED for label, ok in zip(one.labels, good, strict=True) if not ok}
        labels = tuple(label for label in one.labels if label not in lost)
        return replace(one, cells=one.cells[good], labels=labels, left_out={**one.left_out, **lost})

    def _fit(self, cells: Ints | tuple[int, ...]) -> Estimate:
        keep = np.zeros(self.sample.cells.height, dtype=bool)
        keep[list(cells)] = True
        return fit_sample(self.source.model, select(self.sample, keep.tolist()), self.source.settings)

    def _run(self, cells: tuple[int, ...]) -> tuple[Estimate, Permuted] | Reason:
        if cells not in self.known:
            try:
                est = self._fit(cells)
                self.known[cells] = est, permutation(est, composition, self.n, self.seed)
            except Problems as found:
                what = found.problems[0]
                self.known[cells] = reason("R-GATE-FIT", what.what.en, what.what.zh)
        return self.known[cells]


def _together(run: Permuted) -> Array:
    """(q,) p of all pairs together."""
    return run.p_value("c", lambda c: (1 - c).sum(axis=-2))


def _composed(one: Cells, est: Estimate, run: Permuted) -> tuple[Cells, Composed]:
    solution = run.pooled.solution
    names = [solution.constructs[j] for j in composed(solution)]
    at = names.index(one.construct)
    floor = max(1.0 / (int(run.usable.sum()) + 1.0), 1.0 / run.arrangements)
    least = float(run.observed["c"][:, at].min())
    return one, Composed(est, run, at, float(_together(run)[at]), least, _turned(est, run.pooled, one), floor)


def _turned(est: Estimate, pooled: Estimate, one: Cells) -> tuple[tuple[str, str], ...]:
    """Items of the construct whose loading has another sign in a cell than in the pooled data (step 1)."""
    items = est.solution.items
    at = [items.index(i) for i in one.items]
    product = est.solution.loadings[:, at] * pooled.solution.loadings[:, at]
    against = product * np.where(product.sum(axis=1) < 0, -1.0, 1.0)[:, None] < 0
    return tuple((one.items[k], one.labels[g]) for g, k in zip(*np.nonzero(against), strict=True))


def pair_p_values(composer: Composer, one: Cells, found: Composed, *, alone: bool) -> Array:
    """(m,) p of every pair, not adjusted where `alone`: each is then exchanged as if there were no other cells.

    Else adjusted: the largest 1 - c over all pairs under exchanges of all cells (max-T), which asks for no more
    permutations than one pair.

    Source:
        Westfall & Young (1993), Resampling-Based Multiple Testing, ch. 2 (max-T).
    """
    i, j = np.triu_indices(len(one.labels), 1)
    if alone:
        pairs = [composer.pair(one, int(a), int(b)) for a, b in zip(i, j, strict=True)]
        return np.array([p[found.at] if p.size > found.at else np.nan for p in pairs])
    seen = 1.0 - found.run.observed["c"][:, found.at]
    drawn = (1.0 - found.run.draws["c"][found.run.usable][:, :, found.at]).max(axis=1)
    found_p: Array = ((drawn[:, None] >= seen - 1e-12).sum(axis=0) + 1.0) / (drawn.size + 1.0)
    return found_p


def apart(one: Cells, found: Composed) -> tuple[tuple[str, ...], ...]:
    """(m,) of every pair the item whose standardised weight, relative to the construct's others, differs most."""
    solution = found.est.solution
    q = solution.constructs.index(one.construct)
    weights = weights_of(solution)[:, [solution.items.index(i) for i in one.items], q]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = weights / weights.sum(axis=1, keepdims=True)
    i, j = np.triu_indices(len(one.labels), 1)
    gap = np.nan_to_num(np.abs(relative[i] - relative[j]))
    return tuple((one.items[int(k)],) for k in gap.argmax(axis=1))


def weight_shifts(one: Cells, found: Composed) -> Shifts:
    """By how many points the set's pooled weights move the index of every cell against its own weights.

    The covariance is linearised: means and weights, own and pooled, come from the same rows. NaN where a cell has no
    index by its own weights, or the engine no influence function.
    """
    try:
        own, pooled = (index(found.est, weights=rule) for rule in ("own", "pooled"))
        q = construct_place(own, one.construct)
    except Problems:
        g = len(one.labels)
        return Shifts(np.full(g, np.nan), np.full((g, g), np.nan))
    return Shifts(pooled.values[:, q] - own.values[:, q], _shift_covariance(own, pooled, q))


def _shift_covariance(own: Index, pooled: Index, q: int) -> Array:
    """(g, g) covariance of the differences of two indices of the same cells and rows."""
    g = len(own.values)
    nothing = np.full((g, g), np.nan)
    if own.influence is None or pooled.influence is None:
        return nothing
    if own.influence.full is None or pooled.influence.full is None:
        return nothing
    first, second = pooled.influence.full[q].value, own.influence.full[q].value
    columns = sparse.csc_matrix(_columns(first) - _columns(second))
    dense = np.asarray(own.influence.strata.product(columns, columns).todense(), dtype=np.float64)
    unknown = ~(first.known & second.known)
    dense[unknown | unknown[:, None]] = np.nan
    return dense


def _columns(part: Part) -> sparse.csc_matrix:
    """(u, g) influence on every cell."""
    if part.weight is None or part.load is None:
        return part.own
    return part.own + part.weight @ part.load.T
