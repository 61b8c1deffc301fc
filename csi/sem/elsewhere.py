"""What a fitted model would say at other parameters, and the pieces of a difference test.

Letters: `b` slices, `k` parameters, `M` moments, `r` working parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from csi.estimate.estimate import Estimate
from csi.moments.fourth import gamma
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, GroupFit, Test
from csi.sem.judge import judge
from csi.sem.lagrange import implied_at
from csi.sem.moment_vector import plans_of, vector_jacobian
from csi.sem.optimise import Optimum
from csi.sem.ordinal_vectors import thresholds_of
from csi.sem.prepare import prepare
from csi.sem.robust import Pieces, normal_weight
from csi.sem.solve import problem_for
from csi.sem.standardise import row_values
from csi.sem.vectors import needs_rows

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


Flags = npt.NDArray[np.bool_]


def carried(source: Fitted, target: Fitted) -> Array:
    """(b, k) parameters of `target` that say what `source` says; what `source` does not have is 0."""
    rows = row_values(source.layout, source.flats, source.theta)
    known = {(*_key(r.lhs, r.op, r.rhs), r.group): rows[:, n] for n, r in enumerate(source.layout.table.rows)}
    theta = np.zeros((len(rows), target.layout.count))
    for row, at in zip(target.layout.table.rows, target.layout.table.index, strict=True):
        if at >= 0:
            theta[:, at] = known.get((*_key(row.lhs, row.op, row.rhs), row.group), 0.0)
    return theta


def _key(lhs: str, op: str, rhs: str) -> tuple[str, str, str]:
    """`a ~~ b` is `b ~~ a`."""
    return (min(lhs, rhs), op, max(lhs, rhs)) if op == "~~" else (lhs, op, rhs)


def scaled_at(est: Estimate, settings: SEM, df: int, theta: Array) -> tuple[Test | None, Flags]:
    """The scaled test of a model as if these parameters were its minimum; None for an unscaled estimator. And (b,)
    whether its information is positive definite there, without which the test says nothing.

    Nonlinear constraints and inequalities are not looked at.

    Parameters:
        est: the model's own estimate, fitted with `settings`. df: its degrees of freedom. theta: (b, k).

    Source:
        Satorra & Bentler (2010), Psychometrika 75:243-248, the model M10.
    """
    ordered = thresholds_of(settings, est.model, est.moments) if settings.ordered else ()
    prepared, problem, _ = problem_for(settings, prepare(settings, est.model, est.moments, ordered))
    linear = problem.linear
    phi = linear.phi(theta)
    value, slope, H = problem.evaluate(phi)
    b = len(theta)
    best = Optimum(phi, value, slope, H, np.zeros(b, dtype=np.int64), np.ones(b, dtype=bool), np.zeros(b))
    theta = linear.theta(phi)
    judged = judge(prepared, problem, best, linear, theta, problem.implied(theta), df)
    definite = np.linalg.eigvalsh(np.nan_to_num(judged.information))[:, 0] > 0
    return judged.scaled, np.asarray(definite, dtype=bool)


def jacobians_of(fit: Fitted) -> list[Array]:
    """(b, M, k) derivatives of every group's moments by the parameters."""
    layout = fit.layout
    at = implied_at(fit, layout, fit.theta)
    return [vector_jacobian(layout, g, plans_of(layout)[g], at[g], fit.theta) for g in range(len(fit.groups))]


def pieces_of(fit: Fitted, s: int, jacobians: Sequence[Array] | None = None) -> list[Pieces]:
    """Jacobian, weight, asymptotic covariance of the moments, and share of every group, for slice `s`.

    Parameters:
        jacobians: of `jacobians_of`, where many slices are wanted.

    Raises:
        Problems: there are no rows to estimate the asymptotic covariance from.
    """
    layout = fit.layout
    out = []
    for group, whole in zip(fit.groups, jacobians_of(fit) if jacobians is None else jacobians, strict=True):
        D, share = whole[s], float(group.share[s])
        if group.vector is not None:
            G = group.vector.gamma
            out.append(Pieces(D, group.vector.weight[s], np.empty((0, 0)) if G is None else G[s], share))
            continue
        Sigma = {"GLS": group.cov[s], "ULS": np.eye(group.cov.shape[1])}.get(fit.fitting, group.at.Sigma[s])
        weight = normal_weight(Sigma, means=layout.means)
        out.append(Pieces(D, weight, _gamma(group, s, layout.table.given, means=layout.means), share))
    return out


def _gamma(group: GroupFit, s: int, given: tuple[int, ...], *, means: bool) -> Array:
    """(M, M) asymptotic covariance of a group's moments, from its rows, which may share units (clusters)."""
    if group.moments.rows is None:
        raise needs_rows("a scaled difference test", "校正的差异检验")
    rows, weights, units = group.moments.rows.of(s)
    keep = weights > 0
    return gamma(rows[keep], weights[keep], means=means, given=given, units=units[keep])
