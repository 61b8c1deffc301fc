"""The parts of a claim: terms with their modifiers, constructs, arrows, and what a text of them says together.

A term of lavaan's grammar may carry one modifier per group; a single modifier serves all groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Operator = Literal["=~", "<~"]
Mode = Literal["A", "B"]
Sign = Literal["+", "-", ""]


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before `*`: a fixed value, a label, a start value, bounds, or NA (free although it would be fixed).

    Example:
        >>> Modifier(fixed=1.0)
        Modifier(fixed=1.0, label=None, start=None, free=False, lower=None, upper=None)
    """

    fixed: float | None = None
    label: str | None = None
    start: float | None = None
    free: bool = False
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A name on the right-hand side with its modifiers (one per group, or one for all, or none).

    Example:
        >>> Term("x1", (Modifier(label="a"),)).name
        'x1'
    """

    name: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Construct:
    """A latent variable or a composite.

    `operator` is "=~" (reflective; mode A in PLS) or "<~" (composite; mode B unless `mode` says otherwise).
    Indicators may be items, other constructs (higher order), or absent: for an interaction, whose `product_of` names
    its two or more constructs (`a:b`), and for a phantom construct (`f =~ 0`), which only arrows touch.

    Example:
        >>> Construct("value", "=~", (Term("v1"), Term("v2"))).items
        ('v1', 'v2')
    """

    name: str
    operator: Operator
    indicators: tuple[Term, ...]
    mode: Mode = "A"
    product_of: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """Names on the right-hand side."""
        return tuple(t.name for t in self.indicators)


@dataclass(frozen=True, slots=True)
class Path:
    """An arrow `outcome ~ predictor`, with the sign theory expects ("+", "-" or "" when it takes no side).

    Example:
        >>> Path("loyalty", Term("satisfaction"), "+").outcome
        'loyalty'
    """

    outcome: str
    predictor: Term
    sign: Sign = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Covariance:
    """`lhs ~~ rhs`.

    Example:
        >>> Covariance("y1", Term("y5")).lhs
        'y1'
    """

    lhs: str
    rhs: Term


@dataclass(frozen=True, slots=True)
class Intercept:
    """`lhs ~ 1`.

    Example:
        >>> Intercept("x1").modifiers
        ()
    """

    lhs: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """`item | name`: a cut of an ordinal item; names are `t1`, `t2`, ... from the lowest up.

    Example:
        >>> Threshold("u1", "t1").name
        't1'
    """

    item: str
    name: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Scaling:
    """`item ~*~ item`: the scale of the latent response of an ordinal item (1 / its standard deviation).

    Example:
        >>> Scaling("u1", (Modifier(fixed=1.0),)).item
        'u1'
    """

    item: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Defined:
    """`name := expression`.

    Example:
        >>> Defined("indirect", "a*b").expression
        'a*b'
    """

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """`lhs == rhs`, `lhs < rhs` or `lhs > rhs` between labels and numbers; the bound itself is allowed.

    Example:
        >>> Constraint("a", "==", "b").operator
        '=='
    """

    lhs: str
    operator: Literal["==", "<", ">"]
    rhs: str


class _Hashed:
    """Room for the hash of a value, which is looked up often and cannot change."""

    __slots__ = ("_hash",)

    _hash: int


@dataclass(frozen=True, slots=True)
class Claim(_Hashed):
    """What a text says, and nothing about where it came from; `Model` adds the card, labels and layout.

    Example:
        >>> claim = Claim((Construct("value", "=~", (Term("v1"), Term("v2"))),))
        >>> claim.names, claim.items
        (('value',), ('v1', 'v2'))
    """

    constructs: tuple[Construct, ...]
    paths: tuple[Path, ...] = ()
    covariances: tuple[Covariance, ...] = ()
    intercepts: tuple[Intercept, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    defined: tuple[Defined, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    scalings: tuple[Scaling, ...] = ()

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            arrows = self.paths, self.covariances, self.intercepts
            found = hash((self.constructs, *arrows, self.constraints, self.defined, self.thresholds, self.scalings))
            object.__setattr__(self, "_hash", found)
            return found

    @property
    def names(self) -> tuple[str, ...]:
        """Construct names in order of appearance."""
        return _names_of(self)

    @property
    def items(self) -> tuple[str, ...]:
        """Observed items in order of appearance, each once."""
        return _items_of(self)

    @property
    def observed(self) -> tuple[str, ...]:
        """All observed variables, each once, in lavaan's order.

        Items of `=~`, items of `<~`, other outcomes, other predictors, then what else is named in covariances,
        thresholds, scaling factors and intercepts. A product counts as its parts.

        Example:
            >>> from csi.models.syntax.build import parse_claim
            >>> parse_claim("q ~ f + a; f =~ y1 + y2; y1 ~ c; z ~~ w").observed
            ('y1', 'y2', 'q', 'a', 'c', 'z', 'w')
        """
        return _observed_of(self)

    def __getitem__(self, name: str) -> Construct:
        for construct in self.constructs:
            if construct.name == name:
                return construct
        raise KeyError(name)

    def predictors(self, outcome: str) -> tuple[str, ...]:
        """Names with an arrow into `outcome`, in order."""
        return tuple(p.predictor.name for p in self.paths if p.outcome == outcome)


@lru_cache(maxsize=256)
def _names_of(claim: Claim) -> tuple[str, ...]:
    """See `Claim.names`."""
    return tuple(c.name for c in claim.constructs)


@lru_cache(maxsize=256)
def _items_of(claim: Claim) -> tuple[str, ...]:
    """What constructs are measured by that is no construct itself, each once."""
    names = set(claim.names)
    return tuple(dict.fromkeys(n for c in claim.constructs for n in c.items if n not in names))


@lru_cache(maxsize=256)
def _observed_of(claim: Claim) -> tuple[str, ...]:
    """See `Claim.observed`."""
    products = {c.name: c.product_of for c in claim.constructs if c.product_of}
    named = [n for operator in ("=~", "<~") for c in claim.constructs if c.operator == operator for n in c.items]
    named += [p.outcome for p in claim.paths]
    named += [n for p in claim.paths for n in products.get(p.predictor.name, (p.predictor.name,))]
    named += [n for c in claim.covariances for n in (c.lhs, c.rhs.name)]
    named += [t.item for t in claim.thresholds] + [s.item for s in claim.scalings]
    named += [i.lhs for i in claim.intercepts]
    constructs = set(claim.names)
    return tuple(n for n in dict.fromkeys(named) if n not in constructs)
