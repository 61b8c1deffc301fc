"""What a fitted model says of the reliability of sums of its items: which sums there are, and their coefficients.

Letters: `b` slices, `g` groups, `p` items, `m` latents, `k` free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.measures.consistency.categorical import Categorical, categorical_omega
from csi.measures.residuals import unpacked
from csi.moments.bivariate_normal import FAR
from csi.moments.stack import Array, Ints
from csi.moments.two_step import Flags
from csi.sem.fitted import Fitted
from csi.sem.implied import implied, matrices
from csi.sem.moment_vector import plans_of, vector
from csi.sem.responses import spreads

ZERO = 1e-12
"""A loading below this, in every slice, is none."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of items and what of it is asked.

    Attributes:
        construct: whose reliability; "" of all items together. group: number of the group. factor: place among the
            latents, -1 of all together. items: places of the items that are summed.
        kind: "own" (a factor of its items), "general" (of all items, beside or above other factors), "all" (every
            factor), "higher" (of its factors' sum), "partial" (of all items, other factors taken out), "maximal" (the
            best weighted sum). model: "correlated factors", "bifactor" or "higher order".
    """

    construct: str
    group: int
    factor: int
    items: Ints
    kind: str
    model: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The matrices of one group: Lambda (b, p, m), A, Psi, Phi, Beta (b, m, m), Theta, Sigma (b, p, p), cuts (b, T).

    Ordinal items stand on the scale of responses with variance 1; `Theta` is then what the factors leave.
    """

    Lambda: Array
    A: Array
    Psi: Array
    Phi: Array
    Beta: Array
    Theta: Array
    Sigma: Array
    cuts: Array


def parts_of(fit: Fitted, g: int, flat: Array, theta: Array) -> Parts:
    """The matrices of group `g` at parameters theta (b, k), flat (b, size) its fixed values."""
    block, ordinal = fit.layout.blocks[g], bool(fit.layout.table.rules.ordered)
    one = matrices(block, flat, theta)
    at = implied(block, one)
    m = len(fit.layout.table.latent)
    inner = (one.Beta[:, :m, :m], at.A[:, :m, :m], one.Psi[:, :m, :m], at.Phi[:, :m, :m])
    Beta, A, Psi, Phi = (np.asarray(a, dtype=np.float64) for a in inner)
    Lambda = np.asarray(one.Lambda[:, :, :m], dtype=np.float64)
    if not ordinal:
        empty = np.zeros((len(theta), 0))
        return Parts(Lambda, A, Psi, Phi, Beta, np.asarray(one.Theta), np.asarray(at.Sigma), empty)
    plan = plans_of(fit.layout)[g]
    found = unpacked(np.asarray(vector(plan, at, theta)), plan, diagonal=1.0)
    Lambda = Lambda / np.asarray(spreads(plan, at, theta))[:, :, None]
    left = found.cov - Lambda @ Phi @ Lambda.swapaxes(1, 2)
    return Parts(Lambda, A, Psi, Phi, Beta, left, found.cov, found.first)


def observed_of(fit: Fitted, g: int) -> Array:
    """(b, p, p) observed covariances of group `g`; polychoric correlations of ordinal items."""
    group = fit.groups[g]
    if fit.layout.table.rules.ordered and group.vector is not None:
        return unpacked(group.vector.s, plans_of(fit.layout)[g], diagonal=1.0).cov
    return group.cov


def sums_of(fit: Fitted) -> tuple[Sum, ...]:
    """The sums that a model speaks of, in every group."""
    found: list[Sum] = []
    latent = fit.layout.table.latent
    for g in range(len(fit.groups)):
        at = parts_of(fit, g, fit.flats[g], fit.theta)
        own = np.abs(at.Lambda).max(axis=0, initial=0.0) > ZERO
        reach = np.abs(at.Lambda @ at.A).max(axis=0, initial=0.0) > ZERO
        arrows = np.abs(at.Beta).max(axis=0, initial=0.0) > ZERO
        above = [j for j in range(len(latent)) if not own[:, j].any() and arrows[:, j].any()]
        beside = _general(own, at.Phi)
        general = [*above, *beside]
        model = "higher order" if above else "bifactor" if beside else "correlated factors"
        for j, name in enumerate(latent):
            if own[:, j].any() and j not in beside:
                found.append(Sum(name, g, j, np.flatnonzero(own[:, j]), "own", model))
        for j in general:
            items = np.flatnonzero(reach[:, j])
            kinds = ("general", "higher", "partial") if j in above else ("general",)
            found += [Sum(latent[j], g, j, items, kind, model) for kind in kinds]
        every = np.flatnonzero(own.any(axis=1))
        if general:
            found.append(Sum("", g, -1, every, "all", model))
        found.append(Sum("", g, -1, every, "maximal", model))
    return tuple(found)


