"""What every answer adds to the index weights: their gradient on the moments, times what it adds to the moments.

A relative weight is a function of item covariances S. With u the standardised answers and Q the gradient in their units

    IF_i = d_i / sum d (u_i' Q u_i - <Q, R>),   Q = M - diag(sum_l M_kl R_kl) + 1/2 diag(df / dlog s)

M from `csi.pls.weight_gradient` (PLS, principal components), from the formula (equal and raw sums), else by central
differences of the estimator itself over stacks of moments (GSCA, higher-order constructs).

Letters: `p` entries of items and constructs, `r` columns of the rows, `b` groups, `m` quantities, `n` rows.

Source: Hampel et al. (1986), Robust Statistics, 2.1; Wolter (2007), Introduction to Variance Estimation, chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from csi.errors import Problems
from csi.estimate.estimate import Estimate
from csi.estimate.unrolled import on_items
from csi.inference.leave_out import one_cell
from csi.measures.blocks import membership
from csi.measures.performance import relative_weights
from csi.moments.pearson import cell_slices
from csi.moments.stack import Array, Ints, Moments
from csi.pls.blueprint import blueprint_of
from csi.pls.estimator import PLS
from csi.pls.gsca import GSCA
from csi.pls.stages import is_composed
from csi.pls.sum_scores import SumScores
from csi.pls.weight_gradient import Gradient, component_gradient, pls_gradient
from csi.tracking.index_fit import item_bounds, item_places

MOST = 200_000
"""Refits that central differences may cost."""

STEP = 1e-4
"""Of central differences, in units of the items' standard deviations."""

SETTLED = 1e-12
"""Change that counts as settled where weights are differenced."""

ROUNDS = 10_000
"""Give up after so many rounds there."""

ROWS = 65_536
"""Rows worked on together. Results do not depend on it."""

TOGETHER = 128
"""Groups whose gradients are worked out together. Results do not depend on it."""


def columns_of(fitted: Estimate) -> Ints:
    """(r,) columns of the rows that the weights hang on."""
    return np.unique(item_places(fitted))


def has_influence(fitted: Estimate) -> bool:
    """Whether the weights are a smooth function of moments whose rows are at hand."""
    if fitted.sample is None or fitted.sample.group is not None or fitted.sample.missing not in TREATED:
        return False
    if _closed(fitted):
        return True
    r = columns_of(fitted).size
    return len(fitted.values) * r * (r + 1) <= MOST and _differences(fitted, 0) is not None


TREATED = ("listwise", "pairwise", "mean")
"""Treatments of absent answers under which a row's part in the moments is known."""


def row_influence(fitted: Estimate, entries: Ints) -> Iterator[tuple[slice, Array]]:
    """What every row adds to the relative weights of its group, group by group.

    Parameters:
        fitted: the fit of b groups with their rows. entries: (m,) the weights, as entries of its solution.

    Returns:
        (rows of the group in `fitted.sample`, (n, m)) pairs; NaN in groups without weights.
    """
    sample = fitted.sample
    if sample is None:
        raise ValueError("influence needs rows")
    columns, spans = columns_of(fitted), list(cell_slices(sample))
    on = np.zeros((entries.size, len(fitted.solution.items)))
    on[np.arange(entries.size), entries] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        cor = fitted.moments.cor[:, columns[:, None], columns]
    for first in range(0, len(spans), TOGETHER):
        chosen = slice(first, first + TOGETHER)
        forms = quadratic_forms(fitted, chosen, on)
        for g, (rows, form) in enumerate(zip(spans[chosen], forms, strict=True), start=first):
            answers, weight = sample.rows[rows][:, columns], sample.weight[rows]
            yield rows, _of_group(answers, weight, form, cor[g], sample.missing)


