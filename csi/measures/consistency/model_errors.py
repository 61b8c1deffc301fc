"""How far coefficients of a fitted model may be off: by the model's own errors, or by replicates.

Letters: `b` slices, `B` replicates, `k` free parameters, `c` coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.estimate.estimate import Estimate
from csi.measures.blocks import item_cov
from csi.measures.consistency.fitted_factors import Parts, Sum, categorical_of, laid_out, parts_of, value_of
from csi.moments.stack import Array, Moments
from csi.moments.two_step import Flags
from csi.sem.fitted import Fitted

STEP = 1e-4
"""Step of central differences, as a share of a parameter's standard error."""

Asked = tuple[Sum, str, bool]
"""A sum, the variance it is divided by ("implied" or "observed"), whether it is of the ordinal answers themselves."""


def by_delta(fit: Fitted, asked: Sequence[Asked], at: Sequence[Parts]) -> Array:
    """(b, c) standard errors of coefficients over the implied variance; NaN of others.

    Slopes by central differences (of Green and Yang's coefficient: its own slopes times differences of thresholds and
    covariances), covariances of the parameters from the fit.

    Parameters:
        at: the matrices of every group.
    """
    errors = np.full((len(fit.theta), len(asked)), np.nan)
    for s in range(len(fit.theta)):
        V = fit.vcov[s]
        if not (np.isfinite(V).all() and np.isfinite(fit.theta[s]).all()):
            continue
        size = STEP * np.sqrt(np.maximum(np.diag(V), 0.0)) + 1e-9
        near = _around(fit, s, size)
        for c, (of, way, cat) in enumerate(asked):
            if way == "implied":
                one = near[of.group]
                values = _categorical(of, fit, at[of.group], one, s) if cat else value_of(of, one, one.Sigma)
                slope = (values[: size.size] - values[size.size :]) / (2 * size)
                errors[s, c] = np.sqrt(max(float(slope @ V @ slope), 0.0))
    return errors


def _around(fit: Fitted, s: int, size: Array) -> list[Parts]:
    """The matrices of every group with each parameter of slice `s` moved up, then down: 2 k slices."""
    moved = np.concatenate([fit.theta[s] + np.diag(size), fit.theta[s] - np.diag(size)])
    held = [np.repeat(flat[s][None], len(moved), axis=0) for flat in fit.flats]
    return [parts_of(fit, g, flat, moved) for g, flat in enumerate(held)]


def _categorical(of: Sum, fit: Fitted, at: Parts, near: Parts, s: int) -> Array:
    """(2 k,) Green and Yang's coefficient to first order around slice `s`."""
    found = categorical_of(of, fit, at, at.Sigma, s)
    cuts, common, whole = laid_out(of, fit, near)
    total = np.einsum("bia,ia->b", cuts, found.by_cuts) + np.einsum("bij,ij->b", common, found.by_common)
    return np.asarray(total + np.einsum("bij,ij->b", whole, found.by_cor))


def by_replicates(est: Estimate, fit: Fitted, asked: Sequence[Asked]) -> Array | None:
    """(B, b, c) coefficients of every replicate, NaN of those of ordinal answers; None without replicates.

    None as well where composites stand for other parameters, which replicates do not keep.
    """
    kept = est.replicates
    if kept is None or fit.layout.table.rules.composites:
        return None
    shape = kept.values.shape
    rows = kept.values.reshape(-1, shape[-1])
    names, ordinal = fit.layout.table.observed, bool(fit.layout.table.rules.ordered)
    known: Flags = np.asarray(np.isfinite(rows[:, : len(fit.layout.table.rows)]).all(axis=1))
    out = np.full((len(rows), len(asked)), np.nan)
    for g in range(len(fit.groups)):
        mine = [c for c, (of, _, cat) in enumerate(asked) if of.group == g and not cat]
        at = _at(fit, g, rows[known])
        seen = None if ordinal else _seen(est, g, names).reshape(-1, len(names), len(names))[known]
        for c in mine:
            of, way, _ = asked[c]
            whole = at.Sigma if way == "implied" else seen
            if whole is not None:
                out[known, c] = value_of(of, at, whole)
    return out.reshape(*shape[:2], len(asked))


def _seen(est: Estimate, g: int, names: tuple[str, ...]) -> Array:
    """(B, b, p, p) covariances of the items in every replicate."""

    def covariances(moments: Moments, _: object) -> Array:
        return item_cov(moments.parts[g] if moments.parts else moments, names)

    if est.replicates is None:
        raise TypeError
    return est.replicates.over(covariances)


def _at(fit: Fitted, g: int, rows: Array) -> Parts:
    """The matrices of group `g` at other solutions, from the values of the table's rows."""
    table, block = fit.layout.table, fit.layout.blocks[g]
    theta = np.empty((len(rows), fit.theta.shape[1]))
    for number, at in enumerate(table.index):
        if at >= 0:
            theta[:, at] = rows[:, number]
    flat = np.zeros((len(rows), block.size))
    for number, places in block.place.items():
        flat[:, places] = rows[:, [number]]
    place, mirror, held = block.fixed
    flat[:, place] = flat[:, mirror] = held
    return parts_of(fit, g, flat, theta)
