"""A model as a parameter table: one row per parameter and group, lavaan's defaults included.

Letters: `g` groups, `k` free parameters (rows that share a label share one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from csi.models.nouns import Claim, Modifier
from csi.sem.composites import Composite

Kind = Literal[
    "loadings",
    "intercepts",
    "residuals",
    "means",
    "thresholds",
    "regressions",
    "residual_covariances",
    "lv_variances",
    "lv_covariances",
    "scales",
]
"""What `equal=` can hold equal over groups."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row: `lhs op rhs` in group number `group`.

    Attributes:
        fixed: its value, None when it is estimated. sampled: fixed at the sample's value (exogenous variables).
        label: rows with the same label are one parameter. start, lower, upper: as stated. stated: False for defaults.
    """

    lhs: str
    op: str
    rhs: str
    group: int = 0
    fixed: float | None = None
    label: str = ""
    start: float | None = None
    lower: float | None = None
    upper: float | None = None
    sampled: bool = False
    stated: bool = True

    @property
    def free(self) -> bool:
        """Whether the row is estimated."""
        return self.fixed is None and not self.sampled

    @property
    def key(self) -> tuple[str, str, str]:
        """lhs, op, rhs."""
        return self.lhs, self.op, self.rhs


@dataclass(frozen=True, slots=True)
class Rules:
    """What fills a model up to a full table (see `SEM` for the meaning of each).

    Attributes:
        groups: labels of the groups, () for one. released: exceptions from `equal`, as "visual=~x2" or "x1~1".
        ordered: ordinal items with their number of thresholds.
        composites: those of the model (`csi.sem.composites` wrote them as loadings).
        conditional: the moments are those of ordinal items given the exogenous observed variables.
    """

    groups: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    means: bool = False
    growth: bool = False
    std_lv: bool = False
    fixed_x: bool = True
    theta: bool = False
    ordered: tuple[tuple[str, int], ...] = ()
    composites: tuple[Composite, ...] = ()
    conditional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All parameters of a model.

    Attributes:
        rows: group by group, each in the same order. observed: p items. latent: names of `=~` constructs.
        exogenous: observed predictors whose moments are taken from the sample. rules: what filled it up.
        index: for each row its free parameter, -1 where there is none. names: a label for each of the k parameters.
    """

    rows: tuple[Parameter, ...]
    observed: tuple[str, ...]
    latent: tuple[str, ...]
    exogenous: tuple[str, ...]
    rules: Rules
    index: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of groups."""
        return max(1, len(self.rules.groups))

    @property
    def given(self) -> tuple[int, ...]:
        """Places of the exogenous variables among the observed ones."""
        return tuple(i for i, name in enumerate(self.observed) if name in self.exogenous)


def latents_of(claim: Claim) -> tuple[str, ...]:
    """Constructs that are latents of their own (products are not).

    Example:
        >>> from csi.models.model import Model
        >>> latents_of(Model.parse("f =~ y1 + y2; f ~ x"))
        ('f',)
    """
    return tuple(c.name for c in claim.constructs if not c.product_of)


@lru_cache(maxsize=64)
def table_of(claim: Claim, rules: Rules) -> Table:
    """The full table of a model.

    Source: the defaults are those lavaan documents for `sem()` and `growth()` (Rosseel, 2012).

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> table = table_of(parse_claim("trust =~ t1 + t2 + t3"), Rules())
        >>> [(r.op, r.rhs, r.fixed) for r in table.rows][:3]
        [('=~', 't1', 1.0), ('=~', 't2', None), ('=~', 't3', None)]
    """
    observed, latent = claim.observed, latents_of(claim)
    exogenous = given_variables(claim) if rules.fixed_x else ()
    rows: list[Parameter] = []
    for g in range(max(1, len(rules.groups))):
        rows += _group(claim, rules, g, observed, exogenous)
    rows = _equated(rows, rules, set(latent), set(given_variables(claim)))
    index, names = _numbered(rows, rules)
    return Table(tuple(rows), observed, latent, exogenous, rules, index, names)


def _group(
    claim: Claim, rules: Rules, g: int, observed: tuple[str, ...], exogenous: tuple[str, ...]
) -> list[Parameter]:
    """The rows of one group: what the model states, then what it leaves out."""
    rows = [*_measured(claim, rules, g)]
    rows += [_row(p.outcome, "~", p.predictor.name, p.predictor.modifiers, g) for p in claim.paths]
    rows += [_row(c.lhs, "~~", c.rhs.name, c.rhs.modifiers, g) for c in claim.covariances]
    rows += [_row(i.lhs, "~1", "", i.modifiers, g) for i in claim.intercepts]
    rows += [_row(t.item, "|", t.name, t.modifiers, g) for t in claim.thresholds]
    rows += [_row(s.item, "~*~", s.item, s.modifiers, g) for s in claim.scalings]
    known = {(frozenset((r.lhs, r.rhs)) if r.op == "~~" else r.key, r.op) for r in rows}
    for row in _defaults(claim, rules, g, observed, exogenous):
        key = (frozenset((row.lhs, row.rhs)) if row.op == "~~" else row.key, row.op)
        if key not in known:
            rows.append(row)
    return rows


def _row(lhs: str, op: str, rhs: str, modifiers: tuple[Modifier, ...], g: int) -> Parameter:
    """A stated row of group `g`."""
    if not modifiers:
        return Parameter(lhs, op, rhs, g)
    m = modifiers[min(g, len(modifiers) - 1)]
    return Parameter(lhs, op, rhs, g, m.fixed, m.label or "", m.start, m.lower, m.upper)


def _measured(claim: Claim, rules: Rules, g: int) -> Iterator[Parameter]:
    """Loadings; the first is the marker unless a modifier or `std_lv` says otherwise."""
    for construct in claim.constructs:
        for position, term in enumerate(construct.indicators):
            row = _row(construct.name, "=~", term.name, term.modifiers, g)
            said = term.modifiers[min(g, len(term.modifiers) - 1)] if term.modifiers else Modifier()
            if position == 0 and not rules.std_lv and not said.free and said.fixed is None:
                row = replace(row, fixed=1.0)
            yield row


def given_variables(claim: Claim) -> tuple[str, ...]:
    """Observed predictors that nothing explains and no statement gives a variance or mean.

    Example:
        >>> from csi.models.model import Model
        >>> given_variables(Model.parse("f =~ y1 + y2; f ~ x"))
        ('x',)
    """
    indicators = {i for c in claim.constructs for i in c.items}
    outcomes = {p.outcome for p in claim.paths}
    predictors = {p.predictor.name for p in claim.paths}
    stated = {n for c in claim.covariances for n in (c.lhs, c.rhs.name)} | {i.lhs for i in claim.intercepts}
    return tuple(v for v in claim.observed if v in predictors - outcomes - indicators - stated)


@dataclass(frozen=True, slots=True)
class _Roles:
    """Which part every name plays.

    Attributes:
        items: observed variables. constructs: latents. exogenous: observed predictors taken from the sample. loose: the
            same where they are estimated. indicators: names measured by a construct. outcomes, predictors: of
            regressions. only: sole indicators of a construct that measure nothing else.
    """

    items: tuple[str, ...]
    constructs: tuple[str, ...]
    exogenous: tuple[str, ...]
    loose: tuple[str, ...]
    indicators: frozenset[str]
    outcomes: frozenset[str]
    predictors: frozenset[str]
    only: frozenset[str]


def _roles(claim: Claim, observed: tuple[str, ...], exogenous: tuple[str, ...]) -> _Roles:
    """The roles of a model's names."""
    times = Counter(i for c in claim.constructs for i in c.items)
    return _Roles(
        items=observed,
        constructs=latents_of(claim),
        exogenous=exogenous,
        loose=() if exogenous else given_variables(claim),
        indicators=frozenset(times),
        outcomes=frozenset(p.outcome for p in claim.paths),
        predictors=frozenset(p.predictor.name for p in claim.paths),
        only=frozenset(c.items[0] for c in claim.constructs if len(c.items) == 1 and times[c.items[0]] == 1),
    )


