"""Importance of drivers with its uncertainty, from a fit's correlations or from logits of every subset.

Letters: `k` drivers, `x` pairs of them, `M` metrics, `b` cells, `B` replicates, `n` respondents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Literal

import numpy as np

from csi.estimate.estimate import Estimate, Solution
from csi.importance.lmg import shares_of_orders
from csi.importance.metrics import METRICS, battery
from csi.importance.shares import SINGULAR, covariances, johnson
from csi.inference.draws import standard_error
from csi.inference.intervals import p_value, percentile
from csi.inference.resample import drawn_weights
from csi.inference.uncertainty import Uncertainty
from csi.measures.response.ordered import ordered_logit
from csi.measures.tidy import uncertain
from csi.moments.stack import Array, Moments, Sample

LMG = list(METRICS).index("lmg")
AT_ONCE = 2_000_000
"""Numbers that logits of many subsets hold together."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Draws of a measurement: metrics (B, b, M + 1, k), differences of shares (B, b, x)."""

    metrics: Array
    gaps: Array


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics (b, M + 1, k), the last the share of what is explained; differences of shares (b, x) of pairs.

    Attributes:
        value, std_error, conf_low, conf_high: of the metrics. gaps, gaps_error, gaps_low, gaps_high, gaps_p: of the
            differences. shares: (B, b, k) draws of the share; none without replicates. cor: (b, k + 1, k + 1) outcome
            first. subsets: (b, 2^k) fit of every subset where it is not R2, None where it is. draws: None where the
            copies behind a pooled estimate keep theirs apart.
    """

    value: Array
    std_error: Array
    conf_low: Array
    conf_high: Array
    gaps: Array
    gaps_error: Array
    gaps_low: Array
    gaps_high: Array
    gaps_p: Array
    shares: Array
    cor: Array
    subsets: Array | None = None
    draws: Drawn | None = None

    def without(self, lost: Sequence[bool]) -> Measured:
        """The same with nothing told of some cells."""
        if not any(lost):
            return self
        at = np.flatnonzero(lost)
        blank = dict[str, Array]()
        for field in fields(self):
            array = getattr(self, field.name)
            if isinstance(array, np.ndarray):
                blank[field.name] = np.array(array)
                cells = blank[field.name].swapaxes(0, 1) if field.name == "shares" else blank[field.name]
                cells[at] = np.nan
        return replace(self, **blank, draws=None)


def with_shares(metrics: Array) -> Array:
    """(..., M + 1, k): the share of each driver in the sum of LMG as the last metric."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = metrics[..., LMG, :] / metrics[..., LMG, :].sum(axis=-1, keepdims=True)
    return np.concatenate([metrics, share[..., None, :]], axis=-2)


def gaps_of(share: Array) -> Array:
    """(..., x) differences of every pair of the last axis.

    Example:
        >>> gaps_of(np.array([0.5, 0.3, 0.2])).round(3).tolist()
        [0.2, 0.3, 0.1]
    """
    pairs = list(combinations(range(share.shape[-1]), 2))
    return np.stack([share[..., i] - share[..., j] for i, j in pairs], axis=-1)


def of_fit(est: Estimate, at: list[int], y: int) -> Measured:
    """Metrics of constructs at places `at` for the construct at `y`, by the fit's correlations.

    Parameters:
        est: with or without replicates, or pooled.
    """
    k, M = len(at), len(METRICS) + 1

    def quantity(moments: Moments, solution: Solution) -> Array:
        del moments
        cor = solution.construct_cor
        found = with_shares(battery(cor[:, at][:, :, at], cor[:, at, y]))
        return np.concatenate([found.reshape(len(found), -1), gaps_of(found[:, -1])], axis=1)

    found = uncertain(est, quantity, kept=True)
    value = quantity(est.moments, est.solution) if found is None else found.value
    places = [y, *at]
    cor = est.solution.construct_cor[:, places][:, :, places]
    return _split(found, value, (M, k), cor)


def _split(found: Uncertainty | None, value: Array, shape: tuple[int, int], cor: Array) -> Measured:
    """Metrics and differences of one array of both."""
    M, k = shape
    nothing = np.full_like(value, np.nan)
    parts = [nothing] * 4 if found is None else [found.std_error, found.conf_low, found.conf_high, found.p_value]
    metrics = [a[:, : M * k].reshape(len(a), M, k) for a in (value, *parts[:3])]
    gaps = [a[:, M * k :] for a in (value, *parts)]
    draws, drawn = np.empty((0, len(value), k)), None
    if found is not None and len(found.draws):
        draws = found.draws[:, :, (M - 1) * k : M * k]
        drawn = Drawn(found.draws[:, :, : M * k].reshape(*found.draws.shape[:2], M, k), found.draws[:, :, M * k :])
    value_, error, low, high = metrics
    gap, gap_error, gap_low, gap_high, gap_p = gaps
    return Measured(value_, error, low, high, gap, gap_error, gap_low, gap_high, gap_p, draws, cor, draws=drawn)