def quadratic_forms(fitted: Estimate, groups: slice, on: Array) -> Array:
    """(b, m, r, r) Q of combinations of some groups' relative weights, on `columns_of(fitted)`.

    Parameters:
        on: (m, p) the combinations, by the entries of the solution.
    """
    if not _closed(fitted):
        return np.stack([_by_differences(fitted, g, on) for g in range(*groups.indices(len(fitted.values)))])
    places, (low, high) = item_places(fitted), item_bounds(fitted)
    sol, sd = fitted.solution, fitted.moments.sd[groups][:, places]
    if sol.weights is None:
        raise ValueError("influence needs outer weights")
    weights, q = sol.weights[groups], len(sol.constructs)
    member = membership(sol.block, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = (high - low) / sd
        unit /= (weights * unit @ member)[:, sol.block]
        relative = weights * unit
        centred = on - ((on * relative[:, None]) @ member)[:, :, sol.block]
        slope = centred * unit[:, None]
        cor = fitted.moments.cor[groups][:, places[:, None], places]
    gradient = _closed_gradient(fitted, cor, sd, weights, slope)
    by_sd = gradient.log_sd - centred * relative[:, None]
    Q = gradient.cor.copy()
    diagonal = np.arange(places.size)
    Q[:, :, diagonal, diagonal] += 0.5 * by_sd - np.einsum("bmkl,bkl->bmk", gradient.cor, cor)
    at = np.argsort(places)
    return np.asarray(Q[:, :, at[:, None], at])


def _closed(fitted: Estimate) -> bool:
    """Whether the gradient has a formula."""
    return isinstance(fitted.settings, PLS | SumScores) and not is_composed(fitted.model)


def _closed_gradient(fitted: Estimate, cor: Array, sd: Array, weights: Array, slope: Array) -> Gradient:
    """The gradient of PLS and sum scores, by the outer weights' slopes."""
    settings = fitted.settings
    if isinstance(settings, PLS):
        drawn, _ = blueprint_of(fitted.model, fitted.moments, settings.modes, consistent=settings.consistent)
        units = sd if settings.units == "raw" else None
        return pls_gradient(cor, weights, drawn.design, settings.weighting, slope, units)
    if isinstance(settings, SumScores) and settings.weights == "pca":
        return component_gradient(cor, weights, blueprint_of(fitted.model, fitted.moments)[0].design, slope)
    raw = isinstance(settings, SumScores) and settings.weights == "raw"
    along = slope * weights[:, None]  # w_k = s_k / sd of the score; its scale has no effect
    return Gradient(np.zeros((*slope.shape, slope.shape[-1])), along if raw else np.zeros_like(slope))


def _by_differences(fitted: Estimate, g: int, on: Array) -> Array:
    """(m, r, r) Q of one group by central differences; NaN where the estimator cannot be asked."""
    slopes = _differences(fitted, g)
    r = columns_of(fitted).size
    if slopes is None:
        return np.full((len(on), r, r), np.nan)
    i, j = np.triu_indices(r)
    Q = np.empty((len(on), r, r))
    Q[:, i, j] = Q[:, j, i] = np.where(i == j, 1.0, 0.5) * (np.nan_to_num(on) @ slopes.T)
    return Q


def _differences(fitted: Estimate, g: int) -> Array | None:
    """(r (r + 1) / 2, p) derivatives of the relative weights of group g by each covariance, in standardised units."""
    columns = columns_of(fitted)
    i, j = np.triu_indices(columns.size)
    one = fitted.moments.without_rows().of_slice(g)
    sd = one.sd[0]
    shift = np.zeros((i.size, *one.cov.shape[1:]))
    row, a, b = np.arange(i.size), columns[i], columns[j]
    shift[row, a, b] = shift[row, b, a] = STEP * sd[a] * sd[b]
    stack = _stacked(one, np.concatenate([one.cov + shift, one.cov - shift]))
    settings = fitted.settings
    if isinstance(settings, PLS | GSCA):
        settings = replace(settings, tolerance=SETTLED, max_iterations=ROUNDS)
    try:
        solved = on_items(settings.solve(fitted.model, stack, one_cell(fitted, g)))
    except (Problems, ValueError):  # products need the rows: their weights have no gradient on moments
        return None
    low, high = item_bounds(fitted)
    sol, places = solved.solution, item_places(fitted)
    if sol.weights is None or sol.items != fitted.solution.items:
        return None
    made = relative_weights(sol.weights, stack.sd[:, places], high - low, sol.block, len(sol.constructs))
    return np.asarray((made[: i.size] - made[i.size :]) / (2.0 * STEP))


def _stacked(one: Moments, cov: Array) -> Moments:
    """A slice under other covariances."""
    b = len(cov)
    n, sum_w, sum_w2, mean = (np.repeat(a, b, axis=0) for a in (one.n, one.sum_w, one.sum_w2, one.mean))
    return replace(one, n=n, sum_w=sum_w, sum_w2=sum_w2, mean=mean, cov=cov)


def _of_group(answers: Array, weight: Array, form: Array, cor: Array, missing: str) -> Array:
    """(n, m) influence of the rows of one group."""
    absent = np.isnan(answers)
    if not absent.any():
        return _complete(answers, weight, form)
    return _pairwise(answers, weight, form, cor) if missing == "pairwise" else _replaced(answers, weight, form)


def _complete(answers: Array, weight: Array, form: Array) -> Array:
    """d_i / sum d (u_i' Q u_i - mean)."""
    share = weight / weight.sum()
    centred = answers - share @ answers
    with np.errstate(divide="ignore", invalid="ignore"):
        u = centred / np.sqrt(share @ centred**2)
    found = _forms(u, form)
    return np.asarray(share[:, None] * (found - share @ found))


def _forms(u: Array, form: Array) -> Array:
    """(n, m) u_i' Q_m u_i."""
    (n, r), m = u.shape, len(form)
    wide = np.ascontiguousarray(form.transpose(1, 0, 2)).reshape(r, m * r)
    found = np.empty((n, m))
    for start in range(0, n, ROWS):
        part = u[start : start + ROWS]
        found[start : start + ROWS] = np.einsum("nmr,nr->nm", (part @ wide).reshape(len(part), m, r), part)
    return found


def _replaced(answers: Array, weight: Array, form: Array) -> Array:
    """The same with absent answers at the mean, which the answers that are there move."""
    share = weight / weight.sum()
    there = (~np.isnan(answers)).astype(np.float64)
    mean = share @ np.nan_to_num(answers) / (share @ there)
    centred = np.where(there > 0, answers - mean, 0.0)
    u = centred / np.sqrt(share @ centred**2)
    crossed = (share[:, None] * there).T @ u  # [i, j]: mean of u_j over the rows that answer i
    through = -2.0 * np.einsum("mij,ij->mi", form, crossed) / (share @ there)
    found = _forms(u, form)
    return np.asarray(share[:, None] * (found - share @ found + u @ through.T))


def _pairwise(answers: Array, weight: Array, form: Array, cor: Array) -> Array:
    """The same where every correlation comes from the rows that answer both items."""
    share = weight / weight.sum()
    there = ~np.isnan(answers)
    r, filled = answers.shape[1], np.nan_to_num(answers)
    by_sd = 2.0 * np.einsum("mkk->mk", form) + 2.0 * (np.einsum("mkl,kl->mk", form, cor) - np.einsum("mkk->mk", form))
    found = np.zeros((len(answers), len(form)))
    for k in range(r):
        own = _standardised(filled[:, [k]], share * there[:, k])[:, 0]
        found += np.outer(_shares(share * there[:, k]) * (own**2 - 1.0) / 2.0, by_sd[:, k])
        for j in range(k + 1, r):
            both = share * (there[:, k] & there[:, j])
            u = _standardised(filled[:, [k, j]], both)
            moved = u[:, 0] * u[:, 1] - cor[k, j] * (u**2).sum(axis=1) / 2.0
            found += np.outer(_shares(both) * moved, 2.0 * form[:, k, j])
    return found


def _shares(weight: Array) -> Array:
    return np.asarray(weight / weight.sum())


def _standardised(values: Array, weight: Array) -> Array:
    """Columns with mean 0 and variance 1 under weights; what has none stays out by its weight."""
    w = _shares(weight)
    centred = values - w @ values
    return np.asarray(centred / np.sqrt(w @ centred**2))
