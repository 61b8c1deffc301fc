"""From settings, a model and moments to what a fit needs: layout, groups, equality constraints, bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.models.check import check_model
from csi.models.model import Model
from csi.models.nouns import Claim
from csi.models.syntax.evaluate import Formula, compile_expression
from csi.models.syntax.linear import linear_form
from csi.moments.stack import Array, Moments
from csi.sem.clusters import alone
from csi.sem.composites import composite_problems, composites_of, expanded
from csi.sem.constraints import Linear, reduced, unconstrained
from csi.sem.layout import Layout, layout_of
from csi.sem.method import Method
from csi.sem.of_groups import modifier_problems, released
from csi.sem.table import Rules, Table, table_of
from csi.sem.unmet import unmet

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


@dataclass(frozen=True, slots=True)
class Curved:
    """A constraint that is not a bound and not a linear equality: formula == 0, or formula >= 0."""

    formula: Formula
    equality: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a fit needs beside its settings.

    Attributes:
        claim: the model. layout: places of parameters. groups: moments of each group, items in the layout's order.
        linear: linear equalities and bounds. curved: all other constraints. stated: parameters whose bound is a
            constraint of the model (a > 0): where it binds it counts in standard errors. labels: label -> parameter.
        method: what the estimator's name stands for. fixed: labels of fixed values.
    """

    claim: Claim
    layout: Layout
    groups: tuple[Moments, ...]
    linear: Linear
    curved: tuple[Curved, ...]
    stated: tuple[int, ...]
    labels: dict[str, int]
    fixed: dict[str, float]
    method: Method


def prepare(settings: SEM, model: Model, moments: Moments, ordered: Sequence[tuple[str, int]] = ()) -> Prepared:
    """Everything a fit needs.

    Parameters:
        ordered: ordinal items with their number of thresholds.

    Raises:
        Problems: items that are not among the data, a model that cannot be fitted, constraints that contradict.
    """
    claim = claim_of(model)
    means = _means(settings, claim, moments) or bool(ordered)
    wrong = [*_beyond(claim, dict(ordered)), *unmet(settings.groups, moments, means=means, missing=settings.missing)]
    if wrong:
        raise Problems(wrong)
    rules = Rules(
        groups=moments.groups,
        equal=tuple(settings.equal),
        means=means,
        growth=settings.growth,
        std_lv=settings.std_lv,
        fixed_x=settings.given,
        theta=settings.parameterization == "theta",
        ordered=tuple(ordered),
        conditional=settings.conditional,
    )
    frame = _framed(claim, rules, tuple(settings.free), moments.names, tuple(settings.ordered))
    groups = tuple(part.of_items(frame.layout.table.observed) for part in (moments.parts or (moments,)))
    lone = alone(groups, settings.method)
    if lone:
        raise Problems(lone)
    linear = _bounded(settings, frame.linear, frame.layout, groups)
    labels, fixed = dict(frame.labels), dict(frame.fixed)
    return Prepared(
        frame.claim, frame.layout, groups, linear, frame.curved, frame.stated, labels, fixed, settings.method
    )


def _beyond(claim: Claim, counts: Mapping[str, int]) -> list[Problem]:
    """Thresholds that an ordinal item with so many categories does not have."""
    found = []
    for item in dict.fromkeys(t.item for t in claim.thresholds if t.item in counts):
        most = counts[item]
        names = [t.name for t in claim.thresholds if t.item == item and int(t.name[1:]) > most]
        if names:
            en = f"{item} has {most + 1} categories and {most} thresholds; {', '.join(names)} is beyond them."
            zh = f"{item} 有 {most + 1} 个类别、{most} 个阈值；{'、'.join(names)} 超出范围。"
            do, do_zh = f"Write t1 to t{most}.", f"请写 t1 至 t{most}。"
            found.append(problem("E-ORDINAL-THRESHOLD", f"model, {item}", en, zh, do, do_zh))
    return found


@lru_cache(maxsize=64)
def _framed(
    claim: Claim, rules: Rules, free: tuple[str, ...], names: tuple[str, ...], ordered: tuple[str, ...]
) -> Frame:
    """What a fit needs whatever the data.

    Parameters:
        rules: without composites and exceptions. free: what `free=` names. names: items of the data.
        ordered: ordinal items.

    Raises:
        Problems: see `prepare`.
    """
    problems = list(_wrong(claim, names, rules.groups, ordered))
    if any(p.code not in {"E-ROLE", "E-MODIFIER"} for p in problems):
        raise Problems(problems)
    rules, unknown = _released(claim, replace(rules, composites=composites_of(claim)), free)
    if problems or unknown:
        raise Problems([*problems, *unknown])
    return frame_of(claim, rules)