def of_copies(each: Sequence[Measured], level: float) -> Measured:
    """Completed copies as one: means of the values, intervals from the draws of all copies together.

    Source:
        Schomaker & Heumann (2018), Statistics in Medicine 37(14), 2252-2266 ("MI boot pooled").
    """
    value, gaps = (np.mean([getattr(m, n) for m in each], axis=0) for n in ("value", "gaps"))
    fits = [m.subsets for m in each if m.subsets is not None]
    subsets = np.mean(fits, axis=0) if fits else None
    cor, drawn = np.mean([m.cor for m in each], axis=0), [m.draws for m in each if m.draws is not None]
    nothing, none = np.full_like(value, np.nan), np.full_like(gaps, np.nan)
    if len(drawn) < len(each):
        shares = np.empty((0, *value[:, 0].shape))
        return Measured(value, nothing, nothing, nothing, gaps, none, none, none, none, shares, cor, subsets)
    draws, moved = np.concatenate([d.metrics for d in drawn]), np.concatenate([d.gaps for d in drawn])
    low, high = percentile(draws, level)
    gaps_low, gaps_high = percentile(moved, level)
    return Measured(
        value, standard_error(draws), low, high, gaps, standard_error(moved), gaps_low, gaps_high,
        p_value(gaps, moved), draws[:, :, -1], cor, subsets, Drawn(draws, moved),
    )  # fmt: skip


Kind = Literal["mcfadden", "nagelkerke"]
"""Which R2 of a logit is shared out."""


def of_rows(
    sample: Sample, places: tuple[list[int], int], replicates: int, seed: int, level: float, kind: Kind = "mcfadden"
) -> Measured:
    """Metrics by proportional-odds logits (two categories: the logit) of every subset of drivers.

    beta: standardised coefficient with all drivers; first, last: gain alone and with all others; lmg: mean gain over
    orders; johnson: relative weights of the logit (`logit_weights`). Metrics that need a linear R2 are NaN. Percentile
    intervals of the design's resamples.

    Parameters:
        sample: complete rows of one or more cells. places: columns of drivers, and of the outcome. kind: R2 that is
            shared out.

    Source:
        McFadden (1974); Nagelkerke (1991), Biometrika 78(3); Azen & Traxel (2009), J. of Educational and Behavioral
        Statistics 34(3), 319-347.
    """
    cells, (at, y) = sample.cells.height, places
    own = [_metrics(*_subsets_of(sample, cell, at, y, sample.weight[None], kind)) for cell in range(cells)]
    drawn = (
        np.concatenate([*drawn_weights(sample, replicates, seed)]) if replicates else np.empty((0, len(sample.rows)))
    )
    draws = np.stack([_metrics(*_subsets_of(sample, cell, at, y, drawn, kind))[0] for cell in range(cells)], axis=1)
    value = np.concatenate([one for one, _ in own])
    gaps, moved = gaps_of(value[:, -1]), gaps_of(draws[:, :, -1])
    low, high = _limits(draws, value, level)
    gaps_low, gaps_high = _limits(moved, gaps, level)
    nothing = np.full((cells, len(at) + 1, len(at) + 1), np.nan)
    p = p_value(gaps, moved) if len(moved) else np.full_like(gaps, np.nan)
    errors = [standard_error(a) if len(a) else np.full(a.shape[1:], np.nan) for a in (draws, moved)]
    return Measured(
        value, errors[0], low, high, gaps, errors[1], gaps_low, gaps_high, p, draws[:, :, -1], nothing,
        np.concatenate([subsets for _, subsets in own]), Drawn(draws, moved) if len(draws) else None,
    )  # fmt: skip


def _limits(draws: Array, value: Array, level: float) -> tuple[Array, Array]:
    """Percentile limits; NaN without draws."""
    if not len(draws):
        return np.full_like(value, np.nan), np.full_like(value, np.nan)
    return percentile(draws, level)


