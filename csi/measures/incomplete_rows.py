"""Saturated moments of rows with absent answers: their information and asymptotic covariance.

Letters: `b` slices, `p` items, `M` moments (means, then vech).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from csi.moments.incomplete import expand, saturated_information
from csi.moments.patterns import Patterns, pattern_rows
from csi.moments.stack import Array, Ints
from csi.sem.fiml import Incomplete, casewise, saturated_directions
from csi.sem.fitted import GroupFit
from csi.sem.normal import informed
from csi.sem.robust import cross_product


def source_of(group: GroupFit) -> Incomplete:
    """The rows of a group by pattern."""
    if group.moments.rows is None:
        raise LookupError("the fit let its rows go")
    return Incomplete.of(group.moments.rows)


def saturated_weight(group: GroupFit, *, observed: bool = True) -> Array:
    """(b, M, M) information of the saturated moments per row: observed, or expected given the patterns."""
    (H,) = source_of(group).over(partial(_unit_information, observed), group.mean, group.cov)
    return H


def saturated_gamma(H: Array, group: GroupFit, s: int, keep: Ints, *, robust: bool) -> Array:
    """Asymptotic covariance of some saturated moments of slice `s`: inverse information, or sandwich.

    Parameters:
        H: (M, M) information per row. keep: the moments that are not known beforehand.

    Source:
        Savalei & Bentler (2009), Structural Equation Modeling 16; robust: Yuan & Bentler (2000).
    """
    square = np.ix_(keep, keep)
    inner = informed(H[square])
    return np.asarray(inner @ _meat(group, s)[square] @ inner) if robust else inner


def _unit_information(observed: bool, patterns: Patterns, mean: Array, cov: Array) -> tuple[Array]:
    """(b, M, M) information of the saturated moments per row."""
    return (saturated_information(expand(patterns, mean, cov), observed=observed) / patterns.total[:, None, None],)


def _meat(group: GroupFit, s: int) -> Array:
    """(M, M) mean cross-product of the rows' saturated scores."""
    if group.moments.rows is None:
        raise LookupError("the fit let its rows go")
    rows, weights, units = group.moments.rows.of(s)
    w = weights * len(weights) / weights.sum()
    p = rows.shape[1]
    scores = casewise(pattern_rows(rows), group.mean[s], group.cov[s], np.eye(p), *saturated_directions(p))
    return np.asarray(cross_product(scores, w, units) / w.sum())
