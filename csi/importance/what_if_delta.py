"""What levers go with in a covariance fit, as a function of its parameters, and its covariance by the delta method.

Letters: `k` parameters, `p` items, `L` levers, `K` constructs that are told, `b` cells.
"""

from __future__ import annotations

import numpy as np

from csi.estimate.estimate import Solution
from csi.importance.points import Asked, Values, both, by_items
from csi.measures.standardised import STEP
from csi.moments.stack import Array
from csi.sem.fitted import Fitted
from csi.sem.implied import matrices


def responses(fit: Fitted, solution: Solution, span: Array, asked: Asked) -> tuple[Array, Array]:
    """Responses in points of a one-group fit without replicates, and their covariances.

    Parameters:
        solution: of the fit. span: (p,) theoretical maximum - minimum of its items. asked: whose responses.

    Returns:
        (b, K + 1, L) responses, and (b, (K + 1) L, (K + 1) L) covariances.

    Source:
        Sobel (1982), Sociological Methodology 13, 290-312; derivatives by complex steps.
    """
    value, cov = [], []
    flat, k = fit.flats[0], fit.theta.shape[1]
    for s in range(len(fit.theta)):
        own = _at(fit, solution, span, asked, flat[[s]], fit.theta[[s]].astype(np.complex128))
        moved = fit.theta[s] + 1j * STEP * np.eye(k)
        slopes = _at(fit, solution, span, asked, np.repeat(flat[[s]], k, axis=0), moved).imag / STEP
        J = slopes.reshape(k, -1)
        value.append(own.real[0])
        cov.append(J.T @ fit.vcov[s] @ J)
    return np.stack(value), np.stack(cov)


def _at(fit: Fitted, solution: Solution, span: Array, asked: Asked, flat: Array, theta: Values) -> Values:
    """(m, K + 1, L) responses at parameters theta (m, k), analytic in them."""
    block = fit.layout.blocks[0]
    inside = matrices(block, flat, theta)
    latent = [block.latent.index(c) for c in solution.constructs]
    at = [block.observed.index(i) for i in solution.items]
    loading = inside.Lambda[:, at, np.array(latent)[solution.block]]
    factor = loading / inside.Theta[:, at, at]
    ends = [solution.block == j for j in range(len(latent))]
    one = np.ones(len(theta), dtype=theta.dtype)
    parts = [100 * (factor * loading)[:, e].sum(1) / (factor * span)[:, e].sum(1) if e.any() else one for e in ends]
    unit = np.stack(parts, axis=1)
    whole = np.stack([(factor * span)[:, e].sum(1) if e.any() else one for e in ends], axis=1)
    found = both(inside.Beta[:, latent][:, :, latent] * unit[:, :, None] / unit[:, None, :], asked)
    return by_items(found, factor * span / whole[:, solution.block], asked)