def logit_weights(R: Array, beta: Array, r2: Array) -> Array:
    """Relative weights of a logit: Johnson's, of the line that the standardised coefficients make, scaled to its R2.

    (L o L)(c o c) with L = R^(1/2) and c = L beta: coefficients of the drivers' nearest unrelated counterparts.

    Parameters:
        R: (m, k, k) correlations of the drivers. beta: (m, k). r2: (m,) of all drivers.

    Returns:
        (m, k), summing to r2; NaN where drivers are collinear.

    Source:
        Tonidandel & LeBreton (2010), Organizational Research Methods 13(4), 767-781.

    Example:
        >>> logit_weights(np.eye(2)[None], np.array([[2.0, 1.0]]), np.array([0.5])).tolist()
        [[0.4, 0.1]]
    """
    usable = np.asarray(np.isfinite(R).all(axis=(1, 2)) & np.isfinite(beta).all(axis=1))
    safe = np.where(usable[:, None, None], R, np.eye(R.shape[-1]))
    usable &= np.linalg.eigvalsh(safe)[:, 0] > SINGULAR
    safe = np.where(usable[:, None, None], safe, np.eye(R.shape[-1]))
    weight = johnson(safe, (safe @ np.where(usable[:, None], beta, 0.0)[..., None])[..., 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = weight / weight.sum(axis=1, keepdims=True)
    return np.where(usable[:, None], shares * r2[:, None], np.nan)


def _metrics(r2: Array, beta: Array, R: Array) -> tuple[Array, Array]:
    """(m, M + 1, k) from the fit of every subset (m, 2^k), coefficients and correlations of all; and that fit."""
    k = beta.shape[1]
    full, names = 2**k - 1, list(METRICS)
    out = np.full((len(r2), len(names), k), np.nan)
    out[:, names.index("beta")] = beta
    out[:, names.index("vif")] = battery(R, np.zeros_like(beta))[:, names.index("vif")]
    out[:, names.index("first")] = r2[:, [1 << j for j in range(k)]]
    out[:, names.index("last")] = r2[:, [full]] - r2[:, [full ^ (1 << j) for j in range(k)]]
    out[:, names.index("johnson")] = logit_weights(R, beta, r2[:, full])
    out[:, names.index("lmg")] = r2 @ shares_of_orders(k)
    return with_shares(out), r2


def _subsets_of(
    sample: Sample, cell: int, at: list[int], y: int, drawn: Array, kind: Kind
) -> tuple[Array, Array, Array]:
    """(m, 2^k) R2 of every subset in a cell under m weightings, and (m, k) coefficients, (m, k, k) correlations of all.

    drawn: (m, n) weights of the rows. Coefficients are those of drivers with spread 1 under their own weighting.
    """
    rows = sample.cell == cell
    X, answer, k = sample.rows[rows][:, at], sample.rows[rows, y], len(at)
    codes, category = np.unique(answer, return_inverse=True)
    weight = drawn[:, rows]
    sd = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    cov = covariances(Z, weight)
    spread = np.sqrt(np.maximum(np.diagonal(cov, axis1=1, axis2=2), 0.0))
    one_hot = np.eye(len(codes))[category]
    r2, beta = np.zeros((len(weight), 2**k)), np.zeros((len(weight), k))
    step = max(1, AT_ONCE // (Z.shape[0] * (k + len(codes))))
    for start in range(0, len(weight), step):
        counts = weight[start : start + step, :, None] * one_hot
        none, n = _none(counts), counts.sum(axis=(1, 2))
        for subset in range(1, 2**k):
            inside = [j for j in range(k) if subset >> j & 1]
            fit = ordered_logit(np.broadcast_to(Z[:, inside], (len(counts), len(Z), len(inside))), counts)
            r2[start : start + step, subset] = np.where(fit.separated, np.nan, r2_of(fit.loglik, none, n, kind))
        beta[start : start + step] = fit.slope
    with np.errstate(divide="ignore", invalid="ignore"):
        R = cov / (spread[:, :, None] * spread[:, None, :])
    return r2, beta * spread, R


def r2_of(loglik: Array, none: Array, n: Array, kind: Kind) -> Array:
    """R2 of a logit from log-likelihoods with and without drivers, and the sum of weights.

    mcfadden: 1 - l/l0;  nagelkerke: (1 - exp(2 (l0 - l)/n)) / (1 - exp(2 l0/n))

    Example:
        >>> one = np.array([1.0])
        >>> [r2_of(-50 * one, -69.3 * one, 100 * one, kind).round(3).tolist() for kind in ("mcfadden", "nagelkerke")]
        [[0.278], [0.427]]
    """
    if kind == "mcfadden":
        return np.asarray(1 - loglik / none)
    return np.asarray(-np.expm1(2 * (none - loglik) / n) / -np.expm1(2 * none / n))


def _none(counts: Array) -> Array:
    """(m,) log-likelihood without drivers."""
    share = counts.sum(axis=1)
    n = share.sum(axis=1, keepdims=True)
    return np.asarray(np.where(share > 0, share * np.log(np.maximum(share, 1e-300) / n), 0.0).sum(axis=1))
