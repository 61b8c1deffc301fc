"""The baseline of incremental fit: independence. Variances, means and thresholds are free, covariances are 0;
exogenous observed variables keep theirs, whether they are given or estimated (`fixed_x`). Where ordinal items are
conditional on them, slopes are free and residual covariances 0.

It is linear in the moments, so least squares has it in closed form; so has normal theory.

Letters: `b` slices, `p` items, `M` moments, `g` groups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from csi.measures.baseline_exogenous import (
    Flags,
    correlated,
    correlated_of,
    free_exogenous,
    free_trace,
    given,
    part_of,
)
from csi.measures.incomplete_rows import saturated_gamma, saturated_weight
from csi.moments.fourth import gamma
from csi.moments.stack import Array, Ints
from csi.sem.compiled import determined
from csi.sem.fitted import Fitted, GroupFit, Test
from csi.sem.implied import vech
from csi.sem.layout import Layout
from csi.sem.moment_vector import plans_of
from csi.sem.robust import (
    Pieces,
    cross_product,
    normal_weight,
    observed_weight,
    residual_traces,
    scaled_test,
    yuan_bentler,
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The independence model's test, and its scaled form where the model has one.

    Attributes:
        chi2: (b,). df: degrees of freedom. scaled: as `Fitted.scaled`.
    """

    chi2: Array
    df: int
    scaled: Test | None


@dataclass(frozen=True, slots=True)
class Slots:
    """Places in a group's moment vector: held at 0, and free (moments of exogenous variables are free, or neither)."""

    held: Ints
    free: Ints


