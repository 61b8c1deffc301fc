"""Respondents behind a link who also answered in the waves: how the link's error goes with the indices.

    Cov(I_c, L) = sum_h n_h / (n_h - 1) sum_{u in h} (z_uc - mean_h) (l_u - mean_h)

z_uc what unit u adds to the index of cell c, l_u what it adds to the link; units without a part count as zero.

Letters: `u` units, `c` cells, `r` shapes of a link's error, `m` points of its grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from csi.moments.stack import Array, Sample
from csi.tracking.index import Index
from csi.tracking.index_influence import Part, Strata
from csi.tracking.index_variance import Sparse
from csi.tracking.link_curve import Behind, Link


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A link as far as it moved cells.

    Attributes:
        link. hat: (c, m) how each cell's index depends on the link's points; 0 where the link does not reach.
    """

    link: Link
    hat: Array


def error_covariance(index: Index, construct: int, links: Sequence[Carried], factor: Array) -> Array:
    """(c, c) what links add to the covariance of the cells they moved and of all others.

    Their own errors, their covariances with the indices, where respondents are shared, and with each other.

    Parameters:
        factor: (c,) how much the links stretched each cell's own sampling error.

    Source:
        Wolter (2007), Introduction to Variance Estimation, chapter 6 (Taylor series), 6.2.
    """
    c = index.cells.height
    error = np.zeros((c, c))
    for one in links:
        error += one.hat @ one.link.covariance @ one.hat.T
    if index.influence is None or index.sample is None:
        return error
    strata, part = index.influence.strata, index.influence.parts[construct].value
    known = [(one, one.link.behind, units_of(one.link.behind, index.sample)) for one in links if one.link.behind]
    for at, (one, behind, units) in enumerate(known):
        if behind is None or units is None:
            continue
        reach = behind.shapes @ one.hat.T
        error += _twice(factor[:, None] * (with_cells(strata, part, units) @ reach))
        for other, theirs, those in known[at + 1 :]:
            if theirs is not None and those is not None:
                between = np.asarray(strata.product(units, those).todense())
                error += _twice(reach.T @ between @ (theirs.shapes @ other.hat.T))
    return error


def _twice(found: Array) -> Array:
    """X + X', unknown entries of cells without a variance as zero."""
    found = np.nan_to_num(found)
    return np.asarray(found + found.T)


def with_cells(strata: Strata, part: Part, units: Sparse) -> Array:
    """(c, r) covariances of indices with what units (u, r) add to a link."""
    found = np.asarray(strata.product(part.own, units).todense(), dtype=np.float64)
    if part.weight is not None and part.load is not None:
        found = found + part.load @ np.asarray(strata.product(part.weight, units).todense(), dtype=np.float64)
    return found


def units_of(behind: Behind, sample: Sample) -> Sparse | None:
    """(u, r) sparse, what every unit of a sample adds to a link; None where none of them is behind it.

    A respondent with several rows counts once, in the unit of the first.
    """
    if sample.place is None:
        return None
    order = np.argsort(sample.place)
    at = np.minimum(np.searchsorted(sample.place[order], behind.place), order.size - 1)
    row = order[at]
    met = sample.place[row] == behind.place
    who, first = np.unique(behind.who[met], return_index=True)
    if not who.size:
        return None
    unit = sample.unit[row[met][first]]
    values, r = behind.influence[who], behind.influence.shape[1]
    shape = (sample.stratum.size, r)
    made = sparse.csc_matrix((values.ravel(), (np.repeat(unit, r), np.tile(np.arange(r), who.size))), shape=shape)
    made.sum_duplicates()
    return made
