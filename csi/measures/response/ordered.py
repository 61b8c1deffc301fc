"""Cumulative logits in batches: P(Y >= c | x) = F(x'b + d_c), d_1 > ... > d_K, over counts at covariate values.

It is the proportional-odds regression of fairness tables, and the M-step of the graded response model.

Letters: `i` items (problems of the batch), `s` covariate values, `v` covariates, `K` thresholds, `C = K + 1`
categories. An item with fewer categories than the batch has d = -inf beyond its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit

from csi.moments.stack import Array

STEPS, HALVINGS = 60, 40
SETTLED = 1e-13
"""Rise of the log-likelihood per answer that another step would bring, below which it is the maximum."""

STEEP = 30.0
"""Beyond this a coefficient has no finite estimate: the categories are separated."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A batch of fits: slope (i, v), cut (i, K), loglik (i,), information (i, v + K, v + K), separated (i,)."""

    slope: Array
    cut: Array
    loglik: Array
    information: Array
    separated: npt.NDArray[np.bool_]


def log_probabilities(line: Array, cut: Array) -> Array:
    """(i, s, C) log P(Y = c), without cancellation in the tails.

    log F(z_c) + log F(-z_(c+1)) + log(1 - exp(-(d_c - d_(c+1)))), the outer terms zero at the ends.

    Parameters:
        line: (i, s) x'b. cut: (i, K) decreasing, -inf for categories an item has not.

    Example:
        >>> np.exp(log_probabilities(np.zeros((1, 1)), np.array([[1.0, -1.0]]))).round(3).tolist()
        [[[0.269, 0.462, 0.269]]]
    """
    z = line[:, :, None] + cut[:, None, :]
    found = np.zeros((*line.shape, cut.shape[1] + 1))
    found[:, :, 1:] += log_expit(z)
    found[:, :, :-1] += log_expit(-z)
    found[:, :, 1:-1] += np.log(-np.expm1(-_gaps(cut)))[:, None, :]
    return found


def _gaps(cut: Array) -> Array:
    """(i, K - 1) d_c - d_(c+1); inf where the item has no category c + 1."""
    known = np.isfinite(cut[:, 1:])
    gap = cut[:, :-1] - np.where(known, cut[:, 1:], 0)
    return np.where(known, gap, np.inf)


def derivatives(x: Array, slope: Array, cut: Array, counts: Array) -> tuple[Array, Array, Array]:
    """Log-likelihood (i,), gradient (i, v + K) and information (i, v + K, v + K), minus the Hessian, of counts.

    Parameters:
        x: (i, s, v) or (s, v). slope: (i, v). cut: (i, K). counts: (i, s, C), may be fractions.

    Source:
        McCullagh (1980), JRSS B 42, 109-142. The Hessian is negative definite (Pratt, 1981, JASA 76).
    """
    i, v, K = len(cut), slope.shape[1], cut.shape[1]
    x = np.broadcast_to(x, (i, *x.shape[-2:]))
    line = np.einsum("isv,iv->is", x, slope)
    F = expit(line[:, :, None] + cut[:, None, :])
    known = np.isfinite(cut)
    gap = _gaps(cut)
    with np.errstate(over="ignore", divide="ignore"):
        u = 1 / np.expm1(gap)
    above, below = counts[:, :, 1:], counts[:, :, :-1]
    e = above * (1 - F) - below * F
    f = F * (1 - F) * (above + below)
    inner = counts[:, :, 1:-1].sum(axis=1)
    gradient, info = np.zeros((i, v + K)), np.zeros((i, v + K, v + K))
    gradient[:, :v] = np.einsum("isv,is->iv", x, e.sum(axis=2))
    gradient[:, v:] = e.sum(axis=1)
    gradient[:, v:-1] += inner * u
    gradient[:, v + 1 :] -= inner * u
    info[:, :v, :v] = np.einsum("isv,is,isw->ivw", x, f.sum(axis=2), x, optimize=True)
    info[:, :v, v:] = np.einsum("isv,isk->ivk", x, f)
    info[:, v:, :v] = info[:, :v, v:].transpose(0, 2, 1)
    at, push = np.arange(v, v + K), inner * u * (1 + u)
    info[:, at, at] += f.sum(axis=1)
    info[:, at[:-1], at[:-1]] += push
    info[:, at[1:], at[1:]] += push
    info[:, at[:-1], at[1:]] -= push
    info[:, at[1:], at[:-1]] -= push
    absent = np.concatenate([np.zeros((i, v), bool), ~known], axis=1)
    gradient[absent] = 0
    where = np.nonzero(absent)
    info[where[0], where[1], where[1]] = 1
    return loglik_of(line, cut, counts), gradient, info


