"""How precisely residuals are known: the asymptotic covariance of observed less implied moments.

    e = M (s - sigma),  M = I - D (D'WD)^-1 D'W,  acov(e) = M Gamma M' / n

W weighs the moments as the information of the standard errors does, at the implied moments; Gamma is the asymptotic
covariance of the sample moments as the standard errors take it: normal theory at the sample moments, fourth moments
(robust.sem), or the sandwich of the unrestricted model (robust.huber.white).

Letters: `b` slices, `M` moments of a group, `g` groups, f_g = n_g / N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Problems, problem
from csi.measures.baseline_exogenous import exogenous_of
from csi.measures.incomplete_rows import saturated_gamma, saturated_weight, source_of
from csi.moments.fourth import gamma
from csi.moments.incomplete import expand, saturated_information
from csi.moments.patterns import Patterns
from csi.moments.stack import Array, Ints
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.moment_vector import plans_of, vector_jacobian
from csi.sem.normal import informed
from csi.sem.robust import apply, normal_weight


@dataclass(frozen=True, slots=True)
class Known:
    """One group of one slice: jacobian (M, r), weight (M, M) or (M,), gamma (M, M), n rows, share f_g."""

    jacobian: Array
    weight: Array
    gamma: Array
    n: float
    share: float


def residual_acov(groups: Sequence[Known], g: int) -> Array:
    """(M, M) asymptotic covariance of the residuals of group number g.

    Where parameters are equal over groups, what the other groups' sampling adds is left out, as lavaan does.

    Source:
        Bollen (1989), p. 259; Jöreskog (1981), Scandinavian J. of Statistics 8.

    Example:
        >>> one = Known(np.array([[1.0], [1.0]]), np.eye(2), np.diag([2.0, 2.0]), 10.0, 1.0)
        >>> residual_acov([one], 0).round(3).tolist()
        [[0.1, -0.1], [-0.1, 0.1]]
    """
    own = groups[g]
    X = np.sum([k.share * k.jacobian.T @ apply(k.weight, k.jacobian) for k in groups], axis=0)
    lever = own.share * own.jacobian @ np.linalg.solve(X, apply(own.weight, own.jacobian).T)
    M = np.eye(len(lever)) - lever
    return np.asarray(M @ own.gamma @ M.T / own.n)


def residual_variances(fit: Fitted, g: int) -> Array:
    """(b, M) sampling variances of a group's residuals; 0 for moments of exogenous variables."""
    keep, length = modelled(fit)
    out = np.zeros((len(fit.theta), length))
    every = [_known(fit, h, keep) for h in range(len(fit.groups))]
    for s in range(len(out)):
        out[s, keep] = np.diag(residual_acov([one[s] for one in every], g))
    return out


def sample_variances(fit: Fitted, g: int) -> Array:
    """(b, M) sampling variances of a group's sample moments."""
    keep, length = modelled(fit)
    out = np.zeros((len(fit.theta), length))
    for s, one in enumerate(_known(fit, g, keep)):
        out[s, keep] = np.diag(one.gamma) / one.n
    return out


def modelled(fit: Fitted) -> tuple[Ints, int]:
    """Places of the moments that are modelled in a group's vector, and the vector's length."""
    vector = fit.groups[0].vector
    if vector is not None:
        return np.arange(vector.s.shape[1]), int(vector.s.shape[1])
    x = exogenous_of(fit)
    i, j = np.triu_indices(x.size)
    both = np.concatenate([x, x[i] & x[j]]) if fit.layout.means else x[i] & x[j]
    return np.flatnonzero(~both), both.size


def _known(fit: Fitted, g: int, keep: Ints) -> list[Known]:
    """A group, slice by slice."""
    group = fit.groups[g]
    D = vector_jacobian(fit.layout, g, plans_of(fit.layout)[g], group.at, fit.theta)
    total = np.sum([x.n for x in fit.groups], axis=0)
    out = []
    for s, (weight, G) in enumerate(_weights(fit, group, keep)):
        out.append(Known(D[s][keep] @ fit.along(s), weight, G, float(group.n[s]), float(group.n[s] / total[s])))
    return out


def _weights(fit: Fitted, group: GroupFit, keep: Ints) -> list[tuple[Array, Array]]:
    """Weight and Gamma of each slice of a group."""
    if group.vector is not None:
        G = group.vector.gamma
        if G is None:
            en = (
                "standardised residuals need the sampling variances of the moments, which this estimator does not form."
            )
            zh = "标准化残差需要矩的抽样方差，而该估计方法不计算它。"
            do, do_zh = 'Fit with its robust form ("ULSMV").', "请改用其稳健形式（ULSMV）。"
            raise Problems([problem("E-RESIDUALS", fit.fitting, en, zh, do, do_zh)])
        return list(zip(group.vector.weight, G, strict=True))
    square = np.ix_(keep, keep)
    places = _places(fit, group)
    fitted_weight = _informations(fit, group, at_model=True)
    saturated = _informations(fit, group, at_model=False)
    out = []
    for s in range(len(group.n)):
        W = fitted_weight[s][np.ix_(places, places)][square]
        if fit.method.se == "robust.sem":
            out.append((W, _fourth(fit, group, s)[square]))
        elif fit.method.se in {"robust.huber.white", "two.stage", "robust.two.stage"}:
            robust = fit.method.se != "two.stage"
            H = saturated_weight(group)[s]
            out.append((W, saturated_gamma(H, group, s, places[keep], robust=robust)))
        else:
            out.append((W, informed(saturated[s][np.ix_(places, places)][square])))
    return out


def _places(fit: Fitted, group: GroupFit) -> Ints:
    """Where the vector's moments stand among means and covariances."""
    p = group.cov.shape[1]
    return np.arange(0 if fit.layout.means else p, p + p * (p + 1) // 2)


def _informations(fit: Fitted, group: GroupFit, *, at_model: bool) -> Array:
    """(b, M, M) information of means and covariances per row, at the implied or at the sample moments."""
    if fit.fitting in {"GLS", "ULS"}:
        eye = np.broadcast_to(np.eye(group.cov.shape[1]), group.cov.shape)
        at = eye if fit.fitting == "ULS" and at_model else group.cov
        return np.stack([normal_weight(S, means=True) for S in at])
    mean = group.at.mu if at_model and fit.layout.means else group.mean
    cov = group.at.Sigma if at_model else group.cov
    seen = fit.method.information == "observed"

    def look(patterns: Patterns, mu: Array, Sigma: Array) -> tuple[Array]:
        H = saturated_information(expand(patterns, mu, Sigma), observed=seen)
        return (H / patterns.total[:, None, None],)

    if fit.fitting == "FIML":
        return source_of(group).over(look, mean, cov)[0]
    whole = np.ones((1, cov.shape[1]), dtype=bool)
    patterns = Patterns(whole, group.n[:, None], group.mean[:, None], group.cov[:, None])
    return look(patterns, mean, cov)[0]


def _fourth(fit: Fitted, group: GroupFit, s: int) -> Array:
    """Gamma from the rows' fourth moments."""
    if group.moments.rows is None:
        raise LookupError("the fit let its rows go")
    rows, weights, _ = group.moments.rows.of(s)
    keep = weights > 0
    return gamma(rows[keep], weights[keep], means=fit.layout.means, given=fit.layout.table.given)
