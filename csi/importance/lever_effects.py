"""What levers go with, as the model has it, with its uncertainty: replicates, copies, or the delta method.

Letters: `q` constructs, `L` levers, `K` constructs told (levers first, the target last), `b` cells, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from csi.errors import Note, note
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.unrolled import unrolled
from csi.importance.points import Asked, both, bounds_of, by_items, in_points, places_of, relative_of, unit_of
from csi.importance.what_if_delta import responses
from csi.inference.pooled import copies_of, pooled_pairs
from csi.inference.uncertainty import Uncertainty
from csi.measures.tidy import uncertain
from csi.moments.stack import Array, Moments
from csi.sem.fitted import Fitted

Kind = Literal["replicates", "delta", "none"]
"""Where intervals come from."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Changes: value, std_error, conf_low, conf_high (b, ...); draws (B, b, ...), none where nothing is drawn."""

    value: Array
    std_error: Array
    conf_low: Array
    conf_high: Array
    draws: Array


def response_of(est: Estimate, asked: Asked) -> Array:
    """(b, K + 1, L) points per point of the estimate itself."""
    return _quantity(est, asked)(est.moments, est.solution)


def kind_of(est: Estimate) -> Kind:
    """Where the intervals of an estimate come from."""
    copies = copies_of(est) or (est,)
    if any(copy.replicates is not None for copy in copies):
        return "replicates"
    return "delta" if all(_closed(copy) is not None for copy in copies) else "none"


def judged(est: Estimate, asked: Asked, rises: Array) -> Judged:
    """Changes that rises of the levers (b, L) go with, and those of the target by each lever alone: (b, K + L).

    The rises are taken as known.
    """
    kind = kind_of(est)
    if kind == "none":
        value = np.stack([_combined(part[None], rise) for part, rise in _pairs(response_of(est, asked), rises)])[:, 0]
        nothing = np.full(value.shape, np.nan)
        return Judged(value, nothing, nothing, nothing, np.empty((0, *value.shape)))
    if kind == "delta":
        return _by_delta(est, asked, rises)
    quantity = _quantity(est, asked)

    def every(moments: Moments, solution: Solution) -> Array:
        found = quantity(moments, solution)
        return np.stack([_combined(found, rise) for rise in rises], axis=1)

    drawn, rep = None, est.replicates
    if rep is not None:
        at = places_of(est)
        found = _responses(est, asked, rep.solution, rep.sd.reshape(-1, rep.sd.shape[-1])[:, at])
        drawn = np.stack([_combined(found, rise) for rise in rises], axis=1)
    return _own(uncertain(est, every, drawn))


def _own(found: Uncertainty | None) -> Judged:
    """Of every cell's numbers under every cell's rises (b, b, ...), those under its own."""
    if found is None:
        raise AssertionError
    at = np.arange(len(found.value))
    draws = found.draws[:, at, at] if len(found.draws) else np.empty((0, *found.value[at, at].shape))
    return Judged(found.value[at, at], found.std_error[at, at], found.conf_low[at, at], found.conf_high[at, at], draws)


def _quantity(est: Estimate, asked: Asked) -> Callable[[Moments, Solution], Array]:
    """Responses as a function of moments and solution."""
    at = places_of(est)
    return lambda moments, solution: _responses(est, asked, unrolled(solution), moments.sd[:, at])


def _responses(est: Estimate, asked: Asked, solution: Solution, sd: Array) -> Array:
    """(m, K + 1, L) points per point; NaN without a solution."""
    low, high = bounds_of(est)
    paths = in_points(solution.paths, unit_of(solution, sd, high - low))
    known = np.isfinite(paths).all(axis=(1, 2))
    out = np.full((len(paths), len(asked.told) + 1, len(asked.levers)), np.nan)
    out[known] = both(paths[known], asked)
    return by_items(out, relative_of(solution, sd, high - low), asked)


def _pairs(response: Array, rises: Array) -> zip[tuple[Array, Array]]:
    return zip(response, rises, strict=True)


