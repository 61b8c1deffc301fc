"""Sandwich standard errors and scaled tests, one slice at a time.

    robust.sem:   E^-1 (sum_g f_g D'W Gamma W D) E^-1 / N,  E = sum_g f_g D'WD
    Huber-White:  A^-1 B A^-1 / N with A the observed information and B the mean square of casewise scores

Letters: `M` moments, `k` parameters, `r` working parameters, `g` groups, f_g = n_g / N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from csi.moments.stack import Array, Ints
from csi.sem.fitted import Test
from csi.sem.implied import Implied
from csi.sem.layout import Block


@dataclass(frozen=True, slots=True)
class Pieces:
    """What one group brings: jacobian (M, k), weight (M, M) or (M,), gamma (M, M), share f_g."""

    jacobian: Array
    weight: Array
    gamma: Array
    share: float


def normal_weight(Sigma: Array, *, means: bool) -> Array:
    """(M, M) weight of normal theory: the inverse covariance of [means,] vech(S) where Sigma is true.

    Example:
        >>> normal_weight(np.array([[2.0]]), means=False)
        array([[0.125]])
    """
    W = np.linalg.inv(Sigma)
    p = len(W)
    j, i = np.triu_indices(p)
    times = np.where(i == j, 1.0, 2.0)
    V = 0.25 * np.outer(times, times) * (W[np.ix_(i, i)] * W[np.ix_(j, j)] + W[np.ix_(i, j)] * W[np.ix_(j, i)])
    if not means:
        return np.asarray(V)
    out = np.zeros((p + len(V), p + len(V)))
    out[:p, :p], out[p:, p:] = W, V
    return out


def observed_weight(Sigma: Array, S: Array, *, means: bool) -> Array:
    """(M, M) observed information of [means,] vech(Sigma) at Sigma, from sample covariances S.

    With P = 2 W S W - W it is the weight of normal theory with one of its two W replaced by P, symmetrised.

    Example:
        >>> observed_weight(np.array([[2.0]]), np.array([[2.0]]), means=False)
        array([[0.125]])
    """
    W = np.asarray(np.linalg.inv(Sigma), dtype=np.float64)
    P = np.asarray(2 * W @ S @ W - W)
    p = len(W)
    j, i = np.triu_indices(p)
    times = np.where(i == j, 1.0, 2.0)

    def at(M: Array, a: Ints, b: Ints) -> Array:
        return np.asarray(M[np.ix_(a, b)])

    V: Array = at(W, i, i) * at(P, j, j) + at(W, j, j) * at(P, i, i)
    V += at(W, i, j) * at(P, j, i) + at(W, j, i) * at(P, i, j)
    V *= 0.125 * np.outer(times, times)
    if not means:
        return np.asarray(V)
    out = np.zeros((p + len(V), p + len(V)))
    out[:p, :p], out[p:, p:] = W, V
    return out


def apply(weight: Array, D: Array) -> Array:
    """W D for a full or a diagonal weight."""
    out: Array = weight @ D if weight.ndim == 2 else weight[:, None] * D
    return out


def sandwich(pieces: Sequence[Pieces], N: Array) -> tuple[Array, Array]:
    """Bread E (r, r) and meat (r, r) of robust.sem."""
    r = N.shape[1]
    E, meat = np.zeros((r, r)), np.zeros((r, r))
    for piece in pieces:
        D = piece.jacobian @ N
        WD = apply(piece.weight, D)
        E += piece.share * D.T @ WD
        meat += piece.share * WD.T @ piece.gamma @ WD
    return E, meat


def residual_traces(pieces: Sequence[Pieces], N: Array) -> tuple[float, float]:
    """tr(U Gamma) and tr((U Gamma)^2), with U = V - V D E^-1 D' V over all groups.

    Source:
        Satorra & Bentler (1994); Asparouhov & Muthén (2010), Simple second order chi-square correction.
    """
    E, _ = sandwich(pieces, N)
    inner = np.linalg.inv(E)
    first, second = 0.0, 0.0
    parts = [(np.sqrt(p.share) * apply(p.weight, p.jacobian @ N), p) for p in pieces]
    for _, p in parts:
        WG = apply(p.weight, p.gamma)
        first += float(np.trace(WG))
        second += float(np.sum(WG * WG.T))
    # U Gamma = W Gamma - L inner L' Gamma, L = W D
    B = [L.T @ p.gamma @ L for L, p in parts]
    total = sum(B)
    first -= float(np.trace(inner @ total))
    for L, p in parts:
        GL = p.gamma @ L
        second -= 2 * float(np.trace(inner @ (GL.T @ apply(p.weight, GL))))
    second += float(np.trace(inner @ total @ inner @ total))
    return first, second


def scaled_test(name: str, chi2: float, df: int, first: float, second: float) -> Test:
    """Satorra-Bentler, mean and variance adjusted, or scaled-shifted; no statistic where the factor is not positive.

    Parameters:
        first, second: tr(U Gamma), tr((U Gamma)^2).
    """
    if df == 0:
        return _test(name, 0.0, 0.0, 1.0, 0.0, first, second)
    if name == "satorra.bentler":
        factor = first / df
        return _test(name, _over(chi2, factor), df, factor, 0.0, first, second)
    if name == "mean.var.adjusted":
        adjusted = first**2 / second
        factor = first / adjusted
        return _test(name, _over(chi2, factor), adjusted, factor, 0.0, first, second)
    a = np.sqrt(df / second)
    shift = df - a * first
    return _test(name, chi2 * a + shift, df, 1 / a, shift, first, second)


def _over(chi2: float, factor: float) -> float:
    """chi2 / factor, NaN where the factor of a scaled test is not positive."""
    return chi2 / factor if factor > 0 else float("nan")


def _test(name: str, statistic: float, df: float, factor: float, shift: float, first: float, second: float) -> Test:
    p = chdtrc(df, statistic) if df > 0 else np.nan
    numbers = {"statistic": statistic, "df": df, "p_value": p, "factor": factor, "shift": shift}
    traces = {"first": np.array([first]), "second": np.array([second])}
    return Test(name, **{k: np.array([float(v)]) for k, v in numbers.items()}, traces=traces)


def yuan_bentler(name: str, chi2: float, df: int, h1: float, h0: float, moments: int, npar: int) -> Test:
    """The Yuan-Bentler statistic: factor = (tr(B1 A1^-1) - tr(B0 A0^-1)) / df; none where that is not positive.

    Source:
        Yuan & Bentler (2000), Sociological Methodology 30; the Mplus variant takes both traces as they are.
    """
    factor = (h1 - h0) / df if df else np.nan
    test = _test(name, _over(chi2, factor) if df else 0.0, df, factor, 0.0, h1 - h0, np.nan)
    traces = {
        **test.traces,
        "h1": np.array([h1]),
        "h0": np.array([h0]),
        "h1_factor": np.array([h1 / moments]),
        "h0_factor": np.array([h0 / npar if npar else np.nan]),
    }
    return Test(test.name, test.statistic, test.df, test.p_value, test.factor, test.shift, traces)


def casewise_scores(block: Block, at: Implied, rows: Array, *, means: bool, centre: Array, s: int = 0) -> Array:
    """(n, e) derivative of each row's log-likelihood by the entries of a group.

    score = s (a_u a_v - G_uv) + c a_u,  a = K' W (y - mu)

    Parameters:
        centre: (p,) what is taken from the rows: mu with a mean structure, the sample means without. s: slice of `at`.
    """
    e = block.entries
    W = np.linalg.inv(at.Sigma[s])
    K = at.K[s]
    a = (rows - centre) @ (W @ K)
    G = K.T @ W @ K
    out: Array = e.s * (a[:, e.u] * a[:, e.v] - G[e.u, e.v])
    return out + at.reach[s, e.c] * a[:, e.u] if means else out


def clustered(units: Ints) -> bool:
    """Whether several rows belong to one unit."""
    return not (units[1:] > units[:-1]).all() and np.unique(units).size < units.size


def cross_product(scores: Array, weights: Array, units: Ints) -> Array:
    """(k, k) sum over units of the outer products of their weighted scores, times C / (C - 1) for C clusters.

    NaN where there is a single cluster.
    """
    weighted = scores * weights[:, None]
    if clustered(units):
        order = np.argsort(units, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(units[order]) > 0])
        weighted = np.add.reduceat(weighted[order], starts, axis=0)
        weighted *= np.sqrt(len(starts) / (len(starts) - 1)) if len(starts) > 1 else np.nan
    product: Array = weighted.T @ weighted
    return product


def saturated_trace(rows: Array, weights: Array, S: Array, *, means: bool) -> float:
    """tr(B1 A1^-1) of the unrestricted model of one group of complete rows without clusters.

    sum of w_i^2 z_i' A1 z_i / sum of w_i, with A1 of normal theory at S: the moments of a row meet in its distances
    alone, so none of them is formed.

    Parameters:
        rows: (n, p). weights: (n,) that sum to the group's size. S: (p, p) the covariances that A1 stands at.

    Example:
        >>> rows = np.array([[0.0], [2.0], [4.0]])
        >>> saturated_trace(rows, np.ones(3), np.array([[8 / 3]]), means=False)
        0.25
    """
    share = weights / weights.sum()
    z = rows - share @ rows
    W = np.linalg.inv(S)
    turned = z @ W
    own = z.T @ (z * share[:, None])
    far, mixed = (turned * z).sum(axis=1), (turned @ own * turned).sum(axis=1)
    held = W @ own
    value = 0.5 * (far**2 - 2 * mixed + float(np.sum(held * held.T)))
    return float(weights**2 @ (value + far if means else value) / weights.sum())