def independence_ml(cov: Array, exogenous: Flags) -> Array:
    """(b,) F = sum of log s_ii over endogenous items + log|S_xx| - log|S|.

    Parameters:
        cov: (b, p, p). exogenous: (p,) items that keep their covariances.

    Source:
        Bollen (1989), Structural equations with latent variables, p. 269.

    Example:
        >>> cov = np.array([[[1.0, 0.6], [0.6, 1.0]]])
        >>> independence_ml(cov, np.zeros(2, dtype=bool)).round(4).item()
        0.4463
    """
    known = determined(cov)
    logdet = known[0] if known is not None and np.isfinite(known[0]).all() else np.linalg.slogdet(cov)[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(np.einsum("bii->bi", cov)[:, ~exogenous]).sum(axis=1) - logdet
    if exogenous.any():
        value += np.linalg.slogdet(cov[:, exogenous][:, :, exogenous])[1]
    return np.asarray(value)


def independence_ls(s: Array, weight: Array, at: Slots) -> Array:
    """(b,) minimum of (s - sigma)' W (s - sigma) where `held` of sigma are 0 and `free` fit whatever they like.

    s_h' (W_hh - W_hf W_ff^-1 W_fh) s_h

    Parameters:
        s: (b, M). weight: (b, M, M), or (b, M) where it is diagonal.

    Example:
        >>> W = np.array([[[2.0, 1.0], [1.0, 2.0]]])
        >>> independence_ls(np.array([[5.0, 1.0]]), W, Slots(np.array([1]), np.array([0]))).item()
        1.5
    """
    e = s[:, at.held]
    if weight.ndim == 2:
        return np.asarray((e * e * weight[:, at.held]).sum(axis=1))
    W = weight[:, at.held][:, :, at.held]
    cross = weight[:, at.held][:, :, at.free]
    W = W - cross @ np.linalg.solve(weight[:, at.free][:, :, at.free], cross.swapaxes(1, 2))
    return np.asarray(np.einsum("bi,bij,bj->b", e, W, e))


def baseline(fit: Fitted) -> Baseline:
    """The independence model of a fit, tested as the model is."""
    exogenous = correlated_of(fit)
    slots = slots_of(fit)
    df = slots.held.size * len(fit.groups)
    if fit.fitting == "FIML":
        chi2 = 2 * (fit.saturated - sum(_loglik(g, exogenous, free_exogenous(fit)) for g in fit.groups))
    else:
        F = [_discrepancy(fit, g, slots, exogenous) for g in fit.groups]
        chi2 = np.asarray(sum(g.count * f for g, f in zip(fit.groups, F, strict=True)))
    return Baseline(chi2, df, None if fit.scaled is None else _scaled(fit, fit.scaled, chi2, df, slots, exogenous))


def slots_of(fit: Fitted) -> Slots:
    """Held and free places of the moment vector."""
    return _slots(fit.layout, fit_length(fit))


@lru_cache(maxsize=64)
def _slots(layout: Layout, length: int) -> Slots:
    """The same, by layout and length of the vector."""
    fixed, kept = given(layout), correlated(layout)
    p = fixed.size
    i, j = np.triu_indices(p)
    if layout.table.rules.ordered:
        pairs = plans_of(layout)[0].off[0].size
        return Slots(length - pairs + np.arange(pairs), np.arange(length - pairs))
    offset = p if layout.means else 0
    held = (i != j) & ~(kept[i] & kept[j])
    levels = np.flatnonzero(~fixed) if offset else np.arange(0)
    return Slots(
        offset + np.flatnonzero(held),
        np.concatenate([levels, offset + np.flatnonzero(~held & ~(fixed[i] & fixed[j]))]),
    )


def fit_length(fit: Fitted) -> int:
    """Moments of one group's vector."""
    vector = fit.groups[0].vector
    if vector is not None:
        return int(vector.s.shape[1])
    p = len(fit.layout.table.observed)
    return p * (p + 1) // 2 + (p if fit.layout.means else 0)


def _discrepancy(fit: Fitted, group: GroupFit, slots: Slots, exogenous: Flags) -> Array:
    """(b,) F of one group."""
    if fit.fitting == "ML":
        return independence_ml(group.cov, exogenous)
    if group.vector is not None:
        return independence_ls(group.vector.s, group.vector.weight, slots)
    p = exogenous.size if fit.layout.means else 0
    at = Slots(slots.held - p, slots.free[slots.free >= p] - p)
    s = vech(group.cov)
    if fit.fitting == "ULS":
        return independence_ls(s, np.ones_like(s), at)
    return independence_ls(s, np.stack([normal_weight(S, means=False) for S in group.cov]), at)


def _loglik(group: GroupFit, exogenous: Flags, free: Flags) -> Array:
    """(b,) log-likelihood of the independence model from rows with absent answers; given variables are left out."""
    out = part_of(group, free)[1] if free.any() else np.zeros(len(group.n))
    for s in range(len(out)):
        rows, weights, _ = _rows(group, s)
        _, v, n = _available(rows[:, ~exogenous], weights)
        out[s] -= 0.5 * float((n * (np.log(2 * np.pi * v) + 1)).sum())
    return out


def _rows(group: GroupFit, s: int) -> tuple[Array, Array, Ints]:
    """Rows behind a slice with weights that sum to n."""
    if group.moments.rows is None:
        raise LookupError("the fit let its rows go")
    rows, weights, units = group.moments.rows.of(s)
    keep = weights > 0
    weights = weights[keep]
    return rows[keep], weights * float(group.n[s]) / weights.sum(), units[keep]


def _available(rows: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Mean, variance (divisor n) and number of the answers to each item."""
    seen = ~np.isnan(rows)
    filled = np.where(seen, rows, 0.0)
    n = weights @ seen
    mean = weights @ filled / n
    return mean, weights @ np.where(seen, rows - mean, 0.0) ** 2 / n, n


def _scaled(fit: Fitted, scaled: Test, chi2: Array, df: int, slots: Slots, exogenous: Flags) -> Test:
    """The baseline's test, scaled as the model's was."""
    tests = []
    projected = scaled.name == "yuan.bentler" and fit.fitting == "ML"
    more, free_x = np.zeros(len(chi2)), free_exogenous(fit)
    if free_x.any() and scaled.name.startswith("yuan") and not projected:
        more = np.sum([free_trace(g, free_x, means=fit.layout.means) for g in fit.groups], axis=0)
    for s in range(len(chi2)):
        value = float(chi2[s])
        if scaled.name.startswith("yuan") and not projected:
            known = [None if fit.fitting == "FIML" else np.diagonal(g.cov[s]) for g in fit.groups]
            traces = [
                independence_trace(*_rows(g, s), exogenous, means=fit.layout.means, variances=v)
                for g, v in zip(fit.groups, known, strict=True)
            ]
            h0 = sum(traces) + more[s]
            free = slots.free.size * len(fit.groups)
            h1 = float(scaled.traces["h1"][s])
            tests.append(yuan_bentler(scaled.name, value, df, h1, h0, free + df, free))
            continue
        first, second = _traces(fit, s, slots)
        name = "satorra.bentler" if projected else scaled.name
        tests.append(replace(scaled_test(name, value, df, first, second), name=scaled.name))
    return stacked(tests)


def _traces(fit: Fitted, s: int, slots: Slots) -> tuple[float, float]:
    """tr(U Gamma) and tr((U Gamma)^2) of the independence model in slice `s`."""
    pieces = [_pieces(fit, g, s, slots) for g in fit.groups]
    spread = [Pieces(_embedded(p.jacobian, g, len(pieces)), p.weight, p.gamma, p.share) for g, p in enumerate(pieces)]
    return residual_traces(spread, np.eye(slots.free.size * len(fit.groups)))


def _embedded(D: Array, g: int, groups: int) -> Array:
    """The jacobian of group g among the parameters of all groups."""
    out = np.zeros((D.shape[0], D.shape[1] * groups))
    out[:, g * D.shape[1] : (g + 1) * D.shape[1]] = D
    return out


def _pieces(fit: Fitted, group: GroupFit, s: int, slots: Slots) -> Pieces:
    """Jacobian, weight, Gamma and share of one group; moments of exogenous variables leave."""
    keep = np.sort(np.concatenate([slots.held, slots.free]))
    if group.vector is not None:
        weight = group.vector.weight[s]
        G = np.empty((0, 0)) if group.vector.gamma is None else group.vector.gamma[s]
        G = G[np.ix_(keep, keep)]
    elif "two.stage" in fit.method.se:
        # As when independence itself is fitted in two stages: c = 1.270 and 1.326 (robust) on Holzinger with absent
        # answers, and so has lavaan 0.6-14 for that fit. As a baseline it prints 1.0198 for both: fourth moments of the
        # answers there are, divided by all N rows, not the covariance of the two-stage moments; not followed.
        G = saturated_gamma(saturated_weight(group)[s], group, s, keep, robust=fit.method.se == "robust.two.stage")
        weight = normal_weight(group.cov[s], means=True)
    else:
        rows, weights, _ = _rows(group, s)
        given = fit.layout.table.given
        G = gamma(rows, weights, means=fit.layout.means, given=given)[np.ix_(keep, keep)]
        S = group.cov[s]
        own = {"ML": _apart(S, correlated_of(fit)), "GLS": S, "ULS": np.eye(len(S))}[fit.fitting]
        observed = fit.method.test == "yuan.bentler"
        means = fit.layout.means
        weight = observed_weight(own, S, means=means) if observed else normal_weight(own, means=means)
    weight = weight[np.ix_(keep, keep)] if weight.ndim == 2 else weight[keep]
    D = (keep[:, None] == np.sort(slots.free)).astype(np.float64)
    return Pieces(D, weight, G, float(group.share[s]))


def _apart(S: Array, exogenous: Flags) -> Array:
    """(p, p) covariances under independence: those of exogenous variables with each other stay."""
    stays = np.eye(len(S), dtype=bool) | (exogenous[:, None] & exogenous)
    return np.asarray(np.where(stays, S, 0.0))


def independence_trace(
    rows: Array, weights: Array, units: Ints, exogenous: Flags, *, means: bool, variances: Array | None = None
) -> float:
    """tr(B A^-1) of the independence model: its scores' cross-product over its information, item by item.

    Parameters:
        rows: (n, p), NaN where absent. weights: (n,) summing to n. units: (n,) resampling unit of each row.
        variances: (p,) that independence fits ("wishart": divisor n - 1); None: those of the answers, divisor n.

    Source:
        Yuan & Bentler (2000), Sociological Methodology 30.

    Example:
        >>> rows = np.array([[-1.0], [1.0], [-1.0], [1.0]])
        >>> independence_trace(rows, np.ones(4), np.arange(4), np.array([False]), means=True)
        1.0
    """
    own = rows[:, ~exogenous]
    mean, v, n = _available(own, weights)
    v = v if variances is None else variances[~exogenous]
    z = (own - mean) / np.sqrt(v)
    squares = np.where(np.isnan(z), 0.0, 0.5 * (z**2 - 1))
    trace = (np.diag(cross_product(squares, weights, units)) / (n / 2)).sum()
    if means:
        trace += (np.diag(cross_product(np.where(np.isnan(z), 0.0, z), weights, units)) / n).sum()
    return float(trace)


def stacked(tests: list[Test]) -> Test:
    """Tests of single slices as one."""
    return Test(
        name=tests[0].name,
        statistic=np.concatenate([t.statistic for t in tests]),
        df=np.concatenate([t.df for t in tests]),
        p_value=np.concatenate([t.p_value for t in tests]),
        factor=np.concatenate([t.factor for t in tests]),
        shift=np.concatenate([t.shift for t in tests]),
        traces={name: np.concatenate([t.traces[name] for t in tests]) for name in tests[0].traces},
    )
