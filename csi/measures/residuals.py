"""Residuals of a covariance model: `residuals(est, kind)`.

Letters: `b` slices, `p` items, `M` moments of a group, `g` groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.display import table as printed
from csi.errors import Problems, Text, one_of
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.absolute import observed
from csi.measures.residual_covariance import residual_variances, sample_variances
from csi.measures.residual_size import bentler, bollen
from csi.measures.shown import listing
from csi.measures.tidy import cells_of, tidy
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, fitted
from csi.sem.implied import vech
from csi.sem.moment_vector import Plan, plans_of, vector

Kind = Literal["raw", "cor", "bentler", "standardised", "normalised"]
"""What residuals are divided by."""

NOTHING = 1e-9
"""A raw residual below this is 0."""

TINY = 1e-12
"""Residuals of rounding are printed as 0."""


@dataclass(frozen=True, slots=True, repr=False)
class Residuals(Shown):
    """Residuals of every cell and group.

    Attributes:
        kind: what they are. items: p names, without those that an ordinal model is conditional on. groups: labels,
            ("",) for one.
        cov: (g, b, p, p). mean: (g, b, p), None without a mean structure. thresholds: (g, b, T), None without ordinal
            items. threshold_names: T names such as "q1|t1".
        cells: key columns of each slice. given: x names of the variables conditioned on. slopes: (g, b, p, x) of the
            items on them, None without.
    """

    kind: Kind
    items: tuple[str, ...]
    groups: tuple[str, ...]
    cov: Array
    mean: Array | None
    thresholds: Array | None
    threshold_names: tuple[str, ...]
    cells: pl.DataFrame
    given: tuple[str, ...] = ()
    slopes: Array | None = None

    @property
    def table(self) -> pl.DataFrame:
        """One row per cell, group and moment: key columns, group, lhs, op, rhs, value."""
        j, i = np.triu_indices(len(self.items))
        names = [(self.items[a], "~~", self.items[b]) for a, b in zip(j, i, strict=True)]
        parts = [self.cov[:, :, i, j]]
        if self.mean is not None:
            names += [(item, "~1", "") for item in self.items]
            parts.append(self.mean)
        if self.thresholds is not None:
            names += [(name.split("|")[0], "|", name.split("|")[1]) for name in self.threshold_names]
            parts.append(self.thresholds)
        if self.slopes is not None:
            names += [(item, "~", x) for item in self.items for x in self.given]
            parts.append(self.slopes.reshape(*self.slopes.shape[:2], -1))
        values = np.concatenate(parts, axis=2)
        labels = pl.DataFrame(
            [(g, *n) for g in self.groups for n in names], schema=["group", "lhs", "op", "rhs"], orient="row"
        )
        return tidy(self.cells, labels, {"value": values.swapaxes(0, 1).reshape(values.shape[1], -1)})


SPELLINGS: dict[str, Kind] = {"correlation": "cor", "standardized": "standardised", "normalized": "normalised"}
"""Other spellings of a kind."""


def residuals(est: Estimate, kind: Kind | Literal["correlation", "standardized", "normalized"] = "cor") -> Residuals:
    """Observed less implied moments.

    raw: S - Sigma, m - mu. cor: correlations less implied correlations (Bollen), (m - mu) / s. bentler:
    (S - Sigma) / (s_i s_j), (m - mu) / s.
    standardised: raw over its standard error, a z-value. normalised: raw over the standard error of the sample moment.
    ("correlation", "standardized" and "normalized" are other spellings.)

    Parameters:
        est: a fit by `csi.SEM`.

    Raises:
        Problems: the estimate is not of `csi.SEM`; another kind.

    Source:
        Bollen (1989), Structural equations with latent variables, p. 257-262; Hausman (1978) for the standard errors.
        Agrees with lavaan 0.6-14 (tests/measures).

    Example:
        >>> import csi
        >>> cov = [[2.0, 0.9, 0.8, 0.7], [0.9, 1.5, 0.6, 0.3], [0.8, 0.6, 1.2, 0.4], [0.7, 0.3, 0.4, 1.1]]
        >>> model = csi.Model.parse("f =~ a + b + c + d")
        >>> est = csi.fit(model, csi.Moments.of(["a", "b", "c", "d"], cov, n=200), csi.SEM())
        >>> residuals(est, "standardised").cov[0, 0, 3, 1].round(2).item()
        -2.58
    """
    check_estimate(est)
    known: tuple[Kind, ...] = get_args(Kind)
    meant = SPELLINGS.get(kind, kind)
    wrong = one_of("kind", meant, known)
    if wrong:
        raise Problems(wrong)
    kind = known[known.index(meant)]
    fit = fitted(est)
    if fit.layout.table.rules.ordered:
        return _of_vectors(est, fit, kind)
    each = [_residuals(fit, g, kind) for g in range(len(fit.groups))]
    return Residuals(
        kind=kind,
        items=fit.layout.table.observed,
        groups=tuple(g.name for g in fit.groups),
        cov=np.stack([one[0] for one in each]),
        mean=np.stack([one[1] for one in each]) if fit.layout.means else None,
        thresholds=None,
        threshold_names=(),
        cells=cells_of(est),
    )


def _of_vectors(est: Estimate, fit: Fitted, kind: Kind) -> Residuals:
    """Residuals of a model with ordinal items."""
    each = [_vector_residuals(fit, g, kind) for g in range(len(fit.groups))]
    given = conditioned_on(fit)
    return Residuals(
        kind=kind,
        items=items_of(fit),
        groups=tuple(g.name for g in fit.groups),
        cov=np.stack([one.cov for one in each]),
        mean=None,
        thresholds=np.stack([one.first for one in each]),
        threshold_names=threshold_names(fit),
        cells=cells_of(est),
        given=given,
        slopes=np.stack([one.slopes for one in each]) if given else None,
    )


def conditioned_on(fit: Fitted) -> tuple[str, ...]:
    """Names of the variables that an ordinal model is conditional on."""
    table = fit.layout.table
    return tuple(table.observed[i] for i in table.given) if table.rules.conditional else ()


def items_of(fit: Fitted) -> tuple[str, ...]:
    """Items of the moment vector: all but those conditioned on."""
    return tuple(fit.layout.table.observed[i] for i in plans_of(fit.layout)[0].kept.tolist())


KINDS: dict[Kind, Text] = {
    "raw": Text("Residuals", "残差"),
    "cor": Text("Residual correlations", "残差相关"),
    "bentler": Text("Standardised residuals (Bentler)", "标准化残差（Bentler）"),
    "standardised": Text("Residuals over their standard errors (z)", "残差与其标准误之比（z）"),
    "normalised": Text("Normalised residuals", "正规化残差"),
}


def given_words(names: Sequence[str], lang: str) -> str:
    """What a title adds where moments are conditional.

    Example:
        >>> given_words(["age", "sex"], "en"), given_words([], "en")
        (' given age, sex', '')
    """
    return Text(f" given {', '.join(names)}", f"（给定 {'、'.join(names)}）").say(lang) if names else ""


WIDE = 12
"""More items than this make a square too wide for a terminal."""


@text.register
def _(value: Residuals, lang: str = "en") -> str:
    """The covariances of the first cell, group by group; a wide square gives way to its largest residuals."""
    lines = [KINDS[value.kind].say(lang) + given_words(value.given, lang)]
    for g, name in enumerate(value.groups):
        head = Text(f"group {name}", f"组 {name}").say(lang)
        lines += [head] if name else []
        few = len(value.items) <= WIDE
        lines.append(printed(lower(value.items, value.cov[g, 0])) if few else listing(_largest(value, g), lang))
    cells = value.cells.height
    more = Text("everything: .table", "全部：.table").say(lang)
    first = Text(f"the first of {cells} cells; ", f"{cells} 个单元中的第一个；").say(lang) if cells > 1 else ""
    return "\n".join([*lines, first + more])


def lower(names: tuple[str, ...], square: Array) -> pl.DataFrame:
    """The lower triangle of a symmetric matrix, for the eye.

    Example:
        >>> lower(("a", "b"), np.array([[1.0, 0.5], [0.5, 2.0]])).row(0)
        ('a', 1.0, None)
    """
    square = np.where(np.abs(square) < TINY, 0.0, square)
    columns = {
        name: [float(square[i, j]) if i >= j else None for i in range(len(names))] for j, name in enumerate(names)
    }
    return pl.DataFrame({" ": list(names), **columns}, schema_overrides=dict.fromkeys(names, pl.Float64))


def _largest(value: Residuals, g: int) -> pl.DataFrame:
    """The largest residual covariances of a group of the first cell."""
    j, i = np.triu_indices(len(value.items))
    size = np.nan_to_num(np.abs(value.cov[g, 0, i, j]))
    at = np.argsort(-size, kind="stable")[:WIDE]
    names = [(value.items[a], value.items[b]) for a, b in zip(j[at], i[at], strict=True)]
    numbers = value.cov[g, 0, i[at], j[at]].tolist()
    return pl.DataFrame({"lhs": [a for a, _ in names], "rhs": [b for _, b in names], "value": numbers})


def threshold_names(fit: Fitted) -> tuple[str, ...]:
    """Names of the first entries of the moment vector: thresholds, and `item|mean` for continuous items."""
    counts = dict(fit.layout.table.rules.ordered)
    return tuple(
        f"{item}|{step}"
        for item in items_of(fit)
        for step in ([f"t{t + 1}" for t in range(counts[item])] if item in counts else ["mean"])
    )


def _residuals(fit: Fitted, g: int, kind: Kind) -> tuple[Array, Array]:
    """Residual covariances (b, p, p) and means (b, p) of a group of continuous items."""
    S, m = observed(fit, g)
    at = fit.groups[g].at
    if kind == "cor":
        return bollen(S, m, at.Sigma, at.mu)[0], bentler(S, m, at.Sigma, at.mu)[1]
    if kind == "bentler":
        return bentler(S, m, at.Sigma, at.mu)
    cov, mean = S - at.Sigma, m - at.mu
    if kind == "raw":
        return cov, mean
    p, means = S.shape[1], fit.layout.means
    e = np.concatenate([mean, vech(cov)], axis=1) if means else vech(cov)
    z = _divided(e, _variances(fit, g, kind))
    return _square(z[:, p:] if means else z, p), z[:, :p] if means else np.zeros_like(mean)


def _vector_residuals(fit: Fitted, g: int, kind: Kind) -> Parts:
    """Residual covariances, thresholds and slopes of a group with ordinal items.

    Unless they are raw, minus means and slopes of continuous items are told in their (residual) standard deviations.
    """
    group, plan = fit.groups[g], plans_of(fit.layout)[g]
    if group.vector is None:
        raise LookupError("ordinal items are fitted through their moment vector")
    s = group.vector.s
    e = s - vector(plan, group.at, fit.theta)
    if kind in {"standardised", "normalised"}:
        return unpacked(_divided(e, _variances(fit, g, kind)), plan, diagonal=0.0)
    if kind == "raw":
        return unpacked(e, plan, diagonal=0.0)
    sample, implied = unpacked(s, plan, diagonal=1.0), unpacked(s - e, plan, diagonal=1.0)
    none = np.zeros(sample.cov.shape[:2])
    cov, _ = (bollen if kind == "cor" else bentler)(sample.cov, none, implied.cov, none)
    sd = np.sqrt(np.einsum("bii->bi", sample.cov))
    steps = np.searchsorted(plan.kept, plan.th_item)
    slopes = (sample.slopes - implied.slopes) / sd[:, :, None]
    return Parts(cov, (sample.first - implied.first) / sd[:, steps], slopes)


def _variances(fit: Fitted, g: int, kind: Kind) -> Array:
    """(b, M) variances of the residuals, or of the sample moments."""
    return residual_variances(fit, g) if kind == "standardised" else sample_variances(fit, g)


def _divided(e: Array, variance: Array) -> Array:
    """Residuals over their standard errors; 0 where the residual is 0, NaN where only the error is."""
    se = np.sqrt(np.maximum(variance, 0.0))
    out = np.where(np.abs(e) < NOTHING, 0.0, np.nan)
    return np.asarray(np.divide(e, se, out=out, where=(se > NOTHING) & (np.abs(e) >= NOTHING)))


def _square(flat: Array, p: int) -> Array:
    """(b, p, p) from the lower triangle, column by column."""
    j, i = np.triu_indices(p)
    out = np.empty((len(flat), p, p))
    out[:, i, j] = out[:, j, i] = flat
    return out


@dataclass(frozen=True, slots=True)
class Parts:
    """A moment vector told apart: cov (b, y, y), first (b, T) thresholds and minus means, slopes (b, y, x)."""

    cov: Array
    first: Array
    slopes: Array


def unpacked(s: Array, plan: Plan, *, diagonal: float) -> Parts:
    """The parts of a moment vector; ordinal items have `diagonal` as their variance."""
    y, start = plan.kept.size, plan.measured
    own = np.flatnonzero(~np.array(plan.ordinal)[plan.kept])
    out = np.broadcast_to(diagonal * np.eye(y), (len(s), y, y)).copy()
    out[:, own, own] = s[:, start : start + own.size]
    j, i = np.triu_indices(y, 1)
    out[:, i, j] = out[:, j, i] = s[:, start + own.size :]
    first = plan.th_item.size
    return Parts(out, s[:, :first], s[:, first:start].reshape(len(s), plan.given.size, y).swapaxes(1, 2))
