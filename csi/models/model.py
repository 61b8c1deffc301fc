"""What we claim: constructs, their items, and the arrows between them. One noun for every engine.

A term of lavaan's grammar may carry one modifier per group; a single modifier serves all groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from csi.errors import Text


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before `*`: a fixed value, a label, a start value, or NA (free although it would be fixed)."""

    fixed: float | None = None
    label: str | None = None
    start: float | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A name on the right-hand side with its modifiers (one per group, or one for all, or none)."""

    name: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Construct:
    """A latent variable or a composite.

    `operator` is "=~" (reflective; mode A in PLS) or "<~" (composite; mode B unless `mode` says otherwise).
    Indicators may be items, other constructs (higher order), or absent for an interaction, whose `product_of` names
    its two or more constructs (`a:b`).
    """

    name: str
    operator: Literal["=~", "<~"]
    indicators: tuple[Term, ...]
    mode: Literal["A", "B"] = "A"
    product_of: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """Names on the right-hand side."""
        return tuple(t.name for t in self.indicators)


@dataclass(frozen=True, slots=True)
class Path:
    """An arrow `outcome ~ predictor`, with the sign theory expects ("+", "-" or "" when it takes no side)."""

    outcome: str
    predictor: Term
    sign: Literal["+", "-", ""] = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Covariance:
    """`lhs ~~ rhs`."""

    lhs: str
    rhs: Term


@dataclass(frozen=True, slots=True)
class Intercept:
    """`lhs ~ 1`."""

    lhs: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Defined:
    """`name := expression`."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """`lhs == rhs`, `lhs < rhs` or `lhs > rhs` between labels and numbers."""

    lhs: str
    operator: Literal["==", "<", ">"]
    rhs: str


@dataclass(frozen=True, slots=True)
class Model:
    """The claim. `Model.parse(text)` reads lavaan text, `Model.card(name, items=...)` a model card; `str(model)` writes
    lavaan text that parses back to an equal model.

    `card` names the card it came from, `labels` holds zh/en construct names, `layout` diagram positions
    {construct: (x, y)} on a unit-less grid with y downwards.
    """

    constructs: tuple[Construct, ...]
    paths: tuple[Path, ...] = ()
    covariances: tuple[Covariance, ...] = ()
    intercepts: tuple[Intercept, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    defined: tuple[Defined, ...] = ()
    card: str = ""
    labels: Mapping[str, Text] = field(default_factory=dict)
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)

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
