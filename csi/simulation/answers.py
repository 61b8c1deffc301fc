"""From normal responses to answers on a scale: cut points, their moments, and covariances without sampling.

A latent response `y ~ N(0, 1)` becomes `r(y) = location + spread (1 - exp(-skew y)) / skew` and is rounded into the
scale; what lies above the top answer is cut off, which gives the ceiling of real satisfaction data. Every answer
therefore has a cut point on the axis of `y`, and the moments of the answers are exact functions of the cut points.

Letters: `p` items, `j` cut points (answers minus one), `m` any leading axes (cells, segments).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from csi.moments.stack import Array

FAR = 12.0
"""Cut points beyond this are never crossed in double precision (phi(12) is 2e-32)."""


def cut_points(location: Array, spread: Array, skew: Array, minimum: Array, maximum: Array) -> Array:
    """Cut points of every item: `y >= tau[j]` gives at least the answer `minimum + j + 1`.

        tau_j = -log(1 - skew (minimum + j + 1/2 - location) / spread) / skew        (the limit without skew)

    Parameters:
        location: (p,) where a response of 0 lies, scale points.
        spread: (p,) scale points per unit of response at 0.
        skew: (p,) without unit; positive gives a long lower tail.
        minimum: (p,) lowest answer.
        maximum: (p,) highest answer.

    Returns:
        (p, j) with j the largest number of steps; items with fewer steps are padded with `FAR`.

    Example:
        >>> one = np.ones(1)
        >>> cut_points(3 * one, one, 0 * one, one, 5 * one).round(1)
        array([[-1.5, -0.5,  0.5,  1.5]])
    """
    step = np.arange(int(np.max(maximum - minimum)))
    a = (minimum[:, None] + step + 0.5 - location[:, None]) / spread[:, None]
    k = np.broadcast_to(skew[:, None], a.shape)
    bent = np.abs(k) > 1e-12
    inside = 1.0 - k * a
    tau = a.copy()
    crossed = bent & (inside > 0)
    tau[crossed] = -np.log(inside[crossed]) / k[crossed]
    never = bent & (inside <= 0)
    tau[never] = np.sign(k[never]) * FAR
    tau[step >= (maximum - minimum)[:, None]] = FAR
    return np.clip(tau, -FAR, FAR)


def mean_and_variance(tau: Array, minimum: Array) -> tuple[Array, Array]:
    """Mean and variance of the answers cut at `tau` (m, p, j): sums of `P(y >= tau_j)`.

        E x = min + sum_j Phi(-tau_j)        E (x - min)^2 = sum_j (2 j + 1) Phi(-tau_j)

    Example:
        >>> mean, variance = mean_and_variance(np.array([[0.0]]), np.ones(1))
        >>> mean, variance
        (array([1.5]), array([0.25]))
    """
    above = ndtr(-tau)
    mean = above.sum(-1)
    second = (above * (2 * np.arange(tau.shape[-1]) + 1)).sum(-1)
    return minimum + mean, second - mean**2


def covariance(tau: Array, cor: Array, tolerance: float = 1e-12) -> Array:
    """Covariances of the answers of two normal responses with correlation `cor`, for every pair of items, exactly.

        cov(x_a, x_b) = sum_n rho^n A_n(a) A_n(b),   A_n = sum_j phi(tau_j) He_{n-1}(tau_j) / sqrt(n (n-1)!)

    the tetrachoric series summed over all pairs of cut points; it is cut where rho^n falls under `tolerance`.

    Parameters:
        tau: (m, p, j) cut points.
        cor: (p, p) correlations of the responses, off-diagonal below 1 in absolute value.
        tolerance: where the series ends.

    Returns:
        (m, p, p); the diagonal is the exact variance.

    Source: Pearson (1900), the tetrachoric series; Kendall & Stuart, Advanced Theory of Statistics 2, 26.27.

    Example:
        >>> tau = np.zeros((2, 1))                              # two halves: cov = arcsin(rho) / (2 pi)
        >>> out = covariance(tau, np.array([[1.0, 0.5], [0.5, 1.0]]))
        >>> bool(np.isclose(out[0, 1], np.arcsin(0.5) / (2 * np.pi)))
        True
    """
    p = cor.shape[0]
    off = cor - np.diag(np.diag(cor))
    largest = min(max(float(np.abs(off).max()), 0.1), 1.0 - 1e-4)
    terms = int(np.ceil(np.log(tolerance) / np.log(largest)))
    density = np.exp(-0.5 * tau**2) / np.sqrt(2 * np.pi)
    now, before = density, np.zeros_like(density)
    power = off.copy()
    out = np.zeros((*tau.shape[:-2], p, p))
    for n in range(1, terms + 1):
        a = now.sum(-1) / np.sqrt(n)
        out += power * a[..., :, None] * a[..., None, :]
        now, before = (tau * now - np.sqrt(n - 1) * before) / np.sqrt(n), now
        power *= off
    _, variance = mean_and_variance(tau, np.zeros(p))
    out[..., np.arange(p), np.arange(p)] = variance
    return out


def calibrate(
    mean: Array, sd: Array, skew: Array, minimum: Array, maximum: Array, rounds: int = 2000
) -> tuple[Array, Array, Array]:
    """Location and spread that give the answers the stated mean and standard deviation (fixed-point iteration).

    Parameters:
        mean: (p,) of the answers, scale points.
        sd: (p,) of the answers, scale points.
        skew: (p,) see `cut_points`.
        minimum: (p,) lowest answer.
        maximum: (p,) highest answer.
        rounds: the most iterations.

    Returns:
        location (p,), spread (p,), and the largest miss of each item in scale points (p,): items that miss by more than
        about 1e-9 ask for a shape the scale cannot have.

    Example:
        >>> one = np.ones(1)
        >>> location, spread, miss = calibrate(7.6 * one, 1.8 * one, 0.2 * one, one, 10 * one)
        >>> bool(miss[0] < 1e-9)
        True
    """
    location, spread = mean.copy(), sd.copy()
    miss = np.full(mean.shape, np.inf)
    for _ in range(rounds):
        got, variance = mean_and_variance(cut_points(location, spread, skew, minimum, maximum), minimum)
        got_sd = np.sqrt(np.maximum(variance, 1e-12))
        miss = np.maximum(np.abs(got - mean), np.abs(got_sd - sd))
        if miss.max() < 1e-12:
            break
        location = np.clip(location + (mean - got), minimum - 5 * sd, maximum + 5 * sd)
        spread = np.clip(spread * sd / got_sd, 1e-3 * sd, 20 * sd)
    return location, spread, miss
