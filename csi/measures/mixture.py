"""Mixtures of regressions by expectation-maximisation, many starts at once.

    f(y_i | x_i) = sum_k rho_k prod_m N(y_im; x_im' beta_km, psi_km)

Letters: `n` rows, `S` starts, `K` segments, `M` outcomes, `r_m` regressors of an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from csi.moments.linear import solve
from csi.moments.stack import Array

SHORT = 40
"""Rounds that every start gets; only the best go on."""

FINALISTS = 5
"""Starts that go on after the short run."""

RATIO = 1e-3
"""Least share of an outcome's one-segment error variance that a segment may have (Hathaway, 1985): a likelihood grows
without bound where a few rows are fitted exactly."""

STACKED = ("loglik", "share", "psi", "posterior", "alive", "rounds", "converged")
"""The arrays of a `Mixture` with a leading axis of starts; the slopes have it too."""

SAME = 1e-4
"""Two starts whose log-likelihoods differ less after the short run go the same way."""


@dataclass(frozen=True, slots=True)
class Regressions:
    """What is regressed on what: y (n, M); X: per outcome (n, r_m), an intercept among them where asked for; w (n,)."""

    y: Array
    X: tuple[Array, ...]
    w: Array

    @property
    def least(self) -> float:
        """Rows a segment needs: one more than regressors and error variance."""
        return float(max(X.shape[1] for X in self.X) + 2)

    @property
    def parameters(self) -> int:
        """Slopes and error variances of one segment."""
        return int(sum(X.shape[1] for X in self.X)) + len(self.X)


@dataclass(frozen=True, slots=True)
class Mixture:
    """One solution per start that ended well.

    Attributes:
        loglik: (S,). share: (S, K). beta: per outcome (S, K, r_m). psi: (S, K, M). posterior: (S, n, K).
        alive: (S,) False where a segment emptied or its error variance vanished. rounds: (S,).
        converged: (S,).
    """

    loglik: Array
    share: Array
    beta: tuple[Array, ...]
    psi: Array
    posterior: Array
    alive: npt.NDArray[np.bool_]
    rounds: npt.NDArray[np.int64]
    converged: npt.NDArray[np.bool_]

    def of(self, starts: Sequence[int] | npt.NDArray[np.int64]) -> Mixture:
        """Some starts."""
        at = np.asarray(starts, dtype=np.int64)
        arrays: dict[str, Any] = {name: getattr(self, name)[at] for name in STACKED}
        return Mixture(beta=tuple(b[at] for b in self.beta), **arrays)


def one_segment(design: Regressions) -> Mixture:
    """Ordinary least squares: the normal log-likelihood with error variances SS / n.

    Example:
        >>> x = np.array([[-1.0], [0.0], [1.0]])
        >>> made = one_segment(Regressions(x + 0.5, (x,), np.ones(3)))
        >>> made.beta[0].tolist(), made.psi.tolist()
        ([[[1.0]]], [[[0.25]]])
    """
    posterior = np.ones((1, len(design.w), 1))
    beta, psi = _regress(design, posterior)
    return _scored(design, np.ones((1, 1)), beta, psi)


def search(design: Regressions, segments: int, starts: int, seed: int, tolerance: float, most: int) -> Mixture:
    """The mixtures that `starts` random beginnings lead to: a short run of all, a long run of the best.

    Half of the beginnings are random partitions, half grow from random handfuls of rows.

    Parameters:
        segments: K >= 2. tolerance: gain of the log-likelihood that counts as none. most: rounds.

    Returns:
        A `Mixture` of the finalists, best first; none alive where every start emptied a segment.

    Source:
        Biernacki, Celeux & Govaert (2003), Computational Statistics & Data Analysis 41, 561-575 (short runs).
    """
    floor = RATIO * one_segment(design).psi[0, 0]
    short = climb(design, _beginnings(design, segments, starts, seed), floor, tolerance, SHORT)
    order = np.argsort(np.where(short.alive, -short.loglik, np.inf), kind="stable").tolist()
    distinct = [s for i, s in enumerate(order) if i == 0 or abs(short.loglik[s] - short.loglik[order[i - 1]]) > SAME]
    long = climb(design, short.of(distinct[:FINALISTS]), floor, tolerance, most)
    return long.of(np.argsort(np.where(long.alive, -long.loglik, np.inf), kind="stable"))


def climb(design: Regressions, begin: Mixture, floor: Array, tolerance: float, most: int) -> Mixture:
    """Expectation and maximisation in turn until the log-likelihood settles, each start frozen when it has.

    Parameters:
        begin: where to start. floor: (M,) error variance below which a start is given up. tolerance, most: as `search`.
    """
    done: dict[int, Mixture] = {}
    active, state = np.arange(len(begin.loglik)), begin
    for round_ in range(1, most + 1):
        beta, psi = _regress(design, state.posterior)
        share = (design.w @ state.posterior) / design.w.sum()
        following = _scored(design, share, beta, psi)
        sound = _sound(design, following, floor)
        gain = following.loglik - state.loglik
        with np.errstate(invalid="ignore"):
            settled = ~sound | ((gain < tolerance) & (round_ > 1)) | (round_ == most)
        for s in np.flatnonzero(settled):
            ended = following.of([int(s)])
            flags = np.array([sound[s]]), np.array([round_]), np.array([bool(sound[s]) and bool(gain[s] < tolerance)])
            done[int(active[s])] = Mixture(ended.loglik, ended.share, ended.beta, ended.psi, ended.posterior, *flags)
        active, state = active[~settled], following.of(np.flatnonzero(~settled))
        if not active.size:
            break
    return _joined([done[s] for s in sorted(done)])


def _joined(parts: list[Mixture]) -> Mixture:
    arrays: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in STACKED}
    beta = tuple(np.concatenate([p.beta[m] for p in parts]) for m in range(len(parts[0].beta)))
    return Mixture(beta=beta, **arrays)


def _sound(design: Regressions, found: Mixture, floor: Array) -> npt.NDArray[np.bool_]:
    """(S,) True where every segment has rows and error variance left."""
    rows = found.share * design.w.sum()
    with np.errstate(invalid="ignore"):
        wide = (found.psi > floor).all(axis=(1, 2))
    return np.asarray(np.isfinite(found.loglik) & wide & (rows >= design.least).all(axis=1))


def _regress(design: Regressions, posterior: Array) -> tuple[tuple[Array, ...], Array]:
    """Weighted least squares of every outcome in every segment: slopes (S, K, r_m) and error variances (S, K, M)."""
    S, n, K = posterior.shape
    W = (posterior * design.w[:, None]).transpose(0, 2, 1).reshape(S * K, n)
    mass = W.sum(axis=1)
    betas, psis = [], []
    for m, X in enumerate(design.X):
        r, y = X.shape[1], design.y[:, m]
        XX = (W @ (X[:, :, None] * X[:, None, :]).reshape(n, r * r)).reshape(S * K, r, r)
        Xy = W @ (X * y[:, None])
        beta = solve(XX, Xy[:, :, None])[:, :, 0]
        residual = y - beta @ X.T
        with np.errstate(divide="ignore", invalid="ignore"):
            psis.append(((W * residual**2).sum(axis=1) / mass).reshape(S, K))
        betas.append(beta.reshape(S, K, r))
    return tuple(betas), np.stack(psis, axis=2)


def _scored(design: Regressions, share: Array, beta: tuple[Array, ...], psi: Array) -> Mixture:
    """Log-likelihood and posterior of given parameters."""
    S = len(share)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log = np.log(share)[:, None, :] - 0.5 * np.log(2 * np.pi * psi).sum(axis=2)[:, None, :]
        for m, X in enumerate(design.X):
            residual = design.y[:, m][None, :, None] - np.einsum("nr,skr->snk", X, beta[m])
            log = log - 0.5 * residual**2 / psi[:, None, :, m]
        peak = log.max(axis=2, keepdims=True)
        exp = np.exp(log - peak)
        total = exp.sum(axis=2, keepdims=True)
        loglik = (peak + np.log(total))[:, :, 0] @ design.w
        posterior = exp / total
    alive = np.isfinite(loglik)
    return Mixture(loglik, share, beta, psi, posterior, alive, np.zeros(S, dtype=np.int64), np.zeros(S, dtype=bool))


def _beginnings(design: Regressions, segments: int, starts: int, seed: int) -> Mixture:
    """Where the starts begin: posteriors of random partitions, and of lines through random handfuls of rows."""
    n = len(design.w)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, segments])))
    half = starts // 2
    labels = rng.permuted(np.tile(np.arange(n) % segments, (starts - half, 1)), axis=1)
    parts = [_scored_partition(design, (labels[:, :, None] == np.arange(segments)).astype(np.float64))]
    if half:
        few = min(int(design.least) + 1, n // segments)
        picked = rng.permuted(np.tile(np.arange(n), (half, 1)), axis=1)[:, : few * segments]
        chosen = np.zeros((half, n, segments))
        for k in range(segments):
            np.put_along_axis(chosen[:, :, k], picked[:, k * few : (k + 1) * few], 1.0, axis=1)
        beta, _ = _regress(design, chosen)
        psi = np.broadcast_to(one_segment(design).psi, (half, segments, len(design.X))).copy()
        parts.append(_scored(design, np.full((half, segments), 1 / segments), beta, psi))
    return _joined(parts)


def _scored_partition(design: Regressions, posterior: Array) -> Mixture:
    beta, psi = _regress(design, posterior)
    return _scored(design, (design.w @ posterior) / design.w.sum(), beta, psi)