def _defaults(
    claim: Claim, rules: Rules, g: int, observed: tuple[str, ...], exogenous: tuple[str, ...]
) -> Iterator[Parameter]:
    """Variances, covariances, means, thresholds and scales nobody states."""
    roles = _roles(claim, observed, exogenous)
    yield from _variances(roles, rules, g)
    yield from _covariances(roles, g)
    if rules.means:
        yield from _means(roles, rules, g)
    for v, count in rules.ordered:
        yield from (Parameter(v, "|", f"t{t + 1}", g, stated=False) for t in range(count))
    for v, _ in rules.ordered:
        yield Parameter(v, "~*~", v, g, fixed=1.0, stated=False)


def _variances(roles: _Roles, rules: Rules, g: int) -> Iterator[Parameter]:
    """Variances: 0 for a lone indicator's residual, 1 for ordinal items and under `std_lv`."""
    ordered = dict(rules.ordered)
    for v in roles.items:
        if v not in roles.exogenous:
            held = 0.0 if v in roles.only else 1.0 if v in ordered else None
            yield Parameter(v, "~~", v, g, fixed=held, stated=False)
    for v in roles.constructs:
        yield Parameter(v, "~~", v, g, fixed=1.0 if rules.std_lv else None, stated=False)


def _covariances(roles: _Roles, g: int) -> Iterator[Parameter]:
    """Covariances of exogenous constructs, of exogenous observed variables, and of outcomes that predict nothing.

    Constructs and observed variables do not covary by default, nor does an observed predictor of which a variance, a
    covariance or a mean is stated.
    """
    inner = [v for v in (*roles.constructs, *roles.items) if v not in roles.indicators]
    free = [v for v in inner if v in roles.constructs and v not in roles.outcomes]
    last = [v for v in inner if v in roles.outcomes and v not in roles.predictors]
    for group in (free, roles.loose, last):
        for i, a in enumerate(group):
            yield from (Parameter(a, "~~", b, g, stated=False) for b in group[i + 1 :])
    for i, a in enumerate(roles.exogenous):
        yield from (Parameter(a, "~~", b, g, sampled=True, stated=False) for b in roles.exogenous[i:])


