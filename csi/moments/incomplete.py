"""The normal likelihood of rows with absent answers, by missing pattern: value, slopes, information of the moments.

With W_j the inverse of the pattern's own block of Sigma (0 elsewhere), d_j = m_j - mu, T_j = S_j + d_j d_j':

    f = -2 log L = sum_j n_j (p_j log 2 pi + log|Sigma_j| + tr W_j T_j)
    df = -2 (sum_j n_j W_j d_j)' dmu + tr[sum_j n_j (W_j - W_j T_j W_j) dSigma]

Letters: `J` patterns, `p` items, `M` = p + p(p+1)/2 moments, `k` parameters, `b` slices.

Source:
    Arbuckle (1996), in Marcoulides & Schumacker (eds.), Advanced SEM; Savalei (2010), Psychol. Methods 15:352-367.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from csi.moments.patterns import Flags, Patterns
from csi.moments.stack import Array, Ints

KEPT_ITEMS = 64
"""Up to so many items the places of the information's terms are kept (5 MB at 40, 35 MB at 64)."""


Places32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Expansion:
    """The likelihood at (mu, Sigma) and what its derivatives are made of.

    Attributes:
        value: (b,) -2 log L, inf where Sigma is not positive definite (the rest is then without meaning).
        n: (b, J). W: (b, J, p, p). z: (b, J, p) = W d. Q: (b, J, p, p) = W T W.
    """

    value: Array
    n: Array
    W: Array
    z: Array
    Q: Array

    @property
    def mean_slope(self) -> Array:
        """(b, p) df/dmu."""
        slope: Array = -2 * (self.n[:, None, :] @ self.z)[:, 0]
        return slope

    @property
    def cov_slope(self) -> Array:
        """(b, p, p) G with df = tr(G dSigma) for symmetric dSigma."""
        return _weighted_sum(self.n, self.W) - _weighted_sum(self.n, self.Q)


def expand(patterns: Patterns, mu: Array, Sigma: Array) -> Expansion:
    """The likelihood of b weightings at b means and covariances.

    Parameters:
        patterns: b weightings. mu: (b, p). Sigma: (b, p, p).

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> found = patterns_of(np.array([[1.0, 0.0], [-1.0, np.nan]]))
        >>> at = expand(found, np.zeros((1, 2)), np.eye(2)[None])
        >>> round(float(at.value[0] - 3 * np.log(2 * np.pi)), 6), at.cov_slope[0].tolist()
        (2.0, [[0.0, 0.0], [0.0, 1.0]])
    """
    W, logdet = pattern_inverses(Sigma, patterns.observed)
    d = np.where(patterns.observed, patterns.mean - mu[:, None, :], 0.0)
    T = patterns.cov + d[..., :, None] * d[..., None, :]
    WT = W @ T
    each = logdet + np.einsum("bjii->bj", WT) + patterns.observed.sum(axis=1) * np.log(2 * np.pi)
    with np.errstate(invalid="ignore"):
        value = np.where(np.isfinite(logdet[:, 0]), (patterns.n * each).sum(axis=1), np.inf)
    return Expansion(value, patterns.n, W, (W @ d[..., None])[..., 0], WT @ W)


def pattern_inverses(Sigma: Array, observed: Flags) -> tuple[Array, Array]:
    """Inverse (in p x p) and log-determinant of every pattern's block of Sigma.

    Patterns with few absences come from P = Sigma^-1 as P - P_m' P_mm^-1 P_m, log|Sigma_o| = log|Sigma| + log|P_mm|;
    those with many are inverted by themselves.

    Parameters:
        Sigma: (b, p, p). observed: (J, p).

    Returns:
        (b, J, p, p), 0 outside the block; (b, J), inf where Sigma is not positive definite.

    Example:
        >>> W, logdet = pattern_inverses(np.diag([2.0, 4.0])[None], np.array([[True, True], [True, False]]))
        >>> np.diagonal(W[0], axis1=1, axis2=2).tolist(), np.exp(logdet[0]).round(9).tolist()
        ([[0.5, 0.25], [0.5, 0.0]], [8.0, 2.0])
    """
    b, (J, p) = len(Sigma), observed.shape
    whole = log_determinant(Sigma)
    proper = np.isfinite(whole)
    usable: Array = np.where(proper[:, None, None], Sigma, np.eye(p))
    P: Array = np.asarray(np.linalg.inv(usable), dtype=np.float64)
    W, logdet = np.zeros((b, J, p, p)), np.zeros((b, J))
    absent = p - observed.sum(axis=1)
    for m in np.unique(absent).tolist():
        at = np.flatnonzero(absent == m)
        if m == 0:
            W[:, at], logdet[:, at] = P[:, None], whole[:, None]
        elif 2 * m <= p:
            W[:, at], change = _without(P, np.nonzero(~observed[at])[1].reshape(at.size, m))
            logdet[:, at] = whole[:, None] + change
        elif m < p:
            W[:, at], logdet[:, at] = _alone(usable, np.nonzero(observed[at])[1].reshape(at.size, p - m))
    W *= observed[:, :, None] & observed[:, None, :]
    return W, np.where(proper[:, None], logdet, np.inf)


def _without(P: Array, absent: Ints) -> tuple[Array, Array]:
    """Inverse blocks when the items `absent` (a, m) leave, and log|P_mm|: (b, a, p, p), (b, a)."""
    rows = P[:, absent]
    block = np.take_along_axis(rows, absent[None, :, None, :], axis=3)
    if absent.shape[1] == 1:
        return P[:, None] - rows.swapaxes(2, 3) * (rows / block), np.log(block[:, :, 0, 0])
    return P[:, None] - rows.swapaxes(2, 3) @ np.linalg.solve(block, rows), np.linalg.slogdet(block)[1]


