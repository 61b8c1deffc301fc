"""Expressions that are linear in their labels, exactly: `a + 0.1*b - 3` is {a: 1, b: 1/10} and -3."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from csi.models.nouns import Defined
from csi.models.syntax.cursor import Stumble
from csi.models.syntax.expression import Step, expression_of

_LONGEST = 20_000
"""Bits of a number beyond which an expression is no longer followed exactly."""


@dataclass(frozen=True, slots=True)
class Form:
    """`sum(slopes[label] * label) + constant`.

    Example:
        >>> Form({"a": Fraction(1)}, Fraction(2)).minus(Form({"a": Fraction(1)}))
        Form(slopes={}, constant=Fraction(2, 1))
    """

    slopes: Mapping[str, Fraction] = field(default_factory=dict)
    constant: Fraction = Fraction(0)

    def minus(self, other: Form, times: Fraction = Fraction(1)) -> Form:
        """`self - times * other`; labels that cancel are gone.

        Example:
            >>> Form({}, Fraction(5)).minus(Form({}, Fraction(1)), Fraction(2)).constant
            Fraction(3, 1)
        """
        labels = dict.fromkeys((*self.slopes, *other.slopes))
        slopes = {n: self.slopes.get(n, Fraction(0)) - times * other.slopes.get(n, Fraction(0)) for n in labels}
        return Form({n: v for n, v in slopes.items() if v}, self.constant - times * other.constant)

    def times(self, factor: Fraction) -> Form:
        """`factor * self`.

        Example:
            >>> Form({"a": Fraction(1)}).times(Fraction(3)).slopes["a"]
            Fraction(3, 1)
        """
        return Form({n: factor * v for n, v in self.slopes.items() if factor}, factor * self.constant)


def linear_form(text: str, defined: Iterable[Defined] = ()) -> tuple[dict[str, float], float] | None:
    """The coefficients of an expression that is linear in its labels.

    Parameters:
        text: the expression. defined: definitions whose names it may use; they are written out.

    Returns:
        ({label: coefficient}, constant), computed exactly and rounded once; None when it is not linear, has no value
        (division by zero), or cannot be read.

    Example:
        >>> linear_form("0.1*a + 0.2*a - (b - 3)/2")
        ({'a': 0.3, 'b': -0.5}, 1.5)
        >>> linear_form("a*b") is None
        True
    """
    form = exact_form(text, exact_definitions(defined))
    if form is None:
        return None
    try:
        return {n: float(v) for n, v in form.slopes.items()}, float(form.constant)
    except OverflowError:
        return None


def is_linear(text: str, defined: Iterable[Defined] = ()) -> bool:
    """Whether an expression is linear in its labels.

    Example:
        >>> is_linear("2*(a - b)/sqrt(4)"), is_linear("a/b")
        (True, False)
    """
    return linear_form(text, defined) is not None


def exact_form(text: str, known: Mapping[str, Form | None] | None = None) -> Form | None:
    """`linear_form` in exact fractions; `known` gives the forms of defined names (None where one is not linear).

    Example:
        >>> exact_form("d + 1", {"d": Form({"a": Fraction(2)})})
        Form(slopes={'a': Fraction(2, 1)}, constant=Fraction(1, 1))
    """
    try:
        steps = expression_of(text).steps
    except Stumble:
        return None
    stack: list[Form] = []
    for step in steps:
        found = _pushed(step, known or {}) if step[0] != "do" else _done(step[1], stack)
        if found is None or _long(found):
            return None
        stack.append(found)
    return stack.pop()


def exact_definitions(defined: Iterable[Defined]) -> dict[str, Form | None]:
    """The exact form of every definition, None where it is not linear; definitions may use one another.

    Example:
        >>> exact_definitions([Defined("e", "2*d"), Defined("d", "a - 1")])["e"]
        Form(slopes={'a': Fraction(2, 1)}, constant=Fraction(-2, 1))
    """
    known: dict[str, Form | None] = {}
    listed = tuple(defined)
    ordered = in_order(listed)
    for one in ordered:
        known[one.name] = exact_form(one.expression, known)
    # those in a circle have no value
    return known | {d.name: None for d in listed if d not in ordered}


def in_order(defined: Iterable[Defined]) -> tuple[Defined, ...]:
    """Definitions in an order in which each uses earlier ones only; those in a circle, and their users, are left out.

    Example:
        >>> [d.name for d in in_order([Defined("total", "ind + c"), Defined("ind", "a*b")])]
        ['ind', 'total']
    """
    waiting = {d.name: (d, _used(d)) for d in defined}
    ordered: list[Defined] = []
    while ready := [name for name, (_, used) in waiting.items() if not used & set(waiting)]:
        ordered += [waiting.pop(name)[0] for name in ready]
    return tuple(ordered)


def _used(defined: Defined) -> set[str]:
    """Labels of a definition; none when it cannot be read."""
    try:
        return {t.text for t in expression_of(defined.expression).labels}
    except Stumble:
        return set()


def _pushed(step: Step, known: Mapping[str, Form | None]) -> Form | None:
    """A number or a label."""
    if step[0] == "number":
        value = _fraction(step[1])
        return None if value is None else Form({}, value)
    return known[step[1]] if step[1] in known else Form({step[1]: Fraction(1)})


def _fraction(text: str) -> Fraction | None:
    """A number as written; one too long or too small to matter by its float; None when it is infinite."""
    value = float(text)
    if not math.isfinite(value):
        return None
    return Fraction(text) if len(text) < 400 and 1e-300 < abs(value) < 1e300 else Fraction(value)


def _long(form: Form) -> bool:
    """Whether a number of the form has grown out of hand."""
    return any(_bits(v) > _LONGEST for v in (form.constant, *form.slopes.values()))


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _done(name: str, stack: list[Form]) -> Form | None:
    """What `name` makes of the forms on top of the stack, which it takes off; None when it is not linear."""
    right = stack.pop()
    if name in _ALONE:
        return None if right.slopes else _constant(_ALONE[name](right.constant))
    if name == "negative":
        return right.times(Fraction(-1))
    return _TOGETHER[name](stack.pop(), right)


def _constant(value: Fraction | None) -> Form | None:
    return None if value is None else Form({}, value)


def _times(left: Form, right: Form) -> Form | None:
    if left.slopes and right.slopes:
        return None
    return left.times(right.constant) if left.slopes else right.times(left.constant)


def _over(left: Form, right: Form) -> Form | None:
    return None if right.slopes or not right.constant else left.times(1 / right.constant)


def _to_the(left: Form, right: Form) -> Form | None:
    """Powers of numbers; of labels only 1."""
    if right.slopes:
        return None
    if left.slopes:
        return left if right.constant == 1 else None
    base, exponent = left.constant, right.constant
    if exponent.denominator != 1:
        return _constant(_rounded(lambda: float(base) ** float(exponent) if base >= 0 else math.nan))
    if _bits(base) * abs(exponent) > _LONGEST or (not base and exponent < 0):
        return None
    return Form({}, base ** int(exponent))


def _rounded(compute: Callable[[], float]) -> Fraction | None:
    """The float as a fraction; None where there is none."""
    try:
        value = compute()
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return Fraction(value) if math.isfinite(value) else None


_ALONE: dict[str, Callable[[Fraction], Fraction | None]] = {
    "abs": abs,
    "exp": lambda v: _rounded(lambda: math.exp(v)),
    "log": lambda v: _rounded(lambda: math.log(v)),
    "sqrt": lambda v: _rounded(lambda: math.sqrt(v)),
}
_TOGETHER: dict[str, Callable[[Form, Form], Form | None]] = {
    "+": lambda left, right: left.minus(right, Fraction(-1)),
    "-": lambda left, right: left.minus(right),
    "*": _times,
    "/": _over,
    "^": _to_the,
}
