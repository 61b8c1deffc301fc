"""Standardised parameters with delta-method standard errors, and R2 of every variable that something explains.

    Var(g(theta)) = J V J',  J = dg / dtheta by complex steps

Letters: `b` slices, `t` rows of the table, `d` definitions, `k` parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from csi.errors import reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.pooled import TURNED, copies_of
from csi.measures.explained import of_constructs
from csi.measures.tidy import cells_of, number_column, solved_only, tidy
from csi.models.syntax.evaluate import evaluate_definitions
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, fitted
from csi.sem.implied import Values, implied, matrices
from csi.sem.standardise import Standard, factors, row_values
from csi.sem.standardise import standardised as row_standardised
from csi.sem.view import standardised_labels, standardised_view, view_of

STEP = 1e-20
NEGATIVE = reason(
    "R-NEGATIVE-VARIANCE",
    "its residual variance is negative (Heywood case): no share of variance is explained.",
    "其残差方差为负（Heywood 情形），无法给出解释方差比例。",
)
ROUNDING = 1e-10
"""Standard errors below this belong to values that cannot vary, such as the loading of an only item."""


def standardised(est: Estimate, kind: Standard = "std_all", level: float = 0.95) -> pl.DataFrame:
    """Standardised parameters with standard errors, tests and intervals.

    Parameters:
        est: a fit by `csi.SEM`. kind: "std_all" (all variables with variance 1) or "std_lv" (constructs only).
        level: of the intervals.

    Returns:
        frame: the cell's key columns, lhs, op, rhs, group, label, estimate, std_error, statistic, p_value, conf_low,
        conf_high; definitions are computed from standardised values. The standard error of what cannot vary is 0.
        The scale of an ordinal item (`u ~*~ u`) in a model conditional on predictors is (1 - what they explain of the
        response)^(-1/2), above 1, where lavaan prints 1; without predictors both are 1.

    Raises:
        Problems: the estimate is not of `csi.SEM`.

    Source:
        Bollen (1989), Structural equations with latent variables, pp. 123-126; Oehlert (1992), Amer. Statist. 46 (delta
        method). Agrees with lavaan 0.6-14, standardizedSolution.

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.4], [0.5, 0.4, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c"), csi.Moments.of("abc", cov, n=300), csi.SEM())
        >>> standardised(est).select("rhs", pl.col("estimate", "std_error").round(3)).row(0)
        ('a', 0.791, 0.051)
    """
    check_estimate(est)
    fit = fitted(est)
    value = _values(est, fit, fit.flats, fit.theta, kind)
    error = np.empty(value.shape)
    k = fit.theta.shape[1]
    for s in range(len(value)):
        moved = fit.theta[s] + 1j * STEP * np.eye(k)
        held = tuple(np.broadcast_to(f[s], (k, f.shape[1])) for f in fit.flats)
        error[s] = deviation(_values(est, fit, held, moved, kind).imag / STEP, fit.vcov[s])
    z = float(ndtri(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, value / error, np.nan)
    numbers = {
        "estimate": value,
        "std_error": error,
        "statistic": statistic,
        "p_value": 2 * ndtr(-np.abs(statistic)),
        "conf_low": value - z * error,
        "conf_high": value + z * error,
    }
    names = {name: [getattr(r, name) for r in est.rows] for name in ("lhs", "op", "rhs", "group", "label")}
    labels = pl.DataFrame(names, schema=dict.fromkeys(names, pl.String))
    return tidy(cells_of(est), labels, solved_only(est, numbers))


def deviation(J: Array, V: Array) -> Array:
    """(t,) standard errors of t functions: the square root of the diagonal of J V J'.

    Parameters:
        J: (k, t) slopes, one row per parameter. V: (k, k) covariance of the parameters.

    Example:
        >>> deviation(np.array([[1.0, 0.0], [1.0, 0.0]]), np.eye(2)).round(4).tolist()
        [1.4142, 0.0]
    """
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.einsum("kt,kl,lt->t", J, V, J))
    return np.where(error < ROUNDING, 0.0, error)


def _values(est: Estimate, fit: Fitted, flats: tuple[Array, ...], theta: Values, kind: Standard) -> Values:
    """(b, t + d) standardised rows and the definitions they make."""
    rows = row_standardised(fit.layout, flats, theta, kind)
    values = rows
    if fit.layout.table.rules.composites:
        at = tuple(
            implied(block, matrices(block, flat, theta)) for block, flat in zip(fit.layout.blocks, flats, strict=True)
        )
        plain = view_of(fit.layout.table).values(row_values(fit.layout, flats, theta))
        values = standardised_view(fit.layout, at, plain, rows, items=kind == "std_all")
    if not est.model.defined:
        return values
    found = evaluate_definitions(est.model.defined, standardised_labels(fit.layout.table, values, rows))
    return np.concatenate([values, *(found[d.name][:, None] for d in est.model.defined)], axis=1)


def r2(est: Estimate) -> pl.DataFrame:
    """Share of variance that the model explains of every item, then of every construct that has predictors.

    R2 = 1 - residual variance / variance, of latent responses for ordinal items. Of a composite model: of the
    constructs that have predictors, as in `csi.effects(est).r2`. Of a pooled estimate: the mean over the copies of
    Fisher's z of the root, turned back.

    Parameters:
        est: a fit by `csi.SEM` or of composites, or several pooled.

    Returns:
        frame: the cell's key columns, variable, group, r2, reason (a code where the residual variance is negative, in
        any of the copies that were pooled).

    Raises:
        Problems: the estimate is neither of `csi.SEM` nor of composites.

    Source:
        Bollen (1989), Structural equations with latent variables, p. 288. Agrees with lavaan 0.6-14, lavInspect "r2".
        Pooled: Harel (2009), J. of Applied Statistics 36(10).

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.4], [0.5, 0.4, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c"), csi.Moments.of("abc", cov, n=300), csi.SEM())
        >>> r2(est).select("variable", pl.col("r2").round(3)).row(0)
        ('a', 0.625)
    """
    check_estimate(est)
    if copies_of(est):
        return _pooled([r2(copy) for copy in copies_of(est)])
    if est.solution.weights is not None and "sem" not in est.extra:
        return of_constructs(est)
    fit = fitted(est)
    table, groups = fit.layout.table, fit.layout.table.rules.groups
    explained = {(r.rhs if r.op == "=~" else r.lhs) for r in table.rows if r.op in {"=~", "~"}}
    hidden = {rest for c in table.rules.composites for rest in c.rests}
    measured = {n for c in table.rules.composites for n in c.items}
    order = [n for n in (*table.observed, *table.latent) if n in explained - hidden - measured]
    own = {(r.lhs, r.group): n for n, r in enumerate(table.rows) if r.op == "~~" and r.lhs == r.rhs}
    rows = [(name, g, own[name, g]) for g in range(table.count) for name in order]
    share = row_values(fit.layout, fit.flats, fit.theta) * _inverse_variances(fit)
    labels = pl.DataFrame(
        {"variable": [name for name, _, _ in rows], "group": [groups[g] if groups else None for _, g, _ in rows]},
        schema={"variable": pl.String, "group": pl.String},
    )
    left = share[:, [n for _, _, n in rows]]
    number = solved_only(est, {"r2": np.where(left >= 0, 1 - left, np.nan)})
    codes = [NEGATIVE.code if bad else None for bad in (left < 0).reshape(-1).tolist()]
    return tidy(cells_of(est), labels, number, {"reason": codes})


def _pooled(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """R2 of copies as one: null where any copy has none, with the first reason of the copies."""
    there, back = TURNED["share"]
    value = np.stack([frame["r2"].fill_null(np.nan).to_numpy() for frame in frames])
    with np.errstate(divide="ignore"):
        z = there(value).mean(axis=0)
    codes = pl.DataFrame([frame["reason"].alias(str(k)) for k, frame in enumerate(frames)])
    r2 = number_column(np.where(np.isinf(z), 1.0, back(z)))  # the only item of a construct is explained whole
    return frames[0].with_columns(r2.alias("r2"), codes.select(pl.coalesce(pl.all())).to_series().alias("reason"))


def _inverse_variances(fit: Fitted) -> Array:
    """(b, t) 1 / variance of the variable of each variance row: the factor that standardises it."""
    return np.asarray(factors(fit.layout, fit.flats, fit.theta, "std_all"), dtype=np.float64)
