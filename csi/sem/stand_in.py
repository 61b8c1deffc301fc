"""Cells whose answers cannot carry a covariance model sit out: another cell stands in while the stack is solved.

A batched solver must not stumble over one singular matrix. The slice gets the moments (and rows) of a usable one, and
afterwards its values are absent, with the reason that its own moments give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from csi.estimate.estimate import Estimate, Solution
from csi.estimate.later import Later
from csi.moments.stack import Array, Ints, Moments, RowPass
from csi.sem.least_squares import LeastSquares
from csi.sem.moment_vector import ordinal_size
from csi.sem.prepare import Prepared
from csi.sem.reasons import Flags, categories_of, looked_at, positive
from csi.sem.repeated import repeated_names
from csi.sem.units import out_of_reach, within
from csi.sem.unusable import SAME


def hopeless(prepared: Prepared, missing: str) -> Ints:
    """(b,) code into `CAUSES` of slices that cannot be fitted: 1 an item without variance, 2 no definite covariance,
    4 fewer rows than WLS has moments, 5 an ordinal item of which some category has no answers (both where other slices
    can be fitted; else the estimator says so), 6 items whose units are out of reach, 8 items never answered together
    ("two-stage"). Answers that given variables separate (7) are seen when they are regressed.

    Incomplete rows ("fiml", "two-stage") have covariances of their own: here only variances, repetitions and the number
    of rows are looked at. Ordinal items have their own checks, and must not repeat each other; variables that they are
    conditional on are looked at.
    """
    b = len(prepared.groups[0].n)
    constant, singular, far, apart = (np.zeros(b, dtype=bool) for _ in range(4))
    for group in looked_at(prepared):
        own = np.diagonal(group.cov, axis1=1, axis2=2)
        if not within(own):
            constant |= ~(np.isfinite(own) & (own > 0)).all(axis=1)
            far |= (out_of_reach(group) > 0).any(axis=1)
        singular |= group.n <= len(group.names)
        if missing == "two-stage":
            apart |= ~np.isfinite(group.cov).all(axis=(1, 2))
        singular |= _repeats(group.cov) if missing in {"fiml", "two-stage"} else ~positive(group.cov)
    singular |= _repeated(prepared)
    few, unused = _few(prepared), _unused(prepared)
    if few.all() or unused.all():
        return np.zeros(b, dtype=np.int64)
    if not (far | constant | singular | apart | few | unused).any():
        return np.zeros(b, dtype=np.int64)
    code = np.select([far, constant, singular, apart, few, unused], [6, 1, 2, 8, 4, 5])
    return code.astype(np.int64)


def with_absent(gone: Ints, problem: object) -> Ints:
    """The same with 7 where moments turned out not to exist."""
    if not isinstance(problem, LeastSquares) or problem.absent is None:
        return gone
    return np.where((gone == 0) & problem.absent, 7, gone)


def _unused(prepared: Prepared) -> Flags:
    """(b,) True where a category of an ordinal item, used by some other slice or group, has no answers."""
    table, b = prepared.layout.table, len(prepared.groups[0].n)
    found = np.zeros(b, dtype=bool)
    for name, _ in table.rules.ordered:
        j = table.observed.index(name)
        values = categories_of(prepared, j)
        for rows, cell, count in _cells(prepared.groups):
            used = rows.weights[cell] @ (rows.rows[cell][:, j, None] == values)
            found[cell::count] |= ~(used > 0).all(axis=1)
    return found


def _repeated(prepared: Prepared) -> Flags:
    """(b,) True where two ordinal items repeat each other in the rows of the cell."""
    found = np.zeros(len(prepared.groups[0].n), dtype=bool)
    for group in prepared.groups if prepared.layout.table.rules.ordered else ():
        cells = 0 if group.rows is None else len(group.rows.rows)
        for cell in range(cells):
            found[cell::cells] |= bool(repeated_names(prepared, group, cell))
    return found


def _cells(groups: Sequence[Moments]) -> Iterator[tuple[RowPass, int, int]]:
    """The rows of every group, the number of each of its cells, and how many cells there are."""
    for group in groups:
        if group.rows is not None:
            count = len(group.rows.rows)
            yield from ((group.rows, cell, count) for cell in range(count))


def _few(prepared: Prepared) -> Flags:
    """(b,) True where WLS has no more rows than moments."""
    found = np.zeros(len(prepared.groups[0].n), dtype=bool)
    if prepared.method.fitting == "WLS":
        p = len(prepared.layout.table.observed)
        size = p * (p + 1) // 2 + (p if prepared.layout.means else 0)
        if prepared.layout.table.rules.ordered:
            size = ordinal_size(prepared.layout.table)
        for group in prepared.groups:
            found |= group.n <= size
    return found


def _repeats(cov: Array) -> Flags:
    """(b,) True where two items have a correlation of 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        R = np.abs(cov / (sd[:, :, None] * sd[:, None, :]))
        return np.asarray((np.triu(R, 1) > SAME).any(axis=(1, 2)))