def _released(claim: Claim, rules: Rules, asked: Sequence[str]) -> tuple[Rules, list[Problem]]:
    """The rules with the parameters that `free=` names, and what it names that is no parameter."""
    if not asked:
        return rules, []
    table = table_of(expanded(claim, growth=rules.growth), rules)
    names, unknown = released(asked, (row.key for row in table.rows if row.group == 0), rules.composites)
    return replace(rules, released=names), unknown


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a fit needs whatever the data; attributes as in `Prepared`."""

    claim: Claim
    layout: Layout
    linear: Linear
    curved: tuple[Curved, ...]
    stated: tuple[int, ...]
    labels: Mapping[str, int]
    fixed: Mapping[str, float]


@lru_cache(maxsize=64)
def frame_of(claim: Claim, rules: Rules) -> Frame:
    """The part of a preparation that the model and the rules decide."""
    claim = expanded(claim, growth=rules.growth)
    table = table_of(claim, rules)
    labels = {row.label: at for row, at in zip(table.rows, table.index, strict=True) if row.label and at >= 0}
    fixed = {row.label: row.fixed for row in table.rows if row.label and row.fixed is not None}
    linear, curved, stated = constraints_of(claim, table, labels, fixed)
    return Frame(claim, layout_of(table), linear, curved, stated, labels, fixed)


@lru_cache(maxsize=64)
def _faults(claim: Claim) -> tuple[Problem, ...]:
    """What no engine can fit."""
    return tuple(check_model(claim))


@lru_cache(maxsize=64)
def _wrong(
    claim: Claim, names: tuple[str, ...], groups: tuple[str, ...], ordered: tuple[str, ...]
) -> tuple[Problem, ...]:
    """What is wrong with a claim about items of these names, in these groups."""
    found = [*_faults(claim), *_absent(claim, names), *composite_problems(claim, ordered)]
    return (*found, *modifier_problems(claim, groups))


@lru_cache(maxsize=64)
def claim_of(model: Model) -> Claim:
    """The claim of a model, without card and labels."""
    names = ("constructs", "paths", "covariances", "intercepts", "constraints", "defined", "thresholds", "scalings")
    return Claim(**{name: getattr(model, name) for name in names})


def _means(settings: SEM, claim: Claim, moments: Moments) -> bool:
    """Whether means are modelled."""
    if settings.meanstructure is not None:
        return settings.meanstructure
    grouped = bool(moments.groups) and (moments.known_means or bool({"intercepts", "means"} & set(settings.equal)))
    stated = grouped or bool(claim.intercepts) or settings.growth
    return stated or settings.missing in {"fiml", "two-stage"}


def _absent(claim: Claim, names: Sequence[str]) -> list[Problem]:
    """Items the data do not have."""
    found = []
    for name in claim.observed:
        if name not in names:
            hint = did_you_mean(name, names)
            en, zh = f'item "{name}" is not among the data.', f"数据中没有题项“{name}”。"
            found.append(problem("E-ROLE", "model", en, zh, hint.en, hint.zh))
    return found


def constraints_of(
    claim: Claim, table: Table, labels: dict[str, int], fixed: dict[str, float]
) -> tuple[Linear, tuple[Curved, ...], tuple[int, ...]]:
    """Linear equalities and single-parameter bounds as `Linear`, everything else as curved constraints; and the
    parameters whose bound is a statement of the model.
    """
    k = len(table.names)
    lower, upper = np.full(k, -np.inf), np.full(k, np.inf)
    for row, at in zip(table.rows, table.index, strict=True):
        if at >= 0:
            lower[at] = max(lower[at], -np.inf if row.lower is None else row.lower)
            upper[at] = min(upper[at], np.inf if row.upper is None else row.upper)
    rows, sides, curved, stated = [], [], [], []
    for c in claim.constraints:
        text = f"({c.rhs}) - ({c.lhs})" if c.operator == "<" else f"({c.lhs}) - ({c.rhs})"
        form = linear_form(text, claim.defined)
        if form is None:
            curved.append(Curved(compile_expression(text), c.operator == "=="))
            continue
        slopes, constant = form
        constant += sum(value * fixed[name] for name, value in slopes.items() if name in fixed)
        free = {labels[name]: value for name, value in slopes.items() if name in labels and value}
        if c.operator == "==":
            if free:
                rows.append([free.get(i, 0.0) for i in range(k)])
                sides.append(-constant)
        elif len(free) == 1:
            i, slope = next(iter(free.items()))
            stated.append(i)
            limit = -constant / slope
            lower[i], upper[i] = (max(lower[i], limit), upper[i]) if slope > 0 else (lower[i], min(upper[i], limit))
        elif free:
            curved.append(Curved(compile_expression(text), equality=False))
    linear = reduced(np.array(rows), np.array(sides)) if rows else unconstrained(k)
    return replace(linear, lower=lower, upper=upper), tuple(curved), tuple(stated)


def _bounded(settings: SEM, linear: Linear, layout: Layout, groups: Sequence[Moments]) -> Linear:
    """The bounds of `bounds=` beside those that are stated.

    "pos.var": variances are not negative. "standard": residual variances within [0, the item's variance], variances of
    marked latents within [0, the marker's variance], loadings within what a marker reliability of .1 allows.

    Source:
        De Jonckheere & Rosseel (2022), Structural Equation Modeling 29(3) (bounded estimation).
    """
    if settings.bounds is None:
        return linear
    lower, upper = linear.lower.copy(), linear.upper.copy()
    table = layout.table
    for row, at in zip(table.rows, table.index, strict=True):
        if at < 0 or row.op not in {"~~", "=~"}:
            continue
        moments = groups[row.group]
        own = {n: float(moments.cov[:, i, i].max()) for i, n in enumerate(moments.names)}
        if row.op == "~~" and row.lhs == row.rhs:
            lower[at] = max(lower[at], 0.0)
            if settings.bounds == "standard" and row.lhs in own:
                upper[at] = min(upper[at], own[row.lhs])
        marker = next((r.rhs for r in table.rows if r.op == "=~" and r.lhs == row.lhs and r.fixed == 1.0), None)
        if row.op == "=~" and settings.bounds == "standard" and marker in own and row.rhs in own:
            most = float(np.sqrt(own[row.rhs] / (0.1 * own[marker])))
            lower[at], upper[at] = max(lower[at], -most), min(upper[at], most)
    return replace(linear, lower=lower, upper=upper)


def label_values(prepared: Prepared, theta: Array) -> dict[str, Array]:
    """{label: (b,) value} of every label, for definitions and constraints."""
    values: dict[str, Array] = {name: theta[:, at] for name, at in prepared.labels.items()}
    for name, value in prepared.fixed.items():
        values.setdefault(name, np.full(len(theta), value, dtype=theta.dtype))
    return values
