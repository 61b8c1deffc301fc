"""Proportional hazards (Cox): Efron's partial likelihood with weights and late entry, its residuals and tests.

Letters: `n` rows, `k` covariates, `s` steps (one per event), `t` distinct times of events. With e_i = exp(x_i b),
weights w_i, R(t) the rows with entry < t <= time, and D(t) the d rows whose event is at t, for j = 0 ... d - 1:

    S_j = sum_R w e - j / d sum_D w e,   x_j = (sum_R w e x - j / d sum_D w e x) / S_j,   w_t = sum_D w / d
    log L = sum_D w x b - sum_steps w_t log S_j

Source:
    Efron (1977), J. American Statistical Association 72, 557-565; Binder (1992), Biometrika 79, 139-147 (errors by the
    design); Grambsch & Therneau (1994), Biometrika 81, 515-526 (test of proportional hazards, as a score test).
Agrees:
    R survival 3.5.3 (coxph, robust errors, cox.zph) to 1e-8, tests/reference/survival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from csi.inference.linearised import Means, between
from csi.moments.stack import Array, Ints

STEPS: Final = 40
SETTLED: Final = 1e-9
FAR: Final = 25.0
"""A log hazard so far (in all) from the mean's says that a covariate tells events from others without fail."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Rows that are watched from `entry` (not included) to `time`.

    Attributes:
        entry, time: (n,). event: (n,) bool, whether it happened at `time`. weight: (n,).
    """

    entry: Array
    time: Array
    event: Array
    weight: Array

    @property
    def times(self) -> Array:
        """(t,) distinct times of events."""
        return np.unique(self.time[self.event])

    def at_risk(self, values: Array) -> Array:
        """(t, ...) sums of values (n, ...) over R(t)."""
        return _from(self.times, self.time, values) - _from(self.times, self.entry, values)

    def happened(self, values: Array) -> Array:
        """(t, ...) sums of values (n, ...) over D(t)."""
        times = self.times
        out = np.zeros((len(times), *values.shape[1:]))
        np.add.at(out, np.searchsorted(times, self.time[self.event]), values[self.event])
        return out

    def survival(self) -> Array:
        """(t,) Kaplan-Meier, weighted, just after each time of events."""
        left = 1 - self.happened(self.weight) / self.at_risk(self.weight)
        return np.asarray(np.cumprod(np.where(left > 1e-12, left, 0.0)), dtype=np.float64)


def _from(times: Array, own: Array, values: Array) -> Array:
    """(t, ...) sums of values over the rows whose own time is t or later."""
    order = np.argsort(-own, kind="stable")
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values[order], axis=0)])
    out: Array = total[np.searchsorted(-own[order], -times, side="right")]
    return out


@dataclass(frozen=True, slots=True)
class Steps:
    """What the likelihood is made of at some b.

    Attributes:
        at: (s,) which time of events. share: (s,) j / d. weight: (s,) w_t. total: (s,) S_j. mean: (s, k) x_j.
        spread: (s, k, k) of covariates over those at risk.
    """

    at: Ints
    share: Array
    weight: Array
    total: Array
    mean: Array
    spread: Array


def steps(X: Array, b: Array, seen: Observed) -> Steps:
    """Sums over those at risk, event by event."""
    e = seen.weight * np.exp(X @ b)
    rows = np.concatenate([e[:, None], e[:, None] * X, (e[:, None, None] * _squares(X)).reshape(len(X), -1)], axis=1)
    every, mine = seen.at_risk(rows), seen.happened(rows)
    d = seen.happened(np.ones(len(X))).astype(np.int64)
    at = np.repeat(np.arange(len(d)), d)
    share = (np.arange(len(at)) - np.repeat(np.cumsum(d) - d, d)) / d[at]
    sums = every[at] - share[:, None] * mine[at]
    k, total = X.shape[1], sums[:, 0]
    mean = sums[:, 1 : k + 1] / total[:, None]
    spread = sums[:, k + 1 :].reshape(-1, k, k) / total[:, None, None] - _squares(mean)
    return Steps(at, share, (seen.happened(seen.weight) / d)[at], total, mean, spread)


def _squares(X: Array) -> Array:
    """(n, k, k) x x'."""
    return X[:, :, None] * X[:, None, :]


@dataclass(frozen=True, slots=True)
class Cox:
    """A fit.

    Attributes:
        X: (n, k). seen: the rows. slopes: (k,) log hazard ratios. loglik, null: at the slopes and at 0.
        information: (k, k).
    """

    X: Array
    seen: Observed
    slopes: Array
    loglik: float
    null: float
    information: Array

    def scores(self, g: Array | None = None) -> Array:
        """(n, k) what each row adds to the score, each time of events counted g(t) times.

        Parameters:
            g: (t,); 1 without.
        """
        return score_rows(self.X, self.slopes, self.seen, g)

    def influence(self) -> Array:
        """(n, k) of each row on the slopes."""
        out: Array = self.scores() @ np.linalg.inv(self.information)
        return out

    def of_design(self, unit: Ints, stratum: Ints) -> Means:
        """Slopes with errors by the design: weighted score residuals, summed over units."""
        z = self.influence()
        seen = np.ones(z.shape, dtype=bool)
        variance, df = between(z, seen, unit, stratum)
        n = np.full(len(self.slopes), len(z))
        error = np.where(df > 0, np.sqrt(variance), np.nan)
        return Means(n, self.slopes, error, error, df)

    def of_model(self) -> Means:
        """Slopes with errors by the information; degrees of freedom without end."""
        error = np.sqrt(np.diag(np.linalg.inv(self.information)))
        n = np.full(len(self.slopes), len(self.X))
        return Means(n, self.slopes, error, error, np.full(len(self.slopes), np.inf))