def _combined(response: Array, rise: Array) -> Array:
    """(m, K + L): changes of the constructs told under one cell's rises, and of the target by each lever alone."""
    return np.concatenate([response[:, :-1] @ rise, response[:, -1] * rise], axis=1)


def _closed(est: Estimate) -> Fitted | None:
    """The covariance fit whose parameters tell the responses; None of others."""
    fit = est.extra.get("sem")
    if not isinstance(fit, Fitted) or set(est.solution.items) & set(fit.layout.blocks[0].latent):
        return None
    return fit


def _by_delta(est: Estimate, asked: Asked, rises: Array) -> Judged:
    """Changes with errors from the covariance of the parameters; of copies by Rubin's rules."""
    low, high = bounds_of(est)
    values, errors = [], []
    for copy in copies_of(est) or (est,):
        fit = _closed(copy)
        if fit is None:
            raise AssertionError
        response, cov = responses(fit, copy.solution, high - low, asked)
        values.append(np.stack([_combined(own[None], rise)[0] for own, rise in _pairs(response, rises)]))
        errors.append(np.stack([_errors(V, rise, len(asked.told)) for V, rise in zip(cov, rises, strict=True)]))
    if len(values) > 1:
        found = pooled_pairs(est, np.stack(values), np.stack(errors))
        none = np.empty((0, *found.value.shape))
        return Judged(found.value, found.std_error, found.conf_low, found.conf_high, none)
    wide = float(ndtri(0.5 + est.level / 2)) * errors[0]
    return Judged(values[0], errors[0], values[0] - wide, values[0] + wide, np.empty((0, *values[0].shape)))


def _errors(V: Array, rise: Array, told: int) -> Array:
    """(K + L,) standard errors of changes, from the covariance of the responses ((K + 1) L, (K + 1) L)."""
    L = len(rise)
    A = np.zeros((told + L, (told + 1) * L))
    for k in range(told):
        A[k, k * L : (k + 1) * L] = rise
    A[told + np.arange(L), told * L + np.arange(L)] = rise
    return np.asarray(np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", A, V, A), 0.0)), dtype=np.float64)


def draws_of(est: Estimate, asked: Asked, *, seed: int) -> tuple[Array, tuple[Note, ...]]:
    """(B, L) draws of the target's response to each lever, of an estimate of one cell; none where nothing tells them.

    Without replicates of its own a covariance fit, or what pools fits, is drawn from a normal distribution.
    """
    if est.replicates is not None and est.replicates.factors is None:
        at = places_of(est)
        found = _responses(
            est, asked, est.replicates.solution, est.replicates.sd.reshape(-1, len(est.moments.names))[:, at]
        )
        return np.where(est.replicates.usable, found[:, -1], np.nan), ()
    if kind_of(est) == "none":
        return np.empty((0, len(asked.levers))), ()
    L = len(asked.levers)
    one = judged(est, asked, np.ones((1, L)))
    each, error = one.value[0, -L:], one.std_error[0, -L:]
    cor = _together(est, asked) if kind_of(est) == "delta" and not copies_of(est) else np.eye(L)
    root = np.linalg.cholesky(cor + 1e-12 * np.eye(L))
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, L)) @ root.T
    en = f"draws are {DRAWS} of the normal distribution of the responses."
    return each + drawn * error, (note("N-PLAN-NORMAL", en, f"抽样取自响应的正态分布，共 {DRAWS} 次。"),)


DRAWS = 1000


def _together(est: Estimate, asked: Asked) -> Array:
    """(L, L) correlations of the errors of the target's responses."""
    fit, (low, high) = _closed(est), bounds_of(est)
    if fit is None:
        raise AssertionError
    L = len(asked.levers)
    V = responses(fit, est.solution, high - low, asked)[1][0, -L:, -L:]
    sd = np.sqrt(np.maximum(np.diagonal(V), np.finfo(float).tiny))
    return np.asarray(V / np.outer(sd, sd))
