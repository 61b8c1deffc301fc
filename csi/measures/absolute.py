"""Absolute fit of a covariance model: sizes of residuals, GFI and its kin, critical N, ECVI, WRMR.

Letters: `b` slices, `p` items, `M` moments, `g` groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.measures.baseline import fit_length
from csi.measures.baseline_exogenous import Flags, exogenous_of
from csi.measures.fit_indices import ecvi, hoelter, mfi, ratio, wrmr
from csi.measures.incomplete_rows import source_of
from csi.measures.residual_size import adjusted, gfi_normal, gfi_parts, roots, sizes_of, squares
from csi.moments.incomplete import expand, saturated_information
from csi.moments.patterns import Patterns
from csi.moments.saturated import available
from csi.moments.stack import Array
from csi.sem.compiled import residual_sums
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.implied import vech
from csi.sem.moment_vector import plans_of, vector
from csi.sem.normal import inverse


def absolute(fit: Fitted) -> dict[str, Array]:
    """RMR, SRMR, CRMR, critical N, GFI, AGFI, PGFI, MFI; ECVI for continuous items, WRMR for ordinal ones."""
    T, df, M = fit.test.statistic, fit.df, fit_length(fit) * len(fit.groups)
    known = [_compiled(fit, g) for g in fit.groups]
    gfi = _goodness(fit, known)
    agfi, pgfi = adjusted(gfi, M, df)
    found = {
        **_sizes(fit, known),
        "cn_05": hoelter(T, df, fit.total, 0.05),
        "cn_01": hoelter(T, df, fit.total, 0.01),
        "gfi": gfi,
        "agfi": agfi,
        "pgfi": pgfi,
        "mfi": mfi(T, df, fit.total),
    }
    if fit.layout.table.rules.ordered:
        return found | {"wrmr": wrmr(T, fit_length(fit))}
    return found | {"ecvi": ecvi(T, fit.npar, fit.total)}


Sums = tuple[Array, Array]
"""Squared residuals (b, 7) and their weighted sums (b, 2) of a group: see `residual_sums`."""


def compiled_sums(fit: Fitted, group: GroupFit) -> bool:
    """Whether compiled sums of residuals apply: a group of continuous items fitted by ML."""
    return fit.fitting == "ML" and group.vector is None and "two.stage" not in fit.method.se


def _compiled(fit: Fitted, group: GroupFit) -> Sums | None:
    """Both sums of a group in one go; None where they must be made one by one."""
    if not compiled_sums(fit, group):
        return None
    at = group.at
    return residual_sums(group.cov, group.mean, at.Sigma, at.mu, exogenous_of(fit), means=fit.layout.means)


def _sizes(fit: Fitted, known: Sequence[Sums | None]) -> dict[str, Array]:
    """RMR and its standardised kin: means over the groups, weighted by their rows.

    `srmr` is Bentler's; for ordinal items that of their correlations alone.
    """
    ordinal = bool(fit.layout.table.rules.ordered)
    each = [_ordinal_sizes(fit, g) if ordinal else _continuous_sizes(fit, g, sums) for g, sums in enumerate(known)]
    found = each[0]
    if len(each) > 1:
        n = np.stack([g.n for g in fit.groups])
        share = n / n.sum(axis=0)
        found = {name: np.sum([w * one[name] for w, one in zip(share, each, strict=True)], axis=0) for name in found}
    if ordinal:
        found |= dict.fromkeys(("srmr_mplus", "srmr_mplus_nomean"), np.full(len(fit.theta), np.nan))
    return {"srmr": found["srmr_bentler_nomean" if ordinal else "srmr_bentler"], **found}


def _continuous_sizes(fit: Fitted, g: int, sums: Sums | None) -> dict[str, Array]:
    """Residuals of one group of continuous items."""
    S, m = observed(fit, g)
    at = fit.groups[g].at
    found = squares(S, m, at.Sigma, at.mu) if sums is None else sums[0]
    return sizes_of(found, S.shape[1], means=fit.layout.means)


def observed(fit: Fitted, g: int) -> tuple[Array, Array]:
    """The covariances (b, p, p) and means (b, p) that a group of continuous items was fitted to."""
    group = fit.groups[g]
    return (group.cov if group.vector is None else group.moments.cov), group.mean


def _ordinal_sizes(fit: Fitted, g: int) -> dict[str, Array]:
    """Residuals of thresholds, of variances of continuous items and of correlations.

    Thresholds take the place of means (those of continuous items leave, as in lavaan); what belongs to a continuous
    item is divided by its standard deviation. Given exogenous variables, slopes leave too, and every such variable
    counts as one cell, as in lavaan.
    """
    plan, group = plans_of(fit.layout)[g], fit.groups[g]
    if group.vector is None:
        raise LookupError("ordinal items are fitted through their moment vector")
    s = group.vector.s
    e = s - vector(plan, group.at, fit.theta)
    p = plan.kept.size
    own = np.flatnonzero(~np.array(plan.ordinal)[plan.kept])
    first, cells = plan.measured, p * (p + 1) // 2 + plan.given.size
    steps = np.array(plan.ordinal)[plan.th_item]
    sd = np.ones((len(s), p))
    sd[:, own] = np.sqrt(s[:, first : first + own.size])
    implied = np.ones((len(s), p))
    implied[:, own] = np.sqrt(s[:, first : first + own.size] - e[:, first : first + own.size])
    i, j = np.triu_indices(p, 1)
    off, s_off = e[:, first + own.size :], s[:, first + own.size :]
    step = (e[:, : steps.size] ** 2) @ steps
    variance = e[:, first : first + own.size]
    cor = s_off / (sd[:, i] * sd[:, j]) - (s_off - off) / (implied[:, i] * implied[:, j])
    sums = {
        "rmr": ((e[:, first:] ** 2).sum(axis=1), cells, step),
        "srmr_bentler": (
            ((off / (sd[:, i] * sd[:, j])) ** 2).sum(axis=1) + ((variance / sd[:, own] ** 2) ** 2).sum(axis=1),
            cells,
            step,
        ),
        "crmr": ((cor**2).sum(axis=1), p * (p - 1) // 2, step),
    }
    return roots(sums, int(steps.sum()), means=True)


def _goodness(fit: Fitted, known: Sequence[Sums | None]) -> Array:
    """(b,) GFI = 1 - e'We / s'Ws with the weights of the fit; over groups its mean, weighted by their rows.

    Source:
        Jöreskog & Sörbom (1984), LISREL VI; Tanaka & Huba (1985), British J. of Math. and Stat. Psychology 38.
    """
    parts = [_weighted_squares(fit, g) if sums is None else (*sums[1].T,) for g, sums in enumerate(known)]
    each = [1 - ratio(e, s) for e, s in parts]
    if len(each) == 1:
        return each[0]
    n = np.stack([g.n for g in fit.groups])
    return np.asarray((n / n.sum(axis=0) * np.stack(each)).sum(axis=0))


def _inverted(stack: Array) -> Array:
    """(b, p, p) inverses; NaN where a fit that has not converged left a singular matrix."""
    try:
        return np.asarray(np.linalg.inv(stack))
    except np.linalg.LinAlgError:
        return inverse(stack)


def _weighted_squares(fit: Fitted, g: int) -> tuple[Array, Array]:
    """Weighted squares of a group's residuals and of its moments."""
    group = fit.groups[g]
    if group.vector is not None:
        s = group.vector.s
        return gfi_parts(s - vector(plans_of(fit.layout)[g], group.at, fit.theta), s, group.vector.weight)
    S, m, Sigma, mu = group.cov, group.mean, group.at.Sigma, group.at.mu
    if fit.fitting == "FIML":
        return _incomplete_squares(group, exogenous_of(fit))
    if fit.fitting == "ULS":
        s, sigma = vech(S), vech(Sigma)
        if fit.layout.means:
            s, sigma = np.concatenate([m, s], axis=1), np.concatenate([mu, sigma], axis=1)
        return gfi_parts(s - sigma, s, np.ones_like(s))
    sample = fit.fitting == "GLS" or "two.stage" in fit.method.se
    W = _inverted(S if sample else Sigma)
    return gfi_normal(S, m, Sigma, mu, W, exogenous_of(fit), means=fit.layout.means)


