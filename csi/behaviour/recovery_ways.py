"""Contrasts of customers without a failure, with one recovered, and with one not: plain, adjusted, within persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from csi.behaviour.incidence import Balanced, Logit, balanced_mean, logit
from csi.behaviour.loyalty_curve import independent
from csi.behaviour.recovery_groups import GROUPS
from csi.inference.linearised import Design, critical, means, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.moments.stack import Array, Ints, Sample

CONTRASTS: Final = (("recovered", "none"), ("failed", "none"), ("recovered", "failed"))
WAYS: Final = ("plain", "regression", "weighting", "within")
FEWEST: Final = 5
"""Rows a group must have for a contrast."""

Told = Callable[[str, str], tuple[float, ...]]
"""Of two groups: difference, error, degrees of freedom, limits, p."""

COLUMNS: Final = ("difference", "std_error", "df", "conf_low", "conf_high", "p_value")
SCHEMA: Final = {
    "outcome": pl.String, "contrast": pl.String, "way": pl.String, "first": pl.Int64, "second": pl.Int64, "n": pl.Int64,
    **dict.fromkeys(COLUMNS, pl.Float64),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """Rows with what happened to them.

    Attributes:
        sample: rows with weights, units, cells. group: (n,) place in `GROUPS`, NaN where not known. outcomes: name ->
            (n,) 0-100. covariates: name -> (n,), what came before. severity: (n,) of failures. earlier: outcomes in the
            wave before. level: of intervals.
    """

    sample: Sample
    group: Array
    outcomes: Mapping[str, Array]
    covariates: Mapping[str, Array]
    severity: Array
    earlier: Mapping[str, Array]
    level: float

    @property
    def graded(self) -> bool:
        """Whether failures differ in severity."""
        known = self.severity[(self.group > 0) & np.isfinite(self.severity)]
        return known.size > 0 and bool(np.ptp(known) > 0)

    def means(self, cell: int) -> pl.DataFrame:
        """Mean of every outcome in every group."""
        rows: list[tuple[str | float | None, ...]] = []
        for outcome, y in self.outcomes.items():
            for code, name in enumerate(GROUPS):
                at = np.flatnonzero((self.sample.cell == cell) & (self.group == code) & np.isfinite(y))
                if at.size < 2:
                    rows.append((name, outcome, at.size, None, None, None, None))
                    continue
                one = means(y[at][:, None], *Design.of(self.sample, at))
                low, high = one.interval(self.level)
                rows.append((name, outcome, at.size, *(known(v[0]) for v in (one.mean, one.std_error, low, high))))
        numbers = dict.fromkeys(("mean", "std_error", "conf_low", "conf_high"), pl.Float64)
        schema = {"group": pl.String, "outcome": pl.String, "n": pl.Int64, **numbers}
        return pl.DataFrame(rows, schema=schema, orient="row")


def known(value: float) -> float | None:
    """A number that is one.

    Example:
        >>> known(float("nan")), known(1.0)
        (None, 1.0)
    """
    return float(value) if np.isfinite(value) else None


def contrast_rows(data: Failure, cell: int) -> pl.DataFrame:
    """Every contrast of a cell in every way that the data allow."""
    rows = []
    for outcome, y in data.outcomes.items():
        for way in WAYS:
            rows += [(outcome, f"{a} - {b}", way, *told) for (a, b), told in _way(data, cell, outcome, y, way)]
    made = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    order = pl.col("contrast").replace_strict({f"{a} - {b}": i for i, (a, b) in enumerate(CONTRASTS)})
    places = pl.col("outcome").replace_strict({o: i for i, o in enumerate(data.outcomes)})
    return made.sort(places, order, maintain_order=True)


def _way(
    data: Failure, cell: int, outcome: str, y: Array, way: str
) -> Iterator[tuple[tuple[str, str], tuple[float | None, ...]]]:
    """Contrasts of an outcome told in one way."""
    there = (data.sample.cell == cell) & np.isfinite(data.group) & np.isfinite(y)
    if way == "within":
        if outcome not in data.earlier:
            return
        y = y - data.earlier[outcome]
        there &= np.isfinite(y)
    elif way != "plain":
        if not data.covariates and not data.graded:
            return
        there &= np.all([np.isfinite(x) for x in data.covariates.values()], axis=0) if data.covariates else True
        there &= (data.group == 0) | np.isfinite(data.severity) | (not data.graded)
    at = np.flatnonzero(there)
    counts = {name: int((data.group[at] == code).sum()) for code, name in enumerate(GROUPS)}
    enough = [(a, b) for a, b in CONTRASTS if min(counts[a], counts[b]) >= FEWEST]
    present = [name for name in GROUPS if counts[name] >= FEWEST]
    at = at[np.isin(data.group[at], [GROUPS.index(n) for n in present])]
    if not enough:
        return
    found = _weighted(data, at, y, present) if way == "weighting" else _regressed(data, at, y, present, way)
    if found is None:
        return
    for a, b in enough:
        size = (counts[a], counts[b], min(counts[a], counts[b]))
        yield (a, b), (*size, *(known(v) for v in found(a, b)))


def _columns(data: Failure, at: Ints) -> list[Array]:
    """What came before, and severity about its mean among failures."""
    columns = [x[at] for x in data.covariates.values()]
    return [c for c in columns if np.ptp(c) > 0]


def _centred_severity(data: Failure, at: Ints) -> Array | None:
    """(n,) severity less its mean among failures, 0 without a failure."""
    if not data.graded:
        return None
    fails, w = data.group[at] > 0, data.sample.weight[at]
    s = np.where(fails, data.severity[at], 0.0)
    return np.where(fails, s - (w * fails) @ s / (w @ fails), 0.0)


def _of_centre(data: Failure, at: Ints) -> float:
    """Variance of the mean severity of failures, at which they are compared with customers without one."""
    fails = at[data.group[at] > 0]
    error = float(means(data.severity[fails][:, None], *Design.of(data.sample, fails)).std_error[0])
    return error**2 if np.isfinite(error) else 0.0


def _regressed(data: Failure, at: Ints, y: Array, present: list[str], way: str) -> Told | None:
    """Contrasts by least squares; plain and within have no columns but the groups.

    Contrasts with customers without a failure are told at the mean severity of failures, which is itself an estimate.
    """
    g = [(data.group[at] == GROUPS.index(n)).astype(np.float64) for n in present]
    more = _columns(data, at) if way == "regression" else []
    w = data.sample.weight[at]
    more = [c - w @ c / w.sum() for c in more]
    severity = _centred_severity(data, at) if way == "regression" else None
    severity = severity if severity is not None and np.ptp(severity) > 0 else None
    if severity is not None:
        more.append(severity)
    X = np.column_stack([np.ones(len(at)), *g[1:], *more])
    if len(at) < X.shape[1] + FEWEST or not independent(X):
        return None
    found = robust_slopes(X, y[at], *Design.of(data.sample, at))
    centre = 0.0 if severity is None else _of_centre(data, at)

    def told(a: str, b: str) -> tuple[float, ...]:
        L = np.zeros((1, X.shape[1]))
        for name, sign in ((a, 1.0), (b, -1.0)):
            if present.index(name):
                L[0, present.index(name)] = sign
        square = float((L @ found.cov @ L.T)[0, 0])
        if severity is not None and "none" in (a, b):
            square += found.slopes[-1] ** 2 * centre
        return _judged(float((L @ found.slopes)[0]), float(np.sqrt(square)), float(found.df_of(L)[0]), data.level)

    return told


def _weighted(data: Failure, at: Ints, y: Array, present: list[str]) -> Told | None:
    """Contrasts of groups that each stand for all customers."""
    made = _chances(data, at, present)
    if made is None:
        return None
    design = Design.of(data.sample, at)
    w = design.weight
    means_of = {n: balanced_mean(y[at], data.group[at] == GROUPS.index(n), w, c) for n, c in made.items()}

    def told(a: str, b: str) -> tuple[float, ...]:
        first, second = means_of[a], means_of[b]
        found = means((first.influence - second.influence)[:, None], *design)
        few = min(first.n_effective, second.n_effective) - 1
        df = min(float(found.df[0]), max(few, 1.0))
        return _judged(first.mean - second.mean, float(found.std_error[0]), df, data.level)

    return told


def _chances(data: Failure, at: Ints, present: list[str]) -> dict[str, tuple[tuple[Logit, Array], ...]] | None:
    """Of each group, the regressions whose chances make the chance to be in it; None where one is separated.

    A failure is explained by what came before, its recovery by that and by severity.
    """
    w, group = data.sample.weight[at], data.group[at]
    before = _columns(data, at)
    X = np.column_stack([np.ones(len(at)), *before])
    whole = np.ones(len(at), dtype=bool)
    made: dict[str, tuple[tuple[Logit, Array], ...]] = dict.fromkeys(present, ())
    if "none" in present and len(present) > 1 and before:
        failed = logit(X, (group > 0).astype(np.float64), w)
        if failed is None:
            return None
        made = {n: ((failed, whole if n != "none" else ~whole),) for n in present}
    if {"recovered", "failed"} <= set(present):
        severity = _centred_severity(data, at)
        more = [severity] if severity is not None else []
        columns = np.column_stack([np.ones(len(at)), *before, *more])
        if columns.shape[1] > 1:
            fails = group > 0
            part = logit(columns[fails], (group[fails] == 1).astype(np.float64), w[fails])
            if part is None:
                return None
            spread = _spread(part, columns, fails, w)
            for name, side in (("recovered", whole), ("failed", ~whole)):
                made[name] = (*made[name], (spread, side))
    return made if any(made.values()) else None


def _spread(part: Logit, X: Array, inside: NDArray[np.bool_], weight: Array) -> Logit:
    """A regression on some rows, with its influence on all: 0 on the others, which have chances but do not estimate."""
    n, scale = len(X), weight.sum() / part.weight.sum()
    influence, leverage = np.zeros((n, X.shape[1])), np.zeros(n)
    influence[inside], leverage[inside] = part.influence * scale, part.leverage
    mu = 1 / (1 + np.exp(-np.clip(X @ part.slopes, -30, 30)))
    return Logit(X, weight, part.slopes, mu, influence, leverage)


def _judged(value: float, error: float, df: float, level: float) -> tuple[float, ...]:
    """Difference, error, degrees of freedom, limits, p."""
    degrees = np.array([df])
    reach = float(critical(level, degrees)[0]) * error
    p = float(p_of_t(np.array([value / error if error > 0 else np.nan]), degrees)[0])
    return value, error, df, value - reach, value + reach, p


def overlap_rows(data: Failure, cell: int) -> pl.DataFrame:
    """How far groups are alike in what came before, before and after weighting."""
    y = next(iter(data.outcomes.values()))
    there = (data.sample.cell == cell) & np.isfinite(data.group) & np.isfinite(y)
    for x in data.covariates.values():
        there &= np.isfinite(x)
    there &= (data.group == 0) | np.isfinite(data.severity) | (not data.graded)
    at = np.flatnonzero(there)
    present = [n for c, n in enumerate(GROUPS) if (data.group[at] == c).sum() >= FEWEST]
    at = at[np.isin(data.group[at], [GROUPS.index(n) for n in present])]
    schema = {"name": pl.String, "group": pl.String, "n": pl.Int64, **dict.fromkeys(
        ("n_effective", "lowest", "before", "after"), pl.Float64)}  # fmt: skip
    made = _chances(data, at, present) if at.size and len(present) > 1 and data.covariates else None
    if made is None:
        return pl.DataFrame(schema=schema)
    w, rows = data.sample.weight[at], []
    for name, x in data.covariates.items():
        v = x[at]
        centre = w @ v / w.sum()
        sd = float(np.sqrt(w @ (v - centre) ** 2 / w.sum()))
        for group, chances in made.items():
            inside = data.group[at] == GROUPS.index(group)
            held: Balanced = balanced_mean(v, inside, w, chances)
            plain = (w * inside) @ v / (w @ inside)
            apart = ((plain - centre) / sd, (held.mean - centre) / sd) if sd > 0 else (None, None)
            lowest = float(1 / held.factor[inside].max())
            rows.append((name, group, int(inside.sum()), held.n_effective, lowest, *apart))
    return pl.DataFrame(rows, schema=schema, orient="row")
