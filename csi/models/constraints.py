"""Constraints that contradict each other, found without data: linear ones, fixed values of labels, and bounds.

`==` lines, labels of fixed parameters and bounds are solved exactly (fractions); what is not linear is left to the fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from csi.errors import Problem, Text
from csi.models.nouns import Claim, Modifier
from csi.models.syntax.linear import Form, exact_definitions, exact_form
from csi.models.syntax.places import Key, Places, Source
from csi.models.syntax.tokens import written


def constraint_problems(claim: Claim, places: Places | None = None, source: Source | None = None) -> list[Problem]:
    """A problem for each set of constraints that cannot all hold.

    Equalities are eliminated one after another; what an inequality says about the labels still free is compared with
    what the others say about the same combination. `<` and `>` allow the bound itself.

    Parameters:
        claim: a `Model` or a `Claim`. places, source: where constraints stand in a text, for pointing at them.

    Returns:
        problems E-CONSTRAINT, each naming the lines that contradict each other.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.models.nouns import Constraint
        >>> claim = Claim((), constraints=(Constraint("a", "==", "1"), Constraint("a", "==", "2")))
        >>> print(constraint_problems(claim)[0].what.en)
        these constraints contradict each other: a == 1; a == 2.
    """
    system = _System()
    said = {one: number for number, one in enumerate(_stated(claim))}
    equalities_first = sorted(said, key=lambda one: one.operator != "==")
    clashes = [clash for one in equalities_first if (clash := system.add(one))]
    return [_problem(sorted(clash, key=said.__getitem__), places or {}, source or Source("")) for clash in clashes]


def modifiers_of(claim: Claim) -> dict[Key, tuple[Modifier, ...]]:
    """The modifiers of every relation of a model.

    Example:
        >>> from csi.models.nouns import Intercept
        >>> modifiers_of(Claim((), intercepts=(Intercept("x"),)))
        {('x', '~', '1'): ()}
    """
    items = {(c.name, c.operator, t.name): t.modifiers for c in claim.constructs for t in c.indicators}
    paths = {(p.outcome, "~", p.predictor.name): p.predictor.modifiers for p in claim.paths}
    covariances = {(c.lhs, "~~", c.rhs.name): c.rhs.modifiers for c in claim.covariances}
    intercepts = {(i.lhs, "~", "1"): i.modifiers for i in claim.intercepts}
    thresholds = {(t.item, "|", t.name): t.modifiers for t in claim.thresholds}
    scalings = {(s.item, "~*~", s.item): s.modifiers for s in claim.scalings}
    return items | paths | covariances | intercepts | thresholds | scalings


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    """`form == 0` or `form >= 0`, as it was said and where; each is itself only."""

    text: str
    operator: str
    form: Form
    key: Key


_Clash = tuple[_Stated, ...]


def _stated(claim: Claim) -> Iterator[_Stated]:
    """All that is said about labels and can be followed exactly."""
    for key, modifiers in modifiers_of(claim).items():
        for group, modifier in enumerate(modifiers):
            yield from _of_modifier(key, group, modifier)
    known = exact_definitions(claim.defined)
    for c in claim.constraints:
        left, right = exact_form(c.lhs, known), exact_form(c.rhs, known)
        if left is not None and right is not None:
            form = right.minus(left) if c.operator == "<" else left.minus(right)
            yield _Stated(f"{c.lhs} {c.operator} {c.rhs}", c.operator, form, (c.lhs, c.operator, c.rhs))


def _of_modifier(key: Key, group: int, modifier: Modifier) -> Iterator[_Stated]:
    """A fixed value and bounds, about the label of the parameter or, when it has none, the parameter itself."""
    own = " ".join(key)
    # a blank cannot stand in front of a label: the names of parameters stay apart from labels
    about = Form({modifier.label or f" {own} {group}": Fraction(1)})
    named = written(modifier.label) if modifier.label else own
    behind = f" ({own})" if modifier.label else ""
    for operator, value in (("==", modifier.fixed), (">", modifier.lower), ("<", modifier.upper)):
        if value is not None and math.isfinite(value):
            number = repr(value).removesuffix(".0")
            form = about.minus(Form({}, Fraction(repr(value))))
            text = f"{named} {operator} {number}{behind}"
            yield _Stated(text, operator, form.times(Fraction(-1)) if operator == "<" else form, key)


@dataclass(frozen=True, slots=True)
class _Row:
    """A form and the statements it was made from."""

    form: Form
    made_of: tuple[_Stated, ...]


@dataclass(slots=True)
class _System:
    """Equalities solved for one label each, in order, and the tightest bounds of combinations of labels."""

    solved: dict[str, _Row] = field(default_factory=dict)
    bounds: dict[tuple[tuple[str, Fraction], ...], dict[bool, _Row]] = field(default_factory=dict)

    def add(self, one: _Stated) -> _Clash:
        """Take one more statement in; those that contradict each other, or none."""
        row = self._reduced(_Row(one.form, (one,)))
        if one.operator != "==":
            return self._bound(row)
        if row.form.slopes:
            self.solved[next(iter(row.form.slopes))] = row
            return ()
        return row.made_of if row.form.constant else ()

    def _reduced(self, row: _Row) -> _Row:
        """The row without labels that are solved for."""
        while label := next((n for n in row.form.slopes if n in self.solved), None):
            other = self.solved[label]
            form = row.form.minus(other.form, row.form.slopes[label] / other.form.slopes[label])
            row = _Row(form, tuple(dict.fromkeys((*other.made_of, *row.made_of))))
        return row

    def _bound(self, row: _Row) -> _Clash:
        """Compare `form >= 0` with what is known about the same combination of labels."""
        if not row.form.slopes:
            return row.made_of if row.form.constant < 0 else ()
        scale = row.form.slopes[min(row.form.slopes)]
        form, below = row.form.times(1 / abs(scale)), scale > 0
        # sign * combination + constant >= 0, so that -constant is its floor or constant its ceiling
        combination = tuple(sorted((n, v if below else -v) for n, v in form.slopes.items()))
        sides = self.bounds.setdefault(combination, {})
        if below not in sides or form.constant < sides[below].form.constant:
            sides[below] = _Row(form, row.made_of)
        if len(sides) == 2 and sides[True].form.constant + sides[False].form.constant < 0:
            clash = tuple(dict.fromkeys((*sides[True].made_of, *sides[False].made_of)))
            del sides[below]
            return clash
        return ()


def _problem(clash: Sequence[_Stated], places: Places, source: Source) -> Problem:
    """The statements that contradict each other, pointing at the last one of them that has a place."""
    texts = tuple(dict.fromkeys(s.text for s in clash))
    listed = "; ".join(texts)
    if len(texts) > 1:
        what = Text(f"these constraints contradict each other: {listed}.", f"以下约束互相矛盾：{listed}。")
        remedy = Text("Take one of them out.", "请删去其中一条。")
    else:
        what = Text(f"this constraint can never hold: {listed}.", f"此约束不可能成立：{listed}。")
        remedy = Text("Correct it or take it out.", "请改正或删去。")
    spot = next((places[s.key] for s in reversed(clash) if s.key in places), None)
    return source.problem(spot, "E-CONSTRAINT", what, remedy)