def _general(own: Flags, Phi: Array) -> list[int]:
    """Factors whose items are more than all those of another one that they do not correlate with."""
    found = []
    for j in range(own.shape[1]):
        for other in range(own.shape[1]):
            inside = (own[:, other] & ~own[:, j]).sum() == 0 and own[:, other].any()
            if (
                j != other
                and inside
                and own[:, j].sum() > own[:, other].sum()
                and np.abs(Phi[:, j, other]).max() < ZERO
            ):
                found.append(j)
                break
    return found


def shared(of: Sum, at: Parts) -> Array:
    """(b, s, s) covariances of the summed items that count as true."""
    L = at.Lambda[:, of.items]
    if of.kind in {"all", "maximal"}:
        return np.asarray(L @ at.Phi @ L.swapaxes(1, 2))
    j = of.factor
    if of.kind == "own":
        one, spread = L[:, :, j], at.Phi[:, j, j]
    else:
        one, spread = (L @ at.A)[:, :, j], at.Psi[:, j, j]
    return np.asarray(one[:, :, None] * one[:, None, :] * spread[:, None, None])


def value_of(of: Sum, at: Parts, whole: Array) -> Array:
    """(b,) the coefficient over `whole` (b, p, p), the observed or implied covariances."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if of.kind == "higher":
            weight = at.Beta[:, :, of.factor]
            true = weight.sum(axis=1) ** 2 * at.Psi[:, of.factor, of.factor]
            rest = np.where(weight != 0, np.diagonal(at.Psi, axis1=1, axis2=2), 0.0).sum(axis=1)
            return np.asarray(true / (true + rest))
        covs = whole[:, of.items][:, :, of.items]
        true = shared(of, at)
        if of.kind == "maximal":
            return _largest(covs, true)
        total = true.sum(axis=(1, 2))
        if of.kind == "partial":
            return np.asarray(total / (total + at.Theta[:, of.items][:, :, of.items].sum(axis=(1, 2))))
        return np.asarray(total / covs.sum(axis=(1, 2)))


def _largest(whole: Array, true: Array) -> Array:
    """(b,) largest root of inv(whole) true: the reliability of the best weighted sum; NaN where there is no inverse.

    Source:
        Li (1997), Psychometrika 62(2), 245-249; Cheng, Yuan & Liu (2012), Structural Equation Modeling 19(1).
    """
    found = np.full(len(whole), np.nan)
    for s, (V, T) in enumerate(zip(whole, true, strict=True)):
        if np.isfinite(V).all() and np.isfinite(T).all() and np.linalg.eigvalsh(V)[0] > 0:
            root = np.linalg.inv(np.linalg.cholesky(V))
            found[s] = np.linalg.eigvalsh(root @ T @ root.T)[-1]
    return found


def laid_out(of: Sum, fit: Fitted, at: Parts) -> tuple[Array, Array, Array]:
    """Thresholds (b, s, a) of the summed items (spare ones at `FAR`); shared and all their covariances (b, s, s)."""
    plan = plans_of(fit.layout)[of.group]
    own = [np.flatnonzero(plan.th_item == i) for i in of.items]
    cuts = np.full((len(at.cuts), len(own), max(len(places) for places in own)), FAR)
    for row, places in enumerate(own):
        cuts[:, row, : len(places)] = at.cuts[:, places]
    return cuts, shared(of, at), at.Sigma[:, of.items][:, :, of.items]


def categorical_of(of: Sum, fit: Fitted, at: Parts, whole: Array, s: int) -> Categorical:
    """Green and Yang's coefficient of one slice, with its slopes by thresholds and covariances."""
    cuts, common, _ = laid_out(of, fit, at)
    steps = np.where(np.abs(cuts[s]) < FAR, 1.0, 0.0)
    return categorical_omega(cuts[s], steps, common[s], whole[s][np.ix_(of.items, of.items)])


def is_categorical(of: Sum, fit: Fitted) -> bool:
    """Whether all summed items are ordinal."""
    if not fit.layout.table.rules.ordered:
        return False
    flags = np.array(plans_of(fit.layout)[of.group].ordinal)
    return bool(flags[of.items].all()) and of.kind in {"own", "general", "all"}


def proper(of: Sum, at: Parts) -> Flags:
    """(b,) whether no summed item's error variance and no variance of its factor is negative."""
    errors = np.diagonal(at.Theta, axis1=1, axis2=2)[:, of.items]
    spread = np.diagonal(at.Psi, axis1=1, axis2=2)
    with np.errstate(invalid="ignore"):
        factor = spread >= 0 if of.factor < 0 else spread[:, [of.factor]] >= 0
        return np.asarray((errors >= -ZERO).all(axis=1) & factor.all(axis=1))
