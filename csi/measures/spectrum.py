"""What a test of exact fit is asymptotically: sum_i l_i z_i^2 with l the eigenvalues of U Gamma; and the residuals
themselves in that basis, whose length is Browne's statistic.

    U = W - W D (D'WD)^-1 D'W = L L',  l = eigenvalues of L' Gamma L,  T_RLS = N |L'(s - sigma)|^2

Letters: `b` slices, `M` moments of all groups, `r` working parameters, `d` degrees of freedom, `g` groups, f_g =
n_g / N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csi.moments.fourth import gamma_unbiased
from csi.moments.stack import Array
from csi.sem.elsewhere import jacobians_of, pieces_of
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.implied import vech
from csi.sem.robust import Pieces

OF_ROWS = {"ML", "GLS", "ULS", "DWLS", "WLS"}
"""What is fitted to moments of complete rows."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """biased, unbiased: (b, d) eigenvalues of U Gamma, largest first, with the sample's Gamma and with the unbiased
    one (NaN where that is not defined). rls: (b,) the reweighted least squares statistic, NaN where U is not of normal
    theory at the model.
    """

    biased: Array
    unbiased: Array
    rls: Array


def spectrum(fit: Fitted) -> Spectrum | None:
    """Eigenvalues of a fit to complete rows; None for others (moments alone, absent answers, no degrees of freedom).

    Source:
        Satorra & Bentler (1994), in Latent variables analysis; Shapiro (1983), South African Statistical Journal 17;
        T_RLS: Browne (1974), South African Statistical Journal 8; Browne (1984), eq. 2.20a.
    """
    if fit.df <= 0 or fit.fitting not in OF_ROWS or "two.stage" in fit.method.se or not _has_gamma(fit):
        return None
    jacobians = jacobians_of(fit)
    found = [_slice(fit, s, jacobians) for s in range(len(fit.theta))]
    return Spectrum(*(np.stack(part) for part in zip(*found, strict=True)))


def residual_basis(pieces: Sequence[Pieces], N: Array) -> list[Array]:
    """Per group (M_g, d') L_g such that U of all groups together is L L', L the L_g on top of each other.

    Parameters:
        N: (k, r) directions along the constraints.

    Example:
        >>> one = Pieces(np.array([[1.0], [1.0]]), np.diag([2.0, 2.0]), np.eye(2), 1.0)
        >>> L = residual_basis([one], np.eye(1))[0]
        >>> (L @ L.T).round(6).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    roots = [np.sqrt(p.share) * _root(p.weight) for p in pieces]
    D = np.concatenate([R.T @ p.jacobian @ N for R, p in zip(roots, pieces, strict=True)])
    Q = np.linalg.qr(D, mode="complete")[0][:, D.shape[1] :]
    cuts = np.cumsum([len(p.jacobian) for p in pieces])[:-1]
    return [R @ part for R, part in zip(roots, np.split(Q, cuts), strict=True)]


def _root(weight: Array) -> Array:
    """R with R R' = W, of a full or a diagonal weight that is at least positive semidefinite."""
    if weight.ndim == 1:
        return np.diag(np.sqrt(np.maximum(weight, 0.0)))
    try:
        return np.asarray(np.linalg.cholesky(weight))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(weight)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _has_gamma(fit: Fitted) -> bool:
    """Whether the covariance of the moments is at hand, or the rows it is made of."""
    return all(g.moments.rows is not None if g.vector is None else g.vector.gamma is not None for g in fit.groups)


def _slice(fit: Fitted, s: int, jacobians: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Eigenvalues with Gamma as the sample's and unbiased, (d,) each, and T_RLS, of slice `s`."""
    nothing = np.full(fit.df, np.nan)
    if not np.isfinite(fit.theta[s]).all() or not np.isfinite(fit.value[s]):
        return nothing, nothing, np.array(np.nan)
    rows = np.array([float(g.n[s]) for g in fit.groups])
    pieces = [replace(p, share=n / rows.sum()) for p, n in zip(pieces_of(fit, s, jacobians), rows, strict=True)]
    if not all(np.isfinite(p.gamma).all() for p in pieces):
        return nothing, nothing, np.array(np.nan)
    L = residual_basis(pieces, fit.along(s))
    biased = eigenvalues([p.gamma for p in pieces], pieces, L, fit.df)
    unbiased = [_unbiased(fit, g, s) for g in fit.groups]
    known = [G for G in unbiased if G is not None]
    other = eigenvalues(known, pieces, L, fit.df) if len(known) == len(pieces) else nothing
    rls = float(fit.total[s]) * _length(fit, L, s) if fit.fitting == "ML" else np.nan
    return biased, other, np.array(rls)


def eigenvalues(gammas: Sequence[Array], pieces: Sequence[Pieces], L: Sequence[Array], d: int) -> Array:
    """(d,) the eigenvalues of U Gamma that belong to the degrees of freedom, largest first.

    Where moments of given variables do not vary there are more directions than degrees of freedom, with eigenvalue 0.
    """
    A = np.sum([one.T @ G @ one / p.share for G, p, one in zip(gammas, pieces, L, strict=True)], axis=0)
    found = np.linalg.eigvalsh(0.5 * (A + A.T))
    return np.sort(found[np.sort(np.argsort(-np.abs(found))[:d])])[::-1]


def _unbiased(fit: Fitted, group: GroupFit, s: int) -> Array | None:
    """The unbiased Gamma of a group; None for weighted or clustered rows, given variables, ordinal items."""
    if group.moments.rows is None or fit.layout.table.given or fit.layout.table.rules.ordered:
        return None
    rows, weights, units = group.moments.rows.of(s)
    inside = weights > 0
    rows, weights, units = rows[inside], weights[inside], units[inside]
    if len(rows) < 4 or np.ptp(weights) > 0 or np.unique(units).size < units.size:
        return None
    return gamma_unbiased(rows, means=fit.layout.means)


def _length(fit: Fitted, L: Sequence[Array], s: int) -> float:
    """|L'(s - sigma)|^2 over all groups."""
    z = np.zeros(L[0].shape[1])
    for group, one in zip(fit.groups, L, strict=True):
        e = vech(group.cov[s : s + 1] - group.at.Sigma[s : s + 1])[0]
        z += one.T @ (np.concatenate([group.mean[s] - group.at.mu[s], e]) if fit.layout.means else e)
    return float(z @ z)