def score_rows(X: Array, b: Array, seen: Observed, g: Array | None = None) -> Array:
    """(n, k) score residuals, weighted; they add up to the score."""
    s, times = steps(X, b, seen), seen.times
    g = np.ones(len(times)) if g is None else g
    k, e = X.shape[1], np.exp(X @ b)
    rate = g[s.at] * s.weight / s.total
    parts = np.concatenate([rate[:, None], rate[:, None] * s.mean], axis=1)
    own = np.concatenate([parts, s.share[:, None] * parts], axis=1)
    sums = np.zeros((len(times), 2 * (k + 1)))
    np.add.at(sums, s.at, own)
    total = np.concatenate([np.zeros((1, k + 1)), np.cumsum(sums[:, : k + 1], axis=0)])
    first, last = (np.searchsorted(times, v, side="right") for v in (seen.entry, seen.time))
    met = total[np.maximum(last, first)] - total[first]
    centre = np.zeros((len(times), k))
    np.add.at(centre, s.at, s.mean)
    centre /= np.bincount(s.at, minlength=len(times))[:, None]
    out = -e[:, None] * (X * met[:, :1] - met[:, 1:])
    at = np.searchsorted(times, seen.time[seen.event])
    mine, back = X[seen.event], sums[at, k + 1 :]
    out[seen.event] += g[at][:, None] * (mine - centre[at]) + e[seen.event][:, None] * (
        mine * back[:, :1] - back[:, 1:]
    )
    found: Array = seen.weight[:, None] * out
    return found


def cox(X: Array, seen: Observed) -> Cox | None:
    """Slopes of highest partial likelihood; None where columns are dependent or events are told without fail.

    Example:
        >>> time, event = np.array([2.0, 3.0, 4.0, 5.0, 5.0, 8.0]), np.array([1, 1, 0, 1, 1, 0]) == 1
        >>> x = np.array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0]])
        >>> found = cox(x, Observed(np.zeros(6), time, event, np.ones(6)))
        >>> found.slopes.round(4).tolist(), round(found.loglik, 4)
        ([0.5493], -5.0495)
    """
    middle, size = X.mean(axis=0), X.std(axis=0)
    if not (size > 0).all() or not seen.event.any():
        return None
    Z, b = (X - middle) / size, np.zeros(X.shape[1])
    if np.linalg.matrix_rank(Z) < X.shape[1]:
        return None
    value, score, curve = _at(Z, b, seen)
    null = value
    for _ in range(STEPS):
        if np.linalg.cond(curve) > 1e10:
            return None
        move = np.linalg.solve(curve, score)
        for _ in range(20):
            tried = _at(Z, b + move, seen)
            if np.isfinite(tried[0]) and tried[0] >= value - 1e-9 * (1 + abs(value)):
                break
            move = move / 2
        b = b + move
        value, score, curve = tried
        if np.abs(Z @ b).max() > FAR:
            return None
        if np.abs(move).max() < SETTLED:
            return Cox(X, seen, b / size, value, null, curve * np.outer(size, size))
    return None


def _at(Z: Array, b: Array, seen: Observed) -> tuple[float, Array, Array]:
    """The log likelihood, its slope and its curvature."""
    s = steps(Z, b, seen)
    w = seen.weight * seen.event
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(w @ (Z @ b) - s.weight @ np.log(s.total))
    return value, w @ Z - s.weight @ s.mean, np.einsum("s,sij->ij", s.weight, s.spread)


@dataclass(frozen=True, slots=True)
class Proportional:
    """Whether hazard ratios stay over time.

    Attributes:
        statistic, df: (k + 1,) chi-square of each covariate, then of all together. trend: (k,) change of the log hazard
            ratio from the first to the last event, one step of scoring from none.
    """

    statistic: Array
    df: Ints
    trend: Array


def proportional(fit: Cox, unit: Ints | None = None, stratum: Ints | None = None) -> Proportional:
    """Score test of x g(t) beside x, g(t) = 1 - Kaplan-Meier just before t.

    Parameters:
        unit, stratum: the design; without, the model's information is the variance of the score.
    """
    s = steps(fit.X, fit.slopes, fit.seen)
    kept = fit.seen.survival()
    g = 1 - np.concatenate([[1.0], kept[:-1]])
    g = g - (s.weight @ g[s.at]) / s.weight.sum()
    bg = np.einsum("s,sij->ij", s.weight * g[s.at], s.spread)
    gg = np.einsum("s,sij->ij", s.weight * g[s.at] ** 2, s.spread)
    part = bg @ np.linalg.inv(fit.information)
    rows = fit.scores(g) - fit.scores() @ part.T
    U, curve = rows.sum(axis=0), gg - part @ bg
    V = curve if unit is None or stratum is None else design_covariance(rows, unit, stratum)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = U**2 / np.diag(V)
    joint = float(U @ np.linalg.pinv(V) @ U)
    trend = U / np.diag(curve) * float(np.ptp(g))
    return Proportional(np.append(each, joint), np.append(np.ones(len(U)), len(U)).astype(np.int64), trend)


def design_covariance(rows: Array, unit: Ints, stratum: Ints) -> Array:
    """(k, k) covariance of sums of rows (n, k) by the design."""
    k = rows.shape[1]
    pairs = [(i, j) for i in range(k) for j in range(i + 1)]
    sums = np.column_stack([rows[:, i] + side * rows[:, j] for i, j in pairs for side in (1, -1)])
    found, _ = between(sums, np.ones(sums.shape, dtype=bool), unit, stratum)
    out = np.zeros((k, k))
    for at, (i, j) in enumerate(pairs):
        out[i, j] = out[j, i] = (found[2 * at] - found[2 * at + 1]) / 4
    return out
