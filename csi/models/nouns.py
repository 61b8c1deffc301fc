"""The parts of a claim: terms with their modifiers, constructs, arrows, and what a text of them says together.

A term of lavaan's grammar may carry one modifier per group; a single modifier serves all groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["=~", "<~"]
Mode = Literal["A", "B"]
Sign = Literal["+", "-", ""]


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before `*`: a fixed value, a label, a start value, or NA (free although it would be fixed).

    Example:
        >>> Modifier(fixed=1.0)
        Modifier(fixed=1.0, label=None, start=None, free=False)
    """

    fixed: float | None = None
    label: str | None = None
    start: float | None = None
    free: bool = False


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
    Indicators may be items, other constructs (higher order), or absent for an interaction, whose `product_of` names
    its two or more constructs (`a:b`).

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
    """`lhs == rhs`, `lhs < rhs` or `lhs > rhs` between labels and numbers.

    Example:
        >>> Constraint("a", "==", "b").operator
        '=='
    """

    lhs: str
    operator: Literal["==", "<", ">"]
    rhs: str


@dataclass(frozen=True, slots=True)
class Claim:
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

    @property
    def names(self) -> tuple[str, ...]:
        """Construct names in order of appearance."""
        return tuple(c.name for c in self.constructs)

    @property
    def items(self) -> tuple[str, ...]:
        """Observed items in order of appearance, each once."""
        constructs = set(self.names)
        seen = dict.fromkeys(n for c in self.constructs for n in c.items if n not in constructs)
        return tuple(seen)

    def __getitem__(self, name: str) -> Construct:
        for construct in self.constructs:
            if construct.name == name:
                return construct
        raise KeyError(name)

    def predictors(self, outcome: str) -> tuple[str, ...]:
        """Names with an arrow into `outcome`, in order."""
        return tuple(p.predictor.name for p in self.paths if p.outcome == outcome)
