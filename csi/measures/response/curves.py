"""Curves of items: the probability of each category along theta, its derivatives, and the information it carries.

An item's own parameters are a slope and K intercepts: `own` (i, 1 + K), -inf beyond an item's last category.

    cumulative (graded response):  P(Y >= c) = F(a theta + d_c), d_1 > ... > d_K
    adjacent (partial credit):     P(Y = c) proportional to exp(c a theta + d_c), d_0 = 0

Letters: `i` items, `Q` points of theta, `K` thresholds at most, `C = K + 1` categories at most.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit, logsumexp

from csi.measures.response.ordered import derivatives, log_probabilities
from csi.moments.stack import Array

Family = Literal["cumulative", "adjacent"]
LEAST = -745.0
"""Of a log-probability: the smallest that exp does not make zero."""


def log_curves(family: Family, own: Array, theta: Array) -> Array:
    """(i, Q, C) log P(Y = c | theta).

    Example:
        >>> own = np.array([[1.0, 1.0, -1.0]])
        >>> np.exp(log_curves("cumulative", own, np.zeros(1))).round(3).tolist()
        [[[0.269, 0.462, 0.269]]]
        >>> np.exp(log_curves("adjacent", own, np.zeros(1))).round(3).tolist()
        [[[0.245, 0.665, 0.09]]]
    """
    if family == "cumulative":
        return np.maximum(log_probabilities(own[:, :1] * theta, own[:, 1:]), LEAST)
    steps = np.arange(own.shape[1])
    eta = own[:, :1, None] * theta[None, :, None] * steps
    eta[:, :, 1:] += own[:, None, 1:]
    return np.asarray(np.maximum(eta - logsumexp(eta, axis=2, keepdims=True), LEAST))


def scores_of(family: Family, own: Array, theta: Array) -> Array:
    """(i, Q, C, 1 + K) derivative of log P(Y = c | theta) for the item's own parameters; 0 where it has none."""
    i, K = own.shape[0], own.shape[1] - 1
    found, at = np.zeros((i, theta.size, K + 1, K + 1)), np.arange(K)
    if family == "cumulative":
        F = expit(own[:, :1, None] * theta[None, :, None] + own[:, None, 1:])
        known = np.isfinite(own[:, 2:])
        gap = np.where(known, own[:, 1:-1] - np.where(known, own[:, 2:], 0), np.inf)
        with np.errstate(over="ignore"):
            u = (1 / np.expm1(gap))[:, None, :]
        found[:, :, at + 1, at + 1] = 1 - F
        found[:, :, at, at + 1] = -F
        found[:, :, at[1:], at[:-1] + 1] += u
        found[:, :, at[1:], at[1:] + 1] -= u
        found[:, :, :, 0] = theta[None, :, None] * found[:, :, :, 1:].sum(axis=3)
    else:
        P = np.exp(log_curves(family, own, theta))
        steps = np.arange(K + 1)
        found[:, :, at + 1, at + 1] = 1
        found[:, :, :, 1:] -= P[:, :, None, 1:]
        found[:, :, :, 0] = theta[None, :, None] * (steps - (P @ steps)[:, :, None])
    return np.where(np.isfinite(own)[:, None, None, :], found, 0.0)


def complete(family: Family, own: Array, theta: Array, counts: Array) -> tuple[Array, Array, Array]:
    """Of expected counts at points of theta: log-likelihood (i,), gradient (i, 1 + K), information (i, 1 + K, 1 + K).

    Parameters:
        counts: (i, Q, C).
    """
    if family == "cumulative":
        return derivatives(theta[:, None], own[:, :1], own[:, 1:], counts)
    logs = log_curves(family, own, theta)
    P, steps = np.exp(logs), np.arange(own.shape[1])
    n = counts.sum(axis=2)
    left = counts - n[:, :, None] * P
    gradient = left.sum(axis=1)
    gradient[:, 0] = np.einsum("iqc,q,c->i", left, theta, steps, optimize=True)
    mean = P @ steps
    info = np.zeros((len(own), steps.size, steps.size))
    info[:, 0, 0] = np.einsum("iq,q->i", n * (P @ steps**2 - mean**2), theta**2)
    info[:, 0, 1:] = np.einsum("iqc,iq->ic", P[:, :, 1:] * (steps[1:] - mean[:, :, None]), n * theta)
    info[:, 1:, 0] = info[:, 0, 1:]
    weighed = P[:, :, 1:] * n[:, :, None]
    info[:, 1:, 1:] = -np.einsum("iqc,iqd->icd", weighed, P[:, :, 1:], optimize=True)
    at = np.arange(1, steps.size)
    info[:, at, at] += weighed.sum(axis=1)
    absent = np.nonzero(~np.isfinite(own))
    gradient[absent] = 0
    info[absent[0], absent[1], absent[1]] = 1
    return np.einsum("iqc,iqc->i", counts, logs), gradient, info


def information(family: Family, own: Array, theta: Array) -> Array:
    """(i, Q) Fisher information of each item about theta.

    a^2 sum_c P_c (1 - F_c - F_(c+1))^2 of cumulative items, a^2 var(Y | theta) of adjacent ones.

    Source:
        Samejima (1969), Psychometrika Monograph 17; Muraki (1993), Applied Psychological Measurement 17.

    Example:
        >>> information("cumulative", np.array([[2.0, 0.0]]), np.zeros(1)).tolist()
        [[1.0]]
    """
    P = np.exp(log_curves(family, own, theta))
    if family == "adjacent":
        steps = np.arange(own.shape[1])
        return np.asarray(own[:, :1] ** 2 * (P @ steps**2 - (P @ steps) ** 2))
    F = expit(own[:, :1, None] * theta[None, :, None] + own[:, None, 1:])
    edge = np.zeros((*F.shape[:2], 1))
    slopes = 1 - np.concatenate([edge + 1, F], axis=2) - np.concatenate([F, edge], axis=2)
    return np.asarray(own[:, :1] ** 2 * (P * slopes**2).sum(axis=2))
