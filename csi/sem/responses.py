"""The responses behind ordinal items: their moments given exogenous variables, scales and residual variances.

Given x, whose moments are the sample's, mu and Sigma are those of the responses at x = 0 and of what x leaves of them:

    Pi = [Lambda A]_x,  mu - Pi mu_x,  Sigma - Pi Sigma_xx Pi'

Under the delta parameterisation the residual variance of an ordinal item is what makes its response's variance (given
x) 1 / Delta^2. Where the item takes part in regressions that variance goes on to other moments:

    psi = psi_0 + G^-1 (1 / Delta^2 - diag Sigma),  G_ij = [Lambda A]_ij^2

Source:
    Muthén (1984), Psychometrika 49:115-132; Muthén & Asparouhov (2002), Mplus web note 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from csi.moments.stack import Array, Ints
from csi.sem.implied import Implied, Values
from csi.sem.layout import Block

if TYPE_CHECKING:
    from csi.sem.moment_vector import Plan


def taken(parameter: Ints, value: Array, theta: Values) -> Values:
    """(b, ...) values of slots that are parameters or fixed."""
    return np.where(parameter >= 0, theta[:, np.maximum(parameter, 0)], value)


@dataclass(frozen=True, slots=True)
class Responses:
    """Implied moments of the responses behind the vector: mu (b, p), Sigma (b, p, p), slopes Pi (b, p, x)."""

    mu: Values
    Sigma: Values
    Pi: Values


def responses(plan: Plan, at: Implied) -> Responses:
    """The implied moments of a group, given its exogenous variables where the plan conditions on them."""
    Pi = at.K[:, :, at.mu.shape[1] + plan.given]
    if not plan.given.size:
        return Responses(at.mu, at.Sigma, Pi)
    mean = at.reach[:, plan.given]
    covs = at.Phi[:, plan.given][:, :, plan.given]
    Sigma = at.Sigma - Pi @ covs @ Pi.swapaxes(1, 2)
    return Responses(at.mu - (Pi @ mean[:, :, None])[:, :, 0], Sigma, Pi)


def scales(plan: Plan, at: Implied, theta: Values) -> Values:
    """(b, p) Delta of every item, 1 for continuous ones."""
    return scales_of(plan, responses(plan, at), theta)


def explained(plan: Plan, at: Implied) -> Values:
    """(b, p) variance of every item that given variables explain."""
    out: Values = np.einsum("bii->bi", at.Sigma - responses(plan, at).Sigma)
    return out


def scales_of(plan: Plan, at: Responses, theta: Values) -> Values:
    """The same from the responses' moments."""
    out = np.ones(at.mu.shape, dtype=at.Sigma.dtype)
    flags = np.array(plan.ordinal)
    if plan.theta:
        own = np.diagonal(at.Sigma, axis1=1, axis2=2)
        return np.where(flags, 1 / np.sqrt(np.where(flags, own, 1.0)), 1.0)
    out[:, plan.scale_item] = taken(plan.scale_parameter, plan.scale_value, theta)
    return out


def spreads(plan: Plan, at: Implied, theta: Values) -> Values:
    """(b, p) implied standard deviations of all items, given variables' share included: of latent responses where they
    are ordinal.
    """
    with np.errstate(invalid="ignore"):
        items: Values = np.sqrt(np.diagonal(at.Sigma, axis1=1, axis2=2))
        if not plan.any_ordinal:
            return items
        responding = np.sqrt(1 / scales(plan, at, theta) ** 2 + explained(plan, at))
    return np.where(np.array(plan.ordinal), responding, items)


def added_variance(plan: Plan, at: Implied, theta: Values) -> Values:
    """(b, j) what the residual variances of ordinal items among the latents lack of what the parameterisation wants."""
    inner = responses(plan, at)
    own = np.einsum("bii->bi", inner.Sigma)[:, plan.latent_item]
    wanted = 1 / scales_of(plan, inner, theta)[:, plan.latent_item] ** 2
    return _solved(plan, at, wanted - own)


