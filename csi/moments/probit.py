"""Each item regressed on given variables: ordered probit for ordinal items, least squares for continuous ones.

Letters: `n` rows, `x` given variables, `k` categories, `d` parameters of one regression: thresholds (or minus the
intercept) first, then slopes, then the residual variance of a continuous item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.bivariate_normal import FAR, LEAST
from csi.moments.polychoric import cut_points
from csi.moments.polyserial import between
from csi.moments.stack import Array, Ints

STEPS = 60
"""Newton steps at most; the likelihood of an ordered probit is concave, so that few are needed."""

SETTLED = 1e-10
"""The search ends when the next step would raise the log likelihood by less than this."""

SHORT = 1e-4
"""A search that has settled has steps shorter than this."""

STEEP = 25.0
"""A slope beyond this (per standard deviation of its variable) says that answers are separated: it has no maximum."""


@dataclass(frozen=True, slots=True)
class Regression:
    """One item on the given variables.

    Attributes:
        cuts: (k - 1,) thresholds, or minus the intercept (1,) of a continuous item. slopes: (x,). variance: residual
            variance, 1 for an ordinal item. settled: whether the likelihood has a maximum, which was found.
    """

    cuts: Array
    slopes: Array
    variance: float
    settled: bool


def probit(codes: Ints, Z: Array, w: Array, k: int, start: Regression | None = None) -> Regression:
    """Ordered probit regression by Newton's method.

    P(X = a | z) = Phi(tau_a - b'z) - Phi(tau_(a-1) - b'z)

    Parameters:
        codes: (n,) categories from 0, none absent. Z: (n, x). w: (n,) weights. k: categories.
        start: where to begin; else thresholds of the margins and slopes of 0.

    Source: Aitchison & Silvey (1957), Biometrika 44; McKelvey & Zavoina (1975), J. of Mathematical Sociology 4.

    Example:
        >>> codes, z = np.array([0, 0, 1, 0, 1, 1]), np.array([[-1.0], [0.0], [1.0], [1.0], [-1.0], [0.0]])
        >>> found = probit(codes, z, np.ones(6), 2)
        >>> found.cuts.round(6).tolist(), found.slopes.round(6).tolist()
        ([0.0], [0.0])
    """
    onehot = (codes[:, None] == np.arange(k)).astype(np.float64)
    theta = np.concatenate([cut_points(w @ onehot), np.zeros(Z.shape[1])])
    if start is not None:
        theta = np.concatenate([start.cuts, start.slopes])
    value = _likelihood(codes, Z, w, theta, k)
    settled = False
    for _ in range(STEPS):
        slope, H = _derivatives(codes, Z, w, theta, k, onehot)
        try:
            step = np.asarray(np.linalg.solve(H, slope), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all() or np.abs(theta[k - 1 :]).max(initial=0.0) > STEEP:
            break
        theta, value, moved = _moved(codes, Z, w, theta, step, value, k)
        if float(slope @ step) < SETTLED or not moved:  # separated answers: nothing is gained, but steps stay long
            settled = bool(np.abs(step).max() < SHORT)
            break
    return Regression(theta[: k - 1], theta[k - 1 :], 1.0, settled)


def _moved(
    codes: Ints, Z: Array, w: Array, theta: Array, step: Array, value: float, k: int
) -> tuple[Array, float, bool]:
    """The parameters after the longest of the step and its halves that does not lower the likelihood."""
    for _ in range(30):
        new = theta + step
        risen = _likelihood(codes, Z, w, new, k)
        if risen >= value - 1e-12 * abs(value):
            return new, risen, True
        step = step / 2
    return theta, value, False


def limits(codes: Ints, cuts: Array, eta: Array) -> tuple[Array, Array]:
    """(n,) the thresholds below and above each answer, less what the given variables predict.

    Parameters:
        codes: (n,) categories from 0. cuts: (k - 1,). eta: (n,) predicted latent response.

    Example:
        >>> [t.tolist() for t in limits(np.array([0, 1]), np.array([0.5]), np.array([0.0, 0.2]))]
        [[-38.0, 0.3], [0.5, 38.0]]
    """
    full = np.concatenate([[-np.inf], cuts, [np.inf]])
    return np.clip(full[codes] - eta, -FAR, FAR), np.clip(full[codes + 1] - eta, -FAR, FAR)


def _likelihood(codes: Ints, Z: Array, w: Array, theta: Array, k: int) -> float:
    """The log likelihood; minus infinity where thresholds are out of order."""
    if k > 2 and (np.diff(theta[: k - 1]) <= 0).any():
        return -np.inf
    low, high = limits(codes, theta[: k - 1], Z @ theta[k - 1 :])
    return float(w @ np.log(between(low, high)))


def edge_densities(low: Array, high: Array) -> tuple[Array, Array]:
    """Densities at both limits over the probability between them: (n,) each.

    Example:
        >>> [round(float(r[0]), 4) for r in edge_densities(np.array([-38.0]), np.array([0.0]))]
        [0.0, 0.7979]
    """
    chance = between(low, high)
    below, above = (np.exp(np.maximum(-0.5 * t * t, LEAST)) / np.sqrt(2 * np.pi) / chance for t in (low, high))
    return below, above


def _derivatives(codes: Ints, Z: Array, w: Array, theta: Array, k: int, onehot: Array) -> tuple[Array, Array]:
    """Gradient (d,) and minus the Hessian (d, d) of the log likelihood."""
    low, high = limits(codes, theta[: k - 1], Z @ theta[k - 1 :])
    below, above = edge_densities(low, high)
    hh, ll, hl = -high * above - above**2, low * below - below**2, above * below
    own, under = (w * (hh + hl))[:, None] * Z, (w * (ll + hl))[:, None] * Z
    columns = np.stack([w * above, w * below, w * hh, w * ll, w * hl], axis=1)
    sums = onehot.T @ np.concatenate([columns, own, under], axis=1)
    x, t = Z.shape[1], k - 1
    slope = np.concatenate([sums[:-1, 0] - sums[1:, 1], -(w * (above - below)) @ Z])
    H = np.zeros((t + x, t + x))
    H[range(t), range(t)] = sums[:-1, 2] + sums[1:, 3]
    H[range(t - 1), range(1, t)] = H[range(1, t), range(t - 1)] = sums[1:-1, 4]
    H[:t, t:] = -(sums[:-1, 5 : 5 + x] + sums[1:, 5 + x :])
    H[t:, :t] = H[:t, t:].T
    H[t:, t:] = ((w * (hh + 2 * hl + ll))[:, None] * Z).T @ Z
    return slope, -H


def probit_scores(codes: Ints, Z: Array, found: Regression) -> Array:
    """(n, d) casewise scores by thresholds and slopes.

    Example:
        >>> found = Regression(np.array([0.0]), np.array([0.0]), 1.0, True)
        >>> probit_scores(np.array([0, 1]), np.ones((2, 1)), found).round(4).tolist()
        [[0.7979, -0.7979], [-0.7979, 0.7979]]
    """
    below, above = edge_densities(*limits(codes, found.cuts, Z @ found.slopes))
    a = np.arange(found.cuts.size)
    first = above[:, None] * (codes[:, None] == a) - below[:, None] * (codes[:, None] == a + 1)
    return np.concatenate([first, -(above - below)[:, None] * Z], axis=1)


def least_squares(y: Array, Z: Array, w: Array) -> Regression:
    """A continuous item on the given variables, residual variance with the weights' sum as divisor.

    Parameters:
        y: (n,) none absent. Z: (n, x). w: (n,) weights.

    Example:
        >>> found = least_squares(np.array([1.0, 2.0, 4.0]), np.array([[-1.0], [0.0], [1.0]]), np.ones(3))
        >>> (-found.cuts).round(4).tolist(), found.slopes.round(4).tolist(), round(found.variance, 4)
        ([2.3333], [1.5], 0.0556)
    """
    X = np.column_stack([np.ones(y.size), Z])
    b = np.linalg.lstsq(X * np.sqrt(w)[:, None], y * np.sqrt(w), rcond=None)[0]
    e = y - X @ b
    variance = float(w @ (e * e) / w.sum())
    return Regression(-b[:1], b[1:], variance, variance > 0)


def normal_scores(y: Array, Z: Array, found: Regression) -> Array:
    """(n, d) casewise scores by minus the intercept, slopes and residual variance.

    Example:
        >>> found = Regression(np.array([0.0]), np.array([0.0]), 4.0, True)
        >>> normal_scores(np.array([2.0]), np.ones((1, 1)), found).tolist()
        [[-0.5, 0.5, 0.0]]
    """
    e, v = y + found.cuts[0] - Z @ found.slopes, found.variance
    return np.concatenate([-e[:, None] / v, e[:, None] * Z / v, ((e * e / v - 1) / (2 * v))[:, None]], axis=1)
