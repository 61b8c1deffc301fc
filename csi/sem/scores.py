"""Factor scores of rows: regression and Bartlett, by pattern of absent answers; posterior modes for ordinal items.

    regression   E(eta) + Phi Lambda' Sigma^-1 (y - mu)
    Bartlett     (L' Sigma^-1 L)^-1 L' Sigma^-1 (y - nu), the same as with Theta^-1 where Theta can be inverted
    EBM          argmax of sum_i log P(y_i | eta) + log phi(eta)

Letters: `n` rows, `p` items, `m` latents, `q` constructs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import log_ndtr

from csi.moments.stack import Array, Ints
from csi.sem.fitted import Fitted
from csi.sem.implied import Matrices, implied, matrices
from csi.sem.moment_vector import implied_group, plans_of
from csi.sem.responses import responses, scales, taken

Scores = Literal["regression", "bartlett"]
ROUNDS = 100
SETTLED = 1e-10


@dataclass(frozen=True, slots=True)
class Scoring:
    """One group's model at one slice, ready for rows.

    Attributes:
        Sigma: (p, p). mu: (p,). cross: (m, p) covariances of latents and items. level: (m,) means of latents.
        loads: (p, m) of latents with items of their own, and of constructs without. q: number of constructs.
    """

    Sigma: Array
    mu: Array
    cross: Array
    level: Array
    loads: tuple[Array, Array]
    q: int


def scoring_of(fit: Fitted, g: int, s: int) -> Scoring:
    """The model of group `g` at slice `s`.

    Without a mean structure the sample's means stand in for the model's, and what observed predictors have for a mean
    reaches the latents: scores are those of the same model with a mean structure that fits the means. (lavaan 0.6-14
    leaves out the means of endogenous observed predictors: with `f =~ x1 + x2 + x3; x7 ~ x1` its scores of f do not
    have mean 0 unless meanstructure = TRUE.)

    Regression scores are E(eta | y) of all observed variables, an explained predictor such as x9 in `f ~ x9; x9 ~ z`
    among them. (lavaan 0.6-14 leaves out what x9 says beyond z; where x9 is written as the only indicator of a latent,
    `g =~ x9; f ~ g; g ~ z`, which is the same model, it has the scores of f that are here.)
    """
    block = fit.layout.blocks[g]
    inside = matrices(block, fit.flats[g][s : s + 1], fit.theta[s : s + 1])
    at = implied(block, inside)
    if fit.layout.means:
        level, mu = (at.A @ inside.alpha[:, :, None])[0, :, 0], at.mu[0]
    else:
        mu = fit.groups[g].mean[s]
        given = mu[[block.observed.index(n) for n in block.latent[block.q :]]]
        level = _passed_on(inside.Beta[0], given)
    loads = _loads(inside, at.A[0], block.q)
    return Scoring(at.Sigma[0], mu, (inside.Lambda @ at.Phi)[0].T, level, loads, block.q)


def _passed_on(Beta: Array, given: Array) -> Array:
    """(m,) means of latents without intercepts, the last of which are observed and have the means `given`."""
    q = len(Beta) - len(given)
    return np.concatenate([np.linalg.solve(np.eye(q) - Beta[:q, :q], Beta[:q, q:] @ given), given])


def _loads(inside: Matrices, A: Array, q: int) -> tuple[Array, Array]:
    """(p, m) what latents do to items directly, and what constructs without items of their own do through others.

    Observed outcomes are items of what explains them; observed predictors are latents of their own.
    """
    Lambda, Beta = inside.Lambda[0], inside.Beta[0]
    m = len(Beta)
    outcome = (np.arange(m) >= q) & (np.abs(Beta).sum(axis=1) > 0)
    inner = np.where(outcome[:, None] & outcome, Beta, 0.0)
    through = np.linalg.inv(np.eye(m) - inner) @ np.where(outcome[:, None] & ~outcome, Beta, 0.0)
    direct = np.where(outcome, 0.0, Lambda @ (np.eye(m) + through))
    bare = (np.arange(m) < q) & (np.abs(direct).sum(axis=0) == 0)
    return direct, np.where(bare, Lambda @ A, 0.0)


def scores_of(model: Scoring, rows: Array, method: Scores) -> Array:
    """(n, q) scores; constructs without an answered item get NaN (Bartlett) or what the others say (regression).

    Parameters:
        rows: (n, p), NaN where absent.

    Source:
        Thomson (1939) and Thurstone (1935) (regression); Bartlett (1937), British J. of Psychology 28.

    Example:
        >>> one = np.ones((1, 1))
        >>> model = Scoring(2 * one, np.zeros(1), one, np.zeros(1), (one, 0 * one), 1)
        >>> row = np.array([[3.0]])
        >>> scores_of(model, row, "regression").tolist(), scores_of(model, row, "bartlett").tolist()
        ([[1.5]], [[3.0]])
    """
    out = np.full((len(rows), len(model.level)), np.nan)
    for seen, some in patterns(rows):
        z = rows[np.ix_(some, seen)] - model.mu[seen]
        Sigma = model.Sigma[np.ix_(seen, seen)]
        if method == "regression":
            weights = np.linalg.solve(Sigma, model.cross[:, seen].T)
            out[some] = model.level + z @ weights
            continue
        for load in (one[seen] for one in model.loads):
            known = np.flatnonzero(np.abs(load).sum(axis=0))
            if known.size:
                WL = np.linalg.solve(Sigma, load[:, known])
                weights = np.linalg.lstsq(load[:, known].T @ WL, WL.T, rcond=1e-10)[0]
                out[np.ix_(some, known)] = model.level[known] + z @ weights.T
    return out[:, : model.q]


def patterns(rows: Array) -> list[tuple[Ints, Ints]]:
    """Per pattern of absent answers: the items that are there, and the rows that have it.

    Example:
        >>> [(seen.tolist(), some.tolist()) for seen, some in patterns(np.array([[1.0, np.nan], [1, 2], [3, np.nan]]))]
        [([0], [0, 2]), ([0, 1], [1])]
    """
    there = ~np.isnan(rows)
    if there.all():
        return [(np.arange(rows.shape[1]), np.arange(len(rows)))]
    kinds, which = np.unique(there, axis=0, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    cuts = np.flatnonzero(np.diff(which.reshape(-1)[order])) + 1
    return [(np.flatnonzero(kinds[i]), some) for i, some in enumerate(np.split(order, cuts))]


@dataclass(frozen=True, slots=True)
class Categories:
    """One group's model of ordinal answers at one slice, for the p items that are not given.

    Attributes:
        load: (p, q) of latent responses. level: (q,). precision: (q, q) inverse covariance of the constructs.
        sd: (p,) residual standard deviations. lower, upper: (p, c) bounds of each category, in latent responses.
        on_level: (q, x), on_items: (p, x) what given variables do to constructs, and to items directly.
    """

    load: Array
    level: Array
    precision: Array
    sd: Array
    lower: Array
    upper: Array
    on_level: Array
    on_items: Array


def categories_of(fit: Fitted, g: int, s: int) -> Categories:
    """The ordinal model of group `g` at slice `s`; given exogenous variables where the model is conditional on them."""
    block, plan = fit.layout.blocks[g], plans_of(fit.layout)[g]
    theta, flat = fit.theta[s : s + 1], fit.flats[g][s : s + 1]
    inside, at = matrices(block, flat, theta), implied_group(fit.layout, g, flat, theta)
    q, x, kept = block.q, plan.given, plan.kept
    direct, A = _loads(inside, at.A[0], q)[0], at.A[0]
    load, on_items = direct[kept, :q], direct[np.ix_(kept, x)]
    level, given = at.reach[0, :q], at.reach[0, x]
    own = at.Phi[0][:q, :q] - A[:q, x] @ at.Phi[0][np.ix_(x, x)] @ A[:q, x].T
    inner = responses(plan, at)
    total = np.diagonal(inner.Sigma[0]) if plan.theta else 1 / scales(plan, at, theta)[0] ** 2
    sd = np.sqrt(total[kept] - np.einsum("pq,qr,pr->p", load, own, load))
    tau = taken(plan.th_parameter, plan.th_value, theta)[0]
    most = int(np.bincount(plan.th_item).max()) + 1
    lower, upper = np.full((kept.size, most), -np.inf), np.full((kept.size, most), np.inf)
    base = at.mu[0, kept] - load @ level - on_items @ given
    for i, item in enumerate(kept.tolist()):
        cuts = tau[plan.th_item == item] - base[i]
        upper[i, : cuts.size], lower[i, 1 : cuts.size + 1] = cuts, cuts
    on_level = A[:q, x]
    return Categories(load, level - on_level @ given, np.linalg.inv(own), sd, lower, upper, on_level, on_items)


def posterior_modes(model: Categories, answers: Ints, given: Array) -> Array:
    """(n, q) modes of the posterior of constructs given ordinal answers (EBM), Newton steps over all rows at once.

    Parameters:
        answers: (n, p) categories from 0; -1 where absent. given: (n, x) variables that the model is conditional on.

    Source:
        Bartholomew, Knott & Moustaki (2011), Latent variable models and factor analysis, 7.
    """
    item = np.arange(answers.shape[1])
    seen = answers >= 0
    low = np.where(seen, model.lower[item, np.maximum(answers, 0)], -np.inf)
    high = np.where(seen, model.upper[item, np.maximum(answers, 0)], np.inf)
    shift = given @ model.on_items.T
    low, high, level = low - shift, high - shift, model.level + given @ model.on_level.T
    eta = level.copy()
    value = _log_posterior(model, low, high, eta - level, eta)
    for _ in range(ROUNDS):
        slope, weight = _item_slopes(model, low, high, eta)
        gradient = slope @ model.load - (eta - level) @ model.precision
        H = np.einsum("np,pa,pb->nab", weight, model.load, model.load) + model.precision
        step = np.linalg.solve(H, gradient[:, :, None])[:, :, 0]
        factor = np.ones(len(eta))
        for _ in range(30):
            trial = eta + factor[:, None] * step
            reached = _log_posterior(model, low, high, trial - level, trial)
            worse = ~(reached >= value - 1e-12)
            if not worse.any():
                break
            factor[worse] /= 2
        eta, value = trial, reached
        if np.abs(step).max(initial=0.0) < SETTLED:
            break
    return eta


def _log_posterior(model: Categories, low: Array, high: Array, z: Array, eta: Array) -> Array:
    """(n,) log posterior, up to a constant; z (n, q) is eta less its prior mean."""
    mean = eta @ model.load.T
    inside = _log_probability((low - mean) / model.sd, (high - mean) / model.sd)
    return np.asarray(inside.sum(axis=1) - 0.5 * np.einsum("nq,qr,nr->n", z, model.precision, z), dtype=np.float64)


def _log_probability(a: Array, b: Array) -> Array:
    """log(Phi(b) - Phi(a)), in the tail where it loses no digits."""
    with np.errstate(invalid="ignore"):
        flip = a + b > 0
    low, high = np.where(flip, -b, a), np.where(flip, -a, b)
    top, rest = log_ndtr(high), log_ndtr(low)
    with np.errstate(divide="ignore"):
        return np.asarray(top + np.log1p(-np.exp(rest - top)), dtype=np.float64)


def _item_slopes(model: Categories, low: Array, high: Array, eta: Array) -> tuple[Array, Array]:
    """(n, p) slope of each item's log probability by its latent response's mean, and minus its second derivative."""
    mean = eta @ model.load.T
    a, b = (low - mean) / model.sd, (high - mean) / model.sd
    base = _log_probability(a, b)
    fa, fb = (np.exp(-0.5 * np.square(x) - 0.5 * np.log(2 * np.pi) - base) for x in (a, b))
    aa, bb = np.where(np.isfinite(a), a, 0.0), np.where(np.isfinite(b), b, 0.0)
    slope = (fa - fb) / model.sd
    curve = slope**2 + (bb * fb - aa * fa) / model.sd**2
    return slope, np.asarray(curve, dtype=np.float64)