def _alone(Sigma: Array, present: Ints) -> tuple[Array, Array]:
    """Inverse of the blocks of the items `present` (a, o), placed in p x p, and their log-determinants."""
    a, (b, p) = len(present), Sigma.shape[:2]
    block = Sigma[:, present[:, :, None], present[:, None, :]]
    placed = np.zeros((b, a, p, p))
    placed[:, np.arange(a)[:, None, None], present[:, :, None], present[:, None, :]] = np.linalg.inv(block)
    return placed, np.linalg.slogdet(block)[1]


def log_determinant(Sigma: Array) -> Array:
    """(b,) log|Sigma|; inf where it is not positive definite.

    Example:
        >>> log_determinant(np.array([[[1.0]], [[-1.0]]])).tolist()
        [0.0, inf]
    """
    try:
        factor = np.linalg.cholesky(Sigma)
    except np.linalg.LinAlgError:
        if len(Sigma) == 1:
            return np.array([np.inf])
        return np.concatenate([log_determinant(half) for half in np.array_split(Sigma, 2)])
    found: Array = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    return np.where(np.isfinite(found), found, np.inf)


def saturated_information(at: Expansion, *, observed: bool = True) -> Array:
    """Information of the moments themselves: (half) the Hessian of f in [mu, vech Sigma].

    mu, mu: sum n W.   mu_i, S_kl: sum n (z_k W_li + z_l W_ki) e_kl.
    S_ij, S_kl: sum n (W_jk C_li + W_jl C_ki + W_ik C_lj + W_il C_kj) e_ij e_kl / 2, with e = 1/2 on the diagonal, else
    1, and C = 2 W T W - W; expected: C = W and z = 0.

    Parameters:
        at: expansion at (mu, Sigma). observed: observed or expected given the patterns.

    Returns:
        (b, M, M), means first, then vech(Sigma) column by column.

    Source:
        Savalei (2010), Psychol. Methods 15:352-367; Kenward & Molenberghs (1998), Statist. Sci. 13:236-247.

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> at = expand(patterns_of(np.array([[1.0], [-1.0]])), np.zeros((1, 1)), np.ones((1, 1, 1)))
        >>> saturated_information(at)[0].tolist()
        [[2.0, 0.0], [0.0, 1.0]]
    """
    p = at.W.shape[-1]
    place = places(p)
    k, m = place.row, place.column
    pair = place.index
    flat = at.W[:, :, k, m]
    weighted = (at.n[:, :, None] * flat).swapaxes(1, 2)
    product = weighted @ (2 * at.Q[:, :, k, m] - flat if observed else flat)
    curve = _crosswise(product, p)
    out = np.zeros((len(at.value), p + k.size, p + k.size))
    out[:, :p, :p] = _weighted_sum(at.n, at.W)
    out[:, p:, p:] = curve * (0.5 * place.share[:, None] * place.share)
    if observed:
        product, item = (weighted @ at.z).swapaxes(1, 2), np.arange(p)[:, None]
        crossed = (product[:, k, pair[m, item]] + product[:, m, pair[k, item]]) * place.share
        out[:, :p, p:], out[:, p:, :p] = crossed, crossed.swapaxes(1, 2)
    return out


def _crosswise(product: Array, p: int) -> Array:
    """(b, V, V) P[jk, mi] + P[jm, ki] + P[ik, mj] + P[im, kj] at (ij, km), from (b, V, V) P.

    With S = P + P' the first and last are S[jk, mi], the others S[jm, ki].
    """
    b, V, _ = product.shape
    flat = (product + product.swapaxes(1, 2)).reshape(b, V * V)
    first, second = _crossings(p) if p <= KEPT_ITEMS else _crossings.__wrapped__(p)
    curve = flat.take(first, axis=1)
    curve += flat.take(second, axis=1)
    return curve.reshape(b, V, V)


@lru_cache(maxsize=2)
def _crossings(p: int) -> tuple[Places32, Places32]:
    """The flat places [jk, mi] and [jm, ki] of `_crosswise`."""
    place = places(p)
    pair, V = place.index.astype(np.int32), np.int32(place.row.size)
    k, m = place.row, place.column
    i, j = k[:, None], m[:, None]
    return (pair[j, k] * V + pair[m, i]).ravel(), (pair[j, m] * V + pair[k, i]).ravel()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the elements of a symmetric p x p matrix stand in vech, column by column.

    Attributes:
        row, column: (V,) of each element, row >= column. index: (p, p) position of an element. share: (V,) 1/2 on the
            diagonal, else 1, so that dSigma = share (e_i e_j' + e_j e_i').
    """

    row: Ints
    column: Ints
    index: Ints
    share: Array


@lru_cache(maxsize=16)
def places(p: int) -> Places:
    """The places of vech for p items.

    Example:
        >>> places(2).index.tolist(), places(2).share.tolist()
        ([[0, 1], [1, 2]], [0.5, 1.0, 0.5])
    """
    column, row = np.triu_indices(p)
    index = np.empty((p, p), dtype=np.int64)
    index[row, column] = index[column, row] = np.arange(row.size)
    return Places(row.astype(np.int64), column.astype(np.int64), index, np.where(row == column, 0.5, 1.0))


def _weighted_sum(n: Array, stack: Array) -> Array:
    """(b, p, p) sum over patterns of n (b, J) times (b, J, p, p)."""
    b, J, p, _ = stack.shape
    return (n[:, None, :] @ stack.reshape(b, J, p * p)).reshape(b, p, p)
