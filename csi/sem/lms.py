"""Latent moderated structural equations: the likelihood of a model with products of latents, by quadrature.

Given the moderators (the latents M that enter products) everything else is linear and normal, so rows follow a mixture:

    p(y) = sum_q w_q N(y; mu(z_q), Sigma(z_q)),   xi_M = alpha_M + L z,  L L' = Psi_MM
    Beta(z) = Beta + sum_t gamma_t xi_t(z) e_out e_other',   zeta | z ~ N(F z, Psi - F F'),  F = Psi_.M L^-T

The gradient is exact (Fisher's identity: that of the complete-data likelihood at the posterior weights); derivatives of
mu and Sigma are by complex steps.

Source:
    Klein & Moosbrugger (2000), Psychometrika 65(4):457-474.

Letters: `n` rows, `p` items, `m` latents, `r` moderators, `Q` nodes, `k` parameters (the layout's, then gammas),
`b` slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array
from csi.sem.implied import Values, matrices
from csi.sem.layout import Block

REACH = {1: 6.0, 2: 5.0, 3: 4.5}
"""How far the nodes reach, in standard deviations."""
WIDTH = {1: 0.9, 2: 1.2, 3: 1.5}
"""Distance of nodes, in standard deviations of a moderator given its items; error about exp(-2 pi^2 / width^2)."""
MOST = {1: 151, 2: 41, 3: 15}
"""Nodes per moderator at most."""
STEP = 1e-20


@dataclass(frozen=True, slots=True)
class Terms:
    """The products of a model, as places among the latents.

    Attributes:
        moderators: (r,) latents that are held at the nodes. outcome, moderator, other: per product, places of the
            outcome and the other part among the latents, and of the moderator among `moderators`.
    """

    moderators: tuple[int, ...]
    outcome: tuple[int, ...]
    moderator: tuple[int, ...]
    other: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.outcome)


@dataclass(frozen=True, slots=True)
class Given:
    """Moments given the nodes: mu (b, Q, p), Sigma (b, Q, p, p), and those of the latents (b, Q, m), (b, Q, m, m)."""

    mu: Values
    Sigma: Values
    level: Values
    Phi: Values


def nodes_of(spread: Array) -> tuple[Array, Array]:
    """(Q, r) nodes and (Q,) weights of the standard normal distribution: an evenly spaced grid.

    Sums over an even grid are as exact as Gauss-Hermite sums once its steps are fine against what is integrated, and
    the step can be chosen: rows that tell their moderator precisely need more nodes.

    Parameters:
        spread: (r,) standard deviations of the moderators (scaled to 1) given their items.

    Source: Trefethen & Weideman (2014), SIAM Review 56(3) (the trapezoidal rule).

    Example:
        >>> z, w = nodes_of(np.array([0.5]))
        >>> len(w), round(float(w @ z[:, 0] ** 4), 4)
        (29, 3.0)
    """
    r = len(spread)
    axes = []
    for sd in spread:
        half = int(min(np.ceil(REACH[r] / (WIDTH[r] * sd)), MOST[r] // 2))
        axes.append(np.linspace(-REACH[r], REACH[r], 2 * half + 1))
    grid = np.meshgrid(*axes, indexing="ij")
    z = np.stack([g.ravel() for g in grid], axis=1)
    w = np.exp(-0.5 * (z**2).sum(axis=1))
    return z, w / w.sum()


def precision(Phi: Array, Lambda: Array, Sigma: Array, moderators: tuple[int, ...]) -> Array:
    """(r,) standard deviations of the moderators, scaled to 1, given the items of a row.

    Parameters:
        Phi: (m, m), Lambda: (p, m), Sigma: (p, p) of the linear model.

    Example:
        >>> precision(np.eye(1), np.ones((1, 1)), 2 * np.eye(1), (0,)).round(6)
        array([0.707107])
    """
    M = list(moderators)
    cross = (Phi @ Lambda.T)[M]
    left = Phi[np.ix_(M, M)] - cross @ np.linalg.solve(Sigma, cross.T)
    root = np.linalg.inv(np.linalg.cholesky(Phi[np.ix_(M, M)]))
    out: Array = np.sqrt(np.clip(np.diagonal(root @ left @ root.T), 1e-4, 1.0))
    return out


def given(block: Block, flat: Array, theta: Values, terms: Terms, z: Array) -> Given:
    """Moments of items and latents given the moderators' nodes.

    Parameters:
        flat: (size,) fixed values. theta: (b, k) parameters of the layout, then gammas. z: (Q, r) nodes.
    """
    k = theta.shape[1] - len(terms)
    at = matrices(block, np.broadcast_to(flat, (len(theta), flat.size)), theta[:, :k])
    M = list(terms.moderators)
    L = lower_root(at.Psi[:, M][:, :, M])
    F = at.Psi[:, :, M] @ np.linalg.inv(L).swapaxes(1, 2)
    moderators = at.alpha[:, None, M] + z @ L.swapaxes(1, 2)
    m = at.Psi.shape[1]
    Beta = np.repeat(at.Beta[:, None], len(z), axis=1)
    for t in range(len(terms)):
        Beta[:, :, terms.outcome[t], terms.other[t]] += theta[:, k + t, None] * moderators[:, :, terms.moderator[t]]
    A = np.linalg.inv(np.eye(m) - Beta)
    rest = at.Psi - F @ F.swapaxes(1, 2)
    level = (A @ (at.alpha[:, None] + z @ F.swapaxes(1, 2))[..., None])[..., 0]
    Phi = A @ rest[:, None] @ A.swapaxes(2, 3)
    Lambda = at.Lambda[:, None]
    mu = at.nu[:, None] + (Lambda @ level[..., None])[..., 0]
    return Given(mu, Lambda @ Phi @ Lambda.swapaxes(2, 3) + at.Theta[:, None], level, Phi)


def lower_root(S: Values) -> Values:
    """(b, r, r) Cholesky factor, analytic in S.

    Example:
        >>> lower_root(np.array([[[4.0, 2.0], [2.0, 5.0]]])).tolist()
        [[[2.0, 0.0], [1.0, 2.0]]]
    """
    L = np.zeros_like(S)
    for j in range(S.shape[1]):
        L[:, j, j] = np.sqrt(S[:, j, j] - (L[:, j, :j] ** 2).sum(axis=1))
        for i in range(j + 1, S.shape[1]):
            L[:, i, j] = (S[:, i, j] - (L[:, i, :j] * L[:, j, :j]).sum(axis=1)) / L[:, j, j]
    return L


@dataclass(frozen=True, slots=True)
class Data:
    """Rows (n, p) with weights (n,), and the nodes: z (Q, r) with their weights (Q,)."""

    rows: Array
    weight: Array
    z: Array
    node: Array


def densities(data: Data, mu: Array, Sigma: Array) -> tuple[Array, Array, Array]:
    """Log-likelihood of each row (n,), posterior weights of the nodes (n, Q) and Sigma^-1 (Q, p, p).

    Raises:
        numpy.linalg.LinAlgError: a Sigma that is not positive definite.
    """
    root = np.linalg.cholesky(Sigma)
    inverse = np.linalg.inv(Sigma)
    logdet = 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    log = np.empty((len(data.rows), len(mu)))
    for q, centre in enumerate(mu):
        d = data.rows - centre
        log[:, q] = -0.5 * (((d @ inverse[q]) * d).sum(axis=1) + logdet[q])
    log += np.log(data.node) - 0.5 * mu.shape[1] * np.log(2 * np.pi)
    top = log.max(axis=1, keepdims=True)
    share = np.exp(log - top)
    total = share.sum(axis=1, keepdims=True)
    rows: Array = (top + np.log(total))[:, 0]
    return rows, share / total, np.asarray(inverse)


def slopes(block: Block, flat: Array, theta: Array, terms: Terms, z: Array) -> tuple[Array, Array]:
    """Derivatives of mu (k, Q, p) and Sigma (k, Q, p, p) by every parameter."""
    moved = given(block, flat, theta + 1j * STEP * np.eye(len(theta)), terms, z)
    return moved.mu.imag / STEP, moved.Sigma.imag / STEP


def log_likelihood(block: Block, flat: Array, theta: Array, terms: Terms, data: Data) -> tuple[float, Array]:
    """The log-likelihood and its gradient (k,); -inf where the model implies no covariance matrix.

    Parameters:
        theta: (k,) parameters of the layout, then gammas.
    """
    at = given(block, flat, theta[None], terms, data.z)
    mu, Sigma = at.mu[0], at.Sigma[0]
    try:
        rows, share, inverse = densities(data, mu, Sigma)
    except np.linalg.LinAlgError:
        return -np.inf, np.zeros_like(theta)
    held = share * data.weight[:, None]
    dmu, dSigma = slopes(block, flat, theta, terms, data.z)
    gradient = np.zeros_like(theta)
    for q in range(len(mu)):
        d = data.rows - mu[q]
        S = (d * held[:, q, None]).T @ d
        G = 0.5 * (inverse[q] @ S @ inverse[q] - held[:, q].sum() * inverse[q])
        g = inverse[q] @ (held[:, q] @ d)
        gradient += np.einsum("kij,ij->k", dSigma[:, q], G) + dmu[:, q] @ g
    return float(data.weight @ rows), gradient


def row_scores(block: Block, flat: Array, theta: Array, terms: Terms, data: Data) -> Array:
    """(n, k) derivatives of each row's log-likelihood."""
    at = given(block, flat, theta[None], terms, data.z)
    mu, Sigma = at.mu[0], at.Sigma[0]
    _, share, inverse = densities(data, mu, Sigma)
    dmu, dSigma = slopes(block, flat, theta, terms, data.z)
    out = np.zeros((len(data.rows), len(theta)))
    for q in range(len(mu)):
        u = (data.rows - mu[q]) @ inverse[q]
        square = np.einsum("ni,nj->nij", u, u).reshape(len(u), -1)
        trace = np.einsum("kij,ij->k", dSigma[:, q], inverse[q])
        each = u @ dmu[:, q].T + 0.5 * (square @ dSigma[:, q].reshape(len(theta), -1).T - trace)
        out += share[:, q, None] * each
    return out


def information(block: Block, flat: Array, theta: Array, terms: Terms, data: Data, scale: Array) -> Array:
    """(k, k) observed information: minus the central differences of the exact gradient.

    Parameters:
        scale: (k,) standard errors or the like, which set the steps.
    """
    out = np.empty((theta.size, theta.size))
    for i, width in enumerate(1e-3 * scale):
        step = np.zeros_like(theta)
        step[i] = width
        above = log_likelihood(block, flat, theta + step, terms, data)[1]
        below = log_likelihood(block, flat, theta - step, terms, data)[1]
        out[i] = (below - above) / (2 * width)
    return 0.5 * (out + out.T)


def marginal(at: Given, node: Array) -> tuple[Array, Array]:
    """Covariances (m, m) of the latents and (p, p) of the items over the nodes, at one solution."""
    level, mu = at.level[0], at.mu[0]
    out = []
    for centre, cov in ((level, at.Phi[0]), (mu, at.Sigma[0])):
        d = centre - node @ centre
        out.append(np.einsum("q,qij->ij", node, cov) + (d * node[:, None]).T @ d)
    return out[0], out[1]