def _solved(plan: Plan, at: Implied, lacking: Values) -> Values:
    """G^-1 lacking for lacking (b, j) or (b, j, k)."""
    G = at.K[:, plan.latent_item[:, None], at.mu.shape[1] + plan.latent] ** 2
    flat = lacking.ndim == 2
    out: Values = np.linalg.solve(G, lacking[:, :, None] if flat else lacking)
    return out[:, :, 0] if flat else out


def completed(plan: Plan, at: Implied, theta: Values) -> Implied:
    """The implied moments with the residual variances of ordinal items among the latents as they must be."""
    if not plan.latent.size:
        return at
    more = added_variance(plan, at, theta)
    p, m = at.mu.shape[1], at.A.shape[1]
    ways, inner = at.K[:, :, p + plan.latent], at.A[:, :, plan.latent]
    K = at.K.copy()
    K[:, :, p + m :] += (ways * more[:, None, :]) @ inner.swapaxes(1, 2)
    return replace(
        at,
        Phi=at.Phi + (inner * more[:, None, :]) @ inner.swapaxes(1, 2),
        K=K,
        Sigma=at.Sigma + (ways * more[:, None, :]) @ ways.swapaxes(1, 2),
    )


def completed_derivatives(plan: Plan, at: Implied, dcov: Array, delta: Array, ddelta: Array) -> Array:
    """(b, p, p, k) what derivatives of Sigma lack when those residual variances move along; 0 without such items."""
    if not plan.latent.size:
        return np.zeros((1, 1, 1, 1))
    i = plan.latent_item
    wanted = -2 * delta[:, i, None] ** -3 * ddelta[:, i]
    more = _solved(plan, at, wanted - dcov[:, i, i])
    ways = at.K[:, :, at.mu.shape[1] + plan.latent]
    return np.asarray(np.einsum("bij,blj,bjk->bilk", ways, ways, more, optimize=True))


def by_parameter(parameter: Ints, raw: Array, k: int) -> Array:
    """(b, M, k) derivatives by the parameters from those (b, M, e) by the entries of a group.

    Parameters:
        parameter: (e,) column of each entry's parameter, from 0 to k - 1.
    """
    base = np.zeros((len(raw), raw.shape[1], k))
    if np.unique(parameter).size == parameter.size:
        base[:, :, parameter] = raw
    else:
        np.add.at(np.moveaxis(base, 2, 0), parameter, np.moveaxis(raw, 2, 0))
    return base


def given_derivatives(
    block: Block, parameter: Ints, plan: Plan, at: Implied, inner: Responses, dmu: Array, dcov: Array
) -> tuple[Array, Array, Array]:
    """Derivatives of mu (b, p, k), Sigma (b, p, p, k) and Pi (b, p, x, k) given x, whose own moments are the sample's.

    dPi_x = K_u A_jx for an arrow from latent j, 0 for all else.
    """
    (b, p), k = dmu.shape[:2], dmu.shape[2]
    x = plan.given
    if not x.size:
        return dmu, dcov, np.zeros((b, p, 0, k))
    e = block.entries
    reach = np.concatenate([at.A[:, :, x], np.zeros((b, 2, x.size))], axis=1)
    raw = at.K[:, :, None, e.u] * reach[:, e.c].swapaxes(1, 2)[:, None]
    dPi = by_parameter(parameter, raw.reshape(b, p * x.size, -1), k).reshape(b, p, x.size, k)
    mean, covs = at.reach[:, x], at.Phi[:, x][:, :, x]
    half = np.einsum("bixk,bxy,bjy->bijk", dPi, covs, inner.Pi, optimize=True)
    return dmu - np.einsum("bixk,bx->bik", dPi, mean), dcov - half - half.swapaxes(1, 2), dPi
