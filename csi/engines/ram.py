"""A covariance model as arrows (RAM): its parameters with lavaan's defaults, their scaling, and what they imply.

Letters: `v` variables (constructs first, then items), `k` parameters, `q` constructs, `p` items.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from csi.errors import Problem, Problems, problem
from csi.models.model import Construct, Model, Term
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Parameter:
    """One arrow: `directed` from `source` to `to`, else a (co)variance of the two; fixed, labelled or free."""

    lhs: str
    op: str
    rhs: str
    fixed: float | None = None
    label: str = ""

    @property
    def directed(self) -> bool:
        """Whether the arrow has a head."""
        return self.op != "~~"

    @property
    def to(self) -> str:
        """Where a directed arrow ends."""
        return self.rhs if self.op == "=~" else self.lhs

    @property
    def source(self) -> str:
        """Where a directed arrow starts."""
        return self.lhs if self.op == "=~" else self.rhs


def parameters_of(model: Model) -> tuple[Parameter, ...]:
    """Every parameter of a model, lavaan's defaults included, in lavaan's order.

    Defaults: the first loading is 1 unless it is freed (`NA*`) ; residual variances are free, but 0 for the only item
    of a construct that measures nothing else; variances and covariances of exogenous constructs are free, and those of
    observed predictors that nothing explains and no statement mentions; residuals of outcomes that predict nothing
    covary.

    Raises:
        Problems: the model has parts this engine cannot fit.

    Example:
        >>> model = Model.parse("trust =~ t1 + t2 + t3")
        >>> [(p.op, p.rhs, p.fixed) for p in parameters_of(model)][:3]
        [('=~', 't1', 1.0), ('=~', 't2', None), ('=~', 't3', None)]
    """
    found = unsupported(model)
    if found:
        raise Problems(found)
    stated = [p for c in model.constructs for p in _loadings(c)]
    stated += [_parameter(p.outcome, "~", p.predictor) for p in model.paths]
    stated += [_parameter(c.lhs, "~~", c.rhs) for c in model.covariances]
    known = {frozenset((p.lhs, p.rhs)) for p in stated if p.op == "~~"}
    return (*stated, *(p for p in _defaults(model) if frozenset((p.lhs, p.rhs)) not in known))


def _loadings(construct: Construct) -> list[Parameter]:
    """The loadings of a construct; the first is the marker unless a modifier says otherwise."""
    terms = [_parameter(construct.name, "=~", t) for t in construct.indicators]
    first = construct.indicators[0].modifiers
    if not (first and (first[0].free or first[0].fixed is not None)):
        terms[0] = Parameter(construct.name, "=~", terms[0].rhs, 1.0)
    return terms


def _parameter(lhs: str, op: str, term: Term) -> Parameter:
    given = term.modifiers[0] if term.modifiers else None
    if given is None:
        return Parameter(lhs, op, term.name)
    return Parameter(lhs, op, term.name, given.fixed, given.label or "")


def _defaults(model: Model) -> list[Parameter]:
    """Variances and covariances nobody states."""
    names, items = model.names, observed(model)
    indicators = {i for c in model.constructs for i in c.items}
    times = Counter(i for c in model.constructs for i in c.items)
    only = {c.items[0] for c in model.constructs if len(c.items) == 1 and times[c.items[0]] == 1}
    outcomes = {p.outcome for p in model.paths}
    predictors = {p.predictor.name for p in model.paths}
    variances = [Parameter(v, "~~", v, 0.0 if v in only else None) for v in items]
    variances += [Parameter(c, "~~", c) for c in names]
    inner = [v for v in (*names, *items) if v in names or v not in indicators]
    stated = {n for c in model.covariances for n in (c.lhs, c.rhs.name)}
    exogenous = [v for v in inner if v not in outcomes and v not in indicators]
    causes = [v for v in exogenous if v in predictors and v not in names and v not in stated]
    last = [v for v in inner if v in outcomes and v not in predictors and v not in indicators]
    groups = ([v for v in exogenous if v in names], causes, last)
    pairs = [(a, b) for group in groups for i, a in enumerate(group) for b in group[i + 1 :]]
    return [*variances, *(Parameter(a, "~~", b) for a, b in pairs)]


def observed(model: Model) -> tuple[str, ...]:
    """Observed variables: items, then anything else named in paths or covariances."""
    named = [*model.items]
    named += [n for p in model.paths for n in (p.outcome, p.predictor.name)]
    named += [n for c in model.covariances for n in (c.lhs, c.rhs.name)]
    return tuple(n for n in dict.fromkeys(named) if n not in model.names)


def unsupported(model: Model) -> list[Problem]:
    """What this engine cannot fit, each with what to do."""
    found = []
    for c in model.constructs:
        if c.operator == "<~" or c.product_of or not c.indicators:
            kind, zh = ("an interaction", "交互项") if c.product_of else ("a composite (<~)", "复合构念（<~）")
            if not c.product_of and not c.indicators:
                kind, zh = "a construct without indicators", "没有题项的构念"
            found.append(
                problem(
                    "E-SEMOPY",
                    f'construct "{c.name}"',
                    f"{kind} cannot be fitted from covariances by semopy.",
                    f"semopy 无法根据协方差拟合{zh}。",
                    "Use csi.PLS(), or measure it with =~.",
                    "请使用 csi.PLS()，或改用 =~ 测量。",
                )
            )
    parts = (
        (model.intercepts, "means (~1)", "均值结构（~1）"),
        (model.constraints, "constraints (==, <, >)", "约束（==、<、>）"),
        (model.defined, "defined parameters (:=)", "自定义参数（:=）"),
        (model.thresholds or model.scalings, "thresholds and scaling factors", "阈值与尺度因子"),
        (
            [m for t in _terms(model) for m in t.modifiers if m.lower is not None or m.upper is not None],
            "bounds",
            "上下界",
        ),
        ([t for t in _terms(model) if len(t.modifiers) > 1], "modifiers for groups", "分组修饰"),
    )
    found += [
        problem(
            "E-SEMOPY",
            "model",
            f"{en} are not part of this engine.",
            f"该引擎不支持{zh}。",
            "Take them out of the model.",
            "请从模型中移除。",
        )
        for present, en, zh in parts
        if present
    ]
    return found


def _terms(model: Model) -> list[Term]:
    inner = [p.predictor for p in model.paths] + [c.rhs for c in model.covariances]
    return [t for c in model.constructs for t in c.indicators] + inner


def scales(model: Model, parameters: tuple[Parameter, ...], sd: dict[str, float]) -> dict[str, float]:
    """What to divide each variable by so that the fit does not depend on units: items by their sd, constructs by the
    scale of their marker; 1 for all where a label is shared, because equal values would no longer be equal.
    """
    labels = [p.label for p in parameters if p.label]
    if len(set(labels)) < len(labels):
        return dict.fromkeys((*model.names, *sd), 1.0)
    out = dict(sd)
    marker = {p.lhs: p.rhs for p in reversed(parameters) if p.op == "=~" and p.fixed == 1.0}
    for name in model.names:
        at, seen = name, {name}
        while at in marker and at not in out and marker[at] not in seen:
            at = marker[at]
            seen.add(at)
        out[name] = out.get(at, 1.0)
    return out


def factor_of(parameter: Parameter, scale: dict[str, float]) -> float:
    """What a parameter on divided variables is multiplied by to stand for the variables themselves."""
    if parameter.directed:
        return scale[parameter.to] / scale[parameter.source]
    return scale[parameter.lhs] * scale[parameter.rhs]


@dataclass(frozen=True, slots=True)
class Implied:
    """Arrows as matrices over all variables, and the covariance they imply.

    Attributes:
        names: (v). directed: (v, v) [to, source]. symmetric: (v, v). total: (v, v) implied covariances.
    """

    names: tuple[str, ...]
    directed: Array
    symmetric: Array
    total: Array


def implied(model: Model, parameters: tuple[Parameter, ...], values: Array) -> Implied:
    """(I - A)^-1 S (I - A)^-T over constructs and items.

    Source:
        McArdle & McDonald (1984), British J. of Mathematical and Statistical Psychology 37, eq. 7.
    """
    names = (*model.names, *observed(model))
    at = {n: i for i, n in enumerate(names)}
    A, S = np.zeros((2, len(names), len(names)))
    for p, value in zip(parameters, values, strict=True):
        if p.directed:
            A[at[p.to], at[p.source]] = value
        else:
            S[at[p.lhs], at[p.rhs]] = S[at[p.rhs], at[p.lhs]] = value
    reach = np.linalg.inv(np.eye(len(names)) - A)
    return Implied(names, A, S, reach @ S @ reach.T)


def standardised(parameters: tuple[Parameter, ...], values: Array, fit: Implied) -> Array:
    """(k,) lavaan's std.all: arrows by total sds, variances by the total, covariances by their own variances."""
    at = {n: i for i, n in enumerate(fit.names)}
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.diagonal(fit.total))
        own = np.sqrt(np.diagonal(fit.symmetric))
        out = np.empty(len(values))
        for i, (p, value) in enumerate(zip(parameters, values, strict=True)):
            if p.directed:
                out[i] = value * sd[at[p.source]] / sd[at[p.to]]
            elif p.lhs == p.rhs:
                out[i] = value / sd[at[p.lhs]] ** 2
            else:
                out[i] = value / (own[at[p.lhs]] * own[at[p.rhs]])
    return out
