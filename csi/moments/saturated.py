"""Means and covariances by maximum likelihood from rows with absent answers: EM, finished by Newton steps.

In the slopes of f = -2 log L an EM step is mu+ = mu - Sigma (df/dmu) / 2N, Sigma+ = Sigma - Sigma G Sigma / N - dd'
with d = mu+ - mu: it costs no more than a gradient. Newton's steps in [mu, vech Sigma] then converge quadratically.

Letters: `p` items, `M` = p + p(p+1)/2 moments, `b` weightings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments import compiled
from csi.moments.incomplete import Expansion, expand, places, saturated_information
from csi.moments.patterns import Flags, Patterns
from csi.moments.stack import Array, Ints

CHUNK = 2**24
"""Bytes of the pattern arrays that are worked on together."""

SETTLED = 1e-20
"""Expected gain of the log-likelihood by one more Newton step at which a weighting is done."""

SINGULAR = 1e-9
"""Smallest eigenvalue of the correlations below which there is no solution (fewer rows than items)."""

SLOW = 1e-10
"""Largest change of a standardised moment in an EM step that counts as settled where no Newton step is possible."""

DRAWN_OUT = 1e-11
"""The same in the compiled search, where squared extrapolation (Varadhan & Roland 2008) draws out the steps of EM."""

NEWTON_ROUNDS = 50
"""Rounds in which Newton steps are tried; after them EM goes on alone."""

FIRST_NEWTON, LATE_NEWTON, MANY_MOMENTS = 3, 10, 500
"""EM steps before the first Newton step, and before it with many moments, where it costs as much as ten of them."""

NEWTON_MOMENTS = 2000
"""With more moments than this their information is not formed and EM goes to the end."""


@dataclass(frozen=True, slots=True)
class Saturated:
    """Moments by maximum likelihood.

    Attributes:
        mean: (b, p). cov: (b, p, p), the likelihood's own (divisor n). loglik: (b,). iterations: (b,), EM and Newton.
        converged: (b,).
    """

    mean: Array
    cov: Array
    loglik: Array
    iterations: Ints
    converged: Flags


def saturated(patterns: Patterns, rounds: int = 2000) -> Saturated:
    """The unrestricted mean and covariance of every weighting.

    Parameters:
        patterns: b weightings. rounds: give up after so many iterations; pairs of items that no row answers together,
            or fewer rows than items, have no unique solution and end there or wherever EM leads.

    Source:
        Orchard & Woodbury (1972), 6th Berkeley Symposium; Dempster, Laird & Rubin (1977), JRSS B 39;
        Little & Rubin (2002), ch. 11.2.
    Agrees: lavaan 0.6 on Holzinger & Swineford with absences (tests/moments).

    Example:
        >>> from csi.moments.patterns import patterns_of
        >>> rows = np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0], [4.0, np.nan]])
        >>> found = saturated(patterns_of(rows))
        >>> found.mean[0].round(9).tolist(), bool(found.converged[0])
        ([2.5, 2.25], True)
    """
    fast = compiled.settled(patterns, rounds, DRAWN_OUT)
    if fast is None:
        return _searched(patterns, rounds)
    mean, cov, value, iterations, converged = fast
    converged[converged] = ~_hopeless(cov[converged])
    found = Saturated(mean, cov, -0.5 * value, iterations, converged)
    rest = np.flatnonzero(~converged)
    if rest.size:
        slow = _searched(patterns.take(rest), rounds)
        for name in Saturated.__slots__:
            getattr(found, name)[rest] = getattr(slow, name)
    return found


def _searched(patterns: Patterns, rounds: int) -> Saturated:
    """The search in numpy: EM, then Newton."""
    b, (J, p) = len(patterns.n), patterns.observed.shape
    size = max(1, CHUNK // (8 * J * p * p))
    parts = [_chunk(patterns.take(slice(i, i + size)), rounds) for i in range(0, b, size)]
    return Saturated(*(np.concatenate([getattr(part, name) for part in parts]) for name in Saturated.__slots__))


def available(patterns: Patterns) -> tuple[Array, Array]:
    """Means (b, p) and variances (b, p) of the answers there are; 0 and 1 for an item that nobody answered."""
    weight = patterns.n[:, :, None] * patterns.observed
    total = weight.sum(axis=1)
    safe = np.where(total > 0, total, 1.0)
    mean = (weight * patterns.mean).sum(axis=1) / safe
    square = np.einsum("bjii->bji", patterns.cov) + (patterns.mean - mean[:, None, :]) ** 2
    variance = (weight * square).sum(axis=1) / safe
    return mean, np.where(variance > 0, variance, 1.0)


def _chunk(patterns: Patterns, rounds: int) -> Saturated:
    """A few weightings; those that are done leave the work."""
    b, p = len(patterns.n), patterns.observed.shape[1]
    mean, variance = available(patterns)
    cov = variance[:, :, None] * np.eye(p)
    iterations, converged = np.zeros(b, dtype=np.int64), np.zeros(b, dtype=np.bool_)
    moments = p + p * (p + 1) // 2
    first = FIRST_NEWTON if moments <= MANY_MOMENTS else LATE_NEWTON
    able = (patterns.coverage > 0).all(axis=(1, 2)) & (moments <= NEWTON_MOMENTS)
    active, some = np.arange(b), patterns
    at = expand(patterns, mean, cov)
    value = at.value.copy()
    for count in range(rounds):
        mu, Sigma = _em_step(at, mean[active], cov[active])
        done = _change(mean[active], cov[active], mu, Sigma) < SLOW
        if able[active].any() and first <= count < NEWTON_ROUNDS:
            mu, Sigma, last = _newton(some, at, mean[active], cov[active], mu, Sigma, able[active])
            done |= last
        hopeless = _hopeless(Sigma)
        mean[active], cov[active], iterations[active] = mu, Sigma, count + 1
        converged[active] = done & ~hopeless
        leaving = done | hopeless
        if leaving.any():
            value[active[done]] = expand(some.take(np.flatnonzero(done)), mu[done], Sigma[done]).value
            value[active[hopeless]] = np.nan
            active = active[~leaving]
            some = patterns.take(active)
        if not active.size:
            break
        at = expand(some, mean[active], cov[active])
        value[active] = at.value
    return Saturated(mean, cov, -0.5 * value, iterations, converged)


def _change(mean: Array, cov: Array, mu: Array, Sigma: Array) -> Array:
    """(b,) largest change of a standardised moment."""
    sd = np.sqrt(np.einsum("bii->bi", cov))
    by_mean = np.abs((mu - mean) / sd).max(axis=1)
    by_cov = np.abs((Sigma - cov) / (sd[:, :, None] * sd[:, None, :])).max(axis=(1, 2))
    return np.asarray(np.maximum(by_mean, by_cov), dtype=np.float64)


def _hopeless(cov: Array) -> Flags:
    """(b,) True where the covariance runs into singularity."""
    sd = np.sqrt(np.maximum(np.einsum("bii->bi", cov), np.finfo(np.float64).tiny))
    hopeless: Flags = ~(np.linalg.eigvalsh(cov / (sd[:, :, None] * sd[:, None, :]))[:, 0] > SINGULAR)
    return hopeless


def _em_step(at: Expansion, mean: Array, cov: Array) -> tuple[Array, Array]:
    """One EM step from the slopes of f."""
    total = at.n.sum(axis=1)
    step = -0.5 * (cov @ at.mean_slope[:, :, None])[:, :, 0] / total[:, None]
    moved = cov - cov @ at.cov_slope @ cov / total[:, None, None] - step[:, :, None] * step[:, None, :]
    return mean + step, 0.5 * (moved + moved.swapaxes(1, 2))


def _newton(
    patterns: Patterns, at: Expansion, mean: Array, cov: Array, em_mean: Array, em_cov: Array, able: Flags
) -> tuple[Array, Array, Flags]:
    """A Newton step where it lowers f at least as far as the EM step does; whether it was the last one needed."""
    p = mean.shape[1]
    place = places(p)
    slope = at.cov_slope[:, place.row, place.column] * 2 * place.share
    g = 0.5 * np.concatenate([at.mean_slope, slope], axis=1)
    H = np.where(able[:, None, None], saturated_information(at), np.eye(g.shape[1]))
    try:
        step = -np.linalg.solve(H, g[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return em_mean, em_cov, np.zeros(len(g), dtype=np.bool_)
    gain = -0.5 * np.einsum("bi,bi->b", g, step)
    change = np.zeros_like(cov)
    change[:, place.row, place.column] = change[:, place.column, place.row] = step[:, p:]
    mu, Sigma = mean + step[:, :p], cov + change
    tried, other = expand(patterns, mu, Sigma).value, expand(patterns, em_mean, em_cov).value
    last = able & (np.abs(gain) < SETTLED) & np.isfinite(tried)
    lower = tried <= np.minimum(other, at.value) + 1e-13 * (1 + np.abs(at.value))
    good = last | (able & (gain > 0) & lower)
    return np.where(good[:, None], mu, em_mean), np.where(good[:, None, None], Sigma, em_cov), last