def loglik_of(line: Array, cut: Array, counts: Array) -> Array:
    """(i,) log-likelihood; -inf where cuts are out of order."""
    wrong = np.asarray((_gaps(cut) <= 0).any(axis=1))
    safe = np.where(wrong[:, None], -np.arange(cut.shape[1])[None, :] * 1.0, cut)
    logs = np.maximum(log_probabilities(line, safe), -1e6)
    found = np.einsum("isc,isc->i", counts, logs)
    return np.where(wrong, -np.inf, found)


def start_cuts(counts: Array) -> Array:
    """(i, K) log odds of the marginal shares, -inf beyond an item's last category.

    Parameters:
        counts: (i, s, C); categories of an item are its first ones, all used.
    """
    total = counts.sum(axis=1)
    above = total[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    below = total.sum(axis=1)[:, None] - above
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(above) - np.log(below))


def ordered_logit(x: Array, counts: Array, start: Ordered | None = None) -> Ordered:
    """Maximum likelihood for every problem of the batch at once: Newton with step halving.

    Parameters:
        x: (i, s, v) covariate values, v may be 0. counts: (i, s, C) how often each category was given there.
        start: a fit with the first of the covariates to begin at.

    Returns:
        Ordered; `separated` where a coefficient runs away (its log-likelihood is the limit's).

    Example:
        >>> x = np.array([[[0.0], [1.0]]])
        >>> fit = ordered_logit(x, np.array([[[30.0, 10.0], [10.0, 30.0]]]))
        >>> fit.slope.round(4).tolist(), fit.loglik.round(3).tolist()
        ([[2.1972]], [-44.987])
    """
    i, v = len(counts), x.shape[2]
    slope, cut = np.zeros((i, v)), start_cuts(counts) if start is None else start.cut
    if start is not None:
        slope[:, : start.slope.shape[1]] = start.slope
    K = cut.shape[1]
    live = np.ones(i, bool)
    loglik, gradient, info = derivatives(x, slope, cut, counts)
    size = np.maximum(counts.sum(axis=(1, 2)), 1)
    for _ in range(STEPS):
        step = np.linalg.solve(info + 1e-12 * np.eye(v + K), gradient[:, :, None])[:, :, 0]
        rise = np.einsum("ik,ik->i", step, gradient)
        live = live & (rise > SETTLED * size) & np.logical_not(_steep(slope))
        if not live.any():
            break
        scale = live.astype(float)
        for _ in range(HALVINGS):
            a, c = slope + scale[:, None] * step[:, :v], cut + scale[:, None] * step[:, v:]
            line = np.einsum("isv,iv->is", x, a)
            worse = loglik_of(line, c, counts) < loglik - 1e-12 * np.abs(loglik)
            if not worse.any():
                break
            scale = np.where(worse, scale / 2, scale)
        slope, cut = a, c
        loglik, gradient, info = derivatives(x, slope, cut, counts)
    return Ordered(slope, cut, loglik, info, _steep(slope) | live)


def _steep(slope: Array) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(slope) > STEEP).any(axis=1))
