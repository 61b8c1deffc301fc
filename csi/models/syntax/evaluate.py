"""Values of `:=` definitions and constraints on arrays of label values, real or complex.

On complex arrays every operation is analytic where it is defined, so that slopes come from the complex step
f'(x) = Im f(x + ih) / h, exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from csi.errors import Problem, Problems
from csi.models.nouns import Defined
from csi.models.syntax.cursor import Stumble
from csi.models.syntax.expression import Step, expression_of
from csi.models.syntax.linear import in_order, is_linear, linear_form

__all__ = ["Formula", "compile_expression", "evaluate_definitions", "is_linear", "linear_form"]

Array = npt.NDArray[Any]
"""float64 or complex128."""

_STEP = 1e-30


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression ready to be evaluated.

    Attributes:
        text: as written. labels: the labels it uses, each once. steps: the expression in postfix order.

    Example:
        >>> compile_expression("a*b + a").labels
        ('a', 'b')
    """

    text: str
    labels: tuple[str, ...]
    steps: tuple[Step, ...]

    def evaluate(self, values: Mapping[str, npt.ArrayLike]) -> Array:
        """The value of the expression.

        Parameters:
            values: {label: array (b,)}, real or complex; labels it does not use are allowed.

        Returns:
            array (b,); NaN where there is no value (division by zero, log or root of a negative number).

        Raises:
            KeyError: a label has no value.

        Example:
            >>> compile_expression("a/b").evaluate({"a": [1.0, 1.0], "b": [2.0, 0.0]})
            array([0.5, nan])
        """
        given = {name: np.asarray(value) for name, value in values.items()}
        stack: list[Array] = []
        with np.errstate(all="ignore"):
            for kind, what in self.steps:
                if kind == "number":
                    stack.append(np.asarray(float(what)))
                elif kind == "label":
                    stack.append(given[what])
                elif what in _ALONE:
                    stack.append(_ALONE[what](stack.pop()))
                else:
                    right = stack.pop()
                    stack.append(_TOGETHER[what](stack.pop(), right))
        shape = np.broadcast_shapes(*(v.shape for v in given.values()))
        value = stack.pop()
        return np.array(np.broadcast_to(value, np.broadcast_shapes(shape, value.shape)))

    def slopes(self, values: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """The derivative with respect to each label, by the complex step.

        Parameters:
            values: {label: array (b,)}, real.

        Returns:
            {label: array (b,)} for the labels the expression uses.

        Source: Squire & Trapp (1998), SIAM Review 40(1), eq. 1.

        Example:
            >>> compile_expression("a^2*b").slopes({"a": [3.0], "b": [2.0]})["a"]
            array([12.])
        """
        given = {name: np.asarray(value, dtype=complex) for name, value in values.items()}
        moved = ((name, self.evaluate(given | {name: given[name] + 1j * _STEP})) for name in self.labels)
        return {name: np.where(np.isnan(value.real), np.nan, value.imag / _STEP) for name, value in moved}


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Formula:
    """An expression of labels, ready to be evaluated on arrays.

    Parameters:
        text: numbers, labels, `+ - * / ^`, brackets, abs, exp, log, sqrt.

    Raises:
        Problems: E-SYNTAX when the text is not an expression.

    Example:
        >>> compile_expression("(a + 1)^2").evaluate({"a": [1.0, 2.0]})
        array([4., 9.])
    """
    try:
        read = expression_of(text)
    except Stumble as stumble:
        raise Problems([Problem(stumble.code, f'expression "{text}"', stumble.what, stumble.remedy)]) from stumble
    return Formula(read.text, tuple(dict.fromkeys(t.text for t in read.labels)), read.steps)


def evaluate_definitions(defined: Iterable[Defined], values: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    """The values of `:=` definitions, which may use one another in any order.

    Parameters:
        defined: the definitions of a model. values: {label: array (b,)}, real or complex.

    Returns:
        {name: array (b,)} in the order of `defined`; definitions in a circle are absent.

    Raises:
        KeyError: a label has no value.

    Example:
        >>> defined = [Defined("share", "ind/(ind + c)"), Defined("ind", "a*b")]
        >>> evaluate_definitions(defined, {"a": [0.5], "b": [0.5], "c": [0.25]})["share"]
        array([0.5])
    """
    listed = tuple(defined)
    found: dict[str, Array] = {}
    for one in in_order(listed):
        found[one.name] = compile_expression(one.expression).evaluate({**values, **found})
    return {d.name: found[d.name] for d in listed if d.name in found}


def _abs(z: Array) -> Array:
    return np.asarray(z * np.sign(z.real))


def _log(z: Array) -> Array:
    outside = z.real <= 0
    return np.where(outside, np.nan, np.log(np.where(outside, 1.0, z)))


def _sqrt(z: Array) -> Array:
    outside = z.real < 0
    return np.where(outside, np.nan, np.sqrt(np.where(outside, 1.0, z)))


def _divided(left: Array, right: Array) -> Array:
    zero = right.real == 0
    return np.where(zero, np.nan, left / np.where(zero, 1.0, right))


def _power(base: Array, exponent: Array) -> Array:
    """`base^exponent`; a negative base takes whole exponents only."""
    whole = (exponent.imag == 0) & (exponent.real == np.round(exponent.real))
    below = base.real < 0
    outside = (below & ~whole) | ((base.real == 0) & (exponent.real < 0))
    size = np.power(np.where(outside, 1.0, np.where(below, -base, base)), exponent)
    odd = below & (np.mod(exponent.real, 2.0) == 1.0)
    return np.where(outside, np.nan, np.where(odd, -size, size))


_ALONE: dict[str, Callable[[Array], Array]] = {
    "negative": np.negative,
    "abs": _abs,
    "exp": np.exp,
    "log": _log,
    "sqrt": _sqrt,
}
_TOGETHER: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _divided,
    "^": _power,
}
