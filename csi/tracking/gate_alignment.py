"""Many cells of a rejected set: which differ in which item, by alignment, and by how many points.

    b_g = sum_k c_k [(nu_kg - nu_k) + (lambda_kg - lambda_k) alpha_g]   over the items that differ in cell g,

with nu_k and lambda_k the averages over the cells in which the item does not differ.

Letters: `g` cells of a set, `p` items, `m` pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problems
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.measures.alignment import Found, aligned_of
from csi.models.model import Construct, Model, Term
from csi.moments.stack import Array, Sample
from csi.sem.estimator import SEM
from csi.tracking.gate_bias import Shifts
from csi.tracking.gate_sets import Cells, rows_of

Bools = npt.NDArray[np.bool_]
EPSILON = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Which items differ in which cell (g, p), and the shift of every cell in points."""

    differs: Bools
    shifts: Shifts


def apart(sample: Sample, one: Cells) -> Apart | None:
    """What alignment finds in a set's cells; None where a cell has no solution or nothing is found to differ.

    Source:
        Asparouhov & Muthén (2014), Structural Equation Modeling 21(4):495-508.
    """
    est = own_fits(sample, one)
    if est is None or not est.convergence.converged.all():
        return None
    found = aligned_of(est, one.construct, one.items, 0, "fixed", EPSILON)
    steep = ~found.same_loading
    differs = steep | ~found.same_intercept
    return Apart(differs, _shifts(found, differs, steep, one.points)) if differs.any() else None


def own_fits(sample: Sample, one: Cells) -> Estimate | None:
    """The factor of a set's items fitted in every cell by itself; None where the cells cannot be fitted."""
    model = Model((Construct(one.construct, "=~", tuple(Term(i) for i in one.items)),), ())
    rows = rows_of(sample, one)
    if rows.group is None:
        return None
    counts = np.bincount(rows.group, minlength=len(one.labels))
    cells = pl.DataFrame({one.between: list(one.labels), "n": counts})
    stack = replace(rows, cell=rows.group, cells=cells, group=None, groups=())
    try:
        return fit_sample(model, stack, SEM(estimator="MLR", missing=rows.missing, std_lv=True, meanstructure=True))
    except Problems:
        return None


def _shifts(found: Found, differs: Bools, steep: Bools, points: Array) -> Shifts:
    """The shift of every cell with its covariance (delta method)."""
    lam, nu, alpha = found.aligned.loading, found.aligned.intercept, found.aligned.alpha
    g, p = lam.shape
    value = np.zeros(g)
    D = np.zeros((g, 2, g, p))
    by_alpha = np.zeros((g, g))
    for k in range(p):
        same = ~differs[:, k]
        share = same / max(int(same.sum()), 1) if same.any() else np.full(g, 1.0 / g)
        away = np.eye(g) - share[None, :]
        here, bent = points[k] * differs[:, k], points[k] * steep[:, k]
        value += here * (away @ nu[:, k]) + bent * (away @ lam[:, k]) * alpha
        D[:, 1, :, k] += here[:, None] * away
        D[:, 0, :, k] += (bent * alpha)[:, None] * away
        by_alpha += np.diag(bent * (away @ lam[:, k]))
    gradient = np.concatenate([np.zeros((g, g)), by_alpha, D.reshape(g, 2 * g * p)], axis=1)
    return Shifts(value, np.asarray(gradient @ found.covariance @ gradient.T))