def _incomplete_squares(group: GroupFit, exogenous: Flags) -> tuple[Array, Array]:
    """As `gfi_parts` for rows with absent answers, weighted by the expected information given the patterns.

    The moments are those of the answers there are, pair by pair; of weighted rows the saturated ones, which are right
    under MAR as well. That is how lavaan 0.6-14 has both.
    """
    source = source_of(group)
    mean, cov, H = source.over(_pairwise, group.at.mu, group.at.Sigma)
    of = zip(source.cell.tolist(), source.replicate.tolist(), strict=True)
    weighed = np.array([np.ptp(source.weights[cell][replicate]) > 0 for cell, replicate in of])
    mean = np.where(weighed[:, None], group.mean, mean)
    cov = np.where(weighed[:, None, None], group.cov, cov)
    s, sigma = np.concatenate([mean, vech(cov)], axis=1), np.concatenate([group.at.mu, vech(group.at.Sigma)], axis=1)
    i, j = np.triu_indices(exogenous.size)
    modelled = ~np.concatenate([exogenous, exogenous[i] & exogenous[j]])
    return gfi_parts((s - sigma) * modelled, s * modelled, H)


def _pairwise(patterns: Patterns, mu: Array, Sigma: Array) -> tuple[Array, Array, Array]:
    """Means and covariances of the rows that answer both items, and the expected information at (mu, Sigma) per row."""
    mean, _ = available(patterns)
    seen = patterns.observed[:, :, None] & patterns.observed[:, None, :]
    n = np.einsum("bj,jik->bik", patterns.n, seen)
    level = np.einsum("bj,bji,jik->bik", patterns.n, patterns.mean, seen) / n
    square = np.einsum("bj,bjik,jik->bik", patterns.n, patterns.cov + _outer(patterns.mean), seen) / n
    total = patterns.total[:, None, None]
    cov = (square - level * level.swapaxes(1, 2)) * (n / (n - 1)) * ((total - 1) / total)
    H = saturated_information(expand(patterns, mu, Sigma), observed=False)
    return mean, cov, H / total


def _outer(mean: Array) -> Array:
    """(b, J, p, p) products of means."""
    return np.asarray(mean[..., :, None] * mean[..., None, :])