def with_stand_ins(prepared: Prepared, gone: Ints) -> Prepared:
    """The same with the moments and rows of a usable slice in the place of each that is `gone`."""
    if not gone.any() or (gone > 0).all():
        return prepared
    return replace(prepared, groups=tuple(_filled(group, gone) for group in prepared.groups))


def _filled(group: Moments, gone: Ints) -> Moments:
    """One group: a slice is filled by another replicate of its cell, else by the first usable slice."""
    cells = len(gone) if group.rows is None else len(group.rows.rows)
    usable = np.flatnonzero(gone == 0)
    of = np.arange(len(gone))
    for s in np.flatnonzero(gone):
        same = usable[usable % cells == s % cells]
        of[s] = same[0] if same.size else usable[0]
    return replace(
        group,
        n=group.n[of],
        sum_w=group.sum_w[of],
        sum_w2=group.sum_w2[of],
        mean=group.mean[of],
        cov=group.cov[of],
        rows=None if group.rows is None else _rows(group.rows, of),
    )


def _rows(rows: RowPass, of: Sequence[int] | Ints) -> RowPass:
    """The rows behind slices `of`; with replicates, the weights of another replicate of the same cell."""
    cells = len(rows.rows)
    if len(of) == cells:
        return RowPass(
            tuple(rows.rows[s] for s in of), tuple(rows.weights[s] for s in of), tuple(rows.units[s] for s in of)
        )
    weights = []
    for cell, own in enumerate(rows.weights):
        source = [s // cells if s % cells == cell else r for r, s in enumerate(of[cell::cells])]
        weights.append(own[source])
    return replace(rows, weights=tuple(weights))


def blanked(est: Estimate, gone: Ints) -> Estimate:
    """The estimate with absent values in the slices that are `gone`."""
    if not gone.any():
        return est
    out = gone > 0
    return replace(
        est,
        values=_nan(est.values, out),
        std_error=_without(est.std_error, out),
        statistic=_without(est.statistic, out),
        p_value=_without(est.p_value, out),
        conf_low=_without(est.conf_low, out),
        conf_high=_without(est.conf_high, out),
        standard=Later(lambda: (_without(est.std_lv, out), _without(est.std_all, out))),
        solved=Later(lambda: _unsolved(est.solution, out)),
    )


def _unsolved(solution: Solution, out: Flags) -> Solution:
    """The solution with absent values in some slices."""
    return replace(
        solution,
        weights=_without(solution.weights, out),
        loadings=_nan(solution.loadings, out),
        cross_loadings=_without(solution.cross_loadings, out),
        paths=_nan(solution.paths, out),
        r2=_nan(solution.r2, out),
        construct_cor=_nan(solution.construct_cor, out),
        rho=_without(solution.rho, out),
        proxy_cor=_without(solution.proxy_cor, out),
    )


def _nan(array: Array, out: Flags) -> Array:
    """(b, ...) with NaN in some slices."""
    kept = np.array(array, dtype=np.float64)
    kept[out] = np.nan
    return kept


def _without(array: Array | None, out: Flags) -> Array | None:
    """The same for an array that may be absent."""
    return None if array is None else _nan(array, out)