def _means(roles: _Roles, rules: Rules, g: int) -> Iterator[Parameter]:
    """Intercepts of items free (0 for ordinal ones and under `growth`), means of latents 0 (free under `growth`)."""
    ordered = dict(rules.ordered)
    for v in roles.items:
        sampled = v in roles.exogenous
        held = v in ordered or (rules.growth and v in roles.indicators)
        yield Parameter(v, "~1", "", g, fixed=0.0 if held and not sampled else None, sampled=sampled, stated=False)
    for v in roles.constructs:
        yield Parameter(v, "~1", "", g, fixed=None if rules.growth else 0.0, stated=False)


def kind_of(row: Parameter, latent: set[str]) -> Kind:
    """Which of the kinds of `equal=` a row is.

    Example:
        >>> kind_of(Parameter("f", "~~", "f"), {"f"})
        'lv_variances'
    """
    inner = row.lhs in latent
    if row.op in {"=~", "~", "|", "~*~"}:
        kinds: dict[str, Kind] = {"=~": "loadings", "~": "regressions", "|": "thresholds", "~*~": "scales"}
        return kinds[row.op]
    if row.op == "~1":
        return "means" if inner else "intercepts"
    if row.lhs == row.rhs:
        return "lv_variances" if inner else "residuals"
    return "lv_covariances" if inner else "residual_covariances"


def _equated(rows: list[Parameter], rules: Rules, latent: set[str], given: set[str]) -> list[Parameter]:
    """Rows held equal over groups get the label of the first group; what that identifies is set free.

    Moments of `given` predictors, fixed or estimated, differ over groups whatever `equal=` says.
    """
    if len(rules.groups) < 2:
        return rows
    free = set(rules.released)
    first = {r.key: r for r in rows if r.group == 0}
    out = []
    for row in rows:
        kind = kind_of(row, latent)
        held = kind in rules.equal and row.lhs not in given and "".join(row.key) not in free
        if held and first[row.key].free and row.free:
            label = first[row.key].label or f".{''.join(row.key)}."
            out.append(replace(row, label=label))
        elif row.group > 0 and not row.stated and row.fixed is not None and _opened(row, kind, rules):
            out.append(replace(row, fixed=None))
        else:
            out.append(row)
    return out


def _opened(row: Parameter, kind: Kind, rules: Rules) -> bool:
    """Whether equality over groups identifies what was fixed in the later ones."""
    equal = set(rules.equal)
    if kind == "means":
        return "means" not in equal and bool({"intercepts", "thresholds"} & equal) and not rules.growth
    if kind == "lv_variances":
        return rules.std_lv and "loadings" in equal and "lv_variances" not in equal
    ordinal = dict(rules.ordered)
    if kind == "scales":
        return not rules.theta and "thresholds" in equal
    if kind == "residuals":
        return row.lhs in ordinal and rules.theta and "thresholds" in equal and "residuals" not in equal
    return False


def _numbered(rows: list[Parameter], rules: Rules) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The free parameter of each row, and a name for each."""
    known: dict[str, int] = {}
    names: list[str] = []
    index = []
    for number, row in enumerate(rows):
        if not row.free:
            index.append(-1)
            continue
        key = row.label or f"#{number}"
        if key not in known:
            known[key] = len(names)
            group = f" [{rules.groups[row.group]}]" if rules.groups and not row.label else ""
            own = row.label if row.label and not row.label.startswith(".") else f"{row.lhs} {row.op} {row.rhs}".strip()
            names.append(f"{own}{group}")
        index.append(known[key])
    return tuple(index), tuple(names)
